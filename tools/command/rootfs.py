# SPDX-License-Identifier: MIT
"""baton rootfs: a cpio of Debian packages and what they depend on, to be booted as a further initrd.

apt resolves and downloads them with the lists of this host and a state of its own under build/rootfs/, in which
nothing is installed but what only maintainer scripts need. Packages are unpacked, never installed: no maintainer
script runs. What of their work programs need is done here: update-alternatives' links; PAM's common files; each command both in /bin
and /usr/bin (a Debian system has one folder for the two); C.UTF-8, which libc-bin brings. There is no
ld.so.cache: Debian's libraries lie where its loader looks anyway.
"""
import argparse
import contextlib
import fcntl
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

from . import boot, packages, tree

sys.path.insert(0, str(tree.ROOT / "tools"))
import mkcpio  # pylint: disable=wrong-import-position

FOLDER = tree.BUILD / "rootfs"
OUT = tree.BUILD / "rootfs.cpio"
NEEDS = {"apt": "apt-get", "dpkg": "dpkg-deb"}
# Essential, so nobody depends on them; with what they go along.
ALONG = {"libc6": ["libc-bin"], "libtinfo6": ["ncurses-base"], "libpam0g": ["libpam-modules", "libpam-runtime"]}
# Taken as there: only maintainer scripts call them, or the initrd has its own.
ASSUMED = ("adduser", "debconf", "dpkg", "init-system-helpers", "install-info", "lsb-base", "sysvinit-utils", "ucf")
LEFT_OUT = re.compile(r"usr/share/(?:doc|man|info|locale|lintian|bug|doc-base|menu)(?:/|$)")
# What pam-auth-update would write. There are no passwords to begin with, so nobody's account has run out.
PAM = {"auth": "auth required pam_unix.so nullok", "account": "account required pam_permit.so",
       "password": "password required pam_unix.so nullok", "session": "session required pam_unix.so",
       "session-noninteractive": "session required pam_unix.so"}
FOLDERS = (("bin", "usr/bin"), ("sbin", "usr/sbin"))  # one and the same on a Debian system

EPILOG = """\
The archive goes along with the boot by --initrd, behind Baton's own:
    tools/baton rootfs bash coreutils python3
    tools/baton exec --initrd build/rootfs.cpio bash -c 'ls --version | head -1'
    tools/baton run --initrd build/rootfs.cpio
"""


def _run(command, **more):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", check=False, **more)
    if done.returncode != 0:
        raise tree.Failure(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout[-2000:].rstrip()}")
    return done.stdout


@contextlib.contextmanager
def _alone():
    """One at a time: apt's state and the downloads are the same for all."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with open(FOLDER / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _apt():
    """apt-get's words for the state of its own; the downloads are kept."""
    for name in ("cache/partial", "state"):
        (FOLDER / name).mkdir(parents=True, exist_ok=True)
    (FOLDER / "state/status").write_text("".join(
        f"Package: {name}\nStatus: install ok installed\nVersion: 9999\nArchitecture: all\nMulti-Arch: foreign\n"
        f"Maintainer: none\nDescription: assumed\n\n" for name in ASSUMED), encoding="ascii")
    return ["apt-get", *packages.RETRIES, "-q", "-o", f"Dir::State::status={FOLDER}/state/status",
            "-o", f"Dir::State::extended_states={FOLDER}/state/extended", "-o", f"Dir::Cache::archives={FOLDER}/cache",
            "-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User=", "-o", "APT::Install-Recommends=false"]


def _resolve(apt, names):
    """(package, version) of all that is needed, in the order of apt."""
    return re.findall(r"^Inst (\S+) \((\S+)", _run([*apt, "-s", "install", *names]), re.M)


def fetch(names):
    """Paths of the packages' files, downloaded where they are not there yet."""
    with _alone():
        apt = _apt()
        more = [extra for name, _ in _resolve(apt, names) for extra in ALONG.get(name, ())]
        names = [*names, *(name for name in more if name not in names)]
        planned = _resolve(apt, names)
        if any(not list((FOLDER / "cache").glob(_file(*each))) for each in planned):
            _run([*apt, "-y", "--download-only", "install", *names])
    return [path for each in planned for path in (FOLDER / "cache").glob(_file(*each))]


def _file(name, version):
    return f"{name}_{version.replace(':', '%3a')}_*.deb"


def alternatives(script):
    """[(link, name, path, priority)] that a maintainer script's update-alternatives makes, slaves with their
    master's priority: pure. A loop over words is gone through; what else holds a variable is left out."""
    script = script.replace("\\\n", " ")

    def unroll(loop):
        words, body = loop[2].split(), loop[3]
        return "\n".join(re.sub(r"\$(?:%s\b|\{%s\})" % (loop[1], loop[1]), lambda _, word=word: word, body)
                         for word in words)

    script = re.sub(r"\bfor\s+(\w+)\s+in\s+([^;\n]+?)\s*[;\n]\s*do\b(.*?)\bdone\b", unroll, script, flags=re.S)
    found = []
    for line in script.splitlines():
        for link, name, path, priority, rest in re.findall(
                r"--install\s+(\S+)\s+(\S+)\s+(\S+)\s+(\d+)(.*)", line):
            slaves = re.findall(r"--slave\s+(\S+)\s+(\S+)\s+(\S+)", rest)
            found += [(*words, int(priority)) for words in [(link, name, path), *slaves]]
    found = [tuple(word.strip("\"'") if isinstance(word, str) else word for word in each) for each in found]
    return [each for each in found if not any("$" in str(word) for word in each)]


def _gather(archive, root, seen):
    """Puts an unpacked package into the archive, with its modes; a second hard link becomes a symbolic one."""
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(folders + files):
            host = os.path.join(folder, name)
            guest, info = os.path.relpath(host, root), os.lstat(host)
            if LEFT_OUT.match(guest):
                continue
            if stat.S_ISLNK(info.st_mode):
                archive.symlink(os.readlink(host), guest)
            elif stat.S_ISDIR(info.st_mode):
                archive.directory(guest, stat.S_IMODE(info.st_mode))
            elif stat.S_ISREG(info.st_mode):
                first = seen.setdefault((info.st_dev, info.st_ino), guest)
                if first == guest:
                    archive.file(host, guest, stat.S_IMODE(info.st_mode))
                else:
                    archive.symlink("/" + first, guest)


def _exists(archive, path):
    return mkcpio.clean(path) in archive.entries


def link_alternatives(archive, wanted):
    """The links of the highest priority, by way of /etc/alternatives, for what is in the archive."""
    best = {}
    for link, name, path, priority in wanted:
        if _exists(archive, path) and priority > best.get(link, ("", "", -1))[2]:
            best[link] = (name, path, priority)
    for link, (name, path, _) in best.items():
        if not _exists(archive, link):
            archive.symlink(path, f"/etc/alternatives/{name}")
            archive.symlink(f"/etc/alternatives/{name}", link)


def configure_pam(archive):
    """The files that the services of /etc/pam.d include, where PAM's modules are in the archive."""
    if any(name.endswith("/security/pam_unix.so") for name in archive.entries):
        for name, line in PAM.items():
            if not _exists(archive, f"/etc/pam.d/common-{name}"):
                archive.data(line.encode() + b"\n", f"/etc/pam.d/common-{name}")


def link_folders(archive):
    """Each command of /bin in /usr/bin, and so on, where there is none of that name."""
    for path in list(archive.entries):
        folder, _, name = path.rpartition("/")
        for pair in (*FOLDERS, *(pair[::-1] for pair in FOLDERS)):
            if folder == pair[0] and f"{pair[1]}/{name}" not in archive.entries:
                archive.symlink("/" + path, f"/{pair[1]}/{name}")


def make(names, out):
    """Writes the archive of the packages; how many packages are in it."""
    packages.need(NEEDS)
    paths = fetch(names)
    archive, wanted, seen = mkcpio.Archive(), [], {}
    work = Path(tempfile.mkdtemp(prefix="unpacked-", dir=FOLDER))
    try:
        for path in paths:
            root, control = work / path.stem / "root", work / path.stem / "control"
            root.mkdir(parents=True)
            _run(["dpkg-deb", "-x", str(path), str(root)])
            _run(["dpkg-deb", "-e", str(path), str(control)])
            _gather(archive, root, seen)
            script = control / "postinst"
            if script.exists():
                wanted += alternatives(script.read_text(encoding="utf-8", errors="replace"))
        link_alternatives(archive, wanted)
        configure_pam(archive)
        link_folders(archive)
        boot.write_archive(archive, out)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return len(paths)


def command(args):
    out = Path(args.out)
    with tree.Progress("making " + out.name):
        count = make(args.packages, out)
    tree.say(f"{out}: {count} packages, {out.stat().st_size >> 20} MiB; use it with run or exec --initrd {out}")
    return 0


def package(text):
    if not re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", text):
        raise argparse.ArgumentTypeError(f"{text!r}: expected the name of a Debian package")
    return text


def add(verbs):
    parser = verbs.add_parser(
        "rootfs", help="an initrd of Debian packages", epilog=EPILOG,
        description="Makes a cpio archive of Debian packages and their dependencies.",
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", dest="out", metavar="F", default=os.path.relpath(OUT),
                        help="the archive, default build/rootfs.cpio")
    parser.add_argument("packages", nargs="+", metavar="PACKAGE", type=package)
    parser.set_defaults(function=command)
