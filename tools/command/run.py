# SPDX-License-Identifier: MIT
"""baton run: boots under QEMU, the serial console in the terminal."""
import argparse
import contextlib
import errno
import os
import re
import select
import signal
import sys
from pathlib import Path

from . import boot, build, channel, execute, firmware, guest, kvm, log, machine, packages, program, session, tree

sys.path.insert(0, str(tree.ROOT / "tools"))
import mkcpio  # pylint: disable=wrong-import-position

ESCAPE = 0x01  # Ctrl-A
QUIT = ord("x")
DEFAULT_VGA = "VGA"
REFUSED = re.compile(r"^init: cannot start (.*): (.*)$", re.M)  # user/init.c
NO_FILE = os.strerror(errno.ENOENT)  # musl's words are the same

EPILOG = """\
Ctrl-A x ends QEMU and gives the terminal back; Ctrl-A Ctrl-A sends one Ctrl-A; every other key goes
to the guest, which is told the terminal's kind (TERM) and size, and every change of that. In the demos q and Ctrl-C end them; then there is a shell. --cmdline nostory leaves the demos out. PROGRAM with a `/` in it is a file of the host
(with its libraries), without one a name in the initrd: `baton run sh`. The log of the serial port is
kept in build/run/run.log. exit code: 0 when the machine ended or was ended, 1 when Baton failed, 127
no such program, 126 it cannot be started, 2 wrong use.
"""


class Keys:
    """Cuts typed bytes into what the guest gets and the wish to quit: pure."""

    def __init__(self):
        self.escaped = False

    def feed(self, data):
        """(bytes for the guest, True when Ctrl-A x was typed)."""
        out = bytearray()
        for byte in data:
            if self.escaped:
                self.escaped = False
                if byte in (QUIT, ord("X")):
                    return bytes(out), True
                out += bytes([ESCAPE] if byte == ESCAPE else [ESCAPE, byte])
            elif byte == ESCAPE:
                self.escaped = True
            else:
                out.append(byte)
        return bytes(out), False


class FirmwareFilter:
    """Takes out of the firmware's output what would wipe the caller's terminal: clearing the screen,
    homing the cursor, setting the mode. Ends with the first line that is Baton's own: pure."""

    WIPES = re.compile(rb"\x1b\[(?:2J|=3h|\?25[hl]|[0-9]+;[0-9]+H|H|8;[0-9]+;[0-9]+t)")
    BEGUN = re.compile(rb"(?i)baton [0-9]")
    PARTIAL = re.compile(rb"\x1b(?:\[[=?0-9;]*)?$")

    def __init__(self):
        self.over = False
        self.rest = b""  # a sequence that has begun
        self.shown = b""  # the end of what was passed on

    def feed(self, data):
        if self.over:
            return data
        data, self.rest = self.rest + data, b""
        begun = self.BEGUN.search(self.shown + data)
        if begun:
            self.over = True
            own = max(0, begun.end() - len(self.shown))
            return self.WIPES.sub(b"", data[:own]) + data[own:]
        partial = self.PARTIAL.search(data)
        if partial:
            data, self.rest = data[:partial.start()], partial[0]
        data = self.WIPES.sub(b"", data)
        self.shown = (self.shown + data)[-16:]
        return data


class Window:
    """Tells the guest how large the terminal is, over the second serial port: when it says READY, and
    at each change. `wake` is readable after a signal."""

    def __init__(self, sock, terminal):
        self.sock, self.terminal = sock, terminal
        self.decoder = channel.Decoder()
        self.wake, self.waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.previous = signal.set_wakeup_fd(self.waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGWINCH, lambda *_: None)  # wakes the loop

    def close(self):
        signal.set_wakeup_fd(self.previous)
        os.close(self.wake)
        os.close(self.waker)

    def heard(self):
        """Bytes of the guest; False: its end."""
        try:
            data = self.sock.recv(65536)
        except ConnectionError:
            data = b""
        was_ready = self.decoder.ready
        self.decoder.feed(data)
        if self.decoder.ready and not was_ready:
            self.tell()
        return bool(data)

    def changed(self):
        with contextlib.suppress(BlockingIOError):
            while os.read(self.wake, 4096):
                pass
        self.tell()

    def tell(self):
        if self.decoder.ready:
            size = os.get_terminal_size(self.terminal)
            with contextlib.suppress(ConnectionError):  # nine bytes: they always fit
                self.sock.send(channel.window(size.lines, size.columns))


def _console(qemu, record, stdin, stdout, window=None):
    """Carries keys and output until QEMU ends or Ctrl-A x; True: it was ended by the user."""
    keys, wipe = Keys(), FirmwareFilter()
    sock, process = qemu.com1, qemu.process
    inputs = {sock.fileno(), stdin}
    if window:
        inputs |= {window.sock.fileno(), window.wake}
    pending = bytearray()
    while True:
        readable, writable, _ = select.select(inputs, [sock] if pending else [], [], 1.0)
        if sock.fileno() in readable:
            data = sock.recv(65536)
            if not data:
                process.wait()
                return False
            record.feed(data)
            view = wipe.feed(data)
            while view:
                view = view[os.write(stdout, view):]
        if window and window.wake in readable:
            window.changed()
        if window and window.sock.fileno() in readable and not window.heard():
            inputs.discard(window.sock.fileno())
        if stdin in readable:
            try:
                data = os.read(stdin, 4096)
            except OSError:
                data = b""
            if not data:
                inputs.discard(stdin)  # the input's end is no reason to end the machine
            typed, quit_wished = keys.feed(data)
            pending += typed
            if quit_wished:
                return True
        if writable:
            del pending[:sock.send(pending[:4096])]


def _program_words(name, folder, initrds=()):
    """(words for the command line after `--`, paths of further initrds)."""
    if name is None:
        return "", list(initrds)
    guest_path = program.inside(name, initrds)
    if guest_path:
        return f"-- {guest_path}", list(initrds)
    if "/" not in name:
        if f"bin/{name}".encode("utf-8", "surrogateescape") not in mkcpio.names(build.INITRD.read_bytes()):
            raise tree.NoProgram(f"{name}: no /bin/{name} in the initrd (a file of the host is ./{name})")
        return f"-- {name}", list(initrds)
    archive = program.archive_for(name, [])
    del archive.entries[channel.SPEC_PATH.lstrip("/")]
    more = boot.write_archive(archive, folder / "program.cpio")
    return f"-- /bin/{os.path.basename(name)}", [*initrds, *build.archives_with(name), more]


def _terminal_words():
    """Words for the command line: what kind of terminal this is, and that its size will be told."""
    term = os.environ.get("TERM", "")
    return ["window", *([f"TERM={term}"] if re.fullmatch(r"[A-Za-z0-9.+-]+", term) else [])]


def _display(args):
    if not args.screen:
        return "none"
    packages.need(packages.SCREEN)
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise tree.Failure("--screen: there is no display to open a window on (DISPLAY and "
                           "WAYLAND_DISPLAY are not set)")
    return "gtk"


def command(args):
    what = machine.Machine(firmware=args.firmware, variables=args.variables, disk=args.disk, cpus=args.cpus, mem=args.mem,
                           reboot=True, display=_display(args))
    what.vga = DEFAULT_VGA if args.screen else "none"
    what.check()
    stdin, stdout = 0, 1
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(guest.private_folder())
        initrds = [*args.initrd, *boot.added(folder, args.add)]
        if args.program and "/" in args.program and not program.inside(args.program, initrds):
            execute.ready(execute.Request(args.program, machine=what))
        else:
            build.ready(needs=[packages.RUN] + ([packages.UBOOT] if args.firmware == "uboot" else []))
        what.accelerator = kvm.accelerator()
        words, more = _program_words(args.program, folder, initrds)
        boot.grow(what, more)
        interactive = os.isatty(stdin)
        options = " ".join(filter(None, [*(_terminal_words() if interactive else ()), args.cmdline, words]))
        what.image = boot.image(folder, options, more) if options or more else build.IMAGE
        record = log.Log(tree.run_folder() / "run.log")
        stack.callback(record.close)
        qemu = stack.enter_context(guest.Guest(what, folder, channel=interactive))
        window = None
        if interactive:
            window = Window(qemu.com2, stdin)
            stack.callback(window.close)
            tree.say("Ctrl-A x ends QEMU; every other key goes to the guest")
            stack.enter_context(session.raw_terminal(stdin))
        ended = _console(qemu, record, stdin, stdout, window)
        code = qemu.quit()
    refused = REFUSED.search(record.text())
    if refused:
        raise tree.NoProgram(f"the program was not started: {refused[1]}: {refused[2]}",
                             tree.EXIT_NO_PROGRAM if refused[2] == NO_FILE else tree.EXIT_NO_EXEC)
    if ended:
        print()
        tree.say("ended")
        return 0
    if code != 0:
        raise tree.Failure(f"QEMU ended with {code}: {qemu.last_words}")
    return 0


def add(verbs):
    parser = verbs.add_parser(
        "run", help="boot Baton: Alice, Eve and a shell, or a program", epilog=EPILOG,
        description="Builds, makes the boot disk, boots it under QEMU and firmware.",
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--screen", action="store_true", help="open a window with the screen too")
    parser.add_argument("--cpus", type=tree.positive, metavar="N", help="default 2")
    parser.add_argument("--mem", type=tree.positive, metavar="MIB", help="default 512")
    parser.add_argument("--disk", choices=machine.DISKS, default="virtio", help="default %(default)s")
    parser.add_argument("--firmware", metavar="NAME|FILE", default=firmware.DEFAULT,
                        help=f"{', '.join(firmware.NAMED)}, or a file; default %(default)s")
    parser.add_argument("--variables", metavar="F", type=Path,
                        help="keep the firmware's variables in this file from run to run; it is made if there is none")
    parser.add_argument("--cmdline", metavar="STR", default="", help="added to the kernel command line")
    execute.add_addition(parser)
    execute.add_initrd(parser)
    parser.add_argument("program", nargs="?", metavar="PROGRAM", help="run this first instead")
    parser.set_defaults(function=command)
