/* SPDX-License-Identifier: MIT */
/*
 * Each parser over a good blob with bytes changed, cut to any length, in memory of exactly its size: ASan sees a read
 * outside, and what is found must lie inside the blob. Seed fixed; run on the host.
 */
#include "acpi.h"
#include "lists.h"
#include "pe.h"
#include "sample.h"
#include "smbios.h"
#include "tcg.h"

#include <stdlib.h>

#define ROUNDS 20000u

static struct sample sample;
static unsigned failures;

static void expect(const char *what, bool held)
{
	if (!held) {
		printf("not so: %s\n", what);
		failures++;
	}
}

static bool is_inside(struct span part, struct span whole)
{
	return part.size <= whole.size &&
	       (!part.size || (part.data >= whole.data &&
				      part.data + part.size <= whole.data + whole.size));
}

static bool parse_lists(struct span s)
{
	long count = signature_lists(s);

	expect("signatures fit their lists", count <= (long)(s.size / 16));
	return count > 0;
}

static bool parse_option(struct span s)
{
	struct span path;

	if (!load_option_path(s, &path))
		return false;
	expect("a path is inside its option", is_inside(path, s));
	return true;
}

static bool parse_path(struct span s)
{
	struct span path;

	if (!device_path(s, &path))
		return false;
	expect("a path is inside", is_inside(path, s));
	return true;
}

static bool parse_pe(struct span s)
{
	unsigned count = pe_sections(s);

	expect("section headers fit", 40 * (size_t)count <= s.size);
	for (unsigned i = 0; i < count; i++)
		expect("a section's name ends", pe_section(s, i).name[8] == 0);
	return count > 0;
}

static bool parse_smbios(struct span s)
{
	struct smbios_structure structure = {0};
	size_t at = 0, before = 0;
	int got;

	while ((got = smbios_next(s, &at, &structure)) > 0) {
		expect("a structure takes room", at >= before + 6 && at <= s.size);
		expect("a structure is inside", is_inside(structure.formatted, s));
		before = at;
	}
	return got == 0 && before;
}

static bool parse_anchor(struct span s)
{
	return !smbios_anchor(s, 3) || !smbios_anchor(s, 2);
}

static bool parse_log(struct span s)
{
	struct tcg_replay replay;
	const char *error = tcg_replay_log(&replay, HASH_SHA256, s);

	expect("events take room", 16 * (size_t)replay.events <= s.size);
	if (!error)
		tcg_replay_final(&replay, s);
	return !error;
}

static bool parse_final(struct span s)
{
	struct tcg_replay replay;

	tcg_replay_log(&replay, HASH_SHA1, (struct span){sample.log.data, sample.log.size});
	return !tcg_replay_final(&replay, s);
}

static void visit(void *context, struct span entry)
{
	struct span *whole = context;

	expect("an entry is inside", entry.size >= 2 && is_inside(entry, *whole));
}

static bool parse_madt(struct span s)
{
	return acpi_madt(s, visit, &s);
}

static bool parse_map(struct span s)
{
	struct map map = map_of(s, le8(s, 8));

	expect("descriptors fit", map.count * map.stride <= s.size || !map.count);
	for (size_t i = 0; i < map.count; i++) {
		struct region region = map_at(&map, i);

		expect("a region ends after it begins", region.end >= region.base);
	}
	return map.count > 0;
}

struct subject {
	const char *name;
	bool (*parse)(struct span s); /* whether it was well */
	struct span good;
};

/* Some bytes changed, and one time in four cut off. */
static void test_round(const struct subject *subject, unsigned *well)
{
	size_t size = subject->good.size;
	uint8_t *copy;

	if (rand() % 4 == 0)
		size = (size_t)rand() % (size + 1);
	copy = malloc(size ? size : 1);
	if (!copy)
		abort();
	memcpy(copy, subject->good.data, size);
	for (int change = size ? rand() % 4 : 0; change > 0; change--)
		copy[(size_t)rand() % size] = (uint8_t)(rand() % 3   ? rand()
							: rand() % 2 ? 0xff
								     : 0);
	*well += subject->parse((struct span){copy, size});
	free(copy);
}

static void test_subject(const struct subject *subject)
{
	unsigned well = 0;

	if (!subject->parse(subject->good)) {
		printf("%s: the good one does not parse\n", subject->name);
		failures++;
	}
	for (unsigned round = 0; round < ROUNDS; round++)
		test_round(subject, &well);
	if (!well || well == ROUNDS) {
		printf("%s: %u of %u were well\n", subject->name, well, ROUNDS);
		failures++;
	}
}

static struct span blob(const struct blob *blob)
{
	return (struct span){blob->data, blob->size};
}

static struct span variable(const char *name)
{
	const struct sample_variable *v = sample_variable(&sample, name, EVIDENCE_BEFORE_EXIT);

	return (struct span){v->data, v->size};
}

int main(void)
{
	sample_good(&sample);
	const struct subject subjects[] = {
		{"signature lists", parse_lists, variable("db")},
		{"load option", parse_option, variable("Boot0000")},
		{"device path", parse_path, {sample.path, sample.path_size}},
		{"PE headers", parse_pe, blob(&sample.headers)},
		{"SMBIOS", parse_smbios, blob(&sample.smbios)},
		{"SMBIOS anchor", parse_anchor, blob(&sample.anchor)},
		{"event log", parse_log, blob(&sample.log)},
		{"final events", parse_final, blob(&sample.final)},
		{"MADT", parse_madt, blob(&sample.acpi[MADT])},
		{"memory map", parse_map, blob(&sample.attributes)},
	};

	srand(9);
	for (unsigned i = 0; i < sizeof subjects / sizeof *subjects; i++)
		test_subject(&subjects[i]);
	printf("%s\n", failures ? "failed" : "passed");
	return failures != 0;
}
