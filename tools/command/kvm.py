# SPDX-License-Identifier: MIT
"""Whether KVM runs guests here: found out by running one, remembered under build/.

A /dev/kvm that opens is no proof: nested or filtered KVM often fails at the first real guest.
"""
import json
import os
import subprocess
import tempfile

from . import guest, machine, tree

SOURCE = tree.ROOT / "tools" / "kvm_probe.S"
CACHE = tree.BUILD / "kvm.json"
EXPECTED = 0x10 << 1 | 1  # isa-debug-exit's code for kvm_probe.S's value
SECONDS = 2


def _key():
    """Changes when the answer may: another boot, device, owner, probe or QEMU."""
    try:
        device = os.stat("/dev/kvm")
    except OSError:
        return None
    return [guest.boot_id(), device.st_rdev, device.st_mode, os.geteuid(), SOURCE.stat().st_mtime]


def assemble(out):
    subprocess.run(["gcc", "-nostdlib", "-static", "-Wl,--oformat=binary", "-Wl,-Ttext=0xf0000",
                    "-Wl,--build-id=none", "-o", out, str(SOURCE)], check=True,
                   stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def runs(accelerator):
    """Runs the probe guest on the machine that all guests get; True: it came through in time."""
    with tempfile.TemporaryDirectory() as folder:
        rom = os.path.join(folder, "probe.rom")
        try:
            assemble(rom)
            done = subprocess.run(
                [machine.QEMU, "-nodefaults", "-no-user-config", "-M", "q35", "-cpu", "max",
                 "-accel", accelerator, "-smp", "2", "-m", "512M", "-display", "none", "-bios", rom,
                 "-device", f"isa-debug-exit,iobase={machine.DEBUG_EXIT_PORT:#x},iosize=4"],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                timeout=SECONDS, check=False)
        except (OSError, subprocess.SubprocessError):
            return False
    return done.returncode == EXPECTED


def accelerator():
    """`kvm` where a guest ran under it, otherwise `tcg`."""
    key = _key()
    if key is None or not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    try:
        known = json.loads(CACHE.read_text(encoding="utf-8"))
        if known["key"] == key:
            return "kvm" if known["runs"] else "tcg"
    except (OSError, ValueError, KeyError, TypeError):
        pass
    answer = runs("kvm")
    tree.BUILD.mkdir(parents=True, exist_ok=True)
    CACHE.write_text(json.dumps({"key": key, "runs": answer}) + "\n", encoding="utf-8")
    return "kvm" if answer else "tcg"
