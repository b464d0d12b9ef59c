# SPDX-License-Identifier: MIT
"""Tests of the command's host side: frames, sessions against a fake guest, command lines, records."""
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
os.environ.setdefault("BATON_BUILD", tempfile.mkdtemp(prefix="baton-test-"))
import mkcpio
from command import channel, firmware, guest, log, machine, packages, program, rootfs, run, session, symbolise, tests, tree
from command.channel import EXIT, FAILED, STDERR, STDIN, STDOUT, WINDOW, frame


def tearDownModule():
    if "baton-test-" in os.environ["BATON_BUILD"]:
        shutil.rmtree(os.environ["BATON_BUILD"], ignore_errors=True)


class ChannelTest(unittest.TestCase):
    def test_noise_before_ready_is_skipped(self):
        noise = b"BdsDxe: loading Boot0001\r\n\x05\x04\0\0\x05\x05\x04"
        stream = noise + channel.READY_FRAME + frame(STDOUT, b"abc") + frame(EXIT, b"\0\1\0\0")
        for step in (1, 2, 3, 7, len(stream)):
            decoder, frames = channel.Decoder(), []
            for at in range(0, len(stream), step):
                frames += decoder.feed(stream[at:at + step])
            self.assertEqual(frames, [(STDOUT, b"abc"), (EXIT, b"\0\1\0\0")], step)

    def test_long_noise_is_not_kept(self):
        decoder = channel.Decoder()
        decoder.feed(b"\x05" * 1_000_000)
        self.assertLess(len(decoder.buffer), 64)

    def test_nonsense_is_refused(self):
        for bad in (b"\x09\0\0\0\0", b"\x01\1\0\1\0", b"\x00\1\0\0\0x", frame(EXIT, b"abc"),
                    frame(FAILED, b"abc"), channel.READY_FRAME):
            decoder = channel.Decoder()
            with self.assertRaises(channel.ProtocolError, msg=bad):
                decoder.feed(channel.READY_FRAME + bad)
        with self.assertRaises(channel.ProtocolError):
            channel.Decoder().feed(channel.HEADER.pack(channel.READY, 4) + b"\2\0\0\0")
        with self.assertRaises(ValueError):
            frame(STDIN, bytes(channel.FRAME_MAX + 1))

    def test_exit_codes(self):
        self.assertEqual([channel.exit_code(s) for s in (0, 0x100, 0xFF00, 9, 139)],
                         [0, 1, 255, 137, 139])

    def test_spec(self):
        self.assertEqual(channel.spec("/bin/x", ["/bin/x", "a b", "\udcff"], [("K", "V=W")], tty=True),
                         b"path=/bin/x\0arg=/bin/x\0arg=a b\0arg=\xff\0env=K=V=W\0stdio=tty\0init=0\0"
                         b"trace=0\0")


class FakeGuest(threading.Thread):
    """The guest's end of the channel and of the log; `act(self)` is its program."""

    def __init__(self, act):
        super().__init__(daemon=True)
        (self.host_channel, self.channel), (self.host_log, self.log) = \
            socket.socketpair(), socket.socketpair()
        self.act, self.error, self.judged = act, None, threading.Event()

    def run(self):
        try:
            self.act(self)
        except Exception as error:  # pylint: disable=broad-except
            self.error = error
        finally:
            self.channel.close()
            self.log.close()

    def exactly(self, size):
        data = b""
        while len(data) < size:
            part = self.channel.recv(size - len(data))
            if not part:
                raise EOFError("the host closed the channel")
            data += part
        return data

    def receive(self):
        stream, length = channel.HEADER.unpack(self.exactly(5))
        return stream, self.exactly(length)

    def ready(self):
        self.channel.sendall(b"firmware chatter\r\n" + channel.READY_FRAME)


class SessionTest(unittest.TestCase):
    def run_session(self, act, stdin=b"", seconds=600):
        fake = FakeGuest(act)
        out = {STDOUT: bytearray(), STDERR: bytearray()}
        order = []

        def sink(stream, data):
            out[stream].extend(data)
            order.append(stream)

        with tempfile.TemporaryFile() as source:
            source.write(stdin)
            source.seek(0)
            self.log = log.Log()
            talk = session.Session(fake.host_channel, fake.host_log, self.log, source.fileno(), sink,
                                   seconds=seconds)
            fake.start()
            try:
                code = talk.run()
                fake.judged.set()
                talk.drain(600)
            finally:
                fake.judged.set()
                fake.host_channel.close()
                fake.host_log.close()
                fake.join(600)
        self.assertIsNone(fake.error)
        return code, bytes(out[STDOUT]), bytes(out[STDERR]), order, talk

    def test_cat_of_binary(self):
        data = random.Random(1).randbytes(1_500_000)

        def cat(fake):
            fake.ready()
            while True:
                stream, payload = fake.receive()
                assert stream == STDIN, stream
                if not payload:
                    break
                fake.channel.sendall(frame(STDOUT, payload))
            fake.channel.sendall(frame(EXIT, struct.pack("<I", 3 << 8)))
            fake.log.sendall(b"powering off\n")

        code, out, err, _, _ = self.run_session(cat, data)
        self.assertEqual((code, out, err), (3, data, b""))
        self.assertIn("powering off", self.log.text())

    def test_output_without_reading_input(self):
        """A program that never reads, with more input than any buffer holds, still comes through."""
        data = random.Random(2).randbytes(3_000_000)

        def deaf(fake):
            fake.ready()
            for at in range(0, len(data), 60000):
                fake.channel.sendall(frame(STDOUT, data[at:at + 60000]))
            fake.channel.sendall(frame(EXIT, struct.pack("<I", 11)))
            fake.channel.shutdown(socket.SHUT_WR)
            fake.judged.wait(600)  # who closes it with input unread ends the other's writing

        code, out, _, _, _ = self.run_session(deaf, bytes(2_000_000))
        self.assertEqual(code, 128 + 11)
        self.assertEqual(out, data)

    def test_order_of_streams_is_kept(self):
        def both(fake):
            fake.ready()
            for stream in (STDOUT, STDERR, STDERR, STDOUT):
                fake.channel.sendall(frame(stream, b"x"))
            fake.channel.sendall(frame(EXIT, bytes(4)))

        *_, order, _ = self.run_session(both)
        self.assertEqual(order, [STDOUT, STDERR, STDERR, STDOUT])

    def test_refused_program(self):
        def refuse(fake):
            fake.ready()
            fake.channel.sendall(frame(FAILED, struct.pack("<i", 8) + b"not an ELF")
                                 + frame(EXIT, struct.pack("<I", 126 << 8)))

        code, _, _, _, talk = self.run_session(refuse)
        self.assertEqual((code, talk.refused), (126, (8, "not an ELF")))

    def test_machine_ends_early(self):
        for act in (lambda fake: None, lambda fake: fake.ready(),
                    lambda fake: (fake.ready(), fake.channel.sendall(frame(STDOUT, b"abc")[:6]))):
            with self.assertRaisesRegex(tree.Failure, "machine ended before the program"):
                self.run_session(act)

    def test_time_out(self):
        with self.assertRaises(session.TimedOut):
            self.run_session(lambda fake: fake.channel.recv(1), seconds=0.3)

    def test_failures_seen_in_the_log(self):
        for line in (b"[    0.1] panic: no memory\r\n", b'BdsDxe: failed to start Boot0001 "UEFI"\r\n'):
            def fail(fake, line=line):
                fake.log.sendall(b"some boot\r\n" + line[:9])
                time.sleep(0.05)
                fake.log.sendall(line[9:])
                fake.channel.recv(1)

            with self.assertRaisesRegex(tree.Failure, "panic: no memory|failed to start"):
                self.run_session(fail)

    def test_nonsense_on_the_channel(self):
        def nonsense(fake):
            fake.ready()
            fake.channel.sendall(b"\xff" * 100)
            fake.channel.recv(1)

        with self.assertRaisesRegex(tree.Failure, "nonsense"):
            self.run_session(nonsense)


class MachineTest(unittest.TestCase):
    def words(self, **what):
        return machine.command(machine.Machine(image=Path("/a,b.img"), **what), None)

    def test_icount_is_exactly_as_promised(self):
        words = " ".join(self.words(icount=True))
        self.assertIn("-icount shift=0,sleep=off -rtc base=2024-01-01T00:00:00,clock=vm -seed 1", words)
        self.assertIn("-smp 1 -m 256M", words)
        self.assertIn("-m 128M", " ".join(self.words(icount=True, mem=128)))
        with self.assertRaises(tree.Failure):
            self.words(icount=True, cpus=2)

    def test_defaults(self):
        words = " ".join(self.words())
        for part in ("-M q35", "-cpu max", "-smp 2", "-m 512M", "-accel tcg", "file=/a,,b.img",
                     "-no-reboot", "-display none"):
            self.assertIn(part, words)
        self.assertNotIn("isa-debug-exit", words)

    def test_bad_values(self):
        for what in ({"disk": "floppy"}, {"cpus": -1}, {"mem": -5}, {"firmware": "/none/such"}):
            with self.assertRaises(tree.Failure, msg=what):
                self.words(**what)


class ProgramTest(unittest.TestCase):
    def test_ldd(self):
        text = ("\tlinux-vdso.so.1 (0x00007ffe)\n\tlibc.so.6 => /lib/x/libc.so.6 (0x00007f01)\n"
                "\t/lib64/ld-linux-x86-64.so.2 (0x00007f02)\n\tlibnone.so => not found\n")
        self.assertEqual(program.parse_ldd(text),
                         (["/lib/x/libc.so.6", "/lib64/ld-linux-x86-64.so.2"], ["libnone.so"]))

    def test_libraries_of_a_dynamic_program(self):
        shell = os.path.realpath("/bin/sh")
        found = program.libraries(shell)
        self.assertTrue(any("ld-linux" in path for path in found), found)
        self.assertTrue(all(os.path.exists(path) for path in found), found)
        self.assertEqual(program.libraries(__file__), [])

    def test_archive(self):
        archive = program.archive_for("/bin/true", ["x"], [f"{__file__}:/opt/", f"{__file__}"], ["A=1"])
        name = os.path.basename(__file__)
        for path in ("bin/true", "etc/baton/exec", f"opt/{name}", name):
            self.assertIn(path, archive.entries)
        for bad in ({"adds": ["/none:/x"]}, {"env": ["x"]}, {"env": ["=x"]}):
            with self.assertRaises(tree.Failure):
                program.archive_for("/bin/true", [], **bad)
        for bad in ("/none", "no-such-program-at-all", "/"):
            with self.assertRaises(tree.Failure):
                program.find(bad)


class RootfsTest(unittest.TestCase):
    def test_alternatives(self):
        script = """for i in vi view; do
              update-alternatives --install /usr/bin/$i $i /usr/bin/vim.tiny 15 \\
                --slave /usr/share/man/$i.1 $i.1 /usr/share/man/vim.1
            done
            update-alternatives --quiet --install "/usr/bin/awk" awk /usr/bin/gawk 10 --slave /usr/bin/nawk nawk /usr/bin/gawk
            update-alternatives --install $link x /usr/bin/x 1"""
        found = rootfs.alternatives(script)
        for name in ("vi", "view"):
            self.assertIn((f"/usr/bin/{name}", name, "/usr/bin/vim.tiny", 15), found)
        self.assertIn(("/usr/bin/nawk", "nawk", "/usr/bin/gawk", 10), found)
        self.assertIn(("/usr/bin/awk", "awk", "/usr/bin/gawk", 10), found)
        self.assertEqual(len(found), 6)

    def test_links(self):
        archive = mkcpio.Archive()
        for path in ("/bin/bash", "/usr/bin/a", "/usr/bin/b", "/usr/bin/bash"):
            archive.data(b"", path, 0o755)
        rootfs.link_alternatives(archive, [("/usr/bin/c", "c", "/usr/bin/a", 5), ("/usr/bin/c", "c", "/usr/bin/b", 9),
                                           ("/usr/bin/d", "d", "/none", 9)])
        rootfs.link_folders(archive)
        self.assertEqual(archive.entries["etc/alternatives/c"][1], b"/usr/bin/b")
        self.assertEqual(archive.entries["bin/c"][1], b"/usr/bin/c")
        self.assertEqual(archive.entries["bin/a"][1], b"/usr/bin/a")
        self.assertEqual(archive.entries["usr/bin/bash"][1], b"")
        self.assertNotIn("usr/bin/d", archive.entries)


class StopTest(unittest.TestCase):
    """`baton stop` ends what a record names, and spares a process that has only got the number."""

    def setUp(self):
        self.run_folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.run_folder)

    def record(self, pid, start, boot=None):
        folder = self.run_folder / f"99999999-{pid}"
        folder.mkdir()
        text = f'{{"pid": {pid}, "start": {start}, "boot": "{boot or guest.boot_id()}"}}'
        (folder / guest.RECORD).write_text(text, encoding="utf-8")
        return folder

    def test_ends_exactly_the_recorded(self):
        with subprocess.Popen(["sleep", "6000"]) as ours, subprocess.Popen(["sleep", "6000"]) as reused, \
                subprocess.Popen(["sleep", "6000"]) as other_boot:
            try:
                folder = self.record(ours.pid, guest.start_time(ours.pid))
                self.record(reused.pid, guest.start_time(reused.pid) - 1)
                self.record(other_boot.pid, guest.start_time(other_boot.pid), "0-0")
                self.assertEqual(guest.stop_all([self.run_folder]), [ours.pid])
                self.assertEqual(ours.wait(600), -signal.SIGTERM)
                self.assertIsNone(reused.poll())
                self.assertIsNone(other_boot.poll())
                self.assertFalse(folder.exists())
            finally:
                for process in (ours, reused, other_boot):
                    process.kill()

    def test_broken_records(self):
        folder = self.run_folder / "1-0"
        folder.mkdir()
        (folder / guest.RECORD).write_text("{", encoding="utf-8")
        self.assertEqual(guest.stop_all([self.run_folder]), [])


class LogTest(unittest.TestCase):
    def test_tail_is_plain(self):
        record = log.Log()
        record.feed(b"\x1b[2J\x1b[01;01Hone\r\n\r\n\x1b[0mtwo\r\n")
        self.assertEqual(record.tail(), "one\ntwo")
        self.assertIsNone(record.fatal)

    def test_what_is_fatal(self):
        for data, expected in ((b"a\r\n[1.5] PANIC: so\r\nb\n", "[1.5] PANIC: so"), (b"a\rx loader: error: 5\r", "x loader: error: 5"),
                               (b"a panic: in its midst", None), (b"despanic: no\n", None)):
            for step in (1, 3, 100):
                record = log.Log()
                for at in range(0, len(data), step):
                    record.feed(data[at:at + step])
                self.assertEqual(record.fatal, expected, (data, step))

    def test_pictures_without_line_ends(self):
        """Read in time that grows as the bytes do: with its square this would take hours."""
        record, picture = log.Log(), b"\x1b[5;11H\x1b[38;5;16;48;5;203m7" * 200
        for _ in range(400):
            record.feed(picture)
        self.assertIsNone(record.fatal)
        record.feed(b"\nPANIC: behind it\n")
        self.assertEqual(record.fatal, "PANIC: behind it")


class RunTest(unittest.TestCase):
    def test_keys(self):
        for typed, expected in (([b"abc"], (b"abc", False)), ([b"\x01x"], (b"", True)),
                                ([b"\x01", b"x"], (b"", True)), ([b"q\x03\x01X!"], (b"q\x03", True)),
                                ([b"\x01\x01"], (b"\x01", False)), ([b"\x01c"], (b"\x01c", False)),
                                ([b"\x01\x01x"], (b"\x01x", False))):
            keys, sent, ended = run.Keys(), b"", False
            for part in typed:
                out, ended = keys.feed(part)
                sent += out
            self.assertEqual((sent, ended), expected, typed)

    def test_firmware_does_not_wipe_the_terminal(self):
        data = (b"\x1b[2J\x1b[01;01H\x1b[=3h\x1b[2J\x1b[01;01HBdsDxe: loading\r\n\x1b[0m"
                b"Baton 0.1.0 loader\r\n\x1b[2Jprogram's own")
        for step in (1, 3, 10, len(data)):
            wipe, out = run.FirmwareFilter(), b""
            for at in range(0, len(data), step):
                out += wipe.feed(data[at:at + step])
            self.assertTrue(out.endswith(b"\r\n\x1b[2Jprogram's own"), (step, out))
            self.assertTrue(out.startswith(b"BdsDxe: loading\r\n"), (step, out))


class FirmwareTest(unittest.TestCase):
    def test_files_are_told_apart(self):
        folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        volume = bytes(16) + b"?" * 16 + bytes(8) + b"_FVH" + bytes(100)
        whole = bytes(16) + firmware.NV_DATA_FV + bytes(8) + b"_FVH" + bytes(100)
        for name, data in (("X_CODE.secboot.fd", volume), ("X_VARS.fd", whole), ("OVMF.fd", whole),
                           ("alone.fd", volume), ("u-boot.rom", bytes(4096))):
            (folder / name).write_bytes(data)
        found = firmware.find(str(folder / "X_CODE.secboot.fd"))
        self.assertEqual((found.variables, found.smm, found.flash), (folder / "X_VARS.fd", True, True))
        found = firmware.find(str(folder / "OVMF.fd"))
        self.assertEqual((found.code, found.variables), (None, folder / "OVMF.fd"))
        found = firmware.find(str(folder / "alone.fd"))
        self.assertEqual((found.code, found.variables), (folder / "alone.fd", None))
        self.assertFalse(firmware.find(str(folder / "u-boot.rom")).flash)


class PackagesTest(unittest.TestCase):
    """Without the right to install, the line to run is said; with it, it is run."""

    NEEDED = {"no-such-package": "no-such-command-at-all", "coreutils": "ls"}

    def setUp(self):
        self.saved = (packages._as_root, packages.subprocess.run)
        self.addCleanup(lambda: (setattr(packages, "_as_root", self.saved[0]),
                                 setattr(packages.subprocess, "run", self.saved[1])))

    def test_not_root(self):
        packages._as_root = lambda: None
        with self.assertRaisesRegex(tree.Failure, "apt-get install -y --no-install-recommends "
                                                  "no-such-package$"):
            packages.need(self.NEEDED)

    def test_installs_what_is_missing(self):
        packages._as_root = lambda: ["sudo", "-n"]
        ran = []
        packages.subprocess.run = lambda command, **_: (ran.append(command),
                                                        subprocess.CompletedProcess(command, 0, ""))[1]
        packages.shutil.which("apt-get") or self.skipTest("no apt-get here")
        with self.assertRaisesRegex(tree.Failure, "their files are not there: no-such-package"):
            packages.need(self.NEEDED)
        self.assertEqual([command[:2] for command in ran], [["sudo", "-n"]] * 2)
        self.assertEqual(ran[1][-2:], ["--no-install-recommends", "no-such-package"])

    def test_nothing_to_do(self):
        packages.need({"coreutils": "ls", "base-files": "/etc/debian_version"})


class SymboliseTest(unittest.TestCase):
    def test_addresses(self):
        lines = ["panic: x, slide 0x200000", "  rip kernel+0x1234", "  kernel+0x1234", "ffffffff80300010",
                 "0xffffffff80300010 f+0x10", "ffff888000001000"]
        base = symbolise.LINK_BASE
        self.assertEqual(symbolise.addresses(lines),
                         [[], [base + 0x1234], [base + 0x1234], [base + 0x10000F], [base + 0x10000F], []])

    def test_a_line_of_real_code(self):
        """Compiles a function at the kernel's address and finds it again."""
        if shutil.which("gcc") is None:
            self.skipTest("gcc is not installed")
        folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        (folder / "here.c").write_text("int twice(int x);\nint twice(int x)\n{\n\treturn 2 * x;\n}\n",
                                       encoding="ascii")
        subprocess.run(["gcc", "-g", "-O1", "-nostdlib", "-static", "-Wl,-e,twice",
                        f"-Wl,-Ttext={symbolise.LINK_BASE:#x}", "-Wl,-z,max-page-size=4096", "-mcmodel=kernel",
                        "-fno-pie", "-no-pie", "-o", folder / "k.elf", folder / "here.c"], check=True)
        shown = list(symbolise.annotate(["slide 0x40000000", "rip ffffffffc0000000", "ffffffff90000000"],
                                        folder / "k.elf"))
        self.assertEqual(len(shown), 4, shown)
        self.assertRegex(shown[2], r"-> twice at .*here\.c:[34]$")


class TestsTest(unittest.TestCase):
    def test_counts(self):
        self.assertEqual(tests.counts(["OK", "FAIL", "TIMEOUT", "ERROR", "SKIP", "OK", "EXPECTEDFAIL",
                                       "UNEXPECTEDPASS", "INTERRUPT"]), (3, 5, 1))


if __name__ == "__main__":
    unittest.main()
