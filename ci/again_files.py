#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the tree of an EFI System Partition for again.efi: the bad files, and the plan of what to try.

usage: again_files.py --kernel KERNEL.ELF [--loader BOOTX64.EFI] [--again AGAIN.EFI] [--initrd FILE]
                      [--refuse N] OUT

OUT becomes a folder to be copied to the root of a FAT file system:
  EFI/BOOT/BOOTX64.EFI   AGAIN.EFI             EFI/BOOT/BATON.EFI   BOOTX64.EFI
  baton/                 the good kernel and initrd, loader/ a configuration that boots them
  again/                 the bad ones, and plan.txt (its format: ci/again.c)
Without --refuse, every case must fail. With --refuse N there is one case alone: the good kernel, with
ExitBootServices refused N times (from 8 on the loader gives up, says so and resets the machine), and
two places in memory denied before.

The same kernel gives the same files: the places where it is cut come from a fixed seed.
"""
import argparse
import random
import shutil
import struct
import sys
from pathlib import Path

LOAD_ERROR, UNSUPPORTED, OUT_OF_RESOURCES, NOT_FOUND = 1, 3, 9, 14  # UEFI 2.10, appendix D
CUTS = 20
SEED = 20240101
EHDR = struct.Struct("<16sHHIQQQIHHHHHH")
PHDR = struct.Struct("<IIQQQQQQ")
PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 2, 3
PF_X, PF_W, PF_R = 1, 2, 4
ET_REL, EM_AARCH64 = 1, 183
DT_RELA, DT_RELASZ, DT_RELAENT, DT_RELRSZ, DT_RELR, DT_RELRENT = 7, 8, 9, 35, 36, 37
R_GLOB_DAT = 6  # R_X86_64_GLOB_DAT


class Elf:
    """An ELF file whose header fields can be changed."""

    EHDR_FIELDS = ("ident type machine version entry phoff shoff flags ehsize phentsize phnum shentsize "
                   "shnum shstrndx").split()
    PHDR_FIELDS = "type flags offset vaddr paddr filesz memsz align".split()

    def __init__(self, data):
        self.data = bytearray(data)
        if self.data[:4] != b"\x7fELF":
            sys.exit("again_files: the kernel is no ELF file")

    def header(self):
        return dict(zip(self.EHDR_FIELDS, EHDR.unpack_from(self.data)))

    def set_header(self, **changes):
        header = {**self.header(), **changes}
        EHDR.pack_into(self.data, 0, *header.values())
        return bytes(self.data)

    def segments(self):
        header = self.header()
        for i in range(header["phnum"]):
            yield i, dict(zip(self.PHDR_FIELDS, PHDR.unpack_from(self.data, header["phoff"] + i * PHDR.size)))

    def loads(self):
        return [(i, s) for i, s in self.segments() if s["type"] == PT_LOAD]

    def set_segment(self, index, **changes):
        segment = {**dict(self.segments())[index], **changes}
        PHDR.pack_into(self.data, self.header()["phoff"] + index * PHDR.size, *segment.values())
        return bytes(self.data)

    def at(self, vaddr):
        """The file offset of an address; None: it is not in the file."""
        return next((vaddr - s["vaddr"] + s["offset"] for _, s in self.loads()
                     if s["vaddr"] <= vaddr < s["vaddr"] + s["filesz"]), None)

    def dynamic(self):
        """{tag: file offset of its entry} of the dynamic section."""
        return {struct.unpack_from("<Q", self.data, at)[0]: at for _, s in self.segments() if s["type"] == PT_DYNAMIC
                for at in range(s["offset"], s["offset"] + s["filesz"], 16)}

    def put(self, at, *words):
        struct.pack_into(f"<{len(words)}Q", self.data, at, *words)
        return bytes(self.data)


def bad_relocations(good, text):
    """As bad_kernels(): the relocations of one with RELA, and its table taken for a packed one."""
    dynamic = Elf(good).dynamic()
    if not {DT_RELA, DT_RELASZ, DT_RELAENT} <= set(dynamic):
        sys.exit("again_files: the kernel has no DT_RELA")
    table = Elf(good).at(struct.unpack_from("<Q", good, dynamic[DT_RELA] + 8)[0])
    yield "relocated-text", LOAD_ERROR, Elf(good).put(table, text["vaddr"])
    yield "relocation-type", UNSUPPORTED, Elf(good).put(table + 8, R_GLOB_DAT)
    for name, size, entry_size, word in (("text", 8, 8, text["vaddr"]), ("map-first", 8, 8, 3),
                                         ("entry-size", 8, 4, text["vaddr"]), ("too-long", 1 << 40, 8, 3)):
        elf = Elf(good)
        elf.put(dynamic[DT_RELA], DT_RELR)
        elf.put(dynamic[DT_RELASZ], DT_RELRSZ, size)
        elf.put(dynamic[DT_RELAENT], DT_RELRENT, entry_size)
        yield f"packed-{name}", LOAD_ERROR, elf.put(table, word)


def bad_kernels(good):
    """(name, status, bytes) of each kernel that must be refused."""
    loads = Elf(good).loads()
    (first, text), (second, _) = loads[0], loads[1]
    last = loads[-1][0]
    yield "no-elf", LOAD_ERROR, b"MZ" + good[2:]
    yield "empty", LOAD_ERROR, b""
    yield "class-32", UNSUPPORTED, good[:4] + b"\x01" + good[5:]
    yield "other-machine", UNSUPPORTED, Elf(good).set_header(machine=EM_AARCH64)
    yield "object-file", UNSUPPORTED, Elf(good).set_header(type=ET_REL)
    yield "headers-outside", LOAD_ERROR, Elf(good).set_header(phoff=len(good))
    yield "entry-outside", LOAD_ERROR, Elf(good).set_header(entry=text["vaddr"] - 1)
    yield "writable-text", LOAD_ERROR, Elf(good).set_segment(first, flags=PF_R | PF_W | PF_X)
    yield "executable-data", LOAD_ERROR, Elf(good).set_segment(last, flags=PF_R | PF_W | PF_X)
    yield "overlap", LOAD_ERROR, Elf(good).set_segment(second, vaddr=text["vaddr"])
    yield "low-address", UNSUPPORTED, Elf(good).set_segment(first, vaddr=0x100000)
    yield "alignment", LOAD_ERROR, Elf(good).set_segment(second, align=16)
    yield "file-size-above-memory", LOAD_ERROR, Elf(good).set_segment(first, memsz=text["filesz"] - 1)
    yield "huge-segment", UNSUPPORTED, Elf(good).set_segment(last, memsz=1 << 63)
    yield "interpreter", UNSUPPORTED, Elf(good).set_segment(last, type=PT_INTERP)
    yield from bad_relocations(good, text)
    cuts = random.Random(SEED)
    for i in range(CUTS):
        size = cuts.randrange(len(good))
        yield f"cut-{i:02}-at-{size}", LOAD_ERROR, good[:size]


ENTRY = "title Bad\nkernel /baton/kernel.elf\ninitrd /baton/initrd.cpio\n"

# name, loader.conf, entry, status
BAD_CONFIGURATIONS = [
    ("timeout-no-number", "timeout soon\n", ENTRY, LOAD_ERROR),
    ("timeout-too-long", "timeout 99999999999\n", ENTRY, LOAD_ERROR),
    ("timeout-no-value", "timeout\n", ENTRY, LOAD_ERROR),
    ("default-no-value", "default   \n", ENTRY, LOAD_ERROR),
    ("default-unknown", "default nobody\n", ENTRY, NOT_FOUND),
    ("default-unknown-pattern", "default nobody*\n", ENTRY, NOT_FOUND),
    ("control-byte", "timeout 0\n\x01\n", ENTRY, LOAD_ERROR),
    ("nul-byte", "default entry\n", "kernel /baton\0/kernel.elf\n", LOAD_ERROR),
    ("kernel-no-value", "default entry\n", "kernel\n", LOAD_ERROR),
    ("kernel-twice", "default entry\n", ENTRY + "kernel /baton/kernel.elf\n", LOAD_ERROR),
    ("no-kernel", "default entry\n", "title Bad\n", LOAD_ERROR),
    ("path-too-long", "default entry\n", "kernel /" + "x" * 400 + "\n", LOAD_ERROR),
    ("line-too-long", "default entry\n", ENTRY + "options " + "x" * 9000 + "\n", LOAD_ERROR),
    ("options-too-long", "default entry\n", ENTRY + ("options " + "x" * 3000 + "\n") * 2, OUT_OF_RESOURCES),
    ("options-not-ascii", "default entry\n", ENTRY + "options caf\u00e9\n", LOAD_ERROR),
    ("too-many-initrds", "default entry\n", ENTRY + "initrd /baton/initrd.cpio\n" * 8, LOAD_ERROR),
    ("video-option", "default entry\n", ENTRY + "options video=wide\n", LOAD_ERROR),
    ("kernel-is-a-folder", "default entry\n", "kernel /baton\n", LOAD_ERROR),
]


def write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())


def write_cases(out, good):
    """Writes the bad files below OUT and returns the plan's lines."""
    plan = ["kernel-missing | %d | kernel=\\again\\none.elf" % NOT_FOUND]
    for name, status, data in bad_kernels(good):
        write(out / "again" / "k" / f"{name}.elf", data)
        plan.append(f"kernel-{name} | {status} | kernel=\\again\\k\\{name}.elf")
    for name, conf, entry, status in BAD_CONFIGURATIONS:
        folder = out / "again" / "c" / name
        write(folder / "loader.conf", conf)
        write(folder / "entries" / "entry.conf", entry)
        plan.append(f"config-{name} | {status} | config=\\again\\c\\{name}\\loader.conf")
    write(out / "again" / "empty.cpio", b"")
    write(out / "again" / "large.cpio", bytes(4 << 20))
    plan += [
        f"config-missing | {NOT_FOUND} | config=\\again\\none.conf",
        f"entry-missing | {NOT_FOUND} | entry=none",
        f"option-video | {LOAD_ERROR} | video=1024",
        f"initrd-missing | {NOT_FOUND} | initrd=\\again\\none.cpio",
        f"initrd-empty | {LOAD_ERROR} | initrd=\\again\\empty.cpio",
        f"initrd-second-missing | {NOT_FOUND} | initrd=\\again\\large.cpio initrd=\\again\\none.cpio",
        f"memory-for-the-initrd | {OUT_OF_RESOURCES} | initrd=\\again\\large.cpio | leave=3072",
        f"memory-denied | {NOT_FOUND} | | deny=99",
        f"memory-for-the-kernel | {OUT_OF_RESOURCES} | initrd=\\again\\large.cpio | leave=64",
    ]
    return plan


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1][7:])
    parser.add_argument("--kernel", type=Path, required=True)
    parser.add_argument("--loader", type=Path)
    parser.add_argument("--again", type=Path)
    parser.add_argument("--initrd", type=Path)
    parser.add_argument("--refuse", type=int)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    out, good = arguments.out, arguments.kernel.read_bytes()
    write(out / "baton" / "kernel.elf", good)
    write(out / "baton" / "initrd.cpio", arguments.initrd.read_bytes() if arguments.initrd else b"0" * 5000)
    write(out / "loader" / "loader.conf", "default baton\n")
    write(out / "loader" / "entries" / "baton.conf", ENTRY)
    if arguments.refuse:
        plan = [f"refused | 0 | | refuse={arguments.refuse} | deny=2"]
    else:
        plan = write_cases(out, good)
    write(out / "again" / "plan.txt", "\n".join(plan) + "\n")
    for program, name in ((arguments.again, "BOOTX64.EFI"), (arguments.loader, "BATON.EFI")):
        if program:
            (out / "EFI" / "BOOT").mkdir(parents=True, exist_ok=True)
            shutil.copyfile(program, out / "EFI" / "BOOT" / name)


if __name__ == "__main__":
    main()
