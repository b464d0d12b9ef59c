/* SPDX-License-Identifier: MIT */
/* gnu-efi's headers, and what they lack: newer protocols (UEFI 2.10, TCG EFI Protocol 1.00). */
#ifndef LOADER_EFI_H
#define LOADER_EFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <efi.h>

#define SHELL_PARAMETERS_GUID                                          \
	{                                                              \
		0x752f3136, 0x4e16, 0x4fdc,                            \
		{                                                      \
			0xa2, 0x2a, 0xe5, 0xf4, 0x68, 0x12, 0xf4, 0xca \
		}                                                      \
	}
#define GLOBAL_VARIABLE_GUID                                           \
	{                                                              \
		0x8be4df61, 0x93ca, 0x11d2,                            \
		{                                                      \
			0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c \
		}                                                      \
	}
#define TCG2_PROTOCOL_GUID                                             \
	{                                                              \
		0x607f766c, 0x7455, 0x42be,                            \
		{                                                      \
			0x93, 0x0b, 0xe4, 0xd7, 0x6d, 0xb2, 0x72, 0x0f \
		}                                                      \
	}
#define MEMORY_ATTRIBUTES_TABLE_GUID                                   \
	{                                                              \
		0xdcfa911d, 0x26eb, 0x469f,                            \
		{                                                      \
			0xa2, 0x20, 0x38, 0xb7, 0xdc, 0x46, 0x12, 0x20 \
		}                                                      \
	}
#define ESRT_GUID                                                      \
	{                                                              \
		0xb122a263, 0x3661, 0x4f68,                            \
		{                                                      \
			0x99, 0x29, 0x78, 0xf8, 0xb0, 0xd6, 0x21, 0x80 \
		}                                                      \
	}
#define RT_PROPERTIES_TABLE_GUID                                       \
	{                                                              \
		0xeb66918a, 0x7eef, 0x402a,                            \
		{                                                      \
			0x84, 0x2e, 0x93, 0x1d, 0x21, 0xc3, 0x8a, 0xe9 \
		}                                                      \
	}
#define FINAL_EVENTS_TABLE_GUID                                        \
	{                                                              \
		0x1e2ed096, 0x30e2, 0x4254,                            \
		{                                                      \
			0xbd, 0x89, 0x86, 0x3b, 0xbe, 0xf8, 0x23, 0x25 \
		}                                                      \
	}
#define LOADED_IMAGE_DEVICE_PATH_GUID                                  \
	{                                                              \
		0xbc62157e, 0x3e33, 0x4fec,                            \
		{                                                      \
			0x99, 0x20, 0x2d, 0x3b, 0x36, 0xd7, 0x50, 0xdf \
		}                                                      \
	}
#define FIRMWARE_VOLUME_BLOCK2_GUID /* PI 1.7 */                       \
	{                                                              \
		0x8f644fa9, 0xe850, 0x4db1,                            \
		{                                                      \
			0x9c, 0xe2, 0x0b, 0x44, 0x69, 0x8e, 0x8d, 0xa4 \
		}                                                      \
	}
#define BATON_FILL_GUID /* of our own */                               \
	{                                                              \
		0x7b61746f, 0x6e00, 0x4d69,                            \
		{                                                      \
			0xb5, 0xe0, 0x62, 0x61, 0x74, 0x6f, 0x6e, 0x10 \
		}                                                      \
	}
#define CONSOLE_OUT_DEVICE_GUID /* EDK2's mark on the handles that ConOut prints to */ \
	{                                                                              \
		0xd3b36f2c, 0xd551, 0x11d4,                                            \
		{                                                                      \
			0x9a, 0x46, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d                 \
		}                                                                      \
	}

/* EFI_MEMORY_ATTRIBUTES_TABLE, UEFI 2.10 4.6.4. */
struct memory_attributes_table {
	uint32_t version, entries, descriptor_size, flags;
};

/* EFI_TCG2_PROTOCOL, but for what asks about PCR banks, and the beginning of its capability. */
struct tcg2_capability {
	uint8_t size, structure_major, structure_minor, protocol_major, protocol_minor;
	uint32_t hash_algorithms, event_logs;
	uint8_t tpm_present;
	uint8_t rest[64];
};
struct tcg2_protocol {
	EFI_STATUS(EFIAPI *get_capability)
	(struct tcg2_protocol *this, struct tcg2_capability *capability);
	EFI_STATUS(EFIAPI *get_event_log)
	(struct tcg2_protocol *this, uint32_t format, EFI_PHYSICAL_ADDRESS *log,
		EFI_PHYSICAL_ADDRESS *last, BOOLEAN *truncated);
	EFI_STATUS(EFIAPI *hash_log_extend_event)
	(struct tcg2_protocol *this, uint64_t flags, EFI_PHYSICAL_ADDRESS data, uint64_t size,
		void *event);
	EFI_STATUS(EFIAPI *submit_command)
	(struct tcg2_protocol *this, uint32_t in_size, const void *in, uint32_t out_size,
		void *out);
};

static inline bool guid_equal(const EFI_GUID *a, const EFI_GUID *b)
{
	return __builtin_memcmp(a, b, sizeof(*a)) == 0;
}

#endif
