/* SPDX-License-Identifier: MIT */
/*
 * The check of what the loader hands over (include/baton/handoff.h), before the kernel believes any
 * of it.
 *
 * The order is the safety: magic, version and size, which tell where the rest is; the checksum over
 * it; the build id, since a loader of another build may fill it otherwise; the virtual layout, which
 * says what may be looked at; the memory map; and then every range against the map. The first thing
 * that is wrong is told, and nothing after it is looked at.
 *
 * A checksum shows what was damaged on the way, not what was wrong when it was made. So all that says where something
 * is mapped is compared with the page tables in use, and they are read by a function that cannot fault: the
 * hand-off's own address is the first one looked up, by the direct map that it names.
 */
#include "firmware/handoff_intake.h"
#include "arch_cpu.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "memory/pages.h"

#include <baton/crc32.h>

#define SIZE_MAX_SANE    65536u
#define MEMORY_MAX       65536u /* entries of the map */
#define COMMAND_LINE_MAX 65536u
#define SERVICES_SIZE    136u /* EFI_RUNTIME_SERVICES, UEFI 2.10 4.5 */
#define MIB2             (UINT64_C(1) << 21)
#define GIB              (UINT64_C(1) << 30)
#define HIGH_HALF        UINT64_C(0xffff800000000000)

struct intake {
	const struct handoff *h;
	const struct handoff_machine *machine;
	char *message;
	const struct handoff_memory *map;
	uint64_t map_count;
};

/* Each check returns true when all is well; else it has written the message. */
#define WRONG(in, ...) (format((in)->message, HANDOFF_MESSAGE_MAX, "hand-off: " __VA_ARGS__), false)

static const char *const memory_names[HANDOFF_MEMORY_TYPES] = {
	[HANDOFF_MEMORY_FREE] = "free",
	[HANDOFF_MEMORY_BOOT_SERVICES] = "boot services",
	[HANDOFF_MEMORY_ACPI_RECLAIM] = "ACPI tables",
	[HANDOFF_MEMORY_ACPI_NVS] = "ACPI NVS",
	[HANDOFF_MEMORY_RUNTIME_CODE] = "runtime code",
	[HANDOFF_MEMORY_RUNTIME_DATA] = "runtime data",
	[HANDOFF_MEMORY_KERNEL] = "kernel",
	[HANDOFF_MEMORY_INITRD] = "initrd",
	[HANDOFF_MEMORY_HANDOFF] = "hand-off",
	[HANDOFF_MEMORY_TABLES] = "page tables",
	[HANDOFF_MEMORY_STACK] = "stack",
	[HANDOFF_MEMORY_RESERVED] = "reserved",
	[HANDOFF_MEMORY_MMIO] = "MMIO",
	[HANDOFF_MEMORY_UNUSABLE] = "unusable",
	[HANDOFF_MEMORY_PERSISTENT] = "persistent",
	[HANDOFF_MEMORY_UNACCEPTED] = "unaccepted",
};

const char *handoff_memory_name(uint32_t type)
{
	return type >= HANDOFF_MEMORY_FREE && type < HANDOFF_MEMORY_TYPES ? memory_names[type]
									  : "unknown";
}

bool handoff_is_ram(uint32_t type)
{
	return type >= HANDOFF_MEMORY_FREE && type <= HANDOFF_MEMORY_STACK;
}

static bool is_aligned(uint64_t x, uint64_t to)
{
	return !(x & (to - 1));
}

static const void *view(const struct intake *in, phys_t phys)
{
	return in->machine->view(in->h->direct_map_virt, phys);
}

/* Are all pages of [virt, virt + size) mapped to [phys, phys + size)? Looks at the first and the last, and at one in
 * each 2 MiB: the loader maps ranges. */
static bool mapped(const struct intake *in, virt_t virt, phys_t phys, uint64_t size)
{
	uint64_t last = (size - 1) & ~(uint64_t)(PAGE_SIZE - 1);
	phys_t found;

	for (uint64_t offset = 0;; offset = last - offset < MIB2 ? last : offset + MIB2) {
		if (!in->machine->maps(in->h->direct_map_virt, virt + offset, &found) ||
			found != phys + offset)
			return false;
		if (offset == last)
			return true;
	}
}

static uint32_t checksum(const struct handoff *h)
{
	static const uint32_t zero;
	const uint8_t *bytes = (const uint8_t *)h;
	size_t at = offsetof(struct handoff, crc32), after = at + sizeof(h->crc32);
	uint32_t crc = baton_crc32(0, bytes, at);

	crc = baton_crc32(crc, &zero, sizeof(zero));
	return baton_crc32(crc, bytes + after, h->size - after);
}

static bool check_header(struct intake *in)
{
	const struct handoff *h = in->h;

	if (h->magic != HANDOFF_MAGIC)
		return WRONG(in, "magic is %#lx, expected %#lx", h->magic, (uint64_t)HANDOFF_MAGIC);
	if (h->version != HANDOFF_VERSION)
		return WRONG(in, "version is %u, expected %u", h->version, HANDOFF_VERSION);
	if (h->size < sizeof(*h) || h->size > SIZE_MAX_SANE)
		return WRONG(
			in, "size is %u, expected %zu to %u", h->size, sizeof(*h), SIZE_MAX_SANE);
	return true;
}

/* The structure is read up to its end, and all else through the direct map, if the tables agree. */
static bool check_direct_map(struct intake *in)
{
	const struct handoff *h = in->h;
	virt_t self = in->machine->self, start = h->direct_map_virt;
	virt_t page = self & ~(virt_t)(PAGE_SIZE - 1);

	if (self < start || !mapped(in, page, page - start, self + h->size - page))
		return WRONG(in,
			"direct_map_virt is %#lx, size %u: expected where the page tables show all "
			"of "
			"this structure, which is at %#lx",
			start, h->size, self);
	if (h->tables.base != in->machine->tables)
		return WRONG(in, "tables is at %#lx, expected %#lx, where CR3 has them",
			h->tables.base, in->machine->tables);
	return true;
}

static bool check_content(struct intake *in)
{
	const struct handoff *h = in->h;
	uint32_t crc = checksum(h);

	if (h->crc32 != crc)
		return WRONG(in, "crc32 is %#x, expected %#x of its content", h->crc32, crc);
	if (h->source < HANDOFF_SOURCE_UEFI || h->source > HANDOFF_SOURCE_HOSTED)
		return WRONG(in, "source is %u, expected %u to %u", h->source, HANDOFF_SOURCE_UEFI,
			HANDOFF_SOURCE_HOSTED);
	return true;
}

static bool check_build_id(struct intake *in, const char *expected)
{
	const char *found = in->h->build_id;

	if (strnlen(found, HANDOFF_BUILD_ID_MAX) == HANDOFF_BUILD_ID_MAX)
		return WRONG(in, "build id does not end within %u bytes", HANDOFF_BUILD_ID_MAX);
	for (unsigned i = 0; found[i]; i++) {
		if (found[i] < ' ' || found[i] > '~')
			return WRONG(in, "build id has byte %#x at %u, expected \"%s\"",
				(unsigned char)found[i], i, expected);
	}
	if (strcmp(found, expected))
		return WRONG(in, "the loader's build id is \"%s\", the kernel's \"%s\"", found,
			expected);
	return true;
}

/* Two areas apart from each other, whatever their order. */
static bool apart(virt_t a, uint64_t a_size, virt_t b, uint64_t b_size)
{
	return a < b ? b - a >= a_size : a - b >= b_size;
}

static bool check_area(struct intake *in, const char *name, uint64_t virt, uint64_t size)
{
	virt_t end = in->machine->areas_end;

	if (virt < HIGH_HALF || !is_aligned(virt, GIB))
		return WRONG(in, "%s is %#lx, expected a 1 GiB-aligned address in the upper half",
			name, virt);
	if (!size || virt >= end || size > end - virt)
		return WRONG(in, "%s is %#lx for %#lx bytes, expected to end at or below %#lx",
			name, virt, size, end);
	return true;
}

static bool check_layout(struct intake *in)
{
	const struct handoff *h = in->h;
	uint64_t start = h->direct_map_virt, size = h->direct_map_size;
	uint64_t dynamic = in->machine->dynamic_size;
	uint64_t frames = size / PAGE_SIZE * sizeof(struct frame);

	if (h->kernel_slide != in->machine->slide)
		return WRONG(in, "kernel_slide is %#lx, expected %#lx", h->kernel_slide,
			in->machine->slide);
	if (!check_area(in, "direct_map_virt", start, size) ||
		!check_area(in, "dynamic_virt", h->dynamic_virt, dynamic) ||
		!check_area(in, "frames_virt", h->frames_virt, frames))
		return false;
	if (!apart(start, size, h->dynamic_virt, dynamic) ||
		!apart(start, size, h->frames_virt, frames) ||
		!apart(h->dynamic_virt, dynamic, h->frames_virt, frames))
		return WRONG(in, "areas overlap: direct map %#lx + %#lx, dynamic %#lx, frames %#lx",
			start, size, h->dynamic_virt, h->frames_virt);
	return true;
}

/* A range that is going to be looked at before the map is known. */
static bool in_direct_map(const struct intake *in, uint64_t base, uint64_t size)
{
	return base < in->h->direct_map_size && size <= in->h->direct_map_size - base;
}

/* The same by the page tables. */
static bool mapped_direct(const struct intake *in, const struct handoff_range *range)
{
	phys_t page = range->base & ~(phys_t)(PAGE_SIZE - 1);

	return mapped(in, in->h->direct_map_virt + page, page, range->base + range->size - page);
}

static bool check_map_entry(struct intake *in, uint64_t i, uint64_t *end)
{
	const struct handoff_memory *m = &in->map[i];

	if (!m->size || !is_aligned(m->base | m->size, PAGE_SIZE) ||
		m->base + m->size - 1 < m->base)
		return WRONG(in, "memory[%lu] is %#lx + %#lx, expected whole pages", i, m->base,
			m->size);
	if (i && m->base < *end)
		return WRONG(in,
			"memory[%lu] begins at %#lx, before the end %#lx of the one before", i,
			m->base, *end);
	if (m->type < HANDOFF_MEMORY_FREE || m->type >= HANDOFF_MEMORY_TYPES)
		return WRONG(in, "memory[%lu] at %#lx has type %u, expected %u to %u", i, m->base,
			m->type, HANDOFF_MEMORY_FREE, HANDOFF_MEMORY_TYPES - 1);
	if (handoff_is_ram(m->type) && !in_direct_map(in, m->base, m->size))
		return WRONG(in, "memory[%lu], %#lx + %#lx of RAM, is past the direct map's %#lx",
			i, m->base, m->size, in->h->direct_map_size);
	if (handoff_is_ram(m->type) &&
		!mapped(in, in->h->direct_map_virt + m->base, m->base, m->size))
		return WRONG(in,
			"memory[%lu], %#lx + %#lx of RAM (%s), is not what the page tables show in "
			"the direct map",
			i, m->base, m->size, handoff_memory_name(m->type));
	*end = m->base + m->size; /* 0 after the last page there can be: no entry follows that */
	if (!*end && i + 1 < in->map_count)
		return WRONG(in, "memory[%lu] at %#lx follows the end of memory", i + 1, m[1].base);
	return true;
}

static bool check_map(struct intake *in)
{
	const struct handoff_range *memory = &in->h->memory;
	uint64_t end = 0;

	if (!memory->size || memory->size % sizeof(*in->map) ||
		memory->size / sizeof(*in->map) > MEMORY_MAX)
		return WRONG(in, "memory has %lu bytes, expected 1 to %u entries of %zu",
			memory->size, MEMORY_MAX, sizeof(*in->map));
	if (!in_direct_map(in, memory->base, memory->size) || !is_aligned(memory->base, 8))
		return WRONG(in, "memory is at %#lx + %#lx, expected 8-aligned in the direct map",
			memory->base, memory->size);
	if (!mapped_direct(in, memory))
		return WRONG(in, "memory is at %#lx + %#lx, which the page tables do not show",
			memory->base, memory->size);
	in->map = view(in, memory->base);
	in->map_count = memory->size / sizeof(*in->map);
	for (uint64_t i = 0; i < in->map_count; i++) {
		if (!check_map_entry(in, i, &end))
			return false;
	}
	return true;
}

/* Does memory of this type cover the range? */
static bool covered(const struct intake *in, uint64_t base, uint64_t size, uint32_t type)
{
	if (!size || base + size < base)
		return false;
	for (uint64_t i = 0; i < in->map_count && size; i++) {
		const struct handoff_memory *m = &in->map[i];
		uint64_t part;

		if (m->type != type || base < m->base || base - m->base >= m->size)
			continue;
		part = m->size - (base - m->base);
		part = part < size ? part : size;
		base += part;
		size -= part;
	}
	return !size;
}

static bool check_range(
	struct intake *in, const char *name, const struct handoff_range *range, uint32_t type)
{
	if (!covered(in, range->base, range->size, type))
		return WRONG(in, "%s is at %#lx + %#lx, expected inside of \"%s\" memory", name,
			range->base, range->size, handoff_memory_name(type));
	return true;
}

static bool check_page_range(
	struct intake *in, const char *name, const struct handoff_range *range, uint32_t type)
{
	if (!is_aligned(range->base, PAGE_SIZE))
		return WRONG(in, "%s is at %#lx, expected a page's address", name, range->base);
	return check_range(in, name, range, type);
}

static bool check_optional(struct intake *in, const char *name, const struct handoff_range *range)
{
	return !range->size || check_range(in, name, range, HANDOFF_MEMORY_HANDOFF);
}

static bool check_segment(struct intake *in, unsigned i, uint64_t *end)
{
	const struct handoff_segment *s = &in->h->segments[i];
	const struct handoff_range *image = &in->h->kernel;

	if (!s->size || !is_aligned(s->virt | s->phys | s->size, PAGE_SIZE) ||
		s->virt < HIGH_HALF || s->virt + s->size - 1 < s->virt)
		return WRONG(in,
			"segments[%u] is %#lx at %#lx + %#lx, expected whole pages in the upper "
			"half",
			i, s->virt, s->phys, s->size);
	if (s->phys < image->base || s->phys - image->base > image->size ||
		s->size > image->size - (s->phys - image->base))
		return WRONG(in,
			"segments[%u] at %#lx + %#lx is outside of the image at %#lx + %#lx", i,
			s->phys, s->size, image->base, image->size);
	if (!(s->access & HANDOFF_READ) || s->access > 7 ||
		(s->access & HANDOFF_WRITE && s->access & HANDOFF_EXECUTE))
		return WRONG(in, "segments[%u] has access %#x, expected 1, 3 or 5", i, s->access);
	if (s->virt < *end)
		return WRONG(in,
			"segments[%u] at %#lx begins before the end %#lx of the one before", i,
			s->virt, *end);
	if (!mapped(in, s->virt, s->phys, s->size))
		return WRONG(in,
			"segments[%u], %#lx at %#lx + %#lx, is not what the page tables show", i,
			s->virt, s->phys, s->size);
	*end = s->virt + s->size;
	return true;
}

static bool check_kernel(struct intake *in)
{
	const struct handoff *h = in->h;
	uint64_t end = 0;
	bool code = false;

	if (!check_page_range(in, "kernel", &h->kernel, HANDOFF_MEMORY_KERNEL))
		return false;
	if (h->segment_count < 1 || h->segment_count > HANDOFF_SEGMENTS_MAX)
		return WRONG(in, "segment_count is %u, expected 1 to %u", h->segment_count,
			HANDOFF_SEGMENTS_MAX);
	for (unsigned i = 0; i < h->segment_count; i++) {
		if (!check_segment(in, i, &end))
			return false;
		code |= h->segments[i].access & HANDOFF_EXECUTE;
	}
	if (h->segments[0].virt != in->machine->image)
		return WRONG(in, "segments[0] is at %#lx, expected %#lx, where the kernel runs",
			h->segments[0].virt, in->machine->image);
	if (!code)
		return WRONG(in, "none of %u segments is executable", h->segment_count);
	return true;
}

static bool check_stack(struct intake *in)
{
	const struct handoff *h = in->h;

	if (!check_page_range(in, "stack", &h->stack, HANDOFF_MEMORY_STACK))
		return false;
	if (h->stack.size != HANDOFF_STACK_SIZE)
		return WRONG(in, "stack has %#lx bytes, expected %#x", h->stack.size,
			HANDOFF_STACK_SIZE);
	if (!is_aligned(h->stack_virt, PAGE_SIZE) || h->stack_virt < h->dynamic_virt)
		return WRONG(in, "stack_virt is %#lx, expected a page at or above %#lx",
			h->stack_virt, h->dynamic_virt);
	if (!mapped(in, h->stack_virt, h->stack.base, h->stack.size))
		return WRONG(in, "stack_virt is %#lx, where the page tables do not show %#lx",
			h->stack_virt, h->stack.base);
	if (in->machine->stack - h->stack_virt >= h->stack.size)
		return WRONG(in, "stack_virt is %#lx, expected the stack in use, around %#lx",
			h->stack_virt, in->machine->stack);
	return true;
}

static bool check_loaded(struct intake *in)
{
	const struct handoff *h = in->h;
	struct handoff_range jump = {h->jump_page, PAGE_SIZE};

	if (!check_kernel(in) || !check_stack(in) ||
		!check_page_range(in, "tables", &h->tables, HANDOFF_MEMORY_TABLES) ||
		!check_page_range(in, "jump_page", &jump, HANDOFF_MEMORY_HANDOFF))
		return false;
	return !h->initrd.size || check_page_range(in, "initrd", &h->initrd, HANDOFF_MEMORY_INITRD);
}

static bool check_command_line(struct intake *in)
{
	struct handoff_range line = in->h->command_line;
	const char *text;

	if (line.size >= COMMAND_LINE_MAX)
		return WRONG(in, "command_line has %lu bytes, expected less than %u", line.size,
			COMMAND_LINE_MAX);
	if (!line.size && !line.base)
		return true;
	line.size++; /* the NUL */
	if (!check_range(in, "command_line", &line, HANDOFF_MEMORY_HANDOFF))
		return false;
	text = view(in, line.base);
	if (strnlen(text, line.size) != line.size - 1)
		return WRONG(in, "command_line ends after %zu bytes, expected %lu",
			strnlen(text, line.size), line.size - 1);
	return true;
}

/* The table of runtime services, which is called at the end (firmware/runtime.c). */
static bool check_services(struct intake *in)
{
	phys_t table = in->h->runtime_services;

	if (!table ||
		(is_aligned(table, 8) &&
			(covered(in, table, SERVICES_SIZE, HANDOFF_MEMORY_RUNTIME_DATA) ||
				covered(in, table, SERVICES_SIZE, HANDOFF_MEMORY_RUNTIME_CODE))))
		return true;
	return WRONG(in, "runtime_services is %#lx, expected 0 or inside of \"%s\" memory", table,
		handoff_memory_name(HANDOFF_MEMORY_RUNTIME_DATA));
}

static bool check_firmware(struct intake *in)
{
	const struct handoff *h = in->h;
	uint32_t seeds = HANDOFF_SEED_RNG_PROTOCOL | HANDOFF_SEED_RDRAND | HANDOFF_SEED_TSC |
			 HANDOFF_SEED_FILE;

	if (!check_optional(in, "kernel_file", &h->kernel_file) ||
		!check_optional(in, "raw_memory", &h->raw_memory) ||
		!check_optional(in, "configuration_tables", &h->configuration_tables) ||
		!check_optional(in, "memory_attributes", &h->memory_attributes) ||
		!check_services(in) || !check_optional(in, "panic_record", &h->panic_record) ||
		!check_optional(in, "evidence", &h->evidence))
		return false;
	if (h->raw_memory.size &&
		(h->raw_descriptor_size < 40 || h->raw_memory.size % h->raw_descriptor_size))
		return WRONG(in,
			"raw_descriptor_size is %lu for %lu bytes, expected 40 or more that "
			"divide them",
			h->raw_descriptor_size, h->raw_memory.size);
	if (!h->seed_sources || h->seed_sources & ~seeds)
		return WRONG(
			in, "seed_sources is %#x, expected some of %#x", h->seed_sources, seeds);
	if (h->source == HANDOFF_SOURCE_UEFI && !h->exit_attempts)
		return WRONG(in, "exit_attempts is 0, expected 1 or more");
	for (unsigned i = 1; i < HANDOFF_STAGES; i++) {
		if (h->stage_tsc[i] < h->stage_tsc[i - 1])
			return WRONG(in, "stage_tsc[%u] is %lu, before the %lu of the stage before",
				i, h->stage_tsc[i], h->stage_tsc[i - 1]);
	}
	return true;
}

const char *handoff_check(const struct handoff *handoff, const struct handoff_machine *machine,
	char message[HANDOFF_MESSAGE_MAX])
{
	struct intake in = {.h = handoff, .machine = machine, .message = message};
	bool good = check_header(&in) && check_direct_map(&in) && check_content(&in) &&
		    check_build_id(&in, machine->build_id) && check_layout(&in) && check_map(&in) &&
		    check_loaded(&in) && check_command_line(&in) && check_firmware(&in);

	return good ? NULL : message;
}
