# SPDX-License-Identifier: MIT
"""Linux's own selftests, built from Debian's linux-source-6.1, on Baton.

ci/reference/selftests.json says what Debian's kernel passes in the same machine; what of that Baton must pass is all but
the names in ci/reference/selftests-open.txt, each with its reason. A name there that passes by now is shown: it is to be
taken off the list.
"""
import shutil

import harness
from harness import check
from command import selftests

TRIES, BY_TIME = 3, ("futex/", "timers/")


def _again(found, wanted):
    """These judge latencies, or take a thread for asleep after 10 ms: what fails while a machine is held up passes when
    it runs again. Not so where the machine ended."""
    for _ in range(TRIES - 1):
        failed = {name for name in wanted if name.startswith(BY_TIME) and not (
            name in found and (found[name].verdict == "pass" or found[name].reason.startswith("the machine ended")))}
        if not failed:
            return
        for name, verdict in selftests.run(only=sorted(failed)).items():
            if name in failed:
                print(f"again: {name}: {verdict.verdict}; first: {found[name].reason if name in found else 'did not run'}")
                found[name] = verdict


def linux_selftests():
    """Prints passed of applicable and names the rest with the reason; those that are not open must pass."""
    if shutil.which("apt-get") is None:
        harness.skip("there is no apt-get to fetch linux-source-6.1 with")
    found, wanted, known = selftests.run(), selftests.applicable(), selftests.open_names()
    _again(found, wanted - set(known))
    passed = {name for name in wanted if name in found and found[name].verdict == "pass"}
    for name in sorted(wanted - passed):
        print(f"not passed: {name}: {found[name].reason if name in found else 'did not run'}"
              + (f" (open: {known[name]})" if name in known else ""))
    print(f"{len(passed)} of {len(wanted)} applicable pass")
    check(not (wanted - passed - set(known)), f"failed: {' '.join(sorted(wanted - passed - set(known)))}")
    for name in sorted(passed & set(known)):
        print(f"passes, take it off {selftests.OPEN.name}: {name}")
    check(not (set(known) - wanted), f"open, yet not applicable: {' '.join(sorted(set(known) - wanted))}")


if __name__ == "__main__":
    harness.main([linux_selftests])
