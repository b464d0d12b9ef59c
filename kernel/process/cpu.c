/* SPDX-License-Identifier: MIT */
/* The CPUs; see cpu.h. They are made one after the other, at start, by the first. */
#include "process/cpu.h"

#include "arch/arch.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "memory/slab.h"
#include "process/sched.h"

struct cpu boot_cpu;
struct cpu *cpus[CPUS_MAX] = {&boot_cpu};
unsigned cpu_count = 1;
uint64_t cpus_online = 1;

static void cpu_destroy(struct cpu *cpu)
{
	if (cpu->idle)
		arch_thread_destroy(cpu->idle);
	kfree(cpu->idle);
	kfree(cpu);
}

struct cpu *cpu_create(unsigned index, uint32_t apic_id)
{
	struct cpu *cpu = kzalloc(sizeof(*cpu));

	assert(index == cpu_count && index < CPUS_MAX);
	if (!cpu)
		return NULL;
	cpu->index = index;
	cpu->apic_id = apic_id;
	cpu->idle = kzalloc(sizeof(*cpu->idle));
	if (!cpu->idle || arch_thread_init(cpu->idle, false, NULL, NULL)) {
		if (cpu->idle)
			cpu->idle->arch.stack = 0;
		cpu_destroy(cpu);
		return NULL;
	}
	format(cpu->idle->name, sizeof(cpu->idle->name), "idle/%u", index);
	sched_idle_init(cpu, cpu->idle);
	cpus[index] = cpu;
	__atomic_store_n(&cpu_count, index + 1, __ATOMIC_RELEASE);
	return cpu;
}

void cpu_begin(struct cpu *cpu)
{
	assert(cpu == this_cpu() && current_thread() == cpu->idle);
	__atomic_or_fetch(&cpus_online, cpu_bit(cpu), __ATOMIC_ACQ_REL);
	sched_idle();
}
