/* SPDX-License-Identifier: MIT */
/* PCI configuration space, to look at: no device is changed. See pci.c. */
#ifndef DEVICES_PCI_H
#define DEVICES_PCI_H

#include "lib/types.h"

/* A function, as 8 bits of bus, 5 of device, 3 of function. */
typedef uint16_t pci_function;

#define PCI_FUNCTION(bus, device, function) \
	((pci_function)((bus) << 8 | (device) << 3 | (function)))

/* Registers of every header, PCI 3.0 6.1, and of bridges. */
enum {
	PCI_ID = 0x00, /* vendor, device */
	PCI_STATUS = 0x06,
	PCI_CLASS = 0x08, /* revision, then 24 bits of class */
	PCI_HEADER = 0x0e,
	PCI_BARS = 0x10,
	PCI_SECONDARY = 0x19,
	PCI_SUBSYSTEM = 0x2c,
	PCI_CAPABILITIES = 0x34,
	PCI_LINE = 0x3c,
};
enum { PCI_MULTIFUNCTION = 0x80, PCI_NORMAL = 0, PCI_BRIDGE = 1 }; /* of PCI_HEADER */

/* Finds the memory that maps configuration space (MCFG); without it ports do, for the first 256 bytes. Once. */
void pci_init(void);
bool pci_exists(pci_function function);
/* 1, 2 or 4 bytes at a multiple of that; all ones where nothing answers. May sleep. */
uint32_t pci_read(pci_function function, unsigned offset, unsigned bytes);
/* How many bytes the function's space has: 256 or 4096. */
unsigned pci_space(pci_function function);

#endif
