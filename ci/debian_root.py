# SPDX-License-Identifier: MIT
"""Debian's packages as folders: fetched with all that they depend on, unpacked under build/debian, never installed.

Their maintainer scripts are not run; what those would have done and programs ask for is done here: the links of
update-alternatives, the accounts of root. Kept from run to run: a package is fetched once.
"""
import hashlib
import os
import re
import shutil
import subprocess

import harness  # pylint: disable=unused-import  # it makes `command` known
from command import build, packages, tree

FOLDER = tree.BUILD / "debian"
# Nobody reads them inside.
LEFT_OUT = ("usr/share/doc", "usr/share/man", "usr/share/info", "usr/share/locale", "usr/share/lintian",
            "usr/share/bug", "usr/share/zoneinfo", "usr/share/bash-completion", "usr/share/zsh", "usr/share/python3",
            "usr/share/doc-base", "usr/share/menu", "usr/share/gitweb", "etc/init.d", "etc/cron.daily",
            "usr/lib/x86_64-linux-gnu/gconv", "usr/lib/x86_64-linux-gnu/perl/5.36.0/CORE",
            "usr/lib/gcc/x86_64-linux-gnu/12/lto1", "usr/bin/x86_64-linux-gnu-lto-dump-12", "usr/share/perl/5.36.0/unicore/Name.pl")
ALTERNATIVES = {"usr/bin/awk": "gawk", "usr/bin/vi": "vim.tiny", "usr/bin/pager": "less", "usr/bin/lua": "lua5.4",
                "usr/bin/cc": "gcc"}
ACCOUNTS = {"etc/passwd": "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
            "etc/group": "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n", "etc/hostname": "baton\n"}


def _output(command, **more):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False, **more)
    if done.returncode != 0:
        raise tree.Failure(f"{' '.join(command[:12])} ended with {done.returncode}: {done.stdout[-2000:]}")
    return done.stdout


def _with_dependencies(names, assumed=()):
    """[(package, version)] of these and of all that they need, as on a machine where only `assumed` are installed."""
    status = FOLDER / "status"
    status.write_text("".join(f"Package: {name}\nStatus: install ok installed\nVersion: 9999\nArchitecture: amd64\n"
                              "Maintainer: none\nDescription: assumed\n\n" for name in assumed), encoding="utf-8")
    text = _output(["apt-get", "install", "-s", "--no-install-recommends", "-o", f"Dir::State::status={status}",
                    "-o", "Debug::NoLocking=1", *names])
    found = re.findall(r"^Inst (\S+) \((\S+) ", text, re.M)
    if not found:
        raise tree.Failure(f"apt-get install -s {' '.join(names)}: nothing to install\n{text[-2000:]}")
    return sorted(found)


def _fetch(wanted):
    """The files of the packages, in the order of `wanted`."""
    kept = FOLDER / "packages"
    kept.mkdir(exist_ok=True)

    def path(name, version):
        found = [one for one in kept.glob(f"{name}_*.deb") if one.name.split("_")[1] == version.replace(":", "%3a")]
        return found[0] if found else None
    missing = [f"{name}={version}" for name, version in wanted if path(name, version) is None]
    if missing:
        with tree.Progress(f"fetching {len(missing)} packages"):
            _output(["apt-get", *packages.RETRIES, "download", "-q", *missing], cwd=kept)
    return [path(name, version) for name, version in wanted]


def _unpack(files, work):
    for file in files:
        _output(["dpkg-deb", "-x", str(file), str(work)])
    for name in LEFT_OUT:
        shutil.rmtree(work / name, ignore_errors=True) if (work / name).is_dir() else (work / name).unlink(missing_ok=True)
    for name, target in ALTERNATIVES.items():
        if (work / "usr/bin" / target).exists():
            (work / name).symlink_to(target)
    for name, text in ACCOUNTS.items():
        (work / name).write_text(text, encoding="utf-8")
    (work / "root").mkdir(exist_ok=True)


def versions(*names, assumed=()):
    """{package: version} of these and of all that they need beside `assumed`."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with build.locked():  # the file of what is taken as installed is one for all
        return dict(_with_dependencies(names, assumed))


def folder(*names, assumed=()):
    """A folder with these packages and all that they need beside `assumed`, for --add FOLDER:/."""
    packages.need({"apt": "apt-get", "dpkg": "dpkg-deb"})
    FOLDER.mkdir(parents=True, exist_ok=True)
    with build.locked():
        wanted = _with_dependencies(names, assumed)
        text = "".join(f"{name} {version}\n" for name, version in wanted)
        mark = hashlib.sha256((text + repr((LEFT_OUT, ALTERNATIVES, ACCOUNTS))).encode()).hexdigest()[:16]
        done = FOLDER / mark
        if not done.exists():
            work = FOLDER / f"{mark}.new"
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir()
            _unpack(_fetch(wanted), work)
            os.rename(work, done)
    return done
