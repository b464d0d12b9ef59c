/* SPDX-License-Identifier: MIT */
/*
 * The variable services' cases. Nothing that a board needs is changed: variables of our own alone, which are gone afterwards,
 * and db, to which one signature of zeros is offered, and only where the firmware must refuse it.
 */
#include <stdlib.h>
#include <string.h>

#include "lab.h"
#include "lists.h"

#define NON_VOLATILE 1u
#define BOOT_ACCESS  2u
#define TIME_BASED   0x20u
#define APPEND       0x40u
#define OURS         (NON_VOLATILE | BOOT_ACCESS | EFI_RUNTIME_ACCESS)
#define NAMES_MAX    1024u
#define NAME_BYTES   1024u
#define DATA_MAX     (34u << 10) /* with its name it has room in what the kernel lends a call */
#define FILL_SIZE    1024u
#define FILL_MAX     4096u

static const uint16_t our_name[] = u"BatonReport", absent_name[] = u"BatonReportAbsent",
		      volatile_name[] = u"BatonReportVolatile", huge_name[] = u"BatonReportHuge",
		      odd_name[] = u"BatonReportOdd", empty_name[] = u"";
static const uint8_t our_guid[16] = {0x0b, 0x5f, 0x6e, 0x41, 0x9d, 0x3c, 0x72, 0x4d, 0xa8, 0x11,
	0x5c, 0x27, 0xe9, 0x40, 0x6b, 0x13};
static const char first[] = "Baton", other[] = "Baton was here", more[] = ", and wrote more",
		  both[] = "Baton was here, and wrote more";

static uint64_t status, size, largest; /* largest: variable that the store takes, as it says */
static uint32_t attributes;
static bool created; /* our variable, in this phase */
static uint8_t data[DATA_MAX];

static int get(const struct lab *lab, const uint16_t *name, const void *guid, size_t room)
{
	size = room;
	return efi_get_variable(lab->services,
		(struct efi_get_variable){name, guid, &attributes, &size, data, &status});
}

static int set(
	const struct lab *lab, const uint16_t *name, uint32_t with, const void *what, size_t count)
{
	return efi_set_variable(lab->services,
		(struct efi_set_variable){name, our_guid, with, count, what, &status});
}

/* What should not have been made goes again. */
static void clear(const struct lab *lab, const uint16_t *name, uint32_t with)
{
	if (status == EFI_STATUS_SUCCESS)
		set(lab, name, with, NULL, 0);
}

/* ---- Arguments ---- */

static int get_null_name(struct lab *lab, uint64_t *result)
{
	return get(lab, NULL, our_guid, sizeof data);
}

static int get_null_guid(struct lab *lab, uint64_t *result)
{
	return get(lab, absent_name, NULL, sizeof data);
}

static int get_null_size(struct lab *lab, uint64_t *result)
{
	return efi_get_variable(lab->services,
		(struct efi_get_variable){absent_name, our_guid, &attributes, NULL, data, &status});
}

static int get_absent(struct lab *lab, uint64_t *result)
{
	return get(lab, absent_name, our_guid, sizeof data);
}

static int get_small(struct lab *lab, uint64_t *result)
{
	return get(lab, our_name, our_guid, 0);
}

static int next(struct lab *lab, const uint16_t *after, bool with_size, bool with_name)
{
	uint16_t name[64] = {0};
	uint8_t guid[16];

	memcpy(guid, our_guid, sizeof guid);
	for (unsigned i = 0; after[i]; i++)
		name[i] = after[i];
	size = sizeof name;
	return efi_next_name(lab->services, (struct efi_next_name){with_size ? &size : NULL,
						    with_name ? name : NULL, guid, &status});
}

static int next_null_size(struct lab *lab, uint64_t *result)
{
	return next(lab, empty_name, false, true);
}

static int next_null_name(struct lab *lab, uint64_t *result)
{
	return next(lab, empty_name, true, false);
}

static int next_absent(struct lab *lab, uint64_t *result)
{
	return next(lab, absent_name, true, true);
}

static int set_empty_name(struct lab *lab, uint64_t *result)
{
	return set(lab, empty_name, OURS, first, sizeof first);
}

static int set_runtime_only(struct lab *lab, uint64_t *result)
{
	int error = set(lab, odd_name, EFI_RUNTIME_ACCESS, first, sizeof first);

	clear(lab, odd_name, EFI_RUNTIME_ACCESS);
	return error;
}

/* With the name it is more than the store's largest. */
static int set_huge(struct lab *lab, uint64_t *result)
{
	int error;

	memset(data, 0x5a, sizeof data);
	error = set(lab, huge_name, OURS, data, largest + 1);
	clear(lab, huge_name, OURS);
	return error;
}

static int query_null(struct lab *lab, uint64_t *result)
{
	uint64_t a, b;

	return efi_variable_info(
		lab->services, (struct efi_variable_info){OURS, NULL, &a, &b, &status});
}

/* ---- After exit ---- */

static int boot_only(struct lab *lab, uint64_t *result)
{
	const uint8_t *guid;
	const uint16_t *name = lab_boot_variable(lab, &guid);

	return get(lab, name, guid, sizeof data);
}

static int set_volatile(struct lab *lab, uint64_t *result)
{
	uint32_t with = BOOT_ACCESS | EFI_RUNTIME_ACCESS;
	int error = set(lab, volatile_name, with, first, sizeof first);

	clear(lab, volatile_name, with);
	return error;
}

/* ---- A variable's life ---- */

static int read_back(struct lab *lab, const char *expected, size_t count, uint64_t *result)
{
	int error = get(lab, our_name, our_guid, sizeof data);

	*result = !error && size == count && !memcmp(data, expected, count) && attributes == OURS;
	return error;
}

static int create(struct lab *lab, uint64_t *result)
{
	return set(lab, our_name, OURS, first, sizeof first - 1);
}

static int read_created(struct lab *lab, uint64_t *result)
{
	return read_back(lab, first, sizeof first - 1, result);
}

static int replace(struct lab *lab, uint64_t *result)
{
	return set(lab, our_name, OURS, other, sizeof other - 1);
}

static int read_replaced(struct lab *lab, uint64_t *result)
{
	return read_back(lab, other, sizeof other - 1, result);
}

static int append(struct lab *lab, uint64_t *result)
{
	return set(lab, our_name, OURS | APPEND, more, sizeof more - 1);
}

static int read_both(struct lab *lab, uint64_t *result)
{
	return read_back(lab, both, sizeof both - 1, result);
}

static int mismatch(struct lab *lab, uint64_t *result)
{
	return set(lab, our_name, NON_VOLATILE | BOOT_ACCESS, first, sizeof first - 1);
}

static int delete (struct lab *lab, uint64_t *result)
{
	return set(lab, our_name, OURS, NULL, 0);
}

static int read_deleted(struct lab *lab, uint64_t *result)
{
	return get(lab, our_name, our_guid, sizeof data);
}

/* ---- Secure Boot ---- */

/* A list of one SHA-256 of zeros, for db, with nobody's signature: without the header that a signed write begins with. */
static int unsigned_db(struct lab *lab, uint64_t *result)
{
	static const uint8_t type[16] = {0x26, 0x16, 0xc4, 0xc1, 0x4c, 0x50, 0x92, 0x40, 0xac, 0xa9,
		0x41, 0xf9, 0x36, 0x93, 0x43, 0x28}; /* EFI_CERT_SHA256_GUID */
	uint8_t list[28 + 48] = {0};

	memcpy(list, type, sizeof type);
	list[16] = sizeof list;
	list[24] = 48;
	return efi_set_variable(
		lab->services, (struct efi_set_variable){u"db", guid_security,
				       OURS | TIME_BASED | APPEND, sizeof list, list, &status});
}

/* ---- Which apply ---- */

static bool always(struct lab *lab)
{
	return true;
}

static bool has_boot_variable(struct lab *lab)
{
	const uint8_t *guid;

	return lab_boot_variable(lab, &guid);
}

static bool is_created(struct lab *lab)
{
	return created;
}

static bool has_room_for_huge(struct lab *lab)
{
	return largest && largest < sizeof data;
}

/* The firmware is in user mode: a platform key is enrolled. */
static bool is_in_user_mode(struct lab *lab)
{
	int error;

	call_begin(lab, EVIDENCE_CASE_PLAIN, EVIDENCE_GET_VARIABLE);
	error = get(lab, u"SetupMode", guid_global, 1);
	call_end(lab, error, 0);
	return !error && size == 1 && data[0] == 0;
}

/* In this order: the life's each rest on those before. */
static const struct trial {
	enum evidence_case test;
	enum evidence_service service;
	int (*make)(struct lab *lab, uint64_t *result);
	bool (*applies)(struct lab *lab);
} trials[] = {
#define TRY(name, service, function, applies)                                          \
	{                                                                              \
		EVIDENCE_CASE_##name, EVIDENCE_##service##_VARIABLE, function, applies \
	}
	TRY(GET_NULL_NAME, GET, get_null_name, always),
	TRY(GET_NULL_GUID, GET, get_null_guid, always),
	TRY(GET_NULL_SIZE, GET, get_null_size, always),
	TRY(GET_ABSENT, GET, get_absent, always),
	{EVIDENCE_CASE_NEXT_NULL_SIZE, EVIDENCE_GET_NEXT_VARIABLE_NAME, next_null_size, always},
	{EVIDENCE_CASE_NEXT_NULL_NAME, EVIDENCE_GET_NEXT_VARIABLE_NAME, next_null_name, always},
	{EVIDENCE_CASE_NEXT_ABSENT, EVIDENCE_GET_NEXT_VARIABLE_NAME, next_absent, always},
	{EVIDENCE_CASE_QUERY_NULL, EVIDENCE_QUERY_VARIABLE_INFO, query_null, always},
	TRY(SET_EMPTY_NAME, SET, set_empty_name, always),
	TRY(SET_RUNTIME_ONLY, SET, set_runtime_only, always),
	TRY(SET_HUGE, SET, set_huge, has_room_for_huge),
	TRY(BOOT_ONLY, GET, boot_only, has_boot_variable),
	TRY(SET_VOLATILE, SET, set_volatile, always),
	TRY(CREATE, SET, create, always),
	TRY(READ_CREATED, GET, read_created, is_created),
	TRY(GET_SMALL, GET, get_small, is_created),
	TRY(REPLACE, SET, replace, is_created),
	TRY(READ_REPLACED, GET, read_replaced, is_created),
	TRY(APPEND, SET, append, is_created),
	TRY(READ_APPENDED, GET, read_both, is_created),
	TRY(MISMATCH, SET, mismatch, is_created),
	TRY(READ_UNCHANGED, GET, read_both, is_created),
	TRY(DELETE, SET, delete, is_created),
	TRY(READ_DELETED, GET, read_deleted, is_created),
	TRY(UNSIGNED_DB, SET, unsigned_db, is_in_user_mode),
};

/* ---- Ordinary calls ---- */

static void ask_store(struct lab *lab, uint32_t written)
{
	struct evidence_store_info info = {.attributes = OURS, .written = written};
	int error;

	call_begin(lab, EVIDENCE_CASE_PLAIN, EVIDENCE_QUERY_VARIABLE_INFO);
	error = efi_variable_info(lab->services, (struct efi_variable_info){OURS, &info.maximum,
							 &info.remaining, &info.largest, &status});
	call_end(lab, error, 0);
	if (error && error != EINVAL)
		return;
	info.status = status;
	largest = error ? 0 : info.largest;
	if (lab->store_count < LAB_ANSWERS_MAX)
		lab->stores[lab->store_count++] = info;
}

static void enumerate(struct lab *lab)
{
	struct evidence_enumeration end = {.limit = NAMES_MAX};
	static uint16_t name[NAME_BYTES / 2];
	uint8_t guid[16] = {0};
	int error;

	name[0] = 0;
	do {
		call_begin(lab, EVIDENCE_CASE_PLAIN, EVIDENCE_GET_NEXT_VARIABLE_NAME);
		size = sizeof name;
		error = efi_next_name(
			lab->services, (struct efi_next_name){&size, name, guid, &status});
		call_end(lab, error, 0);
		end.names += !error;
	} while (!error && end.names < NAMES_MAX);
	if (error && error != EINVAL)
		return;
	end.status = status;
	lab_add(lab, EVIDENCE_ENUMERATION, 0, &end, sizeof end, NULL, 0);
}

void call_variables(struct lab *lab)
{
	created = false;
	ask_store(lab, 0);
	enumerate(lab);
	for (unsigned i = 0; i < sizeof trials / sizeof *trials; i++) {
		const struct trial *trial = &trials[i];
		uint64_t result = 0;
		int error;

		if (!trial->applies(lab))
			continue;
		call_begin(lab, trial->test, trial->service);
		error = trial->make(lab, &result);
		call_end(lab, error, result);
		if (trial->test == EVIDENCE_CASE_CREATE)
			created = !error;
		if (trial->test == EVIDENCE_CASE_READ_UNCHANGED)
			ask_store(lab, sizeof first + sizeof both);
	}
}

/* ---- The store filled ---- */

static void fill_name(uint16_t *name, unsigned number)
{
	char text[16];
	int length = snprintf(text, sizeof text, "BatonFill%04u", number);

	for (int i = 0; i <= length; i++)
		name[i] = (uint8_t)text[i];
}

void fill_store(struct lab *lab)
{
	struct evidence_store_fill fill = {0};
	uint16_t name[16];
	int error;

	memset(data, 0x5a, FILL_SIZE);
	do {
		fill_name(name, (unsigned)fill.writes);
		call_begin(lab, EVIDENCE_CASE_PLAIN, EVIDENCE_SET_VARIABLE);
		error = set(lab, name, OURS, data, FILL_SIZE);
		call_end(lab, error, 0);
		fill.writes += !error;
	} while (!error && fill.writes < FILL_MAX);
	fill.written = fill.writes * FILL_SIZE;
	fill.full_status = status;
	for (unsigned i = 0; i < fill.writes; i++) {
		fill_name(name, i);
		set(lab, name, OURS, NULL, 0);
	}
	set(lab, our_name, OURS, first, sizeof first);
	fill.after_delete_status = status;
	clear(lab, our_name, OURS);
	if (!error || error == EINVAL)
		lab_add(lab, EVIDENCE_STORE_FILL, 0, &fill, sizeof fill, NULL, 0);
}
