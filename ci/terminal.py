# SPDX-License-Identifier: MIT
"""The command in a terminal: `run`'s keys, `exec --tty`, `stop`, and what happens when Baton dies."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import harness
from exec_programs import compiled
from harness import TOOLS, ScenarioFailure, check, guest, tree

BATON = str(TOOLS / "baton")
ROWS, COLUMNS = 33, 99


class Terminal:
    """A command at a terminal of its own."""

    def __init__(self, *words, term=None):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                if term:
                    os.environ["TERM"] = term
                os.execv(BATON, [BATON, *words])
            finally:
                os._exit(99)
        self.resize(ROWS, COLUMNS)
        self.settings = termios.tcgetattr(self.fd)
        self.output, self.at = b"", 0

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def until(self, wanted, seconds=harness.SECONDS, meanwhile=lambda: None):
        """Until it comes in what was not yet looked through; every second `meanwhile` is called."""
        end, called = time.monotonic() + seconds, time.monotonic()
        while (at := self.output.find(wanted, self.at)) < 0:
            if time.monotonic() > end or not self._read(1):
                raise ScenarioFailure(f"{wanted!r} did not come: {self.output[-1500:]!r}")
            if time.monotonic() > called + 1:
                called = time.monotonic()
                meanwhile()
        self.at = at + len(wanted)

    def _read(self, seconds):
        """False at the end of the output."""
        if select.select([self.fd], [], [], seconds)[0]:
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                return False
            self.output += data
            return bool(data)
        return True

    def type(self, keys):
        os.write(self.fd, keys)

    def end(self, seconds=harness.SECONDS):
        """Waits for the command's end; its exit code."""
        limit = time.monotonic() + seconds
        while self._read(0.2):
            if time.monotonic() > limit:
                os.kill(self.pid, signal.SIGKILL)
                raise ScenarioFailure(f"the command did not end: {self.output[-1500:]!r}")
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def _machines(owner):
    """Records of QEMUs that this process started."""
    return list(tree.RUN.glob(f"{owner}-*/{guest.RECORD}"))


def run_and_quit():
    """Every key goes to the guest, Ctrl-A x ends QEMU, the terminal is as it was."""
    terminal = Terminal("run", "sh")
    terminal.until(b"Ctrl-A x ends QEMU")
    terminal.until(b"# ")
    raw = termios.tcgetattr(terminal.fd)
    check(not raw[3] & (termios.ICANON | termios.ECHO | termios.ISIG), "the terminal is not raw")
    terminal.type(b"echo $((6 * 7))th\r")
    terminal.until(b"42th")
    check(len(_machines(terminal.pid)) == 1, "no record of the QEMU that runs")
    terminal.type(b"\x01x")
    code = terminal.end()
    check(code == 0, f"exit code {code}, expected 0")
    check(not _machines(terminal.pid), "the QEMU's record is still there")


# Cursor up, F12, Ctrl-C, Ctrl-Z, Ctrl-\\, Ctrl-S, Ctrl-Q, Ctrl-Space, Alt-x, an umlaut, DEL, return.
KEYS = b"\x1b[A\x1b[24~\x03\x1a\x1c\x13\x11\0\x1bx\xc3\xa4\x7f\r"


def run_window():
    """The shell's terminal is as large as ours, of our kind, and follows: SIGWINCH comes, stty tells."""
    terminal = Terminal("run", "--cmdline", "nostory", term="xterm")
    terminal.until(b"root@baton:~# ")
    terminal.type(b"echo $TERM on $(tty), $(stty size)\r")
    terminal.until(b"\nxterm on /dev/ttyS0, %d %d\r\n" % (ROWS, COLUMNS))
    terminal.type(b"sh -c 'trap \"echo now \\$(stty size)\" WINCH; echo trap $((1 + 1))ped; while :; do sleep 0.1; done'\r")
    terminal.until(b"trap 2ped")
    for rows, columns in ((50, 190), (20, 61)):
        terminal.resize(rows, columns)
        terminal.until(b"now %d %d\r\n" % (rows, columns))
    terminal.type(b"\x03")
    terminal.until(b"# ")
    terminal.type(b"stty -F /dev/console size; stty size\r")
    terminal.until(b"\n20 61\r\n20 61\r\n")
    terminal.type(b"stty raw -echo; echo $((9 * 9)) keys; dd bs=1 count=%d 2>/dev/null | hexdump -ve '1/1 \"%%02x\"';"
                  b" stty sane; echo\r" % len(KEYS))
    terminal.until(b"81 keys")
    terminal.type(KEYS)
    terminal.until(KEYS.hex().encode())
    terminal.type(b"\x01x")
    check(terminal.end() == 0, "exit code")


def run_to_the_end():
    """The demo, ended by q; then a shell, which switches the machine off, and the command ends with 0."""
    terminal = Terminal("run")
    terminal.until(b"Alice: turn ")
    terminal.type(b"q")
    terminal.until(b"the story ends here, as you asked")
    terminal.until(b"root@baton:~# ")
    terminal.type(b"poweroff\r")
    code = terminal.end()
    check(code == 0, f"exit code {code}, expected 0")
    check(b"\x1b[2J" not in terminal.output, "the firmware wiped the terminal")


SIZES = r"""
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>
/* Prints the window's size at each line of input. */
int main(void)
{
	char line[100];
	setvbuf(stdin, NULL, _IONBF, 0);
	printf("%d%d%d ready\n", isatty(0), isatty(1), isatty(2));
	while (fgets(line, sizeof line, stdin)) {
		struct winsize w = {0};
		ioctl(1, TIOCGWINSZ, &w);
		printf("size %d %d\n", w.ws_row, w.ws_col);
	}
	return 5;
}
"""


def exec_tty():
    """One tty for the program: its size, a resize, end of file, Ctrl-C, the exit status."""
    with guest.private_folder() as folder:
        program = str(compiled(folder, "sizes", SIZES))
        for last, expected in ((b"\x04", 5), (b"\x03", 130)):
            terminal = Terminal("exec", program)
            terminal.until(b"111 ready")
            terminal.type(b"\r")
            terminal.until(b"size %d %d" % (ROWS, COLUMNS))
            terminal.resize(44, 77)
            terminal.until(b"size 44 77", meanwhile=lambda: terminal.type(b"\r"))  # the size takes a way of its own
            terminal.type(last)
            code = terminal.end()
            check(code == expected, f"exit code {code} after {last!r}, expected {expected}")


def _start_quietly(*words):
    # A shell's background job ignores SIGINT, and so would all that it starts.
    process = subprocess.Popen([BATON, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT,
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    end = time.monotonic() + harness.SECONDS
    while not (found := _machines(process.pid)):
        check(time.monotonic() < end and process.poll() is None, f"{words}: no QEMU came up")
        time.sleep(0.1)
    return process, found[0]


def _pid_of(record):
    import json  # pylint: disable=import-outside-toplevel
    end = time.monotonic() + harness.SECONDS
    while True:
        try:
            return json.loads(record.read_text(encoding="utf-8"))
        except ValueError:
            check(time.monotonic() < end, f"{record} cannot be read")


def stopped():
    """`baton stop` ends this QEMU, whether it has just been started or runs the program; the command that had started
    it says so. In a run folder of its own, so that the machines of other tests go on."""
    for runs in (False, True):
        process, record = _start_quietly("exec", "/bin/busybox", "sh", "-c", "echo up; exec sleep 1000")
        known = _pid_of(record)
        begin = process.stdout.read(3) if runs else b""
        own = tree.RUN / f"stop-{os.getpid()}"
        (own / record.parent.name).mkdir(parents=True)
        (own / record.parent.name / guest.RECORD).write_bytes(record.read_bytes())
        ended = guest.stop_all([own])
        check(ended == [known["pid"]], f"ended {ended}, expected {known['pid']}")
        output, _ = process.communicate(timeout=harness.SECONDS)
        # Where we were held up, the program may have begun.
        expected = b"the machine ended before the program " + (b"did" if runs or b"up\n" in output else b"started")
        check(process.returncode == 125 and begin == (b"up\n" if runs else b"") and expected in output,
              f"{process.returncode} {begin!r} {output[-500:]!r}")
        subprocess.run(["rm", "-r", str(own)], check=True)


def owner_killed():
    """Baton killed by SIGKILL takes its QEMU with it; by SIGINT and SIGTERM it ends in order."""
    for number, expected in ((signal.SIGKILL, -9), (signal.SIGINT, 130), (signal.SIGTERM, 143)):
        process, record = _start_quietly("exec", "/bin/busybox", "sleep", "1000")
        known = _pid_of(record)
        process.send_signal(number)
        process.communicate(timeout=harness.SECONDS)
        check(process.returncode == expected, f"exit code {process.returncode}, expected {expected}")
        end = time.monotonic() + harness.SECONDS
        while guest.start_time(known["pid"]) == known["start"]:
            check(time.monotonic() < end, f"QEMU {known['pid']} lives on after {number.name}")
            time.sleep(0.05)
    check(guest.stop_all([tree.RUN / "none"]) == [], "nothing to stop")


def gdb():
    """`baton gdb` stops in the loader and in the kernel, with lines and arguments."""
    done = subprocess.run([BATON, "gdb", "--mem", "256", "--", "-batch", "-ex", "continue", "-ex", "bt 1",
                           "-ex", "continue", "-ex", "bt 1", "-ex", "print handoff->version"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=4 * harness.SECONDS, check=False)
    for wanted in (r"#0 +loader_main \(image=0x[0-9a-f]+, system=0x[0-9a-f]+\) at efi-loader/main\.c:\d+",
                   r"#0 +kernel_start \(handoff=0xffff[0-9a-f]+\) at kernel/main\.c:\d+", r"\$1 = 1\b"):
        check(re.search(wanted, done.stdout), f"{wanted!r} did not come:\n{done.stdout[-3000:]}")


if __name__ == "__main__":
    harness.main([run_and_quit, run_window, run_to_the_end, exec_tty, stopped, owner_killed, gdb])
