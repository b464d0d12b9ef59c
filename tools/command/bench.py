# SPDX-License-Identifier: MIT
"""baton bench: what things cost, counted in instructions, beside Debian's Linux in the same machine."""
import argparse
import contextlib
import json
import re
import socket
import statistics
import time

from . import boot, build, execute, guest, log, packages, profile, tree
from .machine import Machine

PROGRAM = tree.BUILD / "user" / "bench"
REFERENCE = tree.ROOT / "ci" / "reference" / "bench.json"
MIB = 1 << 20
# Under TCG a REP STOSB costs a tick a byte: with ERMS Linux would clear pages so, at eight times the count.
CPU = "max,-erms"
BOOTS = 3  # boot figures are the median: waits on a disk are counted too
BOOT_SECONDS = 900
FIGURE = re.compile(r"^([a-z][a-z0-9_-]*)\s+(\d+)$", re.M)
BOOT_LINE = re.compile(r"\bboot: (ticks|KiB): (.*)\n")
BOOT_FIGURE = re.compile(r"([a-z][a-z0-9_]*) (\d+)")
SCROLL = "screen_scroll_line"
UNIT = {"ticks": 1, "KiB": 1024}
PROMPT = re.compile(r"# (\x1b\[\d*[a-zA-Z])*$")
# Lines of /proc/meminfo: RAM that neither files nor programs have, and that is not free.
KERNELS_OWN = ("Slab", "KernelStack", "PageTables", "KernelHeap", "PageArray", "KernelImage", "KernelOther",
               "Initrd", "Stranded")
BOOT_LAST = "boot total"  # the kernel's last line of figures

# operation of user/bench, what it is, ours must reach (ticks)
OPERATIONS = [
    ("getpid", "getpid", 100),
    ("clock_gettime", "clock_gettime by system call", 140),
    ("clock_gettime_vdso", "clock_gettime by the vDSO", None),
    ("sched_yield", "sched_yield alone", 200),
    ("yield", "yield ping-pong, 2 processes", 900),
    ("futex_wake", "futex wake, none waiting", 160),
    ("signal_self", "signal to self and return", 1_200),
    ("write_fault", "anonymous write fault", 1_200),
    ("read_fault", "anonymous read fault", 500),
    ("cow_fault", "copy-on-write fault", 1_400),
    ("mmap_munmap", "mmap + munmap, 1 page", 1_500),
    ("mmap_touch_munmap_64", "mmap + touch + munmap, 64 pages", 90_000),
    ("brk_up_down", "brk up and down", 1_200),
    ("mprotect_pair", "mprotect pair", 1_200),
    ("fork_exit_wait", "fork + exit + wait", 25_000),
    ("vfork_exit_wait", "vfork + exit + wait", 9_000),
    ("fork_exec_exit_wait", "fork + exec + exit + wait", 60_000),
    ("posix_spawn_wait", "posix_spawn + wait", 40_000),
    ("pthread_create_join", "pthread create + join", 18_000),
    ("write_null", "write 1 byte to /dev/null", 160),
    ("read_4k", "read 4 KiB from tmpfs", 900),
    ("fstat", "fstat", 300),
    ("open_close", "open + close", 1_200),
    ("walk_8", "stat of a path of 8 components", 2_900),
    ("getdents_10000", "getdents of 10,000 entries", 1_740_000),
    ("pipe_create_close", "pipe create + close", 2_000),
    ("pipe_self", "pipe, 1 byte to oneself", 700),
    ("pipe_round_trip", "pipe round trip, 2 processes", 2_500),
    ("unix_round_trip", "UNIX socket round trip, 2 processes", 9_860),
    ("epoll_wait_1000", "epoll_wait, 1 ready, 1,000 idle", 356),
]
# id, what it is, ours must reach (ticks; bytes for memory); None: shown for comparison
LIMITS = [
    ("boot total", "loader entry to first user instruction, 256 MiB, screen on", 12_000_000),
    *OPERATIONS,
    ("getpid pti=on", "getpid, page-table isolation on", None),
    ("yield pti=on", "yield ping-pong, page-table isolation on", None),
    (SCROLL, "a line of 60 letters that scrolls a screen of 1920x1080", 1_500_000),
    ("boot memory_in_use", "RAM in use at the first process, 256 MiB, bytes", 3 * MIB),
    ("boot prompt", "loader entry to the shell's prompt on serial, 256 MiB, screen on", 30_000_000),
    ("boot memory_at_prompt", "the kernel's RAM at the prompt, 256 MiB, bytes", 6 * MIB),
]
# What else is on the machine when the same is measured again: id, in words, the program's options, MiB.
CROWD = 10_000
CROWDS = [
    ("threads", "10,000 sleeping and 1,000 runnable threads",
     ["--fifo", "--sleepers", str(CROWD), "--runnable", "1000"], 2048),
    ("processes", "10,000 processes", ["--processes", str(CROWD)], 2048),
    ("vmas", "10,000 VMAs of its own", ["--vmas", str(CROWD)], 2048),
    ("ram", "20 GiB of RAM", [], 20 * 1024),
]
GROWTH = 1.3  # times the figure of the empty machine
VMA_TICKS = 250  # a VMA more, where an address space is copied
COPIES = ("fork_exit_wait", "fork_exec_exit_wait")
BOOT_GROWTH = 1.5  # the boot with 20 GiB, times that with 256 MiB
PARTS = ("boot", "costs", "scale")

EPILOG = """\
Three parts: `boot`, the start up to the first process; `costs`, the operations of user/bench; `scale`, the same
operations with 10,000 sleeping and 1,000 runnable threads (the program under SCHED_FIFO), 10,000 processes, 10,000
VMAs or 20 GiB of RAM: each may cost at most 1.3 times what it costs on the empty machine (fork with VMAs: 250 ticks a
VMA more), and the boot with 20 GiB 1.5 times that with 256 MiB. All three unless --part says otherwise; `scale`
takes some minutes.

Everything runs under QEMU's -icount shift=0 on -cpu max,-erms: one tick is one instruction, the same on every host. Boot
figures are the median of three boots. The limits are the project's own; Linux's figures stand in
ci/reference/bench.json with the kernel's version (`baton reference` records them anew).
exit code: 0, or 1 when a figure is over its limit or did not come.
"""


def figures(text):
    """{name: ticks} of the bench program's output: pure."""
    return {name: int(ticks) for name, ticks in FIGURE.findall(text)}


def boot_figures(text):
    """{"boot STAGE": ticks} of a kernel log, in its order: pure."""
    return {"boot " + name: int(value) * UNIT[unit] for unit, line in BOOT_LINE.findall(text)
            for name, value in BOOT_FIGURE.findall(line)}


def measure_boot(mem=None):
    """Boots the built image once with a screen, until the figures have come."""
    record = log.Log()
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(guest.private_folder())
        what = Machine(image=build.IMAGE, icount=True, cpu=CPU, vga="VGA", mem=mem)
        qemu = stack.enter_context(guest.Guest(what, folder))
        qemu.com1.settimeout(5)
        end = time.monotonic() + BOOT_SECONDS
        while BOOT_LAST not in (found := boot_figures(record.text())):
            if record.fatal or time.monotonic() > end:
                raise tree.Failure(f"the boot gave no figures: {record.fatal or 'time-out'}\n{record.tail()}")
            with contextlib.suppress(socket.timeout):
                data = qemu.com1.recv(65536)
                if not data:
                    raise tree.Failure(f"the machine ended before the figures came\n{record.tail()}")
                record.feed(data)
        qemu.quit()
    return found


def measure_prompt():
    """Boots without the story up to the shell, which is asked when it was there, and for the kernel's memory."""
    record = log.Log()
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(guest.private_folder())
        what = Machine(image=boot.image(folder, "-- nostory"), icount=True, cpu=CPU, vga="VGA")
        qemu = stack.enter_context(guest.Guest(what, folder))
        qemu.com1.settimeout(5)
        end = time.monotonic() + BOOT_SECONDS
        asked = False
        while not (found := prompt_figures(record.text())):
            if record.fatal or time.monotonic() > end:
                raise tree.Failure(f"no shell answered: {record.fatal or 'time-out'}\n{record.tail()}")
            with contextlib.suppress(socket.timeout):
                data = qemu.com1.recv(65536)
                if not data:
                    raise tree.Failure(f"the machine ended before the shell answered\n{record.tail()}")
                record.feed(data)
            if not asked and PROMPT.search(record.text()):
                qemu.com1.sendall(b"cat /proc/meminfo /proc/baton/boot\n")
                asked = True
        qemu.quit()
    return found


def prompt_figures(text):
    """What the shell's answer says, or {}: pure."""
    prompt = re.search(r"^prompt (\d+)\r?\n", text, re.M)
    if not prompt:
        return {}
    kernel = sum(int(size) for name, size in re.findall(r"^(\w+): +(\d+) kB\r?$", text, re.M) if name in KERNELS_OWN)
    return {"boot prompt": int(prompt.group(1)), "boot memory_at_prompt": kernel * 1024}


def median_boot(mem=None):
    boots = [measure_boot(mem) for _ in range(BOOTS)]
    return {name: int(statistics.median(boot.get(name, 0) for boot in boots)) for name in boots[0]}


def measure_program(on="baton", cmdline="", words=(), mem=None, vga="none"):
    """The bench program's figures, with these words on its command line."""
    request = execute.Request(str(PROGRAM), list(words), on=on, cmdline=cmdline,
                              machine=Machine(icount=True, cpu=CPU, mem=mem, vga=vga),
                              seconds=BOOT_SECONDS, log=str(tree.run_folder() / "bench.log"))
    what = " ".join(["bench", *words, cmdline, "on", on])
    try:
        result = execute.capture(request)
    except execute.session.TimedOut as error:
        raise tree.Failure(f"{what}: {error}") from error
    if result.code != 0:
        raise tree.Failure(f"{what} ended with {result.code}: {result.stderr.decode(errors='replace')}")
    found = figures(result.stdout.decode(errors="replace"))
    if not found:
        raise tree.Failure(f"{what} printed no figures")
    return found


def measure_costs(only, on="baton"):
    """The operations, without and with page-table isolation: {id: figure}."""
    found = {}
    for setting, suffix in (("pti=off", ""), ("pti=on", " pti=on")):
        with tree.Progress(f"measuring programs, {setting}"):
            found.update((name + suffix, ticks)
                         for name, ticks in measure_program(on, setting, only).items())
    return found


def measure_screen(on="baton"):
    """Scrolling, on a machine with a large screen."""
    with tree.Progress("measuring the screen"):
        return measure_program(on, "pti=off", [SCROLL], vga="VGA,xres=1920,yres=1080")


def measure_scale(only, on="baton"):
    """The operations in each crowd: {"CROWD: NAME": figure}; a crowd that there cannot be is left out after a
    message."""
    found = {}
    for name, text, options, mem in CROWDS:
        with tree.Progress(f"measuring with {text}"):
            try:
                some = measure_program(on, "pti=off", [*options, *only], mem)
            except tree.Failure as error:
                tree.say(f"with {text}: {error}")
                continue
        found.update((f"{name}: {operation}", ticks) for operation, ticks in some.items())
    return found


def measure(parts, only):
    """All of ours: {id: figure}."""
    ours = {}
    if "boot" in parts:
        with tree.Progress("measuring the boot, three times"):
            ours.update(median_boot())
            ours.update(measure_prompt())
    if "costs" in parts:
        ours.update(measure_costs(only) if list(only) != [SCROLL] else {})
        if not only or SCROLL in only:
            ours.update(measure_screen())
    if "scale" in parts:
        if "costs" not in parts:
            with tree.Progress("measuring programs"):
                ours.update(measure_program(cmdline="pti=off", words=only))
        ours.update(measure_scale(only))
        with tree.Progress("measuring the boot with 20 GiB"):
            if BOOT_LAST not in ours:
                ours.update(median_boot())
            ours[f"ram: {BOOT_LAST}"] = measure_boot(20 * 1024).get(BOOT_LAST)
    return ours


def reference():
    """({id: figure}, version) of Linux as recorded; empty when it was not."""
    try:
        recorded = json.loads(REFERENCE.read_text(encoding="utf-8"))
        return recorded["figures"], recorded["version"]
    except FileNotFoundError:
        return {}, None
    except (ValueError, KeyError) as error:
        raise tree.Failure(f"{REFERENCE}: {error!r}") from error


def wanted_ids(parts, only):
    """The ids of LIMITS that belong to these parts."""
    for name, _, _ in LIMITS:
        part = "boot" if name.startswith("boot ") else "costs"
        if part in parts and (not only or part == "boot" or name.partition(" ")[0] in only):
            yield name


def scale_limit(crowd, operation, base):
    """What an operation may cost in a crowd that costs `base` without: pure."""
    if operation == BOOT_LAST:
        return int(base * BOOT_GROWTH)
    if crowd == "vmas" and operation in COPIES:
        return base + VMA_TICKS * CROWD
    return int(base * GROWTH)


def scale_rows(ours, linux, only):
    """table's rows for the crowds; what did not come is missing."""
    for crowd, text, _, _ in CROWDS:
        names = [name for name, _, _ in OPERATIONS if not only or name in only]
        for name in names + ([BOOT_LAST] if crowd == "ram" else []):
            key, base = f"{crowd}: {name}", ours.get(name)
            figure = ours.get(key)
            limit = None if base is None else scale_limit(crowd, name, base)
            yield (key, f"{name}, {text}", figure, limit, linux.get(key),
                   figure is not None and limit is not None and figure <= limit)


def table(ours, linux, parts=PARTS, only=()):
    """[(id, text, figure, limit, Linux's, holds)]: what has a place in LIMITS, then the rest, then the crowds."""
    rows, known = [], set()
    wanted = set(wanted_ids(parts, only))
    for name, text, limit in LIMITS:
        known.add(name)
        if name in wanted:
            figure = ours.get(name)
            holds = figure is not None and (limit is None or figure <= limit)
            rows.append((name, text, figure, limit, linux.get(name), holds))
    rows += [(name, name, figure, None, linux.get(name), True) for name, figure in ours.items()
             if name not in known and not name.endswith(" pti=on") and ": " not in name]
    if "scale" in parts:
        rows += scale_rows(ours, linux, only)
    return rows


def number(value):
    return "-" if value is None else f"{value:,}"


def ratio(linux, ours):
    return f"{linux / ours:.1f}" if linux and ours else "-"


def as_text(rows, version):
    width = max(len(row[1]) for row in rows)
    yield (f"{'ticks, 1 tick = 1 instruction':{width}}  {'ours':>13}  {'limit':>13}  {'Linux':>13}  "
           f"{'Linux/ours':>10}")
    for _, text, figure, limit, linux, holds in rows:
        yield (f"{text:{width}}  {number(figure):>13}  {number(limit):>13}  {number(linux):>13}  "
               f"{ratio(linux, figure):>10}"
               + ("" if holds else "  OVER" if figure is not None else "  MISSING"))
    if version:
        yield f"Linux: {version}"


def as_markdown(rows):
    """README's tables: what things cost, and the same in each crowd with what they cost alone."""
    cost = [row for row in rows if ": " not in row[0]]
    yield "| ticks (1 tick = 1 instruction) | Baton | at most | Linux 6.1 | Linux / Baton |"
    yield "|---|---|---|---|---|"
    for _, text, figure, limit, linux, holds in cost:
        over = "" if holds else " (over)" if figure is not None else " (missing)"
        yield (f"| {text} | {number(figure)}{over} | {number(limit) if limit else ''} | "
               f"{'not recorded' if linux is None else number(linux)} | {ratio(linux, figure) if linux else ''} |")
    crowded = {row[0]: row for row in rows if ": " in row[0]}
    if not crowded:
        return
    yield ""
    yield "| ticks | alone | " + " | ".join(text for _, text, _, _ in CROWDS) + " |"
    yield "|---" * (2 + len(CROWDS)) + "|"
    for name, text, figure, _, _, _ in cost:
        if any(f"{crowd}: {name}" in crowded for crowd, _, _, _ in CROWDS):
            cells = [crowded_cell(crowded.get(f"{crowd}: {name}")) for crowd, _, _, _ in CROWDS]
            yield f"| {text} | {number(figure)} | " + " | ".join(cells) + " |"


def crowded_cell(row):
    """One figure of as_markdown's second table; row: of scale_rows, or None."""
    if row is None:
        return ""
    _, _, figure, limit, _, holds = row
    return number(figure) + ("" if holds else f" (over {number(limit)})")


def as_json(rows, version):
    return {"schema": 1, "unit": "ticks of -icount shift=0; bytes for memory", "linux": version,
            "figures": [{"id": name, "what": text, "ours": figure, "limit": limit, "linux": linux,
                         "ratio": round(linux / figure, 2) if linux and figure else None,
                         "holds": holds} for name, text, figure, limit, linux, holds in rows]}


def _escape(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def as_svg(rows, version):
    """Bars: each row to its own scale, the longest of ours, limit and Linux being full. The crowds are left to
    the text."""
    rows = [row for row in rows if ": " not in row[0]]
    left, full, height = 430, 300, 58
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + full + 150}" '
             f'height="{height * len(rows) + 40}" font-family="sans-serif" font-size="13">',
             '<rect width="100%" height="100%" fill="white"/>']
    for i, (_, text, figure, limit, linux, _) in enumerate(rows):
        top = i * height + 10
        parts.append(f'<text x="10" y="{top + 24}">{_escape(text)}</text>')
        bars = [("ours", figure, "#2a6fbb"), ("limit", limit, "#bbbbbb"), ("Linux", linux, "#d9822b")]
        longest = max((value or 0 for _, value, _ in bars), default=0) or 1
        shown = [bar for bar in bars if bar[1] is not None]
        for line, (name, value, colour) in enumerate(shown):
            y = top + line * 16
            parts.append(f'<rect x="{left}" y="{y}" width="{max(1, full * value / longest):.1f}" '
                         f'height="12" fill="{colour}"/>')
            parts.append(f'<text x="{left + full * value / longest + 5:.1f}" y="{y + 11}">'
                         f'{value:,} {name}</text>')
    parts.append(f'<text x="10" y="{height * len(rows) + 30}" fill="#666666">instructions '
                 f'(bytes for RAM); Linux: {_escape(version or "not recorded")}</text>')
    return "\n".join([*parts, "</svg>", ""])


def write(path, text):
    try:
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
    except OSError as error:
        raise tree.Failure(f"{path}: {error.strerror}") from error


def command(args):
    known = {name for name, _, _ in OPERATIONS}
    unknown = set(args.only) - known - {SCROLL} | ({args.profile} - known if args.profile else set())
    if unknown:
        tree.say(f"no operation {', '.join(sorted(unknown))}; there are: "
                 + ", ".join(name for name, _, _ in OPERATIONS))
        return 2
    if args.profile:
        return profile.command(args.profile, PROGRAM, CPU, BOOT_SECONDS)
    parts = args.part or (("costs",) if args.only else PARTS)
    build.ready(*build.BOOT, "user/bench", needs=[packages.RUN])
    linux, version = reference()
    rows = table(measure(parts, args.only), linux, parts, args.only)
    print("\n".join(as_markdown(rows) if args.markdown else as_text(rows, version)))
    if args.json:
        write(args.json, json.dumps(as_json(rows, version), indent=1) + "\n")
    if args.svg:
        write(args.svg, as_svg(rows, version))
    return 0 if all(row[5] for row in rows) else 1


def add(verbs):
    parser = verbs.add_parser("bench", help="the cost table, beside Linux's", epilog=EPILOG,
                              description="Counts what things cost.",
                              formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=PARTS, action="append", help="only this part; may be given again")
    parser.add_argument("--only", metavar="NAME", action="append", default=[],
                        help="only this operation; may be given again; of the part costs unless --part is given")
    parser.add_argument("--json", metavar="F", help="write the table as JSON too")
    parser.add_argument("--markdown", action="store_true", help="print it as README's tables")
    parser.add_argument("--svg", metavar="F", help="write a picture of it too")
    parser.add_argument("--profile", metavar="NAME",
                        help="instead of the table: this operation's ticks by the kernel's functions")
    parser.set_defaults(function=command)
