/* SPDX-License-Identifier: MIT */
/* Names of variables as files and back, and what may be written to which. */
#include "firmware/variable_rules.h"

#include <string.h>

#include "lib/check.h"

#define GLOBAL "8be4df61-93ca-11d2-aa0d-00e098032b8c"

static bool good(const char *file)
{
	return variable_file_is_good(file, strlen(file));
}

static void names(void)
{
	char longest[VARIABLE_FILE_MAX + 2];

	CHECK(good("BootOrder-" GLOBAL));
	CHECK(good("B-8BE4DF61-93CA-11D2-AA0D-00E098032B8C"));
	CHECK(!good("-" GLOBAL));
	CHECK(!good("BootOrder" GLOBAL));
	CHECK(!good("BootOrder_" GLOBAL));
	CHECK(!good("BootOrder-8be4df61-93ca-11d2-aa0d-00e098032b8"));
	CHECK(!good("BootOrder-8be4df61-93ca-11d2-aa0d-00e098032b8g"));
	CHECK(!good("BootOrder-8be4df6193ca-11d2-aa0d-00e098032b8c-"));
	CHECK(!good("") && !good("x") && !good(GLOBAL));
	memset(longest, 'x', sizeof(longest));
	memcpy(longest + VARIABLE_FILE_MAX - 37, "-" GLOBAL, 38);
	CHECK(good(longest));
	memmove(longest + 1, longest, VARIABLE_FILE_MAX + 1);
	CHECK(!good(longest));
}

static void there_and_back(void)
{
	static const char file[] = "BootOrder-" GLOBAL;
	static const uint8_t vendor[] = {0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11, 0xaa, 0x0d,
		0, 0xe0, 0x98, 3, 0x2b, 0x8c};
	struct variable_name name;
	char out[VARIABLE_FILE_MAX + 1];

	variable_of_file(file, strlen(file), &name);
	CHECK(!memcmp(name.vendor, vendor, sizeof(vendor)));
	CHECK(name.words[0] == 'B' && name.words[8] == 'r' && !name.words[9]);
	CHECK_EQUAL(variable_file(name.vendor, name.words, sizeof(name.words), out), strlen(file));
	CHECK(!strcmp(out, file));
	CHECK_EQUAL(
		variable_file(vendor, name.words, 4, out), 2 + 37); /* no NUL, as far as it goes */
	CHECK_EQUAL(variable_file(vendor, (const uint16_t[]){'a', '/', 0xe9, 0x20ac, 0}, 10, out),
		7 + 37);
	CHECK(!strcmp(out, "a!\xc3\xa9\xe2\x82\xac-" GLOBAL));
	CHECK_EQUAL(variable_file(vendor, (const uint16_t[]){0}, 2, out), 0);
	CHECK_EQUAL(variable_file(vendor, name.words, 0, out), 0);
}

static void lengths(void)
{
	uint16_t words[VARIABLE_NAME_WORDS + 1];
	uint8_t vendor[VENDOR_SIZE] = {0};
	char out[VARIABLE_FILE_MAX + 1];

	for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
		words[i] = 'n';
	words[VARIABLE_NAME_WORDS - 1] = 0;
	CHECK_EQUAL(variable_file(vendor, words, sizeof(words), out), VARIABLE_FILE_MAX);
	words[0] = 0xe9; /* two bytes */
	CHECK_EQUAL(variable_file(vendor, words, sizeof(words), out), 0);
	words[0] = 'n';
	words[VARIABLE_NAME_WORDS - 1] = 'n';
	words[VARIABLE_NAME_WORDS] = 0;
	CHECK_EQUAL(variable_file(vendor, words, sizeof(words), out), 0);
}

static bool same(const char *a, const char *b)
{
	return variable_files_are_same(a, strlen(a), b, strlen(b));
}

static void sameness(void)
{
	CHECK(same("Ab-" GLOBAL, "Ab-8BE4DF61-93ca-11D2-aa0d-00E098032B8C"));
	CHECK(!same("Ab-" GLOBAL, "ab-" GLOBAL));
	CHECK(!same("Ab-" GLOBAL, "Ab-8be4df61-93ca-11d2-aa0d-00e098032b8d"));
	CHECK(!same("Ab-" GLOBAL, "b-" GLOBAL));
}

static struct variable_name named(const char *text, const char *guid)
{
	char file[VARIABLE_FILE_MAX + 1];
	struct variable_name name;

	snprintf(file, sizeof(file), "%s-%s", text, guid);
	variable_of_file(file, strlen(file), &name);
	return name;
}

static bool removable(const char *text, const char *guid)
{
	struct variable_name name = named(text, guid);

	return variable_is_removable(&name);
}

static void protection(void)
{
	static const char other[] = "12345678-1234-1234-1234-123456789abc";

	CHECK(removable("BootOrder", GLOBAL) && removable("Boot0001", GLOBAL) &&
		removable("BootX", GLOBAL));
	CHECK(removable("Timeout", GLOBAL) && removable("OsIndications", GLOBAL));
	CHECK(!removable("Timeouts", GLOBAL) && !removable("PK", GLOBAL) &&
		!removable("boot0001", GLOBAL));
	CHECK(!removable("ConOutDe", GLOBAL) && !removable("OsIndicationsSupported", GLOBAL));
	CHECK(!removable("BootOrder", other));
	CHECK(removable("dump-type0", "cfc8fc79-be2e-4ddc-97f0-9f98bfe298a0"));
}

/* A copy that ends where the heap's block ends. */
static bool sane(const char *text, const void *bytes, size_t size)
{
	struct variable_name name = named(text, GLOBAL);
	void *copy = memcpy(malloc(size ? size : 1), bytes, size);
	bool is = variable_data_is_sane(&name, copy, size);

	free(copy);
	return is;
}

/* Attributes, a path of 4 bytes, "ab", the path's end. */
static const uint8_t option[] = {1, 0, 0, 0, 4, 0, 'a', 0, 'b', 0, 0, 0, 0x7f, 0xff, 4, 0};

static void load_options(void)
{
	uint8_t bad[sizeof(option) + 4];

	CHECK(sane("Boot0001", option, sizeof(option)) &&
		sane("DriverAbcD", option, sizeof(option)));
	for (size_t size = 0; size < sizeof(option); size++)
		CHECK(!sane("Boot0001", option, size));
	memcpy(bad, option, sizeof(option));
	memcpy(bad + sizeof(option), "more", 4);
	CHECK(sane("Boot0001", bad, sizeof(bad))); /* optional data */
	bad[4] = 5;
	CHECK(sane("Boot0001", bad, sizeof(bad)));
	bad[4] = 3;
	CHECK(!sane("Boot0001", bad, sizeof(bad)));
	bad[4] = 9;
	CHECK(!sane("Boot0001", bad, sizeof(bad)));
	bad[4] = 8;
	bad[13] = 1; /* not the whole path's end: "more" is no node */
	CHECK(!sane("Boot0001", bad, sizeof(bad)));
	CHECK(sane("BootX001", bad, 3)); /* no option */
	CHECK(!sane("Boot00011", option, sizeof(option)));
}

static void others(void)
{
	static const uint8_t path[] = {1, 1, 6, 0, 9, 9, 0x7f, 0xff, 4, 0};

	CHECK(sane("BootOrder", "abcd", 4) && sane("BootOrder", "", 0) &&
		!sane("BootOrder", "abc", 3));
	CHECK(sane("Timeout", "ab", 2) && !sane("Timeout", "abcd", 4));
	CHECK(sane("Lang", "eng", 4) && !sane("Lang", "eng", 3) && !sane("Lang", "\xe9", 2));
	CHECK(sane("ConIn", path, sizeof(path)) && !sane("ConIn", path, sizeof(path) - 1) &&
		!sane("ConIn", path, 6));
	CHECK(sane("OsIndications", "a", 1) && sane("Whatever", "a", 1));
}

int main(void)
{
	names();
	there_and_back();
	lengths();
	sameness();
	protection();
	load_options();
	others();
	return check_done();
}
