# SPDX-License-Identifier: MIT
"""The framebuffer console, read back from pictures of the screen by its font."""
import time

import harness
from harness import STORY_HELD, Boot, ScenarioFailure, check

LINES = ["The quick brown fox jumps over the lazy dog 0123456789 ~!@#$%^&*()_+{}|:<>?",
         "THE END OF THE SCREEN TEST"]


def _wait_for(machine, wanted, seconds=120):
    """The screen's lines once `wanted` is among them."""
    end = time.monotonic() + seconds
    while True:
        lines = machine.screen()
        if wanted in lines:
            return lines
        if time.monotonic() > end:
            shown = "\n".join(line for line in lines if line)
            raise ScenarioFailure(f"{wanted!r} does not stand on the screen:\n{shown}")
        time.sleep(0.5)


def _text_on(device, **what):
    """Prints lines enough to scroll, then compares the end of the screen with the serial port's."""
    script = f"i=0; while [ $i -lt 80 ]; do echo line $i; i=$((i+1)); done; echo '{LINES[0]}'; " \
             f"echo; echo {LINES[1]}; sleep 600"
    import mkcpio  # pylint: disable=import-outside-toplevel
    archive = mkcpio.Archive()
    archive.data(script.encode() + b"\n", "/screen.sh")
    with Boot("-- sh /screen.sh", more=archive, vga=device, **what) as machine:
        machine.until("^" + LINES[1] + "$")
        lines = _wait_for(machine, LINES[1])
        end = lines.index(LINES[1])
        check(lines[end - 2:end] == [LINES[0], ""], f"above the last line: {lines[end - 2:end]}")
        numbers = [line for line in lines if line.startswith("line ")]
        expected = [f"line {i}" for i in range(80 - len(numbers), 80)]
        check(len(numbers) > 20 and numbers == expected, f"lines {numbers}, expected {expected}")
        check(not any("\ufffd" in line for line in lines), f"cells that are no glyph: {lines}")


def vga():
    _text_on("VGA")


def ramfb():
    _text_on("ramfb")


def other_mode():
    """A mode that the firmware did not set, by video= on the command line."""
    import mkcpio  # pylint: disable=import-outside-toplevel
    archive = mkcpio.Archive()
    archive.data(b"echo HERE; sleep 600\n", "/screen.sh")
    with Boot("video=1024x768 -- sh /screen.sh", more=archive, vga="VGA") as machine:
        machine.until("^HERE$")
        _wait_for(machine, "HERE")
        picture = machine.folder / "screen.ppm"
        head = picture.read_bytes()[:15].split()
        check(head[1:3] == [b"1024", b"768"], f"the picture is {head[1:3]}, expected 1024 768")


def story_on_screen():
    """The demo on the default screen; keys of the emulated keyboard are not needed for it to end."""
    with Boot(vga="VGA") as machine:
        machine.until(STORY_HELD, 250)
        machine.power_off()


def no_screen():
    """-vga none: serial alone."""
    with Boot(vga="none") as machine:
        machine.until(STORY_HELD, 250)
        machine.power_off()


if __name__ == "__main__":
    harness.main([vga, ramfb, other_mode, story_on_screen, no_screen])
