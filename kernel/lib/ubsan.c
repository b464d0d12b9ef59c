/* SPDX-License-Identifier: MIT */
/*
 * Undefined behaviour found at run time, in builds with -Dubsan=true.
 *
 * GCC's -fsanitize=undefined has each operation that C leaves undefined in some cases (an overflow of a
 * signed number, a shift by too much, an index past an array's end, a misaligned or null pointer, a
 * bool that is neither...) checked, and calls one of the functions below when such a case has come:
 * their names, and the layout of what they are given, are the compiler's (libsanitizer's ubsan_handlers.h).
 * Each place is told once, as a line of the log, and the kernel goes on as it would without the check,
 * so that one boot finds all; the test fails by the line. What is never followed by anything defined
 * (the end of a function that has no end) is a panic.
 *
 * Callable anywhere, under any lock. A case that comes while a line is being written (the log's own
 * code, or another CPU's at the same moment) is left for the next time. Nothing here is checked itself.
 */
#include "lib/log.h"
#include "lib/string.h"
#include "lib/types.h"

#define PLACE_TOLD UINT32_MAX

/* Where in the source. */
struct ubsan_place {
	const char *file;
	uint32_t line;
	uint32_t column; /* PLACE_TOLD: it was said already */
};

struct ubsan_type {
	uint16_t kind; /* 0: an integer */
	uint16_t info; /* of an integer: bit 0 signed, above it log2 of its width in bits */
	char name[];   /* as the source has it, in quotation marks */
};

struct ubsan_overflow {
	struct ubsan_place place;
	const struct ubsan_type *type;
};

struct ubsan_shift {
	struct ubsan_place place;
	const struct ubsan_type *left, *right;
};

struct ubsan_bounds {
	struct ubsan_place place;
	const struct ubsan_type *array, *index;
};

struct ubsan_mismatch {
	struct ubsan_place place;
	const struct ubsan_type *type;
	uint8_t log_alignment;
	uint8_t access;
};

struct ubsan_at { /* what begins with a place and is told by it alone */
	struct ubsan_place place;
};

static const char *const accesses[] = {"load of", "store to", "reference to", "member of",
	"member call on", "constructor call on", "downcast of", "downcast of", "upcast of",
	"cast of"};

static bool telling;

/* Whether the place is to be told now; then told() is due. */
static bool tells(struct ubsan_place *place)
{
	if (__atomic_load_n(&place->column, __ATOMIC_RELAXED) == PLACE_TOLD ||
		__atomic_exchange_n(&telling, true, __ATOMIC_ACQUIRE))
		return false;
	if (__atomic_exchange_n(&place->column, PLACE_TOLD, __ATOMIC_RELAXED) != PLACE_TOLD)
		return true;
	__atomic_store_n(&telling, false, __ATOMIC_RELEASE);
	return false;
}

static void told(void)
{
	__atomic_store_n(&telling, false, __ATOMIC_RELEASE);
}

static void tell(struct ubsan_place *place, const char *what)
{
	if (!tells(place))
		return;
	log_error("ubsan: %s:%u: %s", place->file, place->line, what);
	told();
}

static unsigned width(const struct ubsan_type *type)
{
	return 1u << (type->info >> 1);
}

/* An operand is the number itself, or where it is when it is wider than a word. */
static int64_t value(const struct ubsan_type *type, uintptr_t operand)
{
	unsigned bits = width(type), spare = 64 - bits;

	if (bits > 64)
		return *(const int64_t *)operand;
	if (type->info & 1)
		return (int64_t)((uint64_t)operand << spare) >> spare;
	return (int64_t)operand;
}

static void overflow(
	struct ubsan_overflow *data, const char *operation, uintptr_t left, uintptr_t right)
{
	if (!tells(&data->place))
		return;
	log_error("ubsan: %s:%u: %ld %s %ld overflows %s", data->place.file, data->place.line,
		(long)value(data->type, left), operation, (long)value(data->type, right),
		data->type->name);
	told();
}

/* ---- What the compiler calls ---- */

void __ubsan_handle_add_overflow(struct ubsan_overflow *data, uintptr_t left, uintptr_t right);
void __ubsan_handle_sub_overflow(struct ubsan_overflow *data, uintptr_t left, uintptr_t right);
void __ubsan_handle_mul_overflow(struct ubsan_overflow *data, uintptr_t left, uintptr_t right);
void __ubsan_handle_divrem_overflow(struct ubsan_overflow *data, uintptr_t left, uintptr_t right);
void __ubsan_handle_negate_overflow(struct ubsan_overflow *data, uintptr_t operand);
void __ubsan_handle_shift_out_of_bounds(struct ubsan_shift *data, uintptr_t left, uintptr_t right);
void __ubsan_handle_out_of_bounds(struct ubsan_bounds *data, uintptr_t index);
void __ubsan_handle_type_mismatch_v1(struct ubsan_mismatch *data, uintptr_t pointer);
void __ubsan_handle_pointer_overflow(struct ubsan_at *data, uintptr_t base, uintptr_t result);
void __ubsan_handle_load_invalid_value(struct ubsan_overflow *data, uintptr_t operand);
void __ubsan_handle_vla_bound_not_positive(struct ubsan_overflow *data, uintptr_t bound);
void __ubsan_handle_nonnull_arg(struct ubsan_at *data);
void __ubsan_handle_nonnull_return_v1(struct ubsan_at *data, struct ubsan_place *place);
void __ubsan_handle_invalid_builtin(struct ubsan_at *data);
void __ubsan_handle_builtin_unreachable(struct ubsan_at *data) NORETURN;
void __ubsan_handle_missing_return(struct ubsan_at *data) NORETURN;

void __ubsan_handle_add_overflow(struct ubsan_overflow *data, uintptr_t left, uintptr_t right)
{
	overflow(data, "+", left, right);
}

void __ubsan_handle_sub_overflow(struct ubsan_overflow *data, uintptr_t left, uintptr_t right)
{
	overflow(data, "-", left, right);
}

void __ubsan_handle_mul_overflow(struct ubsan_overflow *data, uintptr_t left, uintptr_t right)
{
	overflow(data, "*", left, right);
}

void __ubsan_handle_divrem_overflow(struct ubsan_overflow *data, uintptr_t left, uintptr_t right)
{
	overflow(data, "/", left, right);
}

void __ubsan_handle_negate_overflow(struct ubsan_overflow *data, uintptr_t operand)
{
	overflow(data, "negated: 0 -", 0, operand);
}

void __ubsan_handle_shift_out_of_bounds(struct ubsan_shift *data, uintptr_t left, uintptr_t right)
{
	if (!tells(&data->place))
		return;
	log_error("ubsan: %s:%u: %ld of %s shifted by %ld", data->place.file, data->place.line,
		(long)value(data->left, left), data->left->name, (long)value(data->right, right));
	told();
}

void __ubsan_handle_out_of_bounds(struct ubsan_bounds *data, uintptr_t index)
{
	if (!tells(&data->place))
		return;
	log_error("ubsan: %s:%u: index %ld is out of %s", data->place.file, data->place.line,
		(long)value(data->index, index), data->array->name);
	told();
}

/* A null pointer, a misaligned one, or one to less room than the type wants. */
void __ubsan_handle_type_mismatch_v1(struct ubsan_mismatch *data, uintptr_t pointer)
{
	uintptr_t alignment = (uintptr_t)1 << data->log_alignment;
	const char *why = !pointer                    ? "null"
			  : pointer & (alignment - 1) ? "misaligned"
						      : "of too little room";

	if (!tells(&data->place))
		return;
	log_error("ubsan: %s:%u: %s %s by a pointer that is %s", data->place.file, data->place.line,
		data->access < ARRAY_SIZE(accesses) ? accesses[data->access] : "use of",
		data->type->name, why);
	told();
}

void __ubsan_handle_pointer_overflow(struct ubsan_at *data, uintptr_t base, uintptr_t result)
{
	(void)result;
	tell(&data->place, base ? "a pointer's sum wraps" : "an offset to a null pointer");
}

void __ubsan_handle_load_invalid_value(struct ubsan_overflow *data, uintptr_t operand)
{
	if (!tells(&data->place))
		return;
	log_error("ubsan: %s:%u: %ld is no value of %s", data->place.file, data->place.line,
		(long)value(data->type, operand), data->type->name);
	told();
}

void __ubsan_handle_vla_bound_not_positive(struct ubsan_overflow *data, uintptr_t bound)
{
	(void)bound;
	tell(&data->place, "an array's length is not positive");
}

void __ubsan_handle_nonnull_arg(struct ubsan_at *data)
{
	tell(&data->place, "null is given where it may not be");
}

void __ubsan_handle_nonnull_return_v1(struct ubsan_at *data, struct ubsan_place *place)
{
	(void)data;
	tell(place, "null is returned where it may not be");
}

void __ubsan_handle_invalid_builtin(struct ubsan_at *data)
{
	tell(&data->place, "a builtin is given 0");
}

void __ubsan_handle_builtin_unreachable(struct ubsan_at *data)
{
	panic("ubsan: %s:%u: what cannot be reached was", data->place.file, data->place.line);
}

void __ubsan_handle_missing_return(struct ubsan_at *data)
{
	panic("ubsan: %s:%u: a function ends without its value", data->place.file,
		data->place.line);
}
