#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/syscalls.md from the table of system calls (kernel/syscall/table_*.h) and Linux's list of numbers.

usage: syscalls_doc.py write|check

write  makes the page anew
check  exit code 1 when the page is not what the table says
"""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from command import syscall_table, tree

PAGE = tree.ROOT / "docs" / "syscalls.md"
HEAD = """\
<!-- SPDX-License-Identifier: MIT -->
# Which of Linux's system calls there are

Made from `kernel/syscall/table_*.h` by `tools/syscalls_doc.py write`; a test compares. The numbers are those of
Linux 6.1 on x86-64. *full*: what the manual says of the call holds, its errors included, as far as the things it speaks
of exist here. *partial*: the last column says what is missing. *none*: ENOSYS, and the log counts who asked.
[How to add one](system-calls.md).

{full} full, {partial} partial, {none} none.

| number | name | status | what is missing |
|---:|---|---|---|
"""


def rows(calls, names):
    """[(number, name, status, what is missing)]: pure."""
    found = []
    for number in sorted({*names, *calls}):
        call = calls.get(number)
        status = "none" if call is None else "partial" if call.lacks else "full"
        found.append((number, names.get(number) or call.name, status, call.lacks if call else ""))
    return found


def page(calls, names):
    table = rows(calls, names)
    counts = {status: sum(row[2] == status for row in table) for status in ("full", "partial", "none")}
    return HEAD.format(**counts) + "".join(f"| {number} | {name} | {status} | {lacks} |\n"
                                           for number, name, status, lacks in table)


def main(argv):
    if argv not in (["write"], ["check"]):
        print(__doc__, file=sys.stderr)
        return 2
    text = page(syscall_table.read(), syscall_table.linux_names())
    if argv == ["write"]:
        PAGE.write_text(text, encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    print("docs/syscalls.md is not what kernel/syscall/table_*.h says; run: python3 tools/syscalls_doc.py write")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
