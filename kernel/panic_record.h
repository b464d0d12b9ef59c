/* SPDX-License-Identifier: MIT */
/* The short form of a panic, which outlives it: see panic_record.c. */
#ifndef PANIC_RECORD_H
#define PANIC_RECORD_H

#include "lib/types.h"

struct handoff;
struct log_record;

/* ---- While panicking ---- */

/* Adds a line (without newline) if the whole of it fits. */
void panic_note(const char *format, ...) PRINTF_LIKE(1, 2);
/* Fills what is left with the log's last lines before the one of this sequence. */
void panic_note_log(uint64_t before);
/* Its text, not NUL-terminated. */
const char *panic_noted(size_t *length);
/* Keeps it in the firmware's variable, and says so, or why not. Does not return if the firmware does not; then, as
 * after a panic in between, the machine is stopped. */
void panic_record_save(void);

/* ---- In the next run ---- */

/* Logs that there was one, if the loader has found a record. */
void last_panic_init(const struct handoff *handoff);
/* /sys/firmware/baton/last_panic, if there is one. */
void last_panic_show(void);

#endif
