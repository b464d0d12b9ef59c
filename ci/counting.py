# SPDX-License-Identifier: MIT
"""Boot counting: entries whose names say how often they may still be tried, on a disk that is written to, one variable store."""
import subprocess

import harness
from harness import Boot, boot, build, check, guest
import mkimage


class Stick:
    """entries: {name: options}; what boots is `default`, at once or (seconds) with a menu."""

    def __init__(self, folder, default, entries, seconds=0):
        self.image, self.store = folder / "disk.img", folder / "variables.fd"
        self.image.unlink(missing_ok=True)
        (folder / "loader.conf").write_text(f"timeout {seconds}\n" + (f"default {default}\n" if default else ""), encoding="utf-8")
        items = [(str(boot.LOADER), "EFI/BOOT/BOOTX64.EFI"), (str(boot.KERNEL), "baton/kernel.elf"),
                 (str(build.INITRD), "baton/initrd.cpio"), (str(folder / "loader.conf"), "loader/loader.conf")]
        for name, options in entries.items():
            (folder / name).write_text(boot.entry(options, title=name.split("+")[0]), encoding="utf-8")
            items.append((str(folder / name), f"loader/entries/{name}"))
        mkimage.make(str(self.image), items)

    def names(self):
        done = subprocess.run(["mdir", "-b", "-i", f"{self.image}@@1M", "::/loader/entries"], check=True, text=True, capture_output=True)
        return sorted(line.split("/")[-1] for line in done.stdout.split())

    def boot(self, *expected, gone=(), medium="kept", before=None):
        with Boot(image=self.image, medium=medium, mem=256, variables=self.store) as machine:
            machine.log.watched = False
            if before:
                before(machine)
            for pattern in expected:
                machine.until(pattern)
            machine.until_off()
            text = machine.text()
        for pattern in gone:
            check(pattern not in text, f"{pattern!r} is in the log")
        return text


def fallback():
    """An entry that panics is tried as often as its name says, then the one before it boots; so it does when all tries are used
    up and nothing else is there."""
    with guest.private_folder() as folder:
        stick = Stick(folder, "new", {"new+2.conf": "crash=assert panic=1", "old.conf": "true"})
        for left in (1, 0):
            stick.boot(rf"loader: new\+{left}-{2 - left}\.conf: this try is counted, {left} left", "loader: entry new.conf,",
                       r"\bPANIC: ")
            check(stick.names() == [f"new+{left}-{2 - left}.conf", "old.conf"], f"on the disk: {stick.names()}")
        for _ in range(2):
            stick.boot(r"loader: warning: new\+0-2\.conf has used up its tries: old\.conf is booted in its place",
                       "loader: entry old.conf,", "power off: process 1 has ended", gone=("counted", "boot's counter"))
            check(stick.names() == ["new+0-2.conf", "old.conf"], f"on the disk: {stick.names()}")
        stick = Stick(folder, "", {"only+0-3.conf": "true"})
        stick.boot(r"loader: only\+0-4\.conf: this try is counted, 0 left", "loader: entry only.conf,", "power off: process 1 has ended")


def comes_up():
    """An entry that comes up keeps its counter until the next boot, and loses it there. One whose program fails does not; a
    stick that cannot be written boots as well."""
    with guest.private_folder() as folder:
        stick = Stick(folder, "fresh", {"fresh+3.conf": "true", "a-first.conf": "true"})
        stick.boot(r"loader: warning: .*fresh\+3\.conf: cannot be renamed to fresh\+2-1\.conf", "loader: entry fresh.conf,",
                   "power off: process 1 has ended", medium="readonly", gone=("boot's counter",))
        stick.boot(r"fresh\+2-1\.conf: this try is counted, 2 left", "power off: process 1 has ended", gone=("boot's counter",))
        check(stick.names() == ["a-first.conf", "fresh+2-1.conf"], f"after the first boot: {stick.names()}")
        stick.boot(r"loader: fresh\+2-1\.conf came up: it is fresh\.conf from now on", "loader: entry fresh.conf,",
                   "power off: process 1 has ended", gone=("counted", "used up"))
        check(stick.names() == ["a-first.conf", "fresh.conf"], f"after the second boot: {stick.names()}")
        stick = Stick(folder, "bad", {"bad+3.conf": "false"})
        stick.boot(r"bad\+2-1\.conf: this try is counted, 2 left", "power off: process 1 has ended")
        stick.boot(r"bad\+1-2\.conf: this try is counted, 1 left", "power off: process 1 has ended", gone=("came up",))


def in_the_menu():
    """The menu says how many tries are left, and one that has none is the last and may be chosen."""
    def choose(machine):
        machine.until(r"new \(tries left: 0\)")
        machine.qemu.monitor.human("sendkey down")
        machine.qemu.monitor.human("sendkey ret")

    def take_first(machine):
        machine.until(r"loader: new\+0-2\.conf came up: it is new\.conf from now on")
        machine.until("Boots in")
        machine.qemu.monitor.human("sendkey ret")

    with guest.private_folder() as folder:
        stick = Stick(folder, "", {"new+0-1.conf": "true", "old+2.conf": "nostory"}, seconds=60)
        text = stick.boot(r"loader: new\+0-2\.conf: this try is counted, 0 left", "loader: entry new.conf,",
                          "power off: process 1 has ended", before=choose)
        check("old (tries left: 2)" in text, "the menu does not tell of old's tries")
        stick.boot("loader: entry new.conf,", "power off: process 1 has ended", before=take_first)


if __name__ == "__main__":
    harness.main([fallback, comes_up, in_the_menu])
