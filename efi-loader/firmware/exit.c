/* SPDX-License-Identifier: MIT */
/*
 * The end of boot services, and the jump. From the first ExitBootServices call on nothing can be
 * allocated, printed or returned to: this file has no console and no allocator in scope, only the
 * pure functions, memory taken before, and last_words().
 *
 * A try is: GetMemoryMap into the hand-off; sort it; build the page tables from it; claim in it
 * what was loaded; ExitBootServices. So all that can be refused is refused before the call, and
 * what is mapped is what the last map says. The map may change between the calls (a timer's event):
 * then the firmware refuses the key, and all is done anew, EXIT_TRIES_MAX times at most.
 */
#include "cpu.h"
#include "cpu_state.h"
#include "evidence.h"
#include "jump.h"
#include "last_words.h"
#include "loader.h"

#include "../pure/mutate.h"
#include "../pure/seal.h"

#include "build_id.h"

#define EXIT_TRIES_MAX 8u

struct state {
	struct loader *l;
	struct handoff *h;
	UINTN key;
	struct complaint why;
};

static struct handoff_range used_tables(const struct paging *p)
{
	return (struct handoff_range){p->phys, p->used * MEMORY_PAGE};
}

/* The hand-off's memory up to the end of the list, in whole pages; claiming it adds to the list. */
static struct handoff_range used_handoff(const struct loader *l)
{
	uint64_t base = l->pieces[PIECE_HANDOFF].base;
	size_t entries = l->map.count + 2 < l->map.capacity ? l->map.count + 2 : l->map.capacity;
	uint64_t end = l->areas.memory.base + entries * sizeof(struct handoff_memory);

	return (struct handoff_range){base, ((end + MEMORY_PAGE - 1) & ~(MEMORY_PAGE - 1)) - base};
}

/* What must not be writable in the direct map, sorted: the image's read-only segments, and the jump
 * page, which is executable. Returns how many. */
static size_t read_only_ranges(
	const struct loader *l, struct handoff_range ranges[PAGING_READ_ONLY_MAX])
{
	const struct handoff *h = &l->handoff;
	struct handoff_range jump_page = l->areas.jump_page;
	size_t n = 0;

	for (uint32_t i = 0; i < h->segment_count; i++)
		if (!(h->segments[i].access & HANDOFF_WRITE))
			ranges[n++] =
				(struct handoff_range){h->segments[i].phys, h->segments[i].size};
	if (!n || jump_page.base > ranges[n - 1].base) {
		ranges[n++] = jump_page;
		return n;
	}
	__builtin_memmove(&ranges[1], &ranges[0], n * sizeof(ranges[0]));
	ranges[0] = jump_page;
	return n + 1;
}

static enum verdict map_kernel(struct state *s, struct paging *p)
{
	struct handoff *h = s->h;
	enum verdict verdict = VERDICT_OK;

	for (uint32_t i = 0; i < h->segment_count && !verdict; i++) {
		const struct handoff_segment *g = &h->segments[i];

		verdict = paging_map(
			p, &(struct paging_run){g->virt, g->phys, g->size, g->access}, &s->why);
	}
	if (!verdict)
		verdict = paging_map(p,
			&(struct paging_run){h->stack_virt, h->stack.base, h->stack.size,
				HANDOFF_READ | HANDOFF_WRITE},
			&s->why);
	if (!verdict)
		verdict = paging_map(p,
			&(struct paging_run){h->jump_page, h->jump_page, MEMORY_PAGE,
				HANDOFF_READ | HANDOFF_EXECUTE},
			&s->why);
	return verdict;
}

static enum verdict build_tables(struct state *s, struct paging *p)
{
	struct handoff_range read_only[PAGING_READ_ONLY_MAX];
	size_t count = read_only_ranges(s->l, read_only);
	uint64_t limit = placement_direct_map_limit(&s->l->slides);
	enum verdict verdict = paging_begin(p, &s->why);

	if (!verdict)
		verdict = paging_map_ram(p, &s->l->map, s->l->slides.direct_map_virt, read_only,
			count, &s->h->direct_map_size, &s->why);
	if (!verdict && s->h->direct_map_size > limit)
		verdict = refuse(&s->why, VERDICT_UNSUPPORTED,
			"memory map: RAM up to 0x%lx, expected below 0x%lx", s->h->direct_map_size,
			limit);
	if (!verdict)
		verdict = map_kernel(s, p);
	s->h->tables = used_tables(p);
	return verdict;
}

/* The two steps out of the firmware's tables: see jump.S. */
static enum verdict build_middle(struct state *s)
{
	struct paging *p = &s->l->middle;
	uint64_t here = (uint64_t)jump_page_middle & ~(MEMORY_PAGE - 1);
	uint64_t there = s->h->jump_page;
	uint32_t access = HANDOFF_READ | HANDOFF_EXECUTE;
	enum verdict verdict = paging_begin(p, &s->why);

	if (!verdict)
		verdict = paging_map(
			p, &(struct paging_run){here, here, MEMORY_PAGE, access}, &s->why);
	if (!verdict)
		verdict = paging_map(
			p, &(struct paging_run){there, there, MEMORY_PAGE, access}, &s->why);
	return verdict;
}

static enum verdict claim_all(struct state *s)
{
	struct memory_list *map = &s->l->map;
	struct handoff *h = s->h;
	struct handoff_range initrd = h->initrd;
	enum verdict verdict;

	initrd.size = (initrd.size + MEMORY_PAGE - 1) & ~(MEMORY_PAGE - 1);
	verdict = memory_map_claim(map, h->kernel, HANDOFF_MEMORY_KERNEL, &s->why);
	if (!verdict)
		verdict = memory_map_claim(map, h->stack, HANDOFF_MEMORY_STACK, &s->why);
	if (!verdict)
		verdict = memory_map_claim(map, h->tables, HANDOFF_MEMORY_TABLES, &s->why);
	if (!verdict)
		verdict = memory_map_claim(map, initrd, HANDOFF_MEMORY_INITRD, &s->why);
	if (!verdict)
		verdict = memory_map_claim(map, evidence_claim(), HANDOFF_MEMORY_HANDOFF, &s->why);
	if (!verdict)
		verdict =
			memory_map_claim(map, used_handoff(s->l), HANDOFF_MEMORY_HANDOFF, &s->why);
	h->memory = (struct handoff_range){
		s->l->areas.memory.base, map->count * sizeof(struct handoff_memory)};
	return verdict;
}

/* Everything that the last map decides. */
static enum verdict prepare(struct state *s)
{
	struct loader *l = s->l;
	struct paging tables = {
		.tables = (uint64_t *)l->pieces[PIECE_TABLES].base,
		.phys = l->pieces[PIECE_TABLES].base,
		.capacity = l->pieces[PIECE_TABLES].size / MEMORY_PAGE,
		.levels = PAGING_4_LEVELS,
		.features = cpu_paging_features(),
	};
	enum verdict verdict;

	verdict = memory_map_sanitise((void *)s->h->raw_memory.base, s->h->raw_memory.size,
		s->h->raw_descriptor_size, MEMORY_AFTER_EXIT, l->scratch, &l->map, &s->why);
	if (!verdict)
		verdict = build_tables(s, &tables);
	if (!verdict)
		verdict = build_middle(s);
	if (!verdict)
		verdict = claim_all(s);
	return verdict;
}

static EFI_STATUS get_map(struct state *s)
{
	UINTN size = s->l->areas.raw_memory.size, descriptor_size = 0;
	UINT32 version = 0;
	EFI_STATUS status = s->l->boot->GetMemoryMap(&size,
		(EFI_MEMORY_DESCRIPTOR *)s->l->areas.raw_memory.base, &s->key, &descriptor_size,
		&version);

	if (!EFI_ERROR(status) && descriptor_size != s->h->raw_descriptor_size)
		status = EFI_INCOMPATIBLE_VERSION;
	s->h->raw_memory = (struct handoff_range){s->l->areas.raw_memory.base, size};
	s->h->raw_descriptor_version = version;
	if (EFI_ERROR(status))
		refuse(&s->why, VERDICT_MALFORMED,
			"memory map: %lu bytes in descriptors of %lu, expected at most %lu in ones "
			"of %lu",
			size, descriptor_size, s->l->areas.raw_memory.size,
			s->h->raw_descriptor_size);
	return status;
}

/* One try up to the call; `*verdict` says why it was not made. */
static EFI_STATUS try_exit(struct state *s, bool *called)
{
	EFI_STATUS status = get_map(s);
	uint64_t stamps[2];
	bool stale;

	*called = false;
	if (EFI_ERROR(status))
		return status;
	if (prepare(s))
		return EFI_LOAD_ERROR;
	stale = evidence_make_stale(s->l);
	s->h->stage_tsc[HANDOFF_STAGE_PAGING] = stamps[0] = read_tsc();
	*called = true;
	s->h->exit_attempts++;
	status = s->l->boot->ExitBootServices(s->l->image, s->key);
	stamps[1] = read_tsc();
	s->h->exit_tsc += stamps[1] - stamps[0];
	evidence_note_exit(s->h, s->key, status, stamps, stale);
	return status;
}

static void fill_jump(struct state *s, struct jump *jump)
{
	struct handoff *h = s->h;
	uint64_t cr4 = read_cr4();

	*jump = (struct jump){
		.cr3 = h->tables.base,
		.cr4 = cr4 & ~(CR4_LA57 | CR4_PGE | CR4_PCIDE | CR4_CET),
		.stack = h->stack_virt + h->stack.size,
		.handoff = h->direct_map_virt + s->l->areas.handoff.base,
		.entry = s->l->elf.entry + h->kernel_slide,
		.la57 = cr4 & CR4_LA57 ? 1 : 0,
	};
	if (jump->la57)
		h->flags |= HANDOFF_LA57_LEFT;
}

static void set_places(struct loader *l)
{
	struct handoff *h = &l->handoff;

	h->source = HANDOFF_SOURCE_UEFI;
	h->direct_map_virt = l->slides.direct_map_virt;
	h->dynamic_virt = l->slides.dynamic_virt;
	h->frames_virt = l->slides.frames_virt;
	h->stack = (struct handoff_range){l->pieces[PIECE_STACK].base, HANDOFF_STACK_SIZE};
	h->stack_virt = h->dynamic_virt + MEMORY_PAGE;
	h->jump_page = l->areas.jump_page.base;
	h->command_line =
		(struct handoff_range){l->areas.command_line.base, l->command_line.length};
	__builtin_memcpy((void *)l->areas.command_line.base, l->command_line.text,
		l->command_line.length + 1);
}

/* Nothing is used from here on but what the tables of the jump and the kernel's map. */
static _Noreturn void jump(struct state *s)
{
	struct loader *l = s->l;
	struct handoff *place = (struct handoff *)l->areas.handoff.base;
	struct jump jump;

	fill_jump(s, &jump);
	jump_page_fill(s->h->jump_page, &jump);
	random_pool_take(&l->random, s->h->seed, sizeof(s->h->seed));
	s->h->stage_tsc[HANDOFF_STAGE_JUMP] = read_tsc();
	__builtin_memcpy(place, s->h, sizeof(*place));
	handoff_seal(place, BATON_BUILD_ID);
	if (LOADER_DEBUG && l->options.handoff_mutant)
		handoff_mutate(place, (void *)s->h->memory.base, (char *)s->h->command_line.base,
			l->options.handoff_mutant);
	/* The seed has one copy, and the pool that made it none. */
	__builtin_memset(s->h->seed, 0, sizeof(s->h->seed));
	__builtin_memset(&l->random, 0, sizeof(l->random));
	__asm__ volatile("" : : : "memory");
	jump_enter(l->middle.phys, s->h->jump_page);
}

EFI_STATUS leave_firmware(struct loader *l, struct complaint *why)
{
	static struct state s;
	EFI_STATUS status = EFI_SUCCESS;
	bool called;

	s = (struct state){.l = l, .h = &l->handoff};
	set_places(l);
	for (unsigned int i = 0; i < EXIT_TRIES_MAX; i++) {
		status = try_exit(&s, &called);
		if (!called && !s.h->exit_attempts) {
			*why = s.why;
			return status;
		}
		if (!called)
			last_words(l->system->RuntimeServices, &s.h->framebuffer,
				"after a failed ExitBootServices:", s.why.text);
		if (!EFI_ERROR(status)) {
			interrupts_off();
			s.h->stage_tsc[HANDOFF_STAGE_EXIT] = read_tsc();
			evidence_after_exit(l, s.key);
			jump(&s);
		}
	}
	text_format(s.why.text, sizeof(s.why.text), "%u tries, the last status 0x%lx",
		s.h->exit_attempts, status);
	last_words(l->system->RuntimeServices, &s.h->framebuffer,
		"ExitBootServices failed:", s.why.text);
}
