#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes docs/privileged.md: every privileged instruction in the kernel, by function, and why.

usage: privileged.py write|check KERNEL.ELF

The kernel is disassembled (objdump) and each privileged instruction traced to the function that it was written in, through
inlining (addr2line). `check` ends with 1 when one stands outside kernel/arch/, has no reason in WHY below, or is
not in the page. A reason that is for nothing in the kernel is wrong, too.
"""
import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "privileged.md"
ARCH = "kernel/arch/"
# Those that end in #GP or #UD outside of ring 0: Intel SDM 3A 5.9, and STAC, CLAC, INVPCID.
PRIVILEGED = re.compile(
    r"^(cli|sti|hlt|lgdt|lidt|lldt|ltr|lmsw|clts|wrmsr|rdmsr|rdpmc|in[bwl]?|out[bwl]?|ins[bwl]|outs[bwl]|invlpg|invpcid|"
    r"swapgs|sysret[lq]?|sysexit[lq]?|wbinvd|wbnoinvd|invd|xsetbv|monitor|mwait|stac|clac|xsaves\w*|xrstors\w*|"
    r"vm(?:run|call|launch|resume|xon|xoff|read|write|load|save|clear|ptrld|ptrst)\w*|invept|invvpid|getsec|rsm|clgi|stgi)$")
REGISTER = re.compile(r"%(cr\d+|[dt][br]\d+)")
PREFIXES = r"(?:(?:rep\w*|lock|data16|addr32|[cdefgs]s|rex\S*)\s+)*"

# (function, instruction) or (function, None), for all of a function's; a function of its own has several for one purpose.
WHY = {
    ("arch_irq_off", "cli"): "what an interrupt must not come into; the idle loop's last look",
    ("arch_irq_save", "cli"): "spin locks, and what must stay on one CPU, keep interrupts off",
    ("arch_irq_on", "sti"): "system calls and faults run with interrupts on",
    ("arch_irq_restore", "sti"): "the end of arch_irq_save, where interrupts were on",
    ("load", "mov %db"): "a debugger's four breakpoint addresses, when its thread begins to run",
    ("take_status", "mov %db"): "which breakpoint was hit, and clearing that",
    ("control_write", "mov %db"): "breakpoints on and off with their thread",
    ("paranoid_isolated", None): "NMI, double fault and the like may come anywhere: GS, CR3 and AC are made what they must be, and put back",
    ("paranoid_plain", None): "the same without page-table isolation",
    ("trap_plain", None): "entry from a trap: the kernel's GS, no access to user memory",
    ("trap_isolated", None): "the same, and the kernel's page tables",
    ("thread_start", None): "a thread's first instructions; on the way to user mode no interrupt may come",
    ("entry_syscall", None): "the way in of SYSCALL and out by SYSRET: GS",
    ("isolated_syscall", None): "the same, and the kernel's page tables",
    ("isolated_exit_sysret", None): "the way out under isolation: the user's page tables, GS",
    ("isolated_exit_iret", None): "the same, where SYSRET would not do",
    ("tagged_exit_sysret", None): "the way out under isolation where tables have tags (PCID)",
    ("tagged_exit_iret", None): "the same, where SYSRET would not do",
    ("segments_load", "lgdt"): "this CPU's descriptor table, once",
    ("segments_load", "lidt"): "the interrupt table, once",
    ("segments_load", "lldt"): "no local descriptors, once",
    ("entry_area_load", "ltr"): "the stacks for traps, once",
    ("fpu_cpu_init", "xsetbv"): "which register state programs may use, once a CPU",
    ("arch_firmware_emulate", "wbinvd"): "a runtime service in user mode wants it done: caches lose nothing by it",
    ("write_all", "wbinvd"): "changing memory types needs empty caches, once a CPU",
    ("invlpg", "invlpg"): "a page's translation is forgotten after its entry has changed",
    ("invpcid_address", "invpcid"): "the same, of a space that is not in use",
    ("cr0_read", "mov %cr0"): "what the firmware left there, and write protection kept on",
    ("cr0_write", "mov %cr0"): "write protection, FPU, caches for the memory types",
    ("cr2_read", "mov %cr2"): "the address of a page fault",
    ("cr3_read", "mov %cr3"): "which tables are in use",
    ("cr3_write", "mov %cr3"): "switching address spaces, and forgetting translations",
    ("cr4_read", "mov %cr4"): "as for cr4_write",
    ("cr4_write", "mov %cr4"): "SMEP, SMAP, UMIP, PCID, FSGSBASE, OSXSAVE are turned on",
    ("msr_read", "rdmsr"): "the local APIC, EFER, PAT and other model-specific registers",
    ("msr_write", "wrmsr"): "the local APIC's timer and messages, SYSCALL's entry, FS and GS of a thread",
    ("arch_halt", None): "the end: this CPU does nothing any more",
    ("arch_idle", None): "nothing to do: the CPU rests until an interrupt",
    ("arch_in8", "in"): "serial ports, keyboard, real-time clock",
    ("arch_in16", "in"): "ACPI's registers",
    ("arch_in32", "in"): "ACPI's registers",
    ("arch_out8", "out"): "serial ports, keyboard, interrupt controllers",
    ("arch_out16", "out"): "ACPI's registers: power off",
    ("arch_out32", "out"): "ACPI's registers",
    ("arch_reset", "lidt"): "a reset by a triple fault, where nothing else did it",
    ("selectors_write", "swapgs"): "a thread's GS base is kept while its selector is loaded",
    ("smp_entry", None): "the first instructions of another CPU, from real mode on",
    ("user_access_begin", "stac"): "the window in which the kernel may touch user memory (SMAP)",
    ("user_access_end", "clac"): "its end",
    **{(f"arch_user_{name}", None): "the same window, in assembly"
       for name in ("clear", "copy", "exchange32", "load32", "store_pair", "string")},
}

HEAD = """<!-- SPDX-License-Identifier: MIT -->
<!-- Made by tools/privileged.py from the kernel's disassembly; do not edit. -->
# Privileged instructions: how few a kernel can do with

What only ring 0 may execute, function by function as the source has them (most are inlined), found in the disassembly
of the linked kernel. All of it stands in `kernel/arch/`: {functions} functions in {files} files, with {instructions} different
instructions. The rest of the kernel is plain C. `ninja -C build && python3 tools/privileged.py write build/kernel/kernel.elf` makes this page anew;
a test fails when one comes to stand elsewhere, or without a reason.

| file | function | instructions | why |
|---|---|---|---|
"""


def instructions(elf):
    """[(address, name)] of those that are privileged."""
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", elf], check=True, capture_output=True, text=True).stdout
    found = []
    for line in text.splitlines():
        match = re.match(r"^\s*([0-9a-f]+):\s+" + PREFIXES + r"([a-z]\w*)\s*(.*)$", line)
        if not match:
            continue
        address, name, operands = match.groups()
        register = REGISTER.search(operands) if name.startswith("mov") else None
        if register:
            group = register[1] if register[1].startswith("cr") else register[1][:2]
            found.append((address, f"mov %{group}"))
        elif PRIVILEGED.match(name):
            found.append((address, name.rstrip("bwlq") if name.startswith(("in", "out")) and len(name) < 5 else name))
    return found


def places(elf, addresses):
    """{address: (function, file)} as the source has it, innermost of what is inlined."""
    text = subprocess.run(["addr2line", "-a", "-f", "-i", "-e", elf], input="\n".join(addresses), check=True,
                          capture_output=True, text=True).stdout
    found, lines = {}, text.splitlines()
    for at, line in enumerate(lines):
        if line.startswith("0x"):
            source = re.sub(r":(\d+|\?).*$", "", lines[at + 2])
            found[int(line, 16)] = (lines[at + 1].split(".")[0], "kernel/" + source.split("kernel/", 1)[-1])
    return found


def collect(elf):
    """{(file, function): {instruction}}"""
    found = instructions(elf)
    where = places(elf, [address for address, _ in found])
    table = {}
    for address, name in found:
        function, file = where[int(address, 16)]
        table.setdefault((file, function), set()).add(name)
    return table


def reasons(table):
    """What is wrong, and {(file, function): [reason]}: pure."""
    wrong, why, used = [], {}, set()
    for (file, function), names in sorted(table.items()):
        if not file.startswith(ARCH):
            wrong.append(f"{file}: {function} has {', '.join(sorted(names))}: outside {ARCH}")
        for name in sorted(names):
            key = (function, name) if (function, name) in WHY else (function, None)
            if key not in WHY:
                wrong.append(f"{file}: {function} has {name}, and tools/privileged.py no reason for it")
                continue
            used.add(key)
            if WHY[key] not in why.setdefault((file, function), []):
                why[file, function].append(WHY[key])
    wrong += [f"tools/privileged.py has a reason for {name or 'all'} of {function}, which the kernel has not"
              for function, name in sorted(set(WHY) - used, key=str)]
    return wrong, why


def page(table, why):
    head = HEAD.format(functions=len(table), files=len({file for file, _ in table}),
                       instructions=len({name for names in table.values() for name in names}))
    return head + "".join(f"| {file[len(ARCH):]} | {function} | {' '.join(f'`{name}`' for name in sorted(table[file, function]))} | "
                          f"{'; '.join(why.get((file, function), []))} |\n" for file, function in sorted(table))


def main(argv):
    if len(argv) != 2 or argv[0] not in ("write", "check"):
        print(__doc__, file=sys.stderr)
        return 2
    table = collect(argv[1])
    wrong, why = reasons(table)
    text = page(table, why)
    if argv[0] == "write":
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        wrong.append(f"docs/privileged.md is not what the kernel has; run: python3 tools/privileged.py write {argv[1]}")
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
