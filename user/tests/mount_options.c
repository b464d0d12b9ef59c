/* SPDX-License-Identifier: MIT */
/* mount: what among the options is about any file system, and how it is told. Results are those of Linux 6.1. */
#include "mounts.h"

/* The line of `file` about HERE/a, without what comes before its options; "" where there is none. */
static const char *line_of(const char *file, const char *before)
{
	static char line[4096];
	FILE *all = fopen(file, "r");
	const char *found = "";

	WANT(all);
	while (!*found && fgets(line, sizeof line, all)) {
		if (!strstr(line, " " HERE "/a "))
			continue;
		found = strstr(line, before);
		WANT(found);
		found += strlen(before);
		line[strcspn(line, "\n")] = '\0';
	}
	fclose(all);
	return found;
}

/* Up to tmpfs's own. */
static bool options_are(const char *expected)
{
	const char *found = line_of("/proc/self/mounts", " tmpfs ");
	bool same = !strncmp(found, expected, strlen(expected)) &&
		    strchr(", ", found[strlen(expected)]);

	if (!same)
		dprintf(1, "# found %s, not %s\n", found, expected);
	return same;
}

static void common_words(void)
{
	static const struct {
		const char *given, *told;
	} known[] = {{"ro", "ro,relatime"}, {"rw", "rw,relatime"}, {"ro,rw", "rw,relatime"},
		{"rw,ro", "ro,relatime"}, {",ro,,", "ro,relatime"}, {"ro=1", "ro,relatime"},
		{"ro=", "ro,relatime"}, {"rw=x", "rw,relatime"}, {"sync", "rw,sync,relatime"},
		{"sync,async", "rw,relatime"}, {"dirsync", "rw,dirsync,relatime"},
		{"lazytime", "rw,lazytime,relatime"}, {"lazytime,nolazytime", "rw,relatime"},
		{"ro,sync,dirsync,lazytime", "ro,sync,dirsync,lazytime,relatime"},
		{"ro,size=8k", "ro,relatime,size=8k"}, {"size=8k,ro", "ro,relatime,size=8k"},
		{"size=4k,ro,size=8k,sync", "ro,sync,relatime,size=8k"}};
	static const char *const refused[] = {
		"Ro", "r", "roo", "ro;rw", "ro,foo", "defaults", "noexec", "remount", "ro size=8k"};

	enter();
	for (size_t i = 0; i < COUNT(known); i++) {
		WANT_IS(call_mount("x", "a", "tmpfs", 0, known[i].given), 0);
		WANT(options_are(known[i].told));
		WANT_IS(open("a/new", O_CREAT | O_RDWR, 0644) < 0, known[i].told[1] == 'o');
		WANT_IS(call_umount("a", MNT_DETACH), 0);
	}
	for (size_t i = 0; i < COUNT(refused); i++)
		WANT_IS(call_mount("x", "a", "tmpfs", 0, refused[i]), -EINVAL);
	if (linux_before(6, 5))
		WANT_IS(call_mount("x", "a", "tmpfs", 0, "=5"), -EINVAL);
	leave();
}

/* A file system that is read-only by its options is so by any mount of it. */
static void whose_word(void)
{
	struct statfs told;
	const char *line;

	enter();
	WANT_IS(call_mount("x", "a", "tmpfs", 0, "ro"), 0);
	line = line_of("/proc/self/mountinfo", HERE "/a ");
	WANT(!strncmp(line, "rw,relatime ", 12));
	WANT(strstr(line, " - tmpfs x ro"));
	WANT_IS(mount(NULL, "a", NULL, MS_REMOUNT | MS_BIND, NULL), 0);
	WANT_IS(open("a/new", O_CREAT | O_RDWR, 0644), -1);
	WANT_IS(errno, EROFS);
	WANT_IS(mount("a", "b", NULL, MS_BIND, NULL), 0);
	WANT_IS(open("b/new", O_CREAT | O_RDWR, 0644), -1);
	WANT_IS(statfs("b", &told), 0);
	WANT(told.f_flags & ST_RDONLY);
	WANT_IS(call_umount("b", 0), 0);
	WANT_IS(call_mount("x", "a", NULL, MS_REMOUNT, "rw"), 0);
	WANT(open("a/new", O_CREAT | O_RDONLY, 0644) >= 0);
	WANT_IS(call_mount("x", "a", NULL, MS_REMOUNT, "ro"), 0);
	WANT(options_are("ro,relatime"));
	WANT_IS(call_mount("x", "a", NULL, MS_REMOUNT, ""), 0);
	WANT(options_are("rw,relatime"));
	WANT_IS(call_umount("a", MNT_DETACH), 0);
	leave();
}

static void by_flags(void)
{
	struct statfs told;

	enter();
	WANT_IS(call_mount("x", "a", "tmpfs", MS_SYNCHRONOUS | MS_DIRSYNC, NULL), 0);
	WANT(options_are("rw,sync,dirsync,relatime"));
	WANT_IS(statfs("a", &told), 0);
	WANT(told.f_flags & ST_SYNCHRONOUS);
	WANT_IS(call_mount("x", "a", NULL, MS_REMOUNT | MS_LAZYTIME, NULL), 0); /* dirsync stays */
	WANT(options_are("rw,dirsync,lazytime,relatime"));
	WANT_IS(call_umount("a", 0), 0);
	WANT_IS(call_mount("x", "a", "tmpfs", MS_RDONLY, NULL), 0);
	WANT_IS(mount(NULL, "a", NULL, MS_REMOUNT | MS_BIND, NULL), 0);
	WANT_IS(open("a/new", O_CREAT | O_RDWR, 0644), -1);
	WANT_IS(call_umount("a", 0), 0);
	leave();
}

static void others(void)
{
	enter();
	WANT_IS(call_mount("x", "a", "sysfs", 0, "foo"), -EINVAL);
	WANT_IS(call_mount("x", "a", "sysfs", 0, "ro,foo"), -EINVAL);
	WANT_IS(call_mount("x", "a", "sysfs", 0, "ro,"), 0);
	WANT_IS(call_umount("a", 0), 0);
	WANT_IS(call_mount("x", "a", "proc", 0, "foo"), -EINVAL);
	WANT_IS(call_mount("x", "a", "proc", 0, "hidepid"), -EINVAL);
	WANT_IS(call_mount("x", "a", "proc", 0, ",ro,hidepid=0,"), 0);
	WANT_IS(call_umount("a", 0), 0);
	WANT_IS(call_mount("a #\\b", "a", "tmpfs", 0, NULL), 0);
	WANT(!strncmp(line_of("/proc/self/mounts", "a\\040\\043\\134b "), HERE, strlen(HERE)));
	WANT_IS(call_umount("a", 0), 0);
	leave();
}

static const struct test_case cases[] = {
	CASE(common_words, "mount: ro, sync and their kin among the options"),
	CASE(whose_word, "mount: a word of the file system's, and the mount's flags"),
	CASE(by_flags, "mount: flags of the file system's"),
	CASE(others, "mount: options of sysfs and proc; sources with odd bytes"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	if (geteuid() != 0) {
		printf("# mount-options: skipped: only root mounts\n");
		return SKIPPED;
	}
	return check_main(argc, argv, NULL, 0, all);
}
