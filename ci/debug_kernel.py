# SPDX-License-Identifier: MIT
"""Kernels with more checks, built in folders inside the build folder: the debug kernel for debug.py and soak.py, one
that tells undefined behaviour for ubsan.py, and one that finds forbidden accesses for kasan.py."""
import fcntl
import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = Path(os.environ["BATON_BUILD"])
FOLDER = BUILD / "debug"
UBSAN = BUILD / "ubsan"
KASAN = BUILD / "kasan"
OPTIONS = {FOLDER: "-Ddebug_kernel=true", UBSAN: "-Dubsan=true", KASAN: "-Dkasan=true"}
TARGETS = ("baton.img", "user/tests.cpio", "user/runner", "user/stress")
REPORT = re.compile(r"lockdep: (held longest: .*|interrupts off longest: .*|\d+ classes, .*)$", re.M)


def build(folder=FOLDER):
    """Makes or renews one; two tests that want it at once take turns."""
    with open(folder.with_suffix(".lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "build.ninja").exists():
            subprocess.run(["meson", "setup", OPTIONS[folder], str(folder), str(ROOT)], check=True,
                           stdout=subprocess.DEVNULL)
        subprocess.run(["ninja", "-C", str(folder), "-j2", *TARGETS], check=True, stdout=subprocess.DEVNULL)


def report(log):
    """What lockdep says in a machine's log at the end."""
    return REPORT.findall(log)
