/* SPDX-License-Identifier: MIT */
/*
 * UEFI's runtime services of a firmware that is well, behind bars: they work, touch nothing that is not theirs and keep what
 * they must; with physical addresses, then after SetVirtualAddressMap. For the scenarios firmware-services_*.
 */
#include "baton/evidence.h"
#include "cases.h"
#include "firmware/efi_services.h"

#define NAMES_MAX   1000
#define ATTRIBUTES  7u /* non-volatile, boot services, runtime */
#define APPEND      0x40u
#define ALLOCATIONS 12 /* and fewer that a call makes for its pages' tables */

static const uint16_t our_name[] = {'B', 'a', 't', 'o', 'n', 'T', 'e', 's', 't', 0};
static const uint8_t our_guid[16] = {
	0x3d, 0x1c, 0x7b, 0x5a, 0x0e, 0x0f, 0x4e, 0x4b, 0x9d, 1, 2, 3, 4, 5, 6, 7};
static int fd = -1;
static uint64_t status;
static uint32_t policy = BATON_EFI_STRICT;

static void begin(void)
{
	fd = open("/dev/efi_test", O_RDWR);
	WANT(fd >= 0);
	WANT_IS(ioctl(fd, BATON_EFI_SET_POLICY, &policy), 0);
}

/* Of the call just made: it returned, within its rights. */
static void well(void)
{
	static uint64_t bytes[1024];
	ssize_t size = read(fd, bytes, sizeof bytes);
	const struct evidence_record *record;
	const struct evidence_call *call;

	WANT(size > 0);
	for (size_t at = 0; at < (size_t)size; at += sizeof *record + ((record->size + 7) & ~7u)) {
		record = (const void *)((const char *)bytes + at);
		WANT(record->kind != EVIDENCE_VIOLATION);
		if (record->kind != EVIDENCE_CALL)
			continue;
		call = (const void *)(record + 1);
		WANT_IS(call->outcome, EVIDENCE_RETURNED);
		WANT_IS(call->lost, 0);
		WANT(call->stack >= 8 && call->stack < 4096);
		WANT(call->ticks);
	}
}

static void time_told(void)
{
	struct efi_time first, second;
	uint8_t capabilities[12];

	begin();
	WANT_IS(efi_get_time(fd, (struct efi_get_time){&first, capabilities, &status}), 0);
	well();
	WANT(first.year >= 2020 && first.month >= 1 && first.month <= 12 && first.day <= 31);
	WANT(first.hour < 24 && first.minute < 60 && first.second < 60);
	WANT_IS(efi_get_time(fd, (struct efi_get_time){&second, NULL, &status}), 0);
	WANT_IS(efi_get_time(fd, (struct efi_get_time){NULL, NULL, &status}), EINVAL);
	WANT_IS(status, EFI_STATUS_INVALID_PARAMETER);
	well();
}

static void time_refused(void)
{
	struct efi_time when = {.year = 2026, .month = 13, .day = 1};

	begin();
	WANT_IS(efi_set_time(fd, (struct efi_set_time){&when, &status}), EINVAL);
	WANT_IS(status, EFI_STATUS_INVALID_PARAMETER);
	well();
}

static void names_listed(void)
{
	uint16_t name[512] = {0};
	uint8_t guid[16] = {0};
	uint64_t size;
	int found = 0;

	begin();
	for (;;) {
		size = sizeof name;
		if (efi_next_name(fd, (struct efi_next_name){&size, name, guid, &status}))
			break;
		well();
		WANT(size >= 4 && size <= sizeof name && !name[size / 2 - 1]);
		WANT(found++ < NAMES_MAX);
	}
	WANT_IS(status, EFI_STATUS_NOT_FOUND);
	WANT(found > 5);
	size = 2;
	name[0] = 0;
	WANT_IS(efi_next_name(fd, (struct efi_next_name){&size, name, guid, &status}), EINVAL);
	WANT_IS(status, EFI_STATUS_BUFFER_TOO_SMALL);
	WANT(size > 2);
}

static void set(uint32_t attributes, const char *data)
{
	WANT_IS(efi_set_variable(fd, (struct efi_set_variable){our_name, our_guid, attributes,
					     strlen(data), data, &status}),
		0);
	WANT_IS(status, EFI_STATUS_SUCCESS);
	well();
}

static void want_data(const char *expected)
{
	char data[64] = "";
	uint64_t size = sizeof data;
	uint32_t attributes = 0;

	WANT_IS(efi_get_variable(fd, (struct efi_get_variable){our_name, our_guid, &attributes,
					     &size, data, &status}),
		0);
	well();
	WANT_IS(attributes, ATTRIBUTES);
	WANT_IS(size, strlen(expected));
	WANT(!memcmp(data, expected, size));
}

static void variable_lives(void)
{
	char data[64];
	uint64_t size = 0;

	begin();
	set(ATTRIBUTES, "one");
	want_data("one");
	set(ATTRIBUTES, "another");
	want_data("another");
	set(ATTRIBUTES | APPEND, "+more");
	want_data("another+more");
	WANT_IS(efi_get_variable(fd,
			(struct efi_get_variable){our_name, our_guid, NULL, &size, data, &status}),
		EINVAL);
	WANT_IS(status, EFI_STATUS_BUFFER_TOO_SMALL);
	WANT_IS(size, strlen("another+more"));
	set(ATTRIBUTES, "");
	size = sizeof data;
	WANT_IS(efi_get_variable(fd,
			(struct efi_get_variable){our_name, our_guid, NULL, &size, data, &status}),
		EINVAL);
	WANT_IS(status, EFI_STATUS_NOT_FOUND);
}

/* As large as the store takes: the arguments fill most of what a call is lent. */
static void large_variable(void)
{
	static char data[30000], back[30000];
	uint64_t a, b, largest = 0, size;

	begin();
	WANT_IS(efi_variable_info(
			fd, (struct efi_variable_info){ATTRIBUTES, &a, &b, &largest, &status}),
		0);
	well();
	size = largest / 2 < sizeof data ? largest / 2 : sizeof data;
	WANT(size > 1000);
	for (size_t i = 0; i < size; i++)
		data[i] = (char)(i * 7);
	WANT_IS(efi_set_variable(fd, (struct efi_set_variable){our_name, our_guid, ATTRIBUTES, size,
					     data, &status}),
		0);
	well();
	WANT_IS(efi_get_variable(fd,
			(struct efi_get_variable){our_name, our_guid, NULL, &size, back, &status}),
		0);
	WANT(!memcmp(data, back, size));
	set(ATTRIBUTES, "");
}

static void too_large(void)
{
	static char data[64 << 10];

	begin();
	WANT_IS(efi_set_variable(fd, (struct efi_set_variable){our_name, our_guid, ATTRIBUTES,
					     sizeof data, data, &status}),
		E2BIG);
	WANT_IS(efi_set_variable(fd, (struct efi_set_variable){our_name, our_guid, ATTRIBUTES, 10,
					     BAD, &status}),
		EFAULT);
	WANT_IS(ioctl(fd, _IO('p', 0x7f)), -1);
	WANT_IS(errno, ENOTTY);
}

static void small_stack(void)
{
	struct efi_time now;
	uint32_t pages = 1, none = 0;

	begin();
	WANT(ioctl(fd, BATON_EFI_SET_STACK, &none) && errno == EINVAL);
	WANT_IS(ioctl(fd, BATON_EFI_SET_STACK, &pages), 0);
	WANT_IS(efi_get_time(fd, (struct efi_get_time){&now, NULL, &status}), 0);
	set(ATTRIBUTES, "one page");
	want_data("one page");
	set(ATTRIBUTES, "");
}

/* Several threads' calls come one after the other. */
static void many_at_once(void)
{
	pid_t children[4];
	int end;

	for (unsigned i = 0; i < COUNT(children); i++) {
		children[i] = fork();
		WANT(children[i] >= 0);
		if (children[i])
			continue;
		for (unsigned turn = 0; turn < 20; turn++)
			time_told();
		_exit(0);
	}
	for (unsigned i = 0; i < COUNT(children); i++) {
		WANT_IS(waitpid(children[i], &end, 0), children[i]);
		WANT_IS(end, 0);
	}
}

/* The process in which the services run. */
static pid_t firmware_process(void)
{
	char path[64], name[32];
	ssize_t size;
	int file;

	for (pid_t pid = 2; pid < 1000; pid++) {
		snprintf(path, sizeof path, "/proc/%d/comm", pid);
		file = open(path, O_RDONLY);
		size = file < 0 ? 0 : read(file, name, sizeof name);
		if (file >= 0)
			close(file);
		if (size == 9 && !memcmp(name, "firmware\n", 9))
			return pid;
	}
	return 0;
}

/* Signals end neither the call nor the firmware's thread. */
static void not_killed(void)
{
	pid_t child;

	begin();
	time_told();
	child = fork();
	if (!child)
		for (;;)
			time_told();
	for (unsigned i = 0; i < 50; i++)
		sched_yield();
	WANT_IS(kill(child, SIGKILL), 0);
	WANT_IS(waitpid(child, NULL, 0), child);
	WANT(firmware_process());
	WANT_IS(kill(firmware_process(), SIGKILL), 0);
	WANT_IS(syscall(SYS_tgkill, firmware_process(), firmware_process(), SIGSEGV), 0);
	time_told();
	WANT(firmware_process());
}

/* Memory runs out in the midst of a call: it ends, and the service is as good as before. */
static void short_of_memory(void)
{
	char path[64], number[16];
	struct efi_time now;
	int ends = 0, file;

	begin();
	snprintf(path, sizeof path, "/proc/%d/fail-nth", firmware_process());
	for (int nth = 1; nth <= ALLOCATIONS; nth++) {
		file = open(path, O_WRONLY);
		WANT(file >= 0);
		WANT(write(file, number, (size_t)snprintf(number, sizeof number, "%d", nth)) > 0);
		if (efi_get_time(fd, (struct efi_get_time){&now, NULL, &status})) {
			WANT_IS(errno, ENOMEM);
			ends++;
		}
		WANT_IS(pwrite(file, "0", 1, 0), 1);
		close(file);
		time_told();
	}
	WANT(ends);
}

static void gone_virtual(void)
{
	uint64_t out = 1;

	begin();
	WANT_IS(ioctl(fd, BATON_EFI_GO_VIRTUAL, &out), 0);
	WANT_IS(out, EFI_STATUS_SUCCESS);
	WANT(ioctl(fd, BATON_EFI_GO_VIRTUAL, &out) && errno == EALREADY);
}

/* ---- Baton's own ioctls ---- */

static void capsules_refused(void)
{
	/* A GUID, the header's size, CAPSULE_FLAGS_POPULATE_SYSTEM_TABLE alone, the capsule's size. */
	uint32_t header[] = {1, 2, 3, 4, 28, 0x20000, 28};
	void *headers[] = {header, header}, *bad[] = {BAD};
	uint64_t maximum;
	int type;

	begin();
	WANT(ioctl(fd, BATON_EFI_NO_CAPSULE, &status) && errno == EINVAL);
	WANT_IS(status, EFI_STATUS_INVALID_PARAMETER);
	well();
	WANT_IS(efi_capsule_query(
			fd, (struct efi_capsule_query){headers, 1, &maximum, &type, &status}),
		EINVAL);
	WANT_IS(status, EFI_STATUS_INVALID_PARAMETER);
	well();
	WANT_IS(efi_capsule_query(fd, (struct efi_capsule_query){bad, 1, &maximum, &type, &status}),
		EFAULT);
	WANT_IS(efi_capsule_query(fd, (struct efi_capsule_query){BAD, 1, &maximum, &type, &status}),
		EFAULT);
	WANT_IS(efi_capsule_query(
			fd, (struct efi_capsule_query){headers, 2, &maximum, &type, &status}),
		EINVAL);
}

static void reset_shown(void)
{
	struct efi_time now;

	begin();
	for (uint32_t type = 0; type < 3; type++) {
		struct baton_efi_reset reset = {.type = type};

		WANT_IS(ioctl(fd, BATON_EFI_SHOW_RESET, &reset), 0);
		WANT_IS(reset.taken, 1);
		WANT(reset.port && reset.value);
	}
	WANT_IS(ioctl(fd, BATON_EFI_SHOW_RESET, BAD), -1);
	WANT_IS(errno, EFAULT);
	WANT_IS(efi_get_time(fd, (struct efi_get_time){&now, NULL, &status}), 0);
	well();
}

static void table_given(void)
{
	struct baton_efi_table table;

	begin();
	WANT_IS(ioctl(fd, BATON_EFI_RUNTIME_TABLE, &table), 0);
	WANT(!memcmp(table.bytes, "RUNTSERV", 8));
	WANT(table.address && table.size >= 136 && table.size <= sizeof table.bytes);
	WANT(ioctl(fd, BATON_EFI_RUNTIME_TABLE, BAD) && errno == EFAULT);
}

static void not_again(void)
{
	begin();
	WANT(ioctl(fd, BATON_EFI_MAP_AGAIN, &status) && errno == EINVAL);
}

static void refused_again(void)
{
	begin();
	WANT_IS(ioctl(fd, BATON_EFI_MAP_AGAIN, &status), 0);
	WANT_IS(status, EFI_STATUS_UNSUPPORTED);
	well();
}

/* The pages that the last call touched; how many runs of them, and how many were written. */
static void read_touched(uint32_t service, unsigned *runs, unsigned *written)
{
	static uint64_t bytes[1024];
	ssize_t size = pread(fd, bytes, sizeof bytes, 0);
	const struct evidence_record *record;
	const struct evidence_touched *touched;

	*runs = *written = 0;
	for (size_t at = 0; at < (size_t)size; at += sizeof *record + ((record->size + 7) & ~7u)) {
		record = (const void *)((const char *)bytes + at);
		touched = (const void *)(record + 1);
		if (record->kind != EVIDENCE_TOUCHED)
			continue;
		for (; *runs < record->size / sizeof *touched; touched++, ++*runs) {
			WANT_IS(touched->service, service);
			WANT(touched->size && touched->size % 4096 == 0 &&
				touched->base % 4096 == 0);
			*written += touched->written;
		}
	}
}

static void touched_told(void)
{
	struct efi_time now;
	unsigned runs, written;

	begin();
	WANT_IS(efi_get_time(fd, (struct efi_get_time){&now, NULL, &status}), 0);
	read_touched(EVIDENCE_GET_TIME, &runs, &written);
	WANT(runs);
	set(ATTRIBUTES, "touched");
	read_touched(EVIDENCE_SET_VARIABLE, &runs, &written);
	WANT(runs > 1 && written && written < runs);
	set(ATTRIBUTES, "");
}

/* Ports and instructions that were done for the last call. */
static unsigned count_traps(void)
{
	static uint64_t bytes[1024];
	ssize_t size = pread(fd, bytes, sizeof bytes, 0);
	const struct evidence_record *record;
	unsigned traps = 0;

	WANT(size > 0);
	for (size_t at = 0; at < (size_t)size; at += sizeof *record + ((record->size + 7) & ~7u)) {
		record = (const void *)((const char *)bytes + at);
		if (record->kind == EVIDENCE_TRAPS)
			traps += record->size / (unsigned)sizeof(struct evidence_trap);
	}
	return traps;
}

/* By the policy `trust` all is as behind bars, and nothing is done for the firmware. */
static void trusted(void)
{
	struct efi_time now, then;
	uint32_t unknown = BATON_EFI_TRUST + 1;
	unsigned runs, written;

	begin();
	WANT_IS(efi_get_time(fd, (struct efi_get_time){&now, NULL, &status}), 0);
	WANT(count_traps() > 0);
	WANT(ioctl(fd, BATON_EFI_SET_POLICY, &unknown) && errno == EINVAL);
	policy = BATON_EFI_TRUST;
	begin();
	WANT_IS(efi_get_time(fd, (struct efi_get_time){&then, NULL, &status}), 0);
	WANT_IS(count_traps(), 0);
	read_touched(EVIDENCE_GET_TIME, &runs, &written);
	WANT_IS(runs, 0);
	WANT(then.year == now.year || then.year == now.year + 1);
	time_told();
	time_refused();
	names_listed();
	variable_lives();
	large_variable();
	many_at_once();
	not_killed();
	reset_shown();
}

#define SERVICES(phase)                                                                            \
	CASE(time_told, phase ": GetTime"),                                                        \
		CASE(time_refused, phase ": SetTime refuses month 13"),                            \
		CASE(names_listed, phase ": GetNextVariableName"),                                 \
		CASE(variable_lives, phase ": a variable is made, changed, appended to, deleted"), \
		CASE(large_variable, phase ": a large variable"),                                  \
		CASE(small_stack, phase ": a stack of 4 KiB is enough")

static const struct test_case cases[] = {
	SERVICES("physical"),
	CASE(too_large, "what has no room, is not there or is no ioctl"),
	CASE(many_at_once, "calls of four processes"),
	CASE(not_killed, "a caller that is killed"),
	CASE(capsules_refused, "capsule services refuse what is no capsule"),
	CASE(touched_told, "the pages that a call touched"),
	CASE(table_given, "the runtime services table"),
	CASE(reset_shown, "ResetSystem up to its last step"),
	CASE(short_of_memory, "memory runs out in the midst of a call"),
	CASE(trusted, "physical: trusted"),
	CASE(not_again, "no second SetVirtualAddressMap before the first"),
	CASE(gone_virtual, "SetVirtualAddressMap, once"),
	SERVICES("virtual"),
	CASE(refused_again, "SetVirtualAddressMap is refused the second time"),
	CASE(trusted, "virtual: trusted"),
	CASE(reset_shown, "virtual: ResetSystem up to its last step"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
