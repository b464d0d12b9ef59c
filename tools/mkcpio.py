#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes a cpio archive (newc) as initrd: the same input gives the same bytes.

usage: mkcpio.py -o OUT [--list FILE] [ITEM...]

An ITEM is one of
    HOST:GUEST[:MODE]       a file, or a folder with all that is in it (MODE: of files alone)
    dir:GUEST[:MODE[:ID]]   an empty folder; ID: its owner and group
    symlink:TARGET:GUEST    a symbolic link
MODE is octal. Folders above a GUEST are made. A later item replaces an earlier one of the same
name. --list FILE holds items, one a line; empty lines and lines that start with # don't count.

Owner and group are 0 elsewhere, inode numbers count from 1, times are SOURCE_DATE_EPOCH or 0, the order is by
name, so parents come first. A file's data starts at a multiple of 4096, so that a kernel can map it
where it lies: the name field is padded with NULs, which count in c_namesize (Linux takes up to
4096 and reads the name to its first NUL). Where the name would not fit, a second entry for the root
folder fills the gap. The archive ends at a multiple of 4096: archives may be put one after another.
"""
import argparse
import os
import re
import stat
import sys

PAGE = 4096
HEADER = 110
# Linux's unpacker takes c_namesize up to PATH_MAX (4096); the largest one that can end at a page's
# end, behind a header of 110 bytes at a multiple of 4, is 4094.
NAME_MAX = 4094
SIZE_MAX = 0xFFFFFFFF


class CpioError(Exception):
    """An item that cannot become an entry."""


def align(offset, to):
    return -(-offset // to) * to


class Archive:
    """Entries by guest path (no leading slash); written by `write`."""

    def __init__(self):
        self.entries = {}  # path -> (mode, content: bytes, or str: host path to read)
        self.owners = {}  # path -> owner and group, where they are not 0

    def _put(self, guest, mode, content):
        path = clean(guest)
        if not path:
            if stat.S_ISDIR(mode):
                return  # the root is there anyway
            raise CpioError(f"{guest!r}: an entry needs a name")
        if len(os.fsencode(path)) + 1 > NAME_MAX:
            raise CpioError(f"{path[:60]!r}...: a name of {len(os.fsencode(path))} bytes, "
                            f"at most {NAME_MAX - 1} fit")
        self.entries[path] = (mode, content)

    def directory(self, guest, mode=0o755, owner=0):
        self._put(guest, stat.S_IFDIR | mode, b"")
        self.owners[clean(guest)] = owner

    def symlink(self, target, guest):
        self._put(guest, stat.S_IFLNK | 0o777, os.fsencode(target))

    def data(self, content, guest, mode=0o644):
        self._put(guest, stat.S_IFREG | mode, content)

    def file(self, host, guest, mode=None):
        """A file of the host; its mode is 755 if the host may execute it, otherwise 644."""
        try:
            info = os.stat(host)
        except OSError as error:
            raise CpioError(f"{host}: {error.strerror}") from error
        if not stat.S_ISREG(info.st_mode):
            raise CpioError(f"{host}: neither file, folder nor symbolic link")
        if info.st_size > SIZE_MAX:
            raise CpioError(f"{host}: {info.st_size} bytes, a newc entry holds {SIZE_MAX}")
        if mode is None:
            mode = 0o755 if info.st_mode & 0o111 else 0o644
        self._put(guest, stat.S_IFREG | mode, os.fspath(host))

    def tree(self, host, guest, mode=None):
        """A file, or a folder with all that is in it; symbolic links inside stay links."""
        if not os.path.isdir(host):
            self.file(host, guest, mode)
            return
        self.directory(guest)
        for name in sorted(os.listdir(host)):
            below, there = os.path.join(host, name), f"{guest}/{name}"
            if os.path.islink(below):
                self.symlink(os.readlink(below), there)
            else:
                self.tree(below, there, mode)

    def item(self, text):
        """An ITEM of the command line."""
        parts = text.split(":")
        if parts[0] == "dir" and len(parts) in (2, 3, 4):
            if len(parts) == 4 and not re.fullmatch("[0-9]{1,9}", parts[3]):
                raise CpioError(f"{text!r}: owner {parts[3]!r}, expected a number")
            self.directory(parts[1], octal(parts[2], text) if len(parts) > 2 else 0o755, int("".join(parts[3:]) or 0))
        elif parts[0] == "symlink" and len(parts) == 3:
            self.symlink(parts[1], parts[2])
        elif len(parts) in (2, 3) and parts[0] and parts[1]:
            self.tree(parts[0], parts[1], octal(parts[2], text) if len(parts) == 3 else None)
        else:
            raise CpioError(f"{text!r}: expected HOST:GUEST[:MODE], dir:GUEST[:MODE[:ID]] or "
                            "symlink:TARGET:GUEST")

    def _with_parents(self):
        entries = dict(self.entries)
        for path in self.entries:
            parent = path
            while "/" in parent:
                parent = parent.rpartition("/")[0]
                above = entries.setdefault(parent, (stat.S_IFDIR | 0o755, b""))
                if not stat.S_ISDIR(above[0]):
                    raise CpioError(f"{path}: {parent} above it is no folder")
        return sorted(entries.items(), key=lambda entry: entry[0].split("/"))

    def write(self, out, mtime=0):
        """Writes the archive to a binary file, from its present position, counted as offset 0."""
        writer = _Writer(out, mtime)
        for path, (mode, content) in self._with_parents():
            writer.entry(os.fsencode(path), mode, content, self.owners.get(path, 0))
        writer.trailer()


class _Writer:
    def __init__(self, out, mtime):
        self.out, self.mtime = out, mtime
        self.offset = 0
        self.inode = 0

    def _emit(self, content):
        self.out.write(content)
        self.offset += len(content)

    def _header(self, name, field, mode, size, inode, links, owner=0):
        """Header and name, the name padded with NULs to `field` bytes, up to where data starts."""
        values = (inode, mode, owner, owner, links, self.mtime, size, 0, 0, 0, 0, field, 0)
        self._emit(b"070701" + b"".join(b"%08X" % value for value in values))
        self._emit(name.ljust(field, b"\0"))
        self._emit(bytes(align(self.offset, 4) - self.offset))

    def _field_for_page(self, least):
        """Size of the name field that puts the data at a page's start; 0: none of allowed size."""
        field = -(self.offset + HEADER) % PAGE or PAGE
        return field if least <= field <= NAME_MAX else 0

    def _fill(self, least):
        """An entry for the root folder that moves the next header to a good place."""
        target = align(self.offset + HEADER + 2 + HEADER + least, PAGE) - HEADER - least
        target -= target % 4
        self._header(b".", target - self.offset - HEADER, stat.S_IFDIR | 0o755, 0, 0, 2)

    def entry(self, name, mode, content, owner=0):
        size = os.stat(content).st_size if isinstance(content, str) else len(content)
        field = len(name) + 1
        if stat.S_ISREG(mode) and size:
            if not self._field_for_page(field):
                self._fill(field)
            field = self._field_for_page(field)
            assert field, "the filler makes room"
        self.inode += 1
        self._header(name, field, mode, size, self.inode, 2 if stat.S_ISDIR(mode) else 1, owner)
        start = self.offset
        if isinstance(content, str):
            with open(content, "rb") as source:
                while chunk := source.read(1 << 20):
                    self._emit(chunk)
        else:
            self._emit(content)
        if self.offset - start != size:
            raise CpioError(f"{os.fsdecode(name)}: {size} bytes at first, {self.offset - start} read:"
                            " it changed meanwhile")
        self._emit(bytes(align(self.offset, 4) - self.offset))

    def trailer(self):
        self._header(b"TRAILER!!!", 11, 0, 0, 0, 1)
        self._emit(bytes(align(self.offset, PAGE) - self.offset))


def names(data):
    """The entries' names, as bytes, of an archive that write() made: what stands before the first TRAILER!!!. Pure."""
    found, at = [], 0
    while data[at:at + 6] == b"070701" and at + HEADER < len(data):
        size, field = (int(data[at + start:at + start + 8], 16) for start in (54, 94))
        name = data[at + HEADER:at + HEADER + field].split(b"\0")[0]
        if name == b"TRAILER!!!":
            return found
        found.append(name)
        at = align(align(at + HEADER + field, 4) + size, 4)
    raise CpioError(f"no header at offset {at} of {len(data)} bytes: no archive, or one that is cut off")


def clean(guest):
    """A guest path without leading slash, `.` and empty parts; `..` is refused."""
    parts = [part for part in guest.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise CpioError(f"{guest!r}: `..` in a guest path")
    return "/".join(parts)


def octal(text, item):
    try:
        mode = int(text, 8)
    except ValueError:
        mode = -1
    if not 0 <= mode <= 0o7777:
        raise CpioError(f"{item!r}: mode {text!r}, expected octal 0 to 7777")
    return mode


def epoch():
    return int(os.environ.get("SOURCE_DATE_EPOCH", "0"))


def main(argv):
    parser = argparse.ArgumentParser(prog="mkcpio.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", required=True, dest="out", metavar="OUT")
    parser.add_argument("--list", metavar="FILE", action="append", default=[])
    parser.add_argument("items", nargs="*", metavar="ITEM")
    args = parser.parse_args(argv)
    archive = Archive()
    try:
        for listing in args.list:
            with open(listing, encoding="utf-8") as lines:
                for line in lines:
                    if line.strip() and not line.startswith("#"):
                        archive.item(line.strip())
        for item in args.items:
            archive.item(item)
        with open(args.out, "wb") as out:
            archive.write(out, epoch())
    except (CpioError, OSError) as error:
        if os.path.isfile(args.out):
            os.unlink(args.out)  # no half archive for a later build step to find
        print(f"mkcpio: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
