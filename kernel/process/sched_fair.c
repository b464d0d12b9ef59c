/* SPDX-License-Identifier: MIT */
/*
 * Fair scheduling of one CPU: EEVDF, earliest eligible virtual deadline first (Stoica and
 * Abdel-Wahab, 1995).
 *
 * Each entity has a weight w and a virtual run time v, which grows by t * 1024 / w when it runs for
 * t. The queue's virtual time V is the average of all v, weighted: it grows as each of them would
 * if all ran at once at their fair speeds. V - v is what an entity is owed: its lag. One that is
 * owed something (v <= V) is eligible. Each asks for the CPU by requests of one slice: the request's
 * virtual deadline is v, as it began, plus slice * 1024 / w. Of the eligible, the one with the
 * earliest deadline runs. Then no lag ever exceeds about a slice, whatever the number of entities.
 *
 * The tree is ordered by deadline, and each node knows the least v of its subtree, so a pick walks
 * down once: O(log n), as are joining and leaving. V takes one division: the sum of w * (v - base) is
 * kept beside the sum of w. `base` follows V, so that the sum stays small; what is compared are
 * differences, so virtual time may wrap.
 *
 * Sleeping: who leaves takes its lag along, limited to a slice, and is placed by it when it comes
 * back. While it slept V went on: it is owed that too, up to a slice. What it owes itself is
 * forgiven at a quarter of the time it slept, since V may hardly move on a queue with hundreds of
 * others: so a thread can gain no more than a fifth of the CPU by sleeping. A woken one's first
 * request is for nothing at all, with its deadline right at v, so that it runs soon when it is
 * eligible; as soon as it has run a little it asks for a slice like all others.
 *
 * Yielding gives up the rest of the request and all that is owed.
 *
 * Invariants: the running entity is not in the tree; sum and weight are those of the tree alone;
 * an entity that is on no queue has its lag set (0 at first). No locks: the caller has the queue's.
 */
#include "process/sched_fair.h"

/* Steps of 1.25: one nice level gives a tenth of the CPU more or less when two compete. Linux's. */
static const uint32_t nice_weights[40] = {88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705,
	14949, 11916, 9548, 7620, 6100, 4904, 3906, 3121, 2501, 1991, 1586, 1277, 1024, 820, 655,
	526, 423, 335, 272, 215, 172, 137, 110, 87, 70, 56, 45, 36, 29, 23, 18, 15};

static struct fair_entity *entity_of(const struct tree_node *node)
{
	return tree_entry(node, struct fair_entity, node);
}

bool fair_sooner(const struct tree_node *a, const struct tree_node *b)
{
	return fair_before(entity_of(a)->deadline, entity_of(b)->deadline);
}

static bool update(struct tree_node *node)
{
	struct fair_entity *entity = entity_of(node);
	uint64_t least = entity->vruntime, old = entity->least;

	if (node->left && fair_before(entity_of(node->left)->least, least))
		least = entity_of(node->left)->least;
	if (node->right && fair_before(entity_of(node->right)->least, least))
		least = entity_of(node->right)->least;
	entity->least = least;
	return least != old;
}

void fair_init(struct fair_queue *queue, uint32_t slice)
{
	*queue = (struct fair_queue){.slice = slice};
	tree_init_augmented(&queue->tree, update);
}

uint32_t fair_nice_weight(int nice)
{
	return nice_weights[nice + 20];
}

static void take(struct fair_queue *queue, struct fair_entity *entity)
{
	queue->sum -= fair_key(queue, entity) * (int64_t)entity->weight;
	queue->weight -= entity->weight;
	if (--queue->count)
		tree_remove(&queue->tree, &entity->node);
	else
		queue->tree.root = NULL; /* a node alone has no links */
}

/* ---- Coming and going ---- */

void fair_join(struct fair_queue *queue, struct fair_entity *entity, enum fair_arrival arrival,
	bool patient)
{
	uint64_t slice = fair_virtual(entity, queue->slice),
		 request = entity->deadline - entity->vruntime;

	if (arrival == FAIR_NEW)
		request = slice / 2;
	else if (arrival == FAIR_WOKEN)
		request = patient ? slice : 0;
	else if (request > slice)
		request = slice;
	fair_join_at(
		queue, entity, fair_average(queue), arrival == FAIR_NEW ? 0 : entity->lag, request);
}

void fair_leave(struct fair_queue *queue, struct fair_entity *entity)
{
	if (entity == queue->running) {
		fair_stop(queue, entity);
		return;
	}
	fair_set_lag(queue, entity, fair_average(queue));
	take(queue, entity);
	if (!queue->weight && !queue->running)
		queue->base = entity->left_at;
}

void fair_slept(const struct fair_queue *queue, struct fair_entity *entity, ns_t slept)
{
	entity->lag = fair_lag_after(
		queue, entity, fair_average(queue), fair_virtual(entity, queue->slice), slept);
}

void fair_reweight(struct fair_entity *entity, uint32_t weight)
{
	uint64_t request = entity->deadline - entity->vruntime;

	entity->lag = entity->lag * (int64_t)entity->weight / (int64_t)weight;
	entity->deadline = entity->vruntime + request * entity->weight / weight;
	entity->weight = weight;
}

/* ---- Running ---- */

/* The earliest deadline in the tree of those with v <= limit; NULL: none. */
static struct fair_entity *earliest(const struct fair_queue *queue, uint64_t limit)
{
	struct tree_node *node = queue->tree.root;

	while (node) {
		if (node->left && !fair_before(limit, entity_of(node->left)->least))
			node = node->left;
		else if (!fair_before(limit, entity_of(node)->vruntime))
			return entity_of(node);
		else
			node = node->right;
	}
	return NULL;
}

/* The same for two: the average lies between them. */
static struct fair_entity *pick_of_two(struct fair_entity *running, struct fair_entity *other)
{
	if (!running || fair_before(other->vruntime, running->vruntime))
		return other;
	return other->vruntime == running->vruntime &&
			       fair_before(other->deadline, running->deadline)
		       ? other
		       : running;
}

struct fair_entity *fair_pick(const struct fair_queue *queue)
{
	struct fair_entity *running = queue->running, *best;
	uint64_t now;

	if (!queue->count)
		return running;
	if (queue->count == 1)
		return pick_of_two(running, entity_of(queue->tree.root));
	now = fair_average(queue);
	best = earliest(queue, now);
	if (!running || (best && fair_before(now, running->vruntime)))
		return best;
	return best && fair_before(best->deadline, running->deadline) ? best : running;
}

/* The running one gives up what it is owed and the rest of its request. */
static struct fair_entity *pick_after_yield(struct fair_queue *queue, struct fair_entity *running)
{
	struct fair_entity *best;
	uint64_t now = fair_average(queue);

	if (fair_before(running->vruntime, now))
		running->vruntime = now;
	running->deadline = running->vruntime + fair_virtual(running, queue->slice);
	/* If nobody else is owed anything: the one that has had the least. */
	best = earliest(queue, now);
	return best ? best : earliest(queue, entity_of(queue->tree.root)->least);
}

/* Running and waiting change places where there are just two. Who is not in the tree has an empty
 * node. */
static inline void exchange(
	struct fair_queue *queue, struct fair_entity *running, struct fair_entity *next)
{
	queue->sum = fair_key(queue, running) * (int64_t)running->weight;
	queue->weight = running->weight;
	running->least = running->vruntime;
	queue->tree.root = &running->node;
	queue->running = next;
}

void fair_run(struct fair_queue *queue, struct fair_entity *next)
{
	struct fair_entity *running = queue->running;

	if (next == running)
		return;
	if (next)
		take(queue, next);
	queue->running = next;
	if (running)
		fair_insert(queue, running);
}

struct fair_entity *fair_next_of_two(struct fair_queue *queue, bool yields)
{
	struct fair_entity *running = queue->running, *other = entity_of(queue->tree.root);
	int64_t behind = (int64_t)(other->vruntime - running->vruntime);

	if (!yields) {
		if (pick_of_two(running, other) == running)
			return running;
	} else {
		if (behind > 0)
			running->vruntime += other->weight == running->weight
						     ? (uint64_t)behind / 2
						     : fair_average(queue) - running->vruntime;
		running->deadline = running->vruntime + fair_virtual(running, queue->slice);
	}
	exchange(queue, running, other);
	return other;
}

struct fair_entity *fair_next_of_many(struct fair_queue *queue, bool yields)
{
	struct fair_entity *running = queue->running, *next;

	next = yields && running ? pick_after_yield(queue, running) : fair_pick(queue);
	fair_run(queue, next);
	return next;
}
