# SPDX-License-Identifier: MIT
"""The values of Linux's named constants, as Debian's own headers give them, asked of the compiler."""
import hashlib
import json
import os
import subprocess
import tempfile

from . import tree

HEADERS = """linux/version.h linux/fcntl.h linux/mman.h linux/sched.h linux/sched/types.h asm/signal.h asm/siginfo.h
linux/wait.h asm/prctl.h linux/prctl.h linux/futex.h asm/ioctls.h linux/ioctl.h asm/poll.h linux/eventpoll.h
linux/timerfd.h linux/resource.h linux/stat.h linux/fs.h linux/reboot.h linux/random.h linux/membarrier.h
linux/close_range.h linux/xattr.h linux/falloc.h linux/time.h linux/capability.h linux/fadvise.h asm/termbits.h
linux/magic.h linux/mount.h linux/inotify.h linux/memfd.h""".split()
STAMP = "/usr/include/linux/version.h"
FILE = tree.BUILD / "constants.json"


def _program(names):
    """C that prints `NAME value` for each name that the headers know. Enumerators are no macros: those are
    asked for without asking whether they are there."""
    lines = [f"#include <{header}>" for header in HEADERS]
    lines += ["int printf(const char *format, ...);", "int main(void)", "{"]
    for name in names:
        ask = f'printf("{name} %lld\\n", (long long)({name}));'
        lines += [ask] if name.startswith(ENUMERATORS) else [f"#ifdef {name}", ask, "#endif"]
    return "\n".join(lines + ["return 0;", "}", ""])


ENUMERATORS = ("MEMBARRIER_CMD_",)


def _ask(source):
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "constants")
        done = subprocess.run(["gcc", "-w", "-x", "c", "-o", program, "-"], input=source, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise tree.Failure(f"the constants of Linux's headers cannot be compiled:\n{done.stdout[-2000:]}")
        out = subprocess.run([program], check=True, text=True, stdout=subprocess.PIPE).stdout
    return {name: int(value) for name, value in (line.split() for line in out.splitlines())}


def load(names):
    """{name: value}; a name that the headers do not know is left out. Kept in the build folder."""
    source = _program(sorted(set(names)))
    key = hashlib.sha256(f"{source}{os.stat(STAMP).st_mtime_ns}".encode()).hexdigest()
    try:
        kept = json.loads(FILE.read_text(encoding="ascii"))
        if kept["key"] == key:
            return kept["values"]
    except (OSError, ValueError, KeyError):
        pass
    values = _ask(source)
    FILE.parent.mkdir(parents=True, exist_ok=True)
    new = FILE.with_suffix(f".{os.getpid()}")
    new.write_text(json.dumps({"key": key, "values": values}), encoding="ascii")
    new.replace(FILE)
    return values
