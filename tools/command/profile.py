# SPDX-License-Identifier: MIT
"""baton bench --profile: in which functions of the kernel an operation's ticks are spent, counted one by one."""
import bisect
import collections
import re
import subprocess

from . import build, execute, guest, packages, tree
from .machine import Machine

PLUGIN = "tools/profile-plugin.so"
KERNEL_START = 0xFFFFFFFF80000000
USER_END = 1 << 47
# What user/bench measures before the operation's samples: an operation that does nothing, 31 samples and one to
# warm up; then one more to warm up.
WARM_UP = 33
SHOWN = 0.05  # ticks of an operation; less is what the timer's interrupts take


def instructions(text):
    """{address: how often it ran} of the plugin's file: pure."""
    return {int(address, 16): int(count) for address, count in map(str.split, text.splitlines())}


def operations(counts, figure):
    """How many operations were measured: as often as that instruction of the program's own ran by whose count the
    program's figure comes nearest. figure: ticks of an operation, as the program says. Pure."""
    often = {count for address, count in counts.items() if address < USER_END}
    if not often:
        raise tree.Failure("no instruction of the program's was counted")
    ticks = sum(counts.values())
    return min(often, key=lambda count: abs(ticks / count - figure))


def by_function(counts, symbols):
    """[(ticks, function)] of all, the most first. symbols: [(address, name)], rising. Pure."""
    starts, found = [address for address, _ in symbols], collections.Counter()
    for address, count in counts.items():
        at = bisect.bisect_right(starts, address) - 1
        if address < USER_END:
            found["(the program)"] += count
        elif address >= KERNEL_START and at >= 0:
            found[symbols[at][1]] += count
        else:
            found["(the entry area)"] += count
    return [(count, name) for name, count in found.most_common()]


def kernel_symbols():
    """[(address, function)] of the kernel as it was linked."""
    done = subprocess.run(["nm", "--numeric-sort", "--defined-only", str(build.KERNEL)], check=True, text=True,
                          stdout=subprocess.PIPE)
    words = (line.split() for line in done.stdout.splitlines())
    return [(int(address, 16), name) for address, kind, name in words if kind in "tT"]


def as_text(counts, symbols, measured):
    """The table's lines, of so many operations: pure."""
    yield f"{'ticks':>10}  function"
    for count, name in by_function(counts, symbols):
        if count >= SHOWN * measured:
            yield f"{count / measured:10.1f}  {name}"
    yield f"{sum(counts.values()) / measured:10.1f}  in all, with the program's own"


def measure(name, program, cpu, seconds):
    """(the counts of one operation of user/bench, what the program says that it costs)."""
    with guest.private_folder() as folder:
        out = folder / "profile"
        plugin = f"{tree.BUILD / PLUGIN},out={out},skip={WARM_UP}"
        request = execute.Request(str(program), [name], cmdline="nokaslr", seconds=seconds,
                                  machine=Machine(icount=True, cpu=cpu, extra=["-plugin", plugin]),
                                  log=str(tree.run_folder() / "profile.log"))
        try:
            result = execute.capture(request)
        except execute.session.TimedOut as error:
            raise tree.Failure(f"bench {name} under the plugin: {error}") from error
        said = re.search(rf"^{name} (\d+)$", result.stdout.decode(errors="replace"), re.M)
        if result.code != 0 or not said or not out.exists():
            raise tree.Failure(f"bench {name} under the plugin ended with {result.code}: "
                               + result.stderr.decode(errors="replace"))
        return instructions(out.read_text(encoding="ascii")), int(said[1])


def command(name, program, cpu, seconds):
    build.ready(*build.BOOT, "kernel/kernel.elf", "user/bench", PLUGIN, needs=[packages.RUN])
    with tree.Progress(f"counting {name}, instruction by instruction"):
        counts, figure = measure(name, program, cpu, seconds)
    print("\n".join(as_text(counts, kernel_symbols(), operations(counts, figure))))
    return 0
