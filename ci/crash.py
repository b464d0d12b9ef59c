# SPDX-License-Identifier: MIT
"""The kernel's own crimes (kernel/crash.c): each is caught, named, and traced to its line."""
import re
import shutil
import subprocess
import time

import harness
from harness import Boot, boot, build, check, guest, tree
import mkimage
from command import symbolise

# crime: (what the panic says, functions of which one stands in the backtrace)
CRIMES = {
    "assert": (r"kernel/crash\.c:\d+: assertion failed: 1 \+ 1 == 3", ("crash_assert",)),
    "null": (r"kernel page fault: write to 0(?:x0)?, error 0x2", ("crash_null",)),
    "text": (r"kernel page fault: write to 0xffffffff\w+, error 0x3", ("crash_text",)),
    "data": (r"kernel page fault: [a-z ]+ 0xffffffff\w+, error 0x11", ("crash_data", "crash", "first_process")),
    "stack": (r"kernel stack overflow: 0x\w+", ("crash_stack",)),
    "smash": (r"stack smashed", ("crash_smash", "crash", "first_process")),
    "opcode": (r"invalid opcode in kernel mode", ("crash_opcode",)),
    "deadlock": (r"deadlock: CPU \d waits for the lock", ("crash_deadlock", "crash_other")),
    "relock": (r"deadlock: CPU 0 waits for the lock kernel\+0x\w+, which it holds itself", ("crash_relock",)),
    "jump": (r"kernel page fault: [a-z ]+ 0x4\w{5}, error 0x11", ("crash_jump", "crash", "first_process")),
    "user": (r"kernel page fault: read[a-z ]* 0x\w+, error 0x1", ("crash_user",)),
}


def _commit(crime, cpus=2):
    """What `baton symbolise` makes of the report."""
    text, functions = CRIMES[crime]
    # With panic=1 the machine resets after a second, and QEMU runs with -no-reboot.
    with Boot(f"crash={crime} panic=1", mem=256, cpus=cpus) as machine:
        machine.until(r"\bPANIC: (.*)$")
        while not machine.ended:
            machine._read(1.0)  # pylint: disable=protected-access
        log = machine.text()
        lines = log[log.index("PANIC: "):].splitlines()
        check(re.search(text, lines[0]), f"{lines[0]!r}, expected {text!r}")
        check(re.search(r"running: (init\[1\]|crash\[\d+\])", log), "the panic does not name who ran")
        check(any(re.search(r"kernel\+0x[0-9a-f]+ +[a-z_]\w*\+0x", line) for line in lines),
              "no symbolised backtrace")
        shown = "\n".join(symbolise.annotate(lines, build.KERNEL))
        check(any(re.search(rf"\b{name} at \S*kernel/\w+\.c:\d+", shown) for name in functions),
              f"`baton symbolise` names none of {functions}:\n{shown}")
        check("nothing stopped it" not in log, f"crash={crime} went through")
        return shown


def deadlocks():
    """Both holders, both locks, both ways there; and a lock that is taken twice."""
    text = _commit("deadlock", cpus=2)
    for pattern in (r"PANIC: deadlock: CPU (\d) waits for the lock kernel\+0x\w+ of CPU (?!\1)(\d), "
                    r"which waits for kernel\+0x\w+ of CPU \1$",
                    r"-> crash_first_lock$", r"-> crash_second_lock$", r"^\[.*\] CPU \d runs (crash|init)\[\d+\]$",
                    r"^\[.*\]     at kernel\+0x\w+ +\w+\+0\w*$",
                    r"(?:->|inlined in) crash_deadlock at \S*kernel/crash\.c:\d+", r"(?:->|inlined in) crash_other at \S*kernel/crash\.c:\d+"):
        check(re.search(pattern, text, re.M), f"{pattern!r} is not in the report:\n{text}")
    _commit("relock", cpus=1)


def code():
    """The QR code on the screen, as a reader of such codes sees it."""
    if not shutil.which("zbarimg"):
        harness.skip("zbarimg is not there (Debian: zbar-tools)")
    with Boot("crash=opcode", mem=256, vga="VGA") as machine:
        machine.log.watched = False
        machine.until(r"PANIC: ")
        machine.until(r"a record of \d+ bytes is kept")
        said = ""
        while "BATON1:" not in said:  # the last stroke of it comes after the last line
            time.sleep(0.5)
            machine.qemu.monitor.command("screendump", filename=str(machine.folder / "code.png"), format="png")
            said = subprocess.run(["zbarimg", "-q", "--raw", str(machine.folder / "code.png")], check=False,
                                  stdout=subprocess.PIPE, text=True).stdout
        log = machine.text()
    shown = "\n".join(symbolise.annotate(said.splitlines(), build.KERNEL))
    for pattern in (r"^invalid opcode in kernel mode", r"^running: init\[1\]", r"(?:->|inlined in) crash_opcode at \S*kernel/crash\.c:\d+",
                    r"^" + re.escape(re.search(r"baton \S+, image at 0x\w+", log)[0]) + "$"):
        check(re.search(pattern, shown, re.M), f"{pattern!r} is not in what the code says:\n{shown}")


def memory_crimes():
    for crime in ("null", "text", "data", "user", "jump"):
        _commit(crime)


def other_crimes():
    for crime in ("assert", "stack", "smash", "opcode"):
        _commit(crime)


def _run(folder, options, *expected, gone=()):
    """One boot with the store of variables in the folder, up to the last line expected."""
    with Boot(options, mem=256, variables=folder / "variables.fd") as machine:
        machine.log.watched = False
        for pattern in expected:
            machine.until(pattern)
        for pattern in gone:
            check(not re.search(pattern, machine.text()), f"{pattern!r} in the log")


LAST = r'the last run ended in a panic, "kernel/crash\.c:\d+: assertion failed: 1 \+ 1 == 3"'


def record():
    """A panic's record is shown by the next boot, loader and kernel and file, and gone in the one after. A damaged
    one is told."""
    with guest.private_folder() as folder:
        _run(folder, "crash=assert -- nostory", r"PANIC: ", r"a record of \d+ bytes is kept for the next boot",
             gone=("the last run",))
        kept = (folder / "variables.fd").read_bytes()
        damaged = kept.replace(b": assertion failed", b": assertion fouled")
        check(damaged != kept, "the record's text is not in the store of variables")
        (folder / "variables.fd").write_bytes(damaged)
        _run(folder, "-- nostory", "loader: warning: the last panic's record is deleted: its checksum is wrong",
             r"\] smp: ", gone=("the last run",))
        (folder / "variables.fd").write_bytes(kept)
        with Boot("-- nostory", mem=256, variables=folder / "variables.fd") as machine:
            machine.until("loader: warning: " + LAST)
            machine.until(r"\] " + LAST)
            machine.until(harness.PROMPT)
            machine.type("cat /sys/firmware/baton/last_panic; echo over\r")
            shown = machine.until(r"^kernel/crash\.c:\d+: assertion failed[^\0]*?^over$")[0]
        for pattern in (r"^baton \S+, image at 0x\w+$", r"^running: init\[1\] on CPU \d+$",
                        r"kernel\+0x\w+  first_process\+0x\w+$", r"^\[\d+\.\d+\] \w+"):
            check(re.search(pattern, shown, re.M), f"{pattern!r} is not in the record:\n{shown}")
        named = "\n".join(symbolise.annotate(shown.splitlines(), build.KERNEL))
        check(re.search(r"-> first_process at \S*kernel/main\.c:\d+", named), f"symbolise: {named}")
        _run(folder, "-- nostory", harness.PROMPT, gone=("the last run", "last panic"))


def _fail(folder, way, *expected):
    """A panic on firmware whose SetVariable fails this way: it is told, and the machine resets nevertheless."""
    entry = folder / "baton.conf"
    entry.write_text(boot.entry("crash=assert panic=1"), encoding="utf-8")
    (folder / "loader.conf").write_text("default baton.conf\n", encoding="utf-8")
    mkimage.make(str(folder / f"{way}.img"), [
        (str(tree.BUILD / "ci" / f"bad-variable-{way}.efi"), "EFI/BOOT/BOOTX64.EFI"),
        (str(boot.LOADER), "EFI/BOOT/BATON.EFI"), (str(boot.KERNEL), "baton/kernel.elf"),
        (str(build.INITRD), "baton/initrd.cpio"), (str(folder / "loader.conf"), "loader/loader.conf"),
        (str(entry), "loader/entries/baton.conf")])
    with Boot(image=folder / f"{way}.img", mem=256) as machine:
        machine.log.watched = False
        machine.until(r"\bPANIC: ")
        for pattern in expected:
            machine.until(pattern)
        machine.until_off()


def firmware_fails():
    with guest.private_folder() as folder:
        _fail(folder, "full", "no record is kept for the next boot: the store of variables is full")
        _fail(folder, "hangs", "no record is kept for the next boot: the firmware did not come back from SetVariable")
        _fail(folder, "faults", "and a panic in the firmware's SetVariable: invalid opcode in kernel mode",
              r"^.*    at 0x\w+$")


def canaries():
    """The stack protector's value: another one in each boot, with a zero byte first; never the one that the kernel was linked with."""
    symbols = subprocess.run(["nm", str(build.KERNEL)], check=True, text=True, stdout=subprocess.PIPE).stdout
    address = int(re.search(r"^(\w+) \w __stack_chk_guard$", symbols, re.M)[1], 16)
    seen = set()
    for _ in range(3):
        with Boot("nokaslr pti=off", mem=256) as machine:
            machine.until(r"boot: ticks")
            answer = machine.qemu.monitor.human(f"x /1gx {address:#x}")
        seen.add(int(answer.split(":")[1], 16))
    check(len(seen) == 3 and all(value and value & 0xff == 0 for value in seen),
          f"in three boots: {sorted(map(hex, seen))}")


if __name__ == "__main__":
    harness.main([memory_crimes, other_crimes, deadlocks, record, firmware_fails, code, canaries])
