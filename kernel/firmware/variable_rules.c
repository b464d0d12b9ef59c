/* SPDX-License-Identifier: MIT */
/*
 * What Linux's efivarfs has as rules about variables (fs/efivarfs, drivers/firmware/efi/vars.c as of 6.1, by what they do).
 *
 * A variable is a file NAME-GUID. Those of the UEFI specification that an operating system is meant to write, and those of
 * Linux's crash records, may go at will; any other is immutable until somebody takes that flag away: boards have been bricked by
 * `rm -rf`. What is written to a load option, an order or a device path has to be one: boards have hung on those, too.
 */
#include "firmware/variable_rules.h"

#include "lib/string.h"

/* ---- Names ---- */

/* Where the text of a GUID has which byte of it: the first three fields are little-endian. */
static const uint8_t text_at[VENDOR_SIZE] = {
	6, 4, 2, 0, 11, 9, 16, 14, 19, 21, 24, 26, 28, 30, 32, 34};

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_guid(const char *text)
{
	for (unsigned i = 0; i < VENDOR_TEXT; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : digit_of(text[i]) < 0)
			return false;
	}
	return true;
}

bool variable_file_is_good(const char *file, size_t length)
{
	return length >= VENDOR_TEXT + 2 && length <= VARIABLE_FILE_MAX &&
	       file[length - VENDOR_TEXT - 1] == '-' && is_guid(file + length - VENDOR_TEXT);
}

void variable_of_file(const char *file, size_t length, struct variable_name *out)
{
	const char *guid = file + length - VENDOR_TEXT;
	size_t letters = length - VENDOR_TEXT - 1;

	for (unsigned i = 0; i < VENDOR_SIZE; i++)
		out->vendor[i] =
			(uint8_t)(digit_of(guid[text_at[i]]) << 4 | digit_of(guid[text_at[i] + 1]));
	for (size_t i = 0; i < letters; i++)
		out->words[i] = (uint8_t)file[i];
	out->words[letters] = 0;
}

/* One word as UTF-8: its bytes. */
static unsigned put_word(uint16_t word, uint8_t out[3])
{
	if (word < 0x80) {
		out[0] = word == '/' ? '!' : (uint8_t)word;
		return 1;
	}
	if (word < 0x800) {
		out[0] = (uint8_t)(0xc0 | word >> 6);
		out[1] = (uint8_t)(0x80 | (word & 0x3f));
		return 2;
	}
	out[0] = (uint8_t)(0xe0 | word >> 12);
	out[1] = (uint8_t)(0x80 | (word >> 6 & 0x3f));
	out[2] = (uint8_t)(0x80 | (word & 0x3f));
	return 3;
}

size_t variable_file(const uint8_t vendor[VENDOR_SIZE], const uint16_t *name, size_t bytes,
	char out[VARIABLE_FILE_MAX + 1])
{
	static const char digits[] = "0123456789abcdef";
	size_t used = 0, words = bytes / sizeof(name[0]);
	uint8_t letter[3];

	for (size_t i = 0; i < words && name[i]; i++) {
		unsigned count = put_word(name[i], letter);

		if (i + 1 >= VARIABLE_NAME_WORDS ||
			used + count + 1 + VENDOR_TEXT > VARIABLE_FILE_MAX)
			return 0;
		memcpy(out + used, letter, count);
		used += count;
	}
	if (!used)
		return 0;
	out[used++] = '-';
	memset(out + used, '-', VENDOR_TEXT);
	for (unsigned i = 0; i < VENDOR_SIZE; i++) {
		out[used + text_at[i]] = digits[vendor[i] >> 4];
		out[used + text_at[i] + 1] = digits[vendor[i] & 15];
	}
	used += VENDOR_TEXT;
	out[used] = '\0';
	return used;
}

bool variable_files_are_same(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t own = a_length - VENDOR_TEXT;

	if (a_length != b_length || a_length < VENDOR_TEXT || memcmp(a, b, own))
		return false;
	for (size_t i = own; i < a_length; i++)
		if ((a[i] | 0x20) != (b[i] | 0x20))
			return false;
	return true;
}

/* ---- What may be in them ---- */

static unsigned word_at(const uint8_t *bytes)
{
	return bytes[0] | (unsigned)bytes[1] << 8;
}

/* Nodes of type, subtype and length, up to the one that ends all (UEFI 2.10 10.3.1). */
static bool is_device_path(const uint8_t *path, size_t size)
{
	unsigned length;

	for (; size >= 4; path += length, size -= length) {
		length = word_at(path + 2);
		if (length < 4 || length > size)
			return false;
		if ((path[0] == 0x7f || path[0] == 0xff) && path[1] == 0xff)
			return true;
	}
	return false;
}

static bool is_order(const uint8_t *data, size_t size)
{
	return size % 2 == 0;
}

static bool is_word(const uint8_t *data, size_t size)
{
	return size == 2;
}

/* ASCII, with its NUL. */
static bool is_text(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size && data[i] < 0x80; i++)
		if (!data[i])
			return true;
	return false;
}

/* EFI_LOAD_OPTION (UEFI 2.10 3.1.3): attributes, the path's length, a description, the path. */
static bool is_load_option(const uint8_t *data, size_t size)
{
	size_t path, at = 6;

	if (size < 8)
		return false;
	path = word_at(data + 4);
	while (at + 2 <= size && word_at(data + at))
		at += 2;
	at += 2;
	return at + path <= size && is_device_path(data + at, path);
}

static const uint8_t global_vendor[VENDOR_SIZE] = {0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11,
	0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c};
/* Linux's, of what its pstore keeps of a crash. */
static const uint8_t crash_vendor[VENDOR_SIZE] = {0x79, 0xfc, 0xc8, 0xcf, 0x2e, 0xbe, 0xdc, 0x4d,
	0x97, 0xf0, 0x9f, 0x98, 0xbf, 0xe2, 0x98, 0xa0};

struct known {
	const char *name;                                  /* `*`: and whatever follows */
	bool (*is_sane)(const uint8_t *data, size_t size); /* NULL: anything is */
};

static const struct known globals[] = {{"BootNext", is_word}, {"BootOrder", is_order},
	{"Boot*", is_load_option}, {"DriverOrder", is_order}, {"Driver*", is_load_option},
	{"ConIn", is_device_path}, {"ConInDev", is_device_path}, {"ConOut", is_device_path},
	{"ConOutDev", is_device_path}, {"ErrOut", is_device_path}, {"ErrOutDev", is_device_path},
	{"Lang", is_text}, {"OsIndications", NULL}, {"PlatformLang", is_text},
	{"Timeout", is_word}};

static bool matches(const uint16_t *words, const char *pattern)
{
	for (; *pattern && *pattern != '*'; pattern++, words++)
		if (*words != (uint8_t)*pattern)
			return false;
	return *pattern || !*words;
}

static const struct known *find(const struct variable_name *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(globals); i++)
		if (matches(name->words, globals[i].name))
			return &globals[i];
	return NULL;
}

bool variable_is_removable(const struct variable_name *name)
{
	if (!memcmp(name->vendor, crash_vendor, VENDOR_SIZE))
		return true;
	return !memcmp(name->vendor, global_vendor, VENDOR_SIZE) && find(name);
}

/* Four digits, and then the end: -1: no digits, and so no option; 1: more behind them. */
static int number_of_option(const uint16_t *words)
{
	for (unsigned i = 0; i < 4; i++)
		if (words[i] > 0x7f || digit_of((char)words[i]) < 0)
			return -1;
	return words[4] != 0;
}

bool variable_data_is_sane(const struct variable_name *name, const void *data, size_t size)
{
	const struct known *known;
	int number;

	if (memcmp(name->vendor, global_vendor, VENDOR_SIZE))
		return true;
	known = find(name);
	if (!known || !known->is_sane)
		return true;
	if (known->is_sane == is_load_option) {
		number = number_of_option(name->words + strlen(known->name) - 1);
		if (number)
			return number < 0;
	}
	return known->is_sane(data, size);
}
