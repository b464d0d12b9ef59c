# SPDX-License-Identifier: MIT
"""Sessions at a terminal, typed key by key: what is seen on Baton, colours and cursor too, is what is seen on Debian's
kernel.

The sessions are ci/sessions/NAME.txt. Each is played on the serial line, whose bytes become a screen in tools/vt.py, and
on the machine's own screen with its keyboard. `baton reference sessions` records what Debian's kernel shows.
"""
import harness
from harness import check, skip
from command import sessions


def _play(group):
    versions, expected = sessions.reference(group)
    if sessions.versions(group) not in versions:
        skip(f"the reference is for {versions}, here is {sessions.versions(group)}")
    found = sessions.play("baton", group, expected)
    differs = sessions.difference(found, expected)
    check(not differs, f"differs from {versions}:\n{differs[:12000]}")
    missing = set(expected) - {(side, name) for side, played in found.items() for name in played}
    check(not missing, f"in the reference, but not played: {sorted(missing)}")
    for side, played in found.items():
        print(f"{side}: {len(played)} sessions, {sum(map(len, played.values()))} looks are the same")


if __name__ == "__main__":
    harness.main([], {name: lambda name=name: _play(name) for name in sessions.GROUPS})
