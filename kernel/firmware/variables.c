/* SPDX-License-Identifier: MIT */
/* UEFI's variables for the rest of the kernel (UEFI 2.10 8.2): each call goes behind bars (bars.c), with the policy in force. */
#include "firmware/variables.h"

#include <efi.h>

#include "firmware/bars.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/slab.h"

#define NAME_BYTES 2048u /* of the longest name that is asked for */
#define NAMES_MAX  4096u /* more than that, and the enumeration does not end */
#define NON_VOLATILE \
	(EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS)

static bool has(enum evidence_service service)
{
	return firmware_supported() & 1u << service;
}

bool variables_are_there(void)
{
	return has(EVIDENCE_GET_VARIABLE) && has(EVIDENCE_GET_NEXT_VARIABLE_NAME);
}

bool variables_are_writable(void)
{
	return has(EVIDENCE_SET_VARIABLE);
}

static int errno_of(uint64_t status)
{
	switch (status) {
	case EFI_SUCCESS:
		return 0;
	case EFI_OUT_OF_RESOURCES:
		return -ENOSPC;
	case EFI_DEVICE_ERROR:
		return -EIO;
	case EFI_WRITE_PROTECTED:
		return -EROFS;
	case EFI_SECURITY_VIOLATION:
		return -EACCES;
	case EFI_NOT_FOUND:
		return -ENOENT;
	case EFI_BUFFER_TOO_SMALL:
		return -ERANGE;
	case EFI_UNSUPPORTED:
		return -EOPNOTSUPP;
	default:
		return -EINVAL;
	}
}

static struct firmware_argument value(uint64_t number)
{
	return (struct firmware_argument){.value = number};
}

static struct firmware_argument bytes(
	enum firmware_argument_kind kind, const void *buffer, size_t size)
{
	return (struct firmware_argument){
		.kind = kind, .buffer = (void *)(uintptr_t)buffer, .size = size};
}

static size_t words_size(const uint16_t *name)
{
	size_t count = 0;

	while (name[count])
		count++;
	return (count + 1) * sizeof(name[0]);
}

static int make(struct firmware_call *call)
{
	int error;

	call->record = kzalloc(sizeof(*call->record));
	if (!call->record)
		return -ENOMEM;
	error = firmware_call(call);
	kfree(call->record);
	return error ? error : errno_of(call->status);
}

int variable_get(const struct variable_name *name, uint32_t *attributes, void *data, size_t *size)
{
	uint64_t wanted = *size;
	struct firmware_call call = {.service = EVIDENCE_GET_VARIABLE,
		.arguments = {bytes(FIRMWARE_IN, name->words, words_size(name->words)),
			bytes(FIRMWARE_IN, name->vendor, VENDOR_SIZE),
			bytes(FIRMWARE_OUT, attributes, sizeof(*attributes)),
			bytes(FIRMWARE_IN_OUT, &wanted, sizeof(wanted)),
			bytes(FIRMWARE_OUT, *size ? data : NULL, *size)}};
	int error = make(&call);

	if (!error && wanted > *size) /* it says that it has written past the buffer */
		return -EIO;
	*size = wanted;
	return error;
}

int variable_store(struct variable_store *out)
{
	struct firmware_call call = {.service = EVIDENCE_QUERY_VARIABLE_INFO,
		.arguments = {value(NON_VOLATILE),
			bytes(FIRMWARE_OUT, &out->maximum, sizeof(out->maximum)),
			bytes(FIRMWARE_OUT, &out->remaining, sizeof(out->remaining)),
			bytes(FIRMWARE_OUT, &out->largest, sizeof(out->largest))}};

	return make(&call);
}

/* A firmware that cannot say how much it has is believed. */
static int look_for_room(uint32_t attributes, size_t size)
{
	struct variable_store store;
	int error;

	if (!(attributes & EFI_VARIABLE_NON_VOLATILE))
		return 0;
	error = variable_store(&store);
	if (error == -EOPNOTSUPP)
		return 0;
	if (!error && store.remaining < size + VARIABLE_RESERVE)
		error = -ENOSPC;
	return error;
}

int variable_set(
	const struct variable_name *name, uint32_t attributes, const void *data, size_t size)
{
	struct firmware_call call = {.service = EVIDENCE_SET_VARIABLE,
		.arguments = {bytes(FIRMWARE_IN, name->words, words_size(name->words)),
			bytes(FIRMWARE_IN, name->vendor, VENDOR_SIZE), value(attributes),
			value(size), bytes(FIRMWARE_IN, size ? data : NULL, size)}};
	int error = size ? look_for_room(attributes, size + words_size(name->words)) : 0;

	return error ? error : make(&call);
}

struct next {
	uint64_t size;
	uint8_t vendor[VENDOR_SIZE];
	uint16_t name[NAME_BYTES / 2];
};

int variables_each(int (*take)(void *context, const uint8_t vendor[VENDOR_SIZE],
			   const uint16_t *name, size_t bytes),
	void *context)
{
	struct next *next = kzalloc(sizeof(*next));
	unsigned count = 0;
	int error = next ? 0 : -ENOMEM;

	while (!error) {
		struct firmware_call call = {.service = EVIDENCE_GET_NEXT_VARIABLE_NAME};

		next->size = sizeof(next->name);
		call.arguments[0] = bytes(FIRMWARE_IN_OUT, &next->size, sizeof(next->size));
		call.arguments[1] = bytes(FIRMWARE_IN_OUT, next->name, sizeof(next->name));
		call.arguments[2] = bytes(FIRMWARE_IN_OUT, next->vendor, VENDOR_SIZE);
		error = make(&call);
		if (!error && ++count > NAMES_MAX)
			error = -EIO;
		if (!error)
			error = take(context, next->vendor, next->name, sizeof(next->name));
	}
	if (error == -EIO)
		log_warn("UEFI variables: the enumeration does not end, or the service was ended");
	kfree(next);
	return error == -ENOENT ? 0 : error;
}
