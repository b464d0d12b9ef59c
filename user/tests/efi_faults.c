/* SPDX-License-Identifier: MIT */
/*
 * Runtime services that break a rule each, which ci/bad_services.c has written over the firmware's: what comes of each,
 * first under the policy `survey`, then under `strict`. For the scenario firmware-faults alone.
 */
#include "baton/evidence.h"
#include "cases.h"
#include "firmware/efi_services.h"

#define WRITTEN   0x02000000u /* by wild_write */
#define LIMIT_MS  300u
#define PORT      0x80u
#define ALL_TRAPS 4u
/* UEFI 2.10 7.2.1 */
#define BOOT_SERVICES_CODE 3u
#define BOOT_SERVICES_DATA 4u
#define NOT_KERNEL         0x7fffffffffffu

static int fd = -1;
static uint64_t status;
static struct efi_time when = {.year = 2026, .month = 1, .day = 1};

/* Of the last call. */
static struct evidence_call call;
static struct evidence_violation violation;
static struct evidence_trap traps[32];
static unsigned violations, trap_count;

static void take(const struct evidence_record *record)
{
	const void *bytes = record + 1;

	if (record->kind == EVIDENCE_CALL)
		memcpy(&call, bytes, sizeof call);
	if (record->kind == EVIDENCE_VIOLATION && !violations++)
		memcpy(&violation, bytes, sizeof violation);
	if (record->kind == EVIDENCE_TRAPS) {
		trap_count = record->size / sizeof traps[0];
		WANT(trap_count <= COUNT(traps));
		memcpy(traps, bytes, record->size);
	}
}

static void read_records(void)
{
	static uint64_t bytes[1024];
	ssize_t size = read(fd, bytes, sizeof bytes);
	const struct evidence_record *record;

	violations = trap_count = 0;
	WANT(size > 0);
	for (size_t at = 0; at < (size_t)size; at += sizeof *record + ((record->size + 7) & ~7u)) {
		record = (const void *)((const char *)bytes + at);
		take(record);
	}
}

static uint64_t trapped(uint32_t what, uint64_t detail)
{
	for (unsigned i = 0; i < trap_count; i++)
		if (traps[i].what == what && traps[i].detail == detail)
			return traps[i].count;
	return 0;
}

static void begin(uint32_t policy)
{
	uint32_t limit = LIMIT_MS;

	fd = open("/dev/efi_test", O_RDWR);
	WANT(fd >= 0);
	WANT_IS(ioctl(fd, BATON_EFI_SET_POLICY, &policy), 0);
	WANT_IS(ioctl(fd, BATON_EFI_SET_LIMIT, &limit), 0);
}

/* The service was ended; the next call of it says so without calling it. */
#define WANT_ENDED(expression, how)                       \
	do {                                              \
		WANT_IS(expression, EIO);                 \
		WANT_IS(status, EFI_STATUS_ABORTED);      \
		read_records();                           \
		WANT_IS(call.outcome, how);               \
		WANT_IS(expression, EIO);                 \
		WANT_IS(read(fd, &call, sizeof call), 0); \
	} while (0)

static int get_time(void)
{
	return efi_get_time(fd, (struct efi_get_time){&when, NULL, &status});
}

/* A page of zeros is written in the place of the kernel's memory, and nothing of that is seen. */
static void survey_write(void)
{
	begin(BATON_EFI_SURVEY);
	WANT_IS(get_time(), 0);
	WANT_IS(status, EFI_STATUS_SUCCESS);
	read_records();
	WANT_IS(call.outcome, EVIDENCE_RETURNED);
	WANT_IS(violations, 2);
	WANT_IS(violation.what, EVIDENCE_OUTSIDE);
	WANT_IS(violation.access, EVIDENCE_WRITE);
	WANT_IS(violation.address, WRITTEN);
	WANT(violation.ip && violation.ip < NOT_KERNEL);
}

static void survey_code(void)
{
	uint64_t size = 8;
	uint16_t name[4] = {0};
	uint8_t guid[16] = {0};
	struct efi_next_name next = {&size, name, guid, &status};

	begin(BATON_EFI_SURVEY);
	WANT_IS(efi_next_name(fd, next), 0);
	read_records();
	WANT_IS(violations, 1);
	WANT_IS(violation.what, EVIDENCE_PERMISSION);
	WANT_IS(violation.access, EVIDENCE_WRITE);
	begin(BATON_EFI_STRICT);
	WANT_ENDED(efi_next_name(fd, next), EVIDENCE_ABORTED_ACCESS);
}

static void strict_write(void)
{
	begin(BATON_EFI_STRICT);
	WANT_ENDED(get_time(), EVIDENCE_ABORTED_ACCESS);
}

static void data_executed(void)
{
	begin(BATON_EFI_SURVEY);
	WANT_ENDED(
		efi_set_time(fd, (struct efi_set_time){&when, &status}), EVIDENCE_ABORTED_ACCESS);
}

static void halted(void)
{
	begin(BATON_EFI_STRICT);
	WANT_ENDED(efi_get_wakeup(fd, (struct efi_get_wakeup){NULL, NULL, &when, &status}),
		EVIDENCE_ABORTED_TIME);
}

static void loops(void)
{
	begin(BATON_EFI_STRICT);
	WANT_ENDED(efi_set_wakeup(fd, (struct efi_set_wakeup){0, &when, &status}),
		EVIDENCE_ABORTED_TIME);
}

static void stack_smashed(void)
{
	uint32_t count;

	begin(BATON_EFI_STRICT);
	WANT_IS(efi_next_count(fd, (struct efi_next_count){&count, &status}), EIO);
	read_records();
	WANT_IS(call.outcome, EVIDENCE_ABORTED_STACK);
	WANT_IS(call.stack, 5 * 4096);
	WANT_IS(violation.what, EVIDENCE_OUTSIDE);
}

static void port_flooded(void)
{
	uint64_t maximum;
	int type;

	begin(BATON_EFI_STRICT);
	WANT_IS(efi_capsule_query(
			fd, (struct efi_capsule_query){NULL, 0, &maximum, &type, &status}),
		EIO);
	read_records();
	WANT_IS(call.outcome, EVIDENCE_ABORTED_TIME);
	WANT(trapped(EVIDENCE_TRAP_OUT, PORT) > 100);
}

static void divided(void)
{
	uint64_t a, b, c;

	begin(BATON_EFI_STRICT);
	WANT_ENDED(efi_variable_info(fd, (struct efi_variable_info){7, &a, &b, &c, &status}),
		EVIDENCE_ABORTED_EXCEPTION);
}

static void registers_lost(void)
{
	uint64_t size = 0;
	uint16_t name[] = {'x', 0};
	uint8_t guid[16] = {0};

	begin(BATON_EFI_STRICT);
	WANT_IS(efi_get_variable(
			fd, (struct efi_get_variable){name, guid, NULL, &size, NULL, &status}),
		0);
	read_records();
	WANT_IS(call.lost, EVIDENCE_LOST_RBX | EVIDENCE_LOST_RBP | EVIDENCE_LOST_RSI |
				   EVIDENCE_LOST_R12_R15 | EVIDENCE_LOST_XMM6_15 |
				   EVIDENCE_LOST_DF | EVIDENCE_LOST_IF);
	WANT_IS(trapped(EVIDENCE_TRAP_INTERRUPTS, 0), 1);
}

/* System calls and control registers: noted, and nothing comes of them. */
static void asked(void)
{
	uint16_t name[] = {'x', 0};
	uint8_t guid[16] = {0};

	begin(BATON_EFI_STRICT);
	WANT_IS(efi_set_variable(fd, (struct efi_set_variable){name, guid, 7, 1, "a", &status}), 0);
	read_records();
	WANT_IS(call.lost, 0);
	WANT_IS(trapped(EVIDENCE_TRAP_CONTROL, 0), 2);
	WANT_IS(trapped(EVIDENCE_TRAP_MSR, 0x1b), 2);
	WANT_IS(trapped(EVIDENCE_TRAP_IN, PORT), 1);
	WANT_IS(trapped(EVIDENCE_TRAP_INTERRUPTS, 1), 1);
	WANT_IS(trap_count, ALL_TRAPS);
}

/* AllocatePool's code lies in memory that was given back. */
static void called_back(void)
{
	uint64_t out;

	begin(BATON_EFI_SURVEY);
	WANT(ioctl(fd, BATON_EFI_GO_VIRTUAL, &out) && errno == EIO);
	read_records();
	WANT_IS(call.outcome, EVIDENCE_ABORTED_ACCESS);
	WANT_IS(violation.what, EVIDENCE_OUTSIDE);
	WANT_IS(violation.access, EVIDENCE_EXECUTE);
	WANT_IS(violation.address, violation.ip);
	WANT(violation.memory_type == BOOT_SERVICES_CODE ||
		violation.memory_type == BOOT_SERVICES_DATA);
	WANT(ioctl(fd, BATON_EFI_GO_VIRTUAL, &out) && errno == EIO);
}

/* No way in for who is not root. */
static void not_for_all(void)
{
	WANT_IS(setuid(NOBODY), 0);
	WANT(open("/dev/efi_test", O_RDWR) < 0 && errno == EACCES);
}

static const struct test_case cases[] = {
	CASE(not_for_all, "efi_test: only for root"),
	CASE(survey_write,
		"survey: a wild write and a read of nowhere meet zeros, and the service goes on"),
	CASE(survey_code, "survey: code is written; strict: it is ended"),
	CASE(strict_write,
		"strict: a wild write ends the call, and the service is not called again"),
	CASE(data_executed, "data is executed: the call ends"),
	CASE(halted, "cli, hlt: the call ends"),
	CASE(loops, "an endless loop: the call ends at its limit"),
	CASE(stack_smashed, "the stack is used up: the call ends at the guard page"),
	CASE(port_flooded, "a flood of a port: each is noted, the call ends at its limit"),
	CASE(divided, "a division by zero: the call ends"),
	CASE(registers_lost, "registers that are not kept are named"),
	CASE(called_back, "a boot service is called: the call ends, whatever the policy"),
	CASE(asked, "a system call and privileged instructions: noted, without effect"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
