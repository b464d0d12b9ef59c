# SPDX-License-Identifier: MIT
"""Eve's report card (user/attacks, docs/isolation.md) on machines of several kinds: every attack is held.

`control` is the other way round: crimes that nothing forbids, each of which the card must find out.
"""
import re

import harness
import mkimage  # pylint: disable=wrong-import-order
from command import attack, execute, guest  # pylint: disable=wrong-import-order; harness makes it found
from harness import Boot, build, check

LEAST = 540  # attacks that are held, or this is not the report card
# What the emulated CPU does not have, and all that may be skipped for it.
MAY_SKIP = re.compile("memory-(flush|misaligned-checked)|privileged-invpcid|entries-iret-(?!nested).*")


def _protections(path):
    """What the kernel's log says is on: (words, page-table isolation)."""
    with open(path, encoding="utf-8", errors="replace") as log:
        found = re.search(r"cpu: on: ([\w ]+), page-table isolation (on|off)", log.read())
    check(found, "the log does not say which protections are on")
    return found[1].split(), found[2]


def _card(names=(), cpus=2, mem=256, cmdline=""):
    lines = []
    card = attack.Card(attack.chosen(attack.listed(), names), lines.append)
    request = execute.Request(str(attack.PROGRAM), seconds=2 * harness.SECONDS, cmdline=cmdline)
    request.machine.cpus, request.machine.mem, request.machine.vga = cpus, mem, "VGA"
    request.log = str(harness.tree.run_folder() / f"attacks-{cpus}-{harness.os.getpid()}.log")
    attack.run(card, request)
    print("\n".join(line for line in lines if not re.fullmatch(r"ok \d+ [\w-]+", line)))
    print("\n".join(card.table()))
    words, isolation = _protections(request.log)
    check(set(words) >= {"WP", "NX", "SMEP", "SMAP", "UMIP"}, f"of this CPU's protections only {words} are on")
    check(isolation == ("on" if "pti=on" in cmdline else "off"), f"page-table isolation is {isolation}")
    return card


def all_held(**machine):
    card = _card(**machine)
    check(card.is_held(), "not all attacks were held")
    check(card.count(attack.HELD) >= LEAST, f"{card.count(attack.HELD)} attacks were held, expected {LEAST}")
    for one in card.verdicts:
        check(one["verdict"] != attack.SKIPPED or MAY_SKIP.fullmatch(one["name"]), f"{one['name']} was skipped: {one['reason']}")


def one_cpu():
    all_held(cpus=1)


def four_cpus():
    all_held(cpus=4)


def isolated():
    """With page-table isolation."""
    all_held(cpus=2, cmdline="pti=on")


def small_cpu():
    """Without SMEP, SMAP, UMIP, XSAVE: what needs them is skipped with the reason, and the rest is held, IRET's frames too."""
    card = attack.Card(attack.chosen(attack.listed(), ["privileged", "entries"]), lambda line: None)
    request = execute.Request(str(attack.PROGRAM), seconds=2 * harness.SECONDS)
    request.machine.cpu = "qemu64"
    attack.run(card, request)
    check(card.is_held(), "\n".join(card.table()))
    reasons = {one["name"]: one["reason"] for one in card.verdicts if one["verdict"] == attack.SKIPPED}
    check(reasons.get("privileged-sgdt") == "this CPU has no UMIP", f"skipped are {reasons}")
    check(reasons.get("privileged-xsetbv") == "this CPU has no XSAVE", f"skipped are {reasons}")


# What a CPU has, and whether its page tables tell user mode what it may not read (Meltdown), so that they must be its own.
CHOICES = {"qemu64": ({"WP", "NX"}, "off"), "EPYC": ({"WP", "NX", "SMEP", "SMAP"}, "off"),
           "Skylake-Client": ({"WP", "NX", "SMEP", "SMAP"}, "on")}


def chosen():
    """Each CPU gets the protections that it has, and page-table isolation where it needs that; attacks on flags are held."""
    for model, expected in CHOICES.items():
        card = attack.Card(attack.chosen(attack.listed(), ["state"]), lambda line: None)
        request = execute.Request(str(attack.PROGRAM), seconds=2 * harness.SECONDS)
        request.machine.cpu = model
        request.log = str(harness.tree.run_folder() / f"attacks-{model}-{harness.os.getpid()}.log")
        attack.run(card, request)
        check(card.is_held(), "\n".join(card.table()))
        words, isolation = _protections(request.log)
        known = set(words) & {"WP", "NX", "SMEP", "SMAP", "UMIP"}
        check((known, isolation) == expected, f"{model}: {known} and isolation {isolation}, expected {expected}")


# Why each crime of the control is not held.
FOUND_OUT = {
    "through": "it went through", "other-signal": "SIGILL", "other-address": "at 0x10 ", "pages": "pages are free",
    "victim-memory": "the victim's memory has changed", "victim-stopped": "the victim does not answer",
    "victim-killed": "the victim is gone",
}


def control():
    """Crimes that succeed: none of them is held, and for the right reason."""
    result = harness.run_program(attack.PROGRAM, ["control"], mem=256)
    text = result.stdout.decode(errors="replace")
    check(result.code == 1, f"the control ended with {result.code}:\n{text}")
    for number, (name, why) in enumerate(FOUND_OUT.items(), 1):
        found = re.search(rf"^not ok {number} control-{name}\n# (.*)$", text, re.M)
        check(found and why in found[1], f"{name} was not found out by {why!r}:\n{text}")
    check(f"0 held of {len(FOUND_OUT)}" in text, text)


def boot_entry():
    """The stick's files with its entry as the default: process 1 runs all attacks on the terminal; a key ends that and the machine."""
    with guest.private_folder() as folder:
        (folder / "loader.conf").write_text("default report-card.conf\ntimeout 0\n", encoding="ascii")
        items = [(str(path), str(path.relative_to(build.ESP))) for path in sorted(build.ESP.rglob("*"))
                 if path.is_file() and path.name != "loader.conf"]
        mkimage.make(str(folder / "disk.img"), [*items, (str(folder / "loader.conf"), "loader/loader.conf")])
        with Boot(image=folder / "disk.img", mem=256) as machine:
            machine.until(r"^1\.\.(\d+)$")
            machine.until(r"^(\d+) held of \1, \d+ skipped$", 2 * harness.SECONDS)
            machine.until(r"A key ends it")
            machine.type("x")
            machine.until_off()


if __name__ == "__main__":
    harness.main([one_cpu, four_cpus, isolated, small_cpu, chosen, control, boot_entry])
