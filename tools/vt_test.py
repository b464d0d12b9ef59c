# SPDX-License-Identifier: MIT
"""Tests of vt.py: what sequences do to a small screen."""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import vt


def shown(data, rows=4, columns=10):
    terminal = vt.Terminal(rows, columns)
    terminal.feed(data)
    return terminal


class Text(unittest.TestCase):
    def test_lines_and_wrapping(self):
        terminal = shown(b"0123456789")
        self.assertEqual((terminal.row, terminal.column), (0, 9))
        terminal.feed(b"x\r\ny")
        self.assertEqual(terminal.lines(), ["0123456789", "x", "y", ""])
        self.assertEqual(shown(b"0123456789\b-").lines()[0], "01234567-9")
        self.assertEqual(shown(b"\x1b[?7l0123456789xyz").lines()[:2], ["012345678z", ""])

    def test_scrolling(self):
        self.assertEqual(shown(b"a\r\nb\r\nc\r\nd\r\ne").lines(), ["b", "c", "d", "e"])
        # a region: lines 2 and 3
        self.assertEqual(shown(b"a\r\nb\r\nc\r\nd\x1b[2;3r\x1b[3;1H\nx").lines(), ["a", "c", "x", "d"])
        self.assertEqual(shown(b"a\r\nb\r\nc\r\nd\x1b[2;3r\x1b[2;1H\x1bMx").lines(), ["a", "x", "b", "d"])
        self.assertEqual(shown(b"a\r\nb\r\nc\r\nd\x1b[2;1H\x1b[Lx").lines(), ["a", "x", "b", "c"])
        self.assertEqual(shown(b"a\r\nb\r\nc\r\nd\x1b[2;1H\x1b[2M").lines(), ["a", "d", "", ""])

    def test_utf8_in_pieces(self):
        terminal = vt.Terminal(2, 10)
        for byte in "aä→b".encode():
            terminal.feed(bytes([byte]))
        self.assertEqual(terminal.lines()[0], "aä→b")
        self.assertEqual(shown("漢x".encode()).lines()[0], "\ufffd x")

    def test_line_drawing(self):
        self.assertEqual(shown(b"\x1b(0lqk\x1b(Bq").lines()[0], "┌─┐q")
        self.assertEqual(shown(b"\x1b)0a\x0exx\x0fx").lines()[0], "a││x")

    def test_tabs(self):
        self.assertEqual(shown(b"a\tb\tc", columns=20).lines()[0], "a       b       c")
        self.assertEqual(shown(b"\x1b[3g\x1b[1;4H\x1bH\rx\ty", columns=20).lines()[0], "x  y")


class Editing(unittest.TestCase):
    def test_erasing(self):
        self.assertEqual(shown(b"abcdef\x1b[1;3H\x1b[K").lines()[0], "ab")
        self.assertEqual(shown(b"abcdef\x1b[1;3H\x1b[1K").lines()[0], "   def")
        self.assertEqual(shown(b"abcdef\x1b[1;3H\x1b[2X").lines()[0], "ab  ef")
        self.assertEqual(shown(b"a\r\nbb\r\nc\x1b[2;2H\x1b[J").lines(), ["a", "b", "", ""])
        self.assertEqual(shown(b"a\r\nbb\r\nc\x1b[2;1H\x1b[1J").lines(), ["", " b", "c", ""])
        self.assertEqual(shown(b"a\r\nbb\x1b[2J").lines(), [""] * 4)

    def test_cells(self):
        self.assertEqual(shown(b"abcdef\x1b[1;3H\x1b[2P").lines()[0], "abef")
        self.assertEqual(shown(b"abcdef\x1b[1;3H\x1b[2@").lines()[0], "ab  cdef")
        self.assertEqual(shown(b"abc\r\x1b[4hxy").lines()[0], "xyabc")

    def test_cursor(self):
        for sequence, place in ((b"\x1b[3;4H", (2, 3)), (b"\x1b[9;99H", (3, 9)), (b"\x1b[3;4H\x1b[2A\x1b[D", (0, 2)),
                                (b"\x1b[2;3r\x1b[?6h\x1b[9;1H", (2, 0)), (b"\x1b[2;5H\x1b7\x1b[H\x1b8", (1, 4)),
                                (b"\x1b[3d\x1b[5G", (2, 4)), (b"abc\x1bE", (1, 0))):
            terminal = shown(sequence)
            self.assertEqual((terminal.row, terminal.column), place, sequence)


class Rest(unittest.TestCase):
    def test_answers(self):
        self.assertEqual(vt.Terminal(4, 10).feed(b"abc\x1b[6n\x1b[5n\x1b[c\x1b[>c"), b"\x1b[1;4R\x1b[0n\x1b[?6c")

    def test_ignored(self):
        self.assertEqual(shown(b"a\x1b]0;title\x07b\x1b]P1aabbccc\x1b[?1049hd\x1b[?2004h\x1b[>4;1me\x1b[[Af").lines()[0],
                         "abcdef")

    def test_colours_as_on_linux(self):
        for sequence, colours in ((b"", (7, 0)), (b"1", (15, 0)), (b"1;31", (9, 0)), (b"7", (0, 7)), (b"1;7", (8, 7)),
                                  (b"7;1;34;42", (10, 4)), (b"2", (8, 0)), (b"4", (6, 0)), (b"5", (7, 0)), (b"93", (11, 0)),
                                  (b"38;5;208", ("#ff8700", 0))):
            self.assertEqual(shown(b"\x1b[" + sequence + b"mx").seen()[0][0], ("x", *colours), sequence)
        self.assertEqual(shown(b"\x1b[44m ").seen()[0][0], (" ", None, 4))

    def test_resize(self):
        terminal = shown(b"abc\r\ndef\r\nghi\x1b[2;3r\x1b[3;3H")
        terminal.resize(2, 2)
        self.assertEqual((terminal.lines(), terminal.row, terminal.column), (["ab", "de"], 1, 1))
        terminal.resize(3, 4)
        terminal.feed(b"\x1b[3;4Hx\n")
        self.assertEqual(terminal.lines(), ["de", "   x", ""])

    def test_looks(self):
        terminal = shown(b"a\x1b[1;31mbc\x1b[7md\x1b[m\r\n\x1b[44m\x1b[K\x1b[38;5;208mx")
        self.assertEqual(terminal.looks(), {0: [(1, 2, "bold ink=1"), (3, 3, "bold inverse ink=1")],
                                            1: [(0, 0, "ink=(255, 135, 0) paper=4"), (1, 9, "paper=4")]})


if __name__ == "__main__":
    unittest.main()
