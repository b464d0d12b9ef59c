/* SPDX-License-Identifier: MIT */
/*
 * The loader from its start to the jump, on the host's firmware (firmware.h), where one call of a service fails: for
 * each call of a start that goes well, in each of several ways; where a service fails for good; and on machines
 * that lack something. Each start is a process of its own.
 *
 * What must hold: it comes to the jump, and then all that it hands over is right, by its own page tables; or it
 * returns an error, has said why, and has given back all that it took; or, after a first ExitBootServices, it stops with its
 * last words. What the firmware refuses to take back counts as given back. ASan sees the rest.
 */
#include "../firmware/cpu.h"
#include "../firmware/cpu_state.h"
#include "../firmware/evidence.h"
#include "../firmware/jump.h"
#include "../firmware/last_words.h"
#include "../firmware/loader.h"
#include "../pure/check.h"
#include "../pure/seal.h"
#include "firmware.h"

#include <elf.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define KERNEL_SIZE 0x4000u
#define INITRD_SIZE 9001u
#define KERNEL_BASE UINT64_C(0xffffffff80000000)
#define OPTIONS     "one two=2"

enum outcome { BROKEN, BOOTED = 10, RETURNED = 11, STOPPED = 12 };

static uint8_t kernel[KERNEL_SIZE], initrd[INITRD_SIZE];
static const struct plan *plan;
static struct jump jump_made;
static struct facts *told; /* shared with the process of the start */

/* ---- In place of what is the machine's ---- */

uint64_t entry_tsc, entry_rsp, entry_rflags;
const char jump_page_middle[1];

uint64_t read_cr3(void)
{
	return 0;
}

uint64_t read_cr4(void)
{
	return 0x668;
}

uint64_t read_msr(uint32_t msr)
{
	return msr;
}

void out32(uint16_t port, uint32_t value)
{
	(void)port, (void)value;
}

uint32_t in32(uint16_t port)
{
	return port;
}

void out8(uint16_t port, uint8_t value)
{
	(void)port, (void)value;
}

uint8_t in8(uint16_t port)
{
	(void)port;
	return 0xff; /* no serial port */
}

void interrupts_off(void)
{
}

void cpu_state_read(struct handoff_cpu *state)
{
	*state = (struct handoff_cpu){.cr4 = read_cr4()};
}

unsigned int cpu_paging_features(void)
{
	return PAGING_NO_EXECUTE;
}

size_t cpu_memory_in_use(
	const struct memory_list *map, struct handoff_range ranges[PLACEMENT_AVOID_MAX])
{
	(void)map, (void)ranges;
	return 0;
}

/* No report is asked for. */
void evidence_at_entry(struct loader *l)
{
	(void)l;
}

void evidence_before_exit(struct loader *l)
{
	(void)l;
}

void evidence_release(struct loader *l)
{
	(void)l;
}

struct handoff_range evidence_claim(void)
{
	return (struct handoff_range){0};
}

bool evidence_make_stale(struct loader *l)
{
	(void)l;
	return false;
}

void evidence_note_exit(const struct handoff *h, uint64_t key, EFI_STATUS status,
	const uint64_t stamps[2], bool deliberate)
{
	(void)h, (void)key, (void)status, (void)stamps, (void)deliberate;
}

void evidence_after_exit(struct loader *l, uint64_t key)
{
	(void)l, (void)key;
}

/* ---- The ends of a start ---- */

static _Noreturn void end(enum outcome outcome)
{
	*told = facts;
	_exit(outcome);
}

_Noreturn void last_words(EFI_RUNTIME_SERVICES *runtime,
	const struct handoff_framebuffer *framebuffer, const char *what, const char *why)
{
	(void)runtime, (void)framebuffer;
	CHECK(facts.exit_called && *what && *why);
	end(STOPPED);
}

void jump_page_fill(uint64_t page, const struct jump *jump)
{
	memset((void *)(uintptr_t)page, 0xcc, MEMORY_PAGE);
	jump_made = *jump;
}

/* Where the kernel's tables lead; *entry is the last one read. */
static uint64_t walk(uint64_t virt, uint64_t *entry)
{
	uint64_t table = jump_made.cr3;

	for (int shift = 39;; shift -= 9) {
		*entry = ((const uint64_t *)(uintptr_t)table)[virt >> shift & 511];
		CHECK(*entry & 1);
		table = *entry & UINT64_C(0x000ffffffffff000);
		if (shift == 12 || *entry & 0x80)
			return (table & ~((UINT64_C(1) << shift) - 1)) |
			       (virt & ((UINT64_C(1) << shift) - 1));
	}
}

static void check_segment(const struct handoff *h, const Elf64_Phdr *p, uint64_t slide)
{
	uint64_t entry, phys = walk(p->p_vaddr + slide, &entry);

	CHECK_EQUAL(!(entry & 2), !(p->p_flags & PF_W));
	CHECK_EQUAL(!(entry >> 63), !!(p->p_flags & PF_X));
	CHECK(phys >= h->kernel.base && phys < h->kernel.base + h->kernel.size);
	CHECK(memcmp((void *)(uintptr_t)phys, kernel + p->p_offset, p->p_filesz) == 0);
	for (uint64_t i = p->p_filesz; i < p->p_memsz; i++)
		CHECK_EQUAL(((uint8_t *)(uintptr_t)phys)[i], 0);
}

static void check_memory(const struct handoff *h)
{
	const struct handoff_memory *list = (const void *)(uintptr_t)h->memory.base;
	size_t count = h->memory.size / sizeof(*list), kernels = 0;

	CHECK(count > 4);
	for (size_t i = 0; i < count; i++) {
		CHECK(list[i].size && list[i].base % MEMORY_PAGE == 0);
		CHECK(!i || list[i].base >= list[i - 1].base + list[i - 1].size);
		kernels += list[i].type == HANDOFF_MEMORY_KERNEL;
	}
	CHECK_EQUAL(kernels, 1);
}

_Noreturn void jump_enter(uint64_t middle_cr3, uint64_t jump_page)
{
	const Elf64_Ehdr *ehdr = (const Elf64_Ehdr *)kernel;
	const Elf64_Phdr *phdr = (const Elf64_Phdr *)(kernel + ehdr->e_phoff);
	struct complaint why;
	const struct handoff *h;
	uint64_t entry;

	CHECK(facts.gone && middle_cr3 && jump_page);
	h = (const struct handoff *)(uintptr_t)walk(jump_made.handoff, &entry);
	CHECK_EQUAL(handoff_verify(h, sizeof(*h), &why), VERDICT_OK);
	CHECK_EQUAL(jump_made.entry, ehdr->e_entry + h->kernel_slide);
	for (unsigned i = 0; i < 2; i++)
		check_segment(h, &phdr[i], h->kernel_slide);
	CHECK_EQUAL(jump_made.stack, h->stack_virt + h->stack.size);
	CHECK(walk(jump_made.stack - 8, &entry) >= h->stack.base && entry & 2 && entry >> 63);
	CHECK(walk(jump_page, &entry) == jump_page && !(entry & 2) && !(entry >> 63));
	CHECK(plan->fault != FAULT_NONE || h->exit_attempts == plan->stale + 1);
	check_memory(h);
	/* Where a file was said not to be there, another boot is right, too. */
	if (!facts.failed || strcmp(facts.failed, "Open") || plan->status != EFI_NOT_FOUND) {
		CHECK_TEXT((const char *)(uintptr_t)h->command_line.base, OPTIONS);
		CHECK_EQUAL(h->initrd.size, INITRD_SIZE);
		CHECK(memcmp((void *)(uintptr_t)h->initrd.base, initrd, INITRD_SIZE) == 0);
	}
	end(BOOTED);
}

/* It is as if it had never run. */
static void check_returned(EFI_STATUS status, uint32_t screen_before)
{
	CHECK(EFI_ERROR(status) && !facts.exit_called);
	CHECK(plan->no_console || strstr(facts.console, "error: ") ||
		!strcmp(plan->service ? plan->service : "", "OutputString"));
	CHECK_EQUAL(facts.files, 0);
	CHECK_EQUAL(facts.pools, 0);
	CHECK_EQUAL(facts.events, 0);
	CHECK_EQUAL(facts.pages, 0);
	CHECK_EQUAL(facts.watchdog, 0);
	CHECK(facts.screen_mode == screen_before ||
		(plan->service && !strcmp(plan->service, "SetMode")));
}

/* The seed file is the old one or a new one, whole. */
static void check_seed(void)
{
	size_t size, old = 0;
	const uint8_t *seed = volume_look("\\loader\\random-seed", &size);

	CHECK_EQUAL(size, 512);
	for (size_t i = 0; i < size; i++)
		old += seed[i] == 's';
	CHECK(old == 512 || old < 16);
}

EFI_STATUS EFIAPI loader_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system);

static _Noreturn void run(void)
{
	EFI_HANDLE image;
	EFI_SYSTEM_TABLE *system =
		firmware_start(plan, kernel, sizeof(kernel), initrd, sizeof(initrd), &image);
	uint32_t screen_before = facts.screen_mode;
	EFI_STATUS status = loader_main(image, system);

	facts.console[facts.console_length] = '\0';
	check_returned(status, screen_before);
	check_seed();
	end(RETURNED);
}

/* One start; BROKEN: what must hold does not. */
static enum outcome start(const struct plan *what)
{
	int status;
	pid_t child;

	plan = what;
	fflush(NULL);
	child = fork();
	CHECK(child >= 0);
	if (!child)
		run();
	CHECK(waitpid(child, &status, 0) == child);
	if (WIFEXITED(status) && WEXITSTATUS(status) >= BOOTED)
		return (enum outcome)WEXITSTATUS(status);
	fprintf(stderr, "that was: %s, call %u, fault %d, status %llx, menu %d, counted %d\n",
		what->service ? what->service : "any service", what->nth, what->fault,
		(unsigned long long)what->status, what->menu, what->counted);
	return BROKEN;
}

static unsigned starts, outcomes[STOPPED + 1];

static void try(const struct plan *what)
{
	enum outcome outcome = start(what);

	starts++;
	outcomes[outcome]++;
	CHECK(outcome != BROKEN);
}

/* One that must come to the jump. */
static void try_well(const struct plan *what)
{
	try(what);
	if (!told->gone)
		fprintf(stderr, "it returned, saying: %s", told->console);
	CHECK(told->gone);
}

/* ---- Which starts ---- */

static void make_files(void)
{
	Elf64_Ehdr ehdr = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
				   EV_CURRENT},
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_entry = KERNEL_BASE + 0x1010,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 2,
		.e_shoff = KERNEL_SIZE - 64,
		.e_shentsize = 64,
		.e_shnum = 1};
	Elf64_Phdr phdr[2] = {
		{PT_LOAD, PF_R | PF_X, 0x1000, KERNEL_BASE + 0x1000, 0, 0x800, 0x800, 0x1000},
		{PT_LOAD, PF_R | PF_W, 0x2000, KERNEL_BASE + 0x3000, 0, 0x1234, 0x3000, 0x1000}};

	for (unsigned i = 0; i < KERNEL_SIZE; i++)
		kernel[i] = (uint8_t)(i * 7 + i / 256);
	for (unsigned i = 0; i < INITRD_SIZE; i++)
		initrd[i] = (uint8_t)(i * 13 + i / 256);
	memcpy(kernel, &ehdr, sizeof(ehdr));
	memcpy(kernel + sizeof(ehdr), phdr, sizeof(phdr));
	memset(kernel + KERNEL_SIZE - 64, 0, 64);
}

static const EFI_STATUS statuses[] = {EFI_DEVICE_ERROR, EFI_OUT_OF_RESOURCES, EFI_NOT_FOUND};

/* Each call of a start that goes well, in each way; then each of its services for good, from its first call on, and
 * from its second. */
static void sweep(struct plan what, unsigned least)
{
	static struct facts well;
	unsigned i, k;

	try_well(&what);
	well = *told;
	CHECK(well.calls >= least);
	for (i = 0; i < well.calls; i++)
		for (k = 0; k < sizeof(statuses) / sizeof(statuses[0]); k++) {
			struct plan one = what;

			one.fault = FAULT_ONCE, one.nth = i + 1, one.status = statuses[k];
			try(&one);
			CHECK(told->failed);
		}
	for (i = 0; i < well.calls; i++) {
		struct plan one = what;

		for (k = 0; k < i && strcmp(well.names[k], well.names[i]); k++)
			;
		if (k < i)
			continue;
		one.service = well.names[i], one.fault = FAULT_FROM, one.status = EFI_DEVICE_ERROR;
		for (one.nth = 1; one.nth <= 2; one.nth++)
			try(&one);
	}
}

/* Reads that bring less than asked, nothing, or say that they brought more. */
static void reads(struct plan what)
{
	unsigned before[STOPPED + 1];

	what.service = "Read";
	for (what.fault = FAULT_SHORT; what.fault <= FAULT_LONG; what.fault++)
		for (what.nth = 1;; what.nth++) {
			memcpy(before, outcomes, sizeof(before));
			try(&what);
			if (!told->failed)
				break;
			/* What is short is read on; a file that ends too early stops the boot, but for the seed. */
			CHECK(what.nth < 50);
		}
}

/* ExitBootServices refuses the key up to seven times, and once more. */
static void stale_keys(void)
{
	for (unsigned i = 1; i <= 9; i++) {
		struct plan what = {.descriptor_size = 48, .stale = i};

		try(&what);
		CHECK_EQUAL(told->gone, i < 8);
	}
}

static void machines(void)
{
	static const unsigned sizes[] = {40, 48, 56, 64};

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (unsigned k = 0; k < 3; k++) {
			struct plan what = {.descriptor_size = sizes[i],
				.fragments = k * 2600,
				.no_console = k == 1,
				.no_screen = i == 1,
				.blt_only = i == 2,
				.small_screen = i == 3};

			try_well(&what);
		}
}

int main(void)
{
	const struct plan plain = {.descriptor_size = 48};
	const struct plan menu = {
		.descriptor_size = 40, .menu = true, .tpm = true, .small_screen = true};
	const struct plan counted = {.descriptor_size = 56,
		.menu = true,
		.counted = true,
		.panic_record = true,
		.fragments = 400};

	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(told != MAP_FAILED);
	make_files();
	machines();
	CHECK_EQUAL(outcomes[BOOTED], starts);
	stale_keys();
	CHECK_EQUAL(outcomes[STOPPED], 2);
	sweep(plain, 40);
	sweep(menu, 80);
	sweep(counted, 80);
	reads(plain);
	reads(counted);
	printf("%u starts: %u came to the jump, %u returned, %u stopped behind ExitBootServices\n",
		starts, outcomes[BOOTED], outcomes[RETURNED], outcomes[STOPPED]);
	CHECK(outcomes[RETURNED] > 100);
	return 0;
}
