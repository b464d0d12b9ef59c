/* SPDX-License-Identifier: MIT */
/* The machine's part of the boot story; the order is main.c's. */
#include "arch/arch.h"
#include "baton/handoff.h"
#include "clock.h"
#include "cpu.h"
#include "entry_area.h"
#include "firmware/handoff_intake.h"
#include "fpu_user.h"
#include "irq.h"
#include "kernel_area.h"
#include "lapic.h"
#include "lib/cmdline.h"
#include "lib/log.h"
#include "paging.h"
#include "process/cpu.h"
#include "process/process.h"
#include "registers.h"
#include "smp.h"
#include "tlb.h"

extern const char kernel_image_start[];

uint8_t user_window; /* memory.S: SMAP is on */

#define LINKED 0xffffffff80000000ul /* kernel.ld */

void arch_early_init(uint64_t start, struct thread *self)
{
	cpu_detect();
	entry_early_init(&boot_cpu);
	boot_cpu.entry->current = self;
	cpu_control_init();
	user_window = cpu_has[CPU_SMAP];
	clock_early(start);
}

static const void *loader_view(virt_t direct_map, phys_t phys)
{
	return (const void *)(direct_map + phys);
}

void arch_loaded_state(struct handoff_machine *out)
{
	out->image = (virt_t)kernel_image_start;
	out->slide = (virt_t)kernel_image_start - LINKED;
	out->stack = (virt_t)__builtin_frame_address(0);
	out->tables = cr3_read();
	out->areas_end = ENTRY_AREA;
	out->dynamic_size = PAGING_DYNAMIC_SIZE;
	out->maps = paging_loader_maps;
	out->view = loader_view;
}

void arch_tables_init(const struct handoff *handoff)
{
	paging_init(handoff);
}

static bool isolation_wanted(int choice)
{
	return choice == OPTION_ON || (choice == OPTION_AUTO && !cpu_has[CPU_MELTDOWN_SAFE]);
}

void arch_memory_init(const struct handoff *handoff, int isolation)
{
	bool isolated = isolation_wanted(isolation);

	paging_late_init(handoff, isolated);
	kernel_area_init(handoff->dynamic_virt);
	fpu_user_init();
	switch_init();
	if (entry_area_create(&boot_cpu, isolated))
		panic("no memory for the entry area");
	entry_area_load(&boot_cpu);
	trampoline_reserve(handoff);
	cpu_log_features(isolated);
}

void arch_pcid_init(void)
{
	if (!cpu_has[CPU_PCID]) {
		log_warn("pcid=on: this CPU has no PCID (CPUID 1, ECX bit 17): every switch "
			 "flushes the TLB");
		return;
	}
	tlb_use_pcid();
	log_info("cpu: PCID on, INVPCID %s", cpu_has[CPU_INVPCID] ? "on" : "missing");
}

void arch_devices_init(
	const struct handoff *handoff, const struct acpi_info *acpi, bool tsc_deadline)
{
	enum lapic_mode mode = lapic_mode_found();
	volatile uint32_t *registers = NULL;

	if (mode == LAPIC_XAPIC) {
		registers = arch_map_device(lapic_base(), PAGE_SIZE, MAP_UNCACHED);
		if (!registers)
			panic("no memory to map the local APIC at %#lx", lapic_base());
	}
	if (tsc_deadline && !cpu_has[CPU_TSC_DEADLINE])
		log_warn("tscdeadline=on: this CPU has no TSC deadline (CPUID 1, ECX bit 24): the "
			 "APIC "
			 "timer counts");
	else if (tsc_deadline)
		log_info("cpu: timer by TSC deadline");
	lapic_init(mode, registers, tsc_deadline && cpu_has[CPU_TSC_DEADLINE]);
	boot_cpu.apic_id = lapic_id();
	irq_init(acpi, boot_cpu.apic_id);
	clock_init(acpi, handoff->stage_tsc[HANDOFF_STAGE_ENTRY]);
}

void arch_idle(void)
{
	__asm__ volatile("sti; hlt" : : : "memory");
}

void arch_halt(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

void arch_reset(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) nothing = {0, 0};

	arch_out8(0x64, 0xfe); /* the keyboard controller's reset line */
	__asm__ volatile("lidt %0; int3" : : "m"(nothing));
	arch_halt();
}

bool arch_random64(uint64_t *out)
{
	uint8_t good;

	if (!cpu_has[CPU_RDRAND])
		return false;
	for (int i = 0; i < 10; i++) {
		__asm__ volatile("rdrand %0; setc %1" : "=r"(*out), "=qm"(good) : : "cc");
		if (good)
			return true;
	}
	return false;
}

uint64_t arch_hwcap(void)
{
	return cpuid(1, 0).edx;
}

/* That user mode may use the instructions; <asm/hwcap2.h> numbers them. */
uint64_t arch_hwcap2(void)
{
	return cpu_has[CPU_FSGSBASE] ? 1u << 1 : 0;
}

uint8_t arch_in8(uint16_t port)
{
	uint8_t v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

uint16_t arch_in16(uint16_t port)
{
	uint16_t v;

	__asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

uint32_t arch_in32(uint16_t port)
{
	uint32_t v;

	__asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

void arch_out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

void arch_out16(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

void arch_out32(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}
