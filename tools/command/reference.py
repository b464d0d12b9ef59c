# SPDX-License-Identifier: MIT
"""baton reference: what Debian's kernel gives, recorded under ci/reference/ with its version."""
import argparse
import json

from . import bench, build, linux, packages, scripts, selftests, sessions, suites, tree, typed


def _bench(version):
    # Debian's kernel decides about page-table isolation by the CPU; both are forced here.
    figures = bench.measure_costs((), "linux")
    figures.update(bench.measure_scale((), "linux"))
    bench.REFERENCE.parent.mkdir(parents=True, exist_ok=True)
    bench.write(bench.REFERENCE, json.dumps({"schema": 1, "version": version, "figures": figures}, indent=1)
                + "\n")
    print(f"{bench.REFERENCE.relative_to(tree.ROOT)}: {len(figures)} figures of {version}")


def _selftests(version):
    found = selftests.record(version)
    passed = sum(one.verdict == "pass" for one in found.values())
    print(f"{selftests.REFERENCE.relative_to(tree.ROOT)}: {passed} of {len(found)} pass on {version}")


def _shell(version):
    text = scripts.record(version)
    print(f"{scripts.REFERENCE.relative_to(tree.ROOT)}: {len(text.splitlines())} lines of {version}")


def _suites(version, names=()):
    for name, found in suites.record(version, names).items():
        passed = sum(passes for passes, _ in found.values())
        print(f"{suites.REFERENCE.relative_to(tree.ROOT)}: {passed} of {len(found)} of {name} pass on {version}")


def _sessions(version, names=()):
    for name in names or sessions.GROUPS:
        found = sessions.record(version, name)
        looks = sum(len(shots) for played in found.values() for shots in played.values())
        print(f"ci/reference/sessions-{name}.txt: {looks} looks at the screen on {version}")


def _keys(version):
    print(f"ci/reference/keys.txt: {len(typed.record(version))} sequences of keys on {version}")


WHAT = {"bench": _bench, "keys": _keys, "selftests": _selftests, "shell": _shell, "suites": _suites, "sessions": _sessions}
# One of the suites, or one group of sessions, alone.
WHAT.update({f"suites-{name}": lambda version, name=name: _suites(version, [name]) for name in suites.SUITES})
WHAT.update({f"sessions-{name}": lambda version, name=name: _sessions(version, [name]) for name in sessions.GROUPS})
ALL = ("bench", "selftests", "shell", "suites", "sessions", "keys")


def command(args):
    unknown = sorted(set(args.what) - set(WHAT))
    if unknown:
        raise tree.WrongUse(f"{' '.join(unknown)}: nothing that is recorded; expected {' or '.join(WHAT)}")
    build.ready(*build.BOOT, "user/bench", needs=[packages.RUN])
    version = linux.version()
    for name in args.what or ALL:
        WHAT[name](version)
    return 0


def add(verbs):
    parser = verbs.add_parser(
        "reference", help="record what Debian's kernel gives",
        description="Runs the measurements on Debian's kernel in the same emulated machine and records "
                    "them under ci/reference/, with the kernel's version.",
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", metavar="WHAT", help=f"{', '.join(WHAT)}; {', '.join(ALL)} without")
    parser.set_defaults(function=command)
