#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the story of Alice and Eve on the host: to its end, without input, and ended by keys on a terminal.

usage: story_test.py STORY INIT
"""
import os
import re
import select
import subprocess
import sys
import termios
import time
import unittest

STORY = INIT = None


def on_terminal(keys, after):
    """(status, output) of a story on a terminal, where `keys` are typed once `after` was seen."""
    master, slave = os.openpty()
    process = subprocess.Popen([STORY], stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    output, typed, deadline = b"", False, time.monotonic() + 600
    while time.monotonic() < deadline:
        if select.select([master], [], [], 0.1)[0]:
            try:
                output += os.read(master, 4096)
            except OSError:  # the last one on the terminal is gone
                break
        # Before the keys' reader has set it the terminal would take ^C for itself.
        if not typed and after in output and not termios.tcgetattr(master)[3] & termios.ICANON:
            os.write(master, keys)
            typed = True
    else:
        process.kill()
    os.close(master)
    return process.wait(), output


class Story(unittest.TestCase):
    def _told(self):
        """A whole story without input: what Alice says while the first Eve loops."""
        done = subprocess.run([STORY], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=600,
                              check=False)
        text = done.stdout.decode()
        self.assertEqual(done.returncode, 0, text)
        tried = re.findall(r"^story: eve .*, as it should$", text, re.M)
        self.assertIn(f"story: {len(tried)} of {len(tried)} attacks held, and Alice is still running",
                      text)
        self.assertGreaterEqual(len(tried), 10)
        # Alice's turns between the first and the last word of each Eve, and all in order.
        turns = [int(n) for n in re.findall(r"^Alice: turn (\d+)", text, re.M)]
        self.assertEqual(turns, list(range(1, len(turns) + 1)))
        return text.split("never give it back")[1].split("eve loop")[0]

    def test_without_input(self):
        # Eve loops for 0.4 s: a busy host may not let Alice have a turn in that time, though not in each story.
        self.assertTrue(any("Alice: turn" in self._told() for _ in range(10)))

    def test_keys_end_it(self):
        for keys in (b"q", b"\x03", b"xyzq"):
            for _ in range(10):  # on a busy host the story may be over before it sees the keys
                status, output = on_terminal(keys, b"Eve (pid")
                if b"attacks held" not in output:
                    break
            self.assertEqual(status, 0, output)
            self.assertIn(b"as you asked; Alice is still running", output)
            self.assertNotIn(b"attacks held", output)

    def test_other_keys_do_not(self):
        status, output = on_terminal(b"abc\r\n", b"Eve (pid")
        self.assertEqual(status, 0, output)
        self.assertIn(b"attacks held", output)

    def test_a_program_instead(self):
        done = subprocess.run([INIT, "/bin/sh", "-c", "echo $0 $1; exit 7", "a", "b"],
                              stdout=subprocess.PIPE, timeout=600, check=False)
        self.assertEqual((done.returncode, done.stdout.split(b"\n")[0]), (7, b"a b"))
        self.assertIn(b"init: /bin/sh exited with 7", done.stdout)
        done = subprocess.run([INIT, "/no/such"], stdout=subprocess.PIPE, timeout=600, check=False)
        self.assertEqual(done.returncode, 127)


if __name__ == "__main__":
    STORY, INIT = (os.path.abspath(sys.argv.pop(1)) for _ in range(2))
    unittest.main(verbosity=2)
