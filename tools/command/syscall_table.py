# SPDX-License-Identifier: MIT
"""The table of system calls, read from kernel/syscall/table_*.h and Linux's own list: pure but for reading."""
import re
from dataclasses import dataclass

from . import tree

FOLDER = tree.ROOT / "kernel" / "syscall"
TABLES = ("table_files.h", "table_events.h", "table_core.h")
UNISTD = "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"
LINE = re.compile(r'^\s*CALL(\d)\((\d+), (\w+)((?:, \w+, \w+)*)\)((?: (?:RETURNS\(\w+\)|LACKS\("[^"]*"\)))*)'
                  r'(?: \\)?$')
KIND = re.compile(r"^\s*KIND\((\w+), ([\w ]+), (\w+), (\d+)\)", re.M)


@dataclass
class Call:
    """One call: `arguments` are (kind, name)."""
    number: int
    name: str
    arguments: tuple = ()
    returns: str = "NUMBER"
    lacks: str = ""


def parse(text):
    """{number: Call} of a table's text; a line that begins as a call and is none is an error."""
    calls = {}
    for line in text.splitlines():
        if not line.lstrip().startswith("CALL"):
            continue
        found = LINE.match(line)
        if found is None:
            raise ValueError(f"no line of the table of system calls: {line.strip()}")
        words = found[4].split(", ")[1:]
        call = Call(int(found[2]), found[3], tuple(zip(words[::2], words[1::2])))
        if len(call.arguments) != int(found[1]):
            raise ValueError(f"{call.name}: CALL{found[1]} with {len(call.arguments)} arguments")
        for result, words_ in re.findall(r'RETURNS\((\w+)\)|LACKS\("([^"]*)"\)', found[5]):
            call.returns, call.lacks = result or call.returns, words_ or call.lacks
        if call.number in calls:
            raise ValueError(f"{call.name}: number {call.number} is {calls[call.number].name}'s")
        calls[call.number] = call
    return calls


def read():
    """{number: Call} of what Baton has."""
    calls = {}
    for name in TABLES:
        calls.update(parse((FOLDER / name).read_text(encoding="utf-8")))
    return calls


def kinds():
    """The names of all kinds."""
    return [found[0] for found in KIND.findall((FOLDER / "kinds.h").read_text(encoding="utf-8"))]


def linux_names(path=UNISTD):
    """{number: name} of Linux's list."""
    with open(path, encoding="ascii") as text:
        return {int(number): name for name, number in
                re.findall(r"^#define __NR_(\w+)\s+(\d+)\s*$", text.read(), re.M)}
