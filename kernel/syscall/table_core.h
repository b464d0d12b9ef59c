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
	CALL4(14, rt_sigprocmask, SIGNAL_HOW, how, SIGNAL_SET, set, SIGNAL_SET_OUT, old, SIZE, size) \
	CALL0(24, sched_yield) \
	CALL2(35, nanosleep, TIMESPEC, request, TIMESPEC_REMAINING, remaining) \
	CALL0(39, getpid) \
	CALL5(56, clone, CLONE_FLAGS, flags, ADDRESS, stack, INT_OUT, parent_tid, INOUT, child_tid, HEX, tls) \
	CALL0(57, fork) \
	CALL0(58, vfork) \
	CALL3(59, execve, PATH, path, STRINGS, argv, ENVIRONMENT, envp) \
	CALL1(60, exit, INT, status) RETURNS(NOTHING) \
	CALL4(61, wait4, PID, pid, WAIT_STATUS_OUT, status, WAIT_OPTIONS, options, USAGE_OUT, usage) \
	CALL2(62, kill, PID, pid, SIGNAL, signal) \
	CALL1(63, uname, UTSNAME_OUT, name) \
	CALL2(96, gettimeofday, TIMEVAL_OUT, time, TIMEZONE_OUT, zone) \
	CALL2(98, getrusage, USAGE_WHO, who, USAGE_OUT, usage) \
	CALL1(100, times, TIMES_OUT, times) \
	CALL0(102, getuid) \
	CALL0(104, getgid) \
	CALL0(107, geteuid) \
	CALL0(108, getegid) \
	CALL2(109, setpgid, PID, pid, PID, group) \
	CALL0(110, getppid) \
	CALL0(111, getpgrp) \
	CALL0(112, setsid) \
	CALL1(121, getpgid, PID, pid) \
	CALL1(124, getsid, PID, pid) \
	CALL2(158, arch_prctl, ARCH_CODE, code, ADDRESS, address) \
	CALL2(164, settimeofday, TIMEVAL, time, TIMEZONE, zone) \
	CALL4(169, reboot, REBOOT_MAGIC, magic1, REBOOT_MAGIC, magic2, REBOOT_COMMAND, command, IN, argument) \
	CALL0(186, gettid) \
	CALL2(200, tkill, PID, tid, SIGNAL, signal) \
	CALL1(201, time, TIME_OUT, time) \
	CALL1(218, set_tid_address, INOUT, tid) \
	CALL2(227, clock_settime, CLOCK, clock, TIMESPEC, time) \
	CALL2(228, clock_gettime, CLOCK, clock, TIMESPEC_OUT, time) \
	CALL2(229, clock_getres, CLOCK, clock, TIMESPEC_OUT, resolution) \
	CALL4(230, clock_nanosleep, CLOCK, clock, TIMER_FLAGS, flags, TIMESPEC, request, TIMESPEC_REMAINING, remaining) \
	CALL1(231, exit_group, INT, status) RETURNS(NOTHING) \
	CALL3(234, tgkill, PID, pid, PID, tid, SIGNAL, signal) \
	CALL5(247, waitid, WAITID_TYPE, type, PID, id, SIGNAL_INFO_OUT, info, WAITID_OPTIONS, options, USAGE_OUT, usage) \
	CALL3(318, getrandom, DATA_OUT, buffer, SIZE, size, RANDOM_FLAGS, flags) \
	CALL2(435, clone3, CLONE_ARGS, args, SIZE, size)
/* clang-format on */

#endif
