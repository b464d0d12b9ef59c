# SPDX-License-Identifier: MIT
"""Debian's source packages, fetched when a test first needs them and unpacked under build/.

A plain Debian has no deb-src lines and the lists of apt belong to root, so a source list of our own is used: the host's
Debian archives, as apt itself names them, with lists, cache and state in a private folder. What comes is checked by
apt against Debian's key.
"""
import re
import shutil
import subprocess

from . import build, packages, tree

FOLDER = tree.BUILD / "sources"
KEY = "/usr/share/keyrings/debian-archive-keyring.gpg"
NEEDS = {"apt": "apt-get", "dpkg-dev": "dpkg-source", "xz-utils": "xz", "bzip2": "bzip2", "patch": "patch",
         "debian-archive-keyring": KEY}
LINE = f"deb-src [signed-by={KEY}] $(SITE) $(RELEASE) $(COMPONENT)"


def run(command, **more):
    """The output of a command; Failure with its end when it fails."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", check=False, **more)
    if done.returncode != 0:
        raise tree.Failure(f"{' '.join(map(str, command))} ended with {done.returncode}: {done.stdout[-2000:]}")
    return done.stdout


def version_of(package):
    """The version of the source that an installed package was built from; None: it is not installed."""
    done = subprocess.run(["dpkg-query", "-W", "-f", "${source:Version}", package], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return done.stdout if done.returncode == 0 and done.stdout else None


def _options():
    """apt-get's words for the private list, which is written and read anew."""
    private = FOLDER / "apt"
    (private / "cache" / "archives" / "partial").mkdir(parents=True, exist_ok=True)
    (private / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    lines = run(["apt-get", "indextargets", "--format", LINE, "Created-By: Packages", "Origin: Debian"])
    (private / "sources.list").write_text(lines, encoding="utf-8")
    settings = {"Dir::Etc::SourceList": private / "sources.list", "Dir::Etc::SourceParts": "/dev/null",
                "Dir::State::Lists": private / "lists", "Dir::Cache": private / "cache", "APT::Sandbox::User": "root"}
    words = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    run(["apt-get", *packages.RETRIES, *words, "-q", "update"])
    return words


def fetch(source, version):
    """The folder of the unpacked source, with Debian's patches."""
    packages.need(NEEDS)
    # A Debian version may have `:`, `+` and `~`.
    target = FOLDER / re.sub(r"[^\w.+-]", "_", f"{source}-{version}")
    with build.locked():
        if target.exists():
            return target
        work = FOLDER / f"{source}.new"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        with tree.Progress(f"fetching the source of {source} {version}"):
            run(["apt-get", *packages.RETRIES, *_options(), "-q", "source", "--download-only", f"{source}={version}"], cwd=work)
            found = list(work.glob("*.dsc"))
            if len(found) != 1:
                raise tree.Failure(f"apt-get source {source}={version}: {len(found)} files .dsc came, expected 1")
            run(["dpkg-source", "--no-check", "-x", str(found[0]), str(work / "tree")], cwd=work)
        (work / "tree").rename(target)
        shutil.rmtree(work)
    return target
