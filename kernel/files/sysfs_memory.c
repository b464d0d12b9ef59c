/* SPDX-License-Identifier: MIT */
/*
 * devices/system/memory: RAM in blocks, as lsmem tells it: those in which the hand-off's map has any. None can be
 * taken out. Of more RAM the blocks are larger, as on Linux, so that there are not too many.
 */
#include "files/sysfs.h"

#include "firmware/handoff_intake.h"
#include "firmware/memory_map.h"
#include "lib/errno.h"
#include "lib/printf.h"

#define BLOCK       (UINT64_C(128) << 20)
#define LARGE_BLOCK (UINT64_C(2) << 30)
#define LARGE_RAM   (UINT64_C(64) << 30)

static uint64_t block_size(void)
{
	return memory_map_ram_end() >= LARGE_RAM ? LARGE_BLOCK : BLOCK;
}

static int show_block_size(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	return format(out, size, "%lx\n", block_size());
}

static int show_index(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	return format(out, size, "%08x\n", (unsigned)(uintptr_t)node->owner);
}

#define TEXT(name, text)                                                \
	{                                                               \
		name, 0444, .show = sysfs_show_text, .argument = (text) \
	}

static const struct sysfs_attribute block_attributes[] = {
	TEXT("online", "1"),
	TEXT("phys_device", "0"),
	{"phys_index", 0444, .show = show_index},
	TEXT("removable", "0"),
	TEXT("state", "online"),
	TEXT("valid_zones", "none"),
	{NULL},
};

static int find_blocks(struct sysfs_node *node) requires(sysfs_lock)
{
	const struct handoff_memory *entry;
	char name[24];

	for (size_t i = 0; (entry = memory_map_entry(i)); i++) {
		uint64_t block = entry->base / block_size();
		uint64_t end = DIV_ROUND_UP(entry->base + entry->size, block_size());

		for (; handoff_is_ram(entry->type) && block < end; block++) {
			format(name, sizeof(name), "memory%lu", block);
			if (!sysfs_grow(node, name, NULL, block_attributes, (void *)block))
				return -ENOMEM;
		}
	}
	return 0;
}

bool sysfs_memory_add(struct sysfs_node *system)
{
	static const struct sysfs_attribute attributes[] = {
		{"block_size_bytes", 0444, .show = show_block_size}, {NULL}};
	static struct sysfs_node memory = {
		.name = "memory", .attributes = attributes, .populate = find_blocks};

	return !sysfs_add(system, &memory);
}
