/* SPDX-License-Identifier: MIT */
/*
 * Isolation: Alice runs while Eve tries every one of her roles. Each role must end by the signal
 * that Linux gives; Alice must still be there after each, make progress while `eve loop` keeps the
 * CPU, and find her memory as she left it in every turn (she ends with 3 otherwise, see
 * demos/alice.c). And two processes that use the same addresses never see each other's bytes.
 */
#include <sched.h>
#include <sys/mman.h>

#include "check.h"

#define ALICE_TURN_MS 50 /* demos/alice.c */
#define SHARED_PLACE  ((unsigned long *)0x30000000)
#define SHARED_WORDS  8192
#define BOTH_MS       400
#define SOON_MS       120000 /* a machine may be held up; without preemption they would never come */

static const struct attack {
	const char *role, *target;
	int expected; /* wait status */
} attacks[] = {
	{"peek", "alice", KILLED(SIGSEGV)},
	{"peek", "kernel", KILLED(SIGSEGV)},
	{"peek", "memory", KILLED(SIGSEGV)},
	{"peek", "0", KILLED(SIGSEGV)},
	{"poke", "alice", KILLED(SIGSEGV)},
	{"poke", "kernel", KILLED(SIGSEGV)},
	{"poke", "memory", KILLED(SIGSEGV)},
	{"forge", NULL, EXITED(0)},
	{"smash", NULL, KILLED(SIGSEGV)},
	{"rewrite", NULL, KILLED(SIGSEGV)},
	{"inject", NULL, KILLED(SIGSEGV)},
	{"cli", NULL, KILLED(SIGSEGV)},
	{"sti", NULL, KILLED(SIGSEGV)},
	{"hlt", NULL, KILLED(SIGSEGV)},
	{"lgdt", NULL, KILLED(SIGSEGV)},
	{"lidt", NULL, KILLED(SIGSEGV)},
	{"ltr", NULL, KILLED(SIGSEGV)},
	{"cr0", NULL, KILLED(SIGSEGV)},
	{"cr3", NULL, KILLED(SIGSEGV)},
	{"cr4", NULL, KILLED(SIGSEGV)},
	{"rdmsr", NULL, KILLED(SIGSEGV)},
	{"wrmsr", NULL, KILLED(SIGSEGV)},
	{"invlpg", NULL, KILLED(SIGSEGV)},
	{"wbinvd", NULL, KILLED(SIGSEGV)},
	{"swapgs", NULL, KILLED(SIGSEGV)},
	{"sysret", NULL, KILLED(SIGSEGV)},
	{"in", NULL, KILLED(SIGSEGV)},
	{"out", NULL, KILLED(SIGSEGV)},
	{"int", NULL, KILLED(SIGSEGV)},
};

/* One of the demos: beside this program (in a build folder) or in /bin. */
static pid_t start_demo(const char *name, const char *a, const char *b)
{
	char *argv[] = {(char *)name, (char *)a, (char *)b, NULL};
	char path[4096];
	pid_t pid = spawn(beside(name, path, sizeof path), argv, environ);

	if (pid == -ENOENT) {
		snprintf(path, sizeof path, "/bin/%s", name);
		pid = spawn(path, argv, environ);
	}
	if (pid < 0) {
		printf("# cannot start %s: %s\n", path, strerror(-pid));
		exit(97);
	}
	return pid;
}

static void kill_and_reap(pid_t pid, const char *name)
{
	kernel_call(SYS_kill, pid, SIGKILL);
	claim_ended(wait_status(pid), KILLED(SIGKILL), name);
}

/* Alice's 10 turns take half a second; with Eve in the way at most a few times that. */
static void preemption(void)
{
	pid_t eve = start_demo("eve", "loop", NULL), another = start_demo("eve", "loop", NULL);
	int64_t before = now_ns(), took;

	claim_ended(wait_status(start_demo("alice", "10", "quiet")), EXITED(0),
		"Alice makes 10 turns while two Eves never yield");
	took = (now_ns() - before) / 1000000;
	if (!claim(took >= 10 * ALICE_TURN_MS && took < SOON_MS, "and each turn comes soon"))
		printf("# 10 turns took %lld ms\n", (long long)took);
	kill_and_reap(eve, "the first Eve looped until she was killed");
	kill_and_reap(another, "the second too");
}

static void attack_all(void)
{
	pid_t alice = start_demo("alice", "100000", "quiet");
	char name[64];

	sleep_ms(2 * ALICE_TURN_MS);
	for (size_t i = 0; i < COUNT(attacks); i++) {
		const struct attack *a = &attacks[i];
		int status = wait_status(start_demo("eve", a->role, a->target));

		snprintf(name, sizeof name, "eve %s%s%s", a->role, a->target ? " " : "",
			a->target ? a->target : "");
		claim_ended(status, a->expected, name);
		claim_result(kernel_call(SYS_wait4, alice, NULL, WNOHANG), 0, "Alice still runs");
	}
	sleep_ms(3 * ALICE_TURN_MS); /* she looks at her memory at least once more */
	claim_result(
		kernel_call(SYS_wait4, alice, NULL, WNOHANG), 0, "Alice's memory was not touched");
	kill_and_reap(alice, "Alice lived until now");
}

/* Fills a place with a word of its own and sees nothing else there, while another does the same. */
static int keep_place(int argc, char **argv)
{
	unsigned long mine = strtoul(argv[0], NULL, 0), *place;
	int64_t until = now_ns() + BOTH_MS * 1000000l;

	place = mmap(SHARED_PLACE, SHARED_WORDS * sizeof *place, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	for (unsigned long round = 0; now_ns() < until; round++) {
		for (size_t i = 0; i < SHARED_WORDS; i++)
			place[i] = mine + round + i;
		sched_yield();
		for (size_t i = 0; i < SHARED_WORDS; i++) {
			if (place[i] != mine + round + i)
				return 1;
		}
	}
	return 0;
}

static void same_addresses(void)
{
	pid_t pids[3];

	for (int i = 0; i < 3; i++)
		pids[i] = start_role(
			"place", (const char *[]){"0x10", "0xa000000000", "-1"}[i], NULL);
	for (int i = 0; i < 3; i++)
		claim_ended(wait_status(pids[i]), EXITED(0), "same addresses, other bytes");
}

static void all(int argc, char **argv)
{
	preemption();
	attack_all();
	same_addresses();
}

int main(int argc, char **argv)
{
	static const struct role roles[] = {{"place", keep_place}};

	return check_main(argc, argv, roles, COUNT(roles), all);
}
