/* SPDX-License-Identifier: MIT */
#include "lib/symbols.h"

#include "lib/check.h"

#include <string.h>

static const struct {
	uint32_t count, size, entries[6];
	char names[12];
} table = {3, 12, {0x10, 0, 0x40, 4, 0x100, 8}, "one\0two\0six"};

static void finds(uint32_t offset, const char *name, uint32_t within)
{
	uint32_t got = 0;
	const char *found = symbols_lookup(&table, sizeof(table), offset, &got);

	CHECK(found && !strcmp(found, name));
	CHECK(got == within);
}

int main(void)
{
	uint32_t within;

	finds(0x10, "one", 0);
	finds(0x3f, "one", 0x2f);
	finds(0x40, "two", 0);
	finds(0x5000, "six", 0x4f00);
	CHECK(!symbols_lookup(&table, sizeof(table), 0xf, &within));
	CHECK(!strcmp(symbols_at(&table, sizeof(table), 2, &within), "six") && within == 0x100);
	CHECK(!symbols_at(&table, sizeof(table), 3, &within));
	CHECK(symbols_length(&table, sizeof(table), 0x3f) == 0x30);
	CHECK(!symbols_length(&table, sizeof(table), 0xf));
	CHECK(!symbols_length(&table, sizeof(table), 0x5000));
	CHECK(!symbols_at(&table, sizeof(table) - 1, 0, &within));
	CHECK(!symbols_lookup(&table, 7, 0x40, &within));
	CHECK(!symbols_lookup(&table, sizeof(table) - 1, 0x40, &within));
	return check_done();
}
