# SPDX-License-Identifier: MIT
"""baton diff: the same program on the host's Linux and on Baton, and the first difference."""
import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass

from . import boot, build, execute, kvm, packages, program, strace, trace_lines, tree
from .machine import Machine

STRACE = {"strace": "strace"}
EPILOG = """\
Compared are standard output, standard error, exit status and, where strace is installed (it is installed from Debian
where that may be done), the sequence of system calls of each process, with addresses, process ids and times left out.
Both get the same arguments, environment and standard input; root runs the program on Linux in a tree of the same
files as Baton's initrd (chroot), anybody else among the host's files.

exit code: 0 equal, 1 different, 2 wrong use, 124 time-out, 125 Baton failed, 127 no such program, 126 it cannot be
started.
"""


@dataclass
class Outcome:
    """What a run left: calls is None where nobody watched."""
    code: int
    stdout: bytes
    stderr: bytes
    calls: list = None
    refused: bool = False  # Baton would not start it: the code is 126 or 127


def traces():
    """strace is there and works (a container may forbid it)."""
    with contextlib.suppress(tree.Failure):
        packages.need(STRACE)
    if packages.find("strace") is None:
        return False
    done = subprocess.run(["strace", "-o", "/dev/null", "true"], stdin=subprocess.DEVNULL, check=False,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return done.returncode == 0


def _unpack(archives, folder):
    """The files of a guest under `folder`, with the devices that every program may ask for."""
    for archive in archives:
        with open(archive, "rb") as source:
            subprocess.run(["busybox", "cpio", "-idu"], stdin=source, cwd=folder, check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for name, major, minor in (("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9),
                               ("tty", 5, 0)):
        with contextlib.suppress(OSError):
            os.mknod(os.path.join(folder, "dev", name), 0o20666, os.makedev(major, minor))


def _after_exec(text, paths):
    """The trace from the program's own execve on: what came before is setsid's and chroot's."""
    lines = text.splitlines(keepends=True)
    start = next((i for i, line in enumerate(lines)
                  if any(f' execve("{path}", ' in line for path in paths) and line.rstrip().endswith("= 0")), 0)
    return "".join(lines[start:])


def _default_signals():
    """A program on Baton begins with them, whatever a shell that starts us in the background ignores."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


def on_host(request, stdin, watched):
    """The program on the host's Linux; an Outcome."""
    path = program.find(request.program)
    guest = "/bin/" + os.path.basename(path)
    environment = dict(program.environment(request.env))
    with tempfile.TemporaryDirectory(dir=tree.run_folder()) as folder:
        words, executable = [guest, *request.arguments], path
        trace = os.path.join(folder, "trace")
        if os.geteuid() == 0:
            root = os.path.join(folder, "root")
            os.mkdir(root)
            archive = program.archive_for(request.program, request.arguments, request.adds, request.env)
            more = boot.write_archive(archive, os.path.join(folder, "exec.cpio"))
            _unpack((build.INITRD, *build.archives_with(path), more), root)
            words, executable = [packages.find("chroot"), root, *words], None
        elif watched:
            words[0] = path
        if watched:  # strace leads the new session; the program is to lead one of its own
            words, executable = ["strace", "-f", "-o", trace, "setsid", *words], None
        done = subprocess.run(words, executable=executable, input=stdin, env=environment, cwd="/", check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, umask=0o022,
                              timeout=request.seconds, preexec_fn=_default_signals)
        calls = None
        if watched:
            with open(trace, encoding="utf-8", errors="replace") as text:
                calls = trace_lines.per_process(_after_exec(text.read(), (guest, path)))
    code = done.returncode if done.returncode >= 0 else 128 - done.returncode
    return Outcome(code, done.stdout, done.stderr, calls)


def on_baton(request, stdin, watched):
    """The program on Baton; an Outcome."""
    lines = []
    if watched:
        tracer = strace.Tracer(lines.append, to_file=True)
        request.trace = tracer.feed
    result = execute.capture(request, stdin)
    if watched:
        tracer.finish()
    return Outcome(result.code, result.stdout, result.stderr,
                   trace_lines.per_process("".join(lines)) if watched else None, result.refused)


def _bytes_differ(name, linux, baton):
    """Lines about two streams of bytes; none when they are the same: pure."""
    if linux == baton:
        return []
    left, right = linux.split(b"\n"), baton.split(b"\n")
    at = next((i for i, pair in enumerate(zip(left, right)) if pair[0] != pair[1]), min(len(left), len(right)))
    shown = [f"{name} differs in line {at + 1}:"]
    for who, lines in (("- linux: ", left), ("+ baton: ", right)):
        shown.append(who + (repr(lines[at][:300])[2:-1] if at < len(lines) else "(ended)"))
    return shown


def without(calls, names):
    """Traces of processes without the calls of these names: pure."""
    return [[event for event in events if event.partition("(")[0] not in names] for events in calls]


def differences(linux, baton, ignored=()):
    """Lines that say where two Outcomes differ first, each kind for itself: pure."""
    shown = _bytes_differ("standard output", linux.stdout, baton.stdout)
    shown += _bytes_differ("standard error", linux.stderr, baton.stderr)
    if linux.code != baton.code:
        shown += ["exit status differs:", f"- linux: {linux.code}", f"+ baton: {baton.code}"]
    if linux.calls is not None and baton.calls is not None:
        found = trace_lines.first_difference(without(linux.calls, ignored), without(baton.calls, ignored))
        if found is not None:
            number, index, left, right, before = found
            shown.append(f"system calls differ: process {number + 1}, call {index + 1}:")
            shown += [f"         {event}" for event in before]
            shown += [f"- linux: {left or '(ended)'}", f"+ baton: {right or '(ended)'}"]
    return shown


def command(args):
    request = execute.Request(
        args.program, args.arguments, args.add, args.env, args.cmdline, seconds=args.timeout,
        log=str(tree.run_folder() / "diff.log"), machine=Machine(cpus=args.cpus, mem=args.mem))
    try:
        request.machine.check()
        execute.ready(request)
        stdin = b"" if os.isatty(0) else sys.stdin.buffer.read()
        watched = not args.no_calls and traces()
        if not watched and not args.no_calls:
            tree.say("strace is not there: system calls are not compared")
        request.machine.accelerator = kvm.accelerator()
        with tree.Progress("running on Linux"):
            linux = on_host(request, stdin, watched)
        with tree.Progress("running on Baton"):
            baton = on_baton(request, stdin, watched)
    except (execute.session.TimedOut, subprocess.TimeoutExpired) as error:
        tree.say(error)
        return tree.EXIT_TIMEOUT
    except tree.Failure as error:
        execute.show(error)
        return error.code or tree.EXIT_FAILED
    if baton.refused and linux.code == baton.code:
        tree.say(f"neither starts {args.program}: {baton.stderr.decode(errors='replace').strip()}")
        return baton.code
    shown = differences(linux, baton, {name for words in args.ignore for name in words.split(",")})
    print("\n".join(shown) if shown else "no difference")
    return 1 if shown else 0


def add(verbs):
    parser = verbs.add_parser("diff", help="a program on Linux and on Baton: the first difference", epilog=EPILOG,
                              description="Runs a program on the host's Linux and on Baton and shows the first difference.",
                              formatter_class=argparse.RawDescriptionHelpFormatter)
    execute.add_request_options(parser)
    parser.add_argument("--cmdline", metavar="STR", default="", help="added to Baton's command line")
    parser.add_argument("--no-calls", action="store_true", help="do not compare system calls")
    parser.add_argument("--ignore", metavar="CALL,...", action="append", default=[],
                        help="system calls to leave out")
    parser.add_argument("--timeout", type=tree.seconds, metavar="S", default=300, help="seconds for each; default %(default)s")
    execute.add_program(parser)
    parser.set_defaults(function=command)
