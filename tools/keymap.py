#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes a C file for kernel/devices/keyboard.h of keyboard layouts of Debian's xkb-data.

usage: keymap.py OUTPUT.c LAYOUT...

ckbcomp of Debian's console-setup gives a layout's keys as loadkeys(1) has them; kept of them are the
characters of the keys that type characters, in four levels (plain, Shift, AltGr, both). What a dead
key and a character make together is Unicode's canonical composition.
"""
import re
import subprocess
import sys
import unicodedata

LEVELS = 4
KEYS = [*range(2, 14), *range(16, 28), *range(30, 42), *range(43, 54), 57, 83, 86]
DEAD = 0xe100  # + index in the list below; KEYMAP_DEAD
# name, combining character, what it is alone (with a space after it)
DEADS = [("grave", 0x300, 0x60), ("acute", 0x301, 0xb4), ("circumflex", 0x302, 0x5e),
         ("tilde", 0x303, 0x7e), ("diaeresis", 0x308, 0xa8), ("cedilla", 0x327, 0xb8),
         ("abovering", 0x30a, 0xb0), ("caron", 0x30c, 0x2c7), ("kcaron", 0x30c, 0x2c7),
         ("ogonek", 0x328, 0x2db), ("kogonek", 0x328, 0x2db), ("breve", 0x306, 0x2d8),
         ("kbreve", 0x306, 0x2d8), ("macron", 0x304, 0xaf), ("doubleacute", 0x30b, 0x2dd),
         ("kdoubleacute", 0x30b, 0x2dd), ("abovedot", 0x307, 0x2d9)]
NAMES = {name: i for i, (name, _, _) in enumerate(DEADS)}
NAMED = {"KP_Comma": ord(","), "KP_Period": ord("."), "KP_Separator": ord(",")}


class KeymapError(Exception):
    pass


def symbol(word):
    """(code, does Caps Lock change it) of one symbol; 0: it types nothing."""
    caps = word.startswith("+")
    word = word.lstrip("+")
    if re.fullmatch(r"U\+[0-9a-f]{4}", word):
        code = int(word[2:], 16)
        if 0xe000 <= code < 0xf900:
            raise KeymapError(f"{word}: a private character")
        return code, caps
    if word.startswith("dead_") and word[5:] in NAMES:
        return DEAD + NAMES[word[5:]], False
    return NAMED.get(word, 0), False


def read_layout(text):
    """{key: ([code of each level], caps)} of ckbcomp's output."""
    keys = {}
    for line in text.splitlines():
        match = re.match(r"keycode\s+(\d+)\s*=\s*(.*)", line)
        if not match or int(match[1]) not in KEYS:
            continue
        symbols = [symbol(word) for word in match[2].split()[:LEVELS]]
        if len(symbols) != LEVELS:
            raise KeymapError(f"key {match[1]} has {len(symbols)} levels, expected {LEVELS}")
        keys[int(match[1])] = [code for code, _ in symbols], symbols[0][1]
    if sum(1 for codes, _ in keys.values() if codes[0]) < 45:
        raise KeymapError(f"only {len(keys)} keys type characters")
    return keys


def compile_layout(name):
    run = subprocess.run(["ckbcomp", "-model", "pc105", "-layout", name], capture_output=True,
                         text=True, check=False)
    if run.returncode:
        raise KeymapError(f"ckbcomp -layout {name}: status {run.returncode}: {run.stderr.strip()}")
    return read_layout(run.stdout)


def compositions():
    """(dead key's index, base, result), sorted."""
    found = []
    for index, (_, combining, alone) in enumerate(DEADS):
        found.append((index, 0x20, alone))
        for base in (*range(0x21, 0x7f), *range(0xa1, 0x180)):
            made = unicodedata.normalize("NFC", chr(base) + chr(combining))
            if len(made) == 1:
                found.append((index, base, ord(made)))
    return sorted(found)


def layout_source(name, keys):
    identifier = re.sub(r"\W", "_", name)
    lines = [f"static const struct keymap_key {identifier}_keys[KEYMAP_KEYS] = {{"]
    for key, (codes, caps) in sorted(keys.items()):
        values = ", ".join(f"0x{code:04x}" for code in codes)
        lines.append(f"\t[{key}] = {{{{{values}}}, {int(caps)}}},")
    return lines + ["};", ""]


def c_source(layouts):
    lines = ["/* SPDX-License-Identifier: MIT */",
             "/* Made by tools/keymap.py from Debian's xkb-data by ckbcomp. */",
             '#include "devices/keyboard.h"', ""]
    for name, keys in layouts:
        lines += layout_source(name, keys)
    lines.append("const struct keymap keymaps[] = {")
    lines += [f'\t{{"{name}", {re.sub(chr(92) + "W", "_", name)}_keys}},' for name, _ in layouts]
    lines += ["};", f"const unsigned keymap_count = {len(layouts)};", "",
              "const uint16_t dead_alone[] = {"]
    lines += [f"\t0x{alone:04x}," for _, _, alone in DEADS]
    pairs = compositions()
    lines += ["};", f"const unsigned dead_count = {len(DEADS)};", "",
              "const struct composition compositions[] = {"]
    lines += [f"\t{{{dead}, 0x{base:04x}, 0x{made:04x}}}," for dead, base, made in pairs]
    return "\n".join(lines + ["};", f"const unsigned composition_count = {len(pairs)};", ""])


def main(arguments):
    if len(arguments) < 2:
        sys.exit(__doc__)
    try:
        text = c_source([(name, compile_layout(name)) for name in arguments[1:]])
    except FileNotFoundError:
        sys.exit("keymap.py: no ckbcomp: install the package console-setup")
    except KeymapError as error:
        sys.exit(f"keymap.py: {error}")
    with open(arguments[0], "w", encoding="ascii") as f:
        f.write(text)


if __name__ == "__main__":
    main(sys.argv[1:])
