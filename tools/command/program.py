# SPDX-License-Identifier: MIT
"""What a program from the host needs in the initrd: itself, its interpreter, its libraries."""
import os
import re
import shutil
import struct
import subprocess
import sys

from . import channel, tree

sys.path.insert(0, str(tree.ROOT / "tools"))
import mkcpio  # pylint: disable=wrong-import-position

ENVIRONMENT = {"HOME": "/", "PATH": "/bin:/sbin:/usr/bin:/usr/sbin", "TERM": "linux"}
PT_INTERP = 3


def find(name):
    """The host's file for PROGRAM: a path when it has a `/`, otherwise looked up in PATH; NoProgram."""
    path = name if "/" in name else shutil.which(name)
    if path is None:
        raise tree.NoProgram(f"{name}: no such program in PATH (a file here is ./{name})")
    if not os.path.exists(path):
        raise tree.NoProgram(f"{name}: no such file")
    for holds, what in ((os.path.isfile(path), "is no file"), (os.access(path, os.R_OK), "cannot be read"),
                        (os.access(path, os.X_OK), "is not executable (chmod +x)")):
        if not holds:
            raise tree.NoProgram(f"{name}: {what}", tree.EXIT_NO_EXEC)
    return path


def interpreter(path):
    """PT_INTERP of an ELF64; None: static, or no ELF. Pure but for reading the file."""
    with open(path, "rb") as f:
        head = f.read(64)
        if len(head) < 64 or head[:5] != b"\x7fELF\x02":
            return None
        table, size, count = (struct.unpack_from("<Q", head, 32)[0],
                              *struct.unpack_from("<HH", head, 54))
        if size < 56:
            return None
        for index in range(count):
            f.seek(table + index * size)
            entry = f.read(56)
            if len(entry) < 56:
                return None
            kind, _, offset, _, _, length = struct.unpack_from("<IIQQQQ", entry)
            if kind == PT_INTERP and 1 < length <= 4096:
                f.seek(offset)
                return f.read(length).split(b"\0")[0].decode("utf-8", "surrogateescape")
    return None


def parse_ldd(text):
    """ldd's lines -> ([paths of libraries], [names not found])."""
    found, lost = [], []
    for line in text.splitlines():
        line = line.strip()
        if m := re.match(r"(\S+) => not found", line):
            lost.append(m[1])
        elif m := re.match(r"(?:\S+ => )?(/\S.*?) \(0x[0-9a-f]+\)$", line):
            found.append(m[1])
    return found, lost


def libraries(path):
    """Interpreter and libraries of a dynamic program as host paths; [] for a static one."""
    loader = interpreter(path)
    if loader is None:
        return []
    done = subprocess.run(["ldd", path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False,
                          env={**os.environ, "LC_ALL": "C"})
    found, lost = parse_ldd(done.stdout)
    if lost or done.returncode != 0:
        raise tree.Failure(f"{path}: ldd finds not all it needs: "
                           + (", ".join(lost) or done.stdout.strip()))
    return list(dict.fromkeys([loader, *found]))


def addition(text):
    """--add HOST[:GUEST] -> (host, guest); GUEST is /NAME without, and a folder to put it into with a `/` at its end."""
    host, _, guest = text.partition(":")
    if not os.path.lexists(host):
        raise tree.WrongUse(f"{text!r}: {host!r}: no such file; expected HOST[:GUEST]")
    name = os.path.basename(os.path.normpath(host))
    if not guest:
        guest = "/" + name
    elif guest.endswith("/") and guest.strip("/"):
        guest += name
    try:
        mkcpio.clean(guest)
    except mkcpio.CpioError as error:
        raise tree.WrongUse(f"{text!r}: {error}") from error
    return host, guest


def add_option(archive, text):
    """Puts what one --add names into the archive."""
    host, guest = addition(text)
    try:
        archive.tree(host, guest)
    except (mkcpio.CpioError, OSError) as error:
        raise tree.WrongUse(f"--add {text}: {error}") from error


def setting(text):
    """--env K=V -> (name, value)."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise tree.WrongUse(f"{text!r}: expected NAME=VALUE")
    return name, value


def environment(options):
    """--env K=V over the defaults, in order."""
    return list({**ENVIRONMENT, **dict(map(setting, options))}.items())


def initrd(text):
    """--initrd F: a file that can be read."""
    if not os.path.isfile(text) or not os.access(text, os.R_OK):
        raise tree.WrongUse(f"{text!r}: expected a cpio archive; `baton rootfs` makes one")


def inside(name, initrds):
    """The guest's path of PROGRAM when an archive of --initrd holds it: a path, or a name in a folder of
    programs; None: no archive does. Archives that mkcpio has not made are not looked into."""
    wanted = [name] if "/" in name else [f"{folder}/{name}" for folder in ENVIRONMENT["PATH"].split(":")]
    for path in initrds:
        try:
            with open(path, "rb") as file:
                names = set(mkcpio.names(file.read()))
        except mkcpio.CpioError:
            continue
        for guest in wanted:
            if guest.startswith("/") and os.fsencode(guest.strip("/")) in names:
                return guest
    return None


def archive_for(program, arguments, adds=(), env=(), tty=False, init=False, trace=False, guest=None):
    """The cpio archive with program, libraries, additions and the specification; `guest`: the program's path
    where it is in the guest anyway."""
    path = None if guest else find(program)
    guest = guest or "/bin/" + os.path.basename(path)
    archive = mkcpio.Archive()
    for text in adds:
        add_option(archive, text)
    try:
        if path:
            archive.file(path, guest, 0o755)
        for library in libraries(path) if path else ():
            archive.file(library, library)
    except mkcpio.CpioError as error:
        raise tree.Failure(str(error)) from error
    archive.data(channel.spec(guest, [guest, *arguments], environment(env), tty, init, trace),
                 channel.SPEC_PATH)
    return archive
