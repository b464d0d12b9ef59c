# SPDX-License-Identifier: MIT
"""baton fuzz: system calls at random, from a fixed seed; goes on where it stopped."""
import argparse
import json
import re
import sys

from . import build, channel, execute, kvm, packages, tree
from .machine import Machine

PROGRAM = build.PROGRAMS / "fuzz"
EPOCH = 10000  # calls: user/fuzz/fuzz.h
BOOT_CALLS = 2_000_000  # in one boot
BOOT_SECONDS = 3600
CHECKPOINT = re.compile(r"^checkpoint: (\d+) calls; (\d+) a second", re.M)
EPILOG = """\
The calls come from the kernel's own table, their arguments from the kinds that it gives them. Every 10,000 calls all
processes are ended and the kernel audits its tables. How far a seed has come is kept in build/run/fuzz-SEED-CPUS.json:
the same command goes on there, --again starts over. What was found is told with the seed and --from, by which that
part alone is run again. exit code: 0 nothing was found, 1 something was.
"""


def state_file(seed, cpus):
    return tree.run_folder() / f"fuzz-{seed}-{cpus}.json"


def load(path, build_id):
    """How many calls were made; of another build too, which is said."""
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 0
    if state.get("build") != build_id:
        tree.say(f"{state['calls']} calls were made by another build ({state.get('build')}); --again starts over")
    return state["calls"]


def save(path, calls, build_id):
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps({"calls": calls, "build": build_id}) + "\n", encoding="utf-8")
    fresh.replace(path)


class Watch:
    """Reads what the program prints, shows it, and remembers how far it is. Pure but for its two functions."""

    def __init__(self, show, reached):
        self.show, self.reached, self.text = show, reached, ""

    def feed(self, stream, data):
        text = data.decode("utf-8", "replace")
        self.show(text)
        if stream != channel.STDOUT:
            return
        *whole, self.text = (self.text + text).split("\n")
        for line in whole:
            found = CHECKPOINT.match(line)
            if found:
                self.reached(int(found[1]))


def one_boot(args, begin, end, reached):
    """Runs the calls [begin, end): True if nothing was found."""
    request = execute.Request(
        str(PROGRAM), ["--calls", str(end), "--from", str(begin), "--seed", str(args.seed)], cmdline=args.cmdline,
        log=str(tree.run_folder() / "fuzz.log"), seconds=BOOT_SECONDS,
        machine=Machine(cpus=args.cpus, accelerator=kvm.accelerator()))

    def show(text):
        sys.stdout.write(text)
        sys.stdout.flush()

    try:
        code, _ = execute.run(request, None, Watch(show, reached).feed)
    except (tree.Failure, execute.session.TimedOut) as error:
        execute.show(error)
        return False
    return code == 0


def rounded(number):
    return -(-number // EPOCH) * EPOCH


def command(args):
    build.ready(*build.BOOT, "user/fuzz", needs=[packages.RUN])
    path, build_id = state_file(args.seed, args.cpus), build_id_now()
    end = rounded(args.calls)
    if args.begin is not None:
        at = args.begin // EPOCH * EPOCH
    else:
        at = 0 if args.again else load(path, build_id)
    if at >= end:
        print(f"seed {args.seed} has made {at} calls already; --again starts over")
        return 0

    def reached(calls):
        if args.begin is None:
            save(path, calls, build_id)

    while at < end:
        until = min(end, at + BOOT_CALLS)
        if not one_boot(args, at, until, reached):
            print(f"not ok fuzz: again by: baton fuzz --seed {args.seed} --cpus {args.cpus} --from N --calls N+{EPOCH}")
            return 1
        at = until
    return 0


def build_id_now():
    try:
        found = re.search(r'BATON_BUILD_ID\s+"([^"]+)"', (tree.BUILD / "build_id.h").read_text(encoding="utf-8"))
    except OSError:
        found = None
    return found[1] if found else "unknown"


def add(verbs):
    parser = verbs.add_parser("fuzz", help="system calls at random, audited; goes on where it stopped", epilog=EPILOG,
                              description="Makes system calls at random.",
                              formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=tree.positive, metavar="N", default=BOOT_CALLS,
                        help="up to the Nth call, default %(default)s")
    parser.add_argument("--seed", type=tree.positive, metavar="S", default=1, help="default 1")
    parser.add_argument("--cpus", type=tree.positive, metavar="N", default=2, help="default 2")
    parser.add_argument("--from", dest="begin", type=int, metavar="N", help="start at the Nth call, and keep no record")
    parser.add_argument("--again", action="store_true", help="start over")
    parser.add_argument("--cmdline", metavar="STR", default="", help="added to the kernel command line")
    parser.set_defaults(function=command)
