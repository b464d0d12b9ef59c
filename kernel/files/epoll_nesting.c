/* SPDX-License-Identifier: MIT */
/*
 * Epolls in epolls: no circles, not too deep, not too many ways.
 *
 * An event is told from the inner epoll to all outer ones inside the wake-up, lock in lock, so the
 * epolls must form a graph without circles, at most NESTING_MAX edges deep as on Linux, and
 * the ways that one event may take are limited. Edges only come by epoll_ctl, which holds a mutex
 * (epoll.c) while it looks here and adds; they may go at any time.
 *
 * The walk goes along both ends of the new edge, each way once for every way it can be reached, and gives
 * up when that is too often. It holds watchers_lock, and STEPS_MAX bounds it.
 */
#include "files/epoll_item.h"

#define NESTING_MAX 4    /* edges of the longest way */
#define STEPS_MAX   2000 /* epolls above, those below, and the product of both */

struct walk_state {
	const struct epoll *forbidden;
	unsigned steps;
	int deepest;
	bool circle;
};

static void walk_up(const struct epoll *epoll, int depth, struct walk_state *state) requires(
	watchers_lock)
{
	if (++state->steps > STEPS_MAX || depth > NESTING_MAX)
		return;
	if (depth > state->deepest)
		state->deepest = depth;
	if (epoll == state->forbidden)
		state->circle = true;
	for (struct epoll_item *item = epoll->file->watchers; item; item = item->next_watcher)
		walk_up(item->epoll, depth + 1, state);
}

static void walk_down(struct epoll *epoll, int depth, struct walk_state *state) requires(
	watchers_lock)
{
	struct epoll_item *item;

	if (++state->steps > STEPS_MAX || depth > NESTING_MAX)
		return;
	if (depth > state->deepest)
		state->deepest = depth;
	list_for_each(item, &epoll->nested, nested)
		walk_down(item->file->private, depth + 1, state);
}

int epoll_check_nesting(struct epoll *outer, struct epoll *inner)
{
	struct walk_state up = {.forbidden = inner}, down = {0};

	spin_lock(&watchers_lock);
	walk_up(outer, 0, &up);
	walk_down(inner, 0, &down);
	spin_unlock(&watchers_lock);
	if (up.circle || up.deepest + 1 + down.deepest > NESTING_MAX)
		return -ELOOP;
	return up.steps > STEPS_MAX || down.steps > STEPS_MAX || up.steps * down.steps > STEPS_MAX
		       ? -EINVAL
		       : 0;
}
