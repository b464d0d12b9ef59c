/* SPDX-License-Identifier: MIT */
#include "sample.h"

static void thirtieth_of_february(struct sample *s)
{
	s->times[0].day = 30;
}

static void zone(struct sample *s)
{
	s->times[1].zone = 1441;
}

static void stands_still(struct sample *s)
{
	s->times[1] = s->times[0];
	s->times[1].tsc += 30000000000;
}

static void runs_ahead(struct sample *s)
{
	s->times[1].minute = 1;
}

static void no_time(struct sample *s)
{
	s->times[1].status = EFI_UNSUPPORTED;
}

static void give(struct sample *s, enum evidence_case test, uint64_t status)
{
	sample_call(s, test, EVIDENCE_PHYSICAL)->call.status = status;
}

static void month_13(struct sample *s)
{
	give(s, EVIDENCE_CASE_SET_TIME_MONTH, EFI_SUCCESS);
}

static void wakeup_month_13(struct sample *s)
{
	give(s, EVIDENCE_CASE_WAKEUP_MONTH, EFI_SUCCESS);
}

static void count_stays(struct sample *s)
{
	s->counts[1] = s->counts[0];
}

static void count_starts_again(struct sample *s)
{
	s->counts[2].count = 100;
}

static void count_fails(struct sample *s)
{
	s->counts[1].status = EFI_UNSUPPORTED;
}

static void count_not_there(struct sample *s)
{
	put(&s->rt_properties, 4, 4, 0x3fff & ~(1u << EVIDENCE_GET_NEXT_HIGH_MONOTONIC_COUNT));
	for (unsigned i = 0; i < 3; i++)
		s->counts[i].status = EFI_UNSUPPORTED;
	give(s, EVIDENCE_CASE_COUNT_NULL, EFI_UNSUPPORTED);
	sample_call(s, EVIDENCE_CASE_COUNT_NULL, EVIDENCE_VIRTUAL)->call.status = EFI_UNSUPPORTED;
}

static void capsule_of_nothing(struct sample *s)
{
	give(s, EVIDENCE_CASE_CAPSULE_NONE, EFI_SUCCESS);
}

static void no_warm_reset(struct sample *s)
{
	s->resets[1].tried = 0;
}

static void shutdown_not_seen(struct sample *s)
{
	s->resets[2].type = 3;
}

static void map_twice(struct sample *s)
{
	sample_call(s, EVIDENCE_CASE_SECOND_MAP, EVIDENCE_VIRTUAL)->call.status = EFI_SUCCESS;
}

static void not_moved(struct sample *s)
{
	put(&s->runtime_virtual, service_offset(EVIDENCE_SET_TIME), 8,
		0x7321000 + 64 * EVIDENCE_SET_TIME);
	seal_table(&s->runtime_virtual);
}

static void crc_not_mended(struct sample *s)
{
	put(&s->runtime_virtual, 16, 4, 0x12345678);
}

static void map_aborted(struct sample *s)
{
	sample_call(s, EVIDENCE_CASE_FIRST_MAP, EVIDENCE_PHYSICAL)->call.outcome =
		EVIDENCE_ABORTED_EXCEPTION;
}

/* What was to come behind it did not. */
static void end_with_map(struct sample *s)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < s->call_count; i++)
		if (s->calls[i].phase != EVIDENCE_VIRTUAL)
			s->calls[kept++] = s->calls[i];
	s->call_count = kept;
	s->runtime_virtual.size = 0;
}

static void map_ends_all(struct sample *s)
{
	map_aborted(s);
	end_with_map(s);
}

static void map_refused(struct sample *s)
{
	give(s, EVIDENCE_CASE_FIRST_MAP, EFI_UNSUPPORTED);
	end_with_map(s);
}

#define ONE(check, verdict)            \
	{                              \
		{                      \
			check, verdict \
		}                      \
	}

static const struct fault faults[] = {
	{"30 February", thirtieth_of_february, ONE("time.get", VERDICT_FAIL)},
	{"a time zone of 1441", zone, ONE("time.get", VERDICT_FAIL)},
	{"the clock stands still", stands_still, ONE("time.get", VERDICT_FAIL)},
	{"the clock runs ahead", runs_ahead, ONE("time.get", VERDICT_FAIL)},
	{"GetTime fails", no_time, ONE("time.get", VERDICT_FAIL)},
	{"SetTime takes month 13", month_13, ONE("time.bad-fields", VERDICT_FAIL)},
	{"SetWakeupTime takes month 13", wakeup_month_13, ONE("time.bad-fields", VERDICT_FAIL)},
	{"the count stays", count_stays, ONE("services.monotonic", VERDICT_FAIL)},
	{"the count starts again", count_starts_again, ONE("services.monotonic", VERDICT_FAIL)},
	{"no count, as RT properties say", count_not_there,
		ONE("services.monotonic", VERDICT_SKIP)},
	{"the count fails", count_fails, ONE("services.monotonic", VERDICT_FAIL)},
	{"a capsule update of nothing", capsule_of_nothing, ONE("services.capsule", VERDICT_FAIL)},
	{"a warm reset does nothing", no_warm_reset, ONE("services.reset", VERDICT_FAIL)},
	{"a shutdown was not seen", shutdown_not_seen, ONE("services.reset", VERDICT_FAIL)},
	{"SetVirtualAddressMap twice", map_twice, ONE("services.virtual-map", VERDICT_FAIL)},
	{"a pointer has not moved", not_moved, ONE("services.virtual-map", VERDICT_FAIL)},
	{"CRC32 not mended", crc_not_mended, ONE("services.virtual-map", VERDICT_FAIL)},
	{"SetVirtualAddressMap aborted", map_aborted, ONE("services.virtual-map", VERDICT_TAINTED)},
	{"SetVirtualAddressMap aborted, no calls after it", map_ends_all,
		{{"services.virtual-map", VERDICT_TAINTED},
			{"isolation.stale-pointers", VERDICT_SKIP}}},
	{"SetVirtualAddressMap refused", map_refused,
		{{"services.virtual-map", VERDICT_FAIL},
			{"isolation.stale-pointers", VERDICT_SKIP}}},
};

const struct fault_list faults_services = {faults, sizeof faults / sizeof *faults};
