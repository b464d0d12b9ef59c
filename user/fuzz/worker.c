/* SPDX-License-Identifier: MIT */
/*
 * A worker: a process whose threads make the calls of their streams. Nothing here uses the C library's state: a call may
 * have taken FS's base, the descriptors or the heap away.
 */
#include "worker.h"

#include <linux/capability.h>
#include <linux/sched.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "fuzz.h"
#include "tests/check.h"
#include "values.h"

#define THREAD_STACK      UINT64_C(0x38000000)
#define THREAD_STACK_SIZE (16 * PAGE)
#define CHILD_CALLS       5   /* that a forked child makes before it ends */
#define ERRNO_MOST        133 /* EHWPOISON; what is above is the kernel's own business */

static const struct epoch *epoch;
static unsigned worker;

void worker_handler(int signal)
{
	(void)signal;
}

static void end(int status)
{
	for (;;)
		kernel_call(SYS_exit_group, status);
}

/* ---- Surroundings ---- */

static void map(uint64_t address, uint64_t size, int protection, int flags)
{
	kernel_call(SYS_mmap, address, size, protection,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | flags, -1, 0);
}

static uint8_t *thread_slots(unsigned thread)
{
	return (uint8_t *)(SLOTS_BASE + thread * SLOTS_STRIDE);
}

static void make_memory(void)
{
	for (unsigned thread = 0; thread < epoch->threads; thread++) {
		for (unsigned i = 0; i < SLOTS; i++)
			map((uint64_t)(uintptr_t)thread_slots(thread) + i * SLOT_STRIDE,
				SLOT_PAGES * PAGE, PROT_READ | PROT_WRITE, 0);
	}
	map(READ_ONLY, PAGE, PROT_READ, 0);
	map(THREAD_STACK, THREAD_STACK_SIZE, PROT_READ | PROT_WRITE, 0);
}

static void make_descriptors(void)
{
	static const int pairs[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
	static const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "s0"};
	uint64_t signals = 1u << (SIGUSR2 - 1);
	int pair[2], unlocked = 0, fd;

	kernel_call(SYS_close_range, 0, ~0u, 0);
	for (int i = 0; i < 3; i++)
		kernel_call(SYS_open, "/dev/null", O_RDWR);
	kernel_call(SYS_open, BASE "/f0", O_RDWR);
	kernel_call(SYS_open, BASE "/d0", O_RDONLY | O_DIRECTORY);
	kernel_call(SYS_pipe2, pair, O_NONBLOCK);
	for (size_t i = 0; i < COUNT(pairs); i++)
		kernel_call(SYS_socketpair, AF_UNIX, pairs[i] | SOCK_NONBLOCK, 0, pair);
	kernel_call(SYS_eventfd2, 1, O_NONBLOCK);
	kernel_call(SYS_epoll_create1, 0);
	kernel_call(SYS_timerfd_create, CLOCK_MONOTONIC, O_NONBLOCK);
	kernel_call(SYS_signalfd4, -1, &signals, 8, O_NONBLOCK);
	fd = (int)kernel_call(SYS_open, "/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK);
	kernel_call(SYS_ioctl, fd, 0x40045431, &unlocked);
	kernel_call(SYS_ioctl, fd, 0x5441, O_RDWR | O_NOCTTY | O_NONBLOCK);
	kernel_call(SYS_open, "/dev/zero", O_RDWR);
	kernel_call(SYS_open, "/dev/urandom", O_RDWR);
	kernel_call(SYS_open, BASE "/f1", O_RDWR | O_APPEND);
	kernel_call(SYS_open, BASE "/p0", O_RDWR | O_NONBLOCK);
	kernel_call(SYS_open, "/proc/self/maps", O_RDONLY);
	kernel_call(SYS_open, "/proc/self/mem", O_RDWR);
	kernel_call(SYS_pidfd_open, kernel_call(SYS_getpid), 0);
	fd = (int)kernel_call(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	kernel_call(SYS_bind, fd, &address, sizeof(address));
	kernel_call(SYS_listen, fd, 4);
	kernel_call(SYS_open, BASE, O_PATH);
}

static void make_handlers(void)
{
	struct kernel_action action = {
		(uintptr_t)worker_handler, SA_RESTORER_FLAG, (uintptr_t)invoke_restorer, 0};

	for (int signal = 1; signal <= 64; signal++) {
		if (signal != SIGSEGV && signal != SIGBUS && signal != SIGILL && signal != SIGFPE)
			kernel_call(SYS_rt_sigaction, signal, &action, NULL, 8);
	}
}

/* What calls use up or take away, made anew. */
static void refresh(unsigned thread)
{
	static const uint64_t none[3] = {0, 2 /* SS_DISABLE */, 0};
	uint64_t no_signals = 0;

	if (thread == 0) {
		map(SCRATCH, SCRATCH_SIZE, PROT_READ | PROT_WRITE, 0);
		kernel_call(SYS_munmap, MAP_AREA, 4 * MAP_SIZE);
		map(MAP_AREA, MAP_SIZE / 2, PROT_READ | PROT_WRITE, 0);
		kernel_call(SYS_brk, 0);
		kernel_call(SYS_chdir, BASE);
		make_descriptors();
	}
	kernel_call(SYS_sigaltstack, none, NULL);
	kernel_call(SYS_rt_sigprocmask, SIG_SETMASK, &no_signals, NULL, 8);
}

/* ---- Rights ---- */

/* All but what would let it end the machine, the supervisor or other workers, stop the log, use all memory, or leave
 * its root. */
static uint64_t privileges(void)
{
	static const uint8_t without[] = {CAP_KILL, CAP_SYS_MODULE, CAP_SYS_RAWIO, CAP_SYS_PTRACE,
		CAP_SYS_BOOT, CAP_SYS_RESOURCE, CAP_SYS_CHROOT, CAP_SYS_TTY_CONFIG, CAP_SYSLOG,
		CAP_SETFCAP, CAP_MAC_ADMIN, CAP_MAC_OVERRIDE};
	uint64_t all = (UINT64_C(1) << 41) - 1;

	for (size_t i = 0; i < COUNT(without); i++)
		all &= ~(UINT64_C(1) << without[i]);
	return all;
}

static void set_limits(void)
{
	static const struct {
		int which;
		uint64_t most;
	} limits[] = {{RLIMIT_AS, 48u << 20}, {RLIMIT_FSIZE, 256u << 10}, {RLIMIT_NOFILE, 64},
		{RLIMIT_NPROC, 40}, {RLIMIT_CORE, 64u << 10}, {RLIMIT_SIGPENDING, 100},
		{RLIMIT_MEMLOCK, 4u << 20}};

	for (size_t i = 0; i < COUNT(limits); i++) {
		uint64_t limit[2] = {limits[i].most, limits[i].most};

		kernel_call(SYS_prlimit64, 0, limits[i].which, limit, NULL);
	}
}

/* Before its calls. Told on the shared page: any exit status may be one that a random exit gives. */
static void unfit(long result)
{
	struct progress *progress = &epoch->progress[worker * epoch->threads];

	progress->number = SYS_capset;
	progress->result = (uint64_t)result;
	strncpy(progress->why, "the worker could not give up its rights",
		sizeof(progress->why) - 1);
	progress->failed = true;
	end(1);
}

/* Each worker is a user of its own, so that they can neither kill nor debug each other. */
static void become(enum rights rights)
{
	int id = 1000 + (int)worker;
	uint64_t own = rights == RIGHTS_SOME ? privileges() : 0;
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {{(uint32_t)own, (uint32_t)own, 0},
		{(uint32_t)(own >> 32), (uint32_t)(own >> 32), 0}};
	long result;

	kernel_call(SYS_setsid);
	kernel_call(SYS_chroot, BASE);
	kernel_call(SYS_chdir, "/");
	set_limits();
	kernel_call(SYS_prctl, PR_SET_KEEPCAPS, 1);
	kernel_call(SYS_setgroups, 0, NULL);
	kernel_call(SYS_setresgid, id, id, id);
	kernel_call(SYS_setresuid, id, id, id);
	result = kernel_call(SYS_capset, &header, data);
	if (result != 0 || kernel_call(SYS_getuid) != id)
		unfit(result);
	kernel_call(SYS_prctl, PR_SET_DUMPABLE, 1);
}

/* ---- Calls ---- */

static uint64_t seed_of(unsigned stream, uint32_t index)
{
	uint64_t seed = random_mix(epoch->seed + UINT64_C(0x9e3779b97f4a7c15));

	seed = random_mix(seed ^ (epoch->number << 8 | stream));
	return random_mix(seed + index);
}

static const char *result_judge(const struct call *call, long result)
{
	if (result >= 0)
		return NULL;
	if (result < -4095)
		return call->number == SYS_lseek ? NULL : "the result is neither one nor an errno";
	if (result < -ERRNO_MOST)
		return "the errno is none that user space may see";
	return NULL;
}

/* What the call's descriptor leads to, for the report. */
static void name_descriptor(struct progress *progress, const struct request *request)
{
	char path[] = "/proc/self/fd/\0\0\0\0";
	uint64_t fd = request->words[0];
	size_t length = strlen(path);
	long got;

	if (request->call->kinds[0] != KIND_FD || fd > 99)
		return;
	if (fd > 9)
		path[length++] = (char)('0' + fd / 10);
	path[length] = (char)('0' + fd % 10);
	got = kernel_call(
		SYS_readlink, path, progress->descriptor, sizeof(progress->descriptor) - 1);
	progress->descriptor[got > 0 ? got : 0] = 0;
}

static void fail(
	struct progress *progress, const struct request *request, long result, const char *why)
{
	memcpy(progress->words, request->words, sizeof(progress->words));
	progress->number = request->call->number;
	progress->result = (uint64_t)result;
	strncpy(progress->why, why, sizeof(progress->why) - 1);
	request_tell(request, progress);
	name_descriptor(progress, request);
	progress->failed = true;
	end(99);
}

/* One call, judged. child: in a process that the stream has forked, whose tracer may change its registers. */
static void call_once(struct stream *stream, struct progress *progress, bool child)
{
	static const char changed_text[] = "a register was changed by the call: 0x";
	struct request request;
	uint64_t words[7], changed;
	const char *why;
	long result;

	request_make(stream, &request, call_pick(&stream->random));
	if (!child)
		progress->number = request.call->number;
	words[0] = request.call->number |
		   (random_one_in(&stream->random, 16) ? random_next(&stream->random) << 32 : 0);
	memcpy(words + 1, request.words, sizeof(request.words));
	result = invoke(words, &changed);
	if (request.call->number == SYS_fork && result == 0) {
		if (child)
			end(0);
		stream->self = (int)kernel_call(SYS_getpid);
		for (int i = 0; i < CHILD_CALLS; i++)
			call_once(stream, progress, true);
		end(0);
	}
	if (result > 1 && (request.call->number == SYS_fork || request.call->number == SYS_clone))
		stream->child = (int)result;
	why = result_judge(request.call, result);
	if (!why)
		why = request_judge(stream, &request);
	if (!why && changed && !child && request.call->number != SYS_rt_sigreturn)
		why = changed_text;
	if (why)
		fail(progress, &request, why == changed_text ? (long)changed : result, why);
}

static void stream_run(unsigned thread)
{
	unsigned number = worker * epoch->threads + thread;
	struct progress *progress = &epoch->progress[number];
	struct stream stream = {.slots = thread_slots(thread)};
	uint32_t first = progress->next;

	stream.self = stream.child = (int)kernel_call(SYS_getpid);
	progress->tid = (int)kernel_call(SYS_gettid);
	refresh(thread);
	for (uint32_t i = first; i < epoch->calls; i++) {
		if (i != first && i % REFRESH_CALLS == 0)
			refresh(thread);
		if (i != first && thread == 0 && i % LIFE_CALLS == 0)
			end(0);
		stream.random.state = seed_of(number, i);
		progress->next = i + 1;
		call_once(&stream, progress, false);
	}
	for (;;)
		kernel_call(SYS_exit, 0);
}

void worker_run(const struct epoch *of, unsigned index)
{
	struct random random = {random_mix(of->seed ^ of->number << 8 ^ index)};

	epoch = of;
	worker = index;
	become(random_one_in(&random, 4) ? RIGHTS_SOME : RIGHTS_NONE);
	make_memory();
	make_handlers();
	for (unsigned thread = 1; thread < epoch->threads; thread++)
		invoke_thread(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
				      CLONE_SYSVSEM,
			(void *)(THREAD_STACK + thread * THREAD_STACK_SIZE / (THREADS_MOST - 1)),
			stream_run, thread);
	stream_run(0);
	__builtin_unreachable();
}
