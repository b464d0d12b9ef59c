#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes a disk image: GPT with one FAT32 EFI System Partition. No root, no loop device.

usage: mkimage.py -o OUT [--free MIB] [ITEM...]

An ITEM is HOST:GUEST; a folder is copied with all that is in it; GUEST `/` is the volume's root.
The image is as large as its content asks, at least 34 MiB (the smallest disk that FAT32 fits on),
plus --free MIB of room. The same input gives the same bytes: GUIDs and the volume's serial number are
fixed, times are SOURCE_DATE_EPOCH or 1980-01-01, files are written in the order of their names.
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import gpt

MIB = 1 << 20
SECTOR = 512
DISK_GUID = "7b61746f-6e00-4d69-b5e0-6261746f6e01"
PARTITION_GUID = "7b61746f-6e00-4d69-b5e0-6261746f6e02"
SERIAL = "62746e31"
START = 2048  # the partition's first sector
SMALLEST = 34  # MiB
DOS_EPOCH = 315532800  # 1980-01-01 00:00 UTC: FAT knows nothing earlier


class ImageError(Exception):
    """The image cannot be made."""


def plan(items):
    """[(host, guest)] -> (folders, [(host, guest file, size)]), both in the order of the names."""
    folders, files = set(), {}

    def above(guest):
        while "/" in guest:
            guest = guest.rpartition("/")[0]
            folders.add(guest)

    def add(host, guest):
        if os.path.isdir(host):
            if guest:
                folders.add(guest)
                above(guest)
            for name in sorted(os.listdir(host)):
                add(os.path.join(host, name), f"{guest}/{name}" if guest else name)
        elif os.path.isfile(host):
            if not guest:
                raise ImageError(f"{host}: a file needs a name on the volume")
            above(guest)
            files[guest] = (host, guest, os.path.getsize(host))
            if files[guest][2] > 0xFFFFFFFF:
                raise ImageError(f"{host}: {files[guest][2]} bytes, FAT32 holds 4 GiB less one")
        else:
            raise ImageError(f"{host}: neither file nor folder")

    for host, guest in items:
        add(host, guest.replace("\\", "/").strip("/"))
    return sorted(folders), [files[guest] for guest in sorted(files)]


def disk_mib(folders, files, free):
    """Size of the disk in MiB."""
    cluster = 4096  # at most, up to 8 GiB; less only wastes less
    content = sum(-(-size // cluster) * cluster for _, _, size in files)
    content += (len(folders) + len(files) // 16 + 1) * cluster
    tables = content // 512 * 8 + 64 * 1024  # two tables of 4 bytes a cluster of 512
    return max(SMALLEST, -(-(content + tables) // MIB) + 2 + free)


def environment():
    """For mtools: nothing of the user's settings, and times that do not change."""
    epoch = max(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), DOS_EPOCH)
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
    return {"PATH": path, "HOME": "/nonexistent", "MTOOLSRC": os.devnull, "MTOOLS_SKIP_CHECK": "1",
            "TZ": "UTC", "LC_ALL": "C.UTF-8", "SOURCE_DATE_EPOCH": str(epoch)}


def run(command):
    if shutil.which(command[0], path=environment()["PATH"]) is None:
        raise ImageError(f"{command[0]} is not installed (Debian: mtools)")
    done = subprocess.run(command, env=environment(), stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise ImageError(f"{' '.join(command[:8])}... ended with {done.returncode}: {done.stdout.strip()}")


def copy(volume, folders, files):
    """Files by folder: one mcopy for the files of a folder that keep their names."""
    if folders:
        run(["mmd", "-i", volume, *("::" + folder for folder in folders)])
    groups = {}
    for host, guest, _ in files:
        folder, _, name = guest.rpartition("/")
        if os.path.basename(host) == name:
            groups.setdefault(folder, []).append(host)
        else:
            groups[guest] = [host]
    is_folder = {"", *folders}
    for target, hosts in sorted(groups.items()):
        into = f"::{target}/" if target in is_folder else f"::{target}"
        run(["mcopy", "-i", volume, *hosts, into])


def make(out, items, free=0):
    """Writes the image; `items` are (host, guest) pairs. Raises ImageError, leaves no half image."""
    folders, files = plan(items)
    sectors = disk_mib(folders, files, free) * MIB // SECTOR
    handle, name = tempfile.mkstemp(dir=os.path.dirname(os.path.abspath(out)), prefix=".image-")
    os.close(handle)
    try:
        os.truncate(name, sectors * SECTOR)
        front, back = gpt.tables(sectors, DISK_GUID, PARTITION_GUID, START, "ESP")
        with open(name, "r+b") as disk:
            disk.write(front)
            disk.seek(-len(back), os.SEEK_END)
            disk.write(back)
        volume = f"{name}@@{START * SECTOR}"
        run(["mformat", "-i", volume, "-T", str(sectors - START - gpt.END_SECTORS), "-h", "16", "-s", "63",
             "-H", str(START), "-F", "-N", SERIAL, "-v", "BATON", "::"])
        copy(volume, folders, files)
        os.chmod(name, 0o644)
        os.replace(name, out)
    except BaseException:
        os.unlink(name)
        raise


def main(argv):
    parser = argparse.ArgumentParser(prog="mkimage.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", required=True, dest="out", metavar="OUT")
    parser.add_argument("--free", type=int, default=0, metavar="MIB")
    parser.add_argument("items", nargs="*", metavar="ITEM")
    args = parser.parse_args(argv)
    items = []
    try:
        for item in args.items:
            host, colon, guest = item.rpartition(":")
            if not colon or not host or not guest:
                raise ImageError(f"{item!r}: expected HOST:GUEST")
            items.append((host, guest))
        make(args.out, items, args.free)
    except (ImageError, OSError) as error:
        print(f"mkimage: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
