#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests of tools/font.py on fonts made here: both formats, plain and gzip, and each way of being bad."""
import gzip
import os
import re
import struct
import subprocess
import sys
import tempfile
import unittest

TOOL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "font.py")
GLYPHS = [bytes([i] * 8) for i in range(256)]


def psf1(tail=None):
    if tail is None:
        tail = b"".join(struct.pack("<HH", 0x100 + i, 0xffff) for i in range(256))
    return b"\x36\x04\x02\x08" + b"".join(GLYPHS) + tail


def psf2(width=12, height=4, size=8, tail=b"A\xc3\xa9\xfeB\xcc\x81\xff\xe2\x94\x80\xff", flags=1):
    header = struct.pack("<8I", 0x864ab572, 0, 32, flags, 2, size, height, width)
    return header + bytes(range(2 * size)) + tail


class FontTest(unittest.TestCase):
    def make(self, data, name="font_x"):
        with tempfile.TemporaryDirectory() as folder:
            source, output = os.path.join(folder, "f.psf"), os.path.join(folder, "f.c")
            with open(source, "wb") as f:
                f.write(data)
            done = subprocess.run([sys.executable, TOOL, source, name, output],
                                  capture_output=True, text=True, check=False)
            if done.returncode:
                self.assertFalse(os.path.exists(output))
                return done.stderr
            with open(output, encoding="ascii") as f:
                return f.read()

    def test_psf1(self):
        text = self.make(psf1())
        self.assertIn(".width = 8,\n\t.height = 8,\n\t.row_bytes = 1,\n\t.glyph_count = 256", text)
        self.assertIn("{0x0100, 0}, {0x0101, 1},", text)
        self.assertEqual(len(re.findall(r"0x[0-9a-f]{2},", text)), 2048)
        self.assertEqual(text, self.make(gzip.compress(psf1())))

    def test_sequences_and_order(self):
        table = struct.pack("<6H", 0x200, 0xfffe, 0x41, 0x300, 0xffff, 0x42)
        table += b"\xff\xff" * 255
        self.assertIn("{0x0042, 1}, {0x0200, 0},", self.make(psf1(table)))

    def test_psf2(self):
        text = self.make(psf2())
        self.assertIn(".width = 12,\n\t.height = 4,\n\t.row_bytes = 2,\n\t.glyph_count = 2", text)
        self.assertIn("{0x0041, 0}, {0x00e9, 0}, {0x2500, 1},", text)

    def test_bad(self):
        for data, message in (
                (b"", "begins with , expected 3604"),
                (b"text", "begins with 74657874"),
                (psf1()[:1000], "256 glyphs of 8 bytes needs bytes 4 to 2052, the file has 1000"),
                (psf1(b"\xff\xff" * 9), "the Unicode table ends after 9 of 256 glyphs"),
                (psf1().replace(b"\x36\x04\x02", b"\x36\x04\x00", 1), "no Unicode table"),
                (psf2(flags=0), "no Unicode table"),
                (psf2(size=9), "a glyph of 12x4 takes 9 bytes, expected 8"),
                (psf2(width=10), "2 glyphs of 10x4: expected a width that is a multiple of 4"),
                (psf2(tail=b"A\xff"), "the Unicode table ends after 1 of 2 glyphs"),
                (psf2(tail=b"\xc3\xff\xff"), "the Unicode table of glyph 0 is not UTF-8"),
                (gzip.compress(psf1())[:-20], "not a whole gzip file")):
            self.assertIn(message, self.make(data))

    def test_usage(self):
        self.assertIn("usage:", self.make(psf1(), "1bad name"))
        done = subprocess.run([sys.executable, TOOL, "nowhere.psf", "x", "y"],
                              capture_output=True, text=True, check=False)
        self.assertIn("nowhere.psf: no such file; fonts are in Debian's console-setup-linux", done.stderr)


if __name__ == "__main__":
    unittest.main()
