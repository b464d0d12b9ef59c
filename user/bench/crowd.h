/* SPDX-License-Identifier: MIT */
/* What else is on the machine while an operation is measured; see crowd.c. */
#ifndef USER_BENCH_CROWD_H
#define USER_BENCH_CROWD_H

struct crowd {
	long sleepers, runnable; /* threads of one other process */
	long processes;          /* that sleep, children of one other process */
	long vmas;               /* in this process's own address space */
};

/* One word of the command line, `--sleepers`, `--runnable`, `--processes` or `--vmas`, and its value.
 * 0: it is none of them. */
int crowd_option(struct crowd *crowd, const char *word, const char *value);
/* Makes it; 0, or an errno after a message. */
int crowd_start(const struct crowd *crowd);
/* Ends the other processes, and waits until they are gone. */
void crowd_end(void);

/* SCHED_FIFO for this process and what it starts, so that it never waits its turn; an errno. */
int be_first(void);

#endif
