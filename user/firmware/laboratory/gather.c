/* SPDX-License-Identifier: MIT */
/*
 * The evidence: the loader's, as the kernel shows it, with ours behind it. Of some kinds the rules look at one record alone;
 * what is ours of these goes behind the loader's into one. The TSC's rate and how long nothing reset the machine are known
 * at the end only.
 */
#include <cpuid.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lab.h"

#define LOADERS       "/sys/firmware/baton/evidence"
#define ROOM          (1u << 20) /* for what is ours */
#define LEAF_TOPOLOGY 0xb

uint64_t lab_ticks(void)
{
	return __builtin_ia32_rdtsc();
}

static uint64_t nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void lab_add(struct lab *lab, enum evidence_kind kind, uint32_t index, const void *head,
	size_t head_size, const void *tail, size_t tail_size)
{
	evidence_add(&lab->writer, kind, lab->phase, index, head, head_size, tail, tail_size);
}

/* ---- The loader's ---- */

/* The whole file, or NULL: there is none. */
static void *loaders_file(size_t *size)
{
	FILE *in = fopen(LOADERS, "re");
	size_t room = ROOM, got;
	char *data = in ? malloc(room) : NULL;

	*size = 0;
	while (data && (got = fread(data + *size, 1, room - *size, in)) > 0) {
		*size += got;
		if (*size == room)
			data = room < EVIDENCE_MAX ? realloc(data, room *= 2) : NULL;
	}
	if (in)
		fclose(in);
	return data;
}

static void keep_answers(struct lab *lab, const struct evidence_record *record)
{
	const struct evidence_time *time = evidence_tail(record);
	const struct evidence_store_info *store = evidence_tail(record);

	for (size_t i = 0; i < evidence_count(record); i++) {
		if (record->kind == EVIDENCE_TIMES && lab->time_count < LAB_ANSWERS_MAX / 2)
			lab->times[lab->time_count++] = time[i];
		if (record->kind == EVIDENCE_STORE_INFO && lab->store_count < LAB_ANSWERS_MAX / 2)
			lab->stores[lab->store_count++] = store[i];
	}
}

static void keep_stamps(struct lab *lab, const struct evidence_record *record)
{
	const struct evidence_stamp *stamp = evidence_tail(record);

	for (size_t i = 0; i < evidence_count(record); i++)
		if (stamp[i].what == EVIDENCE_STAMP_EXITED)
			lab->exited = stamp[i].tsc;
		else if (stamp[i].what == EVIDENCE_STAMP_ENTRY)
			lab->entered = stamp[i].tsc;
}

static void take_loaders(struct lab *lab, const struct evidence *loaders)
{
	const struct evidence_record *record = NULL;

	while ((record = evidence_next(loaders, record))) {
		if (record->kind == EVIDENCE_STAMPS)
			keep_stamps(lab, record);
		if (record->kind == EVIDENCE_MACHINE)
			lab->machine = record;
		else if (record->kind == EVIDENCE_WATCHDOG)
			lab->watchdog = record;
		else if (record->kind == EVIDENCE_TIMES || record->kind == EVIDENCE_STORE_INFO)
			keep_answers(lab, record);
		else
			evidence_add(&lab->writer, record->kind, record->phase, record->index,
				record + 1, record->size, NULL, 0);
	}
}

bool lab_begin(struct lab *lab)
{
	struct evidence loaders;
	const char *error;
	size_t size;
	void *file = loaders_file(&size), *buffer = malloc(size + ROOM);

	if (!buffer)
		return false;
	lab->tsc = lab_ticks();
	lab->nanosecond = nanoseconds();
	lab->phase = EVIDENCE_PHYSICAL;
	evidence_begin(&lab->writer, buffer, size + ROOM);
	error = file ? evidence_open(&loaders, file, size) : "it was not collected";
	if (error)
		fprintf(lab->announce, "# the loader's evidence: %s\n", error);
	else
		take_loaders(lab, &loaders); /* the file stays: records of it are kept */
	return true;
}

/* ---- What the loader saw of the variables ---- */

static const struct evidence_record *next_variable(
	const struct lab *lab, const struct evidence_record *record)
{
	struct evidence all = {lab->writer.data, lab->writer.used};

	return evidence_of(&all, EVIDENCE_VARIABLE, EVIDENCE_BEFORE_EXIT, record);
}

const uint16_t *lab_boot_variable(const struct lab *lab, const uint8_t **guid)
{
	const struct evidence_record *record = NULL;

	while ((record = next_variable(lab, record))) {
		const struct evidence_variable *variable = evidence_head(record);
		const uint16_t *name = evidence_tail(record);

		if (variable->status || variable->attributes & EFI_RUNTIME_ACCESS ||
			variable->name_size < 4 || variable->name_size % 2 ||
			variable->name_size > evidence_tail_size(record) ||
			name[variable->name_size / 2 - 1])
			continue;
		*guid = variable->guid;
		return name;
	}
	return NULL;
}

/* ---- The end ---- */

static void add_machine(struct lab *lab)
{
	struct evidence_machine machine = {0};
	uint64_t ticks = lab_ticks() - lab->tsc, passed = nanoseconds() - lab->nanosecond;

	if (lab->machine)
		machine = *(const struct evidence_machine *)evidence_head(lab->machine);
	if (!machine.tsc_hz && passed)
		machine.tsc_hz = (uint64_t)((unsigned __int128)ticks * 1000000000 / passed);
	lab->tsc_hz = machine.tsc_hz;
	lab_add(lab, EVIDENCE_MACHINE, 0, &machine, sizeof machine,
		lab->machine ? evidence_tail(lab->machine) : NULL,
		lab->machine ? evidence_tail_size(lab->machine) : 0);
}

static void add_watchdog(struct lab *lab)
{
	struct evidence_watchdog watchdog;

	if (!lab->watchdog)
		return;
	watchdog = *(const struct evidence_watchdog *)evidence_head(lab->watchdog);
	if (lab->exited)
		watchdog.after_exit = lab_ticks() - lab->exited;
	lab_add(lab, EVIDENCE_WATCHDOG, 0, &watchdog, sizeof watchdog, NULL, 0);
}

static uint32_t own_apic_id(void)
{
	unsigned a, b, c, d;

	if (__get_cpuid_count(LEAF_TOPOLOGY, 0, &a, &b, &c, &d) && b)
		return d;
	__get_cpuid(1, &a, &b, &c, &d);
	return b >> 24;
}

static void add_processors(struct lab *lab)
{
	struct evidence_processor processors[CPU_SETSIZE] = {{0}};
	cpu_set_t before, one;
	unsigned count = 0;

	if (sched_getaffinity(0, sizeof before, &before) < 0)
		return;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		if (CPU_ISSET(cpu, &before) && sched_setaffinity(0, sizeof one, &one) == 0)
			processors[count++].apic_id = own_apic_id();
	}
	sched_setaffinity(0, sizeof before, &before);
	lab_add(lab, EVIDENCE_PROCESSORS, 0, NULL, 0, processors, count * sizeof processors[0]);
}

static int by_place(const void *a, const void *b)
{
	const struct lab_page *one = a, *other = b;

	if (one->service != other->service)
		return one->service < other->service ? -1 : 1;
	return one->base < other->base ? -1 : one->base > other->base;
}

static void add_touched(struct lab *lab)
{
	static struct evidence_touched runs[LAB_PAGES_MAX];
	unsigned count = 0;

	qsort(lab->pages, lab->page_count, sizeof lab->pages[0], by_place);
	for (unsigned i = 0; i < lab->page_count; i++) {
		const struct lab_page *page = &lab->pages[i];
		struct evidence_touched *last = count ? &runs[count - 1] : NULL;

		if (last && last->service == page->service && last->written == page->written &&
			last->base + last->size == page->base)
			last->size += 4096;
		else
			runs[count++] = (struct evidence_touched){
				page->service, page->written, page->base, 4096};
	}
	if (count)
		lab_add(lab, EVIDENCE_TOUCHED, 0, NULL, 0, runs, count * sizeof runs[0]);
}

uint64_t lab_age(const struct lab *lab)
{
	return lab->entered && lab->tsc_hz > 1000
		       ? (lab_ticks() - lab->entered) / (lab->tsc_hz / 1000)
		       : 0;
}

const char *lab_end(struct lab *lab, struct evidence *out)
{
	lab->phase = EVIDENCE_ANY_PHASE;
	add_machine(lab);
	add_watchdog(lab);
	add_processors(lab);
	add_touched(lab);
	if (lab->time_count)
		lab_add(lab, EVIDENCE_TIMES, 0, NULL, 0, lab->times,
			lab->time_count * sizeof lab->times[0]);
	if (lab->store_count)
		lab_add(lab, EVIDENCE_STORE_INFO, 0, NULL, 0, lab->stores,
			lab->store_count * sizeof lab->stores[0]);
	if (lab->calls)
		lab_add(lab, EVIDENCE_TRAPS, 0, NULL, 0, lab->traps,
			lab->trap_count * sizeof lab->traps[0]);
	for (unsigned i = 0; i < lab->fault_count; i++)
		lab_add(lab, EVIDENCE_VIOLATION, i, &lab->faults[i], sizeof lab->faults[i], NULL,
			0);
	lab->left_out += lab->writer.left_out;
	return evidence_open(out, lab->writer.data, evidence_seal(&lab->writer));
}
