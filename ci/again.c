/* SPDX-License-Identifier: MIT */
/*
 * again.efi: starts the loader on one bad input after the other in a single boot, and looks whether
 * each time the status is the right one and the firmware's memory is as it was before: as many free
 * pages, and the same memory map, descriptor by descriptor.
 *
 * What to try stands in \again\plan.txt, written with the bad files by again_files.py, a line a
 * case:
 *
 *	NAME | STATUS | LOAD OPTIONS [| leave=KIB] [| refuse=N] [| deny=N]
 *
 * STATUS is a number of UEFI 2.10 appendix D without its high bit. leave=KIB: all memory but so
 * much is taken away first. refuse=N: ExitBootServices is refused N times (then it is the real one,
 * and the machine is the kernel's: such a case is the last). deny=N: the first N allocations at a
 * given address are denied.
 *
 * Each case is run twice. A firmware keeps things from a first time (pool pages, file caches, code
 * loaded on demand), which is no leak of ours; so the first run warms up, and the second is
 * measured alone. What the first run cost is printed as a comment. A firmware that loses pages
 * whenever an image is loaded and unloaded, even if it never ran, is found out first (U-Boot
 * 2023.01 loses some): that many pages are taken off, and the maps are not compared, for they
 * cannot be equal.
 *
 * Output, on the first serial port: `ok N - NAME` or `not ok N - NAME: what: found, expected`, then
 * `1..N` and `done PASSED FAILED`; then the machine ends: by the value 0x10 (all well) or 0x20 at
 * port 0xf4 (QEMU's isa-debug-exit; U-Boot cannot shut down), or else by ResetSystem.
 */
#include "chain.h"

#include "firmware/console.h"
#include "firmware/cpu.h"
#include "firmware/files.h"
#include "firmware/serial.h"

#define LOADER_PATH "\\EFI\\BOOT\\BATON.EFI"
#define PLAN_PATH   "\\again\\plan.txt"
#define PLAN_MAX    (64u * 1024u)
#define MAP_MAX     (64u * 1024u)
#define TAKEN_MAX   512u
#define PAGE_KIB    4u
#define DEBUG_EXIT  0xf4

struct snapshot {
	UINTN size, descriptor_size;
	char data[MAP_MAX];
};

struct test_case {
	char name[80];
	char options[CHAIN_OPTIONS_MAX];
	uint32_t status, leave, refuse, deny;
	bool leaves;
};

struct taken {
	EFI_PHYSICAL_ADDRESS base;
	UINTN pages;
};

static EFI_HANDLE self;
static EFI_SYSTEM_TABLE *system_table;
static EFI_BOOT_SERVICES *boot;
static char plan[PLAN_MAX];
static struct snapshot before, after;
static struct taken taken[TAKEN_MAX];
static size_t taken_count;
static unsigned int number, failed;
static UINTN image_pages;   /* that the loader's image takes while it is loaded */
static uint64_t lost_pages; /* that the firmware loses each time it loads and unloads an image */

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system);

static void print(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void print(const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	text_format_v(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (serial_present())
		serial_write(text);
	else
		console_write(text);
}

static void result(const char *name, const char *what, uint64_t found, uint64_t expected)
{
	number++;
	if (found == expected) {
		print("ok %u - %s, %s\n", number, name, what);
		return;
	}
	failed++;
	print("not ok %u - %s, %s: found 0x%lx, expected 0x%lx\n", number, name, what, found,
		expected);
}

static bool take_snapshot(struct snapshot *s)
{
	UINTN key;
	UINT32 version;

	s->size = sizeof(s->data);
	return boot->GetMemoryMap(&s->size, (EFI_MEMORY_DESCRIPTOR *)s->data, &key,
		       &s->descriptor_size, &version) == EFI_SUCCESS;
}

static EFI_MEMORY_DESCRIPTOR *descriptor(struct snapshot *s, UINTN i)
{
	return (EFI_MEMORY_DESCRIPTOR *)(s->data + i * s->descriptor_size);
}

static UINTN descriptors(const struct snapshot *s)
{
	return s->size / s->descriptor_size;
}

static uint64_t free_pages(struct snapshot *s)
{
	uint64_t pages = 0;

	for (UINTN i = 0; i < descriptors(s); i++)
		if (descriptor(s, i)->Type == EfiConventionalMemory)
			pages += descriptor(s, i)->NumberOfPages;
	return pages;
}

/* Index of the first descriptor that differs, the number of descriptors when none does. */
static UINTN first_difference(struct snapshot *a, struct snapshot *b)
{
	UINTN n = descriptors(a) < descriptors(b) ? descriptors(a) : descriptors(b), i = 0;

	while (i < n && descriptor(a, i)->Type == descriptor(b, i)->Type &&
		descriptor(a, i)->PhysicalStart == descriptor(b, i)->PhysicalStart &&
		descriptor(a, i)->NumberOfPages == descriptor(b, i)->NumberOfPages &&
		descriptor(a, i)->Attribute == descriptor(b, i)->Attribute)
		i++;
	return i;
}

/* Takes all free memory but `leave` pages. */
static void take_away(uint64_t leave)
{
	uint64_t free;

	if (!take_snapshot(&before))
		return;
	free = free_pages(&before);
	for (UINTN i = 0; i < descriptors(&before) && taken_count < TAKEN_MAX; i++) {
		EFI_MEMORY_DESCRIPTOR *d = descriptor(&before, i);
		UINTN pages = d->NumberOfPages;
		EFI_PHYSICAL_ADDRESS base = d->PhysicalStart;

		/* Some firmware gives page 0 and does not take it back. */
		if (d->Type != EfiConventionalMemory || free <= leave || !base)
			continue;
		if (pages > free - leave)
			pages = free - leave;
		if (boot->AllocatePages(AllocateAddress, EfiLoaderData, pages, &base))
			continue;
		taken[taken_count++] = (struct taken){base, pages};
		free -= pages;
	}
}

static void give_back(void)
{
	while (taken_count) {
		struct taken *t = &taken[--taken_count];

		boot->FreePages(t->base, t->pages);
	}
}

static EFI_SET_WATCHDOG_TIMER real_watchdog;
static uint32_t watchdog_seconds;

static EFI_STATUS EFIAPI noting_watchdog(UINTN seconds, UINT64 code, UINTN size, CHAR16 *data)
{
	watchdog_seconds = (uint32_t)seconds;
	return real_watchdog(seconds, code, size, data);
}

static EFI_EXIT_BOOT_SERVICES real_exit;
static uint32_t refusals;

static EFI_STATUS EFIAPI refusing_exit(EFI_HANDLE image, UINTN key)
{
	if (!refusals) {
		print("fact watchdog_seconds %u\n", watchdog_seconds);
		return real_exit(image, key);
	}
	refusals--;
	return EFI_INVALID_PARAMETER;
}

static EFI_ALLOCATE_PAGES real_allocate;
static uint32_t denials;

static EFI_STATUS EFIAPI denying_allocate(
	EFI_ALLOCATE_TYPE type, EFI_MEMORY_TYPE memory, UINTN pages, EFI_PHYSICAL_ADDRESS *base)
{
	if (type != AllocateAddress || !denials)
		return real_allocate(type, memory, pages, base);
	denials--;
	return EFI_NOT_FOUND;
}

/* Puts our functions before the firmware's while one case runs. */
static void misbehave(const struct test_case *c)
{
	refusals = c->refuse;
	denials = c->deny;
	watchdog_seconds = 0;
	boot->SetWatchdogTimer = noting_watchdog;
	if (c->refuse)
		boot->ExitBootServices = refusing_exit;
	if (c->deny)
		boot->AllocatePages = denying_allocate;
}

static void behave(void)
{
	boot->SetWatchdogTimer = real_watchdog;
	boot->ExitBootServices = real_exit;
	boot->AllocatePages = real_allocate;
}

/* One start of the loader. The snapshots are taken around it, with memory taken away already. */
static EFI_STATUS run_once(const struct test_case *c, bool *compared)
{
	static struct chain_options room;
	EFI_HANDLE loaded;
	EFI_STATUS status;

	*compared = false;
	if (!c->leaves && !take_snapshot(&before))
		return EFI_ABORTED;
	status = chain_load(self, boot, LOADER_PATH, c->options, &room, &loaded);
	if (EFI_ERROR(status))
		return status;
	if (c->leaves) {
		take_away(c->leave / PAGE_KIB);
		if (!take_snapshot(&before))
			return EFI_ABORTED;
	}
	misbehave(c);
	status = boot->StartImage(loaded, NULL, NULL);
	behave();
	*compared = take_snapshot(&after);
	give_back();
	return status;
}

/* With memory taken away the first snapshot has the loader's image in it and the second has not. */
static void judge(const struct test_case *c, EFI_STATUS status, bool compared)
{
	uint64_t expected =
		c->leaves ? free_pages(&before) + image_pages : free_pages(&before) - lost_pages;

	result(c->name, "status", status & ~EFI_ERROR_MASK, c->status);
	result(c->name, "memory maps read", compared, true);
	if (!compared)
		return;
	result(c->name, "free pages", free_pages(&after), expected);
	if (c->leaves || lost_pages)
		return;
	result(c->name, "descriptors", descriptors(&after), descriptors(&before));
	result(c->name, "first descriptor that differs", first_difference(&before, &after),
		descriptors(&before));
}

/* Finds out image_pages and lost_pages; the first rounds warm the firmware up. */
static void measure_firmware(void)
{
	static struct chain_options room;
	EFI_HANDLE loaded;
	uint64_t first = 0, with = 0;

	for (int i = 0; i < 3; i++) {
		take_snapshot(&before);
		first = free_pages(&before);
		if (chain_load(self, boot, LOADER_PATH, "", &room, &loaded))
			return;
		take_snapshot(&before);
		with = free_pages(&before);
		boot->UnloadImage(loaded);
	}
	take_snapshot(&after);
	image_pages = free_pages(&after) - with;
	lost_pages = first - free_pages(&after);
	print("# an image takes %lu pages; loading and unloading it loses %lu\n", image_pages,
		lost_pages);
}

static void run_case(const struct test_case *c)
{
	EFI_STATUS status;
	bool compared;

	run_once(c, &compared);
	if (compared && !c->leaves)
		print("# %s: free pages before the first run %lu, after it %lu\n", c->name,
			free_pages(&before), free_pages(&after));
	status = run_once(c, &compared);
	judge(c, status, compared);
}

/* Copies the field that begins at `*at`, without blanks around it; moves behind its bar. */
static void field(const char **at, char *out, size_t size)
{
	const char *p = *at, *end, *next;

	while (*p == ' ')
		p++;
	for (end = p; *end && *end != '|' && *end != '\n'; end++)
		;
	next = *end == '|' ? end + 1 : end;
	while (end > p && (end[-1] == ' ' || end[-1] == '\r'))
		end--;
	*at = next;
	for (; p < end && size > 1; size--)
		*out++ = *p++;
	*out = '\0';
}

/* One line of the plan; false: it holds no case. */
static bool read_case(const char **at, struct test_case *c)
{
	char word[32];

	*c = (struct test_case){0};
	field(at, c->name, sizeof(c->name));
	field(at, word, sizeof(word));
	if (!text_number(word, NULL, 1000, &c->status))
		c->name[0] = '\0';
	field(at, c->options, sizeof(c->options));
	for (field(at, word, sizeof(word)); word[0]; field(at, word, sizeof(word))) {
		if (text_starts(word, "leave="))
			c->leaves = text_number(word + 6, NULL, UINT32_MAX - 1, &c->leave);
		else if (text_starts(word, "deny="))
			text_number(word + 5, NULL, 1000, &c->deny);
		else if (!text_starts(word, "refuse=") ||
			 !text_number(word + 7, NULL, 1000, &c->refuse))
			c->name[0] = '\0';
	}
	while (**at && **at != '\n')
		++*at;
	if (**at)
		++*at;
	return c->name[0] && c->name[0] != '#';
}

static EFI_STATUS read_plan(void)
{
	static struct loader volume;
	EFI_STATUS status;
	size_t size = 0;

	volume.image = self;
	volume.boot = boot;
	status = volume_open(&volume);
	if (EFI_ERROR(status))
		return status;
	status = file_read_text(&volume, PLAN_PATH, plan, sizeof(plan) - 1, &size);
	volume.volume->Close(volume.volume);
	plan[EFI_ERROR(status) ? 0 : size] = '\0';
	return status;
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system)
{
	static struct test_case c;
	const char *at = plan;
	EFI_STATUS status;

	self = image;
	system_table = system;
	boot = system->BootServices;
	real_exit = boot->ExitBootServices;
	real_watchdog = boot->SetWatchdogTimer;
	real_allocate = boot->AllocatePages;
	console_start(system);
	status = read_plan();
	if (EFI_ERROR(status))
		return fail(status, "again: %s cannot be read", PLAN_PATH);
	measure_firmware();
	while (*at)
		if (read_case(&at, &c))
			run_case(&c);
	result("again", "cases were found", number > 0, true);
	print("1..%u\ndone %u %u\n", number, number - failed, failed);
	out8(DEBUG_EXIT, failed ? 0x20 : 0x10);
	system_table->RuntimeServices->ResetSystem(EfiResetShutdown, EFI_SUCCESS, 0, NULL);
	return EFI_ABORTED;
}
