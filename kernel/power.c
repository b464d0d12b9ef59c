/* SPDX-License-Identifier: MIT */
#include "power.h"

#include "arch/arch.h"
#include "devices/channel.h"
#include "devices/console.h"
#include "firmware/acpi.h"
#include "firmware/bars.h"
#include "firmware/runtime.h"
#include "lib/log.h"
#include "lib/string.h"
#include "main.h"
#include "process/current.h"
#include "process/process.h"
#include "process/sched.h"
#include "syscall/dispatch.h"

#include <asm/signal.h>

void machine_stop(void)
{
	ns_t until = arch_clock() + (ns_t)options.panic * NS_PER_SECOND;

	console_flush();
	if (!options.panic)
		arch_halt();
	while (arch_clock() < until)
		arch_pause();
	arch_reset();
}

void machine_halt(const char *why)
{
	log_info("halted: %s", why);
	console_flush();
	arch_stop_others();
	arch_halt();
}

static bool wants(const char *way)
{
	return options.poweroff && !strcmp(options.poweroff, way);
}

/* By the firmware, while all still runs. Returns where the command line wants another way, or it does not work. */
static void ask_firmware(enum firmware_reset type)
{
	if (wants("acpi") || wants("firmware") ||
		!(firmware_supported() & 1u << EVIDENCE_RESET_SYSTEM))
		return;
	log_info("by the firmware's ResetSystem");
	console_flush();
	firmware_ask_reset(type);
}

static NORETURN void power_off(void)
{
	arch_stop_others();
	if (!wants("firmware"))
		acpi_power_off();
	log_info("power off by the firmware's ResetSystem, in ring 0");
	console_flush();
	firmware_reset_system(FIRMWARE_RESET_SHUTDOWN);
	machine_halt("neither ACPI nor the firmware powers off: switch off by hand");
}

void machine_power_off(const char *why)
{
	log_info("power off: %s", why);
	console_flush();
	ask_firmware(FIRMWARE_RESET_SHUTDOWN);
	power_off();
}

static NORETURN void reset(void)
{
	arch_stop_others();
	if (!wants("firmware"))
		acpi_reset();
	firmware_reset_system(FIRMWARE_RESET_COLD);
	arch_reset();
}

void machine_reset(const char *why)
{
	log_info("reset: %s", why);
	console_flush();
	ask_firmware(FIRMWARE_RESET_COLD);
	reset();
}

static enum ctrl_alt_del ctrl_alt_del; /* as on Linux a reset until process 1 has said otherwise */

void machine_set_ctrl_alt_del(enum ctrl_alt_del does)
{
	__atomic_store_n(&ctrl_alt_del, does, __ATOMIC_RELAXED);
}

void machine_ctrl_alt_del(void)
{
	if (__atomic_load_n(&ctrl_alt_del, __ATOMIC_RELAXED) == CTRL_ALT_DEL_RESETS) {
		log_info("reset: Ctrl-Alt-Del");
		console_flush();
		reset(); /* an interrupt cannot wait for the firmware's thread */
	}
	signal_leader(1, 1u << SIGINT);
}

void process_one_ended(int status)
{
	static bool ended;
	int signal = status & 0x7f;

	assert(!ended);
	ended = true;
	if (signal)
		log_warn("process 1 was ended by %s", signal_name(signal));
	else
		log_info("process 1 has ended with exit status %d", status >> 8 & 0xff);
	syscall_report();
	sched_report();
	channel_finish(status);
	if (options.halt)
		machine_halt("process 1 has ended");
	machine_power_off("process 1 has ended");
}
