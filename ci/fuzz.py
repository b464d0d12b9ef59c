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


SLICE_MS = 2000  # for each test: so the whole takes some four minutes; `baton sweep` has none


def allocations():
    """One allocation after the other of every system test fails; the kernel goes on, leaks nothing, and audits itself."""
    names = [name for name in sweep.tests() if name not in sweep.WITHOUT]
    request = sweep.request_for(names, ["--slice", str(SLICE_MS)], 2)
    result = run_program(request.program, request.arguments, initrds=request.initrds, seconds=3 * harness.SECONDS)
    text = result.stdout.decode(errors="replace")
    done = sweep.DONE.findall(text)
    check(result.code == 0 and len(done) == len(names), text[-3000:])
    check(sum(int(failed) for *_, failed in done) >= 10 * len(names), "hardly an allocation failed")
    print("\n".join(sweep.report(text)))
    check(sweep.judge(text), "a call gave what it may not give where memory lacks")


if __name__ == "__main__":
    harness.main([one_cpu, four_cpus, allocations])
