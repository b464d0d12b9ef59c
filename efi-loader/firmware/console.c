/* SPDX-License-Identifier: MIT */
#include "console.h"

#include "serial.h"

#define MESSAGE_MAX 400u

static EFI_SYSTEM_TABLE *system_table;

void console_start(EFI_SYSTEM_TABLE *system)
{
	system_table = system;
	serial_probe();
}

void console_write(const char *text)
{
	CHAR16 part[64];
	UINTN n = 0;

	if (!system_table->ConOut)
		return;
	for (; *text; text++) {
		if (*text == '\n')
			part[n++] = '\r';
		part[n++] = (CHAR16)(unsigned char)*text;
		if (n >= sizeof(part) / sizeof(part[0]) - 2 || !text[1]) {
			part[n] = 0;
			system_table->ConOut->OutputString(system_table->ConOut, part);
			n = 0;
		}
	}
}

/* Whether `path` leads to the first serial port: an ACPI node PNP0501 with UID 0, then a UART. */
static bool leads_to_com1(const EFI_DEVICE_PATH *path)
{
	bool com1 = false;

	for (;;) {
		const uint8_t *p = (const uint8_t *)path;
		uint32_t size = (uint32_t)p[2] | (uint32_t)p[3] << 8, hid, uid;

		if (size < 4 || p[0] == 0x7f)
			return false;
		if (p[0] == 2 && p[1] == 1 && size >= 12) {
			__builtin_memcpy(&hid, p + 4, 4);
			__builtin_memcpy(&uid, p + 8, 4);
			com1 = hid == 0x050141d0 && uid == 0;
		}
		if (com1 && p[0] == 3 && p[1] == 14)
			return true;
		path = (const EFI_DEVICE_PATH *)(p + size);
	}
}

/* Whether what is printed on the console comes out of the first serial port already. */
static bool console_includes_serial(void)
{
	static EFI_GUID console_guid = CONSOLE_OUT_DEVICE_GUID;
	static EFI_GUID path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
	EFI_BOOT_SERVICES *boot = system_table->BootServices;
	EFI_HANDLE *handles;
	UINTN count = 0;
	bool found = false;

	if (boot->LocateHandleBuffer(ByProtocol, &console_guid, NULL, &count, &handles))
		return false;
	for (UINTN i = 0; i < count && !found; i++) {
		void *path;

		if (boot->HandleProtocol(handles[i], &path_guid, &path) == EFI_SUCCESS)
			found = leads_to_com1(path);
	}
	boot->FreePool(handles);
	return found;
}

void say(const char *format, ...)
{
	char text[MESSAGE_MAX];
	va_list arguments;

	if (!serial_present())
		return;
	va_start(arguments, format);
	text_format_v(text, sizeof(text), format, arguments);
	va_end(arguments);
	serial_write("loader: ");
	serial_write(text);
	serial_write("\n");
}

static void show(const char *kind, const char *text, const char *ending)
{
	if (serial_present() && !console_includes_serial()) {
		serial_write("loader: ");
		serial_write(kind);
		serial_write(text);
		serial_write(ending);
		serial_write("\n");
	}
	console_write("loader: ");
	console_write(kind);
	console_write(text);
	console_write(ending);
	console_write("\n");
}

void warn(const char *format, ...)
{
	char text[MESSAGE_MAX];
	va_list arguments;

	va_start(arguments, format);
	text_format_v(text, sizeof(text), format, arguments);
	va_end(arguments);
	show("warning: ", text, "");
}

EFI_STATUS fail(EFI_STATUS status, const char *format, ...)
{
	char text[MESSAGE_MAX], ending[40];
	va_list arguments;

	va_start(arguments, format);
	text_format_v(text, sizeof(text), format, arguments);
	va_end(arguments);
	text_format(ending, sizeof(ending), " (%s)", status_name(status));
	show("error: ", text, ending);
	return status;
}

EFI_STATUS fail_verdict(enum verdict verdict, const char *where, const struct complaint *why)
{
	static const EFI_STATUS statuses[] = {
		[VERDICT_MALFORMED] = EFI_LOAD_ERROR,
		[VERDICT_UNSUPPORTED] = EFI_UNSUPPORTED,
		[VERDICT_NO_ROOM] = EFI_OUT_OF_RESOURCES,
		[VERDICT_NOT_FOUND] = EFI_NOT_FOUND,
	};

	return fail(statuses[verdict], "%s%s%s", where, *where ? ": " : "", why->text);
}

const char *status_name(EFI_STATUS status)
{
	static const char *const names[] = {"success", "load error", "invalid parameter",
		"unsupported", "bad buffer size", "buffer too small", "not ready", "device error",
		"write protected", "out of resources", "volume corrupted", "volume full",
		"no media", "media changed", "not found", "access denied", "no response",
		"no mapping", "time-out", "not started", "already started", "aborted", "ICMP error",
		"TFTP error", "protocol error", "incompatible version", "security violation",
		"CRC error"};
	uint64_t code = status & ~EFI_ERROR_MASK;

	return code < sizeof(names) / sizeof(names[0]) ? names[code] : "unknown status";
}
