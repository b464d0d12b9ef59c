# SPDX-License-Identifier: MIT
"""baton exec: boots and runs a Linux program from the host, as if it ran here."""
import argparse
import contextlib
import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path

from . import boot, build, channel, firmware, guest, kvm, log, packages, program, session, strace, tree
from .machine import ICOUNT, Machine

OPTIONS = {}  # of exec: {name: takes a value}
POWER_OFF = 5.0  # seconds for the machine to end by itself after the program

EPILOG = """\
The program is the child of a small process 1; its own session, cwd /, umask 022, environment HOME=/
PATH=/bin:/sbin:/usr/bin:/usr/sbin TERM=linux. It stands at /bin/NAME, which is argv[0]. A dynamic program
brings its interpreter and libraries. Its input, output and error stream are the command's own.

exit code: the program's; 128+N when signal N ended it; 124 time-out; 125 Baton failed; 127 no such
program, 126 it cannot be started; 2 wrong use. The machine's log is in build/run/exec.log (--log), and its
end is shown when Baton failed.
"""


@dataclass
class Request:
    """What exec is asked to do; also the interface for tests and measurements."""
    program: str
    arguments: list = field(default_factory=list)
    adds: list = field(default_factory=list)
    env: list = field(default_factory=list)
    initrds: list = field(default_factory=list, kw_only=True)
    behind: list = field(default_factory=list, kw_only=True)  # initrds after all others: broken ones, of tests
    cmdline: str = ""
    tty: bool = False
    init: bool = False
    trace: object = None  # takes the tracer's records: strace.Tracer.feed
    log: str = None  # a path; None: build/run/exec.log
    on: str = "baton"
    seconds: float = None
    machine: Machine = field(default_factory=Machine)
    refused: bool = False  # set by run: the guest would not start the program


@dataclass
class Result:
    code: int
    stdout: bytes
    stderr: bytes
    log: str
    refused: bool = False  # the guest would not start the program: the code is 126 or 127


def arguments_of(request):
    options = f"init={channel.RUNNER_PATH} {request.cmdline}"
    return options.strip()


def prepare(request, folder):
    """Makes the boot media; fills in the machine."""
    guest_path = program.inside(request.program, request.initrds)
    archive = program.archive_for(request.program, request.arguments, request.adds, request.env,
                                  request.tty, request.init, request.trace is not None, guest_path)
    if request.machine.firmware == "uboot":
        # Its boot manager passes `init=/sbin/init` of its own, behind ours.
        archive.symlink(channel.RUNNER_PATH, "/sbin/init")
    more = [*request.initrds, *([] if guest_path else build.archives_with(program.find(request.program))),
            boot.write_archive(archive, folder / "exec.cpio"), *request.behind]
    boot.grow(request.machine, more)
    if request.on == "linux":
        from . import linux  # pylint: disable=import-outside-toplevel
        linux.prepare(request, folder, more)
    else:
        request.machine.image = boot.image(folder, arguments_of(request), more)


def run(request, source, sink, terminal=None, quiet=True):
    """Runs it; (exit code, Log). Raises Failure and TimedOut, with the log's end in `.tail`."""

    def deliver(stream, data):
        if stream != channel.TRACE:
            sink(stream, data)
        elif request.trace is not None:
            request.trace(data)

    try:
        record = log.Log(request.log or tree.run_folder() / "exec.log")
    except OSError as error:
        raise tree.Failure(f"--log {request.log}: {error.strerror}") from error
    with contextlib.ExitStack() as stack:
        stack.callback(record.close)
        folder = stack.enter_context(guest.private_folder())
        prepare(request, folder)
        progress = stack.enter_context(tree.Progress("booting", quiet=quiet))
        qemu = stack.enter_context(guest.Guest(request.machine, folder, channel=True))
        if terminal is not None:
            stack.enter_context(session.raw_terminal(terminal))
        talk = session.Session(qemu.com2, qemu.com1, record, source, deliver, terminal, request.seconds)
        talk.on_ready = progress.stop
        try:
            code = talk.run()
        except (tree.Failure, session.TimedOut) as error:
            talk.drain(0.2)
            error.tail = "" if isinstance(error, session.TimedOut) and talk.decoder.ready else \
                "\n".join(filter(None, [record.tail(), qemu.stderr()]))
            raise
        talk.drain(POWER_OFF)
        qemu.quit()
    if talk.refused:
        sink(channel.STDERR, f"baton: {request.program} was not started: {talk.refused[1]}\n".encode())
    request.refused = bool(talk.refused)
    return code, record


def capture(request, stdin=b""):
    """Runs it with these bytes as input; a Result. For tests and measurements."""
    output = {channel.STDOUT: bytearray(), channel.STDERR: bytearray()}
    folder = tree.run_folder()
    path = folder / f"stdin-{os.getpid()}"
    path.write_bytes(stdin)
    try:
        with open(path, "rb") as source:
            code, record = run(request, source.fileno(), lambda stream, data: output[stream].extend(data))
    finally:
        path.unlink()
    return Result(code, bytes(output[channel.STDOUT]), bytes(output[channel.STDERR]), record.text(), request.refused)


def write_all(descriptor, data):
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(descriptor, view):]
        except BlockingIOError:
            import select  # pylint: disable=import-outside-toplevel
            select.select([], [descriptor], [])


@contextlib.contextmanager
def tracing(request, where, times):
    """Sets the request up for --strace; where: a path, "" for stderr, None for no tracing."""
    if where is None:
        yield
        return
    try:
        out = open(where, "w", encoding="utf-8") if where else sys.stderr
    except OSError as error:
        raise tree.Failure(f"--strace={where}: {error.strerror}") from error
    tracer = strace.Tracer(out.write, to_file=bool(where), times=times)
    request.trace = tracer.feed
    try:
        yield
    finally:
        tracer.finish()
        out.flush()
        if where:
            out.close()


def ready(request, **how):
    """Looks for the program, then builds; a program of our own is built before it is looked for."""
    own = build.is_own(request.program)
    outside = not program.inside(request.program, request.initrds)
    if outside and not own:
        program.find(request.program)
    needs = [packages.RUN] + ([packages.UBOOT] if request.machine.firmware == "uboot" else [])
    build.ready(*build.BOOT, *(build.OWN if own else ()), needs=needs, **how)
    if outside:
        program.find(request.program)


def add_request_options(parser):
    """--add, --env, --cpus and --mem, as all verbs have them that run a program of the host."""
    add_addition(parser)
    parser.add_argument("--env", metavar="K=V", action="append", default=[], type=tree.checked(program.setting))
    parser.add_argument("--cpus", type=tree.positive, metavar="N", help="default 2")
    parser.add_argument("--mem", type=tree.positive, metavar="MIB", help="default 512")


def add_addition(parser):
    parser.add_argument("--add", metavar="HOST[:GUEST]", action="append", default=[],
                        type=tree.checked(program.addition),
                        help="put a file or tree into the initrd; GUEST is /NAME without")


def add_initrd(parser):
    parser.add_argument("--initrd", metavar="F", action="append", default=[], type=tree.checked(program.initrd),
                        help="a further initrd (`baton rootfs` makes one); PROGRAM may be in it")


def add_program(parser):
    """PROGRAM [ARG...], at the end of the line."""
    parser.usage = f"baton {parser.prog.rpartition(' ')[2]} [OPTION]... PROGRAM [ARG]..."
    parser.add_argument("program", metavar="PROGRAM", help="a file, or a name looked up in PATH")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARG").required = False


def command(args):
    request = Request(
        args.program, args.arguments, args.add, args.env, args.cmdline, init=args.init, log=args.log, initrds=args.initrd,
        on=args.on, seconds=args.timeout,
        machine=Machine(firmware=args.firmware, variables=args.variables, cpus=args.cpus, mem=args.mem, cpu=args.cpu,
                                icount=args.icount))
    request.machine.check()
    request.tty = args.tty or all(os.isatty(descriptor) for descriptor in (0, 1, 2))
    if request.tty and not os.isatty(0):
        raise tree.WrongUse("--tty: standard input is no terminal, which the program would get")
    if args.strace is not None and request.on == "linux":
        raise tree.WrongUse("--strace --on linux: Baton's system calls are traced; on Linux use strace itself")
    ready(request, quiet=True)
    if not request.machine.icount:
        request.machine.accelerator = kvm.accelerator()
    terminal = 0 if request.tty else None
    if terminal is not None:
        signal.signal(signal.SIGWINCH, lambda *_: None)  # wakes the loop
    streams = {channel.STDOUT: 1, channel.STDERR: 2}
    try:
        with tracing(request, args.strace, args.strace_time):
            code, _ = run(request, 0, lambda stream, data: write_all(streams[stream], data), terminal)
        return code
    except BrokenPipeError:
        return 128 + signal.SIGPIPE
    except session.TimedOut as error:
        show(error)
        return tree.EXIT_TIMEOUT
    except tree.Failure as error:
        show(error)
        return error.code or tree.EXIT_FAILED


def spell_out(words, options):
    """argparse has no option that may stand alone or with `=F`: a lone --strace gets its `=`. Only among the
    words before PROGRAM. options: {name: takes a value}. Pure."""
    at = 0
    while at < len(words) and words[at].startswith("--") and words[at] != "--":
        if words[at] == "--strace":
            words = [*words[:at], "--strace=", *words[at + 1:]]
        elif options.get(words[at]):
            at += 1
        at += 1
    return words


def show(error):
    tail = getattr(error, "tail", "")
    if tail:
        print(f"--- the end of the machine's log ---\n{tail}\n---", file=sys.stderr)
    tree.say(error)


def add(verbs):
    parser = verbs.add_parser(
        "exec", help="boot and run a Linux program from the host", epilog=EPILOG,
        description="Boots Baton and runs a Linux program from the host.",
        formatter_class=argparse.RawDescriptionHelpFormatter)
    add_request_options(parser)
    parser.add_argument("--cpu", metavar="MODEL", default="max", help="QEMU's CPU model, default max")
    add_initrd(parser)
    parser.add_argument("--firmware", metavar="NAME|FILE", default=firmware.DEFAULT,
                        help=f"{', '.join(firmware.NAMED)}, or a file; default %(default)s")
    parser.add_argument("--variables", metavar="F", type=Path,
                        help="keep the firmware's variables in this file from run to run; it is made if there is none")
    parser.add_argument("--cmdline", metavar="STR", default="", help="added to the kernel command line")
    parser.add_argument("--tty", action="store_true",
                        help="one terminal for the program's input and output; the default when "
                             "the command's own are all terminals")
    parser.add_argument("--init", action="store_true", help="the program is process 1 itself")
    parser.add_argument("--strace", metavar="F",
                        help="show its system calls as strace does: --strace on stderr, --strace=F in a file")
    parser.add_argument("--strace-time", action="store_true",
                        help="with the time of each call and how long it took")
    parser.add_argument("--log", metavar="F", help="the machine's log, default build/run/exec.log")
    parser.add_argument("--on", choices=("baton", "linux"), default="baton",
                        help="linux: Debian's kernel in the same machine")
    parser.add_argument("--icount", action="store_true",
                        help="count instructions: " + " ".join(ICOUNT) + ", one CPU, 256 MiB")
    parser.add_argument("--timeout", type=tree.seconds, metavar="S", help="seconds, from the machine's start")
    add_program(parser)
    parser.set_defaults(function=command)
    OPTIONS.update((name, action.nargs != 0) for action in parser._actions for name in action.option_strings)
