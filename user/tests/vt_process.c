/* SPDX-License-Identifier: MIT */
/*
 * Virtual terminals under the control of a program (VT_SETMODE): who is asked, who is told, what is left when the
 * program ends. Run by ci/boot_keyboard.py on a machine with a screen; the first terminal is shown.
 */
#include <sys/ioctl.h>
#include <termios.h>

#include "cases.h"

/* Of linux/vt.h and linux/kd.h, which musl has not got. */
#define VT_GETMODE      0x5601
#define VT_SETMODE      0x5602
#define VT_GETSTATE     0x5603
#define VT_RELDISP      0x5605
#define VT_ACTIVATE     0x5606
#define VT_WAITACTIVE   0x5607
#define VT_DISALLOCATE  0x5608
#define VT_LOCKSWITCH   0x560b
#define VT_UNLOCKSWITCH 0x560c
#define VT_AUTO         0
#define VT_PROCESS      1
#define VT_ACKACQ       2
#define KDSETMODE       0x4b3a
#define KDGETMODE       0x4b3b
#define KD_TEXT         0
#define KD_GRAPHICS     1

struct vt_mode {
	char mode, waitv;
	short relsig, acqsig, frsig;
};

struct vt_state {
	unsigned short active, signal, state;
};

static int first, second; /* /dev/tty1, tty2 */

static int shown(void)
{
	struct vt_state state = {0};

	WANT_IS(ioctl(first, VT_GETSTATE, &state), 0);
	return state.active;
}

static void show(int number)
{
	WANT_IS(ioctl(first, VT_ACTIVATE, number), 0);
	WANT_IS(ioctl(first, VT_WAITACTIVE, number), 0);
	WANT_IS(shown(), number);
}

/* The signals of the case are taken by sigtimedwait. */
static void begin(void)
{
	sigset_t set;

	first = open("/dev/tty1", O_RDWR | O_NOCTTY);
	if (first < 0 && errno == ENOENT)
		skip("there are no virtual terminals");
	second = open("/dev/tty2", O_RDWR | O_NOCTTY);
	WANT(first >= 0 && second >= 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	show(1);
}

static void control(int fd, int mode)
{
	struct vt_mode wanted = {
		.mode = (char)mode, .relsig = SIGUSR1, .acqsig = SIGUSR2, .frsig = 9};

	WANT_IS(ioctl(fd, VT_SETMODE, &wanted), 0);
}

static void want_signal(int signal)
{
	struct timespec limit = {.tv_sec = 180};
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	WANT_IS(sigtimedwait(&set, &info, &limit), signal);
	WANT_IS(info.si_code, SI_KERNEL);
}

static void modes(void)
{
	struct vt_mode mode = {.mode = 7};

	begin();
	WANT_IS(ioctl(first, VT_GETMODE, &mode), 0);
	WANT_IS(mode.mode, VT_AUTO);
	WANT_IS(ioctl(first, VT_RELDISP, 1), -1);
	WANT_IS(errno, EINVAL);
	mode.mode = 2;
	WANT_IS(ioctl(first, VT_SETMODE, &mode), -1);
	WANT_IS(errno, EINVAL);
	WANT_IS(ioctl(first, VT_SETMODE, BAD), -1);
	WANT_IS(errno, EFAULT);
	control(first, VT_PROCESS);
	WANT_IS(ioctl(first, VT_GETMODE, &mode), 0);
	WANT(mode.mode == VT_PROCESS && mode.relsig == SIGUSR1 && mode.acqsig == SIGUSR2 &&
		!mode.frsig);
	WANT_IS(ioctl(second, VT_GETMODE, &mode), 0);
	WANT_IS(mode.mode, VT_AUTO);
	WANT_IS(ioctl(first, VT_RELDISP, 1), -1); /* nobody has asked */
	WANT_IS(errno, EINVAL);
	WANT_IS(ioctl(first, VT_RELDISP, VT_ACKACQ), 0);
	control(first, VT_AUTO);
}

static void asked(void)
{
	begin();
	control(first, VT_PROCESS);
	WANT_IS(ioctl(first, VT_ACTIVATE, 2), 0);
	want_signal(SIGUSR1);
	WANT_IS(shown(), 1);
	WANT_IS(ioctl(first, VT_RELDISP, 0), 0); /* it stays */
	WANT_IS(shown(), 1);
	WANT_IS(ioctl(first, VT_ACTIVATE, 2), 0);
	want_signal(SIGUSR1);
	WANT_IS(ioctl(first, VT_RELDISP, 1), 0);
	WANT_IS(shown(), 2);
	WANT_IS(ioctl(second, VT_ACTIVATE, 1), 0);
	want_signal(SIGUSR2);
	WANT_IS(ioctl(first, VT_RELDISP, VT_ACKACQ), 0);
	WANT_IS(shown(), 1);
	control(first, VT_AUTO);
	show(2);
	show(1);
}

/* Its terminal is an ordinary one then. */
static void controller_ended(void)
{
	struct vt_mode mode;
	int status, drawing = -1;
	pid_t pid;

	begin();
	pid = fork();
	if (pid == 0) {
		control(first, VT_PROCESS);
		WANT_IS(ioctl(first, KDSETMODE, KD_GRAPHICS), 0);
		_exit(0);
	}
	WANT(waitpid(pid, &status, 0) == pid && status == 0);
	WANT_IS(ioctl(first, VT_GETMODE, &mode), 0);
	WANT_IS(mode.mode, VT_PROCESS);
	show(2);
	WANT_IS(ioctl(first, VT_GETMODE, &mode), 0);
	WANT_IS(mode.mode, VT_AUTO);
	WANT_IS(ioctl(first, KDGETMODE, &drawing), 0);
	WANT_IS(drawing, KD_TEXT);
	show(1);
}

static void drawing(void)
{
	begin();
	WANT_IS(ioctl(first, KDSETMODE, KD_GRAPHICS), 0);
	WANT_IS(ioctl(first, VT_ACTIVATE, 2), 0); /* is not obeyed */
	WANT_IS(shown(), 1);
	WANT_IS(ioctl(first, KDSETMODE, KD_TEXT), 0);
	show(2);
	show(1);
}

static void locked(void)
{
	begin();
	WANT_IS(ioctl(first, VT_LOCKSWITCH, 1), 0);
	WANT_IS(ioctl(first, VT_ACTIVATE, 2), 0);
	WANT_IS(shown(), 1);
	WANT_IS(ioctl(first, VT_UNLOCKSWITCH, 1), 0);
	show(2);
	show(1);
	if (become_nobody()) {
		WANT_IS(ioctl(first, VT_LOCKSWITCH, 1), -1);
		WANT_IS(errno, EPERM);
		WANT_IS(ioctl(first, VT_SETMODE, BAD), -1);
		WANT_IS(errno, EPERM);
		WANT_IS(ioctl(first, VT_RELDISP, 1), -1);
		WANT_IS(errno, EPERM);
	}
}

static void discarded(void)
{
	int fifth;

	begin();
	fifth = open("/dev/tty5", O_RDWR | O_NOCTTY);
	WANT(fifth >= 0);
	WANT_IS(ioctl(first, VT_DISALLOCATE, 5), -1);
	WANT_IS(errno, EBUSY);
	WANT_IS(ioctl(first, VT_DISALLOCATE, 1), -1);
	WANT_IS(errno, EBUSY);
	WANT_IS(ioctl(first, VT_DISALLOCATE, 64), -1);
	WANT_IS(errno, ENXIO);
	WANT_IS(write(fifth, "text", 4), 4);
	close(fifth);
	WANT_IS(ioctl(first, VT_DISALLOCATE, 5), 0);
	WANT_IS(ioctl(first, VT_DISALLOCATE, 0), 0);
	fifth = open("/dev/tty5", O_RDWR | O_NOCTTY);
	WANT_IS(write(fifth, "again", 5), 5);
}

/* Nobody else has it open. */
static void settings_go(void)
{
	struct termios first_settings, raw, found;
	int fd = open("/dev/tty5", O_RDWR | O_NOCTTY), other;

	if (fd < 0 && errno == ENOENT)
		skip("there are no virtual terminals");
	WANT_IS(tcgetattr(fd, &first_settings), 0);
	WANT(first_settings.c_lflag & ICANON && first_settings.c_lflag & ISIG);
	raw = first_settings;
	raw.c_iflag = raw.c_lflag = 0;
	raw.c_cc[VINTR] = 7;
	WANT_IS(tcsetattr(fd, TCSANOW, &raw), 0);
	other = open("/dev/tty5", O_RDWR | O_NOCTTY);
	WANT_IS(close(fd), 0);
	WANT_IS(tcgetattr(other, &found), 0);
	WANT_IS(found.c_lflag, 0); /* it is open still */
	WANT_IS(close(other), 0);
	fd = open("/dev/tty5", O_RDWR | O_NOCTTY);
	WANT_IS(tcgetattr(fd, &found), 0);
	WANT_IS(found.c_lflag, first_settings.c_lflag);
	WANT_IS(found.c_iflag, first_settings.c_iflag);
	WANT_IS(found.c_cc[VINTR], first_settings.c_cc[VINTR]);
}

static const struct test_case cases[] = {
	CASE(modes, "VT_SETMODE, VT_GETMODE: what is no mode, who has not asked"),
	CASE(asked,
		"VT_PROCESS: leave is asked for by a signal, given or not; shown again by another"),
	CASE(controller_ended, "a controller that has ended is asked no more"),
	CASE(drawing, "KD_GRAPHICS: without a controller it is not left"),
	CASE(locked, "VT_LOCKSWITCH; EPERM but for root"),
	CASE(discarded, "VT_DISALLOCATE: EBUSY in use, ENXIO beyond"),
	CASE(settings_go, "the last close takes the settings with it"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
