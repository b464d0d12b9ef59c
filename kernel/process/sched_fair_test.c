/* SPDX-License-Identifier: MIT */
/*
 * Fair scheduling against a naive model, which looks at every entity at each step, and in simulated
 * time: shares, waiting times, sleepers.
 */
#include "process/sched_fair.h"

#include "arch/fake/test.h"

#define SLICE 3000000u /* ns */
#define MOST  1100

struct thread *fake_thread;
struct cpu *fake_cpu;

static struct fair_queue queue;
static struct fair_entity entities[MOST];
static bool here[MOST];    /* on the queue, or running */
static uint64_t ran[MOST]; /* ns */
static ns_t last_run[MOST];
static ns_t now;

static void start(unsigned count, int nice)
{
	memset(entities, 0, sizeof(entities));
	memset(here, 0, sizeof(here));
	memset(ran, 0, sizeof(ran));
	memset(last_run, 0, sizeof(last_run));
	now = 0;
	fair_init(&queue, SLICE);
	for (unsigned i = 0; i < count; i++) {
		entities[i].weight = fair_nice_weight(nice);
		fair_join(&queue, &entities[i], FAIR_NEW, false);
		here[i] = true;
	}
}

static unsigned index_of(const struct fair_entity *entity)
{
	return (unsigned)(entity - entities);
}

/* Runs whoever is next for as long as it may, `most` at most. */
static unsigned step(ns_t most)
{
	struct fair_entity *next = fair_next(&queue, false);
	ns_t time = fair_left(&queue);
	unsigned i = index_of(next);

	time = time < most ? time : most;
	fair_account(&queue, time);
	now += time;
	ran[i] += time;
	last_run[i] = now;
	return i;
}

/* ---- The model ---- */

static int64_t distance(const struct fair_entity *entity)
{
	return (int64_t)(entity->vruntime - queue.base);
}

/* Is v <= V, by its definition: the sum of w * (v_i - v) is not negative. */
static bool model_eligible(const struct fair_entity *entity)
{
	__int128 sum = 0;

	for (unsigned i = 0; i < MOST; i++) {
		if (here[i])
			sum += (__int128)entities[i].weight *
			       (distance(&entities[i]) - distance(entity));
	}
	return sum >= 0;
}

/* The deadline of the one that should run. */
static uint64_t model_deadline(void)
{
	const struct fair_entity *best = NULL;

	for (unsigned i = 0; i < MOST; i++) {
		if (here[i] && model_eligible(&entities[i]) &&
			(!best || fair_before(entities[i].deadline, best->deadline)))
			best = &entities[i];
	}
	CHECK(best);
	return best->deadline;
}

static void check_sums(void)
{
	int64_t sum = 0;
	uint64_t weight = 0;
	unsigned count = 0;

	for (unsigned i = 0; i < MOST; i++) {
		if (!here[i] || &entities[i] == queue.running)
			continue;
		sum += distance(&entities[i]) * (int64_t)entities[i].weight;
		weight += entities[i].weight;
		count++;
	}
	CHECK_EQUAL(queue.sum, sum);
	CHECK_EQUAL(queue.weight, weight);
	CHECK_EQUAL(queue.count, count);
}

static void random_change(unsigned i)
{
	struct fair_entity *entity = &entities[i];

	if (here[i]) {
		fair_leave(&queue, entity);
		here[i] = false;
		CHECK(llabs((long long)entity->lag) <= (int64_t)fair_virtual(entity, SLICE));
		return;
	}
	if (!entity->weight) {
		entity->weight = fair_nice_weight((int)test_random(40) - 20);
		fair_join(&queue, entity, FAIR_NEW, false);
	} else if (test_random(3)) {
		fair_slept(&queue, entity, test_random(20000000));
		fair_join(&queue, entity, FAIR_WOKEN, test_random(4) == 0);
	} else {
		fair_reweight(entity, fair_nice_weight((int)test_random(40) - 20));
		fair_join(&queue, entity, FAIR_MOVED, false);
	}
	here[i] = true;
}

/* Whoever is picked is eligible, and no eligible one has an earlier deadline. */
static void model_round(unsigned entities_used, unsigned steps)
{
	start(0, 0);
	for (unsigned n = 0; n < steps; n++) {
		struct fair_entity *picked;

		if (!queue.running && !queue.count) {
			random_change((unsigned)test_random(entities_used));
			continue;
		}
		if (test_random(8) == 0) {
			picked = fair_next(&queue, true);
			CHECK(picked);
		} else {
			uint64_t deadline = model_deadline();

			picked = fair_next(&queue, false);
			CHECK(picked && here[index_of(picked)] && picked == queue.running);
			CHECK_EQUAL(picked->deadline, deadline);
			CHECK(model_eligible(picked));
		}
		fair_account(&queue, test_random(4) ? test_random(SLICE) : fair_left(&queue));
		check_sums();
		if (test_random(3) == 0)
			random_change((unsigned)test_random(entities_used));
		check_sums();
		if (test_random(50) == 0)
			fair_run(&queue, NULL); /* a real-time thread comes */
	}
}

static void test_model(void)
{
	for (unsigned round = 0; round < 20; round++) {
		test_seed(round + 1);
		model_round(2 + round % 3, 2000);
		model_round(40, 2000);
	}
}

/* Virtual time wraps around. */
static void test_wrap(void)
{
	start(0, 0);
	queue.base = UINT64_MAX - 5 * SLICE;
	for (unsigned i = 0; i < 3; i++) {
		entities[i].weight = FAIR_WEIGHT_NORMAL;
		fair_join(&queue, &entities[i], FAIR_NEW, false);
	}
	for (unsigned n = 0; n < 3000; n++)
		step(NS_NEVER);
	for (unsigned i = 0; i < 3; i++)
		CHECK(ran[i] >= now / 3 - SLICE && ran[i] <= now / 3 + SLICE);
}

/* ---- Shares ---- */

static void test_equal(void)
{
	start(2, 0);
	while (now < NS_PER_SECOND)
		step(NS_NEVER);
	CHECK(ran[0] * 100 >= now * 49 && ran[0] * 100 <= now * 51);
	/* At any time no one is ahead by more than a slice. */
	start(10, 5);
	while (now < 10 * NS_PER_SECOND) {
		step(1 + test_random(SLICE));
		for (unsigned i = 0; i < 10; i++)
			CHECK(ran[i] + 2 * SLICE > now / 10 && ran[i] < now / 10 + 2 * SLICE);
	}
}

static void test_nice(void)
{
	for (int a = -20; a < 20; a++) {
		for (int b = -20; b < 20; b += 3) {
			double share;

			start(2, 0);
			fair_leave(&queue, &entities[0]);
			fair_reweight(&entities[0], fair_nice_weight(a));
			fair_join(&queue, &entities[0], FAIR_MOVED, false);
			fair_leave(&queue, &entities[1]);
			fair_reweight(&entities[1], fair_nice_weight(b));
			fair_join(&queue, &entities[1], FAIR_MOVED, false);
			while (now < 600 * NS_PER_SECOND)
				step(NS_NEVER);
			share = (double)fair_nice_weight(a) /
				(fair_nice_weight(a) + fair_nice_weight(b));
			CHECK((double)ran[0] > 0.97 * share * (double)now);
			CHECK((double)ran[1] > 0.97 * (1 - share) * (double)now);
		}
	}
}

static void test_table(void)
{
	CHECK_EQUAL(fair_nice_weight(0), FAIR_WEIGHT_NORMAL);
	CHECK_EQUAL(fair_nice_weight(-20), 88761);
	CHECK_EQUAL(fair_nice_weight(19), 15);
	for (int nice = -20; nice < 19; nice++) {
		double ratio = (double)fair_nice_weight(nice) / fair_nice_weight(nice + 1);

		CHECK(ratio > 1.15 && ratio < 1.35);
	}
}

static void test_nobody_starves(void)
{
	start(1000, 0);
	while (now < 20 * NS_PER_SECOND) {
		step(NS_NEVER);
		if (now > 4 * NS_PER_SECOND) {
			for (unsigned i = 0; i < 1000; i++)
				CHECK(now - last_run[i] <= (ns_t)1002 * SLICE);
		}
	}
}

/* ---- Sleepers ---- */

/* Among hogs one sleeps and wakes; each time it runs within the protection of the one that runs. */
static void sleeper(unsigned hogs, ns_t sleep, ns_t use)
{
	unsigned self = hogs;

	start(hogs + 1, 0);
	for (unsigned round = 0; round < 300; round++) {
		ns_t slept = now;

		/* It runs its while out. */
		for (ns_t left = use; left;) {
			ns_t before = ran[self];

			if (step(left) == self)
				left -= ran[self] - before;
		}
		fair_leave(&queue, &entities[self]);
		slept = now;
		while (now - slept < sleep)
			step(sleep - (now - slept));
		fair_slept(&queue, &entities[self], now - slept);
		fair_join(&queue, &entities[self], FAIR_WOKEN, false);
		if (round) {
			CHECK(fair_preempts(&queue, &entities[self]));
			CHECK(index_of(fair_next(&queue, false)) == self);
		}
	}
}

static void test_sleeper(void)
{
	sleeper(100, 20000000, 20000);
	sleeper(100, 5000000, 10000);
	sleeper(1, 5000000, 100000);
	sleeper(1000, 50000000, 10000);
}

/* Who comes back is owed just what it was owed, plus what the others got meanwhile, up to a slice. */
static void test_lag(void)
{
	for (unsigned round = 0; round < 50; round++) {
		struct fair_entity *self = &entities[0];
		int64_t lag, after;

		start(1 + (unsigned)test_random(5), (int)test_random(10));
		for (unsigned i = 0; i < 40; i++)
			step(1 + test_random(SLICE));
		if (queue.running == self)
			fair_run(&queue, NULL);
		fair_leave(&queue, self);
		lag = self->lag;
		fair_join(&queue, self, FAIR_MOVED, false);
		after = (int64_t)(fair_average(&queue) - self->vruntime);
		CHECK(llabs((long long)(after - lag)) <= 8);
	}
	start(2, 0);
	while (step(NS_NEVER) != 0)
		;
	fair_leave(&queue, &entities[0]);
	while (now < NS_PER_SECOND)
		step(NS_NEVER);
	fair_slept(&queue, &entities[0], 1); /* but for the time, so that nothing is forgiven */
	CHECK_EQUAL(entities[0].lag, SLICE);
}

/* What a thread owes is forgiven in four times as long a sleep, not before. */
static bool runs_after(ns_t sleep)
{
	struct fair_entity *self = &entities[100];

	start(101, 0);
	for (unsigned i = 0; i < 101; i++)
		step(NS_NEVER);
	while (step(NS_NEVER) != 100) /* its whole slice, which most others have not had */
		;
	fair_account(&queue, SLICE);
	fair_leave(&queue, self);
	CHECK(self->lag < -(int64_t)SLICE / 2);
	now += sleep;
	fair_slept(&queue, self, sleep);
	fair_join(&queue, self, FAIR_WOKEN, false);
	return fair_next(&queue, false) == self;
}

static void test_forgiven(void)
{
	CHECK(!runs_after(1000000));
	CHECK(runs_after(4 * SLICE));
	CHECK(runs_after(NS_PER_SECOND));
}

/* One that sleeps a moment after each slice gains nothing by it. */
static void test_short_sleeps(void)
{
	start(5, 0);
	while (now < 10 * NS_PER_SECOND) {
		ns_t slept;

		if (step(NS_NEVER) != 0)
			continue;
		fair_leave(&queue, &entities[0]);
		slept = now;
		step(50000);
		fair_slept(&queue, &entities[0], now - slept);
		fair_join(&queue, &entities[0], FAIR_WOKEN, false);
	}
	CHECK(ran[0] * 5 < now + now / 10);
	for (unsigned i = 1; i < 5; i++)
		CHECK(ran[i] * 5 > now - now / 10);
}

/* Two that yield alternate; one that yields leaves the CPU to a hog. */
static void test_yield(void)
{
	unsigned turns[2] = {0};

	start(2, 0);
	for (unsigned i = 0; i < 1000; i++) {
		unsigned who = index_of(fair_next(&queue, true));

		turns[who]++;
		CHECK(turns[0] - turns[1] + 1 <= 2);
		fair_account(&queue, 400 + who * 100 + test_random(50));
	}
	start(2, 0);
	while (now < NS_PER_SECOND) {
		if (step(NS_NEVER) == 1)
			continue;
		/* Had it been asked to run for a moment only: */
		fair_next(&queue, true);
	}
	CHECK(ran[1] >= ran[0]);
}

int main(void)
{
	RUN(test_table);
	RUN(test_model);
	RUN(test_wrap);
	RUN(test_equal);
	RUN(test_nice);
	RUN(test_nobody_starves);
	RUN(test_sleeper);
	RUN(test_lag);
	RUN(test_forgiven);
	RUN(test_short_sleeps);
	RUN(test_yield);
	return test_result();
}
