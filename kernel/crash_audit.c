/* SPDX-License-Identifier: MIT */
/*
 * Crimes against the kernel's own books, for tests of the audit (audit.c); in the debug build alone. Each breaks one invariant
 * of process 1, whose program is loaded and has not started, and the audit that follows must name it. `leak` is other:
 * pages that nobody has, which no invariant forbids, and which memview shows.
 */
#include "crash.h"

#include "arch/arch.h"
#include "audit.h"
#include "files/table.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/pages.h"
#include "memory/slab.h"
#include "memory/space_internal.h"
#include "process/process.h"

#define LEAKED 64u

/* A page of the stack, which is private, writable and there: its entry. */
static uintptr_t own_page(struct arch_mapping *found)
{
	struct space *space = current_space();
	uintptr_t at = ALIGN_DOWN(space->arguments, PAGE_SIZE);

	if (!arch_lookup(&space->arch, at, found))
		panic("crash: the page of the arguments is not there");
	return at;
}

/* Where the stack begins, far below what is there of it. */
static uintptr_t stack_start(void)
{
	return vma_find(current_space(), current_space()->arguments)->start;
}

static void map(uintptr_t address, phys_t phys, unsigned access)
{
	if (arch_map(&current_space()->arch, address, phys, access))
		panic("crash: no memory for a page table");
}

static void lose_reference(void)
{
	struct arch_mapping found;

	own_page(&found);
	/* two processes have it, says the one, and one, says the other */
	map(stack_start(), found.phys, MAP_READ);
	current_space()->resident[RESIDENT_ANON]++;
}

static void map_twice(void)
{
	struct arch_mapping found;

	own_page(&found);
	map(stack_start(), found.phys, MAP_READ);
}

static void map_stray(void)
{
	struct arch_mapping found;

	own_page(&found);
	map(USER_MIN, found.phys, MAP_READ);
}

static void free_mapped(void)
{
	struct arch_mapping found;

	own_page(&found);
	frame_put(phys_frame(found.phys));
}

static void map_kernel(void)
{
	map(stack_start(), arch_ptr_to_phys(current_space()->arch.table), MAP_READ);
}

static void allow_more(void)
{
	struct arch_mapping found;
	uintptr_t at = own_page(&found);

	map(at, found.phys, MAP_READ | MAP_WRITE | MAP_EXECUTE);
}

static void share_writable(void)
{
	struct arch_mapping found;

	own_page(&found);
	frame_get(phys_frame(found.phys));
}

static void cut_link(void)
{
	current_space()->first->next->prev = NULL;
}

static void miscount_space(void)
{
	current_space()->pages++;
}

static void miscount_threads(void)
{
	current_process()->thread_count++;
}

static void put_file(void)
{
	current_thread()->files->slots->file[0]->references = 1; /* three descriptors lead to it */
}

static void write_freed(void)
{
	char *object = kmalloc(64);

	if (!object)
		panic("crash: no memory");
	kfree(object);
	__asm__("" : "+r"(object));
	memset(object, 0, 64);
}

static void lose_pages(void)
{
	for (unsigned i = 0; i < LEAKED; i++) {
		struct frame *frame = pages_alloc(0, FRAME_ANON, PAGES_ZERO);

		if (!frame)
			panic("crash: no memory");
		log_info("crash=leak: nobody has page frame %lu", frame_phys(frame) / PAGE_SIZE);
	}
}

/* The page that this function lies in. */
static void allow_writing_code(void)
{
	arch_allow_all((const void *)ALIGN_DOWN((uintptr_t)allow_writing_code, PAGE_SIZE));
}

static const struct {
	const char *name;
	void (*commit)(void);
} crimes[] = {
	{"audit-reference", lose_reference},
	{"audit-twice", map_twice},
	{"audit-stray", map_stray},
	{"audit-free", free_mapped},
	{"audit-kernel", map_kernel},
	{"audit-access", allow_more},
	{"audit-writable", share_writable},
	{"audit-links", cut_link},
	{"audit-space", miscount_space},
	{"audit-threads", miscount_threads},
	{"audit-file", put_file},
	{"audit-object", write_freed},
	{"audit-code", allow_writing_code},
	{"leak", lose_pages},
};

bool crash_audit(const char *crime)
{
	int error;

	for (size_t i = 0; i < ARRAY_SIZE(crimes); i++) {
		if (strcmp(crimes[i].name, crime))
			continue;
		crimes[i].commit();
		error = audit_all();
		if (error || strcmp(crime, "leak"))
			log_error("crash=%s: the audit found nothing (%d)", crime, -error);
		return true;
	}
	return false;
}
