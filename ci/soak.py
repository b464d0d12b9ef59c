# SPDX-License-Identifier: MIT
"""`baton test soak`: the stress program on 8 CPUs for ten minutes, with every check in the kernel on.

Each round is a boot with another seed, which the program's output names, so that a failure can be had again; every
other round interrupts ten times as often. What the lock checks saw is said after each. BATON_SOAK_SECONDS and
BATON_SOAK_SEED change the length and the first seed.
"""
import os
import subprocess
import sys
import time

import debug_kernel
from debug_kernel import FOLDER, ROOT

SECONDS = float(os.environ.get("BATON_SOAK_SECONDS", "600"))
SEED = int(os.environ.get("BATON_SOAK_SEED", "1"))
OPERATIONS = 100000  # a round
CPUS, WORKERS = "8", "16"
RATES = (100, 1000)  # hz=
ROUND_SECONDS = "900"
LOG = FOLDER / "soak.log"


def one_round(seed):
    """True: the program found nothing wrong, and the machine neither."""
    hz, begun = RATES[seed % len(RATES)], time.monotonic()
    done = subprocess.run(
        [str(ROOT / "tools" / "baton"), "exec", "--cpus", CPUS, "--mem", "1024", "--timeout", ROUND_SECONDS, "--cmdline",
         f"hz={hz}", "--log", str(LOG), str(FOLDER / "user" / "stress"), str(OPERATIONS), str(seed), WORKERS],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        check=False, env={**os.environ, "BATON_BUILD": str(FOLDER)})
    print(f"# seed {seed}, hz={hz}: {done.returncode} after {time.monotonic() - begun:.0f} s\n{done.stdout}", flush=True)
    found = debug_kernel.report(LOG.read_text(encoding="utf-8", errors="replace")) if LOG.exists() else []
    for line in found:
        print(f"# {line}", flush=True)
    return done.returncode == 0 and "not ok" not in done.stdout and found


def main():
    debug_kernel.build()
    begun, seed = time.monotonic(), SEED
    while time.monotonic() < begun + SECONDS:
        LOG.unlink(missing_ok=True)
        if not one_round(seed):
            print(f"not ok soak: seed {seed}; the machine's log is {LOG}")
            return 1
        seed += 1
    print(f"ok soak: {(seed - SEED) * OPERATIONS} operations on {CPUS} CPUs in "
          f"{(time.monotonic() - begun) / 60:.1f} minutes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
