/* SPDX-License-Identifier: MIT */
/* What the supervisor makes before an epoch and takes down after it. */
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "fuzz.h"
#include "tests/check.h"

#define MOUNTS_MOST 64
#define SLACK       8  /* what long-lived files and tables may come to have once */
#define STACKS_KEPT 64 /* pages: kernel_area.c's sixteen spare ones */
#define SETTLING    5  /* epochs in which caches and tables become as large as they get */

static int proc_fd = -1, audit_fd = -1, self_fd = -1; /* kept open: workers may hide the paths */
static char own_mounts[MOUNTS_MOST][128];             /* that were there at first */
static unsigned own_mount_count;

void world_fail(const char *what)
{
	printf("not ok fuzz: %s (errno %d, %s)\n", what, errno, strerror(errno));
	fflush(stdout);
	exit(1);
}

int world_proc(void)
{
	return proc_fd;
}

/* ---- Mounts ---- */

/* The mount points now, the last mounted last: how many. */
static unsigned read_mounts(char names[MOUNTS_MOST][128])
{
	static char text[32768];
	int fd = openat(proc_fd, "self/mounts", O_RDONLY | O_CLOEXEC);
	unsigned count = 0;
	size_t used = 0;
	ssize_t got;

	while (fd >= 0 && (got = read(fd, text + used, sizeof text - 1 - used)) > 0)
		used += (size_t)got;
	if (fd < 0)
		world_fail("no /proc/self/mounts");
	close(fd);
	text[used] = 0;
	for (char *line = strtok(text, "\n"); line && count < MOUNTS_MOST;
		line = strtok(NULL, "\n")) {
		char *behind = strchr(line, ' '); /* the source, which may be empty */

		if (behind && sscanf(behind, " %127s", names[count]) == 1)
			count++;
	}
	return count;
}

static bool is_own(const char *name, unsigned nth)
{
	unsigned found = 0;

	for (unsigned i = 0; i < own_mount_count; i++)
		found += strcmp(own_mounts[i], name) == 0;
	return nth < found;
}

/* Unmounts one that is not own, the last one that can be reached: what lies below another mount
 * comes to light when that is gone. False: there is none. *failed: none can be reached. */
static bool unmount_one(bool *failed)
{
	static char names[MOUNTS_MOST][128];
	unsigned count = read_mounts(names);
	bool others = false;

	for (unsigned i = count; i-- > 0;) {
		unsigned nth = 0;

		for (unsigned j = 0; j < i; j++)
			nth += strcmp(names[j], names[i]) == 0;
		if (is_own(names[i], nth))
			continue;
		others = true;
		/* what is over the root is not found as `/`, which is the root */
		if (umount2(strcmp(names[i], "/") == 0 ? "/.." : names[i], MNT_DETACH) == 0)
			return true;
	}
	if (!others && count < own_mount_count)
		world_fail("a worker has unmounted what is not its own");
	*failed = others;
	return others;
}

/* Unmounts what the epoch has left mounted. */
static void unmount_all(void)
{
	static char names[MOUNTS_MOST][128];
	bool failed = false;

	for (int tries = 0; tries < 200 && !failed; tries++) {
		if (!unmount_one(&failed))
			return;
	}
	for (unsigned i = 0; i < read_mounts(names); i++)
		printf("# mounted: %s\n", names[i]);
	world_fail("a mount that a worker made cannot be taken away");
}

/* ---- Files ---- */

static void make_file(const char *path, const void *bytes, size_t size, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size || fchmod(fd, mode) != 0)
		world_fail(path);
	close(fd);
}

/* This program, whose main ends at once without the right arguments, as something to be executed. */
static void make_programs(void)
{
	static char bytes[1 << 17];
	ssize_t size = pread(self_fd, bytes, sizeof bytes, 0);

	if (size <= 0 || size == sizeof bytes)
		world_fail("the program itself cannot be read");
	make_file(BASE "/x0", bytes, (size_t)size, 0777);
	memset(bytes + 64, 0xff, 200); /* its program headers */
	make_file(BASE "/x2", bytes, (size_t)size, 0777);
	make_file(BASE "/x3", bytes, 100, 0777);
	make_file(BASE "/x1", "#!" BASE "/x0 a b\n", 21, 0777);
}

/* What a worker finds outside its files: devices, terminals and /proc of its own root. */
static void make_system(void)
{
	static const struct {
		const char *path;
		unsigned major, minor;
	} devices[] = {{"/dev/null", 1, 3}, {"/dev/zero", 1, 5}, {"/dev/full", 1, 7},
		{"/dev/urandom", 1, 9}, {"/dev/tty", 5, 0}, {"/dev/ptmx", 5, 2}};
	char path[64];

	mkdir(BASE "/dev", 0755);
	mkdir(BASE "/dev/pts", 0755);
	mkdir(BASE "/proc", 0755);
	mkdir(BASE "/tmp", 0755);
	symlink("/", BASE "/tmp/fuzz"); /* so that BASE is the same place from inside */
	symlink("/proc/self/fd", BASE "/dev/fd");
	for (size_t i = 0; i < COUNT(devices); i++) {
		snprintf(path, sizeof path, BASE "%s", devices[i].path);
		if (mknod(path, S_IFCHR | 0666, makedev(devices[i].major, devices[i].minor)) != 0 ||
			chmod(path, 0666) != 0)
			world_fail(path);
	}
	if (mount("devpts", BASE "/dev/pts", "devpts", 0, "mode=620") != 0 ||
		mount("proc", BASE "/proc", "proc", 0, NULL) != 0)
		world_fail("/dev/pts and /proc for the workers");
}

void world_make(void)
{
	static const char *const files[] = {"/f0", "/f1", "/f2", "/f3", "/d0/f4", "/d1/f5"};
	static char text[3 * PAGE];
	char path[64];

	mkdir(BASE, 0755);
	if (mount("fuzz", BASE, "tmpfs", 0, "size=16m,mode=1777,nr_inodes=2000") != 0)
		world_fail("mount " BASE);
	memset(text, 't', sizeof text);
	make_system();
	mkdir(BASE "/d0", 0700);
	mkdir(BASE "/d1", 0700);
	chmod(BASE, 0777);
	chmod(BASE "/d0", 0777);
	chmod(BASE "/d1", 0777);
	for (size_t i = 0; i < COUNT(files); i++) {
		snprintf(path, sizeof path, BASE "%s", files[i]);
		make_file(path, text, i * 2500, 0666);
	}
	symlink("f0", BASE "/l0");
	symlink("l1", BASE "/l1");
	symlink("nosuch", BASE "/l2");
	symlink(BASE "/d0", BASE "/l3");
	if (mkfifo(BASE "/p0", 0666) != 0 || chmod(BASE "/p0", 0666) != 0)
		world_fail("mkfifo");
	make_programs();
}

/* ---- Processes ---- */

/* All that workers have started comes to the supervisor when they end. True: there was somebody. */
static bool kill_children(void)
{
	static char text[65536];
	int fd = openat(proc_fd, "thread-self/children", O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	ssize_t got;

	if (fd < 0)
		world_fail("no /proc/thread-self/children");
	while ((got = read(fd, text + used, sizeof text - 1 - used)) > 0)
		used += (size_t)got;
	close(fd);
	text[used] = 0;
	for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) {
		if (atoi(word) > 1)
			kill(atoi(word), SIGKILL);
	}
	while (waitpid(-1, NULL, WNOHANG | __WALL) > 0)
		;
	return used > 0;
}

void world_end_all(void)
{
	int64_t until = now_ns() + 120 * INT64_C(1000000000);

	while (kill_children()) {
		if (now_ns() > until)
			world_fail("a process does not end by SIGKILL");
		sleep_ms(1);
	}
}

/* ---- System V's objects ---- */

static void remove_segments(void)
{
	struct shm_info info;
	struct shmid_ds status;
	int last = shmctl(0, SHM_INFO, (struct shmid_ds *)&info);

	for (int i = 0; i <= last; i++) {
		int id = shmctl(i, SHM_STAT, &status);

		if (id >= 0)
			shmctl(id, IPC_RMID, NULL);
	}
}

static void remove_semaphores(void)
{
	struct seminfo info;
	struct semid_ds status;
	int last = semctl(0, 0, SEM_INFO, &info);

	for (int i = 0; i <= last; i++) {
		int id = semctl(i, 0, SEM_STAT, &status);

		if (id >= 0)
			semctl(id, 0, IPC_RMID);
	}
}

static void remove_queues(void)
{
	struct msginfo info;
	struct msqid_ds status;
	int last = msgctl(0, MSG_INFO, (struct msqid_ds *)&info);

	for (int i = 0; i <= last; i++) {
		int id = msgctl(i, MSG_STAT, &status);

		if (id >= 0)
			msgctl(id, IPC_RMID, NULL);
	}
}

void world_clear(void)
{
	world_end_all();
	unmount_all();
	strays_remove();
	remove_segments();
	remove_semaphores();
	remove_queues();
}

/* ---- The kernel's books ---- */

#define USES_MOST 64

struct use {
	char name[40];
	unsigned long count;
};

static unsigned read_uses(struct use uses[USES_MOST])
{
	static char text[8192];
	unsigned count = 0;
	ssize_t got = pread(audit_fd, text, sizeof text - 1, 0);

	if (got <= 0)
		world_fail("the kernel's audit cannot be read");
	text[got] = 0;
	for (char *line = strtok(text, "\n"); line && count < USES_MOST;
		line = strtok(NULL, "\n")) {
		if (sscanf(line, "%39[^:]: %lu", uses[count].name, &uses[count].count) == 2 &&
			strcmp(uses[count].name, "audits") != 0)
			count++;
	}
	return count;
}

static unsigned long *find_use(struct use *uses, unsigned *count, const char *name)
{
	unsigned i;

	for (i = 0; i < *count && strcmp(uses[i].name, name) != 0; i++)
		;
	if (i == *count) {
		*count += *count < USES_MOST;
		uses[i] = (struct use){.count = 0};
		strcpy(uses[i].name, name);
	}
	return &uses[i].count;
}

/* Sockets that were sent over each other are found to be garbage when one more is sent and closed. */
static void collect_garbage(void)
{
	char control[CMSG_SPACE(sizeof(int))] = {0}, byte = 0;
	struct iovec vector = {&byte, 1};
	struct msghdr message = {.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof control};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		world_fail("socketpair");
	*header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)),
		.cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(header), fds, sizeof(int));
	if (sendmsg(fds[0], &message, 0) != 1)
		world_fail("sendmsg");
	close(fds[0]);
	close(fds[1]);
}

/* The kernel keeps some stacks of threads that have ended. */
static unsigned long slack_of(const char *name)
{
	return strcmp(name, "stacks") == 0 ? STACKS_KEPT : SLACK;
}

/* What is more than before, in words: the length. settling: it may be. */
static size_t compare(
	struct use *first, unsigned *first_count, bool settling, char *text, size_t size)
{
	static struct use now[USES_MOST];
	unsigned count = read_uses(now);
	size_t used = 0;

	text[0] = 0;
	for (unsigned i = 0; i < count; i++) {
		unsigned long *before = find_use(first, first_count, now[i].name);

		if (settling && now[i].count > *before)
			*before = now[i].count;
		if (now[i].count > *before + slack_of(now[i].name) && used < size)
			used += (size_t)snprintf(text + used, size - used, "; %s: %lu, before %lu",
				now[i].name, now[i].count, *before);
	}
	return used;
}

/* After the first epochs nothing is more than it was then. What has just ended is freed a moment later. */
static void compare_uses(uint64_t epoch, bool settling)
{
	static struct use first[USES_MOST + 1];
	static unsigned first_count, epochs;
	static char text[512];
	int tries = 0;

	collect_garbage();
	while (compare(first, &first_count, settling || epochs < SETTLING, text, sizeof text) > 0) {
		if (++tries == 6000) {
			printf("# epoch %lu (--from %lu) has left%s\n", (unsigned long)epoch,
				(unsigned long)(epoch * EPOCH_CALLS), text);
			world_fail("an epoch has left something behind");
		}
		sleep_ms(10);
	}
	epochs++;
}

bool world_audit(uint64_t epoch, bool settling)
{
	if (audit_fd < 0)
		return false;
	if (write(audit_fd, "1", 1) != 1)
		world_fail("the kernel's audit");
	compare_uses(epoch, settling);
	return true;
}

void world_init(const char *program)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		if (write(fd, "-1000", 5) != 5)
			world_fail("oom_score_adj");
		close(fd);
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	self_fd = open(program, O_RDONLY | O_CLOEXEC);
	audit_fd = open("/proc/baton/audit", O_RDWR | O_CLOEXEC);
	if (proc_fd < 0 || self_fd < 0)
		world_fail("/proc, or the program itself");
	own_mount_count = read_mounts(own_mounts);
	strays_init();
}
