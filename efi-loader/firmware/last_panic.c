/* SPDX-License-Identifier: MIT */
/*
 * What a panic of the run before left (include/baton/panic_record.h).
 *
 * It is read before memory is taken, for its size counts there. It is deleted only when it lies in the
 * hand-off: a boot that fails before that leaves it for the next one. A record that is broken is of
 * no use to anybody, so it is told and deleted at once.
 */
#include "console.h"
#include "loader.h"

#include <baton/panic_record.h>

static CHAR16 name[] = PANIC_VARIABLE_NAME;
static EFI_GUID guid = PANIC_VARIABLE_GUID;
static struct panic_record record;

#define REASON_MAX 160u

static void delete_variable(struct loader *l)
{
	EFI_STATUS status = l->system->RuntimeServices->SetVariable(
		name, &guid, PANIC_VARIABLE_ATTRIBUTES, 0, NULL);

	if (EFI_ERROR(status))
		say("the last panic's record cannot be deleted: %s", status_name(status));
}

static void say_reason(void)
{
	char reason[REASON_MAX];
	size_t length = panic_record_reason(&record);

	if (length >= sizeof(reason))
		length = sizeof(reason) - 1;
	__builtin_memcpy(reason, record.text, length);
	reason[length] = '\0';
	warn("the last run ended in a panic, \"%s\"", reason);
}

void read_last_panic(struct loader *l)
{
	UINTN size = sizeof(record);
	EFI_STATUS status =
		l->system->RuntimeServices->GetVariable(name, &guid, NULL, &size, &record);
	const char *wrong = "it is too long";

	if (status && status != EFI_BUFFER_TOO_SMALL) /* there is none, or there are no variables */
		return;
	if (!status)
		wrong = panic_record_check(&record, size);
	if (wrong) {
		warn("the last panic's record is deleted: %s", wrong);
		delete_variable(l);
		return;
	}
	say_reason();
	l->handoff.panic_record.size = size;
}

void hand_over_last_panic(struct loader *l)
{
	struct handoff_range *to = &l->handoff.panic_record;

	if (!to->size)
		return;
	to->base = l->areas.panic_record.base;
	__builtin_memcpy((void *)to->base, &record, to->size);
	delete_variable(l);
}
