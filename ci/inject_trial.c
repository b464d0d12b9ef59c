/* SPDX-License-Identifier: MIT */
/* One start of the loader with one fault: the firmware before it and after it, and what the loader held in between. */
#include "inject.h"

#include "firmware/console.h"
#include "firmware/cpu.h"
#include "firmware/serial.h"

#define MAP_MOST     (1u << 20)
#define HANDLES_MOST 1024u
#define HELD_MOST    256u
#define BUDGET       200000u /* calls of a start: more is a hang */
#define STATES       8u
#define STATE_MODE   6u
#define REPEATS      3u
#define EXIT_TRIES   8u

/* The firmware as it is at one moment. */
struct snapshot {
	UINTN size, descriptor_size, handle_count;
	uint64_t state[STATES];
	EFI_HANDLE handles[HANDLES_MOST];
	char map[MAP_MOST];
};

struct trial trial;
EFI_SYSTEM_TABLE *firmware, shown;
EFI_BOOT_SERVICES real, shown_boot;
EFI_HANDLE self, loaded;
unsigned int starts, wrong;
bool enforced;

static struct snapshot before, after;
static void *way_back[5];
static struct {
	enum kind kind;
	uint64_t what, size;
} holds[HELD_MOST];
static size_t hold_count;

const char *const service_names[] = {
#define SERVICE_NAME(name, status, end) #name,
	INJECT_SERVICES(SERVICE_NAME)};
const char *const mode_names[] = {"none", "once", "from", "empty", "half"};
static const char *const outcomes[] = {"returned", "boots", "resets", "hangs"};
static const char *const kinds[] = {"pages", "pool buffers", "events", "files"};

void print(const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	text_format_v(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (text_starts(text, "not ok"))
		wrong++;
	serial_write(text);
}

/* ---- What the stand-ins need ---- */

bool strikes(enum service service)
{
	uint32_t n = ++trial.calls[service];
	bool struck = trial.mode != MODE_NONE && service == trial.service &&
		      (trial.mode == MODE_FROM ? n >= trial.nth : n == trial.nth);

	if (!trial.last && ++trial.budget > BUDGET)
		end_trial(HUNG);
	trial.struck |= struck;
	return struck;
}

EFI_STATUS struck_status(enum service service)
{
#define SERVICE_STATUS(name, status, end) status,
	static const EFI_STATUS statuses[] = {INJECT_SERVICES(SERVICE_STATUS)};

	return statuses[service];
}

_Noreturn void end_trial(enum outcome outcome)
{
	trial.outcome = outcome;
	__builtin_longjmp(way_back, 1);
}

void hold(enum kind kind, uint64_t what, uint64_t size)
{
	if (trial.last)
		return;
	if (hold_count == HELD_MOST) {
		print("not ok the loader holds more than %u things\n", HELD_MOST);
		return;
	}
	holds[hold_count].kind = kind;
	holds[hold_count].what = what;
	holds[hold_count++].size = size;
}

uint64_t let_go(enum kind kind, uint64_t what)
{
	for (size_t i = 0; i < hold_count; i++)
		if (holds[i].kind == kind && holds[i].what == what) {
			uint64_t size = holds[i].size;

			holds[i] = holds[--hold_count];
			return size;
		}
	print("not ok %s at 0x%lx are released, and were not the loader's\n", kinds[kind], what);
	return 0;
}

uint32_t held(enum kind kind)
{
	uint32_t count = 0;

	for (size_t i = 0; i < hold_count; i++)
		count += holds[i].kind == kind;
	return count;
}

static EFI_GRAPHICS_OUTPUT_PROTOCOL *screen(void)
{
	static EFI_GUID guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
	EFI_GRAPHICS_OUTPUT_PROTOCOL *gop;

	if (!real.HandleProtocol(firmware->ConsoleOutHandle, &guid, (void **)&gop))
		return gop;
	return real.LocateProtocol(&guid, NULL, (void **)&gop) ? NULL : gop;
}

/* Where it would boot, what it holds is the kernel's by right, and so is the screen. */
static void release_all(void)
{
	if (trial.outcome != RETURNED && screen() &&
		screen()->Mode->Mode != before.state[STATE_MODE])
		screen()->SetMode(screen(), (UINT32)before.state[STATE_MODE]);
	while (hold_count) {
		uint64_t what = holds[--hold_count].what;

		switch (holds[hold_count].kind) {
		case PAGES:
			real.FreePages(what, holds[hold_count].size);
			break;
		case POOL:
			real.FreePool((void *)what);
			break;
		case EVENT:
			real.CloseEvent((EFI_EVENT)what);
			break;
		default:
			close_really((EFI_FILE *)what);
		}
	}
}

/* ---- The firmware's state ---- */

static void take_state(uint64_t *state)
{
	EFI_TPL level = real.RaiseTPL(TPL_HIGH_LEVEL);
	uint64_t flags;

	real.RestoreTPL(level);
	__asm__ volatile("pushfq; popq %0" : "=r"(flags));
	state[0] = level;
	state[1] = flags & 0x600; /* interrupts, direction */
	state[2] = read_cr3();
	state[3] = read_cr4();
	state[4] = read_msr(0xc0000080);
	__asm__ volatile("mov %%cr0, %0" : "=r"(state[5]));
	state[STATE_MODE] = screen() ? screen()->Mode->Mode : 0;
	state[7] = firmware->NumberOfTableEntries;
}

static bool take_snapshot(struct snapshot *s)
{
	UINTN key, size = sizeof(s->handles);
	UINT32 version;

	take_state(s->state);
	if (real.LocateHandle(AllHandles, NULL, NULL, &size, s->handles))
		return false;
	s->handle_count = size / sizeof(EFI_HANDLE);
	s->size = sizeof(s->map);
	return !real.GetMemoryMap(
		&s->size, (EFI_MEMORY_DESCRIPTOR *)s->map, &key, &s->descriptor_size, &version);
}

static uint64_t free_pages(const struct snapshot *s)
{
	uint64_t pages = 0;

	for (UINTN at = 0; at < s->size; at += s->descriptor_size) {
		const EFI_MEMORY_DESCRIPTOR *d = (const EFI_MEMORY_DESCRIPTOR *)(s->map + at);

		pages += d->Type == EfiConventionalMemory ? d->NumberOfPages : 0;
	}
	return pages;
}

/* What differs, but for the map; NULL: nothing. */
static const char *state_difference(void)
{
	static char text[96];

	for (unsigned int i = 0; i < STATES; i++)
		if (before.state[i] != after.state[i]) {
			text_format(text, sizeof(text), "state %u is 0x%lx, was 0x%lx", i,
				after.state[i], before.state[i]);
			return text;
		}
	if (before.handle_count != after.handle_count ||
		__builtin_memcmp(before.handles, after.handles,
			before.handle_count * sizeof(EFI_HANDLE)) != 0)
		return "the handles are others";
	return NULL;
}

static const char *map_difference(void)
{
	static char text[96];

	if (before.size == after.size && !__builtin_memcmp(before.map, after.map, before.size))
		return NULL;
	text_format(text, sizeof(text),
		"the memory map: %lu descriptors, were %lu; %lu free pages, were %lu",
		after.size / after.descriptor_size, before.size / before.descriptor_size,
		free_pages(&after), free_pages(&before));
	return text;
}

size_t descriptors_before(void)
{
	return before.size / before.descriptor_size;
}

/* ---- One start ---- */

static void __attribute__((noinline)) enter(uint64_t entry)
{
	EFI_STATUS(EFIAPI * start)(EFI_HANDLE, EFI_SYSTEM_TABLE *) = (void *)entry;

	if (__builtin_setjmp(way_back))
		return;
	trial.status = start(loaded, trial.last ? firmware : &shown);
	trial.outcome = RETURNED;
}

static uint64_t entry_of_loader(void)
{
	static EFI_GUID guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
	EFI_LOADED_IMAGE *image;
	uint32_t header, entry;

	if (real.HandleProtocol(loaded, &guid, (void **)&image))
		return 0;
	__builtin_memcpy(&header, (char *)image->ImageBase + 0x3c, sizeof(header));
	__builtin_memcpy(&entry, (char *)image->ImageBase + header + 40, sizeof(entry));
	return (uint64_t)image->ImageBase + entry;
}

bool load_loader(const char *options)
{
	static struct chain_options room;

	return !chain_load(self, &real, CHAIN_LOADER, options, &room, &loaded) &&
	       !(enforced && pages_enforce_image(loaded));
}

static bool start_loader(const struct path *path)
{
	if (!take_snapshot(&before) || !load_loader(path->options))
		return false;
	services_show();
	if (trial.last)
		services_for_good();
	enter(entry_of_loader());
	starts++;
	return true;
}

void forget_loader(void)
{
	if (enforced)
		pages_forget_image(loaded);
	real.UnloadImage(loaded);
}

void complain(const struct path *path, const char *what)
{
	print("not ok %s: %s %u %s %s: %s\n", path->name, service_names[trial.service], trial.nth,
		mode_names[trial.mode], outcomes[trial.outcome], what);
}

/* The status that a struck call must lead to where the loader returns. */
static EFI_STATUS expected_status(const struct path *path)
{
	if (trial.mode == MODE_NONE)
		return path->status;
	if (trial.at_end)
		return EFI_NOT_FOUND;
	return trial.mode == MODE_EMPTY ? EFI_LOAD_ERROR : struck_status(trial.service);
}

static void judge_return(const struct path *path)
{
	EFI_STATUS expected = expected_status(path);
	char text[96];

	if (trial.status != expected) {
		text_format(text, sizeof(text), "by %s, expected %s", status_name(trial.status),
			status_name(expected));
		complain(path, text);
	}
	if (!trial.told && !trial.no_output)
		complain(path, "without an error on the console");
	if (trial.watchdog)
		complain(path, "and the watchdog is armed");
}

static void judge_boot(const struct path *path)
{
	if (trial.watchdog == 0 && trial.service != SERVICE_SetWatchdogTimer)
		complain(path, "and the watchdog is not armed");
	if (trial.stale_key && !trial.own_stale)
		complain(path, "after a key that was not the last map's");
	if (trial.exits != trial.stale_made + trial.stale_key + 1)
		complain(path, "after more tries than keys were made stale");
}

static void judge(const struct path *path)
{
#define SERVICE_END(name, status, end) SERVICE_##end,
	enum { SERVICE_BOOTS, SERVICE_EITHER };
	static const bool either[] = {INJECT_SERVICES(SERVICE_END)};
	uint32_t allowed[KINDS] = {0};
	char text[64];

	if (trial.outcome == BOOTED || trial.outcome == RESET) {
		allowed[PAGES] = UINT32_MAX;
		allowed[FILE_HANDLE] = 1; /* the volume */
	}
	for (unsigned int i = 0; i < KINDS; i++)
		if (held(i) > allowed[i]) {
			text_format(text, sizeof(text), "with %u %s", held(i), kinds[i]);
			complain(path, text);
		}
	if (trial.outcome == RETURNED)
		judge_return(path);
	if (trial.outcome == BOOTED)
		judge_boot(path);
	if (trial.outcome == RESET && trial.exits != EXIT_TRIES)
		complain(path, "after another number of tries");
	if (trial.mode == MODE_NONE ? trial.outcome != path->expected
				    : trial.outcome > BOOTED ||
					      (trial.outcome == RETURNED && !either[trial.service]))
		complain(path, "which it must not");
}

bool try(const struct path *path, enum service service, enum mode mode, uint32_t nth)
{
	const char *differs = NULL;

	for (unsigned int i = 0; i < REPEATS; i++) {
		trial = path->form;
		trial.service = service;
		trial.mode = mode;
		trial.nth = nth;
		print("# %s: %s %u %s\n", path->name, service_names[service], nth,
			mode_names[mode]);
		if (!start_loader(path)) {
			complain(path, "the loader cannot be started");
			return false;
		}
		judge(path);
		if (trial.outcome != RETURNED)
			release_all();
		forget_loader();
		take_snapshot(&after);
		release_all();
		differs = state_difference();
		if (differs)
			complain(path, differs);
		differs = map_difference();
		if (!differs)
			return trial.struck;
		print("# again: %s\n", differs);
	}
	complain(path, differs);
	return trial.struck;
}
