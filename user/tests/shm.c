/* SPDX-License-Identifier: MIT */
/* System V shared memory: shmget, shmat, shmdt, shmctl. */
#include <sys/ipc.h>
#include <sys/shm.h>

#include "cases.h"

#define SIZE 10000 /* three pages */
#define KEY  0x5eed0000

static long get(long key, size_t size, int flags)
{
	return kernel_call(SYS_shmget, key, size, flags);
}

static long attach(long id, const void *address, int flags)
{
	return kernel_call(SYS_shmat, id, address, flags);
}

static long detach(const void *address)
{
	return kernel_call(SYS_shmdt, address);
}

static long control(long id, int command, void *buffer)
{
	return kernel_call(SYS_shmctl, id, command, buffer);
}

static long make(void)
{
	long id = get(IPC_PRIVATE, SIZE, IPC_CREAT | 0600);

	WANT(id >= 0);
	return id;
}

static char *attached(long id)
{
	long address = attach(id, NULL, 0);

	WANT(address > 0);
	return (char *)address;
}

static struct shmid_ds status_of(long id)
{
	struct shmid_ds status;

	WANT_IS(control(id, IPC_STAT, &status), 0);
	return status;
}

static long attachments(long id)
{
	return (long)status_of(id).shm_nattch;
}

static void remove_it(long id)
{
	WANT_IS(control(id, IPC_RMID, NULL), 0);
}

/* A key that nobody else has: of this process. */
static long own_key(void)
{
	return KEY + getpid() % 0xffff;
}

static void get_by_key(void)
{
	long key = own_key(), id;

	WANT_IS(get(key, SIZE, 0600), -ENOENT);
	id = get(key, SIZE, IPC_CREAT | IPC_EXCL | 0600);
	WANT(id >= 0);
	WANT_IS(get(key, SIZE, IPC_CREAT | IPC_EXCL | 0600), -EEXIST);
	WANT_IS(get(key, SIZE, IPC_CREAT | 0600), id);
	WANT_IS(get(key, 0, 0), id);
	WANT_IS(get(key, 1, 0600), id);
	WANT_IS(get(key, SIZE + 1, 0600), -EINVAL);
	remove_it(id);
	WANT_IS(get(key, SIZE, 0600), -ENOENT);
}

static void get_errors(void)
{
	long key = own_key();

	WANT_IS(get(IPC_PRIVATE, 0, 0600), -EINVAL);
	WANT_IS(get(key, 0, IPC_CREAT | 0600), -EINVAL);
	WANT_IS(get(key, 0, 0600), -ENOENT);
	WANT_IS(get(IPC_PRIVATE, -1ul, 0600), -EINVAL);
	WANT_IS(get(IPC_PRIVATE, 1ul << 50, 0600), -ENOMEM);
}

static void shared_pages(void)
{
	long id = make();
	char *one = attached(id), *two = attached(id);
	pid_t pid;

	WANT(one != two);
	WANT_IS(one[0] | one[SIZE - 1], 0);
	one[SIZE - 1] = 'x';
	WANT_IS(two[SIZE - 1], 'x');
	WANT_IS(attachments(id), 2);
	pid = fork();
	if (pid == 0) {
		WANT_IS(attachments(id), 4);
		one[0] = 'c';
		_exit(0);
	}
	WANT_ENDS(pid, 0);
	WANT_IS(two[0], 'c');
	WANT_IS(attachments(id), 2);
	WANT_IS(detach(one), 0);
	WANT_IS(detach(one), -EINVAL);
	WANT_IS(attachments(id), 1);
	WANT_IS(detach(two), 0);
	one = attached(id); /* its content stays without attachments */
	WANT_IS(one[0], 'c');
	remove_it(id);
}

static void attach_errors(void)
{
	long id = make();
	char *at = attached(id);

	WANT_IS(attach(-1, NULL, 0), -EINVAL);
	WANT_IS(attach(0x7fffffff, NULL, 0), -EINVAL);
	WANT_IS(attach(id, at, 0), -EINVAL);
	WANT_IS(attach(id, at + 1, 0), -EINVAL);
	WANT_IS(attach(id, NULL, SHM_REMAP), -EINVAL);
	WANT_IS(attach(id, (void *)1, SHM_RND | SHM_REMAP), -EINVAL);
	WANT_IS(detach(at + 1), -EINVAL);
	WANT_IS(detach(at + 4096), -EINVAL);
	WANT_IS(detach(NULL), -EINVAL);
	WANT_IS(detach(&id), -EINVAL);
	remove_it(id);
	WANT_IS(detach(at), 0);
	WANT_IS(attach(id, NULL, 0), -EINVAL);
}

static void attach_places(void)
{
	long id = make();
	char *place = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	WANT(place != MAP_FAILED);
	place[0] = 'p';
	WANT_IS(attach(id, place, SHM_REMAP), place);
	WANT_IS(place[0], 0);
	WANT_IS(detach(place), 0);
	WANT_IS(munmap(place, 65536), 0);
	WANT_IS(attach(id, place + 8192 + 77, SHM_RND), place + 8192);
	WANT_IS(attachments(id), 1);
	WANT_IS(detach(place + 8192), 0);
	remove_it(id);
}

static void touch_read_only(void)
{
	long id = make();
	volatile char *at = (char *)attach(id, NULL, SHM_RDONLY);

	remove_it(id);
	WANT_IS(at[0], 0);
	WANT_IS(kernel_call(SYS_mprotect, at, 4096, PROT_READ | PROT_WRITE), -EACCES);
	at[0] = 1;
}

static void removed_while_attached(void)
{
	long key = own_key(), id = get(key, SIZE, IPC_CREAT | 0640);
	char *one = attached(id), *two;
	struct shmid_ds status;

	remove_it(id);
	WANT_IS(get(key, SIZE, 0600), -ENOENT);
	status = status_of(id);
	WANT_IS(status.shm_perm.mode, 01000 | 0640);
	one[1] = 'k';
	two = attached(id); /* by its id it can be had still */
	WANT_IS(two[1], 'k');
	WANT_IS(detach(one), 0);
	WANT_IS(attachments(id), 1);
	WANT_IS(two[1], 'k');
	WANT_IS(detach(two), 0);
	WANT_IS(control(id, IPC_STAT, &status), -EINVAL);
	WANT_IS(control(id, IPC_RMID, NULL), -EINVAL);
}

static void gone_by_exit(void)
{
	struct shmid_ds status;
	long id = make();
	pid_t pid = fork();

	if (pid == 0) {
		attached(id);
		remove_it(id);
		WANT_IS(attachments(id), 1);
		_exit(0);
	}
	WANT_ENDS(pid, 0);
	WANT_IS(control(id, IPC_STAT, &status), -EINVAL);
}

static void parts(void)
{
	long id = make();
	char *at = attached(id);

	WANT_IS(mprotect(at + 4096, 4096, PROT_READ), 0);
	WANT_IS(attachments(id), 3);
	WANT_IS(munmap(at, 4096), 0);
	WANT_IS(attachments(id), 2);
	WANT_IS(detach(at), 0); /* what is left of it */
	WANT_IS(attachments(id), 0);
	at = attached(id);
	WANT_IS(munmap(at, 3 * 4096), 0);
	WANT_IS(attachments(id), 0);
	remove_it(id);
}

static void status(void)
{
	time_t before = time(NULL);
	long key = own_key(), id = get(key, SIZE, IPC_CREAT | 0640);
	struct shmid_ds ds = status_of(id);

	WANT_IS(ds.shm_perm.__key, key);
	WANT_IS(ds.shm_perm.uid, geteuid());
	WANT_IS(ds.shm_perm.cgid, getegid());
	WANT_IS(ds.shm_perm.mode, 0640);
	WANT_IS(ds.shm_segsz, SIZE);
	WANT_IS(ds.shm_cpid, getpid());
	WANT_IS(ds.shm_lpid, 0);
	WANT_IS(ds.shm_nattch, 0);
	WANT_IS(ds.shm_atime, 0);
	WANT(ds.shm_ctime >= before - 1 && ds.shm_ctime <= before + 1000);
	WANT_IS(detach(attached(id)), 0);
	ds = status_of(id);
	WANT_IS(ds.shm_lpid, getpid());
	WANT(ds.shm_atime >= before - 1 && ds.shm_dtime >= ds.shm_atime);
	ds.shm_perm.mode = 07604;
	ds.shm_perm.gid = 77;
	WANT_IS(control(id, IPC_SET, &ds), 0);
	ds = status_of(id);
	WANT_IS(ds.shm_perm.mode, 0604);
	WANT_IS(ds.shm_perm.gid, 77);
	WANT_IS(ds.shm_perm.cgid, getegid());
	WANT_IS(control(id, SHM_LOCK, NULL), 0);
	WANT_IS(status_of(id).shm_perm.mode, 02604);
	WANT_IS(control(id, SHM_UNLOCK, NULL), 0);
	WANT_IS(status_of(id).shm_perm.mode, 0604);
	remove_it(id);
}

static void control_errors(void)
{
	long id = make();
	struct shmid_ds ds = status_of(id);

	WANT_IS(control(id, IPC_STAT, BAD), -EFAULT);
	WANT_IS(control(id, IPC_SET, BAD), -EFAULT);
	WANT_IS(control(0x7fffffff, IPC_SET, BAD), -EFAULT);
	WANT_IS(control(0x7fffffff, IPC_SET, &ds), -EINVAL);
	WANT_IS(control(-1, IPC_STAT, &ds), -EINVAL);
	WANT_IS(control(id, 99, &ds), -EINVAL);
	WANT_IS(control(id, -1, &ds), -EINVAL);
	ds.shm_perm.uid = -1;
	WANT_IS(control(id, IPC_SET, &ds), -EINVAL);
	remove_it(id);
	WANT_IS(control(id, IPC_RMID, NULL), -EINVAL);
	WANT_IS(control(id, IPC_STAT, &ds), -EINVAL);
}

static void rights(void)
{
	long key = own_key(), id = get(key, SIZE, IPC_CREAT | 0604), other = make();
	struct shmid_ds ds = status_of(id);
	pid_t pid = fork();

	if (pid == 0) {
		if (!become_nobody())
			_exit(0);
		WANT(attach(id, NULL, SHM_RDONLY) > 0);
		WANT_IS(attach(id, NULL, 0), -EACCES);
		WANT_IS(attach(id, NULL, SHM_RDONLY | SHM_EXEC), -EACCES);
		WANT_IS(attach(other, NULL, SHM_RDONLY), -EACCES);
		WANT_IS(get(key, SIZE, 0004), id);
		WANT_IS(get(key, SIZE, 0006), -EACCES);
		WANT_IS(get(key, SIZE, 0600), -EACCES);
		WANT_IS(control(id, IPC_STAT, &ds), 0);
		WANT_IS(control(other, IPC_STAT, &ds), -EACCES);
		WANT_IS(control(id, IPC_RMID, NULL), -EPERM);
		WANT_IS(control(id, IPC_SET, &ds), -EPERM);
		WANT_IS(control(id, SHM_LOCK, NULL), -EPERM);
		_exit(0);
	}
	WANT_ENDS(pid, 0);
	remove_it(id);
	remove_it(other);
}

static void infos(void)
{
	struct shminfo limits;
	struct shm_info info;
	struct shmid_ds ds;
	long id = make(), last = -1, other = -2;

	for (int i = 0; i < 1000 && other != last; i++) { /* others' come and go on a host */
		last = control(0, IPC_INFO, &limits);
		other = control(0, SHM_INFO, &info);
	}
	WANT(last >= 0);
	WANT_IS(limits.shmmin, 1);
	WANT_IS(limits.shmmni, 4096);
	WANT_IS(other, last);
	WANT(info.used_ids >= 1 && info.shm_tot >= 3);
	WANT_IS(control(id % 32768, SHM_STAT, &ds), id);
	WANT_IS(ds.shm_segsz, SIZE);
	WANT_IS(control(4095, SHM_STAT, &ds), -EINVAL);
	remove_it(id);
}

static void after_exec(void)
{
	long id = make();
	pid_t pid;

	attached(id);
	pid = start_role("nothing", NULL);
	WANT_IS(wait_status(pid), 0);
	WANT_IS(attachments(id), 1);
	remove_it(id);
}

static void ids_change(void)
{
	long first = make(), second;

	remove_it(first);
	second = make();
	WANT(second != first);
	remove_it(second);
}

static const struct test_case cases[] = {
	CASE(get_by_key, "shmget: by key: ENOENT, EEXIST, EINVAL"),
	CASE(get_errors, "shmget: sizes"),
	CASE(shared_pages, "shmat: the same pages twice, and in a child"),
	CASE(attach_errors, "shmat, shmdt: EINVAL"),
	CASE(attach_places, "shmat: SHM_REMAP, SHM_RND"),
	CASE_ENDS(touch_read_only, SIGSEGV, "shmat: SHM_RDONLY is not written"),
	CASE(removed_while_attached, "shmctl: IPC_RMID waits for the last one"),
	CASE(gone_by_exit, "exit: the last attachment takes the segment along"),
	CASE(after_exec, "execve: attachments go"),
	CASE(parts, "shmdt: what munmap and mprotect made of it"),
	CASE(status, "shmctl: IPC_STAT, IPC_SET, SHM_LOCK"),
	CASE(control_errors, "shmctl: EFAULT, EINVAL"),
	CASE(rights, "shm: EACCES, EPERM"),
	CASE(infos, "shmctl: IPC_INFO, SHM_INFO, SHM_STAT"),
	CASE(ids_change, "shmget: an id does not come again at once"),
};

static int nothing(int argc, char **argv)
{
	return 0;
}

static const struct role roles[] = {{"nothing", nothing}};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, roles, COUNT(roles), all);
}
