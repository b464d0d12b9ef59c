# SPDX-License-Identifier: MIT
"""A QEMU process of ours: its folder and record under build/run/, its sockets, its end.

A running QEMU has a folder build/run/PID-N/ (PID: of the Python process that owns it) with its
variable store, its disk when it is a private one, its stderr, and qemu.json: pid and start time, by
which `baton stop` knows that a pid still means the process that was started. QEMU dies with its owner
(PR_SET_PDEATHSIG), however that ends.
"""
import contextlib
import ctypes
import fcntl
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from . import firmware, machine, qmp, tree

PR_SET_PDEATHSIG = 1
RECORD = "qemu.json"
_counter = itertools.count()
_libc = ctypes.CDLL(None, use_errno=True)


def start_time(pid):
    """Field 22 of /proc/PID/stat, in clock ticks since boot; None: no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(stat.rpartition(")")[2].split()[19])


def boot_id():
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


@contextlib.contextmanager
def private_folder():
    """A folder for one run; gone at its end."""
    folder = tree.run_folder() / f"{os.getpid()}-{next(_counter)}"
    shutil.rmtree(folder, ignore_errors=True)  # of an older process with our pid
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _die_with_parent(parent):
    def prepare():
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
        # Ctrl-C is for the owner, who ends QEMU in order.
        os.setpgid(0, 0)
    return prepare


class Pipes:
    """Our end of a serial port that is a pipe each way. QEMU writes every byte by a call of its own: of a
    socket's buffer that takes almost a KiB, so some 280 bytes fill it; in a pipe bytes lie together."""

    SIZE = 1 << 20

    def __init__(self, path):
        self.path = Path(path)
        for end in (".in", ".out"):
            os.mkfifo(f"{path}{end}", 0o600)
        # Neither waits for QEMU; the reader sees an end only after QEMU has come and gone.
        self.reader = os.open(f"{path}.out", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        self.writer = os.open(f"{path}.in", os.O_RDWR | os.O_CLOEXEC)
        with contextlib.suppress(OSError):  # smaller ones do
            fcntl.fcntl(self.reader, fcntl.F_SETPIPE_SZ, self.SIZE)

    def fileno(self):
        return self.reader

    def recv(self, size):
        return os.read(self.reader, size)

    def send(self, data):
        return os.write(self.writer, data)

    def setblocking(self, blocking):
        os.set_blocking(self.reader, blocking)
        os.set_blocking(self.writer, blocking)

    def close(self):
        os.close(self.reader)
        os.close(self.writer)


def _widen(sender, size=16 << 20):
    """Room for what a busy host reads late: the firmware's serial driver drops bytes that it cannot send."""
    for option in (socket.SO_SNDBUF, 32):  # as much as anybody may have; SO_SNDBUFFORCE, root's
        with contextlib.suppress(OSError):
            sender.setsockopt(socket.SOL_SOCKET, option, size)


class Guest:
    """QEMU from start to end; use with `with`. com1 and the monitor's are sockets, com2 (None without) Pipes."""

    def __init__(self, what, folder, channel=False):
        self.what, self.folder = what, Path(folder)
        self.channel = channel
        self.process = None
        self.com1 = self.com2 = self.monitor = None
        self.last_words = ""  # QEMU's stderr, once it was ended

    def __enter__(self):
        ours, theirs = {}, {}
        for name in ("com1", "qmp"):
            ours[name], theirs[name] = socket.socketpair()
        self.com1 = ours["com1"]
        _widen(theirs["com1"])
        self.com2 = Pipes(self.folder / "com2") if self.channel else None
        self.monitor = qmp.Qmp(ours["qmp"])
        variables = firmware.variable_store(firmware.find(self.what.firmware), self.folder, self.what.variables)
        descriptors = {name: sock.fileno() for name, sock in theirs.items()}
        words = machine.command(self.what, variables, com2=self.com2 and self.com2.path, **descriptors)
        try:
            with open(self.folder / "stderr", "wb") as stderr:
                self.process = subprocess.Popen(
                    words, stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr,
                    pass_fds=tuple(descriptors.values()), preexec_fn=_die_with_parent(os.getpid()))
        except FileNotFoundError as error:
            raise tree.Failure(f"{words[0]} is not installed (Debian: qemu-system-x86)") from error
        finally:
            for sock in theirs.values():
                sock.close()
        self._record(words)
        return self

    def _record(self, words):
        record = {"pid": self.process.pid, "start": start_time(self.process.pid), "boot": boot_id(),
                  "command": words}
        (self.folder / RECORD).write_text(json.dumps(record) + "\n", encoding="utf-8")

    def stderr(self):
        return (self.folder / "stderr").read_text(encoding="utf-8", errors="replace").strip()

    def wait(self, seconds):
        """QEMU's exit code; None: it still runs."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def quit(self):
        """Ends QEMU in order if it listens, otherwise at once."""
        if self.process.poll() is None:
            with contextlib.suppress(qmp.QmpError, OSError, ValueError):
                self.monitor.command("quit", timeout=2)
            if self.wait(2) is None:
                self.process.kill()
        self.last_words = self.stderr()
        return self.process.wait()

    def __exit__(self, *_):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
        if self.process is not None:
            self.process.wait()
        for sock in (self.com1, self.com2, self.monitor and self.monitor.socket):
            if sock is not None:
                sock.close()
        return False


def _end(pid, start):
    """Ends the process `pid` if it is still the one that began at `start`; True: it was."""
    try:
        handle = os.pidfd_open(pid)
    except (ProcessLookupError, OSError):
        return False
    try:
        # From here on the handle means one process, whatever becomes of the number.
        if start_time(pid) != start:
            return False
        for wanted, seconds in ((signal.SIGTERM, 3), (signal.SIGKILL, 60)):
            signal.pidfd_send_signal(handle, wanted)
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                if start_time(pid) != start or _is_zombie(pid):
                    return True
                time.sleep(0.02)
        raise tree.Failure(f"QEMU, process {pid}, does not end")
    except ProcessLookupError:
        return True
    finally:
        os.close(handle)


def _is_zombie(pid):
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return True
    return stat.rpartition(")")[2].split()[0] in ("Z", "X")


def stop_all(run_folders):
    """Ends every QEMU recorded under the folders; their pids. Clears folders without an owner."""
    ended = []
    for run in run_folders:
        for path in sorted(run.glob(f"*/{RECORD}")):
            try:
                record = json.loads(path.read_text(encoding="utf-8"))
                pid, start, boot = record["pid"], record["start"], record["boot"]
            except (OSError, ValueError, KeyError):
                continue  # just being written or removed by its owner
            if boot == boot_id() and start is not None and _end(pid, start):
                ended.append(pid)
            owner = path.parent.name.partition("-")[0]
            if not owner.isdigit() or start_time(int(owner)) is None:
                shutil.rmtree(path.parent, ignore_errors=True)
    return ended
