# SPDX-License-Identifier: MIT
"""Evidence of the firmware, as the loader collects it with firmware=report: which kinds are there, and what the rules that need
no more say of each firmware."""
import json
import re
import struct
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

import harness
from harness import Boot, boot, build, check, guest, run_program
import mkimage
import tpm
from command import report

SHAPES = Path(__file__).resolve().parents[1] / "include" / "baton" / "evidence_shapes.h"
FILE = "/sys/firmware/baton/evidence"
HEADER, RECORD = struct.Struct("<QIIII"), struct.Struct("<HHIII")
ENTRY, BEFORE, PHYSICAL, PREVIOUS = 1, 2, 3, 5  # enum evidence_phase

# How many records of each kind and phase a whole collection has; None: one or more.
ALWAYS = {
    ("MACHINE", ENTRY): 1, ("CPU", ENTRY): 1, ("MSRS", ENTRY): 1, ("MAPPINGS", ENTRY): 1, ("MEMORY_MAP", ENTRY): 1,
    ("MEMORY_MAP", BEFORE): 1, ("MAP_CALLS", ENTRY): 1, ("TABLE", ENTRY): 3, ("TABLE", PHYSICAL): 2, ("CONFIGURATION", ENTRY): 1,
    ("CONFIGURATION", BEFORE): 1, ("CONFIGURATION", PHYSICAL): 1, ("RSDP", ENTRY): 1, ("ACPI", ENTRY): None,
    ("SMBIOS_ANCHOR", ENTRY): 1, ("SMBIOS", ENTRY): 1, ("STAMPS", PHYSICAL): 1, ("GRAPHICS", BEFORE): 1, ("PCI", PHYSICAL): 1,
    ("EXIT_CALLS", BEFORE): 1, ("SELF", BEFORE): 1, ("VARIABLE", BEFORE): None, ("ENUMERATION", BEFORE): 1,
    ("STORE_INFO", BEFORE): 1, ("TIMES", BEFORE): 1, ("MONOTONIC", BEFORE): 1, ("PROBES", ENTRY): 1, ("WATCHDOG", PHYSICAL): 1}
OVMF = {("IMAGE", BEFORE): None, ("ATTRIBUTES", ENTRY): 1, ("ATTRIBUTES", BEFORE): 1}
# What is the firmware's own, looked at by hand: docs/firmware-evidence.md is the format, docs/loader.md tells of these.
OVMF_WRONG = {"entry.stack": "FAIL", "tables.configuration-memory": "WARN", "exit.bus-masters": "WARN"}
# What no loader can see: it takes calls behind bars, other CPUs, a boot before, canaries.
NOT_OURS = {
    "map.page-0", "map.across-boots", "exit.canaries", "isolation.outside", "isolation.permissions", "isolation.stale-pointers",
    "isolation.inventory", "isolation.registers", "isolation.stack", "isolation.time", "variables.arguments",
    "variables.boot-only", "variables.volatile", "variables.lifecycle", "variables.across-reset", "variables.unsigned-db",
    "variables.store-fill", "time.bad-fields", "services.capsule", "services.reset", "services.virtual-map", "acpi.madt"}
# What these machines do not have.
NOT_THERE = {"services.rt-properties", "acpi.fpdt", "esrt.entries", "tcg.event-log"}


def _kinds():
    return {int(number): name for name, number in re.findall(r"X\((\w+), (\d+), \"", SHAPES.read_text(encoding="utf-8"))}


def _records(data):
    """[(kind's name, phase, index, bytes)], after the header was looked at."""
    magic, version, size, _, records = HEADER.unpack_from(data)
    check((magic.to_bytes(8, "little"), version, size) == (report.MAGIC, 1, len(data)), f"a header {magic:x} {version} {size}")
    kinds, found, at = _kinds(), [], HEADER.size
    while at < size:
        kind, phase, index, length, _ = RECORD.unpack_from(data, at)
        at += RECORD.size
        found.append((kinds[kind], phase, index, data[at:at + length]))
        at += (length + 7) & ~7
    check(len(found) == records, f"{len(found)} records, the header says {records}")
    return found


def _collect(**what):
    """The evidence of one boot, out of the guest, and its log."""
    result = run_program("/bin/busybox", ["cat", FILE], cmdline="firmware=report", **what)
    check(result.code == 0, f"status {result.code}: {result.stderr.decode(errors='replace')}")
    return result.stdout, result.log


def _judge(data):
    """{identifier: verdict}"""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "evidence").write_bytes(data)
        done = subprocess.run([report.PROGRAM, "judge", f"{folder}/evidence", "--json", f"{folder}/json"], capture_output=True,
                              text=True, check=False)
        check(done.returncode in (0, 1), f"firmware-report: {done.stderr}")
        checks = json.loads((Path(folder) / "json").read_text(encoding="utf-8"))["checks"]
    return {one["id"]: one for one in checks}


def _expect(data, kinds, wrong, skipped):
    found = Counter((kind, phase) for kind, phase, _, _ in _records(data))
    expected = {key for key, count in kinds.items() if count is None or count > 0}
    check(set(found) == expected, f"records missing: {sorted(expected - set(found))}, not expected: {sorted(set(found) - expected)}")
    for key, count in kinds.items():
        check(count in (None, found[key]), f"{found[key]} records {key}, expected {count}")
    verdicts = _judge(data)
    bad = {name: one for name, one in verdicts.items() if one["verdict"] in ("FAIL", "WARN", "TAINTED")}
    check({name: one["verdict"] for name, one in bad.items()} == wrong,
          "\n".join(f"{one['verdict']} {name}: {one['observed']}" for name, one in bad.items()) + f"\nexpected {wrong}")
    silent = {name for name, one in verdicts.items() if one["verdict"] == "SKIP"}
    check(silent == skipped, f"not judged, and should be: {sorted(silent - skipped)}; the other way round: {sorted(skipped - silent)}")
    print(f"{sum(found.values())} records, {len(data)} bytes, {len(verdicts) - len(silent)} verdicts, "
          f"{', '.join(f'{name} {verdict}' for name, verdict in wrong.items())}")


def collect_ovmf():
    data, _ = _collect(vga="VGA")
    _expect(data, ALWAYS | OVMF, OVMF_WRONG, NOT_OURS | NOT_THERE)


def collect_2m():
    _expect(_collect(firmware="ovmf-2m", vga="VGA")[0], ALWAYS | OVMF, OVMF_WRONG, NOT_OURS | NOT_THERE)


def collect_secboot():
    _expect(_collect(firmware="ovmf-secboot", vga="VGA")[0], ALWAYS | OVMF, OVMF_WRONG, NOT_OURS | NOT_THERE)


def collect_uboot():
    """Strict, another descriptor size, no SSE, no attributes table, no XSDT; nothing of it is in an image."""
    kinds = {key: count for key, count in ALWAYS.items() if key[0] != "GRAPHICS"} | {("RT_PROPERTIES", ENTRY): 1}
    wrong = {name: "FAIL" for name in ("entry.flags", "entry.stack", "entry.fpu", "entry.selectors", "tables.acpi-memory",
                                       "acpi.tables", "smbios.structures")} | {"exit.bus-masters": "WARN"}
    silent = {"tables.runtime-pointers", "attributes.sorted", "attributes.inside", "attributes.cover", "attributes.permissions",
              "attributes.images", "attributes.reread", "acpi.mcfg", "graphics.gop", "variables.boot-order", "services.monotonic"}
    _expect(_collect(firmware="uboot")[0], kinds, wrong, NOT_OURS | NOT_THERE | silent)


def collect_tpm():
    """The event log replays to the PCRs that the chip has, kernel and all measured."""
    with tpm.Tpm() as chip:
        data, _ = _collect(vga="VGA", extra=chip.words())
    _expect(data, ALWAYS | OVMF | {("EVENT_LOG", BEFORE): 1, ("PCRS", BEFORE): 1}, OVMF_WRONG, NOT_OURS | NOT_THERE - {"tcg.event-log"})


def dangerous():
    """The store is filled and emptied only when that is asked for."""
    result = run_program("/bin/busybox", ["cat", FILE], cmdline="firmware=report,dangerous", vga="VGA")
    check(result.code == 0, f"status {result.code}")
    _expect(result.stdout, ALWAYS | OVMF | {("STORE_FILL", BEFORE): 1}, OVMF_WRONG, (NOT_OURS | NOT_THERE) - {"variables.store-fill"})
    names = [data[32:].decode("utf-16-le", "replace") for kind, _, _, data in _records(result.stdout) if kind == "VARIABLE"]
    check(not any(name.startswith("BatonFill") for name in names), f"left in the store: {names}")


def _boot_disk(image, medium):
    with Boot(image=image, medium=medium, mem=256) as machine:
        said = machine.until(r"^loader: evidence of the firmware: (no file.*|.baton.*)$")[1]
        machine.until_off()
    return said


def _file_on(image, name):
    """A file of the disk's \\baton; None: it is not there."""
    done = subprocess.run(["mtype", "-i", f"{image}@@1M", f"::/baton/{name}"], capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else None


def file():
    """On the volume that the loader came from: whole, the one of the boot before kept; on one that is read-only, a sentence."""
    with guest.private_folder() as folder:
        (folder / "baton.conf").write_text(boot.entry("firmware=report true"), encoding="utf-8")
        (folder / "loader.conf").write_text("default baton.conf\n", encoding="utf-8")
        (folder / "evidence.new").write_bytes(bytes(300000))  # power went when a longer one was written
        mkimage.make(str(folder / "disk.img"), [
            (str(boot.LOADER), "EFI/BOOT/BOOTX64.EFI"), (str(boot.KERNEL), "baton/kernel.elf"),
            (str(build.INITRD), "baton/initrd.cpio"), (str(folder / "evidence.new"), "baton/evidence.new"),
            (str(folder / "loader.conf"), "loader/loader.conf"), (str(folder / "baton.conf"), "loader/entries/baton.conf")], 4)
        image, files = folder / "disk.img", []
        for expected in ({ENTRY, BEFORE}, {ENTRY, BEFORE, PREVIOUS}):
            said = _boot_disk(image, "kept")
            check(said == r"\baton\evidence.bin", said)
            files.append(_file_on(image, "evidence.bin"))
            phases = {phase for _, phase, _, _ in _records(files[-1])}
            check(phases == expected, f"phases {phases}, expected {expected}")
            check(_judge(files[-1])["entry.cr0-em-ts"]["verdict"] == "PASS", "the file is not judged as it should be")
        check(_file_on(image, "evidence.old") == files[0], "the file of the boot before is not kept")
        check(_file_on(image, "evidence.new") is None, "evidence.new is still there")
        said = _boot_disk(image, "readonly")
        check(said.startswith("no file of it on this volume"), said)
        check(_file_on(image, "evidence.bin") == files[1], "a volume that is read-only was written")
    print(f"two files of {len(files[0])} and {len(files[1])} bytes; read-only: {said}")


def not_asked():
    """An ordinary boot collects nothing: the file is not there."""
    result = run_program("/bin/busybox", ["ls", "/sys/firmware"])
    check(result.code == 0 and b"baton" not in result.stdout, f"status {result.code}: {result.stdout}")
    check("evidence" not in result.log, f"the log speaks of evidence:\n{result.log}")


if __name__ == "__main__":
    harness.main([collect_ovmf, collect_2m, collect_secboot, collect_uboot, collect_tpm, dangerous, file, not_asked])
