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

#define LARGE 40000 /* more than a chunk */

static struct pid *all[LARGE];
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
	CHECK(count >= pid_max - 300 && count < pid_max);
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

/* kernel.pid_max: none is given above it, and above the first 32,768 a chunk comes as it is needed. */
static void test_limit(void)
{
	int error, count = 0, at = 1, last;

	pid_max = LARGE;
	all[0] = take(LARGE - 1, &error);
	CHECK(all[0] && pid_find(LARGE - 1) == all[0]);
	drop(all[0]);
	CHECK(!pid_find(LARGE - 1) && !pid_find(LARGE) && !pid_find(PID_MOST - 1));
	while ((all[count] = take(0, &error)))
		count++;
	CHECK_EQUAL(error, -EAGAIN);
	CHECK(count >= LARGE - 300 && count < LARGE);
	for (last = 0; pid_next(&at); at++)
		last = at;
	CHECK_EQUAL(last, LARGE - 1);
	pid_max = 301;
	CHECK(!take(0, &error) && error == -EAGAIN);
	CHECK(pid_find(LARGE - 1)); /* what was given stays */
	for (int i = 0; i < count; i++)
		drop(all[i]);
	at = 1;
	CHECK(!pid_next(&at));
	for (int i = 0; i < 2; i++) {
		all[i] = take(0, &error);
		CHECK(all[i] ? all[i]->number <= 300 : error == -EAGAIN);
	}
	drop(all[0]);
	if (all[1])
		drop(all[1]);
	pid_max = 32768;
}

int main(void)
{
	fake_memory_init(UINT64_C(64) << 20, 0);
	pages_init(fake_frames_virt(), &(struct pages_range){0, UINT64_C(64) << 20}, 1);
	pid_init();
	test_order();
	test_members();
	test_all();
	test_limit();
	CHECK(!slab_audit());
	return 0;
}
