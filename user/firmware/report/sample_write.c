/* SPDX-License-Identifier: MIT */
/* The made-up firmware as evidence. */
#include "sample.h"

#include <stdlib.h>

struct writing {
	struct evidence_writer writer;
	uint64_t without;
};

static void add(struct writing *w, enum evidence_kind kind, enum evidence_phase phase,
	uint32_t index, const void *head, size_t head_size, const void *tail, size_t tail_size)
{
	if (!(w->without >> kind & 1))
		evidence_add(&w->writer, kind, phase, index, head, head_size, tail, tail_size);
}

static void add_blob(struct writing *w, enum evidence_kind kind, enum evidence_phase phase,
	uint32_t index, const struct blob *blob)
{
	struct evidence_blob head = {blob->address};

	if (blob->size)
		add(w, kind, phase, index, &head, sizeof head, blob->data, blob->size);
}

static void add_map(struct writing *w, enum evidence_phase phase, const struct sample_map *map)
{
	add(w, EVIDENCE_MEMORY_MAP, phase, 0, &map->head, sizeof map->head, map->at,
		map->count * sizeof *map->at + map->more);
}

static void add_tables(struct writing *w, const struct sample *s)
{
	struct evidence_blob head = {s->configuration_address};

	for (uint32_t i = 0; i < 3; i++)
		add_blob(w, EVIDENCE_TABLE, EVIDENCE_ENTRY, i, &s->tables[i]);
	add_blob(w, EVIDENCE_TABLE, EVIDENCE_PHYSICAL, EVIDENCE_SYSTEM_TABLE, &s->system_after);
	add_blob(w, EVIDENCE_TABLE, EVIDENCE_PHYSICAL, EVIDENCE_RUNTIME_TABLE, &s->runtime_after);
	if (s->runtime_virtual.size)
		add_blob(w, EVIDENCE_TABLE, EVIDENCE_VIRTUAL, EVIDENCE_RUNTIME_TABLE,
			&s->runtime_virtual);
	add(w, EVIDENCE_CONFIGURATION, EVIDENCE_ENTRY, 0, &head, sizeof head, s->configuration,
		s->configuration_count * sizeof *s->configuration);
	add(w, EVIDENCE_CONFIGURATION, EVIDENCE_BEFORE_EXIT, 0, &head, sizeof head,
		s->configuration, s->configuration_count * sizeof *s->configuration);
	add(w, EVIDENCE_CONFIGURATION, EVIDENCE_PHYSICAL, 0, &head, sizeof head,
		s->configuration_after,
		s->configuration_after_count * sizeof *s->configuration_after);
	add_blob(w, EVIDENCE_ATTRIBUTES, EVIDENCE_ENTRY, 0, &s->attributes);
	add_blob(w, EVIDENCE_ATTRIBUTES, EVIDENCE_BEFORE_EXIT, 0, &s->attributes_before);
	add_blob(w, EVIDENCE_RT_PROPERTIES, EVIDENCE_ENTRY, 0, &s->rt_properties);
	add_blob(w, EVIDENCE_ESRT, EVIDENCE_ENTRY, 0, &s->esrt);
	add_blob(w, EVIDENCE_RSDP, EVIDENCE_ENTRY, 0, &s->rsdp);
	for (uint32_t i = 0; i < ACPI_TABLES; i++)
		add_blob(w, EVIDENCE_ACPI, EVIDENCE_ENTRY, i, &s->acpi[i]);
	add_blob(w, EVIDENCE_SMBIOS_ANCHOR, EVIDENCE_ENTRY, 3, &s->anchor);
	add_blob(w, EVIDENCE_SMBIOS, EVIDENCE_ENTRY, 3, &s->smbios);
	add_blob(w, EVIDENCE_BOOT_RECORD, EVIDENCE_PHYSICAL, 0, &s->boot_record);
}

#define ARRAY(w, kind, phase, array) \
	add(w, EVIDENCE_##kind, EVIDENCE_##phase, 0, NULL, 0, array, sizeof array)
#define ONE(w, kind, phase, index, head) \
	add(w, EVIDENCE_##kind, EVIDENCE_##phase, index, &(head), sizeof(head), NULL, 0)

static void add_machine(struct writing *w, const struct sample *s)
{
	add(w, EVIDENCE_MACHINE, EVIDENCE_ENTRY, 0, &s->machine, sizeof s->machine, "Sample", 6);
	ONE(w, CPU, ENTRY, 0, s->cpu);
	ARRAY(w, MSRS, ENTRY, s->msrs);
	add(w, EVIDENCE_MAPPINGS, EVIDENCE_ENTRY, 0, NULL, 0, s->mappings,
		s->mapping_count * sizeof *s->mappings);
	add_map(w, EVIDENCE_ENTRY, &s->map);
	add_map(w, EVIDENCE_BEFORE_EXIT, &s->map_before);
	add_map(w, EVIDENCE_PREVIOUS_BOOT, &s->previous);
	ARRAY(w, MAP_CALLS, ENTRY, s->map_calls);
	add(w, EVIDENCE_IMAGE, EVIDENCE_ENTRY, 0, &s->image, sizeof s->image, s->headers.data,
		s->headers.size);
	add(w, EVIDENCE_SELF, EVIDENCE_ENTRY, 0, &s->self, sizeof s->self, s->path, s->path_size);
	add(w, EVIDENCE_EXIT_CALLS, EVIDENCE_BEFORE_EXIT, 0, NULL, 0, s->exits,
		s->exit_count * sizeof *s->exits);
	ARRAY(w, CANARIES, PHYSICAL, s->canaries);
	ONE(w, WATCHDOG, PHYSICAL, 0, s->watchdog);
	ARRAY(w, STAMPS, PHYSICAL, s->stamps);
	ARRAY(w, PCI, PHYSICAL, s->pci);
	ARRAY(w, PROBES, PHYSICAL, s->probes);
	ARRAY(w, PROCESSORS, PHYSICAL, s->processors);
	add(w, EVIDENCE_GRAPHICS, EVIDENCE_ENTRY, 0, &s->graphics, sizeof s->graphics, s->modes,
		sizeof s->modes);
	add(w, EVIDENCE_EDID, EVIDENCE_ENTRY, 0, NULL, 0, s->edid.data, s->edid.size);
	add(w, EVIDENCE_EVENT_LOG, EVIDENCE_PHYSICAL, 0, &s->log_head, sizeof s->log_head,
		s->log.data, s->log.size);
	if (s->final.size)
		add(w, EVIDENCE_FINAL_EVENTS, EVIDENCE_PHYSICAL, 0, NULL, 0, s->final.data,
			s->final.size);
	ARRAY(w, PCRS, PHYSICAL, s->pcrs);
}

static void add_variable(struct writing *w, uint32_t index, const struct sample_variable *variable)
{
	struct evidence_variable head = variable->head;
	uint8_t tail[2 * sizeof variable->name + sizeof variable->data] = {0};

	head.name_size = (uint32_t)(2 * strlen(variable->name) + 2);
	for (size_t i = 0; variable->name[i]; i++)
		tail[2 * i] = (uint8_t)variable->name[i];
	memcpy(tail + head.name_size, variable->data, variable->size);
	add(w, EVIDENCE_VARIABLE, variable->phase, index, &head, sizeof head, tail,
		head.name_size + variable->size);
}

static void add_services(struct writing *w, const struct sample *s)
{
	for (uint32_t i = 0; i < s->call_count; i++)
		add(w, EVIDENCE_CALL, s->calls[i].phase, i, &s->calls[i].call,
			sizeof s->calls[i].call, NULL, 0);
	ARRAY(w, TRAPS, PHYSICAL, s->traps);
	if (s->violation.what)
		add(w, EVIDENCE_VIOLATION, s->violation_phase, 0, &s->violation,
			sizeof s->violation, NULL, 0);
	for (uint32_t i = 0; i < s->variable_count; i++)
		add_variable(w, i, &s->variables[i]);
	ONE(w, ENUMERATION, BEFORE_EXIT, 0, s->enumeration);
	ARRAY(w, STORE_INFO, BEFORE_EXIT, s->store);
	ARRAY(w, TIMES, PHYSICAL, s->times);
	add(w, EVIDENCE_MONOTONIC, EVIDENCE_PREVIOUS_BOOT, 0, NULL, 0, &s->counts[2],
		sizeof s->counts[2]);
	add(w, EVIDENCE_MONOTONIC, EVIDENCE_BEFORE_EXIT, 0, NULL, 0, &s->counts[0],
		sizeof s->counts[0]);
	add(w, EVIDENCE_MONOTONIC, EVIDENCE_PHYSICAL, 0, NULL, 0, &s->counts[1],
		sizeof s->counts[1]);
	if (s->fill.writes)
		ONE(w, STORE_FILL, PHYSICAL, 0, s->fill);
	ARRAY(w, RESETS, PHYSICAL, s->resets);
}

size_t sample_write(const struct sample *s, void *buffer)
{
	struct writing w = {.without = s->without};

	evidence_begin(&w.writer, buffer, SAMPLE_BYTES);
	add_machine(&w, s);
	add_tables(&w, s);
	add_services(&w, s);
	if (w.writer.left_out)
		abort();
	return evidence_seal(&w.writer);
}
