#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Reads a console's text back from a picture of the screen, by the font that it is written in.

usage: screen.py PICTURE.ppm [FONT.psf[.gz]]

The picture is a PPM (P6) as QEMU's `screendump` writes it; the console's cells begin at its top left
corner. A cell has one colour (blank) or two: what stands in it is the glyph whose pixels, in one of
the two, are those. A cell with any other pixels reads as U+FFFD. A Reader keeps the rows that it has
seen: of the next picture it reads what is new.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import font as fonts

FONT = "/usr/share/consolefonts/Uni2-Terminus16.psf.gz"
FONT_LARGE = "/usr/share/consolefonts/Uni2-Terminus32x16.psf.gz"
UNKNOWN = "\ufffd"
SEEN_MAX = 2000  # rows of pixels, of some 50 KB each


class ScreenError(Exception):
    """The picture cannot be read."""


def read_ppm(data):
    """(width, height, pixels: 3 bytes each) of a P6 picture."""
    fields, at = [], 0
    while len(fields) < 4:
        end = at
        while end < len(data) and not data[end:end + 1].isspace():
            end += 1
        word, at = data[at:end], end + 1
        if word.startswith(b"#"):
            at = data.find(b"\n", end) + 1
        elif word:
            fields.append(word)
        elif end >= len(data):
            raise ScreenError(f"the header ends after {len(fields)} of 4 fields")
    if fields[0] != b"P6" or fields[3] != b"255":
        raise ScreenError(f"a picture of kind {fields[0]!r}, maximum {fields[3]!r}: expected P6, 255")
    width, height = int(fields[1]), int(fields[2])
    pixels = data[at:]
    if len(pixels) != width * height * 3:
        raise ScreenError(f"{len(pixels)} bytes of pixels for {width}x{height}")
    return width, height, pixels


class Reader:
    """Glyphs of one font, by their bitmaps."""

    def __init__(self, path=FONT):
        self.width, self.height, _, bitmaps, found = fonts.read_font(path)
        self.row_bytes = (self.width + 7) // 8
        size = self.row_bytes * self.height
        self.bitmaps = [bitmaps[i:i + size] for i in range(0, len(bitmaps), size)]
        self.glyph_of = found
        self.cells_seen, self.rows_seen = {}, {}  # by their pixels
        self.character = {}
        for code in sorted(found):  # of two characters that look alike, the lower one: ASCII
            self.character.setdefault(self.bitmaps[found[code]], chr(code))

    def _bitmap(self, rows, lit):
        packed = bytearray()
        for row in rows:
            bits = 0
            for at in range(0, len(row), 3):
                bits = bits << 1 | (row[at:at + 3] == lit)
            packed += (bits << self.row_bytes * 8 - self.width).to_bytes(self.row_bytes, "big")
        return bytes(packed)

    def _without_line(self, bitmap):
        """The bitmap without what looks like an underline; None: there is none."""
        thick = max(1, self.height // 16)
        at, size = (self.height - 1 - thick) * self.row_bytes, thick * self.row_bytes
        full = (2 ** self.width - 1 << self.row_bytes * 8 - self.width).to_bytes(self.row_bytes, "big") * thick
        return bitmap[:at] + bytes(size) + bitmap[at + size:] if bitmap[at:at + size] == full else None

    def _cell(self, pixels):
        """(character, ink, paper) of a cell's pixels, row after row; the ink is None for a blank. Of an underlined
        character, as the kernel's painter draws it, the ink has a fourth byte."""
        size = self.width * 3
        rows = [pixels[at:at + size] for at in range(0, len(pixels), size)]
        first = rows[0][:3]
        colours = {pixels[at:at + 3] for at in range(0, len(pixels), 3)}
        if len(colours) == 1:
            return " ", None, first
        if len(colours) > 2:
            return UNKNOWN, first, first
        for lit in sorted(colours, key=lambda colour: colour == first):
            bitmap, paper = self._bitmap(rows, lit), (colours - {lit}).pop()
            for bits, mark in ((bitmap, b""), (self._without_line(bitmap), b"\1")):
                character = self.character.get(bits)
                if character is not None:
                    return character, lit + mark, paper
        return UNKNOWN, first, first

    def _row(self, scan, line_bytes):
        """The cells of a row, given as its lines of pixels in one."""
        size = self.width * 3
        lines = [scan[at:at + line_bytes] for at in range(0, len(scan), line_bytes)]
        found = []
        for at in range(0, line_bytes - size + 1, size):
            pixels = b"".join([line[at:at + size] for line in lines])
            if pixels not in self.cells_seen:
                self.cells_seen[pixels] = self._cell(pixels)
            found.append(self.cells_seen[pixels])
        return found

    def cells(self, data):
        """The cells of a PPM picture, (character, ink, paper), colours as three bytes, in rows."""
        width, height, pixels = read_ppm(data)
        row_bytes = width * 3 * self.height
        found = []
        if len(self.rows_seen) > SEEN_MAX:
            self.rows_seen.clear()
        for at in range(0, height // self.height * row_bytes, row_bytes):
            scan = pixels[at:at + row_bytes]
            if scan not in self.rows_seen:
                self.rows_seen[scan] = self._row(scan, width * 3)
            found.append(self.rows_seen[scan])
        return found

    def lines(self, data):
        """The text of a PPM picture, a line a row, without blanks at the ends."""
        return ["".join(character for character, _, _ in row).rstrip() for row in self.cells(data)]


def main(argv):
    if not 2 <= len(argv) <= 3:
        sys.exit(__doc__)
    try:
        with open(argv[1], "rb") as picture:
            lines = Reader(*argv[2:]).lines(picture.read())
    except (OSError, ScreenError, fonts.FontError) as error:
        sys.exit(f"screen.py: {error}")
    while lines and not lines[-1]:
        lines.pop()
    print("\n".join(lines))


if __name__ == "__main__":
    main(sys.argv)
