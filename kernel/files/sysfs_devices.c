/* SPDX-License-Identifier: MIT */
/*
 * Character devices in /sys: devices/virtual/CLASS/NAME, and what leads there: class/CLASS/NAME,
 * dev/char/MAJOR:MINOR. devfs.c calls it for each device; Linux's major number says the class.
 */
#include "files/sysfs.h"

#include "files/abi.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "lib/string.h"

#define WORLD 0666u

static const char *class_of(uint64_t number)
{
	switch (device_major(number)) {
	case 1:
		return "mem";
	case 4:
	case 5:
		return "tty";
	case 7:
		return "vc";
	case 10:
		return "misc";
	case 13:
		return "input";
	case 29:
		return "graphics";
	case 251:
		return "rtc";
	default:
		return NULL;
	}
}

/* The owner of a device's node is its number, with the permissions above bit 32. */
static uint64_t number_of(const struct sysfs_node *node)
{
	return (uint32_t)(uintptr_t)node->owner;
}

int sysfs_show_number(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	uint64_t number = number_of(node);

	return format(out, size, "%u:%u\n", device_major(number), device_minor(number));
}

int sysfs_show_event(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	uint64_t number = number_of(node);
	uint32_t mode = (uint32_t)((uintptr_t)node->owner >> 32);
	int length = format(out, size, "MAJOR=%u\nMINOR=%u\nDEVNAME=%s\n", device_major(number),
		device_minor(number), node->name);

	if (device_major(number) == 1 || mode == WORLD) /* whose class has it say so */
		length += format(out + length, size - (size_t)length, "DEVMODE=0%o\n", mode);
	return length;
}

int sysfs_show_subsystem(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	return format(out, size, "../../../../class/%s", class_of(number_of(node)));
}

static const struct sysfs_attribute device_attributes[] = {SYSFS_DEVICE_ATTRIBUTES, {NULL}};

static struct sysfs_node *directory_of(struct sysfs_node *parent, const char *name)
{
	return parent ? sysfs_directory(parent, name) : NULL;
}

static struct sysfs_node *make(struct sysfs_node *parent, const char *name, const char *target,
	const struct sysfs_attribute *attributes, void *owner)
{
	return parent ? sysfs_make(parent, name, target, attributes, owner) : NULL;
}

void sysfs_add_device(const char *name, uint64_t number, uint32_t mode)
{
	struct sysfs_node *virtual = sysfs_directory(&sysfs_devices, "virtual");
	struct sysfs_node *numbers = directory_of(directory_of(&sysfs_root, "dev"), "char");
	const char *class = class_of(number), *base = strrchr(name, '/');
	char target[96], numbered[24];
	uintptr_t owner = (uint32_t)number | (uintptr_t)(mode & MODE_BITS) << 32;

	if (!class)
		return;
	name = base ? base + 1 : name;
	format(target, sizeof(target), "../../devices/virtual/%s/%s", class, name);
	format(numbered, sizeof(numbered), "%u:%u", device_major(number), device_minor(number));
	if (!make(directory_of(virtual, class), name, NULL, device_attributes, (void *)owner) ||
		!make(directory_of(&sysfs_class, class), name, target, NULL, NULL) ||
		!make(numbers, numbered, target, NULL, NULL))
		log_error("sysfs: no memory for %s", name);
}
