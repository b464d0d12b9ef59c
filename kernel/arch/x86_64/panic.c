/* SPDX-License-Identifier: MIT */
/*
 * The kernel's last words: why, the registers, the way there; then the machine stops.
 *
 * One CPU reports, the others are stopped by then. What is said goes to the log's consoles line by line, and what
 * matters most of it into a short record (panic_record.c), which is kept for the next boot as the very last thing,
 * for that is up to the firmware. A panic inside the report ends it: the first such is told in one line.
 */
#include <stdarg.h>

#include "arch/arch.h"
#include "build_id.h"
#include "devices/console.h"
#include "devices/panic_code.h"
#include "entry_area.h"
#include "ipi.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "lib/symbols.h"
#include "panic.h"
#include "process/cpu.h"
#include "process/process.h"
#include "panic_record.h"
#include "power.h"
#include "registers.h"
#include "syscall/dispatch.h"
#include "traps.h"

#define FRAMES_MAX   24
#define FRAMES_NOTED 8 /* of those */

extern const char kernel_image_start[], kernel_image_end[], kernel_text_start[], kernel_text_end[];
extern const char kernel_symbols_start[], kernel_symbols_end[];

static bool panicking;
static uint64_t shown; /* CPUs whose way is told too */

void panic_shows(uint64_t which)
{
	__atomic_store_n(&shown, which, __ATOMIC_RELAXED);
}

const char *symbol_of(virt_t address, uint32_t *within)
{
	if (address < (virt_t)kernel_text_start || address >= (virt_t)kernel_text_end)
		return NULL;
	return symbols_lookup(kernel_symbols_start,
		(size_t)(kernel_symbols_end - kernel_symbols_start),
		(uint32_t)(address - (virt_t)kernel_image_start), within);
}

uint32_t symbol_length(virt_t address)
{
	return symbols_length(kernel_symbols_start,
		(size_t)(kernel_symbols_end - kernel_symbols_start),
		(uint32_t)(address - (virt_t)kernel_image_start));
}

const char *symbol_at(uint32_t index, virt_t *address)
{
	uint32_t offset;
	const char *name = symbols_at(kernel_symbols_start,
		(size_t)(kernel_symbols_end - kernel_symbols_start), index, &offset);

	if (name)
		*address = (virt_t)kernel_image_start + offset;
	return name;
}

/* To the log and, should it be noted, to the record. */
static void say(bool noted, const char *text, ...) PRINTF_LIKE(2, 3);
static void say(bool noted, const char *text, ...)
{
	char line[LOG_TEXT_MAX];
	va_list arguments;

	va_start(arguments, text);
	format_va(line, sizeof(line), text, arguments);
	va_end(arguments);
	log_error("%s", line);
	if (noted)
		panic_note("%s", line);
}

static void say_address(bool noted, const char *what, virt_t address)
{
	uint32_t within = 0;
	const char *name = symbol_of(address, &within);

	if (name)
		say(noted, "%s kernel+%#lx  %s+%#x", what, address - (virt_t)kernel_image_start,
			name, within);
	else
		say(noted, "%s %#lx", what, address);
}

/* A frame pointer is believed only if it is aligned and above the one before. */
static bool plausible(virt_t frame, virt_t below)
{
	return frame > below && !(frame & 7) && frame - below < 2 * KERNEL_STACK_SIZE &&
	       frame >> 47 == 0x1ffff;
}

static void log_backtrace(virt_t frame)
{
	virt_t below = frame - 1;

	for (int i = 0; i < FRAMES_MAX && plausible(frame, below); i++) {
		virt_t return_address = ((virt_t *)frame)[1];

		if (!return_address)
			return;
		say_address(i < FRAMES_NOTED, "  from", return_address - 1);
		below = frame;
		frame = ((virt_t *)frame)[0];
	}
}

static void log_registers(const struct trap_frame *f)
{
	log_error("rip %016lx rsp %016lx rflags %016lx cs %lx", f->rip, f->rsp, f->rflags, f->cs);
	log_error("rax %016lx rbx %016lx rcx    %016lx rdx %016lx", f->rax, f->rbx, f->rcx, f->rdx);
	log_error("rsi %016lx rdi %016lx rbp    %016lx r8  %016lx", f->rsi, f->rdi, f->rbp, f->r8);
	log_error("r9  %016lx r10 %016lx r11    %016lx r12 %016lx", f->r9, f->r10, f->r11, f->r12);
	log_error("r13 %016lx r14 %016lx r15    %016lx cr2 %016lx", f->r13, f->r14, f->r15,
		cr2_read());
	log_error("cr3 %016lx cr4 %016lx vector %lu error %lx", cr3_read(), cr4_read(), f->vector,
		f->error);
}

static void say_context(void)
{
	struct thread *thread = current_thread();
	long number, result;
	const char *name;

	if (!thread)
		return;
	if (!thread->process) {
		say(true, "running: the kernel thread %s on CPU %u", thread->name,
			this_cpu()->index);
		return;
	}
	number = arch_syscall_number(thread, &result);
	name = syscall_name(number);
	if (number >= 0)
		say(true, "running: %s[%d] on CPU %u, system call %ld (%s)", thread->name,
			thread->process->id, this_cpu()->index, number, name ? name : "unknown");
	else
		say(true, "running: %s[%d] on CPU %u", thread->name, thread->process->id,
			this_cpu()->index);
}

/* The way of the other CPUs that the panic is about. */
static void say_others(void)
{
	for (unsigned i = 0; i < cpu_count; i++) {
		const struct cpu *cpu = cpus[i];
		const struct thread *thread = cpu->running;

		if (cpu == this_cpu() || !(shown & cpu_bit(cpu)))
			continue;
		say(true, "CPU %u runs %s[%d]", i, thread ? thread->name : "nothing",
			thread && thread->process ? thread->process->id : 0);
		if (!cpu->entry->stopped_at)
			continue;
		say_address(true, "    at", cpu->entry->stopped_at);
		log_backtrace(cpu->entry->stopped_frame);
	}
}

/* The report itself came to grief. */
static void report_again(const struct trap_frame *frame, const char *reason) NORETURN;
static void report_again(const struct trap_frame *frame, const char *reason)
{
	static bool told;
	bool firmware = arch_firmware_abandon();

	if (!told) {
		told = true;
		log_error("and a panic %s: %s",
			firmware ? "in the firmware's SetVariable" : "in the report", reason);
		if (frame)
			say_address(false, "    at", frame->rip);
	}
	machine_stop();
}

static void report(const struct trap_frame *frame, virt_t frame_pointer, const char *format,
	va_list arguments) NORETURN;
static void report(
	const struct trap_frame *frame, virt_t frame_pointer, const char *format, va_list arguments)
{
	char reason[200];
	uint64_t first;
	const char *record;
	size_t length;

	ipi_stop_now(); /* and if another CPU panics already, this one stops */
	format_va(reason, sizeof(reason), format, arguments);
	if (panicking)
		report_again(frame, reason);
	panicking = true;
	log_panic_mode();
	first = log_next_sequence();
	log_error("PANIC: %s", reason);
	panic_note("%s", reason);
	say(true, "baton %s, image at %#lx", BATON_BUILD_ID, (virt_t)kernel_image_start);
	say_context();
	if (frame) {
		log_registers(frame);
		say_address(true, "    at", frame->rip);
	}
	log_backtrace(frame_pointer);
	say_others();
	panic_note_log(first);
	record = panic_noted(&length);
	if (panic_code_make(record, length))
		log_info("the code at the top right of the screen says this in short");
	console_flush(); /* what comes now is up to the firmware */
	panic_code_show();
	panic_record_save();
	panic_code_show(); /* over what the last lines may have moved there */
	machine_stop();
}

void panic(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	report(NULL, (virt_t)__builtin_frame_address(0), format, arguments);
}

void panic_at(const struct trap_frame *frame, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	report(frame, frame->cs & 3 ? (virt_t)__builtin_frame_address(0) : frame->rbp, format,
		arguments);
}

/* ---- The stack protector ---- */

uintptr_t __stack_chk_guard = 0x595e9fbd94fda766; /* until random numbers are there */

void __stack_chk_fail(void);
void __stack_chk_fail(void)
{
	panic("stack smashed in the function that returned to %p", __builtin_return_address(0));
}

void arch_set_canary(uint64_t value)
{
	__stack_chk_guard = value & ~0xfful; /* a NUL byte first: string copies stop there */
}
