/* SPDX-License-Identifier: MIT */
/*
 * What must be after an attack as it was before. On Linux, which has no /proc/baton and uses its memory
 * as it likes, there is nothing to look at: true. See attack.h.
 */
#include "attacks/attack.h"

#include <sys/utsname.h>

#define FILE_NAME     "/proc/baton/integrity"
#define SLABS_MORE    16 /* which CPU took and gave back an object decides how many slabs there are */
#define BALANCE_TRIES 100
#define LOCK_TRIES    600

static bool ours, looks; /* this is Baton; its file can be read */
static char kernel_line[64];

static bool read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t length = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	text[length > 0 ? length : 0] = '\0';
	return length > 0;
}

static bool kernel_says(char *kernel, size_t size, char *locks, size_t locks_size)
{
	char text[256], *end;

	if (!read_text(FILE_NAME, text, sizeof text))
		return false;
	end = strchr(text, '\n');
	if (strncmp(text, "kernel ", 7) != 0 || !end)
		return false;
	*end = '\0';
	snprintf(kernel, size, "%.*s", (int)size - 1, text);
	snprintf(locks, locks_size, "%.*s", (int)strcspn(end + 1, "\n"), end + 1);
	return true;
}

void integrity_start(void)
{
	char locks[128];
	struct utsname name;

	ours = uname(&name) == 0 && strstr(name.version, "Baton");
	looks = ours && geteuid() == 0;
	if (looks && !kernel_says(kernel_line, sizeof kernel_line, locks, sizeof locks)) {
		printf("Bail out! " FILE_NAME " cannot be read\n");
		exit(2);
	}
}

bool kernel_intact(char *reason, size_t size)
{
	char kernel[64], locks[128];

	if (!looks)
		return true;
	/* A virtual CPU that is held up may hold a lock for seconds: one that was left behind stays so. */
	for (int i = 0; i < LOCK_TRIES && kernel_says(kernel, sizeof kernel, locks, sizeof locks) &&
			strncmp(locks, "locks ", 6) == 0 && !strstr(locks, " free");
		i++)
		sleep_ms(100);
	if (!kernel_says(kernel, sizeof kernel, locks, sizeof locks))
		snprintf(reason, size, FILE_NAME " cannot be read any more");
	else if (strcmp(kernel, kernel_line) != 0)
		snprintf(reason, size, "the kernel's text or read-only data has changed");
	else if (strncmp(locks, "locks ", 6) != 0 || !strstr(locks, " free"))
		snprintf(reason, size, "the kernel: %s", locks);
	else
		return true;
	return false;
}

/* ---- Pages ---- */

static long line_of(const char *text, const char *name)
{
	const char *line = strstr(text, name);

	return line ? strtol(line + strlen(name), NULL, 10) / (long)(PAGE / 1024) : 0;
}

/* Spare kernel stacks, and the free objects of slabs, are the kernel's to keep. */
struct account account_now(void)
{
	static char text[8192];
	struct account now = {0, 0};

	if (!ours || !read_text("/proc/meminfo", text, sizeof text))
		return now;
	now.slabs = line_of(text, "\nSlab:");
	now.pages = line_of(text, "MemFree:") + line_of(text, "\nKernelStack:") + now.slabs;
	return now;
}

bool account_balanced(const struct account *before, char *reason, size_t size)
{
	struct account now;

	for (int i = 0; i < BALANCE_TRIES; i++) { /* what the dead leave is freed a moment later */
		now = account_now();
		if (now.pages >= before->pages && now.slabs <= before->slabs + SLABS_MORE)
			return true;
		sleep_ms(20);
	}
	snprintf(reason, size, "%ld pages are free and %ld of slabs, %ld and %ld were", now.pages,
		now.slabs, before->pages, before->slabs);
	return false;
}
