/* SPDX-License-Identifier: MIT */
/*
 * The input layer, and evdev: /dev/input/eventN (linux/input.h; the kernel's documentation input.rst).
 *
 * A keyboard's driver registers a device and tells of its keys. Each becomes events (scan code, key, end
 * of report) in the ring of every reader, and goes to the terminal shown; when a reader has grabbed the
 * device, to that reader alone. A ring that is full is emptied, and says so by SYN_DROPPED.
 *
 * Events are stamped with the monotonic clock and shown by the clock that the reader has chosen.
 *
 * Not there: writing events (EINVAL), masks, force feedback, other keymaps.
 *
 * Locks: device->lock (a spin lock, taken in interrupts): readers, their rings, the keys held. async_lock comes after it.
 */
#include "devices/input.h"

#include "arch/arch.h"
#include "devices/input_abi.h"
#include "devices/vt.h"
#include "files/async.h"
#include "files/vfs.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "memory/user.h"

#include <linux/major.h>

#define RING        64u /* events; a power of two */
#define FIRST_MINOR 64u

struct stamped {
	ns_t time;
	uint16_t type, code;
	int32_t value;
};

struct input_reader {
	struct list link;
	struct input_device *device;
	int clock;
	bool revoked;
	uint32_t head, tail; /* counts that run on; under device->lock */
	uint32_t whole;      /* up to here there are whole reports */
	struct async_list async;
	struct stamped ring[RING];
};

/* ---- From the device ---- */

static void put(struct input_reader *reader, ns_t time, unsigned type, unsigned code, int value)
{
	struct stamped *at;

	if (reader->head - reader->tail == RING) { /* all but the newest is lost */
		reader->tail = reader->head - 1;
		at = &reader->ring[reader->tail % RING];
		*at = (struct stamped){.time = time, .type = EV_SYN, .code = SYN_DROPPED};
	}
	at = &reader->ring[reader->head++ % RING];
	*at = (struct stamped){time, (uint16_t)type, (uint16_t)code, value};
	if (type == EV_SYN)
		reader->whole = reader->head;
}

static void put_key(
	struct input_reader *reader, ns_t time, unsigned code, enum key_event event, unsigned scan)
{
	put(reader, time, EV_MSC, MSC_SCAN, (int)scan);
	put(reader, time, EV_KEY, code, (int)event);
	put(reader, time, EV_SYN, SYN_REPORT, 0);
	async_tell(&reader->async, ASYNC_IN);
}

void input_key(struct input_device *device, unsigned code, enum key_event event, unsigned scan)
{
	struct input_reader *reader;
	ns_t time = arch_clock();
	bool grabbed;

	if (code >= INPUT_KEYS)
		return;
	spin_lock(&device->lock);
	device->down[code / 64] &= ~(1ull << code % 64);
	device->down[code / 64] |= (uint64_t)(event != RELEASED) << code % 64;
	grabbed = device->grabber;
	list_for_each(reader, &device->readers, link)
	{
		if (!grabbed || reader == device->grabber)
			put_key(reader, time, code, event, scan);
	}
	spin_unlock(&device->lock);
	wake_events(&device->readable, POLLIN | POLLRDNORM);
	if (!grabbed)
		vt_key(code, event);
}

/* ---- Opening and reading ---- */

static int input_open(struct file *file)
{
	struct input_device *device = file->private;
	struct input_reader *reader = kmalloc(sizeof(*reader));

	if (!reader)
		return -ENOMEM;
	*reader = (struct input_reader){.device = device, .clock = CLOCK_REALTIME};
	spin_lock(&device->lock);
	list_push_back(&device->readers, &reader->link);
	spin_unlock(&device->lock);
	file->private = reader;
	return 0;
}

static void ungrab(struct input_reader *reader) requires(reader->device->lock)
{
	if (reader->device->grabber == reader)
		reader->device->grabber = NULL;
}

static void input_close(struct file *file)
{
	struct input_reader *reader = file->private;

	spin_lock(&reader->device->lock);
	ungrab(reader);
	list_remove(&reader->link);
	spin_unlock(&reader->device->lock);
	kfree(reader);
}

static bool has_events(struct input_reader *reader)
{
	bool has;

	spin_lock(&reader->device->lock);
	has = reader->tail != reader->whole || reader->revoked;
	spin_unlock(&reader->device->lock);
	return has;
}

static bool take(struct input_reader *reader, struct stamped *out)
{
	bool there;

	spin_lock(&reader->device->lock);
	there = reader->tail != reader->whole && !reader->revoked;
	if (there)
		*out = reader->ring[reader->tail++ % RING];
	spin_unlock(&reader->device->lock);
	return there;
}

static struct input_event shown(const struct input_reader *reader, const struct stamped *from)
{
	ns_t time = from->time;

	if (reader->clock == CLOCK_REALTIME)
		time += vfs_now() - arch_clock();
	return (struct input_event){
		.time = {(long)(time / NS_PER_SECOND), (long)(time % NS_PER_SECOND / 1000)},
		.type = from->type,
		.code = from->code,
		.value = from->value};
}

static ssize_t input_read(struct file *file, struct io *io, int64_t *position)
{
	struct input_reader *reader = file->private;
	struct input_event event;
	struct stamped stamped;
	size_t done = 0;
	int error = 0;

	if (io->left && io->left < sizeof(event))
		return -EINVAL;
	if (io->left && !has_events(reader))
		error = file_nonblocking(file)
				? -EAGAIN
				: wait_event(&reader->device->readable, has_events(reader));
	if (reader->revoked)
		return -ENODEV;
	while (!error && io->left >= sizeof(event) && take(reader, &stamped)) {
		event = shown(reader, &stamped);
		if (io_put(io, &event, sizeof(event)) < sizeof(event))
			error = -EFAULT;
		else
			done += sizeof(event);
	}
	return io_result(io, done, error);
}

static unsigned int input_poll(struct file *file, struct wait_queue *queues[2])
{
	struct input_reader *reader = file->private;

	queues[0] = &reader->device->readable;
	if (reader->revoked)
		return POLLHUP | POLLERR;
	return has_events(reader) ? POLLIN | POLLRDNORM : 0;
}

static int input_async(struct file *file, int fd, bool on)
{
	struct input_reader *reader = file->private;

	return async_change(file, fd, on, &reader->async);
}

/* ---- ioctls ---- */

/* As much of it as there is room for; the count. */
static long put_bytes(user_t out, size_t room, const void *bytes, size_t count)
{
	if (count > room)
		count = room;
	return copy_to_user(out, bytes, count) ? -EFAULT : (long)count;
}

static long put_text(user_t out, size_t room, const char *text)
{
	return text ? put_bytes(out, room, text, strlen(text) + 1) : -ENOENT;
}

static long put_keys_down(struct input_device *device, user_t out, size_t room)
{
	uint64_t down[(KEY_CNT + 63) / 64] = {0};

	spin_lock(&device->lock);
	memcpy(down, device->down, sizeof(device->down));
	spin_unlock(&device->lock);
	return put_bytes(out, room, down, sizeof(down));
}

/* What kinds of events there are (kind 0), and which of a kind. */
static long put_capabilities(struct input_device *device, unsigned kind, user_t out, size_t room)
{
	uint64_t bits[(KEY_CNT + 63) / 64] = {0};

	switch (kind) {
	case 0:
		bits[0] = 1u << EV_SYN | 1u << EV_KEY | 1u << EV_MSC | 1u << EV_REP;
		return put_bytes(out, room, bits, sizeof(bits[0]));
	case EV_KEY:
		memcpy(bits, device->keys, sizeof(device->keys));
		return put_bytes(out, room, bits, sizeof(bits));
	case EV_MSC:
		bits[0] = 1u << MSC_SCAN;
		return put_bytes(out, room, bits, sizeof(bits[0]));
	case EV_REL:
	case EV_LED:
	case EV_SND:
	case EV_SW:
	case EV_ABS:
		return put_bytes(out, room, bits, sizeof(bits[0]));
	case EV_FF:
		return put_bytes(out, room, bits, 2 * sizeof(bits[0]));
	default:
		return -EINVAL;
	}
}

static long grab(struct input_reader *reader, bool on)
{
	struct input_device *device = reader->device;
	long result = 0;

	spin_lock(&device->lock);
	if (on && device->grabber)
		result = -EBUSY;
	else if (!on && device->grabber != reader)
		result = -EINVAL;
	else
		device->grabber = on ? reader : NULL;
	spin_unlock(&device->lock);
	return result;
}

static long revoke(struct input_reader *reader)
{
	spin_lock(&reader->device->lock);
	reader->revoked = true;
	ungrab(reader);
	spin_unlock(&reader->device->lock);
	wake_all(&reader->device->readable);
	return 0;
}

/* Events that wait were stamped by the other clock for the program: they go. */
static long choose_clock(struct input_reader *reader, user_t from)
{
	int clock;

	if (copy_from_user(&clock, from, sizeof(clock)))
		return -EFAULT;
	if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME)
		return -EINVAL;
	spin_lock(&reader->device->lock);
	if (reader->clock != clock)
		reader->tail = reader->whole = reader->head;
	reader->clock = clock;
	spin_unlock(&reader->device->lock);
	return 0;
}

/* Those that say how much room there is in their number. */
static long sized_ioctl(struct input_device *device, unsigned number, user_t out, size_t room)
{
	const uint64_t none[1] = {0};

	if (number >= _IOC_NR(EVIOCGBIT(0, 0)) && number < _IOC_NR(EVIOCGBIT(EV_MAX + 1, 0)))
		return put_capabilities(device, number - _IOC_NR(EVIOCGBIT(0, 0)), out, room);
	switch (number) {
	case _IOC_NR(EVIOCGNAME(0)):
		return put_text(out, room, device->name);
	case _IOC_NR(EVIOCGPHYS(0)):
		return put_text(out, room, device->place);
	case _IOC_NR(EVIOCGUNIQ(0)):
		return -ENOENT;
	case _IOC_NR(EVIOCGKEY(0)):
		return put_keys_down(device, out, room);
	case _IOC_NR(EVIOCGPROP(0)):
	case _IOC_NR(EVIOCGLED(0)):
	case _IOC_NR(EVIOCGSND(0)):
	case _IOC_NR(EVIOCGSW(0)):
		return put_bytes(out, room, none, sizeof(none));
	default:
		return -EINVAL;
	}
}

static long input_ioctl(struct file *file, unsigned int command, uintptr_t argument)
{
	/* What an i8042's keyboard does by itself. */
	static const unsigned repeat[2] = {500, 91}; /* ms */
	struct input_reader *reader = file->private;
	struct input_device *device = reader->device;
	user_t user = user_pointer(argument);
	struct input_id id;
	int version = EV_VERSION, none = 0;

	if (reader->revoked)
		return -ENODEV;
	switch (command) {
	case EVIOCGVERSION:
		return copy_to_user(user, &version, sizeof(version));
	case EVIOCGID:
		id = (struct input_id){
			device->bus, device->vendor, device->product, device->version};
		return copy_to_user(user, &id, sizeof(id));
	case EVIOCGREP:
		return copy_to_user(user, repeat, sizeof(repeat));
	case EVIOCGEFFECTS:
		return copy_to_user(user, &none, sizeof(none));
	case EVIOCGRAB:
		return grab(reader, argument);
	case EVIOCREVOKE:
		return argument ? -EINVAL : revoke(reader);
	case EVIOCSCLOCKID:
		return choose_clock(reader, user);
	}
	if (_IOC_TYPE(command) != 'E' || _IOC_DIR(command) != _IOC_READ)
		return -EINVAL;
	return sized_ioctl(device, _IOC_NR(command), user, _IOC_SIZE(command));
}

static const struct file_operations input_operations = {
	.open = input_open,
	.release = input_close,
	.read = input_read,
	.ioctl = input_ioctl,
	.poll = input_poll,
	.async = input_async,
	.traits = FILE_STREAM,
};

int input_register(struct input_device *device)
{
	static unsigned registered; /* at the start, one after the other */

	device->number = registered++;
	wait_queue_init(&device->readable);
	spin_init(&device->lock, "input_device->lock");
	list_init(&device->readers);
	format(device->node, sizeof(device->node), "input/event%u", device->number);
	device->device.number = device_number(INPUT_MAJOR, FIRST_MINOR + device->number);
	device->device.operations = &input_operations;
	device->device.driver = device;
	return devfs_add(device->node, S_IFCHR | 0600, &device->device);
}
