# SPDX-License-Identifier: MIT
"""The system tests of user/tests on Baton, beside the host's Linux, which is the reference.

Which there are, and which scenario runs them, stands in user/meson.build alone (`system_tests`) and comes here through
the runner. Each scenario is one boot of user/tests/runner.c with some tests; every line of theirs must be the same
on both (`ok N name`), and none may say `not ok`. BATON_ON=linux runs them on Debian's kernel in the same
machine instead of Baton: what fails there is a wrong test.
"""
import contextlib
import fcntl
import functools
import re
import subprocess

import harness
from harness import build, check, run_program, tree

CLAIM = re.compile(r"^(?:not ok|ok) \d+ .*$|^1\.\.\d+$|^# \S+: (?:exited|killed|cannot).*$", re.M)
SKIP = " # SKIP"
# Cases that Baton may skip, for want of calls that are not written yet.
MAY_SKIP = set()


def listed(scenario):
    """The tests that user/meson.build lists for a scenario."""
    lines = subprocess.run([str(build.RUNNER), "--list"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                           check=True).stdout.splitlines()
    found = [name for group, name in map(str.split, lines) if group == scenario]
    check(found, f"no tests are listed for {scenario}")
    return found


def only(scenario):
    """The one test that is listed for a scenario."""
    found = listed(scenario)
    check(len(found) == 1, f"{scenario} is for one test, listed are {' '.join(found)}")
    return found[0]


def _claims(text):
    return CLAIM.findall(text)


@contextlib.contextmanager
def _host_alone():
    """One scenario at a time: the tests' files in /tmp and names of sockets are the same in each run."""
    with open(tree.BUILD / "host-reference.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _on_host(tests):
    with _host_alone():
        done = subprocess.run([str(build.RUNNER), *tests], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              timeout=3 * harness.SECONDS, check=False)
    text = done.stdout.decode(errors="replace")
    bad = "\n".join(line for line in text.split("\n") if not line.startswith("ok "))
    check(done.returncode == 0, f"the reference itself failed on the host:\n{bad[-3000:]}")
    return _claims(text)


def _on_baton(tests, **what):
    result = run_program(build.RUNNER, tests, **what)
    text = result.stdout.decode(errors="replace")
    bad = "\n".join(line for line in text.split("\n") if not line.startswith("ok "))
    check("not ok" not in text, f"claims that do not hold:\n{bad[-6000:]}")
    check(result.code == 0, f"the runner ended with {result.code}:\n{bad[-6000:]}")
    return _claims(text)


def _run_here(claim):
    """A claim of Baton's without its mark when it may be skipped; a skipped one otherwise differs from the host's."""
    name = claim.removesuffix(SKIP)
    if name != claim and name.split(" ", 2)[2] in MAY_SKIP:
        print(f"skipped: {name}")
        return name
    return claim


def same(scenario, **what):
    """Runs the scenario's tests on both and compares all that they claim."""
    tests = listed(scenario)
    expected, found = _on_host(tests), [_run_here(claim) for claim in _on_baton(tests, **what)]
    for host, baton in zip(expected, found):
        if host.endswith(SKIP):  # for want of a right that root has here: a container's root may not
            print(f"not on this host: {host}")
            host, baton = host.removesuffix(SKIP), baton.removesuffix(SKIP)
        check(host == baton, f"the host says {host!r}, Baton {baton!r}")
    check(len(expected) == len(found), f"{len(expected)} claims on the host, {len(found)} on Baton")
    check(len(found) > len(tests), "no claims")


# The tests of `core` and `processes` (those made of cases) on machines of all sizes: scenario, tests, machine. By default
# two CPUs and 512 MiB.
MACHINES = [
    ("core", "core", {}),
    ("core_one_cpu", "core", {"cpus": 1, "mem": 256, "cmdline": "pti=on hz=1000"}),
    ("core_four_cpus", "core", {"cpus": 4, "cmdline": "pti=on"}),
    ("core_eight_cpus", "core", {"cpus": 8}),
    ("processes", "processes", {}),
    ("processes_one_cpu", "processes", {"cpus": 1, "mem": 256, "cmdline": "pti=on"}),
    ("processes_four_cpus", "processes", {"cpus": 4, "cmdline": "pti=on"}),
    ("processes_eight_cpus", "processes", {"cpus": 8}),
    ("file_cases", "file_cases", {"cpus": 4}),
    ("elf_mutants", "elf_mutants", {"cpus": 2}),
]


def memory_account():
    """Counters that add up, hogs that are ended: in a machine of their own, with 256 MiB."""
    found = _on_baton([only("memory_account")], mem=256)
    check(found[-2] == "1..13", f"its plan is {found[-2]!r}, expected '1..13'")


def kernel_threads():
    """They have names and take no signals; one takes memory back from who cannot run to its end."""
    result = run_program(build.IMAGE.parent / "user" / "kernel-threads", cpus=2, mem=256)
    text = result.stdout.decode(errors="replace")
    check(result.code == 0 and "not ok" not in text and text.endswith("1..7\n"), text[-3000:])
    check("are taken back before their process has ended" in result.log or result.log.startswith("Linux")
          or "Linux version" in result.log, "the reaper has taken nothing back")


def kernel_log():
    """syslog(2) and /dev/kmsg; no host's log is written to and cleared for that."""
    result = run_program(build.PROGRAMS / "kmsg")
    text = result.stdout.decode(errors="replace")
    check(result.code == 0 and text.count("ok ") == 5 and "not ok" not in text, text)


def settings():
    """/proc/sys: what root sets in a machine of its own, and what comes of it."""
    result = run_program(build.PROGRAMS / "sysctl")
    text = result.stdout.decode(errors="replace")
    check(result.code == 0 and text.endswith("1..29\n") and "not ok" not in text, text)


def date():
    """The date is set and set back, sleepers by it wake: nothing to do on a host."""
    result = run_program(build.PROGRAMS / "time", ["--role", "date"])
    text = result.stdout.decode(errors="replace")
    check(result.code == 0 and text.count("ok ") == 7 and "not ok" not in text, text)


def _bombs(arguments, claims, **what):
    """bombs is for machines of its own: it never runs on the host."""
    result = run_program(build.PROGRAMS / "bombs", arguments, **what)
    text = result.stdout.decode(errors="replace")
    check(result.code == 0 and text.endswith(f"1..{claims}\n") and "not ok" not in text, text)


def bombs():
    """Processes, threads, memory and pipes without end, by root, in little memory: the machine goes on, pages come back."""
    _bombs([], 19, mem=96)


def bombs_four_cpus():
    _bombs([], 19, mem=128, cpus=4)


def process_numbers():
    """All 32,767 of them are taken. In a machine that has the memory for as many threads."""
    _bombs(["pids"], 6, mem=4608, cpus=4)


def stress():
    """100,000 operations at random on 8 CPUs: the program checks itself."""
    result = run_program(build.PROGRAMS / only("stress"), ["100000"], cpus=8, mem=1024, seconds=3 * harness.SECONDS)
    text = result.stdout.decode(errors="replace")
    check(result.code == 0 and text.startswith("ok stress: 100000 operations"), text[-2000:])


# One instruction is 16 ns: an interrupt every 6,250 of them, however slow the host.
COUNTED = ["-icount", "shift=4,sleep=off", "-rtc", "base=2024-01-01T00:00:00,clock=vm"]


def _registers(seconds, interrupts, **what):
    """regs at hz=10000 on one CPU, and that the timer really interrupted that often."""
    result = run_program(build.RUNNER, [f"{only('registers')}={seconds}"], cpus=1, mem=256, cmdline="hz=10000",
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
    scenarios = {name: functools.partial(same, tests, **machine) for name, tests, machine in MACHINES}
    harness.main([memory_account, kernel_log, kernel_threads, settings, date, bombs, bombs_four_cpus, process_numbers, stress, registers, registers_without_avx], scenarios)
