# SPDX-License-Identifier: MIT
"""What a program reads when keys are pressed on the machine's keyboard, with keymaps that Debian's loadkeys loads: each
key with each modifier, dead keys, Compose, Caps Lock, Num Lock, characters by number.

`baton reference keys` records what comes on Debian's kernel; ci/sessions.py plays it on Baton.
"""
import re
import subprocess
import sys

from . import rootfs, sessions, tree

sys.path.insert(0, str(tree.ROOT / "tools"))
import keymap  # pylint: disable=wrong-import-position

LAYOUTS = ("us", "de", "fr")
GROUP = sessions.Group((), ("kbd",))
REFERENCE = sessions.REFERENCES / "keys.txt"
# Of linux/input-event-codes.h, with QEMU's names.
ROWS = {2: "1 2 3 4 5 6 7 8 9 0 minus equal backspace tab q w e r t y u i o p bracket_left bracket_right ret",
        30: "a s d f g h j k l semicolon apostrophe grave_accent", 43: "backslash z x c v b n m comma dot slash",
        57: "spc", 59: "f1 f2 f3 f4 f5 f6 f7 f8 f9 f10", 86: "less f11", 102: "home up pgup left right end down pgdn insert delete"}
KEYPAD = {55: "kp_multiply", 71: "kp_7 kp_8 kp_9 kp_subtract kp_4 kp_5 kp_6 kp_add kp_1 kp_2 kp_3 kp_0 kp_decimal",
          96: "kp_enter", 98: "kp_divide"}
MODIFIERS = {"": 0, "shift": 1, "alt_r": 2, "shift-alt_r": 3, "ctrl": 4, "ctrl-shift": 5, "alt": 8, "alt-shift": 9, "ctrl-alt": 12}
END = "f12"  # after each: what it sends ends what came
END_BYTES = b"\x1b[24~"
# Symbols that are for the terminals, not for the program: another console, the machine's end, output held.
SPECIAL_TYPED = (0x200, 0x201, 0x20e)
RIGHT_ALT, ALTGR = 100, 0x701
SEQUENCES = {
    "us": ["alt-kp_6-kp_5", "alt-kp_8-kp_3-kp_6-kp_4", "ctrl-dot a e", "ctrl-dot s s", "ctrl-dot a q"],
    "de": ["grave_accent a", "grave_accent spc", "grave_accent x", "grave_accent grave_accent", "equal e", "shift-equal a",
           "equal spc", "equal ret", "alt_r-kp_2-kp_0", "alt_r-kp_2-kp_0-kp_decimal", "alt-kp_6-kp_5", "grave_accent grave_accent a", "equal grave_accent a"],
    "fr": ["bracket_left o", "shift-bracket_left i", "bracket_left bracket_left", "alt_r-7 e", "alt_r-2 n", "bracket_left w"]}


def _codes(rows):
    return {first + i: name for first, names in rows.items() for i, name in enumerate(names.split())}


def _is_typed(symbol):
    kind = symbol >> 8
    return symbol in SPECIAL_TYPED if kind == 2 else kind not in (5, 7, 10)


def presses(layout, keys):
    """[(what it is called, the keys in order)]; keys: of the layout, {code: symbols}."""
    found = []
    for code, name in (_codes(ROWS) | _codes(KEYPAD)).items():
        for word, table in MODIFIERS.items():
            has_keys = "alt_r" not in word or keys[RIGHT_ALT][0] == ALTGR
            if has_keys and _is_typed(keys[code][table]):
                chord = f"{word}-{name}".lstrip("-")
                found.append((chord, [chord, "spc"]))
    for name in _codes(ROWS).values():
        found += [(f"caps_lock {name}", ["caps_lock", name, f"shift-{name}", "caps_lock", "spc"])] if name[:1] != "f" else []
    found += [(f"num_lock {name}", ["num_lock", name, f"shift-{name}", "num_lock"]) for name in _codes(KEYPAD).values()]
    return found + [(sequence, sequence.split()) for sequence in SEQUENCES[layout]]


def _compiled(layout):
    run = subprocess.run(["ckbcomp", "-model", "pc105", "-layout", layout], capture_output=True, text=True, check=True)
    return run.stdout


def _read_back(bench, words):
    """The bytes that the command writes, by the serial line."""
    bench.order(f"{{ echo BEGIN; {words} | od -An -v -tx1; echo END; }} >/dev/ttyS0")
    while not (match := re.search(r"BEGIN\r?\n([0-9a-f\s]*)END\r?\n", bench.log.text())):
        bench.read(1, None)
    return bytes.fromhex(match[1])


def _play_layout(bench, layout, text):
    wanted = presses(layout, keymap.read_layout(text))
    bench.order(f"loadkeys -q /sessions/{layout}.map >/dev/null 2>&1 && chvt 3")
    bench.order("(stty raw -echo && : >/tmp/ready && exec cat >/tmp/typed) </dev/tty3 >/dev/null 2>&1 & "
                "until [ -e /tmp/ready ]; do sleep 0.1; done; rm /tmp/ready; echo $! >/tmp/reader")
    for _, names in wanted:
        bench.qemu.monitor.type(*names, END)
    # It waits for its end: a SIGCHLD in busybox's `read` throws away what that has read of the next order.
    bench.order(f"until [ $(od -An -v -tx1 /tmp/typed | tr -d ' \\n' | grep -o {END_BYTES.hex()} | wc -l) -ge {len(wanted)} ]; do "
                "sleep 0.2; done; kill $(cat /tmp/reader); wait $(cat /tmp/reader) 2>/dev/null")
    typed = _read_back(bench, "cat /tmp/typed").split(END_BYTES)
    return {f"{layout} {name}": came.hex(" ") for (name, _), came in zip(wanted, typed)}


def play(on):
    """{layout and keys: the bytes}."""
    found = {}
    for layout in LAYOUTS:
        text = _compiled(layout)
        path = tree.run_folder() / f"{layout}.map"
        path.write_text(text)
        with sessions.Bench(on, GROUP, files=[path]) as bench, tree.Progress(f"typing on {on}, keymap {layout}"):
            while "$ " not in bench.log.text():
                bench.read(1, None)
            found |= _play_layout(bench, layout, text)
    return found


def versions():
    """Of who loads the keymaps, and of the keymaps."""
    found = dict(path.name.split("_")[:2] for path in rootfs.fetch(GROUP.packages))
    words = ["dpkg-query", "-W", "-f", "xkb-data ${Version}", "xkb-data"]
    return f"kbd {found['kbd']}, " + subprocess.run(words, capture_output=True, text=True, check=True).stdout


def record(kernel):
    found = play("linux")
    REFERENCE.write_text(text_of(f"{kernel}; {versions()}", found), encoding="ascii")
    return found


def text_of(versions_, found):
    """What the reference's file holds. Pure."""
    return "\n".join([f"# {versions_}", *(f"{name}: {came}" for name, came in found.items())]) + "\n"


def reference():
    """(versions, {layout and keys: the bytes})."""
    first, *lines = REFERENCE.read_text(encoding="ascii").splitlines()
    return first.removeprefix("# "), dict(line.split(": ", 1) for line in lines)
