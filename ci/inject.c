/* SPDX-License-Identifier: MIT */
/*
 * inject.efi: starts the loader many times in one boot, each time with one fault of the firmware, and looks whether it boots or gives
 * everything back.
 *
 * The loader gets copies of the system table and of both tables of services, and its own stand-ins for files, console, screen, random
 * numbers and TPM. What it calls is counted by service; in each start one call of one service fails. When the loader comes
 * to ExitBootServices with the right key it would boot: it is taken back from there, and what it held by right is freed.
 *
 * What to try stands in \inject\plan.txt, a line a path:
 *
 *	NAME | LOAD OPTIONS | WORDS
 *
 * Word `sweep`: each service that is called on this path is struck at its first call, at its second, and so on until a start
 * does not come to the nth call; once so that only the nth fails, once so that all from the nth on do; reads also give no bytes,
 * and half of them; `sweep-memory`: the services of pages and of the map alone; `thin`: from the 4th
 * on each nth is half as much again as the one before. Without it there is one start, which must boot; `returns=N`: it must return that status; `resets`: it
 * must reset the machine. The other words: keys, tpm (services of this start); stale=N, stride=BYTES, most=BYTES, fragments=N,
 * no-output, no-input, no-screen, blt-only, grows, own-stale, enforced; `last`: it leaves for good, with the firmware's own system table.
 *
 * After each start that is not the last:
 * - no page, pool buffer, event or file is held that was not before; where it would boot, the pages are the kernel's;
 * - memory map (descriptor by descriptor), handles, control registers, interrupts, task priority, screen mode are as before. A firmware
 *   may keep things from a first time: where the map differs the same start is made again, and must change nothing then;
 * - where it returned, the status is that of the fault, the console shows an error, and the watchdog is off.
 *
 * Output on the first serial port: `# PATH: SERVICE N MODE` before each start, `not ok ...` for what is wrong, `fact PATH SERVICE
 * CALLS STARTS RETURNED BOOTED`, `ok PATH ...`, `done STARTS WRONG`.
 */
#include "inject.h"

#include "firmware/console.h"
#include "firmware/cpu.h"
#include "firmware/files.h"

#define PLAN_PATH   "\\inject\\plan.txt"
#define PLAN_MAX    4096u
#define STARTS_MOST 400u
#define THIN_FROM   4u
#define DEBUG_EXIT  0xf4
#define PAGE        UINT64_C(4096)

static char plan[PLAN_MAX];

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system);

/* ---- A path ---- */

/* The service struck at its first call, its second, and so on, until a start does not come so far. */
static void sweep_service(
	const struct path *path, enum service service, enum mode mode, uint32_t calls)
{
	uint32_t counts[HUNG + 1] = {0}, nth = 1, made = 0;

	for (; made < STARTS_MOST && try(path, service, mode, nth); made++) {
		counts[trial.outcome]++;
		nth += path->thin && nth >= THIN_FROM ? nth / 2 : 1;
	}
	print("fact %s %s %s %u %u %u %u\n", path->name, service_names[service], mode_names[mode],
		calls, made, counts[RETURNED], counts[BOOTED]);
	if (nth <= calls)
		complain(path, "and the calls before were more");
}

static void sweep(const struct path *path)
{
	uint32_t calls[SERVICES];

	__builtin_memcpy(calls, trial.calls, sizeof(calls));
	for (unsigned int i = 0; i < SERVICES; i++) {
		if (!calls[i] || (path->sweep_memory && i > SERVICE_GetMemoryMap))
			continue;
		sweep_service(path, i, MODE_ONCE, calls[i]);
		sweep_service(path, i, MODE_FROM, calls[i]);
	}
	if (!calls[SERVICE_Read] || path->sweep_memory)
		return;
	sweep_service(path, SERVICE_Read, MODE_EMPTY, calls[SERVICE_Read]);
	sweep_service(path, SERVICE_Read, MODE_HALF, calls[SERVICE_Read]);
}

/* Every second page of one block is given back: so many more descriptors. */
static EFI_PHYSICAL_ADDRESS fragment(uint32_t count)
{
	EFI_PHYSICAL_ADDRESS base = 0;

	if (real.AllocatePages(AllocateAnyPages, EfiBootServicesData, count, &base))
		return 0;
	for (uint32_t i = 1; i < count; i += 2)
		real.FreePages(base + i * PAGE, 1);
	return base;
}

static void defragment(EFI_PHYSICAL_ADDRESS base, uint32_t count)
{
	for (uint32_t i = 0; i < count; i += 2)
		real.FreePages(base + i * PAGE, 1);
}

static void enforce(void)
{
	uint32_t claims = 0, hold = 0;
	EFI_STATUS status = pages_enforce(self);

	if (EFI_ERROR(status)) {
		print("not ok pages cannot be enforced: %s\n", status_name(status));
		return;
	}
	enforced = true;
	if (load_loader("")) {
		hold = pages_probe(loaded, &claims);
		forget_loader();
	}
	print("%sok %u of %u claims about pages hold\n", hold && hold == claims ? "" : "not ", hold,
		claims);
}

static void try_path(const struct path *path)
{
	unsigned int had = wrong, had_starts = starts;
	EFI_PHYSICAL_ADDRESS fragments;

	if (path->form.enforced && !enforced)
		enforce();
	fragments = path->fragments ? fragment(path->fragments) : 0;
	try(path, 0, MODE_NONE, 0);
	print("# %s: %zu descriptors\n", path->name, descriptors_before());
	if (path->sweep || path->sweep_memory)
		sweep(path);
	if (fragments)
		defragment(fragments, path->fragments);
	print("%sok %s %u\n", wrong == had ? "" : "not ", path->name, starts - had_starts);
}

/* ---- The plan ---- */

/* Copies up to a bar, a blank (if `word`) or the line's end, without blanks around it. */
static void field(const char **at, char *out, size_t size, bool word)
{
	char *begin = out;

	while (**at == ' ')
		++*at;
	for (; **at && **at != '|' && **at != '\n' && !(word && **at == ' '); ++*at)
		if (size > 1) {
			*out++ = **at;
			size--;
		}
	while (out > begin && out[-1] == ' ')
		out--;
	*out = '\0';
	if (!word && **at == '|')
		++*at;
}

static bool read_flag(struct path *path, const char *word)
{
	const struct {
		const char *name;
		bool *flag;
	} flags[] = {{"sweep", &path->sweep}, {"sweep-memory", &path->sweep_memory},
		{"keys", &path->form.keys}, {"tpm", &path->form.tpm},
		{"no-output", &path->form.no_output}, {"no-input", &path->form.no_input},
		{"no-screen", &path->form.no_screen}, {"grows", &path->form.grows},
		{"own-stale", &path->form.own_stale}, {"thin", &path->thin},
		{"blt-only", &path->form.blt_only}, {"enforced", &path->form.enforced},
		{"last", &path->form.last}};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (text_equal(word, flags[i].name))
			return *flags[i].flag = true;
	return false;
}

static void read_word(struct path *path, const char *word)
{
	uint32_t status = 0;
	const struct {
		const char *name;
		uint32_t *value;
	} values[] = {{"stale=", &path->form.stale}, {"stride=", &path->form.stride},
		{"most=", &path->form.most}, {"fragments=", &path->fragments},
		{"returns=", &status}};

	if (read_flag(path, word))
		return;
	if (text_equal(word, "resets")) {
		path->expected = RESET;
		return;
	}
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (text_starts(word, values[i].name) &&
			text_number(word + text_length(values[i].name), NULL, 1u << 20,
				values[i].value)) {
			path->status = EFIERR(status);
			path->expected = status ? RETURNED : path->expected;
			return;
		}
	print("not ok %s: the plan's word %s is not known\n", path->name, word);
}

static bool read_path(const char **at, struct path *path)
{
	char word[32];

	*path = (struct path){.expected = BOOTED};
	field(at, path->name, sizeof(path->name), false);
	field(at, path->options, sizeof(path->options), false);
	for (field(at, word, sizeof(word), true); word[0]; field(at, word, sizeof(word), true))
		read_word(path, word);
	while (**at && **at != '\n')
		++*at;
	*at += **at == '\n';
	return path->name[0];
}

static EFI_STATUS read_plan(void)
{
	static struct loader volume;
	EFI_STATUS status;
	size_t size = 0;

	volume.image = self;
	volume.boot = &real;
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
	static struct path path;
	const char *at = plan;
	EFI_STATUS status;

	self = image;
	firmware = system;
	real = *system->BootServices;
	console_start(system);
	status = read_plan();
	if (EFI_ERROR(status))
		return fail(status, "inject: %s cannot be read", PLAN_PATH);
	while (*at)
		if (read_path(&at, &path))
			try_path(&path);
	print("done %u %u\n", starts, wrong);
	out8(DEBUG_EXIT, wrong ? 0x20 : 0x10);
	system->RuntimeServices->ResetSystem(EfiResetShutdown, EFI_SUCCESS, 0, NULL);
	return EFI_ABORTED;
}
