/* SPDX-License-Identifier: MIT */
#include "evidence_parse.h"

#define ACPI_HEADER     36u
#define RSDP_OLD        20u
#define RSDP_MOST       4096u
#define FADT_FACS       36u
#define FADT_DSDT       40u
#define FADT_X_FACS     132u
#define FADT_X_DSDT     140u
#define SMBIOS_MOST     (UINT64_C(1) << 20)
#define SMBIOS_END      127u
#define HEADERS_LEAST   4096u
#define HEADERS_MOST    65536u
#define PE_DEBUG        6u /* of the data directories */
#define PE_DEBUG_ENTRY  28u
#define PE_CODEVIEW     2u
#define PATH_END        0x7fu
#define PATH_MEDIA      4u
#define PATH_FV_FILE    6u
#define VOLUME_HEADER   56u
#define FILE_HEADER     24u
#define FILE_ALIGN      8u
#define FILE_IS_LARGE   1u /* FFS_ATTRIB_LARGE_FILE */
#define TCG_BANKS       16u
#define TCG_FIRST       32u /* bytes before the first event's data */
#define TCG_EVENTS_MOST 65536u

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t get32(const uint8_t *p)
{
	return get16(p) | (uint32_t)get16(p + 2) << 16;
}

static uint64_t get64(const uint8_t *p)
{
	return get32(p) | (uint64_t)get32(p + 4) << 32;
}

static const uint8_t *look(const struct evidence_memory *m, uint64_t address, uint64_t size)
{
	return address && m->readable(m->context, address, size) ? (const uint8_t *)address : NULL;
}

static bool has_signature(const uint8_t *p, const char *signature)
{
	return __builtin_memcmp(p, signature, 4) == 0;
}

/* ---- ACPI ---- */

uint64_t evidence_rsdp_size(const struct evidence_memory *m, uint64_t rsdp)
{
	const uint8_t *p = look(m, rsdp, RSDP_OLD);
	uint32_t size;

	if (!p)
		return 0;
	if (p[15] < 2 || !look(m, rsdp, ACPI_HEADER))
		return RSDP_OLD;
	size = get32(p + 20);
	return size >= ACPI_HEADER && size <= RSDP_MOST && look(m, rsdp, size) ? size : ACPI_HEADER;
}

uint64_t evidence_table_size(const struct evidence_memory *m, uint64_t address)
{
	const uint8_t *p = look(m, address, ACPI_HEADER);
	uint64_t size = p ? get32(p + 4) : 0;

	if (!p)
		return 0;
	return size >= ACPI_HEADER && size <= EVIDENCE_TABLE_MAX && look(m, address, size)
		       ? size
		       : ACPI_HEADER;
}

struct acpi_list {
	const struct evidence_memory *memory;
	struct evidence_range *out;
	size_t count, most;
};

static void add_table(struct acpi_list *list, uint64_t address)
{
	uint64_t size = evidence_table_size(list->memory, address);

	for (size_t i = 0; i < list->count; i++)
		if (list->out[i].address == address)
			return;
	if (size && list->count < list->most)
		list->out[list->count++] = (struct evidence_range){address, size};
}

static void add_root(struct acpi_list *list, uint64_t address, unsigned int entry)
{
	const uint8_t *p = (const uint8_t *)address;
	uint64_t size = evidence_table_size(list->memory, address);

	add_table(list, address);
	for (uint64_t at = ACPI_HEADER; at + entry <= size; at += entry)
		add_table(list, entry == 8 ? get64(p + at) : get32(p + at));
}

static void add_of_fadt(struct acpi_list *list)
{
	const uint8_t *fadt = evidence_acpi_find(list->out, list->count, "FACP", FADT_DSDT + 4);
	uint64_t size = fadt ? get32(fadt + 4) : 0;

	if (!fadt)
		return;
	add_table(list, get32(fadt + FADT_FACS));
	add_table(list, get32(fadt + FADT_DSDT));
	if (size < FADT_X_DSDT + 8)
		return;
	add_table(list, get64(fadt + FADT_X_FACS));
	add_table(list, get64(fadt + FADT_X_DSDT));
}

size_t evidence_acpi_tables(
	const struct evidence_memory *m, uint64_t rsdp, struct evidence_range *out, size_t most)
{
	struct acpi_list list = {.memory = m, .out = out, .most = most};
	uint64_t size = evidence_rsdp_size(m, rsdp);
	const uint8_t *p = (const uint8_t *)rsdp;

	if (!size)
		return 0;
	if (size >= ACPI_HEADER && get64(p + 24))
		add_root(&list, get64(p + 24), 8);
	if (get32(p + 16))
		add_root(&list, get32(p + 16), 4);
	add_of_fadt(&list);
	return list.count;
}

const uint8_t *evidence_acpi_find(
	const struct evidence_range *tables, size_t count, const char *signature, uint64_t least)
{
	for (size_t i = 0; i < count; i++)
		if (tables[i].size >= least &&
			has_signature((const uint8_t *)tables[i].address, signature))
			return (const uint8_t *)tables[i].address;
	return NULL;
}

uint64_t evidence_boot_record(const uint8_t *fpdt, uint64_t size)
{
	for (uint64_t at = ACPI_HEADER; at + 16 <= size; at += fpdt[at + 2]) {
		if (get16(fpdt + at) == 0)
			return get64(fpdt + at + 8);
		if (fpdt[at + 2] < 4)
			break;
	}
	return 0;
}

/* ---- SMBIOS ---- */

/* Up to the structure that ends the table, or all where none does. */
static uint64_t structures_size(const uint8_t *p, uint64_t most)
{
	uint64_t at = 0, end;

	while (at + 4 <= most && p[at + 1] >= 4) {
		bool last = p[at] == SMBIOS_END;

		end = at + p[at + 1];
		while (end + 1 < most && get16(p + end))
			end++;
		if (end + 1 >= most)
			break;
		at = end + 2;
		if (last)
			return at;
	}
	return most;
}

void evidence_smbios(const struct evidence_memory *m, unsigned int version, uint64_t address,
	struct evidence_range *anchor, struct evidence_range *structures)
{
	uint64_t least = version == 3 ? 24 : 31;
	const uint8_t *p = look(m, address, least);
	uint64_t size;

	*anchor = *structures = (struct evidence_range){0};
	if (!p)
		return;
	size = p[version == 3 ? 6 : 5];
	size = size > least && look(m, address, size) ? size : least;
	*anchor = (struct evidence_range){address, size};
	address = version == 3 ? get64(p + 16) : get32(p + 24);
	size = version == 3 ? get32(p + 12) : get16(p + 22);
	size = size < SMBIOS_MOST ? size : SMBIOS_MOST;
	p = look(m, address, size);
	if (p)
		*structures = (struct evidence_range){address, structures_size(p, size)};
}

/* ---- PE ---- */

/* The optional header's offset, with its first 136 bytes there; 0: it is no PE. */
static uint64_t optional_header(const uint8_t *image, uint64_t size)
{
	uint64_t pe = size >= 64 && get16(image) == 0x5a4d ? get32(image + 60) : 0;

	if (!pe || pe > size || size - pe < 24 + 136 || get32(image + pe) != 0x4550)
		return 0;
	return pe + 24;
}

uint64_t evidence_image_headers(const uint8_t *image, uint64_t size)
{
	uint64_t at = optional_header(image, size), headers = at ? get32(image + at + 60) : 0;

	if (headers < HEADERS_LEAST || headers > HEADERS_MOST)
		headers = HEADERS_LEAST;
	return headers < size ? headers : size;
}

/* Where in the image the path of its symbols begins; 0: nowhere. */
static uint64_t symbols_path(const uint8_t *image, uint64_t size)
{
	uint64_t at = optional_header(image, size), directories, debug, data;

	if (!at)
		return 0;
	directories = at + (get16(image + at) == 0x20b ? 112 : 96);
	if (directories > size || size - directories < 8 * (PE_DEBUG + 1) ||
		get32(image + directories - 4) <= PE_DEBUG)
		return 0;
	debug = get32(image + directories + 8 * (uint64_t)PE_DEBUG);
	if (!debug || debug > size || size - debug < PE_DEBUG_ENTRY ||
		get32(image + debug + 12) != PE_CODEVIEW)
		return 0;
	data = get32(image + debug + 20);
	if (!data || data > size || size - data < 32)
		return 0;
	if (has_signature(image + data, "NB10"))
		return data + 16;
	if (has_signature(image + data, "RSDS"))
		return data + 24;
	return has_signature(image + data, "MTOC") ? data + 20 : 0;
}

void evidence_image_name(const uint8_t *image, uint64_t size, char name[64])
{
	uint64_t at = symbols_path(image, size), start = at, dot = 0, end;

	__builtin_memset(name, 0, 64);
	if (!at)
		return;
	for (end = at; end < size && image[end]; end++) {
		if (image[end] == '/' || image[end] == '\\')
			start = end + 1, dot = 0;
		if (image[end] == '.')
			dot = end;
	}
	end = dot ? dot : end;
	for (unsigned int i = 0; i < 63 && start + i < end; i++)
		name[i] = (char)image[start + i];
}

/* ---- Device paths ---- */

size_t evidence_path_size(const uint8_t *path, size_t most)
{
	size_t at = 0;

	while (at + 4 <= most) {
		size_t length = get16(path + at + 2);

		if (length < 4 || length > most - at)
			return 0;
		at += length;
		if (path[at - length] == PATH_END && path[at - length + 1] == 0xff)
			return at;
	}
	return 0;
}

const uint8_t *evidence_path_file(const uint8_t *path, size_t size)
{
	const uint8_t *last = NULL;

	for (size_t at = 0; at + 4 < size; at += get16(path + at + 2))
		last = path + at;
	if (!last || last[0] != PATH_MEDIA || last[1] != PATH_FV_FILE || get16(last + 2) < 20)
		return NULL;
	return last + 4;
}

/* ---- Firmware volumes ---- */

/* Where the first file is; 0: this is no volume. */
static uint64_t first_file(const uint8_t *volume, uint64_t size)
{
	uint64_t header, extended;

	if (size < VOLUME_HEADER || !has_signature(volume + 40, "_FVH"))
		return 0;
	header = get16(volume + 48);
	extended = get16(volume + 52);
	if (!extended)
		return header;
	return extended + 20 > size ? 0 : extended + get32(volume + extended + 16);
}

/* Bytes of the file whose header this is, with `left` there; 0: no file is here. */
static uint64_t file_size(const uint8_t *header, uint64_t left)
{
	uint64_t size;

	if (left < FILE_HEADER)
		return 0;
	if (!(header[19] & FILE_IS_LARGE))
		size = get32(header + 20) & 0xffffff;
	else if (left < FILE_HEADER + 8)
		return 0;
	else
		size = get64(header + 24);
	return size < FILE_HEADER || size > left ? 0 : size;
}

uint64_t evidence_volume_file(const uint8_t *volume, uint64_t size, const uint8_t *file)
{
	uint64_t at = first_file(volume, size), bytes;

	for (; at && at < size; at += bytes) {
		at = (at + FILE_ALIGN - 1) & ~(uint64_t)(FILE_ALIGN - 1);
		bytes = at < size ? file_size(volume + at, size - at) : 0;
		if (!bytes)
			return 0;
		if (!__builtin_memcmp(volume + at, file, 16))
			return at;
	}
	return 0;
}

/* ---- TCG ---- */

struct tcg_banks {
	unsigned int count;
	uint16_t algorithm[TCG_BANKS], size[TCG_BANKS];
};

/* The banks that the log's first event names; its bytes, or 0. */
static uint64_t read_banks(const struct evidence_memory *m, uint64_t log, struct tcg_banks *banks)
{
	const uint8_t *p = look(m, log, TCG_FIRST);
	uint64_t size = p ? get32(p + 28) : 0;

	if (!p || size < 28 || !look(m, log, TCG_FIRST + size))
		return 0;
	p += TCG_FIRST;
	banks->count = get32(p + 24);
	if (banks->count > TCG_BANKS || 28 + 4 * (uint64_t)banks->count > size)
		return 0;
	for (unsigned int i = 0; i < banks->count; i++) {
		banks->algorithm[i] = get16(p + 28 + 4 * i);
		banks->size[i] = get16(p + 30 + 4 * i);
	}
	return TCG_FIRST + size;
}

static unsigned int digest_size(const struct tcg_banks *banks, unsigned int algorithm)
{
	for (unsigned int i = 0; i < banks->count; i++)
		if (banks->algorithm[i] == algorithm)
			return banks->size[i];
	return 0;
}

/* Bytes of TCG_PCR_EVENT2 at `event`, or 0. */
static uint64_t event_size(
	const struct evidence_memory *m, uint64_t event, const struct tcg_banks *banks)
{
	const uint8_t *p = look(m, event, 12);
	uint64_t at = 12;

	if (!p || get32(p + 8) > TCG_BANKS)
		return 0;
	for (unsigned int i = 0, count = get32(p + 8); i < count; i++) {
		unsigned int size = look(m, event, at + 2) ? digest_size(banks, get16(p + at)) : 0;

		if (!size)
			return 0;
		at += 2 + size;
	}
	if (!look(m, event, at + 4))
		return 0;
	at += 4 + get32(p + at);
	return look(m, event, at) ? at : 0;
}

uint64_t evidence_log_size(
	const struct evidence_memory *m, uint64_t log, uint64_t last, bool crypto_agile)
{
	struct tcg_banks banks = {0};
	uint64_t first, size;
	const uint8_t *p;

	if (last < log || last - log > EVIDENCE_TABLE_MAX)
		return 0;
	if (crypto_agile && last != log) {
		first = read_banks(m, log, &banks);
		size = first && last - log >= first ? event_size(m, last, &banks) : 0;
	} else {
		p = look(m, last, TCG_FIRST);
		size = p ? TCG_FIRST + (uint64_t)get32(p + 28) : 0;
	}
	return size && look(m, log, last - log + size) ? last - log + size : 0;
}

uint64_t evidence_final_size(const struct evidence_memory *m, uint64_t table, uint64_t log)
{
	struct tcg_banks banks = {0};
	const uint8_t *p = look(m, table, 16);
	uint64_t at = 16, count = p ? get64(p + 8) : 0;

	if (!p || count > TCG_EVENTS_MOST || (count && !read_banks(m, log, &banks)))
		return 0;
	while (count--) {
		uint64_t size = event_size(m, table + at, &banks);

		if (!size)
			return 0;
		at += size;
	}
	return at;
}

static void put16(uint8_t *p, unsigned int value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static uint32_t big32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

void evidence_pcr_command(
	uint8_t command[EVIDENCE_PCR_COMMAND], uint16_t algorithm, unsigned int first)
{
	__builtin_memset(command, 0, EVIDENCE_PCR_COMMAND);
	put16(command, 0x8001); /* TPM_ST_NO_SESSIONS */
	command[5] = EVIDENCE_PCR_COMMAND;
	put16(command + 8, 0x17e); /* TPM_CC_PCR_Read */
	command[13] = 1;           /* one selection */
	put16(command + 14, algorithm);
	command[16] = 3; /* bytes of the bits that follow */
	command[17 + first / 8] = 0xff;
}

size_t evidence_pcr_answer(const uint8_t *answer, size_t size, uint16_t algorithm,
	unsigned int first, struct evidence_pcr out[8])
{
	size_t at = 28, count = 0, selected = 0;

	if (size < at + 4 || big32(answer + 6) || big32(answer + 14) != 1 || answer[20] != 3)
		return 0;
	selected = answer[21 + first / 8];
	at = 28;
	for (unsigned int i = 0; i < 8 && at + 2 <= size; i++) {
		size_t length = (size_t)answer[at] << 8 | answer[at + 1];

		if (!(selected >> i & 1))
			continue;
		if (length > sizeof(out->digest) || length > size - at - 2 ||
			count == big32(answer + 24))
			break;
		out[count] = (struct evidence_pcr){
			.pcr = first + i, .algorithm = algorithm, .size = (uint16_t)length};
		__builtin_memcpy(out[count++].digest, answer + at + 2, length);
		at += 2 + length;
	}
	return count;
}

/* ---- PCI ---- */

struct evidence_range evidence_bar(uint64_t held, uint64_t ones)
{
	uint64_t mask = ones & ~UINT64_C(15);

	if (held & 1 || !mask)
		return (struct evidence_range){0};
	if (!(mask >> 32))
		mask |= UINT64_C(0xffffffff00000000);
	return (struct evidence_range){held & ~UINT64_C(15), ~mask + 1};
}
