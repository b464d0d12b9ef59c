# SPDX-License-Identifier: MIT
"""Brings the build folder up to date with meson and ninja; one Baton at a time."""
import contextlib
import fcntl
import os
import subprocess
from pathlib import Path

from . import packages, tree

ESP = tree.BUILD / "esp"
IMAGE = tree.BUILD / "baton.img"
KERNEL = tree.BUILD / "kernel" / "kernel.elf"
INITRD = ESP / "baton" / "initrd.cpio"
PROGRAMS = tree.BUILD / "user"
RUNNER = PROGRAMS / "runner"
TESTS = PROGRAMS / "tests.cpio"  # the programs that the runner starts
# What runs and measurements need; tests need "all" and "meson-test-prereq".
BOOT = ("baton.img",)
# What our own programs outside the initrd need besides: they are all in there.
OWN = ("user/tests.cpio",)
JOBS = str(min(os.cpu_count() or 1, 8))


def is_own(program):
    """PROGRAM is one that the build makes: it is built before it is looked for."""
    return "/" in program and Path(program).absolute().parent == PROGRAMS


def archives_with(program):
    """Archives that go along with a program: the system tests with their runner."""
    return [TESTS] if Path(program).absolute() == RUNNER else []


@contextlib.contextmanager
def locked():
    """Holds the build folder: ninja must not run twice in it."""
    tree.BUILD.mkdir(parents=True, exist_ok=True)
    with open(tree.BUILD / ".baton-lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(what, command):
    # The lock's file must not be inherited by what ninja may leave running.
    done = subprocess.run(command, cwd=tree.ROOT, stdin=subprocess.DEVNULL, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace")
    if done.returncode != 0:
        failed = done.stdout.find("FAILED: ")
        shown = done.stdout[failed:][:6000] if failed >= 0 else done.stdout[-6000:]
        raise tree.Failure(f"{what} failed ({' '.join(command)} ended with {done.returncode}):\n"
                           + shown.rstrip())


def ready(*targets, quiet=False, needs=()):
    """Packages there, build folder set up, targets (BOOT by default) built."""
    packages.need(packages.BUILD, *needs)
    with locked(), tree.Progress("building", quiet=quiet):
        if not (tree.BUILD / "build.ninja").exists():
            _run("setting up the build", ["meson", "setup", str(tree.BUILD), str(tree.ROOT)])
        _run("the build", ["ninja", "-C", str(tree.BUILD), "-j", JOBS,
                           *(targets or BOOT)])
