# SPDX-License-Identifier: MIT
"""A machine in words, and QEMU's command line for it: pure but for firmware.find and the list of CPU models."""
import functools
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from . import firmware as firmwares
from . import tree

QEMU = "qemu-system-x86_64"
DISKS = ("virtio", "ahci", "nvme", "usb")
CPUS, MEM = 2, 512
CPUS_MAX = 255  # QEMU's, without an interrupt controller that has more
OVMF_MEM = 48  # with less it stays silent for ever
ICOUNT_CPUS, ICOUNT_MEM = 1, 256
ICOUNT = ["-icount", "shift=0,sleep=off", "-rtc", "base=2024-01-01T00:00:00,clock=vm", "-seed", "1"]
DEBUG_EXIT_PORT = 0xF4


@dataclass
class Machine:
    image: Path = None  # the disk to boot from
    medium: str = "snapshot"  # what is written to it is lost; "kept"; "readonly": it cannot be written
    firmware: str = firmwares.DEFAULT
    disk: str = "virtio"
    cpus: int = None
    mem: int = None  # MiB
    cpu: str = "max"
    variables: Path = None  # the firmware's store of variables, kept from run to run; None: a copy for this run
    accelerator: str = "tcg"
    icount: bool = False
    vga: str = "none"  # QEMU's device: VGA, bochs-display, ramfb, ...
    display: str = "none"
    reboot: bool = False  # False: a reset ends QEMU
    debug_exit: bool = False
    stopped: bool = False  # wait for gdb
    extra: list = field(default_factory=list)  # further words for QEMU

    def resolved_cpus(self):
        return self.cpus or (ICOUNT_CPUS if self.icount else CPUS)

    def resolved_mem(self):
        return self.mem or (ICOUNT_MEM if self.icount else MEM)

    def check(self):
        if self.disk not in DISKS:
            raise tree.WrongUse(f"--disk {self.disk}: expected one of {', '.join(DISKS)}")
        if not 1 <= self.resolved_cpus() <= CPUS_MAX:
            raise tree.WrongUse(f"--cpus {self.resolved_cpus()}: expected 1 to {CPUS_MAX}")
        if self.resolved_mem() < 1:
            raise tree.WrongUse(f"--mem {self.resolved_mem()}: expected at least 1 MiB")
        firmwares.check(self.firmware)
        if self.firmware.startswith("ovmf") and self.resolved_mem() < OVMF_MEM:
            raise tree.WrongUse(f"--mem {self.resolved_mem()}: {self.firmware} needs at least {OVMF_MEM} MiB to start")
        if self.icount and self.resolved_cpus() != 1:
            raise tree.WrongUse(f"--icount --cpus {self.cpus}: instructions are counted on one CPU, expected 1")
        model = self.cpu.split(",")[0]
        if model != type(self).cpu and model not in _models(model):
            raise tree.WrongUse(f"--cpu {model}: QEMU has no such model; {QEMU} -cpu help lists them")


@functools.lru_cache(maxsize=1)
def _models(wanted):
    """The words of QEMU's list, which has the models' names among them; where there is no QEMU yet, what is wanted."""
    try:
        done = subprocess.run([QEMU, "-cpu", "help"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False)
    except OSError:
        return {wanted}
    return set(done.stdout.split())


def _escape(path):
    """A comma in a file name is doubled in QEMU's options."""
    return str(path).replace(",", ",,")


def _disk(machine):
    medium = {"snapshot": "snapshot=on", "kept": "snapshot=off", "readonly": "readonly=on"}[machine.medium]
    drive = ["-drive", f"if=none,id=disk,format=raw,{medium},file={_escape(machine.image)}"]
    device = {
        "virtio": ["-device", "virtio-blk-pci,drive=disk,bootindex=0"],
        "ahci": ["-device", "ich9-ahci,id=ahci", "-device",
                 "ide-hd,drive=disk,bus=ahci.0,bootindex=0"],
        "nvme": ["-device", "nvme,drive=disk,serial=baton,bootindex=0"],
        "usb": ["-device", "qemu-xhci", "-device", "usb-storage,drive=disk,bootindex=0"],
    }
    return drive + device[machine.disk]


def _firmware(firmware, variables):
    if not firmware.flash:
        return ["-bios", str(firmware.code)]
    words = []
    if firmware.code is not None:
        words += ["-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={_escape(firmware.code)}"]
    if variables is not None:
        unit = 0 if firmware.code is None else 1
        words += ["-drive", f"if=pflash,unit={unit},format=raw,file={_escape(variables)}"]
    if firmware.smm:
        words += ["-global", "driver=cfi.pflash01,property=secure,value=on",
                  "-global", "ICH9-LPC.disable_s3=1"]
    return words


def command(machine, variables, com1=None, com2=None, qmp=None):
    """QEMU's words. com1, qmp: descriptors of connected sockets that QEMU inherits; com2: the
    path of two FIFOs, without .in and .out."""
    machine.check()
    firmware = firmwares.find(machine.firmware)
    words = [QEMU, "-nodefaults", "-no-user-config", "-name", "baton",
             "-M", firmware.machine + (",smm=on" if firmware.smm else ""),
             "-accel", machine.accelerator, "-cpu", machine.cpu,
             "-smp", str(machine.resolved_cpus()), "-m", f"{machine.resolved_mem()}M",
             "-display", machine.display]
    if machine.vga != "none":
        words += ["-device", machine.vga]
    words += _firmware(firmware, variables)
    if machine.image is not None:
        words += _disk(machine)
    if com1 is not None:
        words += ["-chardev", f"socket,id=com1,fd={com1}", "-serial", "chardev:com1"]
    if com2:
        words += ["-chardev", f"pipe,id=com2,path={_escape(com2)}", "-serial", "chardev:com2"]
    if qmp is not None:
        words += ["-chardev", f"socket,id=qmp,fd={qmp}", "-mon", "chardev=qmp,mode=control"]
    if machine.icount:
        words += ICOUNT
    if not machine.reboot:
        words += ["-no-reboot"]
    if machine.debug_exit:
        words += ["-device", f"isa-debug-exit,iobase={DEBUG_EXIT_PORT:#x},iosize=4"]
    if machine.stopped:
        words += ["-S"]
    return words + machine.extra
