/* SPDX-License-Identifier: MIT */
/* Crimes of the kernel against itself, for tests: each must end in a panic that names it. They run in
 * process 1's thread, in kernel mode, when its program is loaded and has not started. */
#include "crash.h"

#include "arch/arch.h"
#include "lib/lock.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/pages.h"
#include "memory/slab.h"
#include "memory/space.h"
#include "memory/user.h"
#include "process/cpu.h"
#include "process/process.h"
#include "process/sched.h"

static void crash_assert(void)
{
	assert(1 + 1 == 3);
}

static void crash_null(void)
{
	volatile int *nothing = NULL;

	__asm__("" : "+r"(nothing)); /* or the compiler puts its own trap here */
	*nothing = 1;
}

/* Kernel text is mapped read-only, in the direct map too. */
static void crash_text(void)
{
	volatile uint8_t *text = (volatile uint8_t *)(uintptr_t)crash;

	*text = 0xc3;
}

/* Data is never executed. */
static void crash_data(void)
{
	static uint8_t code[] = {0xc3};
	void (*function)(void) = (void (*)(void))(uintptr_t)code;

	__asm__("" : "+r"(function));
	function();
}

static volatile unsigned depth_wanted = UINT32_MAX;

static unsigned crash_stack(unsigned depth)
{
	volatile unsigned char room[256];

	if (depth == depth_wanted)
		return 0;
	room[depth % sizeof(room)] = (unsigned char)depth;
	return crash_stack(depth + 1) + room[depth % sizeof(room)];
}

static void crash_smash(void)
{
	volatile char buffer[16];
	volatile char *at = buffer;

	__asm__("" : "+r"(at));
	for (int i = 0; i < 64; i++)
		at[i] = 'x';
}

static void crash_opcode(void)
{
	__asm__ volatile("ud2");
}

/* SMAP: the kernel does not read a user's page by accident. This one is there: the arguments. */
static void crash_user(void)
{
	volatile uint8_t *page = (volatile uint8_t *)current_space()->arguments;

	__asm__("" : "+r"(page));
	(void)*page;
}

/* SMEP: nor does it run a user's code. This is there, too, and executable: the program's first instruction. */
static void crash_jump(void)
{
	uintptr_t start = arch_user_ip(current_thread());
	void (*function)(void) = (void (*)(void))start;
	uint8_t byte;

	if (copy_from_user(&byte, user_pointer(start), 1)) {
		log_error("crash=jump: there is nothing at the program's start");
		return;
	}
	__asm__("" : "+r"(function));
	function();
}

static void crash_recursion(void)
{
	log_info("%u", crash_stack(0));
}

/* At a function's end: the call before it is no jump, so that the function stands in the backtrace. (Who takes a
 * lock himself may not: a spin_lock that was not inlined has no frame, which costs its caller's line.) */
static ALWAYS_INLINE void no_tail_call(void)
{
	__asm__ volatile("");
}

/* Two CPUs, each with a lock that the other wants. */
static struct spinlock crash_first_lock, crash_second_lock;
static bool first_taken, second_taken;

static __attribute__((noinline)) void take_both(struct spinlock *outer, bool *taken,
	struct spinlock *inner, const bool *other_taken) no_lock_checks
{
	spin_lock(outer);
	__atomic_store_n(taken, true, __ATOMIC_RELEASE);
	while (!__atomic_load_n(other_taken, __ATOMIC_ACQUIRE))
		arch_pause();
	spin_lock(inner);
	no_tail_call();
}

static void crash_other(void *unused UNUSED)
{
	take_both(&crash_second_lock, &second_taken, &crash_first_lock, &first_taken);
	no_tail_call();
}

static void crash_deadlock(void)
{
	struct thread *other = thread_create("crash", crash_other, NULL);

	if (!other || sched_set_affinity(other, ~cpu_bit(this_cpu()))) {
		log_warn("crash=deadlock: there is no second CPU");
		return;
	}
	thread_wake(other);
	take_both(&crash_first_lock, &first_taken, &crash_second_lock, &second_taken);
	no_tail_call();
}

static __attribute__((noinline)) void take_twice(struct spinlock *lock) no_lock_checks
{
	spin_lock(lock);
	spin_lock(lock);
	no_tail_call();
}

static void crash_relock(void)
{
	take_twice(&crash_first_lock);
	no_tail_call();
}

/* Nothing stops it; a kernel built with -Dubsan=true says it. */
static void crash_overflow(void)
{
	volatile int most = INT32_MAX;

	most = most + 1;
}

/* These four go through, but for a kernel built with -Dkasan=true. */
static void crash_freed(void)
{
	volatile uint8_t *object = kmalloc(40);

	if (!object)
		return;
	kfree((void *)object);
	(void)object[8];
}

static void crash_past(void)
{
	volatile uint8_t *object = kmalloc(37);

	if (!object)
		return;
	(void)object[37];
	kfree((void *)object);
}

static void crash_copied(void)
{
	uint8_t *from = kmalloc(60), *to = kmalloc(50);

	if (from && to)
		memcpy(to, from, 60);
	kfree(from);
	kfree(to);
}

static void crash_page(void)
{
	struct frame *frame = pages_alloc(0, FRAME_USED, PAGES_NORMAL);
	volatile uint64_t *words;

	if (!frame)
		return;
	words = frame_ptr(frame);
	pages_free(frame, 0);
	words[511] = 0;
}

static const struct {
	const char *name;
	void (*commit)(void);
} crimes[] = {
	{"assert", crash_assert},
	{"null", crash_null},
	{"text", crash_text},
	{"data", crash_data},
	{"stack", crash_recursion},
	{"smash", crash_smash},
	{"opcode", crash_opcode},
	{"user", crash_user},
	{"jump", crash_jump},
	{"overflow", crash_overflow},
	{"freed", crash_freed},
	{"past", crash_past},
	{"copied", crash_copied},
	{"page", crash_page},
	{"deadlock", crash_deadlock},
	{"relock", crash_relock},
};

void crash(const char *crime)
{
	for (size_t i = 0; i < ARRAY_SIZE(crimes); i++) {
		if (!strcmp(crimes[i].name, crime)) {
			crimes[i].commit();
			log_error("crash=%s: nothing stopped it", crime);
			return;
		}
	}
	if (!crash_audit(crime))
		log_warn("crash=%s: no such crime", crime);
}
