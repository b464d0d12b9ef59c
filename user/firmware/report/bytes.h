/* SPDX-License-Identifier: MIT */
/* Bytes of the firmware's with their end: reads beyond it give 0, so that a parser need only ask where it matters. */
#ifndef REPORT_BYTES_H
#define REPORT_BYTES_H

#include <baton/evidence.h>
#include <string.h>

struct span {
	const uint8_t *data;
	size_t size;
};

static inline struct span span_of(const struct evidence_record *record)
{
	return (struct span){evidence_tail(record), evidence_tail_size(record)};
}

/* At most `size` bytes from `at` on; fewer where there are fewer. */
static inline struct span span_part(struct span s, size_t at, size_t size)
{
	if (at > s.size)
		at = s.size;
	return (struct span){s.data + at, size < s.size - at ? size : s.size - at};
}

static inline uint64_t span_le(struct span s, size_t at, unsigned bytes)
{
	uint64_t value = 0;

	if (at > s.size || bytes > s.size - at)
		return 0;
	while (bytes--)
		value = value << 8 | s.data[at + bytes];
	return value;
}

static inline uint8_t le8(struct span s, size_t at)
{
	return (uint8_t)span_le(s, at, 1);
}

static inline uint16_t le16(struct span s, size_t at)
{
	return (uint16_t)span_le(s, at, 2);
}

static inline uint32_t le32(struct span s, size_t at)
{
	return (uint32_t)span_le(s, at, 4);
}

static inline uint64_t le64(struct span s, size_t at)
{
	return span_le(s, at, 8);
}

static inline uint8_t span_sum(struct span s)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < s.size; i++)
		sum = (uint8_t)(sum + s.data[i]);
	return sum;
}

static inline bool span_starts(struct span s, const char *text)
{
	size_t length = strlen(text);

	return s.size >= length && memcmp(s.data, text, length) == 0;
}

/* A GUID in its usual form. */
struct guid_text {
	char text[40];
};
struct guid_text guid_text(const uint8_t guid[16]);

/* What an EFI_STATUS is called. */
struct status_text {
	char text[32];
};
struct status_text status_text(uint64_t status);

#define EFI_SUCCESS           UINT64_C(0)
#define EFI_INVALID_PARAMETER UINT64_C(0x8000000000000002)
#define EFI_UNSUPPORTED       UINT64_C(0x8000000000000003)
#define EFI_BUFFER_TOO_SMALL  UINT64_C(0x8000000000000005)
#define EFI_OUT_OF_RESOURCES  UINT64_C(0x8000000000000009)
#define EFI_NOT_FOUND         UINT64_C(0x800000000000000e)
#define EFI_IS_ERROR(status)  ((status) >> 63)

/* ---- A memory map as the firmware gave it. */
enum {
	MEMORY_RESERVED,
	MEMORY_LOADER_CODE,
	MEMORY_LOADER_DATA,
	MEMORY_BOOT_CODE,
	MEMORY_BOOT_DATA,
	MEMORY_RUNTIME_CODE,
	MEMORY_RUNTIME_DATA,
	MEMORY_FREE,
	MEMORY_UNUSABLE,
	MEMORY_ACPI_RECLAIM,
	MEMORY_ACPI_NVS,
	MEMORY_MMIO,
	MEMORY_PORTS,
	MEMORY_PAL,
	MEMORY_PERSISTENT,
	MEMORY_UNACCEPTED,
	MEMORY_TYPES,
	MEMORY_OEM = 0x70000000,
};

#define MEMORY_PAGE    UINT64_C(4096)
#define MEMORY_UC      UINT64_C(1)
#define MEMORY_WC      UINT64_C(2)
#define MEMORY_WT      UINT64_C(4)
#define MEMORY_WB      UINT64_C(8)
#define MEMORY_UCE     UINT64_C(0x10)
#define MEMORY_XP      UINT64_C(0x4000)
#define MEMORY_RO      UINT64_C(0x20000)
#define MEMORY_RUNTIME (UINT64_C(1) << 63)

struct region {
	uint64_t base, pages, attributes;
	uint64_t end; /* the first byte after it; base where it would wrap around */
	uint32_t type;
};

struct map {
	struct span bytes;
	size_t stride, count;
};

/* Descriptors of `stride` bytes; none where the stride is too small for one. */
struct map map_of(struct span bytes, size_t stride);
/* Of the first record of this kind: the memory map or the attributes table; empty where there is none. */
struct map map_find(const struct evidence *e, enum evidence_phase phase);
struct map attributes_find(const struct evidence *e, enum evidence_phase phase);
struct region map_at(const struct map *map, size_t index);
/* The region with this address in it, or one of 0 pages. */
struct region map_lookup(const struct map *map, uint64_t address);
const char *memory_type_name(uint32_t type);
bool memory_is_runtime(uint32_t type);

#endif
