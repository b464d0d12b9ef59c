/* SPDX-License-Identifier: MIT */
/*
 * /dev/fb0: the framebuffer for programs (linux/fb.h).
 *
 * Read and write go to the framebuffer itself. A mapping is of pages in RAM, filled with what is shown
 * when they are first touched: the framebuffer is slow to read, may have no frames of its own in the
 * page tables' sense, and the kernel's way to it is write-combining by the PAT. A page that is put into
 * a program's tables counts as touched, and FLUSH_TIME later the pages touched are taken out of all
 * tables again and copied to the framebuffer. So a program that draws is shown 50 times a second, and one
 * that rests costs nothing. When the last mapping has gone the pages go too.
 *
 * The mode is the firmware's and cannot be changed.
 *
 * Locks: fb_lock: the delayed work, and the bits of the pages touched. start_lock (a mutex): the making of the
 * thread.
 */
#include "devices/fb.h"

#include "devices/framebuffer.h"
#include "devices/vt.h"
#include "files/devfs.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/object.h"
#include "memory/slab.h"
#include "memory/user.h"
#include "process/work.h"

#include <linux/fb.h>

#define FLUSH_TIME (NS_PER_SECOND / 50)
#define PIECE      512u

static const struct framebuffer *fb;
static struct object memory; /* one reference is ours, for ever */
static struct work_queue queue;
static struct delayed_work flushing;
static uint32_t mappings; /* atomic */

static struct spinlock fb_lock = SPINLOCK_INIT;
static uint64_t *touched guarded_by(fb_lock); /* a bit a page */
static uint64_t page_count;
static bool queued guarded_by(fb_lock);

/* ---- Mappings ---- */

static size_t bytes_of_page(uint64_t index)
{
	uint64_t left = fb->size - index * PAGE_SIZE;

	return left < PAGE_SIZE ? (size_t)left : PAGE_SIZE;
}

static int fill_page(struct object *object, uint64_t index, struct frame *frame)
{
	memcpy(frame_ptr(frame), fb->pixels + index * PAGE_SIZE, bytes_of_page(index));
	return 0;
}

static void flush_later(void) requires(fb_lock)
{
	if (!queued)
		work_queue_add_later(&queue, &flushing, FLUSH_TIME);
	queued = true;
}

static void page_touched(struct object *object, uint64_t index)
{
	spin_lock(&fb_lock);
	touched[index / 64] |= 1ull << index % 64;
	flush_later();
	spin_unlock(&fb_lock);
}

static void count_mapping(struct object *object)
{
	__atomic_add_fetch(&mappings, 1, __ATOMIC_ACQ_REL);
}

static void count_unmapping(struct object *object)
{
	if (__atomic_sub_fetch(&mappings, 1, __ATOMIC_ACQ_REL))
		return;
	spin_lock(&fb_lock);
	flush_later();
	spin_unlock(&fb_lock);
}

static void describe(struct object *object, struct object_name *out)
{
	*out = (struct object_name){.text = "/dev/fb0"};
}

/* The first run of pages touched from *first on: its length, 0: none. They no longer count as touched. */
static uint64_t take_run(uint64_t *first)
{
	uint64_t at = *first, count = 0;

	spin_lock(&fb_lock);
	while (at < page_count && !(touched[at / 64] >> at % 64 & 1))
		at++;
	for (*first = at; at < page_count && touched[at / 64] >> at % 64 & 1; at++, count++)
		touched[at / 64] &= ~(1ull << at % 64);
	spin_unlock(&fb_lock);
	return count;
}

/* The pages leave all tables before they are copied, so that a later store counts again. */
static void show_run(uint64_t first, uint64_t count)
{
	struct frame *frame;

	object_unmap_range(&memory, first, count, KEEP_COPIES);
	for (uint64_t i = first; i < first + count; i++) {
		if (object_page(&memory, i, &frame))
			continue; /* no memory: it was not there, so nothing was drawn */
		memcpy(fb->pixels + i * PAGE_SIZE, frame_ptr(frame), bytes_of_page(i));
		frame_put(frame);
	}
}

static void show_touched(void)
{
	uint64_t count;

	for (uint64_t first = 0; (count = take_run(&first)); first += count)
		show_run(first, count);
}

static void flush(struct work *work)
{
	spin_lock(&fb_lock);
	queued = false;
	spin_unlock(&fb_lock);
	vt_drawn_over();
	show_touched();
	if (__atomic_load_n(&mappings, __ATOMIC_ACQUIRE))
		return;
	object_drop(&memory, 0, page_count);
	/* Whoever has mapped it just now may have got a page that is no longer the object's. */
	if (__atomic_load_n(&mappings, __ATOMIC_ACQUIRE))
		object_unmap_range(&memory, 0, page_count, KEEP_COPIES);
}

static const struct object_operations memory_operations = {
	.fill = fill_page,
	.touched = page_touched,
	.mapped = count_mapping,
	.unmapped = count_unmapping,
	.describe = describe,
};

static struct object *fb_object(struct file *file)
{
	object_get(&memory);
	return &memory;
}

/* ---- Reading and writing ---- */

static ssize_t fb_read(struct file *file, struct io *io, int64_t *position)
{
	uint8_t bytes[PIECE];
	size_t done = 0, count, moved;

	show_touched();
	while (io->left && (uint64_t)*position < fb->size && !io_failed(io)) {
		count = io->left < PIECE ? io->left : PIECE;
		if (count > fb->size - (uint64_t)*position)
			count = (size_t)(fb->size - (uint64_t)*position);
		memcpy(bytes, fb->pixels + *position, count);
		moved = io_put(io, bytes, count);
		done += moved;
		*position += (int64_t)moved;
	}
	return io_result(io, done, 0);
}

/* Into the pages that programs have mapped, too. */
static void write_mapped(uint64_t at, const uint8_t *bytes, size_t count)
{
	struct frame *frame;

	for (size_t part; count; at += part, bytes += part, count -= part) {
		part = PAGE_SIZE - at % PAGE_SIZE < count ? PAGE_SIZE - at % PAGE_SIZE : count;
		if (!object_has(&memory, at / PAGE_SIZE) ||
			object_page(&memory, at / PAGE_SIZE, &frame))
			continue;
		memcpy((uint8_t *)frame_ptr(frame) + at % PAGE_SIZE, bytes, part);
		frame_put(frame);
	}
}

static ssize_t fb_write(struct file *file, struct io *io, int64_t *position)
{
	uint8_t bytes[PIECE];
	size_t done = 0, count, room;

	if ((uint64_t)*position > fb->size)
		return -EFBIG;
	vt_drawn_over();
	while (io->left && (uint64_t)*position < fb->size) {
		room = (size_t)(fb->size - (uint64_t)*position);
		count = io->left < PIECE ? io->left : PIECE;
		count = io_get(io, bytes, count < room ? count : room);
		if (!count)
			break;
		memcpy(fb->pixels + *position, bytes, count);
		write_mapped((uint64_t)*position, bytes, count);
		*position += (int64_t)count;
		done += count;
	}
	return io_result(io, done, !done && io->left && !io_failed(io) ? -ENOSPC : 0);
}

static int64_t fb_seek(struct file *file, int64_t offset, int whence)
{
	int64_t base = whence == SEEK_SET   ? 0
		       : whence == SEEK_CUR ? file->position
		       : whence == SEEK_END ? (int64_t)fb->size
					    : -1;

	if (base < 0 || offset < -base || offset > INT64_MAX - base)
		return -EINVAL;
	return file->position = base + offset;
}

/* ---- ioctls ---- */

static struct fb_bitfield field(uint32_t mask)
{
	return (struct fb_bitfield){.offset = (uint32_t)__builtin_ctz(mask),
		.length = (uint32_t)(32 - __builtin_clz(mask) - __builtin_ctz(mask))};
}

static struct fb_var_screeninfo variable(void)
{
	uint32_t rest = ~(fb->red | fb->green | fb->blue);

	return (struct fb_var_screeninfo){.xres = fb->width,
		.yres = fb->height,
		.xres_virtual = fb->width,
		.yres_virtual = fb->height,
		.bits_per_pixel = 32,
		.red = field(fb->red),
		.green = field(fb->green),
		.blue = field(fb->blue),
		.transp = rest == 0xff000000 ? field(rest) : (struct fb_bitfield){0},
		.height = UINT32_MAX, /* in mm: nobody knows */
		.width = UINT32_MAX,
		.vmode = FB_VMODE_NONINTERLACED};
}

static struct fb_fix_screeninfo fixed(void)
{
	return (struct fb_fix_screeninfo){.id = "EFI VGA",
		.smem_start = fb->base,
		.smem_len = (uint32_t)fb->size,
		.type = FB_TYPE_PACKED_PIXELS,
		.visual = FB_VISUAL_TRUECOLOR,
		.line_length = (uint32_t)fb->pitch,
		.accel = FB_ACCEL_NONE};
}

/* The mode that there is may be set again, and another one only if it comes to the same. */
static long set_variable(user_t user)
{
	struct fb_var_screeninfo wanted, now = variable();

	if (copy_from_user(&wanted, user, sizeof(wanted)))
		return -EFAULT;
	if (wanted.xres != now.xres || wanted.yres != now.yres || wanted.xres_virtual > now.xres ||
		wanted.yres_virtual > now.yres || wanted.bits_per_pixel != 32 || wanted.xoffset ||
		wanted.yoffset)
		return -EINVAL;
	return copy_to_user(user, &now, sizeof(now));
}

static long pan(user_t user)
{
	struct fb_var_screeninfo wanted;

	if (copy_from_user(&wanted, user, sizeof(wanted)))
		return -EFAULT;
	return wanted.xoffset || wanted.yoffset ? -EINVAL : 0;
}

static long fb_ioctl(struct file *file, unsigned int command, uintptr_t argument)
{
	user_t user = user_pointer(argument);
	struct fb_var_screeninfo var;
	struct fb_fix_screeninfo fix;

	switch (command) {
	case FBIOGET_VSCREENINFO:
		var = variable();
		return copy_to_user(user, &var, sizeof(var));
	case FBIOGET_FSCREENINFO:
		fix = fixed();
		return copy_to_user(user, &fix, sizeof(fix));
	case FBIOPUT_VSCREENINFO:
		return set_variable(user);
	case FBIOPAN_DISPLAY:
		return pan(user);
	case FBIOGETCMAP:
	case FBIOPUTCMAP: /* there is no palette */
	case FBIOBLANK:   /* nor a way to darken it */
		return -EINVAL;
	default:
		return -ENOTTY;
	}
}

/* The thread that shows what was drawn is there from the first opening on. */
static int fb_open(struct file *file)
{
	static struct mutex start_lock = MUTEX_INIT(start_lock);
	static bool started;
	int error = 0;

	mutex_lock(&start_lock);
	if (!started)
		error = work_queue_start(&queue, "fb_flush");
	started = started || !error;
	mutex_unlock(&start_lock);
	return error;
}

static const struct file_operations fb_operations = {
	.open = fb_open,
	.read = fb_read,
	.write = fb_write,
	.seek = fb_seek,
	.ioctl = fb_ioctl,
	.object = fb_object,
};

int fb_init(void)
{
	static struct device device = {.operations = &fb_operations};
	uint64_t *bits;
	size_t size;

	fb = framebuffer_get();
	if (!fb)
		return 0;
	page_count = DIV_ROUND_UP(fb->size, PAGE_SIZE);
	object_init(&memory, &memory_operations, fb->size);
	delayed_work_init(&flushing, flush);
	size = DIV_ROUND_UP(page_count, 64) * sizeof(*bits);
	bits = kmalloc(size);
	if (!bits)
		return -ENOMEM;
	memset(bits, 0, size);
	spin_lock(&fb_lock);
	touched = bits;
	spin_unlock(&fb_lock);
	device.number = device_number(FB_MAJOR, 0);
	return devfs_add("fb0", S_IFCHR | 0600, &device);
}
