/* SPDX-License-Identifier: MIT */
#include "placement.h"

#define MIB             UINT64_C(0x100000)
#define GIB             UINT64_C(0x40000000)
#define TIB             (1024 * GIB)

#define DIRECT_MAP_VIRT UINT64_C(0xffff888000000000)
#define DYNAMIC_VIRT    UINT64_C(0xffffc90000000000)
#define FRAMES_VIRT     UINT64_C(0xffffea0000000000)

struct taken {
	struct handoff_range ranges[PLACEMENT_AVOID_MAX + PLACEMENT_PIECES_MAX];
	size_t count;
};

/* The lowest address from `base` on where `size` bytes keep clear of everything taken. */
static uint64_t step_over(const struct taken *taken, uint64_t base, uint64_t size)
{
	bool moved;

	do {
		moved = false;
		for (size_t i = 0; i < taken->count; i++) {
			const struct handoff_range *r = &taken->ranges[i];

			if (r->size && base < r->base + r->size && r->base < base + size) {
				base = (r->base + r->size + MEMORY_PAGE - 1) & ~(MEMORY_PAGE - 1);
				moved = true;
			}
		}
	} while (moved);
	return base;
}

static bool find_hole(const struct memory_list *map, const struct taken *taken, uint64_t size,
	uint64_t floor, uint64_t end_max, uint64_t *base)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct handoff_memory *m = &map->entries[i];
		uint64_t start = m->base > floor ? m->base : floor, end = m->base + m->size;

		if (m->type != HANDOFF_MEMORY_FREE)
			continue;
		if (end > end_max)
			end = end_max;
		if (start >= end || size > end - start)
			continue;
		start = step_over(taken, start, size);
		if (start < end && size <= end - start) {
			*base = start;
			return true;
		}
	}
	return false;
}

/* All pieces one after the other in one hole. */
static bool place_together(const struct memory_list *map, struct taken *taken,
	struct placement_piece *pieces, size_t count, uint64_t floor)
{
	uint64_t total = 0, end_max = MEMORY_PHYS_END, base;

	for (size_t i = 0; i < count; i++) {
		if (__builtin_add_overflow(total, pieces[i].size, &total))
			return false;
		if (pieces[i].end_max < end_max)
			end_max = pieces[i].end_max;
	}
	if (!find_hole(map, taken, total, floor, end_max, &base))
		return false;
	taken->ranges[taken->count++] = (struct handoff_range){base, total};
	for (size_t i = 0; i < count; i++) {
		pieces[i].base = base;
		base += pieces[i].size;
	}
	return true;
}

static enum verdict place_apart(const struct memory_list *map, struct taken *taken,
	struct placement_piece *pieces, size_t count, struct complaint *why)
{
	static const uint64_t floors[] = {16 * MIB, MIB, MEMORY_PAGE};

	for (size_t i = 0; i < count; i++) {
		size_t f = 0;

		while (f < sizeof(floors) / sizeof(floors[0]) &&
			!place_together(map, taken, &pieces[i], 1, floors[f]))
			f++;
		if (f == sizeof(floors) / sizeof(floors[0]))
			return refuse(why, VERDICT_NO_ROOM,
				"%s: no %lu KiB of free memory in one piece below 0x%lx",
				pieces[i].name, pieces[i].size / 1024, pieces[i].end_max);
	}
	return VERDICT_OK;
}

enum verdict placement_choose(const struct memory_list *map, const struct handoff_range *avoid,
	size_t avoid_count, struct placement_piece *pieces, size_t count, struct complaint *why)
{
	struct taken taken = {0};
	size_t placed = 0;

	if (avoid_count > PLACEMENT_AVOID_MAX || count == 0 || count > PLACEMENT_PIECES_MAX)
		return refuse(why, VERDICT_NO_ROOM, "placement: %zu pieces, %zu ranges to avoid",
			count, avoid_count);
	for (size_t i = 0; i < avoid_count; i++)
		taken.ranges[taken.count++] = avoid[i];
	if (place_together(map, &taken, pieces, count, 16 * MIB))
		return VERDICT_OK;
	if (count > 1 && place_together(map, &taken, pieces, count - 1, 16 * MIB))
		placed = count - 1;
	return place_apart(map, &taken, pieces + placed, count - placed, why);
}

struct placement_slides placement_slides(const uint64_t random[4])
{
	struct placement_slides s = {0, DIRECT_MAP_VIRT, DYNAMIC_VIRT, FRAMES_VIRT};

	if (!random)
		return s;
	s.kernel = random[0] % (512 * MIB / (2 * MIB)) * (2 * MIB);
	s.direct_map_virt += random[1] % (16 * TIB / GIB) * GIB;
	s.dynamic_virt += random[2] % (8 * TIB / GIB) * GIB;
	s.frames_virt += random[3] % (8 * TIB / GIB) * GIB;
	return s;
}

uint64_t placement_direct_map_limit(const struct placement_slides *slides)
{
	return slides->dynamic_virt - slides->direct_map_virt;
}
