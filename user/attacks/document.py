# SPDX-License-Identifier: MIT
"""Makes docs/attacks.md of what `attacks --list` says: `document.py check|write PROGRAM`."""
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "attacks.md"
HEAD = """<!-- SPDX-License-Identifier: MIT -->
# The attacks

<!-- Made of the tables in user/attacks/ by `python3 user/attacks/document.py write build/user/attacks`; do not edit. -->

What `tools/baton attack` and the boot entry "Eve's report card" try, {count} attacks in all; how they are judged stands in
[isolation.md](isolation.md). Each ends in exactly what is expected; "refused, and goes on" are those that look at errnos and
memory by themselves. On Linux the same program holds as well: where Linux does something else, that stands behind "Linux:".
"""


def page(text):
    """The page of a listing: pure."""
    rows, lines, family = [line.split("\t") for line in text.splitlines()], [], None
    for name, found, title, tries, why, expected, linux in rows:
        if found != family:
            lines += ["", f"## {title[0].upper()}{title[1:]}", "| attack | tries | why it must fail | expected |", "|---|---|---|---|"]
            family = found
        why += "" if linux == "the same" else f". Linux: {linux}"
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in (f"`{name}`", tries, why, expected)) + " |")
    return HEAD.format(count=len(rows)) + "\n".join(lines) + "\n"


def main(verb, program):
    made = page(subprocess.run([program, "--list"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                               check=True).stdout)
    if verb == "write":
        PAGE.write_text(made, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != made:
        sys.exit(f"{PAGE} is not what `{program} --list` says: python3 {Path(__file__).name} write {program}")


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("check", "write"):
        sys.exit(f"usage: {sys.argv[0]} check|write PROGRAM")
    main(*sys.argv[1:])
