# SPDX-License-Identifier: MIT
"""baton firmware: the firmware report. Boots Baton on a firmware and says what that really does.

The loader collects what it sees before it ends the boot services (firmware=report), /bin/firmware-report calls the runtime
services behind bars and judges everything; docs/firmware.md tells what the verdicts mean. The table is on standard output.
"""
import argparse
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from . import build, channel, execute, firmware, kvm, packages, report, tree
from .machine import Machine

PROGRAM = build.PROGRAMS / "firmware-report"
SECONDS = 900
EPILOG = "exit code: 0 nothing failed, 1 something did or the report did not come, 2 wrong use."


@dataclass
class Made:
    """What came out of the machine: KTAP as the tests ran, and the framed document."""
    ktap: bytearray = field(default_factory=bytearray)
    framed: bytearray = field(default_factory=bytearray)

    def take(self, stream, data):
        (self.ktap if stream == channel.STDOUT else self.framed).extend(data)

    def last(self):
        """What was announced last: there the machine hung, or ended."""
        lines = [line for line in self.ktap.decode(errors="replace").splitlines() if line.startswith("# ")]
        return lines[-1].removeprefix("# ") if lines else "nothing was called yet"


def made(request):
    """Boots it; the KTAP and the document in bytes. Failure names what was under way."""
    out = Made()
    try:
        code, _ = execute.run(request, None, out.take)
    except (tree.Failure, execute.session.TimedOut) as error:
        failure = tree.Failure(f"{error}; the last that was announced: {out.last()}")
        failure.tail = getattr(error, "tail", "")
        raise failure from error
    try:
        document = report.framed(bytes(out.framed))
    except ValueError as error:
        raise tree.Failure(f"the report is damaged: {error}") from error
    if document is None or code not in (0, 1):
        raise tree.Failure(f"{PROGRAM.name} ended with {code} and no report: {bytes(out.framed).decode(errors='replace').strip()}")
    return bytes(out.ktap), document


def request_of(args):
    words = "firmware=report,dangerous" if args.dangerous else "firmware=report"
    request = execute.Request(
        str(PROGRAM), [f"--{word}" for word in ("thorough", "dangerous") if getattr(args, word)], cmdline=" ".join(filter(None, [words, args.cmdline])),
        seconds=args.timeout, log=args.log,
        machine=Machine(firmware=args.firmware, variables=args.variables, cpus=args.cpus, mem=args.mem, icount=args.icount))
    request.machine.check()
    return request


def _write(option, path, data):
    if path == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
        return
    try:
        Path(path).write_bytes(data)
    except OSError as error:
        raise tree.Failure(f"--{option} {path}: {error.strerror}") from error


def command(args):
    request = request_of(args)
    build.ready(*build.BOOT, report.TARGET, "user/" + PROGRAM.name,
                needs=[packages.RUN] + ([packages.UBOOT] if args.firmware == "uboot" else []))
    if not args.icount:
        request.machine.accelerator = kvm.accelerator()
    try:
        with tree.Progress("making the firmware's report", quiet=not sys.stderr.isatty()):
            ktap, document = made(request)
    except tree.Failure as error:
        execute.show(error)
        return 1
    if args.ktap:
        _write("ktap", args.ktap, ktap)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.json"
        file.write_bytes(document)
        args.report, args.framed, args.ktap = str(file), None, None
        if args.json and not args.waivers:
            _write("json", args.json, document)
            args.json = None
        return report.judge(args)


def add(verbs):
    parser = verbs.add_parser("firmware", help="the firmware report: what a firmware really does", epilog=EPILOG,
                              description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--firmware", metavar="NAME|FILE", default=firmware.DEFAULT,
                        help=f"{', '.join(firmware.NAMED)}, or a file; default %(default)s")
    parser.add_argument("--json", metavar="F", help="the report with everything that was seen: `baton judge` judges it again")
    parser.add_argument("--ktap", metavar="F", help="as the tests ran: each is announced before it does")
    parser.add_argument("--junit", metavar="F")
    parser.add_argument("--dangerous", action="store_true", help="fill the variable store, too, which has bricked boards")
    parser.add_argument("--thorough", action="store_true", help="look at all of the memory watched after each call")
    parser.add_argument("--all", action="store_true", help="what passed in the table, too")
    parser.add_argument("--waivers", metavar="F", help="lines of a check's identifier and the reason why it may fail")
    parser.add_argument("--variables", metavar="F", type=Path,
                        help="keep the firmware's variables in this file from run to run; it is made if there is none")
    parser.add_argument("--cpus", type=tree.positive, metavar="N", help="default 2")
    parser.add_argument("--mem", type=tree.positive, metavar="MIB", help="default 512")
    parser.add_argument("--icount", action="store_true", help="count instructions, as exec does")
    parser.add_argument("--cmdline", metavar="STR", default="", help="added to the kernel command line")
    parser.add_argument("--log", metavar="F", help="the machine's log, default build/run/exec.log")
    parser.add_argument("--timeout", type=tree.seconds, metavar="S", default=SECONDS, help="default %(default)s s")
    parser.set_defaults(function=command)
