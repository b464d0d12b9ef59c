/* SPDX-License-Identifier: MIT */
/*
 * files [DIRECTORY]: see files.c. Without a name, a directory of its own in /dev/shm (a tmpfs on
 * Linux) or, where there is none, /tmp. Only root can run it: 77, "skipped", for others.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"

long raw(long number, const long arguments[6])
{
	long result = syscall(number, arguments[0], arguments[1], arguments[2], arguments[3],
		arguments[4], arguments[5]);

	return result == -1 ? -errno : result;
}

int main(int argc, char **argv)
{
	char directory[64];

	if (geteuid()) {
		printf("# files: skipped: only root can make devices and change owners\n");
		return 77;
	}
	snprintf(directory, sizeof directory, "%s/files-test-%d",
		access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm", (int)getpid());
	setvbuf(stdout, NULL, _IOLBF, 0);
	sigpipe_kills = signal(SIGPIPE, SIG_IGN) == SIG_ERR;
	umask(022);
	return test_files(argc > 1 ? argv[1] : directory);
}
