/* SPDX-License-Identifier: MIT */
#include "bytes.h"

#include <stdio.h>

struct guid_text guid_text(const uint8_t guid[16])
{
	struct span s = {guid, 16};
	struct guid_text out;

	snprintf(out.text, sizeof out.text, "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		le32(s, 0), le16(s, 4), le16(s, 6), guid[8], guid[9], guid[10], guid[11], guid[12],
		guid[13], guid[14], guid[15]);
	return out;
}

/* UEFI 2.10 appendix D. */
struct status_text status_text(uint64_t status)
{
	static const char *const names[] = {"SUCCESS", "LOAD_ERROR", "INVALID_PARAMETER",
		"UNSUPPORTED", "BAD_BUFFER_SIZE", "BUFFER_TOO_SMALL", "NOT_READY", "DEVICE_ERROR",
		"WRITE_PROTECTED", "OUT_OF_RESOURCES", "VOLUME_CORRUPTED", "VOLUME_FULL",
		"NO_MEDIA", "MEDIA_CHANGED", "NOT_FOUND", "ACCESS_DENIED"};
	uint64_t code = status & ~(UINT64_C(1) << 63);
	struct status_text out;

	if (code == 26 && EFI_IS_ERROR(status))
		snprintf(out.text, sizeof out.text, "SECURITY_VIOLATION");
	else if (code < sizeof names / sizeof *names && EFI_IS_ERROR(status) == !!code)
		snprintf(out.text, sizeof out.text, "%s", names[code]);
	else
		snprintf(out.text, sizeof out.text, "status %#llx", (unsigned long long)status);
	return out;
}

struct map map_of(struct span bytes, size_t stride)
{
	if (stride < 40)
		return (struct map){.stride = stride};
	return (struct map){bytes, stride, bytes.size / stride};
}

struct map map_find(const struct evidence *e, enum evidence_phase phase)
{
	const struct evidence_record *record = evidence_of(e, EVIDENCE_MEMORY_MAP, phase, NULL);
	const struct evidence_memory_map *head = record ? evidence_head(record) : NULL;

	return head ? map_of(span_of(record), head->descriptor_size) : (struct map){.stride = 0};
}

struct map attributes_find(const struct evidence *e, enum evidence_phase phase)
{
	const struct evidence_record *record = evidence_of(e, EVIDENCE_ATTRIBUTES, phase, NULL);
	struct map map;

	if (!record)
		return (struct map){.stride = 0};
	map = map_of(span_part(span_of(record), 16, SIZE_MAX), le32(span_of(record), 8));
	if (map.count > le32(span_of(record), 4))
		map.count = le32(span_of(record), 4);
	return map;
}

struct region map_at(const struct map *map, size_t index)
{
	struct span s = span_part(map->bytes, index * map->stride, 40);
	struct region region = {.base = le64(s, 8),
		.pages = le64(s, 24),
		.attributes = le64(s, 32),
		.type = le32(s, 0)};

	region.end = region.base;
	if (region.pages <= (UINT64_MAX - region.base) / MEMORY_PAGE)
		region.end += region.pages * MEMORY_PAGE;
	return region;
}

struct region map_lookup(const struct map *map, uint64_t address)
{
	for (size_t i = 0; i < map->count; i++) {
		struct region region = map_at(map, i);

		if (address >= region.base && address < region.end)
			return region;
	}
	return (struct region){.type = UINT32_MAX};
}

const char *memory_type_name(uint32_t type)
{
	static const char *const names[MEMORY_TYPES] = {"reserved", "loader code", "loader data",
		"boot services code", "boot services data", "runtime code", "runtime data",
		"conventional", "unusable", "ACPI reclaim", "ACPI NVS", "MMIO", "MMIO ports",
		"PAL code", "persistent", "unaccepted"};

	return type < MEMORY_TYPES  ? names[type]
	       : type == UINT32_MAX ? "not in the map"
				    : "of an OEM's or OS's type";
}

bool memory_is_runtime(uint32_t type)
{
	return type == MEMORY_RUNTIME_CODE || type == MEMORY_RUNTIME_DATA;
}
