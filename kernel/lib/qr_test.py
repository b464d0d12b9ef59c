#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""qr.c and deflate.c on the host: a code from the standard's tables (version 1, known modules), every version and level
read back by a decoder written from the standard's other side, with its Reed-Solomon check; packed texts
unpacked by zlib.

usage: qr_test.py PROGRAM
"""
import random
import struct
import subprocess
import sys
import zlib

CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
QR, PACK = 0, 1
# ISO/IEC 18004, table 9, as (blocks, codewords of a block, data codewords of a block), for some versions.
BLOCKS = {
    (1, "M"): [(1, 26, 16)], (1, "L"): [(1, 26, 19)],
    (5, "M"): [(2, 67, 43)], (7, "M"): [(4, 49, 31)], (7, "L"): [(2, 98, 78)],
    (10, "M"): [(4, 69, 43), (1, 70, 44)], (10, "L"): [(2, 86, 68), (2, 87, 69)],
    (14, "M"): [(4, 64, 40), (5, 65, 41)], (15, "L"): [(5, 109, 87), (1, 110, 88)],
    (17, "L"): [(1, 135, 107), (5, 136, 108)], (18, "M"): [(9, 69, 43), (4, 70, 44)],
    (20, "M"): [(3, 67, 41), (13, 68, 42)], (20, "L"): [(3, 135, 107), (5, 136, 108)],
}
ALIGNMENT = {1: [], 2: [6, 18], 5: [6, 30], 7: [6, 22, 38], 10: [6, 28, 50], 14: [6, 26, 46, 66], 15: [6, 26, 48, 70],
             17: [6, 30, 54, 78], 18: [6, 30, 56, 82], 20: [6, 34, 62, 90]}
FORMAT = {"M": 0b101010000010010, "L": 0b111011111000100}  # mask 0, table C.1
VERSION = {7: 0x07C94, 10: 0x0A4D3, 14: 0x0E60D, 15: 0x0F928, 17: 0x1145D, 18: 0x12A17, 20: 0x149A6}  # table D.1

EXP = [1]
for _ in range(254):
    EXP.append(EXP[-1] << 1 ^ (0x11D if EXP[-1] & 0x80 else 0))
LOG = {value: i for i, value in enumerate(EXP)}


class Tool:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __call__(self, kind, data):
        self.process.stdin.write(struct.pack("<II", kind, len(data)) + data)
        self.process.stdin.flush()
        size, = struct.unpack("<I", self.process.stdout.read(4))
        return self.process.stdout.read(size)

    def end(self):
        self.process.stdin.close()
        assert self.process.wait() == 0


def function_places(side, version):
    """Modules that hold no data: pure."""
    places = set()
    for x, y in ((0, 0), (side - 8, 0), (0, side - 8)):
        places |= {(x + dx, y + dy) for dx in range(8) for dy in range(8)}
    places |= {(8, i) for i in range(9)} | {(i, 8) for i in range(9)}
    places |= {(8, side - 1 - i) for i in range(8)} | {(side - 1 - i, 8) for i in range(8)}
    places |= {(i, 6) for i in range(side)} | {(6, i) for i in range(side)}
    middles = ALIGNMENT[version]
    for x in middles:
        for y in middles:
            if (x, y) not in ((6, 6), (6, side - 7), (side - 7, 6)):
                places |= {(x + dx, y + dy) for dx in range(-2, 3) for dy in range(-2, 3)}
    if version >= 7:
        places |= {(i, side - 11 + k) for i in range(6) for k in range(3)}
        places |= {(side - 11 + k, i) for i in range(6) for k in range(3)}
    return places


def check_patterns(dark, side, version):
    finder = ["1111111", "1000001", "1011101", "1011101", "1011101", "1000001", "1111111"]
    for x, y in ((0, 0), (side - 7, 0), (0, side - 7)):
        for dy, row in enumerate(finder):
            for dx, bit in enumerate(row):
                assert dark(x + dx, y + dy) == int(bit), "finder"
    for i in range(8, side - 8):
        assert dark(i, 6) == dark(6, i) == 1 - i % 2, "timing"
    for x in ALIGNMENT[version]:
        for y in ALIGNMENT[version]:
            if (x, y) not in ((6, 6), (6, side - 7), (side - 7, 6)):
                for dx in range(-2, 3):
                    for dy in range(-2, 3):
                        assert dark(x + dx, y + dy) == (max(abs(dx), abs(dy)) != 1), "alignment"


def check_format(dark, side, level):
    first = [(8, 0), (8, 1), (8, 2), (8, 3), (8, 4), (8, 5), (8, 7), (8, 8), (7, 8), (5, 8), (4, 8), (3, 8), (2, 8), (1, 8), (0, 8)]
    second = [(side - 1 - i, 8) for i in range(8)] + [(8, side - 7 + i) for i in range(7)]
    for places in (first, second):
        assert sum(dark(*place) << i for i, place in enumerate(places)) == FORMAT[level], "format"
    assert dark(8, side - 8), "the dark module"


def check_version(dark, side, version):
    if version >= 7:
        for swap in (False, True):
            places = [(i // 3, side - 11 + i % 3) for i in range(18)]
            found = sum(dark(*(place[::-1] if swap else place)) << i for i, place in enumerate(places))
            assert found == VERSION[version], f"version {version}: {found:#x}"


def read_codewords(dark, side, version):
    taken, bits, x, upward = function_places(side, version), [], side - 1, True
    while x > 0:
        if x == 6:
            x -= 1
        for i in range(side):
            y = side - 1 - i if upward else i
            for column in (x, x - 1):
                if (column, y) not in taken:
                    bits.append(dark(column, y) ^ ((column + y) % 2 == 0))
        x, upward = x - 2, not upward
    return [int("".join(map(str, map(int, bits[i:i + 8]))), 2) for i in range(0, len(bits) - len(bits) % 8, 8)]


def data_of(codewords, blocks):
    """The data, after each block's syndromes were found to be 0."""
    sizes = [(total, data) for count, total, data in blocks for _ in range(count)]
    parts = [[] for _ in sizes]
    stream = iter(codewords)
    for i in range(max(data for _, data in sizes)):
        for part, (_, data) in zip(parts, sizes):
            if i < data:
                part.append(next(stream))
    correction = sizes[0][0] - sizes[0][1]
    whole = [list(part) for part in parts]
    for _ in range(correction):
        for part in whole:
            part.append(next(stream))
    assert next(stream, None) is None, "codewords left over"
    for part in whole:
        for root in range(correction):
            value = 0
            for word in part:
                value = (EXP[(LOG[value] + root) % 255] if value else 0) ^ word
            assert value == 0, "a syndrome is not 0"
    return [word for part in parts for word in part]


def text_of(data, version):
    bits = "".join(f"{word:08b}" for word in data)
    assert bits[:4] == "0010", "mode"
    width = 9 if version < 10 else 11
    count, at, text = int(bits[4:4 + width], 2), 4 + width, ""
    while count >= 2:
        pair = int(bits[at:at + 11], 2)
        text, at, count = text + CHARACTERS[pair // 45] + CHARACTERS[pair % 45], at + 11, count - 2
    if count:
        text, at = text + CHARACTERS[int(bits[at:at + 6], 2)], at + 6
    rest = bits[at + 4:]
    assert set(bits[at:at + 4]) <= {"0"}, "terminator"
    pad = rest[len(rest) % 8:]
    assert pad == ("1110110000010001" * len(pad))[:len(pad)], "padding"
    return text


def check(tool, text):
    """The version and level that the text got."""
    answer = tool(QR, text.encode())
    side, version, level = answer[0], answer[1], "ML"[answer[2]]
    assert side == 17 + 4 * version and len(answer) == 3 + side * side
    if (version, level) in BLOCKS:
        def dark(x, y):
            return answer[3 + y * side + x]
        check_patterns(dark, side, version)
        check_format(dark, side, level)
        check_version(dark, side, version)
        found = text_of(data_of(read_codewords(dark, side, version), BLOCKS[version, level]), version)
        assert found == text, f"{found!r}, expected {text!r}"
    return version, level


def main(program):
    tool, rng = Tool(program), random.Random(1)
    seen = {}
    for length in range(0, 1250):
        text = "".join(rng.choice(CHARACTERS) for _ in range(length))
        seen.setdefault(check(tool, text), length)
    # The first length that the one before does not hold: one more than its capacity (table 7).
    firsts = {(version, "M"): length + 1 for version, length in enumerate(
        (-1, 20, 38, 61, 90, 122, 154, 178, 221, 262, 311, 366, 419, 483, 528, 600, 656, 734, 816, 909), 1)}
    firsts.update({(18, "L"): 971, (19, "L"): 1047, (20, "L"): 1154})
    assert seen == firsts, seen
    assert tool(QR, b"A" * 1250) == b"" and tool(QR, b"a") == b"" and tool(QR, b"A\0") == b""
    packed = 0
    for i in range(2000):
        size = rng.choice((0, 1, 2, 3, 4, 100, 999, 1000, 4096, rng.randrange(4097)))
        words = [bytes(rng.randrange(256) for _ in range(rng.randrange(1, 40))) for _ in range(rng.randrange(1, 30))]
        data = b"".join(rng.choice(words) for _ in range(size // 8 + 1))[:size] if i % 2 else bytes(
            rng.randrange(256) for _ in range(size))
        out = tool(PACK, data)
        assert out and zlib.decompress(out) == data
        packed += 1
    assert tool(PACK, b"\0" * 4097) == b""
    tool.end()
    print(f"{len(seen)} kinds of codes, {packed} texts packed and unpacked")


if __name__ == "__main__":
    main(*sys.argv[1:])
