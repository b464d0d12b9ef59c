# SPDX-License-Identifier: MIT
"""baton image: the disk image for a USB stick."""
import os
import shutil
from pathlib import Path

from . import boot, build, execute, guest, packages, sign, tree


def _digests(args):
    """The section .sha256: what may be used under Secure Boot though it is no part of the signed file."""
    try:
        files = [sign.digest_line(Path(path).read_bytes(), os.path.basename(path)) for path in args.allow]
    except OSError as error:
        raise tree.Failure(f"--allow {error.filename}: {error.strerror}") from error
    return "".join(files + [sign.digest_line(text.encode(), "options") for text in args.allow_options])


def signed(folder, args, more):
    """The disk image with one signed file on it, and nothing else."""
    parts = sign.sections(initrds=(build.INITRD, *more), options=args.cmdline, digests=_digests(args))
    file = Path(folder) / "BOOTX64.EFI"
    sign.unify(folder, file, parts)
    sign.sign(file, *args.sign)
    out = args.output or str(tree.BUILD / "baton-signed.img")
    boot.disk(out, [(str(file), "EFI/BOOT/BOOTX64.EFI")])
    print(f"{out}: {os.path.getsize(out) >> 20} MiB, GPT with one EFI System Partition, on it one signed file: "
          f"\\EFI\\BOOT\\BOOTX64.EFI, {os.path.getsize(file)} bytes")
    print("what is trusted, and how: docs/trust.md")
    return 0


def _signed(args):
    build.ready(needs=(packages.SIGN,))
    with guest.private_folder() as folder:
        return signed(folder, args, [*args.initrd, *boot.added(folder, args.add)])


def command(args):
    if args.sign:
        return _signed(args)
    if args.allow or args.allow_options or args.cmdline:
        raise tree.WrongUse("--allow, --allow-options and --cmdline are for --sign")
    more = args.initrd or args.add
    own = not args.output or os.path.realpath(args.output) == str(build.IMAGE)
    if more and own:
        raise tree.WrongUse("--initrd and --add need -o FILE: build/baton.img stays as it is")
    build.ready()
    if more:
        with guest.private_folder() as folder:
            boot.stick(folder, args.output, [*args.initrd, *boot.added(folder, args.add)])
    elif not own:
        try:
            shutil.copyfile(build.IMAGE, args.output)
        except OSError as error:
            raise tree.Failure(f"{args.output}: {error.strerror}") from error
    path = args.output or str(build.IMAGE)
    print(f"{path}: {os.path.getsize(path) >> 20} MiB, GPT with one EFI System Partition")
    if not more:
        print(f"the same files, for copying: {build.ESP}")
    print("how to make a stick of it: docs/usb.md")
    return 0


def add(verbs):
    parser = verbs.add_parser(
        "image", help="make a disk image, ready for dd",
        description="Builds the GPT disk image with the EFI System Partition, build/baton.img; "
                    "build/esp/ is the same tree for copying onto a stick.")
    parser.add_argument("-o", dest="output", metavar="FILE", help="put a copy of the image here")
    parser.add_argument("--sign", nargs=2, metavar=("KEY", "CERT"),
                        help="one signed file instead (a Unified Kernel Image, by default build/baton-signed.img): loader, "
                             "kernel, initrd and command line; key and certificate in PEM form")
    parser.add_argument("--cmdline", metavar="STR", default="", help="with --sign: the command line in the signed file")
    parser.add_argument("--allow", metavar="F", action="append", default=[],
                        help="with --sign: this kernel, initrd or configuration file may be used from the volume, too")
    parser.add_argument("--allow-options", metavar="STR", action="append", default=[],
                        help="with --sign: these load options may be typed")
    execute.add_addition(parser)
    execute.add_initrd(parser)
    parser.set_defaults(function=command)
