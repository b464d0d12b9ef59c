/* SPDX-License-Identifier: MIT */
/* The input layer: keyboards on whatever bus, their keys for the terminals and for programs. See input.c. */
#ifndef DEVICES_INPUT_H
#define DEVICES_INPUT_H

#include "devices/keyboard.h"
#include "files/devfs.h"
#include "lib/list.h"
#include "lib/lock.h"
#include "lib/types.h"
#include "process/wait.h"

#define INPUT_KEYS 256u

struct input_reader;

struct input_device {
	/* The driver's, before it registers the device. */
	const char *name, *place; /* "AT Translated Set 2 keyboard", "isa0060/serio0/input0" */
	uint16_t bus, vendor, product, version;
	uint64_t keys[INPUT_KEYS / 64]; /* those it has */

	/* input.c's. */
	struct device device;
	unsigned number;
	char node[16];
	struct wait_queue readable;
	struct spinlock lock;           /* guards the rest */
	uint64_t down[INPUT_KEYS / 64]; /* keys that are held */
	struct list readers;            /* struct input_reader.link */
	struct input_reader *grabber;   /* who has it alone, or NULL */
};

/* Makes /dev/input/eventN, N the next number; the device stays for ever. 0 or a negative errno. */
int input_register(struct input_device *device) MUST_CHECK;
/* Key `code` (Linux's number), by the device's own code `scan`: to those who read the device and to the
 * terminal shown, or to the one who has grabbed it. Any context, no locks held. */
void input_key(struct input_device *device, unsigned code, enum key_event event, unsigned scan);

#endif
