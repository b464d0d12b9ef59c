/* SPDX-License-Identifier: MIT */
/*
 * The canaries' memory: most of what is free, mapped and filled; /proc/self/pagemap says where it lies. Pages within NEAR bytes
 * of a runtime region are neighbours. Page 0, which the kernel does not use, is looked at by itself.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bytes.h"
#include "canaries.h"
#include "lab.h"

#define LEFT_FREE   (64u << 20) /* for the rest of the system */
#define WATCHED_MAX (512u << 20)
#define NEAR        (64u << 10)
#define REGIONS_MAX 64u
#define ENTRY_THERE (UINT64_C(1) << 63) /* of pagemap */
#define ENTRY_FRAME ((UINT64_C(1) << 55) - 1)

static struct canaries canaries;
static uint8_t page0[CANARY_PAGE];
static struct evidence_canary page0_seen = {.size = CANARY_PAGE, .service = UINT32_MAX, .page0 = 1};
static bool has_page0;

static size_t free_bytes(void)
{
	FILE *in = fopen("/proc/meminfo", "re");
	unsigned long kib = 0;
	char line[128];

	while (in && fgets(line, sizeof line, in))
		if (sscanf(line, "MemFree: %lu kB", &kib) == 1)
			break;
	if (in)
		fclose(in);
	return (size_t)kib << 10;
}

/* The regions of the runtime services, as far as there is room; how many. */
static size_t runtime_regions(const struct lab *lab, struct region *out)
{
	struct evidence all = {lab->writer.data, lab->writer.used};
	struct map map = map_find(&all, EVIDENCE_BEFORE_EXIT);
	size_t count = 0;

	for (size_t i = 0; i < map.count && count < REGIONS_MAX; i++) {
		out[count] = map_at(&map, i);
		count += memory_is_runtime(out[count].type);
	}
	return count;
}

static bool is_near(const struct region *regions, size_t count, uint64_t phys)
{
	for (size_t i = 0; i < count; i++)
		if (phys + NEAR >= regions[i].base && phys < regions[i].end + NEAR)
			return true;
	return false;
}

static bool read_whole(int fd, void *buffer, size_t size, off_t at)
{
	for (ssize_t got; size; size -= (size_t)got, at += got, buffer = (char *)buffer + got)
		if ((got = pread(fd, buffer, size, at)) <= 0)
			return false;
	return true;
}

/* Where the pages lie. false: the kernel does not say. */
static bool find_places(struct lab *lab)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	off_t at = (off_t)((uintptr_t)canaries.memory / CANARY_PAGE * sizeof canaries.phys[0]);
	bool good = fd >= 0 &&
		    read_whole(fd, canaries.phys, canaries.count * sizeof canaries.phys[0], at);
	struct region regions[REGIONS_MAX];
	size_t count = runtime_regions(lab, regions);

	if (fd >= 0)
		close(fd);
	for (size_t i = 0; good && i < canaries.count; i++) {
		good = canaries.phys[i] & ENTRY_THERE && canaries.phys[i] & ENTRY_FRAME;
		canaries.phys[i] = (canaries.phys[i] & ENTRY_FRAME) * CANARY_PAGE;
		canaries.near[i] = is_near(regions, count, canaries.phys[i]);
	}
	return good;
}

void watch_begin(struct lab *lab)
{
	size_t size = free_bytes();

	has_page0 = efi_ioctl_(lab->services, BATON_EFI_PAGE_0, page0) == 0;
	size = size > LEFT_FREE ? size - LEFT_FREE : 0;
	size = size < WATCHED_MAX ? size : WATCHED_MAX;
	canaries.count = size / CANARY_PAGE;
	canaries.thorough = lab->thorough;
	canaries.memory = mmap(NULL, canaries.count * CANARY_PAGE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	canaries.phys = calloc(canaries.count, sizeof canaries.phys[0]);
	canaries.near = calloc(canaries.count, 1);
	if (!size || canaries.memory == MAP_FAILED || !canaries.phys || !canaries.near ||
		!find_places(lab)) {
		fputs("# no memory is watched\n", lab->announce);
		canaries.count = 0;
	}
	canaries_fill(&canaries);
}

static void look_at_page0(struct lab *lab, uint32_t service)
{
	uint8_t now[CANARY_PAGE];

	if (!has_page0 || page0_seen.changed || efi_ioctl_(lab->services, BATON_EFI_PAGE_0, now))
		return;
	for (size_t i = 0; i < sizeof now; i++) {
		if (now[i] == page0[i])
			continue;
		if (!page0_seen.changed++)
			page0_seen.first = i;
		page0_seen.service = service;
	}
}

void watch_look(struct lab *lab, uint32_t service)
{
	canaries_look(&canaries, service);
	look_at_page0(lab, service);
}

void watch_end(struct lab *lab)
{
	static struct evidence_canary told[CANARY_RUNS + CANARY_BROKEN + 1];
	size_t count;

	canaries_look_at_all(&canaries, lab->service);
	look_at_page0(lab, lab->service);
	count = canaries_tell(&canaries, told);
	if (has_page0)
		told[count++] = page0_seen;
	if (count)
		lab_add(lab, EVIDENCE_CANARIES, 0, NULL, 0, told, count * sizeof told[0]);
	if (canaries.count)
		munmap(canaries.memory, canaries.count * CANARY_PAGE);
}
