/* SPDX-License-Identifier: MIT */
/* Who one is: man 2 getuid, setuid, setreuid, setresuid, setfsuid, setgroups, capget... The rules
 * stand in process/credentials.c. */
#include <linux/capability.h>

#include "lib/errno.h"
#include "memory/user.h"
#include "process/credentials.h"
#include "process/process.h"
#include "syscall/table.h"

long sys_getuid(void)
{
	return current_credentials()->uid;
}

long sys_geteuid(void)
{
	return current_credentials()->euid;
}

long sys_getgid(void)
{
	return current_credentials()->gid;
}

long sys_getegid(void)
{
	return current_credentials()->egid;
}

static long put_three(const uint32_t ids[3], const user_t out[3])
{
	for (int i = 0; i < 3; i++) {
		if (copy_to_user(out[i], &ids[i], sizeof(ids[i])))
			return -EFAULT;
	}
	return 0;
}

long sys_getresuid(user_t uid, user_t euid, user_t suid)
{
	const struct credentials *who = current_credentials();

	return put_three((uint32_t[]){who->uid, who->euid, who->suid}, (user_t[]){uid, euid, suid});
}

long sys_getresgid(user_t gid, user_t egid, user_t sgid)
{
	const struct credentials *who = current_credentials();

	return put_three((uint32_t[]){who->gid, who->egid, who->sgid}, (user_t[]){gid, egid, sgid});
}

/* Puts a changed copy in place, unless the rule said no. A user who has more threads now than it may
 * learns that at exec. */
static long use(struct credentials *new, int error)
{
	bool other_user = new->uid != current_credentials()->uid;

	if (!error)
		error = credentials_find_user(new);
	if (error) {
		credentials_put(new);
		return error;
	}
	credentials_set(new);
	if (other_user)
		current_thread()->user_exceeded = limits_user_exceeded();
	return 0;
}

long sys_setuid(unsigned uid)
{
	struct credentials *new;

	if (uid == ID_NONE)
		return -EINVAL;
	new = credentials_copy(current_credentials());
	return new ? use(new, credentials_setuid(new, uid)) : -ENOMEM;
}

long sys_setreuid(unsigned uid, unsigned euid)
{
	struct credentials *new = credentials_copy(current_credentials());

	return new ? use(new, credentials_setreuid(new, uid, euid)) : -ENOMEM;
}

long sys_setresuid(unsigned uid, unsigned euid, unsigned suid)
{
	struct credentials *new = credentials_copy(current_credentials());

	return new ? use(new, credentials_setresuid(new, uid, euid, suid)) : -ENOMEM;
}

long sys_setgid(unsigned gid)
{
	struct credentials *new;

	if (gid == ID_NONE)
		return -EINVAL;
	new = credentials_copy(current_credentials());
	return new ? use(new, credentials_setgid(new, gid)) : -ENOMEM;
}

long sys_setregid(unsigned gid, unsigned egid)
{
	struct credentials *new = credentials_copy(current_credentials());

	return new ? use(new, credentials_setregid(new, gid, egid)) : -ENOMEM;
}

long sys_setresgid(unsigned gid, unsigned egid, unsigned sgid)
{
	struct credentials *new = credentials_copy(current_credentials());

	return new ? use(new, credentials_setresgid(new, gid, egid, sgid)) : -ENOMEM;
}

/* setfsuid and setfsgid tell the old id, and nothing of errors. */
long sys_setfsuid(unsigned uid)
{
	uint32_t old = current_credentials()->fsuid;
	struct credentials *new = uid == ID_NONE ? NULL : credentials_copy(current_credentials());

	if (new &&use(new, credentials_setfsuid(new, uid)))
		return old;
	return old;
}

long sys_setfsgid(unsigned gid)
{
	uint32_t old = current_credentials()->fsgid;
	struct credentials *new = gid == ID_NONE ? NULL : credentials_copy(current_credentials());

	if (new &&use(new, credentials_setfsgid(new, gid)))
		return old;
	return old;
}

/* ---- Groups ---- */

long sys_getgroups(int size, user_t list)
{
	const struct groups *groups = current_credentials()->groups;
	uint32_t count = groups ? groups->count : 0;

	if (size < 0 || (size && (uint32_t)size < count))
		return -EINVAL;
	if (size && count && copy_to_user(list, groups->ids, count * sizeof(groups->ids[0])))
		return -EFAULT;
	return count;
}

/* No group has the number -1, which stands for none. */
static int get_groups(struct groups *out, user_t list)
{
	if (copy_from_user(out->ids, list, out->count * sizeof(out->ids[0])))
		return -EFAULT;
	for (uint32_t i = 0; i < out->count; i++) {
		if (out->ids[i] == UINT32_MAX)
			return -EINVAL;
	}
	return 0;
}

long sys_setgroups(int size, user_t list)
{
	struct credentials *new;
	struct groups *groups;
	int error;

	if (!capable(CAP_SETGID))
		return -EPERM;
	if ((uint32_t)size > GROUPS_MAX)
		return -EINVAL;
	groups = groups_create((uint32_t)size);
	if (!groups)
		return -ENOMEM;
	error = get_groups(groups, list);
	if (error) {
		groups_put(groups);
		return error;
	}
	groups_sort(groups);
	new = credentials_copy(current_credentials());
	if (!new) {
		groups_put(groups);
		return -ENOMEM;
	}
	groups_put(new->groups);
	new->groups = groups;
	return use(new, 0);
}

/* ---- Capabilities ---- */

/* How many 32-bit words a version has; 0: there is no such version. */
static unsigned words_of(uint32_t version)
{
	if (version == _LINUX_CAPABILITY_VERSION_1)
		return _LINUX_CAPABILITY_U32S_1;
	return version == _LINUX_CAPABILITY_VERSION_2 || version == _LINUX_CAPABILITY_VERSION_3
		       ? _LINUX_CAPABILITY_U32S_3
		       : 0;
}

/* Reads the header's version; who does not know it is told the one that is best. */
static int get_version(user_t from, unsigned *words)
{
	const uint32_t best = _LINUX_CAPABILITY_VERSION_3;
	uint32_t version;

	if (copy_from_user(&version, from, sizeof(version)))
		return -EFAULT;
	*words = words_of(version);
	if (*words)
		return 0;
	return copy_to_user(from, &best, sizeof(best)) ? -EFAULT : -EINVAL;
}

static int get_pid(user_t from, int *pid)
{
	from = user_offset(from, offsetof(struct __user_cap_header_struct, pid));
	return copy_from_user(pid, from, sizeof(*pid));
}

static int capabilities_of(int pid, struct credentials *out)
{
	struct thread *thread;
	int error = -ESRCH;

	spin_lock(&process_lock);
	thread = pid ? thread_find(pid) : current_thread();
	if (thread) {
		*out = *thread->credentials;
		error = 0;
	}
	spin_unlock(&process_lock);
	return error;
}

long sys_capget(user_t header, user_t data)
{
	struct __user_cap_data_struct record[_LINUX_CAPABILITY_U32S_3];
	struct credentials who;
	unsigned words;
	int error = get_version(header, &words), pid;

	/* Who asks without a place for the answer asks for the version alone. */
	if (!data.address)
		return error == -EINVAL ? 0 : error;
	if (!error)
		error = get_pid(header, &pid);
	if (error)
		return error;
	if (pid < 0)
		return -EINVAL;
	error = capabilities_of(pid, &who);
	if (error)
		return error;
	for (unsigned i = 0; i < words; i++)
		record[i] = (struct __user_cap_data_struct){(uint32_t)(who.effective >> 32 * i),
			(uint32_t)(who.permitted >> 32 * i), (uint32_t)(who.inheritable >> 32 * i)};
	return copy_to_user(data, record, words * sizeof(record[0]));
}

long sys_capset(user_t header, user_t data)
{
	struct __user_cap_data_struct record[_LINUX_CAPABILITY_U32S_3] = {0};
	struct credentials *new;
	uint64_t effective, permitted, inheritable;
	unsigned words;
	int error = get_version(header, &words), pid;

	if (!error)
		error = get_pid(header, &pid);
	if (error)
		return error;
	if (pid && pid != current_thread()->tid)
		return -EPERM;
	if (copy_from_user(record, data, words * sizeof(record[0])))
		return -EFAULT;
	effective = record[0].effective | (uint64_t)record[1].effective << 32;
	permitted = record[0].permitted | (uint64_t)record[1].permitted << 32;
	inheritable = record[0].inheritable | (uint64_t)record[1].inheritable << 32;
	new = credentials_copy(current_credentials());
	return new ? use(new, credentials_setcaps(new, effective & CAPABILITY_ALL,
				      permitted & CAPABILITY_ALL, inheritable & CAPABILITY_ALL))
		   : -ENOMEM;
}
