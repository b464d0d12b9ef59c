# SPDX-License-Identifier: MIT
"""baton symbolise: the kernel's addresses in a log -> function, file and line.

An address is `kernel+0xOFFSET`, or one in the kernel's range; the slide that was added to the latter
is read from the log (`image at 0x...`, `slide 0x...`), from the line above or the address's own. The return address of
a call is the instruction after it, which may belong to another line: of a bare address one less is
looked up, but for the one that a line with `rip` names; in `kernel+0xOFFSET` the kernel has seen to it. An address that is no code is a variable's.

`BATON1:...` is what the QR code of a panic says: the record in it is shown, and looked up, too.
"""
import argparse
import bisect
import re
import struct
import subprocess
import sys
import zlib

from . import build, tree

LINK_BASE = 0xFFFFFFFF80000000
IMAGE = re.compile(r"\bimage at (?:0x)?([0-9a-f]{16})\b", re.I)
SLIDE = re.compile(r"\bslide[ =:]+(?:0x)?([0-9a-f]+)\b", re.I)
ADDRESS = re.compile(r"\bkernel\+0x([0-9a-f]+)\b|\b(?:0x)?(ffffffff[89a-f][0-9a-f]{7})\b", re.I)
EXACT = re.compile(r"\brip\b", re.I)
CODE = re.compile(r"BATON1:([0-9A-Z $%*+\-./:]+)")
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"  # of Base45, RFC 9285
PT_LOAD, PF_X = 1, 1


def executable_ranges(data):
    """[(start, end)] of an ELF64's executable segments: pure."""
    table, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    ranges = []
    for i in range(count):
        kind, flags, _, virt, _, _, memory = struct.unpack_from("<IIQQQQQ", data, table + i * size)
        if kind == PT_LOAD and flags & PF_X:
            ranges.append((virt, virt + memory))
    return ranges


def addresses(lines):
    """Per line the link-time addresses to look up: pure."""
    slide, found = 0, []
    for line in lines:
        if said := IMAGE.search(line):
            slide = int(said[1], 16) - LINK_BASE
        elif said := SLIDE.search(line):
            slide = int(said[1], 16)
        back = 0 if EXACT.search(line) else 1
        here = []
        for match in ADDRESS.finditer(line):
            here.append(LINK_BASE + int(match[1], 16) if match[1] else int(match[2], 16) - slide - back)
        found.append(here)
    return found


def object_names(kernel):
    """[(start, end, name)] of the kernel's variables, in order."""
    done = subprocess.run(["nm", "-n", "-S", str(kernel)], check=True, text=True, stdout=subprocess.PIPE)
    rows = (line.split() for line in done.stdout.splitlines())
    return [(int(row[0], 16), int(row[0], 16) + int(row[1], 16), row[3])
            for row in rows if len(row) == 4 and row[2] in "bBdDrR"]


def object_at(objects, address):
    """The variable's name, with the offset inside of it if there is one, or None: pure."""
    at = bisect.bisect_right(objects, address, key=lambda row: row[0]) - 1
    if at < 0 or address >= objects[at][1]:
        return None
    start, _, name = objects[at]
    return name + (f"+{address - start:#x}" if address > start else "")


def unpack(line):
    """The lines of a panic's record that a QR code's text in this line holds (kernel/devices/panic_code.c): pure."""
    found = CODE.search(line)
    if not found:
        return []
    values = [DIGITS.index(character) for character in found[1]]
    packed = bytearray()
    try:
        for i in range(0, len(values), 3):
            part = values[i:i + 3]
            number = sum(value * 45 ** k for k, value in enumerate(part))
            packed += number.to_bytes(len(part) - 1, "big")
        return zlib.decompress(bytes(packed)).decode("utf-8", "replace").splitlines()
    except (OverflowError, zlib.error) as error:
        return [f"[the code is damaged: {error}]"]


def lookup(kernel, wanted):
    """{address: [(function, file:line), ...]}, the innermost inlined function first."""
    if not wanted:
        return {}
    done = subprocess.run(["addr2line", "-a", "-f", "-i", "-e", str(kernel)], check=True, text=True,
                          input="".join(f"{address:#x}\n" for address in wanted),
                          stdout=subprocess.PIPE)
    places, lines = {}, iter(done.stdout.splitlines())
    here = None
    for line in lines:
        if re.fullmatch(r"0x[0-9a-f]{16}", line):
            here = places.setdefault(int(line, 16), [])
        else:
            here.append((line, next(lines).partition(" (discriminator")[0]))
    return places


def annotate(lines, kernel):
    lines = [inner for line in lines for inner in (line, *unpack(line))]
    with open(kernel, "rb") as f:
        ranges = executable_ranges(f.read())
    found = addresses(lines)
    code = sorted({a for here in found for a in here if any(low <= a < high for low, high in ranges)})
    places = lookup(kernel, code)
    objects = object_names(kernel)
    for line, here in zip(lines, found):
        yield line
        for address in here:
            for depth, (function, place) in enumerate(places.get(address, ())):
                if function != "??":
                    yield f"        {'inlined in' if depth else '->'} {function} at {place}"
            if address not in places and (name := object_at(objects, address)):
                yield f"        -> {name}"


def command(args):
    if not build.KERNEL.exists():
        raise tree.Failure(f"{build.KERNEL} is not there: symbols come from the kernel that was built")
    if not args.file and sys.stdin.isatty():
        tree.say("reading a log from the terminal, up to Ctrl-D (or name a file: baton symbolise FILE)")
    try:
        with open(args.file, encoding="utf-8", errors="replace") if args.file else sys.stdin as log:
            lines = log.read().splitlines()
    except OSError as error:
        raise tree.Failure(f"{args.file}: {error.strerror}") from error
    for line in annotate(lines, build.KERNEL):
        print(line)
    return 0


def add(verbs):
    parser = verbs.add_parser(
        "symbolise", help="addresses in a log to functions and lines", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", metavar="FILE", help="a log; standard input without")
    parser.set_defaults(function=command)
