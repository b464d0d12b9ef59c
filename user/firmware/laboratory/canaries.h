/* SPDX-License-Identifier: MIT */
/* Memory that nobody may change, filled and looked at. See canaries.c. */
#ifndef USER_FIRMWARE_CANARIES_H
#define USER_FIRMWARE_CANARIES_H

#include <baton/evidence.h>

#define CANARY_PAGE   4096u
#define CANARY_SAMPLE 64u /* one page in so many after each call, and all next to runtime memory */
#define CANARY_BROKEN 64u /* so many changes are told */
#define CANARY_RUNS   1024u

struct canaries {
	uint64_t (*memory)[CANARY_PAGE / sizeof(uint64_t)]; /* the pages */
	uint64_t *phys;                                     /* where each lies */
	uint8_t *near;                                      /* 1: next to runtime memory */
	size_t count, turn;
	bool thorough; /* all pages after each call */
	unsigned broken_count;
	struct evidence_canary broken[CANARY_BROKEN];
};

/* Fills the pages; their places and neighbours are known. */
void canaries_fill(struct canaries *c);
/* After a call of `service`: the neighbours, and a sample. */
void canaries_look(struct canaries *c, uint32_t service);
/* Every page. */
void canaries_look_at_all(struct canaries *c, uint32_t service);
/* What was watched and what of it changed: at most CANARY_RUNS + CANARY_BROKEN elements; how many. Sorts the places: nothing
 * is looked at afterwards. */
size_t canaries_tell(struct canaries *c, struct evidence_canary *out);

#endif
