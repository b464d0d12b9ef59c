/* SPDX-License-Identifier: MIT */
/*
 * Runs the system tests one after the other in one boot:
 *
 *	runner [TEST | TEST=ARGUMENT]...	all, or those named
 *	runner --list				a line `SCENARIO TEST` for each, as user/meson.build has them
 *
 * A test is a program in /tests or beside this one, where others may have its name (time). Each one's lines come through as they are,
 * behind `# TEST`; then what became of it; at the end `N passed, N failed`. Status 0: none failed.
 */
#include "check.h"
#include "system_tests.h" /* SYSTEM_TESTS: made of the list in user/meson.build */

static const struct {
	const char *scenario, *name;
} every_test[] = {SYSTEM_TESTS};

static bool run(const char *word)
{
	char name[64], path[4096], text[64];
	const char *argument = strchr(word, '=');
	int length = argument ? (int)(argument - word) : (int)strlen(word), status;
	char *argv[] = {path, (char *)(argument ? argument + 1 : NULL), NULL};
	pid_t pid;

	snprintf(name, sizeof name, "%.*s", length, word);
	printf("# %s\n", name);
	fflush(stdout);
	snprintf(path, sizeof path, "/tests/%s", name);
	pid = spawn(path, argv, environ);
	if (pid == -ENOENT)
		pid = spawn(beside(name, path, sizeof path), argv, environ);
	if (pid < 0) {
		printf("# %s: cannot be started: %s\n", name, strerror(-pid));
		return false;
	}
	status = wait_status(pid);
	printf("# %s: %s\n", name, how_it_ended(status, text, sizeof text));
	return status == 0;
}

static int list(void)
{
	for (size_t i = 0; i < COUNT(every_test); i++)
		printf("%s %s\n", every_test[i].scenario, every_test[i].name);
	return 0;
}

int main(int argc, char **argv)
{
	size_t count = argc > 1 ? (size_t)argc - 1 : COUNT(every_test);
	int passed = 0, failed = 0;

	check.self = argv[0];
	if (argc == 2 && strcmp(argv[1], "--list") == 0)
		return list();
	for (size_t i = 0; i < count; i++) {
		if (run(argc > 1 ? argv[i + 1] : every_test[i].name))
			passed++;
		else
			failed++;
	}
	printf("%d passed, %d failed\n", passed, failed);
	return failed != 0;
}
