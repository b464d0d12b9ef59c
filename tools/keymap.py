#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes a C file for kernel/devices/keyboard.h of keyboard layouts of Debian's xkb-data.

usage: keymap.py OUTPUT.c LAYOUT...

ckbcomp of Debian's console-setup gives a layout as loadkeys(1) reads it: for each key a symbol in each of 128 tables,
which are counted by Shift, AltGr, Control, Alt (1, 2, 4, 8) and Caps Lock (64; 16 and 32 change nothing). The C file
has each symbol by its number in linux/keyboard.h, four tables together (a quad), and each sequence of quads once (a
row, with the row for Caps Lock, 0: the same), since most keys are the same on most layouts. What a dead key and a letter make together is Unicode's canonical
composition; what two characters after Compose make is the list PAIRS.
"""
import re
import subprocess
import sys
import unicodedata

KEYS = 128
TABLES = 128
VOID = 0x200
PUNCTUATION = dict(zip(
    "space exclam quotedbl numbersign dollar percent ampersand apostrophe parenleft parenright asterisk plus comma minus "
    "period slash zero one two three four five six seven eight nine colon semicolon less equal greater question at "
    "bracketleft backslash bracketright asciicircum underscore grave braceleft bar braceright asciitilde".split(),
    " !\"#$%&'()*+,-./0123456789:;<=>?@[\\]^_`{|}~"))
DEADS = ("grave acute circumflex tilde diaeresis cedilla macron breve abovedot abovering doubleacute caron ogonek iota "
         "voiced_sound semivoiced_sound belowdot hook horn stroke abovecomma abovereversedcomma doublegrave invertedbreve "
         "belowcomma currency greek").split()
# The character that stands for a dead key in compositions, and the combining character that it is.
COMBINING = {"grave": ("`", 0x300), "acute": ("'", 0x301), "circumflex": ("^", 0x302), "tilde": ("~", 0x303),
             "diaeresis": ('"', 0x308), "cedilla": (",", 0x327), "macron": ("_", 0x304), "breve": ("U", 0x306),
             "abovedot": (".", 0x307), "abovering": ("*", 0x30a), "doubleacute": ("=", 0x30b), "caron": ("c", 0x30c),
             "ogonek": ("k", 0x328)}
PAIRS = [
    ("@", "A", "Å"), ("@", "a", "å"), ("A", "A", "Å"), ("a", "a", "å"), ("A", "E", "Æ"), ("a", "e", "æ"), ("O", "E", "Œ"),
    ("o", "e", "œ"), ("-", "D", "Ð"), ("-", "d", "ð"), ("/", "O", "Ø"), ("/", "o", "ø"), ("T", "H", "Þ"), ("t", "h", "þ"),
    ("s", "s", "ß"), ("i", "j", "ÿ"), ("<", "<", "«"), (">", ">", "»"), ("!", "!", "¡"), ("?", "?", "¿"), ("e", "=", "€"),
    ("o", "c", "©"), ("+", "-", "±"), ("S", "O", "§")]
NAMED = {
    "VoidSymbol": VOID, "nul": 0, "BackSpace": 8, "Tab": 9, "Linefeed": 10, "Escape": 27, "Delete": 127,
    "Return": 0x201, "Show_Registers": 0x202, "Show_Memory": 0x203, "Show_State": 0x204, "Break": 0x205,
    "Last_Console": 0x206, "Caps_Lock": 0x207, "Num_Lock": 0x208, "Scroll_Lock": 0x209, "Scroll_Forward": 0x20a,
    "Scroll_Backward": 0x20b, "Boot": 0x20c, "Compose": 0x20e, "Decr_Console": 0x210, "Incr_Console": 0x211,
    "KeyboardSignal": 0x212, "Home": 0x114, "Insert": 0x115, "Remove": 0x116, "End": 0x117, "Prior": 0x118, "Next": 0x119,
    "Pause": 0x11d, "Down": 0x600, "Left": 0x601, "Right": 0x602, "Up": 0x603, "Shift": 0x700, "AltGr": 0x701,
    "Control": 0x702, "Alt": 0x703, "CtrlL_Lock": 0xa06, "KP_Add": 0x30a, "KP_Subtract": 0x30b, "KP_Multiply": 0x30c,
    "KP_Divide": 0x30d, "KP_Enter": 0x30e, "KP_Comma": 0x30f, "KP_Period": 0x310}
NAMED |= {f"F{n}": 0x100 + n - 1 if n <= 20 else 0x11e + n - 21 for n in range(1, 247)}
NAMED |= {f"Console_{n}": 0x500 + n - 1 for n in range(1, 64)}
NAMED |= {f"KP_{n}": 0x300 + n for n in range(10)} | {f"Ascii_{n}": 0x900 + n for n in range(10)}
NAMED |= {f"Hex_{n:X}": 0x90a + n for n in range(16)}
NAMED |= {f"dead_{prefix}{name}": 0x400 + n for n, name in enumerate(DEADS) for prefix in ("", "k")}
MODIFIERS = {"plain": 0, "shift": 1, "altgr": 2, "control": 4, "alt": 8, "shiftl": 16, "shiftr": 32, "ctrll": 64}


class KeymapError(Exception):
    pass


def ascii_code(name):
    """Of a name such as a, exclam, Control_a, Escape."""
    if name in PUNCTUATION:
        return ord(PUNCTUATION[name])
    if name.startswith("Control_"):
        return ascii_code(name[8:]) & 31
    if len(name) == 1:
        return ord(name)
    if NAMED.get(name, VOID) < 128:
        return NAMED[name]
    raise KeymapError(f"what is {name}?")


def symbol(word):
    """Its number: the kind in the upper byte, or a character, exclusive-or 0xf000."""
    letter = word.startswith("+")
    word = word.lstrip("+")
    if re.fullmatch(r"U\+[0-9a-fA-F]{4}", word):
        code = int(word[2:], 16)
        if 0xe000 <= code:
            raise KeymapError(f"{word}: a private character")
        return 0xb00 | code if letter and code < 0x100 else code if code < 0x80 else code ^ 0xf000
    if word in NAMED:
        return NAMED[word]
    if word.startswith("Meta_"):
        return 0x800 | ascii_code(word[5:])
    return ascii_code(word)


def read_layout(text):
    """{key: [number of the symbol in each table]} of ckbcomp's output."""
    keys = {}
    for line in text.splitlines():
        match = re.match(r"([a-z ]*)keycode\s+(\d+)\s*=\s*(.*)", line)
        if not match or int(match[2]) >= KEYS:
            continue
        table, key, symbols = match[1].split(), int(match[2]), [symbol(word) for word in match[3].split()]
        if table:
            keys.setdefault(key, [VOID] * TABLES)[sum(MODIFIERS[name] for name in table)] = symbols[0]
        elif len(symbols) == TABLES:
            keys[key] = symbols
        else:
            raise KeymapError(f"key {key} has {len(symbols)} tables, expected {TABLES}")
    for key, symbols in keys.items():
        if any(found != symbols[table & ~48] for table, found in enumerate(symbols)):
            raise KeymapError(f"key {key}: tables differ by more than Shift, AltGr, Control, Alt and Caps Lock")
    if len(keys) < 100:
        raise KeymapError(f"only {len(keys)} keys")
    return keys


def compile_layout(name):
    run = subprocess.run(["ckbcomp", "-model", "pc105", "-layout", name], capture_output=True,
                         text=True, check=False)
    if run.returncode:
        raise KeymapError(f"ckbcomp -layout {name}: status {run.returncode}: {run.stderr.strip()}")
    return read_layout(run.stdout)


def compositions():
    """(the first character, the second, what they make), 255 at most: programs may ask for them (KDGKBDIACR)."""
    found = [tuple(map(ord, pair)) for pair in PAIRS]
    for sign, combining in COMBINING.values():
        for base in range(ord("A"), ord("z") + 1):
            made = unicodedata.normalize("NFC", chr(base) + chr(combining))
            if len(made) == 1 and ord(made) < 0x180:
                found.append((ord(sign), base, ord(made)))
    if len(found) > 255:
        raise KeymapError(f"{len(found)} compositions")
    return found


class Numbers:
    """Numbers things in the order in which they come; the first is 0."""

    def __init__(self):
        self.found = {}

    def __call__(self, thing):
        return self.found.setdefault(thing, len(self.found))


def braced(values):
    return "{" + ", ".join(f"0x{value:x}" for value in values) + "}"


def c_source(layouts):
    quads, rows = Numbers(), Numbers()
    row_of = {}
    void = [VOID] * TABLES
    rows((quads((VOID,) * 4),) * 4 + (0,))
    for name, keys in layouts:
        for key in range(KEYS):
            symbols = keys.get(key, void)
            plain, caps = (tuple(quads(tuple(symbols[i:i + 4])) for i in range(at, at + 16, 4)) for at in (0, 64))
            row_of[name, key] = rows((*plain, rows((*caps, 0)) if caps != plain else 0))
    pairs = compositions()
    return "\n".join([
        "/* SPDX-License-Identifier: MIT */", "/* Made by tools/keymap.py from Debian's xkb-data by ckbcomp. */",
        '#include "devices/keyboard.h"', "",
        "const uint16_t keymap_quads[][4] = {", *(f"\t{braced(quad)}," for quad in quads.found), "};", "",
        "const uint16_t keymap_rows[][KEYMAP_QUADS + 1] = {", *(f"\t{braced(row)}," for row in rows.found), "};", "",
        "const struct keymap keymaps[] = {",
        *(f'\t{{"{name}", {braced(row_of[name, key] for key in range(KEYS))}}},' for name, _ in layouts), "};",
        f"const unsigned keymap_count = {len(layouts)};", "",
        "const struct composition compositions[] = {", *(f"\t{braced(pair)}," for pair in pairs), "};",
        f"const unsigned composition_count = {len(pairs)};", ""])


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
