# SPDX-License-Identifier: MIT
"""`baton test soak`: the stress program on 8 CPUs for ten minutes, with every check in the kernel on.

The debug kernel is built in a folder of its own inside the build folder. Each round is a boot with another seed, which
the program's output names, so that a failure can be had again. BATON_SOAK_SECONDS and BATON_SOAK_SEED change the
length and the first seed.
"""
import os
import subprocess
import sys
import time
from pathlib import Path

BUILD = Path(os.environ["BATON_BUILD"])
DEBUG = BUILD / "debug"
ROOT = Path(__file__).resolve().parents[1]
SECONDS = float(os.environ.get("BATON_SOAK_SECONDS", "600"))
SEED = int(os.environ.get("BATON_SOAK_SEED", "1"))
OPERATIONS = "100000"  # a round
CPUS, WORKERS = "8", "16"
ROUND_SECONDS = "900"


def build():
    if not (DEBUG / "build.ninja").exists():
        subprocess.run(["meson", "setup", "-Ddebug_kernel=true", str(DEBUG), str(ROOT)], check=True,
                       stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", str(DEBUG), "-j2", "baton.img", "user/stress"], check=True, stdout=subprocess.DEVNULL)


def one_round(seed):
    """True: the program found nothing wrong, and the machine neither."""
    done = subprocess.run(
        [str(ROOT / "tools" / "baton"), "exec", "--cpus", CPUS, "--mem", "1024", "--timeout", ROUND_SECONDS, "--log",
         str(DEBUG / "soak.log"), str(DEBUG / "user" / "stress"), OPERATIONS, str(seed), WORKERS],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        check=False, env={**os.environ, "BATON_BUILD": str(DEBUG)})
    print(f"# seed {seed}: {done.returncode}\n{done.stdout}", flush=True)
    return done.returncode == 0 and "not ok" not in done.stdout


def main():
    build()
    end, seed = time.monotonic() + SECONDS, SEED
    while time.monotonic() < end:
        if not one_round(seed):
            print(f"not ok soak: seed {seed}; the machine's log is {DEBUG / 'soak.log'}")
            return 1
        seed += 1
    print(f"ok soak: {seed - SEED} rounds of {OPERATIONS} operations on {CPUS} CPUs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
