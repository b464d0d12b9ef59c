# SPDX-License-Identifier: MIT
"""The same disk image on every kind of disk, and the tree on a file system that we did not make."""
import re
import subprocess

import harness
from harness import STORY_HELD, Boot, ScenarioFailure, build, check, guest
from command import packages

BUILD_ID = r"\d+\.\d+\.\d+-[0-9a-f]{12}"


def story(machine):
    """The whole of what one sees: loader, kernel, Alice, Eve, a shell, the end."""
    machine.until(STORY_HELD)
    text = machine.text()
    held = int(re.search(STORY_HELD, text)[1])
    check(held >= 10, f"{held} attacks were tried, expected at least 10")
    turns = [int(n) for n in re.findall(r"Alice: turn (\d+), my memory is as I left it", text)]
    check(len(turns) >= 10 and turns == sorted(turns), f"Alice's turns {turns[:20]}")
    check("SOMEBODY WROTE" not in text and "I got away" not in text, "an attack came through")
    machine.power_off()


def virtio():
    with Boot() as machine:
        story(machine)
        ids = set(re.findall(BUILD_ID, machine.text()))
        check(len(ids) == 1, f"build ids in the log: {ids}, expected one, by loader and kernel")


def ahci():
    with Boot(disk="ahci") as machine:
        story(machine)


def nvme():
    with Boot(disk="nvme") as machine:
        story(machine)


def usb():
    with Boot(disk="usb") as machine:
        story(machine)


def _run(*command):
    done = subprocess.run([packages.find(command[0]) or command[0], *command[1:]], text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False)
    if done.returncode != 0:
        raise ScenarioFailure(f"{' '.join(command)}: {done.stdout}")


def copied_files():
    """build/esp/ copied file by file onto a FAT that mkfs.fat made, on a disk without partitions."""
    with guest.private_folder() as folder:
        disk = folder / "stick.img"
        with open(disk, "wb") as out:
            out.truncate(80 << 20)
        _run("mkfs.fat", "-F", "32", "-n", "STICK", str(disk))
        for path in sorted(build.ESP.rglob("*"), reverse=True):  # not in the order of our own image
            if path.is_dir():
                continue
            parts = path.relative_to(build.ESP).parts
            for depth in range(1, len(parts)):
                subprocess.run(["mmd", "-D", "s", "-i", str(disk), "::" + "/".join(parts[:depth])],
                               stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
            _run("mcopy", "-i", str(disk), str(path), "::" + "/".join(parts))
        with Boot(image=disk) as machine:
            story(machine)


if __name__ == "__main__":
    harness.main([virtio, ahci, nvme, usb, copied_files])
