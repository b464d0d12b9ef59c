# SPDX-License-Identifier: MIT
"""The system-call fuzzer (user/fuzz) as a test: so many calls from a fixed seed, on one CPU and on four. And the sweep of
failing allocations, with a bound for its time."""
import re

import harness
from harness import build, check, run_program
from command import sweep

SEED = 1


def _calls(number, cpus):
    result = run_program(build.PROGRAMS / "fuzz", ["--calls", str(number), "--seed", str(SEED)], cpus=cpus, seconds=3 * harness.SECONDS)
    text = result.stdout.decode(errors="replace")
    check(result.code == 0 and text.endswith(f"ok fuzz: {number} calls, seed {SEED}\n"), text[-3000:])
    check("has no" not in text, "the kernel's audit was not run")
    made = re.findall(r"^checkpoint: (\d+) calls; (\d+) a second", text, re.M)
    print(f"{made[-1][0]} calls, {made[-1][1]} a second")


def one_cpu():
    """Two million calls: every 10,000 all processes are ended and the kernel audits its tables."""
    _calls(2_000_000, 1)


def four_cpus():
    """Three million on four CPUs."""
    _calls(3_000_000, 4)


# The clock counts instructions, and what sleeps costs nothing: so a slice is so many instructions at most, on every host.
COUNTED = ["-icount", "shift=3,sleep=off", "-rtc", "base=2024-01-01T00:00:00,clock=vm"]
COUNTED_MS, SLICE_MS = 14000, 2000  # for each test: at most six minutes of computing in all; some four minutes of waiting


def _allocations(slice_ms, **machine):
    names = [name for name in sweep.tests() if name not in sweep.WITHOUT]
    request = sweep.request_for(names, ["--slice", str(slice_ms)], 2)
    result = run_program(request.program, request.arguments, initrds=request.initrds, seconds=3 * harness.SECONDS,
                         **machine)
    text = result.stdout.decode(errors="replace")
    done = sweep.DONE.findall(text)
    check(result.code == 0 and len(done) == len(names), text[-3000:])
    check(sum(int(failed) for *_, failed in done) >= 10 * len(names), "hardly an allocation failed")
    print("\n".join(sweep.report(text)))
    check(sweep.judge(text), "a call gave what it may not give where memory lacks")


def allocations():
    """One allocation after the other of every system test fails; the kernel goes on, leaks nothing, and audits itself."""
    _allocations(COUNTED_MS, cpus=1, extra=COUNTED)


def allocations_two_cpus():
    """The same side by side, for as long as the host's clock gives."""
    _allocations(SLICE_MS, cpus=2)


if __name__ == "__main__":
    harness.main([one_cpu, four_cpus, allocations, allocations_two_cpus])
