# SPDX-License-Identifier: MIT
"""baton bench: what things cost, counted in instructions, beside Debian's Linux in the same machine."""
import argparse
import contextlib
import json
import re
import socket
import statistics
import time

from . import build, execute, guest, log, packages, tree
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
UNIT = {"ticks": 1, "KiB": 1024}
BOOT_LAST = "boot total"  # the kernel's last line of figures

# id, what it is, ours must reach (ticks; bytes for memory)
LIMITS = [
    ("boot total", "loader entry to first user instruction, 256 MiB, screen on", 12_000_000),
    ("getpid", "getpid round trip, pti=off", 100),
    ("getpid pti=on", "getpid round trip, pti=on", None),
    ("yield", "yield ping-pong between two processes, pti=off", 900),
    ("yield pti=on", "yield ping-pong between two processes, pti=on", None),
    ("boot memory_in_use", "RAM in use at the first process, 256 MiB, bytes", 3 * MIB),
]

EPILOG = """\
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


def measure_boot():
    """Boots the built image once with a screen, until the figures have come."""
    record = log.Log()
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(guest.private_folder())
        what = Machine(image=build.IMAGE, icount=True, cpu=CPU, vga="VGA")
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


def median_boot():
    boots = [measure_boot() for _ in range(BOOTS)]
    return {name: int(statistics.median(boot.get(name, 0) for boot in boots)) for name in boots[0]}


def measure_program(on="baton", cmdline=""):
    """The bench program's figures."""
    request = execute.Request(str(PROGRAM), on=on, cmdline=cmdline, machine=Machine(icount=True, cpu=CPU),
                              seconds=BOOT_SECONDS, log=str(tree.run_folder() / "bench.log"))
    try:
        result = execute.capture(request)
    except execute.session.TimedOut as error:
        raise tree.Failure(f"bench {cmdline} on {on}: {error}") from error
    if result.code != 0:
        raise tree.Failure(f"bench {cmdline} on {on} ended with {result.code}: "
                           f"{result.stderr.decode(errors='replace')}")
    found = figures(result.stdout.decode(errors="replace"))
    if not found:
        raise tree.Failure(f"bench {cmdline} on {on} printed no figures")
    return found


def measure():
    """All of ours: {id: figure}."""
    ours = {}
    with tree.Progress("measuring the boot, three times"):
        ours.update(median_boot())
    for setting, suffix in (("pti=off", ""), ("pti=on", " pti=on")):
        with tree.Progress(f"measuring programs, {setting}"):
            ours.update((name + suffix, ticks)
                        for name, ticks in measure_program(cmdline=setting).items())
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


def table(ours, linux):
    """[(id, text, figure, limit, Linux's, holds)]: first what has a place in LIMITS, then the rest."""
    rows, known = [], set()
    for name, text, limit in LIMITS:
        figure = ours.get(name)
        holds = figure is not None and (limit is None or figure <= limit)
        rows.append((name, text, figure, limit, linux.get(name), holds))
        known.add(name)
    rows += [(name, name, figure, None, linux.get(name), True)
             for name, figure in ours.items() if name not in known and not name.endswith(" pti=on")]
    return rows


def number(value):
    return "-" if value is None else f"{value:,}"


def as_text(rows, version):
    width = max(len(row[1]) for row in rows)
    yield f"{'ticks, 1 tick = 1 instruction':{width}}  {'ours':>13}  {'limit':>13}  {'Linux':>13}"
    for _, text, figure, limit, linux, holds in rows:
        yield (f"{text:{width}}  {number(figure):>13}  {number(limit):>13}  {number(linux):>13}"
               + ("" if holds else "  OVER" if figure is not None else "  MISSING"))
    if version:
        yield f"Linux: {version}"


def as_json(rows, version):
    return {"schema": 1, "unit": "ticks of -icount shift=0; bytes for memory", "linux": version,
            "figures": [{"id": name, "what": text, "ours": figure, "limit": limit, "linux": linux,
                         "holds": holds} for name, text, figure, limit, linux, holds in rows]}


def _escape(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def as_svg(rows, version):
    """Bars: each row to its own scale, the longest of ours, limit and Linux being full."""
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
    build.ready(*build.BOOT, "user/bench", needs=[packages.RUN])
    linux, version = reference()
    rows = table(measure(), linux)
    print("\n".join(as_text(rows, version)))
    if args.json:
        write(args.json, json.dumps(as_json(rows, version), indent=1) + "\n")
    if args.svg:
        write(args.svg, as_svg(rows, version))
    return 0 if all(row[5] for row in rows) else 1


def add(verbs):
    parser = verbs.add_parser("bench", help="the cost table, beside Linux's", epilog=EPILOG,
                              description="Counts what things cost.",
                              formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="F", help="write the table as JSON too")
    parser.add_argument("--svg", metavar="F", help="write a picture of it too")
    parser.set_defaults(function=command)
