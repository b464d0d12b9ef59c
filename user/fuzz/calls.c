/* SPDX-License-Identifier: MIT */
/* The grammar: the kernel's table of system calls, as data, and how often each is made. */
#include "fuzz.h"

#include <sys/syscall.h>

#include "syscall/table_core.h"
#include "syscall/table_events.h"
#include "syscall/table_files.h"

#define RETURNS(what)
#define LACKS(words)

#define TRAITS(name, type, how, size) [KIND_##name] = {#name, HOW_##how, (size)},
const struct kind_traits kind_traits[KINDS] = {SYSCALL_KINDS(TRAITS)};

#define CALL0(nr, name)                         {#name, nr, 0, {0}},
#define CALL1(nr, name, k1, a1)                 {#name, nr, 1, {KIND_##k1}},
#define CALL2(nr, name, k1, a1, k2, a2)         {#name, nr, 2, {KIND_##k1, KIND_##k2}},
#define CALL3(nr, name, k1, a1, k2, a2, k3, a3) {#name, nr, 3, {KIND_##k1, KIND_##k2, KIND_##k3}},
#define CALL4(nr, name, k1, a1, k2, a2, k3, a3, k4, a4) \
	{#name, nr, 4, {KIND_##k1, KIND_##k2, KIND_##k3, KIND_##k4}},
#define CALL5(nr, name, k1, a1, k2, a2, k3, a3, k4, a4, k5, a5) \
	{#name, nr, 5, {KIND_##k1, KIND_##k2, KIND_##k3, KIND_##k4, KIND_##k5}},
#define CALL6(nr, name, k1, a1, k2, a2, k3, a3, k4, a4, k5, a5, k6, a6) \
	{#name, nr, 6, {KIND_##k1, KIND_##k2, KIND_##k3, KIND_##k4, KIND_##k5, KIND_##k6}},

static const struct call calls[] = {SYSCALL_TABLE_FILES(CALL0, CALL1, CALL2, CALL3, CALL4, CALL5,
	CALL6) SYSCALL_TABLE_EVENTS(CALL0, CALL1, CALL2, CALL3, CALL4, CALL5, CALL6)
		SYSCALL_TABLE_CORE(CALL0, CALL1, CALL2, CALL3, CALL4, CALL5, CALL6)};

/* How many times in TURN a call is made when it comes up: all but these always. Rare is what ends the caller, or makes
 * it wait. */
#define TURN 256u
static const struct {
	uint16_t number, share;
} rare[] = {
	{SYS_exit, 2},
	{SYS_exit_group, 4},
	{SYS_rt_sigreturn, 4},
	{SYS_pause, 2},
	{SYS_execve, 32},
	{SYS_execveat, 32},
	{SYS_fork, 64},
	{SYS_vfork, 64},
	{SYS_clone, 128},
	{SYS_clone3, 128},
	{SYS_rt_sigsuspend, 8},
	{SYS_rt_sigtimedwait, 32},
	{SYS_wait4, 64},
	{SYS_waitid, 64},
	{SYS_kill, 64},
	{SYS_tkill, 64},
	{SYS_tgkill, 64},
	{SYS_rt_sigqueueinfo, 64},
	{SYS_rt_tgsigqueueinfo, 64},
	{SYS_pidfd_send_signal, 64},
	{SYS_nanosleep, 32},
	{SYS_clock_nanosleep, 32},
	{SYS_futex, 128},
	{FUTEX_WAITV_NUMBER, 64},
	{SYS_select, 64},
	{SYS_pselect6, 64},
	{SYS_poll, 64},
	{SYS_ppoll, 64},
	{SYS_epoll_wait, 64},
	{SYS_epoll_pwait, 64},
	{SYS_epoll_pwait2, 64},
	{SYS_ptrace, 128},
	{SYS_flock, 128},
	{SYS_msgget, 128},
	{SYS_msgsnd, 128},
	{SYS_msgrcv, 128},
	{SYS_semget, 128},
	{SYS_shmget, 128},
	{SYS_setrlimit, 64},
	{SYS_prlimit64, 64},
	{SYS_arch_prctl, 64},
	{SYS_vmsplice, 128},
	{SYS_close_range, 32},
	{SYS_sched_setscheduler, 64},
	{SYS_sched_setattr, 64},
	{SYS_mlockall, 64},
	{SYS_setpriority, 64},
	{SYS_chroot, 64},
	{SYS_pivot_root, 64},
	{SYS_mount, 128},
};

static bool has_its_turn(struct random *random, const struct call *call)
{
	for (size_t i = 0; i < COUNT(rare); i++) {
		if (rare[i].number == call->number)
			return random_below(random, TURN) < rare[i].share;
	}
	return true;
}

const struct call *call_pick(struct random *random)
{
	const struct call *call;

	do {
		call = &calls[random_below(random, COUNT(calls))];
	} while (!has_its_turn(random, call));
	return call;
}
