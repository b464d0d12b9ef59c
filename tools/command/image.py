# SPDX-License-Identifier: MIT
"""baton image: the disk image for a USB stick."""
import os
import shutil

from . import boot, build, execute, guest, tree


def command(args):
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
    execute.add_addition(parser)
    execute.add_initrd(parser)
    parser.set_defaults(function=command)
