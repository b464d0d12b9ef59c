# SPDX-License-Identifier: MIT
"""A kernel that panics when it touches freed memory, or past an object (kernel/lib/kasan.c): it says so of three crimes, and
the system tests have it do none."""
import os
import re

import debug_kernel

os.environ["BATON_BUILD"] = str(debug_kernel.KASAN)  # before harness is: what is booted is this kernel

import harness  # pylint: disable=wrong-import-position
import system  # pylint: disable=wrong-import-position
from command import symbolise  # pylint: disable=wrong-import-position
from harness import Boot, build, check, run_program  # pylint: disable=wrong-import-position

STRESS = "stress=10000"
CRIMES = {  # crime: what the panic says, and the function that did it
    "freed": (r"read of 1 bytes at 0x\w+ by 0x\w+: a freed object: byte 8 of a kmalloc-64 of 64 bytes", "crash_freed"),
    "past": (r"read of 1 bytes at 0x\w+ by 0x\w+: past the end of an object: byte 37 of a kmalloc-64 of 64 bytes", "crash_past"),
    "copied": (r"write of 60 bytes at 0x\w+ by 0x\w+: past the end of an object: byte 50 of a kmalloc-64 of 64 bytes",
               "crash_copied"),
    "page": (r"write of 8 bytes at 0x\w+ by 0x\w+: a freed page", "crash_page"),
}


def crimes():
    """Each is a panic that names the access, the object and the line."""
    debug_kernel.build(debug_kernel.KASAN)
    for crime, (text, function) in CRIMES.items():
        with Boot(f"crash={crime} panic=1", mem=256) as machine:
            machine.until(r"\bPANIC: (.*)$")
            while not machine.ended:
                machine._read(1.0)  # pylint: disable=protected-access
            log = machine.text()
        lines = log[log.index("PANIC: "):].splitlines()
        check(re.search("PANIC: kasan: " + text, lines[0]), f"{lines[0]!r}, expected {text!r}")
        shown = "\n".join(symbolise.annotate(lines, build.KERNEL))
        check(re.search(rf"\b{function} at \S*kernel/crash\.c:\d+", shown), f"`baton symbolise` does not name {function}:\n{shown}")


def tests():
    """All lists of tests in one boot of four CPUs; a panic is the machine's failure."""
    debug_kernel.build(debug_kernel.KASAN)
    names = [*system.listed("core"), *system.listed("processes"), *system.listed("file_cases"), STRESS]
    result = run_program(build.RUNNER, names, cpus=4, mem=1024, seconds=4 * harness.SECONDS)
    text = result.stdout.decode(errors="replace")
    bad = "\n".join(line for line in text.split("\n") if not line.startswith("ok "))
    check(result.code == 0 and f"{len(names)} passed, 0 failed" in text, f"ended with {result.code}:\n{bad[-6000:]}")
    check(re.search(r"kasan: accesses to 10\d\d MiB of memory are checked", result.log), "this kernel checks nothing")


if __name__ == "__main__":
    harness.main([crimes, tests])
