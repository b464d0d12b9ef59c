# SPDX-License-Identifier: MIT
"""Interrupts that nobody asked for: a thousand NMIs at random instants, floods of keys and bytes, vectors that nobody uses,
timers without end, machine checks."""
import contextlib
import random
import re
import socket

import harness
from harness import Boot, build, check, guest

NMIS = 1000
SEED = 7
# Forks, execs, pipes and files on every CPU, for as long as it is let.
WORK = "for i in 1 2 3; do (while :; do echo $i | cat > /tmp/$i; ls -l /tmp | wc -l > /dev/null; done) & done\r"
COUNTED = ["-icount", "shift=3,sleep=off"]  # what waits costs nothing
CORRECTED = 0x9c00000000000090  # VAL EN MISCV ADDRV, a memory controller's
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


# ---- Vectors that nobody uses ----

CPUS = 4
VECTORS = range(0x20, 0x100)
DEVICES, OWN = range(0x20, 0x30), range(0xF0, 0xF4)  # ISA interrupts, where somebody may listen; timer, kick, call, stop
SPURIOUS = 0xFF
ROUNDS = 3
PIC_COMMANDS, PIC_MASKS, PIT = (0x20, 0xA0), (0x21, 0xA1), (0x43, 0x40)


class Bus:
    """The machine's memory and ports as a device writes them, by QEMU's qtest protocol."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.file = self.socket.makefile("rw", encoding="ascii")

    def order(self, *words):
        self.file.write(" ".join(word if isinstance(word, str) else hex(word) for word in words) + "\n")
        self.file.flush()
        answer = self.file.readline()
        check(answer.startswith("OK"), f"QEMU on {words}: {answer!r}")

    def interrupt(self, cpu, vector):
        """What a device with message-signalled interrupts does: fixed, edge-triggered (Intel SDM 3A, 11.11)."""
        self.order("writel", 0xFEE00000 | cpu << 12, vector)

    def provoke_pics(self):
        """Both 8259s let all through, the timer behind the first one ticks a thousand times a second, and their
        spurious interrupts are asked for: a poll when nothing may be there."""
        for port in PIC_MASKS:
            self.order("outb", port, 0)
        for port, value in ((PIT[0], 0x34), (PIT[1], 0), (PIT[1], 4)):
            self.order("outb", port, value)
        for _ in range(20):
            for port in PIC_COMMANDS:
                self.order("outb", port, 0x0C)
                self.order("inb", port)


@contextlib.contextmanager
def _with_bus(**what):
    with guest.private_folder() as folder:
        extra = ["-qtest", f"unix:{folder / 'bus'},server=on,wait=off", "-qtest-log", "none"]
        with Boot("-- nostory", mem=256, cpus=CPUS, extra=extra, **what) as machine:
            machine.until(harness.PROMPT)
            yield machine, Bus(folder / "bus")


def _counts(machine, name):
    """A line of /proc/interrupts, a number for each CPU."""
    machine.type(f"grep {name}: /proc/interrupts; echo seen\r")
    return [int(word) for word in machine.until(rf"^ *{name}:([ \d]+)[^\0]*?^seen$")[1].split()]


def _until_counts(machine, name, least, what):
    """Each CPU's number reaches its least one; it takes as long as it takes."""
    for _ in range(harness.SECONDS):
        counts = _counts(machine, name)
        if all(count >= wanted for count, wanted in zip(counts, least)):
            return counts
        machine._read(1.0)  # pylint: disable=protected-access
    raise harness.ScenarioFailure(f"{what}: {name} is {counts}, expected {least} at least")


def spurious():
    """Every vector that nobody uses comes to every CPU, while programs run: each is counted once at least, told once, and no
    CPU is deaf afterwards. The vector of the local APIC's own spurious interrupts comes as a device's, which
    it must be told the end of. Both 8259s, which are masked, are let loose; nothing of theirs comes through."""
    unused = [vector for vector in VECTORS if vector not in DEVICES and vector not in OWN and vector != SPURIOUS]
    with _with_bus() as (machine, bus):
        machine.type(WORK)
        for turn in range(ROUNDS):
            before = _counts(machine, "SPU")
            for vector in [*unused, SPURIOUS]:
                for cpu in range(CPUS):
                    bus.interrupt(cpu, vector)
            _until_counts(machine, "SPU", [count + len(unused) + 1 for count in before], f"round {turn}")
        bus.provoke_pics()
        before = _counts(machine, "LOC")
        after = _until_counts(machine, "LOC", [count + 20 for count in before], "a CPU takes no interrupt any more")
        print(f"{len(unused) + 1} vectors, {ROUNDS} times to each CPU; timer interrupts meanwhile: {before}, {after}")
        told = re.findall(r"interrupt by vector \d+, which nobody uses", machine.text())
        check(len(told) == 1, f"told {len(told)} times")
        machine.type("kill $(jobs -p); poweroff\r")
        machine.until(r"init: power off")
        machine.until_off()


def timers():
    """user/tests/timer_storm.c on four CPUs."""
    result = harness.run_program(build.PROGRAMS / "timer-storm", mem=256, cpus=CPUS)
    print(result.stdout.decode(), end="")
    check(result.code == 0, f"ended with {result.code}: {result.stderr.decode()}")


# ---- Machine checks ----

def machine_check():
    """One that cannot be corrected is a panic that says so; nothing is reset."""
    with Boot("-- nostory", mem=256, cpus=2) as machine:
        machine.log.watched = False
        machine.until(harness.PROMPT)
        answer = machine.qemu.monitor.human(f"mce 1 2 {UNCORRECTED}")
        check(not answer.strip(), f"QEMU: {answer}")
        machine.until(r"PANIC: machine check(?: in kernel mode)?: bank 2: bd00000000000000, address 1000, misc 8c")
        machine.until(r"^\[.*\] running: .* on CPU 1")
        machine.until(r"a record of \d+ bytes is kept")


def _inject(machine, cpu, bank, status):
    """A corrected one. QEMU keeps what a bank holds, and marks it as overflown, until the status is cleared."""
    answer = machine.qemu.monitor.human(f"mce {cpu} {bank} {status:#x} 0 {0x12345000 + bank:#x} 0x86")
    check(not answer.strip(), f"QEMU: {answer}")


def _until_told(machine, cpu, bank, status):
    machine.until(rf"mce: \[Hardware Error\]: CPU {cpu}: Machine Check: 0 Bank {bank}: {status:016x}$")
    machine.until(rf"mce: \[Hardware Error\]: TSC [0-9a-f]+ ADDR {0x12345000 + bank:x} MISC 86 APIC {cpu:x}$")


def corrected():
    """Corrected ones: those that came under the firmware are told at the start, the others at the next look, each five
    minutes by a clock that does not wait while all is idle. The second of a kind is told as the first: the bank was cleared."""
    with Boot("-- nostory", mem=256, cpus=2, extra=COUNTED) as machine:
        _inject(machine, 0, 4, CORRECTED)
        machine.until(r"^\[ *[\d.]+\] Baton ")
        _until_told(machine, 0, 4, CORRECTED)
        machine.until(harness.PROMPT)
        for turn in range(2):
            for cpu, bank in ((0, 5), (1, 9), (1, 0)):
                _inject(machine, cpu, bank, CORRECTED + turn)
                _until_told(machine, cpu, bank, CORRECTED + turn)
            _inject(machine, 1, 9, CORRECTED)
            _until_told(machine, 1, 9, CORRECTED)
        told = re.findall(r"CPU \d: Machine Check: ", machine.text())
        check(len(told) == 9, f"told {len(told)} times")
        machine.type("poweroff\r")
        machine.until(r"init: power off")
        machine.until_off()


if __name__ == "__main__":
    harness.main([storms, spurious, timers, machine_check, corrected])
