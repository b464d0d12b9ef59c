/* SPDX-License-Identifier: MIT */
/*
 * The one table of the command line's options. struct cmdline, the parser and docs/cmdline.md (make
 * it anew with `build/kernel/lib/cmdline-doc > docs/cmdline.md`) are made from it. Included by
 * cmdline.h alone.
 *
 *	FLAG(name, help)                       there or not                  bool name
 *	INT(name, default, least, most, help)  a number, decimal or 0x       int64_t name
 *	STRING(name, default, help)            text; NULL: none              const char *name
 *	SYNONYM(name, of, help)                another name of a STRING
 *	CHOICE(name, default, set, help)       a word of a set               enum option_choice name
 *	LIST(name, help)                       may come more than once       const char *name[]
 *
 * Adding an option: one line here, in the order of the alphabet.
 */
#ifndef LIB_OPTIONS_H
#define LIB_OPTIONS_H

#define OPTIONS(FLAG, INT, STRING, SYNONYM, CHOICE, LIST)                                          \
	INT(audit, 0, 0, 0x7fffffff,                                                               \
		"debug builds: the kernel looks over its own books (docs/fuzzing.md) every so "    \
		"many timer interrupts; 0: only when asked")                                       \
	STRING(config, NULL, "read by the loader, from its load options: another loader.conf")     \
	LIST(console,                                                                              \
		"a console to use: ttyS0 to ttyS3, with speed, parity and bits after a comma "     \
		"(ttyS0,9600n8), or tty0 (the screen). Without it: ttyS0 and tty0")                \
	STRING(crash, NULL,                                                                        \
		"for tests: the kernel commits a crime before process 1 starts: assert, null, "    \
		"text, data, stack, smash, opcode, user, jump, overflow, deadlock, relock, "       \
		"freed, past, "                                                                    \
		"copied, page; in debug builds those of kernel/crash_audit.c")                     \
	STRING(entry, NULL, "read by the loader, from its load options: the entry to boot")        \
	STRING(font, NULL,                                                                         \
		"the screen's: small (8x16) or large (16x32); without it large from a width of "   \
		"2,560 pixels on")                                                                 \
	STRING(firmware, NULL,                                                                     \
		"read by the loader; report: it collects evidence of the firmware, as the "        \
		"firmware report wants it; report,dangerous: what may harm a board too")           \
	FLAG(halt, "halt instead of powering off when process 1 has ended")                        \
	INT(hz, 100, 1, 10000, "timer ticks a second, at which processes take turns")              \
	INT(handoff_mutant, 0, 0, 0xffffffff,                                                      \
		"debug builds, read by the loader: spoil the hand-off by this seed; 0: do not")    \
	STRING(init, "/init", "the program that becomes process 1")                                \
	STRING(initrd, NULL, "read by the loader: archives beside those of the entry")             \
	STRING(kernel, NULL, "read by the loader: another kernel than the entry's")                \
	STRING(keymap, NULL,                                                                       \
		"the keyboard's layout: us (as without it), gb, de, fr, es, it, pt, br, be, ch, "  \
		"dk, fi, no, se or pl")                                                            \
	INT(lock_limit_us, 0, 0, 1000000,                                                          \
		"debug builds: a spin lock held, or interrupts off, for longer is a panic; 0: no " \
		"limit")                                                                           \
	INT(loglevel, 7, 0, 8,                                                                     \
		"log lines of a lower level go to the consoles: error 3, "                         \
		"warning 4, info 6, debug 7; errors always do")                                    \
	INT(maxcpus, 0, 0, 4096, "use at most that many CPUs; 0: all")                             \
	FLAG(nokaslr, "read by the loader: no random addresses for the kernel")                    \
	FLAG(nosmp, "use one CPU, as maxcpus=1")                                                   \
	FLAG(notsc, "the clock by the HPET or the ACPI PM timer, though the CPUs' TSCs agree")     \
	INT(panic, 0, 0, 86400, "seconds from a panic to the reset; 0: stay there")                \
	CHOICE(pcid, OPTION_OFF, ON_OFF, "keep TLB entries over address-space switches")           \
	STRING(poweroff, NULL,                                                                     \
		"acpi: power off and reset by ACPI, without asking UEFI's ResetSystem first; "     \
		"firmware: by ResetSystem in ring 0")                                              \
	CHOICE(pti, OPTION_AUTO, ON_OFF_AUTO,                                                      \
		"page-table isolation: nothing of the kernel is mapped while a process runs")      \
	FLAG(quiet, "as loglevel=4")                                                               \
	SYNONYM(rdinit, init, "as init=, as on Linux")                                             \
	FLAG(ro, "as root=")                                                                       \
	STRING(root, NULL,                                                                         \
		"taken and left alone, as some firmware passes it: the initrd is the root")        \
	FLAG(rootwait, "as root=")                                                                 \
	FLAG(rtcefi, "the date by UEFI's GetTime, as where there is no CMOS clock")                \
	STRING(runtime, NULL,                                                                      \
		"how UEFI's runtime services are called: strict (as without it), survey or "       \
		"trust (docs/firmware-services.md)")                                               \
	FLAG(rw, "as root=")                                                                       \
	CHOICE(tscdeadline, OPTION_OFF, ON_OFF, "use the APIC timer's TSC-deadline mode")          \
	STRING(video, NULL, "read by the loader: the video mode, as 1280x800")                     \
	FLAG(window,                                                                               \
		"the other end of the second serial port tells how large the terminal at the "     \
		"first one is: tools/baton run in a terminal")

#endif
