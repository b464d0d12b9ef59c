# SPDX-License-Identifier: MIT
"""UEFI's runtime services behind bars: of firmware that is well, and of one whose services break a rule each."""
import re

import harness
from harness import Boot, boot, build, check, guest, run_program, tree
import mkimage

SERVICES = tree.BUILD / "user" / "efi-services"


def _services(firmware):
    result = run_program(SERVICES, firmware=firmware, seconds=3 * harness.SECONDS)
    text = result.stdout.decode(errors="replace")
    check(result.code == 0 and "not ok" not in text and re.search(r"^1\.\.\d+$", text, re.M), f"status {result.code}:\n{text}")
    print(f"{firmware}: {text.count('ok ')} claims hold")


def services_ovmf():
    _services("ovmf-4m")


def services_smm():
    """The variables are behind SMIs."""
    _services("ovmf-secboot")


def faults():
    """Each bad service is caught, named and survived, all in one boot."""
    with guest.private_folder() as folder:
        entry = folder / "baton.conf"
        entry.write_text(boot.entry("init=/tests/efi-faults", ("/baton/initrd.cpio", "/baton/tests.cpio")), encoding="utf-8")
        (folder / "loader.conf").write_text("default baton.conf\n", encoding="utf-8")
        mkimage.make(str(folder / "bad.img"), [
            (str(tree.BUILD / "ci" / "bad-services.efi"), "EFI/BOOT/BOOTX64.EFI"),
            (str(boot.LOADER), "EFI/BOOT/BATON.EFI"), (str(boot.KERNEL), "baton/kernel.elf"),
            (str(build.INITRD), "baton/initrd.cpio"), (str(build.TESTS), "baton/tests.cpio"),
            (str(folder / "loader.conf"), "loader/loader.conf"), (str(entry), "loader/entries/baton.conf")])
        with Boot(image=folder / "bad.img", mem=256) as machine:
            machine.log.watched = False
            plan = machine.until(r"^1\.\.(\d+)\r?$")
            text = machine.text()
            machine.until_off()
    wrong = re.findall(r"^(?:not ok|# ).*$", text, re.M)
    held = len(re.findall(r"^ok \d+ ", text, re.M))
    check(not wrong and held == int(plan[1]) and held >= 13, f"{held} of {plan[1]} hold:\n" + "\n".join(wrong))
    for service, why in ((0, "touched what is not its own"), (9, "ran over its stack"), (13, "raised an exception"), (3, "did not come back")):
        check(re.search(rf"firmware: runtime service {service} {why}: it is not called again", text), f"the log does not say that service {service} {why}")
    print(f"{held} bad services are caught")


if __name__ == "__main__":
    harness.main([services_ovmf, services_smm, faults])
