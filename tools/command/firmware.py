# SPDX-License-Identifier: MIT
"""Firmware by name or file: which flash files, which machine they want."""
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from . import tree

OVMF = Path("/usr/share/OVMF")
UBOOT = Path("/usr/lib/u-boot/qemu-x86_64/u-boot.rom")
# The GUID of the firmware volume that holds variables (EFI_SYSTEM_NV_DATA_FV), as it lies in flash.
NV_DATA_FV = bytes.fromhex("8d2bf1ff96768b4ca9852747075b4f50")
FV_SIGNATURE_AT = 40
DEFAULT = "ovmf-4m"


@dataclass(frozen=True)
class Firmware:
    name: str
    code: Path
    variables: Path = None  # the template; each run has a private copy
    machine: str = "q35"
    flash: bool = True  # as pflash; otherwise -bios
    smm: bool = False  # flash writable from SMM alone


NAMED = {
    "ovmf-4m": Firmware("ovmf-4m", OVMF / "OVMF_CODE_4M.fd", OVMF / "OVMF_VARS_4M.fd"),
    "ovmf-2m": Firmware("ovmf-2m", OVMF / "OVMF_CODE.fd", OVMF / "OVMF_VARS.fd"),
    # No keys enrolled: Secure Boot is there, and off.
    "ovmf-secboot": Firmware("ovmf-secboot", OVMF / "OVMF_CODE_4M.secboot.fd",
                             OVMF / "OVMF_VARS_4M.fd", smm=True),
    # Debian's test keys enrolled: only what they signed starts.
    "ovmf-snakeoil": Firmware("ovmf-snakeoil", OVMF / "OVMF_CODE_4M.secboot.fd",
                              OVMF / "OVMF_VARS_4M.snakeoil.fd", smm=True),
    "uboot": Firmware("uboot", UBOOT, machine="pc", flash=False),
}


def from_file(path):
    """Tells flash images apart by their first firmware volume."""
    with open(path, "rb") as f:
        head = f.read(64)
    smm = "secboot" in path.name
    if head[FV_SIGNATURE_AT:FV_SIGNATURE_AT + 4] != b"_FVH":
        return Firmware(str(path), path, flash=False)
    if head[16:32] == NV_DATA_FV:
        return Firmware(str(path), None, path, smm=smm)  # variables and code in one file
    stem = path.name.replace(".secboot", "").replace(".ms", "").replace(".snakeoil", "")
    variables = path.with_name(stem.replace("CODE", "VARS"))
    if variables == path or not variables.exists():
        return Firmware(str(path), path, smm=smm)
    return Firmware(str(path), path, variables, smm=smm)


def check(name):
    """WrongUse when this is neither a name nor a file."""
    if name not in NAMED and not Path(name).is_file():
        raise tree.WrongUse(f"--firmware {name}: no such file; expected one, or a name of {', '.join(NAMED)}")


def find(name):
    """A Firmware; Failure when there is no such name or file."""
    check(name)
    firmware = NAMED.get(name)
    if firmware is None:
        return from_file(Path(name).absolute())
    for path in (firmware.code, firmware.variables):
        if path is not None and not path.exists():
            raise tree.Failure(f"firmware {name}: {path} is not there "
                               f"(Debian: {'u-boot-qemu' if name == 'uboot' else 'ovmf'})")
    return firmware


def variable_store(firmware, folder, kept=None):
    """The variable store of one run: a copy in its folder, or the file `kept`, which is made if there is none.
    None: the firmware has no such store."""
    if firmware.variables is None:
        if kept is not None:
            raise tree.WrongUse(f"--variables {kept}: the firmware {firmware.name} has no store of variables in flash")
        return None
    copy = Path(kept or Path(folder) / "variables.fd")
    if kept is not None and copy.exists():
        if copy.stat().st_size != firmware.variables.stat().st_size:
            raise tree.WrongUse(f"--variables {kept}: {copy.stat().st_size} bytes, expected the "
                                f"{firmware.variables.stat().st_size} of {firmware.variables}")
        return copy
    shutil.copyfile(firmware.variables, copy)
    os.chmod(copy, 0o600)
    return copy
