/* SPDX-License-Identifier: MIT */
/* The order in which ordinary threads run. See sched_fair.c; it knows nothing of threads or CPUs. */
#ifndef PROCESS_SCHED_FAIR_H
#define PROCESS_SCHED_FAIR_H

#include "lib/tree.h"
#include "lib/types.h"

#define FAIR_WEIGHT_NORMAL 1024u /* of nice 0 */
#define FAIR_WEIGHT_IDLE   3u    /* of SCHED_IDLE */

struct fair_entity {
	struct tree_node node;
	uint64_t vruntime; /* ns of CPU time, as at nice 0 */
	uint64_t deadline; /* of its request, in virtual time */
	uint64_t least;    /* vruntime, the smallest of its subtree */
	int64_t lag;       /* while it is on no queue: what it is owed, in virtual time */
	uint64_t left_at;  /* while asleep: the queue's virtual time when it left */
	uint32_t weight;
};

struct fair_queue {
	struct tree tree;            /* those that wait, by deadline */
	struct fair_entity *running; /* competes too, but is not in the tree; NULL: none */
	unsigned count;              /* in the tree */
	uint32_t slice;              /* ns of CPU time that a request asks for */
	uint64_t base;               /* a virtual time near the average */
	int64_t sum;                 /* of weight * (vruntime - base) over the tree */
	uint64_t weight;             /* of the tree */
};

/* How an entity comes to a queue. */
enum fair_arrival {
	FAIR_NEW,   /* its first time */
	FAIR_WOKEN, /* it slept, and wants to run soon */
	FAIR_MOVED, /* from another queue, or it changed its weight or its class */
};

void fair_init(struct fair_queue *queue, uint32_t slice);
uint32_t fair_nice_weight(int nice); /* -20..19 */
/* Puts an entity into the tree. patient: a woken one does not hurry (SCHED_BATCH, SCHED_IDLE). */
void fair_join(struct fair_queue *queue, struct fair_entity *entity, enum fair_arrival arrival,
	bool patient);
/* Takes one out that waits or runs; what it is owed is kept in its lag. */
void fair_leave(struct fair_queue *queue, struct fair_entity *entity);
/* To one that left this queue, slept for `slept` ns and now comes back, here or elsewhere. */
void fair_slept(const struct fair_queue *queue, struct fair_entity *entity, ns_t slept);
/* Gives an entity that is on no queue another weight. */
void fair_reweight(struct fair_entity *entity, uint32_t weight);
/* Who should run: the running one, one of the tree, or NULL. */
struct fair_entity *fair_pick(const struct fair_queue *queue);
/* `next` (of the tree; NULL: nobody) runs instead of the running one, which goes back to the tree. */
void fair_run(struct fair_queue *queue, struct fair_entity *next);
/* ---- At each switch ---- */

#define FAIR_FORGIVEN 4 /* a debt shrinks by one in so many of the time slept */
#define FAIR_PROTECT  4 /* who got the CPU keeps it for one in so many of a slice */

static inline bool fair_before(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b) < 0;
}

/* CPU time as virtual time. */
static inline uint64_t fair_virtual(const struct fair_entity *entity, uint64_t time)
{
	if (likely(entity->weight == FAIR_WEIGHT_NORMAL))
		return time;
	return time * FAIR_WEIGHT_NORMAL / entity->weight;
}

static inline int64_t fair_key(const struct fair_queue *queue, const struct fair_entity *entity)
{
	return (int64_t)(entity->vruntime - queue->base);
}

/* Rounded down: v <= V holds for whole v just when it holds for the exact V. */
static inline int64_t fair_quotient(int64_t sum, uint64_t weight)
{
	int64_t quotient = sum / (int64_t)weight;

	return quotient - (quotient * (int64_t)weight > sum);
}

/* The virtual time: the average of those that compete. */
static inline uint64_t fair_average(const struct fair_queue *queue)
{
	const struct fair_entity *running = queue->running;

	if (!running)
		return queue->base +
		       (queue->weight ? (uint64_t)fair_quotient(queue->sum, queue->weight) : 0);
	if (!queue->weight)
		return running->vruntime;
	return queue->base + (uint64_t)fair_quotient(queue->sum + fair_key(queue, running) *
									  (int64_t)running->weight,
				     queue->weight + running->weight);
}

static inline uint64_t fair_total_weight(const struct fair_queue *queue)
{
	return queue->weight + (queue->running ? queue->running->weight : 0);
}

/* Moves the base to where the average is. */
static inline void fair_rebase(struct fair_queue *queue, uint64_t to)
{
	queue->sum -= (int64_t)(to - queue->base) * (int64_t)queue->weight;
	queue->base = to;
}

bool fair_sooner(const struct tree_node *a, const struct tree_node *b);

static inline void fair_insert(struct fair_queue *queue, struct fair_entity *entity)
{
	queue->sum += fair_key(queue, entity) * (int64_t)entity->weight;
	queue->weight += entity->weight;
	queue->count++;
	entity->least = entity->vruntime;
	if (queue->tree.root)
		tree_insert(&queue->tree, &entity->node, fair_sooner);
	else
		queue->tree.root = &entity->node; /* empty, as of all that are not in the tree */
}

/* It is owed `lag`, and asks for `request`; now: the average. */
static inline void fair_join_at(struct fair_queue *queue, struct fair_entity *entity, uint64_t now,
	int64_t lag, uint64_t request)
{
	uint64_t total = fair_total_weight(queue);

	fair_rebase(queue, now);
	/* Its own coming moves the average towards it: so that it is owed `lag` afterwards. */
	if (lag && total)
		lag += lag * (int64_t)entity->weight / (int64_t)total;
	entity->vruntime = now - (uint64_t)lag;
	entity->deadline = entity->vruntime + request;
	fair_insert(queue, entity);
}

static inline int64_t fair_limited(int64_t value, int64_t limit)
{
	return value > limit ? limit : value < -limit ? -limit : value;
}

/* What it is owed after it slept; now: the average, slice: one, in its virtual time. */
static inline int64_t fair_lag_after(const struct fair_queue *queue,
	const struct fair_entity *entity, uint64_t now, uint64_t slice, ns_t slept)
{
	int64_t passed = (int64_t)(now - entity->left_at), limit = (int64_t)slice,
		lag = entity->lag;

	if (passed > 0)
		lag = fair_limited(lag + (passed < limit ? passed : 2 * limit), limit);
	if (lag >= 0)
		return lag;
	/* No more than would be enough, before it is scaled. */
	if (slept > (ns_t)queue->slice * FAIR_FORGIVEN)
		slept = (ns_t)queue->slice * FAIR_FORGIVEN;
	lag += (int64_t)fair_virtual(entity, slept / FAIR_FORGIVEN);
	return lag < 0 ? lag : 0;
}

/* fair_slept and then fair_join of one that comes back here. */
static inline void fair_woken(
	struct fair_queue *queue, struct fair_entity *entity, ns_t slept, bool patient)
{
	uint64_t now = fair_average(queue), slice = fair_virtual(entity, queue->slice);

	entity->lag = fair_lag_after(queue, entity, now, slice, slept);
	fair_join_at(queue, entity, now, entity->lag, patient ? slice : 0);
}

/* What one that leaves takes along; now: the average. */
static inline void fair_set_lag(
	const struct fair_queue *queue, struct fair_entity *entity, uint64_t now)
{
	entity->left_at = now;
	entity->lag = fair_limited(
		(int64_t)(now - entity->vruntime), (int64_t)fair_virtual(entity, queue->slice));
}

/* fair_leave of the running one. */
static inline void fair_stop(struct fair_queue *queue, struct fair_entity *running)
{
	uint64_t now = fair_average(queue);

	fair_set_lag(queue, running, now);
	queue->running = NULL;
	if (!queue->weight)
		queue->base = now; /* the last one: time goes on from here */
}

/* Should `entity`, just woken, run instead of the running one? */
static inline bool fair_preempts(const struct fair_queue *queue, const struct fair_entity *entity)
{
	const struct fair_entity *running = queue->running;

	if (!fair_before(entity->deadline, running->deadline))
		return false;
	if (queue->count == 1) /* the average of the two lies between them */
		return !fair_before(running->vruntime, entity->vruntime);
	return !fair_before(fair_average(queue), entity->vruntime);
}

/* The running one has had the CPU for `time` more. */
static inline void fair_account(struct fair_queue *queue, ns_t time)
{
	struct fair_entity *running = queue->running;

	running->vruntime += fair_virtual(running, time);
	if (unlikely(!fair_before(running->vruntime, running->deadline)))
		running->deadline = running->vruntime + fair_virtual(running, queue->slice);
}

struct fair_entity *fair_next_of_two(struct fair_queue *queue, bool yields);
struct fair_entity *fair_next_of_many(struct fair_queue *queue, bool yields);

/* The one that waits runs; nobody did. */
static inline struct fair_entity *fair_run_only(struct fair_queue *queue)
{
	queue->running = tree_entry(queue->tree.root, struct fair_entity, node);
	queue->tree.root = NULL; /* a node alone has no links */
	queue->sum = 0;
	queue->weight = 0;
	queue->count = 0;
	return queue->running;
}

/* Picks and runs. yields: the running one gives up the rest of its request and what it is owed, and
 * any other goes first. */
static inline struct fair_entity *fair_next(struct fair_queue *queue, bool yields)
{
	if (!queue->count)
		return queue->running;
	if (queue->count == 1)
		return queue->running ? fair_next_of_two(queue, yields) : fair_run_only(queue);
	return fair_next_of_many(queue, yields);
}

/* How long the running one may go on before others should be looked at. */
static inline ns_t fair_left(const struct fair_queue *queue)
{
	const struct fair_entity *running = queue->running;
	int64_t left = (int64_t)(running->deadline - running->vruntime);
	ns_t least = queue->slice / FAIR_PROTECT, time = left > 0 ? (ns_t)left : 0;

	if (unlikely(running->weight != FAIR_WEIGHT_NORMAL))
		time = time * running->weight / FAIR_WEIGHT_NORMAL;
	return time < least ? least : time;
}

#endif
