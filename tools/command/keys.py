# SPDX-License-Identifier: MIT
"""Keys by name: what a US keyboard's are called in QEMU, and the bytes that a terminal of the kind `linux` sends. Pure.

Text is written as it is typed; other keys stand in angle brackets: <Enter> <Esc> <Tab> <Up> <PgDn> <F10> <C-z> <M-b>;
<lt> is the character <.
"""
import re

# What is printed on them, and QEMU's names.
NAMES = {" ": "spc", "\n": "ret", "-": "minus", "/": "slash", ".": "dot", ",": "comma",
         ";": "semicolon", "'": "apostrophe", "[": "bracket_left", "]": "bracket_right",
         "=": "equal", "\\": "backslash", "`": "grave_accent"}
SHIFTED = dict(zip('!@#$%^&*()_+{}:"|<>?~', "1234567890-=[];'\\,./`"))
# Name: (QEMU's, the bytes)
NAMED = {"Enter": ("ret", b"\r"), "Esc": ("esc", b"\x1b"), "Tab": ("tab", b"\t"), "BS": ("backspace", b"\x7f"),
         "Up": ("up", b"\x1b[A"), "Down": ("down", b"\x1b[B"), "Right": ("right", b"\x1b[C"), "Left": ("left", b"\x1b[D"),
         "Home": ("home", b"\x1b[1~"), "Ins": ("insert", b"\x1b[2~"), "Del": ("delete", b"\x1b[3~"),
         "End": ("end", b"\x1b[4~"), "PgUp": ("pgup", b"\x1b[5~"), "PgDn": ("pgdn", b"\x1b[6~")}
NAMED.update({f"F{i + 1}": (f"f{i + 1}", b"\x1b[[" + bytes([ord("A") + i])) for i in range(5)})
NAMED.update({f"F{number}": (f"f{number}", b"\x1b[%d~" % code)
              for number, code in zip(range(6, 13), (17, 18, 19, 20, 21, 23, 24))})


def qcode(character):
    """QEMU's name of the key that gives a character."""
    shift = ""
    if character in SHIFTED or character.isupper():
        shift, character = "shift-", SHIFTED.get(character, character.lower())
    return shift + NAMES.get(character, character)


def split(text):
    """[(name, QEMU's name, bytes)] of keys in a text."""
    found = []
    for word, character in re.findall(r"<([^<>\s]+)>|(.)", text, re.S):
        if word in NAMED:
            found.append((word, *NAMED[word]))
        elif word[:2] == "C-" and len(word) == 3:
            found.append((word, "ctrl-" + qcode(word[2]), bytes([ord(word[2].upper()) & 0x1F])))
        elif word[:2] == "M-" and len(word) == 3:
            found.append((word, "alt-" + qcode(word[2]), b"\x1b" + word[2].encode()))
        elif word and word != "lt":
            raise ValueError(f"<{word}> is no key's name")
        else:
            character = character or "<"
            found.append((character, qcode(character), b"\r" if character == "\n" else character.encode()))
    return found
