/* SPDX-License-Identifier: MIT */
/*
 * The dynamic area, 512 GiB from a random base:
 *
 *	+0          the loader's first stack, with its guard pages (up to 2 MiB)
 *	+1 GiB      kernel stacks: 32 KiB slots, the upper 16 KiB mapped
 *	+64 GiB     device memory, from a bump pointer; ranges given back are used again by size
 *
 * A stack that is freed is kept, mapped, for the next thread; only when too many are kept some are
 * unmapped together, with one TLB flush on all CPUs. So a thread's end costs no interrupt to others.
 *
 * Locks: area_lock over both maps; page tables have their own. Nothing is flushed under it.
 */
#include "kernel_area.h"
#include "cpu.h"

#include "arch/arch.h"
#include "lib/errno.h"
#include "lib/list.h"
#include "lib/lock.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/pages.h"
#include "memory/slab.h"
#include "paging.h"
#include "process/process.h"
#include "tlb.h"

#define STACKS_OFFSET (1ul << 30)
#define DEVICE_OFFSET (64ul << 30)
#define DEVICE_END    (512ul << 30)
#define SLOT_SIZE     (2 * KERNEL_STACK_SIZE)
#define SLOTS_MAX     (64u * 1024)
#define STACK_PAGES   (KERNEL_STACK_SIZE / PAGE_SIZE)
#define SPARE_STACKS  16u /* kept for the next threads */
#define SPARE_DROPPED 8u  /* when there are more, that many are unmapped with one flush */

_Static_assert(SPARE_DROPPED *STACK_PAGES <= FLUSH_BATCH, "one flush");

struct device_range {
	struct list list;
	virt_t start;
	size_t size;
};

static struct spinlock area_lock;
static virt_t stacks, devices, devices_next, devices_end;
static uint64_t slots_used[SLOTS_MAX / 64];
static unsigned slot_hint;         /* no word below is free */
static virt_t spare[SPARE_STACKS]; /* mapped, of no thread */
static unsigned spare_count;
static struct list free_ranges = LIST_INIT(free_ranges);

void kernel_area_init(virt_t dynamic)
{
	stacks = dynamic + STACKS_OFFSET;
	devices = devices_next = dynamic + DEVICE_OFFSET;
	devices_end = dynamic + DEVICE_END;
}

bool stack_guard_hit(virt_t address)
{
	return stacks && address >= stacks && address < stacks + SLOTS_MAX * SLOT_SIZE &&
	       (address - stacks) % SLOT_SIZE < SLOT_SIZE - KERNEL_STACK_SIZE;
}

/* -1: none. */
static long slot_take(void) requires(area_lock)
{
	for (unsigned w = slot_hint; w < ARRAY_SIZE(slots_used); w++) {
		if (slots_used[w] != UINT64_MAX) {
			unsigned bit = (unsigned)__builtin_ctzl(~slots_used[w]);

			slots_used[w] |= 1ul << bit;
			slot_hint = w;
			return (long)(w * 64 + bit);
		}
	}
	return -1;
}

static void slot_return(virt_t stack) requires(area_lock)
{
	unsigned slot = (unsigned)((stack - stacks) / SLOT_SIZE);

	slots_used[slot / 64] &= ~(1ul << slot % 64);
	if (slot / 64 < slot_hint)
		slot_hint = slot / 64;
}

/* Of a stack that never was in use. */
static void stack_unmap(virt_t stack, unsigned pages)
{
	for (unsigned i = 0; i < pages; i++)
		frame_put(phys_frame(kernel_unmap(stack + i * PAGE_SIZE)));
}

/* Unmaps several stacks with one flush. */
static void stacks_unmap(const virt_t *gone, unsigned count)
{
	phys_t frames[SPARE_DROPPED * STACK_PAGES];
	struct flush flush;

	flush.count = 0;
	flush.all = flush.tables = false;
	for (unsigned i = 0; i < count * STACK_PAGES; i++) {
		virt_t page = gone[i / STACK_PAGES] + i % STACK_PAGES * PAGE_SIZE;

		frames[i] = kernel_clear(page);
		flush.addresses[flush.count++] = page;
	}
	flush_kernel(&flush);
	for (unsigned i = 0; i < flush.count; i++)
		frame_put(phys_frame(frames[i]));
	spin_lock(&area_lock);
	for (unsigned i = 0; i < count; i++)
		slot_return(gone[i]);
	spin_unlock(&area_lock);
}

virt_t arch_stack_alloc(void)
{
	virt_t stack = 0;
	long slot = -1;

	spin_lock(&area_lock);
	if (spare_count)
		stack = spare[--spare_count];
	else
		slot = slot_take();
	spin_unlock(&area_lock);
	if (stack || slot < 0)
		return stack;
	stack = stacks + (virt_t)slot * SLOT_SIZE + SLOT_SIZE - KERNEL_STACK_SIZE;
	for (unsigned i = 0; i < STACK_PAGES; i++) {
		struct frame *frame = pages_alloc(0, FRAME_STACK, PAGES_NORMAL);

		if (frame &&
			!kernel_map(stack + i * PAGE_SIZE, frame_phys(frame), PTE_WRITE | PTE_NX))
			continue;
		if (frame)
			frame_put(frame);
		stack_unmap(stack, i);
		spin_lock(&area_lock);
		slot_return(stack);
		spin_unlock(&area_lock);
		return 0;
	}
	return stack;
}

void arch_stack_free(virt_t stack)
{
	virt_t gone[SPARE_DROPPED];
	unsigned count = 0;

	spin_lock(&area_lock);
	if (spare_count == SPARE_STACKS) {
		count = SPARE_DROPPED;
		spare_count -= count;
		memcpy(gone, &spare[spare_count], sizeof(gone));
	}
	spare[spare_count++] = stack;
	spin_unlock(&area_lock);
	if (count)
		stacks_unmap(gone, count);
}

/* Address space for `size` bytes, whole pages: a range given back before, or new. 0: none. */
static virt_t device_take(size_t size)
{
	struct device_range *range, *found = NULL;
	virt_t start = 0;

	spin_lock(&area_lock);
	list_for_each(range, &free_ranges, list)
	{
		if (range->size == size) {
			found = range;
			start = range->start;
			list_remove(&range->list);
			break;
		}
	}
	if (!found && size <= devices_end - devices_next) {
		start = devices_next;
		devices_next += size + PAGE_SIZE; /* a page between, so that overruns fault */
	}
	spin_unlock(&area_lock);
	kfree(found);
	return start;
}

void *arch_map_device(phys_t phys, size_t size, enum map_cache cache)
{
	static const uint64_t flags[] = {[MAP_WRITE_BACK] = 0,
		[MAP_WRITE_COMBINING] = PTE_PWT,
		[MAP_UNCACHED] = PTE_PCD | PTE_PWT};
	phys_t first = ALIGN_DOWN(phys, PAGE_SIZE);
	size_t bytes = ALIGN_UP(phys + size, PAGE_SIZE) - first;
	virt_t at;

	if (!size || phys + size < phys || phys + size - 1 > (cpu_physical_mask | (PAGE_SIZE - 1)))
		return NULL;
	at = device_take(bytes);
	for (size_t offset = 0; at && offset < bytes; offset += PAGE_SIZE) {
		if (kernel_map(at + offset, first + offset, PTE_WRITE | PTE_NX | flags[cache])) {
			while (offset) {
				offset -= PAGE_SIZE;
				kernel_unmap(at + offset);
			}
			return NULL;
		}
	}
	return at ? (void *)(at + (phys - first)) : NULL;
}

void arch_unmap_device(void *p, size_t size)
{
	virt_t first = ALIGN_DOWN((virt_t)p, PAGE_SIZE);
	size_t bytes = ALIGN_UP((virt_t)p + size, PAGE_SIZE) - first;
	struct device_range *range = kmalloc(sizeof(*range));

	for (size_t offset = 0; offset < bytes; offset += PAGE_SIZE)
		kernel_unmap(first + offset);
	if (!range)
		return; /* only address space is lost, of which there is plenty */
	*range = (struct device_range){.start = first, .size = bytes};
	spin_lock(&area_lock);
	list_push_front(&free_ranges, &range->list);
	spin_unlock(&area_lock);
}
