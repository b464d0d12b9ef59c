# SPDX-License-Identifier: MIT
"""The framebuffer console, read back from pictures of the screen by its font."""
import harness
from harness import STORY_HELD, Boot, check

LINES = ["The quick brown fox jumps over the lazy dog 0123456789 ~!@#$%^&*()_+{}|:<>?",
         "THE END OF THE SCREEN TEST"]


def _is_the_end(lines):
    """The last of the numbered lines, one after the other, an empty one, the two."""
    numbers = [line for line in lines if line.startswith("line ")]
    expected = [*(f"line {i}" for i in range(80 - len(numbers), 80)), LINES[0], "", LINES[1]]
    at = lines.index(numbers[0]) if numbers else 0
    return len(numbers) > 20 and lines[at:at + len(expected)] == expected and not any("\ufffd" in line for line in lines)


def _text_on(device, **what):
    """Prints lines enough to scroll, then compares the end of the screen with the serial port's."""
    script = f"i=0; while [ $i -lt 80 ]; do echo line $i; i=$((i+1)); done; echo '{LINES[0]}'; " \
             f"echo; echo {LINES[1]}; sleep 600"
    import mkcpio  # pylint: disable=import-outside-toplevel
    archive = mkcpio.Archive()
    archive.data(script.encode() + b"\n", "/screen.sh")
    with Boot("-- sh /screen.sh", more=archive, vga=device, **what) as machine:
        machine.until("^" + LINES[1] + "$")
        machine.until_screen(_is_the_end, f"the lines above {LINES[1]!r}, and no cell that is no glyph,")


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
        machine.until_line("HERE")
        head = machine.picture()[:15].split()
        check(head[1:3] == [b"1024", b"768"], f"the picture is {head[1:3]}, expected 1024 768")


def story_on_screen():
    """The demo on the default screen; keys of the emulated keyboard are not needed for it to end."""
    with Boot(vga="VGA") as machine:
        machine.until(STORY_HELD)
        machine.power_off()


def no_screen():
    """-vga none: serial alone."""
    with Boot(vga="none") as machine:
        machine.until(STORY_HELD)
        machine.power_off()


if __name__ == "__main__":
    harness.main([vga, ramfb, other_mode, story_on_screen, no_screen])
