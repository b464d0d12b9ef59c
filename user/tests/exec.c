/* SPDX-License-Identifier: MIT */
/*
 * execve and execveat: which files they take (ELF with and without an interpreter, scripts), by
 * which names, what the new program gets as arguments, and every refusal.
 */
#include <sys/resource.h>
#include <sys/stat.h>

#include "cases.h"
#include "elf_file.h"

#define AT_EMPTY_PATH_ 0x1000

static char made[64]; /* the file that a case makes; gone again after all */
static char made_directory[80];
static char *const no_arguments[] = {"name", NULL};

static const char *make(const char *text, unsigned int mode)
{
	int fd;

	unlink(made);
	fd = open(made, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	WANT(fd >= 0);
	WANT_IS(write(fd, text, strlen(text)), strlen(text));
	WANT_IS(fchmod(fd, mode), 0);
	close(fd);
	return made;
}

static long exec(const char *path, char *const argv[])
{
	return kernel_call(SYS_execve, path, argv, environ);
}

/* The wait status of a child that executes it, or the negative errno. */
static long run(const char *path, char *const argv[])
{
	pid_t pid = spawn(path, argv, environ);

	return pid < 0 ? pid : ended(pid);
}

/* ---- What the programs check that cases run ---- */

/* #!SELF --script one two: argv is SELF, the rest of the line as one, the script's path, "x y". A
 * script that interprets others is followed by their paths. */
static int script_role(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "--script one two") == 0)
		return strcmp(argv[3], "x y") == 0 && strstr(argv[2], "/baton-exec-") ? 30 : 34;
	if (argc == 2)
		return 31;
	return strstr(argv[1], "/baton-exec-") ? 40 + argc : 35;
}

static int code_role(int argc, char **argv)
{
	return argc > 0 ? atoi(argv[0]) : 0;
}

static char *const code_33[] = {"any", "--role", "code", "33", NULL};

/* ---- ELF ---- */

static void by_relative_path(void)
{
	char path[PATH_MAX], *slash;

	WANT(realpath(check.self, path));
	slash = strrchr(path, '/');
	*slash = 0;
	WANT_IS(chdir(path), 0);
	WANT_IS(run(slash + 1, code_33), EXITED(33));
}

static void by_symlink(void)
{
	char path[PATH_MAX];

	WANT(realpath(check.self, path));
	unlink(made);
	WANT_IS(symlink(path, made), 0);
	WANT_IS(run(made, code_33), EXITED(33));
}

static void symlink_loop(void)
{
	unlink(made);
	WANT_IS(symlink(made, made), 0);
	WANT_IS(exec(made, no_arguments), -ELOOP);
}

static void no_argv(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		exec(check.self, NULL); /* runs all tests: none, since the name is missing */
		_exit(99);
	}
	WANT_ENDS(pid, EXITED(77));
}

/* Code of the interpreter: goes to AT_ENTRY; and of the program: exits with 43. */
extern const char interpreter_code[], interpreter_end[], program_code[], program_end[];
__asm__(".section .rodata\n"
	"interpreter_code:\n"
	"	mov (%rsp), %rcx\n"
	"	lea 16(%rsp,%rcx,8), %rsi\n"
	"1:	lodsq\n"
	"	test %rax, %rax\n"
	"	jnz 1b\n"
	"2:	lodsq\n"
	"	cmp $9, %rax\n" /* AT_ENTRY */
	"	lodsq\n"
	"	jne 2b\n"
	"	jmp *%rax\n"
	"interpreter_end:\n"
	"program_code:\n"
	"	mov $43, %edi\n"
	"	mov $60, %eax\n"
	"	syscall\n"
	"program_end:\n"
	".text\n");

static struct elf_file elf;

static void make_program(const char *interpreter, size_t length)
{
	static char path[64];

	elf_simple(&elf, program_code, (size_t)(program_end - program_code));
	memcpy(elf.bytes + 0x300, interpreter, length);
	elf.segment[1] = elf.segment[0];
	elf.segment[0] = (Elf64_Phdr){.p_type = PT_INTERP,
		.p_flags = PF_R,
		.p_offset = 0x300,
		.p_vaddr = ELF_BASE + 0x300,
		.p_filesz = length,
		.p_memsz = length,
		.p_align = 1};
	elf.header.e_phnum = 2;
	elf_write(&elf, path, sizeof path, 0755);
	unlink(made);
	WANT_IS(rename(path, made), 0);
}

/* Moves the file to a name of its own, which is what it is then. */
static const char *aside(const char *path)
{
	static char name[80];

	snprintf(name, sizeof name, "%s.aside", made);
	WANT_IS(rename(path, name), 0);
	return name;
}

static void interpreted(void)
{
	char path[64];
	const char *interpreter;

	elf_simple(&elf, interpreter_code, (size_t)(interpreter_end - interpreter_code));
	elf.header.e_type = ET_DYN;
	elf.header.e_entry = ELF_CODE;
	elf.segment[0].p_vaddr = 0;
	elf.size = 4096; /* a whole page: Linux before 6.6 zeroes the rest of it, writable or not */
	elf.segment[0].p_filesz = elf.segment[0].p_memsz = elf.size;
	elf_write(&elf, path, sizeof path, 0755);
	interpreter = aside(path);
	make_program(interpreter, strlen(interpreter) + 1);
	WANT_IS(run(made, no_arguments), EXITED(43));
	WANT_IS(chmod(interpreter, 0644), 0);
	WANT_IS(run(made, no_arguments), -EACCES);
	unlink(interpreter);
	WANT_IS(run(made, no_arguments), -ENOENT);
}

static void interpreter_bad(void)
{
	const char *text;

	make_program("/dev", 5);
	WANT_IS(run(made, no_arguments), -EACCES);
	make_program("/dev/null/x", 12);
	WANT_IS(run(made, no_arguments), -ENOTDIR);
	make_program("/nul", 4);
	WANT_IS(run(made, no_arguments), -ENOEXEC);
	make("#! a text of more bytes than an ELF header has, and not an ELF file at all\n", 0755);
	text = aside(made);
	make_program(text, strlen(text) + 1);
	WANT_IS(run(made, no_arguments), -ELIBBAD);
	unlink(text);
}

/* ---- Scripts ---- */

static const char *script(const char *format, const char *path)
{
	static char text[PATH_MAX + 100];
	char full[PATH_MAX];

	WANT(realpath(path, full));
	snprintf(text, sizeof text, format, full);
	return text;
}

static void script_arguments(void)
{
	char *const argv[] = {"lost", "x y", NULL};

	make(script("#! \t%s \t--script one two  \nrest\n", check.self), 0755);
	WANT_IS(run(made, argv), EXITED(30));
}

static void script_plain(void)
{
	make(script("#!%s\n", check.self), 0755);
	WANT_IS(run(made, no_arguments), EXITED(31));
}

static void script_without_newline(void)
{
	make(script("#!%s", check.self), 0755);
	WANT_IS(run(made, no_arguments), EXITED(31));
}

static void script_refused(void)
{
	char text[400] = "#!/";

	memset(text + 3, 'x', 300);
	WANT_IS(exec(make(text, 0755), no_arguments), -ENOEXEC);
	WANT_IS(exec(make("#!  \n", 0755), no_arguments), -ENOEXEC);
	WANT_IS(exec(make("#!/no/such/file\n", 0755), no_arguments), -ENOENT);
	WANT_IS(exec(make("#!/\n", 0755), no_arguments), -EACCES);
	WANT_IS(exec(make(script("#!%s\n", check.self), 0644), no_arguments), -EACCES);
	WANT_IS(exec(make(script("#!%s/x\n", check.self), 0755), no_arguments), -ENOTDIR);
}

/* Scripts that interpret each other: made.1 by made.2 and so on, the last by this program. */
static long chain(int count)
{
	char path[80], text[100];
	long result;

	for (int i = count; i > 0; i--) {
		snprintf(path, sizeof path, "%s.%d", made, i);
		snprintf(text, sizeof text, "#!%s.%d\n", made, i + 1);
		make(i == count ? script("#!%s\n", check.self) : text, 0755);
		WANT_IS(rename(made, path), 0);
	}
	result = run(path, no_arguments);
	for (int i = 1; i <= count; i++) {
		snprintf(path, sizeof path, "%s.%d", made, i);
		unlink(path);
	}
	return result;
}

static void script_depth(void)
{
	WANT_IS(chain(2), EXITED(43));
	WANT_IS(chain(5), EXITED(46));
	WANT_IS(chain(6), -ELOOP);
}

/* ---- Refusals ---- */

static void busy_text(void)
{
	int fd;

	make(script("#!%s\n", check.self), 0755);
	fd = open(made, O_RDWR);
	WANT_IS(exec(made, no_arguments), -ETXTBSY);
	close(fd);
	WANT_IS(run(made, no_arguments), EXITED(31));
	WANT_IS(kernel_call(SYS_open, check.self, O_WRONLY), -ETXTBSY);
	WANT_IS(kernel_call(SYS_open, check.self, O_RDONLY | O_TRUNC), -ETXTBSY);
	WANT_IS(kernel_call(SYS_truncate, check.self, 0), -ETXTBSY);
}

static void arguments_and_stack_limit(void)
{
	static char text[100000];
	char *argv[] = {"any", "--role", "code", "33", text, text, text, NULL};
	struct rlimit limit = {1 << 20, 8 << 20};

	memset(text, 'a', sizeof text - 1);
	WANT_IS(run(check.self, argv), EXITED(33));
	WANT_IS(setrlimit(RLIMIT_STACK, &limit), 0);
	WANT_IS(run(check.self, argv), -E2BIG);
	argv[5] = NULL; /* 128 KiB are always allowed */
	WANT_IS(run(check.self, argv), EXITED(33));
}

static void no_permission(void)
{
	char path[100];

	WANT_IS(exec(make(script("#!%s\n", check.self), 0), no_arguments), -EACCES);
	make(script("#!%s\n", check.self), 0700);
	WANT_IS(mkdir(made_directory, 0700), 0);
	snprintf(path, sizeof path, "%s/x", made_directory);
	if (become_nobody()) {
		WANT_IS(exec(made, no_arguments), -EACCES);
		WANT_IS(exec(path, no_arguments), -EACCES);
	}
}

static void special_files(void)
{
	WANT_IS(exec("/dev/null", no_arguments), -EACCES);
	unlink(made);
	WANT_IS(mkfifo(made, 0755), 0);
	WANT_IS(exec(made, no_arguments), -EACCES);
}

/* ---- execveat ---- */

static long execveat_raw(int fd, const char *path, int flags)
{
	pid_t pid = fork();
	long result;

	if (pid == 0) {
		result = kernel_call(SYS_execveat, fd, path, code_33, environ, flags);
		_exit(100 + (int)-result % 100);
	}
	return ended(pid);
}
#define EXECVEAT_FAILED(error) EXITED(100 + (error) % 100)

static void execveat_names(void)
{
	char path[PATH_MAX], *slash;
	int fd, directory;

	WANT(realpath(check.self, path));
	slash = strrchr(path, '/');
	fd = open(path, O_PATH | O_CLOEXEC);
	*slash = 0;
	directory = open(slash == path ? "/" : path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	WANT(fd >= 0 && directory >= 0);
	WANT_IS(execveat_raw(directory, slash + 1, 0), EXITED(33));
	WANT_IS(execveat_raw(fd, "", AT_EMPTY_PATH_), EXITED(33));
	*slash = '/';
	WANT_IS(execveat_raw(-1, path, 0), EXITED(33));
	WANT_IS(execveat_raw(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW), EXITED(33));
}

static void execveat_errors(void)
{
	int fd = open(check.self, O_RDONLY);
	char path[PATH_MAX];

	WANT_IS(execveat_raw(-1, "x", 0), EXECVEAT_FAILED(EBADF));
	WANT_IS(execveat_raw(999, "", AT_EMPTY_PATH_), EXECVEAT_FAILED(EBADF));
	WANT_IS(execveat_raw(fd, "x", 0), EXECVEAT_FAILED(ENOTDIR));
	WANT_IS(execveat_raw(fd, "", 0), EXECVEAT_FAILED(ENOENT));
	WANT_IS(execveat_raw(fd, "", AT_EMPTY_PATH_ | 1), EXECVEAT_FAILED(EINVAL));
	WANT(realpath(check.self, path));
	unlink(made);
	WANT_IS(symlink(path, made), 0);
	WANT_IS(execveat_raw(AT_FDCWD, made, AT_SYMLINK_NOFOLLOW), EXECVEAT_FAILED(ELOOP));
}

static void execveat_script(void)
{
	int fd;

	make(script("#!%s\n", check.self), 0755);
	fd = open(made, O_RDONLY | O_CLOEXEC);
	WANT_IS(execveat_raw(fd, "", AT_EMPTY_PATH_), EXECVEAT_FAILED(ENOENT));
}

static const struct test_case cases[] = {
	CASE(by_relative_path, "execve: a relative path"),
	CASE(by_symlink, "execve: through a symbolic link"),
	CASE(symlink_loop, "execve: a link to itself: ELOOP"),
	CASE(no_argv, "execve: argv NULL: the program gets one empty argument"),
	CASE(interpreted, "execve: PT_INTERP runs, finds the program by AT_ENTRY; EACCES, ENOENT"),
	CASE(interpreter_bad,
		"execve: PT_INTERP is a directory, below a file, unterminated, no ELF"),
	CASE(script_arguments, "#!: interpreter, the rest as one argument, path, arguments"),
	CASE(script_plain, "#! without an argument"),
	CASE(script_without_newline, "#! that ends with the file"),
	CASE(script_refused, "#!: too long, empty, interpreter missing, a directory, no x bit"),
	CASE(script_depth, "#!: five scripts deep run, six: ELOOP"),
	CASE(busy_text, "ETXTBSY: a file open for writing is not run, a running one not written"),
	CASE(arguments_and_stack_limit, "E2BIG: a quarter of RLIMIT_STACK, but at least 128 KiB"),
	CASE(no_permission, "EACCES: no x bit for anybody, for others, directory closed"),
	CASE(special_files, "EACCES: a device, a FIFO"),
	CASE(execveat_names, "execveat: relative to a directory, AT_EMPTY_PATH, absolute"),
	CASE(execveat_errors, "execveat: EBADF, ENOTDIR, ENOENT, EINVAL, ELOOP"),
	CASE(execveat_script, "execveat: a script by a close-on-exec descriptor: ENOENT"),
};

static void all(int argc, char **argv)
{
	snprintf(made, sizeof made, "/tmp/baton-exec-%d", getpid());
	snprintf(made_directory, sizeof made_directory, "%s.d", made);
	run_cases(cases, COUNT(cases), argc, argv);
	unlink(made);
	rmdir(made_directory);
}

int main(int argc, char **argv)
{
	static const struct role roles[] = {{"code", code_role}};

	if (argc < 2 && !argv[0][0])
		return 77; /* no_argv */
	if (argc > 1 && (strncmp(argv[1], "--script", 8) == 0 || strstr(argv[1], "/baton-exec-")))
		return script_role(argc, argv);
	return check_main(argc, argv, roles, COUNT(roles), all);
}
