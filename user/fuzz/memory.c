/* SPDX-License-Identifier: MIT */
/*
 * Pointers as arguments, and what is judged of the memory behind them.
 *
 * Argument n has slot n: two pages, and none behind them. What an argument names lies at the end of its slot, so that a
 * byte too much is a fault, or somewhere else in it, between two bands of a known pattern. What a call
 * writes by its specification is between the bands; what it only reads is compared with a copy. Nested pointers, and
 * those of which the specification does not say how much is written, lead to memory that nobody judges.
 */
#include "fuzz.h"

#include <string.h>
#include <sys/syscall.h>

#define BAND      32ul
#define BAND_BYTE 0xc7

/* ---- Addresses that are not judged ---- */

static uint64_t bad_address(struct random *random)
{
	static const uint64_t list[] = {0, 1, 8, PAGE - 1, PAGE, 0x7fffffffe000, 0x7ffffffff000,
		0x7fffffffffff, 0x800000000000, 0x8000000000000000, 0xffff800000000000,
		0xffff888000000000, 0xffffc90000000000, 0xfffffe0000000000, 0xffffffff80000000,
		0xffffffff80100000, 0xffffffffffe00000, 0xffffffffff600000, 0xfffffffffffff000,
		0xfffffffffffffff8, 0xffffffffffffffff};

	return list[random_below(random, COUNT(list))];
}

static uint64_t inside(struct random *random, uint64_t base, uint64_t size, bool at_page)
{
	return base + random_below(random, (unsigned)(size / PAGE)) * PAGE +
	       (at_page ? 0 : random_below(random, PAGE));
}

uint64_t address_make(struct stream *stream)
{
	struct random *random = &stream->random;

	switch (random_below(random, 32)) {
	case 0:
		return bad_address(random);
	case 1:
		return 0;
	case 2:
		return READ_ONLY + random_below(random, PAGE);
	case 3 ... 8:
		return inside(random, MAP_AREA, MAP_SIZE, false);
	default:
		return inside(random, SCRATCH, SCRATCH_SIZE, random_one_in(random, 8)) &
		       ~(random_one_in(random, 4) ? 0ull : 7ull);
	}
}

uint64_t area_make(struct stream *stream)
{
	struct random *random = &stream->random;

	switch (random_below(random, 32)) {
	case 0:
	case 1:
		return bad_address(random);
	case 2:
		return 0;
	case 3:
		return inside(random, SCRATCH, SCRATCH_SIZE, true);
	case 4:
		return inside(random, MAP_AREA, MAP_SIZE, false);
	default:
		return inside(random, MAP_AREA, MAP_SIZE, true);
	}
}

/* ---- Slots ---- */

static uint8_t *slot_end(const struct stream *stream, unsigned index)
{
	return stream->slots + index * SLOT_STRIDE + SLOT_PAGES * PAGE;
}

static void set_bands(const struct stream *stream, unsigned index, uint8_t *start, size_t size)
{
	uint8_t *low = stream->slots + index * SLOT_STRIDE, *end = slot_end(stream, index);
	size_t room = (size_t)(start - low);

	memset(start - (room < BAND ? room : BAND), BAND_BYTE, room < BAND ? room : BAND);
	room = (size_t)(end - start) - size;
	memset(start + size, BAND_BYTE, room < BAND ? room : BAND);
}

static bool band_is_whole(const uint8_t *from, const uint8_t *to)
{
	for (; from < to; from++) {
		if (*from != BAND_BYTE)
			return false;
	}
	return true;
}

/* Where `size` bytes of argument `index` are to be; NULL: more than a slot has. */
static uint8_t *place(struct stream *stream, unsigned index, size_t size)
{
	uint8_t *end = slot_end(stream, index);
	size_t room = SLOT_PAGES * PAGE;

	if (size > room)
		return NULL;
	if (random_one_in(&stream->random, 2))
		return end - size;
	/* mostly aligned */
	return end - size -
	       (random_below(&stream->random, (unsigned)(room - size) + 1) &
		       (random_one_in(&stream->random, 8) ? ~0u : ~15u));
}

/* How much memory an argument names; *judged: the specification says so. */
static size_t size_of(const struct request *request, unsigned index, bool *judged)
{
	const struct call *call = request->call;
	const struct kind_traits *traits = &kind_traits[call->kinds[index]];
	uint64_t next = index + 1u < call->count ? request->words[index + 1] : 0;
	uint64_t before = index > 0 ? request->words[index - 1] : 0;

	*judged = true;
	switch (traits->how) {
	case HOW_IN:
	case HOW_OUT:
	case HOW_INOUT:
	case HOW_REMAINING:
		return traits->size;
	case HOW_DATA_IN:
	case HOW_DATA_OUT:
	case HOW_NEXT_IN:
	case HOW_NEXT_OUT:
	case HOW_ENTRIES_OUT:
		if (index + 1u < call->count)
			return next;
		break;
	case HOW_LAST_IN:
	case HOW_LAST_OUT:
		return before;
	case HOW_ARRAY_IN:
	case HOW_ARRAY_OUT:
	case HOW_ARRAY_INOUT:
	case HOW_RESULT_ARRAY_OUT:
	case HOW_LAST_ARRAY_IN:
		if (index + 1u < call->count)
			before = next;
		if (before < 4096)
			return before * traits->size;
		break;
	case HOW_BITS_INOUT:
		if (request->words[0] < 1024)
			return (size_t)(request->words[0] + 63) / 64 * 8;
		break;
	default:
		break;
	}
	*judged = false;
	return content_size(call->kinds[index]);
}

/* capget and capset write the version that they want into a header that has another, sched_setattr the size. */
static bool only_reads(enum kind kind)
{
	enum how how = kind_traits[kind].how;

	if (kind == KIND_CAPABILITIES_HEADER || kind == KIND_SCHED_ATTRIBUTES)
		return false;
	return how == HOW_IN || how == HOW_DATA_IN || how == HOW_NEXT_IN || how == HOW_LAST_IN ||
	       how == HOW_ARRAY_IN || how == HOW_LAST_ARRAY_IN;
}

/* Calls whose memory is written later on, or by somebody else, too. */
static bool writes_later(const struct call *call)
{
	switch (call->number) {
	case SYS_clone:
	case SYS_clone3:
	case SYS_set_tid_address:
	case SYS_set_robust_list:
	case SYS_ptrace:
	case SYS_rt_sigreturn:
	case SYS_msgctl:
	case SYS_semctl:
	case SYS_shmctl:
		return true;
	default:
		return false;
	}
}

static void remember(
	struct request *request, unsigned index, uint8_t *start, size_t size, bool reads)
{
	struct guarded *guarded = &request->guarded[index];

	guarded->start = start;
	guarded->size = size;
	guarded->kept = reads && size <= sizeof(guarded->copy);
	if (guarded->kept)
		memcpy(guarded->copy, start, size);
}

static uint64_t make_memory(struct stream *stream, struct request *request, unsigned index)
{
	enum kind kind = request->call->kinds[index];
	enum how how = kind_traits[kind].how;
	bool judged;
	size_t size = size_of(request, index, &judged);
	uint8_t *start;

	if (random_one_in(&stream->random, 10))
		return random_one_in(&stream->random, 2) ? 0 : address_make(stream);
	if (how == HOW_PATH || how == HOW_TEXT)
		size = strlen((const char *)(uintptr_t)request->words[index]) + 1;
	start = place(stream, index, size);
	if (!start || writes_later(request->call)) {
		start = (uint8_t *)(SCRATCH + random_below(&stream->random, SCRATCH_SIZE / 2));
		if (size > SCRATCH_SIZE / 2)
			return (uint64_t)(uintptr_t)start;
		judged = false;
	}
	if (how == HOW_PATH || how == HOW_TEXT)
		memcpy(start, (const char *)(uintptr_t)request->words[index], size);
	else
		content_fill(stream, request->call, kind, start, size);
	if (random_one_in(&stream->random, 64)) /* it ends in what is not there */
		return (uint64_t)(uintptr_t)(slot_end(stream, index) - size / 2);
	if (judged) {
		set_bands(stream, index, start, size);
		remember(request, index, start, size, only_reads(kind));
	}
	return (uint64_t)(uintptr_t)start;
}

static bool names_memory(enum kind kind)
{
	return kind >= KIND_IN;
}

/* A command's argument is a number or an address. */
static uint64_t make_argument(struct stream *stream)
{
	if (random_one_in(&stream->random, 2))
		return value_make(stream, KIND_INT);
	return address_make(stream);
}

void request_make(struct stream *stream, struct request *request, const struct call *call)
{
	request->call = call;
	for (unsigned i = 0; i < ARGUMENTS_MOST; i++) {
		request->words[i] = i < call->count ? 0 : random_next(&stream->random);
		request->guarded[i].start = NULL;
	}
	/* numbers first: sizes of memory are among them */
	for (unsigned i = 0; i < call->count; i++) {
		enum kind kind = call->kinds[i];

		if (kind_traits[kind].how == HOW_BY_COMMAND)
			request->words[i] = make_argument(stream);
		else if (kind_traits[kind].how == HOW_PATH)
			request->words[i] = (uint64_t)(uintptr_t)content_path(stream);
		else if (kind_traits[kind].how == HOW_TEXT)
			request->words[i] = (uint64_t)(uintptr_t)content_text(stream);
		else if (!names_memory(kind))
			request->words[i] = value_make(stream, kind);
	}
	for (unsigned i = 0; i < call->count; i++) {
		enum kind kind = call->kinds[i];

		if (names_memory(kind) && kind_traits[kind].how != HOW_BY_COMMAND)
			request->words[i] = make_memory(stream, request, i);
	}
}

const char *request_judge(const struct stream *stream, const struct request *request)
{
	for (unsigned i = 0; i < request->call->count; i++) {
		const struct guarded *guarded = &request->guarded[i];
		const uint8_t *low = stream->slots + i * SLOT_STRIDE, *end = slot_end(stream, i),
			      *behind;

		if (!guarded->start)
			continue;
		behind = guarded->start + guarded->size;
		if (!band_is_whole(guarded->start - low < (long)BAND ? low : guarded->start - BAND,
			    guarded->start))
			return "memory below an argument was written";
		if (!band_is_whole(behind, end - behind < (long)BAND ? end : behind + BAND))
			return "memory behind an argument was written";
		if (guarded->kept && memcmp(guarded->copy, guarded->start, guarded->size))
			return "memory that is only read was written";
	}
	return NULL;
}

void request_tell(const struct request *request, struct progress *progress)
{
	for (unsigned i = 0; i < request->call->count; i++) {
		const struct guarded *guarded = &request->guarded[i];
		size_t at = 0, room = sizeof(progress->was);

		if (!guarded->start || !guarded->kept)
			continue;
		while (at < guarded->size && guarded->copy[at] == guarded->start[at])
			at++;
		if (at == guarded->size)
			continue;
		progress->changed_at = (uint32_t)at;
		progress->changed =
			(uint32_t)(guarded->size - at < room ? guarded->size - at : room);
		memcpy(progress->was, guarded->copy + at, progress->changed);
		memcpy(progress->is, guarded->start + at, progress->changed);
		return;
	}
}
