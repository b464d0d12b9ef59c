/* SPDX-License-Identifier: MIT */
/* One look at the machine's memory: every page frame, and what each process maps. See look.c. */
#ifndef MEMVIEW_LOOK_H
#define MEMVIEW_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PAGE_SIZE 4096ul
#define NOBODY    (-1)

/* Words of /proc/PID/pagemap. */
#define PAGEMAP_FRAME(word) ((word) & ((UINT64_C(1) << 55) - 1))
#define PAGEMAP_FILE        (UINT64_C(1) << 61)
#define PAGEMAP_PRESENT     (UINT64_C(1) << 63)

/* What a page frame is, as it is shown. */
enum frame_class {
	CLASS_HOLE, /* no RAM */
	CLASS_FREE,
	CLASS_RESERVED,
	CLASS_FIRMWARE,
	CLASS_IMAGE,
	CLASS_KERNEL,
	CLASS_SLAB,
	CLASS_HEAP,
	CLASS_STACK,
	CLASS_ARRAY,
	CLASS_TABLE,
	CLASS_INITRD,
	CLASS_CACHE,  /* a file's, mapped by nobody */
	CLASS_FILE,   /* a file's or shared memory, mapped by one process */
	CLASS_OWN,    /* a process's alone */
	CLASS_SHARED, /* a file's or shared memory, mapped by several, or several times */
	CLASS_COPY,   /* private, in several processes: copied when one writes */
	CLASS_ZERO,   /* the page of zeroes */
	CLASS_LEAKED, /* private, and in no process's page tables */
	CLASSES,
};

struct class_look {
	const char *name; /* in JSON */
	const char *title;
	char letter;         /* 0: the owner's */
	uint32_t ink, paper; /* 0xRRGGBB */
};
extern const struct class_look class_looks[CLASSES];

struct area { /* a mapping */
	uint64_t start, end;
	char access[5];
	char name[48];
	size_t first, count; /* its pages that are present: in the process's list */
};

struct mapped_page {
	uint64_t address, word; /* its word in pagemap */
};

struct process {
	pid_t pid;
	char name[17];
	unsigned slot; /* its letter and colour */
	struct area *areas;
	size_t area_count;
	struct mapped_page *pages; /* present ones, by address */
	size_t page_count;
	bool partial; /* one of its mappings was too large to be looked at */
	bool watched; /* one goes through these: the demo's, or all but memview */
};

struct look {
	uint64_t *words; /* of baton/frames.h */
	size_t frame_count;
	size_t first_frame; /* the lowest that is RAM */
	struct process *processes;
	size_t process_count;
	/* of each frame: */
	uint8_t *classes;  /* enum frame_class */
	int16_t *owners;   /* index of the one process that has it, else NOBODY */
	uint16_t *mappers; /* entries that lead to it */
	uint8_t *orphaned; /* in how many looks running it seemed leaked */
	uint8_t *reached;  /* whether the process of look_reach() can touch it */
	size_t counts[CLASSES];
};

/* A look at everything; the arrays of the one before are used again. 0, or -1 with errno and a message. */
int look_take(struct look *look);
void look_free(struct look *look);
/* The class of every frame from its word and from what the processes map. Pure. */
void look_classify(struct look *look);
/* The pages that map a frame: the next process and page from *process, *page on. False: no more. */
bool look_mapper(const struct look *look, uint64_t frame, size_t *process, size_t *page);
const struct process *look_process(const struct look *look, pid_t pid); /* NULL: none */
/* Notes which frames a process can touch; how many. Pure. */
size_t look_reach(struct look *look, pid_t pid);
/* A mapping's name at its shortest: the file without its folders. */
const char *area_name(const struct area *area);

/* Letters and colours of processes: a number that a process keeps as long as it lives. */
#define SLOTS 35u
char slot_letter(unsigned slot);
uint32_t slot_colour(unsigned slot);

#endif
