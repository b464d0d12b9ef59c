/* SPDX-License-Identifier: MIT */
/* What /proc/sys/vm limits: mappings, promises of memory, low addresses, who goes when there is none. */
#include "sysctl.h"

static void map_count(void)
{
	size_t count = 0;
	char *at = mmap(NULL, 1000 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	WANT(at != MAP_FAILED);
	set("vm/max_map_count", "100");
	while (count < 500 && !mprotect(at + 2 * count * PAGE, PAGE, PROT_READ))
		count++;
	WANT(count > 10 && count < 51 && errno == ENOMEM);
	WANT(mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_ANONYMOUS, -1, 0) !=
		MAP_FAILED); /* one more, as Linux counts */
	WANT(mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_ANONYMOUS, -1, 0) ==
			MAP_FAILED &&
		errno == ENOMEM);
	set("vm/max_map_count", "65530");
	for (; count < 500; count++)
		WANT_IS(mprotect(at + 2 * count * PAGE, PAGE, PROT_READ), 0);
}

static bool can_map(uint64_t size, int flags)
{
	void *at = mmap(
		NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	if (at != MAP_FAILED)
		WANT_IS(munmap(at, size), 0);
	else
		WANT_IS(errno, ENOMEM);
	return at != MAP_FAILED;
}

static uint64_t meminfo(const char *name)
{
	static char text[8192];
	int fd = open("/proc/meminfo", O_RDONLY);
	ssize_t got = read(fd, text, sizeof text - 1);
	const char *line;

	WANT(got > 0);
	text[got] = '\0';
	close(fd);
	line = strstr(text, name);
	WANT(line);
	return strtoul(line + strlen(name) + 1, NULL, 10) * 1024;
}

static void overcommit(void)
{
	uint64_t limit;

	set("vm/overcommit_memory", "1");
	WANT(can_map(UINT64_C(1) << 40, 0));
	set("vm/overcommit_memory", "0");
	WANT(!can_map(UINT64_C(1) << 40, 0));
	WANT(can_map(UINT64_C(1) << 40, MAP_NORESERVE));
	set("vm/overcommit_kbytes", "204800");
	want_value("vm/overcommit_ratio", "0");
	WANT_IS(meminfo("CommitLimit"), 200 * MIB);
	set("vm/overcommit_memory", "2");
	limit = meminfo("CommitLimit") - meminfo("Committed_AS");
	WANT(can_map(limit - 16 * MIB, 0));
	WANT(!can_map(limit + MIB, 0));
	WANT(!can_map(limit + MIB, MAP_NORESERVE)); /* which is not heeded then */
	WANT(mmap(NULL, limit - 16 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		     0) != MAP_FAILED);
	WANT(fork() < 0 && errno == ENOMEM); /* nor is there as much once more */
	set("vm/overcommit_memory", "0");
	set("vm/overcommit_ratio", "50");
	want_value("vm/overcommit_kbytes", "0");
	WANT_ENDS(start(sync), 0);
}

static void *map_at(uintptr_t address, int flags)
{
	return mmap((void *)address, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

static void map_low(void)
{
	WANT(become_nobody());
	WANT(map_at(0x30000, MAP_FIXED) == MAP_FAILED && errno == EPERM);
	WANT(map_at(0x40000, MAP_FIXED) == (void *)0x40000);
	WANT_IS(munmap((void *)0x40000, PAGE), 0);
	WANT(map_at(0x20000, 0) == (void *)0x40000); /* a hint is moved up */
}

static void mmap_min_addr(void)
{
	set("vm/mmap_min_addr", "262144");
	WANT_ENDS(start(map_low), 0);
	WANT(map_at(0x30000, MAP_FIXED) == (void *)0x30000); /* root may */
	set("vm/mmap_min_addr", "65536");
}

/* Touches memory until there is none, or all of it, and then waits. */
static volatile bool *is_large;
static uint64_t large_size;

static void use_memory(void)
{
	uint64_t size = large_size;
	char *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	WANT(at != MAP_FAILED);
	for (uint64_t i = 0; i < size; i += PAGE)
		at[i] = 1;
	*is_large = true;
	just_wait();
}

/* Of a large process that does not ask for more, and one that asks until there is none, the latter goes. */
static void who_asks_goes(void)
{
	pid_t large;

	set("vm/oom_kill_allocating_task", "1");
	is_large = shared_memory(PAGE);
	large_size = meminfo("MemAvailable") * 5 / 8;
	large = start(use_memory);
	while (!*is_large)
		WANT_IS(usleep(1000), 0);
	large_size *= 2;
	WANT_ENDS(start(use_memory), KILLED(SIGKILL));
	WANT_IS(waitpid(large, NULL, WNOHANG), 0);
	end(large);
	set("vm/oom_kill_allocating_task", "0");
}

const struct test_case memory_cases[MEMORY_CASES] = {
	CASE(map_count, "vm.max_map_count: ENOMEM"),
	CASE(overcommit, "vm.overcommit_*: what may be promised"),
	CASE(mmap_min_addr, "vm.mmap_min_addr: EPERM below"),
	CASE(who_asks_goes, "vm.oom_kill_allocating_task: who asks is killed"),
};
