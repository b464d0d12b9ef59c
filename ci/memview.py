# SPDX-License-Identifier: MIT
"""memview: as JSON, and on the screen; what it says is compared with what is known."""
import json
import sys
import time

import harness
from harness import Boot, check
from command import build, guest, tree

sys.path.insert(0, str(tree.ROOT / "tools"))
import mkimage  # noqa: E402  pylint: disable=wrong-import-position

MEM = 256
KNOWN = build.PROGRAMS / "memview-known"
MEMVIEW = build.PROGRAMS / "memview"
OWN = (0x4E9AF1, 0xF2A134, 0x57C06A, 0xE5634D, 0xB57EDC, 0x2FC4C0, 0xF08CB4, 0xB5CC3F, 0xC98F5A, 0x7F8FF0, 0x8FD6A0,
       0xD96BA8)
IMAGE = 0x4B5770


def _known():
    """What the program told of itself, what memview told of it, and its frames: {number: (class, pid)}."""
    result = harness.run_program(KNOWN, adds=[f"{MEMVIEW}:/bin/memview"], mem=MEM)
    text = result.stdout.decode()
    check(result.code == 0, f"ended with {result.code}:\n{text[:2000]}{result.stderr.decode()}")
    first, rest = text.split("\n", 1)
    look = json.loads(rest)
    frames = {}
    for start, count, kind, pid in look["frames"]:
        check(start == len(frames), f"frames go on at {len(frames)}, not {start}")
        frames.update((frame, (kind, pid)) for frame in range(start, start + count))
    return json.loads(first), look, frames


def _mapped(look, pid):
    """{address: frame} of a process."""
    found = [one for one in look["processes"] if one["pid"] == pid]
    check(len(found) == 1, f"process {pid} is there {len(found)} times")
    return {address: frame for area in found[0]["areas"] for address, frame in area["pages"]}


def _pages(known):
    return [known[0] + 4096 * i for i in range(known[1])]


def json_form():
    known, look, frames = _known()
    kinds = [kind for kind, _ in frames.values()]
    check(all(kinds.count(kind) == count for kind, count in look["classes"].items()), f"{look['classes']} are miscounted")
    ram = sum(count for kind, count in look["classes"].items() if kind != "hole")
    check(look["ram_pages"] == ram, f"{ram} frames of RAM, said to be {look['ram_pages']}")
    check(0 < MEM * 256 - ram < 512, f"{ram} frames of RAM in {MEM} MiB")
    for kind in ("free", "firmware", "image", "slab", "stack", "array", "table", "cache"):
        check(look["classes"][kind] > 0, f"not one frame is {kind}")
    own, child = _mapped(look, known["pid"]), _mapped(look, known["child"])
    for page in _pages(known["private"]):
        check(page in own and frames[own[page]] == ("own", known["pid"]), f"private page {page:#x}: {frames.get(own.get(page))}")
        check(page not in child, f"the child has private page {page:#x}")
    for name, kind in (("shared", "shared"), ("copies", "copy")):
        for page in _pages(known[name]):
            check(page in own and own[page] == child.get(page), f"{name} {page:#x}: {own.get(page)}, {child.get(page)}")
            check(frames[own[page]] == (kind, 0), f"{name} {page:#x} is {frames[own[page]]}")
    check(look["classes"]["leaked"] == 0, f"{look['classes']['leaked']} pages are said to be leaked")


class Watched(Boot):
    """A machine that is looked at until what is wanted is there."""

    def wait(self, what, look, seconds=harness.SECONDS):
        """Until look() gives something true, which is given back."""
        end = time.monotonic() + seconds
        while True:
            self._read(0.3)
            found = look()
            if found:
                print(f"{what}: {seconds - end + time.monotonic():.0f} s")
                return found
            check(time.monotonic() < end, f"{what} did not come within {seconds} s")


def _colours(picture):
    """How many pixels of a PPM have each colour."""
    head, body = picture.split(b"\n255\n", 1)
    check(head.startswith(b"P6"), f"a picture that begins with {head[:20]}")
    counts = {}
    for i in range(0, len(body), 3):
        counts[body[i:i + 3]] = counts.get(body[i:i + 3], 0) + 1
    return {int.from_bytes(colour, "big"): count for colour, count in counts.items()}


def _screen(machine):
    """On the framebuffer, with keys from the machine's keyboard: colours of processes and of the kernel's image."""
    machine.until("memview: on the screen")
    path = machine.folder / "memview.ppm"

    def owned():
        machine.qemu.monitor.screendump(path)
        counts = _colours(path.read_bytes())
        return counts.get(IMAGE, 0) > 5000 and sum(counts.get(colour, 0) > 2000 for colour in OWN) >= 3

    machine.wait("pages of processes", owned)
    machine.qemu.monitor.keys("q")
    machine.until_off()


def screen_form():
    """The boot entry."""
    with guest.private_folder() as folder:
        (folder / "loader.conf").write_text("default memview.conf\ntimeout 0\n", encoding="ascii")
        items = [(str(path), str(path.relative_to(build.ESP))) for path in sorted(build.ESP.rglob("*"))
                 if path.is_file() and path.name != "loader.conf"]
        mkimage.make(str(folder / "disk.img"), [*items, (str(folder / "loader.conf"), "loader/loader.conf")])
        with Watched(image=folder / "disk.img", mem=MEM, vga="VGA") as machine:
            _screen(machine)


if __name__ == "__main__":
    harness.main([json_form, screen_form])
