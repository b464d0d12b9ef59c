/* SPDX-License-Identifier: MIT */
/* /proc/PID: map_files, numa_maps, clear_refs, timers, attr: what is told of mappings one by one, and of timers. */
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "procfs.h"

#define PAGE 4096ul

static char text[65536];

/* ---- map_files ---- */

static char *map_file(const char *name, int protection, int flags, size_t size)
{
	int fd = open(name, flags == MAP_SHARED ? O_RDWR : O_RDONLY);
	char *area;

	WANT(fd >= 0);
	area = mmap(NULL, size, protection, flags, fd, 0);
	WANT(area != MAP_FAILED);
	close(fd);
	return area;
}

static char *name_of(const void *area, size_t size)
{
	static char name[96];

	snprintf(name, sizeof name, "map_files/%lx-%lx", (unsigned long)area,
		(unsigned long)area + size);
	return name;
}

static void make_file(char *name, size_t size)
{
	int fd = mkstemp(name);

	WANT(fd >= 0);
	WANT_IS(ftruncate(fd, (long)size), 0);
	WANT_IS(write(fd, "content", 7), 7);
	close(fd);
}

static unsigned mode_of(const char *name)
{
	char path[160];
	struct stat st;

	snprintf(path, sizeof path, "/proc/self/%s", name);
	WANT_IS(lstat(path, &st), 0);
	WANT_IS(st.st_size, 64);
	return st.st_mode;
}

static void mapped_files(void)
{
	char name[] = "/tmp/map-files-XXXXXX", deleted[64], bytes[8] = "";
	char *shared, *private;
	int fd;

	make_file(name, 4 * PAGE);
	shared = map_file(name, PROT_READ | PROT_WRITE, MAP_SHARED, 2 * PAGE);
	private = map_file(name, PROT_READ, MAP_PRIVATE, 3 * PAGE);
	WANT(proc_link(0, name_of(shared, 2 * PAGE), text, sizeof text) > 0);
	WANT(strcmp(text, name) == 0);
	WANT_IS(mode_of(name_of(shared, 2 * PAGE)), S_IFLNK | 0600);
	WANT_IS(mode_of(name_of(private, 3 * PAGE)), S_IFLNK | 0400);
	WANT_IS(proc_link(0, name_of(shared, PAGE), text, sizeof text), -ENOENT);
	WANT_IS(proc_link(0, name_of(shared + PAGE, PAGE), text, sizeof text), -ENOENT);
	WANT_IS(proc_link(0, "map_files/nothing", text, sizeof text), -ENOENT);
	WANT_IS(proc_link(0, "map_files/1000-", text, sizeof text), -ENOENT);
	snprintf(text, sizeof text, "map_files/0%s", name_of(shared, 2 * PAGE) + 10);
	WANT_IS(proc_link(0, text, text + 256, sizeof text - 256), -ENOENT);
	unlink(name);
	WANT(proc_link(0, name_of(shared, 2 * PAGE), text, sizeof text) > 0);
	snprintf(deleted, sizeof deleted, "%s (deleted)", name);
	WANT(strcmp(text, deleted) == 0);
	if (geteuid() == 0) { /* even a file without a name is opened by it */
		fd = proc_open(0, name_of(shared, 2 * PAGE), O_RDWR);
		WANT(fd >= 0);
		WANT_IS(pread(fd, bytes, 7, 0), 7);
		WANT(strcmp(bytes, "content") == 0);
		close(fd);
	}
	WANT_IS(mprotect(shared + PAGE, PAGE, PROT_READ), 0);
	WANT_IS(proc_link(0, name_of(shared, 2 * PAGE), text, sizeof text), -ENOENT);
	WANT(proc_link(0, name_of(shared + PAGE, PAGE), text, sizeof text) > 0);
	WANT_IS(munmap(shared, 2 * PAGE), 0);
	WANT_IS(proc_link(0, name_of(shared + PAGE, PAGE), text, sizeof text), -ENOENT);
}

/* Each name is a line of maps that has a file, in their order. */
static void list_of_mapped_files(void)
{
	char name[] = "/tmp/map-files-XXXXXX", found[64];
	DIR *directory = opendir("/proc/self/map_files");
	unsigned long last = 0, start, end;
	struct dirent *entry;
	struct mapping one;
	unsigned count = 0;
	char *area;

	make_file(name, 400 * PAGE);
	area = map_file(name, PROT_READ, MAP_PRIVATE, 400 * PAGE);
	for (int i = 0; i < 400;
		i += 2) /* 200 of one page each, and more than a reader's buffer holds */
		WANT_IS(munmap(area + (size_t)i * PAGE, PAGE), 0);
	WANT(directory);
	while ((entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		WANT_IS(sscanf(entry->d_name, "%lx-%lx", &start, &end), 2);
		snprintf(found, sizeof found, "%lx-%lx", start, end);
		WANT(strcmp(found, entry->d_name) == 0 && entry->d_type == DT_LNK);
		WANT(start >= last && start < end);
		last = end;
		if (start >= (unsigned long)area && end <= (unsigned long)area + 400 * PAGE)
			count++;
		else if (find_mapping(0, (void *)start, &one))
			WANT(*one.name);
	}
	WANT_IS(count, 200);
	closedir(directory);
	unlink(name);
}

static void mapped_files_of_others(void)
{
	char name[] = "/tmp/map-files-XXXXXX", path[128];
	char *area;
	pid_t child;
	int status;

	if (geteuid())
		return;
	make_file(name, PAGE);
	area = map_file(name, PROT_READ, MAP_PRIVATE, PAGE);
	unlink(name);
	child = fork();
	if (!child) {
		DIR *directory;

		WANT_IS(setgid(65534) | setuid(65534), 0);
		snprintf(path, sizeof path, "/proc/%d/map_files", getppid());
		directory = opendir(path);
		WANT(!directory && errno == EACCES);
		WANT_IS(proc_link(getppid(), name_of(area, PAGE), text, sizeof text), -EACCES);
		_exit(0);
	}
	WANT_IS(waitpid(child, &status, 0), child);
	WANT_IS(status, 0);
}

/* ---- numa_maps ---- */

static char *numa_line(const void *area)
{
	char start[32], *line, *end;

	WANT(proc_read(0, "numa_maps", text, sizeof text) > 0);
	snprintf(start, sizeof start, "%08lx ", (unsigned long)area);
	line = strstr(text, start);
	WANT(line && (line == text || line[-1] == '\n'));
	end = strchr(line, '\n');
	WANT(end);
	*end = 0;
	return line + strlen(start);
}

static void numa_maps(void)
{
	char name[] = "/tmp/map-files-XXXXXX", wanted[160];
	char *area =
		mmap(NULL, 9 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *file, *line, *active;

	WANT(area != MAP_FAILED);
	/* Stays a mapping of its own. */
	WANT_IS(mprotect(area, PAGE, PROT_NONE) | mprotect(area + 8 * PAGE, PAGE, PROT_NONE), 0);
	WANT(strcmp(numa_line(area + PAGE), "default") == 0);
	memset(area + PAGE, 1, 3 * PAGE);
	line = numa_line(area + PAGE);
	active = strstr(
		line, " active=0"); /* Linux tells of pages that are not among the active ones */
	if (active)
		memmove(active, active + 9, strlen(active + 9) + 1);
	WANT(strcmp(line, "default anon=3 dirty=3 N0=3 kernelpagesize_kB=4") == 0);
	make_file(name, PAGE);
	file = map_file(name, PROT_READ, MAP_PRIVATE, PAGE);
	snprintf(wanted, sizeof wanted, "default file=%s", name);
	WANT(strcmp(numa_line(file), wanted) == 0);
	unlink(name);
}

/* ---- clear_refs ---- */

static long peak(void)
{
	char *line;

	WANT(proc_read(0, "status", text, sizeof text) > 0);
	line = line_of(text, "VmHWM");
	WANT(line);
	return strtol(line, NULL, 10);
}

static void clear_refs(void)
{
	const size_t size = 4096 * PAGE;
	char *area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = proc_open(0, "clear_refs", O_WRONLY);
	long most;

	WANT(fd >= 0 && area != MAP_FAILED);
	WANT_IS(kernel_call(SYS_write, fd, "0", 1), -EINVAL);
	WANT_IS(kernel_call(SYS_write, fd, "6", 1), -EINVAL);
	WANT_IS(kernel_call(SYS_write, fd, "x", 1), -EINVAL);
	for (const char *one = "1234"; *one; one++)
		WANT_IS(kernel_call(SYS_write, fd, one, 1), 1);
	memset(area, 1, size);
	most = peak();
	WANT_IS(munmap(area, size), 0);
	WANT(peak() >= most - 1024);
	WANT_IS(kernel_call(SYS_write, fd, "5\n", 2), 2);
	WANT(peak() < most - 8192);
	close(fd);
}

/* ---- timers ---- */

/* Linux has the newest first. */
static void want_timer(const char *form, int id, int signal, int target)
{
	char wanted[256];

	snprintf(wanted, sizeof wanted, form, id, signal, target);
	WANT(proc_read(0, "timers", text, sizeof text) > 0);
	WANT(strstr(text, wanted));
}

static void timers(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 3};
	char wanted[32];
	int first, second;

	WANT_IS(proc_read(0, "timers", text, sizeof text), 0);
	event.sigev_value.sival_ptr = (void *)0x1234abcd;
	WANT_IS(kernel_call(SYS_timer_create, CLOCK_MONOTONIC, &event, &first), 0);
	event.sigev_notify = SIGEV_NONE;
	event.sigev_signo = SIGUSR2;
	WANT_IS(kernel_call(SYS_timer_create, CLOCK_REALTIME, &event, &second), 0);
	want_timer("ID: %d\nsignal: %d/000000001234abcd\nnotify: signal/pid.%d\nClockID: 1\n",
		first, SIGRTMIN + 3, getpid());
	want_timer("ID: %d\nsignal: %d/000000001234abcd\nnotify: none/pid.%d\nClockID: 0\n", second,
		SIGUSR2, getpid());
	WANT_IS(kernel_call(SYS_timer_delete, first) | kernel_call(SYS_timer_delete, second), 0);
	event.sigev_notify = SIGEV_THREAD_ID;
	event.sigev_signo = SIGUSR1;
	event.sigev_value.sival_ptr = NULL;
	event.sigev_notify_thread_id = gettid();
	WANT_IS(kernel_call(SYS_timer_create, CLOCK_BOOTTIME, &event, &first), 0);
	want_timer("ID: %d\nsignal: %d/0000000000000000\nnotify: signal/tid.%d\nClockID: 7\n",
		first, SIGUSR1, gettid());
	for (int i = 0; i < 200; i++) /* more than one buffer of text */
		WANT_IS(kernel_call(SYS_timer_create, CLOCK_BOOTTIME, &event, &second), 0);
	WANT(proc_read(0, "timers", text, sizeof text) > 0);
	snprintf(wanted, sizeof wanted, "ID: %d\n", second);
	WANT(strstr(text, wanted));
}

/* ---- attr: there is no security module, or Debian's, which confines nobody ---- */

static void attributes(void)
{
	long got = proc_read(0, "attr/current", text, sizeof text);
	int fd = proc_open(0, "attr/exec", O_WRONLY);

	WANT(got == -EINVAL || strncmp(text, "unconfined", 10) == 0);
	WANT(fd >= 0);
	WANT_IS(kernel_call(SYS_write, fd, "nonsense", 8), -EINVAL);
	close(fd);
}

static const struct test_case cases[] = {
	CASE(mapped_files, "map_files: names, links, modes; what was cut or deleted"),
	CASE(list_of_mapped_files, "map_files: the list"),
	CASE(mapped_files_of_others, "map_files of another user's process"),
	CASE(numa_maps, "numa_maps"),
	CASE(clear_refs, "clear_refs: numbers, and the peak"),
	CASE(timers, "timers"),
	CASE(attributes, "attr"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
