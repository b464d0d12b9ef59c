/* SPDX-License-Identifier: MIT */
/*
 * The texts of System V's messages, in pieces of at most a page, so that a long one asks for no run of pages.
 *
 * All messages together, with what the kernel needs for them, take a quarter of the memory at most (-ENOMEM): the
 * limits of the queues alone would let anybody have 512 MiB of texts, and more for messages without any.
 */
#include "ipc/message.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/pages.h"
#include "memory/slab.h"
#include "memory/user.h"

#define SHARE      4u /* of the memory: one part in so many */
#define FIRST_MOST (PAGE_SIZE - sizeof(struct message))
#define PART_MOST  (PAGE_SIZE - sizeof(struct message_part))

struct message_part {
	struct message_part *next;
	char text[];
};

static size_t charged_all; /* atomic */

/* Goes through a text: `size` bytes at `text`, and `left` behind them, from `next` on. */
struct walk {
	struct message_part *next;
	char *text;
	size_t size, left;
};

static size_t at_most(size_t size, size_t most)
{
	return size < most ? size : most;
}

static struct walk first_part(struct message *message, size_t size)
{
	size_t here = at_most(size, FIRST_MOST);

	return (struct walk){message->more, message->text, here, size - here};
}

static bool next_part(struct walk *walk)
{
	if (!walk->left)
		return false;
	walk->text = walk->next->text;
	walk->next = walk->next->next;
	walk->size = at_most(walk->left, PART_MOST);
	walk->left -= walk->size;
	return true;
}

static bool charge(size_t bytes)
{
	size_t all = __atomic_add_fetch(&charged_all, bytes, __ATOMIC_RELAXED);

	if (all >= bytes && all / PAGE_SIZE < pages_total() / SHARE)
		return true;
	__atomic_sub_fetch(&charged_all, bytes, __ATOMIC_RELAXED);
	return false;
}

void message_free(struct message *message)
{
	struct message_part *part, *next;

	if (!message)
		return;
	for (part = message->more; part; part = next) {
		next = part->next;
		kfree(part);
	}
	__atomic_sub_fetch(&charged_all, message->charged, __ATOMIC_RELAXED);
	kfree(message);
}

/* Room for a text of this size. */
static struct message *make(size_t size)
{
	size_t left = size - at_most(size, FIRST_MOST), here = size - left;
	size_t charged =
		sizeof(struct message) + size + left / PART_MOST * sizeof(struct message_part);
	struct message_part **end;
	struct message *message;

	if (!charge(charged))
		return NULL;
	message = kmalloc(sizeof(*message) + here);
	if (!message) {
		__atomic_sub_fetch(&charged_all, charged, __ATOMIC_RELAXED);
		return NULL;
	}
	*message = (struct message){.size = size, .charged = charged};
	for (end = &message->more; left; left -= here, end = &(*end)->next) {
		here = at_most(left, PART_MOST);
		*end = kmalloc(sizeof(**end) + here);
		if (!*end) {
			message_free(message);
			return NULL;
		}
		(*end)->next = NULL;
	}
	return message;
}

struct message *message_get(user_t text, size_t size, int *error)
{
	struct message *message = make(size);
	struct walk walk;

	*error = -ENOMEM;
	if (!message)
		return NULL;
	walk = first_part(message, size);
	do {
		if (copy_from_user(walk.text, text, walk.size)) {
			message_free(message);
			*error = -EFAULT;
			return NULL;
		}
		text = user_offset(text, walk.size);
	} while (next_part(&walk));
	*error = 0;
	return message;
}

int message_put(user_t text, const struct message *message, size_t size)
{
	struct walk walk = first_part((struct message *)message, size);

	do {
		if (copy_to_user(text, walk.text, walk.size))
			return -EFAULT;
		text = user_offset(text, walk.size);
	} while (next_part(&walk));
	return 0;
}

int message_copy(struct message *to, const struct message *from)
{
	struct walk source = first_part((struct message *)from, from->size);
	struct walk target = first_part(to, to->size);

	if (from->size > to->size)
		return -EINVAL;
	do {
		memcpy(target.text, source.text, source.size);
	} while (next_part(&source) && next_part(&target));
	to->size = from->size;
	to->type = from->type;
	return 0;
}
