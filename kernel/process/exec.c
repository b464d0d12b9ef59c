/* SPDX-License-Identifier: MIT */
/*
 * execve: a new program in the running process. man 2 execve, execveat.
 *
 * Everything that can be refused is refused before the old program is touched: the file is opened,
 * its ELF read and checked, the new space built whole, its stack filled. Then the other threads of
 * the process are ended; only a fatal signal can come between. What follows is the commit, which
 * cannot fail: who executes takes the process's own id, credentials change, descriptors close, the
 * spaces change places, the registers are set.
 *
 * So the old program could be told of everything; but Linux maps segments when it is gone already, and
 * programs see the difference: where one cannot be mapped the process ends by SIGSEGV here, too (program->doomed).
 *
 * Ids: the thread that lives on is the leader, whoever it was before (man 2 execve, "Effect on
 * threads"). All others have left then, the old leader too, so its number is free to be taken.
 */
#include <asm/signal.h>
#include <linux/personality.h>
#include <linux/resource.h>

#include "devices/random.h"
#include "files/file.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "memory/space.h"
#include "process/core.h"
#include "process/credentials.h"
#include "process/current.h"
#include "process/exec.h"
#include "process/futex.h"
#include "process/process.h"
#include "process/ptrace.h"
#include "process/sched.h"
#include "vdso/vdso.h"

#define SCRIPT_DEPTH 5 /* #! interpreters of interpreters */
#define SCRIPT_LINE  256
#define SECURE_STACK (UINT64_C(8) << 20) /* RLIMIT_STACK of a program that trusts nobody */

/* ---- Scripts ---- */

/* "#! interpreter argument": the strings become interpreter, argument, path, argv[1...]. */
static int script_line(
	struct file *file, const char *path, struct exec_strings *strings, char *interpreter)
{
	char line[SCRIPT_LINE + 1], *start, *end, *argument;
	ssize_t got = file_read_at(file, line, SCRIPT_LINE, 0);
	char *text;
	size_t length, path_length = strlen(path) + 1;
	int error;

	if (got < 2 || line[0] != '#' || line[1] != '!')
		return -ENOEXEC;
	line[got] = 0;
	end = strchr(line, '\n');
	if (!end && got == SCRIPT_LINE)
		return -ENOEXEC; /* the interpreter's name may be cut off */
	if (end)
		*end = 0;
	else
		end = line + got;
	while (end > line && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = 0;
	for (start = line + 2; *start == ' ' || *start == '\t'; start++)
		;
	if (!*start)
		return -ENOEXEC;
	for (argument = start; *argument && *argument != ' ' && *argument != '\t'; argument++)
		;
	length = (size_t)(argument - start);
	memcpy(interpreter, start, length);
	interpreter[length] = 0;
	while (*argument == ' ' || *argument == '\t')
		argument++;
	text = kmalloc(length + 1 + strlen(argument) + 1 + path_length);
	if (!text)
		return -ENOMEM;
	memcpy(text, interpreter, length + 1);
	length++;
	if (*argument) {
		memcpy(text + length, argument, strlen(argument) + 1);
		length += strlen(argument) + 1;
	}
	memcpy(text + length, path, path_length);
	error = exec_strings_replace(strings, text, length + path_length, *argument ? 3 : 2);
	kfree(text);
	return error;
}

/* Follows #! lines to a program, and reads its ELF headers. program->file is the one found, or what
 * was open when it failed. */
static int find_program(struct program *program, bool hidden, struct exec_strings *strings)
{
	char name[2][SCRIPT_LINE];
	const char *path = program->name;
	int error;

	for (int depth = 0;; depth++) {
		struct file *interpreter;

		error = program_read_image(program->file, &program->image);
		if (!error)
			program->unreadable = !file_may_read(program->file);
		if (error != -ENOEXEC)
			return error;
		if (depth == SCRIPT_DEPTH)
			return -ELOOP;
		error = script_line(program->file, path, strings, name[depth & 1]);
		if (error)
			return error;
		if (hidden)
			return -ENOENT; /* the interpreter could not open it */
		error = program_open(name[depth & 1], &interpreter);
		if (error)
			return error;
		file_put(program->file);
		program->file = interpreter;
		path = name[depth & 1];
	}
}

/* ---- Credentials ---- */

struct sharers {
	const struct process *own;
	const struct fs_context *fs;
	bool found;
};

static void look_for_sharer(struct process *process, void *context) requires(process_lock)
{
	struct sharers *sharers = context;
	struct thread *thread;

	if (process == sharers->own)
		return;
	list_for_each(thread, &process->threads, siblings)
	{
		if (thread->fs == sharers->fs)
			sharers->found = true;
	}
}

/* Whether threads of other processes have the caller's root and working directory. */
static bool fs_shared_outside(void)
{
	struct thread *self = current_thread();
	struct sharers sharers = {.own = self->process, .fs = self->fs};

	if (!fs_context_shared(self->fs))
		return false;
	spin_lock(&process_lock);
	process_for_each(look_for_sharer, &sharers);
	spin_unlock(&process_lock);
	return sharers.found;
}

/* EXEC_*: the caller gave new rights up, or another process could change root or working directory under
 * the program's feet, or a tracer the program itself. */
static unsigned unsafe(void)
{
	return (current_thread()->no_new_privs ? EXEC_NO_NEW_PRIVS : 0) |
	       (fs_shared_outside() || ptrace_limits_exec() ? EXEC_WATCHED : 0);
}

/* From when it is asked who traces the thread until the new credentials are in force nobody else may begin to. */
static void set_gaining(bool gaining)
{
	spin_lock(&process_lock);
	current_thread()->gaining = gaining;
	spin_unlock(&process_lock);
}

/* What the new program's credentials are: the same, or a changed copy. */
static int choose_credentials(struct program *program)
{
	const struct credentials *old = current_credentials();
	struct credentials next = *old, *copy;
	uint32_t uid = ID_NONE, gid = ID_NONE;

	if (!current_thread()->no_new_privs)
		file_set_ids(program->file, &uid, &gid);
	(void)credentials_exec(&next, uid, gid, 0);
	if (memcmp(&next, old, sizeof(next)) != 0)
		set_gaining(true);
	next = *old;
	program->unsafe = unsafe();
	program->secure = credentials_exec(&next, uid, gid, program->unsafe);
	program->credentials = old;
	if (!memcmp(&next, old, sizeof(next)))
		return 0;
	copy = credentials_copy(old);
	if (!copy)
		return -ENOMEM;
	next.references = 1;
	memcpy(copy, &next, sizeof(next));
	program->credentials = copy;
	return 0;
}

static void drop_credentials(struct program *program)
{
	if (program->credentials && program->credentials != current_credentials())
		credentials_put(program->credentials);
}

/* ---- Alone in the process ---- */

/* Ends all other threads and waits until they are gone. -EAGAIN: another one ends this one. */
static int end_others(struct process *process, struct thread *self)
{
	struct wait_queue nobody;
	struct waiter waiter;
	bool lost;

	spin_lock(&process_lock);
	lost = process->exiting || process->exec;
	if (!lost && process->thread_count > 1) {
		process->exec = self;
		signal_end_others();
	}
	spin_unlock(&process_lock);
	wait_queue_init(&nobody);
	while (!lost && __atomic_load_n(&process->thread_count, __ATOMIC_ACQUIRE) > 1) {
		wait_prepare(&nobody, &waiter); /* the last to leave wakes process->exec */
		if (__atomic_load_n(&process->thread_count, __ATOMIC_ACQUIRE) > 1 &&
			!signal_kill_pending())
			wait_sleep_uninterruptible();
		wait_finish(&nobody, &waiter);
		lost = signal_kill_pending();
	}
	spin_lock(&process_lock);
	if (process->exec == self)
		process->exec = NULL;
	spin_unlock(&process_lock);
	return lost ? -EAGAIN : 0;
}

/* The only thread left takes the place of the leader that ended. The number that it had, for
 * pid_put; NULL: it was the leader. */
static struct pid *take_lead(struct process *process, struct thread *self) requires(process_lock)
{
	struct pid *old = self->pid;

	if (process->leader == self)
		return NULL;
	assert(!process->leader && process->thread_count == 1);
	pid_get(process->pid);
	self->pid = process->pid;
	self->tid = process->id;
	process->pid->thread = self;
	process->leader = self;
	ptrace_leader_replaced(process);
	old->thread = NULL;
	pid_release(old);
	limits_thread_end(process->credentials->user);
	credentials_put(process->credentials);
	process->credentials = NULL;
	return old;
}

/* ---- The whole ---- */

static void change_name(struct thread *self, const char *path)
{
	const char *slash = strrchr(path, '/');

	string_copy(self->name, slash ? slash + 1 : path, NAME_SIZE);
	memcpy(self->process->name, self->name, NAME_SIZE);
}

/* The ids and what hangs on them. */
static void commit_credentials(struct program *program)
{
	const struct credentials *old = current_credentials(), *new = program->credentials;
	struct thread *self = current_thread();
	struct process *process = self->process;

	if (new != old)
		credentials_set((struct credentials *)new);
	spin_lock(&process_lock);
	self->gaining = false;
	process->dumpable = !program->unreadable && new->euid == new->uid &&new->egid == new->gid
				    ? 1
				    : suid_dumpable();
	if (program->secure) {
		self->parent_death_signal = 0;
		self->personality &= ~(uint32_t)PER_CLEAR_ON_SETID;
		if (process->limits[RLIMIT_STACK].soft > SECURE_STACK)
			process->limits[RLIMIT_STACK].soft = SECURE_STACK;
	}
	spin_unlock(&process_lock);
}

/* files: the thread's own table from now on; NULL: the one it has. */
static void commit(struct program *program, struct files *files)
{
	struct thread *self = current_thread();
	struct process *process = self->process;
	struct space *old = process->space;
	struct file *old_file;
	struct pid *old_pid;

	if (files) {
		struct files *shared = self->files;

		spin_lock(&process_lock); /* for who looks at other threads' */
		self->files = files;
		spin_unlock(&process_lock);
		files_put(shared);
	}
	files_close_on_exec(self->files);
	commit_credentials(program);
	spin_lock(&process_lock); /* for who looks at other processes */
	old_pid = take_lead(process, self);
	change_name(self, program->name);
	old_file = process->program;
	process->program = program->file;
	if (old)
		usage_saw_space(&process->usage, old);
	process->space = program->space;
	process->has_executed = true;
	process->execs++;
	process->exit_signal = SIGCHLD;
	spin_unlock(&process_lock);
	arch_space_use(&program->space->arch);
	arch_user_start(self, program->entry, program->stack);
	signal_exec();
	process_timers_exec();
	process_vfork_done(self);
	if (old_pid)
		pid_put(old_pid);
	if (old_file)
		file_put(old_file);
	if (old)
		space_put(old);
}

/* Builds the new space. */
static int build(struct program *program, bool hidden, struct exec_strings *strings)
{
	int error = find_program(program, hidden, strings);
	long vdso;

	if (!error)
		error = choose_credentials(program);
	if (error)
		return error;
	program->space = space_create();
	error = program->space ? program_load(program) : -ENOMEM;
	if (error)
		return error;
	vdso = vdso_map(program->space, program_random(program, 26));
	program->vdso = vdso < 0 ? 0 : (uintptr_t)vdso;
	return vdso < 0 ? (int)vdso : program_build_stack(program, strings);
}

static int change(struct program *program)
{
	struct thread *self = current_thread();
	struct files *files = NULL;
	int error = signal_exec_prepare();

	if (!error)
		error = end_others(self->process, self);
	/* Another thread may have made a process since that shares the directories. */
	if (!error && program->credentials != current_credentials() && !program->unsafe &&
		fs_shared_outside())
		error = -EAGAIN;
	/* Alone, so that only other processes can share what is copied now. */
	if (!error && files_shared(self->files)) {
		files = files_copy(self->files);
		if (!files)
			error = -ENOMEM;
	}
	if (error)
		return error;
	futex_thread_exit(self);
	commit(program, files);
	return 0;
}

int exec_randomize = 2;

/* All that the new program needs, at once: the generator works in pieces of 32 bytes. */
static void take_random(struct program *program)
{
	uint8_t bytes[sizeof(program->random) + sizeof(program->seed)];

	random_bytes(bytes, sizeof(bytes));
	memcpy(program->random, bytes, sizeof(program->random));
	memcpy(program->seed, bytes + sizeof(program->random), sizeof(program->seed));
}

int process_exec(struct file *file, const char *name, bool hidden, struct exec_strings *strings)
{
	struct program program = {.file = file, .name = name};
	int error = 0, old_tid = current_thread()->tid;

	take_random(&program);
	program.fixed = current_thread()->personality & ADDR_NO_RANDOMIZE ||
			!__atomic_load_n(&exec_randomize, __ATOMIC_RELAXED);
	if (current_thread()->user_exceeded && limits_user_exceeded())
		error = -EAGAIN;
	current_thread()->user_exceeded = false;
	if (!error)
		error = exec_strings_add_name(strings, name);
	if (!error)
		error = build(&program, hidden, strings);
	if (!error)
		error = change(&program);
	kfree(program.image.segments);
	if (!error) {
		ptrace_exec(old_tid);
		return 0;
	}
	if (current_thread()->gaining)
		set_gaining(false);
	if (program.doomed)
		signal_end_all(current_process(), SIGSEGV);
	drop_credentials(&program);
	if (program.space)
		space_put(program.space);
	file_put(program.file);
	return error;
}
