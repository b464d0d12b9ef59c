/* SPDX-License-Identifier: MIT */
/*
 * The loader's one state, and the chapters of the boot story that main.c tells in order. Each
 * chapter returns EFI_SUCCESS or has already said, by fail(), what went wrong; whatever it took is
 * in struct loader, where loader_release finds it.
 */
#ifndef LOADER_LOADER_H
#define LOADER_LOADER_H

#include "efi.h"

#include "../pure/config.h"
#include "../pure/elf.h"
#include "../pure/paging.h"
#include "../pure/pe.h"
#include "../pure/placement.h"
#include "../pure/random_pool.h"
#include "../pure/verdict.h"

#include <baton/handoff.h>

#define REFUSED_MAX 4u /* places that the firmware may refuse before we give up */

#define LISTED_MAX  1024u
#define CHECKED     __attribute__((warn_unused_result))

/* What the loader puts into memory for the kernel, in the order in which it lies there. */
enum piece { PIECE_KERNEL, PIECE_STACK, PIECE_TABLES, PIECE_HANDOFF, PIECE_INITRD, PIECES };

struct file {
	EFI_FILE *handle;   /* NULL: not open */
	const char *memory; /* NULL, or all of it: then there is no handle */
	uint64_t size;      /* bytes */
	char path[LOADER_PATH_MAX];
};

/* Sections of the loader's own file: trust.h. */
struct own_file {
	struct pe_section kernel, initrd, options, digests;
};

/* What the hand-off's allocation holds after struct handoff: each a physical address, which is a
 * pointer here, with the bytes that it may take. */
struct handoff_areas {
	struct handoff_range jump_page, handoff, command_line, raw_memory, configuration_tables,
		memory_attributes, panic_record, memory;
};

struct loader {
	EFI_HANDLE image;
	EFI_SYSTEM_TABLE *system;
	EFI_BOOT_SERVICES *boot;
	EFI_LOADED_IMAGE *loaded_image;
	EFI_FILE *volume; /* root of the volume that the loader came from */
	struct own_file own;
	struct tcg2_protocol *tpm; /* NULL: there is none */

	/* What to boot. */
	char entry_name[CONFIG_NAME_MAX];
	struct boot_entry entry;
	CHAR16 entries[LISTED_MAX]; /* their names, each with its NUL, where they were listed */
	size_t entries_size;        /* bytes */
	char counted_path[LOADER_PATH_MAX]; /* empty: this boot is not counted; counting.h */
	struct command_line command_line;
	struct loader_options options;
	bool default_initrd; /* nobody named it: it may be missing */

	/* Its files. */
	struct file kernel, initrds[2 * INITRDS_MAX];
	size_t initrd_count;
	uint64_t initrd_size;
	struct handoff_range kernel_copy; /* trust.c's; size 0: none */
	struct elf_image elf;

	/* Memory: one block for the loader's own work, and the pieces, in up to PIECES blocks. */
	struct handoff_range work;
	struct handoff_range blocks[PIECES];
	size_t block_count;
	struct handoff_range refused[REFUSED_MAX]; /* called free, but not given */
	size_t refused_count;
	struct placement_piece pieces[PIECES];
	struct handoff_areas areas;
	struct handoff_memory *scratch; /* within `work`, entries as many as raw descriptors fit */
	struct paging middle;           /* within `work`: the tables of the jump */
	struct memory_list map;         /* in the hand-off, built at exit */
	struct placement_slides slides;

	struct random_pool random;
	struct handoff handoff; /* filled bit by bit, copied to its place at the end */
};

/* configuration.c: finds out what to boot; ends with entry, command line and options set. */
EFI_STATUS choose_boot(struct loader *l) CHECKED;
/* menu.c: lets a person choose among `count` entries; `*chosen` is the default and the answer.
 * `*edited` tells that the options in `line` are to replace the entry's. */
struct menu_item {
	char name[CONFIG_NAME_MAX];  /* file name */
	char title[CONFIG_NAME_MAX]; /* what is shown */
};
typedef EFI_STATUS menu_options_of(
	struct loader *l, const struct menu_item *item, struct command_line *line);
EFI_STATUS menu_run(struct loader *l, const struct menu_item *items, size_t count, uint32_t timeout,
	menu_options_of *options_of, size_t *chosen, struct command_line *line,
	bool *edited) CHECKED;

/* images.c: kernel and initrd. */
EFI_STATUS open_images(struct loader *l) CHECKED;
EFI_STATUS load_kernel(struct loader *l) CHECKED;
EFI_STATUS load_initrd(struct loader *l) CHECKED;

/* memory.c: places and takes everything that the kernel is given. */
EFI_STATUS take_memory(struct loader *l) CHECKED;
void release_memory(struct loader *l);

/* last_panic.c: reads and shows what a panic of the run before left, before take_memory; gives it to the
 * kernel and deletes it. */
void read_last_panic(struct loader *l);
void hand_over_last_panic(struct loader *l);

/* graphics.c: sets the mode where needed, describes the framebuffer; no graphics is no failure. */
void choose_graphics(struct loader *l);
void release_graphics(void); /* the mode is the firmware's again */

/* tables.c: what the firmware left for the kernel. */
void gather_randomness(struct loader *l);
void measure_firmware_tables(struct loader *l); /* before take_memory: how large they are */
EFI_STATUS copy_firmware_tables(struct loader *l) CHECKED;

/* exit.c: comes back only when ExitBootServices was never called, with why (nothing was said). */
EFI_STATUS leave_firmware(struct loader *l, struct complaint *why) CHECKED;

#endif
