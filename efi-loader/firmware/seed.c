/* SPDX-License-Identifier: MIT */
/*
 * The seed file, as systemd-boot keeps it: what it holds and the machine's own token (so that two machines
 * of one image differ) go into the pool with all else; then 32 bytes of the pool replace it, on the disk,
 * before any number is drawn for the kernel. So no seed serves twice, and a read file tells nothing of what
 * the pool gave. Where there is no such file none is made: an image's would be everybody's.
 */
#include "console.h"
#include "files.h"
#include "interface.h"

#define SEED_FILE  L"\\loader\\random-seed"
#define SEED_LEAST 32u
#define SEED_MOST  512u
#define TOKEN_MOST 64u

static void add_token(struct loader *l)
{
	static EFI_GUID guid = INTERFACE_GUID;
	uint8_t token[TOKEN_MOST];
	UINTN size = sizeof(token);

	if (!l->system->RuntimeServices->GetVariable(
		    L"LoaderSystemToken", &guid, NULL, &size, token))
		random_pool_add(&l->random, token, size);
}

/* Overwrites all of the file: the new seed, then zeros. */
static EFI_STATUS replace(struct loader *l, EFI_FILE *file, UINTN size)
{
	uint8_t fresh[SEED_MOST] = {0};
	UINTN written = size;
	EFI_STATUS status;

	random_pool_take(&l->random, fresh, SEED_LEAST);
	status = file->SetPosition(file, 0);
	if (!EFI_ERROR(status))
		status = file->Write(file, &written, fresh);
	if (!EFI_ERROR(status) && written != size)
		status = EFI_VOLUME_FULL;
	if (!EFI_ERROR(status))
		status = file->Flush(file);
	__builtin_memset(fresh, 0, sizeof(fresh));
	__asm__ volatile("" : : "r"(fresh) : "memory");
	return status;
}

void turn_seed(struct loader *l)
{
	uint8_t old[SEED_MOST];
	UINTN size = sizeof(old);
	EFI_FILE *file;
	EFI_STATUS status = l->volume->Open(
		l->volume, &file, SEED_FILE, EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE, 0);

	if (status == EFI_NOT_FOUND)
		return;
	if (EFI_ERROR(status)) {
		say("the seed file cannot be written, so it is not used: %s", status_name(status));
		return;
	}
	status = file->Read(file, &size, old);
	if (!EFI_ERROR(status) && size >= SEED_LEAST && size <= sizeof(old)) {
		random_pool_add(&l->random, old, size);
		add_token(l);
		status = replace(l, file, size);
		if (!EFI_ERROR(status))
			l->handoff.seed_sources |= HANDOFF_SEED_FILE;
	}
	if (EFI_ERROR(status))
		warn("the seed file cannot be replaced: %s", status_name(status));
	file->Close(file);
}
