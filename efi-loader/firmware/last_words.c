/* SPDX-License-Identifier: MIT */
#include "last_words.h"

#include "../pure/screen_text.h"
#include "cpu.h"
#include "serial.h"

#define SECONDS        10u
#define PIT_CHANNEL_2  0x42
#define PIT_COMMAND    0x43
#define PORT_B         0x61
#define PIT_TICKS_50MS 59659u
/* Fewer TSC ticks than this in 50 ms: there is no PIT, and no CPU that slow either. */
#define TSC_50MS_LEAST UINT64_C(1000000)
#define TSC_SECOND     UINT64_C(3000000000) /* a guess, for machines without a PIT */

/* One run of the old timer's second channel, which no firmware needs any more; the loop is bounded
 * by the TSC. False: the timer does not run. */
static bool wait_50ms(void)
{
	uint64_t start = read_tsc();

	out8(PORT_B, (uint8_t)((in8(PORT_B) & ~2) | 1));
	out8(PIT_COMMAND, 0xb0);
	out8(PIT_CHANNEL_2, PIT_TICKS_50MS & 0xff);
	out8(PIT_CHANNEL_2, PIT_TICKS_50MS >> 8);
	while (!(in8(PORT_B) & 0x20))
		if (read_tsc() - start > TSC_SECOND)
			return false;
	return read_tsc() - start >= TSC_50MS_LEAST;
}

static void wait_before_reset(void)
{
	uint64_t start;
	unsigned int rounds = 0;

	while (rounds < SECONDS * 20 && wait_50ms())
		rounds++;
	if (rounds == SECONDS * 20)
		return;
	start = read_tsc();
	while (read_tsc() - start < SECONDS * TSC_SECOND)
		__asm__ volatile("pause");
}

_Noreturn static void reset(EFI_RUNTIME_SERVICES *runtime)
{
	struct __attribute__((packed)) {
		uint16_t limit;
		uint64_t base;
	} nothing = {0, 0};

	runtime->ResetSystem(EfiResetCold, EFI_LOAD_ERROR, 0, NULL);
	out8(0xcf9, 0x06); /* the chipset's reset register */
	out8(0x64, 0xfe);  /* the keyboard controller's reset line */
	for (;;)
		__asm__ volatile("lidt %0; int3" : : "m"(nothing)); /* a triple fault */
}

_Noreturn void last_words(EFI_RUNTIME_SERVICES *runtime,
	const struct handoff_framebuffer *framebuffer, const char *what, const char *why)
{
	struct screen_text screen;

	__asm__ volatile("cli");
	serial_write("\nloader: fatal: ");
	serial_write(what);
	serial_write(" ");
	serial_write(why);
	serial_write("\n");
	screen_text_begin(&screen, framebuffer, (void *)framebuffer->base);
	screen_text_write(&screen, "BATON LOADER: FATAL: ");
	screen_text_write(&screen, what);
	screen_text_write(&screen, "\n");
	screen_text_write(&screen, why);
	screen_text_write(&screen, "\nTHE MACHINE RESETS IN 10 SECONDS\n");
	serial_write("loader: the machine resets in 10 seconds\n");
	wait_before_reset();
	reset(runtime);
}
