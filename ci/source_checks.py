#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the sources must keep to, whatever they do.

usage: source_checks.py licence|format|locks|tree

licence  every source file names its licence in its first lines (SPDX)
format   clang-format, by the committed .clang-format, would change nothing
locks    clang's -Wthread-safety finds nothing in the kernel; docs/locks.md names each lock that is declared in kernel/,
         with its file, and no other
tree     the top level holds what it should and nothing else; no file is longer than 600 lines
"""
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOMS = ("ci", "efi-loader", "esp", "include", "kernel", "tools", "user")
TOP = {"README.md", "LICENSE", "meson.build", "meson_options.txt", "ci", "docs", "efi-loader", "esp", "include",
       "kernel", "tools", "user"}
LICENSED = (".c", ".h", ".S", ".py", ".build", ".ld", ".in", ".sh", ".conf")
LONGEST = 600


def files(*endings):
    for room in ROOMS:
        for folder, folders, names in os.walk(os.path.join(ROOT, room)):
            folders[:] = sorted(f for f in folders if f != "__pycache__")
            for name in sorted(names):
                if name.endswith(endings):
                    yield os.path.relpath(os.path.join(folder, name), ROOT)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def licence():
    for path in [*files(*LICENSED), "meson.build", "meson_options.txt", "tools/baton", ".ci/run", ".clang-format",
                 ".gitignore", "README.md", *(f"docs/{name}" for name in os.listdir(os.path.join(ROOT, "docs"))
                                              if name.endswith(".md"))]:
        if not any("SPDX-License-Identifier: MIT" in line for line in read(path).splitlines()[:3]):
            yield f"{path}: no SPDX-License-Identifier: MIT in its first three lines"


def format_():
    paths = list(files(".c", ".h"))
    run = subprocess.run(["clang-format", "--dry-run", "--Werror", *paths], cwd=ROOT, capture_output=True,
                         text=True)
    if run.returncode:
        found = sorted(set(re.findall(r"^(\S+?):\d+:\d+: error", run.stderr, re.M)))
        yield from (f"{path}: clang-format -i would change it" for path in found or [run.stderr])


def is_kernel_source(path):
    """Not a unit test, nor what only those are linked with."""
    return path.startswith("kernel/") and "_test" not in path and "/fake" not in path


def locks_declared():
    """(kind, file, name) of each declaration but `extern` ones: globals, statics, members of structures."""
    for path in filter(is_kernel_source, files(".c", ".h")):
        for kind, names in re.findall(r"^[ \t]*(?:static )?struct (?:CAPABILITY )?(spinlock|mutex) ([a-z_, ]+?)"
                                      r"(?: guarded_by\(\w+\))?(?: = .*)?;", read(path), re.M):
            for name in names.split(", "):
                yield kind, path, name


def locks_documented():
    """The same of the tables in docs/locks.md: `where->name` or `name`, then the file."""
    kind = None
    for line in read("docs/locks.md").splitlines():
        if line.startswith("## "):
            kind = {"## Mutexes": "mutex", "## Spin locks": "spinlock"}.get(line)
        row = re.match(r"\| `([^`]+)` \| `([^`]+)` \| \S", line)
        if kind and row:
            yield kind, row[2], re.split(r"->|\.", row[1])[-1]


def undocumented():
    declared, documented = Counter(locks_declared()), Counter(locks_documented())
    if not declared or not documented:
        yield f"{sum(declared.values())} locks found in kernel/, {sum(documented.values())} in docs/locks.md"
    for kind, path, name in sorted((declared - documented).elements()):
        yield f"{path}: {kind} {name} is not in docs/locks.md"
    for kind, path, name in sorted((documented - declared).elements()):
        yield f"docs/locks.md: there is no {kind} {name} in {path}"


# Sources that only debug builds have, and what they are compiled with.
OF_DEBUG_BUILDS = {"kernel/lib/lockdep.c": ["-DLOCK_CHECKS=1"], "kernel/audit_timer.c": ["-UBATON_DEBUG", "-DBATON_DEBUG=1"],
                   "kernel/crash_audit.c": ["-UBATON_DEBUG", "-DBATON_DEBUG=1"], "kernel/lib/kasan.c": ["-DBATON_KASAN=1"]}


def locks():
    yield from undocumented()
    with tempfile.TemporaryDirectory() as made:
        with open(os.path.join(made, "build_id.h"), "w") as f:
            f.write('#define BATON_BUILD_ID "check"\n')
        subprocess.run([sys.executable, os.path.join(ROOT, "kernel/syscall/names.py"),
                        "/usr/include/x86_64-linux-gnu/asm/unistd_64.h", os.path.join(made, "syscall_names.h")],
                       check=True)
        flags = ["-std=gnu11", "-ffreestanding", "-fsyntax-only", "-mgeneral-regs-only", "-DBATON_DEBUG=0",
                 "-Wthread-safety", "-Werror=thread-safety", "-Wno-unknown-warning-option", "-Ikernel",
                 "-Ikernel/arch/x86_64", "-Iinclude", f"-I{made}", "-isystem", "/usr/include/efi", "-isystem",
                 "/usr/include/efi/x86_64", "-include", "lib/hidden.h"]
        for path in files(".c"):
            if not is_kernel_source(path) or path == "kernel/lib/cmdline_doc.c":
                continue
            checks = OF_DEBUG_BUILDS.get(path, [])
            run = subprocess.run(["clang", *flags, *checks, path], cwd=ROOT, capture_output=True, text=True)
            if run.returncode or "thread-safety" in run.stderr:
                yield f"{path}:\n{run.stderr.strip()}"


def tree():
    found = {name for name in os.listdir(ROOT) if not name.startswith(".") and not re.match(r"build", name)}
    for name in sorted(found - TOP):
        yield f"{name}: not a name of the top level"
    for name in sorted(TOP - found):
        yield f"{name}: missing at the top level"
    for path in files(".c", ".h", ".S", ".py"):
        lines = read(path).count("\n")
        if lines > LONGEST:
            yield f"{path}: {lines} lines, expected {LONGEST} at most"


def main():
    checks = {"licence": licence, "format": format_, "locks": locks, "tree": tree}
    if len(sys.argv) != 2 or sys.argv[1] not in checks:
        sys.exit(__doc__)
    wrong = list(checks[sys.argv[1]]())
    print("\n".join(wrong) or f"{sys.argv[1]}: nothing found")
    sys.exit(bool(wrong))


main()
