/* SPDX-License-Identifier: MIT */
/*
 * Memory touched that may not be, found at run time, in builds with -Dkasan=true.
 *
 * The problem. A read of an object that was freed, or of the bytes behind one, goes through, and what it
 * makes of them is seen much later or never; the debug build finds writes alone, and when the memory is next used.
 *
 * The design. GCC's -fsanitize=kernel-address, with a call instead of code in place, calls one of the functions
 * below before each access (their names are the compiler's, as libsanitizer and Linux have them). For each 8 bytes of RAM
 * a byte of shadow tells what may be touched: 0 all, 1 to 7 so many of the first, above that nothing (enum kasan_why).
 * The shadow of 4 MiB stands in 512 KiB of pages, found through a table; RAM beyond it, and addresses outside the direct
 * map (the image, stacks, devices), are not watched. The allocators say what may be touched: pages from their being freed to
 * their being given out, objects of slabs from the slab's start; an object of kmalloc ends where was asked for, not where its
 * class does. So that what was freed is not given out at once, caches give out what is in their front last (slab.c).
 *
 * What is found is a panic: the access, the object and the way there. The mem* functions and the copies from and
 * to user memory are assembler, so their kernel side is checked by a call.
 *
 * Invariants. slab.c, slab_audit.c and this file are compiled without the checks: they alone touch free
 * objects. No lock: who frees or gets memory owns its shadow; a race for it is what is looked for.
 */
#include "lib/kasan.h"

#include "arch/arch.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/pages.h"
#include "memory/slab.h"

#define GRANULE     8u
#define CHUNK_SHIFT 22 /* 4 MiB: the shadow is a block of order 7 */
#define CHUNK_ORDER (CHUNK_SHIFT - 3 - PAGE_SHIFT)
#define CHUNK_MASK  (((phys_t)1 << CHUNK_SHIFT) - 1)
#define CHUNKS_MOST 16384u /* 64 GiB */

static uint8_t *chunks[CHUNKS_MOST]; /* NULL: not watched */
static phys_t watched;               /* below it there may be a chunk; 0: nothing is watched */

void kasan_init(phys_t top)
{
	phys_t at, end = ALIGN_UP(top, CHUNK_MASK + 1);

	if (end > (phys_t)CHUNKS_MOST << CHUNK_SHIFT)
		end = (phys_t)CHUNKS_MOST << CHUNK_SHIFT;
	for (at = 0; at < end; at += CHUNK_MASK + 1) {
		struct frame *frame = pages_alloc(CHUNK_ORDER, FRAME_USED, PAGES_ZERO);

		if (!frame)
			break;
		chunks[at >> CHUNK_SHIFT] = frame_ptr(frame);
	}
	watched = at;
	log_info("kasan: accesses to %lu MiB of memory are checked", at >> 20);
}

/* NULL: not watched. */
static inline uint8_t *shadow_of(uintptr_t at)
{
	phys_t phys = at - arch_direct_map;
	uint8_t *chunk;

	if (phys >= watched)
		return NULL;
	chunk = chunks[phys >> CHUNK_SHIFT];
	return chunk ? chunk + (phys & CHUNK_MASK) / GRANULE : NULL;
}

static void set_shadow(uintptr_t at, size_t size, uint8_t value)
{
	for (uintptr_t end = at + size; at < end; at += GRANULE) {
		uint8_t *shadow = shadow_of(at);

		if (shadow)
			*shadow = value;
	}
}

void kasan_allow(const void *at, size_t size)
{
	size_t part = size % GRANULE;

	set_shadow((uintptr_t)at, size - part, 0);
	if (part)
		set_shadow((uintptr_t)at + size - part, GRANULE, (uint8_t)part);
}

void kasan_forbid(const void *at, size_t size, enum kasan_why why)
{
	set_shadow((uintptr_t)at, size, (uint8_t)why);
}

/* The first byte of [at, at + size) that may not be touched; 0: all may. */
static uintptr_t first_forbidden(uintptr_t at, size_t size)
{
	for (uintptr_t end = at + size; at < end; at = (at | (GRANULE - 1)) + 1) {
		const uint8_t *shadow = shadow_of(at);
		uint8_t may = shadow ? *shadow : 0;
		uintptr_t granule = at & ~(uintptr_t)(GRANULE - 1), last = granule + GRANULE - 1;

		if (shadow && !(at % (GRANULE * GRANULE)) && end - at >= GRANULE * GRANULE &&
			!*(const uint64_t *)(const void *)shadow) {
			at += GRANULE * (GRANULE - 1); /* eight granules at once */
			continue;
		}
		if (last >= end)
			last = end - 1;
		if (may >= GRANULE)
			return at;
		if (may && last - granule >= may)
			return at - granule >= may ? at : granule + may;
	}
	return 0;
}

static const char *words(uint8_t why)
{
	switch (why) {
	case KASAN_PAGE:
		return "a freed page";
	case KASAN_FREED:
		return "a freed object";
	case KASAN_FRESH:
		return "an object never given out";
	default:
		return "past the end of an object";
	}
}

static COLD NORETURN void forbidden(
	uintptr_t at, size_t size, bool write, uintptr_t bad, const void *by)
{
	uint8_t why = *shadow_of(bad);
	struct slab_place place;

	watched = 0; /* what follows may look at anything */
	if (slab_place((const void *)bad, &place))
		panic("kasan: %s of %zu bytes at %#lx by %p: %s: byte %u of a %s of %u bytes",
			write ? "write" : "read", size, at, by, words(why), place.offset,
			place.name, place.size);
	panic("kasan: %s of %zu bytes at %#lx by %p: %s", write ? "write" : "read", size, at, by,
		words(why));
}

static inline void check(uintptr_t at, size_t size, bool write, const void *by)
{
	uintptr_t bad = first_forbidden(at, size);

	if (unlikely(bad))
		forbidden(at, size, write, bad, by);
}

/* Most accesses are small, lie in one granule, and are allowed. */
static inline void check_small(uintptr_t at, size_t size, bool write, const void *by)
{
	const uint8_t *shadow = shadow_of(at);

	if (likely(!shadow || (!*shadow && at % GRANULE + size <= GRANULE)))
		return;
	check(at, size, write, by);
}

void kasan_check(uintptr_t at, size_t size, bool write)
{
	check(at, size, write, __builtin_return_address(0));
}

/* ---- What the compiler calls ---- */

#define ACCESS(size)                                                       \
	void __asan_load##size##_noabort(uintptr_t at);                    \
	void __asan_load##size##_noabort(uintptr_t at)                     \
	{                                                                  \
		check_small(at, size, false, __builtin_return_address(0)); \
	}                                                                  \
	void __asan_store##size##_noabort(uintptr_t at);                   \
	void __asan_store##size##_noabort(uintptr_t at)                    \
	{                                                                  \
		check_small(at, size, true, __builtin_return_address(0));  \
	}

ACCESS(1)
ACCESS(2)
ACCESS(4)
ACCESS(8)
ACCESS(16)

void __asan_loadN_noabort(uintptr_t at, size_t size);
void __asan_loadN_noabort(uintptr_t at, size_t size)
{
	check(at, size, false, __builtin_return_address(0));
}

void __asan_storeN_noabort(uintptr_t at, size_t size);
void __asan_storeN_noabort(uintptr_t at, size_t size)
{
	check(at, size, true, __builtin_return_address(0));
}

/* Stacks are not watched, so there is nothing to clear. */
void __asan_handle_no_return(void);
void __asan_handle_no_return(void)
{
}

/* ---- The functions of memory.S, which has them under other names in this build ---- */

void *plain_memcpy(void *restrict to, const void *restrict from, size_t size);
void *plain_memmove(void *to, const void *from, size_t size);
void *plain_memset(void *at, int byte, size_t size);
int plain_memcmp(const void *a, const void *b, size_t size);

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	check((uintptr_t)from, size, false, __builtin_return_address(0));
	check((uintptr_t)to, size, true, __builtin_return_address(0));
	return plain_memcpy(to, from, size);
}

void *memmove(void *to, const void *from, size_t size)
{
	check((uintptr_t)from, size, false, __builtin_return_address(0));
	check((uintptr_t)to, size, true, __builtin_return_address(0));
	return plain_memmove(to, from, size);
}

void *memset(void *at, int byte, size_t size)
{
	check((uintptr_t)at, size, true, __builtin_return_address(0));
	return plain_memset(at, byte, size);
}

int memcmp(const void *a, const void *b, size_t size)
{
	check((uintptr_t)a, size, false, __builtin_return_address(0));
	check((uintptr_t)b, size, false, __builtin_return_address(0));
	return plain_memcmp(a, b, size);
}
