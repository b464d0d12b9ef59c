#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Lists busybox's applets as links for tools/mkcpio.py.

usage: applets.py BUSYBOX OUT

Each one is a link in /bin or /sbin; those that scripts name by a path in /usr/bin have one there too (not all, since each
entry costs time at the start). `init` and `linuxrc` are left out, process 1 is our own.
"""
import subprocess
import sys

LEFT_OUT = {"busybox", "init", "linuxrc"}
IN_USR = {"awk", "basename", "cut", "dirname", "env", "expr", "find", "head", "id", "printf", "sort", "tail", "test",
          "tr", "wc", "which", "xargs"}


def links(listing):
    """`busybox --list-full` -> items of mkcpio: pure."""
    items = []
    for path in listing.split():
        folder, _, name = path.rpartition("/")
        if name in LEFT_OUT:
            continue
        place = "sbin" if folder.endswith("sbin") else "bin"
        items.append(f"symlink:/bin/busybox:/{place}/{name}")
        if name in IN_USR:
            items.append(f"symlink:/bin/busybox:/usr/bin/{name}")
    return items


def main(argv):
    busybox, out = argv
    listing = subprocess.run([busybox, "--list-full"], check=True, capture_output=True, text=True).stdout
    with open(out, "w", encoding="utf-8") as file:
        file.write("".join(item + "\n" for item in links(listing)))


if __name__ == "__main__":
    main(sys.argv[1:])
