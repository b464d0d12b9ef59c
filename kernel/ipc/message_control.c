/* SPDX-License-Identifier: MIT */
/* msgctl: man 2 msgctl. The queues: message.c. */
#include <linux/capability.h>

#include "ipc/message.h"
#include "lib/errno.h"
#include "memory/user.h"
#include "process/credentials.h"
#include "syscall/table.h"

/* What <linux/msg.h> calls struct msginfo, with what Linux gives for words that nothing goes by any more. */
struct msg_limits {
	int pool, map, size, queue, queues, segment_size, messages;
	unsigned short segments;
};

static long tell_limits(int command, user_t out)
{
	struct msg_limits limits = {.pool = 512000,
		.map = 16384,
		.size = __atomic_load_n(&msg_size_most, __ATOMIC_RELAXED),
		.queue = __atomic_load_n(&msg_queue_most, __ATOMIC_RELAXED),
		.queues = __atomic_load_n(&msg_queues_most, __ATOMIC_RELAXED),
		.segment_size = 16,
		.messages = 16384,
		.segments = 0xffff};
	int highest;

	spin_lock(&ipc_lock);
	highest = ipc_highest(&msg_ids);
	if (command == MSG_INFO) {
		limits.pool = (int)msg_ids.listed;
		limits.map = (int)msg_all_count;
		limits.messages = (int)msg_all_bytes;
	}
	spin_unlock(&ipc_lock);
	return copy_to_user(out, &limits, sizeof(limits)) ? -EFAULT : highest;
}

/* By an id, or by an index, which gives the id. */
static long tell_status(int id, int command, user_t out)
{
	struct msqid64_ds status = {.msg_qnum = 0};
	const struct msg_queue *queue;
	struct ipc_item *item;
	long result = -EINVAL;

	spin_lock(&ipc_lock);
	item = command == IPC_STAT ? ipc_of_id(&msg_ids, id) : ipc_of_index(&msg_ids, id);
	if (item) {
		queue = container_of(item, struct msg_queue, item);
		status.msg_perm = item->perm;
		status.msg_stime = queue->sent;
		status.msg_rtime = queue->received;
		status.msg_ctime = queue->changed;
		status.msg_cbytes = queue->bytes;
		status.msg_qnum = queue->count;
		status.msg_qbytes = queue->most;
		status.msg_lspid = queue->last_sender;
		status.msg_lrpid = queue->last_receiver;
		result = command == IPC_STAT ? 0 : item->id;
		if (command != MSG_STAT_ANY && ipc_check_access(&item->perm, IPC_READ))
			result = -EACCES;
	}
	spin_unlock(&ipc_lock);
	if (result >= 0 && copy_to_user(out, &status, sizeof(status)))
		result = -EFAULT;
	return result;
}

static int set(struct msg_queue *queue, const struct msqid64_ds *new) requires(ipc_lock)
{
	int error;

	if (new->msg_qbytes > (size_t)__atomic_load_n(&msg_queue_most, __ATOMIC_RELAXED) &&
		!capable(CAP_SYS_RESOURCE))
		return -EPERM;
	error = ipc_set_perm(&queue->item.perm, &new->msg_perm);
	if (error)
		return error;
	queue->most = new->msg_qbytes;
	queue->changed = ipc_now();
	msg_queue_changed(queue);
	return 0;
}

/* new: IPC_SET's; NULL: it is removed. */
static long change(int id, const struct msqid64_ds *new)
{
	struct msg_queue *queue;
	long result = -EINVAL;

	spin_lock(&ipc_lock);
	queue = msg_queue_of_id(id);
	if (queue)
		result = ipc_check_owner(&queue->item.perm);
	if (!result && new)
		result = set(queue, new);
	else if (!result)
		msg_queue_remove(queue);
	spin_unlock(&ipc_lock);
	if (!result && !new)
		msg_queue_free(queue);
	return result;
}

long sys_msgctl(int id, int command, user_t buffer)
{
	struct msqid64_ds new;

	if (id < 0 || command < 0)
		return -EINVAL;
	switch (command) {
	case IPC_INFO:
	case MSG_INFO:
		return tell_limits(command, buffer);
	case IPC_STAT:
	case MSG_STAT:
	case MSG_STAT_ANY:
		return tell_status(id, command, buffer);
	case IPC_SET:
		if (copy_from_user(&new, buffer, sizeof(new)))
			return -EFAULT;
		return change(id, &new);
	case IPC_RMID:
		return change(id, NULL);
	default:
		return -EINVAL;
	}
}
