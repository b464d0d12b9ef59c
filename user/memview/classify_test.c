/* SPDX-License-Identifier: MIT */
/* Whose a frame is, from words and pages that are made up: run on the host. */
#include <baton/frames.h>
#include <stdio.h>
#include <stdlib.h>

#include "look.h"

#define FRAMES 8
#define PRIVATE(mappings) \
	(BATON_FRAME_PRIVATE | (uint64_t)(mappings) << 16 | (uint64_t)(mappings) << 32)
#define PAGE_OF(frame)                                                  \
	{                                                               \
		0x400000 + (frame)*PAGE_SIZE, PAGEMAP_PRESENT | (frame) \
	}

static unsigned failures;

static void expect(const char *what, long found, long expected)
{
	if (found != expected) {
		printf("%s: found %ld, expected %ld\n", what, found, expected);
		failures++;
	}
}

static void begin(struct look *look, uint64_t *words, struct process *processes, size_t count)
{
	*look = (struct look){
		.words = words,
		.frame_count = FRAMES,
		.processes = processes,
		.process_count = count,
		.classes = calloc(FRAMES, sizeof *look->classes),
		.owners = calloc(FRAMES, sizeof *look->owners),
		.mappers = calloc(FRAMES, sizeof *look->mappers),
		.orphaned = calloc(FRAMES, sizeof *look->orphaned),
		.reached = calloc(FRAMES, sizeof *look->reached),
	};
	if (!look->classes || !look->owners || !look->mappers || !look->orphaned || !look->reached)
		abort();
}

static void end(struct look *look)
{
	free(look->classes);
	free(look->owners);
	free(look->mappers);
	free(look->orphaned);
	free(look->reached);
}

static void owners(void)
{
	struct mapped_page one[] = {
		PAGE_OF(1), PAGE_OF(2), PAGE_OF(3), PAGE_OF(5), PAGE_OF(6), PAGE_OF(99)};
	struct mapped_page two[] = {PAGE_OF(2), PAGE_OF(3), PAGE_OF(6)};
	struct process processes[] = {{.pid = 7, .pages = one, .page_count = 6},
		{.pid = 8, .pages = two, .page_count = 3}};
	uint64_t words[FRAMES] = {BATON_FRAME_HOLE, PRIVATE(1), PRIVATE(2), BATON_FRAME_FILE,
		BATON_FRAME_FILE, BATON_FRAME_FILE, BATON_FRAME_KERNEL | BATON_FRAME_ZERO, 0xee};
	static const uint8_t classes[FRAMES] = {CLASS_HOLE, CLASS_OWN, CLASS_COPY, CLASS_SHARED,
		CLASS_CACHE, CLASS_FILE, CLASS_ZERO, CLASS_KERNEL};
	static const int16_t expected[FRAMES] = {
		NOBODY, 0, NOBODY, NOBODY, NOBODY, 0, NOBODY, NOBODY};
	size_t process = 0, page = 0;
	struct look look;

	begin(&look, words, processes, 2);
	look_classify(&look);
	for (int i = 0; i < FRAMES; i++) {
		expect("class", look.classes[i], classes[i]);
		expect("owner", look.owners[i], expected[i]);
	}
	expect("first frame of RAM", (long)look.first_frame, 1);
	expect("holes", (long)look.counts[CLASS_HOLE], 1);
	expect("a mapper", look_mapper(&look, 3, &process, &page), true);
	expect("it is", (long)(process * 10 + page), 2);
	page++;
	expect("another", look_mapper(&look, 3, &process, &page), true);
	expect("it is", (long)(process * 10 + page), 11);
	page++;
	expect("no third", look_mapper(&look, 3, &process, &page), false);
	expect("pages that the first can touch", (long)look_reach(&look, 7), 5);
	expect("pages that the second can touch", (long)look_reach(&look, 8), 3);
	for (int i = 0; i < FRAMES; i++)
		expect("touched", look.reached[i], i == 2 || i == 3 || i == 6);
	expect("pages that nobody can touch", (long)look_reach(&look, 9), 0);
	expect("not any more", look.reached[2], 0);
	end(&look);
}

/* A private page that nobody maps is leaked, if that lasts; not where somebody was not seen as a whole. */
static void leaks(void)
{
	struct process process = {.pid = 7};
	struct mapped_page page = PAGE_OF(1);
	uint64_t words[FRAMES] = {0, PRIVATE(1)};
	struct look look;

	begin(&look, words, &process, 1);
	look_classify(&look);
	expect("not at once", look.classes[1], CLASS_OWN);
	look_classify(&look);
	look_classify(&look);
	expect("in the end", look.classes[1], CLASS_LEAKED);
	expect("counted", (long)look.counts[CLASS_LEAKED], 1);
	process.pages = &page;
	process.page_count = 1;
	look_classify(&look);
	expect("found again", look.classes[1], CLASS_OWN);
	process.page_count = 0;
	process.partial = true;
	for (int i = 0; i < 10; i++)
		look_classify(&look);
	expect("perhaps in what was not looked at", look.classes[1], CLASS_OWN);
	end(&look);
}

int main(void)
{
	owners();
	leaks();
	printf("%u failures\n", failures);
	return failures != 0;
}
