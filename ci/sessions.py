# SPDX-License-Identifier: MIT
"""Sessions at a terminal, typed key by key: what is seen on Baton, colours and cursor too, is what is seen on Debian's
kernel.

The sessions are ci/sessions/NAME.txt. Each is played on the serial line, whose bytes become a screen in tools/vt.py, and
on the machine's own screen with its keyboard. `baton reference sessions` records what Debian's kernel shows.
"""
import harness
from harness import check, skip
from command import sessions, typed


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


def keys():
    """What each key sends with each modifier, with Debian's keymaps: tools/command/typed.py."""
    versions, expected = typed.reference()
    if typed.versions() not in versions:
        skip(f"the reference is for {versions}, here is {typed.versions()}")
    found = typed.play("baton")
    differs = [f"{name}: {found.get(name)}, {versions} sends {came}" for name, came in expected.items() if found.get(name) != came]
    check(not differs and len(found) == len(expected), "\n".join(differs[:50]) or f"{len(found)} of {len(expected)} were typed")
    print(f"{len(found)} sequences of keys send the same")


if __name__ == "__main__":
    harness.main([keys], {name: lambda name=name: _play(name) for name in sessions.GROUPS})
