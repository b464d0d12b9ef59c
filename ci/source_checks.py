#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the sources must keep to, whatever they do.

usage: source_checks.py licence|format|locks|tree

licence  every source file names its licence in its first lines (SPDX)
format   clang-format, by the committed .clang-format, would change nothing
locks    clang's -Wthread-safety finds nothing in the kernel
tree     the top level holds what it should and nothing else; no file is longer than 600 lines
"""
import os
import re
import subprocess
import sys
import tempfile

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


def locks():
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
            if not path.startswith("kernel/") or path.endswith("_test.c") or "/fake" in path or "_test_" in path \
                    or path == "kernel/lib/cmdline_doc.c":
                continue
            checks = ["-DLOCK_CHECKS=1"] if path == "kernel/lib/lockdep.c" else []
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
