/* SPDX-License-Identifier: MIT */
/*
 * A firmware that lets no page be written and executed. Debian's OVMF maps all of memory writable and executable and has no
 * EFI_MEMORY_ATTRIBUTE_PROTOCOL (UEFI 2.10 37.8); here its page tables are changed in place: data, free memory and stacks are not
 * executable, an image's sections are what its header says, if they have pages of their own. One of our own protocol gives and
 * takes permissions. pages_probe shows that the CPU keeps them, and that the protocol changes them.
 *
 * Left as they are: the first MiB, in which the firmware's other CPUs start; memory that is called code and holds no such image.
 */
#include "inject.h"

#include "chain.h"

#include "firmware/cpu.h"

#define TABLES          1024u /* pages for tables that splits need */
#define PAGE            UINT64_C(4096)
#define LARGE           (UINT64_C(1) << 21)
#define LEAF            UINT64_C(0x80)
#define PRESENT         UINT64_C(1)
#define WRITABLE        UINT64_C(2)
#define NO_EXECUTE      (UINT64_C(1) << 63)
#define ADDRESS         UINT64_C(0x000ffffffffff000)
#define LOW_END         (UINT64_C(1) << 20)
#define MEMORY_RP       UINT64_C(0x2000)
#define MEMORY_XP       UINT64_C(0x4000)
#define MEMORY_RO       UINT64_C(0x20000)
#define MSR_EFER        0xc0000080u
#define EFER_NXE        (UINT64_C(1) << 11)
#define MAP_MOST        65536u
#define PE_OFFSET       0x3cu
#define SECTION_SIZE    40u
#define SECTION_EXECUTE 0x20000000u
#define SECTION_WRITE   0x80000000u
#define VECTOR_PAGE     14
#define CONTEXT_CR2     584u /* EFI_SYSTEM_CONTEXT_X64, UEFI 2.10 18.2.4 */
#define CONTEXT_RIP     672u

static uint64_t table_next, table_end;

/* ---- The bits ---- */

/* The entry that maps one page; what is larger is split. NULL: it is not mapped, or no table is left. */
static uint64_t *entry_of(uint64_t address)
{
	uint64_t *table = (uint64_t *)(read_cr3() & ADDRESS);

	for (unsigned int shift = read_cr4() & CR4_LA57 ? 48 : 39; shift > 12; shift -= 9) {
		uint64_t *entry = &table[address >> shift & 511], *split;

		if (!(*entry & (PRESENT | LEAF)))
			return NULL;
		if (shift <= 30 && (*entry & LEAF)) {
			uint64_t held = shift == 21 ? *entry & ~LEAF : *entry;

			if (table_next == table_end)
				return NULL;
			split = (uint64_t *)table_next;
			table_next += PAGE;
			for (uint64_t i = 0; i < 512; i++)
				split[i] = held + (i << (shift - 9));
			*entry = (uint64_t)split | PRESENT | WRITABLE;
		}
		table = (uint64_t *)(*entry & ADDRESS);
	}
	return &table[address >> 12 & 511];
}

/* The whole of a large page at once, where all of it changes. */
static uint64_t *large_entry(uint64_t address, uint64_t size)
{
	uint64_t *table = (uint64_t *)(read_cr3() & ADDRESS);

	if (address & (LARGE - 1) || size < LARGE)
		return NULL;
	for (unsigned int shift = read_cr4() & CR4_LA57 ? 48 : 39; shift > 21; shift -= 9) {
		uint64_t entry = table[address >> shift & 511];

		if (!(entry & PRESENT) || (entry & LEAF))
			return NULL;
		table = (uint64_t *)(entry & ADDRESS);
	}
	table = &table[address >> 21 & 511];
	return *table & LEAF ? table : NULL;
}

static uint64_t bits_of(uint64_t entry)
{
	return (entry & PRESENT ? 0 : MEMORY_RP) | (entry & WRITABLE ? 0 : MEMORY_RO) |
	       (entry & NO_EXECUTE ? MEMORY_XP : 0);
}

static uint64_t with_bits(uint64_t entry, uint64_t bits)
{
	entry &= ~(PRESENT | WRITABLE | NO_EXECUTE);
	return entry | (bits & MEMORY_RP ? 0 : PRESENT) | (bits & MEMORY_RO ? 0 : WRITABLE) |
	       (bits & MEMORY_XP ? NO_EXECUTE : 0);
}

static EFI_STATUS change(uint64_t base, uint64_t size, uint64_t set, uint64_t clear)
{
	uint64_t end = base + size, cr0 = code_writable(), step;
	EFI_STATUS status = EFI_SUCCESS;

	for (uint64_t at = base; at < end && !status; at += step) {
		uint64_t *entry = large_entry(at, end - at);

		step = entry ? LARGE : PAGE;
		entry = entry ? entry : entry_of(at);
		if (!entry)
			status = EFI_OUT_OF_RESOURCES;
		else
			*entry = with_bits(*entry, (bits_of(*entry) | set) & ~clear);
	}
	__asm__ volatile("mov %0, %%cr3" : : "r"(read_cr3()) : "memory");
	code_protected(cr0);
	return status;
}

/* ---- The protocol ---- */

struct attribute_protocol {
	EFI_STATUS(EFIAPI *get)(struct attribute_protocol *, uint64_t, uint64_t, uint64_t *);
	EFI_STATUS(EFIAPI *set)(struct attribute_protocol *, uint64_t, uint64_t, uint64_t);
	EFI_STATUS(EFIAPI *clear)(struct attribute_protocol *, uint64_t, uint64_t, uint64_t);
};

static bool is_wrong(uint64_t base, uint64_t size, uint64_t bits)
{
	return !size || (base | size) & (PAGE - 1) || base + size < base ||
	       bits & ~(MEMORY_RP | MEMORY_XP | MEMORY_RO);
}

static EFI_STATUS EFIAPI get_attributes(
	struct attribute_protocol *this, uint64_t base, uint64_t size, uint64_t *bits)
{
	if (is_wrong(base, size, 0) || !bits)
		return EFI_INVALID_PARAMETER;
	for (uint64_t at = base; at < base + size; at += PAGE) {
		uint64_t *entry = entry_of(at);

		if (!entry || (at > base && bits_of(*entry) != *bits))
			return EFI_NO_MAPPING;
		*bits = bits_of(*entry);
	}
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_attributes(
	struct attribute_protocol *this, uint64_t base, uint64_t size, uint64_t bits)
{
	return is_wrong(base, size, bits) || !bits ? EFI_INVALID_PARAMETER
						   : change(base, size, bits, 0);
}

static EFI_STATUS EFIAPI clear_attributes(
	struct attribute_protocol *this, uint64_t base, uint64_t size, uint64_t bits)
{
	return is_wrong(base, size, bits) || !bits ? EFI_INVALID_PARAMETER
						   : change(base, size, 0, bits);
}

static struct attribute_protocol protocol = {get_attributes, set_attributes, clear_attributes};

/* ---- The policy ---- */

static uint32_t word(const uint8_t *at)
{
	uint32_t value;

	__builtin_memcpy(&value, at, sizeof(value));
	return value;
}

/* Sections on pages of their own; no other image can be protected. */
static EFI_STATUS enforce_sections(const EFI_LOADED_IMAGE *image)
{
	const uint8_t *base = image->ImageBase, *header = base + word(base + PE_OFFSET), *section;
	EFI_STATUS status = EFI_SUCCESS;

	if (word(base) % 65536 != 0x5a4d || word(header) != 0x4550 || word(header + 56) % PAGE)
		return EFI_SUCCESS;
	section = header + 24 + (word(header + 20) & 0xffff);
	status = change((uint64_t)base, (word(header + 84) + PAGE - 1) & ~(PAGE - 1), MEMORY_XP, 0);
	for (uint32_t i = 0; i < word(header + 6) % 65536 && !status;
		i++, section += SECTION_SIZE) {
		uint64_t at = (uint64_t)base + word(section + 12);
		uint64_t size = (word(section + 8) + PAGE - 1) & ~(PAGE - 1);
		uint32_t flags = word(section + 36);
		uint64_t set = (flags & SECTION_WRITE ? 0 : MEMORY_RO) |
			       (flags & SECTION_EXECUTE ? 0 : MEMORY_XP);

		status = change(at, size, set, (MEMORY_RO | MEMORY_XP) & ~set);
	}
	return status;
}

EFI_STATUS pages_enforce_image(EFI_HANDLE handle)
{
	static EFI_GUID guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
	EFI_LOADED_IMAGE *image;
	EFI_STATUS status = real.HandleProtocol(handle, &guid, (void **)&image);

	return EFI_ERROR(status) ? status : enforce_sections(image);
}

/* Its memory becomes what all free memory is. */
void pages_forget_image(EFI_HANDLE handle)
{
	static EFI_GUID guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
	EFI_LOADED_IMAGE *image;

	if (!real.HandleProtocol(handle, &guid, (void **)&image))
		change((uint64_t)image->ImageBase, image->ImageSize, MEMORY_XP, MEMORY_RO);
}

static bool is_data(const EFI_MEMORY_DESCRIPTOR *d)
{
	switch (d->Type) {
	case EfiConventionalMemory:
	case EfiLoaderData:
	case EfiBootServicesData:
	case EfiRuntimeServicesData:
	case EfiACPIReclaimMemory:
	case EfiACPIMemoryNVS:
		return true;
	default:
		return false;
	}
}

static EFI_STATUS enforce_map(void)
{
	static char map[MAP_MOST];
	UINTN size = sizeof(map), key, one;
	UINT32 version;
	EFI_STATUS status =
		real.GetMemoryMap(&size, (EFI_MEMORY_DESCRIPTOR *)map, &key, &one, &version);

	for (UINTN i = 0; !EFI_ERROR(status) && i < size / one; i++) {
		const EFI_MEMORY_DESCRIPTOR *d = (EFI_MEMORY_DESCRIPTOR *)(map + i * one);
		uint64_t base = d->PhysicalStart, end = base + d->NumberOfPages * PAGE;

		base = base < LOW_END ? LOW_END : base;
		if (is_data(d) && base < end)
			status = change(base, end - base, MEMORY_XP, 0);
	}
	return status;
}

EFI_STATUS pages_enforce(EFI_HANDLE own)
{
	static EFI_GUID guid = MEMORY_ATTRIBUTE_PROTOCOL_GUID;
	EFI_PHYSICAL_ADDRESS tables;
	EFI_HANDLE handle = NULL;
	EFI_STATUS status =
		real.AllocatePages(AllocateAnyPages, EfiBootServicesData, TABLES, &tables);

	if (EFI_ERROR(status))
		return status;
	if (!(read_msr(MSR_EFER) & EFER_NXE))
		return EFI_UNSUPPORTED;
	table_next = tables;
	table_end = tables + TABLES * PAGE;
	status = enforce_map();
	if (!EFI_ERROR(status))
		status = pages_enforce_image(own);
	if (!EFI_ERROR(status))
		status = real.InstallProtocolInterface(
			&handle, &guid, EFI_NATIVE_INTERFACE, &protocol);
	return status;
}

/* ---- Proof ---- */

/* EFI_CPU_ARCH_PROTOCOL (PI 1.7 volume 2, 12.3), up to what is used. */
struct cpu_protocol {
	void *others[5];
	EFI_STATUS(EFIAPI *on_exception)
	(struct cpu_protocol *this, intptr_t vector, void(EFIAPI *handler)(intptr_t, void *));
};

static uint64_t expected_fault, resume_at; /* address; 0: none is expected */
static bool faulted;

static void EFIAPI on_page_fault(intptr_t vector, void *context)
{
	uint64_t *cr2 = (uint64_t *)((char *)context + CONTEXT_CR2);
	uint64_t *rip = (uint64_t *)((char *)context + CONTEXT_RIP);

	if (!resume_at || *cr2 != expected_fault) {
		print("not ok page fault at 0x%lx, of the instruction at 0x%lx\n", *cr2, *rip);
		out8(0xf4, 0x20);
		for (;;)
			__asm__ volatile("cli; hlt");
	}
	faulted = true;
	*rip = resume_at;
}

static bool call_faults(uint64_t page)
{
	faulted = false;
	expected_fault = page;
	__asm__ volatile("lea 1f(%%rip), %%rax\n\t"
			 "mov %%rax, %0\n\t"
			 "mov %%rsp, %%rbx\n\t"
			 "call *%1\n"
			 "1:\tmov %%rbx, %%rsp"
			 : "=m"(resume_at)
			 : "r"(page)
			 : "rax", "rbx", "memory", "cc");
	resume_at = 0;
	return faulted;
}

static bool write_faults(uint64_t address)
{
	faulted = false;
	expected_fault = address;
	__asm__ volatile("lea 1f(%%rip), %%rax\n\t"
			 "mov %%rax, %0\n\t"
			 "lock orb $0, (%1)\n"
			 "1:"
			 : "=m"(resume_at)
			 : "r"(address)
			 : "rax", "memory", "cc");
	resume_at = 0;
	return faulted;
}

static uint32_t claim(const char *what, bool holds)
{
	print("%sok %s\n", holds ? "" : "not ", what);
	return holds;
}

static uint32_t probe_page(uint32_t *claims)
{
	static EFI_GUID guid = MEMORY_ATTRIBUTE_PROTOCOL_GUID;
	struct attribute_protocol *p;
	EFI_PHYSICAL_ADDRESS page;
	uint64_t bits = 0;
	uint32_t hold = 0;

	*claims += 5;
	if (real.LocateProtocol(&guid, NULL, (void **)&p) ||
		real.AllocatePages(AllocateAnyPages, EfiLoaderData, 1, &page))
		return 0;
	*(volatile uint8_t *)page = 0xc3; /* ret */
	hold += claim("a page of data is not executed", call_faults(page));
	p->set(p, page, PAGE, MEMORY_RO);
	p->clear(p, page, PAGE, MEMORY_XP);
	hold += claim("one made executable by the protocol is", !call_faults(page));
	hold += claim("one made read-only by it is not written", write_faults(page));
	p->get(p, page, PAGE, &bits);
	hold += claim("the protocol says so", bits == MEMORY_RO);
	p->set(p, page, PAGE, MEMORY_XP);
	p->clear(p, page, PAGE, MEMORY_RO);
	hold += claim("it is written, and not executed, afterwards",
		!write_faults(page) && call_faults(page));
	real.FreePages(page, 1);
	return hold;
}

uint32_t pages_probe(EFI_HANDLE loader, uint32_t *claims)
{
	static EFI_GUID cpu_guid = CPU_ARCH_PROTOCOL_GUID;
	static EFI_GUID image_guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
	EFI_LOADED_IMAGE *image;
	struct cpu_protocol *cpu;
	uint8_t *base, *stack = (uint8_t *)&cpu;
	uint32_t hold = 0;

	*claims += 3;
	if (real.LocateProtocol(&cpu_guid, NULL, (void **)&cpu) ||
		cpu->on_exception(cpu, VECTOR_PAGE, on_page_fault) ||
		real.HandleProtocol(loader, &image_guid, (void **)&image))
		return claim("page faults can be taken", false);
	base = image->ImageBase;
	hold += claim("the loader's text is not written",
		write_faults((uint64_t)base + word(base + word(base + PE_OFFSET) + 40)));
	hold += claim("the loader's headers are not executed", call_faults((uint64_t)base));
	hold += claim("the stack is not executed", call_faults((uint64_t)stack));
	return hold + probe_page(claims);
}
