# SPDX-License-Identifier: MIT
"""The loader by itself: handoff_probe.c as kernel checks the hand-off word by word."""
import random
import re
import zlib

import harness
from harness import Boot, boot, build, check, guest, tree
import mkcpio
import mkimage

PROBE = tree.BUILD / "ci" / "handoff-probe.elf"
WELL = 0x10 << 1 | 1  # the probe's value at the debug exit port
LEAST_CHECKS = 50


def _probe(options="nokaslr probing", **what):
    """The facts that the probe prints, as a dictionary."""
    with Boot(options, parts={"kernel": PROBE}, debug_exit=True, **what) as machine:
        done = machine.until(r"^done (\d+) (\d+)$")
        wrong = re.findall(r"^not ok .*$", machine.text(), re.M)
        check(done[2] == "0" and not wrong, f"{len(wrong)} checks failed: {wrong[:10]}")
        check(int(done[1]) >= LEAST_CHECKS, f"{done[1]} checks were made, at least {LEAST_CHECKS} expected")
        machine.until_off(expected=WELL)
        return dict(re.findall(r"^fact (\S+) (.*)$", machine.text(), re.M))


def probe_ovmf():
    _probe(vga="VGA", mem=256)


def probe_kaslr():
    """Two boots with random slides: the checks hold, and the places differ."""
    slides = {_probe("probing", mem=256).get("kernel_slide") for _ in range(3)}
    check(None not in slides and len(slides) > 1, f"the kernel's slides in three boots: {slides}")


def probe_no_screen():
    _probe()


def probe_4g():
    _probe(mem=5120, cpus=1)


def probe_secboot():
    _probe(firmware="ovmf-secboot", vga="VGA")


def probe_uboot():
    _probe(firmware="uboot", mem=256)


def two_initrds():
    """Two archives arrive whole, one after the other."""
    archive = mkcpio.Archive()
    archive.data(random.Random(6).randbytes(3_000_001), "/random")
    with guest.private_folder() as folder:
        more = boot.write_archive(archive, folder / "more.cpio")
        facts = _probe(more=more)
        first = build.INITRD.read_bytes()
        both = first + bytes(-len(first) % 4096) + more.read_bytes()  # each begins at a page
    found = (int(facts["initrd_bytes"], 0), int(facts["initrd_crc"], 0))
    check(found == (len(both), zlib.crc32(both)),
          f"initrd of {found[0]} bytes, CRC {found[1]:#x}: expected {len(both)}, {zlib.crc32(both):#x}")


def _disk(folder, files):
    """A disk with the loader, the probe as kernel, the initrd and these text files."""
    items = [(str(PROBE), "baton/kernel.elf"), (str(build.INITRD), "baton/initrd.cpio")]
    for number, (guest_path, text) in enumerate(files.items()):
        host = folder / f"file-{number}"
        if isinstance(text, bytes):
            host.write_bytes(text)
        else:
            host.write_text(text, encoding="utf-8")
        items.append((str(host), guest_path))
    mkimage.make(str(folder / "disk.img"), items)
    return folder / "disk.img"


def menu():
    """Arrows, e to edit the line, Enter: what was chosen and typed is what the kernel gets."""
    entries = {f"loader/entries/{name}.conf": f"title The {name} entry\nkernel /baton/kernel.elf\n"
               f"options nokaslr which={name}\n" for name in ("alpha", "beta", "gamma")}
    with guest.private_folder() as folder:
        disk = _disk(folder, {"EFI/BOOT/BOOTX64.EFI": boot.LOADER.read_bytes(), **entries,
                              "loader/loader.conf": "timeout 3000\ndefault alpha.conf\n"})
        with Boot(image=disk, debug_exit=True) as machine:
            machine.until(r"The alpha entry[^$]*The gamma entry[^$]*Boots in")
            machine.type("\x1b[B")
            machine.until(r"> The beta entry")
            machine.type("e")
            machine.until(r"which=beta")
            machine.type(" typed=1\r")
            machine.until(r'options "nokaslr which=beta typed=1"')
            machine.until(r"^done \d+ 0$")
            machine.until_off(expected=WELL)


def menu_times_out():
    with guest.private_folder() as folder:
        disk = _disk(folder, {
            "EFI/BOOT/BOOTX64.EFI": boot.LOADER.read_bytes(),
            "loader/entries/a.conf": "title First\nkernel /baton/kernel.elf\noptions which=a\n",
            "loader/entries/b.conf": "title Second\nkernel /baton/kernel.elf\noptions which=b\n",
            "loader/loader.conf": "timeout 2\ndefault b.conf\n"})
        with Boot(image=disk, debug_exit=True) as machine:
            machine.until(r"> Second")
            machine.until(r'options "which=b"')
            machine.until_off(expected=WELL)


def shell_options():
    """Started from the UEFI shell, the options typed there are added to the entry's."""
    with guest.private_folder() as folder:
        disk = _disk(folder, {
            "baton/loader.efi": boot.LOADER.read_bytes(),
            "startup.nsh": "fs0:\\baton\\loader.efi nokaslr from=shell\r\n",
            "loader/entries/a.conf": "title A\nkernel /baton/kernel.elf\noptions which=a\n",
            "loader/loader.conf": "timeout 0\ndefault a.conf\n"})
        with Boot(image=disk, debug_exit=True, shell=True) as machine:
            machine.until(r'options "which=a nokaslr from=shell"')
            machine.until_off(expected=WELL)


if __name__ == "__main__":
    harness.main([two_initrds, menu, menu_times_out, shell_options, probe_ovmf, probe_kaslr, probe_no_screen, probe_4g, probe_secboot, probe_uboot])
