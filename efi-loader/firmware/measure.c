/* SPDX-License-Identifier: MIT */
#include "measure.h"

#include "console.h"
#include "files.h"

#define EV_IPL       0x0du
#define EVENT_HEADER 14u

/* EFI_TCG2_EVENT, TCG EFI Protocol 1.00 6.6.1. */
struct event {
	uint32_t size;
	uint32_t header_size;
	uint16_t header_version;
	uint32_t pcr, type;
	CHAR16 name[LOADER_PATH_MAX];
} __attribute__((packed));

void find_tpm(struct loader *l)
{
	static EFI_GUID guid = TCG2_PROTOCOL_GUID;
	struct tcg2_capability capability = {.size = sizeof(capability)};
	struct tcg2_protocol *tpm;

	if (l->boot->LocateProtocol(&guid, NULL, (void **)&tpm) ||
		tpm->get_capability(tpm, &capability) || !capability.tpm_present)
		return;
	l->tpm = tpm;
	l->handoff.flags |= HANDOFF_TPM2;
}

void measure(struct loader *l, enum pcr pcr, const char *name, const void *data, uint64_t size)
{
	static struct event event;
	static CHAR16 wide[LOADER_PATH_MAX];
	size_t length = 0;
	EFI_STATUS status;

	if (!l->tpm)
		return;
	event = (struct event){
		.header_size = EVENT_HEADER, .header_version = 1, .pcr = pcr, .type = EV_IPL};
	path_to_ucs2(name, wide, LOADER_PATH_MAX);
	while (wide[length++])
		;
	__builtin_memcpy(event.name, wide, length * sizeof(wide[0]));
	event.size = (uint32_t)(offsetof(struct event, name) + length * sizeof(wide[0]));
	status = l->tpm->hash_log_extend_event(l->tpm, 0, (uint64_t)data, size, &event);
	if (status == EFI_VOLUME_FULL)
		say("%s: measured into PCR %u, but the event log is full", name, pcr);
	else if (EFI_ERROR(status))
		warn("%s: cannot be measured into PCR %u: %s", name, pcr, status_name(status));
}

void measure_own_file(struct loader *l)
{
	static const char *const names[] = {".linux", ".osrel", ".cmdline", ".initrd", ".ucode",
		".splash", ".dtb", ".uname", ".sbat", ".pcrpkey"};

	if (!l->tpm || !l->own.kernel.data)
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct pe_section found;
		struct complaint why;

		if (pe_find(l->loaded_image->ImageBase, l->loaded_image->ImageSize, names[i],
			    &found, &why))
			continue;
		measure(l, PCR_OWN_FILE, names[i], names[i], text_length(names[i]) + 1);
		measure(l, PCR_OWN_FILE, names[i], found.data, found.size);
	}
}

void measure_options(struct loader *l)
{
	static CHAR16 wide[COMMAND_LINE_MAX];

	path_to_ucs2(l->command_line.text, wide, COMMAND_LINE_MAX);
	measure(l, PCR_OPTIONS, "command line", wide,
		(l->command_line.length + 1) * sizeof(wide[0]));
}
