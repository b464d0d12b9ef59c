#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the kernel's symbol table (kernel/lib/symbols.h) from the output of `nm -n`.

usage: symbols.py NM KERNEL_ELF OUTPUT_S

Writes an assembler file with the section .symbols: function names by offset from kernel_image_start.
"""
import re
import subprocess
import sys


def main():
    nm, kernel, output = sys.argv[1:4]
    lines = subprocess.run([nm, "-n", kernel], check=True, capture_output=True, text=True).stdout
    start, functions = None, {}
    for line in lines.splitlines():
        address, kind, name = line.split(maxsplit=2)
        if name == "kernel_image_start":
            start = int(address, 16)
        elif kind in "tT" and not re.match(r"\.|kernel_\w+_(start|end)$", name):
            functions.setdefault(int(address, 16), name)
    if start is None:
        sys.exit(f"{kernel}: no symbol kernel_image_start")
    names, entries = b"", []
    for address, name in sorted(functions.items()):
        entries.append((address - start, len(names)))
        names += name.encode() + b"\0"
    with open(output, "w") as f:
        f.write('/* Made by kernel/symbols.py. */\n\t.section .symbols, "a", @progbits\n\t.balign 8\n')
        f.write(f"\t.long {len(entries)}, {len(names)}\n")
        f.writelines(f"\t.long {offset:#x}, {name}\n" for offset, name in entries)
        f.writelines(f'\t.asciz "{name.decode()}"\n' for name in names.split(b"\0")[:-1])
        f.write('\t.section .note.GNU-stack, "", @progbits\n')


main()
