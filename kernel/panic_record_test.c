/* SPDX-License-Identifier: MIT */
/* The record of a panic: what is noted, what of the log fits, what the firmware gets; and a record's check. */
#include "panic_record.h"

#include <baton/handoff.h>
#include <baton/panic_record.h>

#include "arch/arch.h"
#include "devices/console.h"
#include "files/sysfs.h"
#include "firmware/runtime.h"
#include "lib/check.h"
#include "lib/log.h"
#include "power.h"

static ns_t now;
static const char *answer; /* of the firmware */
static struct panic_record saved;
static size_t saved_size;

/* The hand-off's memory is the record that was saved. */
void *arch_phys_to_ptr(phys_t phys)
{
	(void)phys;
	return &saved;
}

ns_t arch_clock(void)
{
	return now;
}

void sysfs_baton_add(const struct sysfs_attribute *attribute)
{
	(void)attribute;
}

void machine_stop(void)
{
	exit(1);
}

const char *firmware_panic_variable(const struct firmware_variable *variable)
{
	CHECK_EQUAL(variable->attributes, 7);
	CHECK_EQUAL(variable->name_size, 22);
	CHECK(variable->name[0] == 'B' && !variable->name[10]);
	CHECK(variable->size <= sizeof(saved));
	memcpy(&saved, variable->data, variable->size);
	saved_size = variable->size;
	return answer;
}

static bool logged(const char *text)
{
	struct log_record line;
	bool found = false;

	for (uint64_t at = 0; log_read(&at, &line);)
		found |= strstr(line.text, text) != NULL;
	return found;
}

/* The reason, and the log's last lines, in order, as many as fit, none of the panic's own. */
static void test_record(void)
{
	size_t length;
	const char *text;
	uint64_t first;

	for (unsigned i = 0; i < 40; i++) {
		now = (5 + i) * NS_PER_SECOND + 7000000;
		log_info("line %u %.*s", i, 60,
			"......................................................................");
	}
	first = log_next_sequence();
	log_error("of the panic itself");
	panic_note("%s", "the reason");
	panic_note("from kernel+%#x", 0x123);
	panic_note_log(first);
	text = panic_noted(&length);
	CHECK(length <= PANIC_TEXT_MAX && length > PANIC_TEXT_MAX - 100);
	CHECK(!strncmp(text, "the reason\nfrom kernel+0x123\n[", 30));
	CHECK(memmem(text, length, "[44.007] line 39 ...", 20));
	CHECK(memmem(text, length, "line 38 ", 8) < memmem(text, length, "line 39 ", 8));
	CHECK(!memmem(text, length, "line 24 ", 8) && !memmem(text, length, "itself", 6));
	CHECK_EQUAL(text[length - 1], '\n');
	panic_note("%0100u", 1); /* it does not fit, and nothing of it is there */
	CHECK(!memmem(text, PANIC_TEXT_MAX, "000001", 6));
}

static void test_saved(void)
{
	panic_record_save();
	CHECK(!panic_record_check(&saved, saved_size));
	CHECK_EQUAL(panic_record_reason(&saved), strlen("the reason"));
	CHECK(logged("is kept for the next boot"));
	answer = "the store of variables is full";
	panic_record_save();
	CHECK(logged("no record is kept for the next boot: the store of variables is full"));
}

/* Each byte spoilt in turn is found. */
static void test_check(void)
{
	uint8_t *bytes = (uint8_t *)&saved;

	for (size_t i = 0; i < saved_size; i++) {
		bytes[i] ^= 1;
		CHECK(panic_record_check(&saved, saved_size));
		bytes[i] ^= 1;
	}
	for (size_t size = 0; size < saved_size; size++)
		CHECK(panic_record_check(&saved, size));
	CHECK(panic_record_check(&saved, saved_size + 1));
	CHECK(!panic_record_check(&saved, saved_size));
}

static void test_next_run(void)
{
	struct handoff handoff = {0};

	last_panic_init(&handoff);
	CHECK(!logged("the last run"));
	handoff.panic_record.size = saved_size - 1;
	last_panic_init(&handoff);
	CHECK(logged("the last panic's record is lost") && !logged("the last run"));
	handoff.panic_record.size = saved_size;
	last_panic_init(&handoff);
	CHECK(logged("the last run ended in a panic, \"the reason\""));
}

int main(void)
{
	test_record();
	test_saved();
	test_check();
	test_next_run();
	return check_done();
}
