# SPDX-License-Identifier: MIT
"""Makes docs/images/memview-{allocator,fork,eyes}.png: the boot entry "memview" on a screen of 1280x800, at three moments.

usage: python3 ci/memview_pictures.py [FOLDER]    (BATON_BUILD: the build, as for the scenarios)
"""
import re
import sys
from pathlib import Path

import memview
from command import tree

OUT = tree.ROOT / "docs" / "images"
PAGES = re.compile(r"^\S (\w+)\[\d+\]   (\d+) pages in memory")
FORK = re.compile(r"\bfork\[(\d+)\]$")  # in the legend
HEAP_ROW, LAST_CELL = 4, 93  # among the last of the pages that fork had at first, which are written last
DEMO_PAGES = 150  # of a process, so that there is something to see


def _shown(lines, program):
    """How many pages each process of this program has whose space is shown."""
    return [int(found[2]) for found in map(PAGES.match, lines) if found and found[1] == program]


def _first(lines):
    """The pid of the process whose space is shown first."""
    return next(int(found[1]) for found in (re.match(r"\S \w+\[(\d+)\]   \d+ pages", line) for line in lines) if found)


def _forks(lines):
    return [int(found[1]) for found in map(FORK.search, lines) if found]


def _dump(machine, folder, name):
    """What stands still: its first line may say so before the rest is drawn."""
    pictures = [b"", machine.picture()]
    while pictures[-1] != pictures[-2]:
        machine.wait("another picture", lambda: True)
        pictures.append(machine.picture())
    path = Path(folder).resolve() / f"memview-{name}.png"
    machine.qemu.monitor.command("screendump", filename=str(path), format="png")
    print(f"{path}: {path.stat().st_size} bytes")


def main(folder=OUT):
    with memview.boot_entry() as machine:
        keys = machine.qemu.monitor.keys
        machine.until("memview: on the screen")
        machine.until_screen(lambda lines: max(_shown(lines, "allocator"), default=0) > DEMO_PAGES, "pages of allocators")
        keys("spc")
        machine.until_line_with("FROZEN")
        _dump(machine, folder, "allocator")
        keys("v")
        machine.until_line_with("its eyes")
        _dump(machine, folder, "eyes")
        keys("v")
        keys("f")
        machine.until_line_with("demo: fork")
        # Four, all of which have begun to write over what they have in common.
        machine.wait("copies", lambda: len(_shown(machine.screen(), "fork")) > 1 and
                     2000 < memview.colours(machine.picture()).get(memview.COPY, 0) < 12000)
        keys("spc")
        machine.until_line_with("FROZEN")
        for _ in range(4):  # the first of them is the slowest
            if _first(machine.screen()) == min(_forks(machine.screen())):
                break
            before = _first(machine.screen())
            keys("n")
            machine.until_screen(lambda lines: _first(lines) != before, "the next process")  # pylint: disable=cell-var-from-loop
        keys("tab", "tab", *["down"] * HEAP_ROW, *["right"] * LAST_CELL)
        machine.until_line_with("copy on write   4 references")
        _dump(machine, folder, "fork")
        keys("q")
        machine.until_off()


if __name__ == "__main__":
    main(*sys.argv[1:])
