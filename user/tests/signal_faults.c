/* SPDX-License-Identifier: MIT */
/*
 * What a handler learns of a fault: signal, si_code, si_addr, and the trap's number, error code and
 * address in the frame; a handler that mends the cause; faults whose signal is blocked, ignored or
 * already being handled. (faults.c has the signals of all the faults that there are.)
 */
#include <setjmp.h>
#include <ucontext.h>

#include "cases.h"

#define PAGE          4096ul
#define NON_CANONICAL 0x0100000000000000ul
#define TRAP_GP       13
#define TRAP_PF       14
/* Error code of a page fault */
#define PF_PRESENT 1
#define PF_WRITE   2
#define PF_USER    4
#define PF_FETCH   16

static struct fault {
	int signal, code;
	unsigned long address, trap, error, cr2, rip;
} seen;
static sigjmp_buf jump;
static volatile int count;

static void note(int number, siginfo_t *info, void *context)
{
	const greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;

	seen = (struct fault){number, info->si_code, (unsigned long)info->si_addr,
		(unsigned long)regs[REG_TRAPNO], (unsigned long)regs[REG_ERR],
		(unsigned long)regs[REG_CR2], (unsigned long)regs[REG_RIP]};
	siglongjmp(jump, 1);
}

/* Does it, and claims that it faulted. */
static void fault_by(void (*act)(unsigned long), unsigned long argument)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};

	for (size_t i = 0; i < COUNT(signals); i++)
		handle_info(signals[i], note, 0);
	memset(&seen, 0, sizeof seen);
	if (sigsetjmp(jump, 1) == 0) {
		act(argument);
		WANT(!"it did not fault");
	}
}

static void want_page_fault(int code, unsigned long address, unsigned long error)
{
	WANT_IS(seen.signal, SIGSEGV);
	WANT_IS(seen.code, code);
	WANT_IS(seen.address, address);
	WANT_IS(seen.trap, TRAP_PF);
	WANT_IS(seen.error, error);
	WANT_IS(seen.cr2, address);
}

static void reads(unsigned long at)
{
	(void)*(volatile char *)at;
}

static void writes(unsigned long at)
{
	*(volatile char *)at = 1;
}

static void calls(unsigned long at)
{
	((void (*)(void))at)();
}

static void reads_long(unsigned long at)
{
	(void)*(volatile long *)at;
}

/* Three pages; the middle one has this protection, or is not there (-1). */
static unsigned long middle(int protection)
{
	char *p = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	WANT(p != MAP_FAILED);
	memset(p, 0xc3, 3 * PAGE);
	if (protection < 0)
		WANT_IS(munmap(p + PAGE, PAGE), 0);
	else
		WANT_IS(mprotect(p + PAGE, PAGE, protection), 0);
	return (unsigned long)p + PAGE;
}

/* ---- SIGSEGV ---- */

static void unmapped(void)
{
	unsigned long at = middle(-1);

	fault_by(reads, at + 5);
	want_page_fault(SEGV_MAPERR, at + 5, PF_USER);
	fault_by(writes, at + PAGE - 1);
	want_page_fault(SEGV_MAPERR, at + PAGE - 1, PF_USER | PF_WRITE);
	fault_by(calls, at + 8);
	want_page_fault(SEGV_MAPERR, at + 8, PF_USER | PF_FETCH);
	WANT_IS(seen.rip, at + 8);
	fault_by(reads, 0);
	want_page_fault(SEGV_MAPERR, 0, PF_USER);
}

static void read_only(void)
{
	unsigned long at = middle(PROT_READ);

	fault_by(writes, at + 7);
	want_page_fault(SEGV_ACCERR, at + 7, PF_USER | PF_WRITE | PF_PRESENT);
	fault_by(calls, at + 9);
	want_page_fault(SEGV_ACCERR, at + 9, PF_USER | PF_FETCH | PF_PRESENT);
}

/* Nothing or something may stand in the page table: the error code's lowest bit is not looked at. */
static void no_access(void)
{
	unsigned long at = middle(PROT_NONE);

	fault_by(reads, at + 3);
	WANT_IS(seen.code, SEGV_ACCERR);
	WANT_IS(seen.address, at + 3);
	fault_by(writes, at + 4);
	WANT_IS(seen.code, SEGV_ACCERR);
	WANT_IS(seen.error & PF_WRITE, PF_WRITE);
}

static void never_touched(void)
{
	char *p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	fault_by(writes, (unsigned long)p + 1);
	WANT_IS(seen.code, SEGV_ACCERR);
	WANT_IS(seen.address, (unsigned long)p + 1);
}

static void across(void)
{
	unsigned long at = middle(-1);

	fault_by(reads_long, at - 3);
	want_page_fault(SEGV_MAPERR, at, PF_USER);
}

static void kernel_memory(void)
{
	fault_by(reads, KERNEL_SPACE);
	WANT_IS(seen.code, SEGV_MAPERR);
	WANT_IS(seen.address, KERNEL_SPACE);
	WANT_IS(seen.trap, TRAP_PF);
	/* Whether something is mapped there is not to be seen: always "present", as on Linux. */
	WANT_IS(seen.error, PF_USER | PF_PRESENT);
	fault_by(writes, 0xffff800000000123ul);
	WANT_IS(seen.address, 0xffff800000000123ul);
	WANT_IS(seen.error, PF_USER | PF_PRESENT | PF_WRITE);
}

static void not_canonical(void)
{
	fault_by(reads, NON_CANONICAL);
	WANT_IS(seen.signal, SIGSEGV);
	WANT_IS(seen.code, SI_KERNEL);
	WANT_IS(seen.address, 0);
	WANT_IS(seen.trap, TRAP_GP);
	WANT_IS(seen.error, 0);
}

static void privileged(unsigned long unused)
{
	__asm__ volatile("hlt");
}

static void interrupts(unsigned long unused)
{
	__asm__ volatile("int $0x20");
}

static void general_protection(void)
{
	fault_by(privileged, 0);
	WANT(seen.signal == SIGSEGV && seen.code == SI_KERNEL && seen.address == 0);
	WANT_IS(seen.trap, TRAP_GP);
	fault_by(interrupts, 0);
	WANT(seen.signal == SIGSEGV && seen.code == SI_KERNEL && seen.address == 0);
	WANT_IS(seen.error & 7, 2); /* an entry of the IDT; QEMU has its own idea of which */
}

/* ---- SIGBUS ---- */

static void behind_file(void)
{
	char path[64], *p;
	int fd;

	snprintf(path, sizeof path, "/tmp/baton-bus-%d", getpid());
	fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
	WANT(fd >= 0);
	unlink(path);
	WANT_IS(write(fd, "x", 1), 1);
	p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	WANT(p != MAP_FAILED);
	fault_by(reads, (unsigned long)p + PAGE + 77);
	WANT_IS(seen.signal, SIGBUS);
	WANT_IS(seen.code, BUS_ADRERR);
	WANT_IS(seen.address, (unsigned long)p + PAGE + 77);
	WANT(p[0] == 'x' && p[PAGE - 1] == 0);
	WANT_IS(ftruncate(fd, 0), 0);
	fault_by(writes, (unsigned long)p);
	WANT(seen.signal == SIGBUS && seen.code == BUS_ADRERR);
}

/* ---- SIGFPE, SIGILL, SIGTRAP ---- */

static void divides(unsigned long by)
{
	__asm__ volatile("xor %%edx, %%edx; mov $1, %%eax; div %0" ::"r"(by) : "rax", "rdx");
}

static void divides_minimum(unsigned long unused)
{
	__asm__ volatile("mov $0x80000000, %%eax; cltd; mov $-1, %%ecx; idiv %%ecx" ::
				 : "rax", "rcx", "rdx");
}

static void division(void)
{
	fault_by(divides, 0);
	WANT(seen.signal == SIGFPE && seen.code == FPE_INTDIV);
	WANT_IS(seen.address, seen.rip);
	WANT_IS(seen.trap, 0);
	fault_by(divides_minimum, 0);
	WANT(seen.signal == SIGFPE && seen.code == FPE_INTDIV);
}

/* Unmasks one x87 exception and causes it. */
static void x87(unsigned long exception)
{
	uint16_t control = (uint16_t)(0x37f & ~exception);
	const double huge = 1e308, tiny = 1e-308;
	double result;

	__asm__ volatile("fninit; fldcw %0" ::"m"(control));
	if (exception == 4)
		__asm__ volatile("fld1; fldz; fdivrp; fwait");
	else if (exception == 1)
		__asm__ volatile("fldz; fldz; fdivrp; fwait");
	else if (exception == 8)
		__asm__ volatile("fldl %1; fmul %%st; fstpl %0; fwait" : "=m"(result) : "m"(huge));
	else if (exception == 16)
		__asm__ volatile("fldl %1; fmul %%st; fstpl %0; fwait" : "=m"(result) : "m"(tiny));
	else
		__asm__ volatile("fld1; fldl2e; fdivrp; fwait");
}

static void want_x87(unsigned long exception, int code)
{
	fault_by(x87, exception);
	WANT_IS(seen.signal, SIGFPE);
	WANT_IS(seen.code, code);
	WANT_IS(seen.trap, 16);
}

static void x87_divide(void)
{
	want_x87(4, FPE_FLTDIV);
}

static void x87_invalid(void)
{
	want_x87(1, FPE_FLTINV);
}

static void x87_overflow(void)
{
	want_x87(8, FPE_FLTOVF);
}

static void undefined(unsigned long unused)
{
	__asm__ volatile("ud2");
}

static void illegal(void)
{
	fault_by(undefined, 0);
	WANT(seen.signal == SIGILL && seen.code == ILL_ILLOPN);
	WANT_IS(seen.address, seen.rip);
	WANT_IS(seen.trap, 6);
	WANT(memcmp((void *)seen.rip, "\x0f\x0b", 2) == 0);
}

static void breaks(unsigned long unused)
{
	__asm__ volatile("int3");
}

static void breakpoint(void)
{
	fault_by(breaks, 0);
	WANT(seen.signal == SIGTRAP && seen.code == SI_KERNEL);
	WANT_IS(seen.trap, 3);
	WANT_IS(((unsigned char *)seen.rip)[-1], 0xcc); /* behind the instruction */
}

static void steps(unsigned long unused)
{
	__asm__ volatile("pushfq; orl $0x100, (%rsp); popfq; nop; nop");
}

static void single_step(void)
{
	fault_by(steps, 0);
	WANT(seen.signal == SIGTRAP && seen.code == TRAP_TRACE);
	WANT_IS(seen.address, seen.rip);
	WANT_IS(seen.trap, 1);
	WANT_IS(((unsigned char *)seen.rip)[-1], 0x90); /* after the first nop */
}

/* ---- Handlers that mend, and faults that may not be handled ---- */

static unsigned long broken;

static void mends(int number, siginfo_t *info, void *context)
{
	count++;
	WANT_IS(mprotect((void *)broken, PAGE, PROT_READ | PROT_WRITE), 0);
}

static void mended(void)
{
	broken = middle(PROT_NONE);
	handle_info(SIGSEGV, mends, 0);
	writes(broken + 10);
	WANT_IS(count, 1);
	WANT_IS(((char *)broken)[10], 1);
	WANT_IS(((unsigned char *)broken)[11], 0xc3);
}

static void counts_only(int number)
{
	count++;
	WANT(!"handled");
}

static void blocked_fault(void)
{
	handle(SIGSEGV, counts_only, 0);
	block(SIGSEGV);
	reads(0);
}

static void ignored_fault(void)
{
	handle(SIGSEGV, SIG_IGN, 0);
	raise(SIGSEGV); /* sent, it is ignored */
	reads(0);
}

static void blocked_division(void)
{
	handle(SIGFPE, counts_only, 0);
	block(SIGFPE);
	divides(0);
}

static void ignored_illegal(void)
{
	handle(SIGILL, SIG_IGN, 0);
	undefined(0);
}

static void faults_itself(int number)
{
	count++;
	WANT_IS(count, 1);
	reads(0);
}

static void fault_in_handler(void)
{
	handle(SIGSEGV, faults_itself, 0);
	reads(0);
}

static void blocked_sent(void)
{
	block(SIGSEGV);
	raise(SIGSEGV);
	WANT(is_pending(SIGSEGV));
}

static void bad_pointers(void)
{
	handle(SIGSEGV, counts_only, 0);
	WANT_IS(kernel_call(SYS_write, 1, BAD, 1), -EFAULT);
	WANT_IS(kernel_call(SYS_uname, 0x10), -EFAULT);
	WANT_IS(kernel_call(SYS_uname, NON_CANONICAL), -EFAULT);
	WANT_IS(count, 0);
}

static const struct test_case cases[] = {
	CASE(unmapped, "SIGSEGV: nothing mapped: SEGV_MAPERR, the address, the error code"),
	CASE(read_only, "SIGSEGV: write or execute of a read-only page: SEGV_ACCERR"),
	CASE(no_access, "SIGSEGV: PROT_NONE: SEGV_ACCERR"),
	CASE(never_touched, "SIGSEGV: write to a read-only page never touched: SEGV_ACCERR"),
	CASE(across, "SIGSEGV: an access across two pages: the second page's address"),
	CASE(kernel_memory, "SIGSEGV: kernel address: SEGV_MAPERR, and no word of what is there"),
	CASE(not_canonical, "SIGSEGV: not canonical: SI_KERNEL, no address"),
	CASE(general_protection, "SIGSEGV: hlt and int 0x20: SI_KERNEL, no address"),
	CASE(behind_file, "SIGBUS: behind a mapped file's end: BUS_ADRERR, the address"),
	CASE(division, "SIGFPE: division by zero and overflow: FPE_INTDIV at the instruction"),
	CASE(x87_divide, "SIGFPE: x87 division by zero: FPE_FLTDIV"),
	CASE(x87_invalid, "SIGFPE: x87 invalid operation: FPE_FLTINV"),
	CASE(x87_overflow, "SIGFPE: x87 overflow: FPE_FLTOVF"),
	CASE(illegal, "SIGILL: ud2: ILL_ILLOPN at the instruction"),
	CASE(breakpoint, "SIGTRAP: int3: SI_KERNEL, rip behind the instruction"),
	CASE(single_step, "SIGTRAP: the trap flag: TRAP_TRACE after one instruction"),
	CASE(mended, "a handler that mends the cause: the instruction runs again"),
	CASE_ENDS(blocked_fault, SIGSEGV, "a fault whose signal is blocked ends the process"),
	CASE_ENDS(ignored_fault, SIGSEGV, "a fault whose signal is ignored ends the process"),
	CASE_ENDS(blocked_division, SIGFPE, "a division by zero with SIGFPE blocked: SIGFPE"),
	CASE_ENDS(ignored_illegal, SIGILL, "ud2 with SIGILL ignored: SIGILL"),
	CASE_ENDS(fault_in_handler, SIGSEGV, "a fault in its own handler ends the process"),
	CASE(blocked_sent, "SIGSEGV that is sent and blocked just pends"),
	CASE(bad_pointers, "bad pointers in calls give EFAULT and no signal"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
