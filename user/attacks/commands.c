/* SPDX-License-Identifier: MIT */
/*
 * Pointers that the table of system calls does not tell of, because a command says what an argument is: ioctl,
 * fcntl, prctl, arch_prctl, ptrace, futex, and System V's controls. A row for each command that Baton has
 * and that takes a pointer; coverage_test.py reads the kernel's sources and demands that none is missing.
 * Pointers inside structures are in nested.c. EFAULT is expected, but where the row says something else.
 */
#include "attacks/pointers.h"

#include <asm/prctl.h>
#include <linux/elf.h>
#include <linux/fb.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/input.h>
#include <linux/kd.h>
#include <linux/nsfs.h>
#include <linux/random.h>
#include <linux/rtc.h>
#include <linux/serial.h>
#include <linux/sockios.h>
#include <linux/vt.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/msg.h>
#include <sys/ptrace.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>

/* What musl does not know. */
#define TCGETS2        0x802c542a
#define TCSETS2        0x402c542b
#define TCSETSW2       0x402c542c
#define TCSETSF2       0x402c542d
#define PTRACE_PEEKUSR PTRACE_PEEKUSER
#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY 15
#endif

/* Linux's FS_IOC_RESVSP and kin (fs/compat_ioctl.c): a struct space_resv of 48 bytes. */
#define RESERVE      _IOC(_IOC_WRITE, 'X', 40, 48)
#define UNRESERVE    _IOC(_IOC_WRITE, 'X', 41, 48)
#define RESERVE_64   _IOC(_IOC_WRITE, 'X', 42, 48)
#define UNRESERVE_64 _IOC(_IOC_WRITE, 'X', 43, 48)
#define ZERO_SPACE   _IOC(_IOC_WRITE, 'X', 57, 48)

/* Who takes the pointer: one attack each. */
enum taker {
	A_FILE,
	A_RANDOM_DEVICE,
	A_PIPE,
	A_SOCKET,
	AN_INOTIFY,
	A_SPACE,
	A_MASTER,
	A_TERMINAL,
	A_SERIAL_LINE,
	A_CONSOLE,
	A_KEYBOARD,
	A_FRAMEBUFFER,
	A_CLOCK,
	THE_THREAD,
	THE_CPU,
	A_TRACEE,
	A_WORD,
	SEMAPHORES,
	QUEUES,
	SEGMENTS
};

struct row {
	enum taker taker;
	long number;      /* of the call */
	const char *name; /* of the command */
	long command, other;
	unsigned size; /* 1: a page's last byte will do; 0: as much as there is, or none */
	enum { READS, WRITES } what;
	long expected; /* 0: -EFAULT */
};

#define ROW(taker, call, command, ...)                                    \
	{                                                                 \
		taker, SYS_##call, #command, (long)(command), __VA_ARGS__ \
	}
#define BY_INDEX 1 /* not by the id, whose lower 15 bits that is */
#define TERMIOS  36
#define TERMIOS2 44
#define TERMIO   18

static const struct row rows[] = {
	ROW(A_FILE, fcntl, F_GETLK, 0, 32, WRITES),
	ROW(A_FILE, fcntl, F_SETLK, 0, 32, READS),
	ROW(A_FILE, fcntl, F_SETLKW, 0, 32, READS),
	ROW(A_FILE, fcntl, F_OFD_GETLK, 0, 32, WRITES),
	ROW(A_FILE, fcntl, F_OFD_SETLK, 0, 32, READS),
	ROW(A_FILE, fcntl, F_OFD_SETLKW, 0, 32, READS),
	ROW(A_FILE, fcntl, F_SETOWN_EX, 0, 8, READS),
	ROW(A_FILE, fcntl, F_GETOWN_EX, 0, 8, WRITES),
	ROW(A_FILE, fcntl, F_GETOWNER_UIDS, 0, 8, WRITES),
	ROW(A_FILE, fcntl, F_GET_RW_HINT, 0, 8, WRITES),
	ROW(A_FILE, fcntl, F_SET_RW_HINT, 0, 8, READS),
	ROW(A_FILE, ioctl, FIONREAD, 0, 4, WRITES),
	ROW(A_FILE, ioctl, FIONBIO, 0, 4, READS),
	ROW(A_FILE, ioctl, FIOASYNC, 0, 4, READS),
	ROW(A_FILE, ioctl, FIGETBSZ, 0, 4, WRITES),
	ROW(A_FILE, ioctl, FIOQSIZE, 0, 8, WRITES),
	ROW(A_FILE, ioctl, FIBMAP, 0, 4, WRITES, -EPERM),
	ROW(A_FILE, ioctl, FS_IOC_GETFLAGS, 0, 4, WRITES),
	ROW(A_FILE, ioctl, FS_IOC_SETFLAGS, 0, 4, READS),
	ROW(A_FILE, ioctl, FS_IOC_FSGETXATTR, 0, 28, WRITES),
	ROW(A_FILE, ioctl, FS_IOC_FSSETXATTR, 0, 28, READS),
	ROW(A_FILE, ioctl, FICLONERANGE, 0, 32, READS),
	ROW(A_FILE, ioctl, FIDEDUPERANGE, 0, 24, READS),
	ROW(A_FILE, ioctl, RESERVE, 0, 48, READS),
	ROW(A_FILE, ioctl, RESERVE_64, 0, 48, READS),
	ROW(A_FILE, ioctl, UNRESERVE, 0, 48, READS),
	ROW(A_FILE, ioctl, UNRESERVE_64, 0, 48, READS),
	ROW(A_FILE, ioctl, ZERO_SPACE, 0, 48, READS),
	ROW(A_RANDOM_DEVICE, ioctl, RNDGETENTCNT, 0, 4, WRITES),
	ROW(A_RANDOM_DEVICE, ioctl, RNDADDTOENTCNT, 0, 4, READS),
	ROW(A_PIPE, ioctl, FIONREAD, 0, 4, WRITES),
	ROW(A_SOCKET, ioctl, FIONREAD, 0, 4, WRITES),
	ROW(A_SOCKET, ioctl, TIOCINQ, 0, 4, WRITES),
	ROW(A_SOCKET, ioctl, TIOCOUTQ, 0, 4, WRITES),
	ROW(A_SOCKET, ioctl, SIOCATMARK, 0, 4, WRITES),
	ROW(A_SOCKET, ioctl, FIOSETOWN, 0, 4, READS),
	ROW(A_SOCKET, ioctl, SIOCSPGRP, 0, 4, READS),
	ROW(A_SOCKET, ioctl, FIOGETOWN, 0, 4, WRITES),
	ROW(A_SOCKET, ioctl, SIOCGPGRP, 0, 4, WRITES),
	ROW(AN_INOTIFY, ioctl, FIONREAD, 0, 4, WRITES),
	ROW(A_SPACE, ioctl, NS_GET_OWNER_UID, 0, 4, WRITES),
	ROW(A_MASTER, ioctl, TIOCGPTN, 0, 4, WRITES),
	ROW(A_MASTER, ioctl, TIOCSPTLCK, 0, 4, READS),
	ROW(A_MASTER, ioctl, TIOCGPTLCK, 0, 4, WRITES),
	ROW(A_MASTER, ioctl, TIOCPKT, 0, 4, READS),
	ROW(A_MASTER, ioctl, TIOCGPKT, 0, 4, WRITES),
	ROW(A_MASTER, ioctl, FIONREAD, 0, 4, WRITES),
	ROW(A_TERMINAL, ioctl, TCGETS, 0, TERMIOS, WRITES),
	ROW(A_TERMINAL, ioctl, TCSETS, 0, TERMIOS, READS),
	ROW(A_TERMINAL, ioctl, TCSETSW, 0, TERMIOS, READS),
	ROW(A_TERMINAL, ioctl, TCSETSF, 0, TERMIOS, READS),
	ROW(A_TERMINAL, ioctl, TCGETS2, 0, TERMIOS2, WRITES),
	ROW(A_TERMINAL, ioctl, TCSETS2, 0, TERMIOS2, READS),
	ROW(A_TERMINAL, ioctl, TCSETSW2, 0, TERMIOS2, READS),
	ROW(A_TERMINAL, ioctl, TCSETSF2, 0, TERMIOS2, READS),
	ROW(A_TERMINAL, ioctl, TCGETA, 0, TERMIO, WRITES),
	ROW(A_TERMINAL, ioctl, TCSETA, 0, TERMIO, READS),
	ROW(A_TERMINAL, ioctl, TCSETAW, 0, TERMIO, READS),
	ROW(A_TERMINAL, ioctl, TCSETAF, 0, TERMIO, READS),
	ROW(A_TERMINAL, ioctl, TIOCGLCKTRMIOS, 0, TERMIOS, WRITES),
	ROW(A_TERMINAL, ioctl, TIOCSLCKTRMIOS, 0, TERMIOS, READS, -EPERM),
	ROW(A_TERMINAL, ioctl, TIOCGSOFTCAR, 0, 4, WRITES),
	ROW(A_TERMINAL, ioctl, TIOCSSOFTCAR, 0, 4, READS),
	ROW(A_TERMINAL, ioctl, TIOCGWINSZ, 0, 8, WRITES),
	ROW(A_TERMINAL, ioctl, TIOCSWINSZ, 0, 8, READS),
	ROW(A_TERMINAL, ioctl, TIOCGPGRP, 0, 4, WRITES),
	ROW(A_TERMINAL, ioctl, TIOCSPGRP, 0, 4, READS),
	ROW(A_TERMINAL, ioctl, TIOCGSID, 0, 4, WRITES),
	ROW(A_TERMINAL, ioctl, TIOCGEXCL, 0, 4, WRITES),
	ROW(A_TERMINAL, ioctl, TIOCGETD, 0, 4, WRITES),
	ROW(A_TERMINAL, ioctl, TIOCSETD, 0, 4, READS),
	ROW(A_TERMINAL, ioctl, TIOCGDEV, 0, 4, WRITES),
	ROW(A_TERMINAL, ioctl, TIOCSTI, 0, 1, READS),
	ROW(A_TERMINAL, ioctl, FIONREAD, 0, 4, WRITES),
	ROW(A_TERMINAL, ioctl, TIOCOUTQ, 0, 4, WRITES),
	ROW(A_SERIAL_LINE, ioctl, TIOCSLCKTRMIOS, 0, TERMIOS, READS),
	ROW(A_SERIAL_LINE, ioctl, TIOCMGET, 0, 4, WRITES),
	ROW(A_SERIAL_LINE, ioctl, TIOCMSET, 0, 4, READS),
	ROW(A_SERIAL_LINE, ioctl, TIOCMBIS, 0, 4, READS),
	ROW(A_SERIAL_LINE, ioctl, TIOCMBIC, 0, 4, READS),
	ROW(A_SERIAL_LINE, ioctl, TIOCGICOUNT, 0, sizeof(struct serial_icounter_struct), WRITES),
	ROW(A_SERIAL_LINE, ioctl, TIOCGSERIAL, 0, sizeof(struct serial_struct), WRITES),
	ROW(A_SERIAL_LINE, ioctl, TIOCSSERIAL, 0, sizeof(struct serial_struct), READS),
	ROW(A_SERIAL_LINE, ioctl, TIOCSERGETLSR, 0, 4, WRITES),
	ROW(A_CONSOLE, ioctl, VT_GETSTATE, 0, 6, WRITES),
	ROW(A_CONSOLE, ioctl, VT_OPENQRY, 0, 4, WRITES),
	ROW(A_CONSOLE, ioctl, VT_GETMODE, 0, 8, WRITES),
	ROW(A_CONSOLE, ioctl, VT_SETMODE, 0, 8, READS),
	ROW(A_CONSOLE, ioctl, KDGETMODE, 0, 4, WRITES),
	ROW(A_CONSOLE, ioctl, KDGKBMODE, 0, 4, WRITES),
	ROW(A_CONSOLE, ioctl, KDGKBMETA, 0, 4, WRITES),
	ROW(A_CONSOLE, ioctl, KDGKBTYPE, 0, 1, WRITES),
	ROW(A_CONSOLE, ioctl, KDGKBLED, 0, 1, WRITES),
	ROW(A_CONSOLE, ioctl, KDGETLED, 0, 1, WRITES),
	ROW(A_CONSOLE, ioctl, VT_SETACTIVATE, 0, 12, READS),
	ROW(A_CONSOLE, ioctl, VT_RESIZE, 0, 6, READS),
	ROW(A_CONSOLE, ioctl, VT_RESIZEX, 0, 12, READS),
	ROW(A_CONSOLE, ioctl, VT_GETHIFONTMASK, 0, 2, WRITES),
	ROW(A_CONSOLE, ioctl, GIO_CMAP, 0, 48, WRITES),
	ROW(A_CONSOLE, ioctl, PIO_CMAP, 0, 48, READS),
	ROW(A_CONSOLE, ioctl, GIO_UNIMAP, 0, 16, READS),
	ROW(A_CONSOLE, ioctl, KDFONTOP, 0, 32, READS),
	ROW(A_CONSOLE, ioctl, KDGKBENT, 0, 4, WRITES),
	ROW(A_CONSOLE, ioctl, KDSKBENT, 0, 4, READS),
	ROW(A_CONSOLE, ioctl, KDGKBSENT, 0, 513, WRITES),
	ROW(A_CONSOLE, ioctl, KDSKBSENT, 0, 513, READS),
	ROW(A_CONSOLE, ioctl, KDGKBDIACR, 0, 8, WRITES),
	ROW(A_CONSOLE, ioctl, KDGKBDIACRUC, 0, 8, WRITES),
	ROW(A_CONSOLE, ioctl, KDSKBDIACR, 0, 8, READS),
	ROW(A_CONSOLE, ioctl, KDSKBDIACRUC, 0, 8, READS),
	ROW(A_CONSOLE, ioctl, KDGETKEYCODE, 0, 8, READS),
	ROW(A_CONSOLE, ioctl, KDSETKEYCODE, 0, 8, READS),
	ROW(A_CONSOLE, ioctl, TIOCLINUX, 0, 1, READS),
	ROW(A_KEYBOARD, ioctl, EVIOCGVERSION, 0, 4, WRITES),
	ROW(A_KEYBOARD, ioctl, EVIOCGID, 0, 8, WRITES),
	ROW(A_KEYBOARD, ioctl, EVIOCGREP, 0, 8, WRITES),
	ROW(A_KEYBOARD, ioctl, EVIOCGEFFECTS, 0, 4, WRITES),
	ROW(A_KEYBOARD, ioctl, EVIOCSCLOCKID, 0, 4, READS),
	ROW(A_KEYBOARD, ioctl, EVIOCGNAME(64), 0, 8, WRITES),
	ROW(A_KEYBOARD, ioctl, EVIOCGPHYS(64), 0, 8, WRITES),
	ROW(A_KEYBOARD, ioctl, EVIOCGKEY(64), 0, 8, WRITES),
	ROW(A_KEYBOARD, ioctl, EVIOCGPROP(4), 0, 4, WRITES),
	ROW(A_KEYBOARD, ioctl, EVIOCGLED(8), 0, 8, WRITES),
	ROW(A_KEYBOARD, ioctl, EVIOCGSND(8), 0, 8, WRITES),
	ROW(A_KEYBOARD, ioctl, EVIOCGSW(8), 0, 8, WRITES),
	ROW(A_KEYBOARD, ioctl, EVIOCGBIT(EV_KEY, 64), 0, 8, WRITES),
	ROW(A_FRAMEBUFFER, ioctl, FBIOGET_VSCREENINFO, 0, sizeof(struct fb_var_screeninfo), WRITES),
	ROW(A_FRAMEBUFFER, ioctl, FBIOPUT_VSCREENINFO, 0, sizeof(struct fb_var_screeninfo), READS),
	ROW(A_FRAMEBUFFER, ioctl, FBIOGET_FSCREENINFO, 0, sizeof(struct fb_fix_screeninfo), WRITES),
	ROW(A_FRAMEBUFFER, ioctl, FBIOPAN_DISPLAY, 0, sizeof(struct fb_var_screeninfo), READS),
	ROW(A_CLOCK, ioctl, RTC_RD_TIME, 0, sizeof(struct rtc_time), WRITES),
	ROW(A_CLOCK, ioctl, RTC_SET_TIME, 0, sizeof(struct rtc_time), READS),
	ROW(A_CLOCK, ioctl, RTC_WKALM_RD, 0, sizeof(struct rtc_wkalrm), WRITES),
	ROW(A_CLOCK, ioctl, RTC_WKALM_SET, 0, sizeof(struct rtc_wkalrm), READS),
	ROW(THE_THREAD, prctl, PR_SET_NAME, 0, 1, READS),
	ROW(THE_THREAD, prctl, PR_GET_NAME, 0, 16, WRITES),
	ROW(THE_THREAD, prctl, PR_GET_PDEATHSIG, 0, 4, WRITES),
	ROW(THE_THREAD, prctl, PR_GET_CHILD_SUBREAPER, 0, 4, WRITES),
	ROW(THE_THREAD, prctl, PR_GET_TSC, 0, 4, WRITES),
	ROW(THE_THREAD, prctl, PR_GET_TID_ADDRESS, 0, 8, WRITES),
	ROW(THE_CPU, arch_prctl, ARCH_GET_FS, 0, 8, WRITES),
	ROW(THE_CPU, arch_prctl, ARCH_GET_GS, 0, 8, WRITES),
	ROW(A_TRACEE, ptrace, PTRACE_PEEKTEXT, (long)&rows, 8, WRITES),
	ROW(A_TRACEE, ptrace, PTRACE_PEEKDATA, (long)&rows, 8, WRITES),
	ROW(A_TRACEE, ptrace, PTRACE_PEEKUSR, 0, 8, WRITES),
	ROW(A_TRACEE, ptrace, PTRACE_GETREGS, 0, 216, WRITES),
	ROW(A_TRACEE, ptrace, PTRACE_SETREGS, 0, 216, READS),
	ROW(A_TRACEE, ptrace, PTRACE_GETFPREGS, 0, 512, WRITES),
	ROW(A_TRACEE, ptrace, PTRACE_SETFPREGS, 0, 512, READS),
	ROW(A_TRACEE, ptrace, PTRACE_GETREGSET, NT_PRSTATUS, 16, WRITES),
	ROW(A_TRACEE, ptrace, PTRACE_SETREGSET, NT_PRSTATUS, 16, READS),
	ROW(A_TRACEE, ptrace, PTRACE_GETSIGINFO, 0, 128, WRITES),
	ROW(A_TRACEE, ptrace, PTRACE_SETSIGINFO, 0, 128, READS),
	ROW(A_TRACEE, ptrace, PTRACE_GETSIGMASK, 8, 8, WRITES),
	ROW(A_TRACEE, ptrace, PTRACE_SETSIGMASK, 8, 8, READS),
	ROW(A_TRACEE, ptrace, PTRACE_PEEKSIGINFO, 0, 0, READS),
	ROW(A_TRACEE, ptrace, PTRACE_GETEVENTMSG, 0, 8, WRITES),
	ROW(A_TRACEE, ptrace, PTRACE_GET_SYSCALL_INFO, 64, 8, WRITES),
	ROW(A_WORD, futex, FUTEX_WAIT, 0, 16, READS),
	ROW(A_WORD, futex, FUTEX_WAIT_BITSET, 0, 16, READS),
	ROW(A_WORD, futex, FUTEX_WAIT_PRIVATE, 0, 16, READS),
	ROW(SEMAPHORES, semctl, IPC_STAT, 0, 104, WRITES),
	ROW(SEMAPHORES, semctl, IPC_SET, 0, 104, READS),
	ROW(SEMAPHORES, semctl, IPC_INFO, 0, 40, WRITES),
	ROW(SEMAPHORES, semctl, SEM_INFO, 0, 40, WRITES),
	ROW(SEMAPHORES, semctl, SEM_STAT, BY_INDEX, 104, WRITES),
	ROW(SEMAPHORES, semctl, SEM_STAT_ANY, BY_INDEX, 104, WRITES),
	ROW(SEMAPHORES, semctl, GETALL, 0, 8, WRITES),
	ROW(SEMAPHORES, semctl, SETALL, 0, 8, READS),
	ROW(QUEUES, msgctl, IPC_STAT, 0, 120, WRITES),
	ROW(QUEUES, msgctl, IPC_SET, 0, 120, READS),
	ROW(QUEUES, msgctl, IPC_INFO, 0, 32, WRITES),
	ROW(QUEUES, msgctl, MSG_INFO, 0, 32, WRITES),
	ROW(QUEUES, msgctl, MSG_STAT, BY_INDEX, 120, WRITES),
	ROW(QUEUES, msgctl, MSG_STAT_ANY, BY_INDEX, 120, WRITES),
	ROW(SEGMENTS, shmctl, IPC_STAT, 0, 112, WRITES),
	ROW(SEGMENTS, shmctl, IPC_SET, 0, 112, READS),
	ROW(SEGMENTS, shmctl, IPC_INFO, 0, 72, WRITES),
	ROW(SEGMENTS, shmctl, SHM_INFO, 0, 48, WRITES),
	ROW(SEGMENTS, shmctl, SHM_STAT, BY_INDEX, 112, WRITES),
	ROW(SEGMENTS, shmctl, SHM_STAT_ANY, BY_INDEX, 112, WRITES),
};

/* ---- Those who take it ---- */

static int of_pair(int fds[2])
{
	WANT_IS(write(fds[1], "data", 4), 4);
	return fds[0];
}

static int a_pipe(void)
{
	int fds[2];

	WANT_IS(pipe(fds), 0);
	return of_pair(fds);
}

static int a_socket(void)
{
	int fds[2];

	WANT_IS(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	return of_pair(fds);
}

static int a_master(void)
{
	int fd = open("/dev/ptmx", O_RDWR | O_NOCTTY), unlocked = 0;

	WANT(fd >= 0);
	WANT_IS(ioctl(fd, TIOCSPTLCK, &unlocked), 0);
	return fd;
}

/* The controlling one. */
static int a_terminal(void)
{
	char path[32];
	int number = -1, fd;

	WANT(setsid() > 0);
	WANT_IS(ioctl(a_master(), TIOCGPTN, &number), 0);
	snprintf(path, sizeof path, "/dev/pts/%d", number);
	fd = open(path, O_RDWR);
	WANT(fd >= 0);
	return fd;
}

static int device(const char *path)
{
	int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		skip("%s: %s", path, strerror(errno));
	return fd;
}

static void stops(long unused)
{
	(void)unused;
	kernel_call(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0);
	kernel_call(SYS_kill, getpid(), SIGSTOP);
}

pid_t stopped_tracee(void)
{
	pid_t pid = begin(stops, 0);
	int status;

	WANT_IS(waitpid(pid, &status, 0), pid);
	WANT(WIFSTOPPED(status));
	return pid;
}

static long made(enum taker taker)
{
	switch (taker) {
	case A_FILE:
		return file_of(PAGE);
	case A_RANDOM_DEVICE:
		return device("/dev/random");
	case A_PIPE:
		return a_pipe();
	case A_SOCKET:
		return a_socket();
	case AN_INOTIFY:
		return inotify_init();
	case A_SPACE:
		return open("/proc/self/ns/user", O_RDONLY);
	case A_MASTER:
		return a_master();
	case A_TERMINAL:
		return a_terminal();
	case A_SERIAL_LINE:
		return device("/dev/ttyS0");
	case A_CONSOLE:
		return device("/dev/tty1");
	case A_KEYBOARD:
		return device("/dev/input/event0");
	case A_FRAMEBUFFER:
		return device("/dev/fb0");
	case A_CLOCK:
		return device("/dev/rtc0");
	case A_TRACEE:
		return stopped_tracee();
	case SEMAPHORES:
		return kernel_call(SYS_semget, 0, 4, 0600);
	case QUEUES:
		return kernel_call(SYS_msgget, 0, 0600);
	case SEGMENTS:
		return kernel_call(SYS_shmget, 0, PAGE, 0600);
	default:
		return 0;
	}
}

static void unmade(enum taker taker, long which)
{
	if (taker == SEMAPHORES)
		WANT_IS(kernel_call(SYS_semctl, which, 0, IPC_RMID, 0), 0);
	else if (taker == QUEUES)
		WANT_IS(kernel_call(SYS_msgctl, which, IPC_RMID, 0), 0);
	else if (taker == SEGMENTS)
		WANT_IS(kernel_call(SYS_shmctl, which, IPC_RMID, 0), 0);
}

static long call_with(const struct row *row, long which, uintptr_t bad)
{
	static uint32_t word;

	if (row->other == BY_INDEX)
		which &= 0x7fff;
	switch (row->taker) {
	case THE_THREAD:
		return kernel_call(row->number, row->command, bad, 0, 0, 0);
	case THE_CPU:
		return kernel_call(row->number, row->command, bad);
	case A_TRACEE:
		if (row->size == 0)
			return kernel_call(row->number, row->command, which, bad, 0);
		return kernel_call(row->number, row->command, which, row->other, bad);
	case A_WORD:
		return kernel_call(row->number, &word, row->command, 0, bad, 0, -1);
	case SEMAPHORES:
		return kernel_call(row->number, which, 0, row->command, bad);
	default:
		return kernel_call(row->number, which, row->command, bad);
	}
}

static bool applies(const struct row *row, enum bad bad)
{
	return (bad != READ_ONLY || row->what == WRITES) && (bad != PAGE_END || row->size != 1);
}

static void try_row(const struct row *row, long which)
{
	long expected = row->expected ? row->expected : -EFAULT;

	for (enum bad bad = 0; bad < BAD_KINDS; bad++) {
		uintptr_t at = bad_address(bad);
		long found;

		if (!applies(row, bad))
			continue;
		found = call_with(row, which, at);
		if (found != expected)
#ifdef EXPLORE
			dprintf(2, "%s %#lx (%d): %ld\n", row->name, at, bad, found);
#else
			fail("%s, %#lx: %ld, expected %ld", row->name, at, found, expected);
#endif
	}
}

static void try_rows(long taker)
{
	long which = made((enum taker)taker);

	WANT(which >= 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (rows[i].taker == (enum taker)taker)
			try_row(&rows[i], which);
	}
	unmade((enum taker)taker, which);
}

/* In a process of its own, which may begin a session. */
static void commands_of(long taker)
{
	int status = ended(begin(try_rows, taker));

	if (WIFEXITED(status) &&
		(WEXITSTATUS(status) == NOT_HELD || WEXITSTATUS(status) == SKIPPED))
		_exit(WEXITSTATUS(status)); /* it has said why */
	WANT_IS(status, 0);
}

#define GIVES(name, taker, what)                                                                \
	{                                                                                       \
		name, "gives " what " bad addresses, by every command that takes one", REFUSES, \
			{CALM}, commands_of, (taker)                                            \
	}
#define ROOT_GIVES(name, taker, what)                                                           \
	{                                                                                       \
		name, "gives " what " bad addresses, by every command that takes one", REFUSES, \
			{CALM}, commands_of, (taker), AS_ROOT                                   \
	}
#define REFUSES "the range is checked and a fault on the way is resolved or EFAULT"

static const struct attack attacks[] = {
	GIVES("file", A_FILE, "a file (fcntl, ioctl)"),
	ROOT_GIVES("random", A_RANDOM_DEVICE, "the random device (ioctl)"),
	GIVES("pipe", A_PIPE, "a pipe (ioctl)"),
	GIVES("socket", A_SOCKET, "a socket (ioctl)"),
	GIVES("inotify", AN_INOTIFY, "an inotify descriptor (ioctl)"),
	GIVES("namespace", A_SPACE, "a namespace (ioctl)"),
	GIVES("master", A_MASTER, "a pseudo-terminal's master (ioctl)"),
	GIVES("terminal", A_TERMINAL, "its controlling terminal (ioctl)"),
	ROOT_GIVES("serial", A_SERIAL_LINE, "a serial line (ioctl)"),
	ROOT_GIVES("console", A_CONSOLE, "a virtual terminal (ioctl)"),
	ROOT_GIVES("keyboard", A_KEYBOARD, "an input device (ioctl)"),
	ROOT_GIVES("framebuffer", A_FRAMEBUFFER, "a framebuffer (ioctl)"),
	ROOT_GIVES("clock", A_CLOCK, "the firmware's clock (ioctl)"),
	GIVES("thread", THE_THREAD, "prctl"),
	GIVES("cpu", THE_CPU, "arch_prctl"),
	GIVES("tracee", A_TRACEE, "ptrace"),
	GIVES("futex", A_WORD, "futex"),
	GIVES("semaphores", SEMAPHORES, "semctl"),
	GIVES("queues", QUEUES, "msgctl"),
	GIVES("segments", SEGMENTS, "shmctl"),
};
FAMILY(commands, "bad pointers by command", attacks);
