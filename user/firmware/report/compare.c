/* SPDX-License-Identifier: MIT */
/*
 * What changed between two reports, in words: verdicts, observations that do not vary by nature, and what the
 * firmware handed over: regions, variables, tables that came, went or are others.
 */
#include <stdarg.h>

#include "lists.h"
#include "report.h"

typedef unsigned long long ull;

struct comparison {
	FILE *out;
	unsigned changes;
};

static __attribute__((format(printf, 2, 3))) void changed(
	struct comparison *c, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(c->out, format, arguments);
	va_end(arguments);
	fputc('\n', c->out);
	c->changes++;
}

static void compare_checks(
	struct comparison *c, const struct report *before, const struct report *after)
{
	for (unsigned i = 0; i < before->count; i++) {
		const struct judgement *a = &before->results[i], *b = &after->results[i];

		if (a->verdict != b->verdict)
			changed(c, "%s: %s, was %s%s%s", a->check->id, verdict_name(b->verdict),
				verdict_name(a->verdict), b->used ? ": " : "", b->found);
		else if (!a->check->varies && strcmp(a->found, b->found) != 0)
			changed(c, "%s: found \"%s\", was \"%s\"", a->check->id, b->found,
				a->found);
	}
}

static bool has_region(const struct map *map, const struct region *region)
{
	for (size_t i = 0; i < map->count; i++) {
		struct region other = map_at(map, i);

		if (other.base == region->base && other.pages == region->pages &&
			other.type == region->type && other.attributes == region->attributes)
			return true;
	}
	return false;
}

static void regions_only_in(struct comparison *c, const struct map *a, const struct map *b,
	const char *what, const char *how)
{
	for (size_t i = 0; i < a->count; i++) {
		struct region region = map_at(a, i);

		if (!has_region(b, &region))
			changed(c, "%s %s: %#llx-%#llx %s, attributes %#llx", what, how,
				(ull)region.base, (ull)region.end - 1,
				memory_type_name(region.type), (ull)region.attributes);
	}
}

static void compare_maps(
	struct comparison *c, const struct map *a, const struct map *b, const char *what)
{
	regions_only_in(c, a, b, what, "went");
	regions_only_in(c, b, a, what, "came");
}

/* What a record is called: a variable by its name and GUID, an ACPI table by its signature. */
struct label {
	char text[160];
};

static struct label label_of(const struct evidence_record *record)
{
	const struct evidence_shape *shape = evidence_shape(record->kind);
	struct span s = span_of(record);
	struct label label;

	if (record->kind == EVIDENCE_VARIABLE) {
		const struct evidence_variable *head = evidence_head(record);

		snprintf(label.text, sizeof label.text, "variable %s %s",
			guid_text(head->guid).text, variable_name(record).text);
	} else if (record->kind == EVIDENCE_ACPI && s.size >= 4) {
		snprintf(label.text, sizeof label.text, "ACPI table %.4s", (const char *)s.data);
	} else {
		snprintf(label.text, sizeof label.text, "%s", shape ? shape->name : "unknown");
	}
	for (char *p = label.text; *p; p++)
		if (*p < ' ' || *p == 0x7f)
			*p = '?';
	return label;
}

static bool is_blob(unsigned kind)
{
	static const uint8_t blobs[] = {EVIDENCE_RSDP, EVIDENCE_ACPI, EVIDENCE_SMBIOS_ANCHOR,
		EVIDENCE_SMBIOS, EVIDENCE_EVENT_LOG, EVIDENCE_RT_PROPERTIES, EVIDENCE_ESRT,
		EVIDENCE_EDID, EVIDENCE_IMAGE, EVIDENCE_VARIABLE};

	return kind < EVIDENCE_KIND_END && memchr(blobs, (int)kind, sizeof blobs) != NULL;
}

/* The record of the same name, in the same phase; of several the one with as many before it. */
static const struct evidence_record *counterpart(const struct evidence *own,
	const struct evidence_record *record, const struct evidence *other)
{
	struct label label = label_of(record);
	const struct evidence_record *r = NULL;
	unsigned before = 0;

	while ((r = evidence_of(own, record->kind, record->phase, r)) && r != record)
		before += !strcmp(label_of(r).text, label.text);
	for (r = NULL; (r = evidence_of(other, record->kind, record->phase, r));)
		if (!strcmp(label_of(r).text, label.text) && !before--)
			return r;
	return NULL;
}

static void compare_blobs(struct comparison *c, const struct evidence *a, const struct evidence *b)
{
	const struct evidence_record *record = NULL, *other;

	while ((record = evidence_next(a, record))) {
		if (!is_blob(record->kind))
			continue;
		other = counterpart(a, record, b);
		if (!other)
			changed(c, "%s went", label_of(record).text);
		else if (other->size != record->size)
			changed(c, "%s has %u bytes, had %u", label_of(record).text, other->size,
				record->size);
		else if (memcmp(evidence_head(record), evidence_head(other), record->size) != 0)
			changed(c, "%s has other content or another place", label_of(record).text);
	}
	for (record = NULL; (record = evidence_next(b, record));)
		if (is_blob(record->kind) && !counterpart(b, record, a))
			changed(c, "%s came", label_of(record).text);
}

unsigned report_compare(const struct report *before, const struct report *after, FILE *out)
{
	struct comparison c = {out, 0};
	struct map a = map_find(&before->evidence, EVIDENCE_BEFORE_EXIT),
		   b = map_find(&after->evidence, EVIDENCE_BEFORE_EXIT);

	compare_checks(&c, before, after);
	compare_maps(&c, &a, &b, "memory map:");
	a = attributes_find(&before->evidence, EVIDENCE_BEFORE_EXIT);
	b = attributes_find(&after->evidence, EVIDENCE_BEFORE_EXIT);
	compare_maps(&c, &a, &b, "memory attributes:");
	compare_blobs(&c, &before->evidence, &after->evidence);
	return c.changes;
}
