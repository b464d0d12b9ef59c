/* SPDX-License-Identifier: MIT */
/*
 * The seam to the machine. Everything that knows the CPU is behind these declarations; page tables
 * are opaque and no constant of the address space stands elsewhere. arch_cpu.h (one per arch, found
 * by the include path) adds what must be inline: PAGE_SIZE, interrupt state, the current thread.
 */
#ifndef ARCH_ARCH_H
#define ARCH_ARCH_H

#include "arch_cpu.h"
#include "lib/types.h"
#include "memory/access.h"

struct handoff;
struct handoff_machine;
struct thread;

/* ---- Start; in this order, from main.c ---- */

struct acpi_info;

/* CPU features, fault reports. `self` becomes current_thread; `start` is the clock's 0 (arch_cycles). */
void arch_early_init(uint64_t start, struct thread *self);
/* Everything but the build id and the hand-off's address: to compare the hand-off with. */
void arch_loaded_state(struct handoff_machine *out);
/* Takes the loader's tables over. From here on there is arch_phys_to_ptr. */
void arch_tables_init(const struct handoff *handoff);
/* Pages are there: entry area, kernel areas. isolation: enum option_choice. */
void arch_memory_init(const struct handoff *handoff, int isolation);
/* Interrupt controllers, clock, timer. Interrupts are still off. */
/* Keeps TLB entries over switches, where the CPU can; says so in the log. Before the first space. */
void arch_pcid_init(void);
void arch_devices_init(
	const struct handoff *handoff, const struct acpi_info *acpi, bool tsc_deadline);
void arch_set_canary(uint64_t value);

/* ---- Several CPUs ---- */

struct cpu;

/* Starts the others that the MADT names, `most` in all at most (0: as many as there are), one by
 * cpu_create after the other; returns how many CPUs run now. Those that do not answer are named in
 * the log and left. */
unsigned arch_start_cpus(const struct acpi_info *acpi, unsigned most);
/* Interrupts another CPU, which calls cpu_kicked. From any context, locks held too. A kick may come
 * when it is no longer needed; of several to one CPU, one may be all that comes. */
void arch_kick(struct cpu *cpu);
/* When it returns, every other CPU that has the space loaded (NULL: every one) has passed a full memory
 * barrier that serialises its instructions too. */
struct arch_space;
void arch_barrier_others(struct arch_space *space);
/* Stops all other CPUs for good: panic, power off. */
void arch_stop_others(void);

/* ---- Physical memory ---- */

/* RAM through the direct map: valid for every range of RAM in the hand-off's map. */
void *arch_phys_to_ptr(phys_t phys);    /* inline in arch_cpu.h */
phys_t arch_ptr_to_phys(const void *p); /* of a pointer into the direct map */
bool arch_phys_exists(phys_t phys);     /* the CPU has as many address bits */

/* Maps RAM pages at a kernel virtual address for the page-frame array, RW and NX. Page tables that
 * are missing come from take_table (one zeroed page's physical address; 0: none left).
 * 0 or -ENOMEM (nothing is undone then). */
int arch_map_frames(virt_t virt, phys_t phys, size_t size, phys_t (*take_table)(void *),
	void *context) MUST_CHECK;

enum map_cache { MAP_WRITE_BACK, MAP_WRITE_COMBINING, MAP_UNCACHED };

#define KERNEL_HALF (~(virt_t)0 << 47)
/* Pages side by side that the kernel has mapped with the same access. */
struct arch_range {
	virt_t start;
	uint64_t size;
	bool write, execute, user, uncached;
};
/* The first one at or above an address of the kernel's half; false: there is none. Any context. */
bool arch_kernel_range(virt_t at, struct arch_range *out) MUST_CHECK;
struct arch_mappings {
	uint64_t ranges, executable; /* how many, up to the wrong one; bytes */
	virt_t broken_at;            /* where something is wrong */
};
/* No memory writable and executable, none of the kernel's for user mode: NULL, or what is wrong. */
const char *arch_mappings_audit(struct arch_mappings *out) MUST_CHECK;
/* Debug builds: a small page becomes writable and executable, for crash_audit.c. */
void arch_allow_all(const void *kernel_page);

/* Maps a physical range that need not be RAM (device registers, framebuffer, firmware tables) into
 * the dynamic area, RW and NX; any alignment; the pointer is to the very first byte.
 * NULL: no memory. */
void *arch_map_device(phys_t phys, size_t size, enum map_cache cache) MUST_CHECK;
void arch_unmap_device(void *p, size_t size);

/* ---- Address spaces ---- */

/* By which a CPU tells the entries of one space in its TLB from another's. */
struct tlb_tag {
	uint64_t context; /* never used twice; 0: none */
	uint64_t changes; /* of the page tables, that a TLB may have missed */
};

/* A user address space's page tables. The kernel's half is the same in all. The owner (struct
 * space) serialises changes by its lock. */
struct arch_space {
	phys_t top;      /* the kernel's view; under isolation the user's top page follows it */
	uint64_t *table; /* the same as a pointer */
	uint64_t tables; /* pages that the tables take */
	bool retired;    /* no CPU has it, and none will */
	struct tlb_tag tag;
	uint64_t cpus; /* bit n: CPU n has it loaded; changed atomically by that CPU */
};

int arch_space_init(struct arch_space *space) MUST_CHECK; /* -ENOMEM */
/* No CPU uses the space, and none will again: what is unmapped from now on need not be flushed. */
void arch_space_retire(struct arch_space *space);
/* Frees the tables. Nothing is mapped in the user half any more and no thread uses it; a CPU that
 * still has it loaded is made to leave it. */
void arch_space_destroy(struct arch_space *space);
/* Makes this CPU use the space; NULL: the kernel's own tables, with nothing in the user half. */
void arch_space_use(struct arch_space *space);

struct arch_mapping {
	phys_t phys;
	unsigned access; /* enum map_access */
	void *entry;     /* arch's own: arch_map_at finds its way by it */
};

/* Maps one page for user mode; what was there is replaced (and flushed). -ENOMEM. */
int arch_map(struct arch_space *space, uintptr_t address, phys_t phys, unsigned access) MUST_CHECK;
/* False: not present; out->entry is set nevertheless. */
bool arch_lookup(struct arch_space *space, uintptr_t address, struct arch_mapping *out);
/* The first page of [start, end) that arch_lookup would find; end: none. Holes cost nothing. */
uintptr_t arch_next_page(struct arch_space *space, uintptr_t start, uintptr_t end);
/* arch_map after an arch_lookup of the address, nothing having changed in between. */
int arch_map_at(struct arch_space *space, const struct arch_mapping *found, uintptr_t address,
	phys_t phys, unsigned access) MUST_CHECK;
struct arch_gone {
	phys_t phys;
	bool dirty; /* it was written through the entry */
};

/* Unmaps all pages of a range; `gone` gets the frames, some at a time, once no CPU can reach them
 * any more. Tables that become empty are freed when they lie wholly in [floor, ceiling), where
 * nothing else is mapped. */
void arch_unmap(struct arch_space *space, uintptr_t start, uintptr_t end, uintptr_t floor,
	uintptr_t ceiling,
	void (*gone)(void *context, const struct arch_gone *pages, unsigned count), void *context);
/* Sets the access of the pages present; MAP_WRITE is given only to those
 * that may_write (copy on write keeps the others back). */
void arch_protect(struct arch_space *space, uintptr_t start, uintptr_t end, unsigned access,
	bool (*may_write)(void *context, phys_t phys), void *context);

/* Moves the entries of a range to where nothing is; the ranges do not overlap. -ENOMEM: nothing has moved
 * (tables may have been made). */
int arch_move(struct arch_space *space, uintptr_t from, uintptr_t to, size_t size) MUST_CHECK;

/* Gives one space the entries of another, which loses the right to write where read_only says so.
 * begin; ranges; end, without which a CPU may still write to the first space's pages. */
struct arch_share {
	struct arch_space *from, *to;
	bool read_only; /* may change from range to range */
	bool changed;
};
void arch_share_begin(struct arch_share *share, struct arch_space *from, struct arch_space *to);
/* `to` has nothing in the range. `shared` is called for each page. -ENOMEM: the entries up to some
 * place are copied. */
int arch_share(struct arch_share *share, uintptr_t start, uintptr_t end,
	void (*shared)(void *context, phys_t phys), void *context) MUST_CHECK;
void arch_share_end(struct arch_share *share);

/* A kernel stack of KERNEL_STACK_SIZE bytes with unmapped pages below; its lowest byte, 0: no memory. */
virt_t arch_stack_alloc(void) MUST_CHECK;
void arch_stack_free(virt_t stack);

/* ---- User memory: see memory/user.h, which checks the ranges ---- */

size_t arch_user_copy(void *to, const void *from, size_t size);
size_t arch_user_clear(void *to, size_t size);
ssize_t arch_user_string(char *to, const char *from, size_t size);
/* Whole words: 0, or -EFAULT where the memory cannot be touched. With interrupts off nothing is
 * faulted in: they fail then where a page is not there, so they may stand under spin locks. */
long arch_user_load32(uint32_t *out, const void *from) MUST_CHECK;
long arch_user_store_pair(void *to, uint64_t first, uint64_t second) MUST_CHECK;
/* An atomic compare-and-exchange: 0: done; 1: *expected was not there, and is now what was; -EFAULT. */
long arch_user_exchange32(void *at, uint32_t *expected, uint32_t desired) MUST_CHECK;

/* ---- Threads ---- */

/* What a thread has of the machine, beside its kernel stack. */
struct arch_thread {
	virt_t stack;              /* lowest byte */
	virt_t saved_rsp;          /* while it does not run */
	void *fpu;                 /* NULL: a kernel thread */
	uint64_t fs_base, gs_base; /* the user's, while it does not run */
	uint64_t selectors;        /* its DS, ES, FS, GS, 16 bits each */
	/* its last exception in user mode, for signal frames */
	uint64_t trap_number, trap_error, fault_address;
	bool step_forced; /* by arch_single_step */
	/* debug_registers.c: what DR6 shows to a tracer, flipped to "1 is an event", and the rest */
	uint64_t debug_status;
	struct debug_state *debug; /* NULL: never set */
};

/* Makes `thread` start in function(argument) at its first switch; when that returns, it goes to
 * user mode by its registers. user: with FPU state. -ENOMEM. */
int arch_thread_init(
	struct thread *thread, bool user, void (*function)(void *), void *argument) MUST_CHECK;
void arch_thread_destroy(struct thread *thread);
/* Gives this CPU from `from` (the running one) to `to`, address space included. Returns when
 * `from` runs again. Interrupts off, the run queue's lock held: switch_finish releases it. */
void arch_switch(struct thread *from, struct thread *to) SCHED_TEXT;
/* The return addresses on the kernel stack of a thread that sleeps, or of the running one, innermost first: how
 * many, at most `most`. The thread cannot go away (process_lock is held), but it may wake: then they mean nothing. */
unsigned arch_stack_trace(struct thread *thread, virt_t *out, unsigned most);
bool arch_is_scheduler(virt_t address); /* of one of the functions that are SCHED_TEXT */

/* The registers with which a thread will be (or was) in user mode. */
struct trap_frame;
struct trap_frame *arch_user_frame(struct thread *thread);
/* As at exec: everything 0 but where to go on and the stack; FPU as at power-on. */
void arch_user_start(struct thread *thread, uintptr_t entry, uintptr_t stack);
/* For clone: the child's registers are the parent's, with result 0 and, if not 0, another stack. */
void arch_user_clone(struct thread *child, struct thread *parent, uintptr_t stack);
uintptr_t arch_user_ip(struct thread *thread); /* where it was in user mode */
uintptr_t arch_user_sp(struct thread *thread);
void arch_set_fs_base(uint64_t base); /* of the running thread */
uint64_t arch_get_fs_base(void);
void arch_set_gs_base(uint64_t base);
uint64_t arch_get_gs_base(void);

/* ---- Signals: see process/signal.h ---- */

struct signal_delivery;
struct signal_return;

/* Makes the running thread go on in a handler, from whose frame rt_sigreturn comes back. -EFAULT:
 * the frame could not be written, and nothing is changed. */
int arch_signal_enter(const struct signal_delivery *delivery) MUST_CHECK;
/* rt_sigreturn: registers and FPU state from the frame at the stack's top. -EFAULT: it cannot be
 * read, or the FPU refuses its state; the registers may have changed. */
int arch_signal_return(struct signal_return *out) MUST_CHECK;
/* Whether the CPU would refuse to go to user mode with these registers: then a fault is noted as the
 * thread's last exception. */
bool arch_frame_fault(struct thread *thread);
/* The last thing before user mode, interrupts off, of a thread with WORK_DEBUG: this CPU gets its debug
 * registers. A thread without any may run with another's still loaded: see debug_registers.c. */
void arch_debug_load(void);
/* Of a thread that is in the kernel: makes it trap after one instruction in user mode, or not. */
void arch_single_step(struct thread *thread, bool on);
/* The system call that a thread is in, with its result; -1: none, or one that is not to be made
 * again. */
long arch_syscall_number(struct thread *thread, long *result);
void arch_syscall_forget(struct thread *thread);
/* The call is made again, by this number, once the thread is in user mode. */
void arch_syscall_again(struct thread *thread, long number);
long arch_result(struct thread *thread); /* of its system call */
void arch_set_result(struct thread *thread, long result);

/* ---- What arch calls ---- */

enum fault_access { FAULT_READ = MAP_READ, FAULT_WRITE = MAP_WRITE, FAULT_FETCH = MAP_EXECUTE };

/* A user-half address was touched that the tables do not allow: 0 when it may be tried again, else
 * -EFAULT with signal and si_code. May sleep. */
struct fault_result {
	int signal, code;
};
int space_fault(
	uintptr_t address, enum fault_access access, bool user, struct fault_result *result);
/* An exception of the running thread in user mode that nothing resolved. */
void thread_fault(int signal, int code, uintptr_t address, const char *what);
/* The last thing before user mode, interrupts off, when the thread's work flags are not 0. */
void thread_work(void);
/* The end of a switch, on the new thread's stack. */
void switch_finish(void);
/* The timer armed by arch_timer_arm fired. user: it interrupted user mode. */
void timer_expired(bool user);
void cpu_kicked(void); /* another CPU's arch_kick; interrupts off */
/* A CPU that is to be started: its struct, with an idle thread that has a stack. NULL: no memory. */
struct cpu *cpu_create(unsigned index, uint32_t apic_id) MUST_CHECK;
/* The new CPU's own start: on its idle thread's stack, which is current, interrupts off. */
void cpu_begin(struct cpu *cpu) NORETURN;

/* ---- UEFI runtime services: an address space of their own, identity-mapped, ring 0 ---- */

/* Maps whole pages; a later call for the same page changes the access. -ENOMEM. */
int arch_firmware_map(
	virt_t at, phys_t base, uint64_t size, unsigned access, enum map_cache cache) MUST_CHECK;
#define FIRMWARE_ARGUMENTS 5u
struct arch_firmware_call {
	uint64_t function, arguments[FIRMWARE_ARGUMENTS];
	uint64_t stack; /* its end, 16-byte aligned; 0: the caller's */
	/* In a panic: how long it may take (0: for ever), and who goes on then, on that stack and in that space,
	 * and does not return. Until then interrupts are on and lost. */
	ns_t limit;
	void (*late)(void);
};
/* Calls a service (Microsoft's x64 convention) in that space, with interrupts off but for a limit's. */
uint64_t arch_firmware_call(const struct arch_firmware_call *call);
/* The call is over without a return, by a panic inside of it. The kernel goes on in that space, where all of its
 * own half is. False: there was no call. */
bool arch_firmware_abandon(void);

/* ---- The same services in user mode: firmware/bars.c. All of the running thread, which is the firmware's. ---- */

struct arch_firmware_entry {
	uintptr_t function;
	uint64_t arguments[FIRMWARE_ARGUMENTS];
	uintptr_t stack, back; /* the stack's end, 16-byte aligned; where the service returns to */
	void *stack_memory;    /* the same end, in the kernel's half */
};
/* The thread goes on in the service. What a callee keeps has values that arch_firmware_left knows. */
void arch_firmware_enter(const struct arch_firmware_entry *entry);

/* It has returned: its result, and what it did not keep (enum evidence_lost, without the interrupt flag). */
uint64_t arch_firmware_left(const struct arch_firmware_entry *entry, uint32_t *out_lost);

enum firmware_trap_kind {
	FIRMWARE_TRAP_PAGE, /* address, access */
	FIRMWARE_TRAP_PORT, /* address: the port; size, out, value */
	FIRMWARE_TRAP_OFF,  /* turns interrupts off */
	FIRMWARE_TRAP_ON,
	FIRMWARE_TRAP_HALT,
	FIRMWARE_TRAP_PRIVILEGED, /* another instruction of ring 0: address, value if it has them */
	FIRMWARE_TRAP_EXCEPTION,  /* vector */
};

struct arch_firmware_trap {
	enum firmware_trap_kind kind;
	const char *name; /* the instruction's; NULL: it is none */
	uintptr_t ip, sp, address;
	enum fault_access access;
	unsigned size;
	bool out, control, has_msr; /* control: of a control or debug register */
	bool withheld;              /* set by who emulates: what would go out of a port does not */
	uintptr_t memory;           /* of a port's string instruction; 0: another */
	uint64_t value;
	unsigned vector, code;
};
/* What the thread has just done. */
void arch_firmware_trap(struct arch_firmware_trap *out);
/* Does the instruction for it and steps over it; trap->value is what was read then. False: it cannot be. */
bool arch_firmware_emulate(struct arch_firmware_trap *trap) MUST_CHECK;

/* ---- Ports and interrupts ---- */

uint8_t arch_in8(uint16_t port);
uint16_t arch_in16(uint16_t port);
uint32_t arch_in32(uint16_t port);
void arch_out8(uint16_t port, uint8_t value);
void arch_out16(uint16_t port, uint16_t value);
void arch_out32(uint16_t port, uint32_t value);

typedef void (*irq_handler)(void *context);

/* Routes a legacy (ISA) interrupt to this handler, unmasked; it runs with interrupts off. `name`, which
 * stays, is the device's in /proc/interrupts.
 * -ENODEV: no interrupt controller knows it; -EBUSY: taken. */
int arch_irq_attach(
	unsigned isa_irq, const char *name, irq_handler handler, void *context) MUST_CHECK;

/* What interrupts the CPUs: devices by their numbers, then what is the CPUs' own. */
struct arch_interrupt {
	int number;       /* of a device; -1: the CPUs' own */
	const char *name; /* of those: "LOC"; NULL: nothing is attached to the number */
	char text[64];    /* in Linux's words */
};
bool arch_interrupt(unsigned index, struct arch_interrupt *out); /* false: there are no more */
uint64_t arch_interrupt_count(unsigned index, unsigned cpu);

/* ---- Time ---- */

ns_t arch_clock(void); /* monotonic, since the loader's entry; 0 before clock_init */
/* The clock's and the timer's rates, which are measured while the kernel starts, are exact from now on; vdso_clock_changed
 * is to be called. */
void arch_clock_settle(void);
/* From now on the clock is not the TSC but what that was measured by (unless that is worse). Done
 * where the CPUs' TSCs disagree. Time does not jump. */
void arch_clock_leave_tsc(void);
uint64_t arch_cycles(void); /* the raw counter (TSC) behind it */
/* How user mode reads the same clock: nanoseconds = (counter - start) * multiplier >> 32, with 128
 * bits between. False: it must ask the kernel. */
struct arch_clock_user {
	uint64_t start, multiplier;
};
bool arch_clock_user(struct arch_clock_user *out);
/* Whether user mode finds the CPU's index by RDTSCP. */
bool arch_cpu_number_user(void);
/* One timer event on this CPU at (or as soon as possible after) `when`; NS_NEVER: none. */
void arch_timer_arm(ns_t when);

/* ---- The rest ---- */

uint64_t arch_hwcap(void);             /* AT_HWCAP */
uint64_t arch_hwcap2(void);            /* AT_HWCAP2 */
uint64_t arch_signal_stack_size(void); /* AT_MINSIGSTKSZ */

bool arch_random64(uint64_t *out); /* from the CPU's generator; false: it has none */
/* A cache of the CPUs, which are all alike. */
struct arch_cache {
	unsigned level;
	const char *type; /* "Data", "Instruction", "Unified" */
	unsigned line, ways, sets;
	unsigned sharing; /* CPUs whose APIC ids, divided by this, are the same, share one */
};
bool arch_cache(
	unsigned index, struct arch_cache *out); /* false: there are no more, or none is known */
/* A CPU in words, as /proc/cpuinfo has them: the length of the whole text, as format gives it. */
size_t arch_cpu_describe(unsigned index, char *text, size_t size) MUST_CHECK;
void arch_idle(void);           /* halts until an interrupt; interrupts are on afterwards */
void arch_halt(void) NORETURN;  /* stops this CPU for good */
void arch_reset(void) NORETURN; /* by a triple fault, when all else failed */

#endif
