#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the command says to wrong use: exit code 2, or 127 and 126 for PROGRAM, and words that tell what was found where
and what was expected; and all of it before anything is built or fetched."""
import contextlib
import io
import os
import re
import shutil
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
os.environ.setdefault("BATON_BUILD", tempfile.mkdtemp(prefix="baton-test-"))
from command import __main__ as baton
from command import build, packages, run, symbolise, tests, tree
import mkcpio

TRUE = "/bin/true"


def tearDownModule():
    if "baton-test-" in os.environ["BATON_BUILD"]:
        shutil.rmtree(os.environ["BATON_BUILD"], ignore_errors=True)


class Built(Exception):
    """The command would have begun to build."""


class CommandCase(unittest.TestCase):
    def setUp(self):
        for module, name in ((build, "ready"), (packages, "need"), (build, "locked")):
            patch = mock.patch.object(module, name, side_effect=Built)
            patch.start()
            self.addCleanup(patch.stop)
        patch = mock.patch.object(baton.signal, "signal")
        patch.start()
        self.addCleanup(patch.stop)

    def call(self, *words):
        """(exit code, what it said on stdout and stderr)."""
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            try:
                code = baton.main(list(words))
            except SystemExit as ended:
                code = ended.code
        return code, said.getvalue()

    def refused(self, expected, *words, says):
        code, said = self.call(*words)
        self.assertEqual(code, expected, (words, said))
        for part in says:
            self.assertIn(part, said, words)
        self.assertNotIn("Traceback", said)


class ProgramTest(CommandCase):
    VERBS = ("exec", "run", "diff")

    def test_missing(self):
        for verb in self.VERBS:
            self.refused(127, verb, "/none/such", says=["/none/such: no such file"])
        for verb in ("exec", "diff"):
            self.refused(127, verb, "no-such-program-at-all", says=["no such program in PATH", "./no-such-program-at-all"])

    def test_not_executable(self):
        with tempfile.NamedTemporaryFile() as file:
            os.chmod(file.name, 0o644)
            for verb in self.VERBS:
                self.refused(126, verb, file.name, says=[file.name, "not executable"])
        for verb in self.VERBS:
            self.refused(126, verb, "/etc/", says=["is no file"])

    def test_name_in_the_initrd(self):
        archive, data = mkcpio.Archive(), io.BytesIO()
        archive.data(b"#!", "/bin/there", 0o755)
        archive.data(b"bin/inside\0", "/sbin/elsewhere", 0o755)
        archive.write(data)
        with mock.patch.object(build, "INITRD") as initrd:
            initrd.read_bytes.return_value = data.getvalue()
            self.assertEqual(run._program_words("there", None), ("-- there", []))
            for name in ("nosuch", "elsewhere", "inside"):
                with self.assertRaisesRegex(tree.NoProgram, f"no /bin/{name} in the initrd") as raised:
                    run._program_words(name, None)
                self.assertEqual(raised.exception.code, 127)

    def test_refused_by_init(self):
        found = run.REFUSED.search("x\ninit: cannot start /bin/a: b: No such file or directory\n")
        self.assertEqual((found[1], found[2]), ("/bin/a: b", run.NO_FILE))

    def test_own_programs_are_built_first(self):
        for verb in self.VERBS:
            with self.assertRaises(Built):
                self.call(verb, str(build.PROGRAMS / "not-built-yet"))


class ValuesTest(CommandCase):
    def test_numbers(self):
        for verb in ("exec", "run", "diff", "gdb"):
            for option in ("--cpus", "--mem"):
                for bad in ("0", "-1", "x", "", "1.5", "0x10", "1_0", "9" * 30):
                    self.refused(2, verb, f"{option}={bad}", TRUE,
                                 says=[option, repr(bad), "expected a whole number, at least 1"])

    def test_seconds(self):
        for verb in ("exec", "diff"):
            for bad in ("0", "-1", "x", "", "nan", "inf", "1e9", "0.0"):
                self.refused(2, verb, f"--timeout={bad}", TRUE,
                             says=["--timeout", repr(bad), "expected a number of seconds above 0"])
        self.assertEqual([tree.seconds(text) for text in ("1", "0.5", ".5", "3.")], [1, 0.5, 0.5, 3])

    def test_what_no_machine_has(self):
        for verb in ("exec", "run", "diff"):
            self.refused(2, verb, "--mem", "1", TRUE, says=["--mem 1", "ovmf-4m needs at least 48 MiB"])
            self.refused(2, verb, "--cpus", "256", TRUE, says=["--cpus 256", "expected 1 to 255"])
        for verb in ("exec", "run"):
            self.refused(2, verb, "--firmware", "bios", TRUE, says=["--firmware bios", "no such file", "ovmf-2m"])
        self.refused(2, "exec", "--icount", "--cpus", "2", TRUE, says=["--cpus 2", "expected 1"])
        self.refused(2, "run", "--disk", "floppy", says=["--disk", "floppy", "virtio"])

    @unittest.skipUnless(shutil.which("qemu-system-x86_64"), "there is no QEMU that knows the models")
    def test_cpu_model(self):
        self.refused(2, "exec", "--cpu", "Nonsuch,+smap", TRUE, says=["--cpu Nonsuch", "no such model"])
        self.refused(2, "attack", "--cpu", "Nonsuch", says=["--cpu Nonsuch", "no such model"])
        with self.assertRaises(Built):
            self.call("exec", "--cpu", "qemu64,+smap", TRUE)

    def test_environment(self):
        for verb in ("exec", "diff"):
            for bad in ("x", "=x", ""):
                self.refused(2, verb, f"--env={bad}", TRUE, says=["--env", repr(bad), "expected NAME=VALUE"])

    def test_additions(self):
        for verb in ("exec", "diff"):
            self.refused(2, verb, "--add", "/none/such:/x", TRUE,
                         says=["--add", "/none/such:/x", "no such file", "HOST[:GUEST]"])
            self.refused(2, verb, "--add", "", TRUE, says=["--add", "HOST[:GUEST]"])
            self.refused(2, verb, "--add", "/etc/hostname:../x", TRUE, says=["--add", "`..` in a guest path"])

    def test_good_ones_pass(self):
        for words in (["exec", "--cpus", "4", "--mem", "48", "--timeout", "0.5", "--env", "A=", "--add", "/bin:/x/", TRUE],
                      ["exec", "--firmware", "uboot", "--mem", "16", TRUE], ["run", "--mem", "48", "sh"], ["run"]):
            with self.assertRaises(Built, msg=words):
                self.call(*words)


class WordsTest(CommandCase):
    def test_exec_alone(self):
        code, said = self.call("exec")
        self.assertEqual(code, 2)
        self.assertTrue(said.startswith("usage: baton exec [OPTION]... PROGRAM [ARG]...\n"), said)
        self.assertTrue(said.endswith("the following arguments are required: PROGRAM\n"), said)

    def test_options_after_the_program_are_its_own(self):
        args = baton.parser().parse_args(["exec", "--cpus", "3", TRUE, "--cpus", "x", "--", "y"])
        self.assertEqual((args.cpus, args.program, args.arguments), (3, TRUE, ["--cpus", "x", "--", "y"]))
        args = baton.parser().parse_args(["diff", TRUE])
        self.assertEqual((args.program, args.arguments), (TRUE, []))

    def test_strace_and_linux(self):
        self.refused(2, "exec", "--strace", "--on", "linux", TRUE, says=["--strace --on linux"])

    def test_tty_without_terminal(self):
        with mock.patch.object(os, "isatty", return_value=False):
            self.refused(2, "exec", "--tty", TRUE, says=["--tty", "no terminal"])

    def test_selftests(self):
        self.refused(2, "selftests", "nonsense", says=["nonsense", "x86/", "futex/futex_wait"])
        for good in ([], ["x86"], ["futex/futex_wait", "nolibc"]):
            with self.assertRaises(Built):
                self.call("selftests", *good)

    def test_reference(self):
        self.refused(2, "reference", "nonsense", says=["nonsense", "bench or keys or selftests"])
        for good in ([], ["bench"], ["selftests", "bench"]):
            with self.assertRaises(Built):
                self.call("reference", *good)

    def test_suites(self):
        self.refused(2, "test", "nonsense", says=["nonsense", "unit", "soak"])
        code, said = self.call("test", "--help")
        self.assertEqual(code, 0)
        for name in tests.SUITES:
            self.assertRegex(said, rf"\n  {name} +\w")
        with self.assertRaises(Built):
            self.call("test", "unit")

    def test_suites_are_those_of_the_build(self):
        """What meson.build files name, and nothing else."""
        files = [path for folder in ("", "efi-loader", "kernel", "user", "esp", "tools", "ci")
                 for path in (tree.ROOT / folder).glob("**/meson.build" if folder else "meson.build")]
        named = {suite for path in files for suite in re.findall(r"suite: '([^']+)'", path.read_text(encoding="utf-8"))}
        self.assertEqual(named, set(tests.SUITES))

    def test_symbolise_says_that_it_waits(self):
        terminal = io.StringIO("no address\n")
        terminal.isatty = lambda: True
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(build, "KERNEL", Path(folder) / "kernel.elf"):
            shutil.copyfile(TRUE, build.KERNEL)
            with mock.patch.object(symbolise.sys, "stdin", terminal):
                code, said = self.call("symbolise")
        self.assertEqual(code, 0)
        self.assertRegex(said, "terminal.*Ctrl-D.*symbolise FILE")

    def test_symbolise_of_no_file(self):
        with mock.patch.object(build, "KERNEL", Path(TRUE)):
            self.refused(1, "symbolise", "/none/such", says=["/none/such: No such file or directory"])


if __name__ == "__main__":
    unittest.main()
