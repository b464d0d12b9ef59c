#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Reads a console's text back from a picture of the screen, by the font that it is written in.

usage: screen.py PICTURE.ppm [FONT.psf[.gz]]

The picture is a PPM (P6) as QEMU's `screendump` writes it; the console's cells begin at its top left
corner. A cell has one colour (blank) or two: what stands in it is the glyph whose pixels, in one of
the two, are those. A cell with any other pixels reads as U+FFFD.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import font as fonts

FONT = "/usr/share/consolefonts/Uni2-Terminus16.psf.gz"
UNKNOWN = "\ufffd"


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

    def cell(self, rows):
        """The character in a cell, given as its rows of pixels."""
        first = rows[0][:3]
        blank = first * self.width
        if all(row == blank for row in rows):
            return " "
        colours = {row[at:at + 3] for row in rows for at in range(0, len(row), 3)}
        if len(colours) != 2:
            return UNKNOWN
        for lit in sorted(colours, key=lambda colour: colour == first):
            character = self.character.get(self._bitmap(rows, lit))
            if character is not None:
                return character
        return UNKNOWN

    def lines(self, data):
        """The text of a PPM picture, a line a row, without blanks at the ends."""
        width, height, pixels = read_ppm(data)
        cell_bytes, line_bytes = self.width * 3, width * 3
        lines = []
        for top in range(0, height - self.height + 1, self.height):
            scan = [pixels[(top + y) * line_bytes:(top + y + 1) * line_bytes]
                    for y in range(self.height)]
            if all(row == row[:3] * width for row in scan):
                lines.append("")
                continue
            text = "".join(self.cell([row[at:at + cell_bytes] for row in scan])
                           for at in range(0, line_bytes - cell_bytes + 1, cell_bytes))
            lines.append(text.rstrip())
        return lines


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
