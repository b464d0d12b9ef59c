/* SPDX-License-Identifier: MIT */
/* See fake_process.h. */
#include "files/fake_process.h"

#include "files/async.h"

#include <linux/resource.h>

#include "arch/arch.h"
#include "arch/fake/fake.h"
#include "devices/random.h"
#include "devices/realtime.h"
#include "files/file.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "process/clocks.h"
#include "process/signal.h"
#include "memory/object.h"
#include "memory/pages.h"
#include "memory/user.h"
#include "process/credentials.h"
#include "process/current.h"
#include "process/process.h"
#include "process/wait.h"

bool (*fake_on_sleep)(void);
uintptr_t fake_fault_start, fake_fault_end;
int fake_session = FAKE_PID, fake_group = FAKE_PID;
uint64_t fake_signals;
unsigned int fake_sleeps;

static struct thread self;
struct thread *fake_thread = &self;

#define RAM_SIZE (UINT64_C(64) << 20)
#define RAM_BASE UINT64_C(0x1000000)

static uint64_t kept_size;

phys_t fake_kept(void)
{
	return RAM_BASE + RAM_SIZE - kept_size;
}

void fake_process_init(uint64_t kept)
{
	const struct pages_range ram = {RAM_BASE, RAM_SIZE - kept};

	kept_size = kept;
	fake_memory_init(RAM_SIZE, RAM_BASE);
	pages_init(fake_frames_virt(), &ram, 1);
}

void fake_process_start(void)
{
	self.files = files_create();
	self.fs = fs_context_create();
}

void fake_process_end(void)
{
	files_put(self.files);
	fs_context_put(self.fs);
}

/* ---- process/current.h ---- */

int current_files_unshare(void)
{
	return 0; /* there is but one process */
}

void all_fs_replace(const struct path *from, const struct path *to)
{
	fs_replace(self.fs, from, to);
}

const struct credentials *current_credentials(void)
{
	return credentials_of_root();
}

uint64_t process_limit(unsigned which)
{
	return which == RLIMIT_NOFILE ? 1024 : UINT64_MAX;
}

const struct credentials *credentials_override(const struct credentials *other)
{
	(void)other;
	return credentials_of_root();
}

bool capable(unsigned capability)
{
	(void)capability;
	return true;
}

int current_pid(void)
{
	return FAKE_PID;
}

int current_group(void)
{
	return fake_group;
}

int current_session(void)
{
	return fake_session;
}

bool current_signal_pending(void)
{
	return false;
}

int signal_group(int group, int signal)
{
	if (group != fake_group)
		return -ESRCH;
	fake_signals |= UINT64_C(1) << signal;
	return 0;
}

void signal_leader(int session, uint32_t signals)
{
	if (session == fake_session)
		fake_signals |= signals;
}

int check_group_session(int group, int session)
{
	return group == fake_group && session == fake_session ? 0 : -ESRCH;
}

void signal_current(int signal)
{
	fake_signals |= UINT64_C(1) << signal;
}

/* ---- process/wait.h ---- */

void wake_waiters(struct wait_queue *queue)
{
}

void wake_one(struct wait_queue *queue)
{
}

bool wake_one_locked(struct wait_queue *queue)
{
	return false;
}

void wake_waiters_for(struct wait_queue *queue, unsigned events)
{
}

void wake_events_nested(struct wait_queue *queue, unsigned events)
{
}

void wait_add(struct wait_queue *queue, struct wait_callback *callback)
{
	list_push_back(&queue->waiters, &callback->waiter.link);
}

void wait_remove(struct wait_queue *queue, struct wait_callback *callback)
{
	list_remove(&callback->waiter.link);
}

void wait_prepare(struct wait_queue *queue, struct waiter *waiter)
{
	list_push_back(&queue->waiters, &waiter->link);
}

void wait_finish(struct wait_queue *queue, struct waiter *waiter)
{
	list_remove(&waiter->link);
}

int wait_sleep(ns_t deadline)
{
	fake_sleeps++;
	if (fake_on_sleep && fake_on_sleep())
		return 0;
	if (deadline == NS_NEVER)
		return -ERESTARTSYS;
	fake_clock_set(deadline);
	return -ETIMEDOUT;
}

ns_t clock_add(ns_t a, ns_t b)
{
	return a + b;
}

long arch_user_store_pair(void *to, uint64_t first, uint64_t second)
{
	const uint64_t pair[] = {first, second};

	return copy_to_user(user_pointer((uintptr_t)to), pair, sizeof(pair));
}

int signal_mask_borrow(user_t mask, size_t size)
{
	return 0;
}

void signal_mask_return(bool interrupted)
{
}

int signal_from_background(int signal)
{
	return -EIO;
}

long signal_restart_by(
	long (*restart)(struct restart_block *block), uint64_t a, uint64_t b, uint64_t c)
{
	return -ERESTART_RESTARTBLOCK;
}

void wait_sleep_uninterruptible(void)
{
	fake_sleeps++;
	if (!fake_on_sleep || !fake_on_sleep())
		panic("waits for what nobody will do");
}

/* ---- memory/user.h ---- */

/* How many bytes can be touched from `start` on. */
static size_t touchable(user_t start, size_t size)
{
	if (!user_range_ok(start, size) || start.address < PAGE_SIZE)
		return 0;
	if (start.address < fake_fault_end && start.address + size > fake_fault_start)
		return start.address < fake_fault_start ? fake_fault_start - start.address : 0;
	return size;
}

/* One of the two is a user's; what is the kernel's can be touched. */
size_t arch_user_copy(void *to, const void *from, size_t size)
{
	size_t most = touchable(user_pointer((uintptr_t)to), size);

	most = touchable(user_pointer((uintptr_t)from), most);
	if (most)
		memcpy(to, from, most);
	return size - most;
}

size_t clear_user_partial(user_t to, size_t size)
{
	size = touchable(to, size);
	if (size)
		memset((void *)to.address, 0, size);
	return size;
}

ssize_t arch_user_string(char *to, const char *from, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (copy_from_user(to + i, user_pointer((uintptr_t)from + i), 1))
			return -1;
		if (!to[i])
			return (ssize_t)i;
	}
	return (ssize_t)size;
}

ssize_t copy_string_from_user(char *to, user_t from, size_t size)
{
	return copy_short_string(to, from, size);
}

/* ---- The rest ---- */

void object_unmap(struct object *object, uint64_t first)
{
}

int object_punch(struct object *object, uint64_t first, uint64_t count)
{
	object_drop(object, first, count); /* nothing is mapped */
	return 0;
}

int object_seal(struct object *object, uint32_t seals)
{
	object->seals |= seals;
	return 0;
}

ns_t realtime_offset_word = 1700000000 * NS_PER_SECOND;

void random_bytes(void *to, size_t size)
{
	memset(to, 0x5a, size);
}

/* ---- Nobody asks for signals of files ---- */

int async_change(struct file *file, int fd, bool on, struct async_list *list)
{
	return 0;
}

void async_drop_all(struct async_list *list)
{
}

void async_forget(struct file *file)
{
}

void async_send(struct async_list *list, enum async_news news)
{
}

void async_offer_owner(struct file *file, enum owner_kind kind, int number)
{
}

int async_set(struct file *file, int fd, bool on, int none)
{
	return none;
}

long async_control(struct file *file, int command, uintptr_t argument)
{
	return -EINVAL;
}
