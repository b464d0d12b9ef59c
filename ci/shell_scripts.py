# SPDX-License-Identifier: MIT
"""The scripts of ci/shell/: what Debian's busybox prints on Baton is what it prints on Debian's kernel, to the byte."""
import re

import harness
from harness import check, skip
from command import scripts

LEAST_COMMANDS = 110
LEAST_LINES = 300


def _same(cpus):
    versions, expected = scripts.reference()
    if scripts.version() not in versions:
        skip(f"the reference is for {versions}, here is {scripts.version()}")
    found = scripts.run(cpus=cpus)
    check(found == expected, f"differs from {versions}:\n{scripts.difference(expected, found)[:12000]}")


def scripts_one_cpu():
    _same(1)


def scripts_four_cpus():
    _same(4)


def script_size():
    """At least 300 lines that use at least 110 of busybox's commands, and the reference is of just these scripts."""
    import subprocess  # pylint: disable=import-outside-toplevel
    listed = subprocess.run([scripts.BUSYBOX, "--list"], capture_output=True, text=True, check=True).stdout.split()
    lines = [line for name in scripts.NAMES for line in (scripts.FOLDER / f"{name}.sh").read_text().splitlines()
             if line and not line.startswith("#")]
    used = set(listed) & set(re.split(r"[^\w.\[-]+", "\n".join(lines)))
    check(len(lines) >= LEAST_LINES, f"{len(lines)} lines")
    check(len(used) >= LEAST_COMMANDS, f"{len(used)} commands: {sorted(used)}")
    _, expected = scripts.reference()
    missing = [line for line in lines if line not in expected]
    check(not missing, f"lines that the reference has not: {missing[:5]}; `baton reference shell` records them")
    print(f"{len(lines)} lines, {len(used)} of busybox's commands")


if __name__ == "__main__":
    harness.main([scripts_one_cpu, scripts_four_cpus, script_size])
