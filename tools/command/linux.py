# SPDX-License-Identifier: MIT
"""Debian's kernel as the reference: fetched as a package, unpacked under build/, never installed.

It is started through its EFI stub: OVMF takes kernel, initrd and command line from fw_cfg (QEMU's
-kernel). The runner in our initrd is the same program; on Linux it carries the frames in user space,
over /dev/ttyS1.
"""
import re
import shutil
import subprocess

from . import build, channel, packages, tree

META = "linux-image-cloud-amd64"
FOLDER = tree.BUILD / "linux"
MODULES = ("efivarfs",)  # kept beside the kernel, for scenarios that ask for them


def _output(command, **more):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, **more)
    if done.returncode != 0:
        raise tree.Failure(f"{' '.join(command)} ended with {done.returncode}: {done.stdout.strip()}")
    return done.stdout


def package_name():
    """The package with the kernel that the meta-package means now."""
    shown = _output(["apt-cache", "show", "--no-all-versions", META])
    found = re.search(r"^Depends:.*?\b(linux-image-[0-9][^ ,]*-cloud-amd64)", shown, re.M)
    if found is None:
        raise tree.Failure(f"apt-cache show {META}: no kernel package in its Depends")
    return found[1]


def _fetch():
    packages.need({"apt": "apt-get", "dpkg": "dpkg-deb", "apt-utils": "apt-cache"})
    name = package_name()
    work = FOLDER.with_name("linux.new")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    with tree.Progress(f"fetching {name}"):
        _output(["apt-get", *packages.RETRIES, "download", "-q", name], cwd=work)
        found = list(work.glob("*.deb"))
        if len(found) != 1:
            raise tree.Failure(f"apt-get download {name}: {len(found)} packages came, expected 1")
        _output(["dpkg-deb", "-x", str(found[0]), str(work / "root")])
    version = _output(["dpkg-deb", "-f", str(found[0]), "Package", "Version"])
    kernels = list((work / "root" / "boot").glob("vmlinuz-*"))
    if len(kernels) != 1:
        raise tree.Failure(f"{found[0].name}: {len(kernels)} files boot/vmlinuz-*, expected 1")
    shutil.copyfile(kernels[0], work / "vmlinuz")
    (work / "modules").mkdir()
    for name in MODULES:
        for path in (work / "root").glob(f"lib/modules/*/kernel/**/{name}.ko"):
            shutil.copyfile(path, work / "modules" / path.name)
    (work / "version").write_text(" ".join(re.findall(r": (.*)", version)) + "\n", encoding="utf-8")
    shutil.rmtree(work / "root")  # 100 MB of modules that nobody else asks for
    found[0].unlink()
    shutil.rmtree(FOLDER, ignore_errors=True)
    work.rename(FOLDER)


def kernel():
    """The path of vmlinuz, fetched at the first time."""
    path, last = FOLDER / "vmlinuz", FOLDER / "modules"
    if not path.exists() or not last.exists():
        with build.locked():
            if not path.exists() or not last.exists():
                _fetch()
    return path


def module(name):
    """The path of one of MODULES; None: it is part of the kernel."""
    kernel()
    path = FOLDER / "modules" / f"{name}.ko"
    return path if path.exists() else None


def version():
    """Package and version of the kernel, for records."""
    kernel()
    return (FOLDER / "version").read_text(encoding="utf-8").strip()


def boot(machine, folder, more, options):
    """Fills in the machine: Debian's kernel, our initrd with the archives `more` after it."""
    if machine.firmware == "uboot":
        raise tree.Failure("--on linux --firmware uboot: U-Boot does not take QEMU's -kernel")
    initrd = folder / "initrd.cpio"
    with open(initrd, "wb") as out:
        for part in (build.INITRD, *more):
            with open(part, "rb") as source:
                shutil.copyfileobj(source, out, 1 << 20)
    machine.extra += ["-kernel", str(kernel()), "-initrd", str(initrd), "-append", options]


def prepare(request, folder, more):
    """The machine of `exec`: the runner is process 1."""
    options = f"console=ttyS0 rdinit={channel.RUNNER_PATH} {request.cmdline}".strip()
    boot(request.machine, folder, more, options)
