# SPDX-License-Identifier: MIT
"""memview: as JSON, in a terminal, and on the screen; what it says is compared with what is known."""
import contextlib
import json
import re
import sys
import time

import harness
from harness import Boot, check
from command import build, guest, tree

sys.path.insert(0, str(tree.ROOT / "tools"))
import mkimage  # noqa: E402  pylint: disable=wrong-import-position
import vt  # noqa: E402  pylint: disable=wrong-import-position

MEM = 256
KNOWN = build.PROGRAMS / "memview-known"
MEMVIEW = build.PROGRAMS / "memview"
OWN = (0x4E9AF1, 0xF2A134, 0x57C06A, 0xE5634D, 0xB57EDC, 0x2FC4C0, 0xF08CB4, 0xB5CC3F, 0xC98F5A, 0x7F8FF0, 0x8FD6A0,
       0xD96BA8)
IMAGE, COPY = 0x4B5770, 0xF6E27A


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


def _totals(meminfo, classes):
    """What /proc/meminfo said a moment before, in KiB: the same, but for what memview itself takes meanwhile."""
    ram = sum(count for kind, count in classes.items() if kind not in ("hole", "firmware", "reserved"))
    for name, count in (("MemTotal", ram), ("PageArray", classes["array"]), ("KernelImage", classes["image"]),
                        ("Initrd", classes["initrd"])):
        check(meminfo[name] == 4 * count, f"{name} is {meminfo[name]} KiB, of {4 * count} KiB in the picture")
    for name, kind, most in (("MemFree", "free", 1024), ("KernelStack", "stack", 64), ("PageTables", "table", 64)):
        check(abs(meminfo[name] // 4 - classes[kind]) < most, f"{name} is {meminfo[name]} KiB, {kind} are {4 * classes[kind]} KiB")


def json_form():
    known, look, frames = _known()
    kinds = [kind for kind, _ in frames.values()]
    check(all(kinds.count(kind) == count for kind, count in look["classes"].items()), f"{look['classes']} are miscounted")
    ram = sum(count for kind, count in look["classes"].items() if kind != "hole")
    check(look["ram_pages"] == ram, f"{ram} frames of RAM, said to be {look['ram_pages']}")
    check(0 < MEM * 256 - ram < 512, f"{ram} frames of RAM in {MEM} MiB")
    for kind in ("free", "firmware", "image", "slab", "stack", "array", "table", "cache"):
        check(look["classes"][kind] > 0, f"not one frame is {kind}")
    _totals(known["meminfo"], look["classes"])
    check(set(look) == {"schema", "page_size", "ram_pages", "classes", "frames", "processes"} and look["schema"] == 1 and
          look["page_size"] == 4096, f"another form: {set(look)}")
    for name, count in (("private", 1), ("shared", 2), ("copies", 2)):
        check(set(known[f"{name}_counts"]) == {count}, f"kpagecount of {name}: {known[f'{name}_counts']}")
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

    def until_line_with(self, text):
        """On the screen."""
        return self.until_screen(lambda lines: any(text in line for line in lines), repr(text))


# ---- In a terminal ----

NAME = re.compile(r"(\S) (\w+)\[(\d+)\]   (\d+) pages in memory", re.M)  # of a process whose space is shown
LEGEND = re.compile(r"(\w)(\w+)\[(\d+)\] ?")
PICTURE_END = b"\x1b[?2026l"  # user/memview/canvas.c
ROW = re.compile(r"([ 0-9a-f]{8}[0-9a-f])(?: (.*))?")  # where no RAM is, blanks


class Watcher:
    """memview on the machine's serial line, as the lines that a person reads there: of whole pictures alone, so that
    what two questions find in lines() without a read between them belongs together."""

    def __init__(self, machine):
        self.machine, self.terminal, self.fed = machine, vt.Terminal(24, 80), 0

    def lines(self):
        end = self.machine.log.data.rfind(PICTURE_END, self.fed)
        if end >= 0:
            end += len(PICTURE_END)
            self.terminal.feed(bytes(self.machine.log.data[self.fed:end]))
            self.fed = end
        return self.terminal.lines()

    def until(self, what, look, keys=None):
        """Until look() is true, which is given back. keys: typed before each look."""
        def one():
            if keys is not None:
                self.machine.type(keys)
            return look()
        try:
            return self.machine.wait(what, one)
        except harness.ScenarioFailure:
            print("\n".join(self.lines()))
            raise

    def title(self):
        return self.lines()[0]

    def window(self):
        """{address: letter} of the pages that have a cell of their own."""
        lines, found = self.lines(), {}
        at = next((number for number, line in enumerate(lines) if line.startswith("Its pages")), len(lines))
        for line in lines[at + 1:]:
            row = ROW.fullmatch(line)
            if not row:
                break
            found.update({int(row[1], 16) + 4096 * i: letter for i, letter in enumerate((row[2] or "").ljust(64))})
        return found

    def shown(self):
        """(letter, name, pid, pages) of the process whose space is shown first; of none, while a demo's are not there yet."""
        found = NAME.search("\n".join(self.lines()))
        return (found[1], found[2], int(found[3]), int(found[4])) if found else ("", "", 0, 0)

    def processes(self, name):
        """{pid: letter} in the legend."""
        line = next((line for line in self.lines() if line.startswith("1init[1]")), "")
        return {int(pid): letter for letter, found, pid in LEGEND.findall(line) if found == name}

    def answer(self):
        """(address, what, who maps it) of the page under the cursor, once both lines are there."""
        text = "\n".join(self.lines())
        found = re.search(r"^page (0x[0-9a-f]+)   (.*)\nmapped by (.*)$", text, re.M)
        return found and (int(found[1], 16), found[2], found[3])


def _owners(watch):
    """Each of the four allocators has pages, in letters of its own; the picture goes from one to the next by itself."""
    def all_have():
        letters, cells = watch.processes("allocator"), list(watch.window().values())
        return len(set(letters.values())) == 4 and all(cells.count(letter) >= 20 for letter in letters.values()) and letters
    letters = watch.until("pages of four processes", all_have)
    seen = set()
    watch.until("one after the other", lambda: seen.add(watch.shown()[2]) or seen >= set(letters))
    return letters


def _still(watch, letters):
    """Freezing, choosing a process, asking, stepping."""
    watch.machine.type("n ")
    watch.until("it is frozen", lambda: "FROZEN" in watch.title())
    watch.machine.type("\t")
    watch.until("an answer", watch.answer)
    pids, (_, _, first, pages) = sorted(letters), watch.shown()
    then = pids[(pids.index(first) + 1) % len(pids)]
    watch.machine.type("n")
    watch.until("the next one", lambda: watch.shown()[2] == then)
    watch.machine.type("b")
    watch.until("the one before", lambda: watch.shown()[2] == first)
    check(watch.shown()[3] == pages, f"{pages} pages, frozen, have become {watch.shown()[3]}")
    window = watch.window()
    address, at = next((address, i) for i, (address, letter) in enumerate(window.items()) if letter == letters[first])
    watch.machine.type("\x1b[B" * (at // 64) + "\x1b[C" * (at % 64))
    _, what, who = watch.until("the answer for a page", lambda: (watch.answer() or [0])[0] == address and watch.answer())
    check(what.startswith("private   1 reference"), f"a process's own page is {what!r}")
    check(re.match(rf"allocator\[{first}\] at [0-9a-f]+ ", who), f"page {address:#x} of process {first} is mapped by {who!r}")
    watch.machine.type("\t")
    watch.until("all who share the program's file",
                lambda: all(f"allocator[{pid}] at 400000" in (watch.answer() or " " * 3)[2] for pid in pids[:2]))
    if pages < 250:  # it has not all that it will ever take
        watch.until("a step of it takes a page", lambda: watch.shown()[3] > pages, keys=".")
    watch.machine.type("v")
    watch.until("its eyes", lambda: f"its eyes: {watch.shown()[3]} pages of " in watch.title())
    watch.machine.type("v ")
    watch.until("it goes on", lambda: "FROZEN" not in watch.title() and "eyes" not in watch.title())


def _demos(watch):
    """Each key starts its demo, what it says is seen in it, and nobody of the one before is left."""
    def starts(key, name, programs):
        before = set().union(*map(watch.processes, programs))
        watch.machine.type(key)
        watch.until(f"demo {name}", lambda: f"demo: {name} " in watch.title() and all(
            set(watch.processes(program)) - before for program in programs))

    starts("f", "fork", ["fork"])
    watch.until("copy on write", lambda: "C" in watch.window().values() and len(watch.processes("fork")) > 1)
    starts("f", "fork", ["fork"])
    check(not watch.processes("allocator"), "the demo before is still there")
    starts("e", "forkexit", ["forkexit"])
    seen = set()
    watch.until("they come and go", lambda: seen.update(watch.processes("forkexit")) or len(seen) > 6)
    starts("p", "pipe", ["pipewriter", "pipereader"])
    starts("r", "recurse", ["recurse"])
    watch.until("its stack grows", lambda: watch.shown()[1] == "recurse" and watch.shown()[3] > 40)
    starts("s", "spawn", ["spawn", "allocator"])
    seen.clear()
    watch.until("it starts others", lambda: seen.update(watch.processes("allocator")) or len(seen) > 4)
    watch.machine.type("x")
    watch.until("no demo", lambda: "demo:" not in watch.title() and not watch.processes("spawn"))
    starts("a", "allocator", ["allocator"])
    check("leaked" not in watch.title(), f"{watch.title()!r}")


def terminal_form():
    """On the serial line, where nothing ever ends a line."""
    with Watched("-- memview --terminal --demo a", more=build.PROGRAMS / "memview.cpio", mem=MEM) as machine:
        watch = Watcher(machine)
        _still(watch, _owners(watch))
        _demos(watch)
        machine.type("q")
        machine.until_off()


# ---- On the screen ----

def colours(picture):
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

    def owned():
        counts = colours(machine.picture())
        return counts.get(IMAGE, 0) > 50 and sum(counts.get(colour, 0) > 2000 for colour in OWN) >= 3

    machine.wait("pages of processes", owned)
    machine.until_line_with("demo: allocator")
    machine.qemu.monitor.keys("spc", "v")
    machine.until_line_with("its eyes")

    def own_alone():
        counts = colours(machine.picture())
        shown = sorted(counts.get(colour, 0) for colour in OWN)
        return shown[-1] > 2000 and shown[-2] < 600  # of the others a cell in the legend, one at the name

    machine.wait("one process's pages alone", own_alone)
    machine.qemu.monitor.keys("v", "spc", "f")
    machine.until_line_with("demo: fork")
    machine.wait("pages that are copied on write", lambda: colours(machine.picture()).get(COPY, 0) > 5000)
    machine.qemu.monitor.keys("q")
    machine.until_off()


@contextlib.contextmanager
def boot_entry():
    """A machine that boots the entry "memview", with a screen and the VGA's mode of 1280x800."""
    with guest.private_folder() as folder:
        (folder / "loader.conf").write_text("default memview.conf\ntimeout 0\n", encoding="ascii")
        items = [(str(path), str(path.relative_to(build.ESP))) for path in sorted(build.ESP.rglob("*"))
                 if path.is_file() and path.name != "loader.conf"]
        mkimage.make(str(folder / "disk.img"), [*items, (str(folder / "loader.conf"), "loader/loader.conf")])
        with Watched(image=folder / "disk.img", mem=MEM, vga="VGA") as machine:
            yield machine


def screen_form():
    """The boot entry."""
    with boot_entry() as machine:
        _screen(machine)


if __name__ == "__main__":
    harness.main([json_form, terminal_form, screen_form])
