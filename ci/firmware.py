# SPDX-License-Identifier: MIT
"""UEFI's runtime services behind bars: of firmware that is well, and of one whose services break a rule each; the firmware
report (docs/firmware.md)."""
import calendar
import contextlib
import json
import lzma
import os
import re
import struct
import subprocess
import time
import uuid
from pathlib import Path

import harness
from harness import Boot, boot, build, check, guest, run_program, tree
import mkimage
import tpm
from command import firmware as firmwares, report

SERVICES = tree.BUILD / "user" / "efi-services"
RTC = tree.BUILD / "user" / "rtc"


def _services(firmware):
    result = run_program(SERVICES, firmware=firmware, cmdline="poweroff=firmware", seconds=3 * harness.SECONDS)
    text = result.stdout.decode(errors="replace")
    check(result.code == 0 and "not ok" not in text and re.search(r"^1\.\.\d+$", text, re.M), f"status {result.code}:\n{text}")
    # The kernel's own calls find the services where SetVirtualAddressMap has put them.
    end = result.log[result.log.rindex("power off: "):]
    check("by the firmware's ResetSystem" in end and "PANIC" not in end and "came back" not in end, end)
    print(f"{firmware}: {text.count('ok ')} claims hold")


def clock():
    """/dev/rtc0 is UEFI's clock, and tells the date where the CMOS clock does not; the same test holds of Debian's kernel."""
    for what in ({"on": "linux"}, {}, {"cmdline": "rtcefi"}, {"cmdline": "rtcefi runtime=trust", "firmware": "ovmf-secboot"}):
        begin = int(time.time())
        result = run_program(RTC, **what)
        text = result.stdout.decode(errors="replace")
        check(result.code == 0 and "not ok" not in text and re.search(r"^1\.\.6$", text, re.M), f"{what}: status {result.code}:\n{text}")
        if "on" in what:
            continue
        date = re.search(r"\] date: (\S+ \S+) UTC(, by UEFI's GetTime)?$", result.log, re.M)
        check(date and bool(date[2]) == ("rtcefi" in what.get("cmdline", "")), f"{what}: the date in the log: {date and date[0]}")
        told = calendar.timegm(time.strptime(date[1], "%Y-%m-%d %H:%M:%S"))
        check(begin - 1 <= told <= time.time() + 1, f"{what}: {date[0]} between {begin} and {time.time():.0f}")
    result = run_program("/bin/busybox", ["sh", "-c", "hwclock -u -r && date +%s"], cmdline="rtcefi")
    check(result.code == 0, f"hwclock: {result.stdout}{result.stderr}")


def services_ovmf():
    _services("ovmf-4m")


def services_smm():
    """The variables are behind SMIs."""
    _services("ovmf-secboot")


def _bad_image(folder, options, archive, first="bad-services", more=()):
    """A disk whose loader is started by a program of this folder."""
    entry = folder / "baton.conf"
    entry.write_text(boot.entry(options, ("/baton/initrd.cpio", "/baton/more.cpio")), encoding="utf-8")
    (folder / "loader.conf").write_text("default baton.conf\n", encoding="utf-8")
    mkimage.make(str(folder / "bad.img"), [
        *more, (str(tree.BUILD / "ci" / f"{first}.efi"), "EFI/BOOT/BOOTX64.EFI"),
        (str(boot.LOADER), "EFI/BOOT/BATON.EFI"), (str(boot.KERNEL), "baton/kernel.elf"),
        (str(build.INITRD), "baton/initrd.cpio"), (str(archive), "baton/more.cpio"),
        (str(folder / "loader.conf"), "loader/loader.conf"), (str(entry), "loader/entries/baton.conf")])
    return folder / "bad.img"


def faults():
    """Each bad service is caught, named and survived, all in one boot, down to the one that is to end it."""
    with guest.private_folder() as folder:
        with Boot(image=_bad_image(folder, "init=/tests/efi-faults", build.TESTS), mem=256) as machine:
            machine.log.watched = False
            plan = machine.until(r"^1\.\.(\d+)\r?$")
            text = machine.text()
            machine.until("firmware: ResetSystem did not reset: error -5")
            machine.until_off()  # by ACPI
            check("in ring 0" not in machine.text(), "a service that is tainted was called in ring 0")
    wrong = re.findall(r"^(?:not ok|# ).*$", text, re.M)
    held = len(re.findall(r"^ok \d+ ", text, re.M))
    check(not wrong and held == int(plan[1]) and held >= 13, f"{held} of {plan[1]} hold:\n" + "\n".join(wrong))
    for service, why in ((0, "touched what is not its own"), (9, "ran over its stack"), (13, "raised an exception"), (3, "did not come back")):
        check(re.search(rf"firmware: runtime service {service} {why}: it is not called again", text), f"the log does not say that service {service} {why}")
    print(f"{held} bad services are caught")


# ---- The report ----

CHECKS = 71


LIMIT_MS = 3000  # of virtual time, from the loader's entry to the complete report
REFERENCE = tree.ROOT / "ci" / "reference"
VARYING = re.compile(r"0x[0-9a-f]{6,}|\b\d+(?= x | KiB)")  # addresses, counts, sizes of what is ours


def _verdicts(document):
    return {one["id"]: one["verdict"] for one in json.loads(document)["checks"]}


def _stable(document):
    """{identifier: [verdict, what is seen at each boot]}, without addresses."""
    return {one["id"]: [one["verdict"], VARYING.sub("...", one["observed"]) if one["stable"] else ""]
            for one in json.loads(document)["checks"]}


def _compare(name, document):
    """With ci/reference/firmware-NAME.json; BATON_WRITE_REFERENCE=1 writes that instead."""
    path, found = REFERENCE / f"firmware-{name}.json", _stable(document)
    if os.environ.get("BATON_WRITE_REFERENCE"):
        path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    known = json.loads(path.read_text(encoding="utf-8"))
    changed = [f"{one}: {' '.join(found.get(one, ['gone']))!r}, was {' '.join(known.get(one, ['not there']))!r}"
               for one in {**known, **found} if known.get(one) != found.get(one)]
    check(not changed, f"{name}'s report has changed:\n" + "\n".join(changed))


def _look_at(document, what):
    """Each check is judged, the services' by calls in both phases, and the host's rules say the same."""
    verdicts = _verdicts(document)
    check(len(verdicts) == CHECKS, f"{what}: {len(verdicts)} verdicts, expected {CHECKS}")
    for name in () if what == "uboot" else ("isolation.outside", "isolation.stale-pointers", "variables.arguments", "variables.lifecycle", "variables.volatile",
                 "time.bad-fields", "services.capsule", "services.reset", "services.virtual-map", "services.monotonic"):
        check(verdicts[name] == "PASS", f"{what}: {name} is {verdicts[name]}, expected PASS")
    with guest.private_folder() as folder:
        (folder / "evidence").write_bytes(report.evidence(document))
        again = subprocess.run([report.PROGRAM, "judge", folder / "evidence", "--json", "-"], stdout=subprocess.PIPE, check=False).stdout
    check(again == document, f"{what}: judged again on the host it is another report")
    return verdicts


def _make(firmware, *words):
    """(exit code, table, document, KTAP, JUnit) of the verb."""
    with guest.private_folder() as folder:
        files = [folder / name for name in ("json", "ktap", "junit")]
        command = [tree.ROOT / "tools" / "baton", "firmware", "--firmware", firmware, *words]
        command += [word for path in files for word in (f"--{path.name}", path)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        check(all(path.exists() for path in files), f"the verb ended with {done.returncode}:\n{done.stderr.decode()}")
        return done.returncode, done.stdout.decode(), *(path.read_bytes() for path in files)


def _verb(firmware):
    """The verb, what it writes, and the reference."""
    code, table, document, ktap, junit = _make(firmware)
    verdicts, lines = _look_at(document, firmware), ktap.decode().splitlines()
    failed = [name for name, verdict in verdicts.items() if verdict in ("FAIL", "TAINTED")]
    check(code == bool(failed), f"the verb ended with {code}, and {failed} failed")
    check(lines[:2] == ["KTAP version 1", f"1..{CHECKS}"], f"KTAP begins with {lines[:2]}")
    calls = sum(line.startswith("# call ") for line in lines)
    check(calls > 30, f"{calls} calls are announced")
    for number, name in enumerate(verdicts, 1):
        word = "not ok" if name in failed else "ok"
        result = next((at for at, line in enumerate(lines) if re.match(rf"{word} {number} {re.escape(name)}( |$)", line)), 0)
        check(any(line.startswith(f"# {number} {name}: ") for line in lines[:result]), f"{name} is not announced before its result")
    told = [sum(verdict == word for verdict in verdicts.values()) for word in ("FAIL", "TAINTED")]
    check(table.startswith(f"{CHECKS} checks: {told[0]} FAIL {told[1]} TAINTED"), table[:200])
    check(junit.count(b"<testcase ") == CHECKS, f"JUnit: {junit.count(b'<testcase ')} cases")
    _compare(firmware, document)
    print(table.splitlines()[0])


def report_ovmf():
    _verb("ovmf-4m")


def report_2m():
    _verb("ovmf-2m")


def report_smm():
    """The variables are behind SMIs."""
    _verb("ovmf-secboot")


def report_uboot():
    """After exit it has GetVariable, SetVirtualAddressMap and ResetSystem alone; the second leaves its runtime memory."""
    _verb("uboot")


def report_dangerous():
    """The variable store is filled and emptied again, every canary is looked at after each call: nothing else changes."""
    document = _make("ovmf-4m", "--dangerous", "--thorough", "--mem", "128")[2]
    known = {name: verdict for name, (verdict, _) in json.loads((REFERENCE / "firmware-ovmf-4m.json").read_text(encoding="utf-8")).items()}
    expected, found = known | {"variables.store-fill": "PASS"}, _verdicts(document)
    changed = [f"{name}: {found[name]}, expected {expected[name]}" for name in found if found[name] != expected.get(name)]
    check(not changed, "\n".join(changed))


# What ci/bad_services.c makes of OVMF's verdicts, and of no others: declared beforehand.
SPOILT = {
    "isolation.outside": "FAIL", "isolation.permissions": "FAIL", "isolation.stale-pointers": "SKIP",
    "isolation.registers": "FAIL", "isolation.stack": "FAIL", "isolation.time": "WARN", "variables.arguments": "TAINTED",
    "variables.boot-only": "FAIL", "variables.volatile": "FAIL", "variables.lifecycle": "FAIL", "variables.store-info": "TAINTED",
    "variables.enumeration": "FAIL", "time.get": "FAIL", "time.bad-fields": "TAINTED", "services.monotonic": "TAINTED",
    "services.capsule": "TAINTED", "services.virtual-map": "TAINTED", "services.reset": "FAIL",
}
# The images whose services they are, by the GUIDs of edk2's PcatRealTimeClockRuntimeDxe and VariableRuntimeDxe.
CULPRITS = {"isolation.outside": ("378d7b65-8da9-4773-b6e4-a47826a833e1", r"GetTime writes 0x2000000 \(conventional\), by"),
            "isolation.permissions": ("cbd2e4d5-7068-4ff5-b462-9822b4ad8d60", "GetNextVariableName writes .*, by")}
LZMA = uuid.UUID("ee4e5898-3914-4259-9d6e-dc7bd79403cf").bytes_le  # of a section that is compressed so
DRIVER = 7  # a file's type, behind its GUID and checksums


def _offset_in_volume(firmware, file):
    """Where the volume of drivers, compressed in this firmware's code, has a file: as a search of its bytes finds it."""
    code = Path(firmwares.find(firmware).code).read_bytes()
    at = code.index(LZMA)  # of the section's header: the GUID, where the data is
    data = lzma.LZMADecompressor(lzma.FORMAT_ALONE).decompress(code[at - 4 + struct.unpack_from("<H", code, at + 16)[0]:])
    volumes = [one.start() - 40 for one in re.finditer(b"_FVH", data) if one.start() % 8 == 0 and data[one.start() - 40:one.start() - 24] == bytes(16)]
    found = [one.start() - max(base for base in volumes if base < one.start())
             for one in re.finditer(re.escape(uuid.UUID(file).bytes_le), data) if data[one.start() + 18] == DRIVER]
    check(len(found) == 1, f"{file} is at {found}")
    return found[0]


def _bad_report(image, **machine_has):
    """(document, what it says of each check that is not as on Debian's OVMF) of a report on the disk's firmware."""
    with Boot(image=image, mem=256, **machine_has) as machine:
        machine.log.watched = False
        machine.until(r"^BATON-REPORT-END$", 3 * harness.SECONDS)
        document = report.framed(machine.text().encode())
        machine.until(r"page 1 of")
        machine.type("q")
        machine.until_off()
    known = json.loads((REFERENCE / "firmware-ovmf-4m.json").read_text(encoding="utf-8"))
    found = _verdicts(document)
    return document, {name: found[name] for name, (verdict, _) in known.items() if found[name] != verdict}


def _demand(document, found, declared):
    seen = {one["id"]: one["observed"] for one in json.loads(document)["checks"]}
    wrong = [f"{name} is {found.get(name, 'as ever')}, declared: {declared.get(name, 'as ever')}: {seen[name][:300]}"
             for name in {**declared, **found} if found.get(name) != declared.get(name)]
    check(not wrong, "\n".join(wrong))
    return seen


REPORT = ("firmware=report -- firmware-report --stick", build.ESP / "baton" / "firmware.cpio")


def report_faults():
    """The report on a firmware whose services break a rule each: it is complete, and names the image that did it."""
    with guest.private_folder() as folder:
        document, found = _bad_report(_bad_image(folder, *REPORT))
    seen = _demand(document, found, SPOILT)
    for name, (file, what) in CULPRITS.items():
        culprit = rf"{what} .* \({file}, at {_offset_in_volume('ovmf-4m', file):#x} of its volume\) \+0x"
        check(re.search(culprit, seen[name]), f"{name}: {seen[name]}, expected {culprit}")
    print(f"{len(found)} verdicts change")


def _declared():
    """{boot: {fault: {check: verdict}}}, as ci/bad_firmware.h declares them beforehand."""
    text = (tree.ROOT / "ci" / "bad_firmware.h").read_text(encoding="utf-8")
    boots = {}
    for number, name, verdicts in re.findall(r'\bF\((\d+), (\w+),\s+"([^"]+)"\)', text):
        boots.setdefault(number, {})[name] = dict(one.split() for one in verdicts.split(", "))
    return boots


def report_bad_firmware():
    """Each fault changes the verdicts that its file declares, and no others; with report_faults at least 40 checks are seen to fail."""
    failed, count = {name for name, verdict in SPOILT.items() if verdict != "SKIP"}, 0
    only = os.environ.get("BATON_FAULTS", "").split()  # by hand: some of them
    for number, faults in _declared().items():
        faults = {name: verdicts for name, verdicts in faults.items() if not only or name in only}
        if not faults:
            continue
        with guest.private_folder() as folder:
            (folder / "faults").write_text("\n".join(faults) + "\n", encoding="ascii")
            image = _bad_image(folder, *REPORT, "bad-firmware", [(str(folder / "faults"), "baton/faults")])
            with tpm.Tpm() if "event_log" in faults else contextlib.nullcontext() as chip:
                document, found = _bad_report(image, vga="VGA", cpus=1, extra=chip.words() if chip else [])
        declared = {name: verdict for verdicts in faults.values() for name, verdict in verdicts.items()}
        if "framebuffer" not in faults:
            declared["graphics.gop"] = "PASS"  # the reference has no screen
        print(f"boot {number}: {len(faults)} faults, {len(found)} verdicts change")
        _demand(document, found, declared)
        failed |= {name for name, verdict in declared.items() if verdict not in ("SKIP", "PASS")}
        count += len(faults)
    check(only or len(failed) >= 40, f"{len(failed)} checks fail somewhere, expected 40")
    print(f"{count} faults; {len(failed)} checks were seen to fail")


def _next_boot(image, **machine_has):
    """{check: verdict} of a boot of a disk that keeps what is written to it, by the stick's entry."""
    with Boot(image=image, **{"medium": "kept", **machine_has}) as machine:
        machine.log.watched = False
        machine.until(r"^BATON-REPORT-END$", 3 * harness.SECONDS)
        verdicts = _verdicts(report.framed(machine.text().encode()))
        machine.until(r"page 1 of")
        machine.type("q")
        machine.until_off()
    return verdicts


def report_second_boot():
    """What is known from the second boot on only: with the same store of variables, with one that forgot all, with other memory."""
    names = ("map.across-boots", "variables.across-reset", "services.monotonic")
    with guest.private_folder() as folder:
        image, store = _stick(folder), folder / "store.fd"
        for what, machine_has, expected in (
                ("the first boot", {"mem": 256, "variables": store}, ("SKIP", "SKIP", "PASS")),
                ("the second", {"mem": 256, "variables": store}, ("PASS", "PASS", "PASS")),
                ("on a stick that is read-only", {"mem": 256, "variables": store, "medium": "readonly"}, ("PASS", "PASS", "PASS")),
                ("the one after that", {"mem": 256, "variables": store}, ("PASS", "PASS", "PASS")),
                ("another store", {"mem": 256}, ("PASS", "FAIL", "FAIL")),
                ("more memory", {"mem": 512}, ("WARN", "FAIL", "FAIL"))):
            verdicts = _next_boot(image, **machine_has)
            found = tuple(verdicts[name] for name in names)
            check(found == expected, f"{what}: {dict(zip(names, found))}, expected {expected}")
    print("six boots, each judged by the one before")


def report_time():
    """By instructions: from the loader's entry until the report is complete."""
    ktap = _make("ovmf-4m", "--icount")[3].decode()
    took = int(re.search(r"^# the report is complete: (\d+) ms after the loader's entry$", ktap, re.M)[1])
    check(0 < took <= LIMIT_MS, f"the report took {took} ms of virtual time, expected at most {LIMIT_MS}")
    print(f"{took} ms from the loader's entry to the complete report")


def _stick(folder):
    """A disk as `baton image` makes it, which starts the report's entry by itself."""
    (folder / "loader.conf").write_text("default firmware.conf\ntimeout 0\n", encoding="ascii")
    items = [(str(path), str(path.relative_to(build.ESP))) for path in sorted(build.ESP.rglob("*"))
             if path.is_file() and path.name != "loader.conf"]
    mkimage.make(str(folder / "disk.img"), [*items, (str(folder / "loader.conf"), "loader/loader.conf")])
    return folder / "disk.img"


def report_stick():
    """The stick's entry: the document whole on the first serial port, the table page by page on screen and serial, by keys."""
    with guest.private_folder() as folder:
        with Boot(image=_stick(folder), mem=256, vga="VGA") as machine:
            machine.until(r"^# call \d+, physical: GetTime$")
            machine.until(r"^ok 71 ")
            machine.until(r"^BATON-REPORT-END$")
            document = report.framed(machine.text().encode())
            machine.until(r"^71 checks: \d+ FAIL")
            machine.until(r"page 1 of (\d+): a key turns it, b back, q ends; by itself in 15 s")
            machine.until_screen(lambda lines: any("page 1 of" in line for line in lines), "page 1")
            machine.type(" ")
            machine.until(r"page 2 of")
            machine.type("b")
            machine.until(r"page 1 of")
            machine.type("q")
            machine.until_off()
    _look_at(document, "the stick")


def report_turns():
    """Where no keyboard is: the screen says that the pages turn by themselves, and they do, and come round again."""
    with guest.private_folder() as folder:
        with Boot(image=_stick(folder), mem=256, vga="VGA", extra=["-machine", "i8042=off"]) as machine:
            last = machine.until(r"page 1 of (\d+): a key turns it, b back, q ends; by itself in 15 s")[1]
            machine.until_screen(lambda lines: any("by itself in 15 s" in line for line in lines), "how the page turns")
            machine.until(rf"page 2 of {last}")
            machine.type("bb")
            machine.until(rf"page {last} of {last}")
            machine.until(rf"page 1 of {last}")
            check("keyboard: no controller" in machine.text(), "there is a keyboard")
            machine.type("q")
            machine.until_off()


def report_hang():
    """A call that nobody can end, since the CPU stays in System Management Mode: the last line names it."""
    with guest.private_folder() as folder:
        (folder / "faults").write_text("smm_hang\n", encoding="ascii")
        with Boot(image=_bad_image(folder, *REPORT, "bad-firmware", [(str(folder / "faults"), "baton/faults")]), mem=256, cpus=1) as machine:
            machine.log.watched = False
            machine.until(r"^# call \d+, physical: UpdateCapsule, no capsule$")
            end = time.monotonic() + harness.SECONDS
            while not re.search(r"EIP=00008\w+ .*SMM=1", machine.qemu.monitor.human("info registers"), re.S):
                check(time.monotonic() < end, "the CPU does not hang")
                machine.drain()
            machine.drain()
            last = machine.text().replace("\r", "").rstrip("\n").rsplit("\n", 1)[1]
            check(re.fullmatch(r"# call \d+, physical: UpdateCapsule, no capsule", last), f"the last line: {last!r}")
            print(last)


if __name__ == "__main__":
    harness.main([clock, services_ovmf, services_smm, faults, report_ovmf, report_2m, report_smm, report_uboot, report_dangerous, report_faults, report_bad_firmware, report_second_boot, report_time, report_stick, report_turns, report_hang])
