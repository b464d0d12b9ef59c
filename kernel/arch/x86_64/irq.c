/* SPDX-License-Identifier: MIT */
/*
 * Device interrupts: ISA ones through the IOAPICs that the MADT names (or none), to the boot CPU.
 *
 * ISA interrupt n goes to the input that an override says, or to input n, edge-triggered and active
 * high unless the override says otherwise; its vector is VECTOR_IRQ + n. Handlers are set once and
 * stay. Intel 82093AA; ACPI 6.5 5.2.12.
 */
#include "irq.h"

#include "arch/arch.h"
#include "firmware/acpi.h"
#include "ipi.h"
#include "irq_count.h"
#include "lapic.h"
#include "lib/errno.h"
#include "lib/lock.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "registers.h"
#include "traps.h"

#define ISA_IRQS        ACPI_ISA_IRQS
#define IOAPIC_VERSION  1
#define IOAPIC_REDIRECT 0x10
#define REDIRECT_MASKED (1u << 16)
#define REDIRECT_LEVEL  (1u << 15)
#define REDIRECT_LOW    (1u << 13)
#define PIC1_DATA       0x21
#define PIC2_DATA       0xa1

struct ioapic {
	volatile uint32_t *registers; /* index at 0, data at 0x10 */
	uint32_t first, count;        /* global interrupts */
};

struct handler {
	const char *name;
	irq_handler function;
	void *context;
	uint64_t count;
};

static struct ioapic ioapics[ACPI_IOAPICS_MAX];
static unsigned ioapic_count;
static const struct acpi_info *info;
static uint32_t destination;
static struct handler handlers[ISA_IRQS];
static struct spinlock irq_lock; /* the IOAPICs' index registers, and handlers being set */

static uint32_t ioapic_read(const struct ioapic *ioapic, uint32_t index)
{
	ioapic->registers[0] = index;
	return ioapic->registers[4];
}

static void ioapic_write(const struct ioapic *ioapic, uint32_t index, uint32_t value)
{
	ioapic->registers[0] = index;
	ioapic->registers[4] = value;
}

void irq_init(const struct acpi_info *acpi, uint32_t boot_apic_id)
{
	info = acpi;
	destination = boot_apic_id;
	arch_out8(PIC1_DATA, 0xff);
	arch_out8(PIC2_DATA, 0xff);
	for (unsigned i = 0; i < acpi->madt.ioapic_count; i++) {
		struct ioapic *ioapic = &ioapics[ioapic_count];

		ioapic->registers =
			arch_map_device(acpi->madt.ioapics[i].address, 32, MAP_UNCACHED);
		if (!ioapic->registers) {
			log_warn("IOAPIC at %#lx: no memory to map it",
				(phys_t)acpi->madt.ioapics[i].address);
			continue;
		}
		ioapic->first = acpi->madt.ioapics[i].gsi_base;
		ioapic->count = (ioapic_read(ioapic, IOAPIC_VERSION) >> 16 & 0xff) + 1;
		for (uint32_t pin = 0; pin < ioapic->count; pin++)
			ioapic_write(ioapic, IOAPIC_REDIRECT + 2 * pin, REDIRECT_MASKED);
		ioapic_count++;
	}
}

/* The global interrupt of an ISA one and its redirection flags. */
static uint32_t route(unsigned isa_irq, uint32_t *flags)
{
	const struct acpi_isa_irq *isa = &info->madt.isa[isa_irq];

	*flags = (isa->active_low ? REDIRECT_LOW : 0) | (isa->level ? REDIRECT_LEVEL : 0);
	return isa->gsi;
}

int arch_irq_attach(unsigned isa_irq, const char *name, irq_handler function, void *context)
{
	uint32_t flags, gsi;
	int error = -ENODEV;

	if (isa_irq >= ISA_IRQS || !info)
		return -ENODEV;
	gsi = route(isa_irq, &flags);
	spin_lock(&irq_lock);
	if (handlers[isa_irq].function)
		error = -EBUSY;
	for (unsigned i = 0; error == -ENODEV && i < ioapic_count; i++) {
		const struct ioapic *ioapic = &ioapics[i];

		if (gsi < ioapic->first || gsi >= ioapic->first + ioapic->count)
			continue;
		handlers[isa_irq] =
			(struct handler){.name = name, .function = function, .context = context};
		ioapic_write(
			ioapic, IOAPIC_REDIRECT + 2 * (gsi - ioapic->first) + 1, destination << 24);
		ioapic_write(ioapic, IOAPIC_REDIRECT + 2 * (gsi - ioapic->first),
			flags | (VECTOR_IRQ + isa_irq));
		error = 0;
	}
	spin_unlock(&irq_lock);
	return error;
}

void interrupt_dispatch(unsigned vector, bool user)
{
	if (vector == VECTOR_TIMER) {
		lapic_eoi();
		irq_count(this_cpu(), IRQ_TIMER);
		timer_expired(user);
	} else if (vector >= VECTOR_KICK && vector <= VECTOR_STOP) {
		ipi_dispatch(vector);
	} else if (vector == VECTOR_SPURIOUS) {
		irq_count(this_cpu(), IRQ_SPURIOUS);
		/* SDM 3A 11.9: the APIC's own has no end. One that a device sends by this vector has; without it
		 * this CPU would take no interrupt any more. */
		if (lapic_in_service(vector))
			lapic_eoi();
	} else if (vector < VECTOR_IRQ + ISA_IRQS && handlers[vector - VECTOR_IRQ].function) {
		struct handler *handler = &handlers[vector - VECTOR_IRQ];

		__atomic_store_n(&handler->count, handler->count + 1, __ATOMIC_RELAXED);
		handler->function(handler->context);
		lapic_eoi();
	} else {
		static bool told;

		irq_count(this_cpu(), IRQ_SPURIOUS);
		if (!__atomic_exchange_n(&told, true, __ATOMIC_RELAXED))
			log_warn("interrupt by vector %u, which nobody uses", vector);
		lapic_eoi();
	}
}

/* ---- What is told of them ---- */

bool arch_interrupt(unsigned index, struct arch_interrupt *out)
{
	static const struct {
		const char *name, *text;
	} own[IRQ_KINDS] = {
		[IRQ_NMI] = {"NMI", "Non-maskable interrupts"},
		[IRQ_TIMER] = {"LOC", "Local timer interrupts"},
		[IRQ_SPURIOUS] = {"SPU", "Spurious interrupts"},
		[IRQ_KICK] = {"RES", "Rescheduling interrupts"},
		[IRQ_CALL] = {"CAL", "Function call interrupts"},
		[IRQ_TLB] = {"TLB", "TLB shootdowns"},
	};
	uint32_t flags, gsi;

	*out = (struct arch_interrupt){.number = (int)index};
	if (index >= ISA_IRQS + IRQ_KINDS)
		return false;
	if (index >= ISA_IRQS) {
		out->number = -1;
		out->name = own[index - ISA_IRQS].name;
		format(out->text, sizeof(out->text), " %s", own[index - ISA_IRQS].text);
		return true;
	}
	spin_lock(&irq_lock);
	out->name = handlers[index].function ? handlers[index].name : NULL;
	spin_unlock(&irq_lock);
	if (out->name) {
		gsi = route(index, &flags);
		format(out->text, sizeof(out->text), " IO-APIC %3u-%-8s  %s", gsi,
			flags & REDIRECT_LEVEL ? "fasteoi" : "edge", out->name);
	}
	return true;
}

/* Devices' all go to the boot CPU. */
uint64_t arch_interrupt_count(unsigned index, unsigned cpu)
{
	if (index < ISA_IRQS)
		return cpu ? 0 : __atomic_load_n(&handlers[index].count, __ATOMIC_RELAXED);
	return __atomic_load_n(&cpus[cpu]->interrupts[index - ISA_IRQS], __ATOMIC_RELAXED);
}
