# SPDX-License-Identifier: MIT
"""baton attack: Eve's report card. Boots Baton and runs the attacks of user/attacks in it.

What stands there is /bin/attacks' own, which judges each attack and says so in KTAP and, on standard error, in JSON. An
attack that takes the whole machine down cannot be judged by anybody in it: it is not held, and the rest goes on in
another boot.
"""
import json
import subprocess
from dataclasses import dataclass, field

from . import build, channel, execute, packages, tree
from .machine import Machine

PROGRAM = build.PROGRAMS / "attacks"
BOOTS = 20  # attacks that take the machine down, before the rest is given up
SECONDS = 900  # for one boot
HELD, NOT_HELD, SKIPPED = "held", "not held", "skipped"
# Debian's kernel uses five levels of page tables where the CPU has them, which moves the end of user space.
LINUX_OPTIONS = "no5lvl"
FIELDS = ("name", "family", "title", "tries", "why", "expected", "linux")
EPILOG = """\
Standard output is KTAP, then a table by families; its last line is `N held of N`. NAME is an attack or a family; --list
lists them. exit code: 0 when all were held, 1 otherwise, 2 wrong use.
"""


def listed():
    """All attacks, in order: dictionaries of FIELDS. The program is a static Linux program: it runs here too."""
    done = subprocess.run([str(PROGRAM), "--list"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise tree.Failure(f"{PROGRAM} --list ended with {done.returncode}")
    return [dict(zip(FIELDS, line.split("\t"))) for line in done.stdout.splitlines()]


def chosen(attacks, words):
    """Those that the words name: pure."""
    for word in words:
        if not any(word in (one["name"], one["family"]) for one in attacks):
            raise tree.WrongUse(f"{word}: no such attack or family; --list lists them")
    return [one for one in attacks if not words or one["name"] in words or one["family"] in words]


@dataclass
class Card:
    """The report card as it fills: `attacks` are to be judged, in order; `say` takes its lines."""
    attacks: list
    say: object
    about: dict = field(default_factory=dict)
    verdicts: list = field(default_factory=list)

    def begin(self):
        self.say("KTAP version 1")
        self.say(f"1..{len(self.attacks)}")

    def left(self):
        return self.attacks[len(self.verdicts):]

    def add(self, record):
        """The verdict on the next attack."""
        number = len(self.verdicts) + 1
        self.verdicts.append(record)
        word = "not ok" if record["verdict"] == NOT_HELD else "ok"
        skipped = f" # SKIP {record['reason']}" if record["verdict"] == SKIPPED else ""
        self.say(f"{word} {number} {record['name']}{skipped}")
        if record["verdict"] == NOT_HELD:
            for line in record["reason"].splitlines():
                self.say(f"# {line}")

    def died(self, why):
        """The machine ended, or hung, in the next attack."""
        attack = {**self.left()[0], "verdict": NOT_HELD, "observed": "the machine ended", "reason": why}
        attack.pop("title")
        self.add(attack)

    def count(self, verdict, family=None):
        return sum(one["verdict"] == verdict and family in (None, one["family"]) for one in self.verdicts)

    def table(self):
        """Its lines: pure."""
        titles = {one["family"]: one["title"] for one in self.attacks}
        lines = [f"{'family':44} {'held':>5} {'of':>5} {'skipped':>8}"]
        for family, title in titles.items():
            held, broken, skipped = (self.count(verdict, family) for verdict in (HELD, NOT_HELD, SKIPPED))
            lines.append(f"{title:44} {held:5} {held + broken:5} {skipped:8}")
        held, broken, skipped = (self.count(verdict) for verdict in (HELD, NOT_HELD, SKIPPED))
        return [*lines, f"{held} held of {held + broken}" + (f", {skipped} skipped" if skipped else "")]

    def document(self):
        return {"schema": 1, **self.about, "held": self.count(HELD), "of": self.count(HELD) + self.count(NOT_HELD),
                "skipped": self.count(SKIPPED), "attacks": self.verdicts}

    def is_held(self):
        return self.count(HELD) > 0 and self.count(NOT_HELD) == 0 and not self.left()


def the_end(log):
    """A panic in a log's end, or its last lines: pure."""
    lines = log.splitlines()
    panics = [number for number, line in enumerate(lines) if "PANIC" in line]
    return "\n".join(lines[panics[0]:] if panics else lines[-10:])


class Records:
    """Takes the guest's standard error apart: a line for each attack, the first one about the machine."""

    def __init__(self, card):
        self.card, self.rest, self.other = card, b"", []

    def feed(self, data):
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            self._line(line.decode(errors="replace"))

    def end(self):
        if self.rest:
            self._line(self.rest.decode(errors="replace"))

    def _line(self, line):
        if line.startswith('{"schema"'):
            head = json.loads(line.rstrip("\n[ ,:") .removesuffix(', "attacks"') + "}")
            self.card.about = {key: head[key] for key in ("kernel", "version", "cpus")}
        elif line.startswith('{"name"') or line.startswith(',{"name"'):
            self.card.add(json.loads(line.strip(",")))
        elif line.strip() and not line.startswith("]"):
            self.other.append(line)


def _boot(card, request):
    """One boot for all that is left. None, or why the machine did not come to the end."""
    records = Records(card)
    ended, request.arguments = None, ["--records", *(one["name"] for one in card.left())]

    def take(stream, data):
        if stream == channel.STDERR:
            records.feed(data)

    try:
        code, _ = execute.run(request, None, take)
        if code not in (0, 1):
            ended = f"{PROGRAM.name} ended with {code}"
    except (tree.Failure, execute.session.TimedOut) as error:
        ended = "\n".join(filter(None, [str(error), the_end(getattr(error, "tail", ""))]))
    records.end()
    if records.other:
        ended = "\n".join(filter(None, [ended, *records.other]))
    return ended


def run(card, request):
    """Fills the card, in as many boots as it takes."""
    card.begin()
    for _ in range(BOOTS):
        before = len(card.verdicts)
        why = _boot(card, request)
        if not card.left():
            return
        if len(card.verdicts) == before and before == 0 and not card.about:
            card.say("Bail out! The attacks did not start")
            raise tree.Failure(f"the attacks did not start: {why}")
        card.died(why or "it was not tried")
        if not card.left():
            return
    while card.left():
        card.died("given up: too many boots have ended")


def request_of(args):
    options = [args.cmdline, "pti=on" if args.pti else "", LINUX_OPTIONS if args.on == "linux" else ""]
    request = execute.Request(str(PROGRAM), on=args.on, seconds=args.timeout, log=args.log,
                              cmdline=" ".join(filter(None, options)),
                              machine=Machine(cpus=args.cpus, mem=args.mem, cpu=args.cpu, vga="VGA"))
    request.machine.check()
    return request


def command(args):
    request = request_of(args)
    build.ready(*build.BOOT, needs=[packages.RUN])
    attacks = chosen(listed(), args.names)
    if args.list:
        for one in attacks:
            print(f"{one['name']}: {one['tries']}\n    expected: {one['expected']}; {one['why']}\n    Linux: {one['linux']}")
        return 0
    card = Card(attacks, lambda line: print(line, flush=True))
    with tree.Progress("attacking", quiet=True):
        run(card, request)
    print("\n" + "\n".join(card.table()), flush=True)
    if args.json:
        try:
            with open(args.json, "w", encoding="utf-8") as out:
                json.dump(card.document(), out, indent=1)
                out.write("\n")
        except OSError as error:
            raise tree.Failure(f"--json {args.json}: {error.strerror}") from error
    return 0 if card.is_held() else 1


def add(verbs):
    parser = verbs.add_parser(
        "attack", help="Eve's report card: attacks on the kernel, and whether it holds", epilog=EPILOG,
        description="Boots Baton and runs the attacks of user/attacks in it.",
        formatter_class=execute.argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="F", help="the report card as JSON")
    parser.add_argument("--list", action="store_true", help="say what each attack tries, and boot nothing")
    parser.add_argument("--cpus", type=tree.positive, metavar="N", help="default 2")
    parser.add_argument("--mem", type=tree.positive, metavar="MIB", help="default 512")
    parser.add_argument("--cpu", metavar="MODEL", default="max", help="QEMU's CPU model, default max")
    parser.add_argument("--pti", action="store_true", help="with page-table isolation")
    parser.add_argument("--cmdline", metavar="STR", default="", help="added to the kernel command line")
    parser.add_argument("--log", metavar="F", help="the machine's log, default build/run/exec.log")
    parser.add_argument("--on", choices=("baton", "linux"), default="baton",
                        help="linux: Debian's kernel in the same machine")
    parser.add_argument("--timeout", type=tree.seconds, metavar="S", default=SECONDS, help="for one boot, default %(default)s s")
    parser.add_argument("names", metavar="NAME", nargs="*", help="an attack or a family")
    parser.set_defaults(function=command)
