/* SPDX-License-Identifier: MIT */
/*
 * The keyboard at an i8042 controller, or what a firmware makes look like one.
 *
 * The controller is asked to translate to scan code set 1. Every wait for it ends after a time: a
 * machine may have none (reads give 0xff, or an answer never comes). The first question, for its
 * configuration, has a short limit, so that such a machine loses no time at the start.
 *
 * After the start all bytes come by interrupt 1: keys, and the answers to what the keyboard was told.
 * LEDs take two bytes, each of which is answered by ACK before the next may be sent.
 *
 * Locks: controller_lock guards the controller and the decoder's state; keys are passed on without it.
 */
#include "devices/keyboard_ps2.h"

#include "arch/arch.h"
#include "devices/input.h"
#include "devices/input_abi.h"
#include "devices/vt.h"
#include "lib/errno.h"
#include "lib/lock.h"
#include "lib/log.h"

#define DATA      0x60u
#define STATUS    0x64u /* when read */
#define COMMAND   0x64u /* when written */
#define IRQ       1u
#define OUTPUT    0x01u /* status: a byte to be read */
#define INPUT     0x02u /* status: it has not taken the last byte */
#define AUXILIARY 0x20u /* status: that byte is the mouse's */
#define ABSENT    0xffu
#define BURST     32u /* bytes taken at once */

enum controller_command {
	READ_CONFIGURATION = 0x20,
	WRITE_CONFIGURATION = 0x60,
	DISABLE_AUXILIARY = 0xa7,
	SELF_TEST = 0xaa,
	TEST_KEYBOARD_PORT = 0xab,
	DISABLE_KEYBOARD = 0xad,
	ENABLE_KEYBOARD = 0xae
};

enum {
	CONFIGURATION_IRQ = 0x01,
	CONFIGURATION_AUXILIARY_IRQ = 0x02,
	CONFIGURATION_OFF = 0x10,
	CONFIGURATION_TRANSLATE = 0x40
};
enum { SELF_TEST_PASSED = 0x55, PORT_TEST_PASSED = 0 };
enum { SET_LEDS = 0xed, ENABLE_SCANNING = 0xf4, ACK = 0xfa };

#define SHORT_WAIT (20 * NS_PER_SECOND / 1000)
#define LONG_WAIT  (500 * NS_PER_SECOND / 1000)
#define LED_WAIT   (NS_PER_SECOND / 1000)

static struct spinlock controller_lock = SPINLOCK_INIT;
static struct scancodes scancodes guarded_by(controller_lock);
static uint64_t down[2] guarded_by(controller_lock); /* keys, to tell the first of a series */
static enum { LEDS_IDLE, LEDS_COMMAND, LEDS_VALUE } leds_state guarded_by(controller_lock);
static unsigned leds_wanted guarded_by(controller_lock), leds_set guarded_by(controller_lock);

/* ---- The controller ---- */

/* Waits until these bits of the status are as wanted. */
static bool wait_status(uint8_t mask, uint8_t wanted, ns_t limit)
{
	ns_t end = arch_clock() + limit;

	do {
		if ((arch_in8(STATUS) & mask) == wanted)
			return true;
	} while (arch_clock() < end);
	return false;
}

static bool send(uint16_t port, uint8_t byte, ns_t limit)
{
	if (!wait_status(INPUT, 0, limit))
		return false;
	arch_out8(port, byte);
	return true;
}

/* The byte that comes, or -1. */
static int receive(ns_t limit)
{
	return wait_status(OUTPUT, OUTPUT, limit) ? arch_in8(DATA) : -1;
}

static int ask(enum controller_command command, ns_t limit)
{
	return send(COMMAND, (uint8_t)command, limit) ? receive(limit) : -1;
}

static bool configure(uint8_t configuration)
{
	return send(COMMAND, WRITE_CONFIGURATION, SHORT_WAIT) &&
	       send(DATA, configuration, SHORT_WAIT);
}

/* What was typed before, up to a controller that never runs dry. */
static void drain(void)
{
	for (unsigned i = 0; i < BURST && arch_in8(STATUS) & OUTPUT; i++)
		arch_in8(DATA);
}

/* NULL: a keyboard is ready; or what is wrong. */
static const char *start_controller(void)
{
	int configuration, answer;

	if (arch_in8(STATUS) == ABSENT)
		return "no controller";
	if (!send(COMMAND, DISABLE_KEYBOARD, SHORT_WAIT) ||
		!send(COMMAND, DISABLE_AUXILIARY, SHORT_WAIT))
		return "the controller takes no command";
	drain();
	configuration = ask(READ_CONFIGURATION, SHORT_WAIT);
	if (configuration < 0)
		return "the controller does not answer";
	configuration &= ~(CONFIGURATION_IRQ | CONFIGURATION_AUXILIARY_IRQ | CONFIGURATION_OFF);
	configuration |= CONFIGURATION_TRANSLATE;
	if (ask(SELF_TEST, LONG_WAIT) != SELF_TEST_PASSED)
		return "the controller's self-test fails";
	if (!configure((uint8_t)configuration)) /* the test may have reset it */
		return "the controller takes no configuration";
	answer = ask(TEST_KEYBOARD_PORT, LONG_WAIT);
	if (answer != PORT_TEST_PASSED)
		return "the keyboard's port fails its test";
	if (!send(COMMAND, ENABLE_KEYBOARD, SHORT_WAIT) ||
		!send(DATA, ENABLE_SCANNING, SHORT_WAIT) || receive(LONG_WAIT) != ACK)
		return "no keyboard answers";
	if (!configure((uint8_t)(configuration | CONFIGURATION_IRQ)))
		return "the controller takes no configuration";
	return NULL;
}

/* ---- Interrupts ---- */

static void send_leds(void) requires(controller_lock)
{
	if (leds_state != LEDS_IDLE || leds_wanted == leds_set)
		return;
	if (send(DATA, SET_LEDS, LED_WAIT))
		leds_state = LEDS_COMMAND;
}

static void acknowledged(void) requires(controller_lock)
{
	if (leds_state == LEDS_COMMAND && send(DATA, (uint8_t)leds_wanted, LED_WAIT)) {
		leds_set = leds_wanted;
		leds_state = LEDS_VALUE;
		return;
	}
	leds_state = LEDS_IDLE;
	send_leds();
}

static void set_leds(unsigned locks)
{
	spin_lock(&controller_lock);
	leds_wanted = locks;
	send_leds();
	spin_unlock(&controller_lock);
}

struct event {
	uint8_t code;
	uint16_t scan; /* with 0xe000 for those that 0xe0 begins */
	enum key_event what;
};

/* The numbers are those that Linux gives such a keyboard. */
static struct input_device device = {.name = "AT Translated Set 2 keyboard",
	.place = "isa0060/serio0/input0",
	.bus = BUS_I8042,
	.vendor = 1,
	.product = 1,
	.version = 0xab41};

/* One byte; true: it made an event. */
static bool decode(uint8_t byte, struct event *event) requires(controller_lock)
{
	unsigned code, scan = (scancodes.extended ? 0xe000u : 0u) | (byte & 0x7fu);
	bool up;

	if (byte == ACK && !scancodes.extended && !scancodes.skip) {
		acknowledged();
		return false;
	}
	code = scancode_key(&scancodes, byte, &up);
	if (!code)
		return false;
	*event = (struct event){(uint8_t)code, (uint16_t)scan, up ? RELEASED : PRESSED};
	if (!up && down[code / 64] >> code % 64 & 1)
		event->what = REPEATED;
	down[code / 64] &= ~(1ull << code % 64);
	down[code / 64] |= (uint64_t)!up << code % 64;
	return true;
}

static void interrupt(void *context)
{
	struct event events[BURST];
	unsigned count = 0;
	uint8_t status;

	spin_lock(&controller_lock);
	for (unsigned i = 0; i < BURST; i++) {
		uint8_t byte;

		status = arch_in8(STATUS);
		if (!(status & OUTPUT))
			break;
		byte = arch_in8(DATA);
		if (!(status & AUXILIARY) && decode(byte, &events[count]))
			count++;
	}
	spin_unlock(&controller_lock);
	for (unsigned i = 0; i < count; i++)
		input_key(&device, events[i].code, events[i].what, events[i].scan);
}

/* All that scan codes may mean. */
static void set_keys(void)
{
	for (unsigned i = 0; i < 256; i++) {
		struct scancodes state = {.extended = i >= 128};
		bool up;
		unsigned code = scancode_key(&state, (uint8_t)(i & 127), &up);

		device.keys[code / 64] |= (uint64_t)(code != 0) << code % 64;
	}
}

int keyboard_ps2_init(void)
{
	const char *wrong = start_controller();
	int error;

	if (wrong) {
		log_info("keyboard: %s", wrong);
		return 0;
	}
	set_keys();
	error = input_register(&device);
	if (!error)
		error = arch_irq_attach(IRQ, "i8042", interrupt, NULL);
	if (error)
		return error;
	vt_set_leds_function(set_leds);
	interrupt(NULL); /* a byte that came before would hold the line for ever */
	log_info("keyboard: PS/2");
	return 0;
}
