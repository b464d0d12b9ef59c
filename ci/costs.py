# SPDX-License-Identifier: MIT
"""What things cost, held against the limits of tools/command/bench.py, which `baton bench` prints.

The clock counts instructions, so a figure is the same on every host and however busy it is. `operations` is two boots, one with a screen; `scale`, in
the suite `soak`, is every operation again in each crowd, and the boot with 20 GiB of RAM.
"""
import harness
from command import bench  # pylint: disable=wrong-import-order; harness makes it found

SETTING = "pti=off"


def judge(rows):
    """Prints the table; fails when a figure is over its limit or did not come."""
    text = "\n".join(bench.as_text(rows, None))
    print(text, flush=True)
    over = [row[1] for row in rows if not row[5]]
    harness.check(not over, f"over the limit, or missing: {', '.join(over)}")


def operations():
    ours = bench.measure_program(cmdline=SETTING)
    ours.update(bench.measure_screen())
    rows = [row for row in bench.table(ours, {}, ("costs",)) if not row[0].endswith(" pti=on")]
    harness.check(sum(row[3] is not None for row in rows) >= 20, "the table has lost lines")
    judge(rows)


def scale():
    rows = bench.table(bench.measure(("scale",), ()), {}, ("scale",))
    judge([row for row in rows if ": " in row[0]])


if __name__ == "__main__":
    harness.main([operations, scale])
