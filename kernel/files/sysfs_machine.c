/* SPDX-License-Identifier: MIT */
/*
 * What /sys says of the machine, where programs look for it (lscpu, nproc, the C library's sysconf, Python's
 * os.cpu_count): the CPUs and which belong together, memory's one node, huge pages (there are none), the firmware.
 *
 * All CPUs are one package's, each a core of its own: the same as /proc/cpuinfo says. Caches are the CPU's own
 * word (arch_cache), found when somebody looks for them.
 */
#include "files/sysfs.h"

#include "arch/arch.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "memory/report.h"
#include "process/cpu.h"
#include "process/rlimit.h"

typedef uint64_t (*cpu_set_of)(const struct sysfs_node *node);

static uint64_t every_cpu(const struct sysfs_node *node)
{
	return cpu_count >= 64 ? UINT64_MAX : (UINT64_C(1) << cpu_count) - 1;
}

static uint64_t online_cpus(const struct sysfs_node *node)
{
	return __atomic_load_n(&cpus_online, __ATOMIC_RELAXED);
}

static uint64_t offline_cpus(const struct sysfs_node *node)
{
	return every_cpu(node) & ~online_cpus(node);
}

static uint64_t no_cpu(const struct sysfs_node *node)
{
	return 0;
}

/* The node's own. */
static uint64_t this_one(const struct sysfs_node *node)
{
	return cpu_bit(node->owner);
}

struct cpu_set {
	cpu_set_of cpus;
};

#define SET(name, function) static const struct cpu_set name = {function}
SET(set_all, every_cpu);
SET(set_online, online_cpus);
SET(set_offline, offline_cpus);
SET(set_none, no_cpu);
SET(set_this, this_one);

/* The node is cpuN/cache/indexN, whose parent's parent has the CPU: those that share the cache. */
static uint64_t sharing(const struct sysfs_node *node)
{
	const struct cpu *cpu = node->parent->parent->owner;
	struct arch_cache cache;
	uint64_t set = 0;

	if (!arch_cache((unsigned)(uintptr_t)node->owner, &cache))
		return 0;
	for (unsigned i = 0; i < cpu_count; i++)
		if (cpus[i]->apic_id / cache.sharing == cpu->apic_id / cache.sharing)
			set |= cpu_bit(cpus[i]);
	return set;
}

SET(set_sharing, sharing);

static uint64_t cpus_of(const struct sysfs_node *node, const struct sysfs_attribute *attribute)
{
	const struct cpu_set *set = attribute->argument;

	return set->cpus(node);
}

/* "0-3,5" */
static int show_list(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	uint64_t left = cpus_of(node, attribute);
	unsigned first, last;
	int used = 0;

	out[0] = '\0';
	while (left) {
		first = last = (unsigned)__builtin_ctzll(left);
		while (last < 63 && left >> (last + 1) & 1)
			last++;
		left &= last < 63 ? ~UINT64_C(0) << (last + 1) : 0;
		used += format(out + used, size - (size_t)used, first < last ? "%s%u-%u" : "%s%u",
			used ? "," : "", first, last);
	}
	return used + format(out + used, size - (size_t)used, "\n");
}

/* Hexadecimal, as many digits as there are CPUs, a comma after each 32 bits. */
static int show_mask(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	uint64_t cpus_there = cpus_of(node, attribute);
	int digits = (int)DIV_ROUND_UP(cpu_count, 4u);

	if (digits > 8)
		return format(out, size, "%0*x,%08x\n", digits - 8, (uint32_t)(cpus_there >> 32),
			(uint32_t)cpus_there);
	return format(out, size, "%0*x\n", digits, (uint32_t)cpus_there);
}

int sysfs_show_text(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	return format(out, size, "%s\n", (const char *)attribute->argument);
}

static int show_last_cpu(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	return format(out, size, "%u\n", CPUS_MAX - 1);
}

static int show_core(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	const struct cpu *cpu = node->owner;

	return format(out, size, "%u\n", cpu->index);
}

#define LIST(name, set)                                           \
	{                                                         \
		name, 0444, .show = show_list, .argument = &(set) \
	}
#define MASK(name, set)                                           \
	{                                                         \
		name, 0444, .show = show_mask, .argument = &(set) \
	}
#define TEXT(name, text)                                                \
	{                                                               \
		name, 0444, .show = sysfs_show_text, .argument = (text) \
	}
#define END          \
	{            \
		NULL \
	}

static const struct sysfs_attribute cpus_attributes[] = {
	LIST("isolated", set_none),
	{"kernel_max", 0444, .show = show_last_cpu},
	LIST("offline", set_offline),
	LIST("online", set_online),
	LIST("possible", set_all),
	LIST("present", set_all),
	END,
};

static const struct sysfs_attribute topology_attributes[] = {
	MASK("core_cpus", set_this),
	LIST("core_cpus_list", set_this),
	{"core_id", 0444, .show = show_core},
	MASK("core_siblings", set_all),
	LIST("core_siblings_list", set_all),
	MASK("die_cpus", set_all),
	LIST("die_cpus_list", set_all),
	TEXT("die_id", "0"),
	MASK("package_cpus", set_all),
	LIST("package_cpus_list", set_all),
	TEXT("physical_package_id", "0"),
	MASK("thread_siblings", set_this),
	LIST("thread_siblings_list", set_this),
	END,
};

/* ---- Caches ---- */

enum cache_value { CACHE_LEVEL, CACHE_LINE, CACHE_WAYS, CACHE_SETS, CACHE_ID };

static int show_cache(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	const struct cpu *cpu = node->parent->parent->owner;
	struct arch_cache cache;

	if (!arch_cache((unsigned)(uintptr_t)node->owner, &cache))
		return -ENODEV;
	const unsigned values[] = {[CACHE_LEVEL] = cache.level,
		[CACHE_LINE] = cache.line,
		[CACHE_WAYS] = cache.ways,
		[CACHE_SETS] = cache.sets,
		[CACHE_ID] = cpu->apic_id / cache.sharing};

	return format(out, size, "%u\n", values[(uintptr_t)attribute->argument]);
}

static int show_cache_type(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	struct arch_cache cache;

	return arch_cache((unsigned)(uintptr_t)node->owner, &cache)
		       ? format(out, size, "%s\n", cache.type)
		       : -ENODEV;
}

static int show_cache_size(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	struct arch_cache cache;

	return arch_cache((unsigned)(uintptr_t)node->owner, &cache)
		       ? format(out, size, "%luK\n",
				 (uint64_t)cache.line * cache.ways * cache.sets / 1024)
		       : -ENODEV;
}

#define CACHE(name, value)                                                  \
	{                                                                   \
		name, 0444, .show = show_cache, .argument = (void *)(value) \
	}

static const struct sysfs_attribute cache_attributes[] = {
	CACHE("coherency_line_size", CACHE_LINE),
	CACHE("id", CACHE_ID),
	CACHE("level", CACHE_LEVEL),
	CACHE("number_of_sets", CACHE_SETS),
	TEXT("physical_line_partition", "1"),
	LIST("shared_cpu_list", set_sharing),
	MASK("shared_cpu_map", set_sharing),
	{"size", 0444, .show = show_cache_size},
	{"type", 0444, .show = show_cache_type},
	CACHE("ways_of_associativity", CACHE_WAYS),
	END,
};

static int find_caches(struct sysfs_node *node) requires(sysfs_lock)
{
	struct arch_cache cache;
	char name[16];

	for (unsigned i = 0; i < 16 && arch_cache(i, &cache); i++) {
		format(name, sizeof(name), "index%u", i);
		if (!sysfs_grow(node, name, NULL, cache_attributes, (void *)(uintptr_t)i))
			return -ENOMEM;
	}
	return 0;
}

/* ---- The rest ---- */

static const struct sysfs_attribute nodes_attributes[] = {
	TEXT("has_cpu", "0"),
	TEXT("has_memory", "0"),
	TEXT("has_normal_memory", "0"),
	TEXT("online", "0"),
	TEXT("possible", "0"),
	END,
};

static int show_node_memory(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	struct memory_report report;

	memory_report(&report, limits_ram());
	return format(out, size,
		"Node 0 MemTotal:       %8lu kB\nNode 0 MemFree:        %8lu kB\n"
		"Node 0 MemUsed:        %8lu kB\nNode 0 FilePages:      %8lu kB\n"
		"Node 0 AnonPages:      %8lu kB\nNode 0 Shmem:          %8lu kB\n"
		"Node 0 PageTables:     %8lu kB\nNode 0 SUnreclaim:     %8lu kB\n",
		report.ram * 4, report.free * 4, (report.ram - report.free) * 4, report.objects * 4,
		report.anonymous * 4, report.shmem * 4, report.tables * 4, report.slab * 4);
}

static const struct sysfs_attribute node_attributes[] = {
	LIST("cpulist", set_all),
	MASK("cpumap", set_all),
	TEXT("distance", "10"),
	{"meminfo", 0444, .show = show_node_memory},
	END,
};

static const struct sysfs_attribute huge_attributes[] = {
	TEXT("defrag", "always defer defer+madvise madvise [never]"),
	TEXT("enabled", "always madvise [never]"),
	END,
};

static struct sysfs_node *make(struct sysfs_node *parent, const char *name,
	const struct sysfs_attribute *attributes, void *owner)
{
	return parent ? sysfs_make(parent, name, NULL, attributes, owner) : NULL;
}

/* Of a CPU but the first, which Linux cannot take out either. */
static const struct sysfs_attribute cpu_attributes[] = {TEXT("online", "1"), END};

static int find_parts(struct sysfs_node *node) requires(sysfs_lock)
{
	struct sysfs_node *cache = sysfs_grow(node, "cache", NULL, NULL, NULL);

	if (!cache || !sysfs_grow(node, "topology", NULL, topology_attributes, node->owner))
		return -ENOMEM;
	cache->populate = find_caches;
	return 0;
}

static bool add_cpus(struct sysfs_node *directory)
{
	struct sysfs_node *node;
	char name[8];

	for (unsigned i = 0; i < cpu_count; i++) {
		format(name, sizeof(name), "cpu%u", i);
		node = make(directory, name, i ? cpu_attributes : NULL, cpus[i]);
		if (!node)
			return false;
		node->populate = find_parts;
	}
	return true;
}

void sysfs_machine_init(void)
{
	struct sysfs_node *system = sysfs_directory(&sysfs_devices, "system");
	struct sysfs_node *nodes = make(system, "node", nodes_attributes, NULL);
	struct sysfs_node *mm = sysfs_directory(&sysfs_kernel, "mm");

	if (!add_cpus(make(system, "cpu", cpus_attributes, NULL)) ||
		!make(nodes, "node0", node_attributes, NULL) ||
		!make(mm, "transparent_hugepage", huge_attributes, NULL) || !system ||
		!sysfs_memory_add(system))
		log_error("sysfs: no memory for all of the machine");
}
