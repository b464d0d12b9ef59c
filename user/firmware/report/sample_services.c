/* SPDX-License-Identifier: MIT */
/* The made-up firmware's runtime services: what each call gave, and its variables. */
#include "sample.h"

#include <stdlib.h>

struct sample_call *sample_call(
	struct sample *s, enum evidence_case test, enum evidence_phase phase)
{
	for (unsigned i = 0; i < s->call_count; i++)
		if (s->calls[i].call.test == (uint32_t)test && s->calls[i].phase == phase)
			return &s->calls[i];
	abort();
}

struct sample_variable *sample_variable(
	struct sample *s, const char *name, enum evidence_phase phase)
{
	for (unsigned i = 0; i < s->variable_count; i++)
		if (!strcmp(s->variables[i].name, name) && s->variables[i].phase == phase)
			return &s->variables[i];
	abort();
}

void sample_good_services(struct sample *s)
{
	(void)s;
}
