# SPDX-License-Identifier: MIT
"""Makes docs/images/terminal.png: Debian's vim and busybox's top in two panes of tmux on Baton's screen.

usage: python3 ci/screenshot.py [OUT.png [WIDTHxHEIGHT [small|large]]]    (BATON_BUILD: the build, as for the scenarios)
"""
import sys
from pathlib import Path

import harness  # pylint: disable=unused-import  # it makes `command` known
from command import sessions, tree

OUT = tree.ROOT / "docs" / "images" / "terminal.png"
GROUP = sessions.Group((), ("vim", "vim-tiny", "tmux"), 1024)
SOURCE = tree.ROOT / "user" / "demos" / "alice.c"
STEPS = """
line clear; printf '%s\\n' "set -g status-right ''" "set -g default-command 'exec sh -i'" > conf
line tmux -f conf new -s baton -n terminal
wait \\[baton\\]
wait ^\\$$
type vim -c 'set background=dark' -c 'syntax on' -c 'set number' /sessions/alice.c<Enter>
wait SPDX
type <C-b>"
wait built-in(.*\\n)*.*built-in|\\n─(.*\\n)*\\$$
type top -d 2<Enter>
wait Load average
"""


def main(out=OUT, size="1280x800", font="small"):
    width, height = map(int, size.split("x"))
    cell = {"small": (8, 16), "large": (16, 32)}[font]
    with sessions.Bench("baton", GROUP, height // cell[1], width // cell[0], files=[SOURCE], pixels=(width, height),
                        options=f"font={font}") as bench:
        player = sessions.Player(sessions.Screen(bench))
        player.begin("the first look", sessions.START_SECONDS)
        for word, argument in sessions.parse("screenshot", STEPS).steps:
            player.step("the screenshot", word, argument)
        player.settled()
        bench.qemu.monitor.command("screendump", filename=str(Path(out).resolve()), format="png")
    print(f"{out}: {Path(out).stat().st_size} bytes")


if __name__ == "__main__":
    main(*sys.argv[1:])
