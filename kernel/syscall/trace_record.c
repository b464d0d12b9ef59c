/* SPDX-License-Identifier: MIT */
/*
 * A record of the tracer: what memory belongs to an argument, copied from the user with bounds.
 *
 * Everything that the user gave is believed only as far as the bounds here: a size, a count and a
 * pointer choose how much is copied, never more than a path, or TRACE_TEXT bytes or items, or
 * WHOLE_MAX bytes of a structure. Memory that cannot be read gives no piece: the reader
 * then shows the address. A piece that does not fit the record is left out likewise.
 */
#include "syscall/trace_record.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "memory/user.h"

#define SHOWN     (TRACE_TEXT + 1) /* one more than is shown: so that a longer one is known for it */
#define WHOLE_MAX 512u             /* bytes of one structure */
#define ENTRY_MIN 24u              /* a directory entry: its head and a name's NUL, aligned */

struct io_vector {
	uint64_t base, length;
};

void trace_record_begin(struct trace_record *record, enum trace_event event, int tid, ns_t time)
{
	const struct trace_head head = {
		.event = (uint8_t)event, .tid = (uint32_t)tid, .time = time};

	record->used = 0;
	(void)trace_record_add(record, &head, sizeof(head));
}

bool trace_record_add(struct trace_record *record, const void *bytes, size_t size)
{
	if (size > sizeof(record->bytes) - record->used)
		return false;
	memcpy(record->bytes + record->used, bytes, size);
	record->used += size;
	return true;
}

/* Room for a piece of up to `size` bytes, to be ended by piece_end; NULL: there is none. */
static uint8_t *piece_begin(struct trace_record *record, size_t size)
{
	if (sizeof(struct trace_piece) + size > sizeof(record->bytes) - record->used)
		return NULL;
	return record->bytes + record->used + sizeof(struct trace_piece);
}

static void piece_end(
	struct trace_record *record, unsigned argument, enum trace_form form, size_t size)
{
	const struct trace_piece piece = {
		.argument = (uint8_t)argument, .form = (uint8_t)form, .length = (uint16_t)size};

	memcpy(record->bytes + record->used, &piece, sizeof(piece));
	record->used += sizeof(piece) + size;
}

/* `size` bytes, of which at most `most` are taken; nothing when they cannot all be read. */
static void add_bytes(
	struct trace_record *record, unsigned argument, uint64_t at, size_t size, size_t most)
{
	const size_t taken = size < most ? size : most;
	uint8_t *to = piece_begin(record, taken);

	if (to && at && copy_from_user(to, user_pointer(at), taken) == 0)
		piece_end(record, argument, taken < size ? TRACE_PART : TRACE_BYTES, taken);
}

/* A string of up to `most` bytes; of a longer one that many. */
static void add_string(struct trace_record *record, unsigned argument, uint64_t at, size_t most)
{
	uint8_t *to = piece_begin(record, most + 1);
	ssize_t length;

	if (!to || !at)
		return;
	length = copy_string_from_user((char *)to, user_pointer(at), most + 1);
	if (length >= 0)
		piece_end(record, argument, TRACE_STRING, (size_t)length);
	else if (length == -ENAMETOOLONG)
		piece_end(record, argument, TRACE_PART, most);
}

/* Pointers up to NULL: their number; -1: they cannot be read. */
static long count_pointers(uint64_t at)
{
	uint64_t pointer = 1;
	long count = -1;

	while (pointer) {
		if (copy_from_user(&pointer, user_offset(user_pointer(at), (size_t)++count * 8), 8))
			return -1;
		if (count >= INT32_MAX)
			return -1;
	}
	return count;
}

static void add_count(struct trace_record *record, unsigned argument, uint64_t at)
{
	const long count = at ? count_pointers(at) : -1;
	const uint32_t total = (uint32_t)count;
	uint8_t *to = piece_begin(record, sizeof(total));

	if (!to || count < 0)
		return;
	memcpy(to, &total, sizeof(total));
	piece_end(record, argument, TRACE_COUNT, sizeof(total));
}

/* One text of a list: u16 length and up to SHOWN bytes. How much that was; 0: unreadable. */
static size_t put_text(uint8_t *to, uint64_t at)
{
	char text[SHOWN + 1];
	ssize_t length = copy_string_from_user(text, user_pointer(at), sizeof(text));
	uint16_t shown;

	if (length < 0 && length != -ENAMETOOLONG)
		return 0;
	shown = (uint16_t)(length < 0 ? SHOWN : length);
	memcpy(to, &shown, 2);
	memcpy(to + 2, text, shown);
	return 2u + shown;
}

static void add_strings(struct trace_record *record, unsigned argument, uint64_t at)
{
	const long count = at ? count_pointers(at) : -1;
	const uint32_t total = (uint32_t)count;
	uint8_t *to = piece_begin(record, 4 + TRACE_TEXT * (2 + SHOWN));
	size_t used = 4, more;

	if (!to || count < 0)
		return;
	memcpy(to, &total, 4);
	for (long i = 0; i < count && i < (long)TRACE_TEXT; i++) {
		uint64_t text;

		if (copy_from_user(&text, user_offset(user_pointer(at), (size_t)i * 8), 8))
			return;
		more = put_text(to + used, text);
		if (!more)
			return;
		used += more;
	}
	piece_end(record, argument, TRACE_STRINGS, used);
}

/* The data of a vector, `left` bytes at most: for each item u16 length and the beginning. */
static void add_vector_data(struct trace_record *record, unsigned argument,
	const struct io_vector *items, size_t count, uint64_t left)
{
	uint8_t *to = piece_begin(record, count * (2 + SHOWN));
	size_t used = 0;

	if (!to)
		return;
	for (size_t i = 0; i < count; i++) {
		uint64_t length = items[i].length < left ? items[i].length : left;
		uint16_t shown = (uint16_t)(length < SHOWN ? length : SHOWN);

		if (copy_from_user(to + used + 2, user_pointer(items[i].base), shown))
			return;
		memcpy(to + used, &shown, 2);
		used += 2u + shown;
		left -= length;
	}
	piece_end(record, argument, TRACE_DATA, used);
}

static void add_vector(
	struct trace_record *record, unsigned argument, uint64_t at, uint64_t count, uint64_t bytes)
{
	struct io_vector items[SHOWN];
	const size_t taken = count < SHOWN ? count : SHOWN;

	if (!at || copy_from_user(items, user_pointer(at), taken * sizeof(*items)))
		return;
	add_bytes(record, argument, at, taken * sizeof(*items), sizeof(items));
	add_vector_data(record, argument, items, taken, bytes);
}

/* How many directory entries stand in `size` bytes. */
static void add_entries(struct trace_record *record, unsigned argument, uint64_t at, size_t size)
{
	uint32_t count = 0;
	uint16_t length;
	uint8_t *to = piece_begin(record, sizeof(count));

	for (size_t done = 0; done < size; done += length, count++) {
		if (copy_from_user(&length, user_offset(user_pointer(at), done + 16), 2) ||
			length < ENTRY_MIN)
			return;
	}
	if (!to)
		return;
	memcpy(to, &count, sizeof(count));
	piece_end(record, argument, TRACE_COUNT, sizeof(count));
}

static size_t items(uint64_t count, size_t size)
{
	return size * (count < SHOWN ? count : SHOWN);
}

/* What is read before the call. */
static void add_in(struct trace_record *record, const struct trace_call *call, unsigned index,
	const struct trace_kind *kind)
{
	const uint64_t at = call->arguments[index],
		       next = call->arguments[index < 5 ? index + 1 : 5],
		       last = call->arguments[index ? index - 1 : 0];

	switch ((enum trace_how)kind->how) {
	case TRACE_HOW_IN:
	case TRACE_HOW_INOUT:
		return add_bytes(record, index, at, kind->size, WHOLE_MAX);
	case TRACE_HOW_PATH:
		return add_string(record, index, at, TRACE_PATHS);
	case TRACE_HOW_TEXT:
		return add_string(record, index, at, SHOWN);
	case TRACE_HOW_STRINGS:
		return add_strings(record, index, at);
	case TRACE_HOW_COUNT:
		return add_count(record, index, at);
	case TRACE_HOW_DATA_IN:
		return add_bytes(record, index, at, next, SHOWN);
	case TRACE_HOW_NEXT_IN:
		return add_bytes(record, index, at, next, WHOLE_MAX);
	case TRACE_HOW_LAST_IN:
		return add_bytes(record, index, at, last, WHOLE_MAX);
	case TRACE_HOW_ARRAY_IN:
	case TRACE_HOW_ARRAY_INOUT:
		return add_bytes(record, index, at, items(next, kind->size), WHOLE_MAX);
	case TRACE_HOW_LAST_ARRAY_IN:
		return add_bytes(record, index, at, items(last, kind->size), WHOLE_MAX);
	case TRACE_HOW_VECTOR_IN:
		return add_vector(record, index, at, next, UINT64_MAX);
	case TRACE_HOW_BITS_INOUT:
		return add_bytes(record, index, at,
			DIV_ROUND_UP(call->arguments[0] & 0xffff, 64) * 8, WHOLE_MAX);
	default:
		return;
	}
}

/* What was written, after a call that went well. */
static void add_out(struct trace_record *record, const struct trace_call *call, unsigned index,
	const struct trace_kind *kind)
{
	const uint64_t at = call->arguments[index],
		       next = call->arguments[index < 5 ? index + 1 : 5],
		       last = call->arguments[index ? index - 1 : 0];
	const size_t result = (size_t)call->result;

	switch ((enum trace_how)kind->how) {
	case TRACE_HOW_OUT:
	case TRACE_HOW_INOUT:
		return add_bytes(record, index, at, kind->size, WHOLE_MAX);
	case TRACE_HOW_DATA_OUT:
		return add_bytes(record, index, at, result, kind->size ? kind->size : SHOWN);
	case TRACE_HOW_NEXT_OUT:
		return add_bytes(record, index, at, next, WHOLE_MAX);
	case TRACE_HOW_LAST_OUT:
		return add_bytes(record, index, at, last, WHOLE_MAX);
	case TRACE_HOW_ARRAY_OUT:
	case TRACE_HOW_ARRAY_INOUT:
		return add_bytes(record, index, at, items(next, kind->size), WHOLE_MAX);
	case TRACE_HOW_RESULT_ARRAY_OUT:
		return add_bytes(record, index, at, items(result, kind->size), WHOLE_MAX);
	case TRACE_HOW_VECTOR_OUT:
		return add_vector(record, index, at, next, result);
	case TRACE_HOW_BITS_INOUT:
		return add_bytes(record, index, at,
			DIV_ROUND_UP(call->arguments[0] & 0xffff, 64) * 8, WHOLE_MAX);
	case TRACE_HOW_ENTRIES_OUT:
		return add_entries(record, index, at, result);
	default:
		return;
	}
}

void trace_record_argument(struct trace_record *record, const struct trace_call *call,
	unsigned index, const struct trace_kind *kind)
{
	struct trace_kind actual = *kind;

	if (actual.how == TRACE_HOW_BY_COMMAND)
		actual = trace_by_command(call->number, index, call->arguments);
	if (!call->leaving)
		return add_in(record, call, index, &actual);
	if (actual.how == TRACE_HOW_REMAINING) {
		if (call->result == -EINTR || call->result == -ERESTART_RESTARTBLOCK)
			add_bytes(record, index, call->arguments[index], actual.size, WHOLE_MAX);
	} else if (call->result >= 0) {
		add_out(record, call, index, &actual);
	}
}
