/* SPDX-License-Identifier: MIT */
/*
 * The control: crimes that succeed, since root commits them or nothing forbids them. Each must be found
 * out, by the check it is named after; a report card that holds them is worth nothing. Run when named only.
 */
#include "attacks/attack.h"

#include <sys/uio.h>

/* Its own memory may be read: the expected fault does not come. */
static void goes_through(long unused)
{
	(void)unused;
	aim((uintptr_t)shared);
	(void)*(volatile char *)shared;
}

static void other_fault(long unused)
{
	(void)unused;
	aim(8);
	__asm__ volatile("ud2");
}

static void other_address(long address)
{
	aim(8);
	(void)*(volatile char *)address;
}

static void keeps_pages(long unused)
{
	char name[] = "/dev/shm/attacks-XXXXXX", full[PAGE] = {1};
	int fd = mkstemp(name);

	(void)unused;
	WANT(fd >= 0);
	for (int i = 0; i < 8; i++)
		WANT_IS(write(fd, full, sizeof full), (long)sizeof full);
}

static void changes_victim(long unused)
{
	uint64_t word = ~shared->secret[0];
	struct iovec mine = {&word, sizeof word}, theirs = {(void *)VICTIM_SECRET, sizeof word};

	(void)unused;
	WANT_IS(process_vm_writev(shared->victim, &mine, 1, &theirs, 1, 0), (long)sizeof word);
}

static void signals_victim(long signal)
{
	WANT_IS(kill(shared->victim, (int)signal), 0);
}

static const struct attack attacks[] = {
	{"through", "reads its own memory and expects a fault", "nothing forbids it", {UNMAPPED},
		goes_through},
	{"other-signal", "expects a page fault, and executes what is no opcode",
		"the signal differs", {UNMAPPED}, other_fault},
	{"other-address", "expects a fault at another address", "the address differs", {UNMAPPED},
		other_address, 16},
	{"pages", "leaves a file of eight pages behind", "they are not free any more", {CALM},
		keeps_pages},
	{"victim-memory", "writes into the victim's secret", "root may", {CALM}, changes_victim, 0,
		AS_ROOT},
	{"victim-stopped", "stops the victim", "root may", {CALM}, signals_victim, SIGSTOP,
		AS_ROOT},
	{"victim-killed", "kills the victim", "root may", {CALM}, signals_victim, SIGKILL, AS_ROOT},
};
FAMILY(control, "control: none of it is to be held", attacks);
