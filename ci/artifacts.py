# SPDX-License-Identifier: MIT
"""What the build puts out, judged without booting it."""
import hashlib
import os
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

import harness
from harness import build, check, tree

SECTION_HEADER = 40
EXECUTE, WRITE = 0x20000000, 0x80000000
NX_COMPAT, DYNAMIC_BASE = 0x0100, 0x0040
RELOCATIONS = 5  # index of the base relocation directory
OUTPUTS = ("esp/EFI/BOOT/BOOTX64.EFI", "esp/baton/kernel.elf", "esp/baton/initrd.cpio", "baton.img",
           "user/tests.cpio")


class Pe:
    """The headers of a PE32+ file (Microsoft PE/COFF specification)."""

    def __init__(self, data):
        check(data[:2] == b"MZ", f"begins with {data[:2]!r}, expected MZ")
        at = struct.unpack_from("<I", data, 0x3C)[0]
        check(data[at:at + 4] == b"PE\0\0", f"{data[at:at + 4]!r} at {at:#x}, expected PE")
        self.machine, count = struct.unpack_from("<HH", data, at + 4)
        size = struct.unpack_from("<H", data, at + 20)[0]
        optional = at + 24
        self.magic = struct.unpack_from("<H", data, optional)[0]
        self.entry = struct.unpack_from("<I", data, optional + 16)[0]
        self.section_alignment = struct.unpack_from("<I", data, optional + 32)[0]
        self.timestamp = struct.unpack_from("<I", data, at + 8)[0]
        self.subsystem, self.characteristics = struct.unpack_from("<HH", data, optional + 68)
        self.directories = [struct.unpack_from("<II", data, optional + 112 + 8 * i)
                            for i in range(struct.unpack_from("<I", data, optional + 108)[0])]
        self.sections = []
        for i in range(count):
            header = data[optional + size + SECTION_HEADER * i:][:SECTION_HEADER]
            name = header[:8].rstrip(b"\0").decode()
            virtual_size, address = struct.unpack_from("<II", header, 8)
            self.sections.append((name, address, virtual_size, struct.unpack_from("<I", header, 36)[0]))


def loader_pe():
    """The loader: 4 KiB sections, none both writable and executable, NX_COMPAT, relocations."""
    pe = Pe((build.ESP / "EFI/BOOT/BOOTX64.EFI").read_bytes())
    check((pe.machine, pe.magic, pe.subsystem) == (0x8664, 0x20B, 10),
          f"machine {pe.machine:#x}, magic {pe.magic:#x}, subsystem {pe.subsystem}: "
          "expected 0x8664, 0x20b, 10 (EFI application)")
    check(pe.section_alignment == 4096, f"section alignment {pe.section_alignment}, expected 4096")
    check(pe.characteristics & NX_COMPAT, f"DllCharacteristics {pe.characteristics:#x}: no NX_COMPAT")
    check(pe.characteristics & DYNAMIC_BASE, f"{pe.characteristics:#x}: no DYNAMIC_BASE")
    check(pe.timestamp == 0, f"time stamp {pe.timestamp}, expected 0")
    check(len(pe.directories) > RELOCATIONS and pe.directories[RELOCATIONS][1] > 8,
          f"base relocation directory {pe.directories[RELOCATIONS:RELOCATIONS + 1]}: empty")
    check(any(name == ".reloc" for name, *_ in pe.sections), "no section .reloc")
    executable = []
    for name, address, size, flags in pe.sections:
        check(address % 4096 == 0, f"section {name} at {address:#x}, expected a multiple of 4096")
        check(flags & (EXECUTE | WRITE) != EXECUTE | WRITE, f"section {name} is writable and executable")
        if flags & EXECUTE:
            executable.append((address, address + size))
    check(any(low <= pe.entry < high for low, high in executable),
          f"entry {pe.entry:#x} is in no executable section")


def _digest(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def reproducible():
    """A second build of the sources, in a folder of another depth and name: the same bytes."""
    with tempfile.TemporaryDirectory(prefix="baton-again-") as folder:
        source = Path(folder) / "some where" / "deeper" / "baton"
        shutil.copytree(tree.ROOT, source, symlinks=True, ignore=lambda folder, names: [
            name for name in names if name == ".git" or name == "__pycache__"
            or Path(folder) == tree.ROOT and name.startswith("build")])
        target = Path(folder) / "out"
        words = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT,
                 "text": True, "check": False,
                 "env": {**os.environ, "TZ": "Asia/Tokyo", "LC_ALL": "C", "HOME": folder}}
        os.umask(0o077)
        for command in (["meson", "setup", str(target), str(source)],
                        ["ninja", "-C", str(target), "-j", "2", *OUTPUTS]):
            done = subprocess.run(command, **words)
            check(done.returncode == 0, f"{command}: {done.stdout[-3000:]}")
        ids = [(out / "build_id.h").read_text(encoding="utf-8") for out in (target, tree.BUILD)]
        check(ids[0] == ids[1], "the sources changed after the build: build again, then compare")
        for name in OUTPUTS:
            check(_digest(target / name) == _digest(tree.BUILD / name),
                  f"{name} differs between two builds of the same sources")


def esp_tree():
    """build/esp/ holds what the issue names and nothing else."""
    found = sorted(str(path.relative_to(build.ESP)) for path in build.ESP.rglob("*") if path.is_file())
    expected = sorted(["EFI/BOOT/BOOTX64.EFI", "README.TXT", "baton/attacks.cpio", "baton/initrd.cpio", "baton/kernel.elf",
                       "baton/firmware.cpio", "loader/entries/firmware.conf", "baton/memview.cpio", "loader/entries/memview.conf",
                       "loader/loader.conf", "loader/entries/baton.conf", "loader/entries/report-card.conf",
                       "loader/entries/shell.conf"])
    check(found == expected, f"build/esp/ holds {found}, expected {expected}")
    readme = (build.ESP / "README.TXT").read_bytes()
    check(readme.count(b"\r\n") == readme.count(b"\n") > 10, "README.TXT: lines must end in CR LF")


if __name__ == "__main__":
    harness.main([loader_pe, reproducible, esp_tree])
