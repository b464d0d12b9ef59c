# SPDX-License-Identifier: MIT
"""Sessions at a terminal, key by key: ci/sessions/NAME.txt says what is typed and when the screen is looked at.

Two terminals, at the same time: the first serial port, whose bytes become a screen in vt.py, and the machine's own screen
with its keyboard, read back from pictures by the console's font. A look (`shot`) is the text of the screen, its colours and
the cursor's place (looks.py); what Debian's kernel shows in the same machine is the reference, recorded by `baton
reference sessions` in ci/reference/sessions-GROUP.txt. On Baton a shot is waited for: nothing depends on how quickly or in
how many pieces the bytes come. A third serial port carries orders to the machine: a terminal's new size.

A session is lines of these words; a line that begins with # is a remark:

    type KEYS           keys one after the other (keys.py has their names)
    line KEYS           the same and Enter, once the screen ends in a shell's prompt
    wait REGEX          until it is found in the screen's text
    shot NAME           a look: here the screen must become that of the reference
    mask REGEX => TEXT  in all looks from here on: figures that differ from run to run
    only REGEX          looks from here on keep the lines in which it is found; without REGEX all
    size ROWS COLUMNS   the serial terminal's window has another size
    side serial|screen  the session is for that terminal only
"""
import contextlib
import difflib
import gzip
import re
import select
import socket
import sys
import threading
import time
from dataclasses import dataclass, field

from . import boot, guest, keys, linux, log, looks, rootfs, scripts, tree
from .machine import Machine

sys.path.insert(0, str(tree.ROOT / "tools"))
import mkcpio  # pylint: disable=wrong-import-position
import screen as screens  # pylint: disable=wrong-import-position
import vt  # pylint: disable=wrong-import-position

FOLDER = tree.ROOT / "ci" / "sessions"
REFERENCES = tree.ROOT / "ci" / "reference"
ROWS, COLUMNS = 30, 80
START_SECONDS = 600
WAIT_SECONDS = 300  # for the screen to become what it is to be
QUIET_SECONDS = 1.5  # without a change: this is what Debian's kernel shows
UNHURRIED_SECONDS = 0.4  # before keys are pressed there: no key overtakes what a program asks its terminal
ESCAPE_SECONDS = 0.7  # after Esc, lest the next key be taken for a part of the same sequence
# Debian's kernel: silent, no cursor drawn over the text on the screen until it is asked for.
LINUX_OPTIONS = "console=ttyS0,115200 quiet loglevel=1 no_timer_check nowatchdog tsc=reliable panic=-1 vt.cur_default=1 rdinit=/init"
SHOW_CURSOR, NO_CURSOR = r"printf '\033[?17;0;119c' >/dev/tty2", r"printf '\033[?1c' >/dev/tty2"
BATON_OPTIONS = "quiet loglevel=3"


@dataclass
class Group:
    """Sessions that are played one after the other on one machine."""
    sessions: tuple
    packages: tuple = ()  # of Debian, in a further initrd
    mem: int = 512


GROUPS = {
    "busybox": Group(("vi", "jobs", "tty", "line", "here", "less", "top", "window")),
    "packages": Group(("bash", "vim", "debian-less", "tmux", "htop", "mc", "resized"),
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
            elif word == "size":
                argument = tuple(map(int, argument.split()))
                if len(argument) != 2:
                    raise ValueError("expected ROWS COLUMNS")
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
        self.bench, self.terminal = bench, vt.Terminal(bench.rows, bench.columns)

    def press(self, pressed):
        """One by one: a program that draws a prompt for what is typed next may not be quick enough for more."""
        for key in pressed:
            self.bench.send(key[2])
            self.bench.read(0.01, self.terminal)  # a report that is asked for is answered at once

    def line(self, pressed):
        """At a shell's prompt, where all may come at once."""
        self.bench.send(b"".join(key[2] for key in pressed))

    def resize(self, rows, columns):
        self.terminal.resize(rows, columns)
        self.bench.order(f"stty -F /dev/ttyS0 rows {rows} cols {columns}")

    def fresh(self):
        """For the next session: the shell's terminal has its first size again."""
        self.terminal.resize(self.bench.rows, self.bench.columns)

    def frame(self, _=None):
        self.bench.read(0.05, self.terminal)
        cursor = (self.terminal.row, self.terminal.column) if self.terminal.cursor else looks.HIDDEN
        return looks.Frame(self.terminal.seen(), cursor)

    settled = frame


class Screen:
    """The machine's screen and keyboard."""

    def __init__(self, bench):
        self.bench, self.reader = bench, screens.Reader(*([screens.FONT_LARGE] if "font=large" in bench.options else []))

    def press(self, pressed):
        self.bench.qemu.monitor.type(*(key[1] for key in pressed))

    line = press

    def resize(self, rows, columns):
        raise SessionError(f"the screen does not become {columns} x {rows}")

    def fresh(self):
        pass

    def _picture(self):
        path = self.bench.folder / "screen.ppm"
        self.bench.qemu.monitor.screendump(path)
        return looks.from_picture(self.reader.cells(path.read_bytes()))

    def frame(self, wanted=None):
        """Baton draws the cursor: where it is, is known to him who knows where it is to be."""
        time.sleep(0.05)
        frame = self._picture()
        return frame if wanted is None else looks.without_cursor(frame, wanted)

    def settled(self):
        """Debian's kernel draws a cursor when told to: what it changes is its place."""
        without = self._picture()
        if self.bench.on != "linux":
            return without
        self.bench.order(SHOW_CURSOR)
        time.sleep(0.3)
        cursor = looks.difference_of(without, self._picture())
        self.bench.order(NO_CURSOR)
        time.sleep(0.3)
        if cursor is None or self._picture() != without:
            raise SessionError("the screen changes while it is looked at")
        return looks.Frame(without.cells, cursor)


PROMPT, NO_PROMPT = re.compile(r"^[$>]\Z", re.M), re.compile(r"(?s)\A(?!(.*\n)?[$>]\Z)")
SIDES = {"serial": Serial, "screen": Screen}


@dataclass
class Player:
    """Plays sessions on one terminal; `expected`: {shot: Look}, or None to record."""
    terminal: object
    expected: dict = None
    masks: list = field(default_factory=list)
    only: object = None

    def text(self):
        seen = looks.look(self.terminal.frame(), self.masks, self.only)
        return "\n".join(seen.lines)

    def until(self, look, test, seconds=WAIT_SECONDS):
        """What `look` gives once `test` holds of it, or when the time is over."""
        end = time.monotonic() + seconds
        while True:
            seen = look()
            if test(seen) or time.monotonic() > end:
                return seen

    def until_text(self, pattern, what, seconds=WAIT_SECONDS):
        text = self.until(self.text, pattern.search, seconds)
        if not pattern.search(text):
            raise SessionError(f"{what}; the screen:\n{text}")

    def settled(self):
        """What is seen once nothing changes any more."""
        seen, since = self.terminal.frame(), time.monotonic()
        while time.monotonic() < since + QUIET_SECONDS:
            frame = self.terminal.frame()
            if looks.look(frame, self.masks, self.only) != looks.look(seen, self.masks, self.only):
                since = time.monotonic()
            seen = frame
        if self.only is not None:  # what is left out may change, and the cursor is not compared
            return looks.look(seen, self.masks, self.only)
        return looks.look(self.terminal.settled(), self.masks, self.only)

    def press(self, pressed):
        while pressed:
            names = [key[0] for key in pressed]
            count = names.index("Esc") + 1 if "Esc" in names else len(names)
            self.terminal.press(pressed[:count])
            if names[count - 1] == "Esc":
                time.sleep(ESCAPE_SECONDS)
            pressed = pressed[count:]

    def line(self, session, pressed):
        """Enter once something stands behind the prompt: that is not taken for the next one then."""
        self.terminal.line(pressed[:-1])
        self.until_text(NO_PROMPT, f"{session}: what is typed is not echoed")
        self.terminal.line(pressed[-1:])

    def begin(self, what, seconds=WAIT_SECONDS):
        """Waits for a new shell: its greeting, one prompt, nothing else."""
        self.terminal.fresh()
        greeting = re.compile(r"\A\s*BusyBox .*\n.*'help'.*\n\n\$\Z")
        self.until_text(greeting, f"{what}: not a new shell's prompt", seconds)

    def shot(self, name):
        if self.expected is None:
            return self.settled()
        wanted = self.expected.get(name)
        if wanted is None:
            return self.settled()
        return self.until(lambda: looks.look(self.terminal.frame(wanted), self.masks, self.only), wanted.__eq__)

    def step(self, session, word, argument):
        if word == "mask":
            self.masks.append(argument)
        elif word == "only":
            self.only = argument if argument.pattern else None
        elif word == "size":
            self.terminal.resize(*argument)
        else:
            pattern = {"wait": argument, "line": PROMPT}.get(word)
            if pattern is not None:
                self.until_text(pattern, f"{session}: {pattern.pattern!r} did not come")
            if self.expected is None:
                time.sleep(UNHURRIED_SECONDS)
            if word == "line":
                self.line(session, argument)
            elif word == "type":
                self.press(argument)

    def play(self, session, seconds=WAIT_SECONDS):
        """{shot: Look}; ends with the next session's shell."""
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

    def __init__(self, on, group, rows=ROWS, columns=COLUMNS, files=(), pixels=None, options=""):
        """pixels: the screen's (width, height), otherwise as many as rows and columns take of the small font."""
        self.pixels, self.options = pixels or (columns * 8, rows * 16), options
        self.files = [FOLDER / "start.sh", *files]  # in /sessions
        self.on, self.group, self.rows, self.columns = on, group, rows, columns
        self.machine = Machine(vga="VGA,xres={},yres={}".format(*self.pixels), mem=group.mem)
        self.log = log.Log(tree.run_folder() / f"sessions-{on}-{(*group.sessions, 'other')[0]}.log")
        self.stack = contextlib.ExitStack()
        self.ordering = threading.Lock()

    def __enter__(self):
        self.folder = self.stack.enter_context(guest.private_folder())
        orders = self.folder / "orders"
        self.machine.extra = ["-chardev", f"socket,id=orders,path={orders},server=on,wait=off",
                              "-device", "isa-serial,chardev=orders,index=2"]
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
            mode = "x".join(map(str, self.pixels))
            options = f"{BATON_OPTIONS} {self.options} video={mode} {words}"
            self.machine.image = boot.image(self.folder, options, more)
        self.qemu = self.stack.enter_context(guest.Guest(self.machine, self.folder))
        self.orders = self.stack.enter_context(socket.socket(socket.AF_UNIX))
        self._connect(orders)
        return self

    def _connect(self, path, seconds=START_SECONDS):
        end = time.monotonic() + seconds
        while True:
            try:
                self.orders.connect(str(path))
                return
            except OSError as error:
                if time.monotonic() > end:
                    raise SessionError(f"QEMU does not answer: {error}\n{self.qemu.stderr()}") from error
                time.sleep(0.05)

    def __exit__(self, *_):
        self.stack.close()
        self.log.close()
        return False

    def send(self, data):
        self.qemu.com1.setblocking(True)
        self.qemu.com1.sendall(data)

    def order(self, command):
        """Has the machine's third serial port run a line of shell, and waits for its end."""
        with self.ordering:
            self.orders.sendall(command.encode() + b"\n")
            answer, end = b"", time.monotonic() + WAIT_SECONDS
            while not answer.endswith(b"done\n"):
                left = end - time.monotonic()
                if left <= 0 or not select.select([self.orders], [], [], left)[0]:
                    raise SessionError(f"the order {command!r} is not carried out: {answer!r}")
                answer += self.orders.recv(4096)
            if answer != b"done\n":
                raise SessionError(f"the order {command!r}: {answer!r}")

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


def _play_side(bench, side, sessions, expected):
    """{session: {shot: Look}} of one terminal."""
    terminal, found = SIDES[side](bench), {}
    for session in sessions:
        if side in session.sides:
            wanted = None if expected is None else expected.get((side, session.name), {})
            seconds = WAIT_SECONDS if found else START_SECONDS
            found[session.name] = Player(terminal, wanted).play(session, seconds)
    return found


def play(on, name, expected=None):
    """Plays a group, on all sides at once on one machine: {side: {session: {shot: Look}}}."""
    found, errors, group = {}, [], GROUPS[name]

    def run(bench, side):
        try:
            found[side] = _play_side(bench, side, load(group.sessions), expected)
        except Exception as error:  # pylint: disable=broad-except  # raised below, once the others have ended
            errors.append(error)

    with Bench(on, group) as bench, tree.Progress(f"playing the sessions {name} on {on}"):
        threads = [threading.Thread(target=run, args=(bench, side)) for side in SIDES]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if errors:
        raise errors[0]
    return {side: found[side] for side in SIDES}


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
                lines += [f"=== {side} {session}: {shot}", *looks.write(seen)]
    return "\n".join(lines) + "\n"


def read(text):
    """(versions, {(side, session): {shot: Look}}). Pure."""
    first, *rest = text.splitlines()
    found, shot = {}, None
    for line in rest:
        head = re.fullmatch(r"=== (\S+) (\S+): (.*)", line)
        if head and head[3] == SAME:
            found[head[1], head[2]] = found["serial", head[2]]
        elif head:
            shot = found.setdefault((head[1], head[2]), {}).setdefault(head[3], looks.Look([]))
        else:
            looks.read_line(shot, line)
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
                              *difflib.unified_diff(looks.write(wanted), looks.write(seen), "Debian's kernel", "Baton",
                                                    n=60, lineterm="")]
    return "\n".join(words)


def _path(name):
    return REFERENCES / f"sessions-{name}.txt"


def record(kernel, name):
    """Plays a group on Debian's kernel and writes the reference; what was found."""
    found = play("linux", name)
    _path(name).write_text(text_of(f"{kernel}; {versions(name)}", found), encoding="utf-8")
    return found


def reference(name):
    """(versions, {(side, session): {shot: Look}}) as recorded."""
    try:
        return read(_path(name).read_text(encoding="utf-8"))
    except (OSError, ValueError, AttributeError, KeyError) as error:
        raise tree.Failure(f"{_path(name)}: {error}; `baton reference sessions` records it") from error
