/* SPDX-License-Identifier: MIT */
/* The test of the calls on files, apart from how a call is made. */
#ifndef TESTS_FILES_H
#define TESTS_FILES_H

/* Makes a system call: its result, or a negative errno. */
long raw(long number, const long arguments[6]);
/* SIGPIPE cannot be ignored (a kernel without rt_sigaction): what would send it is left out. */
extern int sigpipe_kills;
/* Runs all, in this directory, which it makes and removes: 0 when all held. Needs umask 022, root,
 * and SIGPIPE ignored unless sigpipe_kills. */
int test_files(const char *directory);

#endif
