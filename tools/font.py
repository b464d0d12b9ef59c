#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes a C file for kernel/devices/font.h of a console font in PSF 1 or 2 format, plain or gzip.

usage: font.py FONT.psf[.gz] NAME OUTPUT.c

NAME is the name of the struct font. The bitmaps are a matter of fact of the font's file; nothing of
it is kept in this tree. The same font gives the same bytes. Characters outside the Basic
Multilingual Plane and sequences of several characters are left out.
"""
import gzip
import os
import re
import struct
import sys

PSF1_MAGIC = b"\x36\x04"
PSF1_512_GLYPHS, PSF1_HAS_TABLE = 1, 2 | 4
PSF2_MAGIC = b"\x72\xb5\x4a\x86"
PSF2_HAS_TABLE = 1


class FontError(Exception):
    pass


def need(data, offset, size, what):
    if offset + size > len(data):
        raise FontError(f"{what} needs bytes {offset} to {offset + size}, the file has {len(data)}")
    return data[offset:offset + size]


def psf1(data):
    mode, height = need(data, 2, 2, "the PSF 1 header")
    count = 512 if mode & PSF1_512_GLYPHS else 256
    bitmaps = need(data, 4, count * height, f"{count} glyphs of {height} bytes")
    if not mode & PSF1_HAS_TABLE:
        raise FontError(f"no Unicode table (mode is {mode:#x}, expected bit 1)")
    return 8, height, count, bitmaps, psf1_map(data[4 + count * height:], count)


def psf1_map(table, count):
    """Per glyph 16-bit code points; 0xfffe begins sequences, 0xffff ends the glyph."""
    found, glyph, in_sequence = {}, 0, False
    for i in range(0, len(table) - 1, 2):
        if glyph == count:
            break
        value = table[i] | table[i + 1] << 8
        if value == 0xffff:
            glyph, in_sequence = glyph + 1, False
        elif value == 0xfffe:
            in_sequence = True
        elif not in_sequence:
            found.setdefault(value, glyph)
    if glyph < count:
        raise FontError(f"the Unicode table ends after {glyph} of {count} glyphs")
    return found


def psf2(data):
    fields = struct.unpack("<7I", need(data, 4, 28, "the PSF 2 header"))
    _version, header_size, flags, count, size, height, width = fields
    if size != height * ((width + 7) // 8):
        raise FontError(f"a glyph of {width}x{height} takes {size} bytes, "
                        f"expected {height * ((width + 7) // 8)}")
    bitmaps = need(data, header_size, count * size, f"{count} glyphs of {size} bytes")
    if not flags & PSF2_HAS_TABLE:
        raise FontError(f"no Unicode table (flags are {flags:#x}, expected bit 0)")
    return width, height, count, bitmaps, psf2_map(data[header_size + count * size:], count)


def psf2_map(table, count):
    """Per glyph UTF-8; 0xfe begins sequences, 0xff ends the glyph."""
    entries = table.split(b"\xff")
    if len(entries) <= count:
        raise FontError(f"the Unicode table ends after {len(entries) - 1} of {count} glyphs")
    found = {}
    for glyph, entry in enumerate(entries[:count]):
        try:
            characters = entry.split(b"\xfe")[0].decode()
        except UnicodeDecodeError as error:
            raise FontError(f"the Unicode table of glyph {glyph} is not UTF-8: {error}") from error
        for character in characters:
            found.setdefault(ord(character), glyph)
    return found


def read_font(path):
    with open(path, "rb") as f:
        data = f.read()
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError) as error:
            raise FontError(f"not a whole gzip file: {error}") from error
    if data.startswith(PSF1_MAGIC):
        font = psf1(data)
    elif data.startswith(PSF2_MAGIC):
        font = psf2(data)
    else:
        raise FontError(f"begins with {data[:4].hex()}, expected 3604 (PSF 1) or 72b54a86 (PSF 2)")
    width, height, count = font[:3]
    if not 4 <= width <= 64 or width % 4 or not 4 <= height <= 64 or not 1 <= count <= 65535:
        raise FontError(f"{count} glyphs of {width}x{height}: expected a width that is a multiple "
                        "of 4 and sizes from 4 to 64")
    return font


def rows(values, per_line):
    for i in range(0, len(values), per_line):
        yield "\t" + " ".join(values[i:i + per_line])


def c_source(name, source, font):
    width, height, count, bitmaps, found = font
    mapped = sorted((c, g) for c, g in found.items() if c <= 0xffff)
    return "\n".join([
        "/* SPDX-License-Identifier: MIT */",
        f"/* Made by tools/font.py from {source}. */",
        '#include "devices/font.h"',
        "",
        f"static const uint8_t {name}_bitmaps[] = {{",
        *rows([f"0x{byte:02x}," for byte in bitmaps], 16),
        "};",
        "",
        f"static const struct font_map {name}_map[] = {{",
        *rows([f"{{0x{c:04x}, {g}}}," for c, g in mapped], 6),
        "};",
        "",
        f"const struct font {name} = {{",
        f"\t.width = {width},",
        f"\t.height = {height},",
        f"\t.row_bytes = {(width + 7) // 8},",
        f"\t.glyph_count = {count},",
        f"\t.map_count = {len(mapped)},",
        f"\t.bitmaps = {name}_bitmaps,",
        f"\t.map = {name}_map,",
        "};",
        "",
    ])


def main(arguments):
    if len(arguments) != 3 or not re.fullmatch(r"[a-z_][a-z0-9_]*", arguments[1]):
        sys.exit(__doc__)
    path, name, output = arguments
    try:
        text = c_source(name, os.path.basename(path), read_font(path))
    except FileNotFoundError:
        sys.exit(f"font.py: {path}: no such file; fonts are in Debian's console-setup-linux")
    except (OSError, FontError) as error:
        sys.exit(f"font.py: {path}: {error}")
    with open(output, "w", encoding="ascii") as f:
        f.write(text)


if __name__ == "__main__":
    main(sys.argv[1:])
