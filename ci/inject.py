# SPDX-License-Identifier: MIT
"""The loader on firmware one call of which fails (inject.efi: inject.c): it boots, or gives back all that it took."""
import re

import harness
from harness import Boot, boot, build, check, guest, tree
import mkimage

CI = tree.BUILD / "ci"
WELL = 0x10 << 1 | 1  # inject.efi's value at the debug exit port

PROBE = "title Probe\nkernel /baton/probe.elf\ninitrd /inject/small.cpio\n"
MENU = "config=\\inject\\menu\\loader.conf"
NEEDED = {"AllocatePages", "GetMemoryMap", "HandleProtocol", "OpenVolume", "Open", "Read", "SetPosition", "GetPosition"}
FRAGMENTS = 5100  # descriptors of memory that they make, at least


def _image(folder, plan, options=""):
    """A disk with inject.efi before the loader: the entry `probe`, cheap to load, for all starts but the last, whose kernel is Baton's."""
    texts = {
        "inject/plan.txt": "\n".join(plan) + "\n", "inject/small.cpio": "0" * 5000,
        "loader/loader.conf": "default probe.conf\n", "loader/entries/probe.conf": PROBE, "loader/random-seed": "s" * 512,
        "loader/entries/baton.conf": boot.entry(options),
        "inject/menu/loader.conf": "timeout 3\ndefault b*\n",
        "inject/menu/entries/a.conf": PROBE, "inject/menu/entries/b.conf": PROBE + "options video=800x600\n",
        "inject/counted/loader.conf": "default t*\n", "inject/counted/entries/t+999.conf": PROBE,
        "inject/menu/entries/c.conf": "title Other\nefi /other.efi\n"}
    items = [(str(CI / "inject.efi"), "EFI/BOOT/BOOTX64.EFI"), (str(boot.LOADER), "EFI/BOOT/BATON.EFI"),
             (str(CI / "handoff-probe.elf"), "baton/probe.elf"), (str(boot.KERNEL), "baton/kernel.elf"),
             (str(build.INITRD), "baton/initrd.cpio")]
    for i, (name, text) in enumerate(texts.items()):
        (folder / f"text{i}").write_text(text, encoding="utf-8")
        items.append((str(folder / f"text{i}"), name))
    mkimage.make(str(folder / "disk.img"), items)
    return folder / "disk.img"


def _run(plan, least, **what):
    """Each path of the plan is well, in `least` starts at least; {(path, service, mode): (calls, starts, returned, booted)}."""
    with guest.private_folder() as folder:
        with Boot(image=_image(folder, plan), debug_exit=True, vga="VGA", **what) as machine:
            machine.log.watched = False  # the loader's errors are what must come
            done = machine.until(r"^done (\d+) (\d+)$")
            wrong = re.findall(r"^not ok .*$", machine.text(), re.M)
            check(not wrong and done[2] == "0", f"{done[2]} of {done[1]} starts: " + "\n".join(wrong[:40]))
            machine.until_off(expected=WELL)
            text = machine.text()
    well = re.findall(r"^ok (\S+) \d+$", text, re.M)
    check(well == [line.split(" ")[0] for line in plan], f"well are {well}")
    check(int(done[1]) >= least, f"{done[1]} starts, expected {least}")
    facts = re.findall(r"^fact (\S+) (\S+) (\S+) (\d+) (\d+) (\d+) (\d+)$", text, re.M)
    print(f"{done[1]} starts, {len(facts)} services and ways")
    return {fact[:3]: tuple(map(int, fact[3:])) for fact in facts}


def _sweep(path, least, reached, **what):
    facts = _run([path], least, **what)
    missing = set(reached.split()) - {service for _, service, _ in facts}
    check(not missing, f"never called: {missing}")
    # What it cannot do without stops it; where that fails for ever from the first call on, surely.
    for (name, service, mode), (_, _, returned, _) in facts.items():
        if mode == "from" and service in NEEDED:
            check(returned > 0, f"{name}: {service} fails for ever, and it boots")


def entry():
    """The nth call of each service fails, for each n: the straight way into an entry."""
    _sweep("entry | | sweep", 150, "AllocatePages GetMemoryMap HandleProtocol LocateProtocol SetWatchdogTimer GetVariable SetVariable OpenVolume "
           "Open Close Read Write GetPosition SetPosition Flush GetRNG", extra=["-device", "virtio-rng-pci"])


def menu():
    """The same through the menu, where a person types, with a TPM and another screen mode."""
    _sweep(f"menu | {MENU} | sweep keys tpm", 350, "FreePool CreateEvent SetTimer WaitForEvent CloseEvent QueryMode SetMode "
           "OutputString ClearScreen ReadKeyStroke TpmCapability TpmExtend")


def counted():
    """The same into an entry whose tries are counted: a counter that cannot be written makes the boot no worse."""
    _sweep("counted | config=\\inject\\counted\\loader.conf | sweep thin", 100, "Open Close Read GetInfo SetInfo GetVariable SetVariable")


def odd():
    """Firmware that is odd in one way or another: the loader boots; where no key is ever right, and no buffer large enough, it does not."""
    plan = ["no-console | | no-output no-input", f"menu-without-console | {MENU} | no-output no-input", f"menu-alone | {MENU} |", "no-screen | | no-screen",
            "blt-only | video=800x600 | blt-only", "reads-of-7 | | most=7", "map-grows | | grows returns=9",
            *(f"descriptors-of-{size} | | stride={size}" for size in (40, 48, 56)),
            *(f"stale-{tries} | | stale={tries}" for tries in range(1, 8)), *(f"stale-{tries} | | stale={tries} resets" for tries in (8, 9)),
            f"long-map | | fragments={FRAGMENTS} stride=56 sweep-memory", "enforced | | enforced", f"enforced-menu | {MENU} | enforced keys tpm"]
    _run(plan, len(plan))


def for_good():
    """All at once, and the machine is the kernel's: no console, no screen, a long map in long descriptors, stale keys, W^X."""
    plan = [f"good | entry=baton.conf -- nostory | enforced fragments={FRAGMENTS} stride=56 stale=3 no-output no-input no-screen last"]
    with guest.private_folder() as folder:
        with Boot(image=_image(folder, plan), debug_exit=True, vga="VGA") as machine:
            machine.until(r"^ok 8 of 8 claims about pages hold$")
            machine.power_off()
            wrong = re.findall(r"^not ok .*$", machine.text(), re.M)
            check(not wrong, "\n".join(wrong))


def report():
    """The same where evidence of the firmware is collected."""
    _run(["report | firmware=report | sweep thin own-stale"], 200)


if __name__ == "__main__":
    harness.main([entry, menu, counted, report, odd, for_good])
