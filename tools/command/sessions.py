# SPDX-License-Identifier: MIT
"""Sessions at a terminal, key by key: ci/sessions/NAME.txt says what is typed and when the screen is looked at.

Two terminals: the first serial port, whose bytes become a screen in vt.py, and the machine's own screen with its
keyboard, read back from pictures by the console's font. A look (`shot`) is the text of the screen; what Debian's kernel
shows in the same machine is the reference, recorded by `baton reference sessions` in ci/reference/sessions-GROUP.txt. On
Baton a shot is waited for: nothing depends on how quickly or in how many pieces the bytes come.

A session is lines of these words; a line that begins with # is a remark:

    type KEYS           keys one after the other (keys.py has their names)
    line KEYS           the same and Enter, once the screen ends in a shell's prompt
    wait REGEX          until it is found in the screen's text
    shot NAME           a look: here the screen must become that of the reference
    mask REGEX => TEXT  in all looks from here on: figures that differ from run to run
    only REGEX          looks from here on keep the lines in which it is found; without REGEX all
    side serial|screen  the session is for that terminal only
"""
import contextlib
import difflib
import gzip
import re
import select
import sys
import time
from dataclasses import dataclass, field

from . import boot, guest, keys, linux, log, rootfs, scripts, tree
from .machine import Machine

sys.path.insert(0, str(tree.ROOT / "tools"))
import mkcpio  # pylint: disable=wrong-import-position
import screen as screens  # pylint: disable=wrong-import-position
import vt  # pylint: disable=wrong-import-position

FOLDER = tree.ROOT / "ci" / "sessions"
REFERENCES = tree.ROOT / "ci" / "reference"
ROWS, COLUMNS = 30, 80
START_SECONDS = 240
WAIT_SECONDS = 40  # for the screen to become what it is to be
QUIET_SECONDS = 1.5  # without a change: this is what Debian's kernel shows
ESCAPE_SECONDS = 0.7  # after Esc, lest the next key be taken for a part of the same sequence
KEY_SECONDS = 0.07  # from one key to the next on the machine's keyboard
# Debian's kernel: silent, no cursor drawn over the text on the screen.
LINUX_OPTIONS = "console=ttyS0 quiet loglevel=1 no_timer_check tsc=reliable panic=-1 vt.cur_default=1 rdinit=/init"
BATON_OPTIONS = "quiet loglevel=3"


@dataclass
class Group:
    """Sessions that are played one after the other on one machine."""
    sessions: tuple
    packages: tuple = ()  # of Debian, in a further initrd
    mem: int = 512


GROUPS = {
    "busybox": Group(("vi", "jobs", "tty", "line", "here", "less", "top")),
    "packages": Group(("bash", "vim", "debian-less", "tmux", "htop", "mc"),
                      ("bash", "vim-tiny", "less", "tmux", "htop", "mc", "libcom-err2"), 1024),
}


class SessionError(Exception):
    """A session's text is no session, or the terminal does not come to what it is to show."""


@dataclass
class Session:
    name: str
    steps: list  # (word, argument)
    sides: tuple = ("serial", "screen")


def parse(name, text):
    """A Session of a file's text. Pure."""
    session = Session(name, [])
    for number, line in enumerate(text.splitlines(), 1):
        word, _, argument = line.partition(" ")
        if not line.strip() or line.startswith("#"):
            continue
        try:
            if word in ("type", "line"):
                argument = keys.split(argument + ("<Enter>" if word == "line" else ""))
            elif word == "mask":
                pattern, _, new = argument.partition(" => ")
                argument = re.compile(pattern), new
            elif word in ("wait", "only"):
                argument = re.compile(argument, re.M)
            elif word == "side":
                session.sides = (argument,)
                continue
            elif word != "shot" or not re.fullmatch(r"[\w -]+", argument):
                raise ValueError(f"{line!r} is no step")
        except (ValueError, re.error) as error:
            raise SessionError(f"{name}, line {number}: {error}") from error
        session.steps.append((word, argument))
    return session


def load(names):
    return [parse(name, (FOLDER / f"{name}.txt").read_text(encoding="utf-8")) for name in names]


# ---- The two terminals ----

class Serial:
    """The first serial port and a screen made of what it sends."""

    def __init__(self, bench):
        self.bench, self.terminal = bench, vt.Terminal(ROWS, COLUMNS)

    def press(self, key):
        self.bench.send(key[2])
        self.bench.read(0.02, self.terminal)  # a report that is asked for is answered at once

    def lines(self):
        self.bench.read(0.05, self.terminal)
        return self.terminal.lines()


class Screen:
    """The machine's screen and keyboard."""

    def __init__(self, bench):
        self.bench, self.reader = bench, screens.Reader()

    def press(self, key):
        self.bench.qemu.monitor.keys(key[1], pause=KEY_SECONDS)

    def lines(self):
        self.bench.read(0.2, None)
        path = self.bench.folder / "screen.ppm"
        self.bench.qemu.monitor.screendump(path)
        return self.reader.lines(path.read_bytes())


PROMPT, ANY = re.compile(r"^[$>]\Z", re.M), re.compile("")
SIDES = {"serial": Serial, "screen": Screen}


@dataclass
class Player:
    """Plays sessions on one terminal; `expected`: {shot: lines}, or None to record."""
    terminal: object
    expected: dict = None
    masks: list = field(default_factory=list)
    only: object = None

    def look(self):
        lines = self.terminal.lines()
        for pattern, new in self.masks:
            lines = [pattern.sub(new, line) for line in lines]
        lines = [line.rstrip() for line in lines if self.only is None or self.only.search(line)]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def until(self, test, seconds=WAIT_SECONDS):
        """What is seen once `test` holds of it, or when the time is over."""
        end = time.monotonic() + seconds
        while True:
            lines = self.look()
            if test(lines) or time.monotonic() > end:
                return lines

    def settled(self):
        """What is seen once nothing changes any more."""
        seen, since = self.look(), time.monotonic()
        while time.monotonic() < since + QUIET_SECONDS:
            lines = self.look()
            if lines != seen:
                seen, since = lines, time.monotonic()
        return seen

    def press(self, pressed):
        for key in pressed:
            self.terminal.press(key)
            if key[0] == "Esc":
                time.sleep(ESCAPE_SECONDS)

    def begin(self, what, seconds=WAIT_SECONDS):
        """Waits for a new shell: its greeting, one prompt, nothing else."""
        greeting = re.compile(r"\A\s*BusyBox .*\n.*'help'.*\n\n\$\Z")
        lines = self.until(lambda lines: greeting.search("\n".join(lines)), seconds)
        if not greeting.search("\n".join(lines)):
            raise SessionError(f"{what}: not a new shell's prompt, but:\n" + "\n".join(lines))

    def wait(self, session, pattern):
        lines = self.until(lambda lines: pattern.search("\n".join(lines)))
        if not pattern.search("\n".join(lines)):
            raise SessionError(f"{session}: {pattern.pattern!r} did not come:\n" + "\n".join(lines))

    def shot(self, name):
        wanted = None if self.expected is None else self.expected.get(name)
        return self.settled() if wanted is None else self.until(lambda lines: lines == wanted)

    def step(self, session, word, argument):
        if word == "mask":
            self.masks.append(argument)
        elif word == "only":
            self.only = argument if argument.pattern else None
        else:
            self.wait(session, argument if word == "wait" else PROMPT if word == "line" else ANY)
            self.press(argument if word != "wait" else [])

    def play(self, session, seconds=WAIT_SECONDS):
        """{shot: lines}; ends with the next session's shell."""
        self.masks, self.only, found = [], None, {}
        self.begin(f"before {session.name}", seconds)
        for word, argument in session.steps:
            if word == "shot":
                found[argument] = self.shot(argument)
            else:
                self.step(session.name, word, argument)
        self.masks, self.only = [], None
        self.step(session.name, "line", keys.split("exit<Enter>"))
        self.begin(f"after {session.name}")
        return found


# ---- The machine ----

class Bench:
    """A machine with a shell on each of the two terminals, for as long as a `with` lasts."""

    def __init__(self, on, group, rows=ROWS, columns=COLUMNS, files=()):
        self.files = [FOLDER / "start.sh", *files]  # in /sessions
        self.on, self.group, self.rows, self.columns = on, group, rows, columns
        self.machine = Machine(vga=f"VGA,xres={columns * 8},yres={rows * 16}", mem=group.mem)
        self.log = log.Log(tree.run_folder() / f"sessions-{on}.log")
        self.stack = contextlib.ExitStack()

    def __enter__(self):
        self.folder = self.stack.enter_context(guest.private_folder())
        archive = mkcpio.Archive()
        for file in self.files:
            archive.file(str(file), f"/sessions/{file.name}")
        archive.data(gzip.decompress(open(screens.FONT, "rb").read()), "/sessions/font")
        more = [boot.write_archive(archive, self.folder / "more.cpio")]
        if self.group.packages:
            rootfs.make(self.group.packages, self.folder / "packages.cpio")
            more.append(self.folder / "packages.cpio")
        words = f"-- sh /sessions/start.sh {self.rows} {self.columns}"
        if self.on == "linux":
            linux.boot(self.machine, self.folder, more, f"{LINUX_OPTIONS} {words}")
        else:
            options = f"{BATON_OPTIONS} video={self.columns * 8}x{self.rows * 16} {words}"
            self.machine.image = boot.image(self.folder, options, more)
        self.qemu = self.stack.enter_context(guest.Guest(self.machine, self.folder))
        return self

    def __exit__(self, *_):
        self.stack.close()
        self.log.close()
        return False

    def send(self, data):
        self.qemu.com1.setblocking(True)
        self.qemu.com1.sendall(data)

    def read(self, seconds, terminal):
        """Takes what comes on the serial port within some time."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and select.select([self.qemu.com1], [], [], left)[0]:
            data = self.qemu.com1.recv(65536)
            if not data:
                raise SessionError(f"the machine ended\n{self.log.tail()}\n{self.qemu.stderr()}")
            self.log.feed(data)
            if self.log.fatal:
                raise SessionError(f"{self.log.fatal}\n{self.log.tail()}")
            answers = terminal.feed(data) if terminal is not None else b""
            if answers:
                self.send(answers)


def play(on, name, expected=None):
    """Plays a group, all on one machine: {side: {session: {shot: lines}}}."""
    found, group = {side: {} for side in SIDES}, GROUPS[name]
    with Bench(on, group) as bench, tree.Progress(f"playing the sessions {name} on {on}"):
        for side, kind in SIDES.items():
            terminal = kind(bench)
            for session in load(group.sessions):
                if side in session.sides:
                    wanted = None if expected is None else expected.get((side, session.name), {})
                    seconds = WAIT_SECONDS if any(found.values()) else START_SECONDS
                    found[side][session.name] = Player(terminal, wanted).play(session, seconds)
    return found


# ---- The reference ----

SAME = "as on the serial line"


def versions(name):
    """Of the programs that are typed at."""
    if not GROUPS[name].packages:
        return scripts.version()
    found = dict(path.name.split("_")[:2] for path in rootfs.fetch(GROUPS[name].packages))
    return ", ".join(f"{package} {found[package]}" for package in GROUPS[name].packages)


def text_of(versions, found):
    """What the reference's file holds: the versions, then each shot. Pure."""
    lines = [f"# {versions}"]
    for side, sessions in found.items():
        for session, shots in sessions.items():
            if side == "screen" and shots == found.get("serial", {}).get(session):
                lines += [f"=== {side} {session}: {SAME}"]
                continue
            for shot, seen in shots.items():
                lines += [f"=== {side} {session}: {shot}", *(f"|{line}" for line in seen)]
    return "\n".join(lines) + "\n"


def read(text):
    """(versions, {(side, session): {shot: lines}}). Pure."""
    first, *rest = text.splitlines()
    found, shot = {}, None
    for line in rest:
        head = re.fullmatch(r"=== (\S+) (\S+): (.*)", line)
        if head and head[3] == SAME:
            found[head[1], head[2]] = found["serial", head[2]]
        elif head:
            shot = found.setdefault((head[1], head[2]), {}).setdefault(head[3], [])
        else:
            shot.append(line[1:])
    return first.removeprefix("# "), found


def difference(found, expected):
    """What differs, as a text for people; "" when nothing does. Pure."""
    words = []
    for side, sessions in found.items():
        for session, shots in sessions.items():
            for shot, seen in shots.items():
                wanted = expected.get((side, session), {}).get(shot)
                if wanted is None:
                    words.append(f"{side} {session}: {shot}: not in the reference")
                elif seen != wanted:
                    words += [f"{side} {session}: {shot}:",
                              *difflib.unified_diff(wanted, seen, "Debian's kernel", "Baton", n=30, lineterm="")]
    return "\n".join(words)


def _path(name):
    return REFERENCES / f"sessions-{name}.txt"


def record(kernel, name):
    """Plays a group on Debian's kernel and writes the reference; what was found."""
    found = play("linux", name)
    _path(name).write_text(text_of(f"{kernel}; {versions(name)}", found), encoding="utf-8")
    return found


def reference(name):
    """(versions, {(side, session): {shot: lines}}) as recorded."""
    try:
        return read(_path(name).read_text(encoding="utf-8"))
    except (OSError, ValueError, AttributeError, KeyError) as error:
        raise tree.Failure(f"{_path(name)}: {error}; `baton reference sessions` records it") from error
