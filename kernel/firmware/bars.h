/* SPDX-License-Identifier: MIT */
/* UEFI's runtime services behind bars: calls of them in user mode. See bars.c. */
#ifndef FIRMWARE_BARS_H
#define FIRMWARE_BARS_H

#include "baton/efi_test.h"
#include "baton/evidence_shapes.h"
#include "lib/types.h"

struct handoff;
struct bars_regions;

#define FIRMWARE_ARGUMENTS_MAX 5u
#define FIRMWARE_TRAPS_MAX     24u
#define FIRMWARE_FAULTS_MAX    16u
#define FIRMWARE_TOUCHES_MAX   48u

enum firmware_argument_kind {
	FIRMWARE_VALUE,   /* a number */
	FIRMWARE_IN,      /* `size` bytes at `buffer`, which the service reads; NULL goes as NULL */
	FIRMWARE_IN_LIST, /* and the first eight become the address of what follows them */
	FIRMWARE_IN_OUT,  /* and they are copied back */
	FIRMWARE_OUT,     /* zeros before, copied back */
};

struct firmware_argument {
	enum firmware_argument_kind kind;
	uint64_t value;
	void *buffer;
	size_t size;
};

/* The last thing that a call which is only shown would have done to the machine. */
struct firmware_step {
	bool taken;
	uint64_t port, value; /* port UINT64_MAX: memory of a device */
};

/* What was seen of a call. */
struct firmware_record {
	struct evidence_call call;       /* `test` and `result` are the caller's */
	unsigned traps, faults, touches; /* kept below; of more only the first are */
	unsigned traps_lost, faults_lost, touches_lost;
	struct evidence_trap trap[FIRMWARE_TRAPS_MAX];
	struct evidence_violation fault[FIRMWARE_FAULTS_MAX];
	struct evidence_touched touch[FIRMWARE_TOUCHES_MAX];
	struct firmware_step step; /* of a call that is only shown */
};

struct firmware_call {
	enum evidence_service service;
	struct firmware_argument arguments[FIRMWARE_ARGUMENTS_MAX];
	ns_t limit;                     /* of CPU time; 0: FIRMWARE_LIMIT */
	unsigned stack;                 /* pages; 0: FIRMWARE_STACK */
	bool shown;                     /* nothing leaves the CPU: bars_trap.c */
	uint64_t status;                /* EFI_STATUS, if it returned */
	struct firmware_record *record; /* the caller's: what was seen */
};

#define FIRMWARE_LIMIT (10 * NS_PER_SECOND)
#define FIRMWARE_STACK 5u

/* What becomes of a call that does what it may not. */
enum firmware_policy {
	FIRMWARE_STRICT = BATON_EFI_STRICT,
	FIRMWARE_SURVEY = BATON_EFI_SURVEY,
	FIRMWARE_TRUST = BATON_EFI_TRUST,
};
extern enum firmware_policy firmware_policy; /* atomic */

void bars_init(const struct handoff *handoff);
/* What the services may use, for who calls them otherwise. */
const struct bars_regions *bars_ranges(void);
uintptr_t bars_address(
	phys_t phys); /* where the services see it; they were told in SetVirtualAddressMap */
/* 0: it returned, and call->status says what. -ENODEV: there are no runtime services; -EOPNOTSUPP: not this one;
 * -EIO: it was ended (record->call.outcome), or was before; -E2BIG: arguments have no room; -ENOMEM (in the
 * midst of the call, too: then it was ended, and the service is as good as before). Sleeps, whatever
 * signals come; one call at a time. */
int firmware_call(struct firmware_call *call) MUST_CHECK;
/* Bit n: service n is there, as EFI_RT_PROPERTIES_TABLE counts them; 0: there are no runtime services. */
uint32_t firmware_supported(void);
/* SetVirtualAddressMap: from now on services run at other addresses, and the physical ones are not there. As
 * firmware_call; -EALREADY: it was done. */
int firmware_go_virtual(struct firmware_record *record, uint64_t *status) MUST_CHECK;
/* The same call again, which the firmware has to refuse. -EINVAL: there was no first one. */
int firmware_map_again(struct firmware_record *record, uint64_t *status) MUST_CHECK;
/* ResetSystem up to its last step, which record->step tells. 0, or as firmware_call. */
int firmware_show_reset(uint32_t type, struct firmware_record *record) MUST_CHECK;
/* The runtime services table as it is now; NULL: there is none. */
const void *firmware_table(phys_t *phys, size_t *size);

/* ---- What the rest of the kernel calls, in the firmware's thread ---- */

/* It has raised an exception. */
void bars_trap(void);
/* It has WORK_FIRMWARE: its time may be over. */
void bars_late(void);

#endif
