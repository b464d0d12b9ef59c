/* SPDX-License-Identifier: MIT */
#include "interface.h"

#include "console.h"
#include "cpu.h"

#include "../pure/device_path.h"

#include "build_id.h"

#define INTERFACE_ATTRIBUTES (EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS)
#define VALUE_MAX            256u
#define TIMER_RATE           UINT64_C(3579545) /* ACPI 6.5, 4.8.3.3 */
#define TIMER_MASK           0xffffffu
#define TIMER_LEAST          1000u /* steps: for a rate to 1 in 1000 */
#define FEATURE_SEED         (UINT64_C(1) << 6)
#define STUB_FEATURES        (UINT64_C(1) << 0 | UINT64_C(1) << 4) /* boot partition, seed */

/* Offsets of ACPI 6.5, 5.2.5.3, 5.2.6, 5.2.9. */
#define RSDP_XSDT    24u
#define TABLE_LENGTH 4u
#define TABLE_BODY   36u
#define TABLE_MOST   65536u
#define FADT_TIMER   76u

static EFI_GUID interface_guid = INTERFACE_GUID;

static struct {
	uint16_t port; /* 0: there is no timer */
	uint32_t timer;
	uint64_t tsc;
	uint64_t rate; /* TSC steps a second; 0: not known */
} watch;

static uint64_t read_bytes(uint64_t address, size_t size)
{
	uint64_t value = 0;

	__builtin_memcpy(&value, (void *)address, size);
	return value;
}

/* A table with this signature, at least so long, where tables can be: below 4 GiB. */
static bool is_table(uint64_t address, const char *signature, uint32_t least)
{
	uint64_t length;

	if (!address || address >= UINT64_C(1) << 32 ||
		__builtin_memcmp((void *)address, signature, 4))
		return false;
	length = read_bytes(address + TABLE_LENGTH, 4);
	return length >= least && length <= TABLE_MOST;
}

/* The ACPI timer's port, by RSDP, XSDT and FADT; 0: not found. */
static uint16_t find_timer(struct loader *l)
{
	static const EFI_GUID acpi2 = ACPI_20_TABLE_GUID;
	uint64_t xsdt = 0, length;

	for (UINTN i = 0; i < l->system->NumberOfTableEntries; i++)
		if (guid_equal(&l->system->ConfigurationTable[i].VendorGuid, &acpi2))
			xsdt = read_bytes(
				(uint64_t)l->system->ConfigurationTable[i].VendorTable + RSDP_XSDT,
				8);
	if (!is_table(xsdt, "XSDT", TABLE_BODY))
		return 0;
	length = read_bytes(xsdt + TABLE_LENGTH, 4);
	for (uint64_t at = TABLE_BODY; at + 8 <= length; at += 8) {
		uint64_t table = read_bytes(xsdt + at, 8);

		if (is_table(table, "FACP", FADT_TIMER + 4))
			return (uint16_t)read_bytes(table + FADT_TIMER, 4);
	}
	return 0;
}

static uint32_t read_timer(void)
{
	return in32(watch.port) & TIMER_MASK;
}

void clock_begin(struct loader *l)
{
	watch.port = find_timer(l);
	if (!watch.port)
		return;
	watch.timer = read_timer();
	watch.tsc = read_tsc();
}

void clock_end(struct loader *l)
{
	uint64_t tsc = read_tsc(), steps;

	if (!watch.port)
		return;
	steps = (read_timer() - watch.timer) & TIMER_MASK;
	if (steps >= TIMER_LEAST)
		watch.rate = (tsc - watch.tsc) * TIMER_RATE / steps;
}

static bool is_set(struct loader *l, CHAR16 *name)
{
	UINTN size = 0;

	return l->system->RuntimeServices->GetVariable(name, &interface_guid, NULL, &size, NULL) ==
	       EFI_BUFFER_TOO_SMALL;
}

/* A signed file may have been started by another loader: what that one has said stays. */
static void set(struct loader *l, CHAR16 *name, const void *data, size_t size)
{
	EFI_STATUS status;

	if (l->own.kernel.data && is_set(l, name))
		return;
	status = l->system->RuntimeServices->SetVariable(
		name, &interface_guid, INTERFACE_ATTRIBUTES, size, (void *)data);
	if (EFI_ERROR(status))
		say("a variable of the boot loader interface cannot be set: %s",
			status_name(status));
}

static void set_text(struct loader *l, CHAR16 *name, const char *text)
{
	CHAR16 wide[VALUE_MAX];
	size_t n = 0;

	for (; text[n] && n + 1 < VALUE_MAX; n++)
		wide[n] = (CHAR16)(unsigned char)text[n];
	wide[n] = 0;
	set(l, name, wide, (n + 1) * sizeof(wide[0]));
}

static void set_time(struct loader *l, CHAR16 *name, uint64_t tsc)
{
	uint64_t per_usec = watch.rate / 1000000;
	char text[24];

	if (!per_usec)
		return;
	text_format(text, sizeof(text), "%lu", tsc / per_usec);
	set_text(l, name, text);
}

static void set_partition(struct loader *l)
{
	static EFI_GUID guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
	char uuid[PARTITION_TEXT_MAX];
	void *device;

	if (!l->boot->HandleProtocol(l->loaded_image->DeviceHandle, &guid, &device) &&
		device_path_partition(device, uuid))
		set_text(l, L"LoaderDevicePartUUID", uuid);
}

static void set_path(struct loader *l)
{
	size_t size;
	const uint16_t *path = device_path_file(l->loaded_image->FilePath, &size);
	if (path)
		set(l, L"LoaderImageIdentifier", path, size);
}

/* The vendor's name is UCS-2; what is beyond ASCII becomes a question mark. */
static void set_firmware(struct loader *l)
{
	const CHAR16 *vendor = l->system->FirmwareVendor;
	char name[80] = "", text[VALUE_MAX];

	for (size_t i = 0; vendor && vendor[i] && i + 1 < sizeof(name); i++)
		name[i] = vendor[i] >= ' ' && vendor[i] <= '~' ? (char)vendor[i] : '?';
	text_format(text, sizeof(text), "%s %u.%s%u", name, l->system->FirmwareRevision >> 16,
		(l->system->FirmwareRevision & 0xffff) < 10 ? "0" : "",
		l->system->FirmwareRevision & 0xffff);
	set_text(l, L"LoaderFirmwareInfo", text);
	text_format(text, sizeof(text), "UEFI %u.%s%u", l->system->Hdr.Revision >> 16,
		(l->system->Hdr.Revision & 0xffff) < 10 ? "0" : "",
		l->system->Hdr.Revision & 0xffff);
	set_text(l, L"LoaderFirmwareType", text);
}

static void set_stub(struct loader *l)
{
	uint64_t features = STUB_FEATURES;

	set_text(l, L"StubInfo", "Baton " BATON_BUILD_ID);
	set(l, L"StubFeatures", &features, sizeof(features));
	if (l->tpm)
		set_text(l, L"StubPcrKernelImage", "11");
}

static void set_loader(struct loader *l)
{
	uint64_t features = FEATURE_SEED;

	set(l, L"LoaderFeatures", &features, sizeof(features));
	set_text(l, L"LoaderEntrySelected", l->entry_name);
	set(l, L"LoaderEntries", l->entries, l->entries_size);
}

/* A variable costs 222,000 instructions on OVMF: where the boot goes straight into a named entry those that
 * are of most use must do. */
void publish(struct loader *l)
{
	bool listed = l->entries_size != 0;

	if (l->own.kernel.data)
		set_stub(l);
	else
		set_text(l, L"LoaderInfo", "Baton " BATON_BUILD_ID);
	if (listed)
		set_loader(l);
	if (l->counted_path[0])
		set_text(l, L"LoaderBootCountPath", l->counted_path);
	if (listed || l->own.kernel.data) {
		set_path(l);
		set_firmware(l);
	}
	set_partition(l);
	set_time(l, L"LoaderTimeInitUSec", l->handoff.stage_tsc[HANDOFF_STAGE_ENTRY]);
	set_time(l, L"LoaderTimeExecUSec", read_tsc());
}
