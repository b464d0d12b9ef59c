/* SPDX-License-Identifier: MIT */
/* The supervisor: epochs, one after the other. See fuzz.h. */
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "fuzz.h"
#include "tests/check.h"

#define TICK_NS    2000000 /* between two looks at the workers */
#define POKE_TICKS 4       /* a stream that has not got on for so long gets a signal */
#define KILL_TICKS 16      /* ... and its worker SIGKILL */
#define STUCK \
	INT64_C(120000000000) /* ns without anything by anybody: the kernel has lost somebody */
#define SAID_CALLS 200000u    /* between two lines */

struct worker {
	pid_t pid; /* 0: none */
	uint32_t seen[THREADS_MOST];
	unsigned waited[THREADS_MOST];
};

static struct {
	uint64_t ends, signals,
		kills; /* of workers: by themselves; that were poked; that had to be */
} counts;

static struct epoch epoch;
static struct worker workers[STREAMS_MOST];

static unsigned streams(void)
{
	return epoch.workers * epoch.threads;
}

/* ---- One epoch ---- */

static bool is_done(unsigned worker)
{
	for (unsigned i = 0; i < epoch.threads; i++) {
		if (epoch.progress[worker * epoch.threads + i].next < epoch.calls)
			return false;
	}
	return true;
}

static void start(unsigned index)
{
	struct worker *worker = &workers[index];

	*worker = (struct worker){.pid = fork()};
	if (worker->pid == 0)
		worker_run(&epoch, index);
	if (worker->pid < 0)
		world_fail("fork of a worker");
}

static void say_bytes(const char *before, const uint8_t *bytes, unsigned count)
{
	printf("%s", before);
	for (unsigned i = 0; i < count; i++)
		printf(" %02x", bytes[i]);
}

static void say_failure(unsigned stream)
{
	const struct progress *progress = &epoch.progress[stream];

	printf("not ok fuzz: seed %lu, epoch %lu (--from %lu), stream %u of %u, call %d: system "
	       "call %u(%#lx, %#lx, "
	       "%#lx, %#lx, %#lx, %#lx) = %ld: %s%s%s\n",
		(unsigned long)epoch.seed, (unsigned long)epoch.number,
		(unsigned long)(epoch.number * EPOCH_CALLS), stream, streams(),
		(int)progress->next - 1, progress->number, (unsigned long)progress->words[0],
		(unsigned long)progress->words[1], (unsigned long)progress->words[2],
		(unsigned long)progress->words[3], (unsigned long)progress->words[4],
		(unsigned long)progress->words[5], (long)progress->result, progress->why,
		progress->descriptor[0] ? "; descriptor: " : "", progress->descriptor);
	if (progress->changed) {
		printf("# from byte %u on:", progress->changed_at);
		say_bytes(" was", progress->was, progress->changed);
		say_bytes(", is", progress->is, progress->changed);
		printf("\n");
	}
	exit(1);
}

static void reap(void)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
		for (unsigned i = 0; i < epoch.workers; i++) {
			if (workers[i].pid != pid)
				continue;
			if (WIFSTOPPED(status)) { /* it has asked to be traced */
				kill(pid, SIGKILL);
				continue;
			}
			counts.ends++;
			workers[i].pid = 0;
		}
	}
}

/* A worker's threads that stand still are woken up, or it is ended. */
static bool look_at(unsigned index)
{
	struct worker *worker = &workers[index];
	bool moved = false;

	for (unsigned i = 0; i < epoch.threads; i++) {
		struct progress *progress = &epoch.progress[index * epoch.threads + i];

		if (progress->failed)
			say_failure(index * epoch.threads + i);
		if (progress->next != worker->seen[i]) {
			worker->seen[i] = progress->next;
			worker->waited[i] = 0;
			moved = true;
		} else if (++worker->waited[i] % KILL_TICKS == 0) {
			kill(worker->pid, SIGKILL);
			counts.kills++;
		} else if (worker->waited[i] % POKE_TICKS == 0 && progress->next < epoch.calls) {
			kill(worker->pid, SIGCONT);
			kernel_call(SYS_tgkill, worker->pid, progress->tid, SIGUSR1);
			counts.signals++;
		}
	}
	return moved;
}

static void supervise(void)
{
	int64_t moved = now_ns();
	sigset_t child;
	unsigned running;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	do {
		running = 0;
		reap();
		for (unsigned i = 0; i < epoch.workers; i++) {
			if (!workers[i].pid && !is_done(i))
				start(i);
			running += workers[i].pid != 0;
			if (workers[i].pid && look_at(i))
				moved = now_ns();
		}
		if (now_ns() - moved > STUCK)
			world_fail("no worker gets on, nor ends");
		if (running)
			sigtimedwait(&child, NULL, &(struct timespec){.tv_nsec = TICK_NS});
	} while (running);
	for (unsigned i = 0; i < streams(); i++) {
		if (epoch.progress[i].failed)
			say_failure(i);
	}
}

/* So many workers and threads as the seed says; together they make EPOCH_CALLS calls. */
static void run_epoch(uint64_t number)
{
	struct random random = {random_mix(epoch.seed) + number};

	epoch.number = number;
	epoch.workers = 2u << random_below(&random, 3);
	epoch.threads = 1u << random_below(&random, 2);
	epoch.calls = EPOCH_CALLS / streams();
	memset(epoch.progress, 0, STREAMS_MOST * sizeof(*epoch.progress));
	memset(workers, 0, sizeof workers);
	world_make();
	supervise();
	world_clear();
}

/* ---- All of them ---- */

static void say(uint64_t calls, int64_t begun, uint64_t first)
{
	int64_t ms = (now_ns() - begun) / 1000000;

	printf("checkpoint: %lu calls; %lu a second; workers ended %lu times, %lu signals, %lu "
	       "killed\n",
		(unsigned long)calls,
		(unsigned long)((calls - first) * 1000 / (uint64_t)(ms ? ms : 1)),
		(unsigned long)counts.ends, (unsigned long)counts.signals,
		(unsigned long)counts.kills);
	fflush(stdout);
}

static void run_all(uint64_t from, uint64_t calls)
{
	int64_t begun = now_ns();
	bool audited = true;

	for (uint64_t done = from; done < calls;) {
		struct sched_param first = {.sched_priority = sched_get_priority_max(SCHED_FIFO)};

		sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK,
			&first); /* a worker may have changed it */
		run_epoch(done / EPOCH_CALLS);
		audited = world_audit(done / EPOCH_CALLS, false) && audited;
		done += EPOCH_CALLS;
		if (done % SAID_CALLS == 0 || done >= calls)
			say(done, begun, from);
	}
	if (!audited)
		printf("# this kernel has no /proc/baton/audit\n");
	printf("ok fuzz: %lu calls, seed %lu\n", (unsigned long)(calls - from),
		(unsigned long)epoch.seed);
}

static uint64_t rounded(const char *word)
{
	return (strtoull(word, NULL, 0) + EPOCH_CALLS - 1) / EPOCH_CALLS * EPOCH_CALLS;
}

int main(int argc, char **argv)
{
	uint64_t calls = 0, from = 0;
	sigset_t child;

	epoch.seed = 1;
	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--calls") == 0)
			calls = rounded(argv[i + 1]);
		else if (strcmp(argv[i], "--from") == 0)
			from = rounded(argv[i + 1]);
		else if (strcmp(argv[i], "--seed") == 0)
			epoch.seed = strtoull(argv[i + 1], NULL, 0);
	}
	if (!calls) /* perhaps executed by a worker */
		return 2;
	if (getuid() != 0 || getppid() != 1) {
		printf("fuzz: only for a machine of its own, as root, as the child of process 1\n");
		return 2;
	}
	epoch.progress = mmap(NULL, STREAMS_MOST * sizeof(*epoch.progress), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (epoch.progress == MAP_FAILED)
		world_fail("mmap");
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	world_init(argv[0]);
	run_all(from, calls);
	return 0;
}
