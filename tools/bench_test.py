#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Unit tests of what `bench` and `selftests` make of what they measured."""
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from command import bench, profile, selftests


class BenchTest(unittest.TestCase):
    def test_figures(self):
        self.assertEqual(bench.figures("getpid 96\nyield skipped: no\nfutex_wake 1\n"), {"getpid": 96, "futex_wake": 1})
        self.assertEqual(bench.boot_figures("[ 0.1] boot: ticks: total 5, kernel 2\nboot: KiB: memory_in_use 3\n"),
                         {"boot total": 5, "boot kernel": 2, "boot memory_in_use": 3072})

    def test_profile(self):
        counts = profile.instructions("401000 20\n401003 20\n401008 60\nffffffff80001004 40\nffffffff80002000 1\n"
                                      "fffffe0000001000 20\n")
        symbols = [(0xFFFFFFFF80001000, "first"), (0xFFFFFFFF80002000, "second")]
        self.assertEqual(profile.operations(counts, 7), 20)
        self.assertEqual(profile.operations(counts, 2), 60)
        self.assertEqual(profile.by_function(counts, symbols)[:2], [(100, "(the program)"), (40, "first")])
        self.assertEqual([line.split() for line in profile.as_text(counts, symbols, 20)][1:-1],
                         [["5.0", "(the", "program)"], ["2.0", "first"], ["1.0", "(the", "entry", "area)"], ["0.1", "second"]])
        with self.assertRaises(profile.tree.Failure):
            profile.operations({0xFFFFFFFF80001000: 1}, 1)

    def test_prompt(self):
        answer = "# cat\r\nMemTotal:   900 kB\r\nSlab:    3 kB\r\nKernelImage:   5 kB\r\nAnonPages: 7 kB\r\nprompt 12"
        self.assertEqual(bench.prompt_figures(answer), {}, "a line that has not come whole")
        self.assertEqual(bench.prompt_figures(answer + "34\r\n# "),
                         {"boot prompt": 1234, "boot memory_at_prompt": 8192})

    def test_limits(self):
        rows = {row[0]: row for row in bench.table({"getpid": 101, "yield": 900}, {"getpid": 312}, ("costs",))}
        self.assertEqual((rows["getpid"][4], rows["getpid"][5]), (312, False))
        self.assertTrue(rows["yield"][5])
        self.assertFalse(rows["brk_up_down"][5], "a figure that did not come")
        self.assertNotIn("boot total", rows)
        self.assertEqual([row[0] for row in bench.table({"getpid": 1}, {}, ("costs",), ["getpid"])],
                         ["getpid", "getpid pti=on"])

    def test_crowds(self):
        self.assertEqual(bench.scale_limit("threads", "getpid", 100), 130)
        self.assertEqual(bench.scale_limit("vmas", "fork_exit_wait", 25_000), 25_000 + 2_500_000)
        self.assertEqual(bench.scale_limit("vmas", "vfork_exit_wait", 1000), 1300)
        self.assertEqual(bench.scale_limit("ram", bench.BOOT_LAST, 10), 15)
        ours = {"getpid": 100, "threads: getpid": 131, "processes: getpid": 130}
        holds = {row[0]: row[5] for row in bench.table(ours, {}, ("costs", "scale"), ["getpid"])}
        self.assertEqual((holds["threads: getpid"], holds["processes: getpid"], holds["vmas: getpid"]),
                         (False, True, False))

    def test_text_and_picture(self):
        rows = bench.table({"getpid": 96}, {"getpid": 312}, ("costs",), ["getpid"])
        self.assertIn("3.2", list(bench.as_text(rows, "v"))[1])
        self.assertIn(">96 ours<", bench.as_svg(rows, "v"))

    def test_markdown(self):
        ours = {"getpid": 101, "threads: getpid": 140, "processes: getpid": 130}
        lines = list(bench.as_markdown(bench.table(ours, {"getpid": 202}, ("costs", "scale"), ["getpid"])))
        self.assertIn("| getpid | 101 (over) | 100 | 202 | 2.0 |", lines)
        self.assertIn("| getpid | 101 | 140 (over 131) | 130 | - (over 131) | - (over 131) |", lines)
        self.assertEqual({line.count("|") for line in lines if line}, {6, 7})


class SelftestsTest(unittest.TestCase):
    def test_verdicts(self):
        output = ("\n== begin /selftests/x86-sigreturn\n[OK]\tfine\n\n== end /selftests/x86-sigreturn: exited 0\n"
                  "\n== begin /selftests/x86-iopl\nx\n[FAIL]\tno iopl\ny\n\n== end /selftests/x86-iopl: exited 1\n"
                  "\n== begin /selftests/futex-futex_wait\n\n== end /selftests/futex-futex_wait: time-out\n"
                  "\n== begin /selftests/clone3-clone3_set_tid\nno\n\n== end /selftests/clone3-clone3_set_tid: exited 4\n"
                  "\n== begin /selftests/nolibc-nolibc-test\nRunning test 'syscall'\n"
                  "0 getpid = 2                    [OK]\n15 chmod_net = -1 EPERM   [FAIL]\n"
                  "Running test 'stdlib'\n0 getenv_TERM = <linux>   [OK]\n"
                  "\n== end /selftests/nolibc-nolibc-test: exited 1\n"
                  "\n== begin /selftests/timers-nanosleep\nNanosl")
        found, running = selftests.verdicts(output)
        self.assertEqual(running, "timers/nanosleep")
        self.assertEqual({name: one.verdict for name, one in found.items()}, {
            "x86/sigreturn": "pass", "x86/iopl": "fail", "futex/futex_wait": "fail", "clone3/clone3_set_tid": "skip",
            "nolibc/syscall:getpid": "pass", "nolibc/syscall:chmod_net": "fail", "nolibc/stdlib:getenv_TERM": "pass"})
        self.assertEqual(found["x86/iopl"].reason, "exited 1: [FAIL]\tno iopl")

    def test_every_program_has_its_own_name(self):
        names = [name for name, *_ in selftests.programs()]
        self.assertEqual(len(names), len(set(names)))


if __name__ == "__main__":
    unittest.main()
