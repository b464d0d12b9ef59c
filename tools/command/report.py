# SPDX-License-Identifier: MIT
"""baton judge, baton compare: the firmware report judged again offline, and two of them beside each other.

REPORT is the report's JSON document; a log of the serial line with that document framed in it (the last one that is
whole); or bare evidence (include/baton/evidence.h). The verdicts in it are not looked at: the rules of this tree judge the
evidence that it carries.
"""
import argparse
import base64
import binascii
import json
import re
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

from . import build, tree

TARGET = "user/firmware/firmware-report"
PROGRAM = tree.BUILD / TARGET
MAGIC = b"BATNEVID"
BEGIN = re.compile(rb"BATON-REPORT-BEGIN (\d+) ([0-9a-f]{8})\r?\n")
END = b"BATON-REPORT-END"
TROUBLE = 2  # firmware-report's exit code where it could not do it


def framed(data):
    """The last document in a log that is whole, or None where there is no frame at all."""
    problem = None
    for begin in reversed(list(BEGIN.finditer(data))):
        length, crc = int(begin[1]), int(begin[2], 16)
        text = data[begin.end():].replace(b"\r\n", b"\n")
        document = text[:length]
        if not text[length:].startswith(END):
            problem = f"a framed report of {length} bytes does not end where it says"
        elif zlib.crc32(document) != crc:
            problem = f"a framed report has CRC-32 {zlib.crc32(document):08x}, expected {crc:08x}"
        else:
            return document
    if problem:
        raise ValueError(problem)
    return None


def evidence(data):
    """The evidence in a report, a log or itself: pure; ValueError says what is wrong."""
    if data.startswith(MAGIC):
        return data
    document = framed(data)
    try:
        report = json.loads(data if document is None else document)
        lines = report["evidence"]
        if report.get("schema") != 1:
            raise ValueError(f"a report of schema {report.get('schema')}, expected 1")
        return base64.b64decode("".join(lines), validate=True)
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError("neither a report in JSON, nor a log with one, nor evidence") from error
    except (KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise ValueError("a document in JSON that carries no evidence") from error


def _unpacked(path, folder, name):
    """A file with the evidence of the report at `path`."""
    try:
        found = evidence(Path(path).read_bytes())
    except OSError as error:
        raise tree.Failure(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise tree.Failure(f"{path}: {error}") from error
    file = Path(folder) / name
    file.write_bytes(found)
    return str(file)


def _run(arguments, names):
    """firmware-report, whose complaints name the reports rather than the files that were made for it."""
    done = subprocess.run([str(PROGRAM), *arguments], stderr=subprocess.PIPE, text=True, errors="replace", check=False)
    for file, path in names.items():
        done.stderr = done.stderr.replace(file, path)
    if done.returncode not in (0, 1):
        raise tree.Failure(done.stderr.strip().removeprefix("firmware-report: ") or
                           f"{PROGRAM} ended with {done.returncode}")
    return done.returncode


def judge(args):
    build.ready(TARGET, quiet=True)
    with tempfile.TemporaryDirectory() as folder:
        file = _unpacked(args.report, folder, "evidence")
        options = ["--all"] if args.all else []
        if sys.stdout.isatty():
            options.append("--colours")
        for option in ("waivers", "json", "framed", "ktap", "junit"):
            if value := getattr(args, option):
                options += [f"--{option}", value]
        sys.stdout.flush()
        return _run(["judge", file, *options], {file: args.report})


def compare(args):
    build.ready(TARGET, quiet=True)
    with tempfile.TemporaryDirectory() as folder:
        before, after = _unpacked(args.before, folder, "before"), _unpacked(args.after, folder, "after")
        sys.stdout.flush()
        return _run(["compare", before, after], {before: args.before, after: args.after})


def add(verbs):
    parser = verbs.add_parser("judge", help="judges a firmware report again, offline",
                              description=__doc__ + "\nExit code: 0 nothing failed, 1 something did.",
                              formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", metavar="REPORT")
    parser.add_argument("--all", action="store_true", help="what passed in the table, too")
    parser.add_argument("--waivers", metavar="F", help="lines of a check's identifier and the reason why it may fail")
    parser.add_argument("--json", metavar="F", help="the report with the new verdicts; - is standard output")
    parser.add_argument("--framed", metavar="F", help="the same between lines with length and checksum")
    parser.add_argument("--ktap", metavar="F")
    parser.add_argument("--junit", metavar="F")
    parser.set_defaults(function=judge)
    parser = verbs.add_parser("compare", help="what changed between two firmware reports",
                              description=__doc__ + "\nExit code: 0 nothing changed, 1 something did.",
                              formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", metavar="A")
    parser.add_argument("after", metavar="B")
    parser.set_defaults(function=compare)
