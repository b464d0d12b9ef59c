/* SPDX-License-Identifier: MIT */
/* Calls of the runtime services with chosen arguments, and what they must give. */
#ifndef REPORT_CASES_H
#define REPORT_CASES_H

#include "bytes.h"
#include "report.h"

#define ANY_ERROR UINT64_MAX /* as a status: whichever error */

struct expected_case {
	enum evidence_case test;
	uint64_t status, or_status; /* either; the second may be the first */
	bool result;                /* and result is 1 */
};

#define SERVICE(name) (1u << EVIDENCE_##name)

const char *case_text(uint32_t test);
/* An answer that is none: the service says that it is not there after exit, as RT_PROPERTIES does. */
bool says_unsupported(const struct evidence *e, enum evidence_service service, uint64_t status);
/*
 * Each call of these cases from phase `first` on gave what it must; calls of services that RT_PROPERTIES says are not
 * there after exit are passed over. Skips the check where none was tried.
 */
void expect_cases(struct judgement *j, const struct expected_case *cases, unsigned count,
	enum evidence_phase first);

#endif
