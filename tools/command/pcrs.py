# SPDX-License-Identifier: MIT
"""baton pcrs: what a boot from an ESP will leave in the TPM's PCRs.

Only what the loader measures is told: PCR 9 (files read), 11 (the sections of a signed file), 12 (the command line), as
UAPI.7, the Linux TPM PCR registry, shares them out. What the firmware measures, PCR 0 to 7, depends on the firmware.
"""
import fnmatch
import hashlib
import json
import subprocess
from pathlib import Path

from . import boot, guest, sign, tree

BANKS = ("sha1", "sha256", "sha384", "sha512")
FILES, OWN_FILE, OPTIONS = 9, 11, 12
# UAPI.5's order; .pcrsig is not measured.
SECTIONS = (".linux", ".osrel", ".cmdline", ".initrd", ".ucode", ".splash", ".dtb", ".uname", ".sbat", ".pcrpkey")
LOADER, CONF, ENTRIES = "EFI/BOOT/BOOTX64.EFI", "loader/loader.conf", "loader/entries"
DEFAULTS = {"kernel": ["/baton/kernel.elf"], "initrd": ["/baton/initrd.cpio"]}


class Pcrs:
    """PCRs that begin with zeros, and what went into them."""

    def __init__(self):
        self.events = []  # (PCR, name, bytes)

    def extend(self, pcr, name, data):
        self.events.append((pcr, name, data))

    def value(self, pcr, bank):
        state = bytes(hashlib.new(bank).digest_size)
        for number, _, data in self.events:
            if number == pcr:
                state = hashlib.new(bank, state + hashlib.new(bank, data).digest()).digest()
        return state.hex()


class Esp:
    """A folder read as FAT reads it: case is nothing."""

    def __init__(self, root):
        self.root = Path(root)

    def find(self, path):
        """The path on the host; None: it is not there."""
        at = self.root
        for part in filter(None, path.replace("\\", "/").split("/")):
            names = [entry for entry in at.iterdir() if entry.name.lower() == part.lower()] if at.is_dir() else []
            if not names:
                return None
            at = names[0]
        return at

    def read(self, path):
        found = self.find(path)
        if found is None or not found.is_file():
            raise tree.Failure(f"{self.root}: {path}: no such file")
        return found.read_bytes()

    def names(self, path):
        found = self.find(path)
        return sorted(entry.name for entry in found.iterdir()) if found else []


def _lines(data):
    """(key, value) of the Boot Loader Specification's syntax."""
    for line in data.decode("utf-8-sig").splitlines():
        key, _, value = line.strip().replace("\t", " ").partition(" ")
        if key and not key.startswith("#"):
            yield key, value.strip()


def _entry_name(esp, conf):
    """The entry that boots when nobody chooses; None: there is none."""
    names = [name for name in esp.names(ENTRIES) if name.lower().endswith(".conf")
             and any(key == "kernel" for key, _ in _lines(esp.read(f"{ENTRIES}/{name}")))]
    default = conf.get("default")
    if default is None:
        return names[0] if names else None
    for name in names:
        if any(fnmatch.fnmatchcase(name.lower(), pattern.lower()) for pattern in (default, default + ".conf")):
            return name
    raise tree.Failure(f"{CONF}: `default {default}` names no entry")


def _guest_path(path):
    return "\\" + path.replace("/", "\\").lstrip("\\")


def _chosen(esp, pcrs, entry):
    """{kernel, initrd, options: [values]} of the entry; what is read for it is measured."""
    conf = {}
    if esp.find(CONF):
        pcrs.extend(FILES, _guest_path(CONF), esp.read(CONF))
        conf = dict(_lines(esp.read(CONF)))
    name = entry or _entry_name(esp, conf)
    if name is None:
        return dict(DEFAULTS)
    path = f"{ENTRIES}/{name}"
    if not esp.find(path):
        path += ".conf"
    pcrs.extend(FILES, _guest_path(path), esp.read(path))
    chosen = {}
    for key, value in _lines(esp.read(path)):
        chosen.setdefault(key, []).append(value)
    return chosen


def _words(options):
    """The loader's own words in the command line: those before `--`."""
    for word in options.split():
        if word == "--":
            return
        yield word.partition("=")[::2]


def predict(esp, entry=None, typed=""):
    """Pcrs after the boot of this Esp; typed: load options."""
    pcrs = Pcrs()
    own = sign.Pe(esp.read(LOADER))
    parts = [own.section(".cmdline").decode().rstrip("\n\0")] if own.section(".cmdline") else []
    unified = own.section(".linux") is not None
    if unified:
        for name in SECTIONS:
            if own.section(name) is not None:
                pcrs.extend(OWN_FILE, name, name.encode() + b"\0")
                pcrs.extend(OWN_FILE, name, own.section(name))
        chosen = {}
    else:
        chosen = _chosen(esp, pcrs, entry)
        parts = chosen.get("options", [])
    options = " ".join(filter(None, [*parts, typed]))
    if typed or not unified:
        pcrs.extend(OPTIONS, "command line", (options + "\0").encode("utf-16-le"))
    words = list(_words(options))
    kernels = [value for key, value in words if key == "kernel"][-1:] or chosen.get("kernel", [])[-1:]
    for path in [*kernels, *chosen.get("initrd", []), *(value for key, value in words if key == "initrd")]:
        if chosen == DEFAULTS and path in DEFAULTS["initrd"] and not esp.find(path):
            continue  # may be missing
        pcrs.extend(FILES, _guest_path(path), esp.read(path))
    return pcrs


def unpack(image, folder):
    """The ESP of a disk image that baton made, as a folder."""
    done = subprocess.run(["mcopy", "-s", "-n", "-i", f"{image}@@{boot.mkimage.START * boot.mkimage.SECTOR}", "::", str(folder)],
                          env=boot.mkimage.environment(), stdin=subprocess.DEVNULL, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise tree.Failure(f"{image}: no disk image with an EFI System Partition at 1 MiB: {done.stdout.strip()[-300:]}")
    return folder


def command(args):
    with guest.private_folder() as folder:
        root = args.esp if Path(args.esp).is_dir() else unpack(args.esp, folder)
        pcrs = predict(Esp(root), args.entry, args.options)
    values = {pcr: {bank: pcrs.value(pcr, bank) for bank in args.bank or BANKS} for pcr in (FILES, OWN_FILE, OPTIONS)}
    if args.json:
        print(json.dumps({"schema": 1, "pcrs": {str(pcr): banks for pcr, banks in values.items()},
                          "events": [{"pcr": pcr, "name": name, "sha256": hashlib.sha256(data).hexdigest()}
                                     for pcr, name, data in pcrs.events]}, indent=1))
        return 0
    for pcr, banks in values.items():
        for bank, value in banks.items():
            print(f"{pcr:2} {bank:6} {value}")
    for pcr, name, data in pcrs.events:
        print(f"   PCR {pcr}: {name}, {len(data)} bytes")
    return 0


def add(verbs):
    parser = verbs.add_parser(
        "pcrs", help="predict the TPM's PCRs for an ESP",
        description="Predicts what the loader leaves in the TPM's PCRs 9, 11 and 12 when this ESP boots: a folder "
                    "(build/esp) or a disk image of `baton image`. docs/trust.md has what goes where.")
    parser.add_argument("esp", metavar="ESP", help="a folder, or a disk image")
    parser.add_argument("--entry", metavar="NAME", help="the boot entry, default: the one that boots by itself")
    parser.add_argument("--options", metavar="STR", default="", help="load options, as typed in the UEFI shell")
    parser.add_argument("--bank", action="append", choices=BANKS, help="default: all")
    parser.add_argument("--json", action="store_true", help="as JSON, events with their digests")
    parser.set_defaults(function=command)
