# SPDX-License-Identifier: MIT
"""Programs that nobody here wrote: Debian's, dynamic and unchanged, with the libraries that they have on this host.

Shells, interpreters, threads of glibc, Go and Rust, strace and gdb. What they print is compared with the host's
where it is the same in every run; gdb's words are told here. BATON_ON=linux runs them on Debian's kernel in the
same machine.
"""
import os
import re
import subprocess

import harness
from command import program
from harness import check, guest, run_program

PYTHON = "/usr/bin/python3"
SHELL = "/bin/bash"
ENVIRONMENT = {"HOME": "/", "PATH": "/usr/bin:/bin", "TERM": "linux"}  # on the host, as inside
# What gdb takes by name when it is there: thread debugging; conversion of its own strings.
GDB_FILES = ["/lib/x86_64-linux-gnu/libthread_db.so.1", "/usr/share/gdb/python",
             "/usr/lib/x86_64-linux-gnu/gconv/UTF-32.so", "/usr/lib/x86_64-linux-gnu/gconv/gconv-modules",
             "/usr/lib/x86_64-linux-gnu/gconv/gconv-modules.cache"]
# The files of all modules that are loaded by now.
LOADED = r"""
import sys
for module in list(sys.modules.values()):
    if getattr(module, "__file__", None):
        print("module", module.__file__)
"""


def _adds(*paths, files=()):
    """--add for programs (host path, or host path:guest path) with their libraries, and for files as they are."""
    wanted = {}
    for text in paths:
        host, _, inside = text.partition(":")
        host = os.path.realpath(program.find(host))
        wanted[inside or (text if text.startswith("/") else f"/usr/bin/{text}")] = host
        wanted.update({library: library for library in program.libraries(host)})
    wanted.update({path: path for path in files if os.path.exists(path)})
    return [f"{os.path.realpath(host)}:{inside}" for inside, host in wanted.items()]


def _modules(words, folder):
    """The files of the Python modules that a command loads; it ends with LOADED."""
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True, cwd=folder,
                          timeout=harness.SECONDS, env=ENVIRONMENT)
    return [line.partition(" ")[2] for line in done.stdout.split("\n") if line.startswith("module ")]


def _host(script, folder):
    """What the script prints here."""
    done = subprocess.run([SHELL, str(script)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, cwd=folder,
                          stderr=subprocess.DEVNULL, timeout=harness.SECONDS, check=False,
                          env=ENVIRONMENT)
    check(done.returncode == 0, f"on the host the script ended with {done.returncode}")
    return done.stdout.decode(errors="replace")


def _baton(script, adds):
    """What it prints inside."""
    result = run_program(SHELL, ["/work/script"], adds=[*adds, f"{script}:/work/script"], mem=1024, seconds=4 * harness.SECONDS)
    text, errors = (stream.decode(errors="replace") for stream in (result.stdout, result.stderr))
    check(result.code == 0, f"the script ended with {result.code}:\n{text[-4000:]}\n{errors[-2000:]}")
    return text, errors


def _parts(text):
    """{name: what was printed behind the line `== name`}"""
    words = re.split(r"^== (.*)\n", text, flags=re.M)
    return dict(zip(words[1::2], words[2::2]))


def _compiled(folder, name, source, *options):
    """A dynamic program of one C file by the host's gcc; its path."""
    path = folder / f"{name}.c"
    path.write_text(source, encoding="utf-8")
    subprocess.run(["gcc", "-O1", *options, "-o", str(folder / name), path.name], check=True, cwd=folder)
    return folder / name


def _compare(expected, found, errors):
    """Parts that must be the same."""
    check(expected, "the script has no parts")
    for name, text in expected.items():
        check(found.get(name) == text, f"{name}: the host prints\n{text}\nand Baton\n{found.get(name)}\n{errors[-2000:]}")


# ---- Shells, interpreters, tools, threads ----

PTHREADS = r"""
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t shared = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t start;
static pthread_key_t key;
static sem_t ended;
static long sum;
static int destroyed;
static __thread long mine;

static void destroy(void *value)
{
	__atomic_add_fetch(&destroyed, 1, __ATOMIC_SEQ_CST);
}

static void *body(void *argument)
{
	mine = (long)argument;
	pthread_setspecific(key, argument);
	pthread_barrier_wait(&start);
	for (int i = 0; i < 1000; i++) {
		pthread_mutex_lock(&lock);
		sum += mine;
		pthread_mutex_unlock(&lock);
		if (i % 100 == 0) {
			pthread_rwlock_rdlock(&shared);
			pthread_rwlock_unlock(&shared);
		}
	}
	sem_post(&ended);
	return (void *)(2 * mine);
}

static void *forever(void *unused)
{
	for (;;)
		nanosleep(&(struct timespec){1, 0}, NULL);
}

int main(void)
{
	pthread_t threads[8], loop;
	struct timespec now;
	long doubled = 0;
	void *result;
	int error;

	sem_init(&ended, 0, 0);
	pthread_key_create(&key, destroy);
	pthread_barrier_init(&start, NULL, 9);
	for (long i = 0; i < 8; i++)
		pthread_create(&threads[i], NULL, body, (void *)(i + 1));
	pthread_barrier_wait(&start);
	for (int i = 0; i < 8; i++)
		sem_wait(&ended);
	for (int i = 0; i < 8; i++) {
		pthread_join(threads[i], &result);
		doubled += (long)result;
	}
	pthread_create(&loop, NULL, forever, NULL);
	pthread_cancel(loop);
	pthread_join(loop, &result);
	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec++;
	pthread_mutex_lock(&lock);
	error = pthread_cond_timedwait(&never, &lock, &now);
	printf("%ld %ld %d %d %d\n", sum, doubled, destroyed, result == PTHREAD_CANCELED, error == ETIMEDOUT);
	return 3;
}
"""
PYTHON_PROGRAM = r"""
import subprocess, sys, tempfile, threading
found = []
def add(i):
    found.append(i * i)
threads = [threading.Thread(target=add, args=(i,)) for i in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(sorted(found), sys.version_info[:2])
done = subprocess.run(["sh", "-c", "read x; echo got $x; exit 4"], input="words\n", capture_output=True, text=True)
print(done.stdout.strip(), done.returncode)
with tempfile.TemporaryFile() as file:
    file.write(b"12345"); file.seek(2)
    print(file.read())
try:
    subprocess.run(["sleep", "100"], timeout=0.2)
except subprocess.TimeoutExpired:
    print("timed out")
"""
TOOLS_SCRIPT = r"""
export PATH=/usr/bin:/bin; cd "${0%/*}"
echo "== sort"
printf '%s\n' pear apple fig apple | sort -ru
seq 20000 | sort -R --parallel=4 -S 1M | sort -n | tail -1
echo "== bash"
a=(1 2 3); echo "${a[@]}" $((2**40)) ${BASH_VERSINFO[0]}
for i in 1 2 3; do echo $i; done | while read x; do echo "got $x"; done
(exit 5); echo $?
cat <<< here
diff <(echo 1; echo 2) <(echo 1; echo 3)
trap 'echo trapped' USR1; kill -USR1 $$
sleep 100 & kill %1; wait $!; echo $?
coproc cat; echo through >&${COPROC[1]}; read x <&${COPROC[0]}; echo $x
echo "== perl"
perl -e 'my %h = (a => 1, b => 2); print join(",", map {"$_=$h{$_}"} sort keys %h), "\n";
	my $p = fork; exit 7 unless $p; waitpid $p, 0; print $? >> 8, "\n", `echo sub`;
	$SIG{ALRM} = sub { print "alarm\n" }; alarm 1; select undef, undef, undef, 30;
	open my $f, "-|", "seq 3" or die; print sort {$b <=> $a} <$f>;'
echo "== glibc's threads"
./pthreads; echo $?
echo "== Rust's threads"
mkdir -p t/a/b; touch t/a/x.c t/a/b/y.c t/z.h
fdfind -I -j 4 -e c . t | sort; fdfind -I -x echo {/} \; . t/a | sort
echo "== python"
python3 -c "$PROGRAM"; echo $?
"""


def _quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


def tools():
    """One boot: sort, bash, perl, python3, a program with glibc's threads, one of Rust."""
    with guest.private_folder() as folder:
        threads = _compiled(folder, "pthreads", PTHREADS)
        script = folder / "script"
        script.write_text(f"PROGRAM={_quoted(PYTHON_PROGRAM)}\n{TOOLS_SCRIPT}", encoding="utf-8")
        modules = _modules([PYTHON, "-c", PYTHON_PROGRAM + LOADED], folder)
        expected = _parts(_host(script, folder))
        found, errors = _baton(script, _adds(
            "sort", "seq", "diff", "cat", "tail", "sleep", "mkdir", "touch", "perl", "fdfind", PYTHON, "/bin/sh",
            f"{threads}:/work/pthreads", files=modules))
        _compare(expected, _parts(found), errors)


# ---- Debuggers ----

FORKS = r"""
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void)
{
	for (int i = 0; i < 3; i++) {
		int status, pid = fork();
		if (pid == 0) {
			printf("child %d\n", i);
			if (i == 2)
				abort();
			exit(i);
		}
		waitpid(pid, &status, 0);
	}
	return execl("/bin/true", "true", NULL);
}
"""
DEBUGGED = r"""#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static int counter, waiting;
static int twice(int x)
{
	int result = x * 2;
	return result;
}
static void *body(void *unused)
{
	__atomic_add_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
	for (;;)
		pause();
}
static void threads_here(void)
{
	counter++;
}
int main(int argc, char **argv)
{
	pthread_t threads[2];
	counter = 1;
	counter = twice(counter);
	counter = twice(counter);
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, body, NULL);
	while (__atomic_load_n(&waiting, __ATOMIC_SEQ_CST) < 2)
		usleep(1000);
	threads_here();
	abort();
}
"""
STRACE_PART = r"""
export PATH=/usr/bin:/bin; cd "${0%/*}"
echo "== strace"
ulimit -c 0
strace -ff -e trace=process,write,tgkill -o trace ./forks; echo $?
for name in $(ls -v trace.*); do echo "file"; cat $name; done
"""
# A word behind `-ex` each; then what must come, in this order.
GDB_WORDS = ["break twice", "run", "backtrace", "print x", "info frame", "finish", "watch counter", "continue", "stepi",
             "continue", "delete", "hbreak threads_here", "continue", "info threads", "thread apply all backtrace",
             "stepi", "info registers rip", "next", "print counter", "print twice(21)", "info auxv",
             "info proc mappings", "continue", "backtrace", "kill"]
GDB_EXPECTED = [
    r"^Breakpoint 1 at 0x[0-9a-f]+: file debugged.c, line 8\.$", r"^Breakpoint 1, twice \(x=1\) at debugged.c:8$",
    r"^#0  twice \(x=1\) at debugged.c:8$", r"^#1  0x0000[0-9a-f]{12} in main \(argc=1, .*\) at debugged.c:25$",
    r"^\$1 = 1$", r"rip = 0x[0-9a-f]+ in twice", r"^Value returned is \$2 = 2$", r"^Hardware watchpoint 2: counter$",
    r"^Old value = 1\nNew value = 2$", r"^Breakpoint 1, twice \(x=2\) at debugged.c:8$",
    r"^Hardware assisted breakpoint 3 at 0x[0-9a-f]+: file debugged.c, line 19\.$",
    r"hit Breakpoint 3, threads_here \(\) at debugged.c:19$", r"^\* 1 +Thread 0x[0-9a-f]+ \(LWP \d+\) .*threads_here",
    r"^  2 +Thread 0x", r"^  3 +Thread 0x", r"^Thread 3 \(", r"\bbody \(", r"^Thread 2 \(", r"\bbody \(",
    r"^Thread 1 \(", r"^#1 .* in main \(", r"^rip +0x", r"^\$3 = 5$", r"^\$4 = 42$", r"AT_PHDR", r"AT_HWCAP2 .* 0x2$", r"/work/debugged$",
    r"received signal SIGABRT", r"^#\d+ .* in main \(", r"^\[Inferior 1 \(process \d+\) killed\]$"]
CORE_WORDS = ["backtrace", "print counter", "info threads", "thread apply all backtrace", "info registers rip"]
CORE_EXPECTED = [r"^Program terminated with signal SIGABRT", r"^#\d+ .* in main \(argc=1", r"^\$1 = 5$", r"^\* 1 ",
                 r"^  2 ", r"^  3 ", r"^Thread 3 \(", r"\bbody \(", r"^Thread 2 \(", r"\bbody \(", r"^rip +0x"]
GDB = "gdb -nx --batch -ex 'set debuginfod enabled off'"


def _debugger(part, words, arguments):
    return f"echo '== {part}'\n{GDB} {' '.join('-ex ' + _quoted(word) for word in words)} {arguments} 2>&1\n"


def _in_order(part, text, expected):
    at = 0
    for pattern in expected:
        match = re.compile(pattern, re.M).search(text, at)
        check(match, f"{part}: {pattern!r} does not come in\n{text[at:]}\nof\n{text}")
        at = match.end()


def _plain(text):
    """A trace without what differs from run to run: numbers of processes, addresses, widths; and when a parent is told
    that its child has ended, which may be before it asks."""
    text = re.sub(r"^--- SIGCHLD .*\n", "", text, flags=re.M)
    text = re.sub(r"0x[0-9a-f]+|NULL", "ADDRESS", re.sub(r" /\* [0-9.]+ s \*/", "", text))
    return re.sub(r" +", " ", re.sub(r"\d+", "N", text))


def debuggers():
    """One boot: strace -ff of a program that forks; gdb on a PIE program with threads, and on its core."""
    with guest.private_folder() as folder:
        forks = _compiled(folder, "forks", FORKS)
        debugged = _compiled(folder, "debugged", DEBUGGED, "-g", "-O0", "-pthread")
        script = folder / "script"
        script.write_text(STRACE_PART, encoding="utf-8")
        expected = _parts(_plain(_host(script, folder)))
        script.write_text(STRACE_PART + _debugger("gdb", GDB_WORDS, "./debugged") + "ulimit -c unlimited; ./debugged\n" +
                          _debugger("core", CORE_WORDS, "./debugged core"), encoding="utf-8")
        modules = _modules(["gdb", "-nx", "--batch", "-ex", f"python exec({LOADED!r})"], folder)
        found, errors = _baton(script, [*_adds(
            "strace", "gdb", "ls", "cat", "/bin/true", "/bin/sh", f"{forks}:/work/forks",
            f"{debugged}:/work/debugged", files=[*GDB_FILES, *modules]), f"{folder / 'debugged.c'}:/work/debugged.c"])
        found = _parts(found)
        _in_order("gdb", found.get("gdb", ""), GDB_EXPECTED)
        _in_order("core", found.get("core", ""), CORE_EXPECTED)
        _compare(expected, _parts(_plain("== strace\n" + found.get("strace", ""))), errors)


if __name__ == "__main__":
    harness.main([tools, debuggers])
