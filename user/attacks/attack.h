/* SPDX-License-Identifier: MIT */
/*
 * Eve's report card: attacks on the kernel, each with its exact expected outcome.
 *
 * The problem: that a kernel isolates its processes shows only against somebody who means harm, and
 * an attack that "did not work" shows little when nobody looked at what became of the rest.
 *
 * The design: an attack is a function with an entry in its family's table: what is tried, why it must
 * fail, what Linux does where that differs, and what must come of it: a signal with its si_code and si_addr,
 * the end of the process, or a calm end (the attack looks at errnos and memory by itself then). Each runs in
 * a process of its own (trial.c), as a user without rights unless it says otherwise, in a process group that
 * is killed after it. Beside them lives a victim (victim.c), another user's process with a thread on each CPU
 * that counts and keeps a secret. After every attack the integrity is looked at (integrity.c): kernel text
 * and read-only data, shared locks, pages in use, the victim's memory, the victim's progress. An attack is
 * held when its outcome is the expected one and all of that is as it was.
 *
 * Nothing here is Baton's but the file /proc/baton/integrity and the names in /proc/meminfo: on Linux, the
 * reference, the same program runs without those two checks, and must hold as well.
 *
 * An attack that cannot be tried on a machine is skipped with the reason, and does not count as held.
 * Adding one: a function and an entry; it is listed, run and documented (docs/attacks.md) by that.
 */
#ifndef USER_ATTACKS_ATTACK_H
#define USER_ATTACKS_ATTACK_H

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "tests/check.h"

/* The rest of a table's entry is 0. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#define PAGE           4096ul
#define KERNEL_IMAGE   0xffffffff81000000ul /* where kernels are linked */
#define KERNEL_DIRECT  0xffff888000001000ul /* where they see all RAM */
#define KERNEL_STACKS  0xffffc90000001000ul
#define KERNEL_FRAMES  0xffffea0000001000ul /* the page-frame array */
#define KERNEL_ENTRY   0xfffffe0000000000ul /* per-CPU entry area */
#define FIRST_BAD      0x0000800000000000ul /* the first address that is not canonical */
#define MIDDLE_BAD     0x8000000000000000ul
#define LAST_BAD       0xffff7fffffffffffull
#define LAST_USER_PAGE 0x00007ffffffff000ul /* no process may have it */
#define VICTIM_SECRET  0x10000000ul         /* where the victim keeps its secret */
#define SECRET_PAGES   16u
#define SECRET_WORDS   4u

#define CLONE3         435
struct clone3 { /* Linux's struct clone_args */
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	uint64_t set_tid, set_tid_size;
};

enum ending { CALM_END, FAULTS, DIES };
enum aim { AT_ZERO, AT_TARGET, NEAR_TARGET, AT_IP, ANYWHERE }; /* NEAR: in the 512 bytes from it */

struct outcome {
	enum ending ending;
	int signal, code; /* code: of FAULTS */
	enum aim address; /* si_addr, of FAULTS */
};

/* How exceptions reach a process, on Linux as here. */
#define GP                                          \
	{                                           \
		FAULTS, SIGSEGV, SI_KERNEL, AT_ZERO \
	} /* general protection */
#define UD                                        \
	{                                         \
		FAULTS, SIGILL, ILL_ILLOPN, AT_IP \
	} /* invalid opcode */
#define SS                                         \
	{                                          \
		FAULTS, SIGBUS, SI_KERNEL, AT_ZERO \
	} /* stack segment */
#define UNMAPPED                                        \
	{                                               \
		FAULTS, SIGSEGV, SEGV_MAPERR, AT_TARGET \
	}
#define DENIED                                          \
	{                                               \
		FAULTS, SIGSEGV, SEGV_ACCERR, AT_TARGET \
	}
#define ENDS(signal)                        \
	{                                   \
		DIES, (signal), 0, ANYWHERE \
	}
#define CALM                             \
	{                                \
		CALM_END, 0, 0, ANYWHERE \
	}

enum as_whom { AS_EVE, AS_ROOT };

#define OUTCOMES 3

struct attack {
	const char *name;
	const char *tries, *why;
	struct outcome expected[OUTCOMES]; /* one of these; a calm end only as the first */
	void (*act)(long argument);
	long argument;
	enum as_whom whom;
	const char *on_linux; /* NULL: the same */
};

struct family {
	const char *name, *title;
	const struct attack *attacks;
	size_t count;
};

#define FAMILY(name, title, table) \
	const struct family name##_family = {#name, title, table, COUNT(table)}

/* What the runner, an attack and the victim share. */
struct shared {
	/* of the attack that runs; cleared before each */
	volatile uintptr_t target; /* where a fault must be reported */
	volatile int signal, code;
	volatile uintptr_t address, ip;
	volatile bool faulted;
	char text[240]; /* why it did not hold, or is skipped */
	/* of the victim */
	pid_t victim;
	uint64_t secret[SECRET_WORDS]; /* what its memory is full of */
	volatile uint64_t asked, answered, hash;
	volatile uint64_t counters[64];
	unsigned counting; /* threads that count */
};
extern struct shared *shared;

#define ATTACK_SECONDS 250 /* an emulated machine on a loaded host is slow */
#define FAULTED        70
#define NOT_HELD       71
#define SKIPPED        77

/* ---- Inside an attack ---- */

/* Ends it as not held, or as skipped, with a reason. */
void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
void skip(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
/* In a child: what comes of crime(argument) must be this, at `aim` where the outcome says so. */
void want_fault(const char *what, void (*crime)(long), long argument, struct outcome expected);
bool is_emulated(void); /* QEMU's CPUs (TCG), which are no real ones here and there */
/* Skips there. */
void need_hardware(const char *why);
void want_is(const char *what, long found, long expected);
#define WANT(condition)          ((condition) ? (void)0 : fail("not so: %s", #condition))
#define WANT_IS(found, expected) want_is(#found, (long)(found), (long)(expected))

/* The address that the coming fault must report. */
static inline void aim(uintptr_t address)
{
	shared->target = address;
}

void *pages(size_t count, int protection); /* anonymous memory, filled on touch */
void *last_bytes(size_t size);             /* the last bytes of a page behind which nothing is */
uintptr_t unmapped_page(void);             /* an address that was mapped and is not now */
pid_t begin(void (*act)(long), long argument); /* a child; it ends with 0 when that returns */
int ended(pid_t pid);                          /* wait status, without the core-dump bit */
int file_of(size_t size); /* a file without a name, of this size, open for all */

/* A user without rights who exists nowhere else; `which` of them. */
unsigned stranger(unsigned which);
enum { EVE, VICTIM };
bool become(unsigned uid);

/* ---- Between attacks ---- */

struct verdict {
	enum { HELD, BROKEN, LEFT_OUT } is;
	char observed[64], reason[400];
};

/* Runs it in a process of its own and judges what came of it. */
void try_attack(const struct attack *attack, struct verdict *verdict);
void expected_text(const struct attack *attack, char *text, size_t size);

void victim_start(void);
void victim_end(void);
bool victim_counts(void); /* on every CPU */
/* Memory as it was, all threads counting. False: the reason is written. */
bool victim_lives(char *reason, size_t size);

void integrity_start(void);
bool kernel_intact(char *reason, size_t size);
struct account {
	long pages, slabs;
};
struct account account_now(void);
/* Waits until as much is free as was. `grown`: slab pages that may have come. */
bool account_balanced(const struct account *before, char *reason, size_t size);

#endif
