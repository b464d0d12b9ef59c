/* SPDX-License-Identifier: MIT */
/*
 * Shootdown against a model of several CPUs: each is a thread of the host with a tagged TLB of its own,
 * which keeps every entry that the manual lets it keep. They switch between spaces, go lazy, access
 * pages, map other frames and flush, unmap kernel pages, make spaces and end them, all at once.
 *
 * What is checked, at each access: the frame that the TLB (or the walk) gives still belongs to that
 * page of that space, and the tables walked are those of a space that is alive. A frame or a space
 * is marked as gone by whoever changed it as soon as the flush has returned. So a CPU that was forgotten
 * is found out. An interrupt is only taken between two steps, or where a CPU spins.
 */
#include "tlb.h"

#include <pthread.h>
#include <sched.h>

#include "arch/fake/test.h"
#include "cpu.h"
#include "devices/console.h"
#include "ipi.h"
#include "lapic.h"
#include "paging.h"
#include "process/cpu.h"

#define CPUS         4
#define SPACES       5 /* more than CPUs; with PCIDs */
#define PAGES        6u
#define KERNEL_PAGES 4u
#define ALL_PAGES    (PAGES + KERNEL_PAGES)
#define TAGS         4096
#define FRAMES       4096u
#define STEPS        25000
#define KERNEL_TOP   UINT64_C(0x1000)
#define TOP(i)       (UINT64_C(0x100000) + (uint64_t)(i)*0x2000)

struct model_space {
	struct arch_space arch;
	uint32_t lock, users; /* threads that run in it */
	bool alive;
	uint32_t pages[PAGES]; /* frames */
};

struct cpu *cpus[CPUS_MAX];
bool cpu_has[CPU_FEATURES];
struct thread *fake_thread;
struct cpu *fake_cpu;

static struct model_space spaces[SPACES];
static uint32_t kernel_pages[KERNEL_PAGES];
static uint32_t owners[FRAMES]; /* 0: nobody; else space * 100 + page + 1 */
static uint32_t next_frame, kernel_lock;
static bool isolated, pcids;

static __thread struct model_cpu {
	struct cpu cpu;
	struct cpu_entry entry;
	uint32_t (*tlb)[ALL_PAGES];
	uint64_t cr3, random;
	struct model_space *space; /* of the thread that runs; NULL: a kernel thread */
	uint64_t hits, accesses;
} self;

static uint64_t total_hits, total_accesses;

/* ---- The machine ---- */

struct cpu *model_this_cpu(void)
{
	return &self.cpu;
}

void model_pause(void)
{
	sched_yield();
	if (__atomic_load_n(&self.entry.calls, __ATOMIC_RELAXED))
		arch_serve_calls();
}

void cr3_write(uint64_t value)
{
	if (!pcids)
		memset(self.tlb[0], 0, sizeof(self.tlb[0]));
	else if (!(value & CR3_NOFLUSH))
		memset(self.tlb[value & PCID_MASK], 0, sizeof(self.tlb[0]));
	self.cr3 = value & ~CR3_NOFLUSH;
}

uint64_t cr4_read(void)
{
	return 0;
}

void cr4_write(uint64_t value)
{
	CHECK_EQUAL(value, CR4_PCIDE);
}

void invlpg(virt_t address)
{
	self.tlb[pcids ? self.cr3 & PCID_MASK : 0][address / PAGE_SIZE] = 0;
}

void invpcid_address(uint64_t pcid, virt_t address)
{
	self.tlb[pcid][address / PAGE_SIZE] = 0;
}

void lapic_send(uint32_t id, uint32_t command)
{
	CHECK(id < CPUS && command == (ICR_FIXED | VECTOR_CALL)); /* it looks by itself */
}

void lapic_eoi(void)
{
}

void log_panic_mode(void)
{
}

void cpu_kicked(void)
{
}

void arch_halt(void)
{
	abort();
}

ns_t arch_clock(void)
{
	return 0;
}

void entry_use_pcid(struct cpu_entry *entry)
{
	(void)entry;
}

bool paging_isolated(void)
{
	return isolated;
}

phys_t paging_kernel_top(void)
{
	return KERNEL_TOP;
}

/* ---- Accesses ---- */

static uint64_t random_below(uint64_t limit)
{
	return check_random(&self.random) % limit;
}

static uint32_t walk(unsigned page)
{
	uint64_t top = self.cr3 & ~PCID_MASK;
	struct model_space *space;

	if (page >= PAGES)
		return __atomic_load_n(&kernel_pages[page - PAGES], __ATOMIC_ACQUIRE);
	if (top == KERNEL_TOP)
		return 0;
	space = &spaces[(top - TOP(0)) / 0x2000];
	CHECK(__atomic_load_n(&space->alive, __ATOMIC_ACQUIRE)); /* else tables that were freed */
	return __atomic_load_n(&space->pages[page], __ATOMIC_ACQUIRE);
}

static uint32_t translate(unsigned page)
{
	uint32_t *entry = &self.tlb[pcids ? self.cr3 & PCID_MASK : 0][page];

	self.accesses++;
	self.hits += *entry != 0;
	if (!*entry)
		*entry = walk(page);
	return *entry;
}

static void touch(unsigned page)
{
	uint32_t frame = translate(page);
	uint32_t owner =
		page >= PAGES ? 10000 + page : (uint32_t)(self.space - spaces) * 100 + page + 1;

	CHECK_EQUAL(__atomic_load_n(&owners[frame], __ATOMIC_ACQUIRE), owner);
}

/* As entry.S leaves for user mode and comes back, with a few accesses in between. */
static void visit_user(void)
{
	if (isolated) {
		cr3_write(self.entry.user_cr3);
		self.entry.user_cr3 |= pcids ? CR3_NOFLUSH : 0;
	}
	for (int i = 0; i < 4; i++)
		touch((unsigned)random_below(PAGES));
	if (isolated)
		cr3_write(self.entry.kernel_cr3);
}

/* ---- Changes ---- */

static void lock(uint32_t *lock)
{
	while (__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE))
		model_pause();
}

static void unlock(uint32_t *lock)
{
	__atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

static uint32_t new_frame(uint32_t owner)
{
	for (;;) {
		uint32_t frame =
			1 + __atomic_fetch_add(&next_frame, 1, __ATOMIC_RELAXED) % (FRAMES - 1);
		uint32_t nobody = 0;

		if (__atomic_compare_exchange_n(&owners[frame], &nobody, owner, false,
			    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			return frame;
	}
}

static void free_frame(uint32_t frame)
{
	__atomic_store_n(&owners[frame], 0, __ATOMIC_RELEASE);
}

static uint32_t replace(struct model_space *space, unsigned page)
{
	uint32_t owner = (uint32_t)(space - spaces) * 100 + page + 1;

	return __atomic_exchange_n(&space->pages[page], new_frame(owner), __ATOMIC_RELEASE);
}

static void change(struct model_space *space)
{
	uint32_t gone[PAGES];
	struct flush flush = {.space = &space->arch};
	unsigned page = (unsigned)random_below(PAGES), kind = (unsigned)random_below(4);

	lock(&space->lock);
	if (!space->alive) {
		unlock(&space->lock);
		return;
	}
	flush.count = kind < 2 ? 1 : 1 + (unsigned)random_below(PAGES - 1);
	flush.all = kind == 3;
	for (unsigned i = 0; i < flush.count; i++) {
		flush.addresses[i] = (page + i) % PAGES * PAGE_SIZE;
		gone[i] = replace(space, (page + i) % PAGES);
	}
	if (kind == 0)
		flush_page(&space->arch, flush.addresses[0]);
	else
		flush_batch(&flush);
	for (unsigned i = 0; i < flush.count; i++)
		free_frame(gone[i]);
	unlock(&space->lock);
}

static void change_kernel(void)
{
	unsigned page = (unsigned)random_below(KERNEL_PAGES);
	struct flush flush = {.count = 1, .addresses = {(PAGES + page) * PAGE_SIZE}};
	uint32_t gone;

	lock(&kernel_lock);
	gone = __atomic_exchange_n(
		&kernel_pages[page], new_frame(10000 + PAGES + page), __ATOMIC_RELEASE);
	flush_kernel(&flush);
	free_frame(gone);
	unlock(&kernel_lock);
}

/* ---- Threads and spaces ---- */

static void create(struct model_space *space)
{
	memset(&space->arch, 0, sizeof(space->arch));
	space->arch.top = TOP(space - spaces);
	pcid_space_init(&space->arch.tag);
	for (unsigned page = 0; page < PAGES; page++)
		replace(space, page);
	__atomic_store_n(&space->alive, true, __ATOMIC_RELEASE);
}

static void go_to(struct model_space *space)
{
	if (space) {
		lock(&space->lock);
		if (!space->alive) {
			unlock(&space->lock);
			return;
		}
		space->users++;
		unlock(&space->lock);
	}
	if (self.space)
		__atomic_fetch_sub(&self.space->users, 1, __ATOMIC_ACQ_REL);
	self.space = space;
	tlb_switch(&self.entry, space ? &space->arch : NULL);
}

/* Ends a space in which nobody runs, or makes it anew. */
static void end(struct model_space *space)
{
	lock(&space->lock);
	if (!space->alive) {
		create(space);
	} else if (!__atomic_load_n(&space->users, __ATOMIC_ACQUIRE)) {
		tlb_space_leave(&space->arch);
		__atomic_store_n(&space->alive, false, __ATOMIC_RELEASE);
		for (unsigned page = 0; page < PAGES; page++)
			free_frame(space->pages[page]);
	}
	unlock(&space->lock);
}

static void step(void)
{
	uint64_t kind = random_below(100);
	struct model_space *space = &spaces[random_below(SPACES)];

	if (kind < 40 && self.space)
		visit_user();
	else if (kind < 55 && self.space)
		touch((unsigned)random_below(PAGES));
	else if (kind < 70)
		touch(PAGES + (unsigned)random_below(KERNEL_PAGES));
	else if (kind < 75)
		translate((unsigned)random_below(PAGES)); /* a lazy CPU may speculate */
	else if (kind < 82)
		change(space);
	else if (kind < 84)
		change_kernel();
	else if (kind < 86)
		end(space);
	else
		go_to(random_below(3) ? space : NULL);
	if (random_below(3) == 0)
		model_pause(); /* an interrupt */
}

static uint32_t arrived, finished;

static void *run_cpu(void *index)
{
	self = (struct model_cpu){.random = (uint64_t)index + 77, .cr3 = KERNEL_TOP};
	self.tlb = calloc(TAGS, sizeof(*self.tlb));
	self.cpu.index = self.cpu.apic_id = (unsigned)(uintptr_t)index;
	self.cpu.entry = &self.entry;
	self.entry.bit = cpu_bit(&self.cpu);
	self.entry.isolation = isolated;
	self.entry.kernel_cr3 = self.entry.user_cr3 = KERNEL_TOP;
	cpus[self.cpu.index] = &self.cpu;
	if (pcids)
		tlb_use_pcid();
	__atomic_fetch_add(&arrived, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&arrived, __ATOMIC_ACQUIRE) < CPUS)
		sched_yield();
	for (unsigned i = 0; i < STEPS; i++)
		step();
	go_to(NULL);
	__atomic_fetch_add(&finished, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&finished, __ATOMIC_ACQUIRE) < CPUS)
		model_pause(); /* the others may still ask */
	__atomic_fetch_add(&total_hits, self.hits, __ATOMIC_RELAXED);
	__atomic_fetch_add(&total_accesses, self.accesses, __ATOMIC_RELAXED);
	free(self.tlb);
	return NULL;
}

static void run(bool isolation, bool with_pcids, bool invpcid)
{
	pthread_t threads[CPUS];

	isolated = isolation;
	pcids = with_pcids;
	cpu_has[CPU_INVPCID] = invpcid;
	cpus_up = (1u << CPUS) - 1;
	for (unsigned i = 0; i < SPACES; i++)
		create(&spaces[i]);
	for (unsigned i = 0; i < KERNEL_PAGES; i++)
		kernel_pages[i] = new_frame(10000 + PAGES + i);
	for (uintptr_t i = 0; i < CPUS; i++)
		CHECK(!pthread_create(&threads[i], NULL, run_cpu, (void *)i));
	for (unsigned i = 0; i < CPUS; i++)
		pthread_join(threads[i], NULL);
	CHECK(total_hits > total_accesses / 10);
}

static void test_plain(void)
{
	run(false, false, false);
}

static void test_isolated(void)
{
	run(true, false, false);
}

static void test_pcid(void)
{
	run(false, true, false);
}

static void test_pcid_isolated(void)
{
	run(true, true, false);
}

static void test_pcid_isolated_invpcid(void)
{
	run(true, true, true);
}

int main(void)
{
	RUN(test_plain);
	RUN(test_isolated);
	RUN(test_pcid);
	RUN(test_pcid_isolated);
	RUN(test_pcid_isolated_invpcid);
	return test_result();
}
