# SPDX-License-Identifier: MIT
"""Interrupts that nobody asked for: a thousand NMIs at random instants, floods of keys and bytes, machine checks."""
import random
import re

import harness
from harness import Boot, check

NMIS = 1000
SEED = 7
# Forks, execs, pipes and files on every CPU, for as long as it is let.
WORK = "for i in 1 2 3; do (while :; do echo $i | cat > /tmp/$i; ls -l /tmp | wc -l > /dev/null; done) & done\r"
UNCORRECTED = "0xbd00000000000000 0x5 0x1000 0x8c"  # MCi_STATUS: VAL UC EN MISCV ADDRV S, MCG_STATUS: MCIP RIPV


def _nmis_seen(machine):
    machine.type("grep NMI: /proc/interrupts; echo seen\r")
    line = machine.until(r"^ *NMI:([ \d]+)[^\0]*?^seen$")[1]
    return sum(map(int, line.split()))


def storms():
    """While programs run, NMIs hit wherever they hit, and the keyboard and the serial port send without end. All are
    taken, nothing is lost but what the devices drop, and the machine switches off in good order."""
    draw = random.Random(SEED)
    with Boot("-- nostory", mem=256, cpus=4, vga="VGA") as machine:
        machine.until(harness.PROMPT)
        machine.type(WORK)
        seen = 0
        while seen < NMIS:  # two that come close together are one
            for _ in range(200):
                machine.qemu.monitor.command("inject-nmi")
                if draw.random() < 0.2:
                    machine.qemu.monitor.command("send-key", keys=[{"type": "qcode", "data": draw.choice("abc")}],
                                                 hold_time=1)
                if draw.random() < 0.1:
                    machine.type(":" + " " * draw.randrange(40) + "\r")
                machine._read(draw.random() / 500)  # pylint: disable=protected-access
            seen = _nmis_seen(machine)
        machine.type("kill $(jobs -p); poweroff\r")
        machine.until(r"init: power off")
        machine.until_off()
        told = re.findall(r"NMI in (?:user|kernel) mode", machine.text())
        check(told, "no NMI is told in the log")


def machine_check():
    """One that cannot be corrected is a panic that says so; nothing is reset."""
    with Boot("-- nostory", mem=256, cpus=2) as machine:
        machine.log.watched = False
        machine.until(harness.PROMPT)
        answer = machine.qemu.monitor.human(f"mce 1 2 {UNCORRECTED}")
        check(not answer.strip(), f"QEMU: {answer}")
        machine.until(r"PANIC: machine check")
        machine.until(r"^\[.*\] running: .* on CPU 1")
        machine.until(r"a record of \d+ bytes is kept")


if __name__ == "__main__":
    harness.main([storms, machine_check])
