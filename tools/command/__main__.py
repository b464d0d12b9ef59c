# SPDX-License-Identifier: MIT
"""Takes the command line apart and runs a verb."""
import argparse
import os
import re
import signal
import sys

from . import attack, bench, debug, difference, execute, fuzz, image, laboratory, pcrs, reference, report, rootfs, run, selftests, stop, sweep, symbolise, tests, tree

VERBS = (run, execute, difference, tests, attack, laboratory, fuzz, sweep, image, pcrs, debug, bench, reference, rootfs, report, selftests, stop, symbolise)


def version():
    """The project's version, and the build id where one was built."""
    text = (tree.ROOT / "meson.build").read_text(encoding="utf-8")
    number = re.search(r"version: '([^']+)'", text)[1]
    try:
        header = (tree.BUILD / "build_id.h").read_text(encoding="utf-8")
        found = re.search(r'BATON_BUILD_ID\s+"([^"]+)"', header)
        return f"baton {number} (built: {found[1]})" if found else f"baton {number}"
    except OSError:
        return f"baton {number}"


def parser():
    top = argparse.ArgumentParser(
        prog="baton", description="Builds, boots, tests and measures Baton.",
        epilog="Every verb has --help. Exit code: 0 well, 1 no, 2 wrong use; exec has its own.")
    top.add_argument("--version", action="version", version=version())
    verbs = top.add_subparsers(dest="verb", metavar="VERB", required=True)
    for module in VERBS:
        module.add(verbs)
    return top


def _ended(number, _frame):
    raise SystemExit(128 + number)


def main(argv):
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _ended)
    top = parser()
    if argv[:1] == ["exec"]:
        argv = ["exec", *execute.spell_out(argv[1:], execute.OPTIONS)]
    args = top.parse_args(argv)
    try:
        return args.function(args)
    except tree.Failure as error:
        tree.say(error)
        return error.code or (tree.EXIT_FAILED if args.verb == "exec" else 1)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 128 + signal.SIGPIPE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
