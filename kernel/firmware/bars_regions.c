/* SPDX-License-Identifier: MIT */
/*
 * From the memory map's RUNTIME descriptors (UEFI 2.10 7.2.3) and the memory attributes table (4.6.3): ranges, each
 * with one access. Without the table code is R-X and data RW-; where it names a part of a descriptor, that part is
 * as it says. A part that it would have both written and executed is R-X: bars.c sees who writes there.
 * Pure: from memory to memory, whatever the firmware left there.
 */
#include "firmware/bars_regions.h"

#include <efi.h>

#include "lib/string.h"
#include "memory/access.h"

#ifndef EFI_MEMORY_RO
#define EFI_MEMORY_RO 0x20000 /* UEFI 2.10 7.2.3; younger than gnu-efi's header */
#endif

#define PAGE         4096u
#define TABLE_HEADER 16u /* version, count, descriptor size, flags: 32 bits each */

static bool is_whole(const EFI_MEMORY_DESCRIPTOR *d, uint64_t *size)
{
	return !(d->PhysicalStart % PAGE) && d->NumberOfPages &&
	       !__builtin_mul_overflow(d->NumberOfPages, (uint64_t)PAGE, size) &&
	       d->PhysicalStart <= UINT64_MAX - *size;
}

/* Where a region belongs: before the first that lies above. */
static size_t place_of(const struct bars_regions *out, uint64_t phys)
{
	size_t at = out->count;

	while (at && out->all[at - 1].phys > phys)
		at--;
	return at;
}

static void insert(struct bars_regions *out, struct bars_region region)
{
	size_t at = place_of(out, region.phys);

	for (size_t i = out->count++; i > at; i--)
		out->all[i] = out->all[i - 1];
	out->all[at] = region;
}

static bool overlaps(const struct bars_regions *out, uint64_t phys, uint64_t size)
{
	size_t at = place_of(out, phys);

	return (at && phys - out->all[at - 1].phys < out->all[at - 1].size) ||
	       (at < out->count && out->all[at].phys - phys < size);
}

/* One descriptor of the map: NULL, or why it is left out. */
static const char *take_descriptor(const EFI_MEMORY_DESCRIPTOR *d, struct bars_regions *out)
{
	uint64_t size;

	if (!is_whole(d, &size))
		return "a runtime descriptor is empty, wraps or is no whole pages";
	if (overlaps(out, d->PhysicalStart, size))
		return "runtime descriptors overlap";
	if (out->count == out->most)
		return "there are too many runtime descriptors";
	insert(out, (struct bars_region){
			    .phys = d->PhysicalStart,
			    .size = size,
			    .access = MAP_READ |
				      (d->Type == EfiRuntimeServicesCode ? MAP_EXECUTE : MAP_WRITE),
			    .type = d->Type,
			    .attributes = d->Attribute,
		    });
	return NULL;
}

static const char *take_map(const struct bars_source *source, struct bars_regions *out)
{
	const char *wrong = NULL, *first = NULL;
	EFI_MEMORY_DESCRIPTOR d;

	if (source->stride < sizeof(d))
		return "the memory map's descriptors are too short";
	for (size_t at = 0; at + source->stride <= source->map_size; at += source->stride) {
		memcpy(&d, (const uint8_t *)source->map + at, sizeof(d));
		wrong = d.Attribute & EFI_MEMORY_RUNTIME ? take_descriptor(&d, out) : NULL;
		first = first ? first : wrong;
	}
	return first;
}

/* A part of a region becomes one of its own; what is before and behind it stays as it was. */
static const char *split(
	struct bars_regions *out, size_t at, uint64_t start, uint64_t end, unsigned access)
{
	struct bars_region *whole = &out->all[at], part = *whole, rest = *whole;
	uint64_t whole_end = whole->phys + whole->size;

	part.phys = start;
	part.size = end - start;
	part.access = access;
	part.told = true;
	rest.phys = end;
	rest.size = whole_end - end;
	if (out->count + (start > whole->phys) + !!rest.size > out->most)
		return "there are too many parts in the attributes table";
	if (start > whole->phys) {
		whole->size = start - whole->phys;
		insert(out, part);
	} else {
		*whole = part;
	}
	if (rest.size)
		insert(out, rest);
	return NULL;
}

static const char *apply(struct bars_regions *out, const EFI_MEMORY_DESCRIPTOR *d, uint64_t size)
{
	unsigned access = MAP_READ | (d->Attribute & EFI_MEMORY_RO ? 0 : MAP_WRITE) |
			  (d->Attribute & EFI_MEMORY_XP ? 0 : MAP_EXECUTE);
	uint64_t end = d->PhysicalStart + size;

	if (access == (MAP_READ | MAP_WRITE | MAP_EXECUTE))
		access = MAP_READ | MAP_EXECUTE;
	for (size_t i = 0; i < out->count; i++) {
		struct bars_region *region = &out->all[i];
		uint64_t low = region->phys > d->PhysicalStart ? region->phys : d->PhysicalStart;
		uint64_t high =
			region->phys + region->size < end ? region->phys + region->size : end;
		const char *wrong;

		if (low >= high || region->told)
			continue;
		wrong = split(out, i, low, high, access);
		if (wrong)
			return wrong;
	}
	return NULL;
}

static const char *take_table(const struct bars_source *source, struct bars_regions *out)
{
	uint32_t header[TABLE_HEADER / sizeof(uint32_t)]; /* version, count, stride, flags */
	const uint8_t *table = source->table;
	EFI_MEMORY_DESCRIPTOR d;
	const char *wrong;
	uint64_t size;

	if (source->table_size < TABLE_HEADER)
		return NULL;
	memcpy(header, table, sizeof(header));
	if (header[2] < sizeof(d))
		return "the attributes table's descriptors are too short";
	for (uint64_t i = 0, at = TABLE_HEADER; i < header[1]; i++, at += header[2]) {
		if (at + header[2] > source->table_size)
			return "the attributes table is shorter than it says";
		memcpy(&d, table + at, sizeof(d));
		if (!is_whole(&d, &size))
			return "an entry of the attributes table is empty, wraps or is no whole "
			       "pages";
		wrong = apply(out, &d, size);
		if (wrong)
			return wrong;
	}
	return NULL;
}

/* One for each descriptor, and two for each entry of the table, which is one range: it leaves a rest before and behind. */
size_t bars_regions_most(const struct bars_source *source)
{
	uint32_t header[TABLE_HEADER / sizeof(uint32_t)];
	EFI_MEMORY_DESCRIPTOR d;
	size_t most = 0;

	for (size_t at = 0; source->stride >= sizeof(d) && at + source->stride <= source->map_size;
		at += source->stride) {
		memcpy(&d, (const uint8_t *)source->map + at, sizeof(d));
		most += !!(d.Attribute & EFI_MEMORY_RUNTIME);
	}
	if (source->table_size < TABLE_HEADER)
		return most;
	memcpy(header, source->table, sizeof(header));
	if (header[2] >= sizeof(d)) {
		size_t there = (source->table_size - TABLE_HEADER) / header[2];

		most += 2 * (header[1] < there ? header[1] : there);
	}
	return most;
}

const char *bars_regions_find(const struct bars_source *source, struct bars_regions *out)
{
	const char *wrong, *of_table;

	out->count = 0;
	wrong = take_map(source, out);
	of_table = take_table(source, out);
	return wrong ? wrong : of_table;
}

const struct bars_region *bars_region_at(const struct bars_regions *regions, uint64_t phys)
{
	size_t low = 0, high = regions->count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct bars_region *region = &regions->all[middle];

		if (phys < region->phys)
			high = middle;
		else if (phys - region->phys >= region->size)
			low = middle + 1;
		else
			return region;
	}
	return NULL;
}
