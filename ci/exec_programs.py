# SPDX-License-Identifier: MIT
"""`baton exec`: bytes in and out, exit status, programs of musl and of Debian."""
import os
import random
import subprocess

import harness
from harness import TOOLS, check, guest, run_program

BUSYBOX = "/bin/busybox"


def _expect(result, code, stdout=b"", stderr=b""):
    found = (result.code, result.stdout, result.stderr)
    check(found == (code, stdout, stderr),
          f"exit code, output, error output {tuple(str(x)[:300] for x in found)}, "
          f"expected {tuple(str(x)[:300] for x in (code, stdout, stderr))}")


def binary_output():
    """4 MiB of random bytes come through unharmed, and the file's end is seen."""
    data = random.Random(4).randbytes(4 << 20)
    with guest.private_folder() as folder:
        (folder / "random").write_bytes(data)
        result = run_program(BUSYBOX, ["cat", "/random"], adds=[f"{folder / 'random'}:/random"])
    _expect(result, 0, data)


def binary_input():
    data = random.Random(5).randbytes(300_000)
    _expect(run_program(BUSYBOX, ["cat"], data), 0, data)


APPLETS = r"""
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
/* Runs busybox once for each argument, which is a command line, and prints its wait status. */
int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		char *words[10] = {0}, *empty[] = {NULL};
		int status = -1;
		for (int n = 0; n < 9 && (words[n] = strtok(n ? NULL : argv[i], " ")); n++)
			;
		if (vfork() == 0) {
			execve("/bin/busybox", words, empty);
			_exit(99);
		}
		wait(&status);
		printf("status %#x\n", status);
		fflush(stdout);
	}
	return 42;
}
"""


def compiled(folder, name, source):
    """A program of one C file, built with musl-gcc -static."""
    (folder / f"{name}.c").write_text(source, encoding="utf-8")
    subprocess.run(["musl-gcc", "-static", "-o", str(folder / name), str(folder / f"{name}.c")], check=True)
    return folder / name


def busybox_applets():
    """One boot: echo, uname, true, false, seq, sleep of Debian's busybox, each with its status."""
    with guest.private_folder() as folder:
        result = run_program(compiled(folder, "applets", APPLETS),
                             ["echo hello world", "true", "false", "seq 3", "sleep 0.1", "uname -m",
                              "cat /none"], adds=[f"{BUSYBOX}:/bin/busybox"])
    _expect(result, 42, b"hello world\nstatus 0\nstatus 0\nstatus 0x100\n1\n2\n3\nstatus 0\nstatus 0\n"
            b"x86_64\nstatus 0\nstatus 0x100\n", b"cat: can't open '/none': No such file or directory\n")


def killed_by_signal():
    source = "int main(void) { *(volatile int *)0 = 1; return 0; }\n"
    with guest.private_folder() as folder:
        _expect(run_program(compiled(folder, "crash", source)), 128 + 11)


def environment_and_arguments():
    """argv[0], arguments as they are, cwd, environment, umask: one musl program prints them."""
    source = r"""
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
extern char **environ;
int main(int argc, char **argv)
{
	char cwd[100];
	for (int i = 0; i < argc; i++)
		printf("[%s]\n", argv[i]);
	for (char **e = environ; *e; e++)
		puts(*e);
	printf("%s %03o\n", getcwd(cwd, sizeof cwd), umask(0));
	return getpid() == 1 ? 1 : 0;
}
"""
    with guest.private_folder() as folder:
        result = run_program(compiled(folder, "show", source), ["a b", "", "ü\n"], env=["X=1 2", "TERM=dumb"])
    expected = ("[/bin/show]\n[a b]\n[]\n[ü\n]\nHOME=/\nPATH=/bin:/sbin:/usr/bin:/usr/sbin\n"
                "TERM=dumb\nX=1 2\n/ 022\n")
    _expect(result, 0, expected.encode())


def command_line():
    """The command itself: status, standard streams, --log, a program that is not there."""
    baton = str(TOOLS / "baton")
    with guest.private_folder() as folder:
        log = folder / "log"
        done = subprocess.run([baton, "exec", "--log", str(log), "--timeout", "2000", BUSYBOX, "sh", "-c",
                               "read x; echo got $x; exit 3"], input=b"line\n", check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/")
        check((done.returncode, done.stdout, done.stderr) == (3, b"got line\n", b""), f"{done}")
        check(log.stat().st_size > 100, "the log is empty")
    done = subprocess.run([baton, "exec", "/none/such"], check=False, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    check(done.returncode == 127 and b"/none/such: no such file" in done.stderr, f"{done}")
    done = subprocess.run([baton, "exec", "--timeout", "1", BUSYBOX, "sleep", "100"], check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env={**os.environ})
    check(done.returncode == 124 and b"time-out" in done.stderr, f"{done}")


if __name__ == "__main__":
    harness.main([binary_output, binary_input, busybox_applets, killed_by_signal,
                  environment_and_arguments, command_line])
