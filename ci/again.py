# SPDX-License-Identifier: MIT
"""The loader on bad input, and on firmware that behaves badly: again.efi, la57.efi (again.c, la57.c)."""
import re
import subprocess
import sys
from pathlib import Path

import harness
from harness import Boot, boot, build, check, guest, tree
import mkimage

CI = tree.BUILD / "ci"
PROBE = CI / "handoff-probe.elf"
WELL = 0x10 << 1 | 1  # the probe's and again.efi's value at the debug exit port
LEAST_CASES = 60
TOP = 1280 * 3 * 120  # bytes of the screen's first lines, at the firmware's 1280x800
LA57_LEFT = 8  # enum handoff_security


def _image(folder, *options):
    """A disk with again.efi, the loader, the probe as good kernel, and what again_files.py makes bad."""
    out = folder / "tree"
    command = [sys.executable, str(Path(__file__).with_name("again_files.py")), "--kernel", str(PROBE),
               "--loader", str(boot.LOADER), "--again", str(CI / "again.efi"),
               "--initrd", str(build.INITRD), *options, str(out)]
    subprocess.run(command, check=True)
    mkimage.make(str(folder / "disk.img"), [(str(out), "/")])
    return folder / "disk.img"


def _bad_input(**what):
    with guest.private_folder() as folder:
        image = _image(folder)
        cases = len((folder / "tree" / "again" / "plan.txt").read_text().splitlines())
        with Boot(image=image, debug_exit=True, **what) as machine:
            machine.log.watched = False  # here the loader's errors are what must come
            done = machine.until(r"^done (\d+) (\d+)$")
            wrong = re.findall(r"^not ok .*$", machine.text(), re.M)
            judged = set(re.findall(r"^(?:not )?ok \d+ - ([^,]+), status", machine.text(), re.M))
            errors = len(re.findall(r"loader: error: ", machine.text()))
            check(not wrong and done[2] == "0", f"{len(wrong)} checks failed: {wrong[:10]}")
            machine.until_off(expected=WELL)
    check(len(judged) == cases >= LEAST_CASES, f"{len(judged)} of {cases} cases were judged")
    # The loader says why, in both runs of each case; a busy host makes OVMF's serial driver give up
    # on a byte now and then, so a few of them may come damaged.
    check(errors >= 2 * cases * 0.95, f"{errors} errors told in {2 * cases} runs")


def bad_input():
    _bad_input(mem=256)


def bad_input_uboot():
    _bad_input(mem=256, firmware="uboot")


def exit_retried():
    """ExitBootServices refused three times: the fourth try boots with the watchdog armed, and the hand-off
    says so. Two places in memory called free and not given: a third is taken."""
    with guest.private_folder() as folder:
        with Boot(image=_image(folder, "--refuse", "3"), mem=256, debug_exit=True) as machine:
            for _ in range(2):
                machine.until(r"^loader: .* are free by the memory map, but not given: not found$")
            machine.until(r"^fact watchdog_seconds 300$")  # armed: a hang resets
            machine.until(r"^fact exit_attempts 0x4$")
            machine.until(r"^done \d+ 0$")
            machine.until_off(expected=WELL)


def exit_refused():
    """Refused for ever: after 8 tries the loader says so on serial and screen, and resets."""
    with guest.private_folder() as folder:
        # The machine stays as it is when it is reset: ten seconds may be too few for somebody who is to look.
        with Boot(image=_image(folder, "--refuse", "99"), mem=256, vga="VGA", extra=["-no-shutdown"]) as machine:
            machine.until(r"^loader: fatal: ExitBootServices failed: 8 tries")
            machine.until(r"^loader: the machine resets in 10 seconds$")
            machine.until_screen("shutdown".__eq__, "the machine's end",
                                 lambda: machine.qemu.monitor.command("query-status")["status"])
            white = machine.picture()[:TOP].count(b"\xff\xff\xff")
            machine.qemu.monitor.command("quit")
            machine.until_off()
    # 5x7 dots of 3x3 pixels, some 90 letters: the exact picture is screen_text_test.c's matter.
    check(5000 < white < 20000, f"{white} white pixels at the screen's top")


def la57():
    """Under 5-level paging: the loader goes back to 4 levels, and says so. One CPU: see la57.c."""
    with guest.private_folder() as folder:
        conf, entry = folder / "loader.conf", folder / "baton.conf"
        conf.write_text("default baton.conf\n")
        entry.write_text("kernel /baton/kernel.elf\ninitrd /baton/initrd.cpio\n")
        mkimage.make(str(folder / "disk.img"), [
            (str(CI / "la57.efi"), "EFI/BOOT/BOOTX64.EFI"), (str(boot.LOADER), "EFI/BOOT/BATON.EFI"),
            (str(PROBE), "baton/kernel.elf"), (str(build.INITRD), "baton/initrd.cpio"),
            (str(conf), "loader/loader.conf"), (str(entry), "loader/entries/baton.conf")])
        with Boot(image=folder / "disk.img", mem=5120, cpus=1, debug_exit=True) as machine:
            machine.until(r"^done \d+ 0$")
            machine.until_off(expected=WELL)
            facts = dict(re.findall(r"^fact (\S+) (.*)$", machine.text(), re.M))
    check(int(facts["flags"], 0) & LA57_LEFT, f"flags {facts['flags']}: 5-level paging was not noticed")
    check(int(facts["firmware_cr4"], 0) >> 12 & 1, f"CR4 {facts['firmware_cr4']} at the loader's entry")


if __name__ == "__main__":
    harness.main([bad_input, bad_input_uboot, exit_retried, exit_refused, la57])
