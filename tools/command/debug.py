# SPDX-License-Identifier: MIT
"""baton gdb: boots stopped at reset and attaches gdb, with the symbols of loader and kernel.

The kernel runs where it was linked (nokaslr). The loader runs where the firmware puts it, which is
the same place at every boot of the same machine: a first boot finds it, by looking for the first bytes
of its code in memory once it has said its first line; the second boot is the one that gdb gets.
"""
import argparse
import contextlib
import mmap
import os
import re
import signal
import socket
import struct
import subprocess
import threading
import time

from . import boot, build, firmware, guest, log, packages, tree
from .machine import Machine

LOADER_SYMBOLS = tree.BUILD / "efi-loader" / "BOOTX64.debug.efi"
SIGNATURE = 256  # bytes of code
FIRST_LINE = re.compile(rb"Baton [0-9]+\.")
FIND_SECONDS = 600
SCANNED_MIB = 2048  # the loader lies below 4 GiB, below the hole for devices

EPILOG = """\
gdb starts with breakpoints at loader_main and kernel_start: `continue` goes to them. Whatever comes
after `--` are gdb's own options. The machine's log goes to build/run/gdb.log; leaving gdb ends the
machine. Without --no-loader-symbols the machine is booted once before, to find where the loader lies.
"""


def text_section(data):
    """(preferred base, address relative to it, bytes) of a PE32+'s .text: pure."""
    at = struct.unpack_from("<I", data, 0x3C)[0]
    count, size = struct.unpack_from("<H", data, at + 6)[0], struct.unpack_from("<H", data, at + 20)[0]
    base = struct.unpack_from("<Q", data, at + 24 + 24)[0]
    for i in range(count):
        header = at + 24 + size + 40 * i
        if data[header:header + 8].rstrip(b"\0") == b".text":
            length, address, _, offset = struct.unpack_from("<IIII", data, header + 8)
            return base, address, data[offset:offset + length]
    raise tree.Failure("the loader has no section .text")


def find_code(memory, code, page=4096):
    """Where in memory the code begins, at a page's start; None: nowhere. Pure."""
    at = memory.find(code)
    while at >= 0 and at % page:
        at = memory.find(code, at + 1)
    return at if at >= 0 else None


def _wait_for_loader(qemu):
    record, end = log.Log(), time.monotonic() + FIND_SECONDS
    qemu.com1.settimeout(1)
    while not FIRST_LINE.search(record.data):
        if record.fatal or time.monotonic() > end:
            raise tree.Failure(f"the loader did not start: {record.fatal or 'time-out'}\n{record.tail()}")
        with contextlib.suppress(socket.timeout):
            data = qemu.com1.recv(65536)
            if not data:
                raise tree.Failure(f"the machine ended before the loader started\n{record.tail()}")
            record.feed(data)


def loader_offset(what):
    """What to add to the addresses in the loader's symbols; a boot of its own finds it."""
    base, address, code = text_section(boot.LOADER.read_bytes())
    with guest.private_folder() as folder, guest.Guest(what, folder) as qemu:
        _wait_for_loader(qemu)
        qemu.monitor.command("stop")
        size = min(what.resolved_mem(), SCANNED_MIB) << 20
        dump = folder / "memory"
        qemu.monitor.command("pmemsave", timeout=600, val=0, size=size, filename=str(dump))
        with open(dump, "rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as memory:
            at = find_code(memory, code[:SIGNATURE])
    if at is None:
        raise tree.Failure("the loader's code was not found in memory")
    return at - address - base


def script(offset, sock):
    """gdb's first commands."""
    lines = ["set confirm off", f"directory {tree.ROOT}", f"file {build.KERNEL}"]
    if offset is not None:
        lines.append(f"add-symbol-file {LOADER_SYMBOLS} -o {offset:#x}")
    lines += ["set architecture i386:x86-64", "set remotetimeout 600", f"target remote {sock}"]
    if offset is not None:
        lines.append("tbreak loader_main")
    return "\n".join([*lines, "tbreak kernel_start", ""])


def _pump(qemu, record):
    with contextlib.suppress(OSError):
        while data := qemu.com1.recv(65536):
            record.feed(data)


def _debug(what, folder, offset, words):
    sock = os.path.relpath(folder / "gdb.sock")
    what.stopped = True
    what.extra = ["-chardev", f"socket,id=gdb,path={sock},server=on,wait=off", "-gdb", "chardev:gdb"]
    commands = folder / "gdb.commands"
    commands.write_text(script(offset, sock), encoding="utf-8")
    record = log.Log(tree.run_folder() / "gdb.log")
    with guest.Guest(what, folder) as qemu:
        threading.Thread(target=_pump, args=(qemu, record), daemon=True).start()
        qemu.monitor.command("query-status")  # QEMU has opened its sockets
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is gdb's
        try:
            code = subprocess.run(["gdb", "-q", "-x", str(commands), *words], check=False,
                                  preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)).returncode
        finally:
            signal.signal(signal.SIGINT, before)
        qemu.quit()
    record.close()
    return code


def command(args):
    build.ready(*build.BOOT, "efi-loader/BOOTX64.debug.efi", needs=[packages.RUN, packages.GDB])
    words = args.gdb[1:] if args.gdb[:1] == ["--"] else args.gdb
    with guest.private_folder() as folder:
        what = Machine(image=boot.image(folder, f"nokaslr {args.cmdline}"), firmware=args.firmware,
                       cpus=args.cpus, mem=args.mem)
        offset = None
        if not args.no_loader_symbols:
            with tree.Progress("looking where the firmware puts the loader"):
                offset = loader_offset(what)
            tree.say(f"the loader lies at {offset + text_section(boot.LOADER.read_bytes())[0]:#x}")
        return _debug(what, folder, offset, words)


def add(verbs):
    parser = verbs.add_parser("gdb", help="boot stopped, attach gdb with all symbols", epilog=EPILOG,
                              description="Boots stopped at reset and attaches gdb, with the symbols "
                                          "of loader and kernel.",
                              formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cpus", type=tree.positive, metavar="N", help="default 2")
    parser.add_argument("--mem", type=tree.positive, metavar="MIB", help="default 512")
    parser.add_argument("--firmware", metavar="NAME|FILE", default=firmware.DEFAULT,
                        help=f"{', '.join(firmware.NAMED)}, or a file; default %(default)s")
    parser.add_argument("--cmdline", metavar="STR", default="", help="added to the kernel command line")
    parser.add_argument("--no-loader-symbols", action="store_true", help="do not boot twice")
    parser.add_argument("gdb", nargs=argparse.REMAINDER, metavar="-- GDB-OPTION",
                        help="options for gdb")
    parser.set_defaults(function=command)
