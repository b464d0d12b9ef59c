/* SPDX-License-Identifier: MIT */
/* Bad pointers inside structures that are good: vectors, messages, lists of strings, clone3's arguments. The others
 * are in pointers.c (arguments), commands.c (by command), frames.c and stack.c (signals). See attack.h. */
#include "attacks/pointers.h"

#include <linux/elf.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#define FUTEX_WAITV  449
#define CLONE_PIDFD_ 0x1000ul

/* For each bad address: what `act` does with it. */
static void each(void (*act)(uintptr_t at), unsigned without)
{
	for (enum bad bad = 0; bad < BAD_KINDS; bad++) {
		if (!(without >> bad & 1))
			act(bad_address(bad));
	}
}

/* ---- Vectors ---- */

static void vector_calls(uintptr_t at, bool written)
{
	static char room[8];
	struct iovec vector[2] = {{room, 0}, {(void *)at, 8}}, one = {room, 8};
	int file = file_of(PAGE), in = written ? SYS_readv : SYS_writev;
	int fds[2];

	WANT_IS(pipe2(fds, O_NONBLOCK), 0);
	WANT_IS(write(fds[1], "12345678", 8), 8);
	WANT_IS(kernel_call(in, file, vector, 2), -EFAULT);
	WANT_IS(kernel_call(written ? SYS_preadv : SYS_pwritev, file, vector, 2, 0, 0), -EFAULT);
	WANT_IS(kernel_call(written ? SYS_preadv2 : SYS_pwritev2, file, vector, 2, 0, 0, 0),
		-EFAULT);
	WANT_IS(kernel_call(in, fds[!written], vector, 2), -EFAULT);
	if (!written)
		WANT_IS(kernel_call(SYS_vmsplice, fds[1], vector, 2, 0), -EFAULT);
	WANT_IS(kernel_call(written ? SYS_process_vm_readv : SYS_process_vm_writev, getpid(),
			vector + 1, 1, &one, 1, 0),
		-EFAULT);
	WANT_IS(kernel_call(written ? SYS_process_vm_writev : SYS_process_vm_readv, getpid(), &one,
			1, vector + 1, 1, 0),
		-EFAULT);
	close(fds[0]), close(fds[1]), close(file);
}

static void read_vector(uintptr_t at)
{
	vector_calls(at, true);
}

static void write_vector(uintptr_t at)
{
	vector_calls(at, false);
}

/* A page's last byte is there, and so is a byte read or written: no EFAULT. */
static void vectors(long unused)
{
	(void)unused;
	each(read_vector, ONLY(PAGE_END));
	each(write_vector, ONLY(PAGE_END) | ONLY(READ_ONLY));
}

/* ---- Messages ---- */

enum part { NAME, VECTOR, DATA, CONTROL };

static struct msghdr message_with(enum part part, uintptr_t at, struct iovec *vector, void *room)
{
	struct msghdr message = {.msg_iov = vector, .msg_iovlen = 1};

	*vector = (struct iovec){room, 4};
	if (part == NAME)
		message.msg_name = (void *)at, message.msg_namelen = 16;
	else if (part == VECTOR)
		message.msg_iov = (void *)at;
	else if (part == DATA)
		*vector = (struct iovec){(void *)at, 4};
	else
		message.msg_control = (void *)at, message.msg_controllen = 64;
	return message;
}

/* Two that know each other's names. */
static void named_pair(int fds[2])
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	static unsigned number;

	WANT_IS(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fds), 0);
	snprintf(address.sun_path + 1, 64, "nested-%d-%u", getpid(), number++);
	WANT_IS(bind(fds[1], (struct sockaddr *)&address, 16), 0);
}

static void message_calls(enum part part, uintptr_t at, long sent, long received)
{
	struct mmsghdr many = {0};
	struct msghdr message;
	struct iovec vector;
	char room[64] = {0};
	int fds[2], one = 1;

	named_pair(fds);
	WANT_IS(setsockopt(fds[0], SOL_SOCKET, SO_PASSCRED, &one, sizeof one), 0);
	message = message_with(part, at, &vector, room);
	many.msg_hdr = message;
	if (sent) {
		WANT_IS(kernel_call(SYS_sendmsg, fds[1], &message, 0), sent);
		WANT_IS(kernel_call(SYS_sendmmsg, fds[1], &many, 1, 0), sent);
	}
	if (received) {
		WANT_IS(write(fds[1], "data", 4), 4);
		WANT_IS(kernel_call(SYS_recvmsg, fds[0], &message, 0), received);
		WANT_IS(write(fds[1], "data", 4), 4);
		WANT_IS(kernel_call(SYS_recvmmsg, fds[0], &many, 1, 0, NULL),
			received > 0 ? 1 : received);
	}
	close(fds[0]), close(fds[1]);
}

static void bad_names(uintptr_t at)
{
	message_calls(NAME, at, -EFAULT, -EFAULT);
}

static void bad_vectors(uintptr_t at)
{
	message_calls(VECTOR, at, -EFAULT, -EFAULT);
}

static void bad_data(uintptr_t at)
{
	message_calls(DATA, at, -EFAULT, -EFAULT);
}

static void bad_data_received(uintptr_t at)
{
	message_calls(DATA, at, 0, -EFAULT);
}

/* What came along has no room there: the message comes without it. */
static void bad_control(uintptr_t at)
{
	message_calls(CONTROL, at, -EFAULT, 4);
}

static void messages(long unused)
{
	(void)unused;
	each(bad_names, ONLY(READ_ONLY));
	each(bad_vectors, ONLY(READ_ONLY));
	each(bad_data, ONLY(READ_ONLY));
	each(bad_data_received, ONLY(PAGE_END));
	each(bad_control, ONLY(READ_ONLY));
}

/* ---- Strings ---- */

static void bad_strings(uintptr_t at)
{
	char *good[] = {"attacks", "--none", NULL}, *bad[] = {"attacks", (char *)at, NULL};

	WANT_IS(kernel_call(SYS_execve, "/proc/self/exe", bad, good), -EFAULT);
	WANT_IS(kernel_call(SYS_execve, "/proc/self/exe", good, bad), -EFAULT);
	WANT_IS(kernel_call(SYS_execveat, AT_FDCWD, "/proc/self/exe", bad, good, 0), -EFAULT);
}

static void strings(long unused)
{
	(void)unused;
	each(bad_strings, ONLY(PAGE_END) | ONLY(READ_ONLY)); /* there is a NUL */
}

/* ---- Clones ---- */

static long clone3(struct clone3 args)
{
	long pid;

	args.exit_signal = SIGCHLD;
	pid = kernel_call(CLONE3, &args, sizeof args);
	if (pid == 0)
		kernel_call(SYS_exit, 0);
	return pid;
}

static void bad_clones(uintptr_t at)
{
	long pid;

	WANT_IS(clone3((struct clone3){.flags = CLONE_PIDFD_, .pidfd = at}), -EFAULT);
	WANT_IS(kernel_call(SYS_clone, CLONE_PIDFD_ | SIGCHLD, 0, at, 0, 0), -EFAULT);
	/* Its own number is written where it can be. */
	pid = clone3((struct clone3){.flags = CLONE_PARENT_SETTID, .parent_tid = at});
	WANT(pid > 0);
	WANT_IS(ended((pid_t)pid), 0);
	pid = clone3((struct clone3){
		.flags = CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID, .child_tid = at});
	WANT(pid > 0);
	WANT_IS(ended((pid_t)pid), 0);
}

static void bad_chosen_ids(uintptr_t at)
{
	WANT_IS(clone3((struct clone3){.set_tid = at, .set_tid_size = 1}), -EFAULT);
}

/* A child with its stack there does not live to see anything. */
static void bad_stacks(uintptr_t at)
{
	long pid = kernel_call(SYS_clone, SIGCHLD, at + 64, 0, 0, 0);
	int status;

	if (pid == 0) {
		__asm__ volatile("pushq $0");
		kernel_call(SYS_exit, 0);
	}
	WANT(pid > 0);
	status = ended((pid_t)pid);
	WANT(status == EXITED(FAULTED) || status == KILLED(SIGSEGV));
}

static void clones(long unused)
{
	(void)unused;
	each(bad_clones, 0);
	each(bad_chosen_ids, ONLY(READ_ONLY));
	for (enum bad bad = KERNEL; bad < NOT_MAPPED; bad++) { /* what is no process's */
		uintptr_t at = bad_address(bad);

		if (bad != TOP_PAGE)
			WANT_IS(clone3((struct clone3){.flags = CLONE_SETTLS, .tls = at}), -EPERM);
		WANT_IS(clone3((struct clone3){.stack = at, .stack_size = PAGE}), -EINVAL);
	}
	each(bad_stacks, 0);
}

/* ---- Registers, futexes ---- */

static pid_t tracee;

static void bad_registers(uintptr_t at)
{
	static const long sets[] = {NT_PRSTATUS, NT_PRFPREG, NT_X86_XSTATE};

	for (unsigned i = 0; i < COUNT(sets); i++) {
		struct iovec area = {(void *)at, 512};

		WANT_IS(kernel_call(SYS_ptrace, PTRACE_GETREGSET, tracee, sets[i], &area), -EFAULT);
		area = (struct iovec){(void *)at, i == 0 ? 216 : 512};
		if (i < 2)
			WANT_IS(kernel_call(SYS_ptrace, PTRACE_SETREGSET, tracee, sets[i], &area),
				-EFAULT);
	}
}

static void registers(long unused)
{
	(void)unused;
	tracee = stopped_tracee();
	each(bad_registers, ONLY(READ_ONLY)); /* zeros are no registers */
}

struct waiter { /* struct futex_waitv */
	uint64_t value, address;
	uint32_t flags, unused;
};

static void bad_waits(uintptr_t at)
{
	struct waiter waiter = {0, at & -4ul, 2, 0}; /* FUTEX_32 */

	WANT_IS(kernel_call(FUTEX_WAITV, &waiter, 1, 0, NULL, 0), -EFAULT);
}

static void waits(long unused)
{
	(void)unused;
	each(bad_waits, ONLY(PAGE_END) | ONLY(READ_ONLY));
}

#define EACH "each is checked as an argument would be"

static const struct attack attacks[] = {
	{"vectors", "readv, writev and their kin with bad addresses in the vector", EACH ": EFAULT",
		{CALM}, vectors},
	{"messages", "messages with bad names, vectors, data, control data",
		EACH ": EFAULT; control data that cannot be written is cut off", {CALM}, messages},
	{"strings", "execve with bad addresses among its strings", EACH ": EFAULT", {CALM},
		strings},
	{"clones", "clone and clone3 with bad addresses for ids, pidfd, stack, TLS",
		EACH ": EFAULT, EPERM, EINVAL; ids are written where they can be", {CALM}, clones},
	{"registers", "ptrace's register sets to bad addresses", EACH ": EFAULT", {CALM},
		registers},
	{"waits", "futex_waitv with bad addresses", EACH ": EFAULT", {CALM}, waits},
};
FAMILY(nested, "bad pointers in structures", attacks);
