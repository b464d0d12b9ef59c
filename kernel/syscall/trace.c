/* SPDX-License-Identifier: MIT */
/*
 * The tracer of system calls: `tools/baton exec --strace` on the host makes strace's lines of what this
 * sends (include/baton/trace.h) over the exec channel.
 *
 * A traced thread has another table of calls than the plain one, with trace_call for every number;
 * so a thread that is not traced pays nothing. Tracing begins when a thread writes to
 * /dev/channel/trace, and what it makes from then on, threads and processes, is traced with it. A
 * traced program must not behave otherwise: the tracer never fails a call and takes no signal; it only
 * waits until the channel has room.
 *
 * A record goes out before the call with what the call reads, one after it with what it wrote,
 * each whole, in the order in which they happened on all CPUs.
 *
 * Locks: trace_lock (a mutex) guards the one record that is being made; it comes before all that
 * reading user memory and the channel take, and is not held over the call itself.
 */
#include "syscall/trace.h"

#include <asm/sigcontext.h>
#include <asm/signal.h>
#include <asm/ucontext.h>
#include <asm/unistd_64.h>

#include "arch/arch.h"
#include "devices/channel.h"
#include "files/devfs.h"
#include "lib/log.h"
#include "lib/string.h"
#include "process/mutex.h"
#include "process/process.h"
#include "syscall/dispatch.h"
#include "syscall/table.h"
#include "syscall/trace_record.h"
#include "trap_frame.h"

enum kind_number {
#define NUMBER(name, type, how, size) KIND_##name,
	SYSCALL_KINDS(NUMBER)
#undef NUMBER
};

static const struct trace_kind kinds[] = {
#define ROW(name, type, how, size) [KIND_##name] = {TRACE_HOW_##how, size},
	SYSCALL_KINDS(ROW)
#undef ROW
};

struct signature {
	uint8_t count;
	uint8_t kinds[6]; /* enum kind_number */
};

#define SIGNATURE0(nr, name)                         [nr] = {.count = 0},
#define SIGNATURE1(nr, name, t1, a1)                 [nr] = {1, {KIND_##t1}},
#define SIGNATURE2(nr, name, t1, a1, t2, a2)         [nr] = {2, {KIND_##t1, KIND_##t2}},
#define SIGNATURE3(nr, name, t1, a1, t2, a2, t3, a3) [nr] = {3, {KIND_##t1, KIND_##t2, KIND_##t3}},
#define SIGNATURE4(nr, name, t1, a1, t2, a2, t3, a3, t4, a4) \
	[nr] = {4, {KIND_##t1, KIND_##t2, KIND_##t3, KIND_##t4}},
#define SIGNATURE5(nr, name, t1, a1, t2, a2, t3, a3, t4, a4, t5, a5) \
	[nr] = {5, {KIND_##t1, KIND_##t2, KIND_##t3, KIND_##t4, KIND_##t5}},
#define SIGNATURE6(nr, name, t1, a1, t2, a2, t3, a3, t4, a4, t5, a5, t6, a6) \
	[nr] = {6, {KIND_##t1, KIND_##t2, KIND_##t3, KIND_##t4, KIND_##t5, KIND_##t6}},
static const struct signature signatures[SYSCALLS_MAX] = {SYSCALL_TABLE(
	SIGNATURE0, SIGNATURE1, SIGNATURE2, SIGNATURE3, SIGNATURE4, SIGNATURE5, SIGNATURE6)};

static struct mutex trace_lock = MUTEX_INIT(trace_lock);
static struct trace_record record guarded_by(trace_lock);

static void begin(enum trace_event event) requires(trace_lock)
{
	trace_record_begin(&record, event, current_thread()->tid, arch_clock());
}

static void add(const void *bytes, size_t size) requires(trace_lock)
{
	(void)trace_record_add(&record, bytes, size); /* heads and what is fixed always fit */
}

static void send(void) requires(trace_lock)
{
	channel_send(CHANNEL_TRACE, record.bytes, record.used);
}

/* rt_sigreturn has no argument: what it reads is the frame at the stack pointer, and of that the mask of
 * signals is shown (man 2 sigreturn; struct rt_sigframe after its return address: a ucontext). */
#define FRAME_MASK offsetof(struct ucontext, uc_sigmask)
static const struct trace_kind frame_mask = {TRACE_HOW_IN, sizeof(uint64_t)};

static void send_call(const struct trace_call *call)
{
	const struct signature *signature = &signatures[call->number % SYSCALLS_MAX];

	mutex_lock(&trace_lock);
	begin(call->leaving ? TRACE_LEAVE : TRACE_ENTER);
	add(&call->number, sizeof(call->number));
	if (call->leaving)
		add(&call->result, sizeof(call->result));
	else
		add(call->arguments, sizeof(call->arguments));
	for (unsigned i = 0; i < signature->count; i++)
		trace_record_argument(&record, call, i, &kinds[signature->kinds[i]]);
	if (call->number == __NR_rt_sigreturn)
		trace_record_argument(&record, call, 0, &frame_mask);
	send();
	mutex_unlock(&trace_lock);
}

static long trace_call(const struct trap_frame *frame)
{
	struct trace_call call = {
		.number = (uint32_t)frame->rax,
		.arguments = {frame->rdi, frame->rsi, frame->rdx, frame->r10, frame->r8, frame->r9},
	};

	if (call.number == __NR_rt_sigreturn)
		call.arguments[0] = frame->rsp + FRAME_MASK;
	send_call(&call);
	if (syscalls_plain[call.number])
		call.result = syscalls_plain[call.number](frame);
	else
		call.result = syscall_unhandled(call.number);
	call.leaving = true;
	send_call(&call);
	return call.result;
}

static const syscall_adapter syscalls_traced[SYSCALLS_MAX] = {
	[0 ... SYSCALLS_MAX - 1] = trace_call};

bool trace_on(void)
{
	return current_thread()->calls == syscalls_traced;
}

void trace_exit(int status)
{
	const uint32_t word = (uint32_t)status;

	if (!trace_on())
		return;
	mutex_lock(&trace_lock);
	begin(TRACE_EXIT);
	add(&word, sizeof(word));
	send();
	mutex_unlock(&trace_lock);
}

void trace_signal(const void *info, size_t size)
{
	static const uint8_t nothing[TRACE_SIGNAL_INFO];

	assert(size <= sizeof(nothing));
	if (!trace_on())
		return;
	mutex_lock(&trace_lock);
	begin(TRACE_SIGNAL);
	add(info, size);
	add(nothing, sizeof(nothing) - size);
	send();
	mutex_unlock(&trace_lock);
}

/* ---- /dev/channel/trace ---- */

static ssize_t trace_write(struct file *file, struct io *io, int64_t *position)
{
	current_thread()->calls = syscalls_traced;
	return (ssize_t)io->left;
}

static int trace_open(struct file *file)
{
	return channel_use();
}

static const struct file_operations operations = {
	.open = trace_open, .write = trace_write, .traits = FILE_STREAM};

static struct device node = {.operations = &operations};

int trace_init(void)
{
	return channel_exists() ? devfs_add("channel/trace", S_IFIFO | 0200, &node) : 0;
}
