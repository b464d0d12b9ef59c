# SPDX-License-Identifier: MIT
"""What the machine is, by /sys and /proc: user/tests/devices.c, and Debian's programs that look there, in one boot.

The machine is QEMU's, so what lscpu, lsmem, lspci, dmidecode, acpidump and udevadm must say is known here.
BATON_ON=linux runs it on Debian's kernel in the same machine.
"""
import os
import re

import debian_root
import harness
from harness import build, check, guest, run_program

PACKAGES = ("bash", "coreutils", "util-linux", "dmidecode", "pciutils", "acpica-tools", "udev")
# A bridge with a device behind it, and a screen.
MACHINE = ["-device", "pcie-root-port,id=down,chassis=1,addr=4", "-device", "virtio-rng-pci,bus=down"]
SCRIPT = r"""
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
run() { echo "== $1"; shift; "$@" 2>&1 || echo "status $?"; }
run test /devices
run lscpu lscpu
run caches lscpu -C=NAME,ONE-SIZE,ALL-SIZE
run lsmem lsmem
run lsblk lsblk
run dmidecode dmidecode
run lspci lspci -nn
run tree lspci -t
run config lspci -xxxx -s 00:1f.2
run acpidump acpidump -s
run udevadm udevadm info --export-db
run attributes udevadm info -a -p /devices/virtual/mem/null
run end true
"""
# Debian's kernel counts the one L3 cache once for each CPU.
# {part: expressions that must be found in it}
EXPECTED = {
    "test": [r"^1\.\.9$"],
    "lscpu": [r"^CPU\(s\): +2$", r"^On-line CPU\(s\) list: +0,1$", r"^Socket\(s\): +1$", r"^L1d cache: +128 KiB \(2 instances\)$",
              r"^L2 cache: +1 MiB \(2 instances\)$", r"^L3 cache: +(16 MiB \(1 instance|32 MiB \(2 instances)\)$", r"^BIOS Vendor ID: +QEMU$",
              r"^NUMA node0 CPU\(s\): +0,1$"],
    "caches": [r"^L1d +64K +128K$", r"^L2 +512K +1M$", r"^L3 +16M +(16|32)M$"],
    "lsmem": [r"^0x0{16}-0x000000002fffffff +768M online", r"^Total online memory: +768M$"],
    "dmidecode": [r"^BIOS Information$", r"^System Information\n\tManufacturer: QEMU$", r"^Memory Device$", r"^\tSize: 768 MB$",
                  r"^End Of Table$"],
    "lspci": [r"^00:00\.0 Host bridge \[0600\]: Intel .*\[8086:29c0\]$", r"^00:04\.0 PCI bridge \[0604\]: .*\[1b36:000c\]$",
              r"^01:00\.0 .*\[1af4:\w{4}\] \(rev 01\)$", r"^00:1f\.2 SATA controller \[0106\]: .*\[8086:2922\] \(rev 02\)$",
              r"VGA compatible controller \[0300\]"],
    "tree": [r"\+-04\.0-\[01\]----00\.0$"],
    "config": [r"^00: 86 80 22 29 ", r"^f0: ([0-9a-f]{2} ?){16}$"],
    "acpidump": [r"^ACPI: FACP 0x0{16} 0000F4 ", r"^ACPI: DSDT ", r"^ACPI: FACS ", r"^ACPI: APIC ", r"^ACPI: MCFG "],
    "udevadm": [r"^P: /devices/virtual/mem/null$", r"^P: /devices/virtual/dmi/id$", r"^E: SUBSYSTEM=pci$",
                r"^P: /devices/pci0000:00/0000:00:04\.0/0000:01:00\.0$", r"^E: PCI_SLOT_NAME=0000:00:1f\.2$"],
    "attributes": [r'KERNEL=="null"', r'SUBSYSTEM=="mem"'],
}


def _parts(text):
    words = re.split(r"^== (\w+)\n", text, flags=re.M)
    return dict(zip(words[1::2], words[2::2]))


def devices():
    """One boot, all programs."""
    with guest.private_folder() as folder:
        script = folder / "script"
        script.write_text(SCRIPT, encoding="utf-8")
        result = run_program("/bin/bash", ["/script"], mem=768, seconds=4 * harness.SECONDS, vga="VGA", extra=MACHINE, adds=[
            f"{debian_root.folder(*PACKAGES)}:/", f"{script}:/script", f"{build.PROGRAMS / 'devices'}:/devices"])
    text = result.stdout.decode(errors="replace")
    parts = _parts(text)
    check(result.code == 0 and "end" in parts, f"the script ended with {result.code}:\n{text[-3000:]}")
    check("not ok" not in parts["test"], parts["test"])
    wrong = [f"{part}: nothing like {pattern}" for part, patterns in EXPECTED.items() for pattern in patterns
             if not re.search(pattern, parts[part], re.M)]
    wrong += [f"{part} has failed" for part, said in parts.items() if re.search(r"^status \d+$", said, re.M)]
    if os.environ.get("BATON_ON") != "linux":  # which sees its disk
        wrong += [] if not parts["lsblk"] else ["lsblk finds something"]
    check(not wrong, "\n".join(wrong) + "\n" + "\n".join(parts[part] for part in {line.partition(":")[0] for line in wrong} & set(parts)))
    print(f"{sum(map(len, EXPECTED.values()))} words of {len(EXPECTED)} programs are as expected")


if __name__ == "__main__":
    harness.main([devices])
