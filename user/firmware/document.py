#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/firmware-report.md and docs/firmware-evidence.md: what the checks and the evidence's kinds say of themselves.

usage: document.py write|check FIRMWARE-REPORT
"""
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
COMMAND = "python3 user/firmware/document.py write build/user/firmware/firmware-report"

REPORT = """<!-- SPDX-License-Identifier: MIT -->
<!-- Written by {command}; do not edit. -->
# The firmware report's checks

What a firmware must do at the hand-off and after it, check by check. Each is a rule over evidence
([firmware-evidence.md](firmware-evidence.md)): `user/firmware/report/rules_*.c` has them by family, `faults_*.c` the
faults that show that each one can fail. `tools/baton firmware` and the
stick's entry make one ([firmware.md](firmware.md)); what it carries is judged again, and compared, offline:

    $ tools/baton judge REPORT [--all] [--waivers F] [--json F] [--framed F] [--ktap F] [--junit F]
    $ tools/baton compare A B

REPORT is the report's JSON document, a log of the serial line with that document framed in it, or bare evidence. Its
verdicts are not looked at: newer rules judge what it carries.

## Verdicts
| verdict | means |
|---|---|
| PASS | looked at, and so |
| FAIL | not so, and the specification says that it must be (severity E) |
| WARN | not so, and others will stumble over it (severity W) |
| OBSERVED | a record of how it is, neither good nor bad (severity I) |
| SKIP | the evidence is not there, or the check does not apply; it says which. Never PASS without evidence |
| TAINTED | a service that the check rests on was aborted in some call: what it says proves nothing |

A FAIL or TAINTED makes the exit code 1. A file of waivers has lines `identifier: reason`; what it names is shown as
waived and fails nothing. `#` begins a comment.

## Forms
- The table: what is well has one line, with `--all` only; what is not says what was found and expected.
- KTAP: each check is announced before its result, so that a hang names itself. What is waived is a TODO, a warning is ok.
- JSON: `{{"schema": 1, "checks": [{{"id", "number", "family", "rule", "spec", "severity", "verdict", "waived", "stable",
  "expected", "observed"}}, ...], "totals": {{...}}, "evidence": [lines of base64]}}`. On a serial line it stands between
  `BATON-REPORT-BEGIN LENGTH CRC32` and `BATON-REPORT-END`; carriage returns that the line adds do not count.
- JUnit's XML, for whatever shows test results.

`compare` says which verdicts, which stable observations, and which regions, variables, tables and images came, went or
changed.

## The checks
An identifier is kept for ever. Severity: E the specification says must, W interoperability, I a record. The observation
of one that is not stable differs from boot to boot: times, addresses, counters. A section marked * is from memory and
has not been compared with the specification's text.

| number | identifier | severity | rule | expected | section | evidence | stable |
|---:|---|---|---|---|---|---|---|
{table}"""

EVIDENCE = """<!-- SPDX-License-Identifier: MIT -->
<!-- Written by {command}; do not edit. -->
# Evidence of the firmware

What the loader, the kernel and a user program see of the firmware, as they see it: nothing in it is judged. The
format is `include/baton/evidence.h` (container, writer, reader: plain C without a library, for all of them and the host),
the shapes of the records with their units are `include/baton/evidence_shapes.h`.

A file is a header (magic `BATNEVID`, version 1, size, CRC-32 of all of it with that field 0, number of records), then
records, each with a header of 16 bytes (kind, phase, index, size) and its content, padded with zeros to 8 bytes.
Everything is little-endian. A reader passes over kinds that it does not know, and refuses a version that it does not
know, a record longer than what is left, and one that has not the size of its kind.

A phase says when something was seen: 0 it does not matter, 1 at the loader's entry, 2 before ExitBootServices, 3 after
it (physical), 4 after SetVirtualAddressMap, 5 kept from the boot before.

Numbers once given to kinds, phases, cases and fields keep their meaning. A new kind is one line of `EVIDENCE_KINDS` and
a structure; a new call with chosen arguments one line of `EVIDENCE_CASES`.

## Kinds
The head is the structure's size in bytes; an element is what may follow it, as often as the record has room for (1:
bytes of a blob, 0: nothing follows).

| kind | name | head | element | what it is |
|---:|---|---:|---:|---|
{table}
## Runtime service calls
A record `runtime service call` names the case that it is: what was called with what. 0 is an ordinary call.

| case | what is called with what |
|---:|---|
{cases}"""


def rows(program, what):
    return subprocess.run([program, what], check=True, stdout=subprocess.PIPE, text=True).stdout


def pages(program):
    return {DOCS / "firmware-report.md": REPORT.format(command=COMMAND, table=rows(program, "checks")),
            DOCS / "firmware-evidence.md": EVIDENCE.format(command=COMMAND, table=rows(program, "kinds"), cases=rows(program, "cases"))}


def main(argv):
    if len(argv) != 2 or argv[0] not in ("write", "check"):
        print(__doc__, file=sys.stderr)
        return 2
    stale = 0
    for path, text in pages(argv[1]).items():
        if argv[0] == "write":
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            print(f"docs/{path.name} is not what the program says; run: {COMMAND}")
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
