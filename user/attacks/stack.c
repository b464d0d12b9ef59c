/* SPDX-License-Identifier: MIT */
/* Stacks that are none. See attack.h. */
#include "attacks/attack.h"

#include <sched.h>
#include <sys/resource.h>

static long call_on(uintptr_t stack)
{
	long result = SYS_getppid;

	__asm__ volatile("movq %%rsp, %%rbx; movq %1, %%rsp; syscall; movq %%rbx, %%rsp"
			 : "+a"(result)
			 : "r"(stack)
			 : "rbx", "rcx", "r11", "memory");
	return result;
}

/* SYSCALL takes no stack from the process, so the kernel must not either. */
static void calls_on(long stack)
{
	long parent = getppid();

	for (int i = 0; i < 1000; i++)
		WANT_IS(call_on((uintptr_t)stack), parent);
}

static void pushes_on(long stack)
{
	aim((uintptr_t)stack - 8);
	__asm__ volatile("movq %%rsp, %%rbx; movq %0, %%rsp; pushq %%rax; movq %%rbx, %%rsp"
			 :
			 : "r"(stack)
			 : "rbx", "memory");
}

static void traps_on(long stack)
{
	__asm__ volatile("movq %%rsp, %%rbx; movq %0, %%rsp; ud2; movq %%rbx, %%rsp"
			 :
			 : "r"(stack)
			 : "rbx", "memory");
}

static void handles(int number)
{
	(void)number;
}

/* The handler's frame has no place to go. */
static void signalled_on(long stack)
{
	signal(SIGUSR1, handles);
	__asm__ volatile("movq %%rsp, %%rbx; movq %0, %%rsp; syscall; movq %%rbx, %%rsp"
			 :
			 : "r"(stack), "a"(SYS_kill), "D"(getpid()), "S"(SIGUSR1)
			 : "rbx", "rcx", "r11", "memory");
}

static void signalled_on_alternate(void *stack, size_t size)
{
	struct sigaction action = {.sa_handler = handles, .sa_flags = SA_ONSTACK};
	stack_t alternate = {.ss_sp = stack, .ss_size = size};

	WANT_IS(sigaltstack(&alternate, NULL), 0);
	WANT_IS(sigaction(SIGUSR1, &action, NULL), 0);
	kernel_call(SYS_kill, getpid(), SIGUSR1);
}

static void alternate_at(long address)
{
	signalled_on_alternate((void *)address, 65536);
}

static void alternate_read_only(long protection)
{
	signalled_on_alternate(pages(16, (int)protection), 16 * PAGE);
}

static void alternate_of_all(long unused)
{
	(void)unused;
	signalled_on_alternate((void *)PAGE, LAST_BAD);
}

static void alternate_too_small(long unused)
{
	stack_t alternate = {.ss_sp = pages(1, PROT_READ | PROT_WRITE), .ss_size = 100};

	(void)unused;
	WANT_IS(kernel_call(SYS_sigaltstack, &alternate, NULL), -ENOMEM);
	alternate.ss_size = PAGE;
	alternate.ss_flags = 0x1234;
	WANT_IS(kernel_call(SYS_sigaltstack, &alternate, NULL), -EINVAL);
	WANT_IS(kernel_call(SYS_sigaltstack, (void *)KERNEL_IMAGE, NULL), -EFAULT);
}

static int deeper(int depth)
{
	volatile char page[4096];

	page[0] = (char)depth;
	return depth < 0 ? 0 : deeper(depth + 1) + page[0];
}

static void overflows(long unused)
{
	struct rlimit limit = {1 << 20, 1 << 20};

	(void)unused;
	WANT_IS(setrlimit(RLIMIT_STACK, &limit), 0);
	deeper(0);
}

/* A stack grows down to its limit, and not to within the guard of what is mapped below it. */
static void under_limit(long unused)
{
	struct rlimit limit = {1 << 20, 1 << 20};
	volatile char *here = (volatile char *)__builtin_frame_address(0) - (16 << 20);

	(void)unused;
	WANT_IS(setrlimit(RLIMIT_STACK, &limit), 0);
	aim((uintptr_t)here);
	*here = 1;
}

static void jumps_guard(long unused)
{
	char *top = pages(2048, PROT_NONE), *stack;

	(void)unused;
	WANT_IS(munmap(top, 2048 * PAGE), 0);
	stack = mmap(top + 2040 * PAGE, 4 * PAGE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
	WANT(stack != MAP_FAILED);
	*stack = 1;
	WANT(mmap(top + 1900 * PAGE, PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED);
	aim((uintptr_t)stack - 100);
	stack[-100] = 1; /* its neighbour below is nearer than 256 pages */
}

static void pushes_protected(long unused)
{
	char *p = pages(1, PROT_READ);

	(void)unused;
	pushes_on((long)(uintptr_t)p + 64);
}

/* The child's first push is on the stack that its parent gave. */
static void clones_on(long stack)
{
	long pid;

	__asm__ volatile("syscall; testl %%eax, %%eax; jnz 1f; pushq %%rax; ud2; 1:"
			 : "=a"(pid)
			 : "a"(SYS_clone), "D"(CLONE_VM | SIGCHLD), "S"(stack), "d"(0)
			 : "rcx", "r11", "memory");
	WANT(pid > 0);
	WANT_IS(ended((pid_t)pid),
		KILLED(SIGSEGV)); /* it has no alternate stack for a handler either */
}

#define OWN_STACK "the kernel has stacks of its own, and takes RSP as a number"
#define NO_FRAME \
	"the frame is written as the process would: it cannot be, so SIGSEGV ends the process"

static const struct attack attacks[] = {
	{"call-kernel", "makes calls with RSP in the kernel", OWN_STACK, {CALM}, calls_on,
		(long)KERNEL_DIRECT},
	{"call-null", "makes calls with RSP 0", OWN_STACK, {CALM}, calls_on, 0},
	{"call-bad", "makes calls with RSP not canonical", OWN_STACK, {CALM}, calls_on,
		(long)MIDDLE_BAD},
	{"push-kernel", "pushes with RSP in the kernel", "as any write: #PF", {UNMAPPED}, pushes_on,
		(long)KERNEL_DIRECT},
	{"push-null", "pushes with RSP 0, onto the last bytes of all addresses",
		"as any write: #PF", {UNMAPPED}, pushes_on, 0},
	{"push-bad", "pushes with RSP not canonical", "#SS (#GP in the emulator)", {SS, GP},
		pushes_on, (long)MIDDLE_BAD},
	{"push-protected", "pushes onto a read-only page", "#PF", {DENIED}, pushes_protected},
	{"trap-kernel", "raises an exception with RSP in the kernel",
		OWN_STACK "; the handler has its alternate one", {UD}, traps_on,
		(long)KERNEL_DIRECT},
	{"trap-bad", "raises an exception with RSP not canonical", OWN_STACK, {UD}, traps_on,
		(long)MIDDLE_BAD},
	{"signal-kernel", "gets a signal with RSP in the kernel", NO_FRAME, {ENDS(SIGSEGV)},
		signalled_on, (long)KERNEL_DIRECT + 65536},
	{"signal-null", "gets a signal with RSP 0", NO_FRAME, {ENDS(SIGSEGV)}, signalled_on, 0},
	{"signal-bad", "gets a signal with RSP not canonical", NO_FRAME, {ENDS(SIGSEGV)},
		signalled_on, (long)MIDDLE_BAD},
	{"signal-low", "gets a signal with RSP 128, so that the frame would wrap", NO_FRAME,
		{ENDS(SIGSEGV)}, signalled_on, 128},
	{"alternate-kernel", "gets a signal on an alternate stack in the kernel", NO_FRAME,
		{ENDS(SIGSEGV)}, alternate_at, (long)KERNEL_DIRECT},
	{"alternate-bad", "gets a signal on an alternate stack not canonical", NO_FRAME,
		{ENDS(SIGSEGV)}, alternate_at, (long)MIDDLE_BAD},
	{"alternate-protected", "gets a signal on a read-only alternate stack", NO_FRAME,
		{ENDS(SIGSEGV)}, alternate_read_only, PROT_READ},
	{"alternate-none", "gets a signal on an alternate stack without any access", NO_FRAME,
		{ENDS(SIGSEGV)}, alternate_read_only, PROT_NONE},
	{"alternate-all", "an alternate stack of all addresses",
		"RSP is in it already, so the frame goes below RSP", {CALM}, alternate_of_all},
	{"alternate-small", "an alternate stack too small for a frame, or with flags that are none",
		"ENOMEM, EINVAL, EFAULT", {CALM}, alternate_too_small},
	{"overflow", "recurses until the stack is at its end", "the limit is reached: SEGV_MAPERR",
		{{FAULTS, SIGSEGV, SEGV_MAPERR, ANYWHERE}}, overflows},
	{"under", "writes far under its stack, below the limit",
		"the limit is looked at: SEGV_MAPERR", {UNMAPPED}, under_limit},
	{"guard", "grows a stack to within 256 pages of the mapping below",
		"the guard gap is kept: SEGV_MAPERR", {UNMAPPED}, jumps_guard},
	{"clone-kernel", "makes a child with its stack in the kernel",
		"it is a number: the child's push is #PF", {CALM}, clones_on, (long)KERNEL_DIRECT},
};
FAMILY(stack, "stacks that are none", attacks);
