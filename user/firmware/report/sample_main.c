/* SPDX-License-Identifier: MIT */
/* firmware-sample FILE [FAULT]: the made-up firmware's evidence; FAULT is the name of one in faults_*.c. */
#include <stdlib.h>

#include "sample.h"

static const struct fault_list *const lists[] = {&faults_entry, &faults_tables, &faults_map,
	&faults_exit, &faults_attributes, &faults_isolation, &faults_variables, &faults_services,
	&faults_acpi, &faults_devices};

static _Alignas(8) uint8_t buffer[SAMPLE_BYTES];
static struct sample sample;

static const struct fault *find(const char *name)
{
	for (unsigned i = 0; i < sizeof lists / sizeof *lists; i++)
		for (unsigned k = 0; k < lists[i]->count; k++)
			if (!strcmp(lists[i]->faults[k].name, name))
				return &lists[i]->faults[k];
	return NULL;
}

int main(int count, char **arguments)
{
	const struct fault *fault = count > 2 ? find(arguments[2]) : NULL;
	FILE *out = count > 1 ? fopen(arguments[1], "wb") : NULL;
	size_t size;

	if (!out || (count > 2 && !fault)) {
		fputs("firmware-sample: usage: firmware-sample FILE [FAULT]\n", stderr);
		return 2;
	}
	sample_good(&sample);
	if (fault)
		fault->commit(&sample);
	size = sample_write(&sample, buffer);
	return fwrite(buffer, 1, size, out) != size || fclose(out);
}
