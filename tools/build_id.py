#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints the build id: VERSION-HASH, the hash over the sources that end up in the image.

usage: build_id.py SOURCE_ROOT VERSION

The same sources give the same id in any folder, with or without git; a changed byte in the loader,
the kernel, the contracts between them or the build gives another one.
"""
import hashlib
import os
import sys

ROOMS = ("efi-loader", "include", "kernel", "user", "esp")
ENDINGS = (".c", ".h", ".S", ".in", ".ld", ".build", ".txt", ".py", ".conf")


def sources(root):
    for room in ROOMS:
        for folder, folders, names in os.walk(os.path.join(root, room)):
            folders.sort()
            for name in sorted(names):
                if name.endswith(ENDINGS) and not name.endswith("_test.c"):
                    yield os.path.relpath(os.path.join(folder, name), root)


def build_id(root, version):
    digest = hashlib.sha256()
    for path in sources(root):
        with open(os.path.join(root, path), "rb") as f:
            content = f.read()
        digest.update(f"{path}\0{len(content)}\0".encode())
        digest.update(content)
    return f"{version}-{digest.hexdigest()[:12]}"


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    print(build_id(sys.argv[1], sys.argv[2]))
