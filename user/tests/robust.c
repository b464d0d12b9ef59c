/* SPDX-License-Identifier: MIT */
/*
 * Robust futexes (man 2 set_robust_list): what a thread holds when it ends is marked as its dead
 * owner's, and who waits for it is woken; lists that are no lists do no harm.
 */
#include <signal.h>
#include <stddef.h>

#include "futex_abi.h"

struct lock {
	struct robust_list list;
	uint32_t word;
};

struct robust_page {
	struct robust_list_head head;
	struct lock locks[3];
	uint32_t ready;
};

static void add_lock(struct robust_page *page, int i, uint32_t value)
{
	page->locks[i].word = value;
	page->locks[i].list.next = page->head.list.next;
	page->head.list.next = &page->locks[i].list;
}

static void set_head(struct robust_page *page)
{
	page->head.list.next = &page->head.list;
	page->head.futex_offset = offsetof(struct lock, word);
	page->head.list_op_pending = NULL;
}

static int hold_and_die(struct robust_page *page)
{
	uint32_t tid = (uint32_t)kernel_call(SYS_gettid);

	set_head(page);
	if (kernel_call(SYS_set_robust_list, &page->head, sizeof(page->head)))
		return 1;
	add_lock(page, 0, tid);
	add_lock(page, 1, tid | FUTEX_WAITERS);
	add_lock(page, 2, tid + 1);
	__atomic_store_n(&page->ready, 1, __ATOMIC_SEQ_CST);
	until_waiting(&page->locks[1].word, 0, 1);
	return 0;
}

static void robust(void)
{
	struct robust_page *page = (struct robust_page *)shared_words();
	struct robust_list_head *head;
	uint32_t value;
	size_t size;
	long result;
	pid_t pid;

	claim_result(kernel_call(SYS_set_robust_list, &page->head, 23), -EINVAL,
		"robust list: another size: EINVAL");
	claim_result(kernel_call(SYS_get_robust_list, 0, &head, &size), 0, "it is asked for");
	claim(size == sizeof(*head), "and has its size");
	claim_result(kernel_call(SYS_get_robust_list, 0x3fffffff, &head, &size), -ESRCH,
		"of no thread: ESRCH");
	claim_result(kernel_call(SYS_get_robust_list, 0, 8, &size), -EFAULT, "to nowhere: EFAULT");
	pid = fork();
	if (!pid)
		_exit(hold_and_die(page));
	while (!__atomic_load_n(&page->ready, __ATOMIC_SEQ_CST))
		sched_yield();
	value = page->locks[1].word;
	result = futex(&page->locks[1].word, FUTEX_WAIT, value, SPAN(A_LONG_TIME), NULL, 0);
	claim_ended(wait_status(pid), EXITED(0), "the owner of robust locks ends");
	claim(result == 0 || result == -EAGAIN, "its waiter is woken");
	claim(page->locks[0].word == FUTEX_OWNER_DIED, "what it held says so");
	claim(page->locks[1].word == (FUTEX_OWNER_DIED | FUTEX_WAITERS), "waiters too");
	claim(page->locks[2].word == (uint32_t)pid + 1, "what another held is left alone");
	munmap(page, 4096);
}

/* Lists that lead nowhere, round in a circle, or about the kernel. */
static int role_hostile(int argc, char **argv)
{
	static struct robust_page page;
	int which = atoi(argv[0]);

	set_head(&page);
	add_lock(&page, 0, (uint32_t)kernel_call(SYS_gettid));
	if (which == 0)
		page.locks[0].list.next = &page.locks[0].list;
	else if (which == 1)
		page.locks[0].list.next = (struct robust_list *)0xffff888000001000;
	else if (which == 2)
		page.head.futex_offset = (long)0xffff800000000000;
	else if (which == 3)
		page.head.list_op_pending = (struct robust_list *)1;
	else
		page.head.list.next = (struct robust_list *)16;
	kernel_call(SYS_set_robust_list, which == 5 ? (void *)~0ul : &page.head, sizeof(page.head));
	return 50 + which;
}

static void hostile(void)
{
	for (int i = 0; i < 6; i++) {
		char word[8];

		snprintf(word, sizeof(word), "%d", i);
		claim_ended(run_role("hostile", word), EXITED(50 + i),
			"a hostile robust list ends with its process");
	}
}

static void all(int argc, char **argv)
{
	robust();
	hostile();
}

int main(int argc, char **argv)
{
	static const struct role roles[] = {{"hostile", role_hostile}};

	return check_main(argc, argv, roles, COUNT(roles), all);
}
