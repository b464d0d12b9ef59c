/* SPDX-License-Identifier: MIT */
#include "entry_area.h"

#include "cpu.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/pages.h"
#include "paging.h"
#include "process/cpu.h"
#include "registers.h"
#include "traps.h"

#define STUB_SIZE  16
#define GDT_WORDS  10
#define GATE_COUNT 256

/* From entry.S. */
extern const char entry_syscall[], entry_syscall_stacked[], trap_user[], trap_kernel[];
extern const char plain_stubs[], isolated_stubs[], entry_section_start[], entry_section_end[];
extern const char isolated_syscall[], isolated_exit_sysret[], isolated_exit_iret[];
extern const char tagged_exit_sysret[], tagged_exit_iret[];

struct gate {
	uint16_t offset0, selector;
	uint8_t ist, type;
	uint16_t offset1;
	uint32_t offset2, reserved;
};

struct table_pointer {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

/* What each CPU's GDT begins with; then come the two words of its TSS. */
static const uint64_t gdt_template[GDT_WORDS - 2] = {
	0, 0, 0x00af9b000000ffff, /* kernel code, 64 bits */
	0x00cf93000000ffff,       /* kernel data */
	0, /* user code, 32 bits: SYSRET's arithmetic wants the place. No segment stands there: in one,
	      SYSCALL would go to CSTAR on AMD's (and QEMU's) CPUs, in kernel mode on the user's stack. */
	0x00cff3000000ffff, /* user data */
	0x00affb000000ffff, /* user code, 64 bits */
};

static uint64_t early_gdt[GDT_WORDS];
static struct gate early_idt[GATE_COUNT] __attribute__((aligned(16)));
static struct cpu_entry early_entry;
static uint8_t early_irq_stack[1024] __attribute__((aligned(16)));
static bool idt_ready;

static virt_t in_entry_area(const char *symbol)
{
	return ENTRY_TEXT + (virt_t)(symbol - entry_section_start);
}

static void gates_fill(struct gate *idt, virt_t stubs, bool ist)
{
	for (unsigned v = 0; v < GATE_COUNT; v++) {
		virt_t at = stubs + v * STUB_SIZE;

		/* Interrupt gates, DPL 0; only INT3 and INTO may be raised by user mode. */
		idt[v] = (struct gate){.offset0 = (uint16_t)at,
			.selector = SELECTOR_KERNEL_CODE,
			.type = v == VECTOR_BP || v == VECTOR_OF ? 0xee : 0x8e,
			.offset1 = (uint16_t)(at >> 16),
			.offset2 = (uint32_t)(at >> 32)};
	}
	if (!ist)
		return;
	idt[VECTOR_NMI].ist = IST_NMI;
	idt[VECTOR_DF].ist = IST_DF;
	idt[VECTOR_MC].ist = IST_MC;
	idt[VECTOR_DB].ist = IST_DB;
}

static void gdt_fill(uint64_t *gdt, virt_t tss)
{
	memcpy(gdt, gdt_template, sizeof(gdt_template));
	gdt[SELECTOR_TSS / 8] = (sizeof(struct tss) - 1) | (tss & 0xffffff) << 16 | 0x89ul << 40 |
				(tss >> 24 & 0xff) << 56;
	gdt[SELECTOR_TSS / 8 + 1] = tss >> 32;
}

static void segments_load(const struct table_pointer *gdt, const struct table_pointer *idt)
{
	__asm__ volatile(
		"lgdt %0\n\t"
		"lidt %1\n\t"
		"pushq %2\n\t"
		"leaq 1f(%%rip), %%rax\n\t"
		"pushq %%rax\n\t"
		"lretq\n"
		"1:\n\t"
		"movl %3, %%eax\n\t"
		"movl %%eax, %%ss\n\t"
		"xorl %%eax, %%eax\n\t"
		"movl %%eax, %%ds\n\t"
		"movl %%eax, %%es\n\t"
		"movl %%eax, %%fs\n\t"
		"movl %%eax, %%gs\n\t"
		"lldt %%ax"
		:
		: "m"(*gdt), "m"(*idt), "i"(SELECTOR_KERNEL_CODE), "i"(SELECTOR_KERNEL_DATA)
		: "rax", "memory");
}

static void entry_common(struct cpu_entry *entry, struct cpu *cpu)
{
	entry->self = entry;
	entry->cpu = cpu;
	entry->owner = cpu->index + 1;
	entry->bit = cpu_bit(cpu);
	entry->trap_user = (virt_t)trap_user;
	entry->trap_kernel = (virt_t)trap_kernel;
	entry->syscall = (virt_t)entry_syscall_stacked;
	entry->paranoid = (virt_t)trap_paranoid;
	entry->exit_sysret = in_entry_area(isolated_exit_sysret);
	entry->exit_iret = in_entry_area(isolated_exit_iret);
	entry->has_smap = cpu_has[CPU_SMAP];
	cpu->entry = entry;
}

void entry_use_pcid(struct cpu_entry *entry)
{
	entry->exit_sysret = in_entry_area(tagged_exit_sysret);
	entry->exit_iret = in_entry_area(tagged_exit_iret);
}

void entry_early_init(struct cpu *cpu)
{
	struct table_pointer gdt = {sizeof(early_gdt) - 1, (virt_t)early_gdt};
	struct table_pointer idt = {sizeof(early_idt) - 1, (virt_t)early_idt};

	gdt_fill(early_gdt, (virt_t)&early_entry.tss);
	gates_fill(early_idt, (virt_t)plain_stubs, false);
	entry_common(&early_entry, cpu);
	early_entry.irq_stack = (virt_t)early_irq_stack + sizeof(early_irq_stack);
	early_entry.kernel_cr3 = early_entry.user_cr3 = cr3_read();
	segments_load(&gdt, &idt);
	msr_write(MSR_GS_BASE, (virt_t)&early_entry);
	msr_write(MSR_KERNEL_GS_BASE, 0);
}

static int map_new_pages(virt_t at, unsigned count, uint64_t flags)
{
	for (unsigned i = 0; i < count; i++) {
		struct frame *frame = pages_alloc(0, FRAME_STACK, PAGES_ZERO);
		int error =
			frame ? kernel_map(at + i * PAGE_SIZE, frame_phys(frame), flags) : -ENOMEM;

		if (error)
			return error;
	}
	return 0;
}

/* The part that all CPUs share: IDT and entry text. */
static int shared_init(bool isolation)
{
	size_t text = (size_t)(entry_section_end - entry_section_start);
	struct frame *frame = pages_alloc(0, FRAME_USED, PAGES_ZERO);

	if (!frame || kernel_map(ENTRY_AREA, frame_phys(frame), PTE_NX))
		return -ENOMEM;
	gates_fill(frame_ptr(frame),
		isolation ? in_entry_area(isolated_stubs) : (virt_t)plain_stubs, true);
	for (size_t offset = 0; offset < text; offset += PAGE_SIZE) {
		if (kernel_map(ENTRY_TEXT + offset,
			    kernel_lookup((virt_t)entry_section_start + offset), 0))
			return -ENOMEM;
	}
	idt_ready = true;
	return 0;
}

static void syscall_init(bool isolation)
{
	msr_write(MSR_STAR,
		(uint64_t)SELECTOR_KERNEL_CODE << 32 | (uint64_t)(SELECTOR_USER_CODE32 | 3) << 48);
	msr_write(MSR_LSTAR, isolation ? in_entry_area(isolated_syscall) : (virt_t)entry_syscall);
	msr_write(MSR_CSTAR, 0);
	msr_write(MSR_SYSENTER_CS, 0);
	msr_write(MSR_SFMASK, RFLAGS_IF | RFLAGS_DF | RFLAGS_TF | RFLAGS_AC | RFLAGS_NT |
				      RFLAGS_IOPL | RFLAGS_RF | RFLAGS_ID |
				      0xd5 /* the arithmetic flags */);
}

static virt_t block_of(const struct cpu *cpu)
{
	return ENTRY_CPUS + (virt_t)cpu->index * ENTRY_CPU_SIZE;
}

int entry_area_create(struct cpu *cpu, bool isolation)
{
	virt_t base = block_of(cpu);
	uint64_t data = PTE_WRITE | PTE_NX;
	struct cpu_entry *entry = (struct cpu_entry *)base;

	if (!idt_ready && shared_init(isolation))
		return -ENOMEM;
	if (map_new_pages(base, 2, data) || map_new_pages(base + 3 * PAGE_SIZE, 1, data) ||
		map_new_pages(base + 5 * PAGE_SIZE, 2, data) ||
		map_new_pages(base + 8 * PAGE_SIZE, 2, data) ||
		map_new_pages(base + 11 * PAGE_SIZE, 2, data) ||
		map_new_pages(base + 14 * PAGE_SIZE, 2, data))
		return -ENOMEM;
	entry->isolation = isolation;
	entry->debug_stub = (isolation ? in_entry_area(isolated_stubs) : (virt_t)plain_stubs) +
			    VECTOR_DB * STUB_SIZE;
	entry->kernel_cr3 = entry->user_cr3 = paging_kernel_top();
	entry->tss.io_map = sizeof(struct tss);
	entry->tss.ist[IST_NMI - 1] = base + 7 * PAGE_SIZE;
	entry->tss.ist[IST_DF - 1] = base + 10 * PAGE_SIZE;
	entry->tss.ist[IST_MC - 1] = base + 13 * PAGE_SIZE;
	entry->tss.ist[IST_DB - 1] = base + 16 * PAGE_SIZE;
	entry->tss.rsp[0] = base + 4 * PAGE_SIZE;
	entry->irq_stack = arch_stack_alloc();
	if (!entry->irq_stack)
		return -ENOMEM;
	entry->irq_stack += KERNEL_STACK_SIZE;
	gdt_fill((uint64_t *)(base + PAGE_SIZE), (virt_t)&entry->tss);
	entry->current = cpu->entry ? cpu->entry->current : cpu->idle;
	entry_common(entry, cpu);
	return 0;
}

void entry_area_load(struct cpu *cpu)
{
	virt_t base = block_of(cpu);
	struct table_pointer gdt = {GDT_WORDS * 8 - 1, base + PAGE_SIZE};
	struct table_pointer idt = {sizeof(struct gate) * GATE_COUNT - 1, ENTRY_AREA};

	segments_load(&gdt, &idt);
	msr_write(MSR_GS_BASE, (virt_t)cpu->entry);
	msr_write(MSR_KERNEL_GS_BASE, 0);
	__asm__ volatile("ltr %w0" : : "r"(SELECTOR_TSS));
	kernel_protect(base + PAGE_SIZE, PTE_NX); /* after LTR, which writes to it */
	if (cpu_has[CPU_RDTSCP])
		msr_write(MSR_TSC_AUX, cpu->index); /* what getcpu in user mode reads */
	syscall_init(cpu->entry->isolation);
}
