/* SPDX-License-Identifier: MIT */
/* Numbers: given in rising order, found, given back when nobody has them, and never twice. */
#include "process/pid.h"

#include "arch/fake/fake.h"
#include "arch/fake/test.h"
#include "lib/errno.h"
#include "memory/pages.h"
#include "memory/slab.h"
#include "process/process.h"

struct spinlock process_lock;

static struct pid *all[PID_MAX];
static struct thread user; /* who has the numbers */

static struct pid *take(int wanted, int *error)
{
	struct pid *pid = pid_create();

	CHECK(pid);
	*error = pid_number(pid, wanted);
	if (*error) {
		pid_put(pid);
		return NULL;
	}
	pid->thread = &user;
	return pid;
}

static void drop(struct pid *pid)
{
	pid->thread = NULL;
	pid_release(pid);
	pid_put(pid);
}

static void test_order(void)
{
	int error;

	for (int n = 1; n <= 200; n++) {
		all[n] = take(0, &error);
		CHECK_EQUAL(all[n]->number, n);
		CHECK(pid_find(n) == all[n]);
	}
	drop(all[50]);
	CHECK(!pid_find(50));
	all[50] = take(0, &error);
	CHECK_EQUAL(all[50]->number, 201); /* not the one that was given back last */
	CHECK(!take(201, &error) && error == -EEXIST);
	all[201] = take(50, &error);
	CHECK_EQUAL(all[201]->number, 50);
	for (int n = 1; n <= 201; n++)
		drop(all[n]);
	for (int n = 0; n < 300; n++)
		CHECK(!pid_find(n));
}

/* A number stays while a group or a session has it, whoever else has gone. */
static void test_members(void)
{
	struct list group = LIST_INIT(group), session = LIST_INIT(session);
	int error, number;
	struct pid *pid = take(0, &error);

	number = pid->number;
	list_push_back(&pid->group, &group);
	list_push_back(&pid->session, &session);
	pid->thread = NULL;
	pid_release(pid);
	CHECK(pid_find(number) == pid);
	list_remove(&group);
	pid_release(pid);
	CHECK(pid_find(number) == pid);
	list_remove(&session);
	pid_release(pid);
	CHECK(!pid_find(number));
	pid_put(pid);
}

static void test_all(void)
{
	int error, count = 0, at = 1;

	while ((all[count] = take(0, &error)))
		count++;
	CHECK_EQUAL(error, -EAGAIN);
	/* All but 0 from where the search was, then those from 300 on. */
	CHECK(count >= PID_MAX - 300);
	for (struct pid *pid; (pid = pid_next(&at)); at++)
		CHECK_EQUAL(pid->number, at);
	drop(all[1000]);
	all[1000] = take(0, &error);
	CHECK(all[1000]);
	CHECK(!take(0, &error));
	for (int i = 0; i < count; i++)
		drop(all[i]);
	at = 1;
	CHECK(!pid_next(&at));
}

int main(void)
{
	fake_memory_init(UINT64_C(64) << 20, 0);
	pages_init(fake_frames_virt(), &(struct pages_range){0, UINT64_C(64) << 20}, 1);
	pid_init();
	test_order();
	test_members();
	test_all();
	CHECK(!slab_audit());
	return 0;
}
