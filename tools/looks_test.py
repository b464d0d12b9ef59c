# SPDX-License-Identifier: MIT
"""Tests of command/looks.py: what of a frame is compared, the cursor in a picture, references as text."""
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from command import looks


def row(text, ink=7, paper=0):
    return [(character, None if character == " " else ink, paper) for character in text]


class Looks(unittest.TestCase):
    def test_runs(self):
        self.assertEqual(looks.runs(row("ab cd ")), [])
        self.assertEqual(looks.runs(row("ab") + row(" cd e ", 0, 7) + row("x")), [(2, 7, 0, 7)])
        self.assertEqual(looks.runs(row("  ", 7, 4) + row("a", 1, 4) + row("b", 2, 4)), [(0, 2, 1, 4), (3, 3, 2, 4)])
        self.assertEqual(looks.runs(row("a b", 15)), [(0, 0, 15, 0), (2, 2, 15, 0)])

    def test_masks_and_lines(self):
        frame = looks.Frame([row("pid 17", 15), row("plain "), row("rest", 15), row("    ")], (2, 1))
        mask = [(re.compile(r"\d+"), "N")]
        seen = looks.look(frame, mask)
        self.assertEqual((seen.lines, seen.colours, seen.cursor), (["pid N", "plain", "rest"], {2: [(0, 3, 15, 0)]}, (2, 1)))
        seen = looks.look(frame, mask, re.compile("p"))
        self.assertEqual((seen.lines, seen.colours, seen.cursor), (["pid N", "plain"], {}, looks.UNKNOWN))

    def test_cursor_in_a_picture(self):
        wanted = looks.look(looks.Frame([row("ab "), row("c", 0, 7) + row("  ", 7, 4)], (0, 1)))
        for cursor, shown in (((0, 1), [row("a") + row("b", 0, 7) + row(" "), row("c", 0, 7) + row("  ", 7, 4)]),
                              ((0, 2), [row("ab") + row(" ", 0, 7), row("c", 0, 7) + row("  ", 7, 4)]),
                              ((1, 0), [row("ab "), row("c") + row("  ", 7, 4)]),
                              ((1, 2), [row("ab "), row("c", 0, 7) + row(" ", 7, 4) + row(" ", 4, 7)])):
            wanted.cursor = cursor
            self.assertEqual(looks.look(looks.without_cursor(looks.Frame(shown), wanted)), wanted, cursor)
            for elsewhere in {(0, 1), (0, 2), (1, 0), (1, 2)} - {cursor}:
                other = looks.Look(wanted.lines, wanted.colours, elsewhere)
                self.assertNotEqual(looks.look(looks.without_cursor(looks.Frame(shown), other)), other, (cursor, elsewhere))
        wanted.cursor = looks.HIDDEN
        plain = [row("ab "), row("c", 0, 7) + row("  ", 7, 4)]
        self.assertEqual(looks.look(looks.without_cursor(looks.Frame(plain), wanted)), wanted)

    def test_cursor_of_two_pictures(self):
        one = looks.Frame([row("ab"), row("cd")])
        self.assertEqual(looks.difference_of(one, looks.Frame([row("ab"), row("c") + row("d", 0, 7)])), (1, 1))
        self.assertEqual(looks.difference_of(one, one), looks.HIDDEN)
        self.assertIsNone(looks.difference_of(one, looks.Frame([row("ab"), row("cd", 0, 7)])))

    def test_text(self):
        for cursor in ((3, 4), looks.HIDDEN, looks.UNKNOWN):
            seen = looks.Look(["a", "", "~|b"], {0: [(0, 3, 15, 4), (5, 6, None, "#ff8700")], 2: [(0, 0, 1, 0)]}, cursor)
            again = looks.Look([])
            for line in looks.write(seen):
                looks.read_line(again, line)
            self.assertEqual(again, seen)
        with self.assertRaises(ValueError):
            looks.read_line(looks.Look([]), "x")


if __name__ == "__main__":
    unittest.main()
