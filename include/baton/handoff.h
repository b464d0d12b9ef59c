/* SPDX-License-Identifier: MIT */
/*
 * The hand-off: what the loader gives the kernel.
 *
 * The machine's state when the kernel's ELF entry point is reached:
 *  - long mode, 4-level paging, CR0.WP = 1, EFER.NXE = 1, interrupts off, DF = 0; boot services
 *    are gone. CR4.PCIDE, CR4.PGE, CR4.CET and CR4.LA57 are 0. GDT, IDT, TR and every other control
 *    bit are the firmware's (but the GDT after 5-level paging, which lies in the jump page): the
 *    kernel loads its own before it touches a segment register or allows an interrupt.
 *  - RDI holds the virtual address (inside the direct map) of a struct handoff.
 *  - the stack has HANDOFF_STACK_SIZE bytes, an unmapped guard page below it and another above. RSP
 *    is its end less 8, as if a call had been made there: [RSP] is the return address, 0, and
 *    RSP + 8 is 16-byte aligned, so that the entry point may be a C function. RBP is 0.
 *  - CR3 points to tables made by the loader: the kernel image by segment (R-X, R--, RW-, never
 *    both W and X), the direct map of RAM at `direct_map` (NX; read-only where it aliases the
 *    image's read-only segments or the jump page; without MMIO and reserved ranges), the stack. The
 *    lower half holds nothing but the one page of the jump (`jump_page`), identity-mapped R-X: the
 *    kernel drops it.
 *  - nothing else is mapped: neither the framebuffer, nor device registers, nor runtime services.
 *
 * All addresses are physical with a length in bytes, but for the fields named *_virt. A range of
 * size 0 is absent; so may be every field that comes from UEFI (source says which world it was).
 * All ranges but `kernel` and its segments, `initrd`, `stack`, `tables` (each memory of its own
 * type) and those pointing at firmware tables lie in one allocation of type HANDOFF_MEMORY_HANDOFF,
 * but `evidence`, which has pages of that type for itself.
 *
 * Versioning: `magic`, `version`, `size` never move. A kernel refuses a version that it does not
 * know or a size below its own; a longer one of the same version has fields at the end that an
 * older kernel may ignore. `crc32` (IEEE 802.3, as UEFI's CalculateCrc32) is over `size` bytes
 * with the field itself 0.
 */
#ifndef BATON_HANDOFF_H
#define BATON_HANDOFF_H

#include <stdint.h>

#define HANDOFF_MAGIC        UINT64_C(0x464f444e48544142) /* "BATHNDOF" */
#define HANDOFF_VERSION      1u
#define HANDOFF_STACK_SIZE   (16u * 1024u)
#define HANDOFF_SEED_SIZE    64u
#define HANDOFF_SEGMENTS_MAX 8u
#define HANDOFF_BUILD_ID_MAX 32u

struct handoff_range {
	uint64_t base; /* physical */
	uint64_t size; /* bytes; 0: absent */
};

enum handoff_source { HANDOFF_SOURCE_UEFI = 1, HANDOFF_SOURCE_PVH, HANDOFF_SOURCE_HOSTED };

/* The kinds of memory in the sanitised map: sorted by base, no overlaps, whole 4 KiB pages,
 * neighbours of equal type and attributes merged, ranges that the firmware did not name left out. */
enum handoff_memory_type {
	HANDOFF_MEMORY_FREE = 1,      /* RAM, free from the first instruction of the kernel */
	HANDOFF_MEMORY_BOOT_SERVICES, /* RAM, free once the kernel has read what it wants there */
	HANDOFF_MEMORY_ACPI_RECLAIM,  /* RAM with ACPI tables */
	HANDOFF_MEMORY_ACPI_NVS,      /* RAM, the firmware's for ever */
	HANDOFF_MEMORY_RUNTIME_CODE,  /* RAM, UEFI runtime services' for ever */
	HANDOFF_MEMORY_RUNTIME_DATA,
	HANDOFF_MEMORY_KERNEL,     /* RAM: the kernel's image */
	HANDOFF_MEMORY_INITRD,     /* RAM: the initrd */
	HANDOFF_MEMORY_HANDOFF,    /* RAM: this structure and what it points to */
	HANDOFF_MEMORY_TABLES,     /* RAM: the page tables in use */
	HANDOFF_MEMORY_STACK,      /* RAM: the kernel's first stack */
	HANDOFF_MEMORY_RESERVED,   /* not RAM that anybody may use */
	HANDOFF_MEMORY_MMIO,       /* device registers */
	HANDOFF_MEMORY_UNUSABLE,   /* RAM with errors */
	HANDOFF_MEMORY_PERSISTENT, /* non-volatile RAM: not used */
	HANDOFF_MEMORY_UNACCEPTED, /* RAM of a confidential guest, not yet accepted: not used */
	HANDOFF_MEMORY_TYPES,
};

struct handoff_memory {
	uint64_t base, size;
	uint32_t type;       /* enum handoff_memory_type */
	uint32_t reserved;   /* 0 */
	uint64_t attributes; /* EFI_MEMORY_* of the descriptors, UEFI 2.10 7.2.3 */
};

enum handoff_access { HANDOFF_READ = 1, HANDOFF_WRITE = 2, HANDOFF_EXECUTE = 4 };

struct handoff_segment {
	uint64_t virt;   /* where it is mapped, page-aligned */
	uint64_t phys;   /* page-aligned */
	uint64_t size;   /* bytes in memory, whole pages */
	uint32_t access; /* enum handoff_access, or-ed */
	uint32_t reserved;
};

/* Pixel layout of the framebuffer, 32 bits a pixel. */
struct handoff_framebuffer {
	uint64_t base;
	uint64_t size;   /* bytes that may be written; 0: no framebuffer */
	uint32_t width;  /* pixels */
	uint32_t height; /* pixels */
	uint32_t pitch;  /* bytes from line to line */
	uint32_t red_mask, green_mask, blue_mask, reserved_mask;
	uint32_t reserved;
};

/* The CPU as the firmware had it when the loader was entered. */
struct handoff_cpu {
	uint64_t cr0, cr2, cr3, cr4, efer, rflags, rsp, pat, xcr0 /* 0 without OSXSAVE */;
	uint64_t gdt_base, idt_base;
	uint16_t gdt_limit, idt_limit, cs, ss, ds, es, fs, gs, tr, ldtr;
	uint16_t fcw; /* FNSTCW */
	uint16_t reserved;
	uint32_t mxcsr; /* 0 where CR4.OSFXSR was clear */
	uint32_t reserved2;
};

/* A TSC stamp at the end of each stage. */
enum handoff_stage {
	HANDOFF_STAGE_ENTRY,    /* first instruction of efi_main */
	HANDOFF_STAGE_CONFIG,   /* configuration read, menu left */
	HANDOFF_STAGE_KERNEL,   /* kernel read, checked, placed, relocated */
	HANDOFF_STAGE_INITRD,   /* initrd read */
	HANDOFF_STAGE_GRAPHICS, /* video mode set */
	HANDOFF_STAGE_TABLES,   /* firmware tables found, seed drawn, attributes copied */
	HANDOFF_STAGE_PAGING,   /* page tables built */
	HANDOFF_STAGE_EXIT,     /* ExitBootServices succeeded */
	HANDOFF_STAGE_JUMP,     /* last stamp before the jump; CRC made after it */
	HANDOFF_STAGES,
};

enum handoff_seed_source {
	HANDOFF_SEED_RNG_PROTOCOL = 1, /* EFI_RNG_PROTOCOL */
	HANDOFF_SEED_RDRAND = 2,
	HANDOFF_SEED_TSC = 4,  /* jitter only: weak */
	HANDOFF_SEED_FILE = 8, /* \loader\random-seed, replaced since */
};

enum handoff_security {
	HANDOFF_SECURE_BOOT = 1, /* SecureBoot = 1 and SetupMode = 0 */
	HANDOFF_SETUP_MODE = 2,  /* SetupMode = 1 */
	HANDOFF_TPM2 = 4,        /* EFI_TCG2_PROTOCOL with a TPM behind it */
	HANDOFF_LA57_LEFT = 8,   /* the firmware ran with 5-level paging; it was switched back */
	HANDOFF_KASLR = 16,      /* slides are random */
	HANDOFF_COUNTED = 32,    /* the boot entry has a counter: LoaderBootCountPath */
};

struct handoff {
	uint64_t magic;   /* HANDOFF_MAGIC */
	uint32_t version; /* HANDOFF_VERSION */
	uint32_t size;    /* bytes of this structure */
	uint32_t crc32;
	uint32_t source;                     /* enum handoff_source */
	char build_id[HANDOFF_BUILD_ID_MAX]; /* the loader's, NUL-terminated */
	uint64_t flags;                      /* enum handoff_security, or-ed */

	/* Where things are mapped. */
	uint64_t kernel_slide;       /* bytes added to the ELF's virtual addresses, 2 MiB-aligned */
	uint64_t direct_map_virt;    /* of physical address 0; 1 GiB-aligned */
	uint64_t direct_map_size;    /* bytes: past the highest RAM address mapped */
	uint64_t dynamic_virt;       /* start of the dynamic area, 1 GiB-aligned */
	uint64_t frames_virt;        /* start of the page-frame array, 1 GiB-aligned */
	uint64_t stack_virt;         /* lowest mapped byte of the stack (in the dynamic area) */
	struct handoff_range stack;  /* HANDOFF_STACK_SIZE bytes */
	struct handoff_range tables; /* all page tables in use, the top-level one first */
	uint64_t jump_page; /* identity-mapped in the lower half; part of `handoff` memory */

	/* What was loaded. */
	struct handoff_range kernel; /* the image in memory */
	uint32_t segment_count, reserved0;
	struct handoff_segment segments[HANDOFF_SEGMENTS_MAX];
	struct handoff_range kernel_file; /* the ELF file as read, kept when asked (0: dropped) */
	struct handoff_range initrd; /* all archives, one after the other; 4 KiB-aligned base */
	struct handoff_range command_line; /* NUL-terminated, NUL not counted in size */

	/* Memory. */
	struct handoff_range memory;     /* struct handoff_memory[] */
	struct handoff_range raw_memory; /* EFI_MEMORY_DESCRIPTOR[] of the last GetMemoryMap */
	uint64_t raw_descriptor_size;    /* bytes */
	uint32_t raw_descriptor_version, reserved1;

	struct handoff_framebuffer framebuffer;

	/* Firmware. */
	uint64_t system_table, runtime_services;   /* physical; 0: absent */
	uint64_t firmware_revision;                /* EFI_SYSTEM_TABLE.FirmwareRevision */
	uint64_t uefi_revision;                    /* EFI_SYSTEM_TABLE.Hdr.Revision */
	struct handoff_range configuration_tables; /* copy of EFI_CONFIGURATION_TABLE[] */
	uint64_t rsdp;                             /* ACPI 2.0 one preferred */
	uint64_t smbios2, smbios3, esrt;           /* entry points */
	struct handoff_range memory_attributes;    /* copy of EFI_MEMORY_ATTRIBUTES_TABLE */

	struct handoff_cpu cpu;

	uint8_t seed[HANDOFF_SEED_SIZE];
	uint32_t seed_sources; /* enum handoff_seed_source, or-ed */

	uint32_t exit_attempts; /* calls of ExitBootServices, the successful one included */
	uint64_t exit_tsc;      /* TSC ticks that the ExitBootServices calls took together */
	uint64_t stage_tsc[HANDOFF_STAGES];

	struct handoff_range
		panic_record; /* of the run before, panic_record.h: checked, and deleted */
	struct handoff_range
		evidence; /* of the firmware, evidence.h: whole pages of its own, when asked for */
};

#endif
