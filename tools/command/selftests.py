# SPDX-License-Identifier: MIT
"""baton selftests: tests of Linux's own, from Debian's linux-source-6.1, on Baton.

The package is fetched when it is first needed; the few folders that are wanted are unpacked under build/selftests/ and
built there, and nothing of it is kept elsewhere. Many programs run in one boot. Which of them are applicable is what
Debian's kernel passes in the same machine: `baton reference` records that in ci/reference/selftests.json.
"""
import argparse
import json
import re
import shutil
import subprocess
from dataclasses import dataclass

from . import build, execute, packages, tree
from .machine import Machine

PACKAGE = "linux-source-6.1"
FOLDER = tree.BUILD / "selftests"
REFERENCE = tree.ROOT / "ci" / "reference" / "selftests.json"
OPEN = tree.ROOT / "ci" / "reference" / "selftests-open.txt"
RUNNER = tree.ROOT / "ci" / "selftest_runner.c"
NEEDS = {"xz-utils": "xz", "dpkg": "dpkg-deb", "apt": "apt-get", "libc6-dev": "/usr/lib/x86_64-linux-gnu/libc.a"}
WANTED = ("tools/testing/selftests", "tools/include", "arch/x86/include/asm/desc_defs.h")
SECONDS = 600  # for each program
OPEN_SECONDS = 20  # for each of those that are known not to pass yet: some wait for ever for what is not there
BOOT_SECONDS = 3000
SKIPPED = 4  # kselftest's exit code

X86 = ("-O2 -std=gnu99 -pthread -no-pie -static", "x86/{}.c")
FUTEX = ("-O2 -D_GNU_SOURCE -pthread -static -Ifutex/include -Ifutex/functional", "futex/functional/{}.c")
TIMERS = ("-O2 -static -DKTEST -pthread", "timers/{}.c")
CLONE3 = ("-O2 -static -D_GNU_SOURCE", "clone3/{}.c")
# folder: (how to compile, [(name, further words for the compiler, arguments)])
GROUPS = {
    "x86": (X86, [(name, more, "") for name, more in (
        ("single_step_syscall", ""), ("sysret_ss_attrs", "x86/thunks.S"), ("syscall_nt", ""), ("test_mremap_vdso", ""),
        ("check_initial_reg_state", "-Wl,-ereal_start"), ("sigreturn", ""), ("iopl", ""), ("ioperm", ""),
        ("mov_ss_trap", ""), ("sigtrap_loop", ""), ("syscall_arg_fault", ""),
        ("fsgsbase_restore", ""), ("sigaltstack", ""), ("fsgsbase", ""), ("sysret_rip", ""), ("syscall_numbering", ""),
        ("corrupt_xstate_header", ""), ("ldt_gdt", ""), ("ptrace_syscall", ""))]),
    "futex": (FUTEX, [(name, "", "") for name in (
        "futex_requeue", "futex_requeue_pi", "futex_requeue_pi_mismatched_ops", "futex_requeue_pi_signal_restart",
        "futex_wait", "futex_wait_private_mapped_file", "futex_wait_timeout", "futex_wait_uninitialized_heap",
        "futex_wait_wouldblock", "futex_waitv")]),
    "timers": (TIMERS, [("posix_timers", "", ""), ("nanosleep", "", ""), ("nsleep-lat", "", ""),
                        ("set-timer-lat", "", ""), ("inconsistency-check", "", "-t 1"), ("threadtest", "", "-t 3")]),
    "clone3": (CLONE3, [("clone3", "", ""), ("clone3_clear_sighand", "", ""), ("clone3_set_tid", "", "")]),
    "sigaltstack": (("-O2 -static", "sigaltstack/{}.c"), [("sas", "", "")]),
    "nolibc": (("-Os -fno-ident -fno-asynchronous-unwind-tables -nostdlib -static -include "
                "../../include/nolibc/nolibc.h", "nolibc/{}.c"), [("nolibc-test", "-lgcc", "")]),
}
BEGIN = re.compile(r"^== begin /selftests/(\S+)$", re.M)
END = re.compile(r"^== end /selftests/(\S+): (.*)$", re.M)
CASE = re.compile(r"^\d+ (\w+) .*\[ *(OK|FAIL|SKIPPED)\]", re.M)
SECTION = re.compile(r"^Running test '(\w+)'$", re.M)
EPILOG = """\
The last line is `N of M applicable pass`. Applicable is what Debian's kernel passes in the same machine
(ci/reference/selftests.json, by `baton reference`); the others are named only with --all. exit code: 0 when all
that are applicable pass, 1 otherwise.
"""


@dataclass
class Verdict:
    """pass, fail or skip, and why."""
    verdict: str
    reason: str = ""


def programs():
    """[(folder/name, compiler's words, sources, arguments)]."""
    for folder, ((words, source), entries) in GROUPS.items():
        for name, more, arguments in entries:
            yield f"{folder}/{name}", words.split(), [source.format(name), *more.split()], arguments.split()


def _run(command, **more):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", check=False, **more)
    if done.returncode != 0:
        raise tree.Failure(f"{' '.join(map(str, command))} ended with {done.returncode}: {done.stdout[-2000:]}")


def _fetch(work):
    with tree.Progress(f"fetching {PACKAGE}"):
        _run(["apt-get", *packages.RETRIES, "download", "-q", PACKAGE], cwd=work)
        found = list(work.glob("*.deb"))
        if len(found) != 1:
            raise tree.Failure(f"apt-get download {PACKAGE}: {len(found)} packages came, expected 1")
    with tree.Progress(f"unpacking {PACKAGE}"):
        _run(["dpkg-deb", "-x", str(found[0]), str(work / "root")])
        found[0].unlink()
        archive = work / "root" / "usr" / "src" / f"{PACKAGE}.tar.xz"
        _run(["tar", "-xJf", str(archive), "-C", str(work), "--strip-components=1",
              *(f"{PACKAGE}/{path}" for path in WANTED)])
    shutil.rmtree(work / "root")


def _compile(work):
    """Builds all; {name: why not} of those that cannot be."""
    source, unbuilt = work / "tools" / "testing" / "selftests", {}
    (work / "bin").mkdir()
    for name, words, sources, _ in programs():
        target = work / "bin" / name.replace("/", "-")
        done = subprocess.run(["gcc", "-w", "-s", "-I.", *words, "-o", str(target), *sources], cwd=source, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            unbuilt[name] = next((line for line in done.stdout.splitlines() if "error" in line), "no words")
    return unbuilt


def prepare():
    """Fetched, unpacked and built; {name: why not} of those that could not be built."""
    packages.need(NEEDS)
    stamp = FOLDER / "unbuilt.json"
    with build.locked():
        if not stamp.exists():
            work = FOLDER.with_name("selftests.new")
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir(parents=True)
            _fetch(work)
            with tree.Progress("building Linux's selftests"):
                unbuilt = _compile(work)
            (work / "unbuilt.json").write_text(json.dumps(unbuilt), encoding="utf-8")
            shutil.rmtree(FOLDER, ignore_errors=True)
            work.rename(FOLDER)
        _run(["musl-gcc", "-std=gnu11", "-D_GNU_SOURCE", "-Os", "-static", "-s", "-o", str(FOLDER / "selftest-runner"),
              str(RUNNER)])
    return json.loads(stamp.read_text(encoding="utf-8"))


def _nolibc(output):
    """{nolibc/SECTION:CASE: Verdict} of nolibc-test's output: pure."""
    found, parts = {}, SECTION.split(output)
    for section, text in zip(parts[1::2], parts[2::2]):
        for match in CASE.finditer(text):
            verdict = {"OK": "pass", "FAIL": "fail", "SKIPPED": "skip"}[match[2]]
            found[f"nolibc/{section}:{match[1]}"] = Verdict(verdict, "" if verdict == "pass" else match[0])
    return found


def _reason(output):
    """The line of a test's output that says most about its failure: pure."""
    lines = [line.strip() for line in output.splitlines() if line.strip() and not line.startswith("== ")]
    telling = [line for line in lines if re.search(r"FAIL|not ok|rror|cannot|failed", line)]
    return (telling or lines or ["no output"])[0 if telling else -1][:160]


def verdicts(output):
    """({name: Verdict}, the name of the program that was running at the end or None) of a runner's output: pure."""
    found, running = {}, None
    parts = BEGIN.split(output)
    for name, text in zip(parts[1::2], parts[2::2]):
        end = END.search(text)
        name = name.replace("-", "/", 1)
        if end is None:
            running = name
            break
        how, text = end[2], text[:end.start()]
        if name.startswith("nolibc/"):
            found.update(_nolibc(text))
        elif how == "exited 0":
            found[name] = Verdict("pass")
        elif how == f"exited {SKIPPED}":
            found[name] = Verdict("skip", _reason(text))
        else:
            found[name] = Verdict("fail", f"{how}: {_reason(text)}")
    return found, running


def open_names():
    """{name: why it need not pass yet}: lines `NAME: REASON`, `#` begins a remark."""
    lines = OPEN.read_text(encoding="utf-8").splitlines()
    return dict(line.split(": ", 1) for line in lines if line and not line.startswith("#"))


def _boot(chosen, on, log):
    """One boot with these programs: (output, the machine's last words or "")."""
    short = open_names() if on == "baton" else {}
    lines = "".join(f"{OPEN_SECONDS if name in short else SECONDS} /selftests/{name.replace('/', '-')} {' '.join(arguments)}\n"
                    for name, _, _, arguments in chosen)
    (FOLDER / "list").write_text(lines, encoding="ascii")
    adds = [f"{FOLDER / 'bin' / name.replace('/', '-')}:/selftests/{name.replace('/', '-')}"
            for name, *_ in chosen]
    output = bytearray()
    request = execute.Request(str(FOLDER / "selftest-runner"), ["/list"], [*adds, f"{FOLDER / 'list'}:/list"], on=on,
                              seconds=BOOT_SECONDS, log=str(log), machine=Machine(cpus=2, mem=1024))
    try:
        execute.run(request, None, lambda _, data: output.extend(data))
    except (tree.Failure, execute.session.TimedOut) as error:
        return output.decode(errors="replace"), f"{error}"
    return output.decode(errors="replace"), ""


def run(on="baton", only=()):
    """{name: Verdict}. A program that takes the machine with it is a failure, and the others go on in a new boot."""
    unbuilt = prepare()
    found = {}
    chosen = [entry for entry in programs() if entry[0] not in unbuilt
              and (not only or any(entry[0].startswith(word) for word in only))]
    with open(tree.run_folder() / f"selftests-{on}.txt", "w", encoding="utf-8") as record:
        while chosen:
            with tree.Progress(f"running {len(chosen)} of Linux's selftests on {on}"):
                output, words = _boot(chosen, on, tree.run_folder() / "selftests.log")
            record.write(output)
            some, running = verdicts(output)
            found.update(some)
            if not words:
                break
            if running is None:
                raise tree.Failure(f"the selftests did not start: {words}")
            found[running] = Verdict("fail", f"the machine ended or hung: {words}")
            names = [entry[0] for entry in chosen]
            chosen = chosen[names.index(running) + 1:]
    return found


def applicable():
    """Names of what Debian's kernel passes, as recorded."""
    try:
        recorded = json.loads(REFERENCE.read_text(encoding="utf-8"))
        return {name for name, verdict in recorded["tests"].items() if verdict == "pass"}
    except (OSError, ValueError, KeyError) as error:
        raise tree.Failure(f"{REFERENCE}: {error!r}; `baton reference selftests` records it") from error


def record(version):
    """Runs all on Debian's kernel and writes the reference."""
    found = run("linux")
    text = json.dumps({"schema": 1, "version": version,
                       "tests": {name: found[name].verdict for name in sorted(found)}}, indent=1)
    REFERENCE.write_text(text + "\n", encoding="utf-8")
    return found


def check_names(words):
    """WrongUse when nothing begins like one of the words."""
    names = [name for name, *_ in programs()]
    for word in words:
        if not any(name.startswith(word) for name in names):
            raise tree.WrongUse(f"{word}: no selftest begins so; there are {', '.join(f'{group}/' for group in GROUPS)} "
                                "in each: " + " ".join(names))


def command(args):
    check_names(args.names)
    build.ready(needs=[packages.RUN])
    found = run("baton", args.names)
    wanted = {name for name in applicable() if not args.names or any(name.startswith(w) for w in args.names)}
    passed = sorted(name for name in wanted if name in found and found[name].verdict == "pass")
    for name in sorted(wanted - set(passed)):
        print(f"not passed: {name}: {found[name].reason if name in found else 'did not run'}")
    if args.all:
        for name in sorted(set(found) - wanted):
            print(f"not applicable: {name}: {found[name].verdict} {found[name].reason}")
    print(f"{len(passed)} of {len(wanted)} applicable pass")
    return 0 if len(passed) == len(wanted) else 1


def add(verbs):
    parser = verbs.add_parser("selftests", help="Linux's own tests, from Debian's linux-source", epilog=EPILOG,
                              description="Runs tests of Linux's own on Baton.",
                              formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="name those too that do not apply")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only those that begin so: x86, futex/futex_wait, ...")
    parser.set_defaults(function=command)
