/* SPDX-License-Identifier: MIT */
/*
 * The page below 1 MiB where other CPUs begin.
 *
 * A start-up interrupt can name only a page of the first MiB. That memory is not given to the page
 * allocator; at boot two pages of it that the hand-off calls free are taken: one for the code, one
 * for the top page table, which must lie below 4 GiB. The tables have the kernel's half and, in the lower
 * half, nothing but the code's page, identity-mapped, readable and executable.
 *
 * W^X: the code is written through the direct map, which is then made read-only there, before any
 * CPU runs it; only then the executable mapping comes to be. No CPU but those that are starting has
 * these tables loaded. Afterwards the tables are freed and the page is cleared; if a CPU did not come it may
 * still do so, and everything stays as it is.
 */
#include "arch/arch.h"
#include "baton/handoff.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/pages.h"
#include "paging.h"
#include "smp.h"
#include "tlb.h"

#define FIRST_MIB (UINT64_C(1) << 20)

extern const uint8_t trampoline_start[], trampoline_words[], trampoline_end[];

/* At the end of the code. */
struct trampoline_words {
	uint16_t gdt_limit;
	uint32_t gdt_base;
	uint32_t far_32;
	uint16_t far_32_selector;
	uint32_t far_64;
	uint16_t far_64_selector;
	uint32_t top_table;
	uint64_t kernel_entry;
} __attribute__((packed));

static phys_t code, top; /* 0: none */
static phys_t tables[3]; /* below `top`, from above */

/* From above, so that the pages nearest to 0, which old firmware likes best, are taken last. */
static void reserve_in(const struct handoff_memory *entry)
{
	phys_t end = entry->base + entry->size;

	if (end > FIRST_MIB)
		end = FIRST_MIB;
	while ((!code || !top) && end >= PAGE_SIZE && end - PAGE_SIZE >= entry->base) {
		end -= PAGE_SIZE;
		if (!end) /* the page at 0 */
			return;
		if (!code)
			code = end;
		else
			top = end;
	}
}

void trampoline_reserve(const struct handoff *handoff)
{
	static const uint32_t kinds[] = {HANDOFF_MEMORY_FREE, HANDOFF_MEMORY_BOOT_SERVICES};
	const struct handoff_memory *map = arch_phys_to_ptr(handoff->memory.base);
	size_t count = handoff->memory.size / sizeof(*map);

	for (size_t kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
		for (size_t i = count; i-- > 0;) {
			if (map[i].type == kinds[kind] && map[i].base < FIRST_MIB)
				reserve_in(&map[i]);
		}
	}
}

/* The direct map's page becomes a small one, so that its access can be changed alone. -ENOMEM. */
static int split_direct_map(phys_t phys)
{
	virt_t virt = (virt_t)arch_phys_to_ptr(phys);
	uint64_t *table = arch_phys_to_ptr(paging_kernel_top());

	for (unsigned level = 3; level > 0; level--) {
		uint64_t *entry = &table[index_at(virt, level)];

		assert(*entry & PTE_PRESENT);
		if (*entry & PTE_LARGE) {
			uint64_t step = 1ul << (PAGE_SHIFT + 9 * (level - 1));
			uint64_t first = *entry & (level > 1 ? ~0ul : ~PTE_LARGE);
			struct frame *frame = pages_alloc(0, FRAME_TABLE, PAGES_NORMAL);

			if (!frame)
				return -ENOMEM;
			for (unsigned i = 0; i < ENTRIES; i++)
				((uint64_t *)frame_ptr(frame))[i] = first + i * step;
			/* The same translations: what TLBs have of the large page stays right. */
			*entry = frame_phys(frame) | PTE_PRESENT | PTE_WRITE;
		}
		table = table_of(*entry);
	}
	return 0;
}

static int make_tables(void)
{
	uint64_t *table = arch_phys_to_ptr(top);

	memset(table, 0, PAGE_SIZE);
	paging_copy_kernel_half(table);
	for (unsigned i = 0; i < ARRAY_SIZE(tables); i++) {
		struct frame *frame = pages_alloc(0, FRAME_TABLE, PAGES_ZERO);

		if (!frame) {
			while (i--)
				pages_free(phys_frame(tables[i]), 0);
			return -ENOMEM;
		}
		tables[i] = frame_phys(frame);
		table[0] = tables[i] | PTE_PRESENT | PTE_WRITE;
		table = frame_ptr(frame);
	}
	table[index_at(code, 0)] = code | PTE_PRESENT;
	return 0;
}

static void fill_code(uint64_t kernel_entry)
{
	uint8_t *page = arch_phys_to_ptr(code);
	struct trampoline_words *words =
		(struct trampoline_words *)(page + (trampoline_words - trampoline_start));

	memset(page, 0, PAGE_SIZE);
	memcpy(page, trampoline_start, (size_t)(trampoline_end - trampoline_start));
	words->gdt_base += (uint32_t)code;
	words->far_32 += (uint32_t)code;
	words->far_64 += (uint32_t)code;
	words->top_table = (uint32_t)top;
	words->kernel_entry = kernel_entry;
}

int trampoline_prepare(uint64_t kernel_entry)
{
	assert((size_t)(trampoline_end - trampoline_words) == sizeof(struct trampoline_words));
	if (!code || !top)
		return -ENODEV;
	if (split_direct_map(code))
		return -ENOMEM;
	fill_code(kernel_entry);
	kernel_protect((virt_t)arch_phys_to_ptr(code), PTE_NX);
	if (make_tables()) {
		kernel_protect((virt_t)arch_phys_to_ptr(code), PTE_WRITE | PTE_NX);
		return -ENOMEM;
	}
	return (int)(code >> PAGE_SHIFT);
}

void trampoline_remove(void)
{
	memset(arch_phys_to_ptr(top), 0, PAGE_SIZE);
	for (unsigned i = 0; i < ARRAY_SIZE(tables); i++)
		pages_free(phys_frame(tables[i]), 0);
	kernel_protect((virt_t)arch_phys_to_ptr(code), PTE_WRITE | PTE_NX);
	memset(arch_phys_to_ptr(code), 0, PAGE_SIZE);
}
