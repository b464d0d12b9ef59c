/* SPDX-License-Identifier: MIT */
/*
 * PCIDs against a model of a CPU with a tagged TLB: spaces come, change, are used and go, at random
 * (fixed seed), and no translation may ever be stale. The model keeps every entry that the manual
 * lets it keep, and drops some as it likes. What paging.c and entry.S do with the values is done
 * here the same way: with and without page-table isolation, with and without INVPCID.
 */
#include "pcid.h"

#include "arch/fake/test.h"

#define SPACES       10 /* more than slots */
#define TOPS         16 /* places for top tables, used again and again */
#define USER_PAGES   6u
#define KERNEL_PAGES 3u
#define PAGES        (USER_PAGES + KERNEL_PAGES)
#define TAGS         4096
#define STEPS        400000

/* ---- The CPU ---- */

static uint32_t tlb[TAGS][PAGES]; /* what a page translates to; 0: no entry */
static uint64_t cr3, loads, kept_loads, hits;

/* ---- The kernel ---- */

struct space {
	struct tlb_tag pcid;
	bool alive;
	unsigned top;
	uint32_t pages[USER_PAGES];
};

static struct space spaces[SPACES];
static struct space *top_of[TOPS];
static uint32_t kernel_pages[KERNEL_PAGES];
static struct pcid_cpu cpu;
static uint64_t kernel_cr3, user_cr3; /* struct cpu_entry's */
static struct space *current;         /* NULL: the kernel's own tables */
static bool isolated, has_invpcid, in_user;
static uint32_t fresh = 1;

#define KERNEL_TOP UINT64_C(0x100000)

static phys_t top_address(unsigned top)
{
	return 0x200000 + top * UINT64_C(0x2000);
}

static void cr3_write(uint64_t value)
{
	CHECK(!(value & ~CR3_NOFLUSH & ~UINT64_C(0x3fffff)));
	loads++;
	if (value & CR3_NOFLUSH)
		kept_loads++;
	else
		memset(tlb[value & PCID_MASK], 0, sizeof(tlb[0]));
	cr3 = value & ~CR3_NOFLUSH;
}

static void invlpg(unsigned page)
{
	tlb[cr3 & PCID_MASK][page] = 0;
}

static void invpcid(uint64_t pcid, unsigned page)
{
	tlb[pcid][page] = 0;
}

/* The page-table walk from what CR3 says; 0: not present. */
static uint32_t walk(unsigned page)
{
	uint64_t top = cr3 & ~PCID_MASK;
	const struct space *space = NULL;
	bool user_view;

	if (top != KERNEL_TOP) {
		CHECK(top >= top_address(0) && top < top_address(TOPS));
		space = top_of[(top - top_address(0)) / 0x2000];
		CHECK(space); /* a table that was freed */
	}
	user_view = top & 0x1000;
	CHECK(!user_view || isolated);
	if (page >= USER_PAGES)
		return user_view ? 0 : kernel_pages[page - USER_PAGES];
	return space ? space->pages[page] : 0;
}

static uint32_t translate(unsigned page)
{
	uint32_t *entry = &tlb[cr3 & PCID_MASK][page];

	hits += *entry != 0;
	if (!*entry)
		*entry = walk(page);
	return *entry;
}

/* A process or the kernel touches a page: it must get what the tables of the space in use say. */
static void touch(unsigned page)
{
	if (page < USER_PAGES)
		CHECK_EQUAL(translate(page), current ? current->pages[page] : 0);
	else
		CHECK_EQUAL(
			translate(page), isolated && in_user ? 0 : kernel_pages[page - USER_PAGES]);
}

/* ---- As entry.S ---- */

static void enter_kernel(void)
{
	if (in_user && isolated)
		cr3_write(kernel_cr3);
	in_user = false;
}

static void exit_to_user(void)
{
	if (!current)
		return;
	if (isolated) {
		cr3_write(user_cr3);
		user_cr3 |= CR3_NOFLUSH;
	}
	in_user = true;
}

/* ---- As paging.c ---- */

static void use(struct space *space)
{
	phys_t top = space ? top_address(space->top) : KERNEL_TOP;
	struct pcid_load load;

	if (space ? pcid_uses(&cpu, &space->pcid) : !cpu.current)
		return;
	load = pcid_switch(&cpu, space ? &space->pcid : NULL, top,
		isolated && space ? top + 0x1000 : 0, user_cr3);
	kernel_cr3 = load.kernel & ~CR3_NOFLUSH;
	user_cr3 = load.user;
	cr3_write(load.now);
	kernel_cr3 = load.kernel;
	current = space;
}

static void flush(struct space *space, unsigned page)
{
	if (pcid_catch_up(&cpu, &space->pcid, pcid_change(&space->pcid)) == PCID_MISSED_NOTHING)
		return;
	invlpg(page);
	if (isolated && has_invpcid)
		invpcid((cr3 & PCID_MASK) | PCID_USER, page);
	else if (isolated)
		user_cr3 &= ~CR3_NOFLUSH;
}

static void change(struct space *space, unsigned page, uint32_t to)
{
	uint32_t old = space->pages[page];

	space->pages[page] = to;
	if (old)
		flush(space, page);
}

static void change_kernel(unsigned page)
{
	kernel_pages[page - USER_PAGES] = fresh++;
	invlpg(page);
	pcid_kernel_changed(&cpu);
	if (isolated)
		user_cr3 &= ~CR3_NOFLUSH;
}

static void create(struct space *space)
{
	memset(space, 0, sizeof(*space));
	do
		space->top = (unsigned)test_random(TOPS);
	while (top_of[space->top]);
	top_of[space->top] = space;
	space->alive = true;
	pcid_space_init(&space->pcid);
}

/* Its pages are unmapped one by one, and nobody uses it any more. */
static void destroy(struct space *space)
{
	for (unsigned page = 0; page < USER_PAGES; page++) {
		if (space->pages[page])
			change(space, page, 0);
	}
	if (current == space)
		use(NULL);
	top_of[space->top] = NULL;
	space->alive = false;
}

static void start(bool isolation, bool invpcid_too)
{
	isolated = isolation;
	has_invpcid = invpcid_too;
	cr3 = kernel_cr3 = user_cr3 = KERNEL_TOP;
	for (unsigned i = 0; i < KERNEL_PAGES; i++)
		kernel_pages[i] = fresh++;
}

static void step(void)
{
	struct space *space = &spaces[test_random(SPACES)];
	unsigned page = (unsigned)test_random(USER_PAGES);
	uint64_t kind = test_random(100);

	if (kind < 60) {
		touch((unsigned)test_random(PAGES));
		return;
	}
	if (kind < 70) {
		exit_to_user();
		return;
	}
	enter_kernel();
	if (kind < 71)
		memset(tlb[test_random(2) * PCID_USER + test_random(PCID_SLOTS + 1)], 0,
			sizeof(tlb[0]));
	else if (kind < 72)
		change_kernel(USER_PAGES + (unsigned)test_random(KERNEL_PAGES));
	else if (!space->alive)
		create(space);
	else if (kind < 73)
		destroy(space);
	else if (kind < 74)
		use(NULL);
	else if (kind < 88)
		use(space);
	else
		change(test_random(2) && current ? current : space, page,
			test_random(4) ? fresh++ : 0);
}

static void run(bool isolation, bool invpcid_too)
{
	start(isolation, invpcid_too);
	for (unsigned i = 0; i < STEPS; i++)
		step();
	CHECK(hits > STEPS / 10);       /* it is a TLB, and */
	CHECK(kept_loads > loads / 10); /* entries do outlive switches */
}

static void test_plain(void)
{
	run(false, false);
}

static void test_isolated(void)
{
	run(true, false);
}

static void test_isolated_invpcid(void)
{
	run(true, true);
}

/* As many spaces as slots take turns without a flush; one more, and the oldest one goes. */
static void test_slots(void)
{
	start(false, false);
	for (unsigned i = 0; i <= PCID_SLOTS; i++)
		create(&spaces[i]);
	for (unsigned i = 0; i < PCID_SLOTS; i++)
		use(&spaces[i]);
	CHECK_EQUAL(kept_loads, 0);
	for (unsigned i = 0; i < 10 * PCID_SLOTS; i++) {
		use(&spaces[i % PCID_SLOTS]);
		CHECK_EQUAL(cr3 & PCID_MASK, i % PCID_SLOTS + 1);
	}
	CHECK_EQUAL(kept_loads, 10 * PCID_SLOTS);
	use(&spaces[PCID_SLOTS]);
	CHECK_EQUAL(cr3 & PCID_MASK, 1);
	use(&spaces[1]);
	CHECK_EQUAL(kept_loads, 10 * PCID_SLOTS + 1);
	use(&spaces[0]);
	CHECK_EQUAL(kept_loads, 10 * PCID_SLOTS + 1);
}

/* The values themselves. */
static void test_values(void)
{
	struct pcid_load load;
	struct tlb_tag a, b;

	memset(&cpu, 0, sizeof(cpu));
	pcid_space_init(&a);
	pcid_space_init(&b);
	CHECK(a.context && a.context != b.context);
	load = pcid_switch(&cpu, &a, 0x5000, 0x6000, 0x1000);
	CHECK_EQUAL(load.now, 0x5001);
	CHECK_EQUAL(load.kernel, 0x5001 | CR3_NOFLUSH);
	CHECK_EQUAL(load.user, 0x6801);
	load = pcid_switch(&cpu, &b, 0x8000, 0, load.user | CR3_NOFLUSH);
	CHECK_EQUAL(load.now, 0x8002);
	CHECK_EQUAL(load.user, 0x8002 | CR3_NOFLUSH);
	load = pcid_switch(&cpu, &a, 0x5000, 0x6000, load.user);
	CHECK_EQUAL(load.now, 0x5001 | CR3_NOFLUSH);
	CHECK_EQUAL(load.user, 0x6801 | CR3_NOFLUSH);
	/* The user's view was not entered before the next switch: its flush is still to come. */
	load = pcid_switch(&cpu, NULL, 0x1000, 0, load.user & ~CR3_NOFLUSH);
	CHECK(load.now == 0x1000 && load.kernel == 0x1000 && load.user == 0x1000);
	load = pcid_switch(&cpu, &a, 0x5000, 0x6000, load.user);
	CHECK_EQUAL(load.now, 0x5001 | CR3_NOFLUSH);
	CHECK_EQUAL(load.user, 0x6801);
	/* Changed while it was not in use. */
	pcid_switch(&cpu, NULL, 0x1000, 0, load.user | CR3_NOFLUSH);
	CHECK_EQUAL(pcid_catch_up(&cpu, &a, pcid_change(&a)), PCID_MISSED_NOTHING);
	load = pcid_switch(&cpu, &a, 0x5000, 0x6000, 0x1000);
	CHECK_EQUAL(load.now, 0x5001);
	CHECK_EQUAL(load.user, 0x6801);
	/* In use, the caller flushes it: nothing is to be done at the next switch. */
	CHECK_EQUAL(pcid_catch_up(&cpu, &a, pcid_change(&a)), PCID_MISSED_THIS);
	pcid_switch(&cpu, NULL, 0x1000, 0, load.user | CR3_NOFLUSH);
	load = pcid_switch(&cpu, &a, 0x5000, 0x6000, 0x1000);
	CHECK_EQUAL(load.now, 0x5001 | CR3_NOFLUSH);
	CHECK_EQUAL(load.user, 0x6801 | CR3_NOFLUSH);
}

int main(void)
{
	RUN(test_values);
	RUN(test_slots);
	RUN(test_plain);
	RUN(test_isolated);
	RUN(test_isolated_invpcid);
	return test_result();
}
