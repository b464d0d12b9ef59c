/* SPDX-License-Identifier: MIT */
/*
 * A firmware for the host: the boot and runtime services that the loader calls, over a volume in memory and a
 * piece of RAM at addresses of its own, so that the loader's own code runs under ASan and UBSan from efi_main to the jump.
 *
 * What it checks by itself, and tells as a failure: a service that is called after ExitBootServices, or one other than
 * GetMemoryMap between two calls of it; pages and pools that are given back twice, or that never were taken; a stale
 * map key that nobody asked for; a wait without end. RAM that is not taken is poisoned.
 *
 * One start of the loader is one process: it has static variables.
 */
#ifndef LOADER_HOST_FIRMWARE_H
#define LOADER_HOST_FIRMWARE_H

#include "../firmware/efi.h"

#define RAM_BASE   UINT64_C(0x10000000)
#define RAM_PAGES  16384u /* 64 MiB */
#define CALLS_MOST 4096u

enum fault { FAULT_NONE, FAULT_ONCE, FAULT_FROM, FAULT_SHORT, FAULT_EMPTY, FAULT_LONG };

/* What goes wrong, and what the machine has. */
struct plan {
	const char *service; /* NULL: the nth call of all; else the nth of this service */
	unsigned nth;        /* from 1 */
	enum fault fault;    /* FAULT_SHORT and on: how many bytes a read says it brought */
	EFI_STATUS status;
	unsigned stale;     /* how often ExitBootServices refuses the key */
	unsigned fragments; /* descriptors more in the map, at least */
	unsigned descriptor_size;
	bool counted, menu, no_console, no_screen, blt_only, small_screen, tpm, panic_record;
};

/* What has come of it. */
struct facts {
	unsigned calls;
	const char *names[CALLS_MOST];        /* of the calls, in their order */
	const char *failed;                   /* the first service that the fault met; or NULL */
	unsigned files, pools, events, pages; /* taken and not given back */
	uint64_t watchdog;                    /* seconds that it was last set to */
	uint32_t screen_mode;
	bool exit_called, gone;
	char console[65536];
	size_t console_length;
};

extern struct facts facts;

/* Sets all up. `kernel` and `initrd` are files' bytes, which stay. */
EFI_SYSTEM_TABLE *firmware_start(const struct plan *plan, const void *kernel, size_t kernel_size,
	const void *initrd, size_t initrd_size, EFI_HANDLE *image);

/* What it is to do, and memory from its pool. */
extern struct plan firmware_plan;
void *take_pool(size_t size);

/* devices.c. */
void devices_start(EFI_HANDLE *console, EFI_HANDLE *image);
EFI_STATUS EFIAPI handle_protocol(EFI_HANDLE handle, EFI_GUID *guid, void **out);
EFI_STATUS EFIAPI locate_protocol(EFI_GUID *guid, void *key, void **out);
EFI_STATUS EFIAPI locate_handles(
	EFI_LOCATE_SEARCH_TYPE how, EFI_GUID *guid, void *key, UINTN *count, EFI_HANDLE **out);

/* volume.c: a file's bytes, which it copies; and what stands there now (NULL: no such file). */
void volume_add(const char *path, const void *data, size_t size);
const uint8_t *volume_look(const char *path, size_t *size);
EFI_STATUS EFIAPI volume_open_root(EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *self, EFI_FILE **root);

/* A call of a service: what it is to answer at once, or EFI_SUCCESS. */
EFI_STATUS called(const char *service);
/* How many bytes of `size` a read of a file is to say that it brought. */
size_t read_length(size_t size);
/* The firmware's rules were broken: told, and the process ends. */
_Noreturn void broken(const char *what, uint64_t value);

#endif
