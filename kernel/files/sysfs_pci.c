/* SPDX-License-Identifier: MIT */
/*
 * PCI devices in /sys, as lspci reads them: devices/pci0000:00, a directory for each function, below the bridge
 * that leads to it, and bus/pci/devices, links to all of them. The buses are searched when somebody first looks
 * there, from bus 0 over the bridges as the firmware has numbered them; what is plugged in later is not seen.
 *
 * All is read from configuration space, each time, and nothing is written. How large a device's ranges are could
 * only be told by writing to it, so `resource` has their starts and kinds, and ends that make them empty.
 *
 * Lock: sysfs_lock.
 */
#include "files/sysfs.h"

#include "devices/pci.h"
#include "files/abi.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "lib/string.h"

#define DEPTH_MAX 8u /* of bridges below each other; a link's text is as long */
#define NAME_SIZE sizeof("0000:00:00.0")

static pci_function function_of(const struct sysfs_node *node)
{
	return (pci_function)(uintptr_t)node->owner;
}

static unsigned header_of(pci_function function)
{
	return pci_read(function, PCI_HEADER, 1) & ~PCI_MULTIFUNCTION;
}

/* ---- Numbers ---- */

struct pci_value {
	uint8_t offset, bytes;
	const char *format;
};

static int show_value(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	const struct pci_value *value = attribute->argument;
	uint32_t number = pci_read(function_of(node), value->offset, value->bytes);

	return format(out, size, value->format, number);
}

static int show_class(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	return format(out, size, "0x%06x\n", pci_read(function_of(node), PCI_CLASS, 4) >> 8);
}

/* Bridges tell theirs elsewhere, if at all: Linux says 0. */
static uint32_t subsystem_of(pci_function function)
{
	return header_of(function) == PCI_NORMAL ? pci_read(function, PCI_SUBSYSTEM, 4) : 0;
}

static int show_subsystem_id(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	uint32_t both = subsystem_of(function_of(node));

	return format(out, size, "0x%04x\n", attribute->argument ? both >> 16 : both & UINT16_MAX);
}

static int show_alias(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	uint32_t id = pci_read(function_of(node), PCI_ID, 4);
	uint32_t class = pci_read(function_of(node), PCI_CLASS, 4) >> 8;
	uint32_t both = subsystem_of(function_of(node));

	return format(out, size, "pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X\n", id & UINT16_MAX,
		id >> 16, both & UINT16_MAX, both >> 16, class >> 16, class >> 8 & 255,
		class & 255);
}

static int show_event(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	uint32_t id = pci_read(function_of(node), PCI_ID, 4);
	uint32_t both = subsystem_of(function_of(node));
	int used = format(out, size,
		"PCI_CLASS=%X\nPCI_ID=%04X:%04X\nPCI_SUBSYS_ID=%04X:%04X\nPCI_SLOT_NAME=%"
		"s\nMODALIAS=",
		pci_read(function_of(node), PCI_CLASS, 4) >> 8, id & UINT16_MAX, id >> 16,
		both & UINT16_MAX, both >> 16, node->name);

	return used + show_alias(node, attribute, out + used, size - (size_t)used);
}

static int show_bus(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	int used = 0;

	for (; node->parent; node = node->parent)
		used += format(out + used, size - (size_t)used, "../");
	return used + format(out + used, size - (size_t)used, "bus/pci");
}

/* ---- Ranges of addresses ---- */

enum { BAR_IO = 1, BAR_64 = 4, BAR_PREFETCH = 8 };
enum { RANGE_IO = 0x100, RANGE_MEMORY = 0x200, RANGE_PREFETCH = 0x2000, RANGE_64 = 0x100000 };
enum {
	RANGE_ALIGNED = 0x40000,
	RANGE_LINES = 13
}; /* Linux's: 6, the ROM, 6 of virtual functions */

/* The BAR at `index`; how many it takes. Kinds as Linux's linux/ioport.h has them. */
static unsigned read_range(pci_function function, unsigned index, uint64_t *start, uint32_t *flags)
{
	uint32_t bar = pci_read(function, PCI_BARS + index * 4, 4);

	if (bar & BAR_IO) {
		*start = bar & ~3u;
		*flags = RANGE_ALIGNED | RANGE_IO | BAR_IO;
		return 1;
	}
	*start = bar & ~15u;
	*flags = RANGE_ALIGNED | RANGE_MEMORY | (bar & 15);
	if (bar & BAR_PREFETCH)
		*flags |= RANGE_PREFETCH;
	if ((bar & 6) != BAR_64)
		return 1;
	*flags |= RANGE_64;
	*start |= (uint64_t)pci_read(function, PCI_BARS + index * 4 + 4, 4) << 32;
	return 2;
}

static int show_resource(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	unsigned header = header_of(function_of(node)), taken = 1;
	unsigned bars = header == PCI_NORMAL ? 6 : header == PCI_BRIDGE ? 2 : 0;
	uint64_t start;
	uint32_t flags;
	int used = 0;

	for (unsigned i = 0; i < RANGE_LINES; i++) {
		start = flags = 0;
		if (taken > 1)
			taken = 1; /* the upper half of the one before */
		else if (i < bars)
			taken = read_range(function_of(node), i, &start, &flags);
		if (!start)
			flags = 0;
		used += format(out + used, size - (size_t)used, "0x%016lx 0x%016lx 0x%016x\n",
			start, start ? start - 1 : 0, flags);
	}
	return used;
}

/* ---- The whole space ---- */

static uint64_t config_size(const struct sysfs_node *node, const struct sysfs_binary *binary)
{
	return pci_space(function_of(node));
}

/* Beyond the header there may be registers that do something when they are read. */
static ssize_t read_config(const struct sysfs_node *node, const struct sysfs_binary *binary,
	const struct sysfs_read *read)
{
	uint64_t end = read->offset + read->size;

	if (!read->admin && end > 64)
		end = 64;
	for (uint64_t at = read->offset; at < end; at++)
		read->out[at - read->offset] = (char)pci_read(function_of(node), (unsigned)at, 1);
	return end > read->offset ? (ssize_t)(end - read->offset) : 0;
}

static const struct sysfs_binary config = {config_size, read_config};

#define VALUE(name, offset, bytes, text)                                              \
	{                                                                             \
		name, 0444, .show = show_value, .argument = &(const struct pci_value) \
		{                                                                     \
			offset, bytes, text                                           \
		}                                                                     \
	}

static const struct sysfs_attribute function_attributes[] = {
	{"class", 0444, .show = show_class},
	{"config", SYSFS_BINARY | 0444, .argument = &config},
	VALUE("device", PCI_ID + 2, 2, "0x%04x\n"),
	VALUE("irq", PCI_LINE, 1, "%u\n"),
	{"modalias", 0444, .show = show_alias},
	{"numa_node", 0444, .show = sysfs_show_text, .argument = "-1"},
	{"resource", 0444, .show = show_resource},
	VALUE("revision", PCI_CLASS, 1, "0x%02x\n"),
	{"subsystem", S_IFLNK | 0777, .show = show_bus},
	{"subsystem_device", 0444, .show = show_subsystem_id, .argument = "device"},
	{"subsystem_vendor", 0444, .show = show_subsystem_id},
	{"uevent", 0444, .show = show_event},
	VALUE("vendor", PCI_ID, 2, "0x%04x\n"),
	{NULL},
};

/* ---- Which there are ---- */

static struct sysfs_node host = {.name = "pci0000:00"}, links = {.name = "devices"};
static bool found; /* under sysfs_lock */

static int scan_bus(struct sysfs_node *parent, const char *path, unsigned bus,
	unsigned depth) requires(sysfs_lock);

static int add_function(struct sysfs_node *parent, const char *path, pci_function function,
	unsigned depth) requires(sysfs_lock)
{
	char name[NAME_SIZE], own[sizeof("../../../devices/pci0000:00") + DEPTH_MAX * NAME_SIZE];
	unsigned bus = function >> 8, below;
	struct sysfs_node *node;

	format(name, sizeof(name), "0000:%02x:%02x.%u", bus, function >> 3 & 31, function & 7);
	format(own, sizeof(own), "%s/%s", path, name);
	node = sysfs_grow(parent, name, NULL, function_attributes, (void *)(uintptr_t)function);
	if (!node || !sysfs_grow(&links, name, own, NULL, NULL))
		return -ENOMEM;
	if (header_of(function) != PCI_BRIDGE || depth + 1 == DEPTH_MAX)
		return 0;
	below = pci_read(function, PCI_SECONDARY, 1);
	return below > bus ? scan_bus(node, own, below, depth + 1) : 0;
}

/* Bus numbers rise on the way down, so this ends. */
static int scan_bus(struct sysfs_node *parent, const char *path, unsigned bus, unsigned depth)
{
	int error = 0;

	for (unsigned i = 0; i < 256 && !error; i++) {
		pci_function function = PCI_FUNCTION(bus, i >> 3, i & 7);

		if (pci_exists(function))
			error = add_function(parent, path, function, depth);
		/* Without the first there is none, and it says whether there are more. */
		if (!(i & 7) && (!pci_exists(function) ||
					!(pci_read(function, PCI_HEADER, 1) & PCI_MULTIFUNCTION)))
			i |= 7;
	}
	return error;
}

static int find_functions(struct sysfs_node *node) requires(sysfs_lock)
{
	int error = found ? 0 : scan_bus(&host, "../../../devices/pci0000:00", 0, 0);

	found = found || !error;
	return error;
}

void sysfs_pci_init(void)
{
	struct sysfs_node *bus = sysfs_directory(&sysfs_bus, "pci");

	pci_init();
	for (unsigned device = 0; device < 32; device++) {
		if (!pci_exists(PCI_FUNCTION(0, device, 0)))
			continue;
		host.populate = links.populate = find_functions;
		if (!bus || sysfs_add(&sysfs_devices, &host) || sysfs_add(bus, &links))
			log_error("sysfs: no memory for PCI devices");
		return;
	}
}
