# SPDX-License-Identifier: MIT
"""One signed file: loader, kernel, initrd and command line as a Unified Kernel Image (UAPI.5).

Made by Debian's binutils (objcopy) and sbsigntool (sbsign). The loader is the stub; the sections are those that
the specification names, and .sha256, which is ours: the digests, as sha256sum writes them, of what may be used
besides under Secure Boot.
"""
import hashlib
import re
import struct
import subprocess
from pathlib import Path

from . import boot, build, tree

PAGE = 4096
FLAGS = "contents,alloc,load,readonly,data"
SBAT = ("sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md\n"
        "baton,1,Baton,baton,{build_id},https://uapi-group.org/specifications/specs/unified_kernel_image/\n")
OSREL = 'ID=baton\nNAME="Baton"\nPRETTY_NAME="Baton {build_id}"\nVERSION_ID="{version}"\nBUILD_ID="{build_id}"\n'


class Pe:
    """What is needed of a PE32+ file's headers, and its sections by name."""

    def __init__(self, data):
        self.data = data
        try:
            at = struct.unpack_from("<I", data, 0x3C)[0]
            if data[:2] != b"MZ" or data[at:at + 4] != b"PE\0\0":
                raise tree.Failure("no PE file")
            count, size = struct.unpack_from("<H", data, at + 6)[0], struct.unpack_from("<H", data, at + 20)[0]
            self.base = struct.unpack_from("<Q", data, at + 24 + 24)[0]
            self.size = struct.unpack_from("<I", data, at + 24 + 56)[0]
            headers = [struct.unpack_from("<8sIIII", data, at + 24 + size + 40 * i) for i in range(count)]
        except struct.error as error:
            raise tree.Failure(f"a PE file that ends in its headers: {error}") from error
        self.sections = {name.rstrip(b"\0").decode(errors="replace"): (offset, min(virtual, raw) if raw else 0)
                         for name, virtual, _, raw, offset in headers}

    def section(self, name):
        """Its bytes, without padding; None: it is not there."""
        if name not in self.sections:
            return None
        offset, size = self.sections[name]
        return self.data[offset:offset + size]


def _run(words):
    try:
        done = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except FileNotFoundError as error:
        raise tree.Failure(f"{words[0]} is not installed") from error
    if done.returncode != 0:
        raise tree.Failure(f"{words[0]} ended with {done.returncode}: {done.stdout.strip()[-1000:]}")


def digest_line(data, name):
    return f"{hashlib.sha256(data).hexdigest()}  {name}\n"


def _identity():
    found = re.search(r'BATON_BUILD_ID "([^"]+)"', (tree.BUILD / "build_id.h").read_text(encoding="utf-8"))
    release = re.search(r'MACHINE_RELEASE\s+"([^"]+)"', (tree.ROOT / "kernel" / "syscall" / "machine.h").read_text(encoding="utf-8"))
    return {"build_id": found[1], "version": found[1].partition("-")[0], "release": release[1]}


def sections(kernel=boot.KERNEL, initrds=(build.INITRD,), options="", digests=""):
    """{name: bytes} in the order in which UAPI.5 has them measured; kernel None: no UKI, the loader alone."""
    parts = {}
    if kernel is not None:
        archives = [Path(path).read_bytes() for path in initrds]
        # As the loader puts files one after the other: each begins at a page.
        initrd = b"".join(data + bytes(-len(data) % PAGE) for data in archives[:-1]) + b"".join(archives[-1:])
        identity = _identity()
        parts = {".linux": Path(kernel).read_bytes(), ".osrel": OSREL.format(**identity).encode(),
                 ".cmdline": options.encode(), ".initrd": initrd, ".uname": identity["release"].encode(),
                 ".sbat": SBAT.format(**identity).encode()}
    parts[".sha256"] = digests.encode()
    return {name: data for name, data in parts.items() if data}


def unify(folder, out, parts, loader=boot.LOADER):
    """Writes `out`: the loader with these sections, each at a page of its own behind its own."""
    pe = Pe(Path(loader).read_bytes())
    at = pe.base + -(-pe.size // PAGE) * PAGE
    words = ["objcopy"]
    for name, data in parts.items():
        path = Path(folder) / f"section{name}"
        path.write_bytes(data)
        words += ["--add-section", f"{name}={path}", "--set-section-flags", f"{name}={FLAGS}",
                  "--change-section-vma", f"{name}={at:#x}"]
        at += -(-len(data) // PAGE) * PAGE
    _run([*words, loader, out])
    made = Pe(Path(out).read_bytes())
    for name, data in parts.items():
        if made.section(name) != data:
            raise tree.Failure(f"objcopy made {out} without the bytes of {name}")


def sign(path, key, certificate):
    """Signs the file in its place."""
    for what in (key, certificate):
        if not Path(what).is_file():
            raise tree.Failure(f"{what}: no such file; expected a key and a certificate in PEM form")
    signed = Path(f"{path}.signed")
    _run(["sbsign", "--key", key, "--cert", certificate, "--output", signed, path])
    signed.replace(path)
