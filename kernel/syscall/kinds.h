/* SPDX-License-Identifier: MIT */
/*
 * The kinds of arguments that the table of system calls (table.h) speaks of.
 *
 *	KIND(name, C type, how, size)
 *
 * The C type is the handler's. `how` says which memory belongs to the argument, so that the tracer
 * can take it along: before the call what it reads (IN), after it what it wrote (OUT), both (INOUT);
 * `size` is that memory's size in bytes, or of one item of an array. How it is written in words
 * stands in tools/command/strace_kinds.py, under the same name: a test sees to it that every kind
 * has its words.
 *
 *	NONE          there is none: a number, or an address that is not looked through
 *	IN OUT INOUT  `size` bytes
 *	REMAINING     `size` bytes, written when the call was interrupted
 *	PATH          a NUL-terminated path; TEXT: another string, of which the beginning will do
 *	STRINGS       a NULL-terminated array of strings; COUNT: the same, only how many
 *	DATA_IN       as many bytes as the next argument says; the beginning will do
 *	DATA_OUT      as many bytes as the call returned; the beginning will do, `size` bytes if not 0
 *	NEXT_IN NEXT_OUT    as many bytes as the next argument says
 *	LAST_IN LAST_OUT    as many bytes as the argument before says
 *	ARRAY_IN ARRAY_OUT ARRAY_INOUT    as many items as the next argument says
 *	LAST_ARRAY_IN       as many items as the argument before says
 *	RESULT_ARRAY_OUT    as many items as the call returned
 *	VECTOR_IN VECTOR_OUT    struct iovec, as many as the next argument says, and their data
 *	BITS_INOUT    an fd_set of as many bits as the first argument says
 *	ENTRIES_OUT   directory entries in as many bytes as the call returned: only how many
 *	BY_COMMAND    depends on the argument before it (ioctl, fcntl, futex): trace_command.c
 */
#ifndef SYSCALL_KINDS_H
#define SYSCALL_KINDS_H

#define SYSCALL_KINDS(KIND) SYSCALL_KINDS_NUMBERS(KIND) SYSCALL_KINDS_MEMORY(KIND)

/* clang-format off */
#define SYSCALL_KINDS_NUMBERS(KIND) \
	KIND(INT, int, NONE, 0)             /* a number */ \
	KIND(UINT, unsigned int, NONE, 0) \
	KIND(LONG, long, NONE, 0) \
	KIND(ULONG, unsigned long, NONE, 0) \
	KIND(SIZE, size_t, NONE, 0)         /* bytes, items */ \
	KIND(OFFSET, int64_t, NONE, 0)      /* in a file */ \
	KIND(ADDRESS, uintptr_t, NONE, 0)   /* not looked through */ \
	KIND(HEX, unsigned long, NONE, 0)   /* a number to be shown in base 16 */ \
	KIND(MMAP_OFFSET, int64_t, NONE, 0) \
	KIND(FD, int, NONE, 0)              /* a file descriptor */ \
	KIND(DIRFD, int, NONE, 0)           /* a file descriptor, or AT_FDCWD */ \
	KIND(PID, int, NONE, 0) \
	KIND(UID, unsigned int, NONE, 0) \
	KIND(GID, unsigned int, NONE, 0) \
	KIND(SIGNAL, int, NONE, 0)          /* a signal's number */ \
	KIND(MODE, unsigned int, NONE, 0)   /* permissions */ \
	KIND(OPEN_MODE, unsigned int, NONE, 0) /* there if the flags before it create a file */ \
	KIND(NODE_MODE, unsigned int, NONE, 0) /* permissions and a file type */ \
	KIND(DEVICE, unsigned int, NONE, 0) \
	KIND(FLAGS, unsigned int, NONE, 0)  /* an or of bits whose names nobody needs */ \
	KIND(ACCESS_MODE, unsigned int, NONE, 0) \
	KIND(ADVICE, int, NONE, 0)          /* madvise */ \
	KIND(ARCH_CODE, int, NONE, 0) \
	KIND(AT_FLAGS, unsigned int, NONE, 0) \
	KIND(CLOCK, int, NONE, 0) \
	KIND(CLONE_FLAGS, unsigned long, NONE, 0) \
	KIND(CLOSE_RANGE_FLAGS, unsigned int, NONE, 0) \
	KIND(EPOLL_FLAGS, int, NONE, 0) \
	KIND(EPOLL_OPERATION, int, NONE, 0) \
	KIND(EVENT_FLAGS, unsigned int, NONE, 0)     /* eventfd */ \
	KIND(FALLOCATE_FLAGS, int, NONE, 0) \
	KIND(FCNTL, int, NONE, 0) \
	KIND(FILE_ADVICE, int, NONE, 0) \
	KIND(FUTEX_OPERATION, int, NONE, 0) \
	KIND(INOTIFY_FLAGS, unsigned int, NONE, 0) \
	KIND(IOCTL, unsigned int, NONE, 0) \
	KIND(ITIMER, int, NONE, 0) \
	KIND(LOCK_OPERATION, unsigned int, NONE, 0) /* flock */ \
	KIND(MAP_FLAGS, unsigned int, NONE, 0) \
	KIND(MEMBARRIER_COMMAND, int, NONE, 0) \
	KIND(MEMFD_FLAGS, unsigned int, NONE, 0) \
	KIND(MLOCK_FLAGS, int, NONE, 0) \
	KIND(MLOCKALL_FLAGS, int, NONE, 0) \
	KIND(MOUNT_FLAGS, unsigned long, NONE, 0) \
	KIND(MREMAP_FLAGS, unsigned long, NONE, 0) \
	KIND(MSYNC_FLAGS, int, NONE, 0) \
	KIND(OPEN_FLAGS, unsigned int, NONE, 0) \
	KIND(PIPE_FLAGS, unsigned int, NONE, 0)      /* pipe2, dup3, inotify_init1 */ \
	KIND(PRCTL, int, NONE, 0) \
	KIND(PRIORITY_WHICH, int, NONE, 0) \
	KIND(PROTECTION, unsigned int, NONE, 0) \
	KIND(RANDOM_FLAGS, unsigned int, NONE, 0) \
	KIND(REBOOT_MAGIC, unsigned int, NONE, 0) \
	KIND(REBOOT_COMMAND, unsigned int, NONE, 0) \
	KIND(REMOVE_FLAGS, unsigned int, NONE, 0)    /* unlinkat */ \
	KIND(RENAME_FLAGS, unsigned int, NONE, 0) \
	KIND(RESOURCE, unsigned int, NONE, 0) \
	KIND(SCHED_POLICY, int, NONE, 0) \
	KIND(SIGNAL_HOW, int, NONE, 0) \
	KIND(SIGNALFD_FLAGS, int, NONE, 0) \
	KIND(TIMERFD_FLAGS, unsigned int, NONE, 0) \
	KIND(TIMER_FLAGS, unsigned int, NONE, 0)     /* TIMER_ABSTIME */ \
	KIND(TIMERFD_SET_FLAGS, int, NONE, 0) \
	KIND(UNSHARE_FLAGS, unsigned long, NONE, 0) \
	KIND(USAGE_WHO, int, NONE, 0) \
	KIND(WAIT_OPTIONS, unsigned int, NONE, 0) \
	KIND(WAITID_OPTIONS, int, NONE, 0) \
	KIND(WAITID_TYPE, int, NONE, 0) \
	KIND(WATCH_MASK, uint32_t, NONE, 0)          /* inotify_add_watch */ \
	KIND(WHENCE, int, NONE, 0) \
	KIND(XATTR_FLAGS, int, NONE, 0)

#define SYSCALL_KINDS_MEMORY(KIND) \
	KIND(IN, user_t, NONE, 0)           /* memory that is shown as its address: last resort */ \
	KIND(OUT, user_t, NONE, 0) \
	KIND(INOUT, user_t, NONE, 0) \
	KIND(PATH, user_t, PATH, 0) \
	KIND(PATH_OUT, user_t, DATA_OUT, 4095) /* its length is the result */ \
	KIND(TEXT, user_t, TEXT, 0) \
	KIND(STRINGS, user_t, STRINGS, 0) \
	KIND(ENVIRONMENT, user_t, COUNT, 0) \
	KIND(DATA_IN, user_t, DATA_IN, 0) \
	KIND(DATA_OUT, user_t, DATA_OUT, 0) \
	KIND(VECTOR_IN, user_t, VECTOR_IN, 0) \
	KIND(VECTOR_OUT, user_t, VECTOR_OUT, 0) \
	KIND(DIRECTORY_OUT, user_t, ENTRIES_OUT, 0) \
	KIND(CAPABILITIES_HEADER, user_t, IN, 8) \
	KIND(CAPABILITIES, user_t, IN, 24) \
	KIND(CAPABILITIES_OUT, user_t, OUT, 24) \
	KIND(CLONE_ARGS, user_t, NEXT_IN, 0) \
	KIND(CPU_MASK, user_t, LAST_IN, 0) \
	KIND(CPU_MASK_OUT, user_t, DATA_OUT, 128) \
	KIND(EPOLL_EVENT, user_t, IN, 12) \
	KIND(EPOLL_EVENTS_OUT, user_t, RESULT_ARRAY_OUT, 12) \
	KIND(FCNTL_ARGUMENT, uintptr_t, BY_COMMAND, 0) \
	KIND(FD_PAIR_OUT, user_t, OUT, 8) \
	KIND(FD_SET, user_t, BITS_INOUT, 0) \
	KIND(FUTEX_TIMEOUT, uintptr_t, BY_COMMAND, 0) /* or a number, by the operation */ \
	KIND(GROUPS, user_t, LAST_ARRAY_IN, 4) \
	KIND(GROUPS_OUT, user_t, RESULT_ARRAY_OUT, 4) \
	KIND(INT_OUT, user_t, OUT, 4) \
	KIND(IOCTL_ARGUMENT, uintptr_t, BY_COMMAND, 0) \
	KIND(ITIMERSPEC, user_t, IN, 32) \
	KIND(ITIMERSPEC_OUT, user_t, OUT, 32) \
	KIND(ITIMERVAL, user_t, IN, 32) \
	KIND(ITIMERVAL_OUT, user_t, OUT, 32) \
	KIND(OFFSET_INOUT, user_t, INOUT, 8) \
	KIND(POINTER_OUT, user_t, OUT, 8) \
	KIND(POLL_FDS, user_t, ARRAY_INOUT, 8) \
	KIND(PRCTL_ARGUMENT, uintptr_t, BY_COMMAND, 0) \
	KIND(RESOURCE_LIMIT, user_t, IN, 16) \
	KIND(RESOURCE_LIMIT_OUT, user_t, OUT, 16) \
	KIND(SCHED_ATTRIBUTES, user_t, IN, 48) \
	KIND(SCHED_ATTRIBUTES_OUT, user_t, NEXT_OUT, 0) \
	KIND(SCHED_PARAMETER, user_t, IN, 4) \
	KIND(SCHED_PARAMETER_OUT, user_t, OUT, 4) \
	KIND(SIGNAL_ACTION, user_t, IN, 32) \
	KIND(SIGNAL_ACTION_OUT, user_t, OUT, 32) \
	KIND(SIGNAL_EVENT, user_t, IN, 64) \
	KIND(SIGNAL_INFO, user_t, IN, 128) \
	KIND(SIGNAL_INFO_OUT, user_t, OUT, 128) \
	KIND(SIGNAL_SET, user_t, IN, 8) \
	KIND(SIGNAL_SET_OUT, user_t, OUT, 8) \
	KIND(SIGNAL_SET_SIZED, user_t, IN, 16) /* pselect6's pair of address and size */ \
	KIND(SIGNAL_STACK, user_t, IN, 24) \
	KIND(SIGNAL_STACK_OUT, user_t, OUT, 24) \
	KIND(STAT_OUT, user_t, OUT, 144) \
	KIND(STATFS_OUT, user_t, OUT, 120) \
	KIND(STATX_OUT, user_t, OUT, 256) \
	KIND(SYSTEM_INFO_OUT, user_t, OUT, 112) \
	KIND(TIME_OUT, user_t, OUT, 8)      /* seconds */ \
	KIND(TIMER_ID_OUT, user_t, OUT, 4) \
	KIND(TIMES_OUT, user_t, OUT, 32)    /* struct tms */ \
	KIND(TIMESPEC, user_t, IN, 16) \
	KIND(TIMESPEC_OUT, user_t, OUT, 16) \
	KIND(TIMESPEC_INOUT, user_t, INOUT, 16) \
	KIND(TIMESPEC_REMAINING, user_t, REMAINING, 16) \
	KIND(TIMESPEC_PAIR, user_t, IN, 32) /* utimensat */ \
	KIND(TIMEVAL, user_t, IN, 16) \
	KIND(TIMEVAL_OUT, user_t, OUT, 16) \
	KIND(TIMEVAL_INOUT, user_t, INOUT, 16) \
	KIND(TIMEZONE, user_t, IN, 8) \
	KIND(TIMEZONE_OUT, user_t, OUT, 8) \
	KIND(UINT_OUT, user_t, OUT, 4)      /* ids, a CPU's number */ \
	KIND(USAGE_OUT, user_t, OUT, 144)   /* struct rusage */ \
	KIND(UTSNAME_OUT, user_t, OUT, 390) \
	KIND(WAIT_STATUS_OUT, user_t, OUT, 4)
/* clang-format on */

#endif
