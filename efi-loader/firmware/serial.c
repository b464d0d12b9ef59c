/* SPDX-License-Identifier: MIT */
#include "serial.h"

#include "cpu.h"

#define COM1           0x3f8
#define DATA           0 /* with DLAB: divisor, low byte */
#define INTERRUPTS     1 /* with DLAB: divisor, high byte */
#define FIFO_CONTROL   2
#define LINE_CONTROL   3
#define MODEM_CONTROL  4
#define LINE_STATUS    5
#define SCRATCH        7
#define LINE_8N1       0x03
#define LINE_DLAB      0x80
#define STATUS_EMPTY   0x20
#define WAIT_LOOPS_MAX 1000000u

static bool present;

static bool answers(void)
{
	uint8_t kept = in8(COM1 + SCRATCH), first, second;

	if (in8(COM1 + LINE_STATUS) == 0xff)
		return false;
	out8(COM1 + SCRATCH, 0x5a);
	first = in8(COM1 + SCRATCH);
	out8(COM1 + SCRATCH, 0xa5);
	second = in8(COM1 + SCRATCH);
	out8(COM1 + SCRATCH, kept);
	return first == 0x5a && second == 0xa5;
}

bool serial_probe(void)
{
	present = answers();
	if (present && (in8(COM1 + LINE_CONTROL) & 0x3f) != LINE_8N1) {
		out8(COM1 + INTERRUPTS, 0);
		out8(COM1 + LINE_CONTROL, LINE_DLAB | LINE_8N1);
		out8(COM1 + DATA, 1);
		out8(COM1 + INTERRUPTS, 0);
		out8(COM1 + LINE_CONTROL, LINE_8N1);
		out8(COM1 + FIFO_CONTROL, 0x07);
		out8(COM1 + MODEM_CONTROL, 0x03);
	}
	return present;
}

bool serial_present(void)
{
	return present;
}

static void put(char c)
{
	unsigned int loops = WAIT_LOOPS_MAX;

	while (!(in8(COM1 + LINE_STATUS) & STATUS_EMPTY))
		if (--loops == 0) {
			present = false;
			return;
		}
	out8(COM1 + DATA, (uint8_t)c);
}

void serial_write(const char *text)
{
	for (; *text && present; text++) {
		if (*text == '\n')
			put('\r');
		put(*text);
	}
}
