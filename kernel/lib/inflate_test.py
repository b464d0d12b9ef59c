#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""gunzip (inflate.c) beside zlib: every level, strategy and kind of block, header fields, members cut
off at each byte, and 20,000 damaged ones. Both must accept the same and find the same.

usage: inflate_test.py PROGRAM
"""
import random
import struct
import subprocess
import sys
import zlib

REFUSED = 0xFFFFFFFF
DAMAGED = 20_000


class Tool:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __call__(self, data):
        """(bytes used, output), or (None, sentence)."""
        self.process.stdin.write(struct.pack("<I", len(data)) + data)
        self.process.stdin.flush()
        used, size = struct.unpack("<II", self.process.stdout.read(8))
        output = self.process.stdout.read(size)
        return (None, output.decode()) if used == REFUSED else (used, output)

    def end(self):
        self.process.stdin.close()
        return self.process.wait()


def with_zlib(data):
    """The same by zlib."""
    unpack = zlib.decompressobj(31)
    try:
        output = unpack.decompress(data) + unpack.flush()
    except zlib.error as error:
        return None, str(error)
    if not unpack.eof:
        return None, "incomplete"
    return len(data) - len(unpack.unused_data), output


def member(data, level=6, strategy=zlib.Z_DEFAULT_STRATEGY, memory=8, flushes=()):
    pack = zlib.compressobj(level, zlib.DEFLATED, 31, memory, strategy)
    output, at = b"", 0
    for stop, how in flushes:
        output += pack.compress(data[at:stop]) + pack.flush(how)
        at = stop
    return output + pack.compress(data[at:]) + pack.flush()


def with_header(data, flags, fields):
    """A member whose header has `fields` under `flags`."""
    plain = member(data)
    head = plain[:3] + bytes([flags]) + plain[4:10] + fields
    if flags & 2:
        head += struct.pack("<H", zlib.crc32(head) & 0xFFFF)
    return head + plain[10:]


def samples(rand):
    yield b""
    yield b"a"
    yield b"abc" * 50_000
    yield bytes(100_000)
    yield rand.randbytes(70_000)
    yield bytes(rand.choice(b"abcdefgh \n") for _ in range(40_000))
    yield bytes(int(rand.expovariate(0.03)) & 0xFF for _ in range(150_000))
    words = [rand.randbytes(rand.randrange(2, 12)) for _ in range(3000)]
    yield b"".join(rand.choice(words) for _ in range(40_000))
    block = rand.randbytes(258)
    yield block + rand.randbytes(32768 - 258) + block + rand.randbytes(32768 - 257) + block


def well_formed(rand):
    strategies = [zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE, zlib.Z_FIXED]
    for data in samples(rand):
        for level in range(10):
            yield member(data, level, rand.choice(strategies), rand.randrange(1, 10))
        for strategy in strategies:
            yield member(data, 6, strategy)
        stops = sorted(rand.randrange(len(data) + 1) for _ in range(5))
        yield member(data, 6, flushes=[(stop, rand.choice([zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH])) for stop in stops])
    for flags in range(32):
        fields = (b"\x05\x00extra" if flags & 4 else b"") + (b"name\x00" if flags & 8 else b"") + (b"words\x00" if flags & 16 else b"")
        yield with_header(b"header fields", flags, fields)
    yield member(b"first") + member(b"second") + b"\x00" * 7


def damaged(rand, good):
    small = [data for data in good if len(data) < 3000]
    for _ in range(DAMAGED):
        data = bytearray(rand.choice(small))
        for _ in range(rand.randrange(1, 4)):
            at = rand.randrange(len(data))
            how = rand.randrange(4)
            if how == 0:
                data[at] ^= 1 << rand.randrange(8)
            elif how == 1:
                data[at] = rand.randrange(256)
            elif how == 2:
                del data[at:at + rand.randrange(1, 9)]
            else:
                data[at:at] = rand.randbytes(rand.randrange(1, 5))
            if not data:
                data = bytearray(b"\x1f")
        yield bytes(data)
    # Random bits as a block with codes of its own, where most of what can be wrong lies.
    for _ in range(DAMAGED):
        first = bytes([rand.randrange(256) & 0xF8 | 0x05]) # the last block, codes given
        yield b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + first + rand.randbytes(rand.randrange(200))


def main(program):
    rand, tool, refused, cases = random.Random(1951), Tool(program), 0, 0
    good = list(well_formed(rand))
    cut = [good[1][:size] for size in range(len(good[1]))]
    text = next(data for data in good if 200 < len(data) < 3000)
    cut += [text[:size] for size in range(len(text))]
    for number, data in enumerate(good + cut + list(damaged(rand, good))):
        ours, theirs = tool(data), with_zlib(data)
        cases += 1
        refused += ours[0] is None
        if number < len(good) and ours[0] is None:
            sys.exit(f"case {number}: refused ({ours[1]}), but well formed")
        if (ours[0] is None) != (theirs[0] is None) or (ours[0] is not None and ours != theirs):
            sys.exit(f"case {number}, {data[:64].hex()}: ours {ours[0]} {ours[1][:60]!r}, zlib's {theirs[0]} {theirs[1][:60]!r}")
    if tool.end():
        sys.exit("the program ended badly")
    print(f"{cases} members, {refused} refused, as by zlib")


if __name__ == "__main__":
    main(sys.argv[1])
