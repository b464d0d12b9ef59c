/* SPDX-License-Identifier: MIT */
/*
 * Taking memory: one block for the loader's own work (map, scratch, the tables of the jump), and
 * the pieces that the kernel gets, which the pure half places. Pieces that touch are taken in one
 * call. All of it is EfiLoaderData: when the loader fails it goes back, when it succeeds the final
 * map shows it as the loader's, and what is in use is claimed there.
 */
#include "console.h"
#include "cpu.h"
#include "cpu_state.h"
#include "loader.h"

#define SLACK_DESCRIPTORS 32u /* that the map may grow by until the end */
#define SLACK_ENTRIES     8u  /* the same of configuration tables and attributes */
#define MIDDLE_TABLES     10u
#define FIRST_WORK_SIZE   (UINT64_C(96) << 10)
#define AREA_ALIGN        UINT64_C(64)

struct raw_map {
	void *data;
	UINTN size, descriptor_size;
};

static uint64_t page_up(uint64_t size)
{
	return (size + MEMORY_PAGE - 1) & ~(MEMORY_PAGE - 1);
}

static size_t most_descriptors(const struct raw_map *map)
{
	return map->size / map->descriptor_size + SLACK_DESCRIPTORS;
}

static uint64_t entries_size(size_t entries)
{
	return entries * sizeof(struct handoff_memory);
}

/* What the work block must hold: the tables of the jump first, for they are whole pages. */
static uint64_t work_needed(const struct raw_map *map)
{
	size_t n = most_descriptors(map);

	return page_up(MIDDLE_TABLES * MEMORY_PAGE + n * map->descriptor_size + entries_size(n) +
		       entries_size(memory_map_capacity(n)) + 3 * AREA_ALIGN);
}

static EFI_STATUS get_map(struct loader *l, struct raw_map *map)
{
	UINTN key;
	UINT32 version;

	map->descriptor_size = 0;
	map->data = (char *)l->work.base + MIDDLE_TABLES * MEMORY_PAGE;
	map->size = l->work.size - MIDDLE_TABLES * MEMORY_PAGE;
	return l->boot->GetMemoryMap(&map->size, map->data, &key, &map->descriptor_size, &version);
}

/* Takes the work block and reads the map into it; once more, larger, if the map is a long one. */
static EFI_STATUS take_work(struct loader *l, struct raw_map *map)
{
	uint64_t size = FIRST_WORK_SIZE;

	for (int attempt = 0; attempt < 4; attempt++) {
		EFI_PHYSICAL_ADDRESS base = 0;
		EFI_STATUS status = l->boot->AllocatePages(
			AllocateAnyPages, EfiLoaderData, size / MEMORY_PAGE, &base);

		if (EFI_ERROR(status))
			return fail(status, "no %lu KiB of memory to work in", size / 1024);
		l->work = (struct handoff_range){base, size};
		status = get_map(l, map);
		if (EFI_ERROR(status) && status != EFI_BUFFER_TOO_SMALL)
			return fail(status, "the firmware gives no memory map");
		if (map->descriptor_size < sizeof(struct firmware_descriptor))
			return fail(EFI_UNSUPPORTED,
				"memory descriptors of %lu bytes, expected %zu",
				map->descriptor_size, sizeof(struct firmware_descriptor));
		if (!EFI_ERROR(status) && work_needed(map) <= size)
			return EFI_SUCCESS;
		size = work_needed(map);
		l->boot->FreePages(l->work.base, l->work.size / MEMORY_PAGE);
		l->work = (struct handoff_range){0};
	}
	return fail(EFI_OUT_OF_RESOURCES, "the memory map grows faster than its buffer");
}

/* Cuts `size` bytes off at `*at`. */
static struct handoff_range cut(uint64_t *at, uint64_t size)
{
	struct handoff_range range = {*at, size};

	*at = (*at + size + AREA_ALIGN - 1) & ~(AREA_ALIGN - 1);
	return range;
}

/* The hand-off's inside, from `base` on (0: to learn its size); returns its end. The list of memory
 * is last: what it does not need at the end is not claimed. */
static uint64_t lay_out(struct loader *l, const struct raw_map *map, uint64_t base)
{
	struct handoff_areas *a = &l->areas;
	size_t n = most_descriptors(map);
	uint64_t at = base;

	a->jump_page = cut(&at, MEMORY_PAGE);
	a->handoff = cut(&at, sizeof(struct handoff));
	a->command_line = cut(&at, l->command_line.length + 1);
	a->raw_memory = cut(&at, n * map->descriptor_size);
	a->configuration_tables = cut(&at, (l->system->NumberOfTableEntries + SLACK_ENTRIES) *
						   sizeof(EFI_CONFIGURATION_TABLE));
	a->memory_attributes =
		cut(&at, l->handoff.memory_attributes.size + SLACK_ENTRIES * map->descriptor_size);
	a->panic_record = cut(&at, l->handoff.panic_record.size);
	a->memory = cut(&at, entries_size(memory_map_capacity(n)));
	return at;
}

static void set_pieces(struct loader *l, const struct raw_map *map, const struct memory_list *list)
{
	bool la57 = read_cr4() & CR4_LA57;
	/* The way out of 5-level paging leads through 32-bit code. */
	uint64_t end = la57 ? UINT64_C(1) << 32 : MEMORY_PHYS_END;
	size_t tables = paging_bound(list, l->elf.size, cpu_paging_features());
	struct placement_piece *p = l->pieces;

	p[PIECE_KERNEL] = (struct placement_piece){"kernel", l->elf.size, MEMORY_PHYS_END, 0};
	p[PIECE_STACK] = (struct placement_piece){"stack", HANDOFF_STACK_SIZE, MEMORY_PHYS_END, 0};
	p[PIECE_TABLES] = (struct placement_piece){"page tables", tables * MEMORY_PAGE, end, 0};
	p[PIECE_HANDOFF] =
		(struct placement_piece){"hand-off", page_up(lay_out(l, map, 0)), end, 0};
	p[PIECE_INITRD] =
		(struct placement_piece){"initrd", page_up(l->initrd_size), MEMORY_PHYS_END, 0};
}

static EFI_STATUS place(struct loader *l, const struct raw_map *map)
{
	struct handoff_range avoid[PLACEMENT_AVOID_MAX];
	struct memory_list list;
	size_t n = most_descriptors(map), avoid_count;
	struct complaint why;
	enum verdict verdict;
	uint64_t at = (uint64_t)map->data;

	cut(&at, n * map->descriptor_size);
	l->scratch = (struct handoff_memory *)cut(&at, entries_size(n)).base;
	list.capacity = memory_map_capacity(n);
	list.entries = (struct handoff_memory *)cut(&at, entries_size(list.capacity)).base;
	verdict = memory_map_sanitise(map->data, map->size, map->descriptor_size,
		MEMORY_BEFORE_EXIT, l->scratch, &list, &why);
	if (verdict)
		return fail_verdict(verdict, "", &why);
	set_pieces(l, map, &list);
	avoid_count = cpu_memory_in_use(&list, avoid);
	for (size_t i = 0; i < l->refused_count && avoid_count < PLACEMENT_AVOID_MAX; i++)
		avoid[avoid_count++] = l->refused[i];
	verdict = placement_choose(&list, avoid, avoid_count, l->pieces, PIECES, &why);
	return verdict ? fail_verdict(verdict, "", &why) : EFI_SUCCESS;
}

static void release_blocks(struct loader *l)
{
	while (l->block_count) {
		struct handoff_range *block = &l->blocks[--l->block_count];

		l->boot->FreePages(block->base, block->size / MEMORY_PAGE);
	}
}

/* Silent: what the firmware refuses is noted, and avoided the next time. */
static EFI_STATUS take_block(struct loader *l, struct handoff_range block)
{
	EFI_PHYSICAL_ADDRESS base = block.base;
	EFI_STATUS status = l->boot->AllocatePages(
		AllocateAddress, EfiLoaderData, block.size / MEMORY_PAGE, &base);

	if (EFI_ERROR(status))
		l->refused[l->refused_count++] = block;
	else
		l->blocks[l->block_count++] = block;
	return status;
}

static EFI_STATUS take_pieces(struct loader *l)
{
	struct handoff_range block = {0};
	EFI_STATUS status = EFI_SUCCESS;

	for (size_t i = 0; i < PIECES && !EFI_ERROR(status); i++) {
		const struct placement_piece *p = &l->pieces[i];

		if (!p->size)
			continue;
		if (block.size && block.base + block.size == p->base) {
			block.size += p->size;
			continue;
		}
		if (block.size)
			status = take_block(l, block);
		block = (struct handoff_range){p->base, p->size};
	}
	return EFI_ERROR(status) ? status : take_block(l, block);
}

/* Some firmware calls memory free and does not give it: then the pieces go elsewhere. */
static EFI_STATUS place_and_take(struct loader *l, const struct raw_map *map)
{
	EFI_STATUS status = EFI_SUCCESS;

	while (l->refused_count < REFUSED_MAX) {
		const struct handoff_range *last = &l->refused[l->refused_count];

		status = place(l, map);
		if (EFI_ERROR(status))
			return status;
		status = take_pieces(l);
		if (!EFI_ERROR(status))
			return status;
		say("0x%lx bytes at 0x%lx are free by the memory map, but not given: %s",
			last->size, last->base, status_name(status));
		release_blocks(l);
	}
	return fail(status, "%u places are free by the memory map, and the firmware gives none",
		REFUSED_MAX);
}

EFI_STATUS take_memory(struct loader *l)
{
	struct raw_map map;
	EFI_STATUS status = take_work(l, &map);

	if (EFI_ERROR(status))
		return status;
	l->middle = (struct paging){.tables = (uint64_t *)l->work.base,
		.phys = l->work.base,
		.capacity = MIDDLE_TABLES,
		.levels = read_cr4() & CR4_LA57 ? PAGING_5_LEVELS : PAGING_4_LEVELS};
	status = place_and_take(l, &map);
	if (EFI_ERROR(status))
		return status;
	lay_out(l, &map, l->pieces[PIECE_HANDOFF].base);
	l->handoff.raw_descriptor_size = map.descriptor_size;
	l->map.entries = (struct handoff_memory *)l->areas.memory.base;
	l->map.capacity = l->areas.memory.size / sizeof(struct handoff_memory);
	return EFI_SUCCESS;
}

void release_memory(struct loader *l)
{
	release_blocks(l);
	if (l->work.size)
		l->boot->FreePages(l->work.base, l->work.size / MEMORY_PAGE);
	l->work.size = 0;
}
