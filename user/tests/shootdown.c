/* SPDX-License-Identifier: MIT */
/*
 * Page tables that change under the feet of other threads, which run on other CPUs if there are any:
 * once the call has returned, nobody may reach the old page, nor write where writing was forbidden.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>

#include "check.h"

#define THREADS 3
#define PAGE    4096
#define WORDS   (PAGE / sizeof(uint64_t))

static _Atomic uint64_t epoch, bad, beats;
static _Atomic bool over;
static _Atomic(volatile uint64_t *) area;
static pthread_t threads[THREADS];

static void *map_at(volatile void *at, size_t size)
{
	return mmap((void *)at, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | (at ? MAP_FIXED : 0), -1, 0);
}

static bool start(void *(*function)(void *))
{
	over = false;
	for (long i = 0; i < THREADS; i++) {
		if (pthread_create(&threads[i], NULL, function, (void *)i))
			return false;
	}
	return true;
}

static void stop(void)
{
	over = true;
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

/* Lets the others run a little, also where there is one CPU. */
static void let_others(void)
{
	uint64_t before = beats;

	for (int i = 0; i < 1000 && beats - before < 50; i++)
		sched_yield();
}

/* ---- A page is replaced: nobody sees the old one ---- */

static void *reader(void *unused)
{
	(void)unused;
	while (!over) {
		uint64_t least = epoch, value = area[7];

		/* 0: the new page before it was written to. */
		if (value && value < least)
			bad++;
		beats++;
	}
	return NULL;
}

static void test_replaced(void)
{
	volatile uint64_t *page = map_at(NULL, PAGE);

	page[7] = epoch = 1;
	area = page;
	bad = 0;
	claim(start(reader), "threads that read a page");
	for (uint64_t round = 2; round < 300; round++) {
		if (map_at(page, PAGE) == MAP_FAILED)
			bad++;
		page[7] = round;
		epoch = round;
		if (round % 8 == 0)
			let_others();
	}
	stop();
	claim_equal((long)bad, 0, "a page mapped over another: nobody reads the old one");
	munmap((void *)page, PAGE);
}

/* ---- Pages are given back while others write to them ---- */

static void *writer(void *which)
{
	uint64_t mark = 0xbad0000 + (uint64_t)(long)which;

	while (!over) {
		for (int page = 0; page < 8; page++)
			area[(size_t)page * WORDS + 1 + (size_t)(long)which] = mark;
		beats++;
	}
	return NULL;
}

/* Fresh pages, which soon are those given back: nothing but what is written here may be in them. */
static bool frames_are_clean(void)
{
	uint64_t *pages = map_at(NULL, 16 * PAGE);
	bool clean = true;

	for (size_t i = 0; i < 16 * WORDS; i += WORDS)
		pages[i] = i + 1;
	let_others();
	for (size_t i = 0; i < 16 * WORDS; i++)
		clean &= pages[i] == (i % WORDS ? 0 : i + 1);
	munmap(pages, 16 * PAGE);
	return clean;
}

static void give_back(const char *name, int (*change)(void *at))
{
	volatile uint64_t *pages = map_at(NULL, 8 * PAGE);
	int dirty = 0, failed = 0;

	area = pages;
	if (!claim(start(writer), "threads that write, %s", name))
		return;
	for (int round = 0; round < 60; round++) {
		failed += change((void *)pages) != 0;
		dirty += !frames_are_clean();
	}
	stop();
	claim_equal(failed, 0, name);
	claim(dirty == 0, "no write reaches a page that was given back, %s", name);
	munmap((void *)pages, 8 * PAGE);
}

static int over_it(void *at)
{
	return map_at(at, 8 * PAGE) == MAP_FAILED;
}

static int dont_need(void *at)
{
	return madvise(at, 8 * PAGE, MADV_DONTNEED);
}

/* ---- Fork: the child's pages are those of that moment ---- */

static void *counter(void *which)
{
	for (uint64_t value = 1; !over; value++) {
		area[(size_t)(long)which] = value;
		beats++;
	}
	return NULL;
}

static int changes_seen(void)
{
	uint64_t before[THREADS];

	for (int i = 0; i < THREADS; i++)
		before[i] = area[i];
	for (int spin = 0; spin < 20; spin++)
		sched_yield();
	for (int i = 0; i < THREADS; i++) {
		if (area[i] != before[i])
			return 1;
	}
	return 0;
}

static void test_fork(void)
{
	int changed = 0, failed = 0;

	area = map_at(NULL, PAGE);
	claim(start(counter), "threads that count");
	for (int round = 0; round < 40; round++) {
		pid_t pid = fork();
		int status = 0;

		if (!pid)
			_exit(changes_seen());
		failed += pid < 0;
		if (pid > 0 && waitpid(pid, &status, 0) == pid && status)
			changed++;
		let_others();
	}
	stop();
	claim_equal(failed, 0, "fork with other threads running");
	claim_equal(changed, 0, "what the parent's threads write is not seen by the child");
	munmap((void *)area, PAGE);
}

/* ---- Write access is taken away: the next write ends the process ---- */

static void *beater(void *which)
{
	for (;;) {
		area[(size_t)(long)which] = 1;
		beats++;
	}
	return NULL;
}

static int role_protected(int argc, char **argv)
{
	int access = argc > 0 && !strcmp(argv[0], "none") ? PROT_NONE : PROT_READ;

	area = map_at(NULL, PAGE);
	if (!start(beater))
		return 1;
	let_others();
	if (mprotect((void *)area, PAGE, access))
		return 2;
	for (int i = 0; i < 5000; i++)
		sleep_ms(20);
	return 3; /* the threads went on writing */
}

static int role_unmapped(int argc, char **argv)
{
	(void)argc, (void)argv;
	area = map_at(NULL, PAGE);
	if (!start(beater))
		return 1;
	let_others();
	if (munmap((void *)area, PAGE))
		return 2;
	for (int i = 0; i < 5000; i++)
		sleep_ms(20);
	return 3;
}

static void test_taken_away(void)
{
	for (int round = 0; round < 4; round++) {
		claim_ended(wait_status(start_role("protected", "read", NULL)), KILLED(SIGSEGV),
			"mprotect to PROT_READ stops the writes of other threads");
		claim_ended(wait_status(start_role("protected", "none", NULL)), KILLED(SIGSEGV),
			"mprotect to PROT_NONE does");
		claim_ended(
			wait_status(start_role("unmapped", NULL)), KILLED(SIGSEGV), "munmap does");
	}
}

static void all(int argc, char **argv)
{
	(void)argc, (void)argv;
	test_replaced();
	give_back("mmap over it", over_it);
	give_back("MADV_DONTNEED", dont_need);
	test_fork();
	test_taken_away();
}

int main(int argc, char **argv)
{
	static const struct role roles[] = {
		{"protected", role_protected}, {"unmapped", role_unmapped}};

	return check_main(argc, argv, roles, COUNT(roles), all);
}
