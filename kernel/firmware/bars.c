/* SPDX-License-Identifier: MIT */
/*
 * UEFI's runtime services behind bars.
 *
 * The problem: firmware's code runs for ever beside the kernel, called by its address, in ring 0 everywhere else, and it
 * has mistakes: it touches memory that it gave away, runs over its stack, does not come back. Here it is a process
 * of the kernel's, with one thread and an address space that holds nothing but the ranges which the firmware itself
 * marked RUNTIME, with the attributes table's rights (bars_regions.c), and the pages that the call is lent: a stack
 * and the arguments. It runs in user mode, interrupted and scheduled as any other. What it does that user mode may not,
 * ports and the instructions of ring 0, is done for it and noted (bars_trap.c, arch's firmware_user.c).
 *
 * Pages are put into the tables when they are first touched and taken out after each call, so what a call touched, and
 * what of that it wrote, is known exactly. A page of code that the firmware writes loses the right to be executed until it is
 * executed again; only one that it writes while it runs there gets both.
 *
 * By the policy `trust` none of this holds: bars_plain.c.
 *
 * What is not the firmware's: a physical address behind which is RAM of the kernel's is never shown to it. By the
 * policy `strict` the call ends there and the service is tainted: never called again. By `survey` it gets a
 * page of zeros in that place, of its own, or the device's registers where it is no RAM, and goes on. A fetch
 * outside of its code, a stack that is used up and any exception end the call by both.
 *
 * The thread stands in the kernel between two calls, in its trap handler: a call's end is a fetch at RETURN_ADDRESS, where
 * nothing is. The time limit is of CPU time, by a timer: a service that does not come back is interrupted and ended.
 * What the kernel cannot take back is the CPU in System Management Mode: a firmware that hangs there hangs the machine.
 *
 * Locks: calls_lock, held by who calls from the copying in to the copying out, guards all of struct bars but what the
 * thread writes while it has the call; the hand-over is bars.call, with a wake-up either way. space->lock for the
 * tables, since /proc reads them.
 *
 * Failures: no memory for process or block: -ENOMEM, and the next call tries again; for a page in the midst of a call: it
 * ends, and the service is not tainted. A map that makes no sense: what of it made sense is used, the log says what did not.
 */
#include "firmware/bars.h"

#include <efi.h>

#include "arch/arch.h"
#include "baton/handoff.h"
#include "firmware/bars_internal.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/pages.h"
#include "memory/slab.h"
#include "memory/space.h"
#include "process/mutex.h"
#include "process/process.h"
#include "process/sched.h"
#include "process/wait.h"

#define STACK_PATTERN 0xb5
#define ALIGN_FOR     16u
#define SHOWN_LIMIT   (NS_PER_SECOND / 5) /* of a reset that waits for its end */

struct bars bars = {
	.wanted = WAIT_QUEUE_INIT(bars.wanted),
	.ended = WAIT_QUEUE_INIT(bars.ended),
};
enum firmware_policy firmware_policy;

static const struct handoff *handoff;
static struct mutex calls_lock = MUTEX_INIT(calls_lock);
static uint32_t tainted; /* bit n: service n; atomic */

static bool is_tainted(enum evidence_service service)
{
	return __atomic_load_n(&tainted, __ATOMIC_RELAXED) & 1u << service;
}

/* ---- The thread ---- */

static void sleep_on(struct wait_queue *queue, bool (*over)(void))
{
	struct waiter self;

	while (!over()) {
		wait_prepare(queue, &self);
		if (!over())
			wait_sleep_uninterruptible();
		wait_finish(queue, &self);
	}
}

static bool has_call(void)
{
	return __atomic_load_n(&bars.call, __ATOMIC_ACQUIRE);
}

static bool has_none(void)
{
	return !has_call();
}

static void call_over(enum evidence_outcome outcome);

/* Waits for a call and gives the thread its registers. */
static void next_call(void)
{
	struct firmware_call *call;

	for (;;) {
		sleep_on(&bars.wanted, has_call);
		if (!bars.trusted)
			break;
		bars_call_plainly();
		call_over(EVIDENCE_RETURNED);
	}
	call = bars.call;
	bars.interrupts = true;
	bars.cpu_started = thread_cpu_time(current_thread());
	timer_arm(&bars.limit, arch_clock() + call->limit);
	arch_firmware_enter(&bars.entry);
	bars.started = arch_cycles();
}

static void note_touched(void *context, const struct arch_gone *pages, unsigned count)
{
	struct firmware_record *record = context;

	for (unsigned i = 0; i < count; i++) {
		struct evidence_touched *last =
			record->touches ? &record->touch[record->touches - 1] : NULL;

		if (pages[i].phys >= bars.block && pages[i].phys < bars.block + BLOCK_SIZE)
			continue;
		if (last && last->base + last->size == pages[i].phys &&
			last->written == pages[i].dirty)
			last->size += PAGE_SIZE;
		else if (record->touches < FIRMWARE_TOUCHES_MAX)
			record->touch[record->touches++] = (struct evidence_touched){
				bars.call->service, pages[i].dirty, pages[i].phys, PAGE_SIZE};
		else
			record->touches_lost++;
	}
}

/* Everything that was mapped is taken away; what was lent in the place of memory not the firmware's, too. */
static void unmap_all(struct firmware_record *record)
{
	mutex_lock(&bars.space->lock);
	arch_unmap(&bars.space->arch, 0, USER_END, 0, USER_END, note_touched, record);
	mutex_unlock(&bars.space->lock);
	while (bars.shadow_count)
		pages_free(phys_frame(bars.shadows[--bars.shadow_count]), 0);
}

static size_t stack_used(void)
{
	const uint8_t *low = bars.memory + STACK_END - bars.stack_pages * PAGE_SIZE;
	const uint8_t *end = bars.memory + STACK_END;

	while (low < end && *low == STACK_PATTERN)
		low++;
	return (size_t)(end - low);
}

static void taint(enum evidence_service service, enum evidence_outcome outcome)
{
	static const char *const why[] = {
		[EVIDENCE_ABORTED_ACCESS] = "touched what is not its own",
		[EVIDENCE_ABORTED_EXCEPTION] = "raised an exception",
		[EVIDENCE_ABORTED_TIME] = "did not come back",
		[EVIDENCE_ABORTED_STACK] = "ran over its stack",
	};

	if (outcome == EVIDENCE_ABORTED_MEMORY) {
		log_warn("firmware: runtime service %u: no memory for a page: the call is ended",
			(unsigned)service);
		return;
	}
	__atomic_or_fetch(&tainted, 1u << service, __ATOMIC_RELAXED);
	log_warn("firmware: runtime service %u %s: it is not called again", (unsigned)service,
		why[outcome]);
}

static void call_over(enum evidence_outcome outcome)
{
	struct firmware_call *call = bars.call;
	struct firmware_record *record = bars.record;
	uint32_t lost = 0;

	record->call.ticks = arch_cycles() - bars.started;
	timer_cancel(&bars.limit);
	if (outcome == EVIDENCE_RETURNED && !bars.trusted) {
		call->status = arch_firmware_left(&bars.entry, &lost);
		if (!bars.interrupts)
			lost |= EVIDENCE_LOST_IF;
	} else if (outcome != EVIDENCE_RETURNED && !call->shown) {
		taint(call->service, outcome);
	}
	record->call.service = call->service;
	record->call.outcome = outcome;
	record->call.lost = lost;
	record->call.status = call->status;
	record->call.stack = stack_used();
	unmap_all(record);
	__atomic_store_n(&bars.call, NULL, __ATOMIC_RELEASE);
	wake_all(&bars.ended);
}

void bars_finish(enum evidence_outcome outcome)
{
	call_over(outcome);
	next_call();
}

static void limit_over(struct timer *timer)
{
	thread_set_work(bars.thread, WORK_FIRMWARE);
}

void bars_late(void)
{
	struct firmware_call *call = bars.call;
	ns_t used, now = arch_clock();

	__atomic_and_fetch(&bars.thread->work, ~(uint32_t)WORK_FIRMWARE, __ATOMIC_RELAXED);
	used = thread_cpu_time(current_thread()) - bars.cpu_started;
	if (used < call->limit) /* others had the CPU */
		timer_arm(&bars.limit, now + (call->limit - used));
	else
		bars_finish(EVIDENCE_ABORTED_TIME);
}

/* What the thread starts with; it goes to user mode when this returns. */
static void thread_begins(void *unused)
{
	next_call();
}

/* ---- The making ---- */

static long refuse_system_call(const struct trap_frame *frame)
{
	return -ENOSYS; /* SYSCALL is an instruction like any other for the firmware, which has no kernel */
}

static const char *find_regions(void)
{
	struct bars_source source = {.stride = handoff->raw_descriptor_size};

	if (handoff->raw_memory.size) {
		source.map = arch_phys_to_ptr(handoff->raw_memory.base);
		source.map_size = handoff->raw_memory.size;
	}
	if (handoff->memory_attributes.size) {
		source.table = arch_phys_to_ptr(handoff->memory_attributes.base);
		source.table_size = handoff->memory_attributes.size;
	}
	bars.regions.most = bars_regions_most(&source);
	if (!bars.regions.most)
		return "the memory map names no range of the runtime services";
	bars.regions.all = kzalloc(bars.regions.most * sizeof(bars.regions.all[0]));
	if (!bars.regions.all)
		return "no memory for the ranges of the runtime services";
	return bars_regions_find(&source, &bars.regions);
}

/* At the start: in a panic there is no memory to be had for it. */
void bars_init(const struct handoff *from)
{
	const char *wrong;

	bars_read_policy();

	handoff = from;
	wrong = handoff->runtime_services ? find_regions() : NULL;
	if (wrong)
		log_warn("firmware: %s", wrong);
}

uintptr_t bars_address(phys_t phys)
{
	return bars_virt(phys);
}

const struct bars_regions *bars_ranges(void)
{
	return &bars.regions;
}

static int make_block(void)
{
	struct frame *frame = pages_alloc(BLOCK_ORDER, FRAME_USED, PAGES_ZERO);

	if (!frame)
		return -ENOMEM;
	bars.block = frame_phys(frame);
	bars.memory = frame_ptr(frame);
	return 0;
}

static const syscall_adapter *refusing_calls(void)
{
	syscall_adapter *calls = kzalloc(SYSCALLS_MAX * sizeof(*calls));

	for (unsigned i = 0; calls && i < SYSCALLS_MAX; i++)
		calls[i] = refuse_system_call;
	return calls;
}

static int make_process(void)
{
	const syscall_adapter *calls = refusing_calls();
	struct space *space = space_create();

	bars.thread =
		space && calls ? thread_create_in(space, "firmware", thread_begins, NULL) : NULL;
	if (!bars.thread) {
		if (space)
			space_put(space);
		kfree((void *)(uintptr_t)calls);
		return -ENOMEM;
	}
	bars.space = space;
	bars.thread->calls = calls;
	timer_init(&bars.limit, limit_over);
	thread_wake(bars.thread);
	return 0;
}

/* What the first call finds missing. */
static int make_all(void) requires(calls_lock)
{
	int error = 0;

	if (!bars.regions.count)
		return -ENODEV;
	if (!bars.memory)
		error = make_block();
	if (!error && !bars.thread)
		error = make_process();
	return error;
}

/* ---- A call ---- */

static uint64_t function_of(enum evidence_service service)
{
	static const uint16_t offsets[EVIDENCE_SERVICES] = {
		[EVIDENCE_GET_TIME] = offsetof(EFI_RUNTIME_SERVICES, GetTime),
		[EVIDENCE_SET_TIME] = offsetof(EFI_RUNTIME_SERVICES, SetTime),
		[EVIDENCE_GET_WAKEUP_TIME] = offsetof(EFI_RUNTIME_SERVICES, GetWakeupTime),
		[EVIDENCE_SET_WAKEUP_TIME] = offsetof(EFI_RUNTIME_SERVICES, SetWakeupTime),
		[EVIDENCE_GET_VARIABLE] = offsetof(EFI_RUNTIME_SERVICES, GetVariable),
		[EVIDENCE_GET_NEXT_VARIABLE_NAME] =
			offsetof(EFI_RUNTIME_SERVICES, GetNextVariableName),
		[EVIDENCE_SET_VARIABLE] = offsetof(EFI_RUNTIME_SERVICES, SetVariable),
		[EVIDENCE_SET_VIRTUAL_ADDRESS_MAP] =
			offsetof(EFI_RUNTIME_SERVICES, SetVirtualAddressMap),
		[EVIDENCE_CONVERT_POINTER] = offsetof(EFI_RUNTIME_SERVICES, ConvertPointer),
		[EVIDENCE_GET_NEXT_HIGH_MONOTONIC_COUNT] =
			offsetof(EFI_RUNTIME_SERVICES, GetNextHighMonotonicCount),
		[EVIDENCE_RESET_SYSTEM] = offsetof(EFI_RUNTIME_SERVICES, ResetSystem),
		[EVIDENCE_UPDATE_CAPSULE] = offsetof(EFI_RUNTIME_SERVICES, UpdateCapsule),
		[EVIDENCE_QUERY_CAPSULE_CAPABILITIES] =
			offsetof(EFI_RUNTIME_SERVICES, QueryCapsuleCapabilities),
		[EVIDENCE_QUERY_VARIABLE_INFO] = offsetof(EFI_RUNTIME_SERVICES, QueryVariableInfo),
	};
	const EFI_RUNTIME_SERVICES *table = arch_phys_to_ptr(handoff->runtime_services);
	uint64_t function = 0;

	/* The table is as long as its header says: ones of EFI 1.x end before the capsules. */
	if (offsets[service] + sizeof(function) <= table->Hdr.HeaderSize)
		memcpy(&function, (const uint8_t *)table + offsets[service], sizeof(function));
	return function;
}

/* Lays the arguments out behind one another; copies in. */
static int lend_arguments(const struct firmware_call *call) requires(calls_lock)
{
	size_t used = 0;

	memset(bars.memory + ARGUMENTS_AT, 0, ARGUMENTS_SIZE);
	for (unsigned i = 0; i < FIRMWARE_ARGUMENTS_MAX; i++) {
		const struct firmware_argument *argument = &call->arguments[i];
		size_t at = ARGUMENTS_AT + used;

		bars.entry.arguments[i] = argument->value;
		if (argument->kind == FIRMWARE_VALUE)
			continue;
		bars.entry.arguments[i] = argument->buffer ? bars_virt(bars.block) + at : 0;
		if (!argument->buffer)
			continue;
		if (argument->size > ARGUMENTS_SIZE - used)
			return -E2BIG;
		if (argument->kind != FIRMWARE_OUT)
			memcpy(bars.memory + at, argument->buffer, argument->size);
		if (argument->kind == FIRMWARE_IN_LIST) {
			uint64_t first = bars.entry.arguments[i] + sizeof(first);

			memcpy(bars.memory + at, &first, sizeof(first));
		}
		used = ALIGN_UP(used + argument->size, ALIGN_FOR);
		if (used > ARGUMENTS_SIZE)
			used = ARGUMENTS_SIZE;
	}
	return 0;
}

/* The same order again, outwards. */
static void take_arguments(const struct firmware_call *call) requires(calls_lock)
{
	for (unsigned i = 0; i < FIRMWARE_ARGUMENTS_MAX; i++) {
		const struct firmware_argument *argument = &call->arguments[i];

		if (argument->kind >= FIRMWARE_IN_OUT && argument->buffer)
			memcpy(argument->buffer,
				bars.memory + (bars.entry.arguments[i] - bars_virt(bars.block)),
				argument->size);
	}
}

static int call_locked(struct firmware_call *call) requires(calls_lock)
{
	int error = make_all();

	bars.trusted = bars_is_trusted(call);
	if (!error && bars.trusted)
		error = bars_map_plainly();
	if (!error)
		error = lend_arguments(call);
	if (error)
		return error;
	bars.record = call->record;
	if (!call->limit)
		call->limit = FIRMWARE_LIMIT;
	bars.stack_pages =
		call->stack && call->stack < FIRMWARE_STACK ? call->stack : FIRMWARE_STACK;
	memset(bars.memory + STACK_AT, STACK_PATTERN, STACK_END - STACK_AT);
	bars.entry.function = function_of(call->service);
	/* It may be called before it only, so its own pointer does not move (UEFI 2.10 8.4). */
	if (bars.is_virtual && call->service == EVIDENCE_SET_VIRTUAL_ADDRESS_MAP &&
		bars.entry.function < VIRTUAL_BASE)
		bars.entry.function = bars_virt(bars.entry.function);
	bars.entry.stack = bars_virt(bars.block) + STACK_END;
	bars.entry.stack_memory = bars.memory + STACK_END;
	bars.entry.back = RETURN_ADDRESS;
	__atomic_store_n(&bars.call, call, __ATOMIC_RELEASE);
	wake_all(&bars.wanted);
	sleep_on(&bars.ended, has_none);
	if (bars.record->call.outcome == EVIDENCE_RETURNED)
		take_arguments(call);
	else
		error = bars.record->call.outcome == EVIDENCE_ABORTED_MEMORY ? -ENOMEM : -EIO;
	return error;
}

/* Whether it can be called at all. */
static int look_at(enum evidence_service service) requires(calls_lock)
{
	if (!handoff || !handoff->runtime_services)
		return -ENODEV;
	if (is_tainted(service))
		return -EIO;
	return function_of(service) ? 0 : -EOPNOTSUPP;
}

/* By the table itself; where the firmware says which ones it means (UEFI 2.10 4.6.2), rules compare. */
uint32_t firmware_supported(void)
{
	uint32_t mask = 0;

	for (unsigned i = 0; i < EVIDENCE_SERVICES; i++)
		if (handoff && handoff->runtime_services && function_of(i))
			mask |= 1u << i;
	return mask;
}

int firmware_call(struct firmware_call *call)
{
	int error;

	memset(call->record, 0, sizeof(*call->record));
	mutex_lock(&calls_lock);
	error = look_at(call->service);
	if (!error)
		error = call_locked(call);
	mutex_unlock(&calls_lock);
	return error;
}

/* ---- SetVirtualAddressMap ---- */

/* The RUNTIME descriptors with their new addresses, of the firmware's own descriptor size. Bytes; 0: no room. */
static size_t fill_map(uint8_t *map, size_t room)
{
	uint64_t stride = handoff->raw_descriptor_size;
	const uint8_t *from = arch_phys_to_ptr(handoff->raw_memory.base);
	size_t used = 0;

	for (uint64_t at = 0; at + stride <= handoff->raw_memory.size; at += stride) {
		EFI_MEMORY_DESCRIPTOR d;

		memcpy(&d, from + at, sizeof(d));
		if (!(d.Attribute & EFI_MEMORY_RUNTIME))
			continue;
		if (room - used < stride)
			return 0;
		memcpy(map + used, from + at, stride);
		d.VirtualStart = d.PhysicalStart + VIRTUAL_BASE;
		memcpy(map + used, &d, sizeof(d));
		used += stride;
	}
	return used;
}

/* `first`: the firmware changes its pointers, in its code too. */
static int set_map(struct firmware_record *record, uint64_t *status, bool first) requires(
	calls_lock)
{
	size_t room = ARGUMENTS_SIZE, size;
	uint8_t *map = kzalloc(room);
	struct firmware_call call = {.service = EVIDENCE_SET_VIRTUAL_ADDRESS_MAP, .record = record};
	int error;

	if (!map)
		return -ENOMEM;
	size = fill_map(map, room);
	call.arguments[0].value = size;
	call.arguments[1].value = handoff->raw_descriptor_size;
	call.arguments[2].value = handoff->raw_descriptor_version;
	call.arguments[3] =
		(struct firmware_argument){.kind = FIRMWARE_IN, .buffer = map, .size = size};
	bars.moving = first;
	error = size ? call_locked(&call) : -E2BIG;
	bars.moving = false;
	if (!error) {
		*status = call.status;
		bars.is_virtual |= call.status == EFI_SUCCESS;
	}
	kfree(map);
	return error;
}

int firmware_go_virtual(struct firmware_record *record, uint64_t *status)
{
	int error;

	memset(record, 0, sizeof(*record));
	mutex_lock(&calls_lock);
	error = look_at(EVIDENCE_SET_VIRTUAL_ADDRESS_MAP);
	if (!error)
		error = bars.is_virtual ? -EALREADY : set_map(record, status, true);
	mutex_unlock(&calls_lock);
	return error;
}

int firmware_map_again(struct firmware_record *record, uint64_t *status)
{
	int error;

	memset(record, 0, sizeof(*record));
	mutex_lock(&calls_lock);
	error = look_at(EVIDENCE_SET_VIRTUAL_ADDRESS_MAP);
	if (!error)
		error = bars.is_virtual ? set_map(record, status, false) : -EINVAL;
	mutex_unlock(&calls_lock);
	return error;
}

/* ---- What is only looked at ---- */

int firmware_show_reset(uint32_t type, struct firmware_record *record)
{
	struct firmware_call call = {.service = EVIDENCE_RESET_SYSTEM,
		.record = record,
		.limit = SHOWN_LIMIT,
		.shown = true};
	int error;

	call.arguments[0].value = type;
	error = firmware_call(&call);
	return error == -EIO && record->call.outcome != EVIDENCE_RETURNED ? 0 : error;
}

const void *firmware_table(phys_t *phys, size_t *size)
{
	const EFI_RUNTIME_SERVICES *table;

	if (!handoff || !handoff->runtime_services)
		return NULL;
	table = arch_phys_to_ptr(handoff->runtime_services);
	*phys = handoff->runtime_services;
	*size = table->Hdr.HeaderSize;
	return table;
}
