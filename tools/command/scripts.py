# SPDX-License-Identifier: MIT
"""The shell scripts of ci/shell/, run by Debian's busybox: what they print on Debian's kernel in the same emulated
machine is the reference, recorded by `baton reference shell` with the versions of kernel and busybox."""
import difflib
import shutil
import subprocess

from . import execute, tree

FOLDER = tree.ROOT / "ci" / "shell"
REFERENCE = tree.ROOT / "ci" / "reference" / "shell.txt"
NAMES = ("text", "files", "language", "system", "odd")
BUSYBOX = "/bin/busybox"
SECONDS = 2000
# A link for each applet, as Debian's own busybox images have it; then each script, its lines before what they print.
START = """
for applet in $(busybox --list); do [ -e /bin/$applet ] || ln -s busybox /bin/$applet; done
cd /shell
for name in "$@"; do echo "=== $name"; sh -v ./$name.sh < /dev/null 2>&1; echo "=== $name ended with $?"; done
"""


def version():
    """Of busybox, as it names itself."""
    found = subprocess.run([BUSYBOX], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return found.stdout.split(" multi-call", maxsplit=1)[0]


def run(on="baton", cpus=2):
    """What the scripts print."""
    if shutil.which(BUSYBOX) is None:
        raise tree.Failure(f"{BUSYBOX} is not there; Debian's busybox-static has it")
    request = execute.Request(BUSYBOX, ["sh", "-c", START, "sh", *NAMES], [f"{FOLDER}:/shell"], on=on, seconds=SECONDS)
    request.machine.cpus = cpus
    request.log = str(tree.run_folder() / f"scripts-{on}-{cpus}.log")
    with tree.Progress(f"running the shell scripts on {on}"):
        result = execute.capture(request, b"")
    if result.code:
        raise tree.Failure(f"the shell ended with {result.code}: {result.stderr[-500:]}")
    return result.stdout.decode("utf-8", "backslashreplace")


def record(kernel):
    """Runs them on Debian's kernel and writes the reference."""
    text = run("linux")
    REFERENCE.write_text(f"# {kernel}; {version()}\n{text}", encoding="utf-8")
    return text


def reference():
    """(the line of versions, what is expected)."""
    try:
        first, text = REFERENCE.read_text(encoding="utf-8").split("\n", 1)
    except (OSError, ValueError) as error:
        raise tree.Failure(f"{REFERENCE}: {error}; `baton reference shell` records it") from error
    return first.removeprefix("# "), text


def difference(expected, found):
    """A diff with as many lines before as show the line of the script, or "": pure."""
    return "\n".join(difflib.unified_diff(expected.splitlines(), found.splitlines(), "Debian's kernel", "Baton",
                                          n=4, lineterm=""))
