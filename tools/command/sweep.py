# SPDX-License-Identifier: MIT
"""baton sweep: every allocation of the system tests fails in turn."""
import argparse
import errno
import re
import subprocess
import sys

from . import build, channel, execute, kvm, packages, syscall_table, tree
from .machine import Machine

PROGRAM = build.PROGRAMS / "sweep"
KERNEL = tree.BUILD / "kernel" / "kernel.elf"
NEVER = tree.ROOT / "user" / "fuzz" / "never_fail.txt"
RUNS, FIRST, DRAWN = 200, 200, 50
# The clock counts instructions, and what sleeps costs nothing: the same on every host, but for one CPU.
COUNTED = ["-icount", "shift=3,sleep=off", "-rtc", "base=2024-01-01T00:00:00,clock=vm"]
SECONDS = 4 * 3600
EARLIEST = "allocations"  # what is allocated once for all is allocated in this test
# They use all memory, compute for a minute, or want a machine of their own.
WITHOUT = {"stress", "memory-account", "regs", "rights-races"}
# The entrances of the allocators: kernel/memory/pages.h, slab.h.
ALLOCATORS = {"kmalloc", "kzalloc", "cache_alloc", "cache_alloc_raw", "cache_alloc_many", "pages_alloc", "pages_alloc_table"}
SITE = re.compile(r"^(\S+)\+0x([0-9a-f]+) (\d+) (\d+)$", re.M)
OUTCOME = re.compile(r"^ (-?\d+) (-?\d+) (\d+)$")
RESTARTS = range(512, 517)  # the call is made again: kernel/lib/errno.h
DONE = re.compile(r"^ok /tests/(\S+): (\d+) allocations; (\d+) ways failed in (\d+) runs; (\d+) in turn, (\d+) drawn, of which "
                  r"(\d+) failed; (\d+) ms$", re.M)
LISTED = re.compile(r"^(\S+) (\d+)(\?)? +(\S.*)$")
# What calls give besides ENOMEM where memory lacks (their manual pages; Linux's kernel, where those are silent).
SENDING, THROUGH_MEM = {"ENOBUFS"}, {"EIO"}  # sockets; another one's memory, by /proc/PID/mem and ptrace
ALSO = {"mlock": {"EAGAIN"}, "timer_create": {"EAGAIN"}, "fcntl": {"ENOLCK"}, "rt_sigqueueinfo": {"EAGAIN"},
        "rt_tgsigqueueinfo": {"EAGAIN"}, "tkill": {"EAGAIN"}, "tgkill": {"EAGAIN"}, "sendmsg": SENDING, "sendmmsg": SENDING, "sendto": SENDING,
        "write": SENDING | THROUGH_MEM, "writev": SENDING | THROUGH_MEM, "pwrite64": THROUGH_MEM, "pwritev": THROUGH_MEM,
        "read": THROUGH_MEM, "pread64": THROUGH_MEM, "preadv": THROUGH_MEM, "ptrace": THROUGH_MEM}
# Allocations that only make something quicker, or leave something out: the call's result is as without the failure.
DISPENSABLE = {"file_path"}  # a program's name for the log
# The same in a function that others reach too, of some calls.
DISPENSABLE_IN = {("alloc_pages", "execve"): {"EIO", "ENOEXEC", "ELIBBAD"}}  # file_path's
# Pages for user memory: EFAULT where the kernel itself touches it; EINTR in the process that ends for it.
IN_FAULTS = {"make_present", "private_copy", "space_clear_tail", "table_make", "object_page", "radix_put", "cache_grow"}
EPILOG = """\
Each test is started again and again, and other allocations in the kernel fail, of it and of all processes that it starts.
First each way to an allocation (all callers in the kernel) fails when it is gone for the first time, until a run goes no new
one. Then one failure a run: the first 200 allocations in turn, then 50 drawn by a fixed seed among the others. Whatever
the test makes of it, the kernel must go on, leak nothing and pass its audit. At the end the places in the kernel that
allocate and have never failed are compared with those of which that is known (user/fuzz/never_fail.txt). TEST: names of
user/tests; all but %s without. exit code: 0 nothing was found, 1 something was.
""" % ", ".join(sorted(WITHOUT))


def tests():
    """The names of the system tests, in the sweep's order."""
    lines = subprocess.run([str(build.RUNNER), "--list"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                           check=True).stdout.splitlines()
    return sorted((name for _, name in map(str.split, lines)), key=lambda name: name != EARLIEST)


def failed_sites(text):
    """{function+offset: (reached, failed)} of what the program prints: pure."""
    return {f"{name}+{int(offset, 16):#x}": (int(reached), int(failed))
            for name, offset, reached, failed in SITE.findall(text)}


def outcomes(text):
    """(function, call's number, result, how often) of what the program prints behind each place: pure. See kernel/memory/fail.h."""
    found, function = [], None
    for line in text.splitlines():
        site, outcome = SITE.match(line), OUTCOME.match(line)
        if site:
            function = site[1]
        elif outcome and function:
            found.append((function, *map(int, outcome.groups())))
    return found


def is_right(function, name, result):
    """Whether a call may give this result after an allocation in that function has failed: pure."""
    if result >= 0 or -result == errno.ENOMEM or -result in RESTARTS or function in DISPENSABLE:
        return True
    word = errno.errorcode.get(-result)
    return word in ALSO.get(name, ()) or word in DISPENSABLE_IN.get((function, name), ()) or (
        -result in (errno.EFAULT, errno.EINTR) and function in IN_FAULTS)


def wrong_outcomes(text, names):
    """Lines that tell of results that no call may give where memory lacks. names: {number: call's name}: pure."""
    return [f"{function}: {names.get(number, number)} gave {errno.errorcode.get(-result, -result)}, {count} times"
            for function, number, result, count in outcomes(text)
            if not is_right(function, names.get(number, str(number)), result)]


def call_names():
    return {number: call.name for number, call in syscall_table.read().items()}


def call_sites(disassembly):
    """function+offset behind each call of an allocator in objdump's words: pure."""
    found, function, start, called = [], None, 0, False
    for line in disassembly.splitlines():
        head = re.match(r"^([0-9a-f]+) <([^>]+)>:$", line)
        code = re.match(r"^\s*([0-9a-f]+):\s+(\S+)\s*(.*)$", line)
        if head:
            function, start, called = head[2], int(head[1], 16), False
        elif code and function:
            if called:
                found.append(f"{function}+{int(code[1], 16) - start:#x}")
            target = re.search(r"<([^>+]+)>", code[3])
            called = code[2].startswith("call") and bool(target) and target[1] in ALLOCATORS
    return found


def all_sites():
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", str(KERNEL)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, text=True, check=True).stdout
    return call_sites(text)


def request_for(names, options, cpus):
    return execute.Request(str(PROGRAM), [*options, *(f"/tests/{name}" for name in names)], initrds=[str(build.TESTS)], init=True,
                           log=str(tree.run_folder() / "sweep.log"), seconds=SECONDS, machine=Machine(cpus=cpus))


def listed(text):
    """{function: (how many of its places never fail, whether one of them may after all, why)} of never_fail.txt: pure."""
    found = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, count, perhaps, why = LISTED.match(line).groups()
            found[name] = (int(count), bool(perhaps), why)
    return found


def compare(never, known):
    """Lines that tell what of the places that never failed was not known: (worse, better): pure."""
    by_function = {}
    for place in never:
        by_function.setdefault(place.rpartition("+")[0], []).append(place)
    worse = [place for name, places in by_function.items() for place in places
             if len(places) > known.get(name, (0,))[0]]
    better = [f"{name}: {count - len(by_function.get(name, []))} of {count} listed places have failed, or are gone"
              for name, (count, perhaps, _) in known.items() if len(by_function.get(name, [])) < count and not perhaps]
    return worse, better


def numbers(text):
    """Sums over the tests: pure."""
    done = [list(map(int, row[1:])) for row in DONE.findall(text)]
    allocations, ways, runs, turn, drawn, failed, _ = map(sum, zip(*done)) if done else [0] * 7
    return (f"{len(done)} tests, {allocations} allocations; {ways} ways failed in {runs} runs; {turn} in turn and {drawn} drawn, "
            f"of which {failed} failed")


def report(text):
    """Prints what sums a sweep up; the places that never failed and are not listed, and the listed ones that failed."""
    sites, places = failed_sites(text), all_sites()
    never = [place for place in places if sites.get(place, (0, 0))[1] == 0]
    worse, better = compare(never, listed(NEVER.read_text(encoding="utf-8")))
    print(numbers(text))
    print(f"{len(places) - len(never)} of {len(places)} places that allocate have failed")
    print("\n".join([*(f"never failed, and not in {NEVER.name}: {place}, reached {sites.get(place, (0, 0))[0]} times"
                       for place in worse), *better]))
    return worse, better


def judge(text):
    """Prints the results that are wrong; True: there are none."""
    wrong = wrong_outcomes(text, call_names())
    judged = sum(count for *_, count in outcomes(text))
    print("\n".join([f"{judged} outcomes of failed allocations, {len(wrong)} wrong", *wrong]))
    return not wrong


def command(args):
    build.ready(*build.BOOT, *build.OWN, "user/sweep", "user/runner", "kernel/kernel.elf", needs=[packages.RUN])
    known = tests()
    unknown = sorted(set(args.tests) - set(known))
    if unknown:
        raise tree.WrongUse(f"{' '.join(unknown)}: no such test; there are {', '.join(known)}")
    names = args.tests or [name for name in known if name not in WITHOUT]
    request = request_for(names, ["--runs", str(args.runs), "--first", str(args.first), "--drawn", str(args.drawn), "--seed", str(args.seed),
                                  *(["--once", "1"] if args.once else []),
                                  *(["--ways", str(args.ways)] if args.ways else []),
                                  *(["--slice", str(args.slice)] if args.slice else [])], args.cpus or 1)
    if args.cpus:
        request.machine.accelerator = kvm.accelerator()
    else:
        request.machine.extra = COUNTED
    output = []

    def sink(stream, data):
        text = data.decode("utf-8", "replace")
        output.append(text if stream == channel.STDOUT else "")
        sys.stdout.write("".join(line for line in text.splitlines(True)
                                 if not SITE.match(line) and not OUTCOME.match(line)))
        sys.stdout.flush()

    try:
        code, _ = execute.run(request, None, sink)
    except (tree.Failure, execute.session.TimedOut) as error:
        execute.show(error)
        return 1
    worse, _ = report("".join(output))
    if args.tests or args.cpus:
        worse = []  # a few tests do not reach every place, and with the host's clock it is up to chance
    return 0 if judge("".join(output)) and code == 0 and not worse else 1


def add(verbs):
    parser = verbs.add_parser("sweep", help="every allocation of the system tests fails in turn", epilog=EPILOG,
                              description="Makes allocations fail.",
                              formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tests", nargs="*", metavar="TEST")
    parser.add_argument("--runs", type=tree.positive, metavar="N", default=RUNS, help="with all ways, at most; default %(default)s")
    parser.add_argument("--first", type=tree.positive, metavar="N", default=FIRST, help="default %(default)s")
    parser.add_argument("--drawn", type=int, metavar="N", default=DRAWN, help="default %(default)s")
    parser.add_argument("--once", action="store_true", help="a way that has failed in one test does not in the next")
    parser.add_argument("--ways", type=tree.positive, metavar="MS", help="no more than so long for the ways of a test")
    parser.add_argument("--slice", type=tree.positive, metavar="MS", help="and for its single failures")
    parser.add_argument("--seed", type=tree.positive, metavar="S", default=1, help="of what is drawn, default 1")
    parser.add_argument("--cpus", type=tree.positive, metavar="N",
                        help="with the host's clock; default: one, whose clock counts instructions")
    parser.set_defaults(function=command)
