/* SPDX-License-Identifier: MIT */
/*
 * /dev/efi_test: UEFI's runtime services for programs, with Linux's ioctls (its drivers/firmware/efi/test), as the firmware
 * test suite fwts calls them; and what was seen of each call: read gives the records of the last one made through this
 * open file, as baton/evidence.h has them (struct evidence_record, then the kind's bytes, padded to 8). Each read
 * begins at the file's position; a call sets that to 0.
 *
 * A pointer that is NULL goes to the service as NULL. The service's EFI_STATUS is written where the caller wants it;
 * -EINVAL then says that it was not EFI_SUCCESS. A service that was ended: -EIO, and the status is EFI_ABORTED.
 *
 * For CAP_SYS_ADMIN alone. Lock: file->position_lock does not cover ioctls: one at a time by record_lock of the open file.
 */
#include "firmware/efi_device.h"

#include <asm/ioctl.h>
#include <efi.h>
#include <linux/capability.h>

#include "baton/efi_test.h"
#include "baton/evidence.h"
#include "files/abi.h"
#include "files/devfs.h"
#include "files/io.h"
#include "firmware/bars.h"
#include "firmware/handoff_intake.h"
#include "firmware/memory_map.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "memory/user.h"
#include "process/credentials.h"
#include "process/mutex.h"

#define MISC_MAJOR     10
#define MINOR          130
#define BUFFER_MAX     (36u << 10)
#define GUID_SIZE      16u
#define NAME_BYTES     2048u /* bytes of UCS-2 */
#define TIME_SIZE      sizeof(EFI_TIME)
#define CAPS_SIZE      12u /* EFI_TIME_CAPABILITIES: two words and a byte */
#define CAPSULE_HEADER 28u /* EFI_CAPSULE_HEADER: a GUID, three words */
#define RECORDS_MAX    4096u
#define LIMIT_MAX      60000u
#define NS_PER_MS      UINT64_C(1000000)

#define PACKED         __attribute__((packed))

/* Linux's structures: user pointers as 64-bit words. */
struct get_variable {
	user_t name, guid, attributes, size, data, status;
} PACKED;
struct set_variable {
	user_t name, guid;
	uint32_t attributes;
	uint64_t size;
	user_t data, status;
} PACKED;
struct next_name {
	user_t size, name, guid, status;
} PACKED;
struct variable_info {
	uint32_t attributes;
	user_t maximum, remaining, largest, status;
} PACKED;
struct get_time {
	user_t time, capabilities, status;
} PACKED;
struct set_time {
	user_t time, status;
} PACKED;
struct get_wakeup {
	user_t enabled, pending, time, status;
} PACKED;
struct set_wakeup {
	uint8_t enabled;
	user_t time, status;
} PACKED;
struct next_count {
	user_t count, status;
} PACKED;
struct capsule_query {
	user_t headers;
	uint64_t count;
	user_t maximum, reset_type, status;
} PACKED;

enum {
	GET_VARIABLE = _IOWR('p', 0x01, struct get_variable),
	SET_VARIABLE = _IOW('p', 0x02, struct set_variable),
	GET_TIME = _IOR('p', 0x03, struct get_time),
	SET_TIME = _IOW('p', 0x04, struct set_time),
	GET_WAKEUP = _IOR('p', 0x05, struct get_wakeup),
	SET_WAKEUP = _IOW('p', 0x06, struct set_wakeup),
	NEXT_NAME = _IOWR('p', 0x07, struct next_name),
	VARIABLE_INFO = _IOR('p', 0x08, struct variable_info),
	NEXT_COUNT = _IOR('p', 0x09, struct next_count),
	CAPSULE_QUERY = _IOR('p', 0x0a, struct capsule_query),
	SUPPORTED = _IOR('p', 0x0c, uint32_t),
};

struct efi_test {
	struct mutex record_lock; /* guards all below, and one call of this open file at a time */
	struct firmware_record record;
	uint32_t limit; /* ms of CPU time; 0: as others */
	uint32_t stack; /* pages that the next call gets; 0: as many as there are */
	size_t size;    /* bytes of `text` */
	uint8_t text[RECORDS_MAX];
};

/* One ioctl under way: its call, and the buffers made for it. */
struct work {
	struct efi_test *test;
	struct firmware_call call;
	unsigned count; /* arguments */
	void *made[FIRMWARE_ARGUMENTS_MAX];
	int error; /* the first */
};

/* ---- Arguments ---- */

static void add_value(struct work *work, uint64_t value)
{
	work->call.arguments[work->count++].value = value;
}

/* `size` bytes at `from`, or NULL where that is NULL. */
static void *add_buffer(
	struct work *work, enum firmware_argument_kind kind, user_t from, size_t size)
{
	unsigned at = work->count++;
	void *buffer = NULL;

	if (from.address && !work->error) {
		work->error = size > BUFFER_MAX ? -E2BIG : 0;
		buffer = work->error ? NULL : kzalloc(size ? size : 1);
		if (!buffer && !work->error)
			work->error = -ENOMEM;
	}
	if (buffer && kind != FIRMWARE_OUT && copy_from_user(buffer, from, size))
		work->error = -EFAULT;
	work->made[at] = buffer;
	work->call.arguments[at] =
		(struct firmware_argument){.kind = kind, .buffer = buffer, .size = size};
	return buffer;
}

/* A UCS-2 text up to its NUL. */
static void add_name(struct work *work, user_t from)
{
	size_t size = 0;
	uint16_t letter;

	for (; from.address && !work->error; size += sizeof(letter)) {
		if (size >= NAME_BYTES)
			work->error = -E2BIG;
		else if (copy_from_user(&letter, user_offset(from, size), sizeof(letter)))
			work->error = -EFAULT;
		else if (!letter)
			break;
	}
	add_buffer(work, FIRMWARE_IN, from, size + sizeof(letter));
}

static void put_back(struct work *work, unsigned argument, user_t to, size_t size)
{
	if (work->made[argument] && !work->error && copy_to_user(to, work->made[argument], size))
		work->error = -EFAULT;
}

/* ---- The call, and its record ---- */

static void add_record(struct evidence_writer *writer, enum evidence_kind kind, const void *head,
	size_t head_size, const void *tail, size_t tail_size)
{
	evidence_add(writer, kind, EVIDENCE_ANY_PHASE, 0, head, head_size, tail, tail_size);
}

static void write_records(struct efi_test *test, bool none)
{
	const struct firmware_record *record = &test->record;
	struct evidence_writer writer;

	evidence_begin(&writer, test->text, sizeof(test->text));
	writer.used = 0; /* records alone: the reader makes the file */
	test->size = 0;
	if (none) /* it was not called */
		return;
	add_record(&writer, EVIDENCE_CALL, &record->call, sizeof(record->call), NULL, 0);
	add_record(&writer, EVIDENCE_TRAPS, NULL, 0, record->trap,
		record->traps * sizeof(record->trap[0]));
	add_record(&writer, EVIDENCE_TOUCHED, NULL, 0, record->touch,
		record->touches * sizeof(record->touch[0]));
	for (unsigned i = 0; i < record->faults; i++)
		add_record(&writer, EVIDENCE_VIOLATION, &record->fault[i], sizeof(record->fault[i]),
			NULL, 0);
	test->size = writer.used;
}

/* Calls the service; the status goes to the caller. Afterwards work->error says how it went. */
static void call_it(struct work *work, enum evidence_service service, user_t status)
{
	uint64_t result = EFI_ABORTED;
	int error;

	if (work->error)
		return;
	work->call.service = service;
	work->call.record = &work->test->record;
	work->call.stack = work->test->stack;
	work->call.limit = work->test->limit * NS_PER_MS;
	error = firmware_call(&work->call);
	write_records(work->test, error && work->call.record->call.outcome == EVIDENCE_RETURNED);
	if (!error)
		result = work->call.status;
	else if (error == -EOPNOTSUPP)
		result = EFI_UNSUPPORTED;
	if (status.address && copy_to_user(status, &result, sizeof(result)))
		work->error = -EFAULT;
	else if (error)
		work->error = error == -EOPNOTSUPP ? -EINVAL : error;
}

static bool succeeded(const struct work *work)
{
	return !work->error && work->call.status == EFI_SUCCESS;
}

static void end_calls(struct work *work)
{
	for (unsigned i = 0; i < FIRMWARE_ARGUMENTS_MAX; i++)
		kfree(work->made[i]);
	if (!work->error && work->call.status != EFI_SUCCESS)
		work->error = -EINVAL;
}

/* ---- The services ---- */

static void do_get_variable(struct work *work, const struct get_variable *in)
{
	uint64_t size = 0, *out_size;

	if (in->size.address && copy_from_user(&size, in->size, sizeof(size)))
		work->error = -EFAULT;
	add_name(work, in->name);
	add_buffer(work, FIRMWARE_IN, in->guid, GUID_SIZE);
	add_buffer(work, FIRMWARE_OUT, in->attributes, sizeof(uint32_t));
	out_size = add_buffer(work, FIRMWARE_IN_OUT, in->size, sizeof(size));
	add_buffer(work, FIRMWARE_OUT, in->data, size);
	call_it(work, EVIDENCE_GET_VARIABLE, in->status);
	if (work->error)
		return;
	if (work->call.status == EFI_BUFFER_TOO_SMALL)
		put_back(work, 3, in->size, sizeof(size));
	if (!succeeded(work))
		return;
	if (out_size && *out_size > size) {
		work->error = -EINVAL;
		return;
	}
	put_back(work, 4, in->data, out_size ? *out_size : size);
	put_back(work, 2, in->attributes, sizeof(uint32_t));
	put_back(work, 3, in->size, sizeof(size));
}

static void do_set_variable(struct work *work, const struct set_variable *in)
{
	add_name(work, in->name);
	add_buffer(work, FIRMWARE_IN, in->guid, GUID_SIZE);
	add_value(work, in->attributes);
	add_value(work, in->size);
	add_buffer(work, FIRMWARE_IN, in->data, in->size);
	call_it(work, EVIDENCE_SET_VARIABLE, in->status);
}

static void do_next_name(struct work *work, const struct next_name *in)
{
	uint64_t size = 0, *out_size;

	if (in->size.address && copy_from_user(&size, in->size, sizeof(size)))
		work->error = -EFAULT;
	out_size = add_buffer(work, FIRMWARE_IN_OUT, in->size, sizeof(size));
	add_buffer(work, FIRMWARE_IN_OUT, in->name, size);
	add_buffer(work, FIRMWARE_IN_OUT, in->guid, GUID_SIZE);
	call_it(work, EVIDENCE_GET_NEXT_VARIABLE_NAME, in->status);
	if (!work->error && work->call.status == EFI_BUFFER_TOO_SMALL)
		put_back(work, 0, in->size, sizeof(size));
	if (!succeeded(work))
		return;
	if (out_size && *out_size > size) {
		work->error = -EINVAL;
		return;
	}
	put_back(work, 1, in->name, out_size ? *out_size : size);
	put_back(work, 0, in->size, sizeof(size));
	put_back(work, 2, in->guid, GUID_SIZE);
}

static void do_variable_info(struct work *work, const struct variable_info *in)
{
	const user_t to[] = {in->maximum, in->remaining, in->largest};

	add_value(work, in->attributes);
	for (unsigned i = 0; i < ARRAY_SIZE(to); i++)
		add_buffer(work, FIRMWARE_OUT, to[i], sizeof(uint64_t));
	call_it(work, EVIDENCE_QUERY_VARIABLE_INFO, in->status);
	for (unsigned i = 0; i < ARRAY_SIZE(to) && succeeded(work); i++)
		put_back(work, 1 + i, to[i], sizeof(uint64_t));
}

static void do_get_time(struct work *work, const struct get_time *in)
{
	add_buffer(work, FIRMWARE_OUT, in->time, TIME_SIZE);
	add_buffer(work, FIRMWARE_OUT, in->capabilities, CAPS_SIZE);
	call_it(work, EVIDENCE_GET_TIME, in->status);
	if (!succeeded(work))
		return;
	put_back(work, 0, in->time, TIME_SIZE);
	put_back(work, 1, in->capabilities, CAPS_SIZE);
}

static void do_set_time(struct work *work, const struct set_time *in)
{
	add_buffer(work, FIRMWARE_IN, in->time, TIME_SIZE);
	call_it(work, EVIDENCE_SET_TIME, in->status);
}

static void do_get_wakeup(struct work *work, const struct get_wakeup *in)
{
	add_buffer(work, FIRMWARE_OUT, in->enabled, 1);
	add_buffer(work, FIRMWARE_OUT, in->pending, 1);
	add_buffer(work, FIRMWARE_OUT, in->time, TIME_SIZE);
	call_it(work, EVIDENCE_GET_WAKEUP_TIME, in->status);
	if (!succeeded(work))
		return;
	put_back(work, 0, in->enabled, 1);
	put_back(work, 1, in->pending, 1);
	put_back(work, 2, in->time, TIME_SIZE);
}

static void do_set_wakeup(struct work *work, const struct set_wakeup *in)
{
	add_value(work, in->enabled);
	add_buffer(work, FIRMWARE_IN, in->time, TIME_SIZE);
	call_it(work, EVIDENCE_SET_WAKEUP_TIME, in->status);
}

static void do_next_count(struct work *work, const struct next_count *in)
{
	add_buffer(work, FIRMWARE_OUT, in->count, sizeof(uint32_t));
	call_it(work, EVIDENCE_GET_NEXT_HIGH_MONOTONIC_COUNT, in->status);
	if (succeeded(work))
		put_back(work, 0, in->count, sizeof(uint32_t));
}

/* The list of pointers to headers, as Linux's driver takes it: of one header at most. */
static void add_capsule(struct work *work, user_t list, uint64_t count)
{
	uint8_t *buffer;
	user_t header = {0};

	if (list.address && count > 1)
		work->error = -EINVAL;
	else if (list.address && copy_from_user(&header, list, sizeof(header)))
		work->error = -EFAULT;
	/* What is copied in first, the pointer, is not what goes to the firmware. */
	buffer = add_buffer(work, FIRMWARE_OUT, list, sizeof(header) + CAPSULE_HEADER);
	work->call.arguments[work->count - 1].kind = FIRMWARE_IN_LIST;
	if (buffer && !work->error &&
		copy_from_user(buffer + sizeof(header), header, CAPSULE_HEADER))
		work->error = -EFAULT;
}

static void do_capsule_query(struct work *work, const struct capsule_query *in)
{
	add_capsule(work, in->headers, in->count);
	add_value(work, in->count);
	add_buffer(work, FIRMWARE_OUT, in->maximum, sizeof(uint64_t));
	add_buffer(work, FIRMWARE_OUT, in->reset_type, sizeof(uint32_t));
	call_it(work, EVIDENCE_QUERY_CAPSULE_CAPABILITIES, in->status);
	if (!succeeded(work))
		return;
	put_back(work, 2, in->maximum, sizeof(uint64_t));
	put_back(work, 3, in->reset_type, sizeof(uint32_t));
}

/* ---- Baton's own ---- */

static long set_map(struct work *work, user_t out, bool again)
{
	uint64_t status = EFI_ABORTED;
	struct firmware_record *record = &work->test->record;
	int error =
		again ? firmware_map_again(record, &status) : firmware_go_virtual(record, &status);

	write_records(work->test, error && work->test->record.call.outcome == EVIDENCE_RETURNED);
	if (error)
		return error;
	return copy_to_user(out, &status, sizeof(status));
}

static long no_capsule(struct work *work, user_t out)
{
	work->count = 3; /* all of them 0 */
	call_it(work, EVIDENCE_UPDATE_CAPSULE, out);
	return 0;
}

static long show_reset(struct work *work, user_t user)
{
	const struct firmware_step *step = &work->test->record.step;
	struct baton_efi_reset reset;
	int error;

	if (copy_from_user(&reset, user, sizeof(reset)))
		return -EFAULT;
	error = firmware_show_reset(reset.type, &work->test->record);
	write_records(work->test, error != 0);
	reset = (struct baton_efi_reset){reset.type, step->taken, step->port, step->value};
	return error ? error : copy_to_user(user, &reset, sizeof(reset));
}

static long give_table(user_t out)
{
	struct baton_efi_table table = {0};
	size_t size = 0;
	const void *bytes = firmware_table(&table.address, &size);

	if (!bytes)
		return -ENODEV;
	table.size = (uint32_t)(size < sizeof(table.bytes) ? size : sizeof(table.bytes));
	memcpy(table.bytes, bytes, table.size);
	return copy_to_user(out, &table, sizeof(table));
}

/* The kernel's allocator leaves it alone. */
static long give_page_0(user_t out)
{
	const struct handoff_memory *memory = memory_map_find(0);

	if (!memory || !handoff_is_ram(memory->type))
		return -ENODEV;
	return copy_to_user(out, arch_phys_to_ptr(0), PAGE_SIZE);
}

/* A number from 1 to `most`. */
static long set_number(uint32_t *number, user_t from, uint32_t most)
{
	uint32_t wanted;

	if (copy_from_user(&wanted, from, sizeof(wanted)))
		return -EFAULT;
	if (!wanted || wanted > most)
		return -EINVAL;
	*number = wanted;
	return 0;
}

static long set_policy(user_t from)
{
	uint32_t policy;

	if (copy_from_user(&policy, from, sizeof(policy)))
		return -EFAULT;
	if (policy > FIRMWARE_TRUST)
		return -EINVAL;
	__atomic_store_n(&firmware_policy, policy, __ATOMIC_RELAXED);
	return 0;
}

/* ---- The file ---- */

#define SERVE(command, function, structure)                                    \
	case command:                                                          \
		if (copy_from_user(&in.structure, user, sizeof(in.structure))) \
			return -EFAULT;                                        \
		function(work, &in.structure);                                 \
		return 0

static long serve(struct work *work, unsigned int command, user_t user)
{
	union {
		struct get_variable get_variable;
		struct set_variable set_variable;
		struct next_name next_name;
		struct variable_info variable_info;
		struct get_time get_time;
		struct set_time set_time;
		struct get_wakeup get_wakeup;
		struct set_wakeup set_wakeup;
		struct next_count next_count;
		struct capsule_query capsule_query;
	} in;

	switch (command) {
		SERVE(GET_VARIABLE, do_get_variable, get_variable);
		SERVE(SET_VARIABLE, do_set_variable, set_variable);
		SERVE(GET_TIME, do_get_time, get_time);
		SERVE(SET_TIME, do_set_time, set_time);
		SERVE(GET_WAKEUP, do_get_wakeup, get_wakeup);
		SERVE(SET_WAKEUP, do_set_wakeup, set_wakeup);
		SERVE(NEXT_NAME, do_next_name, next_name);
		SERVE(VARIABLE_INFO, do_variable_info, variable_info);
		SERVE(NEXT_COUNT, do_next_count, next_count);
		SERVE(CAPSULE_QUERY, do_capsule_query, capsule_query);
	case BATON_EFI_GO_VIRTUAL:
		return set_map(work, user, false);
	case BATON_EFI_MAP_AGAIN:
		return set_map(work, user, true);
	case BATON_EFI_NO_CAPSULE:
		return no_capsule(work, user);
	case BATON_EFI_SHOW_RESET:
		return show_reset(work, user);
	case BATON_EFI_PAGE_0:
		return give_page_0(user);
	case BATON_EFI_RUNTIME_TABLE:
		return give_table(user);
	case BATON_EFI_SET_POLICY:
		return set_policy(user);
	case BATON_EFI_SET_STACK:
		return set_number(&work->test->stack, user, FIRMWARE_STACK);
	case BATON_EFI_SET_LIMIT:
		return set_number(&work->test->limit, user, LIMIT_MAX);
	default:
		return -ENOTTY;
	}
}

static long efi_test_ioctl(struct file *file, unsigned int command, uintptr_t argument)
{
	struct efi_test *test = file->private;
	struct work work = {.test = test};
	user_t user = user_pointer(argument);
	uint32_t mask;
	long result;

	if (command == (unsigned int)SUPPORTED) {
		mask = firmware_supported();
		return copy_to_user(user, &mask, sizeof(mask));
	}
	mutex_lock(&test->record_lock);
	result = serve(&work, command, user);
	if (!result) {
		end_calls(&work);
		result = work.error;
		file->position = 0;
	}
	mutex_unlock(&test->record_lock);
	return result;
}

static ssize_t efi_test_read(struct file *file, struct io *io, int64_t *position)
{
	struct efi_test *test = file->private;
	size_t done = 0, count;

	mutex_lock(&test->record_lock);
	if ((uint64_t)*position < test->size) {
		count = test->size - (size_t)*position;
		done = io_put(io, test->text + *position, count < io->left ? count : io->left);
		*position += (int64_t)done;
	}
	mutex_unlock(&test->record_lock);
	return io_result(io, done, 0);
}

static int efi_test_open(struct file *file)
{
	struct efi_test *test;

	if (!capable(CAP_SYS_ADMIN))
		return -EACCES;
	test = kzalloc(sizeof(*test));
	if (!test)
		return -ENOMEM;
	mutex_init(&test->record_lock, "efi_test->record_lock");
	file->private = test;
	return 0;
}

static void efi_test_release(struct file *file)
{
	kfree(file->private);
}

static const struct file_operations operations = {
	.open = efi_test_open,
	.release = efi_test_release,
	.read = efi_test_read,
	.ioctl = efi_test_ioctl,
};

void efi_device_init(void)
{
	static struct device device = {.operations = &operations};

	device.number = device_number(MISC_MAJOR, MINOR);
	if (firmware_supported() && devfs_add("efi_test", S_IFCHR | 0600, &device))
		log_warn("no memory for /dev/efi_test");
}
