/* SPDX-License-Identifier: MIT */
/*
 * A kernel that does nothing but check the hand-off, so that the loader is tested by itself:
 * against include/baton/handoff.h, word by word, with code that shares nothing with the loader but
 * the contract and the CRC. It writes `ok N - name` and `not ok N - name: found, expected` to the
 * first serial port, then facts for the host's script (`fact key value`), then `done PASSED
 * FAILED`, and ends the machine: value 0x10 (all well) or 0x20 at port 0xf4 (isa-debug-exit), then
 * ACPI at 0x604.
 *
 * It runs on the loader's stack, with the firmware's IDT: a fault is the end, seen by its silence.
 */
#include <baton/crc32.h>
#include <baton/handoff.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE        UINT64_C(4096)
#define ADDRESS     UINT64_C(0x000ffffffffff000)
#define PRESENT     UINT64_C(1)
#define WRITABLE    UINT64_C(2)
#define USER        UINT64_C(4)
#define LARGE       UINT64_C(0x80)
#define NO_EXECUTE  (UINT64_C(1) << 63)
#define KERNEL_BASE UINT64_C(0xffffffff80000000)

void *memset(void *to, int value, size_t size);
void *memcpy(void *restrict to, const void *restrict from, size_t size);
_Noreturn void probe(const struct handoff *h, uint64_t rsp, uint64_t rflags);

void *memset(void *to, int value, size_t size)
{
	void *result = to;

	__asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(value) : "memory");
	return result;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	void *result = to;

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
	return result;
}

/* The entry point keeps RSP and RFLAGS as they were. */
__asm__(".text\n"
	".globl probe_entry\n"
	"probe_entry:\n"
	"	pushfq\n"
	"	pop %rdx\n"
	"	mov %rsp, %rsi\n"
	"	jmp probe\n");

static void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static void put(const char *s)
{
	for (; *s; s++) {
		while (!(in8(0x3fd) & 0x20))
			;
		out8(0x3f8, (uint8_t)*s);
	}
}

static void put_hex(uint64_t v)
{
	char digits[19] = "0x";
	int n = 2, shift = 60;

	while (shift > 0 && !(v >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		digits[n++] = "0123456789abcdef"[v >> shift & 15];
	digits[n] = '\0';
	put(digits);
}

static const struct handoff *handoff;
static unsigned int number, failed;

static void put_decimal(unsigned int v)
{
	char digits[11];
	int n = 10;

	digits[n] = '\0';
	do
		digits[--n] = (char)('0' + v % 10);
	while (v /= 10);
	put(digits + n);
}

static void check(const char *name, uint64_t found, uint64_t expected)
{
	bool good = found == expected;

	failed += !good;
	put(good ? "ok " : "not ok ");
	put_decimal(++number);
	put(" - ");
	put(name);
	if (!good) {
		put(": found ");
		put_hex(found);
		put(", expected ");
		put_hex(expected);
	}
	put("\r\n");
}

static void check_true(const char *name, bool good)
{
	check(name, good, true);
}

static void fact(const char *name, uint64_t value)
{
	put("fact ");
	put(name);
	put(" ");
	put_hex(value);
	put("\r\n");
}

static void *at(uint64_t phys)
{
	return (void *)(handoff->direct_map_virt + phys);
}

static uint64_t read_cr3(void)
{
	uint64_t v;

	__asm__ volatile("mov %%cr3, %0" : "=r"(v));
	return v;
}

/* What the tables say of a virtual address: physical address, rights of the whole walk. */
struct translation {
	bool present, writable, executable, user;
	uint64_t phys, size;
};

static struct translation translate(uint64_t virt)
{
	struct translation t = {
		.present = true, .writable = true, .executable = true, .user = true};
	uint64_t table = read_cr3() & ADDRESS, size = PAGE << 27;

	for (int level = 4;; level--, size >>= 9) {
		uint64_t entry = ((uint64_t *)at(table))[virt / size % 512];

		if (!(entry & PRESENT))
			return (struct translation){.size = size};
		t.writable &= !!(entry & WRITABLE);
		t.user &= !!(entry & USER);
		t.executable &= !(entry & NO_EXECUTE);
		if (level == 1 || (entry & LARGE)) {
			t.size = size;
			t.phys = (entry & ADDRESS & ~(size - 1)) | (virt & (size - 1));
			return t;
		}
		table = entry & ADDRESS;
	}
}

static bool inside(uint64_t base, uint64_t size, struct handoff_range outer)
{
	return base >= outer.base && base - outer.base <= outer.size &&
	       size <= outer.size - (base - outer.base);
}

static const struct handoff_memory *memory_of(uint64_t phys)
{
	const struct handoff_memory *m = at(handoff->memory.base);

	for (uint64_t i = 0; i < handoff->memory.size / sizeof(*m); i++)
		if (phys >= m[i].base && phys - m[i].base < m[i].size)
			return &m[i];
	return NULL;
}

/* The whole of `r` is of one type in the list. */
static bool is_typed(struct handoff_range r, uint32_t type)
{
	const struct handoff_memory *m = memory_of(r.base);

	return m && m->type == type &&
	       inside(r.base, r.size, (struct handoff_range){m->base, m->size});
}

static bool is_ram(uint32_t type)
{
	return type < HANDOFF_MEMORY_RESERVED;
}

static uint32_t checksum(const struct handoff *h)
{
	size_t skip = offsetof(struct handoff, crc32);
	uint32_t zero = 0, crc = baton_crc32(0, h, skip);

	crc = baton_crc32(crc, &zero, 4);
	return baton_crc32(crc, (const char *)h + skip + 4, h->size - skip - 4);
}

static void check_cpu(uint64_t rsp, uint64_t rflags)
{
	uint64_t cr0, cr4;
	uint32_t efer, high;

	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	__asm__ volatile("rdmsr" : "=a"(efer), "=d"(high) : "c"(0xc0000080));
	check("CR0.WP is on", cr0 >> 16 & 1, 1);
	check("EFER.NXE is on", efer >> 11 & 1, 1);
	check("4-level paging", cr4 >> 12 & 1, 0);
	check("interrupts are off", rflags >> 9 & 1, 0);
	check("DF is clear", rflags >> 10 & 1, 0);
	check("RSP is the top of the stack, less the return address", rsp,
		handoff->stack_virt + HANDOFF_STACK_SIZE - 8);
	check("the return address is 0", *(uint64_t *)rsp, 0);
	check("CR3 is the first table", read_cr3(), handoff->tables.base);
}

static void check_header(const struct handoff *h)
{
	check("magic", h->magic, HANDOFF_MAGIC);
	check("version", h->version, HANDOFF_VERSION);
	check("size", h->size, sizeof(*h));
	check("CRC", h->crc32, checksum(h));
	check("source", h->source, HANDOFF_SOURCE_UEFI);
	check_true("a build id", h->build_id[0] && !h->build_id[HANDOFF_BUILD_ID_MAX - 1]);
	check("the direct map is 1 GiB-aligned", h->direct_map_virt % (UINT64_C(1) << 30), 0);
	check("the slide is 2 MiB-aligned", h->kernel_slide % (UINT64_C(2) << 20), 0);
	check_true("the slide is below 512 MiB", h->kernel_slide < UINT64_C(512) << 20);
	check("stack: a page into the dynamic area", h->stack_virt, h->dynamic_virt + PAGE);
	check_true("the seed is not zero", h->seed[0] | h->seed[1] | h->seed[31] | h->seed[63]);
	check_true("attempts to exit", h->exit_attempts >= 1 && h->exit_attempts <= 8);
	check_true("an RSDP", h->rsdp && __builtin_memcmp(at(h->rsdp), "RSD PTR ", 8) == 0);
}

static void check_stages(const struct handoff *h)
{
	bool ascending = h->stage_tsc[0] != 0;

	for (int i = 1; i < HANDOFF_STAGES; i++)
		ascending &= h->stage_tsc[i] >= h->stage_tsc[i - 1];
	check_true("stage stamps ascend", ascending);
}

static void check_image(const struct handoff *h)
{
	bool right = true, aliases = true;

	check("segments", h->segment_count, 3);
	for (uint32_t i = 0; i < h->segment_count; i++) {
		const struct handoff_segment *s = &h->segments[i];

		for (uint64_t o = 0; o < s->size; o += PAGE) {
			struct translation t = translate(s->virt + o);
			struct translation alias = translate(h->direct_map_virt + s->phys + o);

			right &= t.present && t.phys == s->phys + o && !t.user &&
				 t.writable == !!(s->access & HANDOFF_WRITE) &&
				 t.executable == !!(s->access & HANDOFF_EXECUTE);
			aliases &= alias.present && alias.phys == t.phys && !alias.executable &&
				   alias.writable == t.writable;
		}
		right &= inside(s->phys, s->size, h->kernel);
	}
	check_true("segments are mapped with their own rights", right);
	check_true("their aliases in the direct map are no wider, and NX", aliases);
	check("the first segment is where it was linked, plus the slide", h->segments[0].virt,
		KERNEL_BASE + h->kernel_slide);
	check_true("the image is KERNEL memory", is_typed(h->kernel, HANDOFF_MEMORY_KERNEL));
}

static void check_stack(const struct handoff *h)
{
	struct translation t = translate(h->stack_virt);

	check("stack: bytes", h->stack.size, HANDOFF_STACK_SIZE);
	check_true("stack: mapped RW-", t.present && t.writable && !t.executable && !t.user);
	check("stack: where it says", t.phys, h->stack.base);
	check_true("guard page below it", !translate(h->stack_virt - PAGE).present);
	check_true("nothing above it", !translate(h->stack_virt + h->stack.size).present);
	check_true("the stack is STACK memory", is_typed(h->stack, HANDOFF_MEMORY_STACK));
}

struct walk {
	uint64_t mapped_low, large, gigabyte, wx, tables_outside, stray, user;
};

/* Whether a page of the upper half belongs to one of the areas of the contract. */
static bool is_expected(uint64_t virt, uint64_t size)
{
	const struct handoff *h = handoff;

	return inside(virt, size, (struct handoff_range){h->direct_map_virt, h->direct_map_size}) ||
	       inside(virt, size, (struct handoff_range){h->stack_virt, h->stack.size}) ||
	       inside(virt, size,
		       (struct handoff_range){KERNEL_BASE + h->kernel_slide, h->kernel.size});
}

static void walk_page(struct walk *w, uint64_t virt, uint64_t entry, uint64_t size)
{
	w->wx += (entry & WRITABLE) && !(entry & NO_EXECUTE);
	w->user += !!(entry & USER);
	w->large += size == PAGE << 9;
	w->gigabyte += size == PAGE << 18;
	if (virt < UINT64_C(1) << 47) {
		w->mapped_low++;
		w->stray += virt != handoff->jump_page || size != PAGE || (entry & WRITABLE) ||
			    (entry & NO_EXECUTE);
	} else {
		w->stray += !is_expected(virt, size);
	}
}

static void walk_table(struct walk *w, uint64_t table, uint64_t virt, uint64_t size)
{
	const uint64_t *entries = at(table);

	w->tables_outside += !inside(table, PAGE, handoff->tables);
	for (uint64_t i = 0; i < 512; i++) {
		uint64_t v = virt + i * size;

		if (size == PAGE << 27 && i >= 256)
			v |= UINT64_C(0xffff) << 48;
		if (!(entries[i] & PRESENT))
			continue;
		if (size == PAGE || (entries[i] & LARGE))
			walk_page(w, v, entries[i], size);
		else
			walk_table(w, entries[i] & ADDRESS, v, size >> 9);
	}
}

static void check_tables(const struct handoff *h)
{
	struct walk w = {0};

	walk_table(&w, h->tables.base, 0, PAGE << 27);
	check("no page is writable and executable", w.wx, 0);
	check("no page is the user's", w.user, 0);
	check("pages mapped in the lower half", w.mapped_low, 1);
	check("pages mapped beyond the contract", w.stray, 0);
	check("tables outside their range", w.tables_outside, 0);
	check_true("the tables are TABLES memory", is_typed(h->tables, HANDOFF_MEMORY_TABLES));
	check("the jump page is read-only in the direct map",
		translate(h->direct_map_virt + h->jump_page).writable, 0);
	fact("large_pages", w.large);
	fact("gigabyte_pages", w.gigabyte);
	fact("tables_bytes", h->tables.size);
}

/* All RAM of the list is in the direct map, nothing else is; sampled at both ends of each range and
 * every 2 MiB, for a walk of each page of a large machine takes minutes. */
static void check_memory(const struct handoff *h)
{
	const struct handoff_memory *m = at(h->memory.base);
	uint64_t count = h->memory.size / sizeof(*m), ram = 0, top = 0, free = 0;
	bool sorted = true, whole = true, merged = true, mapped = true, types = true;

	for (uint64_t i = 0; i < count; i++) {
		uint64_t end = m[i].base + m[i].size;
		bool is = is_ram(m[i].type);

		types &= m[i].type > 0 && m[i].type < HANDOFF_MEMORY_TYPES;
		whole &= m[i].size && !((m[i].base | m[i].size) % PAGE);
		sorted &= !i || m[i].base >= m[i - 1].base + m[i - 1].size;
		merged &= !i || m[i].base != m[i - 1].base + m[i - 1].size ||
			  m[i].type != m[i - 1].type || m[i].attributes != m[i - 1].attributes;
		for (uint64_t p = m[i].base; p < end; p += p + (2 << 20) < end ? 2 << 20 : PAGE) {
			struct translation t = translate(h->direct_map_virt + p);

			mapped &= t.present == is && (!is || (t.phys == p && !t.executable));
			if (!is)
				break;
			if (p + (2 << 20) >= end)
				p = end - PAGE;
		}
		ram += is ? m[i].size : 0;
		free += m[i].type == HANDOFF_MEMORY_FREE ? m[i].size : 0;
		top = is ? end : top;
	}
	check_true("memory: known types", types);
	check_true("memory: whole pages", whole);
	check_true("memory: sorted, no overlap", sorted);
	check_true("memory: equal neighbours merged", merged);
	check_true("memory: RAM, and it alone, in the direct map", mapped);
	check("memory: the direct map's size", h->direct_map_size, top);
	fact("memory_ranges", count);
	fact("ram_bytes", ram);
	fact("free_bytes", free);
}

static void check_copies(const struct handoff *h)
{
	const struct handoff_memory *m = memory_of((uint64_t)h - h->direct_map_virt);
	struct handoff_range all = {m ? m->base : 0, m ? m->size : 0};
	const char *line = at(h->command_line.base);
	uint64_t length = 0;

	check("the hand-off lies in HANDOFF memory", m ? m->type : 0, HANDOFF_MEMORY_HANDOFF);
	check_true("so do its copies",
		inside(h->command_line.base, h->command_line.size + 1, all) &&
			inside(h->memory.base, h->memory.size, all) &&
			inside(h->raw_memory.base, h->raw_memory.size, all) &&
			inside(h->jump_page, PAGE, all) &&
			(!h->configuration_tables.size ||
				inside(h->configuration_tables.base, h->configuration_tables.size,
					all)) &&
			(!h->memory_attributes.size ||
				inside(h->memory_attributes.base, h->memory_attributes.size, all)));
	while (length < h->command_line.size && line[length])
		length++;
	check("the command line's length", length, h->command_line.size);
	check("it ends by a NUL", (uint8_t)line[length], 0);
	check("the raw map is whole descriptors", h->raw_memory.size % h->raw_descriptor_size, 0);
	fact("raw_descriptors", h->raw_memory.size / h->raw_descriptor_size);
	fact("raw_descriptor_size", h->raw_descriptor_size);
	fact("memory_attributes_bytes", h->memory_attributes.size);
	put("command line: ");
	put(line);
	put("\r\n");
}

/* The initrd's bytes are for the host to compare: their CRC (of all but very large ones). */
static void check_initrd(const struct handoff *h)
{
	struct handoff_range pages = {h->initrd.base, (h->initrd.size + PAGE - 1) & ~(PAGE - 1)};

	fact("initrd_bytes", h->initrd.size);
	if (!h->initrd.size)
		return;
	check("initrd: page-aligned", h->initrd.base % PAGE, 0);
	check_true("initrd: INITRD memory", is_typed(pages, HANDOFF_MEMORY_INITRD));
	fact("initrd_crc", baton_crc32(0, at(h->initrd.base), h->initrd.size));
}

static void tell_facts(const struct handoff *h)
{
	fact("flags", h->flags);
	fact("kernel_phys", h->kernel.base);
	fact("kernel_slide", h->kernel_slide);
	fact("initrd_phys", h->initrd.base);
	fact("direct_map_virt", h->direct_map_virt);
	fact("dynamic_virt", h->dynamic_virt);
	fact("frames_virt", h->frames_virt);
	fact("framebuffer_base", h->framebuffer.base);
	fact("framebuffer_width", h->framebuffer.width);
	fact("framebuffer_height", h->framebuffer.height);
	fact("framebuffer_pitch", h->framebuffer.pitch);
	fact("seed_sources", h->seed_sources);
	fact("seed_first", *(const uint64_t *)h->seed);
	fact("exit_attempts", h->exit_attempts);
	fact("exit_ticks", h->exit_tsc);
	fact("firmware_cr0", h->cpu.cr0);
	fact("firmware_cr3", h->cpu.cr3);
	fact("firmware_cr4", h->cpu.cr4);
	fact("firmware_efer", h->cpu.efer);
	fact("firmware_rsp", h->cpu.rsp);
	for (int i = 1; i < HANDOFF_STAGES; i++) {
		put("fact stage_");
		put_decimal((unsigned int)i);
		put(" ");
		put_decimal((unsigned int)(h->stage_tsc[i] - h->stage_tsc[i - 1]));
		put("\r\n");
	}
	put("fact entry_to_jump ");
	put_decimal((unsigned int)(h->stage_tsc[HANDOFF_STAGE_JUMP] - h->stage_tsc[0]));
	put("\r\n");
	put("fact build_id ");
	put(h->build_id);
	put("\r\n");
}

/* Pointers in data: right only if the loader applied the relocations. */
static const char *const relocated[] = {"first", "second"};

static void check_relocations(void)
{
	const char *const *volatile table = relocated;

	check_true("relocations are applied", table[0][0] == 'f' && table[1][0] == 's');
}

_Noreturn void probe(const struct handoff *h, uint64_t rsp, uint64_t rflags)
{
	handoff = h;
	put("handoff probe\r\n");
	check_relocations();
	check_cpu(rsp, rflags);
	check_header(h);
	check_stages(h);
	check_image(h);
	check_stack(h);
	check_tables(h);
	check_memory(h);
	check_copies(h);
	check_initrd(h);
	tell_facts(h);
	put("done ");
	put_decimal(number - failed);
	put(" ");
	put_decimal(failed);
	put("\r\n");
	out8(0xf4, failed ? 0x20 : 0x10);
	__asm__ volatile("outw %0, %1" : : "a"((uint16_t)0x2000), "Nd"((uint16_t)0x604));
	for (;;)
		__asm__ volatile("cli; hlt");
}
