/* SPDX-License-Identifier: MIT */
#include "cases.h"

static const char *phase_text(unsigned phase)
{
	return phase == EVIDENCE_PHYSICAL  ? "after exit"
	       : phase == EVIDENCE_VIRTUAL ? "virtual"
					   : "before exit";
}

const char *case_text(uint32_t test)
{
	switch (test) {
#define X(name, number, service, text) \
	case number:                   \
		return text;
		EVIDENCE_CASES(X)
#undef X
	default:
		return "an ordinary call";
	}
}

bool says_unsupported(const struct evidence *e, enum evidence_service service, uint64_t status)
{
	const struct evidence_record *properties =
		evidence_of(e, EVIDENCE_RT_PROPERTIES, EVIDENCE_ANY_PHASE, NULL);

	return status == EFI_UNSUPPORTED && properties &&
	       !(le32(span_of(properties), 4) >> service & 1);
}

static bool is_supported(const struct evidence *e, const struct evidence_record *record)
{
	const struct evidence_record *properties =
		evidence_of(e, EVIDENCE_RT_PROPERTIES, EVIDENCE_ANY_PHASE, NULL);
	const struct evidence_call *call = evidence_head(record);

	return record->phase < EVIDENCE_PHYSICAL || !properties ||
	       call->service >= EVIDENCE_SERVICES ||
	       le32(span_of(properties), 4) >> call->service & 1;
}

static bool is_expected(const struct expected_case *expected, const struct evidence_call *call)
{
	if (expected->status == ANY_ERROR)
		return EFI_IS_ERROR(call->status);
	return (call->status == expected->status || call->status == expected->or_status) &&
	       (!expected->result || call->result == 1);
}

void expect_cases(struct judgement *j, const struct expected_case *cases, unsigned count,
	enum evidence_phase first)
{
	const struct evidence_record *record = NULL;
	unsigned tried = 0;

	while ((record = evidence_of(j->evidence, EVIDENCE_CALL, EVIDENCE_ANY_PHASE, record))) {
		const struct evidence_call *call = evidence_head(record);

		if (record->phase < first || !is_supported(j->evidence, record))
			continue;
		for (unsigned i = 0; i < count; i++) {
			if ((uint32_t)cases[i].test != call->test)
				continue;
			tried++;
			if (!is_expected(&cases[i], call))
				wrong(j, "%s, %s: %s%s", case_text(call->test),
					phase_text(record->phase), status_text(call->status).text,
					cases[i].result && call->result != 1 ? ", other data" : "");
		}
	}
	if (!tried)
		skip(j, "not tried");
}
