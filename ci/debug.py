# SPDX-License-Identifier: MIT
"""The system tests on the debug kernel: lock order, what may sleep, red zones and poison, and how long locks are held.

In `orders` four CPUs run at once, and each nesting of locks that the kernel met must agree with the order of the tables
in docs/locks.md. In `times` the clock counts instructions, so a lock that is held too long, or interrupts that are off
for too long, are so on every host; LIMIT_US makes them a panic.
"""
import json
import os
import re

import debug_kernel

os.environ["BATON_BUILD"] = str(debug_kernel.FOLDER)  # before harness is: what is booted is the debug kernel

import harness  # pylint: disable=wrong-import-position
import attacks as report_card  # pylint: disable=wrong-import-position
import system  # pylint: disable=wrong-import-position
from harness import Boot, build, check, run_program  # pylint: disable=wrong-import-position

STRESS = "stress=10000"
# Of the clock in `times`, which moves on by 16 ns an instruction: 250,000 instructions. docs/locks.md names it.
LIMIT_US = 4000
PAIRS_LEAST = 20  # the kernel nests more; fewer means that the checks or the report are gone


def _run(**what):
    """All of them in one boot; the machine's log."""
    debug_kernel.build()
    tests = [*system.listed("core"), *system.listed("processes"), STRESS]
    result = run_program(build.RUNNER, tests, seconds=4 * harness.SECONDS, **what)
    text = result.stdout.decode(errors="replace")
    bad = "\n".join(line for line in text.split("\n") if not line.startswith("ok "))
    check("not ok" not in text and result.code == 0, f"the runner ended with {result.code}:\n{bad[-6000:]}")
    check(f"{len(tests)} passed, 0 failed" in text, f"not all of {len(tests)} tests passed:\n{bad[-2000:]}")
    check("lockdep: lock order" in result.log, "this is no debug kernel")
    print("\n".join(debug_kernel.report(result.log)))
    return result.log


def documented_order():
    """The locks of docs/locks.md, outermost first."""
    text = (debug_kernel.ROOT / "docs" / "locks.md").read_text(encoding="utf-8")
    return re.findall(r"^\| `([^`]+)` \| `kernel/", text, re.M)


def orders():
    """Four CPUs; every nesting stands in docs/locks.md."""
    rank = {name: n for n, name in enumerate(documented_order())}
    pairs = re.findall(r"lockdep: (\S+) before (\S+)$", _run(cpus=4), re.M)
    missing = sorted({name for pair in pairs for name in pair} - set(rank))
    check(not missing, f"taken, but not in docs/locks.md: {' '.join(missing)}")
    wrong = [f"{inner} under {outer}" for outer, inner in pairs if rank[outer] >= rank[inner]]
    check(not wrong, f"docs/locks.md has it the other way: {', '.join(wrong)}")
    check(len(pairs) >= PAIRS_LEAST, f"only {len(pairs)} pairs of locks were met")


def times():
    """One CPU whose clock counts instructions: no lock is held, and interrupts are not off, for longer than LIMIT_US."""
    log = _run(cpus=1, cmdline=f"lock_limit_us={LIMIT_US}", extra=system.COUNTED)
    for what in (r"held longest: \S+, (\d+) us", r"interrupts off longest: (\d+) us"):
        found = re.search(f"lockdep: {what}", log)
        check(found and 0 < int(found[1]) <= LIMIT_US, f"the log does not say {what!r}, or not within {LIMIT_US}")


# Crimes of kernel/crash_audit.c: what the audit says of each.
BOOKS = {
    "reference": "a page has fewer references than entries and objects lead to it",
    "twice": "the resident pages of a space are miscounted",
    "stray": "a page is mapped outside all VMAs",
    "free": "a (free page|page of the kernel's) is mapped",  # by whoever has taken it since
    "kernel": "a page of the kernel's is mapped for user mode",
    "access": "a page's entry allows more than its VMA",
    "writable": "a private page may be written that others have too",
    "links": "the links of VMAs do not match",
    "space": "the pages of a space are miscounted",
    "threads": "the threads of a process are miscounted",
    "file": "more descriptors lead to an open file than it has references",
    "code": r"memory of the kernel's may be written and executed",
    "object": r"(audit: an object in the front is not marked|slab kmalloc-\d+: free object 0x\w+ was written)",  # by the next
}


def books():
    """The kernel's books broken in thirteen ways, each of which the audit names. U-Boot, since it starts in a second."""
    debug_kernel.build()
    for crime, says in BOOKS.items():
        with Boot(f"crash=audit-{crime}", mem=128, firmware="uboot") as machine:
            machine.log.watched = False
            found = machine.until(r"PANIC: (.*)\n|the audit found nothing")
            check(re.match(f"(audit: )?{says}", found[1] or ""), f"crash=audit-{crime}: {found[0]!r}, expected {says!r}")


EVERY = 10  # timer interrupts
AUDITED = ["fork", "exec", "threads", "memory", "memory-fork", "signals", "poll", "epoll", "pty", "unix-sockets", "file-changes"]


def audited():
    """System tests on four CPUs while the kernel looks itself over at every tenth timer interrupt."""
    debug_kernel.build()
    result = run_program(build.RUNNER, AUDITED, cpus=4, cmdline=f"audit={EVERY}", seconds=800)
    text = result.stdout.decode(errors="replace")
    bad = "\n".join(line for line in text.split("\n") if not line.startswith("ok "))
    check(result.code == 0 and f"{len(AUDITED)} passed, 0 failed" in text, f"ended with {result.code}:\n{bad[-3000:]}")
    found = re.search(rf"audit: (\d+) times, every {EVERY} of (\d+) timer interrupts", result.log)
    check(found and int(found[1]) >= 5, f"the log says {found and found[0]!r}")
    print(found[0])


def attacks():
    """Eve's report card on the debug kernel, and the kernel looks itself over at every 50th timer interrupt."""
    debug_kernel.build()
    report_card.all_held(cpus=2, cmdline="audit=50")


def leaked():
    """Pages that the kernel has lost (crash=leak) are what memview calls leaked, and no others."""
    debug_kernel.build()
    result = run_program(build.PROGRAMS / "memview", ["--json"], mem=256, cmdline="crash=leak")
    lost = {int(number) for number in re.findall(r"crash=leak: nobody has page frame (\d+)", result.log)}
    found = set()
    for start, count, kind, _ in json.loads(result.stdout)["frames"]:
        if kind == "leaked":
            found.update(range(start, start + count))
    check(len(lost) == 64 and found == lost, f"lost are {sorted(lost)}, memview says {sorted(found)}")


if __name__ == "__main__":
    harness.main([orders, times, books, audited, attacks, leaked])
