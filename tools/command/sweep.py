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
FIRST, DRAWN = 200, 50
SECONDS = 4 * 3600
# They use all memory, compute for a minute, or want a machine of their own.
WITHOUT = {"stress", "memory-account", "regs"}
# The entrances of the allocators: kernel/memory/pages.h, slab.h.
ALLOCATORS = {"kmalloc", "kzalloc", "cache_alloc", "cache_alloc_raw", "cache_alloc_many", "pages_alloc", "pages_alloc_table"}
SITE = re.compile(r"^(\S+)\+0x([0-9a-f]+) (\d+) (\d+)$", re.M)
OUTCOME = re.compile(r"^ (-?\d+) (-?\d+) (\d+)$")
RESTARTS = range(512, 517)  # the call is made again: kernel/lib/errno.h
DONE = re.compile(r"^ok /tests/(\S+): (\d+) in turn, (\d+) drawn; (\d+) allocations failed$", re.M)
# What calls give besides ENOMEM where memory lacks (their manual pages; Linux's kernel, where those are silent).
ALSO = {"mlock": {"EAGAIN"}, "timer_create": {"EAGAIN"}}
# Allocations that only make something quicker, or leave something out: the call's result is as without the failure.
DISPENSABLE = set()
# Pages for user memory: EFAULT where the kernel itself touches it; EINTR in the process that ends for it.
IN_FAULTS = {"make_present", "private_copy", "space_clear_tail", "table_make"}
EPILOG = """\
Each test is started again and again, and each time another one of its allocations in the kernel fails: the first 200
in turn, then 50 drawn by a fixed seed among the next 3,000. Whatever the test makes of it, the kernel must go on, leak nothing
and pass its audit. At the end the places in the kernel that allocate and have never failed are listed. TEST: names of
user/tests; all but %s without. exit code: 0 nothing was found, 1 something was.
""" % ", ".join(sorted(WITHOUT))


def tests():
    """The names of the system tests."""
    lines = subprocess.run([str(build.RUNNER), "--list"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                           check=True).stdout.splitlines()
    return [name for _, name in map(str.split, lines)]


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
    return errno.errorcode.get(-result) in ALSO.get(name, ()) or (
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
    return execute.Request(str(PROGRAM), [*options, *(f"/tests/{name}" for name in names)], initrds=[str(build.TESTS)],
                           log=str(tree.run_folder() / "sweep.log"), seconds=SECONDS, machine=Machine(cpus=cpus))


def report(text):
    """The lines that sum a sweep up."""
    sites, places = failed_sites(text), all_sites()
    never = [place for place in places if sites.get(place, (0, 0))[1] == 0]
    trials = sum(int(turn) + int(drawn) for _, turn, drawn, _ in DONE.findall(text))
    failed = sum(int(count) for *_, count in DONE.findall(text))
    return [f"{len(DONE.findall(text))} tests, {trials} trials, {failed} allocations failed",
            f"{len(places) - len(never)} of {len(places)} places that allocate have failed; never:",
            *(f"  {place}" for place in never)]


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
    request = request_for(names, ["--first", str(args.first), "--drawn", str(args.drawn), "--seed", str(args.seed),
                                  *(["--slice", str(args.slice)] if args.slice else [])], args.cpus)
    request.machine.accelerator = kvm.accelerator()
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
    print("\n".join(report("".join(output))))
    return 0 if judge("".join(output)) and code == 0 else 1


def add(verbs):
    parser = verbs.add_parser("sweep", help="every allocation of the system tests fails in turn", epilog=EPILOG,
                              description="Makes allocations fail.",
                              formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tests", nargs="*", metavar="TEST")
    parser.add_argument("--first", type=tree.positive, metavar="N", default=FIRST, help="default %(default)s")
    parser.add_argument("--drawn", type=int, metavar="N", default=DRAWN, help="default %(default)s")
    parser.add_argument("--slice", type=tree.positive, metavar="MS", help="no more than so long for a test")
    parser.add_argument("--seed", type=tree.positive, metavar="S", default=1, help="of what is drawn, default 1")
    parser.add_argument("--cpus", type=tree.positive, metavar="N", default=2, help="default 2")
    parser.set_defaults(function=command)
