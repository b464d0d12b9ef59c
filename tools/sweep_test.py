#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a sweep of failing allocations says, judged: tools/command/sweep.py."""
import errno
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
os.environ.setdefault("BATON_BUILD", tempfile.mkdtemp(prefix="baton-test-"))
from command import sweep

OUTPUT = """\
ok /tests/a: 900 allocations; 20 ways failed in 3 runs; 200 in turn, 50 drawn, of which 249 failed; 1200 ms
ok /tests/b: 100 allocations; 2 ways failed in 1 runs; 100 in turn, 0 drawn, of which 99 failed; 30 ms
sites:
make+0x12 7 1
 57 -12 1
 3 -5 2
open+0x1f 3 0
"""
DISASSEMBLY = """\
ffffffff80001000 <make>:
ffffffff8000100d:	call   ffffffff80002000 <kzalloc>
ffffffff80001012:	test   %rax,%rax
ffffffff80001015:	call   ffffffff80003000 <kfree>
ffffffff8000101a:	ret
ffffffff80001020 <open>:
ffffffff8000103a:	call   ffffffff80002100 <cache_alloc>
ffffffff8000103f:	ret
"""


class Reading(unittest.TestCase):
    def test_numbers(self):
        self.assertEqual(sweep.numbers(OUTPUT), "2 tests, 1000 allocations; 22 ways failed in 4 runs; 300 in turn and 50 drawn, "
                         "of which 348 failed")
        self.assertTrue(sweep.numbers("").startswith("0 tests"))

    def test_places(self):
        self.assertEqual(sweep.call_sites(DISASSEMBLY), ["make+0x12", "open+0x1f"])
        self.assertEqual(sweep.failed_sites(OUTPUT), {"make+0x12": (7, 1), "open+0x1f": (3, 0)})

    def test_outcomes(self):
        self.assertEqual(sweep.outcomes(OUTPUT), [("make", 57, -12, 1), ("make", 3, -5, 2)])
        self.assertEqual(sweep.wrong_outcomes(OUTPUT, {57: "fork", 3: "close"}), ["make: close gave EIO, 2 times"])


class Judging(unittest.TestCase):
    def test_results(self):
        self.assertTrue(sweep.is_right("make", "open", 0))
        self.assertTrue(sweep.is_right("make", "open", -errno.ENOMEM))
        self.assertTrue(sweep.is_right("make", "fcntl", -errno.ENOLCK))
        self.assertFalse(sweep.is_right("make", "open", -errno.ENOLCK))
        self.assertTrue(sweep.is_right("private_copy", "open", -errno.EFAULT))
        self.assertFalse(sweep.is_right("make", "open", -errno.EFAULT))
        self.assertFalse(sweep.is_right("make", "execve", -errno.ENOEXEC))

    def test_known_places(self):
        known = sweep.listed("# words\nmake 2  at the start\nopen 1? by chance\n\nclose 1 never\n")
        self.assertEqual(known, {"make": (2, False, "at the start"), "open": (1, True, "by chance"), "close": (1, False, "never")})
        self.assertEqual(sweep.compare(["make+0x1", "make+0x2", "close+0x1"], known), ([], []))
        worse, better = sweep.compare(["make+0x1", "dup+0x7", "open+0x1", "open+0x2"], known)
        self.assertEqual(worse, ["dup+0x7", "open+0x1", "open+0x2"])
        self.assertEqual(better, ["make: 1 of 2 listed places have failed, or are gone", "close: 1 of 1 listed places have failed, or are gone"])

    def test_list(self):
        self.assertTrue(sweep.listed(sweep.NEVER.read_text(encoding="utf-8")))


if __name__ == "__main__":
    unittest.main()
