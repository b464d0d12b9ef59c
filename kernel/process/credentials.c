/* SPDX-License-Identifier: MIT */
/*
 * Sets of credentials: their life, and the rules by which one follows from another (credentials_*:
 * man 2 setuid, setreuid, setresuid, capset, man 7 capabilities). Nothing here asks who is running:
 * it is built for the host's tests too.
 *
 * Programs' files have no capabilities of their own here, only set-id bits.
 *
 * Locks: users_lock guards the table of users and their reference counts. It is a leaf but for the
 * allocator.
 */
#include "process/credentials.h"

#include <linux/capability.h>
#include <linux/securebits.h>

#include "lib/errno.h"
#include "lib/lock.h"
#include "lib/radix.h"
#include "lib/string.h"
#include "memory/slab.h"

#define BIT(capability) (UINT64_C(1) << (capability))
#define FILE_CAPABILITIES                                                                      \
	(BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_FOWNER) | \
		BIT(CAP_FSETID) | BIT(CAP_LINUX_IMMUTABLE) | BIT(CAP_MKNOD) |                  \
		BIT(CAP_MAC_OVERRIDE))

static struct spinlock users_lock;
static struct radix users; /* uid -> struct user *; guarded by users_lock */

static struct user root_user = {.references = 1}; /* never dropped, and in no table */
static struct credentials root = {.references = 1,
	.permitted = CAPABILITY_ALL,
	.effective = CAPABILITY_ALL,
	.bounding = CAPABILITY_ALL,
	.user = &root_user};
static struct cache credentials_cache = CACHE_INIT("credentials", sizeof(struct credentials), 0);

const struct credentials *credentials_of_root(void)
{
	return &root;
}

/* ---- Users ---- */

static void user_get(struct user *user)
{
	spin_lock(&users_lock);
	user->references++;
	spin_unlock(&users_lock);
}

static void user_put(struct user *user)
{
	bool last;

	spin_lock(&users_lock);
	last = !--user->references;
	if (last)
		radix_remove(&users, user->uid);
	spin_unlock(&users_lock);
	if (last)
		kfree(user);
}

/* The user with this uid, with a reference. NULL: no memory. */
static struct user *user_find(uint32_t uid)
{
	struct user *fresh, *user;

	if (!uid) {
		user_get(&root_user);
		return &root_user;
	}
	fresh = kzalloc(sizeof(*fresh));
	spin_lock(&users_lock);
	user = radix_get(&users, uid);
	if (user) {
		user->references++;
	} else if (fresh) {
		*fresh = (struct user){.uid = uid, .references = 1};
		if (!radix_put(&users, uid, fresh)) {
			user = fresh;
			fresh = NULL;
		}
	}
	spin_unlock(&users_lock);
	kfree(fresh);
	return user;
}

int credentials_find_user(struct credentials *credentials)
{
	struct user *user = credentials->user;

	if (user->uid == credentials->uid)
		return 0;
	user = user_find(credentials->uid);
	if (!user)
		return -ENOMEM;
	user_put(credentials->user);
	credentials->user = user;
	return 0;
}

/* ---- Sets ---- */

/* Only the count of a set that is in use ever changes. */
static uint32_t *count_of(const struct credentials *credentials)
{
	return &((struct credentials *)credentials)->references;
}

void credentials_get(const struct credentials *credentials)
{
	__atomic_add_fetch(count_of(credentials), 1, __ATOMIC_RELAXED);
}

void credentials_put(const struct credentials *credentials)
{
	if (__atomic_sub_fetch(count_of(credentials), 1, __ATOMIC_ACQ_REL))
		return;
	groups_put(credentials->groups);
	user_put(credentials->user);
	cache_free(&credentials_cache, (struct credentials *)credentials);
}

struct credentials *credentials_copy(const struct credentials *from)
{
	struct credentials *copy = cache_alloc(&credentials_cache);

	if (!copy)
		return NULL;
	*copy = *from;
	copy->references = 1;
	user_get(copy->user);
	if (copy->groups)
		__atomic_add_fetch(&copy->groups->references, 1, __ATOMIC_RELAXED);
	return copy;
}

/* ---- Groups ---- */

struct groups *groups_create(uint32_t count)
{
	struct groups *groups = kmalloc(sizeof(*groups) + count * sizeof(groups->ids[0]));

	if (groups)
		*groups = (struct groups){.references = 1, .count = count};
	return groups;
}

void groups_put(struct groups *groups)
{
	if (groups && !__atomic_sub_fetch(&groups->references, 1, __ATOMIC_ACQ_REL))
		kfree(groups);
}

static void sift_down(uint32_t *ids, uint32_t from, uint32_t count)
{
	for (uint32_t child; (child = 2 * from + 1) < count; from = child) {
		uint32_t moved = ids[from];

		if (child + 1 < count && ids[child] < ids[child + 1])
			child++;
		if (moved >= ids[child])
			return;
		ids[from] = ids[child];
		ids[child] = moved;
	}
}

/* Heap sort: no recursion, and no order of the ids makes it slow. */
void groups_sort(struct groups *groups)
{
	for (uint32_t i = groups->count / 2; i-- > 0;)
		sift_down(groups->ids, i, groups->count);
	for (uint32_t last = groups->count; last-- > 1;) {
		uint32_t largest = groups->ids[0];

		groups->ids[0] = groups->ids[last];
		groups->ids[last] = largest;
		sift_down(groups->ids, 0, last);
	}
}

bool credentials_in_group(const struct credentials *credentials, uint32_t group)
{
	const struct groups *groups = credentials->groups;
	uint32_t low = 0, high = groups ? groups->count : 0;

	if (credentials->fsgid == group)
		return true;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (groups->ids[middle] == group)
			return true;
		if (groups->ids[middle] < group)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* ---- User ids ---- */

static bool secure(const struct credentials *who, unsigned bit)
{
	return who->securebits & (1u << bit);
}

static bool is_root(const struct credentials *who)
{
	return !who->uid || !who->euid || !who->suid;
}

/* Capabilities follow the user ids, unless asked not to: man 7 capabilities, "Effect of user ID
 * changes on capabilities". */
static void adjust_capabilities(const struct credentials *old, struct credentials *new)
{
	if (secure(old, SECURE_NO_SETUID_FIXUP))
		return;
	if (is_root(old) && !is_root(new)) {
		if (!secure(old, SECURE_KEEP_CAPS))
			new->permitted = new->effective = 0;
		new->ambient = 0;
	}
	if (!old->euid && new->euid)
		new->effective = 0;
	if (old->euid && !new->euid)
		new->effective = new->permitted;
}

int credentials_setuid(struct credentials *new, uint32_t uid)
{
	const struct credentials old = *new;

	if (has_capability(&old, CAP_SETUID))
		new->uid = new->suid = uid;
	else if (uid != old.uid && uid != old.suid)
		return -EPERM;
	new->euid = new->fsuid = uid;
	adjust_capabilities(&old, new);
	return 0;
}

int credentials_setreuid(struct credentials *new, uint32_t uid, uint32_t euid)
{
	const struct credentials old = *new;
	bool may = has_capability(&old, CAP_SETUID);

	if (uid != ID_NONE) {
		if (!may && uid != old.uid && uid != old.euid)
			return -EPERM;
		new->uid = uid;
	}
	if (euid != ID_NONE) {
		if (!may && euid != old.uid && euid != old.euid && euid != old.suid)
			return -EPERM;
		new->euid = euid;
	}
	if (uid != ID_NONE || (euid != ID_NONE && euid != old.uid))
		new->suid = new->euid;
	new->fsuid = new->euid;
	adjust_capabilities(&old, new);
	return 0;
}

static bool one_of(uint32_t id, uint32_t a, uint32_t b, uint32_t c)
{
	return id == ID_NONE || id == a || id == b || id == c;
}

static uint32_t or_old(uint32_t id, uint32_t old)
{
	return id == ID_NONE ? old : id;
}

int credentials_setresuid(struct credentials *new, uint32_t uid, uint32_t euid, uint32_t suid)
{
	const struct credentials old = *new;

	if (!has_capability(&old, CAP_SETUID) &&
		!(one_of(uid, old.uid, old.euid, old.suid) &&
			one_of(euid, old.uid, old.euid, old.suid) &&
			one_of(suid, old.uid, old.euid, old.suid)))
		return -EPERM;
	new->uid = or_old(uid, old.uid);
	new->euid = or_old(euid, old.euid);
	new->suid = or_old(suid, old.suid);
	new->fsuid = new->euid;
	adjust_capabilities(&old, new);
	return 0;
}

int credentials_setfsuid(struct credentials *new, uint32_t fsuid)
{
	const struct credentials old = *new;

	if (!has_capability(&old, CAP_SETUID) && fsuid != old.fsuid &&
		!one_of(fsuid, old.uid, old.euid, old.suid))
		return -EPERM;
	new->fsuid = fsuid;
	if (secure(&old, SECURE_NO_SETUID_FIXUP))
		return 0;
	if (!old.fsuid && fsuid)
		new->effective &= ~FILE_CAPABILITIES;
	if (old.fsuid && !fsuid)
		new->effective |= new->permitted &FILE_CAPABILITIES;
	return 0;
}

/* ---- Group ids ---- */

int credentials_setgid(struct credentials *new, uint32_t gid)
{
	if (has_capability(new, CAP_SETGID))
		new->gid = new->sgid = gid;
	else if (gid != new->gid && gid != new->sgid)
		return -EPERM;
	new->egid = new->fsgid = gid;
	return 0;
}

int credentials_setregid(struct credentials *new, uint32_t gid, uint32_t egid)
{
	const struct credentials old = *new;
	bool may = has_capability(&old, CAP_SETGID);

	if (gid != ID_NONE) {
		if (!may && gid != old.gid && gid != old.egid)
			return -EPERM;
		new->gid = gid;
	}
	if (egid != ID_NONE) {
		if (!may && egid != old.gid && egid != old.egid && egid != old.sgid)
			return -EPERM;
		new->egid = egid;
	}
	if (gid != ID_NONE || (egid != ID_NONE && egid != old.gid))
		new->sgid = new->egid;
	new->fsgid = new->egid;
	return 0;
}

int credentials_setresgid(struct credentials *new, uint32_t gid, uint32_t egid, uint32_t sgid)
{
	const struct credentials old = *new;

	if (!has_capability(&old, CAP_SETGID) &&
		!(one_of(gid, old.gid, old.egid, old.sgid) &&
			one_of(egid, old.gid, old.egid, old.sgid) &&
			one_of(sgid, old.gid, old.egid, old.sgid)))
		return -EPERM;
	new->gid = or_old(gid, old.gid);
	new->egid = or_old(egid, old.egid);
	new->sgid = or_old(sgid, old.sgid);
	new->fsgid = new->egid;
	return 0;
}

int credentials_setfsgid(struct credentials *new, uint32_t fsgid)
{
	if (!has_capability(new, CAP_SETGID) && fsgid != new->fsgid &&
		!one_of(fsgid, new->gid, new->egid, new->sgid))
		return -EPERM;
	new->fsgid = fsgid;
	return 0;
}

/* ---- Capabilities ---- */

static bool within(uint64_t set, uint64_t all)
{
	return !(set & ~all);
}

int credentials_setcaps(
	struct credentials *new, uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	if (!has_capability(new, CAP_SETPCAP) &&
		!within(inheritable, new->inheritable | new->permitted))
		return -EPERM;
	if (!within(inheritable, new->inheritable | new->bounding))
		return -EPERM;
	if (!within(permitted, new->permitted) || !within(effective, permitted))
		return -EPERM;
	new->effective = effective;
	new->permitted = permitted;
	new->inheritable = inheritable;
	new->ambient &= permitted &inheritable;
	return 0;
}

/* As Linux has it since 6.16: cap_bprm_creds_from_file. */
bool credentials_exec(struct credentials *new, uint32_t uid, uint32_t gid, unsigned unsafe)
{
	const struct credentials old = *new;
	bool root_gives = !secure(&old, SECURE_NOROOT), as_root, changed;

	new->euid = or_old(uid, old.euid);
	new->egid = or_old(gid, old.egid);
	as_root = root_gives && !new->euid;
	new->permitted = 0;
	if (root_gives && (!new->uid || !new->euid))
		new->permitted = new->bounding | new->inheritable;
	changed = new->euid != old.euid || !credentials_in_group(&old, new->egid);
	if (unsafe && (changed || !within(new->permitted, old.permitted))) {
		if (!has_capability(&old, CAP_SETUID) || unsafe & EXEC_NO_NEW_PRIVS) {
			new->euid = new->uid;
			new->egid = new->gid;
		}
		new->permitted &= old.permitted;
	}
	new->suid = new->fsuid = new->euid;
	new->sgid = new->fsgid = new->egid;
	if (changed)
		new->ambient = 0;
	new->permitted |= new->ambient;
	new->effective = as_root ? new->permitted : new->ambient;
	new->securebits &= ~(1u << SECURE_KEEP_CAPS);
	return changed || new->euid != new->uid || new->egid != new->gid ||
	       (new->uid && (as_root || new->permitted != new->ambient));
}

/* ---- Between processes ---- */

bool credentials_may_signal(const struct credentials *sender, const struct credentials *target)
{
	return sender->euid == target->suid || sender->euid == target->uid ||
	       sender->uid == target->suid || sender->uid == target->uid ||
	       has_capability(sender, CAP_KILL);
}

bool credentials_guarded(const struct credentials *old, const struct credentials *new)
{
	return old->euid != new->euid || old->egid != new->egid || old->fsuid != new->fsuid ||
	       old->fsgid != new->fsgid || !within(new->permitted, old->permitted);
}
