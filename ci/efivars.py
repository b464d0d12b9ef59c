# SPDX-License-Identifier: MIT
"""UEFI's variables as files: Debian's efivar and efibootmgr, and the rules of efivarfs, are on Baton as on Debian's kernel.

ci/debian/efivars.sh runs on both in the same machine, each with a variable store of its own, and prints the same.
"""
import difflib
import re
from pathlib import Path

import debian_root
import harness
from command import linux
from harness import check, run_program

PACKAGES = ("bash", "coreutils", "grep", "sed", "mount", "diffutils", "util-linux", "libc-bin", "e2fsprogs", "efivar", "efibootmgr")
SCRIPT = Path(__file__).parent / "debian" / "efivars.sh"


def _printed(on, firmware):
    adds = [f"{debian_root.folder(*PACKAGES)}:/", f"{SCRIPT}:/script"]
    if on == "linux" and linux.module("efivarfs"):
        adds.append(f"{linux.module('efivarfs')}:/modules/efivarfs.ko")
    result = run_program("/bin/bash", ["/script"], on=on, mem=512, firmware=firmware, adds=adds)
    text = result.stdout.decode(errors="replace")
    check(result.code == 0 and text.endswith("== end\n"), f"on {on} the script ended with {result.code}:\n{text[-2000:]}\n{result.stderr.decode()[-2000:]}")
    return re.sub(r"(/script: line \d+|setpriv): ", "", text).splitlines()


def _same(firmware):
    expected, found = _printed("linux", firmware), _printed("baton", firmware)
    lines = list(difflib.unified_diff(expected, found, "on Debian's kernel", "on Baton", lineterm="", n=3))
    check(not lines, "\n".join(lines)[:12000])
    print(f"{firmware}: {len(found)} lines are the same")


def ovmf():
    _same("ovmf-4m")


def smm():
    """The variables are behind SMIs."""
    _same("ovmf-secboot")


if __name__ == "__main__":
    harness.main([ovmf, smm])
