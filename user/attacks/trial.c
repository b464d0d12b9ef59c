/* SPDX-License-Identifier: MIT */
/* One attack in a process of its own, and the judgement of how that ended. See attack.h. */
#include "attacks/attack.h"

#include <cpuid.h>
#include <grp.h>
#include <stddef.h>
#include <sys/time.h>
#include <ucontext.h>

struct shared *shared;

/* ---- Inside ---- */

static void say(const char *format, va_list arguments)
{
	vsnprintf(shared->text, sizeof shared->text, format, arguments);
}

void fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(format, arguments);
	va_end(arguments);
	kernel_call(SYS_exit_group, NOT_HELD);
	for (;;)
		;
}

void skip(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(format, arguments);
	va_end(arguments);
	kernel_call(SYS_exit_group, SKIPPED);
	for (;;)
		;
}

bool is_emulated(void)
{
	unsigned a, b = 0, c = 0, d = 0;

	__cpuid(0x40000000, a, b, c, d);
	return memcmp(&b, "TCGT", 4) == 0 && memcmp(&c, "CGTC", 4) == 0;
}

void need_hardware(const char *why)
{
	if (is_emulated())
		skip("%s", why);
}

void want_is(const char *what, long found, long expected)
{
	if (found != expected)
		fail("%.150s: found %ld (%#lx), expected %ld", what, found, (unsigned long)found,
			expected);
}

void *pages(size_t count, int protection)
{
	void *p = mmap(NULL, count * PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	WANT(p != MAP_FAILED);
	return p;
}

void *last_bytes(size_t size)
{
	char *p = pages(2, PROT_READ | PROT_WRITE);

	memset(p, 'A', PAGE);
	WANT_IS(munmap(p + PAGE, PAGE), 0);
	return p + PAGE - size;
}

uintptr_t unmapped_page(void)
{
	char *p = pages(3, PROT_READ | PROT_WRITE);

	WANT_IS(munmap(p, 3 * PAGE), 0);
	return (uintptr_t)p + PAGE;
}

pid_t begin(void (*act)(long), long argument)
{
	pid_t pid = fork();

	WANT(pid >= 0);
	if (pid == 0) {
		alarm(ATTACK_SECONDS);
		act(argument);
		_exit(0);
	}
	return pid;
}

int ended(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, __WALL) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return status & ~0x80;
}

/* ---- What came of it ---- */

static const char *code_name(int signal, int code)
{
	if (code == SI_KERNEL)
		return "SI_KERNEL";
	if (signal == SIGSEGV)
		return code == SEGV_MAPERR   ? "SEGV_MAPERR"
		       : code == SEGV_ACCERR ? "SEGV_ACCERR"
					     : "?";
	if (signal == SIGILL)
		return code == ILL_ILLOPN ? "ILL_ILLOPN" : "?";
	if (signal == SIGBUS)
		return code == BUS_ADRALN ? "BUS_ADRALN" : code == BUS_ADRERR ? "BUS_ADRERR" : "?";
	if (signal == SIGTRAP)
		return code == TRAP_BRKPT ? "TRAP_BRKPT" : code == TRAP_TRACE ? "TRAP_TRACE" : "?";
	if (signal == SIGFPE)
		return code == FPE_FLTINV ? "FPE_FLTINV" : code == FPE_INTDIV ? "FPE_INTDIV" : "?";
	return "?";
}

static bool is_outcome(const struct outcome *outcome, int status)
{
	if (outcome->ending == CALM_END)
		return status == EXITED(0);
	if (outcome->ending == DIES)
		return status == KILLED(outcome->signal);
	if (status != EXITED(FAULTED) || !shared->faulted || shared->signal != outcome->signal ||
		shared->code != outcome->code)
		return false;
	switch (outcome->address) {
	case AT_ZERO:
		return shared->address == 0;
	case AT_TARGET:
		return shared->address == shared->target;
	case NEAR_TARGET:
		return shared->address - shared->target < 512;
	case AT_IP:
		return shared->address == shared->ip;
	default:
		return true;
	}
}

static void describe(const struct outcome *outcome, char *text, size_t size)
{
	static const char *const where[] = {
		"0", "the target", "the target's 512 bytes", "the instruction", "anywhere"};

	if (outcome->ending == CALM_END)
		snprintf(text, size, "refused, and goes on");
	else if (outcome->ending == DIES)
		snprintf(text, size, "killed by %s", signal_name(outcome->signal));
	else
		snprintf(text, size, "%s, %s, at %s", signal_name(outcome->signal),
			code_name(outcome->signal, outcome->code), where[outcome->address]);
}

static void observe(int status, char *text, size_t size)
{
	if (status == EXITED(FAULTED))
		snprintf(text, size, "%s, %s, at %#lx", signal_name(shared->signal),
			code_name(shared->signal, shared->code), (unsigned long)shared->address);
	else if (status == EXITED(0))
		snprintf(text, size, "refused, and goes on");
	else
		how_it_ended(status, text, size);
}

void want_fault(const char *what, void (*crime)(long), long argument, struct outcome expected)
{
	char found[96], wanted[96];
	int status;

	shared->faulted = false;
	status = ended(begin(crime, argument));
	if (is_outcome(&expected, status))
		return;
	observe(status, found, sizeof found);
	describe(&expected, wanted, sizeof wanted);
	fail("%s %#lx: %s; expected: %s", what, (unsigned long)argument, found, wanted);
}

int file_of(size_t size)
{
	static const char *const folders[] = {"/dev/shm", "/tmp", "/"};
	int fd = -1;

	for (size_t i = 0; i < COUNT(folders) && fd < 0; i++)
		fd = open(folders[i], O_TMPFILE | O_RDWR, 0600);
	WANT(fd >= 0);
	WANT_IS(ftruncate(fd, (off_t)size), 0);
	return fd;
}

unsigned stranger(unsigned which)
{
	static pid_t runner;

	if (!runner)
		runner = getpid(); /* first called by the runner */
	return 60000u + which * 2000u + (unsigned)runner % 2000u;
}

bool become(unsigned uid)
{
	if (geteuid() != 0)
		return false;
	if (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
		_exit(NOT_HELD);
	prctl(PR_SET_DUMPABLE, 1); /* its own /proc/self stays its own */
	return true;
}

/* ---- Around ---- */

static void note_fault(int number, siginfo_t *info, void *context)
{
	const ucontext_t *at = context;

	shared->signal = number;
	shared->code = info->si_code;
	shared->address = (uintptr_t)info->si_addr;
	shared->ip = (uintptr_t)at->uc_mcontext.gregs[REG_RIP];
	shared->faulted = true;
	kernel_call(SYS_exit_group, FAULTED);
}

static void catch_faults(void)
{
	static const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGSYS};
	static char stack[65536] __attribute__((aligned(16)));
	stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
	struct sigaction action = {.sa_sigaction = note_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};

	sigaltstack(&alternate, NULL);
	for (size_t i = 0; i < COUNT(numbers); i++)
		sigaction(numbers[i], &action, NULL);
}

static __attribute__((noreturn)) void inside(const struct attack *attack)
{
	setpgid(0, 0);
	alarm(ATTACK_SECONDS);
	if (attack->whom == AS_ROOT) {
		if (geteuid() != 0)
			skip("only root can try it");
	} else {
		become(stranger(EVE));
	}
	if (attack->expected[0].ending != DIES)
		catch_faults();
	attack->act(attack->argument);
	_exit(0);
}

/* Kills what it may have left behind and waits for all of it. */
static int run(const struct attack *attack)
{
	pid_t pid;
	int status;

	fflush(stdout);
	memset((void *)shared, 0, offsetof(struct shared, victim));
	pid = fork();
	if (pid == 0)
		inside(attack);
	if (pid < 0) {
		snprintf(shared->text, sizeof shared->text, "fork: %s", strerror(errno));
		return EXITED(NOT_HELD);
	}
	setpgid(pid, pid); /* whichever of both comes first */
	status = wait_status(pid) & ~0x80;
	kill(-pid, SIGKILL);
	while (waitpid(-pid, NULL, __WALL) > 0 || errno == EINTR)
		kill(-pid, SIGKILL);
	return status;
}

void expected_text(const struct attack *attack, char *text, size_t size)
{
	size_t used = 0;

	for (int i = 0; i < OUTCOMES && used < size; i++) {
		if (i && attack->expected[i].ending == CALM_END)
			break;
		if (i)
			used += (size_t)snprintf(text + used, size - used, " or ");
		if (used < size) {
			describe(&attack->expected[i], text + used, size - used);
			used += strlen(text + used);
		}
	}
}

static void judge(const struct attack *attack, int status, struct verdict *verdict)
{
	char expected[160];

	observe(status, verdict->observed, sizeof verdict->observed);
	verdict->reason[0] = '\0';
	if (status == EXITED(SKIPPED)) {
		verdict->is = LEFT_OUT;
		snprintf(verdict->observed, sizeof verdict->observed, "not tried");
		snprintf(verdict->reason, sizeof verdict->reason, "%s", shared->text);
		return;
	}
	for (int i = 0; i < OUTCOMES; i++) {
		if (i && attack->expected[i].ending == CALM_END)
			break;
		if (is_outcome(&attack->expected[i], status)) {
			verdict->is = HELD;
			return;
		}
	}
	verdict->is = BROKEN;
	expected_text(attack, expected, sizeof expected);
	if (status == EXITED(NOT_HELD))
		snprintf(verdict->reason, sizeof verdict->reason, "%s", shared->text);
	else if (status == EXITED(0))
		snprintf(verdict->reason, sizeof verdict->reason, "it went through; expected: %s",
			expected);
	else
		snprintf(verdict->reason, sizeof verdict->reason, "%s (target %#lx); expected: %s",
			verdict->observed, (unsigned long)shared->target, expected);
}

#define ROUNDS 4

/* What the kernel keeps for the next time comes to rest after some rounds; what is lost is lost in
 * each. So an attack goes again until one has cost nothing. */
void try_attack(const struct attack *attack, struct verdict *verdict)
{
	struct account before;
	bool balanced = false;

	for (int round = 0; round < ROUNDS && !balanced; round++) {
		before = account_now();
		judge(attack, run(attack), verdict);
		if (verdict->is == LEFT_OUT)
			return;
		if (verdict->is == BROKEN)
			break;
		balanced = account_balanced(&before, verdict->reason, sizeof verdict->reason);
	}
	if (verdict->is == HELD && !balanced)
		verdict->is = BROKEN;
	if (verdict->is == HELD && (!kernel_intact(verdict->reason, sizeof verdict->reason) ||
					   !victim_lives(verdict->reason, sizeof verdict->reason)))
		verdict->is = BROKEN;
}
