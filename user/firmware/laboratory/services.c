/* SPDX-License-Identifier: MIT */
/*
 * The cases of time, monotonic count and capsules; SetVirtualAddressMap; what ResetSystem would do. A clock or an alarm that
 * a firmware sets although it must not is set back.
 */
#include <string.h>
#include <unistd.h>

#include "lab.h"

#define CAPSULE_HEADER          28u
#define CAPSULE_POPULATES_TABLE 0x20000u /* without CAPSULE_FLAGS_PERSIST_ACROSS_RESET */

static uint64_t status;
static struct efi_time now;

/* ---- Time ---- */

static void tell_time(struct lab *lab)
{
	struct evidence_time time;
	uint8_t capabilities[12];
	int error;

	call_begin(lab, EVIDENCE_CASE_PLAIN, EVIDENCE_GET_TIME);
	memset(&now, 0, sizeof now);
	time.tsc = lab_ticks();
	error = efi_get_time(lab->services, (struct efi_get_time){&now, capabilities, &status});
	call_end(lab, error, 0);
	if ((error && error != EINVAL) || lab->time_count == LAB_ANSWERS_MAX)
		return;
	time = (struct evidence_time){status, time.tsc, now.year, now.month, now.day, now.hour,
		now.minute, now.second, 0, now.nanosecond, now.zone, now.daylight, 0};
	lab->times[lab->time_count++] = time;
}

static int time_null(struct lab *lab)
{
	return efi_get_time(lab->services, (struct efi_get_time){NULL, NULL, &status});
}

/* With a field that is wrong; where the firmware takes it, the time that it was comes back. */
static int set_time(struct lab *lab, struct efi_time bad)
{
	int error = efi_set_time(lab->services, (struct efi_set_time){&bad, &status});
	uint64_t unused;

	if (!error)
		efi_set_time(lab->services, (struct efi_set_time){&now, &unused});
	return error;
}

static int set_time_month(struct lab *lab)
{
	struct efi_time bad = now;

	bad.month = 13;
	return set_time(lab, bad);
}

static int set_time_day(struct lab *lab)
{
	struct efi_time bad = now;

	bad.month = 2;
	bad.day = 30;
	return set_time(lab, bad);
}

static int set_time_hour(struct lab *lab)
{
	struct efi_time bad = now;

	bad.hour = 24;
	return set_time(lab, bad);
}

static int set_time_zone(struct lab *lab)
{
	struct efi_time bad = now;

	bad.zone = 1441;
	return set_time(lab, bad);
}

static int set_wakeup(struct lab *lab, const struct efi_time *when)
{
	int error = efi_set_wakeup(lab->services, (struct efi_set_wakeup){1, when, &status});
	uint64_t unused;

	if (!error)
		efi_set_wakeup(lab->services, (struct efi_set_wakeup){0, NULL, &unused});
	return error;
}

static int wakeup_null(struct lab *lab)
{
	return set_wakeup(lab, NULL);
}

static int wakeup_month(struct lab *lab)
{
	struct efi_time bad = now;

	bad.month = 13;
	return set_wakeup(lab, &bad);
}

static int get_wakeup(struct lab *lab)
{
	struct efi_time when;
	uint8_t enabled, pending;

	return efi_get_wakeup(
		lab->services, (struct efi_get_wakeup){&enabled, &pending, &when, &status});
}

/* ---- Count and capsules ---- */

static int count_null(struct lab *lab)
{
	return efi_next_count(lab->services, (struct efi_next_count){NULL, &status});
}

static int capsule_none(struct lab *lab)
{
	return efi_ioctl_(lab->services, BATON_EFI_NO_CAPSULE, &status);
}

static int query(struct lab *lab, void *headers, uint64_t count)
{
	uint64_t maximum;
	int type;

	return efi_capsule_query(lab->services,
		(struct efi_capsule_query){headers, count, &maximum, &type, &status});
}

static int capsule_query_none(struct lab *lab)
{
	return query(lab, NULL, 0);
}

static int capsule_query_flags(struct lab *lab)
{
	uint32_t header[CAPSULE_HEADER / sizeof(uint32_t)] = {0x4241544f, 0x4e434150, 0x53554c45, 1,
		CAPSULE_HEADER, CAPSULE_POPULATES_TABLE, CAPSULE_HEADER};
	void *headers[] = {header};

	return query(lab, headers, 1);
}

static const struct trial {
	enum evidence_case test;
	enum evidence_service service;
	int (*make)(struct lab *lab);
} trials[] = {{EVIDENCE_CASE_PLAIN, EVIDENCE_GET_WAKEUP_TIME, get_wakeup},
#define X(name, function, service) {EVIDENCE_CASE_##name, EVIDENCE_##service, function},
	X(TIME_NULL, time_null, GET_TIME) X(SET_TIME_MONTH, set_time_month, SET_TIME) X(
		SET_TIME_DAY, set_time_day, SET_TIME) X(SET_TIME_HOUR, set_time_hour,
		SET_TIME) X(SET_TIME_ZONE, set_time_zone, SET_TIME) X(WAKEUP_NULL, wakeup_null,
		SET_WAKEUP_TIME) X(WAKEUP_MONTH, wakeup_month, SET_WAKEUP_TIME) X(COUNT_NULL,
		count_null,
		GET_NEXT_HIGH_MONOTONIC_COUNT) X(CAPSULE_NONE, capsule_none, UPDATE_CAPSULE)
		X(CAPSULE_QUERY_NONE, capsule_query_none, QUERY_CAPSULE_CAPABILITIES)
			X(CAPSULE_QUERY_FLAGS, capsule_query_flags, QUERY_CAPSULE_CAPABILITIES)
#undef X
};

static void count_up(struct lab *lab)
{
	struct evidence_count counts[2];
	unsigned made = 0;

	for (unsigned i = 0; i < 2; i++) {
		uint32_t count = 0;
		int error;

		call_begin(lab, EVIDENCE_CASE_PLAIN, EVIDENCE_GET_NEXT_HIGH_MONOTONIC_COUNT);
		error = efi_next_count(lab->services, (struct efi_next_count){&count, &status});
		call_end(lab, error, 0);
		if (!error || error == EINVAL)
			counts[made++] = (struct evidence_count){status, count};
	}
	if (made)
		lab_add(lab, EVIDENCE_MONOTONIC, 0, NULL, 0, counts, made * sizeof counts[0]);
}

/* ---- The phases ---- */

static void keep_table(struct lab *lab)
{
	struct baton_efi_table table;
	struct evidence_blob blob;

	if (efi_ioctl_(lab->services, BATON_EFI_RUNTIME_TABLE, &table))
		return;
	blob.address = table.address;
	lab_add(lab, EVIDENCE_TABLE, EVIDENCE_RUNTIME_TABLE, &blob, sizeof blob, table.bytes,
		table.size);
}

static void call_phase(struct lab *lab)
{
	keep_table(lab);
	tell_time(lab);
	for (unsigned i = 0; i < sizeof trials / sizeof *trials; i++) {
		call_begin(lab, trials[i].test, trials[i].service);
		call_end(lab, trials[i].make(lab), 0);
	}
	count_up(lab);
	call_variables(lab);
	tell_time(lab);
}

/* EINVAL where the firmware refused, as the other calls have it. */
static int map(struct lab *lab, enum evidence_case test, unsigned long command)
{
	int error;

	call_begin(lab, test, EVIDENCE_SET_VIRTUAL_ADDRESS_MAP);
	error = efi_ioctl_(lab->services, command, &status);
	if (!error && status != EFI_STATUS_SUCCESS)
		error = EINVAL;
	call_end(lab, error, 0);
	return error;
}

static void show_resets(struct lab *lab)
{
	struct evidence_reset seen[3];
	unsigned count = 0;

	for (uint32_t type = 0; type < 3; type++) {
		struct baton_efi_reset reset = {.type = type};

		fprintf(lab->announce, "# ResetSystem of type %u, up to its last step\n", type);
		fflush(lab->announce);
		if (!efi_ioctl_(lab->services, BATON_EFI_SHOW_RESET, &reset))
			seen[count++] =
				(struct evidence_reset){type, reset.taken, reset.port, reset.value};
	}
	if (count == 3)
		lab_add(lab, EVIDENCE_RESETS, 0, NULL, 0, seen, sizeof seen);
}

void call_services(struct lab *lab)
{
	uint32_t survey = BATON_EFI_SURVEY;

	if (lab->services < 0)
		return;
	efi_ioctl_(lab->services, BATON_EFI_SET_POLICY, &survey);
	watch_begin(lab);
	lab->phase = EVIDENCE_PHYSICAL;
	call_phase(lab);
	if (map(lab, EVIDENCE_CASE_FIRST_MAP, BATON_EFI_GO_VIRTUAL) == 0) {
		lab->phase = EVIDENCE_VIRTUAL;
		call_phase(lab);
		map(lab, EVIDENCE_CASE_SECOND_MAP, BATON_EFI_MAP_AGAIN);
	}
	if (lab->dangerous) /* last: a firmware may not make room again before the next boot */
		fill_store(lab);
	show_resets(lab);
	watch_end(lab);
}
