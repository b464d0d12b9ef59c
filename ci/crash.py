# SPDX-License-Identifier: MIT
"""The kernel's own crimes (kernel/crash.c): each is caught, named, and traced to its line."""
import re

import harness
from harness import Boot, build, check
from command import symbolise

# crime: (what the panic says, functions of which one stands in the backtrace)
CRIMES = {
    "assert": (r"kernel/crash\.c:\d+: assertion failed: 1 \+ 1 == 3", ("crash_assert",)),
    "null": (r"kernel page fault: write to 0(?:x0)?, error 0x2", ("crash_null",)),
    "text": (r"kernel page fault: write to 0xffffffff\w+, error 0x3", ("crash_text",)),
    "data": (r"kernel page fault: [a-z ]+ 0xffffffff\w+, error 0x11", ("crash_data", "crash", "first_process")),
    "stack": (r"kernel stack overflow: 0x\w+", ("crash_stack",)),
    "smash": (r"stack smashed", ("crash_smash", "crash", "first_process")),
    "opcode": (r"invalid opcode in kernel mode", ("crash_opcode",)),
    "user": (r"kernel page fault: read[a-z ]* 0x\w+, error 0x1", ("crash_user",)),
}


def _commit(crime):
    text, functions = CRIMES[crime]
    # With panic=1 the machine resets after a second, and QEMU runs with -no-reboot.
    with Boot(f"crash={crime} panic=1", mem=256) as machine:
        machine.until(r"\bPANIC: (.*)$")
        while not machine.ended:
            machine._read(1.0)  # pylint: disable=protected-access
        log = machine.text()
        lines = log[log.index("PANIC: "):].splitlines()
        check(re.search(text, lines[0]), f"{lines[0]!r}, expected {text!r}")
        check(re.search(r"running: init\[1\]", log), "the panic does not name process 1")
        check(any(re.search(r"kernel\+0x[0-9a-f]+ +[a-z_]\w*\+0x", line) for line in lines),
              "no symbolised backtrace")
        shown = "\n".join(symbolise.annotate(lines, build.KERNEL))
        check(any(re.search(rf"\b{name} at \S*kernel/\w+\.c:\d+", shown) for name in functions),
              f"`baton symbolise` names none of {functions}:\n{shown}")
        check("nothing stopped it" not in log, f"crash={crime} went through")


def memory_crimes():
    for crime in ("null", "text", "data", "user"):
        _commit(crime)


def other_crimes():
    for crime in ("assert", "stack", "smash", "opcode"):
        _commit(crime)


if __name__ == "__main__":
    harness.main([memory_crimes, other_crimes])
