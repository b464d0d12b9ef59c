# SPDX-License-Identifier: MIT
"""Virtual terminals and the PS/2 keyboard: keys are pressed by QEMU, the screen is read back."""
import contextlib
import pathlib
import sys

import harness
from command import keys
from harness import Boot, check

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
import mkcpio
import screen as screens

class Terminal:
    """The machine's screen and keyboard."""

    def __init__(self, machine):
        self.machine = machine

    def press(self, *names):
        self.machine.qemu.monitor.type(*names)

    def type(self, text):
        self.press(*map(keys.qcode, text))

    def wait(self, test, what):
        """The screen's lines once `test` holds of them."""
        return self.machine.until_screen(test, what)

    def wait_line(self, line, without=None):
        """Until the line is there, and the other one is not."""
        return self.wait(lambda lines: line in lines and without not in lines, f"{line!r}, without {without!r},")

    def prompt(self, words="t1>"):
        self.wait(lambda lines: any(line.startswith(words) for line in lines), f"the prompt {words}")

    def pixels(self, line, width=8, height=16):
        """The colours in the cells of the first line that begins so: {(r, g, b)} of its text."""
        picture = self.machine.picture()
        lines = screens.Reader().lines(picture)
        row = next((i for i, shown in enumerate(lines) if shown.startswith(line)), 0)
        wide, _, data = screens.read_ppm(picture)
        found = set()
        for y in range(row * height, (row + 1) * height):
            at = y * wide * 3
            cells = data[at:at + len(line) * width * 3]
            found |= {tuple(cells[i:i + 3]) for i in range(0, len(cells), 3)}
        return found


@contextlib.contextmanager
def _machine(script, options="", program=None, ready="^READY$"):
    """A machine that runs a script, with its screen, from where it says that it is ready; with a program of the
    tests in /bin."""
    archive = mkcpio.Archive()
    if program:
        archive.data((harness.tree.BUILD / "user" / program).read_bytes(), f"/bin/{program}", 0o755)
    archive.data(script.encode() + b"\n", "/keys.sh")
    with Boot(f"{options} -- sh /keys.sh".strip(), more=archive, vga="VGA") as machine:
        machine.until(ready)
        terminal = Terminal(machine)
        yield terminal


# The first in the foreground: what a script starts with & ignores Ctrl-C.
SHELL = "PS1=\"t{0}> \" HOME=/ setsid sh -c \"exec sh -i </dev/tty{0} >/dev/tty{0} 2>&1\""
SHELLS = f"{SHELL.format(2)} &\necho READY\n{SHELL.format(1)}; sleep 1000"
# What is typed is echoed, and read.
CAT = "exec 3>&1 </dev/tty1 >/dev/tty1\necho READY >&3\ncat"


def shell():
    """A shell on the first terminal: typing, line editing, control keys, the right size."""
    with _machine(SHELLS) as terminal:
        terminal.prompt()
        terminal.type("echo 'Hello, World!' $((6*7)) '~[]{}|<>?;:/'\n")
        terminal.wait_line("Hello, World! 42 ~[]{}|<>?;:/")
        terminal.type("stty size; tty\n")
        terminal.wait_line("50 160")
        terminal.wait_line("/dev/tty1")
        terminal.type("echo abx")
        terminal.press("backspace")
        terminal.type("c\n")
        terminal.wait_line("abc")
        terminal.type("clear; sh -c 'echo begun; exec sleep 1000'\n")
        terminal.wait_line("begun")
        terminal.press("ctrl-c")
        terminal.prompt()
        terminal.type("echo status $?\n")
        terminal.wait_line("status 130")


def ctrl_alt_del():
    """Process 1 is told, once init has said so, and reboots in order; before that the machine is reset."""
    with Boot("-- nostory", vga="VGA", reboot=True) as machine:
        machine.until(harness.PROMPT)
        machine.qemu.monitor.keys("ctrl-alt-delete")
        machine.until(r"^init: reboot$")
        machine.until(r"^loader: Baton ")
        machine.power_off()
    with Boot("init=/bin/busybox -- sleep 1000", vga="VGA") as machine:
        machine.until(r"boot: ticks: ")
        machine.qemu.monitor.keys("ctrl-alt-delete")
        machine.until(r"reset: Ctrl-Alt-Del$")
        machine.until_off()


def switching():
    """Alt-F2 and back: each has its own screen and its own shell; the state by an ioctl's program."""
    with _machine(SHELLS) as terminal:
        terminal.prompt()
        terminal.type("echo on first\n")
        terminal.wait_line("on first")
        terminal.press("alt-f2")
        terminal.wait(lambda lines: any(line.startswith("t2>") for line in lines) and "on first" not in lines,
                      "the second terminal's prompt, without the first one's text,")
        terminal.type("echo on second\n")
        terminal.wait_line("on second")
        terminal.press("alt-f5")  # nobody has it open: nothing happens, as on Linux
        terminal.type("echo still\n")
        terminal.wait_line("still")
        terminal.type("busybox chvt 1; echo gone\n")
        terminal.wait_line("on first", without="on second")
        terminal.press("alt-right")
        lines = terminal.wait_line("gone")
        terminal.press("alt-left")
        terminal.wait_line("on first")


def scrolling_back():
    """Shift-PageUp and Shift-PageDown; a key typed returns."""
    with _machine(SHELLS) as terminal:
        terminal.prompt()
        terminal.type("seq 1000 1120\n")
        terminal.wait_line("1120", without="1060")
        terminal.press("shift-pgup", "shift-pgup")
        terminal.wait_line("1040", without="1120")
        terminal.press("shift-pgdn")
        terminal.wait_line("1060")
        terminal.type("x")
        terminal.wait_line("1120")


def german():
    """keymap=de: y and z, umlauts, AltGr, a dead key."""
    with _machine(CAT, "keymap=de") as terminal:
        terminal.press("z", "y", "apostrophe", "semicolon", "bracket_left", "minus",
                       "alt_r-q", "alt_r-7", "alt_r-e", "spc", "grave_accent", "a", "equal", "e",
                       "ret")
        terminal.wait(lambda lines: lines.count("yzäöüß@{€ âé") == 2, "yzäöüß@{€ âé, typed and read")


def french():
    """keymap=fr: azerty, digits with Shift, a dead key."""
    with _machine(CAT, "keymap=fr") as terminal:
        terminal.press("q", "w", "semicolon", "2", "shift-2", "7", "alt_r-0",
                       "bracket_left", "o", "ret")
        terminal.wait(lambda lines: lines.count("azmé2è@ô") == 2, "azmé2è@ô, typed and read")


def colours():
    """SGR, 256 and 24-bit colours, by the pixels on screen."""
    script = r"""printf '\033[31mred\033[m\n\033[1;32mgreen\033[m\n\033[38;5;208morange\033[m\n'
printf '\033[38;2;0;0;255mblue\033[m\n\033[7minverse\033[m\n\033[44mback\033[m\n'
echo READY; sleep 1000"""
    wanted = {"red": {(0, 0, 0), (170, 0, 0)}, "green": {(0, 0, 0), (85, 255, 85)},
              "orange": {(0, 0, 0), (255, 135, 0)}, "blue": {(0, 0, 0), (0, 0, 255)},
              "inverse": {(0, 0, 0), (170, 170, 170)}, "back": {(0, 0, 170), (170, 170, 170)}}
    with _machine(script) as terminal:
        terminal.wait_line("READY")
        for text, expected in wanted.items():
            terminal.machine.until_screen(expected.__eq__, f"{text} in {expected}", lambda text=text: terminal.pixels(text))


def framebuffer():
    """A program draws by /dev/fb0, mapped and written; then the terminal's text is there again."""
    with _machine("echo text on the screen >/dev/tty1\n/bin/screen-input draw\necho READY\nsleep 1000",
                  program="screen-input", ready=r"^DRAWN 1280 800$") as terminal:
        def look(places):
            wide, _, data = screens.read_ppm(terminal.machine.picture())
            return [tuple(data[(y * wide + x) * 3:][:3]) for x, y in places]

        places = (300, 100), (399, 199), (350, 150), (299, 150), (400, 150), (510, 350), (0, 0)
        drawn = [(255, 128, 0)] * 3 + [(0, 0, 0)] * 2 + [(0, 64, 255), (0, 0, 0)]
        terminal.machine.until_screen(drawn.__eq__, f"{drawn} at {places}", lambda: look(places))
        check("text on the screen" not in terminal.machine.screen(), "the terminal painted in graphics mode")
        terminal.machine.type("\r")
        terminal.machine.until("^TEXT AGAIN$")
        terminal.wait_line("text on the screen")
        square = [(x, y) for y in range(100, 200, 9) for x in range(300, 400, 9)]
        terminal.machine.until_screen(lambda found: (255, 128, 0) not in found, "the text alone", lambda: look(square))


def _program(name):
    """A program of the tests; BATON_ON=linux judges it."""
    result = harness.run_program(harness.tree.BUILD / "user" / name, vga="VGA")
    print(result.stdout.decode())
    check(result.code == 0 and b"skip" not in result.stdout.lower(), f"exit code {result.code}: {result.stdout.decode()}")


def controlled():
    """VT_SETMODE, VT_RELDISP: user/tests/vt_process.c."""
    _program("vt-process")


def tables():
    """Keyboard modes, symbols, colours, the font, by ioctls: user/tests/vt_keyboard.c."""
    _program("vt-keyboard")


def contents():
    """/dev/vcs, vcsa, vcsu: user/tests/vcs.c."""
    _program("vcs")


def events():
    """/dev/input/event0: keys go to all readers and to the terminal; a reader that grabs has them alone."""
    with _machine("cat /dev/tty1 >/tmp/typed &\nuntil [ \"$(readlink /proc/$!/fd/3)\" = /dev/tty1 ]; do sleep 0.1; done\n"
                  "/bin/screen-input keys 6\necho READY\n"
                  "read line; until [ -s /tmp/typed ]; do sleep 0.1; done; kill $!; echo typed $(cat /tmp/typed)\nsleep 1000",
                  program="screen-input", ready="^READY$") as terminal:
        check("NAME AT Translated Set 2 keyboard\n" in terminal.machine.text().replace("\r", ""), "name")
        terminal.press("a", "shift-b")
        for who in ("first", "second"):
            terminal.machine.until("".join(f"^{who}: key {key} {value}$\\s*" for key, value in (
                (30, 1), (30, 0), (42, 1), (48, 1), (48, 0), (42, 0))).replace("\\s*^", "\\s*^"))
        terminal.machine.until("^GRABBED$")
        terminal.press("c", "d", "ret")
        terminal.machine.until(r"^second: key 28 0$")
        terminal.machine.until("^ALL SEEN$")
        terminal.press("ret")
        terminal.machine.type("\r")
        terminal.machine.until("^typed aB$")


def vi():
    """busybox's vi on the screen: inserting, cursor keys, deleting a line, saving."""
    with _machine(SHELLS) as terminal:
        terminal.prompt()
        terminal.type("export TERM=linux; vi /tmp.txt\n")
        terminal.wait(lambda lines: lines.count("~") > 40, "vi")
        # What follows Esc too soon is taken for a part of the same key.
        terminal.type("ione\ntwo\nthree\nfour")
        terminal.press("esc")
        terminal.wait(lambda lines: any(line.startswith("- /tmp.txt") for line in lines), "vi's command mode")
        terminal.press("up", "up")
        terminal.type("dd")
        lines = terminal.wait(lambda lines: lines[:4] == ["one", "three", "four", "~"], "two deleted")
        terminal.press("home")
        terminal.type("A!")
        terminal.wait(lambda lines: lines[1] == "three!" and any(line.startswith("I /tmp.txt") for line in lines), "A!")
        terminal.press("esc")
        terminal.wait(lambda lines: any(line.startswith("- /tmp.txt") for line in lines), "vi's command mode")
        terminal.type(":wq\n")
        terminal.prompt()
        terminal.type("clear; wc -l /tmp.txt; cat /tmp.txt\n")
        lines = terminal.wait(lambda lines: lines[:4] == ["3 /tmp.txt", "one", "three!", "four"],
                              "the file")


if __name__ == "__main__":
    harness.main([shell, ctrl_alt_del, switching, scrolling_back, german, french, colours, framebuffer, controlled, tables, contents, events, vi])
