/* SPDX-License-Identifier: MIT */
/* The rules by which one set of credentials follows from another; groups; users. */
#include "process/credentials.h"

#include <linux/capability.h>
#include <linux/securebits.h>

#include "arch/fake/fake.h"
#include "arch/fake/test.h"
#include "lib/errno.h"
#include "memory/pages.h"

#define A 1000u
#define B 1001u
#define C 1002u

static struct credentials root(void)
{
	return *credentials_of_root();
}

/* Real, effective, saved; no capabilities unless one of them is root. */
static struct credentials ids(uint32_t uid, uint32_t euid, uint32_t suid)
{
	struct credentials who = root();

	CHECK_EQUAL(credentials_setresuid(&who, uid, euid, suid), 0);
	return who;
}

#define CHECK_IDS(who, r, e, s, f) \
	CHECK((who).uid == (r) && (who).euid == (e) && (who).suid == (s) && (who).fsuid == (f))

static void test_setuid(void)
{
	struct credentials who = root();

	CHECK_EQUAL(credentials_setuid(&who, A), 0);
	CHECK_IDS(who, A, A, A, A);
	CHECK(!who.effective && !who.permitted);
	CHECK_EQUAL(credentials_setuid(&who, 0), -EPERM);
	who = ids(A, B, C);
	CHECK_EQUAL(credentials_setuid(&who, C), 0);
	CHECK_IDS(who, A, C, C, C);
	CHECK_EQUAL(credentials_setuid(&who, B), -EPERM);
}

static void test_setreuid(void)
{
	struct credentials who = ids(A, B, C);

	CHECK_EQUAL(credentials_setreuid(&who, ID_NONE, C), 0);
	CHECK_IDS(who, A, C, C, C); /* another than the real one: saved too */
	who = ids(A, B, C);
	CHECK_EQUAL(credentials_setreuid(&who, B, A), 0); /* exchanged */
	CHECK_IDS(who, B, A, A, A);
	who = ids(A, B, C);
	CHECK_EQUAL(credentials_setreuid(&who, C, ID_NONE), -EPERM);
	CHECK_EQUAL(credentials_setreuid(&who, ID_NONE, ID_NONE), 0);
	CHECK_EQUAL(who.suid, C);
}

static void test_setresuid(void)
{
	struct credentials who = ids(A, B, C);

	CHECK_EQUAL(credentials_setresuid(&who, C, A, B), 0);
	CHECK_IDS(who, C, A, B, A);
	CHECK_EQUAL(credentials_setresuid(&who, ID_NONE, ID_NONE, A + 10), -EPERM);
	CHECK_EQUAL(credentials_setfsuid(&who, B), 0);
	CHECK_EQUAL(who.fsuid, B);
	CHECK_EQUAL(credentials_setfsuid(&who, 0), -EPERM);
}

static void test_capabilities(void)
{
	struct credentials who = root();
	uint64_t all = CAPABILITY_ALL;

	/* The effective id alone takes and gives the effective set. */
	CHECK_EQUAL(credentials_setresuid(&who, ID_NONE, A, ID_NONE), 0);
	CHECK(!who.effective && who.permitted == all);
	CHECK_EQUAL(credentials_setresuid(&who, ID_NONE, 0, ID_NONE), 0);
	CHECK(who.effective == all);
	/* The file id: those about files. */
	CHECK_EQUAL(credentials_setfsuid(&who, A), 0);
	CHECK(!has_capability(&who, CAP_DAC_OVERRIDE) && has_capability(&who, CAP_KILL));
	CHECK_EQUAL(credentials_setfsuid(&who, 0), 0);
	CHECK(who.effective == all);
	/* Kept on request. */
	who.securebits = issecure_mask(SECURE_KEEP_CAPS);
	CHECK_EQUAL(credentials_setuid(&who, A), 0);
	CHECK(!who.effective && who.permitted == all);
	CHECK_EQUAL(credentials_setcaps(&who, 1, all, 0), 0);
	CHECK(who.effective == 1);
	CHECK_EQUAL(credentials_setcaps(&who, 2, 1, 0), -EPERM); /* not permitted */
	CHECK_EQUAL(credentials_setcaps(&who, 0, 1, 0), 0);      /* dropped */
	CHECK_EQUAL(credentials_setcaps(&who, 0, 3, 0), -EPERM); /* not to be had again */
	CHECK_EQUAL(credentials_setcaps(&who, 0, 1, 2), -EPERM); /* inheritable: permitted ones */
	CHECK_EQUAL(credentials_setcaps(&who, 1, 1, 1), 0);
}

static void test_exec(void)
{
	struct credentials who = root();

	CHECK(!credentials_exec(&who, ID_NONE, ID_NONE, 0));
	CHECK(who.effective == CAPABILITY_ALL);
	who = ids(A, A, A);
	CHECK(!credentials_exec(&who, ID_NONE, ID_NONE, 0));
	CHECK(!who.permitted);
	CHECK(credentials_exec(&who, 0, ID_NONE, 0)); /* set-uid root */
	CHECK_IDS(who, A, 0, 0, 0);
	CHECK(who.effective == CAPABILITY_ALL);
	who = ids(A, A, A);
	CHECK(credentials_exec(&who, ID_NONE, B, 0)); /* set-gid */
	CHECK(who.egid == B && who.sgid == B && who.fsgid == B && !who.effective);
	who = ids(A, B, A); /* dropped half way: the saved id goes with the effective one */
	CHECK(credentials_exec(&who, ID_NONE, ID_NONE, 0));
	CHECK_IDS(who, A, B, B, B);
}

/* Where others could steer the program it gains nothing, but is told all the same. */
static void test_exec_unsafe(void)
{
	struct credentials who = ids(A, A, A);

	CHECK(!credentials_exec(&who, ID_NONE, ID_NONE, EXEC_WATCHED));
	CHECK(credentials_exec(&who, 0, B, EXEC_WATCHED));
	CHECK_IDS(who, A, A, A, A);
	CHECK(who.egid == who.gid && !who.permitted && !who.effective);
	CHECK(!credentials_exec(&who, A, ID_NONE, EXEC_WATCHED)); /* its own already */
	who = ids(A, B, B); /* back to the real ids: less than it had */
	CHECK(credentials_exec(&who, C, ID_NONE, EXEC_WATCHED));
	CHECK_IDS(who, A, A, A, A);
	who = root(); /* may take any id, but no capabilities that it has not */
	who.permitted = who.effective = UINT64_C(1) << CAP_SETUID;
	CHECK(credentials_exec(&who, B, ID_NONE, EXEC_WATCHED));
	CHECK_IDS(who, 0, B, B, B);
	CHECK(who.permitted == UINT64_C(1) << CAP_SETUID && !who.effective);
	who = root();
	who.permitted = who.effective = UINT64_C(1) << CAP_SETUID;
	CHECK(!credentials_exec(&who, ID_NONE, ID_NONE, EXEC_NO_NEW_PRIVS));
	CHECK(who.permitted == UINT64_C(1) << CAP_SETUID && who.effective == who.permitted);
}

static void test_signals(void)
{
	struct credentials a = ids(A, A, A), ab = ids(A, B, C), c = ids(C, C, C), r = root();

	CHECK(credentials_may_signal(&a, &ab)); /* the target's real id */
	CHECK(credentials_may_signal(&c, &ab)); /* its saved id */
	CHECK(!credentials_may_signal(&(struct credentials){.uid = B, .euid = B}, &ab));
	CHECK(credentials_may_signal(&ab, &a));
	CHECK(!credentials_may_signal(&a, &c) && credentials_may_signal(&r, &c));
	CHECK(!credentials_may_signal(&a, &r));
}

static void test_groups(void)
{
	struct credentials who = root();
	uint32_t random = 1;

	for (uint32_t count = 0; count < 100; count += 7) {
		who.groups = groups_create(count);
		for (uint32_t i = 0; i < count; i++)
			who.groups->ids[i] = (random = random * 1103515245 + 12345) % 200 * 2;
		groups_sort(who.groups);
		for (uint32_t i = 1; i < count; i++)
			CHECK(who.groups->ids[i - 1] <= who.groups->ids[i]);
		for (uint32_t i = 0; i < count; i++)
			CHECK(credentials_in_group(&who, who.groups->ids[i]));
		for (uint32_t odd = 1; odd < 400; odd += 2)
			CHECK(!credentials_in_group(&who, odd));
		groups_put(who.groups);
	}
}

static void test_users(void)
{
	struct credentials *one = credentials_copy(credentials_of_root()), *two;

	CHECK_EQUAL(credentials_setuid(one, A), 0);
	CHECK_EQUAL(credentials_find_user(one), 0);
	CHECK(one->user->uid == A && one->user != credentials_of_root()->user);
	two = credentials_copy(one);
	CHECK(two->user == one->user && two->user->references == 2);
	credentials_put(one);
	two->uid = B;
	CHECK_EQUAL(credentials_find_user(two), 0);
	CHECK_EQUAL(two->user->uid, B);
	credentials_put(two);
	CHECK_EQUAL(credentials_of_root()->user->references, 1);
}

int main(void)
{
	fake_memory_init(UINT64_C(16) << 20, 0);
	pages_init(fake_frames_virt(), &(struct pages_range){0, UINT64_C(16) << 20}, 1);
	test_setuid();
	test_setreuid();
	test_setresuid();
	test_capabilities();
	test_exec();
	test_exec_unsafe();
	test_signals();
	test_groups();
	test_users();
	return 0;
}
