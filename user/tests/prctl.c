/* SPDX-License-Identifier: MIT */
/* What a process says of itself by prctl, and the names of the machine: uname, sethostname, setdomainname. */
#include <sys/utsname.h>

#include "cases.h"

/* ---- prctl ---- */

static void names(void)
{
	char name[17] = "";

	WANT_IS(prctl(PR_SET_NAME, "0123456789abcdefgh"), 0);
	WANT_IS(prctl(PR_GET_NAME, name), 0);
	WANT(strcmp(name, "0123456789abcde") == 0);
	WANT_IS(kernel_call(SYS_prctl, PR_SET_NAME, BAD), -EFAULT);
	WANT_IS(kernel_call(SYS_prctl, PR_GET_NAME, BAD), -EFAULT);
}

static void *own_name(void *unused)
{
	char name[17] = "";

	WANT_IS(prctl(PR_GET_NAME, name), 0);
	WANT(strcmp(name, "parent") == 0);
	WANT_IS(prctl(PR_SET_NAME, "thread"), 0);
	return NULL;
}

static void name_of_thread(void)
{
	pthread_t thread;
	char name[17] = "";

	WANT_IS(prctl(PR_SET_NAME, "parent"), 0);
	WANT_IS(pthread_create(&thread, NULL, own_name, NULL), 0);
	WANT_IS(pthread_join(thread, NULL), 0);
	WANT_IS(prctl(PR_GET_NAME, name), 0);
	WANT(strcmp(name, "parent") == 0);
}

static void dumpable(void)
{
	WANT_IS(prctl(PR_GET_DUMPABLE), 1);
	WANT_IS(prctl(PR_SET_DUMPABLE, 0), 0);
	WANT_IS(prctl(PR_GET_DUMPABLE), 0);
	WANT_IS(kernel_call(SYS_prctl, PR_SET_DUMPABLE, 2), -EINVAL);
	WANT_IS(kernel_call(SYS_prctl, PR_SET_DUMPABLE, 3), -EINVAL);
}

static void no_new_privs(void)
{
	WANT_IS(kernel_call(SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	WANT_IS(kernel_call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_prctl, PR_GET_NO_NEW_PRIVS, 1, 0, 0, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	WANT_IS(kernel_call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	WANT_IS(kernel_call(SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
}

static void other_prctls(void)
{
	WANT_IS(kernel_call(SYS_prctl, 0x12345678, 0, 0, 0, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_prctl, PR_CAPBSET_READ, 0, 0, 0, 0) >= 0, 1);
	WANT_IS(kernel_call(SYS_prctl, PR_CAPBSET_READ, 1000, 0, 0, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_prctl, PR_GET_PDEATHSIG, BAD), -EFAULT);
	WANT_IS(kernel_call(SYS_prctl, PR_GET_CHILD_SUBREAPER, BAD), -EFAULT);
	WANT_IS(kernel_call(SYS_prctl, PR_GET_KEEPCAPS, 0, 0, 0, 0), 0);
	WANT_IS(kernel_call(SYS_prctl, PR_SET_KEEPCAPS, 2, 0, 0, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_prctl, PR_GET_SECCOMP, 0, 0, 0, 0), 0);
	WANT_IS(kernel_call(SYS_prctl, PR_TASK_PERF_EVENTS_DISABLE, 0, 0, 0, 0), 0);
	WANT_IS(kernel_call(SYS_prctl, PR_TASK_PERF_EVENTS_ENABLE, 0, 0, 0, 0), 0);
}

/* ---- Names of the machine ---- */

static void uname_call(void)
{
	struct utsname name;

	WANT_IS(kernel_call(SYS_uname, &name), 0);
	WANT(strcmp(name.sysname, "Linux") == 0 && strcmp(name.machine, "x86_64") == 0);
	WANT(name.release[0] >= '3' && name.release[0] <= '9');
	WANT_IS(kernel_call(SYS_uname, BAD), -EFAULT);
}

static void host_name(void)
{
	struct utsname old, name;

	if (geteuid() != 0)
		return;
	unshare(CLONE_NEWUTS); /* where that is known, others do not see it */
	WANT_IS(uname(&old), 0);
	WANT_IS(kernel_call(SYS_sethostname, "baton-test", 10), 0);
	WANT_IS(kernel_call(SYS_setdomainname, "example", 7), 0);
	WANT_IS(uname(&name), 0);
	WANT_IS(kernel_call(SYS_sethostname, old.nodename, strlen(old.nodename)), 0);
	WANT_IS(kernel_call(SYS_setdomainname, old.domainname, strlen(old.domainname)), 0);
	WANT(strcmp(name.nodename, "baton-test") == 0 && strcmp(name.domainname, "example") == 0);
	WANT_IS(kernel_call(SYS_sethostname, "x", 65), -EINVAL);
	WANT_IS(kernel_call(SYS_sethostname, "x", -1), -EINVAL);
	WANT_IS(kernel_call(SYS_sethostname, BAD, 5), -EFAULT);
	WANT_IS(kernel_call(SYS_setdomainname, "x", 65), -EINVAL);
	become_nobody();
	WANT_IS(kernel_call(SYS_sethostname, "x", 1), -EPERM);
	WANT_IS(kernel_call(SYS_setdomainname, "x", 1), -EPERM);
}

static const struct test_case cases[] = {
	CASE(names, "prctl SET_NAME, GET_NAME: 15 bytes; EFAULT"),
	CASE(name_of_thread, "prctl SET_NAME: a thread's own, inherited"),
	CASE(dumpable, "prctl SET_DUMPABLE: 0 and 1; EINVAL"),
	CASE(no_new_privs, "prctl NO_NEW_PRIVS: for good; EINVAL"),
	CASE(other_prctls, "prctl: unknown ones EINVAL, bad addresses EFAULT"),
	CASE(uname_call, "uname: Linux, x86_64; EFAULT"),
	CASE(host_name, "sethostname, setdomainname; EINVAL, EFAULT, EPERM"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
