/* SPDX-License-Identifier: MIT */
#include "memory_map.h"

#define NONE UINT32_MAX

static uint32_t type_of(const struct firmware_descriptor *d, enum memory_phase phase)
{
	bool usable = (d->attributes & FIRMWARE_MEMORY_WB) && !(d->attributes & FIRMWARE_MEMORY_SP);

	switch (d->type) {
	case FIRMWARE_LOADER_CODE:
	case FIRMWARE_LOADER_DATA:
		return phase == MEMORY_AFTER_EXIT ? HANDOFF_MEMORY_FREE
						  : HANDOFF_MEMORY_BOOT_SERVICES;
	case FIRMWARE_CONVENTIONAL:
		return usable ? HANDOFF_MEMORY_FREE : HANDOFF_MEMORY_RESERVED;
	case FIRMWARE_BOOT_SERVICES_CODE:
	case FIRMWARE_BOOT_SERVICES_DATA:
		return HANDOFF_MEMORY_BOOT_SERVICES;
	case FIRMWARE_RUNTIME_CODE:
		return HANDOFF_MEMORY_RUNTIME_CODE;
	case FIRMWARE_RUNTIME_DATA:
		return HANDOFF_MEMORY_RUNTIME_DATA;
	case FIRMWARE_UNUSABLE:
		return HANDOFF_MEMORY_UNUSABLE;
	case FIRMWARE_ACPI_RECLAIM:
		return HANDOFF_MEMORY_ACPI_RECLAIM;
	case FIRMWARE_ACPI_NVS:
		return HANDOFF_MEMORY_ACPI_NVS;
	case FIRMWARE_MMIO:
	case FIRMWARE_MMIO_PORTS:
		return HANDOFF_MEMORY_MMIO;
	case FIRMWARE_PERSISTENT:
		return HANDOFF_MEMORY_PERSISTENT;
	case FIRMWARE_UNACCEPTED:
		return HANDOFF_MEMORY_UNACCEPTED;
	default: /* reserved, PAL code, other loaders' and vendors' types */
		return HANDOFF_MEMORY_RESERVED;
	}
}

/* Which type wins an overlap: the higher. */
static unsigned int rank_of(uint32_t type)
{
	static const unsigned char ranks[HANDOFF_MEMORY_TYPES] = {
		[HANDOFF_MEMORY_FREE] = 1,
		[HANDOFF_MEMORY_BOOT_SERVICES] = 2,
		[HANDOFF_MEMORY_ACPI_RECLAIM] = 3,
		[HANDOFF_MEMORY_ACPI_NVS] = 4,
		[HANDOFF_MEMORY_RUNTIME_DATA] = 5,
		[HANDOFF_MEMORY_RUNTIME_CODE] = 6,
		[HANDOFF_MEMORY_UNACCEPTED] = 7,
		[HANDOFF_MEMORY_PERSISTENT] = 8,
		[HANDOFF_MEMORY_UNUSABLE] = 9,
		[HANDOFF_MEMORY_RESERVED] = 10,
		[HANDOFF_MEMORY_MMIO] = 11,
	};

	return ranks[type];
}

bool memory_type_is_ram(uint32_t type)
{
	switch (type) {
	case HANDOFF_MEMORY_RESERVED:
	case HANDOFF_MEMORY_MMIO:
	case HANDOFF_MEMORY_UNUSABLE:
	case HANDOFF_MEMORY_PERSISTENT:
	case HANDOFF_MEMORY_UNACCEPTED:
		return false;
	default:
		return type > 0 && type < HANDOFF_MEMORY_TYPES;
	}
}

size_t memory_map_capacity(size_t descriptors)
{
	return 2 * descriptors + 1;
}

/* One descriptor as an entry: clipped to what the CPU can address, usable kinds rounded inwards. */
static struct handoff_memory entry_of(const struct firmware_descriptor *d, enum memory_phase phase)
{
	struct handoff_memory m = {.type = type_of(d, phase), .attributes = d->attributes};
	uint64_t start = d->physical_start, end = MEMORY_PHYS_END;
	bool inwards = memory_type_is_ram(m.type);

	if (start >= MEMORY_PHYS_END)
		return m;
	if (d->pages < (MEMORY_PHYS_END - start) / MEMORY_PAGE)
		end = start + d->pages * MEMORY_PAGE;
	if (inwards)
		start += MEMORY_PAGE - 1;
	else
		end += MEMORY_PAGE - 1;
	start &= ~(MEMORY_PAGE - 1);
	end &= ~(MEMORY_PAGE - 1);
	if (end > MEMORY_PHYS_END)
		end = MEMORY_PHYS_END;
	m.base = start;
	m.size = end > start && d->pages ? end - start : 0;
	return m;
}

static void sift_down(struct handoff_memory *a, size_t root, size_t n)
{
	struct handoff_memory moved = a[root];
	size_t child;

	while ((child = 2 * root + 1) < n) {
		if (child + 1 < n && a[child + 1].base > a[child].base)
			child++;
		if (a[child].base <= moved.base)
			break;
		a[root] = a[child];
		root = child;
	}
	a[root] = moved;
}

static bool is_sorted(const struct handoff_memory *a, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (a[i - 1].base > a[i].base)
			return false;
	return true;
}

/* Heap sort by base: no recursion, no worst case that a strange map could reach. */
static void sort(struct handoff_memory *a, size_t n)
{
	if (is_sorted(a, n))
		return;
	for (size_t i = n / 2; i-- > 0;)
		sift_down(a, i, n);
	for (size_t i = n; i-- > 1;) {
		struct handoff_memory last = a[i];

		a[i] = a[0];
		a[0] = last;
		sift_down(a, 0, i);
	}
}

static bool mergeable(const struct handoff_memory *a, const struct handoff_memory *b)
{
	return a->base + a->size == b->base && a->type == b->type && a->attributes == b->attributes;
}

static enum verdict emit(struct memory_list *list, struct handoff_memory m, struct complaint *why)
{
	if (list->count && mergeable(&list->entries[list->count - 1], &m)) {
		list->entries[list->count - 1].size += m.size;
		return VERDICT_OK;
	}
	if (list->count == list->capacity)
		return refuse(
			why, VERDICT_NO_ROOM, "memory map: more than %zu ranges", list->capacity);
	list->entries[list->count++] = m;
	return VERDICT_OK;
}

/*
 * The sweep: `sorted` entries that cover the current address are linked through their `reserved`
 * field, most of the time one alone.
 */
struct sweep {
	struct handoff_memory *sorted;
	size_t count, next;
	uint32_t active; /* index of the first, or NONE */
};

/* What holds from `at` on, by the active entries; its size is up to the nearest of their ends. */
static struct handoff_memory winner(const struct sweep *s, uint64_t at)
{
	struct handoff_memory w = {.base = at, .size = UINT64_MAX};

	for (uint32_t i = s->active; i != NONE; i = s->sorted[i].reserved) {
		const struct handoff_memory *m = &s->sorted[i];

		if (m->base + m->size - at < w.size)
			w.size = m->base + m->size - at;
		if (w.type && rank_of(m->type) < rank_of(w.type))
			continue;
		if (w.type == m->type)
			w.attributes = (w.attributes & m->attributes) |
				       ((w.attributes | m->attributes) & FIRMWARE_MEMORY_RUNTIME);
		else
			w.attributes = m->attributes;
		w.type = m->type;
	}
	return w;
}

static void retire(struct sweep *s, uint64_t at)
{
	uint32_t *link = &s->active;

	while (*link != NONE) {
		struct handoff_memory *m = &s->sorted[*link];

		if (m->base + m->size <= at)
			*link = m->reserved;
		else
			link = &m->reserved;
	}
}

static enum verdict sweep(struct sweep *s, struct memory_list *list, struct complaint *why)
{
	uint64_t at = 0;

	while (s->active != NONE || s->next < s->count) {
		enum verdict verdict;
		struct handoff_memory w;

		if (s->active == NONE)
			at = s->sorted[s->next].base;
		while (s->next < s->count && s->sorted[s->next].base == at) {
			s->sorted[s->next].reserved = s->active;
			s->active = (uint32_t)s->next++;
		}
		w = winner(s, at);
		if (s->next < s->count && s->sorted[s->next].base - at < w.size)
			w.size = s->sorted[s->next].base - at;
		verdict = emit(list, w, why);
		if (verdict)
			return verdict;
		at += w.size;
		retire(s, at);
	}
	return VERDICT_OK;
}

enum verdict memory_map_sanitise(const void *raw, size_t raw_size, size_t descriptor_size,
	enum memory_phase phase, struct handoff_memory *scratch, struct memory_list *list,
	struct complaint *why)
{
	struct sweep s = {.sorted = scratch, .active = NONE};

	list->count = 0;
	if (descriptor_size < sizeof(struct firmware_descriptor) || raw_size % descriptor_size)
		return refuse(why, VERDICT_MALFORMED,
			"memory map: %zu bytes in descriptors of %zu, expected whole ones of %zu "
			"or more",
			raw_size, descriptor_size, sizeof(struct firmware_descriptor));
	if (raw_size / descriptor_size >= NONE)
		return refuse(why, VERDICT_NO_ROOM, "memory map: %zu bytes", raw_size);
	for (size_t i = 0; i < raw_size; i += descriptor_size) {
		struct firmware_descriptor d;
		struct handoff_memory m;

		__builtin_memcpy(&d, (const char *)raw + i, sizeof(d));
		m = entry_of(&d, phase);
		if (m.size)
			scratch[s.count++] = m;
	}
	sort(scratch, s.count);
	return sweep(&s, list, why);
}

enum verdict memory_map_claim(struct memory_list *list, struct handoff_range range,
	enum handoff_memory_type type, struct complaint *why)
{
	struct handoff_memory parts[3], *m = list->entries, *end = m + list->count;
	size_t n = 0;

	if (!range.size)
		return VERDICT_OK;
	while (m < end && (m->base > range.base || range.base - m->base >= m->size))
		m++;
	if (m == end || m->type != HANDOFF_MEMORY_FREE ||
		range.size > m->size - (range.base - m->base))
		return refuse(why, VERDICT_MALFORMED,
			"memory map: 0x%lx bytes at 0x%lx were allocated, but are not shown as the "
			"loader's",
			range.size, range.base);
	parts[n] = *m;
	parts[n].size = range.base - m->base;
	n += parts[n].size != 0;
	parts[n] = *m;
	parts[n].base = range.base;
	parts[n].size = range.size;
	parts[n++].type = type;
	parts[n] = *m;
	parts[n].base = range.base + range.size;
	parts[n].size = m->base + m->size - parts[n].base;
	n += parts[n].size != 0;
	if (list->count + n - 1 > list->capacity)
		return refuse(
			why, VERDICT_NO_ROOM, "memory map: more than %zu ranges", list->capacity);
	__builtin_memmove(m + n, m + 1, (size_t)(end - m - 1) * sizeof(*m));
	__builtin_memcpy(m, parts, n * sizeof(*m));
	list->count += n - 1;
	return VERDICT_OK;
}
