# SPDX-License-Identifier: MIT
"""The system tests on a kernel that tells each undefined behaviour it comes to (kernel/lib/ubsan.c): there must be none."""
import os
import re

import debug_kernel

os.environ["BATON_BUILD"] = str(debug_kernel.UBSAN)  # before harness is: what is booted is this kernel

import harness  # pylint: disable=wrong-import-position
import system  # pylint: disable=wrong-import-position
from harness import build, check, run_program  # pylint: disable=wrong-import-position

STRESS = "stress=10000"


def tests():
    """All lists of tests in one boot of four CPUs."""
    debug_kernel.build(debug_kernel.UBSAN)
    names = [*system.listed("core"), *system.listed("processes"), *system.listed("file_cases"), STRESS]
    result = run_program(build.RUNNER, names, cpus=4, mem=1024, cmdline="crash=overflow", seconds=4 * harness.SECONDS)
    text = result.stdout.decode(errors="replace")
    bad = "\n".join(line for line in text.split("\n") if not line.startswith("ok "))
    check(result.code == 0 and f"{len(names)} passed, 0 failed" in text, f"ended with {result.code}:\n{bad[-6000:]}")
    found = re.findall(r"ubsan: .*", result.log)
    check(found and found.pop(0).endswith(": 2147483647 + 1 overflows 'int'"), "this kernel does not tell what it comes to")
    check(not found, "\n".join(found))


if __name__ == "__main__":
    harness.main([tests])
