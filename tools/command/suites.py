# SPDX-License-Identifier: MIT
"""The tests that come with Debian's programs, run inside Baton: busybox's testsuite, its ash_test, and bash's tests.

Their sources are Debian's, of just the version whose program is installed, fetched and unpacked under build/ when they
are first needed; the program under test is Debian's own, not built anew. A suite is made of parts (an applet, a folder,
a script); one boot runs many parts. Which tests are applicable is what passes on Debian's kernel in the same machine:
`baton reference suites` records that in ci/reference/suites.json. Where a test hangs or takes the machine with it, it
has failed, and the parts after it go on in a new boot.
"""
import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import Callable

from . import execute, packages, sources, tree
from .machine import Machine

FOLDER = tree.BUILD / "suites"
REFERENCE = tree.ROOT / "ci" / "reference" / "suites.json"
BUSYBOX = "/bin/busybox"
NEEDS = {"busybox-static": f"static:{BUSYBOX}", "bash": "/bin/bash", "musl-tools": "musl-gcc"}
BOOT_SECONDS, SLOW_SECONDS = 1800, 6600  # a slow part computes for minutes: many_ifs some eight beside other work
BOOTS = 6  # a suite that needs more machines than this is given up
# An applet is a link, as in Debian's own busybox images.
LINKS = """export SHELL=/bin/sh
for a in $(/bin/busybox --list); do [ -e /bin/$a ] || /bin/busybox ln -s busybox /bin/$a; done; exec 2>&1
"""


@dataclass
class Suite:
    """How a suite is made and read."""
    package: str  # the installed package with the program
    source: str  # its source package
    program: str
    prepare: Callable  # (folder of the source, folder to fill)
    parts: Callable  # (that folder) -> its parts
    slow: tuple  # parts that take minutes of computing
    start: str  # what the shell is told; the parts are its arguments
    read: Callable  # text -> ([(part, test, passed, reason)], the last part that began or None)


def _compile(source, names, folder, words=()):
    for name in names:
        sources.run(["musl-gcc", "-w", "-O2", "-static", "-s", *words, "-o", str(folder / name),
                     str(source / f"{name}.c")])


def _edit(path, *changes):
    """Replaces text in a file of theirs; Failure when it is not there as expected."""
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    for old, new in changes:
        if old not in text:
            raise tree.Failure(f"{path}: {old!r} is not in it, of which this command knows")
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8", errors="surrogateescape")


# ---- busybox's testsuite: one shell script, an applet after another ----

def _prepare_busybox(source, folder):
    shutil.copytree(source / "testsuite", folder / "testsuite", symlinks=True)
    shutil.copy(source / "debian" / "config" / "pkg" / "static", folder / ".config")
    # It says which test runs, in lines that are switched off.
    _edit(folder / "testsuite" / "runtest", ('#\techo "Running testcase', '\techo "Running testcase'),
          ('#\t\techo "Running test $tsdir', '\t\techo "Running test $tsdir'))


def _parts_busybox(folder):
    listed = subprocess.run([BUSYBOX, "--list"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    return [name for name in ["busybox", *listed.stdout.split()]
            if (folder / "testsuite" / name).is_dir() or (folder / "testsuite" / f"{name}.tests").exists()]


START_BUSYBOX = LINKS + """ln -s /bin/busybox /suite/busybox; cd /suite/testsuite
VERBOSE=1 sh ./runtest "$@"; echo "== end"
"""
RUNNING = re.compile(r"^Running test(?:case)? /suite/testsuite/(?:([^/\n]+)\.tests|([^/\n]+)/\S+)$", re.M)
# What a test writes may stand before the word, on the same line.
VERDICT = re.compile(r"^(.*?)(PASS|FAIL): (.*)$", re.M)


def _read_busybox(text):
    """Pure."""
    found, pieces, part = [], RUNNING.split(text), None
    for new, old, piece in zip(pieces[1::3], pieces[2::3], pieces[3::3]):
        part = new or old
        words = VERDICT.split(piece)
        for verdict, name, after in zip(words[2::4], words[3::4], words[4::4]):
            found.append((part, name.strip(), verdict == "PASS", after.split("======================")[0]))
    return found, None if text.rstrip().endswith("== end") else part


# ---- ash_test: folders of scripts, each beside what it must print ----

def _prepare_ash(source, folder):
    tests = folder / "ash_test"
    shutil.copytree(source / "shell" / "ash_test", tests, symlinks=True)
    shutil.copy(source / "debian" / "config" / "pkg" / "static", tests / ".config")
    _compile(tests, ("printenv", "recho", "zecho"), tests)


def _parts_ash(folder):
    return sorted(path.name for path in (folder / "ash_test").glob("ash-*"))


START_ASH = LINKS + """cd /suite/ash_test; ln -s /bin/busybox ash
sh ./run-all "$@"
for file in *.fail; do [ -e "$file" ] && echo "== difference $file" && head -c 1500 "$file"; done; echo "== end"
"""
ASH = re.compile(r"^(ash-[^/\n]+)/(\S+): ?(ok|fail)?$", re.M)


def _read_ash(text):
    """Pure."""
    lines, *differences = re.split(r"^== difference (\S+)\.fail$", text, flags=re.M)
    reasons = dict(zip(differences[::2], differences[1::2]))
    found, part = [], None
    for match in ASH.finditer(lines):
        part = match[1]
        if match[3]:
            found.append((part, match[2], match[3] == "ok", reasons.get(f"{part}-{match[2].removesuffix('.tests')}",
                          reasons.get(f"{part}-{match[2]}", ""))))
    return found, None if text.rstrip().endswith("== end") else part


# ---- bash's tests: scripts run-NAME, which print a difference and end with diff's code ----

def _prepare_bash(source, folder):
    shutil.copytree(source / "tests", folder / "tests", symlinks=True)
    _compile(source / "support", ("recho", "zecho", "printenv", "xcase"), folder / "tests",
             # What its configure script would find.
             ["-DHAVE_STRING_H", "-DHAVE_STDLIB_H", "-DHAVE_UNISTD_H", "-DPROTOTYPES", f"-I{source}",
              f"-I{source / 'include'}"])


def _parts_bash(folder):
    left_out = {"run-all", "run-minimal", "run-gprof"}
    return sorted(path.name for path in (folder / "tests").glob("run-*") if path.name not in left_out)


START_BASH = LINKS + """cd /suite/tests; export THIS_SH=/bin/bash BUILD_DIR=/suite TMPDIR=/tmp PATH=.:$PATH; mkdir -p /tmp /usr /etc
unset LANG LC_ALL; echo root:x:0:0:root:/:/bin/sh > /etc/passwd
for name in recho zecho xcase; do ln -s $PWD/$name /bin/$name; done
for part in "$@"; do
  export BASH_TSTOUT=/tmp/bash-$part
  echo "== begin $part"; sh ./$part < /dev/null > /tmp/out 2>&1; code=$?
  head -c 3000 /tmp/out; echo; echo "== $part ended with $code"; rm -f $BASH_TSTOUT
done; echo "== end"
"""


def _read_bash(text):
    """Pure."""
    found, pieces, part = [], re.split(r"^== begin (run-\S+)$", text, flags=re.M), None
    for part, piece in zip(pieces[1::2], pieces[2::2]):
        end = re.search(rf"^== {re.escape(part)} ended with (\d+)$", piece, re.M)
        if end:
            found.append((part, "all", end[1] == "0", piece[:end.start()]))
    return found, None if text.rstrip().endswith("== end") else part


# Of Linux: on a busy host its check of the timer fails now and then; and a machine that dies is to end.
LINUX_OPTIONS = "no_timer_check tsc=reliable panic=-1"

SUITES = {
    "busybox": Suite("busybox-static", "busybox", BUSYBOX, _prepare_busybox, _parts_busybox, ("bc", "dc"), START_BUSYBOX,
                     _read_busybox),
    "ash": Suite("busybox-static", "busybox", BUSYBOX, _prepare_ash, _parts_ash, ("ash-z_slow",), START_ASH, _read_ash),
    "bash": Suite("bash", "bash", "/bin/bash", _prepare_bash, _parts_bash, (), START_BASH, _read_bash),
}


def version(name):
    """Source package and version of the program that is here, or None."""
    found = sources.version_of(SUITES[name].package)
    return found and f"{SUITES[name].source} {found}"


def prepare(name):
    """The suite's folder, made from Debian's source."""
    packages.need(NEEDS)
    suite, number = SUITES[name], sources.version_of(SUITES[name].package)
    if number is None:
        raise tree.Failure(f"the Debian package {suite.package} is not installed")
    source = sources.fetch(suite.source, number)
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    suite.prepare(source, folder)
    return folder


def names_of(found):
    """{part/test: (passed, reason)}; a name that comes again has its number behind it. Pure."""
    named, times = {}, {}
    for part, test, passed, reason in found:
        times[part, test] = number = times.get((part, test), 0) + 1
        named[f"{part}/{test}" + (f" #{number}" if number > 1 else "")] = (passed, reason.strip())
    return named


def _boot(name, folder, parts, on, cpus, record, seconds):
    """One boot, its output to `record` as it comes: (output, why it ended before the end or "")."""
    suite, output = SUITES[name], bytearray()
    shell = [suite.program, ["-c", suite.start, "sh", *parts]]
    if suite.program == BUSYBOX:
        shell[1].insert(0, "sh")
    adds = [f"{folder}:/suite"] + ([f"{BUSYBOX}:{BUSYBOX}"] if suite.program != BUSYBOX else [])
    request = execute.Request(*shell, adds, on=on, seconds=seconds, machine=Machine(cpus=cpus, mem=1024),
                              log=str(tree.run_folder() / f"suites-{name}-{on}.log"))
    request.cmdline = LINUX_OPTIONS if on == "linux" else ""

    def take(_, data):
        output.extend(data)
        record.write(data)
        record.flush()

    try:
        execute.run(request, None, take)
    except (tree.Failure, execute.session.TimedOut) as error:
        return output.decode("utf-8", "backslashreplace"), f"{error}"
    return output.decode("utf-8", "backslashreplace"), ""


def run(name, on="baton", slow=False, only=(), cpus=2):
    """{part/test: (passed, reason)}; of the slow parts, or of all others, or of those in `only`."""
    folder, suite = prepare(name), SUITES[name]
    parts = [part for part in suite.parts(folder) if (part in only if only else (part in suite.slow) == slow)]
    found, asked, boots = [], set(parts), 0
    with open(tree.run_folder() / f"suites-{name}-{on}.txt", "wb") as record:
        while parts and boots < BOOTS:
            boots += 1
            with tree.Progress(f"running {len(parts)} parts of the suite {name} on {on}"):
                text, words = _boot(name, folder, parts, on, cpus, record, SLOW_SECONDS if slow else BOOT_SECONDS)
            some, running = suite.read(text)
            found += some
            if running is None and not words:
                break
            if running is None and boots > 1:
                raise tree.Failure(f"the suite {name} did not start: {words}")
            if running is not None:
                found.append((running, "its end", False, f"it did not come: {words}"))
                parts = parts[parts.index(running) + 1:]
    # What a test prints may look like another's verdict.
    return names_of([one for one in found if one[0] in asked])


def reference(name):
    """(version of the program, {part/test: passed}) as recorded."""
    try:
        recorded = json.loads(REFERENCE.read_text(encoding="utf-8"))["suites"][name]
        return recorded["version"], {test: verdict == "pass" for test, verdict in recorded["tests"].items()}
    except (OSError, ValueError, KeyError) as error:
        raise tree.Failure(f"{REFERENCE}: {error!r}; `baton reference suites` records it") from error


def record(kernel, only=()):
    """Runs all, or these suites, on Debian's kernel; writes the reference; {suite: found}."""
    all_found = {}
    for name in only or SUITES:
        all_found[name] = {}
        for slow in (False, True) if SUITES[name].slow else (False,):
            all_found[name].update(run(name, "linux", slow))
            _write(name, kernel, all_found[name])
    return all_found


def _write(name, kernel, found):
    try:
        recorded = json.loads(REFERENCE.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        recorded = {"schema": 1, "suites": {}}
    recorded["suites"][name] = {"kernel": kernel, "version": version(name), "tests": {
        test: "pass" if found[test][0] else "fail" for test in sorted(found)}}
    REFERENCE.write_text(json.dumps(recorded, indent=1) + "\n", encoding="utf-8")
