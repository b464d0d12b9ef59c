#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the sources must keep to, whatever they do.

usage: source_checks.py licence|format|locks|tree|user_pointers

licence  every source file names its licence in its first lines (SPDX)
format   clang-format, by the committed .clang-format, would change nothing
locks    clang's -Wthread-safety finds nothing in the kernel; docs/locks.md names each lock that is declared in kernel/,
         with its file, and no other
user_pointers
         gcc and clang refuse what would look through a user_t (lib/types.h), and take what copies by it
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


# What a system call may do with a user_t, and what it may not.
ALLOWED = ("char byte; (void)!copy_from_user(&byte, from, 1);", "(void)user_offset(from, 8);")
FORBIDDEN = ("char byte = *from; (void)byte;", "char byte = from[0]; (void)byte;", "memcpy(kept, from, 8);",
             "memcpy(from, kept, 8);", "const char *text = from; (void)text;", "const char *text = (const char *)from; (void)text;",
             "from = kept;", "(void)!copy_from_user(kept, kept, 8);", "char *next = from + 8; (void)next;")


def compiles(compiler, statement):
    source = ('#include "lib/string.h"\n#include "memory/user.h"\nlong sys_example(user_t from, char *kept);\n'
              "long sys_example(user_t from, char *kept)\n{\n\t(void)kept;\n\t" + statement + "\n\treturn 0;\n}\n")
    flags = ["-std=gnu11", "-ffreestanding", "-fsyntax-only", "-mgeneral-regs-only", "-Ikernel", "-Ikernel/arch/x86_64",
             "-Iinclude", "-DBATON_DEBUG=0", "-DBATON_KASAN=0", "-Werror", "-xc", "-"]
    return subprocess.run([compiler, *flags], cwd=ROOT, input=source, capture_output=True, text=True).returncode == 0


def user_pointers():
    for compiler in ("gcc", "clang"):
        for statement in ALLOWED:
            if not compiles(compiler, statement):
                yield f"{compiler} refuses {statement!r}, with which a user pointer is used as it should be"
        for statement in FORBIDDEN:
            if compiles(compiler, statement):
                yield f"{compiler} takes {statement!r}: a user pointer is looked through"


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
    checks = {"licence": licence, "format": format_, "locks": locks, "tree": tree, "user_pointers": user_pointers}
    if len(sys.argv) != 2 or sys.argv[1] not in checks:
        sys.exit(__doc__)
    wrong = list(checks[sys.argv[1]]())
    print("\n".join(wrong) or f"{sys.argv[1]}: nothing found")
    sys.exit(bool(wrong))


main()
