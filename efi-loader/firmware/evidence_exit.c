/* SPDX-License-Identifier: MIT */
/*
 * The end of the evidence, around and after ExitBootServices: calls of it, the tables that it changes, the devices that
 * may still be busy. Nothing here allocates once it was called, and nothing prints: room was kept and claimed before.
 *
 * A stale key is tried first. The map with which the hand-off was made is one page older than the firmware's then, and
 * that page is nobody's: a firmware that takes the stale key has left its boot services all the same, and all is well.
 */
#include "cpu.h"
#include "evidence_internal.h"

#define PCI_ADDRESS      0xcf8u
#define PCI_DATA         0xcfcu
#define PCI_NONE         0xffffffffu
#define PCI_FUNCTIONS    65536u
#define PCI_MOST         1024u
#define PCI_COMMAND      4u
#define PCI_DECODES      3u /* of the command register: ports and memory */
#define PCI_CLASS        8u
#define PCI_HEADER       12u
#define PCI_BARS         16u
#define PCI_CLASS_BRIDGE 6u
#define PCI_MANY         0x80u /* of the header type: more functions than one */
#define BAR_64           4u

struct handoff_range evidence_claim(void)
{
	return (struct handoff_range){collector.block.base, collector.claim};
}

bool evidence_make_stale(struct loader *l)
{
	EFI_PHYSICAL_ADDRESS page = 0;

	if (!collector.active || collector.stale_tried)
		return false;
	collector.stale_tried = true;
	return !EFI_ERROR(l->boot->AllocatePages(AllocateAnyPages, EfiLoaderData, 1, &page));
}

void evidence_note_exit(const struct handoff *h, uint64_t key, EFI_STATUS status,
	const uint64_t stamps[2], bool deliberate)
{
	if (!collector.active || collector.exit_count == COLLECTOR_EXITS)
		return;
	collector.exit_stamps[0] = stamps[0];
	collector.exit_stamps[1] = stamps[1];
	collector.exits[collector.exit_count++] = (struct evidence_exit_call){.key = key,
		.status = status,
		.ticks = stamps[1] - stamps[0],
		.entries = (uint32_t)(h->raw_memory.size / h->raw_descriptor_size),
		.deliberate = deliberate};
}

/* ---- PCI ---- */

uint32_t evidence_pci_read(uint32_t function, uint32_t at)
{
	out32(PCI_ADDRESS, 0x80000000u | function << 8 | at);
	return in32(PCI_DATA);
}

void evidence_pci_write(uint32_t function, uint32_t at, uint32_t value)
{
	out32(PCI_ADDRESS, 0x80000000u | function << 8 | at);
	out32(PCI_DATA, value);
}

static uint32_t bar_ones(uint32_t function, uint32_t at)
{
	uint32_t held = evidence_pci_read(function, at), ones;

	evidence_pci_write(function, at, 0xffffffffu);
	ones = evidence_pci_read(function, at);
	evidence_pci_write(function, at, held);
	return ones;
}

/* What it decodes is turned off meanwhile, so that it answers nowhere else. */
static void read_bars(uint32_t function, struct evidence_pci *out)
{
	uint32_t command = evidence_pci_read(function, PCI_COMMAND);
	unsigned int count = out->header == 0 ? 6 : out->header == 1 ? 2 : 0;

	if (out->class >> 16 == PCI_CLASS_BRIDGE && out->header == 0)
		return;
	/* The upper half is the status register, whose bits a written 1 clears. */
	evidence_pci_write(function, PCI_COMMAND, command & 0xffff & ~PCI_DECODES);
	for (unsigned int i = 0; i < count; i++) {
		uint32_t at = PCI_BARS + 4 * i;
		uint64_t held = evidence_pci_read(function, at), ones = bar_ones(function, at);
		bool wide = (held & 7) == BAR_64 && i + 1 < count;
		struct evidence_range bar;

		if (wide) {
			held |= (uint64_t)evidence_pci_read(function, at + 4) << 32;
			ones |= (uint64_t)bar_ones(function, at + 4) << 32;
		}
		bar = evidence_bar(held, ones);
		out->bars[i].base = bar.address;
		out->bars[i].size = bar.size;
		i += wide;
	}
	evidence_pci_write(function, PCI_COMMAND, command & 0xffff);
}

/* Segment 0: what the ports reach. */
static void collect_pci(void)
{
	struct evidence_pci *out = (struct evidence_pci *)collector.scratch;
	size_t count = 0;

	for (uint32_t function = 0; function < PCI_FUNCTIONS && count < PCI_MOST; function++) {
		uint32_t id = evidence_pci_read(function, 0), header;
		struct evidence_pci *p = &out[count];

		if (id == PCI_NONE || !(id & 0xffff)) {
			function |= function & 7 ? 0 : 7;
			continue;
		}
		header = evidence_pci_read(function, PCI_HEADER) >> 16 & 0xff;
		*p = (struct evidence_pci){.vendor = (uint16_t)id,
			.device = (uint16_t)(id >> 16),
			.command = (uint16_t)evidence_pci_read(function, PCI_COMMAND),
			.bus = (uint8_t)(function >> 8),
			.slot = function >> 3 & 31,
			.function = function & 7,
			.header = header & 0x7f,
			.class = evidence_pci_read(function, PCI_CLASS) >> 8};
		read_bars(function, p);
		count++;
		if (!(function & 7) && !(header & PCI_MANY))
			function |= 7;
	}
	collect(EVIDENCE_PCI, EVIDENCE_PHYSICAL, 0, NULL, 0, out, count * sizeof(*out));
}

/* ---- The end ---- */

static void collect_last_map(const struct loader *l, uint64_t key)
{
	const struct handoff *h = &l->handoff;
	struct evidence_memory_map head = {.key = key,
		.descriptor_size = (uint32_t)h->raw_descriptor_size,
		.descriptor_version = h->raw_descriptor_version};

	collect(EVIDENCE_MEMORY_MAP, EVIDENCE_BEFORE_EXIT, 0, &head, sizeof(head),
		(const void *)h->raw_memory.base, h->raw_memory.size);
}

static void collect_stamps(const struct loader *l)
{
	struct evidence_stamp stamps[] = {
		{.what = EVIDENCE_STAMP_ENTRY, .tsc = l->handoff.stage_tsc[HANDOFF_STAGE_ENTRY]},
		{.what = EVIDENCE_STAMP_EXIT, .tsc = collector.exit_stamps[0]},
		{.what = EVIDENCE_STAMP_EXITED, .tsc = collector.exit_stamps[1]}};

	collect(EVIDENCE_STAMPS, EVIDENCE_PHYSICAL, 0, NULL, 0, stamps, sizeof(stamps));
}

void evidence_after_exit(struct loader *l, uint64_t key)
{
	struct handoff *h = &l->handoff;

	if (!collector.active)
		return;
	collect_last_map(l, key);
	collect(EVIDENCE_EXIT_CALLS, EVIDENCE_BEFORE_EXIT, 0, NULL, 0, collector.exits,
		collector.exit_count * sizeof(collector.exits[0]));
	evidence_collect_table(EVIDENCE_PHYSICAL, EVIDENCE_SYSTEM_TABLE, &l->system->Hdr);
	evidence_collect_table(
		EVIDENCE_PHYSICAL, EVIDENCE_RUNTIME_TABLE, &l->system->RuntimeServices->Hdr);
	evidence_collect_configuration(l, EVIDENCE_PHYSICAL);
	collect_blob(EVIDENCE_BOOT_RECORD, EVIDENCE_PHYSICAL, 0, collector.boot_record,
		evidence_table_size(&collector.memory, collector.boot_record));
	collect_pci();
	collect_stamps(l);
	collector.watchdog.after_exit = read_tsc() - collector.exit_stamps[1];
	collect(EVIDENCE_WATCHDOG, EVIDENCE_PHYSICAL, 0, &collector.watchdog,
		sizeof(collector.watchdog), NULL, 0);
	h->evidence =
		(struct handoff_range){collector.block.base, evidence_seal(&collector.writer)};
}
