/* SPDX-License-Identifier: MIT */
/* SMBIOS tables, good and broken ones. Each is in memory of exactly its size, so that ASan sees a step beyond. */
#include "firmware/smbios.h"

#include "lib/check.h"

/* A copy that ends where the heap's block ends. */
static uint8_t *exactly(const void *bytes, size_t size)
{
	return memcpy(malloc(size ? size : 1), bytes, size);
}

static void seal(uint8_t *bytes, size_t size, size_t checksum)
{
	uint8_t sum = 0;

	bytes[checksum] = 0;
	for (size_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + bytes[i]);
	bytes[checksum] = (uint8_t)-sum;
}

static bool parse(const uint8_t *bytes, size_t size, struct smbios_entry *out)
{
	uint8_t *copy = exactly(bytes, size);
	bool good = smbios_parse_entry(copy, size, out);

	free(copy);
	return good;
}

static void entries(void)
{
	uint8_t two[31] = "_SM_", three[24] = "_SM3_";
	struct smbios_entry entry;

	two[5] = 31;
	memcpy(two + 16, "_DMI_", 5);
	two[22] = 0x34;
	two[23] = 0x12;
	two[25] = 0x10;
	seal(two, 31, 4);
	CHECK(parse(two, 31, &entry));
	CHECK(entry.size == 31 && entry.table == 0x1000 && entry.table_size == 0x1234);
	CHECK(!parse(two, 30, &entry));
	CHECK(!parse(two, 3, &entry) && !parse(two, 0, &entry));
	two[5] = 30; /* as 2.1 has it */
	seal(two, 31, 4);
	CHECK(parse(two, 31, &entry) && entry.size == 31);
	two[5] = 32; /* longer than what is there */
	seal(two, 31, 4);
	CHECK(!parse(two, 31, &entry));
	two[5] = 31;
	CHECK(!parse(two, 31, &entry)); /* the checksum */
	two[16] = '-';
	seal(two, 31, 4);
	CHECK(!parse(two, 31, &entry));

	three[6] = 24;
	three[13] = 1;
	three[20] = 2;
	seal(three, 24, 5);
	CHECK(parse(three, 24, &entry));
	CHECK(entry.size == 24 && entry.table == 2ull << 32 && entry.table_size == 256);
	three[15] = 1; /* 16 MiB */
	seal(three, 24, 5);
	CHECK(!parse(three, 24, &entry));
	three[13] = three[15] = 0;
	seal(three, 24, 5);
	CHECK(!parse(three, 24, &entry)); /* empty */
}

/* Type 1 with two strings and an empty one, type 2 without, the end, and what is behind it. */
static const char table[] = "\1\7\0\0\2\1\0"
			    "one\0two \0\0"
			    "\2\5\1\0\1"
			    "   \0\0"
			    "\3\4\2\0"
			    "\0\0"
			    "\177\4\3\0"
			    "\0\0"
			    "\1\4\0\0\0\0";

static void structures(void)
{
	size_t size = sizeof(table) - 1, at = 0, end = size - 6;
	uint8_t *bytes = exactly(table, size);
	struct smbios_structure found;

	CHECK(smbios_find(bytes, size, 1, &found) && found.size == 7);
	CHECK(!strcmp(smbios_string(&found, 4), "two "));
	CHECK(!strcmp(smbios_string(&found, 5), "one"));
	CHECK(!strcmp(smbios_string(&found, 6), "")); /* names none */
	CHECK(!smbios_string(&found, 7));             /* not in the fields */
	CHECK(smbios_find(bytes, size, 2, &found));
	CHECK(!strcmp(smbios_string(&found, 4), "")); /* blanks */
	CHECK(smbios_find(bytes, size, 3, &found) && !smbios_find(bytes, size, 4, &found));
	CHECK(smbios_table_size(bytes, size) == end);
	CHECK(smbios_next(bytes, size, &at, &found) && at == 17);
	free(bytes);
}

static void read_all(size_t size, size_t change, uint8_t value)
{
	uint8_t *bytes = exactly(table, size);
	struct smbios_structure found;
	const char *string;
	size_t at = 0;

	bytes[change] = value;
	while (smbios_next(bytes, size, &at, &found)) {
		CHECK(at <= size && found.end <= bytes + size);
		for (unsigned field = 0; field < 9; field++) {
			string = smbios_string(&found, field);
			CHECK(!string || strlen(string) < size);
		}
	}
	CHECK(smbios_table_size(bytes, size) <= size);
	free(bytes);
}

/* Every table that is cut off, and every one with a byte changed, is read within its bounds. */
static void broken(void)
{
	for (size_t size = 1; size < sizeof(table); size++)
		for (size_t change = 0; change < size; change++)
			for (unsigned value = 0; value < 256; value += 15)
				read_all(size, change, (uint8_t)value);
}

int main(void)
{
	entries();
	structures();
	broken();
	return check_done();
}
