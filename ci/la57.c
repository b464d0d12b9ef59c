/* SPDX-License-Identifier: MIT */
/*
 * la57.efi: turns 5-level paging on under a firmware that runs with 4 levels, then starts the
 * loader (\EFI\BOOT\BATON.EFI, or what the load options say: a path, then its options). So the
 * loader's way back is tested on firmware that never goes there.
 *
 * The firmware's own tables stay as they are: a level-5 table whose first entry points to them is
 * put above. UEFI uses the lower half alone, hence that entry alone.
 *
 * For a machine of one CPU: EDK2 keeps the CR3 of its start for the other CPUs, and sends them with
 * it and the new CR4 into its code at ExitBootServices. A firmware that uses 5 levels by itself has
 * set them up so.
 */
#include "chain.h"

#include "firmware/console.h"
#include "firmware/cpu.h"
#include "firmware/serial.h"

#define LOADER_PATH "\\EFI\\BOOT\\BATON.EFI"
#define PAGE        UINT64_C(4096)
#define BELOW_4GIB  UINT64_C(0xffffffff)
#define CPUID_LA57  (1u << 16) /* leaf 7, ECX */

/* What the copied code reads; the offsets stand in la57.S. */
struct la57 {
	uint64_t cr3, rsp, back;
	uint8_t gdtr[16];
	uint32_t far32[2], far64[2];
	uint8_t old_gdtr[16];
	uint64_t cs;
	uint64_t gdt[3];
};

_Static_assert(offsetof(struct la57, gdtr) == 24 && offsetof(struct la57, far32) == 40 &&
		       offsetof(struct la57, far64) == 48 &&
		       offsetof(struct la57, old_gdtr) == 56 && offsetof(struct la57, cs) == 72 &&
		       sizeof(struct la57) <= 128,
	"la57.S knows these offsets");

extern const char la57_code[], la57_code32[], la57_code64[], la57_data[], la57_end[];
void la57_switch(uint64_t page, struct la57 *data_in_page);
EFI_STATUS EFIAPI la57_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system);

static struct la57 *fill_page(uint64_t page, uint64_t top)
{
	struct la57 *d = (struct la57 *)(page + (uint64_t)(la57_data - la57_code));
	uint64_t gdt = (uint64_t)d + offsetof(struct la57, gdt);
	uint16_t limit = sizeof(d->gdt) - 1;

	__builtin_memcpy((void *)page, la57_code, (size_t)(la57_end - la57_code));
	d->cr3 = top;
	__builtin_memcpy(d->gdtr, &limit, sizeof(limit));
	__builtin_memcpy(d->gdtr + sizeof(limit), &gdt, sizeof(gdt));
	d->far32[0] = (uint32_t)(page + (uint64_t)(la57_code32 - la57_code));
	d->far32[1] = 8;
	d->far64[0] = (uint32_t)(page + (uint64_t)(la57_code64 - la57_code));
	d->far64[1] = 16;
	d->gdt[1] = UINT64_C(0x00cf9b000000ffff);
	d->gdt[2] = UINT64_C(0x00af9b000000ffff);
	return d;
}

static EFI_STATUS turn_on(EFI_BOOT_SERVICES *boot)
{
	EFI_PHYSICAL_ADDRESS pages = BELOW_4GIB;
	EFI_STATUS status;
	uint64_t *top;

	if (!(cpuid(7, 0).c & CPUID_LA57))
		return fail(EFI_UNSUPPORTED, "la57: the CPU has no 5-level paging");
	status = boot->AllocatePages(AllocateMaxAddress, EfiLoaderCode, 2, &pages);
	if (EFI_ERROR(status))
		return fail(status, "la57: no two pages below 4 GiB");
	top = (uint64_t *)(pages + PAGE);
	__builtin_memset(top, 0, PAGE);
	top[0] = (read_cr3() & ~(PAGE - 1)) | 3;
	la57_switch(pages, fill_page(pages, (uint64_t)top));
	say("la57: CR4 is 0x%lx, CR3 0x%lx", read_cr4(), read_cr3());
	return EFI_SUCCESS;
}

/* The first word of the load options is the loader's path, the rest its options. */
static void read_own_options(
	EFI_LOADED_IMAGE *self, char *path, size_t path_size, char *options, size_t options_size)
{
	const CHAR16 *from = self->LoadOptions;
	size_t n = from ? self->LoadOptionsSize / 2 : 0, i = 0, used = 0;

	text_copy(path, path_size, LOADER_PATH);
	options[0] = '\0';
	if (!n || from[0] != '\\')
		return;
	for (; i < n && from[i] && from[i] != ' ' && i + 1 < path_size; i++)
		path[i] = (char)from[i];
	path[i] = '\0';
	while (i < n && from[i] == ' ')
		i++;
	for (; i < n && from[i] && used + 1 < options_size; i++)
		options[used++] = (char)from[i];
	options[used] = '\0';
}

EFI_STATUS EFIAPI la57_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system)
{
	static EFI_GUID guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
	static struct chain_options room;
	char path[128], options[CHAIN_OPTIONS_MAX];
	EFI_LOADED_IMAGE *self;
	EFI_HANDLE loaded;
	EFI_STATUS status;

	console_start(system);
	status = system->BootServices->HandleProtocol(image, &guid, (void **)&self);
	if (!EFI_ERROR(status))
		status = turn_on(system->BootServices);
	if (EFI_ERROR(status))
		return status;
	read_own_options(self, path, sizeof(path), options, sizeof(options));
	status = chain_load(image, system->BootServices, path, options, &room, &loaded);
	if (EFI_ERROR(status))
		return fail(status, "la57: %s cannot be loaded", path);
	return system->BootServices->StartImage(loaded, NULL, NULL);
}
