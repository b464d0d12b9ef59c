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


# For each test: with all ways that have not failed in an earlier one, and with one failure a run.
COUNTED_MS, SLICE_MS = ("20000", "5000"), ("20000", "2000")


def _allocations(slices_ms, complete, **machine):
    names = [name for name in sweep.tests() if name not in sweep.WITHOUT]
    request = sweep.request_for(names, ["--once", "1", "--ways", slices_ms[0], "--slice", slices_ms[1]], 2)
    result = run_program(request.program, request.arguments, initrds=request.initrds, init=True, seconds=3 * harness.SECONDS,
                         **machine)
    text = result.stdout.decode(errors="replace")
    print("\n".join(line for line in text.splitlines() if sweep.DONE.match(line)))
    done = sweep.DONE.findall(text)
    check(result.code == 0 and len(done) == len(names), text[-3000:])
    check(sum(int(row[6]) for row in done) >= 10 * len(names), "hardly an allocation failed")
    worse, _ = sweep.report(text)
    check(sweep.judge(text), "a call gave what it may not give where memory lacks")
    check(not worse or not complete, f"places that allocate have never failed, and {sweep.NEVER.name} does not say why")


def allocations():
    """Allocations of every system test fail, of all its processes; the kernel goes on, leaks nothing, and audits itself.
    Each place that allocates has failed, or it is known why not."""
    _allocations(COUNTED_MS, True, cpus=1, extra=sweep.COUNTED)


def allocations_two_cpus():
    """The same side by side, for as long as the host's clock gives: which places that reaches is up to chance."""
    _allocations(SLICE_MS, False, cpus=2)


if __name__ == "__main__":
    harness.main([one_cpu, four_cpus, allocations, allocations_two_cpus])
