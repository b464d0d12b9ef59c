# SPDX-License-Identifier: MIT
"""How Baton divides the CPU: user/tests/sched_shares.c on one CPU in counted time, so that the host's load does not matter;
and that it uses all CPUs: user/tests/sched_balance.c on four."""
import harness
from harness import build, check, run_program

PROGRAM = build.IMAGE.parent / "user" / "sched-shares"
BALANCE = build.IMAGE.parent / "user" / "sched-balance"
# One instruction is 16 ns: a second of the machine's time is 62.5 million of them.
COUNTED = ["-icount", "shift=4,sleep=off", "-rtc", "base=2024-01-01T00:00:00,clock=vm"]


def _cases(word, count):
    """The cases that have the word in their names, all of which hold."""
    result = run_program(PROGRAM, [word], cpus=1, mem=512, cpu="max,-erms", extra=COUNTED)
    text = result.stdout.decode(errors="replace")
    check(result.code == 0 and "not ok" not in text, text[-4000:])
    found = text.count("\nok ") + text.startswith("ok ")
    check(found == count, f"{found} cases, expected {count}:\n{text[-4000:]}")


def shares():
    """Equal shares within 2 %; Linux's weights of nice values within 5 %."""
    _cases("within 2 %", 1)
    _cases("within 5 %", 5)


def waiting():
    """A sleeper among 100 hogs runs within a tick of its waking."""
    _cases("sleeper", 1)


def thousand():
    """Nobody starves among 1,000."""
    _cases("starves", 1)


def real_time():
    """SCHED_FIFO, SCHED_RR, SCHED_IDLE."""
    _cases("SCHED_", 5)


def accounting():
    """User and system time; context switches by kind."""
    _cases("user and system", 1)
    _cases("context switches", 1)


def balance():
    """No CPU is idle while a process waits that it may run."""
    result = run_program(BALANCE, cpus=4, mem=512)
    text = result.stdout.decode(errors="replace")
    check(result.code == 0 and "not ok" not in text and text.endswith("1..3\n"), text[-4000:])


if __name__ == "__main__":
    harness.main([shares, waiting, thousand, real_time, accounting, balance])
