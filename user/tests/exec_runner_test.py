#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs /sbin/exec-runner on the host, both ways, and speaks to it as `tools/baton exec` does.

usage: exec_runner_test.py RUNNER

The serial line is a pseudo-terminal. Baton's channel files are a folder of FIFOs.
"""
import os
import random
import select
import struct
import subprocess
import sys
import tempfile
import threading
import time
import tty
import unittest

STDIN, STDOUT, STDERR, WINDOW, EXIT, READY, FAILED = range(7)
RUNNER = None
TIMEOUT = 600


def spec(path, *args, env=(), tty_wanted=False, init=False):
    lines = [f"path={path}"] + [f"arg={a}" for a in args] + [f"env={e}" for e in env]
    lines += ["stdio=" + ("tty" if tty_wanted else "pipes"), f"init={int(init)}"]
    return b"".join(os.fsencode(line) + b"\0" for line in lines)


def frame(stream, data):
    return struct.pack("<BI", stream, len(data)) + data


class Result:
    def __init__(self, frames):
        self.frames = frames
        self.out = b"".join(data for stream, data in frames if stream == STDOUT)
        self.err = b"".join(data for stream, data in frames if stream == STDERR)
        self.failed = [data for stream, data in frames if stream == FAILED]
        statuses = [data for stream, data in frames if stream == EXIT]
        self.status = struct.unpack("<I", statuses[0])[0] if len(statuses) == 1 else None


def talk(master, to_send):
    """Frames until the one of EXIT, and what came after; sends once the first one is there."""
    frames, received, pending = [], b"", b""
    deadline = time.monotonic() + TIMEOUT
    while not frames or frames[-1][0] != EXIT:
        readable, writable, _ = select.select([master], [master] if pending else [], [], 1)
        if time.monotonic() > deadline:
            raise AssertionError(f"no EXIT frame in time; got {frames[:5]}")
        if writable:
            pending = pending[os.write(master, pending[:1024]):]
        if readable:
            received += os.read(master, 65536)
        while len(received) >= 5:
            stream, length = struct.unpack("<BI", received[:5])
            if len(received) < 5 + length:
                break
            if not frames:
                pending = b"".join(to_send)
            frames.append((stream, received[5:5 + length]))
            received = received[5 + length:]
    return frames, received


def run_over_serial(what, to_send=()):
    """The frames that came from a runner told `what`, after it was sent `to_send` once ready."""
    master, slave = os.openpty()  # ours stays open too: a line that is never hung up
    tty.setraw(slave)
    with tempfile.NamedTemporaryFile() as file:
        file.write(what)
        file.flush()
        process = subprocess.Popen([RUNNER, "--spec", file.name, "--serial", os.ttyname(slave)])
        try:
            frames, received = talk(master, to_send)
            process.wait(TIMEOUT)
        finally:
            process.kill()
            process.wait()
            os.close(master)
            os.close(slave)
    assert received == b"", "bytes after the EXIT frame"
    assert frames[0] == (READY, struct.pack("<I", 1)), frames[0]
    return Result(frames)


def run_over_channel(what, stdin=b""):
    """(stdout, stderr, what was written to control) of a runner with Baton's channel files."""
    got = {}

    def reader(path):
        with open(path, "rb") as file:
            got[os.path.basename(path)] = file.read()

    def writer(path):
        with open(path, "wb") as file:
            file.write(stdin)

    with tempfile.TemporaryDirectory() as folder:
        for name in ("0", "1", "2", "control"):
            os.mkfifo(os.path.join(folder, name))
        with open(os.path.join(folder, "spec"), "wb") as file:
            file.write(what)
        threads = [threading.Thread(target=reader, args=(os.path.join(folder, n),), daemon=True)
                   for n in ("1", "2", "control")]
        threads.append(threading.Thread(target=writer, args=(os.path.join(folder, "0"),), daemon=True))
        for thread in threads:
            thread.start()
        subprocess.run([RUNNER, "--spec", os.path.join(folder, "spec"), "--channel", folder],
                       timeout=TIMEOUT, check=False)
        for thread in threads:
            thread.join(TIMEOUT)
    return got["1"], got["2"], got["control"]


def shell(text):
    return spec("/bin/sh", "/bin/sh", "-c", text, env=["PATH=/bin:/usr/bin", "NAME=a=b c"])


class Serial(unittest.TestCase):
    def test_streams_and_status(self):
        result = run_over_serial(shell("echo out; echo err >&2; exit 42"))
        self.assertEqual((result.out, result.err), (b"out\n", b"err\n"))
        self.assertEqual(os.waitstatus_to_exitcode(result.status), 42)

    def test_arguments_environment_place(self):
        result = run_over_serial(spec("/bin/sh", "argv zero", "-c",
                                      'echo "$0|$1|$NAME"; umask; ps -o sid= -p $$', "x y", "",
                                      env=["NAME=a=b c", "PATH=/bin:/usr/bin"]))
        lines = result.out.split(b"\n")
        self.assertEqual(lines[0], b"x y||a=b c")
        self.assertEqual(lines[1], b"0022")

    def test_binary_both_ways(self):
        data = random.Random(2).randbytes(1 << 20)
        chunks = [frame(STDIN, data[i:i + 50000]) for i in range(0, len(data), 50000)]
        result = run_over_serial(spec("/bin/cat", "cat"), chunks + [frame(STDIN, b"")])
        self.assertTrue(result.out == data, "1 MiB through cat came back changed")
        self.assertEqual(result.status, 0)
        self.assertTrue(all(len(d) <= 65536 for _, d in result.frames))

    def test_killed_by_signal(self):
        self.assertEqual(run_over_serial(shell("kill -9 $$")).status & 0x7F, 9)

    def test_not_found(self):
        result = run_over_serial(spec("/no/such", "x"))
        self.assertEqual(result.status, 127 << 8)
        self.assertEqual(struct.unpack("<I", result.failed[0][:4])[0], 2)
        self.assertIn(b"/no/such", result.failed[0][4:])

    def test_not_executable(self):
        result = run_over_serial(spec("/etc/passwd", "x"))
        self.assertEqual(result.status, 126 << 8)
        self.assertEqual(struct.unpack("<I", result.failed[0][:4])[0], 13)

    def test_input_nobody_reads(self):
        self.assertEqual(run_over_serial(shell("exit 5"), [frame(STDIN, b"x" * 60000)] * 3).status,
                         5 << 8)

    def test_output_of_orphans_until_the_end(self):
        result = run_over_serial(shell("(sleep 0.2; echo late) & wait; echo last"))
        self.assertEqual(result.out, b"late\nlast\n")

    def test_terminal(self):
        result = run_over_serial(
            spec("/bin/sh", "sh", "-c", "tty -s && test -t 2 && read line && stty size && echo $line "
                 "</dev/tty; read eof || exit 3", env=["PATH=/bin:/usr/bin"], tty_wanted=True),
            [frame(WINDOW, struct.pack("<HH", 33, 99)), frame(STDIN, b"hello\n"), frame(STDIN, b"")])
        self.assertIn(b"33 99\r\nhello\r\n", result.out)
        self.assertEqual(result.status, 3 << 8)

    def test_process_1(self):
        if os.geteuid() != 0:
            self.skipTest("a PID namespace needs root")
        result = run_over_serial(spec("/bin/sh", "sh", "-c", "echo $$", init=True))
        self.assertEqual(result.out, b"1\n")


class Channel(unittest.TestCase):
    def test_streams_and_status(self):
        out, err, control = run_over_channel(shell("cat; echo err >&2; exit 7"), b"\0\xff in")
        self.assertEqual((out, err), (b"\0\xff in", b"err\n"))
        self.assertEqual(struct.unpack("<I", control)[0], 7 << 8)

    def test_not_found(self):
        _, _, control = run_over_channel(spec("/no/such", "x"))
        self.assertEqual(struct.unpack("<I", control[:4])[0], 2)
        self.assertEqual(struct.unpack("<I", control[-4:])[0], 127 << 8)
        self.assertIn(b"/no/such", control[4:-4])


if __name__ == "__main__":
    RUNNER = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
