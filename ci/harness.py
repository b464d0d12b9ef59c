# SPDX-License-Identifier: MIT
"""Boots real firmware in QEMU for the scenarios beside this file, and reads what comes out.

A scenario is a function without parameters, named in ci/meson.build; `python3 ci/boot_x.py NAME` runs
one. It fails by an exception; the end of the machine's log is shown then. QEMU runs under TCG always:
the same on every host. BATON_BUILD says where the build is.

    with Boot(options="nokaslr", mem=256) as machine:
        machine.until(r"Alice \\(pid \\d+\\): hello")
        machine.until_off()
"""
import contextlib
import functools
import os
import re
import select
import sys
import time
import traceback
from pathlib import Path

TOOLS = Path(__file__).resolve().parents[1] / "tools"
sys.path.insert(0, str(TOOLS))
from command import boot, build, execute, guest, log, tree
from command.machine import Machine
import screen as screens

SECONDS = 600  # for anything that must come: nothing is judged by its time, and a busy machine may stand still
execute.POWER_OFF = SECONDS  # the end of the log is judged, too
STORY_HELD = r"story: (\d+) of \1 attacks held, and Alice is still running"
PROMPT = r"root@baton:\S+# "  # of the shells that init keeps


class ScenarioFailure(Exception):
    """What came out is not what must come out."""


def check(truth, text):
    if not truth:
        raise ScenarioFailure(text)


@functools.cache
def _reader():
    return screens.Reader()


class Boot:
    """A machine that boots. image: a disk of one's own (default: the built one, or one with `options`
    and a further initrd `more`, an mkcpio.Archive or a path, and with `parts`, boot.image's other
    parameters). shell: the UEFI shell comes on the way and is no failure. The rest is
    machine.Machine's."""

    def __init__(self, options="", *, image=None, more=None, parts=None, shell=False, **what):
        self.options, self.image, self.more, self.parts = options, image, more, parts or {}
        self.machine = Machine(**what)
        self.stack = contextlib.ExitStack()
        self.log = log.Log(watched=not shell)
        self.at = 0  # how far until() has read

    def __enter__(self):
        self.folder = self.stack.enter_context(guest.private_folder())
        more = self.more
        if more is not None and not isinstance(more, (str, Path)):
            more = boot.write_archive(more, self.folder / "more.cpio")
        if self.machine.image is None:
            self.machine.image = self.image or (
                boot.image(self.folder, self.options, [more] if more else [], **self.parts)
                if self.options or more or self.parts else build.IMAGE)
        self.qemu = self.stack.enter_context(guest.Guest(self.machine, self.folder))
        self.qemu.com1.setblocking(False)
        self.ended = False
        return self

    def __exit__(self, kind, error, _):
        if error is not None:
            self._read(0.2)
            print(f"--- {self.machine} ---\n{self.log.tail(60)}\n{self.qemu.stderr()}\n---", flush=True)
        self.stack.close()
        return False

    def _read(self, seconds):
        if self.ended or not select.select([self.qemu.com1], [], [], seconds)[0]:
            return
        try:
            data = self.qemu.com1.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            self.ended = True
        self.log.feed(data)

    def until(self, pattern, seconds=SECONDS):
        """Waits for a match in what was not yet matched; the match. Plain text, lines end in \\n; where the pattern
        ends in $, a line must have come whole."""
        end = time.monotonic() + seconds
        if pattern.endswith("$"):
            pattern = pattern[:-1] + r"(?=\n)"
        given_up = None
        while True:
            match = re.compile(pattern, re.M).search(self.log.text(), self.at)
            if match:
                self.at = match.end()
                return match
            check(not self.ended, f"the machine ended before {pattern!r} came")
            if self.log.fatal and given_up is None:
                given_up = time.monotonic() + 2
            now = time.monotonic()
            check(given_up is None or now < given_up, f"{self.log.fatal!r} before {pattern!r} came")
            check(now < end, f"{pattern!r} did not come within {seconds} s")
            self._read(min(1.0, end - now))

    def drain(self):
        """Takes what the machine has said."""
        self._read(0.2)

    def until_off(self, seconds=SECONDS, expected=0):
        """Waits until the machine has switched itself off, in good order; `expected`: QEMU's exit
        code, value << 1 | 1 when a guest wrote a value to the debug exit port."""
        end = time.monotonic() + seconds
        while not self.ended:
            check(time.monotonic() < end, f"the machine did not switch off within {seconds} s")
            self._read(1.0)
        code = self.qemu.wait(SECONDS)
        check(code == expected, f"QEMU ended with {code}, expected {expected}: {self.qemu.stderr()}")
        check(self.log.fatal is None, f"the log says {self.log.fatal!r}")

    def power_off(self):
        """Waits for a shell's prompt and switches the machine off there."""
        self.until(PROMPT)
        self.type("poweroff\r")
        self.until(r"init: power off")
        self.until_off()

    def type(self, text):
        self.qemu.com1.setblocking(True)
        self.qemu.com1.sendall(text.encode())
        self.qemu.com1.setblocking(False)

    def picture(self):
        """The screen, as the bytes of a PPM."""
        path = self.folder / "screen.ppm"
        self.qemu.monitor.screendump(path)
        return path.read_bytes()

    def screen(self):
        """The text on the screen, a line a row."""
        return _reader().lines(self.picture())

    def until_screen(self, test, what, look=None):
        """Looks at the screen, by screen() or `look`, until `test` holds of what is seen; that. A picture may be taken
        while the screen is drawn: what must be on it and what must not are to be asked for together."""
        end = time.monotonic() + SECONDS
        while True:
            seen = (look or self.screen)()
            if test(seen):
                return seen
            if time.monotonic() > end:
                shown = "\n".join(filter(None, seen)) if look is None else str(seen)[:3000]
                raise ScenarioFailure(f"{what} is not on the screen:\n{shown}")
            self._read(0.4)

    def until_line(self, line):
        return self.until_screen(lambda lines: line in lines, repr(line))

    def text(self):
        return self.log.text()


def run_program(program, arguments=(), stdin=b"", **what):
    """exec of a host program; an execute.Result. what: of execute.Request, or of the Machine.
    BATON_ON=linux runs it on Debian's kernel instead: what fails there is a wrong test."""
    fields = execute.Request.__dataclass_fields__
    request = execute.Request(str(program), list(arguments), seconds=2 * SECONDS,
                              on=os.environ.get("BATON_ON", "baton"))
    for name, value in what.items():
        setattr(request if name in fields else request.machine, name, value)
    request.log = str(tree.run_folder() / f"scenario-{os.getpid()}.log")
    try:
        return execute.capture(request, stdin)
    except (tree.Failure, execute.session.TimedOut) as error:
        raise ScenarioFailure(f"exec {program}: {error}\n{getattr(error, 'tail', '')}") from error
    finally:
        Path(request.log).unlink(missing_ok=True)


def skip(why):
    """Ends the scenario as one that cannot be run on this host; Meson counts it so."""
    print(f"skipped: {why}")
    sys.exit(77)


def main(scenarios, more=None):
    """Runs the scenario named on the command line; `scenarios` are functions, `more` {name: function}."""
    by_name = {**{function.__name__: function for function in scenarios}, **(more or {})}
    if len(sys.argv) != 2 or sys.argv[1] not in by_name:
        sys.exit(f"usage: {sys.argv[0]} NAME; one of: {' '.join(by_name)}")
    started = time.monotonic()
    try:
        by_name[sys.argv[1]]()
    except Exception as error:  # pylint: disable=broad-except
        if not isinstance(error, ScenarioFailure):
            traceback.print_exc(file=sys.stdout)
        print(f"not ok {sys.argv[1]}: {error}")
        sys.exit(1)
    print(f"ok {sys.argv[1]} ({time.monotonic() - started:.1f} s)")
