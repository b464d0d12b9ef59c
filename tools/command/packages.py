# SPDX-License-Identifier: MIT
"""What Baton needs of Debian 12, known by the commands and files that the packages give."""
import fcntl
import os
import shutil
import subprocess

from . import program, tree

# package: a command, the path of a file, or `static:` and the path of a program without interpreter.
BUILD = {
    "meson": "meson",
    "ninja-build": "ninja",
    "gcc": "gcc",
    "binutils": "ld",
    "libc6-dev": "/usr/include/stdio.h",
    "linux-libc-dev": "/usr/include/linux/version.h",
    "musl-tools": "musl-gcc",
    "gnu-efi": "/usr/include/efi/efi.h",
    "busybox-static": "static:/bin/busybox",
    "ncurses-base": "/lib/terminfo/l/linux",
    "console-setup-linux": "/usr/share/consolefonts/Uni2-Terminus16.psf.gz",
    "console-setup": "ckbcomp",
    "mtools": "mcopy",
}
RUN = {
    "qemu-system-x86": "qemu-system-x86_64",
    "ovmf": "/usr/share/OVMF/OVMF_CODE_4M.fd",
}
TEST = {
    "u-boot-qemu": "/usr/lib/u-boot/qemu-x86_64/u-boot.rom",
    "dosfstools": "mkfs.fat",
    "cpio": "cpio",
    "gdisk": "sgdisk",
    "clang": "clang",
    "clang-format": "clang-format",
    "gdb": "gdb",
    "strace": "strace",
    "zbar-tools": "zbarimg",
    "fd-find": "fdfind",
    "python3": "/usr/bin/python3",
    "sbsigntool": "sbsign",
    "swtpm": "swtpm",
}
SIGN = {"sbsigntool": "sbsign"}
GDB = {"gdb": "gdb"}
SCREEN = {"qemu-system-gui": "/usr/lib/x86_64-linux-gnu/qemu/ui-gtk.so"}
UBOOT = {"u-boot-qemu": TEST["u-boot-qemu"]}

# Of apt-get: an archive's server may be busy.
RETRIES = ["-o", "Acquire::Retries=5"]
SBIN = ("/usr/sbin", "/sbin", "/usr/local/sbin")


def find(command):
    """The path of a command, also where only root's PATH looks; None: not there."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *SBIN])
    return shutil.which(command, path=path)


def is_there(probe):
    if probe.startswith("static:"):
        path = probe.partition(":")[2]
        return os.path.exists(path) and program.interpreter(path) is None
    return os.path.exists(probe) if probe.startswith("/") else find(probe) is not None


def missing(*sets):
    return sorted({package for needed in sets for package, probe in needed.items()
                   if not is_there(probe)})


def _as_root():
    """The words before a command that make it run as root; None: there is no way."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               check=False).returncode == 0:
        return [sudo, "-n"]
    return None


def need(*sets):
    """Installs what is missing; without the right to, says the line to run. One at a time, as apt has it."""
    if not missing(*sets):
        return
    tree.BUILD.mkdir(parents=True, exist_ok=True)
    with open(tree.BUILD / ".packages-lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _install(missing(*sets))
    left = missing(*sets)
    if left:
        raise tree.Failure("apt-get installed them, yet their files are not there: "
                           + ", ".join(left))


def _install(names):
    if not names:  # somebody else has, meanwhile
        return
    words = ["install", "-y", "--no-install-recommends", *names]
    install = ["apt-get", *RETRIES, "-o", "DPkg::Lock::Timeout=600", *words]
    line = "apt-get update && apt-get " + " ".join(words)
    root = _as_root()
    if root is None or shutil.which("apt-get") is None:
        raise tree.Failure(f"Debian packages are missing: {' '.join(names)}. As root, run:\n{line}")
    tree.say("installing Debian packages: " + " ".join(names))
    with tree.Progress("installing"):
        for command in (["apt-get", *RETRIES, "update", "-q"], ["env", "DEBIAN_FRONTEND=noninteractive", *install]):
            done = subprocess.run(root + command, stdin=subprocess.DEVNULL, text=True, check=False,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if done.returncode != 0:
                raise tree.Failure(f"{' '.join(command)} ended with {done.returncode}:\n"
                                   f"{done.stdout[-2000:]}\nAs root, run:\n{line}")
