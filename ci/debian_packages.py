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
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import debian_root
import harness
from command import linux, sources
from harness import check, guest, run_program

FOLDER = Path(__file__).parent / "debian"
REFERENCE = Path(__file__).parent / "reference" / "debian.json"
TOOLS = ("bash", "dash", "coreutils", "grep", "sed", "gawk", "findutils", "diffutils", "tar", "xz-utils", "gzip",
         "bzip2", "file", "mount", "libc-bin", "ncurses-base")
COMPILER = (*TOOLS, "gcc", "make")
LANGUAGES = (*TOOLS, "sqlite3", "lua5.4", "perl", "python3", "git", "procps", "util-linux", "bsdutils", "bsdextrautils",
             "less", "vim-tiny", "fzf")
SESSIONS = (*TOOLS, "perl", "python3", "bsdutils", "vim-tiny", "tmux", "redis-server", "redis-tools")
EVERYDAY = (*TOOLS, "util-linux", "bsdutils", "procps", "psmisc", "lsof", "strace", "bc", "dc", "jq", "m4", "rsync", "tree", "ncdu",
            "zip", "unzip", "zstd", "cpio", "ed", "pv", "stow", "parallel", "openssl", "entr", "moreutils", "expect", "socat", "perl")
SHELLS = (*TOOLS, "zsh", "mksh", "fish", "bc")
LANGUAGES_MORE = (*TOOLS, "ruby", "php-cli", "guile-3.0", "tcl", "tcl-thread", "tzdata")
SERVICES = (*TOOLS, "procps", "nginx-light", "curl", "screen", "gpg", "gpg-agent", "gpgconf", "dbus", "runit", "fio")
GO_RUST = (*TOOLS, "fzf", "ripgrep", "bat", "fd-find", "procps")
HOST = ("gcc", "binutils", "libc-dev")  # what the compilers take of the host, where Baton itself is built with it


def _go(out):
    """A Go program by Debian's Go, which is unpacked for it; also one with C inside, by the host's gcc."""
    root = debian_root.folder("golang-go", assumed=HOST)
    environment = {**os.environ, "GOROOT": str(root / "usr/lib/go-1.19"), "GOCACHE": str(debian_root.FOLDER / "go-cache"),
                   "GO111MODULE": "off", "GOFLAGS": "-p=2 -trimpath", "GOPATH": str(out)}
    for name, cgo in (("go", "0"), ("go-and-c", "1")):
        sources.run([root / "usr/lib/go-1.19/bin/go", "build", "-o", out / name, FOLDER / f"{name}.go"],
                    env={**environment, "CGO_ENABLED": cgo})


def _rust(out):
    """A Rust program by Debian's rustc, which is unpacked for it and links with the host's gcc."""
    root = debian_root.folder("rustc", assumed=HOST)
    sources.run([root / "usr/bin/rustc", "--edition", "2021", "-O", "-g", "-o", out / "rust", FOLDER / "rust.rs"],
                env={**os.environ, "LD_LIBRARY_PATH": str(root / "usr/lib/x86_64-linux-gnu")})


def _lua(out):
    """Debian's source of lua5.4."""
    version = re.sub(r"\+b\d+$", "", debian_root.versions("lua5.4")["lua5.4"])
    shutil.copytree(sources.fetch("lua5.4", version), out / "lua5.4", symlinks=True)


@dataclass
class Group:
    """What one boot runs."""
    packages: tuple
    scripts: tuple
    mem: int  # MiB
    cpus: int = 2
    seconds: int = 4 * harness.SECONDS
    made: dict = field(default_factory=dict)  # for /made in the guest: {Debian's package: what makes it of that, in a folder}
    files: tuple = ()  # of which it is made, in ci/debian


GROUPS = {
    "text_and_files": Group(TOOLS, ("coreutils", "text", "files", "shells"), 768),
    "languages": Group(LANGUAGES, ("sqlite", "lua_perl", "git", "python", "procps", "editors"), 1280),
    "compiler": Group(COMPILER, ("compile",), 1280),
    "watching": Group(("bash", "coreutils", "grep", "mount", "libc-bin", "inotify-tools"), ("inotify",), 512),
    "sessions": Group(SESSIONS, ("sockets", "tmux", "redis"), 1024),
    "go_rust": Group(GO_RUST, ("go", "rust"), 1024, made={"golang-go": _go, "rustc": _rust},
                     files=("go.go", "go-and-c.go", "rust.rs")),
    "toolchain": Group((*COMPILER, "g++", "gdb"), ("build",), 1536),
    "everyday": Group(EVERYDAY, ("everyday", "looks"), 768),
    "shells": Group(SHELLS, ("shells_more",), 768),
    "languages_more": Group(LANGUAGES_MORE, ("languages_more",), 1024),
    "services": Group(SERVICES, ("services",), 1024),
    "lua_build": Group((*COMPILER, "g++", "libtool-bin"), ("lua_build",), 1536, cpus=4, seconds=3600,
                       made={"lua5.4": _lua}),
}


def _masked(text):
    """Without the process numbers and the times that bash tells."""
    text = re.sub(r"(line \d+:) +\d+ ", r"\1 PID ", text)
    return re.sub(r"^(real|user|sys) \d+\.\d\d$", r"\1 TIME", text, flags=re.M)


def _printed(name, on, wanted=None):
    """What the scripts of a group print, {script: text}."""
    group = GROUPS[name]
    with guest.private_folder() as folder:
        for make in group.made.values():
            make(folder)
        result = run_program("/bin/bash", ["/scripts/all.sh", *(wanted or group.scripts)], on=on, mem=group.mem, cpus=group.cpus,
                             seconds=group.seconds, adds=[f"{debian_root.folder(*group.packages)}:/", f"{FOLDER}:/scripts", f"{folder}:/made"])
    text = result.stdout.decode(errors="replace")
    check(result.code == 0, f"the scripts ended with {result.code}:\n{text[-3000:]}\n{result.stderr.decode()[-2000:]}")
    words = re.split(r"^== (\w+)\n", _masked(text), flags=re.M)
    return dict(zip(words[1::2], words[2::2]))


def _source(name):
    """What the reference is of: versions of packages, the scripts and programs themselves."""
    group = GROUPS[name]
    files = [*(f"{script}.sh" for script in group.scripts), *group.files]
    compilers = debian_root.versions(*group.made, assumed=HOST) if group.made else {}
    return {"packages": {**debian_root.versions(*group.packages), **compilers},
            "scripts": [(FOLDER / file).read_text(encoding="utf-8") for file in files]}


def _reference(name):
    kept = json.loads(REFERENCE.read_text(encoding="utf-8")).get(name, {}) if REFERENCE.exists() else {}
    if kept.get("source") == _source(name):
        return kept["printed"]
    print(f"the reference of {name} is of other versions: the scripts run on {linux.version()} first")
    return _printed(name, "linux")


def _same(name):
    expected = {part: _masked(text) for part, text in _reference(name).items()}
    found = _printed(name, os.environ.get("BATON_ON", "baton"))
    check(list(found) == list(GROUPS[name].scripts), f"the parts {list(found)}")
    lines = []
    for part, text in expected.items():
        lines += difflib.unified_diff(text.splitlines(), found[part].splitlines(), f"{part} on Debian's kernel",
                                      f"{part} on Baton", lineterm="", n=2)
    check(not lines, "\n".join(lines)[:12000])
    print(f"{sum(len(text.splitlines()) for text in expected.values())} lines are the same")


def _record():
    """Runs all on Debian's kernel, or the groups in BATON_GROUPS, and keeps what they print."""
    names = os.environ.get("BATON_GROUPS", " ".join(GROUPS)).split()
    new = {name: {"kernel": linux.version(), "source": _source(name), "printed": _printed(name, "linux")} for name in names}
    kept = json.loads(REFERENCE.read_text(encoding="utf-8")) if REFERENCE.exists() else {}
    REFERENCE.write_text(json.dumps({**kept, **new}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _scenario(name):
    return lambda: _same(name)


if __name__ == "__main__":
    harness.main([], {**{name: _scenario(name) for name in GROUPS}, "record": _record})
