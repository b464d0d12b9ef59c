/* SPDX-License-Identifier: MIT */
/*
 * Which virtual terminal is shown, and who decides (man 2 ioctl_console, VT_SETMODE).
 *
 * A terminal is left and entered at once (VT_AUTO) unless a program controls it (VT_PROCESS): a display
 * server that has to save or restore what it has drawn. It gets a signal when its terminal is to be left,
 * and answers by VT_RELDISP: 0, it stays; another number, the switch is made. When its terminal is shown
 * again it gets the other signal. A controller that has ended is found out when it cannot be told: the
 * terminal then is an ordinary one again, with text and the usual keyboard. A terminal in graphics mode that
 * nobody controls is not left at all, as on Linux.
 *
 * Locks: vt_lock guards the terminals' switching, controller and wanted. Signals are sent without it, so a
 * terminal can change in between: what is done then starts from what is so then. Any context.
 */
#include "devices/vt_switch.h"

#include "devices/vt.h"
#include "devices/vt_keyboard.h"
#include "lib/errno.h"
#include "lib/lock.h"
#include "memory/slab.h"
#include "memory/user.h"
#include "process/credentials.h"
#include "process/current.h"
#include "process/pid.h"
#include "process/signal.h"

#include <asm/signal.h>
#include <linux/capability.h>
#include <linux/vt.h>

#define VT_NUMBER_MAX 63u /* of Linux's */

static struct wait_queue switched = WAIT_QUEUE_INIT(switched);
static bool locked guarded_by(vt_lock);   /* VT_LOCKSWITCH */
static unsigned last guarded_by(vt_lock); /* the one shown before */

/* false: the process is gone, or there is no such signal. */
static bool send(struct pid *pid, int signal)
{
	bool there;

	if (signal < 0 || signal > SIGNALS)
		return false;
	spin_lock(&process_lock);
	there = pid->process;
	if (there && signal)
		signal_send_kernel(pid->process, signal);
	spin_unlock(&process_lock);
	return there;
}

/* An ordinary terminal again, if `controller` still is its one. */
static void reset(unsigned number, struct pid *controller)
{
	struct vt *vt = &vts[number];
	bool mine;

	spin_lock(&vt_lock);
	mine = vt->controller == controller;
	if (mine) {
		vt->controller = NULL;
		vt->switching = (struct vt_mode){.mode = VT_AUTO};
		vt->wanted = 0;
		vt->keys = (struct keyboard_terminal){.locks = vt->keys.default_locks,
			.default_locks = vt->keys.default_locks,
			.meta_bit = vt->keys.meta_bit};
	}
	spin_unlock(&vt_lock);
	if (!mine)
		return;
	vt_set_graphics(number, false);
	if (controller)
		pid_put(controller);
}

enum telling { TO_LEAVE, SHOWN_AGAIN };

/* Tells who controls a terminal; false: nobody does, now. */
static bool tell(unsigned number, enum telling what)
{
	struct vt *vt = &vts[number];
	struct pid *controller;
	bool controlled, told;
	int signal;

	spin_lock(&vt_lock);
	controlled = vt->switching.mode == VT_PROCESS;
	controller = vt->controller;
	if (controller)
		pid_get(controller);
	signal = what == TO_LEAVE ? vt->switching.relsig : vt->switching.acqsig;
	spin_unlock(&vt_lock);
	told = controlled && controller && send(controller, signal);
	if (controlled && !told)
		reset(number, controller);
	if (controller)
		pid_put(controller);
	return told;
}

static void complete(unsigned number)
{
	unsigned before = vt_shown();

	if (!vt_show(number))
		return;
	spin_lock(&vt_lock);
	if (before != number)
		last = before;
	spin_unlock(&vt_lock);
	vt_keyboard_show_leds();
	(void)tell(number, SHOWN_AGAIN);
	wake_all(&switched);
}

void vt_switch(unsigned number)
{
	unsigned from = vt_shown();
	struct vt *vt = &vts[from];
	bool controlled, drawn;

	spin_lock(&vt_lock);
	if (number >= VT_COUNT || number == from || !vts[number].memory || locked) {
		spin_unlock(&vt_lock);
		return;
	}
	controlled = vt->switching.mode == VT_PROCESS;
	if (controlled)
		vt->wanted = number + 1; /* before the signal, whose handler may answer at once */
	spin_unlock(&vt_lock);
	if (controlled && tell(from, TO_LEAVE))
		return;
	spin_lock(&vt_lock);
	drawn = vt->graphics;
	spin_unlock(&vt_lock);
	if (!drawn)
		complete(number);
}

void vt_switch_next(unsigned from, unsigned step)
{
	unsigned number = from;
	bool there = false;

	spin_lock(&vt_lock);
	for (unsigned i = 1; !there && i < VT_COUNT; i++) {
		number = (from + i * step) % VT_COUNT;
		there = vts[number].memory;
	}
	spin_unlock(&vt_lock);
	if (there)
		vt_switch(number);
}

void vt_switch_last(void)
{
	unsigned number;

	spin_lock(&vt_lock);
	number = last;
	spin_unlock(&vt_lock);
	vt_switch(number);
}

/* ---- ioctls ---- */

static long get_mode(struct vt *vt, uintptr_t argument)
{
	struct vt_mode mode;

	spin_lock(&vt_lock);
	mode = vt->switching;
	spin_unlock(&vt_lock);
	return copy_to_user(user_pointer(argument), &mode, sizeof(mode));
}

/* By the caller from now on, whichever the mode. */
static void control(struct vt *vt, struct vt_mode mode)
{
	struct pid *controller = current_process()->pid, *old;

	mode.frsig = 0; /* was never used */
	pid_get(controller);
	spin_lock(&vt_lock);
	old = vt->controller;
	vt->controller = controller;
	vt->switching = mode;
	vt->wanted = 0;
	spin_unlock(&vt_lock);
	if (old)
		pid_put(old);
}

static bool is_mode(const struct vt_mode *mode)
{
	return mode->mode == VT_AUTO || mode->mode == VT_PROCESS;
}

static long set_mode(struct vt *vt, uintptr_t argument)
{
	struct vt_mode mode;

	if (copy_from_user(&mode, user_pointer(argument), sizeof(mode)))
		return -EFAULT;
	if (!is_mode(&mode))
		return -EINVAL;
	control(vt, mode);
	return 0;
}

/* The controller's answer: to the signal that asks for leave, or (VT_ACKACQ) to the other. */
static long release(struct vt *vt, uintptr_t answer)
{
	bool controlled;
	unsigned wanted;

	spin_lock(&vt_lock);
	controlled = vt->switching.mode == VT_PROCESS;
	wanted = vt->wanted;
	if (controlled)
		vt->wanted = 0;
	spin_unlock(&vt_lock);
	if (!controlled)
		return -EINVAL;
	if (!wanted)
		return answer == VT_ACKACQ ? 0 : -EINVAL;
	if (answer)
		complete(wanted - 1);
	return 0;
}

static long activate(uintptr_t number)
{
	int error;

	if (!number || number > VT_NUMBER_MAX || number > VT_COUNT)
		return -ENXIO;
	error = vt_prepare((unsigned)number - 1);
	if (!error)
		vt_switch((unsigned)number - 1);
	return error;
}

/* VT_SETMODE of another terminal, and its VT_ACTIVATE. */
static long set_and_activate(uintptr_t argument)
{
	struct vt_setactivate wanted;
	int error;

	if (copy_from_user(&wanted, user_pointer(argument), sizeof(wanted)))
		return -EFAULT;
	if (!wanted.console || wanted.console > VT_COUNT)
		return -ENXIO;
	error = vt_prepare(wanted.console - 1);
	if (error)
		return error;
	control(&vts[wanted.console - 1], wanted.mode);
	vt_switch(wanted.console - 1);
	return 0;
}

static long wait_active(uintptr_t number)
{
	if (!number || number > VT_COUNT)
		return -ENXIO;
	return wait_event(&switched, vt_shown() == number - 1);
}

static long set_locked(bool on)
{
	if (!capable(CAP_SYS_TTY_CONFIG))
		return -EPERM;
	spin_lock(&vt_lock);
	locked = on;
	spin_unlock(&vt_lock);
	return 0;
}

/* -ENOTTY: nothing about switching. */
long vt_switch_ioctl(struct vt *vt, bool may, unsigned command, uintptr_t argument)
{
	switch (command) {
	case VT_GETMODE:
		return get_mode(vt, argument);
	case VT_SETMODE:
		return may ? set_mode(vt, argument) : -EPERM;
	case VT_RELDISP:
		return may ? release(vt, argument) : -EPERM;
	case VT_ACTIVATE:
		return may ? activate(argument) : -EPERM;
	case VT_SETACTIVATE:
		return may ? set_and_activate(argument) : -EPERM;
	case VT_WAITACTIVE:
		return may ? wait_active(argument) : -EPERM;
	case VT_LOCKSWITCH:
	case VT_UNLOCKSWITCH:
		return set_locked(command == VT_LOCKSWITCH);
	case VT_DISALLOCATE:
		return argument > VT_NUMBER_MAX ? -ENXIO : vt_discard((unsigned)argument);
	}
	return -ENOTTY;
}
