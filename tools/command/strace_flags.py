# SPDX-License-Identifier: MIT
"""Names for numbers, in strace's order; their values come from Debian's headers (constants.py)."""
from . import constants

# kind: (form, unknown, names). form: `flags`, an or of bits; `base MASK`: the first of the names that are
# values under MASK, then bits; `one`: one of several values. unknown: what strace calls what has no name.
SETS = {
    "OPEN_FLAGS": ("base O_ACCMODE", "O_???", "O_RDONLY O_WRONLY O_RDWR ; O_CREAT O_EXCL O_NOCTTY O_TRUNC O_APPEND "
                   "O_NONBLOCK O_SYNC O_DSYNC O_DIRECT O_LARGEFILE O_NOFOLLOW O_NOATIME O_CLOEXEC O_PATH "
                   "O_TMPFILE O_DIRECTORY FASYNC"),
    "PIPE_FLAGS": ("flags", "O_???", "O_CREAT O_EXCL O_NOCTTY O_TRUNC O_APPEND O_NONBLOCK O_SYNC O_DSYNC O_DIRECT "
                   "O_LARGEFILE O_NOFOLLOW O_NOATIME O_CLOEXEC O_PATH O_TMPFILE O_DIRECTORY"),
    "PROTECTION": ("flags", "PROT_???", "PROT_NONE PROT_READ PROT_WRITE PROT_EXEC PROT_SEM PROT_GROWSDOWN PROT_GROWSUP"),
    "MAP_FLAGS": ("base MAP_TYPE", "MAP_???", "MAP_FILE MAP_SHARED MAP_PRIVATE MAP_SHARED_VALIDATE ; MAP_FIXED "
                  "MAP_ANONYMOUS MAP_32BIT MAP_NORESERVE MAP_POPULATE MAP_NONBLOCK MAP_GROWSDOWN MAP_DENYWRITE "
                  "MAP_EXECUTABLE MAP_LOCKED MAP_STACK MAP_HUGETLB MAP_SYNC MAP_FIXED_NOREPLACE"),
    "MOUNT_FLAGS": ("flags", "MS_???", "MS_RDONLY MS_NOSUID MS_NODEV MS_NOEXEC MS_SYNCHRONOUS MS_REMOUNT MS_MANDLOCK "
                    "MS_DIRSYNC MS_NOSYMFOLLOW MS_NOATIME MS_NODIRATIME MS_BIND MS_MOVE MS_REC MS_SILENT MS_POSIXACL "
                    "MS_UNBINDABLE MS_PRIVATE MS_SLAVE MS_SHARED MS_RELATIME MS_KERNMOUNT MS_I_VERSION "
                    "MS_STRICTATIME MS_LAZYTIME"),
    "MREMAP_FLAGS": ("flags", "MREMAP_???", "MREMAP_MAYMOVE MREMAP_FIXED MREMAP_DONTUNMAP"),
    "MSYNC_FLAGS": ("flags", "MS_???", "MS_SYNC MS_ASYNC MS_INVALIDATE"),
    "MLOCK_FLAGS": ("flags", "MLOCK_???", "MLOCK_ONFAULT"),
    "MLOCKALL_FLAGS": ("flags", "MCL_???", "MCL_CURRENT MCL_FUTURE MCL_ONFAULT"),
    "ADVICE": ("one", "MADV_???", "MADV_NORMAL MADV_RANDOM MADV_SEQUENTIAL MADV_WILLNEED MADV_DONTNEED MADV_FREE "
               "MADV_REMOVE MADV_DONTFORK MADV_DOFORK MADV_HWPOISON MADV_MERGEABLE MADV_UNMERGEABLE MADV_HUGEPAGE "
               "MADV_NOHUGEPAGE MADV_DONTDUMP MADV_DODUMP MADV_WIPEONFORK MADV_KEEPONFORK MADV_COLD MADV_PAGEOUT "
               "MADV_POPULATE_READ MADV_POPULATE_WRITE"),
    "ACCESS_MODE": ("flags", "?_OK", "F_OK R_OK W_OK X_OK"),
    "AT_FLAGS": ("flags", "AT_???", "AT_SYMLINK_NOFOLLOW AT_REMOVEDIR AT_SYMLINK_FOLLOW AT_NO_AUTOMOUNT AT_EMPTY_PATH "
                 "AT_RECURSIVE"),
    "FACCESS_FLAGS": ("flags", "AT_???", "AT_EACCESS AT_SYMLINK_NOFOLLOW AT_SYMLINK_FOLLOW AT_NO_AUTOMOUNT "
                      "AT_EMPTY_PATH"),
    "REMOVE_FLAGS": ("flags", "AT_???", "AT_REMOVEDIR"),
    "RENAME_FLAGS": ("flags", "RENAME_???", "RENAME_NOREPLACE RENAME_EXCHANGE RENAME_WHITEOUT"),
    "ARCH_CODE": ("one", "ARCH_???", "ARCH_SET_GS ARCH_SET_FS ARCH_GET_FS ARCH_GET_GS ARCH_GET_CPUID ARCH_SET_CPUID "
                  "ARCH_GET_XCOMP_SUPP ARCH_GET_XCOMP_PERM ARCH_REQ_XCOMP_PERM"),
    "CLOCK": ("one", "CLOCK_???", "CLOCK_REALTIME CLOCK_MONOTONIC CLOCK_PROCESS_CPUTIME_ID CLOCK_THREAD_CPUTIME_ID "
              "CLOCK_MONOTONIC_RAW CLOCK_REALTIME_COARSE CLOCK_MONOTONIC_COARSE CLOCK_BOOTTIME "
              "CLOCK_REALTIME_ALARM CLOCK_BOOTTIME_ALARM CLOCK_TAI"),
    "CLONE_FLAGS": ("flags", "CLONE_???", "CLONE_NEWTIME CLONE_VM CLONE_FS CLONE_FILES CLONE_SIGHAND CLONE_PIDFD "
                    "CLONE_PTRACE CLONE_VFORK CLONE_PARENT CLONE_THREAD CLONE_NEWNS CLONE_SYSVSEM CLONE_SETTLS "
                    "CLONE_PARENT_SETTID CLONE_CHILD_CLEARTID CLONE_DETACHED CLONE_UNTRACED CLONE_CHILD_SETTID "
                    "CLONE_NEWCGROUP CLONE_NEWUTS CLONE_NEWIPC CLONE_NEWUSER CLONE_NEWPID CLONE_NEWNET CLONE_IO "
                    "CLONE_CLEAR_SIGHAND CLONE_INTO_CGROUP"),
    "UNSHARE_FLAGS": ("flags", "CLONE_???", "CLONE_NEWTIME CLONE_VM CLONE_FS CLONE_FILES CLONE_SIGHAND CLONE_THREAD "
                      "CLONE_NEWNS CLONE_SYSVSEM CLONE_NEWCGROUP CLONE_NEWUTS CLONE_NEWIPC CLONE_NEWUSER "
                      "CLONE_NEWPID CLONE_NEWNET"),
    "CLOSE_RANGE_FLAGS": ("flags", "CLOSE_RANGE_???", "CLOSE_RANGE_UNSHARE CLOSE_RANGE_CLOEXEC"),
    "EPOLL_FLAGS": ("flags", "EPOLL_???", "EPOLL_CLOEXEC"),
    "EPOLL_OPERATION": ("one", "EPOLL_CTL_???", "EPOLL_CTL_ADD EPOLL_CTL_DEL EPOLL_CTL_MOD"),
    "EPOLL_EVENTS": ("flags", "EPOLL???", "EPOLLIN EPOLLPRI EPOLLOUT EPOLLRDNORM EPOLLRDBAND EPOLLWRNORM EPOLLWRBAND "
                     "EPOLLMSG EPOLLERR EPOLLHUP EPOLLRDHUP EPOLLEXCLUSIVE EPOLLWAKEUP EPOLLONESHOT EPOLLET"),
    "POLL_EVENTS": ("flags", "POLL???", "POLLIN POLLPRI POLLOUT POLLRDNORM POLLWRNORM POLLRDBAND POLLWRBAND POLLERR "
                    "POLLHUP POLLNVAL POLLMSG POLLRDHUP POLLREMOVE"),
    "FALLOCATE_FLAGS": ("flags", "FALLOC_FL_???", "FALLOC_FL_KEEP_SIZE FALLOC_FL_PUNCH_HOLE FALLOC_FL_NO_HIDE_STALE "
                        "FALLOC_FL_COLLAPSE_RANGE FALLOC_FL_ZERO_RANGE FALLOC_FL_INSERT_RANGE "
                        "FALLOC_FL_UNSHARE_RANGE"),
    "FCNTL": ("one", "F_???", "F_DUPFD F_GETFD F_SETFD F_GETFL F_SETFL F_GETLK F_SETLK F_SETLKW F_SETOWN F_GETOWN F_SETSIG "
              "F_GETSIG F_SETOWN_EX F_GETOWN_EX F_OFD_GETLK F_OFD_SETLK F_OFD_SETLKW F_SETLEASE F_GETLEASE F_NOTIFY "
              "F_DUPFD_CLOEXEC F_SETPIPE_SZ F_GETPIPE_SZ F_ADD_SEALS F_GET_SEALS"),
    "FD_FLAGS": ("flags", "FD_???", "FD_CLOEXEC"),
    "FILE_ADVICE": ("one", "POSIX_FADV_???", "POSIX_FADV_NORMAL POSIX_FADV_RANDOM POSIX_FADV_SEQUENTIAL "
                    "POSIX_FADV_WILLNEED POSIX_FADV_DONTNEED POSIX_FADV_NOREUSE"),
    "FUTEX_COMMAND": ("one", "FUTEX_???", "FUTEX_WAIT FUTEX_WAKE FUTEX_FD FUTEX_REQUEUE FUTEX_CMP_REQUEUE FUTEX_WAKE_OP "
                      "FUTEX_LOCK_PI FUTEX_UNLOCK_PI FUTEX_TRYLOCK_PI FUTEX_WAIT_BITSET FUTEX_WAKE_BITSET "
                      "FUTEX_WAIT_REQUEUE_PI FUTEX_CMP_REQUEUE_PI FUTEX_LOCK_PI2"),
    "INOTIFY_FLAGS": ("flags", "IN_???", "IN_CLOEXEC IN_NONBLOCK"),
    "WATCH_MASK": ("flags", "IN_???", "IN_ACCESS IN_MODIFY IN_ATTRIB IN_CLOSE_WRITE IN_CLOSE_NOWRITE IN_OPEN IN_MOVED_FROM "
                   "IN_MOVED_TO IN_CREATE IN_DELETE IN_DELETE_SELF IN_MOVE_SELF IN_UNMOUNT IN_Q_OVERFLOW IN_IGNORED "
                   "IN_ONLYDIR IN_DONT_FOLLOW IN_EXCL_UNLINK IN_MASK_CREATE IN_MASK_ADD IN_ISDIR IN_ONESHOT"),
    "IOCTL": ("one", "", "TCGETS TCSETS TCSETSW TCSETSF TCFLSH TCSBRK TCXONC TIOCGWINSZ TIOCSWINSZ TIOCGPGRP TIOCSPGRP TIOCGSID "
              "TIOCSCTTY TIOCNOTTY TIOCGPTN TIOCSPTLCK TIOCGPTLCK TIOCGPTPEER TIOCSTI TIOCOUTQ FIONREAD FIONBIO FIOCLEX "
              "FIONCLEX FIOASYNC"),
    "ITIMER": ("one", "ITIMER_???", "ITIMER_REAL ITIMER_VIRTUAL ITIMER_PROF"),
    "LOCK_OPERATION": ("flags", "LOCK_???", "LOCK_SH LOCK_EX LOCK_UN LOCK_NB"),
    "LOCK_TYPE": ("one", "F_???", "F_RDLCK F_WRLCK F_UNLCK F_EXLCK F_SHLCK"),
    "MEMBARRIER_COMMAND": ("one", "MEMBARRIER_CMD_???", "MEMBARRIER_CMD_QUERY MEMBARRIER_CMD_GLOBAL "
                           "MEMBARRIER_CMD_GLOBAL_EXPEDITED MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED "
                           "MEMBARRIER_CMD_PRIVATE_EXPEDITED MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED"),
    "MEMFD_FLAGS": ("flags", "MFD_???", "MFD_CLOEXEC MFD_ALLOW_SEALING MFD_HUGETLB"),
    "PRCTL": ("one", "PR_???", "PR_SET_PDEATHSIG PR_GET_PDEATHSIG PR_GET_DUMPABLE PR_SET_DUMPABLE PR_GET_KEEPCAPS "
              "PR_SET_KEEPCAPS PR_SET_NAME PR_GET_NAME PR_GET_SECCOMP PR_SET_SECCOMP PR_CAPBSET_READ PR_CAPBSET_DROP "
              "PR_GET_TSC PR_SET_TSC PR_GET_SECUREBITS PR_SET_SECUREBITS PR_SET_TIMERSLACK PR_GET_TIMERSLACK "
              "PR_SET_MM PR_SET_CHILD_SUBREAPER PR_GET_CHILD_SUBREAPER PR_SET_NO_NEW_PRIVS PR_GET_NO_NEW_PRIVS "
              "PR_GET_TID_ADDRESS PR_SET_THP_DISABLE PR_GET_THP_DISABLE PR_CAP_AMBIENT PR_SET_PTRACER PR_SET_VMA"),
    "PRIORITY_WHICH": ("one", "PRIO_???", "PRIO_PROCESS PRIO_PGRP PRIO_USER"),
    "RANDOM_FLAGS": ("flags", "GRND_???", "GRND_NONBLOCK GRND_RANDOM GRND_INSECURE"),
    "REBOOT_MAGIC": ("one", "LINUX_REBOOT_MAGIC_???", "LINUX_REBOOT_MAGIC1 LINUX_REBOOT_MAGIC2 LINUX_REBOOT_MAGIC2A "
                     "LINUX_REBOOT_MAGIC2B LINUX_REBOOT_MAGIC2C"),
    "REBOOT_COMMAND": ("one", "LINUX_REBOOT_CMD_???", "LINUX_REBOOT_CMD_CAD_OFF LINUX_REBOOT_CMD_RESTART "
                       "LINUX_REBOOT_CMD_HALT LINUX_REBOOT_CMD_CAD_ON LINUX_REBOOT_CMD_POWER_OFF "
                       "LINUX_REBOOT_CMD_RESTART2 LINUX_REBOOT_CMD_SW_SUSPEND LINUX_REBOOT_CMD_KEXEC"),
    "RESOURCE": ("one", "RLIMIT_???", "RLIMIT_CPU RLIMIT_FSIZE RLIMIT_DATA RLIMIT_STACK RLIMIT_CORE RLIMIT_RSS RLIMIT_NPROC "
                 "RLIMIT_NOFILE RLIMIT_MEMLOCK RLIMIT_AS RLIMIT_LOCKS RLIMIT_SIGPENDING RLIMIT_MSGQUEUE RLIMIT_NICE "
                 "RLIMIT_RTPRIO RLIMIT_RTTIME"),
    "SCHED_POLICY": ("base", "SCHED_???", "SCHED_NORMAL=SCHED_OTHER SCHED_FIFO SCHED_RR SCHED_BATCH SCHED_IDLE SCHED_DEADLINE ; "
                     "SCHED_RESET_ON_FORK"),
    "SCHED_FLAGS": ("flags", "SCHED_FLAG_???", "SCHED_FLAG_RESET_ON_FORK SCHED_FLAG_RECLAIM SCHED_FLAG_DL_OVERRUN "
                    "SCHED_FLAG_KEEP_POLICY SCHED_FLAG_KEEP_PARAMS"),
    "SIGNAL_HOW": ("one", "SIG_???", "SIG_BLOCK SIG_UNBLOCK SIG_SETMASK"),
    "SIGACTION_FLAGS": ("flags", "SA_???", "SA_RESTORER SA_ONSTACK SA_RESTART SA_NODEFER SA_RESETHAND SA_SIGINFO "
                        "SA_NOCLDSTOP SA_NOCLDWAIT SA_UNSUPPORTED SA_EXPOSE_TAGBITS"),
    "STACK_FLAGS": ("flags", "SS_???", "SS_ONSTACK SS_DISABLE SS_AUTODISARM"),
    "TIMER_FLAGS": ("flags", "TIMER_???", "TIMER_ABSTIME"),
    "TIMERFD_SET_FLAGS": ("flags", "TFD_???", "TFD_TIMER_ABSTIME TFD_TIMER_CANCEL_ON_SET"),
    "TIMERFD_FLAGS": ("flags", "TFD_???", "TFD_CLOEXEC TFD_NONBLOCK"),
    "USAGE_WHO": ("one", "RUSAGE_???", "RUSAGE_SELF RUSAGE_CHILDREN RUSAGE_BOTH RUSAGE_THREAD"),
    "WAIT_OPTIONS": ("flags", "W???", "WNOHANG WUNTRACED WEXITED WCONTINUED WNOWAIT __WCLONE __WALL __WNOTHREAD"),
    "WAITID_OPTIONS": ("flags", "W???", "WNOHANG WSTOPPED WEXITED WCONTINUED WNOWAIT __WCLONE __WALL __WNOTHREAD"),
    "WAITID_TYPE": ("one", "P_???", "P_ALL P_PID P_PGID P_PIDFD"),
    "WHENCE": ("one", "SEEK_???", "SEEK_SET SEEK_CUR SEEK_END SEEK_DATA SEEK_HOLE"),
    "XATTR_FLAGS": ("flags", "XATTR_???", "XATTR_CREATE XATTR_REPLACE"),
    "EVENT_FLAGS": ("flags", "EFD_???", "EFD_SEMAPHORE EFD_CLOEXEC EFD_NONBLOCK"),
    "SIGNALFD_FLAGS": ("flags", "SFD_???", "SFD_CLOEXEC SFD_NONBLOCK"),
    "FILE_SYSTEM": ("one", "???", "TMPFS_MAGIC PROC_SUPER_MAGIC SYSFS_MAGIC EXT4_SUPER_MAGIC DEVPTS_SUPER_MAGIC RAMFS_MAGIC"),
    "SI_CODE": ("one", "SI_???", "SI_USER SI_KERNEL SI_QUEUE SI_TIMER SI_MESGQ SI_ASYNCIO SI_SIGIO SI_TKILL"),
    "SI_CODE_CHLD": ("one", "", "CLD_EXITED CLD_KILLED CLD_DUMPED CLD_TRAPPED CLD_STOPPED CLD_CONTINUED"),
    "SI_CODE_SEGV": ("one", "", "SEGV_MAPERR SEGV_ACCERR SEGV_BNDERR SEGV_PKUERR"),
    "SI_CODE_BUS": ("one", "", "BUS_ADRALN BUS_ADRERR BUS_OBJERR BUS_MCEERR_AR BUS_MCEERR_AO"),
    "SI_CODE_FPE": ("one", "", "FPE_INTDIV FPE_INTOVF FPE_FLTDIV FPE_FLTOVF FPE_FLTUND FPE_FLTRES FPE_FLTINV FPE_FLTSUB"),
    "SI_CODE_ILL": ("one", "", "ILL_ILLOPC ILL_ILLOPN ILL_ILLADR ILL_ILLTRP ILL_PRVOPC ILL_PRVREG ILL_COPROC ILL_BADSTK"),
    "SI_CODE_TRAP": ("one", "", "TRAP_BRKPT TRAP_TRACE TRAP_BRANCH TRAP_HWBKPT"),
    "SIGNALS": ("one", "", "SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 SIGSEGV SIGUSR2 SIGPIPE "
                "SIGALRM SIGTERM SIGSTKFLT SIGCHLD SIGCONT SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGXCPU SIGXFSZ "
                "SIGVTALRM SIGPROF SIGWINCH SIGIO SIGPWR SIGSYS"),
}
# What the kernel's user headers have no name for, by what Linux defines it as.
ALIASES = {"F_OK": 0, "R_OK": 4, "W_OK": 2, "X_OK": 1, "EFD_SEMAPHORE": 1, "EFD_CLOEXEC": "O_CLOEXEC",
           "EFD_NONBLOCK": "O_NONBLOCK", "SFD_CLOEXEC": "O_CLOEXEC", "SFD_NONBLOCK": "O_NONBLOCK",
           "TFD_CLOEXEC": "O_CLOEXEC", "TFD_NONBLOCK": "O_NONBLOCK", "IN_CLOEXEC": "O_CLOEXEC",
           "IN_NONBLOCK": "O_NONBLOCK", "EPOLL_CLOEXEC": "O_CLOEXEC",
           "SS_ONSTACK": 1, "SS_DISABLE": 2, "TIMER_ABSTIME": 1, "SCHED_OTHER": "SCHED_NORMAL", "SI_KERNEL": 128,
           "P_ALL": 0, "P_PID": 1, "P_PGID": 2, "P_PIDFD": 3, "CLONE_DETACHED": 0x400000, "MAP_FILE": 0,
           "SA_UNSUPPORTED": 0x400, "SA_EXPOSE_TAGBITS": 0x800, "SS_AUTODISARM": 1 << 31}
MORE = ("AT_FDCWD", "FUTEX_PRIVATE_FLAG", "FUTEX_CLOCK_REALTIME")


class Names:
    """One set of names, ready for use."""

    def __init__(self, form, unknown, names, value_of):
        self.form, _, mask = form.partition(" ")
        self.unknown = unknown
        base, _, bits = names.rpartition(";")
        self.mask = value_of(mask) if mask else (~self._or(bits, value_of) if base else 0)
        self.base = self._values(base, value_of) if base else []
        self.bits = self._values(bits, value_of)

    @staticmethod
    def _values(names, value_of):
        known = ((name.rpartition("=")[2], value_of(name.partition("=")[0])) for name in names.split())
        return [(name, value) for name, value in known if value is not None]

    @classmethod
    def _or(cls, names, value_of):
        total = 0
        for _, value in cls._values(names, value_of):
            total |= value
        return total

    def _nameless(self, value):
        return f"{value:#x}" + (f" /* {self.unknown} */" if self.unknown else "")

    def text(self, value):
        """The number in strace's words."""
        if self.form == "one":
            return next((name for name, number in self.bits if number == value), None) or self._nameless(value)
        words, left = [], value
        if self.base:
            words = [next((name for name, number in self.base if number == value & self.mask),
                          None) or self._nameless(value & self.mask)]
            left = value & ~self.mask
        elif value == 0:
            return next((name for name, number in self.bits if number == 0), "0")
        for name, bits in self.bits:
            if bits and left & bits == bits:
                words.append(name)
                left &= ~bits
        if left and not words:
            return self._nameless(left)
        return "|".join(words + ([f"{left:#x}"] if left else []))


def _names():
    for form, _, names in SETS.values():
        yield from form.split()[1:]
        for name in names.replace(";", " ").split():
            yield name.partition("=")[0]
    yield from MORE


def load():
    """({kind: Names}, {name: value})."""
    values = constants.load(_names())
    for name, value in ALIASES.items():
        values.setdefault(name, values.get(value) if isinstance(value, str) else value)
    return {kind: Names(*entry, values.get) for kind, entry in SETS.items()}, values
