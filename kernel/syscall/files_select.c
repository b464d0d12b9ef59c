/* SPDX-License-Identifier: MIT */
/*
 * select and pselect6 (man 2 select): poll's wait, with descriptors as bits.
 *
 * Three sets come in and go out in place, as whole words. Descriptors that the process's table has no
 * room for are not looked at and their bits stay as they are, as on Linux; of the others each must
 * be open.
 */
#include "syscall/files_poll.h"

#include "lib/string.h"
#include "memory/slab.h"
#include "process/signal.h"

#define SETS      3
#define WORD_BITS 64u

/* What a descriptor in one of the sets waits for: to be read, written, for what is exceptional. */
static const unsigned int set_events[SETS] = {
	POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR | POLLNVAL,
	POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR | POLLNVAL,
	POLLPRI | POLLNVAL,
};

struct select {
	unsigned int words, count;
	uint64_t *sets[SETS]; /* `words` each, in one piece of memory */
	uint32_t *fds;        /* `count`: whose an entry is */
	struct poll_entry *entries;
};

/* The descriptors of one word of bits that are in any set. */
static uint64_t wanted_of(const struct select *select, unsigned int word)
{
	return select->sets[0][word] | select->sets[1][word] | select->sets[2][word];
}

/* Bits that the sets have beyond the last descriptor count for nothing; all others must be open. */
static int count_descriptors(struct select *select, unsigned int n)
{
	struct files *files = current_files();

	for (unsigned int word = 0; word < select->words; word++) {
		uint64_t wanted;

		if (n - word * WORD_BITS < WORD_BITS)
			for (int set = 0; set < SETS; set++)
				select->sets[set][word] &= (UINT64_C(1) << n % WORD_BITS) - 1;
		wanted = wanted_of(select, word);
		if (wanted && wanted & ~files_open_bits(files, word * WORD_BITS))
			return -EBADF;
		for (; wanted; wanted &= wanted - 1)
			select->count++;
	}
	return 0;
}

/* An entry for each descriptor, in rising order. */
static void make_entries(struct select *select)
{
	unsigned int at = 0;

	for (unsigned int word = 0; word < select->words; word++) {
		uint64_t left = wanted_of(select, word);

		for (; left; left &= left - 1, at++) {
			unsigned int bit = (unsigned int)__builtin_ctzll(left);

			select->fds[at] = word * WORD_BITS + bit;
			select->entries[at].file = get_file((int)select->fds[at]);
			for (int set = 0; set < SETS; set++)
				if (select->sets[set][word] >> bit & 1)
					select->entries[at].wanted |= set_events[set];
		}
	}
}

/* Leaves in the sets what was found; how many bits that are. */
static long keep_found(struct select *select)
{
	long found = 0;

	for (unsigned int i = 0; i < select->count; i++) {
		uint32_t word = select->fds[i] / WORD_BITS, bit = select->fds[i] % WORD_BITS;

		for (int set = 0; set < SETS; set++) {
			uint64_t *bits = &select->sets[set][word];

			if (!(*bits >> bit & 1))
				continue;
			if (select->entries[i].found & set_events[set])
				found++;
			else
				*bits &= ~(UINT64_C(1) << bit);
		}
	}
	return found;
}

static long wait_for_sets(struct select *select, ns_t deadline)
{
	long result = -ENOMEM;

	select->fds = kmalloc(select->count * sizeof(*select->fds) + 1);
	select->entries = kzalloc(select->count * sizeof(*select->entries) + 1);
	if (select->fds && select->entries) {
		make_entries(select);
		result = poll_wait_for(select->entries, select->count, deadline);
		if (result >= 0)
			result = keep_found(select);
		for (unsigned int i = 0; i < select->count; i++)
			if (select->entries[i].file)
				file_put(select->entries[i].file);
	}
	kfree(select->fds);
	kfree(select->entries);
	return result;
}

/* users: the three sets, or NULL. 0 or more: how many; -ERESTARTSYS, or an error. */
static long select_until(int n, const user_t users[SETS], ns_t deadline)
{
	struct select select = {0};
	unsigned int most = files_room(current_files());
	size_t size;
	long result = 0;

	if (n < 0)
		return -EINVAL;
	most = (unsigned int)n < most ? (unsigned int)n : most;
	select.words = DIV_ROUND_UP(most, WORD_BITS);
	size = select.words * sizeof(uint64_t);
	select.sets[0] = kzalloc(SETS * size + 1);
	if (!select.sets[0])
		return -ENOMEM;
	for (int set = 0; set < SETS && !result; set++) {
		select.sets[set] = select.sets[0] + (size_t)set * select.words;
		if (users[set].address && size)
			result = copy_from_user(select.sets[set], users[set], size);
	}
	if (!result)
		result = count_descriptors(&select, most);
	if (!result)
		result = wait_for_sets(&select, deadline);
	for (int set = 0; set < SETS && result >= 0; set++)
		if (users[set].address && size && copy_to_user(users[set], select.sets[set], size))
			result = -EFAULT;
	kfree(select.sets[0]);
	return result;
}

long sys_select(int limit, user_t read, user_t write, user_t except, user_t timeout)
{
	const user_t sets[SETS] = {read, write, except};
	struct poll_time time;
	long result = poll_time_get(&time, timeout, POLL_TIMEVAL);

	if (result)
		return result;
	return poll_time_put(&time, select_until(limit, sets, time.deadline));
}

/* `mask` leads to the set's address and its size: a call has six arguments. */
long sys_pselect6(int limit, user_t read, user_t write, user_t except, user_t timeout, user_t mask)
{
	const user_t sets[SETS] = {read, write, except};
	struct {
		uint64_t address, size;
	} sized = {0};
	struct poll_time time;
	long result;

	if (mask.address && copy_from_user(&sized, mask, sizeof(sized)))
		return -EFAULT;
	result = poll_time_get(&time, timeout, POLL_TIMESPEC);
	if (!result)
		result = signal_mask_borrow(user_pointer(sized.address), sized.size);
	if (result)
		return result;
	result = select_until(limit, sets, time.deadline);
	signal_mask_return(result == -ERESTARTSYS);
	return poll_time_put(&time, result);
}
