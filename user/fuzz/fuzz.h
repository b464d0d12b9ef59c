/* SPDX-License-Identifier: MIT */
/*
 * The system-call fuzzer.
 *
 *	fuzz --calls N [--seed S] [--from N]
 *
 * The problem. A call may be made with anything in its registers and in the memory they lead to, by several
 * threads at once; the kernel must answer with a result or an errno, touch no byte that the call does not
 * name, and lose nothing. Purely random words mostly earn EFAULT and EBADF.
 *
 * The design. The grammar is the kernel's own specification (kernel/syscall/table_*.h, kinds.h): each argument has
 * a kind, and each kind a generator (values.c for numbers, memory.c for what is pointed to, content.c for what
 * stands there), which mostly gives what makes sense and sometimes what does not. The calls are made in epochs of
 * EPOCH_CALLS. Each epoch has a tmpfs, some workers with one or two threads, of users without rights or with some
 * of root's (never those with which a worker could end the machine or the supervisor), and ends with the whole of
 * it taken down and the kernel's own audit (/proc/baton/audit). What an epoch does follows from the seed and
 * its number alone: so any epoch can be had again, and a run goes on where another one stopped.
 *
 * Call i of a stream (a thread of a worker) is a function of (seed, epoch, stream, i). A worker that dies of
 * its calls, which is no failure, is started anew at the next call; one that blocks gets a signal, then SIGKILL.
 * The supervisor shares no memory with the workers but a page on which they write how far they are.
 *
 * At every call: the result is a result or an errno that user space may see, the registers are kept, memory that
 * is only read is not written, nothing is written beside what is.
 */
#ifndef USER_FUZZ_H
#define USER_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "syscall/kinds.h"

#define COUNT(a)           (sizeof(a) / sizeof((a)[0]))
#define FUTEX_WAITV_NUMBER 449 /* which musl does not know */
#define PAGE               4096ul
#define EPOCH_CALLS        10000u
#define STREAMS_MOST       16u
#define THREADS_MOST       2u
#define ARGUMENTS_MOST     6
#define REFRESH_CALLS      256u /* after so many a worker makes its surroundings anew */
#define LIFE_CALLS         512u /* after so many of its first thread a worker ends of its own accord */

/* ---- The grammar: calls.c ---- */

#define KIND_NAME(name, type, how, size) KIND_##name,
enum kind { SYSCALL_KINDS(KIND_NAME) KINDS };

enum how {
	HOW_NONE,
	HOW_IN,
	HOW_OUT,
	HOW_INOUT,
	HOW_REMAINING,
	HOW_PATH,
	HOW_TEXT,
	HOW_STRINGS,
	HOW_COUNT,
	HOW_DATA_IN,
	HOW_DATA_OUT,
	HOW_NEXT_IN,
	HOW_NEXT_OUT,
	HOW_LAST_IN,
	HOW_LAST_OUT,
	HOW_ARRAY_IN,
	HOW_ARRAY_OUT,
	HOW_ARRAY_INOUT,
	HOW_LAST_ARRAY_IN,
	HOW_RESULT_ARRAY_OUT,
	HOW_VECTOR_IN,
	HOW_VECTOR_OUT,
	HOW_BITS_INOUT,
	HOW_ENTRIES_OUT,
	HOW_BY_COMMAND,
};

struct kind_traits {
	const char *name;
	enum how how;
	unsigned size;
};
extern const struct kind_traits kind_traits[KINDS];

struct call {
	const char *name;
	uint16_t number;
	uint8_t count;
	uint8_t kinds[ARGUMENTS_MOST];
};

/* ---- Random numbers: splitmix64 ---- */

struct random {
	uint64_t state;
};

static inline uint64_t random_mix(uint64_t z)
{
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static inline uint64_t random_next(struct random *random)
{
	return random_mix(random->state += UINT64_C(0x9e3779b97f4a7c15));
}

static inline unsigned random_below(struct random *random, unsigned below)
{
	return (unsigned)((random_next(random) >> 32) * below >> 32);
}

static inline bool random_one_in(struct random *random, unsigned n)
{
	return random_below(random, n) == 0;
}

/* ---- One call ---- */

/* Memory that a call names: what must be there after it. */
struct guarded {
	uint8_t *start; /* NULL: not judged */
	size_t size;
	bool kept; /* the call only reads it */
	uint8_t copy[512];
};

struct request {
	const struct call *call;
	uint64_t words[ARGUMENTS_MOST];
	struct guarded guarded[ARGUMENTS_MOST];
};

/* What a worker is. */
enum rights { RIGHTS_NONE, RIGHTS_SOME };

/* A thread of a worker, with what its generators need. */
struct stream {
	struct random random;
	uint8_t *slots;  /* SLOTS of SLOT_PAGES, each with a page behind it that is not there */
	int self, child; /* pids to be used as arguments */
};

/* Fixed places in a worker's address space. The slots' are no numbers that a call writes of its own accord: a count of
 * nanoseconds, in memory that another call then takes for a vector, must not lead there. */
#define SLOT_PAGES   2ul
#define SLOTS        ARGUMENTS_MOST
#define SLOT_STRIDE  ((SLOT_PAGES + 1) * PAGE)
#define SLOTS_BASE   UINT64_C(0x5afe10000000)
#define SLOTS_STRIDE UINT64_C(0x1000000)  /* from thread to thread */
#define SCRATCH      UINT64_C(0x20000000) /* where nested pointers lead: nothing is judged there */
#define SCRATCH_SIZE (32 * PAGE)
#define READ_ONLY    UINT64_C(0x28000000)
#define MAP_AREA     UINT64_C(0x30000000) /* what mmap, munmap, ... play with */
#define MAP_SIZE     (64 * PAGE)

struct progress;
/* calls.c: a call by weight. */
const struct call *call_pick(struct random *random);
/* values.c: a number of that kind. */
uint64_t value_make(struct stream *stream, enum kind kind);
/* memory.c: everything. */
void request_make(struct stream *stream, struct request *request, const struct call *call);
/* NULL, or what is wrong with the memory after the call. */
const char *request_judge(const struct stream *stream, const struct request *request);
/* Tells of the first bytes that are no longer what they were. */
void request_tell(const struct request *request, struct progress *progress);
/* Where a pointer inside memory leads; what an ADDRESS is. */
uint64_t address_make(struct stream *stream);
uint64_t area_make(struct stream *stream);
/* content.c: fills memory that a call reads. */
void content_fill(
	struct stream *stream, const struct call *call, enum kind kind, uint8_t *at, size_t size);
size_t content_size(enum kind kind); /* of what has none in the table: a guess */
const char *content_path(struct stream *stream);
const char *content_text(struct stream *stream);

/* ---- Workers: worker.c ---- */

/* On the shared page, a stream's. */
struct progress {
	volatile uint32_t next;   /* index of the next call */
	volatile uint32_t number; /* of the call that is under way */
	volatile int tid;
	volatile bool failed;
	uint64_t words[ARGUMENTS_MOST];
	uint64_t result;
	char why[96], descriptor[64];
	/* of memory that is only read: the first bytes that differ, and where in the argument */
	uint32_t changed, changed_at; /* 0: none */
	uint8_t was[16], is[16];
};

struct epoch {
	uint64_t seed, number;
	unsigned workers, threads;
	uint32_t calls;            /* of each stream */
	struct progress *progress; /* by worker * threads + thread */
};

/* What the running process is from now on. */
void worker_run(const struct epoch *epoch, unsigned worker) __attribute__((noreturn));
/* invoke.S: words: the number and six arguments. *kept: 0, or which registers the call has changed. A thread or
 * process that the call has made by clone ends at once, without touching memory. */
long invoke(const uint64_t words[7], uint64_t *changed);
/* A thread of this process with that stack; function does not return. */
long invoke_thread(uint64_t flags, void *stack_top, void (*function)(unsigned), unsigned argument);

/* ---- The world around them: world.c ---- */

#define BASE "/tmp/fuzz" /* the epoch's tmpfs */

void world_init(const char *program);
void world_make(void);  /* mounts and fills it */
void world_clear(void); /* ends all descendants, unmounts what was mounted, removes what is left */
void world_end_all(void); /* the descendants alone */
int world_proc(void);     /* /proc, wherever it is mounted */
/* strays.c: what files there are, before the first epoch; removes those that have come since. */
void strays_init(void);
void strays_remove(void);
/* The kernel's audit, after that epoch; false: there is none. settling: what is in use now is what may be from now on. */
bool world_audit(uint64_t epoch, bool settling);
void world_fail(const char *what) __attribute__((noreturn));

#endif
