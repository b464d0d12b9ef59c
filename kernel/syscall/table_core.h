/* SPDX-License-Identifier: MIT */
/* The system calls on processes, memory and time; see table.h. Included by it alone. */
#ifndef SYSCALL_TABLE_CORE_H
#define SYSCALL_TABLE_CORE_H

/* clang-format off */
#define SYSCALL_TABLE_CORE(CALL0, CALL1, CALL2, CALL3, CALL4, CALL5, CALL6) \
	CALL6(9, mmap, ADDRESS, address, SIZE, length, PROTECTION, protection, MAP_FLAGS, flags, FD, fd, MMAP_OFFSET, offset) RETURNS(ADDRESS) \
	CALL3(10, mprotect, ADDRESS, address, SIZE, length, PROTECTION, protection) \
	CALL2(11, munmap, ADDRESS, address, SIZE, length) \
	CALL1(12, brk, ADDRESS, address) RETURNS(ADDRESS) \
	CALL4(13, rt_sigaction, SIGNAL, signal, SIGNAL_ACTION, action, SIGNAL_ACTION_OUT, old, SIZE, size) \
	CALL4(14, rt_sigprocmask, SIGNAL_HOW, how, SIGNAL_SET, set, SIGNAL_SET_OUT, old, SIZE, size) \
	CALL0(15, rt_sigreturn) \
	CALL0(24, sched_yield) \
	CALL5(25, mremap, ADDRESS, address, SIZE, old_size, SIZE, new_size, MREMAP_FLAGS, flags, ADDRESS, new_address) RETURNS(ADDRESS) \
	CALL3(26, msync, ADDRESS, address, SIZE, length, MSYNC_FLAGS, flags) \
	CALL3(27, mincore, ADDRESS, address, SIZE, length, OUT, vector) \
	CALL3(28, madvise, ADDRESS, address, SIZE, length, ADVICE, advice) \
	CALL3(29, shmget, INT, key, SIZE, size, FLAGS, flags) LACKS("SHM_HUGETLB: there are no huge pages") \
	CALL3(30, shmat, INT, id, ADDRESS, address, FLAGS, flags) RETURNS(ADDRESS) \
	CALL3(31, shmctl, INT, id, INT, command, INOUT, buffer) LACKS("SHM_LOCK: one user's segments are not summed for RLIMIT_MEMLOCK") \
	CALL0(34, pause) \
	CALL2(35, nanosleep, TIMESPEC, request, TIMESPEC_REMAINING, remaining) \
	CALL2(36, getitimer, ITIMER, which, ITIMERVAL_OUT, now) \
	CALL1(37, alarm, UINT, seconds) \
	CALL3(38, setitimer, ITIMER, which, ITIMERVAL, new, ITIMERVAL_OUT, old) \
	CALL0(39, getpid) \
	CALL5(56, clone, CLONE_FLAGS, flags, ADDRESS, stack, INT_OUT, parent_tid, INOUT, child_tid, HEX, tls) LACKS("namespaces") \
	CALL0(57, fork) \
	CALL0(58, vfork) \
	CALL3(59, execve, PATH, path, STRINGS, argv, ENVIRONMENT, envp) \
	CALL1(60, exit, INT, status) RETURNS(NOTHING) \
	CALL4(61, wait4, PID, pid, WAIT_STATUS_OUT, status, WAIT_OPTIONS, options, USAGE_OUT, usage) \
	CALL2(62, kill, PID, pid, SIGNAL, signal) \
	CALL1(63, uname, UTSNAME_OUT, name) \
	CALL3(64, semget, INT, key, INT, count, FLAGS, flags) \
	CALL3(65, semop, INT, id, IN, operations, UINT, count) \
	CALL4(66, semctl, INT, id, INT, index, INT, command, INOUT, argument) \
	CALL1(67, shmdt, ADDRESS, address) \
	CALL2(68, msgget, INT, key, FLAGS, flags) \
	CALL4(69, msgsnd, INT, id, IN, message, SIZE, size, FLAGS, flags) \
	CALL5(70, msgrcv, INT, id, INOUT, message, SIZE, size, LONG, type, FLAGS, flags) \
	CALL3(71, msgctl, INT, id, INT, command, INOUT, buffer) \
	CALL2(96, gettimeofday, TIMEVAL_OUT, time, TIMEZONE_OUT, zone) \
	CALL2(97, getrlimit, RESOURCE, resource, RESOURCE_LIMIT_OUT, limit) \
	CALL2(98, getrusage, USAGE_WHO, who, USAGE_OUT, usage) \
	CALL1(99, sysinfo, SYSTEM_INFO_OUT, info) LACKS("load averages are 0") \
	CALL1(100, times, TIMES_OUT, times) \
	CALL4(101, ptrace, LONG, request, LONG, tid, ADDRESS, address, ADDRESS, data) LACKS("PTRACE_O_TRACESECCOMP, PTRACE_O_SUSPEND_SECCOMP, PTRACE_SINGLEBLOCK") \
	CALL0(102, getuid) \
	CALL3(103, syslog, INT, action, DATA_OUT, buffer, INT, size) \
	CALL0(104, getgid) \
	CALL1(105, setuid, UID, uid) \
	CALL1(106, setgid, GID, gid) \
	CALL0(107, geteuid) \
	CALL0(108, getegid) \
	CALL2(109, setpgid, PID, pid, PID, group) \
	CALL0(110, getppid) \
	CALL0(111, getpgrp) \
	CALL0(112, setsid) \
	CALL2(113, setreuid, UID, uid, UID, euid) \
	CALL2(114, setregid, GID, gid, GID, egid) \
	CALL2(115, getgroups, INT, size, GROUPS_OUT, list) \
	CALL2(116, setgroups, INT, size, GROUPS, list) \
	CALL3(117, setresuid, UID, uid, UID, euid, UID, suid) \
	CALL3(118, getresuid, UINT_OUT, uid, UINT_OUT, euid, UINT_OUT, suid) \
	CALL3(119, setresgid, GID, gid, GID, egid, GID, sgid) \
	CALL3(120, getresgid, UINT_OUT, gid, UINT_OUT, egid, UINT_OUT, sgid) \
	CALL1(121, getpgid, PID, pid) \
	CALL1(122, setfsuid, UID, uid) \
	CALL1(123, setfsgid, GID, gid) \
	CALL1(124, getsid, PID, pid) \
	CALL2(125, capget, CAPABILITIES_HEADER, header, CAPABILITIES_OUT, data) \
	CALL2(126, capset, CAPABILITIES_HEADER, header, CAPABILITIES, data) \
	CALL2(127, rt_sigpending, SIGNAL_SET_OUT, set, SIZE, size) \
	CALL4(128, rt_sigtimedwait, SIGNAL_SET, set, SIGNAL_INFO_OUT, info, TIMESPEC, timeout, SIZE, size) \
	CALL3(129, rt_sigqueueinfo, PID, pid, SIGNAL, signal, SIGNAL_INFO, info) \
	CALL2(130, rt_sigsuspend, SIGNAL_SET, mask, SIZE, size) \
	CALL2(131, sigaltstack, SIGNAL_STACK, stack, SIGNAL_STACK_OUT, old) \
	CALL1(135, personality, HEX, persona) \
	CALL2(140, getpriority, PRIORITY_WHICH, which, INT, who) \
	CALL3(141, setpriority, PRIORITY_WHICH, which, INT, who, INT, nice) \
	CALL2(142, sched_setparam, PID, tid, SCHED_PARAMETER, parameter) \
	CALL2(143, sched_getparam, PID, tid, SCHED_PARAMETER_OUT, parameter) \
	CALL3(144, sched_setscheduler, PID, tid, SCHED_POLICY, policy, SCHED_PARAMETER, parameter) LACKS("SCHED_DEADLINE") \
	CALL1(145, sched_getscheduler, PID, tid) \
	CALL1(146, sched_get_priority_max, SCHED_POLICY, policy) \
	CALL1(147, sched_get_priority_min, SCHED_POLICY, policy) \
	CALL2(148, sched_rr_get_interval, PID, tid, TIMESPEC_OUT, interval) \
	CALL2(149, mlock, ADDRESS, address, SIZE, length) \
	CALL2(150, munlock, ADDRESS, address, SIZE, length) \
	CALL1(151, mlockall, MLOCKALL_FLAGS, flags) \
	CALL0(152, munlockall) \
	CALL5(157, prctl, PRCTL, option, PRCTL_ARGUMENT, a, PRCTL_ARGUMENT, b, PRCTL_ARGUMENT, c, PRCTL_ARGUMENT, d) LACKS("PR_SET_MM, PR_SET_SECCOMP, PR_SET_VMA, speculation control, PR_TSC_SIGSEGV") \
	CALL2(158, arch_prctl, ARCH_CODE, code, ADDRESS, address) LACKS("ARCH_SET_CPUID, extended state permissions") \
	CALL1(159, adjtimex, INOUT, words) LACKS("slewing: other values than the nominal ones of ADJ_OFFSET, ADJ_FREQUENCY, ADJ_TICK") \
	CALL2(160, setrlimit, RESOURCE, resource, RESOURCE_LIMIT, limit) \
	CALL2(164, settimeofday, TIMEVAL, time, TIMEZONE, zone) \
	CALL4(169, reboot, REBOOT_MAGIC, magic1, REBOOT_MAGIC, magic2, REBOOT_COMMAND, command, IN, argument) LACKS("RESTART2, kexec, suspend") \
	CALL2(170, sethostname, DATA_IN, name, SIZE, length) \
	CALL2(171, setdomainname, DATA_IN, name, SIZE, length) \
	CALL0(186, gettid) \
	CALL2(200, tkill, PID, tid, SIGNAL, signal) \
	CALL1(201, time, TIME_OUT, time) \
	CALL6(202, futex, INOUT, word, FUTEX_OPERATION, operation, UINT, value, FUTEX_TIMEOUT, timeout, INOUT, second, UINT, third) LACKS("priority inheritance: FUTEX_LOCK_PI, FUTEX_LOCK_PI2, FUTEX_UNLOCK_PI, FUTEX_TRYLOCK_PI, FUTEX_WAIT_REQUEUE_PI, FUTEX_CMP_REQUEUE_PI") \
	CALL3(203, sched_setaffinity, PID, tid, UINT, size, CPU_MASK, mask) \
	CALL3(204, sched_getaffinity, PID, tid, UINT, size, CPU_MASK_OUT, mask) \
	CALL1(218, set_tid_address, INOUT, tid) \
	CALL0(219, restart_syscall) \
	CALL4(220, semtimedop, INT, id, IN, operations, UINT, count, TIMESPEC, timeout) \
	CALL3(222, timer_create, CLOCK, clock, SIGNAL_EVENT, event, TIMER_ID_OUT, id) LACKS("CPU clocks of other processes") \
	CALL4(223, timer_settime, INT, id, TIMER_FLAGS, flags, ITIMERSPEC, new, ITIMERSPEC_OUT, old) \
	CALL2(224, timer_gettime, INT, id, ITIMERSPEC_OUT, now) \
	CALL1(225, timer_getoverrun, INT, id) \
	CALL1(226, timer_delete, INT, id) \
	CALL2(227, clock_settime, CLOCK, clock, TIMESPEC, time) \
	CALL2(228, clock_gettime, CLOCK, clock, TIMESPEC_OUT, time) \
	CALL2(229, clock_getres, CLOCK, clock, TIMESPEC_OUT, resolution) \
	CALL4(230, clock_nanosleep, CLOCK, clock, TIMER_FLAGS, flags, TIMESPEC, request, TIMESPEC_REMAINING, remaining) \
	CALL1(231, exit_group, INT, status) RETURNS(NOTHING) \
	CALL3(234, tgkill, PID, pid, PID, tid, SIGNAL, signal) \
	CALL5(247, waitid, WAITID_TYPE, type, PID, id, SIGNAL_INFO_OUT, info, WAITID_OPTIONS, options, USAGE_OUT, usage) \
	CALL3(251, ioprio_set, INT, which, INT, who, INT, priority) \
	CALL2(252, ioprio_get, INT, which, INT, who) \
	CALL1(272, unshare, UNSHARE_FLAGS, flags) LACKS("namespaces") \
	CALL2(273, set_robust_list, IN, head, SIZE, size) \
	CALL3(274, get_robust_list, PID, tid, POINTER_OUT, head, POINTER_OUT, size) \
	CALL2(283, timerfd_create, CLOCK, clock, TIMERFD_FLAGS, flags) \
	CALL4(286, timerfd_settime, FD, fd, TIMERFD_SET_FLAGS, flags, ITIMERSPEC, new, ITIMERSPEC_OUT, old) \
	CALL2(287, timerfd_gettime, FD, fd, ITIMERSPEC_OUT, now) \
	CALL4(297, rt_tgsigqueueinfo, PID, pid, PID, tid, SIGNAL, signal, SIGNAL_INFO, info) \
	CALL4(302, prlimit64, PID, pid, RESOURCE, resource, RESOURCE_LIMIT, new, RESOURCE_LIMIT_OUT, old) \
	CALL2(305, clock_adjtime, CLOCK, clock, INOUT, words) LACKS("slewing, as adjtimex") \
	CALL3(309, getcpu, UINT_OUT, cpu, UINT_OUT, node, ADDRESS, unused) \
	CALL6(310, process_vm_readv, PID, pid, IN, local, SIZE, local_count, IN, remote, SIZE, remote_count, HEX, flags) \
	CALL6(311, process_vm_writev, PID, pid, IN, local, SIZE, local_count, IN, remote, SIZE, remote_count, HEX, flags) \
	CALL5(312, kcmp, PID, pid1, PID, pid2, INT, type, ULONG, first, ULONG, second) LACKS("KCMP_EPOLL_TFD") \
	CALL3(314, sched_setattr, PID, tid, SCHED_ATTRIBUTES, attributes, FLAGS, flags) LACKS("SCHED_DEADLINE, utilisation clamps") \
	CALL4(315, sched_getattr, PID, tid, SCHED_ATTRIBUTES_OUT, attributes, UINT, size, FLAGS, flags) \
	CALL3(318, getrandom, DATA_OUT, buffer, SIZE, size, RANDOM_FLAGS, flags) \
	CALL5(322, execveat, DIRFD, directory, PATH, path, STRINGS, argv, ENVIRONMENT, envp, AT_FLAGS, flags) \
	CALL3(324, membarrier, INT, command, FLAGS, flags, INT, cpu) LACKS("the commands of rseq, as QUERY says") \
	CALL3(325, mlock2, ADDRESS, address, SIZE, length, MLOCK_FLAGS, flags) \
	CALL4(424, pidfd_send_signal, FD, pidfd, SIGNAL, signal, SIGNAL_INFO, info, FLAGS, flags) \
	CALL2(434, pidfd_open, PID, pid, FLAGS, flags) \
	CALL2(435, clone3, CLONE_ARGS, args, SIZE, size) LACKS("namespaces, CLONE_INTO_CGROUP") \
	CALL3(438, pidfd_getfd, FD, pidfd, FD, fd, FLAGS, flags) \
	CALL5(449, futex_waitv, IN, words, UINT, count, FLAGS, flags, TIMESPEC, timeout, CLOCK, clock)
/* clang-format on */

#endif
