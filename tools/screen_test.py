# SPDX-License-Identifier: MIT
"""Tests of screen.py: text drawn with the font is read back; what is no text is not."""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import screen


def draw(reader, lines, width, height, ink, paper):
    """A PPM of the lines, drawn pixel by pixel."""
    picture = [[paper] * width for _ in range(height)]
    for row, line in enumerate(lines):
        for column, character in enumerate(line):
            bitmap = reader.bitmaps[reader.glyph_of[ord(character)]]
            for y in range(reader.height):
                for x in range(reader.width):
                    if bitmap[y * reader.row_bytes + x // 8] >> 7 - x % 8 & 1:
                        picture[row * reader.height + y][column * reader.width + x] = ink
    return b"P6\n%d %d\n255\n" % (width, height) + b"".join(map(b"".join, picture))


@unittest.skipUnless(os.path.exists(screen.FONT), "console-setup-linux is not installed")
class ScreenTest(unittest.TestCase):
    def setUp(self):
        self.reader = screen.Reader()

    def test_all_of_ascii(self):
        text = "".join(map(chr, range(33, 127)))
        lines = [text[:40], "", "  " + text[40:78], text[78:]]
        for ink, paper in ((b"\xaa\xaa\xaa", b"\0\0\0"), (b"\0\0\0", b"\xff\xff\xff"),
                           (b"\xff\x55\x55", b"\0\0\xaa")):
            picture = draw(self.reader, lines, 41 * self.reader.width + 3, 5 * 16 + 7, ink, paper)
            self.assertEqual(self.reader.lines(picture), lines + [""])

    def test_colours(self):
        ink, paper = b"\xff\x55\x55", b"\0\0\xaa"
        picture = draw(self.reader, ["ab", "", "c"], 4 * self.reader.width, 3 * 16, ink, paper)
        cells = self.reader.cells(picture)
        self.assertEqual(cells[0], [("a", ink, paper), ("b", ink, paper), (" ", None, paper), (" ", None, paper)])
        self.assertEqual(cells[2][0], ("c", ink, paper))
        self.assertEqual(self.reader.cells(draw(self.reader, ["b", "ab", ""], 32, 48, ink, ink)), [[(" ", None, ink)] * 4] * 3)

    def test_underlined(self):
        ink, width = b"\xaa" * 3, self.reader.width
        picture = bytearray(draw(self.reader, ["abx"], 3 * width, 16, ink, bytes(3)))
        at = len(picture) - 2 * 3 * width * 3  # the last line but one
        picture[at:at + 2 * width * 3] = ink * 2 * width
        self.assertEqual(self.reader.cells(bytes(picture)),
                         [[("a", ink + b"\1", bytes(3)), ("b", ink + b"\1", bytes(3)), ("x", ink, bytes(3))]])

    def test_what_is_no_glyph(self):
        picture = bytearray(draw(self.reader, ["A"], 8, 16, b"\xff" * 3, bytes(3)))
        picture[-3:] = b"\xff" * 3
        self.assertEqual(self.reader.lines(bytes(picture)), [screen.UNKNOWN])
        picture[-3:] = b"\x12\x34\x56"
        self.assertEqual(self.reader.lines(bytes(picture)), [screen.UNKNOWN])

    def test_bad_pictures(self):
        for data in (b"", b"P6\n1 1", b"P5\n1 1\n255\n\0", b"P6\n2 2\n255\n" + bytes(11)):
            with self.assertRaises(screen.ScreenError, msg=data):
                self.reader.lines(data)


if __name__ == "__main__":
    unittest.main()
