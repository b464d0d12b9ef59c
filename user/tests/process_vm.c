/* SPDX-License-Identifier: MIT */
/* process_vm_readv and process_vm_writev: what is moved, to the byte, and all errors. */
#include <sys/uio.h>

#include "cases.h"

#define PAGE 4096ul

static long read_from(
	pid_t pid, struct iovec *local, long locals, struct iovec *remote, long remotes)
{
	return kernel_call(SYS_process_vm_readv, pid, local, locals, remote, remotes, 0);
}

static long write_to(
	pid_t pid, struct iovec *local, long locals, struct iovec *remote, long remotes)
{
	return kernel_call(SYS_process_vm_writev, pid, local, locals, remote, remotes, 0);
}

/* Three pages, of which the last is not there: the same addresses in a child. */
static char *area;
static struct gate ready, done;

static void fill(char *at, size_t size, int seed)
{
	for (size_t i = 0; i < size; i++)
		at[i] = (char)((i * 7 + (size_t)seed) % 251);
}

static void holds(void)
{
	fill(area, 2 * PAGE, 1);
	open_gate(ready);
	wait_gate(done);
}

static pid_t other(void (*act)(void))
{
	pid_t pid;

	area = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	WANT(area != MAP_FAILED);
	WANT_IS(munmap(area + 2 * PAGE, PAGE), 0);
	ready = make_gate();
	done = make_gate();
	pid = start(act);
	wait_gate(ready);
	return pid;
}

static void finish(pid_t pid)
{
	open_gate(done);
	WANT_ENDS(pid, 0);
}

static void reads(void)
{
	static char expected[2 * PAGE], found[2 * PAGE + 10];
	pid_t pid = other(holds);
	struct iovec local[3] = {{found, 100}, {found + 100, 0}, {found + 100, sizeof found - 100}};
	struct iovec remote[2] = {{area + 3, 5000}, {area + 5003, 3000}};

	fill(expected, sizeof expected, 1);
	WANT_IS(read_from(pid, local, 3, remote, 2), 8000);
	WANT(!memcmp(found, expected + 3, 8000));
	WANT_IS(found[8000], 0);
	WANT_IS(read_from(pid, local, 1, remote, 2), 100);
	finish(pid);
}

static void is_written(void)
{
	holds();
	for (size_t i = 0; i < 2 * PAGE; i++)
		WANT(area[i] == (i >= 4000 && i < 4200 ? 'x' : (char)((i * 7 + 1) % 251)));
}

static void writes(void)
{
	pid_t pid = other(is_written);
	char text[200];
	struct iovec local = {text, sizeof text}, remote = {area + 4000, 400};

	memset(text, 'x', sizeof text);
	WANT_IS(write_to(pid, &local, 1, &remote, 1), 200);
	WANT_IS(area[4000], 0); /* not ours */
	finish(pid);
}

static void read_only(void)
{
	holds();
	WANT_IS(area[0], 1);
}

static void protects(void)
{
	WANT_IS(mprotect(area, PAGE, PROT_READ), 0);
	WANT_IS(mprotect(area + PAGE, PAGE, PROT_NONE), 0);
	open_gate(ready);
	wait_gate(done);
}

static void partial(void)
{
	static char buffer[4 * PAGE];
	pid_t pid = other(read_only);
	struct iovec local = {buffer, sizeof buffer}, remote = {area + PAGE, 2 * PAGE};
	struct iovec two[2] = {{area, 10}, {area + 2 * PAGE, 10}};
	struct iovec ours[2] = {{buffer, 10}, {BAD, 10}};

	WANT_IS(read_from(pid, &local, 1, &remote, 1), PAGE);
	WANT_IS(read_from(pid, &local, 1, two, 2), 10);
	remote.iov_base = area + 2 * PAGE;
	WANT_IS(read_from(pid, &local, 1, &remote, 1), -EFAULT);
	WANT_IS(write_to(pid, &local, 1, &remote, 1), -EFAULT);
	remote = (struct iovec){area, 20};
	WANT_IS(read_from(pid, ours, 2, &remote, 1), -EFAULT); /* looked at before */
	ours[1].iov_base = area + 2 * PAGE;
	WANT_IS(read_from(pid, ours, 2, &remote, 1), 10);
	WANT_IS(write_to(pid, ours + 1, 1, &remote, 1), -EFAULT);
	finish(pid);
}

static void protection(void)
{
	char byte = 'z';
	pid_t pid = other(protects);
	struct iovec local = {&byte, 1}, first = {area, 1}, second = {area + PAGE, 1};

	WANT_IS(read_from(pid, &local, 1, &first, 1), 1);
	WANT_IS(write_to(pid, &local, 1, &first, 1), -EFAULT);
	WANT_IS(read_from(pid, &local, 1, &second, 1), -EFAULT);
	finish(pid);
}

static void errors(void)
{
	char bytes[8];
	pid_t pid = other(holds), zombie;
	struct iovec local = {bytes, 8}, remote = {area, 8}, negative = {bytes, (size_t)-1};
	struct iovec *many = calloc(1025, sizeof(*many));

	WANT_IS(kernel_call(SYS_process_vm_readv, pid, &local, 1, &remote, 1, 1), -EINVAL);
	WANT_IS(read_from(pid, many, 1025, &remote, 1), -EINVAL);
	WANT_IS(read_from(pid, &local, 1, many, 1025), -EINVAL);
	WANT_IS(read_from(pid, &negative, 1, &remote, 1), -EINVAL);
	WANT_IS(read_from(pid, &local, 1, &negative, 1), -EINVAL);
	WANT_IS(read_from(pid, BAD, 1, &remote, 1), -EFAULT);
	WANT_IS(read_from(pid, &local, 1, BAD, 1), -EFAULT);
	WANT_IS(read_from(pid, &local, 0, BAD, 1), 0);
	WANT_IS(read_from(0x7ffffff0, &local, 1, &remote, 0), 0);
	WANT_IS(read_from(0x7ffffff0, many, 3, &remote, 1), 0);
	WANT_IS(read_from(0x7ffffff0, &local, 1, &remote, 1), -ESRCH);
	many[0] = local;
	WANT_IS(read_from(pid, many, 1024, &remote, 1), 8);
	many[1000] = remote;
	many[0].iov_len = 0;
	WANT_IS(read_from(pid, &local, 1, many, 1024), 8);
	zombie = fork();
	if (zombie == 0)
		_exit(0);
	waitid(P_PID, (id_t)zombie, &(siginfo_t){0}, WEXITED | WNOWAIT);
	WANT_IS(read_from(zombie, &local, 1, &remote, 1), -ESRCH);
	finish(pid);
}

static void itself(void)
{
	char from[] = "abc", to[] = "xyz";
	struct iovec local = {to, 3}, remote = {from, 3};

	WANT_IS(prctl(PR_SET_DUMPABLE, 0), 0);
	WANT_IS(read_from(getpid(), &local, 1, &remote, 1), 3);
	WANT(!strcmp(to, "abc"));
}

static void not_allowed(void)
{
	char bytes[8];
	struct iovec local = {bytes, 8}, remote;
	pid_t pid = other(holds);

	remote = (struct iovec){area, 8};
	if (become_nobody()) {
		WANT_IS(read_from(pid, &local, 1, &remote, 1), -EPERM);
		WANT_IS(write_to(pid, &local, 1, &remote, 1), -EPERM);
		WANT_IS(read_from(pid, &local, 1, &remote, 0), 0); /* nothing asked of it */
	}
	finish(pid);
}

static void is_hidden(void)
{
	become_nobody();
	WANT_IS(prctl(PR_SET_DUMPABLE, 0), 0);
	holds();
}

static void hidden(void)
{
	char bytes[8];
	struct iovec local = {bytes, 8}, remote;
	pid_t pid = other(is_hidden);

	remote = (struct iovec){area, 8};
	become_nobody();
	WANT_IS(read_from(pid, &local, 1, &remote, 1), -EPERM);
	finish(pid);
}

static const struct test_case cases[] = {
	CASE(reads, "process_vm_readv: several ranges on both sides"),
	CASE(writes, "process_vm_writev: all of it and nothing else"),
	CASE(partial, "what cannot be touched ends it; the bytes before count"),
	CASE(protection, "pages that the other may not read or write: EFAULT"),
	CASE(errors, "EINVAL, EFAULT, ESRCH; nothing to do: 0"),
	CASE(itself, "a process reads itself, dumpable or not"),
	CASE(not_allowed, "another user's process: EPERM"),
	CASE(hidden, "an undumpable process: EPERM"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
