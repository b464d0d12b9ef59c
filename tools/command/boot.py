# SPDX-License-Identifier: MIT
"""Boot media of one run: the built ESP with another entry, and further initrds."""
import sys
from pathlib import Path

from . import build, program, tree

sys.path.insert(0, str(tree.ROOT / "tools"))
import mkcpio  # pylint: disable=wrong-import-position
import mkimage  # pylint: disable=wrong-import-position

LOADER = build.ESP / "EFI" / "BOOT" / "BOOTX64.EFI"
LARGE = 64  # MiB
KERNEL = build.ESP / "baton" / "kernel.elf"


def entry(options, initrds=("/baton/initrd.cpio",), title="Baton"):
    """A boot entry in the syntax of the Boot Loader Specification."""
    if any(c in options for c in "\n\r\0"):
        raise tree.Failure(f"the command line {options!r} holds a line's end")
    lines = [f"title {title}", "kernel /baton/kernel.elf", *(f"initrd {path}" for path in initrds)]
    if options.strip():
        lines.append(f"options {options.strip()}")
    return "\n".join(lines) + "\n"


def write_archive(archive, path):
    path = Path(path)
    try:
        with open(path, "wb") as out:
            archive.write(out, mkcpio.epoch())
    except (mkcpio.CpioError, OSError) as error:
        raise tree.Failure(f"the archive {path.name}: {error}") from error
    return path


def added(folder, adds):
    """[the archive with what --add names], or nothing where it names nothing."""
    if not adds:
        return []
    archive = mkcpio.Archive()
    for text in adds:
        program.add_option(archive, text)
    return [write_archive(archive, Path(folder) / "added.cpio")]


def grow(machine, archives):
    """Where --mem does not say how much: memory for further initrds, which lie in it for good."""
    size = sum(Path(path).stat().st_size for path in archives) >> 20
    if machine.mem is None and size >= LARGE:
        machine.mem = machine.resolved_mem() + 2 * size


def image(folder, options, more=(), free=0, kernel=KERNEL, loader=LOADER, initrd=build.INITRD):
    """A disk image in `folder` that boots straight into `options`; `more`: paths of further initrds;
    kernel, loader, initrd: others than those built (initrd None: none)."""
    folder = Path(folder)
    files = [(loader, "EFI/BOOT/BOOTX64.EFI"), (kernel, "baton/kernel.elf"),
             (initrd, "baton/initrd.cpio"), *((path, f"baton/more{i}.cpio") for i, path in enumerate(more))]
    items = [(str(host), guest) for host, guest in files if host is not None]
    initrds = ["/" + guest for _, guest in items if guest.endswith(".cpio")]
    for name, text in (("loader.conf", "timeout 0\ndefault run.conf\n"),
                       ("run.conf", entry(options, initrds))):
        (folder / name).write_text(text, encoding="utf-8")
    items += [(str(folder / "loader.conf"), "loader/loader.conf"),
              (str(folder / "run.conf"), "loader/entries/run.conf")]
    try:
        mkimage.make(str(folder / "disk.img"), items, free)
    except (mkimage.ImageError, OSError) as error:
        raise tree.Failure(f"the boot image: {error}") from error
    return folder / "disk.img"


def disk(out, items):
    """The disk image `out` with these (host, guest) files."""
    try:
        mkimage.make(str(out), items)
    except (mkimage.ImageError, OSError) as error:
        raise tree.Failure(f"the image {out}: {error}") from error


def stick(folder, out, more):
    """The disk image `out`: the built ESP, each of its entries with the further initrds `more`."""
    folder = Path(folder)
    names = [f"baton/more{i}.cpio" for i in range(len(more))]
    items = [*zip(map(str, more), names)]
    for path in (path for path in build.ESP.rglob("*") if path.is_file()):
        inside = path.relative_to(build.ESP)
        if inside.parts[:2] == ("loader", "entries"):
            text = path.read_text(encoding="utf-8").rstrip("\n") + "".join(f"\ninitrd /{name}" for name in names) + "\n"
            path = folder / inside.name
            path.write_text(text, encoding="utf-8")
        items.append((str(path), str(inside)))
    disk(out, items)
