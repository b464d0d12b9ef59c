# SPDX-License-Identifier: MIT
"""The system tests of user/tests on Baton, beside the host's Linux, which is the reference.

Each scenario is one boot of user/tests/runner.c with some tests; every line of theirs must be the same
on both (`ok N name`), and none may say `not ok`. BATON_ON=linux runs them on Debian's kernel in the same
machine instead of Baton: what fails there is a wrong test.
"""
import re
import subprocess

import harness
from harness import build, check, run_program

PROGRAMS = build.IMAGE.parent / "user"
RUNNER = PROGRAMS / "runner"
CLAIM = re.compile(r"^(?:not ok|ok) \d+ .*$|^1\.\.\d+$|^# \S+: (?:exited|killed|cannot).*$", re.M)


def _claims(text):
    return CLAIM.findall(text)


def _on_host(tests):
    done = subprocess.run([str(RUNNER), *tests], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          timeout=300, check=False)
    text = done.stdout.decode(errors="replace")
    bad = "\n".join(line for line in text.split("\n") if not line.startswith("ok "))
    check(done.returncode == 0, f"the reference itself failed on the host:\n{bad[-3000:]}")
    return _claims(text)


def _on_baton(tests, **what):
    result = run_program(RUNNER, tests, **what)
    text = result.stdout.decode(errors="replace")
    bad = "\n".join(line for line in text.split("\n") if not line.startswith("ok "))
    check("not ok" not in text, f"claims that do not hold:\n{bad[-6000:]}")
    check(result.code == 0, f"the runner ended with {result.code}:\n{bad[-6000:]}")
    return _claims(text)


def _same(tests, **what):
    """Runs the tests on both and compares all that they claim."""
    expected, found = _on_host(tests), _on_baton(tests, **what)
    for host, baton in zip(expected, found):
        check(host == baton, f"the host says {host!r}, Baton {baton!r}")
    check(len(expected) == len(found), f"{len(expected)} claims on the host, {len(found)} on Baton")
    check(len(found) > len(tests), "no claims")


CORE = ["attacks", "hostile", "syscalls", "processes", "memory", "memory-fork", "memory-limits", "memory-remap", "stack", "stack-pie", "elf", "faults", "files", "isolation", "vdso", "futex", "shootdown",
        "robust", "time", "timerfd", "timers"]


def core():
    """All tests but the long one, two CPUs, 512 MiB."""
    _same(CORE)


def core_one_cpu():
    """The same with 1 CPU, 256 MiB, page-table isolation and a fast timer."""
    _same(CORE, cpus=1, mem=256, cmdline="pti=on hz=1000")


def core_four_cpus():
    """The same with 4 CPUs and page-table isolation."""
    _same(CORE, cpus=4, cmdline="pti=on")


def core_eight_cpus():
    _same(CORE, cpus=8)


def memory_account():
    """Counters that add up, hogs that are ended: in a machine of their own, with 256 MiB."""
    found = _on_baton(["memory-account"], mem=256)
    check(found[-2] == "1..10", f"its plan is {found[-2]!r}, expected '1..10'")


def date():
    """The date is set and set back, sleepers by it wake: nothing to do on a host."""
    result = run_program(PROGRAMS / "time", ["--role", "date"])
    text = result.stdout.decode(errors="replace")
    check(result.code == 0 and text.count("ok ") == 7 and "not ok" not in text, text)


# Programs made of cases (user/tests/cases.h).
PROCESSES = ["chroot", "clone", "clone3", "coredump", "credentials", "exec", "exec-state", "fork", "groups", "limits", "pidfd", "poll",
             "ptrace", "sched", "shm", "signal-faults", "signal-frames", "signal-restart", "signal-stack", "signal-stop",
             "signals", "thread-ends", "thread-signals", "threads", "wait"]


def processes():
    """Processes, threads and signals, case by case, two CPUs."""
    _same(PROCESSES)


def processes_one_cpu():
    _same(PROCESSES, cpus=1, mem=256, cmdline="pti=on")


def processes_four_cpus():
    _same(PROCESSES, cpus=4, cmdline="pti=on")


def processes_eight_cpus():
    _same(PROCESSES, cpus=8)


def stress():
    """100,000 operations at random on 8 CPUs: the program checks itself."""
    result = run_program(PROGRAMS / "stress", ["100000"], cpus=8, mem=1024, seconds=840)
    text = result.stdout.decode(errors="replace")
    check(result.code == 0 and text.startswith("ok stress: 100000 operations"), text[-2000:])


# One instruction is 16 ns: an interrupt every 6,250 of them, however slow the host.
COUNTED = ["-icount", "shift=4,sleep=off", "-rtc", "base=2024-01-01T00:00:00,clock=vm"]


def _registers(seconds, interrupts, **what):
    """regs at hz=10000 on one CPU, and that the timer really interrupted that often."""
    result = run_program(RUNNER, [f"regs={seconds}"], cpus=1, mem=256, cmdline="hz=10000",
                         extra=COUNTED, **what)
    text = result.stdout.decode(errors="replace")
    check(result.code == 0 and text.count("\nok ") == 4 and "not ok" not in text, text)
    counted = re.search(r"(\d+) timer interrupts", result.log)
    check(counted, f"no count of timer interrupts in the log:\n{result.log[-2000:]}")
    check(int(counted[1]) >= interrupts, f"{counted[1]} timer interrupts, expected {interrupts}")


def registers():
    """100,000 timer interrupts while four processes keep patterns in all their registers."""
    _registers(11, 100_000)


def registers_without_avx():
    """The same on a CPU that has neither AVX nor XSAVE: FXSAVE's path."""
    _registers(3, 25_000, cpu="qemu64")


if __name__ == "__main__":
    harness.main([core, core_one_cpu, core_four_cpus, core_eight_cpus, memory_account, date, processes, processes_one_cpu,
                  processes_four_cpus, processes_eight_cpus, stress, registers, registers_without_avx])
