/* SPDX-License-Identifier: MIT */
/* Faults put between the loader and the firmware: see inject.c. */
#ifndef CI_INJECT_H
#define CI_INJECT_H

#include "chain.h"

/* What the loader calls, and what a struck call returns. BOOTS: the loader goes on without it; EITHER: it depends on the call. */
#define INJECT_SERVICES(X)                                    \
	X(AllocatePages, EFI_OUT_OF_RESOURCES, EITHER)        \
	X(FreePages, EFI_INVALID_PARAMETER, BOOTS)            \
	X(GetMemoryMap, EFI_INVALID_PARAMETER, EITHER)        \
	X(AllocatePool, EFI_OUT_OF_RESOURCES, EITHER)         \
	X(FreePool, EFI_INVALID_PARAMETER, BOOTS)             \
	X(CreateEvent, EFI_OUT_OF_RESOURCES, EITHER)          \
	X(SetTimer, EFI_INVALID_PARAMETER, EITHER)            \
	X(WaitForEvent, EFI_UNSUPPORTED, BOOTS)               \
	X(CloseEvent, EFI_INVALID_PARAMETER, BOOTS)           \
	X(HandleProtocol, EFI_UNSUPPORTED, EITHER)            \
	X(OpenProtocol, EFI_UNSUPPORTED, EITHER)              \
	X(LocateHandle, EFI_NOT_FOUND, BOOTS)                 \
	X(LocateHandleBuffer, EFI_OUT_OF_RESOURCES, BOOTS)    \
	X(LocateProtocol, EFI_NOT_FOUND, BOOTS)               \
	X(SetWatchdogTimer, EFI_UNSUPPORTED, BOOTS)           \
	X(Stall, EFI_DEVICE_ERROR, BOOTS)                     \
	X(GetVariable, EFI_DEVICE_ERROR, BOOTS)               \
	X(SetVariable, EFI_OUT_OF_RESOURCES, BOOTS)           \
	X(GetNextVariableName, EFI_DEVICE_ERROR, BOOTS)       \
	X(QueryVariableInfo, EFI_UNSUPPORTED, BOOTS)          \
	X(GetTime, EFI_DEVICE_ERROR, BOOTS)                   \
	X(GetNextHighMonotonicCount, EFI_DEVICE_ERROR, BOOTS) \
	X(OpenVolume, EFI_VOLUME_CORRUPTED, EITHER)           \
	X(Open, EFI_DEVICE_ERROR, EITHER)                     \
	X(Close, EFI_DEVICE_ERROR, BOOTS)                     \
	X(Delete, EFI_WARN_DELETE_FAILURE, BOOTS)             \
	X(Read, EFI_DEVICE_ERROR, EITHER)                     \
	X(Write, EFI_VOLUME_FULL, BOOTS)                      \
	X(GetPosition, EFI_DEVICE_ERROR, EITHER)              \
	X(SetPosition, EFI_DEVICE_ERROR, EITHER)              \
	X(GetInfo, EFI_DEVICE_ERROR, EITHER)                  \
	X(SetInfo, EFI_ACCESS_DENIED, BOOTS)                  \
	X(Flush, EFI_DEVICE_ERROR, BOOTS)                     \
	X(QueryMode, EFI_DEVICE_ERROR, BOOTS)                 \
	X(SetMode, EFI_DEVICE_ERROR, BOOTS)                   \
	X(OutputString, EFI_DEVICE_ERROR, BOOTS)              \
	X(ClearScreen, EFI_DEVICE_ERROR, BOOTS)               \
	X(ReadKeyStroke, EFI_DEVICE_ERROR, BOOTS)             \
	X(GetRNG, EFI_NOT_READY, BOOTS)                       \
	X(TpmCapability, EFI_DEVICE_ERROR, BOOTS)             \
	X(TpmLog, EFI_DEVICE_ERROR, BOOTS)                    \
	X(TpmExtend, EFI_DEVICE_ERROR, BOOTS)                 \
	X(TpmCommand, EFI_DEVICE_ERROR, BOOTS)

#define SERVICE_NUMBER(name, status, end) SERVICE_##name,
enum service { INJECT_SERVICES(SERVICE_NUMBER) SERVICES };

/* How calls of one service are struck: the nth alone, each from the nth on; of Read: it gives no bytes, half of them. */
enum mode { MODE_NONE, MODE_ONCE, MODE_FROM, MODE_EMPTY, MODE_HALF, MODES };

enum outcome { RETURNED, BOOTED, RESET, HUNG };

/* One start of the loader: what is to happen, and what did. */
struct trial {
	enum service service;
	enum mode mode;
	uint32_t nth;
	uint32_t stale;  /* tries of ExitBootServices whose key is made stale */
	uint32_t stride; /* bytes of a memory descriptor; 0: the firmware's */
	uint32_t most;   /* bytes that a Read gives; 0: all */
	bool keys;       /* a person types in the menu */
	bool tpm;        /* there is a TPM */
	bool no_output, no_input, no_screen, blt_only;
	bool grows;     /* no buffer is large enough for the memory map */
	bool own_stale; /* the loader makes a key stale itself, once, as a report wants it */
	bool enforced;  /* writable or executable: inject_pages.c */
	bool last;      /* it leaves for good */

	enum outcome outcome;
	EFI_STATUS status;
	uint32_t calls[SERVICES], exits, stale_made, watchdog, budget;
	bool struck, told; /* the fault happened; an error was shown on the console */
	bool at_end;       /* what gave no bytes was a folder: it ends there */
	bool stale_key; /* the key of ExitBootServices was not the last, though nobody had made it stale */
};

extern struct trial trial;
extern EFI_SYSTEM_TABLE *firmware; /* the real one */
extern EFI_BOOT_SERVICES real;     /* as the firmware made them */
extern EFI_SYSTEM_TABLE shown;     /* what the loader gets */
extern EFI_BOOT_SERVICES shown_boot;

extern EFI_HANDLE self, loaded; /* inject.efi, the loader */
extern unsigned int starts, wrong;
extern bool enforced; /* pages are writable or executable from now on */
extern const char *const service_names[], *const mode_names[];

/* A line of the plan. */
struct path {
	char name[32], options[CHAIN_OPTIONS_MAX];
	struct trial form; /* what each trial of it begins with */
	uint32_t fragments;
	EFI_STATUS status;
	enum outcome expected;
	bool sweep, sweep_memory, thin;
};

/* inject_trial.c */
/* Makes a trial of path->form with this fault; whether the fault came about. */
bool try(const struct path *path, enum service service, enum mode mode, uint32_t nth);
void complain(const struct path *path, const char *what);
size_t descriptors_before(void); /* of the memory map, before the last trial */
/* The loader as an image that was not started, its pages enforced where they are to be; false: it cannot be loaded. */
bool load_loader(const char *options);
void forget_loader(void);

/* A line on the serial port; one that begins with "not ok" counts. */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Counts a call; true: it is to fail, with struck_status(). */
bool strikes(enum service service);
EFI_STATUS struck_status(enum service service);
_Noreturn void end_trial(enum outcome outcome);

/* What the loader holds. */
enum kind { PAGES, POOL, EVENT, FILE_HANDLE, KINDS };
void hold(enum kind kind, uint64_t what, uint64_t size);
uint64_t let_go(enum kind kind, uint64_t what); /* its size */
uint32_t held(enum kind kind);

/* inject_services.c: fills `shown`; before a trial that is the last one, puts what that needs into the firmware's own tables. */
void services_show(void);
void services_for_good(void);
uint64_t current_key(void);

/* inject_files.c, inject_screen.c: the loader gets ours for the firmware's protocol; NULL: there is none. */
void *files_proxy(EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *volume);
EFI_STATUS close_really(EFI_FILE *proxy);
void *screen_proxy(EFI_GRAPHICS_OUTPUT_PROTOCOL *gop);
void *random_proxy(EFI_RNG_PROTOCOL *rng);
void *tpm_proxy(void);
void console_show(void);

/* inject_pages.c: memory is writable or executable; the protocol that UEFI 2.10 37.8 has for it. */
#define MEMORY_ATTRIBUTE_PROTOCOL_GUID                                 \
	{                                                              \
		0xf4560cf6, 0x40ec, 0x4b4a,                            \
		{                                                      \
			0xa1, 0x92, 0xbf, 0x1d, 0x57, 0xd0, 0xb1, 0x89 \
		}                                                      \
	}
#define CPU_ARCH_PROTOCOL_GUID                                         \
	{                                                              \
		0x26baccb1, 0x6f42, 0x11d4,                            \
		{                                                      \
			0xbc, 0xe7, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81 \
		}                                                      \
	}
EFI_STATUS pages_enforce(EFI_HANDLE own);
EFI_STATUS pages_enforce_image(EFI_HANDLE image);
void pages_forget_image(EFI_HANDLE image);
/* How many of the claims about it hold; each is printed. */
uint32_t pages_probe(EFI_HANDLE loader, uint32_t *claims);

#endif
