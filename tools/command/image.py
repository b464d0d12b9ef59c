# SPDX-License-Identifier: MIT
"""baton image: the disk image for a USB stick."""
import os
import shutil

from . import build, tree


def command(args):
    build.ready()
    if args.output and os.path.realpath(args.output) != str(build.IMAGE):
        try:
            shutil.copyfile(build.IMAGE, args.output)
        except OSError as error:
            raise tree.Failure(f"{args.output}: {error.strerror}") from error
    path = args.output or str(build.IMAGE)
    print(f"{path}: {os.path.getsize(path) >> 20} MiB, GPT with one EFI System Partition")
    print(f"the same files, for copying: {build.ESP}")
    print("how to make a stick of it: docs/usb.md")
    return 0


def add(verbs):
    parser = verbs.add_parser(
        "image", help="make a disk image, ready for dd",
        description="Builds the GPT disk image with the EFI System Partition, build/baton.img; "
                    "build/esp/ is the same tree for copying onto a stick.")
    parser.add_argument("-o", dest="output", metavar="FILE", help="put a copy of the image here")
    parser.set_defaults(function=command)
