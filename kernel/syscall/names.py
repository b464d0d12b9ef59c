#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the names of Linux's system calls, by number, as C initialisers.

usage: names.py UNISTD_64_H OUTPUT
"""
import re
import sys


def main():
    source, output = sys.argv[1:3]
    with open(source) as f:
        calls = re.findall(r"^#define __NR_(\w+)\s+(\d+)\s*$", f.read(), re.M)
    if len(calls) < 300:
        sys.exit(f"{source}: {len(calls)} system calls found, expected more than 300")
    with open(output, "w") as f:
        f.write("/* Made by names.py from Linux's asm/unistd_64.h. */\n")
        f.writelines(f'[{number}] = "{name}",\n' for name, number in calls)


main()
