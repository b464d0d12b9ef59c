/* SPDX-License-Identifier: MIT */
/* The services: see firmware.h. */
#include "firmware.h"

#include <baton/boot_good.h>
#include <baton/panic_record.h>

#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE       UINT64_C(4096)
#define WAITS_MOST 10000u
#define VARIABLES  24u
#define WELL_KNOWN (UINT64_C(0xfe000000))

struct facts facts;

struct plan firmware_plan;
static uint8_t types[RAM_PAGES]; /* enum EFI_MEMORY_TYPE of each page */
static UINTN map_key = 100;
static unsigned stale_left, waits;
static uint64_t by_name[64]; /* how often each service was called; beside `service_names` */
static const char *service_names[64];

void broken(const char *what, uint64_t value)
{
	fprintf(stderr, "the firmware's rules are broken: %s (0x%llx), in call %u\n", what,
		(unsigned long long)value, facts.calls);
	_exit(1);
}

/* ---- Faults ---- */

static uint64_t count_of(const char *service)
{
	unsigned i;

	for (i = 0; i < 63 && service_names[i] && strcmp(service_names[i], service); i++)
		;
	service_names[i] = service;
	return ++by_name[i];
}

/* Whether the fault meets this call. */
static bool meets(const char *service)
{
	uint64_t nth = count_of(service);

	if (facts.calls < CALLS_MOST)
		facts.names[facts.calls] = service;
	facts.calls++;
	if (firmware_plan.service && strcmp(firmware_plan.service, service))
		return false;
	if (!firmware_plan.service)
		nth = facts.calls;
	return firmware_plan.fault == FAULT_FROM ? nth >= firmware_plan.nth
						 : nth == firmware_plan.nth;
}

static bool long_read; /* the fault meets the read that is under way */

EFI_STATUS called(const char *service)
{
	bool met = firmware_plan.fault != FAULT_NONE ? meets(service) : (meets(service), false);
	bool at_exit = !strcmp(service, "GetMemoryMap") || !strcmp(service, "ExitBootServices");

	if (facts.gone)
		broken(service, 1);
	if (facts.exit_called && !at_exit)
		broken(service, 2);
	long_read = false;
	if (!met)
		return EFI_SUCCESS;
	if (firmware_plan.fault >= FAULT_SHORT) {
		long_read = true;
		if (!strcmp(service, "Read"))
			facts.failed = service;
		return EFI_SUCCESS;
	}
	facts.failed = facts.failed ? facts.failed : service;
	return firmware_plan.status;
}

size_t read_length(size_t size)
{
	if (!long_read || !size)
		return size;
	if (firmware_plan.fault == FAULT_EMPTY)
		return 0;
	return firmware_plan.fault == FAULT_LONG ? size + 1 : (size + 1) / 2;
}

/* ---- Memory ---- */

static void *ram(uint64_t page)
{
	return (void *)(uintptr_t)(RAM_BASE + page * PAGE);
}

static bool pages_are(uint64_t first, uint64_t count, uint8_t type)
{
	if (first > RAM_PAGES || count > RAM_PAGES - first)
		return false;
	for (uint64_t i = 0; i < count; i++)
		if (types[first + i] != type)
			return false;
	return true;
}

static void set_pages(uint64_t first, uint64_t count, uint8_t type)
{
	memset(types + first, type, count);
	map_key++;
}

static EFI_STATUS EFIAPI allocate_pages(
	EFI_ALLOCATE_TYPE how, EFI_MEMORY_TYPE type, UINTN count, EFI_PHYSICAL_ADDRESS *base)
{
	EFI_STATUS status = called("AllocatePages");
	uint64_t first = (*base - RAM_BASE) / PAGE;

	if (status)
		return status;
	if (!count || (how == AllocateAddress && *base % PAGE))
		return EFI_INVALID_PARAMETER;
	if (how != AllocateAddress) /* from the top, as EDK2 */
		for (first = RAM_PAGES - count;
			first && !pages_are(first, count, EfiConventionalMemory);)
			first--;
	if (!pages_are(first, count, EfiConventionalMemory))
		return how == AllocateAddress ? EFI_NOT_FOUND : EFI_OUT_OF_RESOURCES;
	set_pages(first, count, (uint8_t)type);
	ASAN_UNPOISON_MEMORY_REGION(ram(first), count * PAGE);
	memset(ram(first), 0xa5, count * PAGE);
	facts.pages += (unsigned)count;
	*base = RAM_BASE + first * PAGE;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI free_pages(EFI_PHYSICAL_ADDRESS base, UINTN count)
{
	EFI_STATUS status = called("FreePages");
	uint64_t first = (base - RAM_BASE) / PAGE;

	if (!pages_are(first, count, EfiLoaderData))
		broken("pages are given back that were not taken", base);
	facts.pages -= (unsigned)count; /* given back as far as the loader can do it */
	if (status)
		return status;
	set_pages(first, count, EfiConventionalMemory);
	ASAN_POISON_MEMORY_REGION(ram(first), count * PAGE);
	return EFI_SUCCESS;
}

static void add_descriptor(
	uint8_t *to, UINTN room, UINTN *used, uint32_t type, uint64_t base, uint64_t pages)
{
	EFI_MEMORY_DESCRIPTOR descriptor = {.Type = type,
		.PhysicalStart = base,
		.NumberOfPages = pages,
		.Attribute =
			EFI_MEMORY_WB | (type == EfiRuntimeServicesData ? EFI_MEMORY_RUNTIME : 0)};

	if (*used + firmware_plan.descriptor_size <= room) {
		memset(to + *used, 0xee, firmware_plan.descriptor_size);
		memcpy(to + *used, &descriptor, sizeof(descriptor));
	}
	*used += firmware_plan.descriptor_size;
}

static EFI_STATUS EFIAPI get_memory_map(UINTN *size, EFI_MEMORY_DESCRIPTOR *map, UINTN *key,
	UINTN *descriptor_size, UINT32 *version)
{
	EFI_STATUS status = called("GetMemoryMap");
	UINTN used = 0, room = *size;
	uint8_t *to = (uint8_t *)map;
	uint64_t i, end;

	if (status)
		return status;
	add_descriptor(to, room, &used, EfiBootServicesData, 0, 1);
	add_descriptor(to, room, &used, EfiConventionalMemory, PAGE, 159);
	for (i = 0; i < RAM_PAGES; i = end) {
		for (end = i + 1; end < RAM_PAGES && types[end] == types[i]; end++)
			;
		add_descriptor(to, room, &used, types[i], RAM_BASE + i * PAGE, end - i);
	}
	add_descriptor(to, room, &used, EfiRuntimeServicesData, UINT64_C(0x1f000000), 64);
	add_descriptor(to, room, &used, EfiMemoryMappedIO, WELL_KNOWN, 16);
	*size = used;
	*descriptor_size = firmware_plan.descriptor_size;
	*version = 1;
	if (used > room)
		return EFI_BUFFER_TOO_SMALL;
	*key = map_key;
	return EFI_SUCCESS;
}

void *take_pool(size_t size)
{
	facts.pools++;
	map_key++;
	return malloc(size);
}

static EFI_STATUS EFIAPI free_pool(void *pool)
{
	EFI_STATUS status = called("FreePool");

	facts.pools--;
	map_key++;
	free(pool);
	return status;
}

static EFI_STATUS EFIAPI exit_boot_services(EFI_HANDLE image, UINTN key)
{
	EFI_STATUS status = called("ExitBootServices");

	(void)image;
	facts.exit_called = true;
	if (status)
		return status;
	if (stale_left) {
		stale_left--;
		map_key++;
		return EFI_INVALID_PARAMETER;
	}
	if (key != map_key)
		broken("ExitBootServices with a stale key", key);
	facts.gone = true;
	return EFI_SUCCESS;
}

/* ---- Console, keyboard, events ---- */

static EFI_STATUS EFIAPI output_string(SIMPLE_TEXT_OUTPUT_INTERFACE *self, CHAR16 *text)
{
	EFI_STATUS status = called("OutputString");

	(void)self;
	for (; *text && facts.console_length + 1 < sizeof(facts.console); text++)
		facts.console[facts.console_length++] = (char)*text;
	return status;
}

static EFI_STATUS EFIAPI clear_screen(SIMPLE_TEXT_OUTPUT_INTERFACE *self)
{
	(void)self;
	return called("ClearScreen");
}

static SIMPLE_TEXT_OUTPUT_INTERFACE console = {
	.OutputString = output_string, .ClearScreen = clear_screen};

/* Down, up, the options opened and left, opened again with a letter typed and taken back; Enter. */
static const EFI_INPUT_KEY keys[] = {
	{2, 0}, {1, 0}, {0, 'e'}, {0x17, 0}, {0, 'e'}, {0, 'x'}, {0, '\b'}, {0, '\r'}};
static unsigned next_key, quiet;

static EFI_STATUS EFIAPI read_key(SIMPLE_INPUT_INTERFACE *self, EFI_INPUT_KEY *key)
{
	EFI_STATUS status = called("ReadKeyStroke");

	(void)self;
	if (status)
		return status;
	if (quiet++ % 2 == 0 || next_key == sizeof(keys) / sizeof(keys[0]))
		return EFI_NOT_READY;
	*key = keys[next_key++];
	return EFI_SUCCESS;
}

static SIMPLE_INPUT_INTERFACE keyboard = {.ReadKeyStroke = read_key, .WaitForKey = (EFI_EVENT)1};

static EFI_STATUS EFIAPI create_event(
	UINT32 type, EFI_TPL tpl, EFI_EVENT_NOTIFY notify, void *context, EFI_EVENT *event)
{
	EFI_STATUS status = called("CreateEvent");

	(void)type, (void)tpl, (void)notify, (void)context;
	if (status)
		return status;
	facts.events++;
	*event = (EFI_EVENT)2;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_timer(EFI_EVENT event, EFI_TIMER_DELAY type, UINT64 time)
{
	(void)event, (void)type, (void)time;
	return called("SetTimer");
}

static EFI_STATUS EFIAPI wait_for_event(UINTN count, EFI_EVENT *events, UINTN *which)
{
	EFI_STATUS status = called("WaitForEvent");

	if (++waits > WAITS_MOST)
		broken("it waits without end", waits);
	if (status)
		return status;
	*which = 0;
	if (events[0] == (EFI_EVENT)1 && next_key == sizeof(keys) / sizeof(keys[0])) {
		if (count < 2)
			broken("it waits for a key that never comes", count);
		*which = 1;
	}
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI close_event(EFI_EVENT event)
{
	EFI_STATUS status = called("CloseEvent");

	(void)event;
	facts.events--;
	return status;
}

static EFI_STATUS EFIAPI set_watchdog(UINTN seconds, UINT64 code, UINTN size, CHAR16 *data)
{
	(void)code, (void)size, (void)data;
	facts.watchdog = seconds; /* as far as the loader can do it */
	return called("SetWatchdogTimer");
}

/* ---- Variables ---- */

static struct variable {
	CHAR16 name[40];
	uint8_t data[1024];
	size_t size; /* 0: free */
} variables[VARIABLES];

static struct variable *find_variable(const CHAR16 *name, bool make)
{
	struct variable *place = NULL;

	for (unsigned i = 0; i < VARIABLES; i++) {
		unsigned n = 0;

		if (!variables[i].size) {
			place = place ? place : &variables[i];
			continue;
		}
		while (name[n] && name[n] == variables[i].name[n])
			n++;
		if (name[n] == variables[i].name[n])
			return &variables[i];
	}
	if (!make || !place)
		return NULL;
	for (unsigned n = 0; n < 39 && (n == 0 || name[n - 1]); n++)
		place->name[n] = name[n];
	return place;
}

static EFI_STATUS EFIAPI get_variable(
	CHAR16 *name, EFI_GUID *guid, UINT32 *attributes, UINTN *size, void *data)
{
	EFI_STATUS status = called("GetVariable");
	struct variable *variable = find_variable(name, false);
	UINTN room = *size;

	(void)guid, (void)attributes;
	if (status)
		return status;
	if (!variable)
		return EFI_NOT_FOUND;
	*size = variable->size;
	if (room < variable->size)
		return EFI_BUFFER_TOO_SMALL;
	memcpy(data, variable->data, variable->size);
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_variable(
	CHAR16 *name, EFI_GUID *guid, UINT32 attributes, UINTN size, void *data)
{
	EFI_STATUS status = called("SetVariable");
	struct variable *variable;

	(void)guid, (void)attributes;
	if (status)
		return status;
	variable = find_variable(name, size != 0);
	if (!variable)
		return size ? EFI_OUT_OF_RESOURCES : EFI_NOT_FOUND;
	if (size > sizeof(variable->data))
		return EFI_OUT_OF_RESOURCES;
	if (size)
		memcpy(variable->data, data, size);
	variable->size = size;
	return EFI_SUCCESS;
}

/* ---- All together ---- */

static EFI_BOOT_SERVICES boot_services;
static EFI_RUNTIME_SERVICES runtime_services;
static EFI_SYSTEM_TABLE system_table;
static EFI_CONFIGURATION_TABLE tables[2];
static struct __attribute__((packed)) {
	struct memory_attributes_table header;
	uint8_t entries[2][48];
} attributes = {{1, 2, 48, 0}, {{0}}};

static void make_memory(void)
{
	void *at = mmap(ram(0), RAM_PAGES * PAGE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE, -1, 0);

	if (at != ram(0))
		broken("there is no place for the RAM", (uintptr_t)at);
	memset(types, EfiConventionalMemory, sizeof(types));
	memset(types + 100, EfiBootServicesData, 50);
	memset(types + 400, EfiReservedMemoryType, 3);
	for (unsigned i = 0; i < firmware_plan.fragments;
		i++) /* one page of each two, in the upper half */
		types[RAM_PAGES / 2 - 1 + i] = i % 2 ? EfiBootServicesCode : EfiBootServicesData;
	ASAN_POISON_MEMORY_REGION(ram(0), RAM_PAGES * PAGE);
}

static void make_panic_record(void)
{
	static struct panic_record record;
	struct variable *variable = find_variable((CHAR16[])PANIC_VARIABLE_NAME, true);

	record.length = (uint16_t)snprintf(record.text, sizeof(record.text), "a test\n");
	variable->size = panic_record_seal(&record);
	memcpy(variable->data, &record, variable->size);
}

static void make_files(
	const void *kernel, size_t kernel_size, const void *initrd, size_t initrd_size)
{
	static const char entry[] =
		"title Probe\nkernel /baton/probe.elf\ninitrd /baton/initrd.cpio\n"
		"options one two=2\n";
	static const char other[] = "title Other\nkernel /baton/probe.elf\noptions video=800x600\n";
	static const char straight[] = "default probe.conf\n", menu[] = "timeout 3\ndefault p*\n";
	static uint8_t seed[512];

	memset(seed, 's', sizeof(seed));
	if (firmware_plan.menu)
		volume_add("\\loader\\loader.conf", menu, sizeof(menu) - 1);
	else
		volume_add("\\loader\\loader.conf", straight, sizeof(straight) - 1);
	volume_add("\\loader\\entries\\other.conf", other, sizeof(other) - 1);
	volume_add(firmware_plan.counted ? "\\loader\\entries\\probe+3.conf"
					 : "\\loader\\entries\\probe.conf",
		entry, sizeof(entry) - 1);
	volume_add("\\loader\\random-seed", seed, sizeof(seed));
	volume_add("\\baton\\probe.elf", kernel, kernel_size);
	volume_add("\\baton\\initrd.cpio", initrd, initrd_size);
}

static void make_services(void)
{
	boot_services = (EFI_BOOT_SERVICES){.AllocatePages = allocate_pages,
		.FreePages = free_pages,
		.GetMemoryMap = get_memory_map,
		.FreePool = free_pool,
		.CreateEvent = create_event,
		.SetTimer = set_timer,
		.WaitForEvent = wait_for_event,
		.CloseEvent = close_event,
		.HandleProtocol = handle_protocol,
		.LocateProtocol = locate_protocol,
		.LocateHandleBuffer = locate_handles,
		.ExitBootServices = exit_boot_services,
		.SetWatchdogTimer = set_watchdog};
	runtime_services =
		(EFI_RUNTIME_SERVICES){.GetVariable = get_variable, .SetVariable = set_variable};
	tables[0] = (EFI_CONFIGURATION_TABLE){MEMORY_ATTRIBUTES_TABLE_GUID, &attributes};
	tables[1] =
		(EFI_CONFIGURATION_TABLE){ACPI_TABLE_GUID, &attributes}; /* an address, no more */
	system_table = (EFI_SYSTEM_TABLE){.FirmwareVendor = L"Host",
		.FirmwareRevision = 0x20000,
		.ConOut = firmware_plan.no_console ? NULL : &console,
		.ConIn = firmware_plan.no_console ? NULL : &keyboard,
		.BootServices = &boot_services,
		.RuntimeServices = &runtime_services,
		.NumberOfTableEntries = 2,
		.ConfigurationTable = tables};
	system_table.Hdr.Revision = 0x2000a;
}

EFI_SYSTEM_TABLE *firmware_start(const struct plan *what, const void *kernel, size_t kernel_size,
	const void *initrd, size_t initrd_size, EFI_HANDLE *image)
{
	firmware_plan = *what;
	stale_left = firmware_plan.stale;
	facts.watchdog = 300; /* as a boot manager sets it */
	make_memory();
	make_files(kernel, kernel_size, initrd, initrd_size);
	if (firmware_plan.panic_record)
		make_panic_record();
	make_services();
	devices_start(&system_table.ConsoleOutHandle, image);
	return &system_table;
}
