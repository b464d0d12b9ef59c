# SPDX-License-Identifier: MIT
"""Makes pointer_calls.h for pointers.c: the calls that take pointers, of the table of system calls: `pointer_calls.py OUT`."""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
from command import syscall_table  # pylint: disable=wrong-import-position

# How memory belongs to an argument (kernel/syscall/kinds.h), as pointers.c wants to know it.
WRITES = {"OUT", "INOUT", "DATA_OUT", "NEXT_OUT", "LAST_OUT", "ARRAY_OUT", "ARRAY_INOUT", "RESULT_ARRAY_OUT", "BITS_INOUT",
          "ENTRIES_OUT", "REMAINING", "VECTOR_OUT"}
POINTER = {"user_t"}
NOT_HERE = {"clone"}  # it makes a child whatever its pointers are: calls.c has it
KIND = re.compile(r"^\s*KIND\((\w+), ([\w ]+), (\w+), (\d+)\)", re.M)


def kinds(text):
    """{name: (is a pointer, is written to, size)}: pure."""
    return {name: (ctype in POINTER, how in WRITES or name in ("OUT", "INOUT"), int(size))
            for name, ctype, how, size in KIND.findall(text)}


def header(calls, known):
    """The header's text: pure."""
    lines = ["/* Made by pointer_calls.py of kernel/syscall/table_*.h. */", "enum kind {", "\tKIND_NONE,"]
    lines += [f"\tKIND_{name}," for name in known] + ["};", "", "static const struct call calls[] = {"]
    attacks = []
    for number, call in sorted(calls.items()):
        pointers = [name for kind, name in call.arguments if known[kind][0]]
        if not pointers or call.name in NOT_HERE:
            continue
        words = ", ".join(f'{{KIND_{kind}, "{name}", {int(known[kind][0])}, {int(known[kind][1])}, {known[kind][2]}}}'
                          for kind, name in call.arguments)
        lines.append(f'\t{{{number}, "{call.name}", {len(call.arguments)}, {{{words}}}}},')
        attacks.append(f'\tX({len(attacks)}, "{call.name}", "{", ".join(pointers)}")')
    return "\n".join(lines) + "\n};\n\n#define POINTER_CALLS(X) \\\n" + " \\\n".join(attacks) + "\n"


if __name__ == "__main__":
    table = (syscall_table.FOLDER / "kinds.h").read_text(encoding="utf-8")
    Path(sys.argv[1]).write_text(header(syscall_table.read(), kinds(table)), encoding="utf-8")
