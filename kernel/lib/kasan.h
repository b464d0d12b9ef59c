/* SPDX-License-Identifier: MIT */
/* Memory that may be touched and memory that may not, in builds with -Dkasan=true; else nothing. See kasan.c. */
#ifndef LIB_KASAN_H
#define LIB_KASAN_H

#include "lib/types.h"

#ifndef BATON_KASAN
#define BATON_KASAN 0
#endif

/* Why memory may not be touched; the numbers are the shadow's, above those of a granule allowed in part. */
enum kasan_why {
	KASAN_PAGE = 0xff,     /* a page that was freed */
	KASAN_PAST_END = 0xfc, /* behind an object */
	KASAN_FREED = 0xfb,    /* an object that was freed */
	KASAN_FRESH = 0xfa,    /* an object that was never given out */
};

#if BATON_KASAN

/* Memory below `top` is watched from here on: what is freed from now. Once, when pages can be allocated. */
void kasan_init(phys_t top);
/* Memory in the direct map, aligned to 8 bytes: may be touched, `size` bytes of it; may not. Any context. */
void kasan_allow(const void *at, size_t size);
void kasan_forbid(const void *at, size_t size, enum kasan_why why);
/* For what the compiler does not see: panics unless all of it may be touched. Any address. */
void kasan_check(uintptr_t at, size_t size, bool write);

#else

static inline void kasan_init(phys_t top)
{
	(void)top;
}

static inline void kasan_allow(const void *at, size_t size)
{
	(void)at;
	(void)size;
}

static inline void kasan_forbid(const void *at, size_t size, enum kasan_why why)
{
	(void)at;
	(void)size;
	(void)why;
}

static inline void kasan_check(uintptr_t at, size_t size, bool write)
{
	(void)at;
	(void)size;
	(void)write;
}

#endif
#endif
