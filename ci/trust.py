# SPDX-License-Identifier: MIT
"""Trust from power-on: one signed file under Secure Boot, with Debian's test keys (snakeoil); a TPM's PCRs (swtpm)."""
import re
import subprocess
from pathlib import Path

import harness
from harness import Boot, boot, build, check, guest
import tpm
from command import pcrs, sign

SNAKEOIL = Path("/usr/share/ovmf")
FIRMWARE = "ovmf-snakeoil"
REFUSED = r"not signed, and under Secure Boot nothing unsigned is used"
FIRMWARE_REFUSES = r"BdsDxe: failed to load Boot\d+ .*: Access Denied"


def _key(folder):
    """(key, certificate) of the ovmf package, the key without its pass phrase."""
    subprocess.run(["openssl", "rsa", "-passin", "pass:snakeoil", "-in", str(SNAKEOIL / "PkKek-1-snakeoil.key"),
                    "-out", str(folder / "key.pem")], check=True, capture_output=True)
    return folder / "key.pem", SNAKEOIL / "PkKek-1-snakeoil.pem"


def _signed(folder, **parts):
    """The loader with these parts (sign.sections), signed."""
    file = folder / "signed.efi"
    sign.unify(folder, file, sign.sections(**parts))
    sign.sign(file, *_key(folder))
    return file


def _disk(folder, file, **others):
    """A disk with the signed file, and others: {path on it: bytes}."""
    items = [(str(file), "EFI/BOOT/BOOTX64.EFI")]
    for number, (path, data) in enumerate(others.items()):
        (folder / f"other-{number}").write_bytes(data)
        items.append((str(folder / f"other-{number}"), path))
    boot.disk(folder / "disk.img", items)
    return folder / "disk.img"


def signed():
    """`baton image --sign`: boots under Secure Boot, options and all."""
    with guest.private_folder() as folder:
        key, certificate = _key(folder)
        image = folder / "stick.img"
        subprocess.run([str(harness.TOOLS / "baton"), "image", "-o", str(image), "--sign", str(key), str(certificate),
                        "--cmdline", "true"], check=True, stdout=subprocess.DEVNULL)
        with Boot(image=image, firmware=FIRMWARE) as machine:
            machine.until(r'^loader: entry in the loader.s own file, kernel \.linux at ')
            machine.until(r'options "true"')
            machine.until_off()


def _flipped(file, name):
    """The signed file with one bit changed in the middle of a section."""
    data = bytearray(file.read_bytes())
    offset, size = sign.Pe(bytes(data)).sections[name]
    data[offset + size // 2] ^= 0x10
    return bytes(data)


def changed():
    """One bit changed in any part: the firmware refuses the file."""
    with guest.private_folder() as folder:
        file = _signed(folder, options="true")
        for name in (".text", ".linux", ".initrd", ".cmdline", ".osrel"):
            (folder / "changed.efi").write_bytes(_flipped(file, name))
            with Boot(image=_disk(folder, folder / "changed.efi"), firmware=FIRMWARE) as machine:
                machine.log.watched = False
                machine.until(FIRMWARE_REFUSES)
                check("loader:" not in machine.text(), f"{name} was changed, and the loader started")


def _listed(*data):
    return "".join(sign.digest_line(each, "x") for each in data)


def _refused(folder, file, what, **others):
    with Boot(image=_disk(folder, file, **others), firmware=FIRMWARE) as machine:
        machine.log.watched = False
        machine.until(rf"^loader: error: {what}: {REFUSED}")


KERNEL, INITRD, CONF, ENTRY = ("baton/kernel.elf", "baton/initrd.cpio", "loader/loader.conf", "loader/entries/run.conf")


def beside():
    """Kernel, initrd and configuration beside the signed loader: each is refused until its SHA-256 stands in there."""
    others = {KERNEL: boot.KERNEL.read_bytes(), INITRD: build.INITRD.read_bytes(),
              CONF: b"timeout 0\ndefault run.conf\n", ENTRY: boot.entry("true").encode()}
    with guest.private_folder() as folder:
        for refused in (CONF, ENTRY, KERNEL, INITRD):
            file = _signed(folder, kernel=None, digests=_listed(*(data for path, data in others.items() if path != refused)))
            _refused(folder, file, r"\\" + refused.replace("/", r"\\"), **others)
        file = _signed(folder, kernel=None, digests=_listed(*others.values()))
        with Boot(image=_disk(folder, file, **others), firmware=FIRMWARE) as machine:
            machine.until(r"^loader: \\baton\\kernel\.elf: its SHA-256 stands in the signed file$")
            machine.until(r"^loader: \\baton\\initrd\.cpio: its SHA-256 stands in the signed file$")
            machine.until_off()
        others[KERNEL] = bytearray(others[KERNEL])
        others[KERNEL][len(others[KERNEL]) // 2] ^= 1
        _refused(folder, file, r"\\baton\\kernel\.elf", **others)


def typed():
    """Options typed in the menu: refused, unless they are the ones that are listed."""
    entry, conf = boot.entry("true").encode(), b"timeout 3000\ndefault run.conf\n"
    others = {KERNEL: boot.KERNEL.read_bytes(), INITRD: build.INITRD.read_bytes(), CONF: conf, ENTRY: entry,
              "loader/entries/other.conf": entry}
    with guest.private_folder() as folder:
        file = _signed(folder, kernel=None, digests=_listed(*others.values(), b"true again"))
        image = _disk(folder, file, **others)
        for text, allowed in ((" nokaslr", False), (" again", True)):
            with Boot(image=image, firmware=FIRMWARE) as machine:
                machine.log.watched = False
                machine.until(r"Boots in")
                machine.type("e")
                machine.until(r"options true")
                machine.type(text + "\r")
                if allowed:
                    machine.until(r'options "true again"')
                    machine.until_off()
                else:
                    machine.until(rf"^loader: error: the options typed in the menu: {REFUSED}")


def _measured(folder, image, device, **what):
    """Boots the image, and compares what swtpm holds with what `baton pcrs` predicts; the prediction."""
    (folder / "esp").mkdir()
    predicted = pcrs.predict(pcrs.Esp(pcrs.unpack(image, folder / "esp")))
    with tpm.Tpm(device) as chip:
        with Boot(image=image, extra=chip.words(), **what) as machine:
            machine.until(harness.PROMPT)
            for number in (pcrs.FILES, pcrs.OWN_FILE, pcrs.OPTIONS):
                for bank in pcrs.BANKS:
                    found, expected = chip.pcr(number, bank), predicted.value(number, bank)
                    check(found == expected, f"PCR {number}, {bank}: {found} in the TPM, {expected} predicted")
            machine.type("poweroff\r")
            machine.until_off()
    return predicted


OPTIONS = "-- nostory"


def measured_files():
    """Configuration, kernel, initrds in PCR 9, the command line in PCR 12."""
    with guest.private_folder() as folder:
        (folder / "more.cpio").write_bytes(build.INITRD.read_bytes())
        image = boot.image(folder, OPTIONS, [folder / "more.cpio"])
        predicted = _measured(folder, image, "tpm-crb")
    found = [(pcr, name) for pcr, name, _ in predicted.events]
    check(found == [(9, "\\loader\\loader.conf"), (9, "\\loader\\entries\\run.conf"), (12, "command line"),
                    (9, "\\baton\\kernel.elf"), (9, "\\baton\\initrd.cpio"), (9, "\\baton\\more0.cpio")], f"{found}")


def measured_own_file():
    """The sections of a signed file in PCR 11, under Secure Boot; nothing in 9 and 12."""
    with guest.private_folder() as folder:
        image = _disk(folder, _signed(folder, options=OPTIONS))
        predicted = _measured(folder, image, "tpm-tis", firmware=FIRMWARE)
    check({pcr for pcr, *_ in predicted.events} == {11} and len(predicted.events) == 12, f"{predicted.events}"[:500])


INTERFACE = ("LoaderInfo", "LoaderTimeInitUSec", "LoaderTimeExecUSec", "LoaderDevicePartUUID", "LoaderImageIdentifier",
             "LoaderEntrySelected", "LoaderEntries", "LoaderFeatures", "LoaderFirmwareInfo", "LoaderFirmwareType", "StubInfo",
             "StubFeatures", "StubPcrKernelImage")
VOLATILE = 6  # for boot services and runtime


def _variables(image, name, **what):
    """{variable: text, or bytes of the two that are numbers} of what booted `image`, whose entry runs efi-variable."""
    with Boot(image=image, **what) as machine:
        machine.until(rf"^{name[-1]} .*$")
        text = machine.text()
        machine.until_off()
    found = dict(re.findall(r"^(\w+) 6 ([0-9a-f]+)$", text, re.M))
    check(len(re.findall(r"^(?:Loader|Stub)\w+ (?:none|6 \w+)$", text, re.M)) == len(name), text[-3000:])
    plain = {key: bytes.fromhex(value) for key, value in found.items()}
    return {key: value if "Features" in key else value.decode("utf-16-le") for key, value in plain.items()}


def _origin(found):
    check(found["LoaderImageIdentifier"] == "\\EFI\\BOOT\\BOOTX64.EFI\0", f"{found}")
    check(re.fullmatch(r".+ \d+\.\d\d+\0", found["LoaderFirmwareInfo"]), f"{found}")
    check(re.fullmatch(r"UEFI 2\.\d\d+\0", found["LoaderFirmwareType"]), f"{found}")


def _common(found):
    check(found["LoaderDevicePartUUID"] == boot.mkimage.PARTITION_GUID + "\0", f"{found}")
    begin, end = (int(found[name].rstrip("\0")) for name in ("LoaderTimeInitUSec", "LoaderTimeExecUSec"))
    check(0 < begin < end, f"entered at {begin} us, left at {end} us")


def variables():
    """The Boot Loader Interface, read back in the running system."""
    options = "init=/tests/efi-variable -- " + " ".join(INTERFACE)
    archive = [harness.tree.BUILD / "user" / "tests.cpio"]
    with guest.private_folder() as folder:
        found = _variables(boot.image(folder, options, archive), INTERFACE)
        _common(found)
        check(found["LoaderInfo"].startswith("Baton 0.") and len(found) == 4, f"{found}")
        entry = boot.entry(options, ["/" + INITRD, "/tests.cpio"]).encode()
        found = _variables(_disk(folder, boot.LOADER, **{
            KERNEL: boot.KERNEL.read_bytes(), INITRD: build.INITRD.read_bytes(), "tests.cpio": archive[0].read_bytes(),
            "loader/entries/a.conf": entry, "loader/entries/b.conf": entry}), INTERFACE)
        _common(found)
        _origin(found)
        check(found["LoaderInfo"].startswith("Baton 0.") and found["LoaderEntries"] == "a.conf\0b.conf\0", f"{found}")
        check(found["LoaderEntrySelected"] == "a.conf\0" and found["LoaderFeatures"] == (1 << 6).to_bytes(8, "little"), f"{found}")
        check(not {"StubInfo", "StubFeatures", "StubPcrKernelImage"} & set(found), f"{found}")
        own = folder / "own.efi"
        sign.unify(folder, own, sign.sections(initrds=(build.INITRD, *archive), options=options))
        found = _variables(_disk(folder, own), INTERFACE)
        _common(found)
        _origin(found)
        check(found["StubInfo"].startswith("Baton 0.") and found["StubFeatures"] == (1 | 1 << 4).to_bytes(8, "little"), f"{found}")
        check(not {"LoaderInfo", "LoaderEntrySelected", "LoaderFeatures", "StubPcrKernelImage"} & set(found), f"{found}")


def _seed_on(image):
    """The bytes of the seed file."""
    return subprocess.run(["mtype", "-i", f"{image}@@1M", "::/loader/random-seed"], check=True, capture_output=True,
                          env=boot.mkimage.environment()).stdout


def seed_file():
    """Replaced in each boot, its length kept; used only where it can be written; never made."""
    with guest.private_folder() as folder:
        files = {"baton/kernel.elf": boot.KERNEL.read_bytes(), "baton/initrd.cpio": build.INITRD.read_bytes(),
                 CONF: b"default run.conf\n", ENTRY: boot.entry("true").encode(), "loader/random-seed": b"s" * 40}
        image = _disk(folder, boot.LOADER, **files)
        seeds = [_seed_on(image)]
        for _ in range(2):
            with Boot(image=image, medium="kept") as machine:
                machine.until(r"random: seeded from .* the seed file,")
                machine.until_off()
            seeds.append(_seed_on(image))
        check(all(len(seed) == 40 for seed in seeds) and len(set(seeds)) == 3, f"{seeds}")
        check(all(seed[32:] == bytes(8) for seed in seeds[1:]), f"{seeds}: behind the seed there is more than zeros")
        del files["loader/random-seed"]
        image = _disk(folder, boot.LOADER, **files)
        with Boot(image=image, medium="kept") as machine:
            line = machine.until(r"random: seeded from .*$")[0]
            machine.until_off()
        check("seed file" not in line, line)


if __name__ == "__main__":
    harness.main([signed, changed, beside, typed, measured_files, measured_own_file, variables, seed_file])
