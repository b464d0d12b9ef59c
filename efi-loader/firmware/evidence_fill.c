/* SPDX-License-Identifier: MIT */
/*
 * The variable store filled until it refuses, and emptied again: `firmware=report,dangerous` alone, for it has made
 * boards useless. Names are numbered from 0; what a run before left because power went is deleted first.
 */
#include "evidence_internal.h"

#include "console.h"

#define WRITES_MOST 4096u
#define BYTES \
	4096u /* of each; a store whose largest variable is smaller gets half of it, and so on */
#define BYTES_LEAST 64u
#define NUMBER_AT   9u
#define ATTRIBUTES  7u /* non-volatile, boot and runtime access */

static CHAR16 name[] = L"BatonFill0000";
static EFI_GUID guid = BATON_FILL_GUID;

static EFI_STATUS write(struct loader *l, uint32_t number, UINTN size)
{
	for (unsigned int i = 0; i < 4; i++)
		name[NUMBER_AT + i] = L"0123456789abcdef"[number >> (12 - 4 * i) & 15];
	return l->system->RuntimeServices->SetVariable(
		name, &guid, ATTRIBUTES, size, size ? collector.scratch : NULL);
}

/* All up to the first that is not there; at least `least`. */
static void delete_all(struct loader *l, uint32_t least)
{
	for (uint32_t i = 0; i < WRITES_MOST; i++)
		if (write(l, i, 0) && i >= least)
			break;
}

void evidence_fill_store(struct loader *l)
{
	struct evidence_store_fill fill = {0};
	uint32_t number = 0;

	if (!l->options.dangerous)
		return;
	say("evidence of the firmware: filling the variable store, as asked");
	delete_all(l, 0);
	__builtin_memset(collector.scratch, 0x5a, BYTES);
	for (UINTN size = BYTES; number < WRITES_MOST && size >= BYTES_LEAST;) {
		fill.full_status = write(l, number, size);
		if (fill.full_status) {
			size /= 2;
			continue;
		}
		fill.written += size;
		number++;
	}
	fill.writes = number;
	delete_all(l, number);
	fill.after_delete_status = write(l, 0, BYTES_LEAST);
	delete_all(l, 0);
	collect(EVIDENCE_STORE_FILL, EVIDENCE_BEFORE_EXIT, 0, &fill, sizeof(fill), NULL, 0);
}
