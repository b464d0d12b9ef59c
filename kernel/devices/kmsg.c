/* SPDX-License-Identifier: MIT */
/*
 * The kernel's log as programs read it, as Linux has it: syslog(2), of which dmesg and klogd live, and
 * /dev/kmsg (Documentation/ABI/testing/dev-kmsg), one record a read, with a position for each open
 * file. Both are for CAP_SYSLOG alone (as with kernel.dmesg_restrict=1, Debian's default): the log may
 * tell addresses. Levels are Linux's; the facility is always 0, the kernel's.
 *
 * The ring itself is log.c's. log_line may be called with any lock held, so it cannot wake anybody:
 * while somebody waits for new lines, a timer looks every WATCH_NS whether there are some. Nothing
 * runs while nobody waits.
 *
 * kmsg_lock, a mutex, guards what syslog(2) remembers between calls; user memory is touched with it
 * held. watch_lock guards the timer.
 */
#include "devices/kmsg.h"

#include "devices/console.h"
#include "files/devfs.h"
#include "files/file.h"
#include "files/procfs.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "memory/user.h"
#include "process/credentials.h"
#include "process/current.h"
#include "process/mutex.h"
#include "process/timer.h"
#include "process/wait.h"

#include <linux/capability.h>
#include <linux/poll.h>

#define WATCH_NS     (50 * NS_PER_SECOND / 1000)
#define PREFIX_MAX   48u
#define LINE_SIZE    (LOG_TEXT_MAX + PREFIX_MAX)
#define WRITE_MAX    1024u /* bytes of one line written, Linux's LOG_LINE_MAX */
#define KMSG_MINOR   11u
#define BUFFER_SIZE  65536 /* what SYSLOG_ACTION_SIZE_BUFFER tells: log.c's ring */
#define LEVEL_LEAST  1
#define LEVEL_MOST   8
#define LEVEL_USUAL  7
#define MASK_LEVEL   7u
#define LINUX_WARN   4u
#define LINUX_NOTICE 5u

/* man 2 syslog. */
enum action {
	ACTION_CLOSE,
	ACTION_OPEN,
	ACTION_READ,
	ACTION_READ_ALL,
	ACTION_READ_CLEAR,
	ACTION_CLEAR,
	ACTION_CONSOLE_OFF,
	ACTION_CONSOLE_ON,
	ACTION_CONSOLE_LEVEL,
	ACTION_SIZE_UNREAD,
	ACTION_SIZE_BUFFER,
};

static struct mutex kmsg_lock = MUTEX_INIT(kmsg_lock);
static uint64_t next_read guarded_by(kmsg_lock); /* sequence: ACTION_READ gives this line */
static uint32_t part_read guarded_by(kmsg_lock); /* bytes of it that were given */
static uint64_t cleared guarded_by(kmsg_lock);   /* sequence: ACTION_READ_ALL begins here */
int kmsg_restricted = 1;
static int saved_level guarded_by(kmsg_lock); /* before ACTION_CONSOLE_OFF, or 0 */

static struct wait_queue readers = WAIT_QUEUE_INIT(readers);
static struct spinlock watch_lock = SPINLOCK_INIT;
static struct timer watch guarded_by(watch_lock);
static bool watching guarded_by(watch_lock);    /* the timer is armed */
static uint64_t watched guarded_by(watch_lock); /* lines up to this one are no news */

/* ---- Waiting ---- */

static void look(struct timer *timer)
{
	uint64_t next = log_next_sequence();
	bool news;

	spin_lock(&watch_lock);
	news = next != watched;
	watched = next;
	watching = !list_empty(&readers.waiters); /* epolls stay on it after they are told */
	if (watching)
		timer_arm(timer, arch_clock() + WATCH_NS);
	spin_unlock(&watch_lock);
	if (news)
		wake_all(&readers);
}

/* From now on `readers` is woken soon after line `sequence` or a later one comes. */
static void watch_from(uint64_t sequence)
{
	spin_lock(&watch_lock);
	if (!watching || sequence < watched) /* a look that is due soon stays so */
		watched = sequence;
	if (!watching)
		timer_arm(&watch, arch_clock() + WATCH_NS);
	watching = true;
	spin_unlock(&watch_lock);
}

static int wait_for_line(uint64_t sequence)
{
	int error;

	do {
		watch_from(sequence);
		error = wait_event_until(
			&readers, log_next_sequence() > sequence, arch_clock() + 2 * WATCH_NS);
	} while (error == -ETIMEDOUT);
	return error;
}

/* ---- Lines ---- */

static unsigned linux_level(enum log_level level)
{
	static const uint8_t levels[] = {
		[LOG_ERROR] = 3, [LOG_WARN] = 4, [LOG_INFO] = 6, [LOG_DEBUG] = 7};

	return (unsigned)level < ARRAY_SIZE(levels) ? levels[level] : LINUX_WARN;
}

static enum log_level own_level(unsigned level)
{
	if (level < LINUX_WARN)
		return LOG_ERROR;
	if (level == LINUX_WARN)
		return LOG_WARN;
	return level <= LINUX_NOTICE + 1 ? LOG_INFO : LOG_DEBUG;
}

/* As syslog(2) gives it: the length. */
static size_t line_of(const struct log_record *record, char out[LINE_SIZE])
{
	uint64_t us = record->time / 1000;

	return (size_t)format(out, LINE_SIZE, "<%u>[%5llu.%06llu] %s\n", linux_level(record->level),
		(unsigned long long)(us / 1000000), (unsigned long long)(us % 1000000),
		record->text);
}

/* ---- syslog(2) ---- */

/* What there is, as far as there is room. */
static long read_unread(struct io *io) requires(kmsg_lock)
{
	struct log_record record;
	char line[LINE_SIZE];
	uint64_t next;
	size_t done = 0, length, part;

	while (io->left) {
		next = next_read;
		if (!log_read(&next, &record))
			break;
		if (record.sequence != next_read) /* lines were lost: this one is whole */
			part_read = 0;
		next_read = record.sequence;
		length = line_of(&record, line);
		part = length - part_read < io->left ? length - part_read : io->left;
		if (io_put(io, line + part_read, part) < part)
			return done ? (long)done : -EFAULT;
		done += part;
		part_read += (uint32_t)part;
		if (part_read == length) {
			next_read = next;
			part_read = 0;
		}
	}
	return (long)done;
}

/* Waits for the first line. */
static long read_and_wait(struct io *io)
{
	uint64_t wanted;
	long result;

	do {
		mutex_lock(&kmsg_lock);
		result = read_unread(io);
		wanted = next_read;
		mutex_unlock(&kmsg_lock);
		if (!result)
			result = wait_for_line(wanted);
		else
			return result;
	} while (!result);
	return result;
}

/* Bytes of all lines from `sequence` on, without the first `part` of them. */
static size_t size_from(uint64_t sequence, size_t part)
{
	struct log_record record;
	char line[LINE_SIZE];
	size_t size = 0;

	while (log_read(&sequence, &record))
		size += line_of(&record, line);
	return size > part ? size - part : 0;
}

/* The last lines that fit whole, of those since the log was cleared. */
static long read_last(user_t buffer, size_t size) requires(kmsg_lock)
{
	uint64_t sequence = cleared, end = log_next_sequence();
	struct log_record record;
	char line[LINE_SIZE];
	size_t left = size_from(sequence, 0), done = 0, length;

	while (left > size && log_read(&sequence, &record))
		left -= line_of(&record, line);
	while (sequence < end && log_read(&sequence, &record)) {
		length = line_of(&record, line);
		if (length > size - done)
			break;
		if (copy_to_user(user_offset(buffer, done), line, length))
			return -EFAULT;
		done += length;
	}
	return (long)done;
}

static long read_all(user_t buffer, size_t size, bool clear)
{
	uint64_t end = log_next_sequence();
	long result;

	mutex_lock(&kmsg_lock);
	result = read_last(buffer, size);
	if (clear && result >= 0)
		cleared = end;
	mutex_unlock(&kmsg_lock);
	return result;
}

static long set_level(int level)
{
	if (level < LEVEL_LEAST || level > LEVEL_MOST)
		return -EINVAL;
	mutex_lock(&kmsg_lock);
	saved_level = 0;
	log_set_console_level((unsigned)level);
	mutex_unlock(&kmsg_lock);
	return 0;
}

/* Off is level 1; on is the level before that. */
static void switch_console(bool on)
{
	mutex_lock(&kmsg_lock);
	if (on && saved_level) {
		log_set_console_level((unsigned)saved_level);
		saved_level = 0;
	} else if (!on && !saved_level) {
		saved_level = (int)log_console_level();
		log_set_console_level(LEVEL_LEAST);
	}
	mutex_unlock(&kmsg_lock);
}

static long size_unread(void)
{
	long size;

	mutex_lock(&kmsg_lock);
	size = (long)size_from(next_read, part_read);
	mutex_unlock(&kmsg_lock);
	return size;
}

static void clear(void)
{
	mutex_lock(&kmsg_lock);
	cleared = log_next_sequence();
	mutex_unlock(&kmsg_lock);
}

static long read_action(enum action action, user_t buffer, int size)
{
	struct io io = io_user(buffer, (size_t)size);

	if (!buffer.address || size < 0)
		return -EINVAL;
	if (!size)
		return 0;
	if (!user_range_ok(buffer, (size_t)size))
		return -EFAULT;
	return action == ACTION_READ ? read_and_wait(&io)
				     : read_all(buffer, (size_t)size, action == ACTION_READ_CLEAR);
}

/* Looking at what is in the log is for CAP_SYSLOG, unless root says that it is for all; the rest is anyway. */
static bool may_do(enum action action)
{
	bool restricted = __atomic_load_n(&kmsg_restricted, __ATOMIC_RELAXED);

	if (!restricted && (action == ACTION_READ_ALL || action == ACTION_SIZE_BUFFER))
		return true;
	return capable(CAP_SYSLOG) || capable(CAP_SYS_ADMIN);
}

long kmsg_syslog(int action, user_t buffer, int size)
{
	if (!may_do((enum action)action))
		return -EPERM;
	switch (action) {
	case ACTION_CLOSE:
	case ACTION_OPEN:
		return 0;
	case ACTION_READ:
	case ACTION_READ_ALL:
	case ACTION_READ_CLEAR:
		return read_action((enum action)action, buffer, size);
	case ACTION_CLEAR:
		clear();
		return 0;
	case ACTION_CONSOLE_OFF:
	case ACTION_CONSOLE_ON:
		switch_console(action == ACTION_CONSOLE_ON);
		return 0;
	case ACTION_CONSOLE_LEVEL:
		return set_level(size);
	case ACTION_SIZE_UNREAD:
		return size_unread();
	case ACTION_SIZE_BUFFER:
		return BUFFER_SIZE;
	default:
		return -EINVAL;
	}
}

/* ---- /proc/kmsg: SYSLOG_ACTION_READ as a file, from the same place in the log ---- */

static int open_proc(struct file *file)
{
	(void)file;
	return may_do(ACTION_OPEN) ? 0 : -EPERM;
}

static ssize_t read_proc(struct file *file, struct io *io, int64_t *position)
{
	(void)position;
	if (!io->left)
		return 0;
	if (file->flags & O_NONBLOCK && !size_unread())
		return -EAGAIN;
	return read_and_wait(io);
}

/* A glance: epoll asks with its own lock held. Who reads finds out what is so. */
static uint64_t next_glance(void) no_lock_checks
{
	return __atomic_load_n(&next_read, __ATOMIC_RELAXED);
}

static unsigned int poll_proc(struct file *file, struct wait_queue *queues[2])
{
	uint64_t next = next_glance();

	(void)file;
	queues[0] = &readers;
	if (log_next_sequence() > next)
		return POLLIN | POLLRDNORM;
	watch_from(next);
	return 0;
}

const struct file_operations proc_kmsg_operations = {
	.open = open_proc, .read = read_proc, .poll = poll_proc, .seek = file_seek};

/* ---- /dev/kmsg ---- */

struct kmsg_reader {
	struct mutex lock;
	uint64_t next; /* sequence */
};

static int open_kmsg(struct file *file)
{
	struct kmsg_reader *reader;

	if ((file->flags & O_ACCMODE) == O_WRONLY)
		return 0;
	if (!may_do(ACTION_READ_ALL))
		return -EPERM;
	reader = kzalloc(sizeof(*reader));
	if (!reader)
		return -ENOMEM;
	mutex_init(&reader->lock, "kmsg_reader->lock");
	file->private = reader;
	return 0;
}

static void release_kmsg(struct file *file)
{
	kfree(file->private);
}

/* "priority,sequence,microseconds,-;text\n". Bytes that are no plain text are \xNN, as on Linux. */
static size_t record_of(const struct log_record *record, char *out, size_t size)
{
	int length = format(out, size, "%u,%llu,%llu,-;", linux_level(record->level),
		(unsigned long long)record->sequence, (unsigned long long)(record->time / 1000));
	size_t at = (size_t)length;
	uint8_t byte;

	for (uint32_t i = 0; i < record->length && at + 6 < size; i++) {
		byte = (uint8_t)record->text[i];
		if (byte < ' ' || byte >= 127 || byte == '\\')
			at += (size_t)format(out + at, size - at, "\\x%02x", byte);
		else
			out[at++] = (char)byte;
	}
	out[at++] = '\n';
	return at;
}

/* The next record, or why there is none just now. */
static int next_record(struct file *file, struct kmsg_reader *reader, struct log_record *record)
{
	uint64_t next = reader->next;
	int error;

	while (!log_read(&next, record)) {
		if (file->flags & O_NONBLOCK)
			return -EAGAIN;
		error = wait_for_line(next);
		if (error)
			return error;
	}
	if (record->sequence != reader->next && reader->next) {
		reader->next = record->sequence;
		return -EPIPE; /* lines were lost; the next read goes on with the oldest */
	}
	return 0;
}

static ssize_t read_kmsg(struct file *file, struct io *io, int64_t *position)
{
	struct kmsg_reader *reader = file->private;
	char text[PREFIX_MAX + LOG_TEXT_MAX * 4 + 2];
	struct log_record record;
	size_t length;
	ssize_t result;

	result = mutex_lock_interruptible(&reader->lock);
	if (result)
		return result;
	result = next_record(file, reader, &record);
	if (!result) {
		length = record_of(&record, text, sizeof(text));
		if (length > io->left)
			result = -EINVAL;
		else if (io_put(io, text, length) < length)
			result = -EFAULT;
		else
			result = (ssize_t)length;
		reader->next = record.sequence + 1; /* one that did not fit is lost, as on Linux */
	}
	mutex_unlock(&reader->lock);
	return result;
}

/* The level at the start of a line written: "<N>", N below 1000; the rest of it. */
static const char *written_level(const char *text, enum log_level *level)
{
	const char *at = text;
	unsigned number = 0;

	*level = LOG_WARN;
	if (*at++ != '<')
		return text;
	for (; *at >= '0' && *at <= '9' && number < 1000; at++)
		number = number * 10 + (unsigned)(*at - '0');
	if (*at != '>' || at == text + 1)
		return text;
	*level = own_level(number & MASK_LEVEL);
	return at + 1;
}

/* One write is one line. */
static ssize_t write_kmsg(struct file *file, struct io *io, int64_t *position)
{
	size_t size = io->left, length;
	enum log_level level;
	const char *line;
	char *text;

	if (size > WRITE_MAX)
		return -EINVAL;
	text = kmalloc(size + 1);
	if (!text)
		return -ENOMEM;
	if (io_get(io, text, size) < size) {
		kfree(text);
		return -EFAULT;
	}
	text[size] = '\0';
	line = written_level(text, &level);
	length = strlen(text);
	if (length && text[length - 1] == '\n')
		text[length - 1] = '\0';
	log_line(level, "%s", line);
	kfree(text);
	return (ssize_t)size;
}

/* To the first line, past the last, or to the first since the log was cleared. */
static int64_t seek_kmsg(struct file *file, int64_t offset, int whence)
{
	struct kmsg_reader *reader = file->private;
	uint64_t next = 0;
	int error;

	if (!reader)
		return -EBADF;
	if (offset)
		return -ESPIPE;
	if (whence == SEEK_END) {
		next = log_next_sequence();
	} else if (whence == SEEK_DATA) {
		mutex_lock(&kmsg_lock);
		next = cleared;
		mutex_unlock(&kmsg_lock);
	} else if (whence != SEEK_SET) {
		return -EINVAL;
	}
	error = mutex_lock_interruptible(&reader->lock);
	if (error)
		return error;
	reader->next = next;
	mutex_unlock(&reader->lock);
	return 0;
}

static unsigned int poll_kmsg(struct file *file, struct wait_queue *queues[2])
{
	struct kmsg_reader *reader = file->private;
	uint64_t next;

	if (!reader)
		return POLLERR | POLLNVAL;
	next = __atomic_load_n(&reader->next, __ATOMIC_RELAXED);
	queues[0] = &readers;
	if (log_next_sequence() > next)
		return POLLIN | POLLRDNORM;
	watch_from(next);
	return 0;
}

static const struct file_operations operations = {.open = open_kmsg,
	.release = release_kmsg,
	.read = read_kmsg,
	.write = write_kmsg,
	.seek = seek_kmsg,
	.poll = poll_kmsg};

static struct device device = {.operations = &operations};

void kmsg_init(void)
{
	int error;

	timer_init(&watch, look);
	device.number = device_number(MEM_MAJOR, KMSG_MINOR);
	error = devfs_add("kmsg", S_IFCHR | 0644, &device);
	if (error)
		log_error("devfs: /dev/kmsg: error %d", -error);
}
