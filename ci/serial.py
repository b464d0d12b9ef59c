# SPDX-License-Identifier: MIT
"""Serial ports as terminals: two joined by a cable, a break, the console's choice."""
import re

import harness
from harness import PROMPT, Boot, check, guest, run_program, tree


def cable():
    """Ports 2 and 3, joined, each sharing its interrupt: user/tests/serial_pair.c. BATON_ON=linux judges it."""
    with guest.private_folder() as folder:
        path = folder / "cable"
        extra = ["-chardev", f"socket,id=com3,path={path},server=on,wait=off",
                 "-device", "isa-serial,chardev=com3,index=2",
                 "-chardev", f"socket,id=com4,path={path}", "-device", "isa-serial,chardev=com4,index=3"]
        result = run_program(tree.BUILD / "user/serial-pair", ["/dev/ttyS2", "/dev/ttyS3"], extra=extra)
    print(result.stdout.decode())
    check(result.code == 0, f"exit code {result.code}: {result.stdout.decode()} {result.stderr.decode()}")


def apart():
    """A break is an interrupt from the keyboard; a shell on ttyS0 is not on the screen, but /dev/console is."""
    with Boot("-- nostory", mem=256, vga="VGA") as machine:
        machine.until(PROMPT)
        machine.type("echo on $(tty) alone; echo on console >/dev/console; echo screen too >/dev/tty1\r")
        machine.until(r"^on /dev/ttyS0 alone$")
        machine.until(r"^on console$")
        machine.until(PROMPT)
        def is_there(lines):  # maybe behind the prompt of the screen's own shell
            screen = "\n".join(lines)
            return "on console" in screen and "screen too" in screen and "alone" not in screen

        machine.until_screen(is_there, "what went to the console, and that alone,")
        check("screen too\n" not in machine.text().replace("\r", "").replace(">/dev/tty1", ""), machine.text()[-500:])
        machine.type("sh -c 'echo begun; exec sleep 1000'\r")
        machine.until(r"^begun$")
        machine.qemu.monitor.command("chardev-send-break", id="com1")
        machine.until(PROMPT)
        machine.type("echo $?\r")
        machine.until(r"^130$")
        machine.power_off()


def chosen():
    """console=tty0: the log and /dev/console are on the screen; ttyS0 is a terminal only."""
    with Boot("console=tty0 -- nostory", mem=256, vga="VGA") as machine:
        machine.until(PROMPT)
        check(not re.search("initrd: ", machine.text()), machine.text()[-2000:])
        machine.type("echo hidden >/dev/console; echo seen\r")
        machine.until(r"^seen$")
        check(not re.search("^hidden$", machine.text(), re.M), "on the serial line")
        machine.until_screen(lambda lines: "hidden" in "\n".join(lines), "hidden")


if __name__ == "__main__":
    harness.main([cable, apart, chosen])
