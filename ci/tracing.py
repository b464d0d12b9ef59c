# SPDX-License-Identifier: MIT
"""`exec --strace` beside Debian's own strace, and `diff`.

The same program runs on the host under strace and on Baton under the tracer; once addresses, process ids
and times are put aside, the lines must be the same. Calls that Baton does not have are left out.
"""
import os
import re
import subprocess

import harness
from harness import TOOLS, check, guest, tree
from command import difference, execute, strace, syscall_table

PROGRAMS = tree.BUILD / "user"
BUSYBOX = "/bin/busybox"
# glibc asks for the time and its own path; one has no vDSO in all builds, the other needs /proc.
ASIDE = {"time", "readlink"}


def _missing(calls):
    """Names of calls in a trace that Baton's table does not have."""
    known = {call.name for call in syscall_table.read().values()}
    names = {event.partition("(")[0] for events in calls for event in events if event[0].isalpha()}
    return names - known


def _agree(program, arguments=(), stdin=b"", adds=(), aside=()):
    if not difference.traces():
        harness.skip("strace is not there, cannot be installed, or may not trace here")
    request = execute.Request(str(program), list(arguments), list(adds), seconds=4 * harness.SECONDS)
    request.log = str(tree.run_folder() / f"scenario-{os.getpid()}.log")
    linux = difference.on_host(request, stdin, True)
    baton = difference.on_baton(request, stdin, True)
    check(sum(map(len, linux.calls)) > 3, "the host's strace saw nothing")
    for outcome in (linux, baton):
        # Linux tells a tracer of signals that are ignored too; here nothing of them ever happens.
        outcome.calls = [[event for event in events if not event.startswith("--- SIGCHLD ")] for events in outcome.calls]
    shown = difference.differences(linux, baton, ASIDE | set(aside) | _missing(linux.calls))
    check(not shown, f"{program} {' '.join(arguments)}:\n" + "\n".join(shown))
    return baton


SOURCE = r"""
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
/* One call of each kind that the tracer must put in words, errors included. */
int main(void)
{
	char buffer[100] = "\1\0012\"\n\t\377", text[] = "0123456789012345678901234567890123456789";
	struct iovec vector[2] = {{text, 40}, {buffer, 3}};
	struct pollfd polled[2] = {{.fd = 0, .events = POLLIN | POLLPRI}, {.fd = -1}};
	struct timespec brief = {0, 1000}, times[2] = {{0, UTIME_OMIT}, {5, 6}};
	struct stat st;
	struct utsname name;
	int fds[2], status, fd = open("/made", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
	char *map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	write(fd, buffer, 7), writev(fd, vector, 2), pwrite(fd, text, 40, 100), lseek(fd, -4, SEEK_END);
	read(fd, buffer, 100), pread(fd, buffer, 50, 0), lseek(fd, 0, SEEK_SET), readv(fd, vector, 2);
	fstat(fd, &st), lstat("/none", &st), access("/made", R_OK | W_OK), access("/made", F_OK);
	fcntl(fd, F_GETFD), fcntl(fd, F_GETFL), fcntl(fd, F_SETFD, FD_CLOEXEC), fcntl(99, F_GETFL);
	ftruncate(fd, 5), fchmod(fd, 0600), chmod("/made", 07755), umask(027), umask(0);
	utimensat(AT_FDCWD, "/made", times, AT_SYMLINK_NOFOLLOW), link("/made", "/other");
	rename("/other", "/third"), symlink("somewhere", "/link"), readlink("/link", buffer, 100);
	unlink("/link"), mkdir("/folder", 0711), rmdir("/folder"), unlinkat(AT_FDCWD, "third", 0);
	getcwd(buffer, 100), chdir("/none"), open("/none/x", O_WRONLY | O_APPEND | O_TRUNC | O_DIRECTORY);
	mprotect(map, 4096, PROT_READ), mprotect(map, 4096, PROT_NONE), mprotect(map + 1, 1, PROT_EXEC);
	munmap(map, 8192), mmap((void *)0x10000000, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	mmap(NULL, 0, PROT_NONE, MAP_PRIVATE | MAP_NORESERVE | MAP_STACK | MAP_ANONYMOUS, -1, 0);
	mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 4096), pipe2(fds, O_CLOEXEC | O_NONBLOCK), dup2(fd, 20);
	dup3(fd, 21, O_CLOEXEC), read(fds[0], buffer, 10), poll(polled, 2, -1), poll(NULL, 0, 1);
	syscall(SYS_nanosleep, &brief, NULL), syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &brief, NULL);
	syscall(SYS_clock_getres, CLOCK_REALTIME, &brief), syscall(SYS_clock_gettime, 77, &brief);
	ioctl(fd, TIOCGWINSZ, &status), ioctl(0, FIONREAD, &status), uname(&name);
	kill(getpid(), 0), syscall(SYS_tgkill, 99999, 99999, SIGUSR1), read(0, (void *)8, 10);
	write(fds[1], (void *)8, 10), syscall(SYS_open, (void *)8, O_RDONLY), syscall(SYS_execve, "/none", NULL, NULL);
	if (vfork() == 0)
		_exit(3);
	wait(&status), wait4(-1, &status, WNOHANG, NULL);
	close(fd), unlink("/made"), close(fd);
	return 7;
}
"""


CORE = r"""
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static int word;
static void on_signal(int number) {}
/* Signals, futexes, scheduling, limits, memory: one call of each kind. */
int main(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART | SA_NODEFER};
	struct sched_param parameter = {0};
	struct timespec brief = {0, 1000};
	struct rlimit limit;
	struct rusage usage;
	struct tms times_of;
	stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};
	siginfo_t info;
	sigset_t set;
	gid_t groups[4] = {1, 2};
	uid_t a, b, c;
	char name[16], *map;
	union sigval value = {.sival_int = 5};

	sigaction(SIGUSR1, &action, NULL), sigaction(SIGUSR1, NULL, &action), sigaction(SIGKILL, &action, NULL);
	signal(SIGUSR2, SIG_IGN), sigemptyset(&set), sigaddset(&set, SIGINT), sigaddset(&set, 40);
	sigprocmask(SIG_BLOCK, &set, NULL), sigprocmask(SIG_UNBLOCK, NULL, &set), kill(getpid(), SIGUSR1);
	raise(SIGUSR1), kill(getpid(), SIGINT), sigpending(&set), sigtimedwait(&set, &info, &brief);
	sigqueue(getpid(), SIGUSR1, value), sigaltstack(&stack, NULL), sigaltstack(NULL, &stack);
	syscall(SYS_futex, &word, 0, 1, NULL, NULL, 0), syscall(SYS_futex, &word, 128, 0, &brief, NULL, 0);
	syscall(SYS_futex, &word, 129, 1, NULL, NULL, 0), syscall(SYS_futex, &word, 3, 1, 2, &usage, 0);
	syscall(SYS_futex, &word, 4, 1, 2, &usage, 7), syscall(SYS_futex, &word, 9 | 128 | 256, 0, &brief, NULL, -1);
	getrlimit(RLIMIT_FSIZE, &limit), setrlimit(RLIMIT_CORE, &limit);
	syscall(SYS_getrlimit, RLIMIT_CPU, &limit), getrusage(RUSAGE_SELF, &usage), times(&times_of);
	prctl(PR_SET_NAME, "a name that is too long"), prctl(PR_GET_NAME, name), prctl(PR_SET_PDEATHSIG, SIGHUP);
	prctl(PR_GET_DUMPABLE), prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	syscall(SYS_sched_getparam, 0, &parameter), syscall(SYS_sched_getscheduler, 0);
	syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &parameter), syscall(SYS_sched_get_priority_max, SCHED_FIFO);
	getpriority(PRIO_PROCESS, 0), setpriority(PRIO_PROCESS, 0, 5), getgroups(0, NULL), setgroups(2, groups);
	getresuid(&a, &b, &c), setresgid(-1, -1, -1), getpgid(0), setpgid(0, 0), setitimer(99, NULL, NULL);
	map = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	map = mremap(map, 16384, 8192, MREMAP_MAYMOVE), madvise(map, 4096, MADV_DONTNEED);
	msync(map, 4096, MS_SYNC), mlock(map, 4096), munlock(map, 4096), madvise(map, 4096, 12345);
	if (fork() == 0)
		kill(getpid(), SIGTERM);
	waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), waitid(P_ALL, 0, NULL, WEXITED), waitid(P_PID, 1, &info, WSTOPPED);
	syscall(SYS_clock_settime, 99, &brief), alarm(0);
	raise(SIGTERM);
	return 0;
}
"""


def _compiled(folder, name, source):
    (folder / f"{name}.c").write_text(source, encoding="utf-8")
    subprocess.run(["musl-gcc", "-static", "-w", "-D_GNU_SOURCE", "-o", str(folder / name), str(folder / f"{name}.c")], check=True)
    return folder / name


def each_kind():
    """Programs that make a call of each kind: the same words as strace's."""
    with guest.private_folder() as folder:
        _agree(_compiled(folder, "kinds", SOURCE))
        _agree(_compiled(folder, "core", CORE))


def applets():
    """Programs of Debian's busybox, one boot each."""
    for words in (["echo", "hello"], ["ls", "/etc"], ["cat", "/none"],
                  ["sh", "-c", "echo $((6 * 7)); exit 3"]):
        _agree(BUSYBOX, words, aside={"newfstatat", "getdents64"} if words[0] == "ls" else ())
    _agree(BUSYBOX, ["wc"], b"a b\nc\n")


def same_output():
    """A traced program behaves as one that is not; --strace=F takes the lines, stderr stays the program's."""
    with guest.private_folder() as folder:
        lines = folder / "trace"
        done = subprocess.run([str(TOOLS / "baton"), "exec", "--timeout", "2000", f"--strace={lines}", "--strace-time",
                               BUSYBOX, "sh", "-c", "cat; ls /none; exit 3"], input=b"x" * 100_000, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        check((done.returncode, done.stdout, done.stderr) ==
              (3, b"x" * 100_000, b"ls: /none: No such file or directory\n"), f"{str(done)[:2000]}")
        text = lines.read_text(encoding="utf-8")
    check('execve("/bin/busybox", ["/bin/busybox", "sh", "-c", "cat; ls /none; exit 3"], ' in text, text[:2000])
    # In how many pieces the input comes is a matter of time: together they are all of it.
    written = [int(size) for size in re.findall(r'(?:write\(1, "x*"(?:\.\.\.)?, \d+|write resumed>)\) += (\d+) <', text)]
    check("+++ exited with 3 +++" in text and sum(written) == 100_000, f"{sum(written)} bytes\n{text[-2000:]}")


def diff_command():
    """diff's exit codes and what it shows."""
    def diff(*words):
        return subprocess.run([str(TOOLS / "baton"), "diff", *words], stdin=subprocess.DEVNULL, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    done = diff("--no-calls", BUSYBOX, "echo", "hello")
    check((done.returncode, done.stdout) == (0, "no difference\n"), f"{done}")
    done = diff("--no-calls", BUSYBOX, "uname", "-r")
    check(done.returncode == 1 and "standard output differs in line 1:\n- linux: " in done.stdout, f"{done}")
    check(diff("/none/such").returncode == 127, "a program that is not there")
    check(diff("--mem", "1", BUSYBOX).returncode == 2, "a machine that cannot be")


if __name__ == "__main__":
    harness.main([each_kind, applets, same_output, diff_command])
