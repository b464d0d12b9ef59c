# SPDX-License-Identifier: MIT
"""Debian's packages, unchanged, on Baton: what they print is what they print on Debian's kernel, to the byte.

The scripts are ci/debian/NAME.sh; debian_root.py makes the folder of packages. ci/reference/debian.json holds what
was printed on Debian's kernel in the same machine, with the versions of the packages. Where another version is to be
had by now, the scripts run there first. `debian_packages.py record` records all anew.
"""
import difflib
import json
import os
import re
from pathlib import Path

import debian_root
import harness
from command import linux
from harness import check, run_program

FOLDER = Path(__file__).parent / "debian"
REFERENCE = Path(__file__).parent / "reference" / "debian.json"
TOOLS = ("bash", "dash", "coreutils", "grep", "sed", "gawk", "findutils", "diffutils", "tar", "xz-utils", "gzip",
         "bzip2", "file", "mount", "libc-bin", "ncurses-base")
COMPILER = (*TOOLS, "gcc", "make")
LANGUAGES = (*TOOLS, "sqlite3", "lua5.4", "perl", "python3", "git", "procps", "util-linux", "bsdutils", "bsdextrautils",
             "less", "vim-tiny", "fzf")
SESSIONS = (*TOOLS, "perl", "python3", "bsdutils", "vim-tiny", "tmux", "redis-server", "redis-tools")
# scenario: the packages, its scripts, MiB of memory
GROUPS = {
    "text_and_files": (TOOLS, ("coreutils", "text", "files", "shells"), 768),
    "languages": (LANGUAGES, ("sqlite", "lua_perl", "git", "python", "procps", "editors"), 1280),
    "compiler": (COMPILER, ("compile",), 1280),
    "watching": (("bash", "coreutils", "grep", "mount", "libc-bin", "inotify-tools"), ("inotify",), 512),
    "sessions": (SESSIONS, ("sockets", "tmux", "redis"), 1024),
}


def _printed(name, on, wanted=None):
    """What the scripts of a group print, {script: text}."""
    names, scripts, mem = GROUPS[name]
    root = debian_root.folder(*names)
    result = run_program("/bin/bash", ["/scripts/all.sh", *(wanted or scripts)], on=on, mem=mem, seconds=600,
                         adds=[f"{root}:/", f"{FOLDER}:/scripts"])
    text = result.stdout.decode(errors="replace")
    check(result.code == 0, f"the scripts ended with {result.code}:\n{text[-3000:]}\n{result.stderr.decode()[-2000:]}")
    text = re.sub(r"(line \d+:) +\d+ ", r"\1 PID ", text)
    words = re.split(r"^== (\w+)\n", text, flags=re.M)
    return dict(zip(words[1::2], words[2::2]))


def _source(name):
    """What the reference is of: versions of packages, the scripts themselves."""
    return {"packages": debian_root.versions(*GROUPS[name][0]),
            "scripts": [(FOLDER / f"{script}.sh").read_text(encoding="utf-8") for script in GROUPS[name][1]]}


def _reference(name):
    kept = json.loads(REFERENCE.read_text(encoding="utf-8")).get(name, {}) if REFERENCE.exists() else {}
    if kept.get("source") == _source(name):
        return kept["printed"]
    print(f"the reference of {name} is of other versions: the scripts run on {linux.version()} first")
    return _printed(name, "linux")


def _same(name):
    expected = _reference(name)
    found = _printed(name, os.environ.get("BATON_ON", "baton"))
    check(list(found) == list(GROUPS[name][1]), f"the parts {list(found)}")
    lines = []
    for part, text in expected.items():
        lines += difflib.unified_diff(text.splitlines(), found[part].splitlines(), f"{part} on Debian's kernel",
                                      f"{part} on Baton", lineterm="", n=2)
    check(not lines, "\n".join(lines)[:12000])
    print(f"{sum(len(text.splitlines()) for text in expected.values())} lines are the same")


def _record():
    """Runs all on Debian's kernel, or the groups in BATON_GROUPS, and keeps what they print."""
    kept = json.loads(REFERENCE.read_text(encoding="utf-8")) if REFERENCE.exists() else {}
    for name in os.environ.get("BATON_GROUPS", " ".join(GROUPS)).split():
        kept[name] = {"kernel": linux.version(), "source": _source(name), "printed": _printed(name, "linux")}
    REFERENCE.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _scenario(name):
    return lambda: _same(name)


if __name__ == "__main__":
    harness.main([], {**{name: _scenario(name) for name in GROUPS}, "record": _record})
