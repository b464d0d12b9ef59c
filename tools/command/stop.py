# SPDX-License-Identifier: MIT
"""baton stop: ends every QEMU that this tree started, and no other."""
from . import guest, tree


def command(_args):
    folders = sorted({tree.RUN, *(path for path in tree.ROOT.glob("build*/run"))})
    ended = guest.stop_all(folders)
    print(f"{len(ended)} ended" + (": " + " ".join(map(str, ended)) if ended else ""))
    return 0


def add(verbs):
    parser = verbs.add_parser(
        "stop", help="end every QEMU that this tree started",
        description="Ends every QEMU that was started from this tree and still runs, and no other "
                    "process: each is known by its pid and its start time.")
    parser.set_defaults(function=command)
