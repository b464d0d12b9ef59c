# SPDX-License-Identifier: MIT
"""The tests that come with Debian's busybox and bash, on Baton.

ci/reference/suites.json says what passes on Debian's kernel in the same machine. All of that must pass here, but for what
ci/reference/suites-open.txt names with its reason; a test there that passes by now is shown: it is to be taken off.
"""
import shutil

import harness
from harness import check, skip, tree
from command import suites

OPEN = tree.ROOT / "ci" / "reference" / "suites-open.txt"
TRIES = 3
GOALS = {"busybox": 95, "ash": 97, "bash": 95}  # of a hundred that pass on Debian's kernel


def open_tests(suite):
    """{test: why it need not pass yet}: lines `SUITE/TEST => REASON`, `#` begins a remark."""
    lines = OPEN.read_text(encoding="utf-8").splitlines()
    known = dict(line.split(" => ", 1) for line in lines if line and not line.startswith("#"))
    return {test.partition("/")[2]: reason for test, reason in known.items() if test.startswith(f"{suite}/")}


def _judge(name, slow):
    if shutil.which("apt-get") is None:
        skip("there is no apt-get to fetch Debian's sources with")
    versions, recorded = suites.reference(name)
    if suites.version(name) != versions:
        skip(f"the reference is for {versions}, here is {suites.version(name)}")
    found, known = suites.run(name, slow=slow), open_tests(name)
    of_slow = {part + "/" for part in suites.SUITES[name].slow}
    wanted = {test for test, passes in recorded.items()
              if passes and any(test.startswith(part) for part in of_slow) == slow}
    _again(name, slow, found, wanted - set(known))
    passed = {test for test in wanted if test in found and found[test][0]}
    for test in sorted(wanted - passed):
        why = f"open: {known[test]}" if test in known else found[test][1][:1500] if test in found else "did not run"
        print(f"not passed: {test}: {why}")
    for test in sorted(set(found) - set(recorded)):
        print(f"not in the reference: {test}: {'passes' if found[test][0] else found[test][1][:500]}")
    for test in sorted(passed & set(known)):
        print(f"passes, take it off {OPEN.name}: {name}/{test}")
    print(f"{name}: {len(passed)} of {len(wanted)} that pass on Debian's kernel pass")
    check(wanted, f"nothing of {name} is in the reference")
    check(not wanted - passed - set(known), f"failed: {' '.join(sorted(wanted - passed - set(known)))}")
    check(len(passed) * 100 >= GOALS[name] * len(wanted), f"below the goal of {GOALS[name]} %")


def _again(name, slow, found, wanted):
    """Their tests count on sleeps: what fails while a machine is held up passes when its part runs again. Not so where
    the machine ended."""
    for _ in range(TRIES - 1):
        failed = {test for test in wanted if not (test in found and found[test][0])}
        if not failed or any(test.endswith("/its end") for test in found):
            return
        again = suites.run(name, slow=slow, only={test.partition("/")[0] for test in failed})
        for test in sorted(failed & set(again)):
            print(f"again: {test}: {'passes now' if again[test][0] else 'fails again'}; first: "
                  f"{found[test][1][:500] if test in found else 'did not run'}")
            found[test] = again[test]


def _scenario(name, slow):
    return lambda: _judge(name, slow)


if __name__ == "__main__":
    harness.main([], {f"{name}{'_slow' if slow else ''}": _scenario(name, slow) for name in suites.SUITES
                      for slow in (False, True)})
