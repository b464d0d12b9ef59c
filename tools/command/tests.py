# SPDX-License-Identifier: MIT
"""baton test: sets up, runs Meson's tests, says how many passed."""
import argparse
import json
import subprocess

from . import build, packages, rootfs, selftests, sources, suites, tree

PASSED = ("OK", "EXPECTEDFAIL")
SKIPPED = ("SKIP",)
PARALLEL = "2"  # a boot takes a CPU and 600 MB
SUITES = {
    "unit": "parts of loader, kernel and tools on the host, with ASan and UBSan: a minute",
    "core-reference": "the system tests on the host's Linux, which is their reference: seconds",
    "source": "licence lines, format, clang's lock analysis, generated pages: a minute",
    "boot": "scenarios in QEMU with real firmware: many minutes",
    "shell": "scripts and programs of Debian's in QEMU, as on Debian's kernel: minutes",
    "attacks": "Eve's report card, on machines of several kinds: minutes",
    "firmware": "UEFI's runtime services behind bars, of firmware that is well and that is not: a minute",
    "soak": "the long search, ten minutes on 8 CPUs with the debug kernel, and the cost table in crowds: only when named",
}
EPILOG = ("suites:\n" + "".join(f"  {name:15} {what}\n" for name, what in SUITES.items()) + """
Without SUITE all but `soak` run. The last line is `N passed, N failed`, with `, N skipped` behind it when there are
any. exit code: 0 all passed, 1 otherwise, 2 wrong use.
""")


def counts(results):
    """(passed, failed, skipped) of the lines of testlog.json: pure."""
    passed = failed = skipped = 0
    for result in results:
        if result in PASSED:
            passed += 1
        elif result in SKIPPED:
            skipped += 1
        else:
            failed += 1
    return passed, failed, skipped


def command(args):
    unknown = sorted(set(args.suites) - set(SUITES))
    if unknown:
        raise tree.WrongUse(f"{' '.join(unknown)}: no such suite; expected {', '.join(SUITES)}")
    # What the tests would install when they come to it, too: nothing is changed on the machine while others run.
    build.ready("all", "meson-test-prereq", needs=[packages.RUN, packages.TEST, rootfs.NEEDS, selftests.NEEDS, sources.NEEDS,
                                                   suites.NEEDS])
    words = [word for suite in args.suites for word in ("--suite", suite)]
    if "soak" not in args.suites:
        words += ["--no-suite", "soak"]
    report = tree.BUILD / "meson-logs" / "testlog.json"
    report.unlink(missing_ok=True)
    subprocess.run(["meson", "test", "-C", str(tree.BUILD), "--num-processes", PARALLEL,
                    "--print-errorlogs", "--no-rebuild", *words],
                   stdin=subprocess.DEVNULL, check=False)
    if not report.exists():
        raise tree.Failure("meson test ran no tests")
    with open(report, encoding="utf-8") as lines:
        passed, failed, skipped = counts(json.loads(line)["result"] for line in lines)
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""), flush=True)
    return 0 if passed and not failed else 1


def add(verbs):
    parser = verbs.add_parser("test", help="run all tests, or some suites", epilog=EPILOG,
                              description="Sets up the build and runs the tests.",
                              formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=", ".join(SUITES))
    parser.set_defaults(function=command)
