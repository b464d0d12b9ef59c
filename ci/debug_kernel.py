# SPDX-License-Identifier: MIT
"""The debug kernel (-Ddebug_kernel=true), built in the folder `debug` inside the build folder, for debug.py and soak.py."""
import fcntl
import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = Path(os.environ["BATON_BUILD"]) / "debug"
TARGETS = ("baton.img", "user/tests.cpio", "user/runner", "user/stress")
REPORT = re.compile(r"lockdep: (held longest: .*|interrupts off longest: .*|\d+ classes, .*)$", re.M)


def build():
    """Makes or renews it; two tests that want it at once take turns."""
    with open(FOLDER.with_suffix(".lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (FOLDER / "build.ninja").exists():
            subprocess.run(["meson", "setup", "-Ddebug_kernel=true", str(FOLDER), str(ROOT)], check=True,
                           stdout=subprocess.DEVNULL)
        subprocess.run(["ninja", "-C", str(FOLDER), "-j2", *TARGETS], check=True, stdout=subprocess.DEVNULL)


def report(log):
    """What lockdep says in a machine's log at the end."""
    return REPORT.findall(log)
