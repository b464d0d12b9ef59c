/* SPDX-License-Identifier: MIT */
/*
 * What some devices have in /sys beside a number: which terminals are consoles and which is shown, where serial
 * ports are, how the framebuffer lies. And classes of which there is no device here, as empty directories.
 */
#include "files/sysfs.h"

#include "devices/framebuffer.h"
#include "devices/serial.h"
#include "devices/vt.h"
#include "files/abi.h"
#include "files/devfs.h"
#include "lib/log.h"
#include "lib/printf.h"

static int show_text_number(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	return format(out, size, "%u\n", (unsigned)(uintptr_t)attribute->argument);
}

#define NUMBER(name, number)                                                                  \
	{                                                                                     \
		name, 0444, .show = show_text_number, .argument = (void *)(uintptr_t)(number) \
	}

/* ---- Terminals ---- */

/* Where the log goes, in the order of /proc/consoles. */
static int show_consoles(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	int used = vt_has_screen() ? format(out, size, "tty0") : 0;

	for (unsigned i = 0; i < SERIAL_PORTS; i++)
		if (serial_is_console(i))
			used += format(
				out + used, size - (size_t)used, "%sttyS%u", used ? " " : "", i);
	return used + format(out + used, size - (size_t)used, "\n");
}

static int show_shown(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	return format(out, size, "tty%u\n", vt_shown() + 1);
}

static struct serial_port *port_of(const struct sysfs_node *node)
{
	return serial_open((unsigned)(node->name[4] - '0')); /* ttySN */
}

static int show_line(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	return format(out, size, "%c\n", node->name[4]);
}

static int show_port(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	return format(out, size, "0x%X\n", serial_base(port_of(node)));
}

static int show_irq(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	return format(out, size, "%u\n", serial_irq(port_of(node)));
}

static int show_is_console(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	return format(
		out, size, "%c\n", serial_is_console((unsigned)(node->name[4] - '0')) ? 'Y' : 'N');
}

static const struct sysfs_attribute console_attributes[] = {
	{"active", 0444, .show = show_consoles}, SYSFS_DEVICE_ATTRIBUTES, {NULL}};
static const struct sysfs_attribute shown_attributes[] = {
	{"active", 0444, .show = show_shown}, SYSFS_DEVICE_ATTRIBUTES, {NULL}};
static const struct sysfs_attribute serial_attributes[] = {
	SYSFS_DEVICE_ATTRIBUTES,
	{"console", 0444, .show = show_is_console},
	NUMBER("io_type", 0),
	{"irq", 0444, .show = show_irq},
	{"line", 0444, .show = show_line},
	{"port", 0444, .show = show_port},
	NUMBER("type", 4), /* a 16550A */
	NUMBER("uartclk", 16 * SERIAL_BAUD_MAX),
	NUMBER("xmit_fifo_size", 16),
	{NULL},
};

/* ---- The framebuffer ---- */

static int show_size(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	return format(out, size, "%u,%u\n", framebuffer_get()->width, framebuffer_get()->height);
}

static int show_stride(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	return format(out, size, "%zu\n", framebuffer_get()->pitch);
}

static const struct sysfs_attribute framebuffer_attributes[] = {
	NUMBER("bits_per_pixel", 32),
	SYSFS_DEVICE_ATTRIBUTES,
	{"name", 0444, .show = sysfs_show_text, .argument = "EFI VGA"}, /* as fb.c says */
	NUMBER("rotate", 0),
	NUMBER("state", 0),
	{"stride", 0444, .show = show_stride},
	{"virtual_size", 0444, .show = show_size},
	{NULL},
};

/* ---- The whole ---- */

/* Gives a device that is there more attributes. */
static void extend(const char *class, const char *name, const struct sysfs_attribute *attributes)
{
	struct sysfs_node *node = sysfs_find(&sysfs_devices, "virtual");

	node = node ? sysfs_find(node, class) : NULL;
	node = node ? sysfs_find(node, name) : NULL;
	if (node)
		node->attributes = attributes;
}

void sysfs_class_init(void)
{
	static const struct sysfs_attribute kernel_attributes[] = {
		{"uevent_seqnum", 0444, .show = sysfs_show_text, .argument = "0"}, {NULL}};
	static const char *const empty[] = {"block", "graphics", "misc", "net"};
	char name[] = "ttyS0";

	extend("tty", "console", console_attributes);
	extend("tty", "tty0", shown_attributes);
	for (unsigned i = 0; i < SERIAL_PORTS; i++) {
		name[4] = (char)('0' + i);
		extend("tty", name, serial_attributes);
	}
	extend("graphics", "fb0", framebuffer_attributes);
	sysfs_kernel.attributes = kernel_attributes;
	for (unsigned i = 0; i < ARRAY_SIZE(empty); i++)
		if (!sysfs_directory(&sysfs_class, empty[i]))
			log_error("sysfs: no memory for class/%s", empty[i]);
	sysfs_pci_init();
}
