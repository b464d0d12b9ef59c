/* SPDX-License-Identifier: MIT */
/*
 * The victim: another user's process, which shares the machine with the attacks. It keeps a secret in
 * private memory at a known address, and has a thread on each CPU that counts, once a millisecond. When
 * asked it says what hash its memory has. That its counters move shows that every CPU still serves it.
 */
#include "attacks/attack.h"

#include <pthread.h>
#include <sched.h>

#define PATIENCE_MS 100000 /* a machine that is busy may be slow; one that is not answers at once */

static uint64_t expected_hash;
static bool gone;

static uint64_t hash_of(const volatile uint64_t *words, size_t count)
{
	uint64_t hash = 0xcbf29ce484222325; /* FNV-1a, by words */

	for (size_t i = 0; i < count; i++)
		hash = (hash ^ words[i]) * 0x100000001b3;
	return hash;
}

static uint64_t *secret_memory(void)
{
	uint64_t *words = mmap((void *)VICTIM_SECRET, SECRET_PAGES * PAGE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	if (words == MAP_FAILED)
		return NULL;
	for (size_t i = 0; i < SECRET_PAGES * PAGE / 8; i++)
		words[i] = shared->secret[i % SECRET_WORDS];
	return words;
}

/* A turn: the secret is in the FPU's registers while it sleeps. */
static void sleep_with_secret(void)
{
	__asm__ volatile("movdqu %0, %%xmm7; movdqu %0, %%xmm15"
			 :
			 : "m"(*(const char(*)[16])shared->secret)
			 : "xmm7", "xmm15");
	kernel_call(SYS_nanosleep, &(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void *counts(void *argument)
{
	unsigned number = (unsigned)(uintptr_t)argument;

	for (;;) {
		shared->counters[number]++;
		sleep_with_secret();
	}
	return NULL;
}

static unsigned start_threads(void)
{
	cpu_set_t all, one;
	unsigned started = 0;
	pthread_t thread;

	CPU_ZERO(&all);
	sched_getaffinity(0, sizeof all, &all);
	for (int cpu = 0; cpu < CPU_SETSIZE && started < COUNT(shared->counters); cpu++) {
		if (!CPU_ISSET(cpu, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		if (pthread_create(&thread, NULL, counts, (void *)(uintptr_t)started) != 0)
			break;
		pthread_setaffinity_np(thread, sizeof one, &one);
		started++;
	}
	return started;
}

static __attribute__((noreturn)) void be_victim(void)
{
	uint64_t *words = secret_memory();

	setpgid(0, 0);
	become(stranger(VICTIM));
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!words)
		_exit(1);
	shared->counting = start_threads();
	for (;;) {
		if (shared->answered != shared->asked) {
			shared->hash = hash_of(words, SECRET_PAGES * PAGE / 8);
			__atomic_store_n(&shared->answered, shared->asked, __ATOMIC_RELEASE);
		}
		sleep_with_secret();
	}
}

/* Once it has ended, it has for good. */
static bool is_gone(void)
{
	gone = gone || waitpid(shared->victim, NULL, WNOHANG) != 0;
	return gone;
}

static bool ask(void)
{
	uint64_t question = shared->asked + 1;

	shared->asked = question;
	for (int i = 0; i < PATIENCE_MS && !is_gone(); i++) {
		if (__atomic_load_n(&shared->answered, __ATOMIC_ACQUIRE) == question)
			return true;
		sleep_ms(1);
	}
	return false;
}

void victim_start(void)
{
	pid_t victim;

	if (kernel_call(SYS_getrandom, shared->secret, sizeof shared->secret, 0) !=
		(long)sizeof shared->secret)
		exit(2);
	victim = fork();
	if (victim == 0)
		be_victim();
	shared->victim = victim;
	gone = false;
	if (victim < 0 || !ask() || shared->counting == 0) {
		printf("Bail out! there is no victim\n");
		exit(2);
	}
	expected_hash = shared->hash;
}

void victim_end(void)
{
	kill(shared->victim, SIGKILL);
	wait_status(shared->victim);
}

bool victim_counts(void)
{
	uint64_t before[COUNT(shared->counters)];
	unsigned moved = 0;

	memcpy(before, (const void *)shared->counters, sizeof before);
	for (int i = 0; i < PATIENCE_MS; i++) {
		for (; moved < shared->counting && shared->counters[moved] != before[moved];)
			moved++;
		if (moved == shared->counting)
			return true;
		sleep_ms(1);
	}
	return false;
}

bool victim_lives(char *reason, size_t size)
{
	bool answers = ask();

	if (is_gone()) /* it may have been ending when it was asked */
		snprintf(reason, size, "the victim is gone");
	else if (!answers)
		snprintf(reason, size, "the victim does not answer");
	else if (shared->hash != expected_hash)
		snprintf(reason, size, "the victim's memory has changed");
	else if (!victim_counts())
		snprintf(reason, size, "the victim makes no more progress on every CPU");
	else
		return true;
	return false;
}
