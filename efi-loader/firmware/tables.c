/* SPDX-License-Identifier: MIT */
/*
 * What the firmware leaves for the kernel: configuration tables, the memory attributes, random
 * bytes.
 */
#include "console.h"
#include "cpu.h"
#include "loader.h"

#define RNG_BYTES       32u
#define RDRAND_WORDS    8u
#define RDRAND_ATTEMPTS 10
#define TSC_STAMPS      32u

static EFI_CONFIGURATION_TABLE *find_table(struct loader *l, const EFI_GUID *guid)
{
	for (UINTN i = 0; i < l->system->NumberOfTableEntries; i++)
		if (guid_equal(&l->system->ConfigurationTable[i].VendorGuid, guid))
			return &l->system->ConfigurationTable[i];
	return NULL;
}

static uint64_t table_address(struct loader *l, const EFI_GUID *guid)
{
	EFI_CONFIGURATION_TABLE *t = find_table(l, guid);

	return t ? (uint64_t)t->VendorTable : 0;
}

static void add_from_protocol(struct loader *l)
{
	static EFI_GUID guid = EFI_RNG_PROTOCOL_GUID;
	EFI_RNG_PROTOCOL *rng;
	uint8_t bytes[RNG_BYTES];

	if (l->boot->LocateProtocol(&guid, NULL, (void **)&rng) ||
		rng->GetRNG(rng, NULL, sizeof(bytes), bytes))
		return;
	random_pool_add(&l->random, bytes, sizeof(bytes));
	l->handoff.seed_sources |= HANDOFF_SEED_RNG_PROTOCOL;
}

static bool rdrand(uint64_t *word)
{
	for (int i = 0; i < RDRAND_ATTEMPTS; i++) {
		bool good;

		__asm__ volatile("rdrand %0" : "=r"(*word), "=@ccc"(good));
		if (good)
			return true;
	}
	return false;
}

/* Some CPUs say that RDRAND worked and give the same word for ever: those do not count. */
static void add_from_rdrand(struct loader *l)
{
	uint64_t words[RDRAND_WORDS];
	bool differ = false;

	if (!(cpuid(1, 0).c & 1u << 30))
		return;
	for (unsigned int i = 0; i < RDRAND_WORDS; i++) {
		if (!rdrand(&words[i]))
			return;
		differ |= words[i] != words[0];
	}
	if (!differ)
		return;
	random_pool_add(&l->random, words, sizeof(words));
	l->handoff.seed_sources |= HANDOFF_SEED_RDRAND;
}

void gather_randomness(struct loader *l)
{
	uint64_t stamps[TSC_STAMPS];

	for (unsigned int i = 0; i < TSC_STAMPS; i++)
		stamps[i] = read_tsc();
	random_pool_add(&l->random, stamps, sizeof(stamps));
	l->handoff.seed_sources |= HANDOFF_SEED_TSC;
	add_from_rdrand(l);
	add_from_protocol(l);
}

/* Bytes of the memory attributes table; 0: there is none, or one that contradicts itself. */
static uint64_t attributes_size(struct loader *l)
{
	static const EFI_GUID guid = MEMORY_ATTRIBUTES_TABLE_GUID;
	EFI_CONFIGURATION_TABLE *t = find_table(l, &guid);
	const struct memory_attributes_table *m = t ? t->VendorTable : NULL;

	if (!m || m->descriptor_size < sizeof(struct firmware_descriptor) ||
		m->descriptor_size > 4096 || m->entries > 65536)
		return 0;
	return sizeof(*m) + (uint64_t)m->entries * m->descriptor_size;
}

void measure_firmware_tables(struct loader *l)
{
	l->handoff.memory_attributes.size = attributes_size(l);
}

static EFI_STATUS copy_attributes(struct loader *l)
{
	static const EFI_GUID guid = MEMORY_ATTRIBUTES_TABLE_GUID;
	struct handoff_range *to = &l->handoff.memory_attributes;

	*to = (struct handoff_range){l->areas.memory_attributes.base, attributes_size(l)};
	if (!to->size) {
		*to = (struct handoff_range){0};
		return EFI_SUCCESS;
	}
	if (to->size > l->areas.memory_attributes.size)
		return fail(EFI_BUFFER_TOO_SMALL,
			"memory attributes table: %lu bytes, there is room for %lu", to->size,
			l->areas.memory_attributes.size);
	__builtin_memcpy((void *)to->base, (void *)table_address(l, &guid), to->size);
	return EFI_SUCCESS;
}

static EFI_STATUS copy_configuration(struct loader *l)
{
	uint64_t size = l->system->NumberOfTableEntries * sizeof(EFI_CONFIGURATION_TABLE);
	struct handoff_range *area = &l->areas.configuration_tables;

	if (size > area->size)
		return fail(EFI_BUFFER_TOO_SMALL,
			"configuration tables: %lu bytes, there is room for %lu", size, area->size);
	if (size)
		l->handoff.configuration_tables = (struct handoff_range){area->base, size};
	__builtin_memcpy((void *)area->base, l->system->ConfigurationTable, size);
	return EFI_SUCCESS;
}

EFI_STATUS copy_firmware_tables(struct loader *l)
{
	static const EFI_GUID acpi2 = ACPI_20_TABLE_GUID, acpi1 = ACPI_TABLE_GUID;
	static const EFI_GUID smbios2 = SMBIOS_TABLE_GUID, smbios3 = SMBIOS3_TABLE_GUID;
	static const EFI_GUID esrt = ESRT_GUID;
	struct handoff *h = &l->handoff;
	EFI_STATUS status = copy_attributes(l);

	if (EFI_ERROR(status))
		return status;
	h->rsdp = table_address(l, &acpi2);
	if (!h->rsdp)
		h->rsdp = table_address(l, &acpi1);
	h->smbios2 = table_address(l, &smbios2);
	h->smbios3 = table_address(l, &smbios3);
	h->esrt = table_address(l, &esrt);
	h->system_table = (uint64_t)l->system;
	h->runtime_services = (uint64_t)l->system->RuntimeServices;
	h->firmware_revision = l->system->FirmwareRevision;
	h->uefi_revision = l->system->Hdr.Revision;
	return copy_configuration(l);
}
