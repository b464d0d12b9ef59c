/* SPDX-License-Identifier: MIT */
#ifndef FIRMWARE_EFI_DEVICE_H
#define FIRMWARE_EFI_DEVICE_H

/* Makes /dev/efi_test, where there are runtime services. See efi_device.c. */
void efi_device_init(void);

#endif
