/* SPDX-License-Identifier: MIT */
/*
 * What /sys says of the machine and its firmware, against itself and against what other calls say: ACPI's and
 * SMBIOS's tables, PCI, caches, blocks of memory, consoles, the framebuffer. ci/devices.py runs it in a machine of
 * which it knows more; it is for no host, as there it depends on the machine.
 */
#include <dirent.h>
#include <linux/fb.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "cases.h"

#define TABLES "/sys/firmware/acpi/tables/"
#define DMI    "/sys/firmware/dmi/tables/"
#define PCI    "/sys/bus/pci/devices/"
#define CACHE  "/sys/devices/system/cpu/cpu%d/cache/index%d/"
#define MEMORY "/sys/devices/system/memory/"

static uint8_t bytes[1 << 20];

/* A whole file in `bytes`, read in steps; its size. */
static size_t read_whole(const char *path, size_t step)
{
	int fd = open(path, O_RDONLY);
	size_t size = 0;
	ssize_t got;

	if (fd < 0)
		dprintf(1, "# %s: %s\n", path, strerror(errno));
	WANT(fd >= 0);
	while ((got = read(fd, bytes + size, step)) > 0)
		size += (size_t)got;
	WANT_IS(got, 0);
	close(fd);
	WANT(size < sizeof bytes);
	bytes[size] = '\0';
	return size;
}

static const char *text_of(const char *format, ...)
{
	static char texts[4][4096];
	static int turn;
	char path[300], *text = texts[turn++ % 4];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(path, sizeof path, format, arguments);
	va_end(arguments);
	WANT(read_whole(path, 4096) < 4096);
	return strcpy(text, (char *)bytes);
}

static unsigned sum_of(size_t size)
{
	unsigned sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += bytes[i];
	return sum & 255;
}

static uint32_t number_at(const uint8_t *at, unsigned count)
{
	uint32_t value = 0;

	while (count--)
		value = value << 8 | at[count];
	return value;
}

/* Calls `each` with the names in a directory that are no dots; how many. */
static int each_name(const char *path, void (*each)(const char *name))
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	int count = 0;

	WANT(directory);
	while ((entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		each(entry->d_name);
		count++;
	}
	closedir(directory);
	return count;
}

/* ---- Firmware ---- */

static void table(const char *name)
{
	static uint8_t again[sizeof bytes];
	char path[300];
	struct stat stat;
	size_t size;

	snprintf(path, sizeof path, TABLES "%s", name);
	WANT_IS(lstat(path, &stat), 0);
	if (S_ISDIR(stat.st_mode))
		return;
	WANT_IS(stat.st_mode, S_IFREG | 0400);
	size = read_whole(path, 4096);
	WANT_IS(size, stat.st_size);
	WANT(size >= 36);
	WANT_IS(number_at(bytes + 4, 4), size);
	WANT(!memcmp(bytes, name, 4));
	if (strcmp(name, "FACS"))
		WANT_IS(sum_of(size), 0);
	memcpy(again, bytes, size);
	WANT_IS(read_whole(path, 37), size);
	WANT(!memcmp(again, bytes, size));
}

static void acpi_tables(void)
{
	int fd;

	WANT(each_name(TABLES, table) > 4);
	fd = open(TABLES "DSDT", O_RDONLY);
	WANT(fd >= 0);
	WANT_IS(pread(fd, bytes, 8, 4), 8);
	WANT_IS(lseek(fd, 0, SEEK_END), number_at(bytes, 4));
	WANT_IS(read(fd, bytes, 8), 0);
	WANT_IS(pread(fd, bytes, 100, lseek(fd, 0, SEEK_END) - 3), 3);
	WANT_IS(access(TABLES "dynamic", F_OK), 0);
}

/* The words of class/dmi/id are strings of the table. */
static void dmi(void)
{
	static const char *const names[] = {
		"bios_vendor", "sys_vendor", "product_name", "chassis_vendor"};
	char wanted[200];
	const char *alias;
	size_t size;

	size = read_whole(DMI "smbios_entry_point", 100);
	WANT(!memcmp(bytes, "_SM", 3));
	WANT_IS(size, bytes[bytes[3] == '3' ? 6 : 5]);
	WANT_IS(sum_of(size), 0);
	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(wanted, sizeof wanted, "%s", text_of("/sys/class/dmi/id/%s", names[i]));
		wanted[strcspn(wanted, "\n")] = '\0';
		WANT(wanted[0]);
		size = read_whole(DMI "DMI", 4096);
		WANT(memmem(bytes, size, wanted, strlen(wanted) + 1));
	}
	alias = text_of("/sys/class/dmi/id/modalias");
	WANT(!strncmp(alias, "dmi:bvn", 7) && strstr(alias, ":svn") && strstr(alias, ":ct1:"));
	WANT(!strchr(alias, ' '));
	snprintf(wanted, sizeof wanted, "MODALIAS=%.180s", alias);
	WANT(!strncmp(text_of("/sys/class/dmi/id/uevent"), wanted, strlen(wanted)));
}

/* ---- PCI ---- */

static int deep; /* functions behind a bridge */

static void function(const char *name)
{
	char path[300], link[300] = "", wanted[100];
	struct stat here, bus;

	snprintf(path, sizeof path, PCI "%s", name);
	WANT(readlink(path, link, sizeof link - 1) > 0);
	WANT(!strncmp(link, "../../../devices/pci0000:00/0000:", 33));
	WANT(!strcmp(link + strlen(link) - strlen(name), name));
	deep += strlen(link) > strlen("../../../devices/pci0000:00/0000:00:00.0");
	snprintf(path, sizeof path, PCI "%s/subsystem", name);
	WANT_IS(stat(path, &here), 0);
	WANT_IS(stat("/sys/bus/pci", &bus), 0);
	WANT_IS(here.st_ino, bus.st_ino);
	snprintf(path, sizeof path, PCI "%s/config", name);
	WANT_IS(stat(path, &here), 0);
	WANT(here.st_size == 256 || here.st_size == 4096);
	WANT_IS(read_whole(path, 4096), here.st_size);
	uint32_t id = number_at(bytes, 4), class = number_at(bytes + 8, 4);
	snprintf(wanted, sizeof wanted, "0x%04x\n", id & 0xffff);
	WANT(!strcmp(text_of(PCI "%s/vendor", name), wanted));
	snprintf(wanted, sizeof wanted, "0x%04x\n", id >> 16);
	WANT(!strcmp(text_of(PCI "%s/device", name), wanted));
	snprintf(wanted, sizeof wanted, "0x%06x\n", class >> 8);
	WANT(!strcmp(text_of(PCI "%s/class", name), wanted));
	snprintf(wanted, sizeof wanted, "0x%02x\n", class & 255);
	WANT(!strcmp(text_of(PCI "%s/revision", name), wanted));
	snprintf(wanted, sizeof wanted, "pci:v%08Xd%08Xsv", id & 0xffff, id >> 16);
	WANT(!strncmp(text_of(PCI "%s/modalias", name), wanted, strlen(wanted)));
	snprintf(wanted, sizeof wanted, "PCI_SLOT_NAME=%s\n", name);
	WANT(strstr(text_of(PCI "%s/uevent", name), wanted));
}

static void pci(void)
{
	WANT(each_name(PCI, function) > 4);
	WANT(deep > 0);
	WANT_IS(access(PCI "0000:00:00.0/", F_OK), 0);
	WANT(access(PCI "0000:00:1e.7", F_OK) < 0 && errno == ENOENT);
}

/* Starts of ranges are what the BARs say. */
static void resources(void)
{
	const char *text;
	unsigned long start, end, flags;
	uint32_t bar;

	text = text_of(PCI "0000:00:1f.2/resource");
	WANT(read_whole(PCI "0000:00:1f.2/config", 4096) >= 256);
	for (int i = 0; i < 6; i++, text = strchr(text, '\n') + 1) {
		WANT_IS(sscanf(text, "%lx %lx %lx\n", &start, &end, &flags), 3);
		bar = number_at(bytes + 16 + 4 * i, 4);
		WANT_IS(start, bar & ~(bar & 1 ? 3u : 15u));
		WANT_IS(flags & 0x300, !start ? 0 : bar & 1 ? 0x100 : 0x200);
	}
}

static void config_of_others(void)
{
	int fd;

	WANT_IS(setuid(NOBODY), 0);
	fd = open(PCI "0000:00:00.0/config", O_RDONLY);
	WANT(fd >= 0);
	WANT_IS(read(fd, bytes, 256), 64);
	WANT_IS(read(fd, bytes, 256), 0);
	WANT_IS(pread(fd, bytes, 4, 62), 2);
	WANT_IS(kernel_call(SYS_open, TABLES "DSDT", O_RDONLY), -EACCES);
	WANT_IS(kernel_call(SYS_open, DMI "DMI", O_RDONLY), -EACCES);
	WANT_IS(kernel_call(SYS_open, "/sys/class/dmi/id/product_serial", O_RDONLY), -EACCES);
}

/* ---- CPUs and memory ---- */

static void caches(void)
{
	unsigned long size, line, ways, sets;
	const char *type, *list;
	int index = 0, unified = 0;

	for (;; index++) {
		char path[200];

		snprintf(path, sizeof path, CACHE, 1, index);
		if (access(path, F_OK) < 0)
			break;
		size = strtoul(text_of(CACHE "size", 1, index), NULL, 10);
		line = strtoul(text_of(CACHE "coherency_line_size", 1, index), NULL, 10);
		ways = strtoul(text_of(CACHE "ways_of_associativity", 1, index), NULL, 10);
		sets = strtoul(text_of(CACHE "number_of_sets", 1, index), NULL, 10);
		WANT(size > 0);
		WANT_IS(line * ways * sets, size * 1024);
		type = text_of(CACHE "type", 1, index);
		unified += !strcmp(type, "Unified\n");
		WANT(!strcmp(type, "Unified\n") || !strcmp(type, "Data\n") ||
			!strcmp(type, "Instruction\n"));
		list = text_of(CACHE "shared_cpu_list", 1, index);
		WANT(strchr(list, '1'));
		WANT(strtoul(text_of(CACHE "shared_cpu_map", 1, index), NULL, 16) & 2);
	}
	WANT(index >= 3 && unified >= 1);
	WANT(!strcmp(text_of("/sys/devices/system/cpu/cpu1/online"), "1\n"));
}

static unsigned long found_blocks;

static void memory_block(const char *name)
{
	if (strncmp(name, "memory", 6))
		return;
	found_blocks++;
	WANT(!strcmp(text_of(MEMORY "%s/state", name), "online\n"));
	WANT(!strcmp(text_of(MEMORY "%s/online", name), "1\n"));
	WANT_IS(strtol(text_of(MEMORY "%s/phys_index", name), NULL, 16), atol(name + 6));
}

static void memory_blocks(void)
{
	unsigned long size = strtoul(text_of(MEMORY "block_size_bytes"), NULL, 16);
	unsigned long ram = (unsigned long)sysconf(_SC_PHYS_PAGES) * 4096;

	each_name(MEMORY, memory_block);
	WANT(size >= 1 << 20);
	WANT(found_blocks * size >= ram);
	WANT(found_blocks * size <= ram + 2 * size);
}

/* ---- Terminals and screen ---- */

static void consoles(void)
{
	char active[200], name[32];
	const char *text;
	int count = 0, words = 1;

	snprintf(active, sizeof active, " %s", text_of("/sys/class/tty/console/active"));
	active[strlen(active) - 1] = ' ';
	for (text = text_of("/proc/consoles"); *text; text = strchr(text, '\n') + 1, count++) {
		WANT_IS(sscanf(text, "%30s", name + 1), 1);
		name[0] = ' ';
		strcat(name, " ");
		WANT(strstr(active, name));
	}
	for (const char *at = active + 1; *at; at++)
		words += *at == ' ' && at[1];
	WANT_IS(words, count);
	WANT(!strcmp(text_of("/sys/class/tty/ttyS0/port"), "0x3F8\n"));
	WANT(!strcmp(text_of("/sys/class/tty/ttyS0/irq"), "4\n"));
	WANT(!strcmp(text_of("/sys/class/tty/ttyS0/line"), "0\n"));
	if (!access("/dev/tty0", F_OK))
		WANT(!strcmp(text_of("/sys/class/tty/tty0/active"), "tty1\n"));
}

static void framebuffer(void)
{
	struct fb_var_screeninfo var;
	struct fb_fix_screeninfo fix;
	char wanted[100];
	int fd = open("/dev/fb0", O_RDONLY);

	if (fd < 0) { /* Debian's kernel has no driver for it */
		WANT_IS(errno, ENOENT);
		return;
	}
	WANT_IS(ioctl(fd, FBIOGET_VSCREENINFO, &var), 0);
	WANT_IS(ioctl(fd, FBIOGET_FSCREENINFO, &fix), 0);
	snprintf(wanted, sizeof wanted, "%u,%u\n", var.xres_virtual, var.yres_virtual);
	WANT(!strcmp(text_of("/sys/class/graphics/fb0/virtual_size"), wanted));
	snprintf(wanted, sizeof wanted, "%u\n", fix.line_length);
	WANT(!strcmp(text_of("/sys/class/graphics/fb0/stride"), wanted));
	snprintf(wanted, sizeof wanted, "%s\n", fix.id);
	WANT(!strcmp(text_of("/sys/class/graphics/fb0/name"), wanted));
	WANT(!strcmp(text_of("/sys/class/graphics/fb0/bits_per_pixel"), "32\n"));
	WANT(!strncmp(text_of("/sys/class/graphics/fb0/dev"), "29:0", 4));
}

static const struct test_case cases[] = {
	CASE(acpi_tables, "devices: ACPI's tables are whole"),
	CASE(dmi, "devices: SMBIOS's table and its words"),
	CASE(pci, "devices: PCI functions, by what their configuration says"),
	CASE(resources, "devices: where their registers are"),
	CASE(config_of_others, "devices: what is root's to read"),
	CASE(caches, "devices: caches"),
	CASE(memory_blocks, "devices: blocks of memory"),
	CASE(consoles, "devices: consoles and terminals"),
	CASE(framebuffer, "devices: the framebuffer"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
