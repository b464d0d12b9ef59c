/* SPDX-License-Identifier: MIT */
/* Tables that are wrong: UEFI's, ACPI's, SMBIOS's, the CPU's. */
#include "bad_firmware.h"

#include "chain.h"

#define ACPI_HEADER   36u
#define MADT_CPUS     44u
#define AGILE_LOG     2u
#define HPET_ADDRESS  44u
#define NO_CPU        255u /* an identifier that xAPIC cannot reach */

#define PAGE          UINT64_C(4096)
#define LARGE_PAGE    UINT64_C(0x200000)
#define HUGE_PAGE     UINT64_C(0x40000000)
#define ENTRY_ADDRESS UINT64_C(0x000ffffffffff000)
#define ENTRY_LEAF    UINT64_C(0x80)
#define MEMORY_RO     UINT64_C(0x20000)
#define MEMORY_XP     UINT64_C(0x4000)

static void *capsule_query; /* the firmware's */

static void *configuration(const EFI_GUID *guid)
{
	for (UINTN i = 0; i < bad_system->NumberOfTableEntries; i++)
		if (guid_equal(&bad_system->ConfigurationTable[i].VendorGuid, guid))
			return bad_system->ConfigurationTable[i].VendorTable;
	return NULL;
}

static void *allocate(EFI_MEMORY_TYPE type, UINTN size)
{
	void *memory = NULL;

	if (bad_system->BootServices->AllocatePool(type, size, &memory))
		return NULL;
	__builtin_memset(memory, 0, size);
	return memory;
}

/* ---- UEFI's ---- */

static EFI_STATUS EFIAPI ask_nothing(
	EFI_CAPSULE_HEADER **capsules, UINTN count, UINT64 *most, EFI_RESET_TYPE *reset)
{
	return EFI_UNSUPPORTED;
}

static void move_pointer(void)
{
	EFI_RUNTIME_SERVICES *services = bad_system->RuntimeServices;

	__builtin_memcpy(
		&capsule_query, &services->QueryCapsuleCapabilities, sizeof(capsule_query));
	services->QueryCapsuleCapabilities = ask_nothing;
	seal_header(&services->Hdr);
}

/* The last entry once more. */
static void list_twice(void)
{
	UINTN count = bad_system->NumberOfTableEntries;
	EFI_CONFIGURATION_TABLE *table =
		allocate(EfiBootServicesData, (count + 1) * sizeof(*table));

	if (!table)
		return;
	__builtin_memcpy(table, bad_system->ConfigurationTable, count * sizeof(*table));
	table[count] = table[count - 1];
	bad_system->ConfigurationTable = table;
	bad_system->NumberOfTableEntries = count + 1;
	seal_header(&bad_system->Hdr);
}

static void install(const EFI_GUID *guid, void *table)
{
	EFI_GUID copy = *guid;

	if (table)
		bad_system->BootServices->InstallConfigurationTable(&copy, table);
}

static void install_esrt(void)
{
	static const EFI_GUID guid = ESRT_GUID;
	uint32_t *table = allocate(EfiRuntimeServicesData, 16 + 2 * 40);

	if (table) {
		table[0] = table[1] = 2; /* two resources, with the same GUID */
		table[2] = 1;
		install(&guid, table);
	}
}

static void install_properties(void)
{
	static const EFI_GUID guid = RT_PROPERTIES_TABLE_GUID;
	uint16_t *table = allocate(EfiRuntimeServicesData, 8);

	if (table) {
		table[0] = 2; /* the version */
		table[1] = 8;
		table[2] = 0x3fff;
		install(&guid, table);
	}
}

/* ---- ACPI's ---- */

static uint32_t length_of(const uint8_t *table)
{
	uint32_t length;

	__builtin_memcpy(&length, table + 4, sizeof(length));
	return length;
}

static void seal(uint8_t *table)
{
	uint8_t sum = 0;

	table[9] = 0;
	for (uint32_t i = 0; i < length_of(table); i++)
		sum = (uint8_t)(sum + table[i]);
	table[9] = (uint8_t)-sum;
}

static uint8_t *root_table(void)
{
	static const EFI_GUID guid = ACPI_20_TABLE_GUID;
	uint8_t *rsdp = configuration(&guid), *xsdt = NULL;

	if (rsdp)
		__builtin_memcpy(&xsdt, rsdp + 24, sizeof(xsdt));
	return xsdt;
}

/* Where the root table has this table's address; NULL: there is none. */
static uint8_t *entry_of(const char *name)
{
	uint8_t *xsdt = root_table(), *table;

	for (uint32_t at = ACPI_HEADER; xsdt && at + 8 <= length_of(xsdt); at += 8) {
		__builtin_memcpy(&table, xsdt + at, sizeof(table));
		if (!__builtin_memcmp(table, name, 4))
			return xsdt + at;
	}
	return NULL;
}

static uint8_t *acpi_table(const char *name)
{
	uint8_t *entry = entry_of(name), *table = NULL;

	if (entry)
		__builtin_memcpy(&table, entry, sizeof(table));
	return table;
}

/* A copy with room for more, in memory of this type, takes the place of the table. NULL: there is none. */
static uint8_t *replace(const char *name, EFI_MEMORY_TYPE type, uint32_t more)
{
	uint8_t *entry = entry_of(name), *old = acpi_table(name), *new;

	new = entry ? allocate(type, length_of(old) + more) : NULL;
	if (!new)
		return NULL;
	__builtin_memcpy(new, old, length_of(old));
	__builtin_memcpy(entry, &new, sizeof(new));
	seal(root_table());
	return new;
}

/* One more CPU, which is not there, with the first one's UID. An APIC identifier twice, and the kernel believes nothing of the table. */
static void list_cpu_twice(void)
{
	uint8_t *madt = replace("APIC", EfiACPIReclaimMemory, 8);
	uint32_t length = madt ? length_of(madt) : 0;

	for (uint32_t at = MADT_CPUS; at + 8 <= length && madt[at + 1]; at += madt[at + 1]) {
		if (madt[at])
			continue;
		__builtin_memcpy(madt + length, madt + at, 8);
		madt[length + 3] = NO_CPU;
		length += 8;
		__builtin_memcpy(madt + 4, &length, sizeof(length));
		seal(madt);
		return;
	}
}

static void add_to_field(const char *name, uint32_t at, uint64_t difference, uint32_t instead)
{
	uint8_t *table = acpi_table(name);
	uint64_t value;
	uint32_t old;

	if (!table || length_of(table) < at + 8)
		return;
	__builtin_memcpy(&value, table + at, sizeof(value));
	if (!value && instead) {
		__builtin_memcpy(&old, table + instead, sizeof(old));
		value = old;
	}
	value += difference;
	__builtin_memcpy(table + at, &value, sizeof(value));
	seal(table);
}

/* A table of this name and length, its contents zeros, takes another's place; for seal(). NULL: there was none. */
static uint8_t *put_instead(const char *name, const char *new_name, uint32_t length)
{
	uint8_t *entry = entry_of(name), *old = acpi_table(name), *new;

	new = entry ? allocate(EfiACPIReclaimMemory, length) : NULL;
	if (!new)
		return NULL;
	__builtin_memcpy(new, old, ACPI_HEADER);
	__builtin_memcpy(new, new_name, 4);
	__builtin_memcpy(new + 4, &length, sizeof(length));
	__builtin_memcpy(entry, &new, sizeof(new));
	seal(root_table());
	return new;
}

/* A timer that stands, in memory: its registers say a period and nothing else. */
static void put_hpet_in_memory(void)
{
	uint8_t *table = acpi_table("HPET");
	uint32_t period = 10000000; /* femtoseconds */
	EFI_PHYSICAL_ADDRESS page;

	if (!table || bad_system->BootServices->AllocatePages(
			      AllocateAnyPages, EfiRuntimeServicesData, 1, &page))
		return;
	__builtin_memset((void *)page, 0, PAGE);
	__builtin_memcpy((uint8_t *)page + 4, &period, sizeof(period));
	__builtin_memcpy(table + HPET_ADDRESS, &page, sizeof(page));
	seal(table);
}

/* The loader's image was started before it was loaded. */
static void list_times(void)
{
	static const uint64_t times[] = {1000, 9000, 8000, 10000, 11000};
	uint8_t *table = put_instead("BGRT", "FPDT", ACPI_HEADER + 16);
	uint8_t *record = allocate(EfiACPIMemoryNVS, 56);

	if (!table || !record)
		return;
	__builtin_memcpy(table + ACPI_HEADER, "\0\0\20\1", 4); /* where the boot record is */
	__builtin_memcpy(table + ACPI_HEADER + 8, &record, sizeof(record));
	seal(table);
	__builtin_memcpy(record, "FBPT\70\0\0\0\2\0\60\2", 12);
	__builtin_memcpy(record + 16, times, sizeof(times));
}

/* A console where no UART is. */
static void list_console(void)
{
	static const uint8_t address[] = {1, 8, 0, 1, 0xe8, 0x02}; /* port 2e8h */
	uint8_t *table = put_instead("BGRT", "SPCR", 80);

	if (!table)
		return;
	__builtin_memcpy(table + ACPI_HEADER + 4, address, sizeof(address));
	seal(table);
}

static void spoil_acpi(void)
{
	uint8_t *table;

	if (chosen(FAULT_acpi_memory))
		replace("BGRT", EfiBootServicesData, 0);
	table = chosen(FAULT_acpi_checksum) ? acpi_table("WAET") : NULL;
	if (table)
		table[9]++;
	if (chosen(FAULT_hpet))
		put_hpet_in_memory();
	if (chosen(FAULT_fpdt))
		list_times();
	if (chosen(FAULT_spcr))
		list_console();
	if (chosen(FAULT_fadt)) /* X_GPE0_BLK, GPE0_BLK */
		add_to_field("FACP", 224, 16, 80);
	if (chosen(FAULT_madt))
		list_cpu_twice();
	if (chosen(FAULT_mcfg))
		add_to_field("MCFG", 44, PAGE, 0);
}

/* ---- The TCG's ---- */

/* A bit of the newest event's first digest, which the TPM's register knows better: behind PCR, type, number of digests and
 * algorithm (TCG PC Client Platform Firmware Profile 1.05, 10.2.2). */
static void forge_event(void)
{
	static EFI_GUID guid = TCG2_PROTOCOL_GUID;
	struct tcg2_protocol *tcg2;
	EFI_PHYSICAL_ADDRESS log, last;
	BOOLEAN truncated;

	if (!bad_system->BootServices->LocateProtocol(&guid, NULL, (void **)&tcg2) &&
		!tcg2->get_event_log(tcg2, AGILE_LOG, &log, &last, &truncated) && last)
		((uint8_t *)last)[14] ^= 1;
}

/* ---- The CPU's ---- */

/* The base of the data segment, which nobody uses. */
static void spoil_descriptor(void)
{
	struct __attribute__((packed)) {
		uint16_t limit;
		uint64_t base;
	} gdt;
	uint16_t selector;

	__asm__ volatile("sgdt %0" : "=m"(gdt));
	__asm__ volatile("mov %%ds, %0" : "=r"(selector));
	((uint8_t *)gdt.base)[(selector & 0xfff8u) + 2] = 0x10;
}

/* The entry for `address` in the tables, split as far as large pages. NULL: no memory. */
static uint64_t *large_entry(uint64_t address)
{
	uint64_t *table, *entry, *split;

	__asm__ volatile("mov %%cr3, %0" : "=r"(table));
	table = (uint64_t *)((uint64_t)table & ENTRY_ADDRESS);
	entry = &table[address >> 39 & 511];
	entry = &((uint64_t *)(*entry & ENTRY_ADDRESS))[address >> 30 & 511];
	if (*entry & ENTRY_LEAF) {
		EFI_PHYSICAL_ADDRESS page;

		if (bad_system->BootServices->AllocatePages(
			    AllocateAnyPages, EfiBootServicesData, 1, &page))
			return NULL;
		split = (uint64_t *)page;
		for (uint64_t i = 0; i < 512; i++)
			split[i] = *entry + i * LARGE_PAGE;
		*entry = page | 3;
	}
	return &((uint64_t *)(*entry & ENTRY_ADDRESS))[address >> 21 & 511];
}

/* Memory of our own shows other memory of our own. The tables are read-only for the firmware, too. */
static void spoil_mapping(void)
{
	EFI_PHYSICAL_ADDRESS base;
	uint64_t *entry, cr3, cr0 = code_writable();

	if (!bad_system->BootServices->AllocatePages(
		    AllocateAnyPages, EfiBootServicesData, 3 * LARGE_PAGE / PAGE, &base)) {
		base = (base + LARGE_PAGE - 1) & ~(LARGE_PAGE - 1);
		entry = large_entry(base);
		if (entry && *entry & ENTRY_LEAF)
			*entry += LARGE_PAGE;
		__asm__ volatile("mov %%cr3, %0; mov %0, %%cr3" : "=r"(cr3) : : "memory");
	}
	code_protected(cr0);
}

/* ---- The memory attributes table ---- */

static EFI_MEMORY_DESCRIPTOR *attribute(struct memory_attributes_table *table, uint32_t index)
{
	return (void *)((uint8_t *)(table + 1) + index * table->descriptor_size);
}

static void swap(EFI_MEMORY_DESCRIPTOR *a, EFI_MEMORY_DESCRIPTOR *b)
{
	EFI_MEMORY_DESCRIPTOR was = *a;

	*a = *b;
	*b = was;
}

/* After all that allocates, since the firmware makes the table anew then. */
void spoil_attributes(void)
{
	static const EFI_GUID guid = MEMORY_ATTRIBUTES_TABLE_GUID;
	struct memory_attributes_table *table = configuration(&guid);
	uint32_t last = table ? table->entries - 1 : 0;

	if (!table || table->entries < 4)
		return;
	if (chosen(FAULT_attributes_permissions))
		attribute(table, last)->Attribute &= ~(MEMORY_RO | MEMORY_XP);
	if (chosen(FAULT_attributes_cover))
		attribute(table, last)->NumberOfPages--;
	if (chosen(FAULT_attributes_inside)) /* data of an image, in code's memory */
		attribute(table, last)->Type = EfiRuntimeServicesCode;
	for (uint32_t i = 0; chosen(FAULT_attributes_images) && i < table->entries; i++) {
		EFI_MEMORY_DESCRIPTOR *d = attribute(table, i);

		if (d->Attribute & MEMORY_RO && !(d->Attribute & MEMORY_XP)) {
			d->Attribute |= MEMORY_XP;
			break;
		}
	}
	if (chosen(FAULT_attributes_sorted))
		swap(attribute(table, 0), attribute(table, 1));
}

void spoil_tables(void)
{
	static const EFI_GUID smbios = SMBIOS_TABLE_GUID;
	uint8_t *anchor = configuration(&smbios);

	if (chosen(FAULT_entry_selectors))
		spoil_descriptor();
	if (chosen(FAULT_entry_mapping))
		spoil_mapping();
	if (chosen(FAULT_event_log))
		forge_event();
	if (chosen(FAULT_esrt))
		install_esrt();
	if (chosen(FAULT_rt_properties))
		install_properties();
	if (chosen(FAULT_runtime_pointer))
		move_pointer();
	if (chosen(FAULT_configuration_twice))
		list_twice();
	spoil_acpi();
	if (chosen(FAULT_smbios) && anchor)
		anchor[4]++;
	if (chosen(FAULT_headers))
		bad_system->BootServices->Hdr.CRC32++;
}

void spoil_tables_at_exit(void)
{
	EFI_RUNTIME_SERVICES *services = bad_system->RuntimeServices;

	if (capsule_query) {
		__builtin_memcpy(
			&services->QueryCapsuleCapabilities, &capsule_query, sizeof(capsule_query));
		seal_header(&services->Hdr);
	}
	if (chosen(FAULT_configuration_moves))
		bad_system->ConfigurationTable[0].VendorTable = bad_system;
}
