# SPDX-License-Identifier: MIT
"""Boots with something broken: the hand-off, as the debug build's loader spoils it (efi-loader/pure/mutate.c), and the initrd.

Each mutant follows from its number alone. What is broken is either told, what and where, what was found and what expected,
or does no harm; the machine never hangs and never ends without a word. U-Boot is the firmware, since it starts in a second. `seeds
handoff|first|behind FROM TO` tells what becomes of others.
"""
import gzip
import os
import random
import re
import sys
from pathlib import Path

import debug_kernel

os.environ["BATON_BUILD"] = str(debug_kernel.FOLDER)  # before harness is: the loader with handoff_mutant= is the debug build's

import harness  # pylint: disable=wrong-import-position
from harness import Boot, ScenarioFailure, build, check, guest, run_program  # pylint: disable=wrong-import-position
from initrd_corners import CHARACTER, DIRECTORY, FIFO, FILE, LINK, Archive  # pylint: disable=wrong-import-position

REFUSED = re.compile(r"the hand-off from the loader cannot be used: hand-off: .*(expected|before|none of|is not what|"
                     r"do not show|ends after|does not end|outside of|areas overlap|is past|follows)")
NO_INIT = re.compile(r"the first program .* cannot be started: error \d+")
UNPACKED = re.compile(r"initrd: \d+ entries, \d+ pages adopted, \d+ bytes copied")
BROKEN = re.compile(r"initrd: (?:byte \d+ of \d+|the gzip file at byte \d+, byte \d+ unpacked): .+: found .+, expected .+; "
                    r"what came before stays")
SCRIPT = "cat /odd/before && ls -lR /odd > /dev/null; echo x > /proc/baton/audit && echo audited"


def _end_of(machine):
    """The panic's words, or "" when the machine has switched itself off or come to a shell, which is then left."""
    match = machine.until(rf"PANIC: (.*)\n|power off: process 1 has ended|{harness.PROMPT}", harness.SECONDS)
    return match[1] or ""


def _handoff(seed):
    with Boot(f"handoff_mutant={seed} true", mem=128, firmware="uboot") as machine:
        machine.log.watched = False
        said = _end_of(machine)
        check(not said or REFUSED.match(said) or NO_INIT.match(said), f"mutant {seed} of the hand-off: {said}")
    return said


def _change(data, rng, places):
    """One change of the bytes at one of these places."""
    at = rng.choice(places)
    kind = rng.randrange(8)
    if kind < 2:
        return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1:]
    if kind < 5:
        return data[:at] + rng.choice(b"0123456789abcdefFF\0").to_bytes(1, "little") + data[at + 1:]
    if kind == 5:
        return data[:at] + bytes(rng.randrange(1, 9)) + data[at:]
    if kind == 6:
        return data[:at] + data[at + rng.randrange(1, 120):]
    return data[:at] + data[at - rng.randrange(1, 200):]


def _first(seed):
    """Baton's own initrd, with a header or a name changed."""
    rng = random.Random(seed)
    data = Path(build.INITRD).read_bytes()
    headers = [match.start() for match in re.finditer(rb"07070[12][0-9a-fA-F]{104}", data)]
    start = rng.choice(headers)
    data = _change(data, rng, range(start, min(start + 130, len(data))))
    with guest.private_folder() as folder:
        path = folder / "initrd.cpio"
        path.write_bytes(data)
        with Boot("true", mem=256, firmware="uboot", parts={"initrd": path}) as machine:
            machine.log.watched = False
            said = _end_of(machine)
            log = machine.text()
    check(not said or NO_INIT.match(said), f"mutant {seed} of the initrd: {said}")
    check(UNPACKED.search(log) or BROKEN.search(log), f"mutant {seed} of the initrd: the log does not say what was unpacked")
    check("initrd: byte" not in log or BROKEN.search(log), f"mutant {seed} of the initrd: not told what and where")
    return said or (BROKEN.search(log) or ["boots"])[0]


def _good():
    """(what is not changed, what may be)"""
    kept = Archive().add("odd", DIRECTORY | 0o755).add("odd/before", data=b"stays\n").bytes
    made = Archive().add("odd/d", DIRECTORY | 0o755).add("odd/d/file", FILE | 0o4755, b"data" * 300, uid=5)
    made.add("odd/link", LINK | 0o777, b"d/file").add("odd/fifo", FIFO | 0o600).add("odd/null", CHARACTER | 0o666, rmajor=1, rminor=3)
    for name in ("one", "two"):
        made.add(f"odd/{name}", data=b"shared" if name == "two" else b"", ino=77, nlink=2)
    made.add("odd/sum", data=b"summed", magic=b"070702", check=sum(b"summed")).add("odd/big", data=bytes(range(256)) * 64).end(512)
    packed = gzip.compress(Archive().add("odd/packed", data=b"p" * 5000).end().bytes, mtime=0)
    return kept, made.bytes + packed + bytes(-len(packed) % 4) + Archive().add("odd/last", data=b"last").end().bytes


def _behind(seed):
    """An archive behind Baton's own with up to three changes: its unchanged start is there whatever follows."""
    rng = random.Random(seed)
    kept, data = _good()
    for _ in range(rng.randrange(1, 4)):
        data = _change(data, rng, range(len(data)))
    with guest.private_folder() as folder:
        path = folder / "odd.cpio"
        path.write_bytes(kept + data)
        result = run_program("/bin/busybox", ["sh", "-c", SCRIPT], mem=256, firmware="uboot", behind=[path])
    text = result.stdout.decode(errors="backslashreplace")
    check(result.code == 0 and text.endswith("audited\n") and "stays\n" in text,
          f"mutant {seed} behind the initrd: {text}{result.stderr}")
    check(UNPACKED.search(result.log), f"mutant {seed} behind the initrd: the log does not say what was unpacked")
    check("initrd: byte" not in result.log or BROKEN.search(result.log), f"mutant {seed} behind the initrd: not told what and where")
    return (BROKEN.search(result.log) or ["boots"])[0]


KINDS = {"handoff": _handoff, "first": _first, "behind": _behind}


def _run(kind, seeds, refused_least):
    debug_kernel.build()
    said = {seed: KINDS[kind](seed) for seed in seeds}
    for seed, text in said.items():
        print(f"{kind} {seed}: {text or 'boots'}")
    told = sum(text not in ("", "boots") for text in said.values())
    check(told >= refused_least, f"only {told} of {len(said)} mutants were told")


def handoff():
    """Eight. What a seed spoils changes with the layout of the hand-off: today the image, the memory map, tables, sizes, the
    checksum, and one that does no harm; of any eight, three are told."""
    _run("handoff", HANDOFF_FEW, 3)


def initrd():
    """Three of Baton's own, three behind it."""
    _run("first", range(1, 4), 0)
    _run("behind", range(1, 4), 1)


def handoff_many():
    _run("handoff", range(1, 61), 25)


def initrd_many():
    _run("first", range(1, 21), 3)
    _run("behind", range(1, 21), 8)


HANDOFF_FEW = (1, 2, 4, 6, 8, 10, 15, 18)


def _show(kind, first, last):
    debug_kernel.build()
    for seed in range(int(first), int(last)):
        try:
            print(seed, KINDS[kind](seed) or "boots", flush=True)
        except ScenarioFailure as error:
            print(seed, f"NOT OK: {error}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 5 and sys.argv[1] == "seeds":
        _show(*sys.argv[2:])
    else:
        harness.main([handoff, initrd, handoff_many, initrd_many])
