# SPDX-License-Identifier: MIT
"""The shells that init keeps, the ways a machine ends, and initrds made of Debian packages."""
import re
import subprocess

import harness
from harness import PROMPT, TOOLS, Boot, ScenarioFailure, check, guest

# What is typed at the prompt, and what stands between that line and the next prompt.
SESSION = (
    ("stty size", "24 80\n"),
    ("tty; id; hostname", "/dev/ttyS0\nuid=0(root) gid=0(root)\nbaton\n"),
    ("echo $HOME $TERM $SHELL $PATH", "/root vt100 /bin/sh /bin:/sbin:/usr/bin:/usr/sbin\n"),
    ("cd /proc/self/fd; for f in 0 1 2; do readlink $f; done; cd", "/dev/ttyS0\n" * 3),
    ("mount | cut -d' ' -f3,5 | grep -v /sys", "/ tmpfs\n/dev devtmpfs\n/proc proc\n/dev/pts devpts\n/dev/shm tmpfs\n/tmp tmpfs\n/run tmpfs\n"),
    ("stat -c '%a %n' /tmp /root /etc/shadow /run", "1777 /tmp\n700 /root\n600 /etc/shadow\n755 /run\n"),
    ("for w in vi less awk ps top free df dmesg su; do type $w; done | wc -l", "9\n"),
    ("/usr/bin/env echo both; /bin/env echo places", "both\nplaces\n"),
    ("su user -c 'id; pwd; echo x > /root/f'",
     "uid=1000(user) gid=1000(user) groups=1000(user)\n/root\nsh: can't create /root/f: Permission denied\n"),
    ("dmesg | grep -c 'command line: -- nostory'", "1\n"),
    ("sleep 77 & kill %1; wait; (sleep 0.1; exit 3) & wait $!; echo $?", None),
    ("su - user -c 'pwd; touch mine; ls'; . /etc/os-release; echo $ID", "/home/user\nmine\nbaton\n"),
    ("cat /proc/1/comm; ls /lib/terminfo/l", "init\nlinux\n"),
)


def _plain(text):
    """The line editor breaks a long line at the right margin; the rest is as it came."""
    return text.replace("\r", "")


def shell():
    """A session at the serial console, to the byte; the shell is a session leader with its terminal."""
    with Boot("-- nostory", mem=256) as machine:
        machine.until(r"^This is a shell on Baton\.")
        machine.until(PROMPT)
        for line, expected in SESSION:
            begun = machine.at
            machine.type(line + "\r")
            machine.until(PROMPT)
            found = _plain(machine.text()[begun:machine.at])
            found = found[:re.search(PROMPT + r"\Z", found).start()].partition("\n")
            if expected is not None and len(line) < 60:
                check(found[0] == line, f"{line!r} was echoed as {found[0]!r}")
            if expected is not None:
                check(found[2].endswith(expected) and (len(line) >= 60 or found[2] == expected),
                      f"{line!r}: found {found[2]!r}, expected {expected!r}")
        machine.type("sh -c 'echo begun; exec sleep 500'\r")
        machine.until("^begun$")
        machine.type("\x1a")
        machine.until(r"\[1\]\+  Stopped +sh -c")
        machine.until(PROMPT)
        machine.type("fg\r")
        machine.until(r"^sh -c.*sleep 500")
        machine.type("\x03")
        machine.until(PROMPT)
        machine.type("echo $?\r")
        machine.until(r"^130$")
        machine.power_off()


def respawn():
    """A shell that ends, by itself or by SIGKILL, is followed by another one; orphans are reaped."""
    with Boot("-- nostory", mem=256) as machine:
        machine.until(PROMPT)
        for line in ("exit", "kill -9 $$"):
            machine.type(line + "\r")
            machine.until(r"^This is a shell on Baton\.")
            machine.until(PROMPT)
        machine.type("sh -c 'sleep 0.2 & exec true'; while ps | grep -q '[s]leep'; do usleep 100000; done; echo $((6 * 7))\r")
        machine.until(r"^42$")
        machine.type("echo a child of $PPID\r")
        machine.until(r"^a child of 1$")
        machine.power_off()


def reboot():
    """reboot resets the machine, which without -no-reboot comes up again; programs are ended before."""
    with Boot("-- nostory", mem=256, reboot=True) as machine:
        machine.until(PROMPT)
        machine.type("(trap 'echo I was told; exit' TERM; echo $((6 * 7)) is set; while :; do sleep 0.1; done) &\r")
        machine.until("42 is set")
        machine.type("reboot\r")
        machine.until(r"^init: reboot$")
        machine.until(r"I was told$")
        machine.until(r"^loader: Baton ")
        machine.power_off()


def halt():
    """halt stops the machine without switching it off."""
    with Boot("-- nostory", mem=256) as machine:
        machine.until(PROMPT)
        machine.type("halt\r")
        machine.until(r"^init: halt$")
        machine.until(r"\] .*halt")
        check(machine.qemu.wait(2) is None, "QEMU ended")


PACKAGED = r"""
export LC_ALL=C.UTF-8
echo "$BASH_VERSION" | cut -d. -f1; readlink /proc/$$/exe
printf '%s\n' b a c | sort | tac | paste -sd,
/usr/bin/env awk 'BEGIN { print length("äöü") }'; readlink /etc/alternatives/awk
/bin/cut -c2 <<<xyz; /usr/bin/cut -c1 <<<xyz; locale -a | grep -c utf8
for i in {1..3}; do echo $((i ** 3)); done | sha256sum
/bin/su nobody -s /bin/bash -c 'id -u; ls /root 2> /dev/null'; echo $?; lsns -n -o TYPE | sort | tr '\n' ' '
"""


def rootfs():
    """bash, coreutils, gawk and su from Debian's packages by `baton rootfs`, and what they print on the host."""
    with guest.private_folder() as folder:
        archive, script = folder / "rootfs.cpio", folder / "script"
        script.write_text(PACKAGED, encoding="utf-8")
        baton = str(TOOLS / "baton")
        done = subprocess.run([baton, "rootfs", "-o", str(archive), "bash", "coreutils", "gawk", "util-linux"], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ScenarioFailure(done.stderr)
        done = subprocess.run([baton, "exec", "--timeout", "2000", "--initrd", str(archive), "--add", f"{script}:/script",
                               "bash", "/script"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        sums = subprocess.run(["sh", "-c", r"printf '1\n8\n27\n' | sha256sum"], capture_output=True, text=True, check=True)
        expected = "5\n/bin/bash\nc,b,a\n3\n/usr/bin/gawk\ny\nx\n1\n" + sums.stdout + "65534\n2\ncgroup ipc mnt net pid time user uts "
        check((done.returncode, done.stdout, done.stderr) == (0, expected, ""), f"{done.returncode}\n{done.stdout}\n{done.stderr}")


HELLO = r"""#include <stdio.h>
#include <stdlib.h>
int main(void)
{
	const char *name = getenv("WHO");
	printf("hello, %s\n", name ? name : "nobody");
	return 7;
}
"""


def _baton(*words):
    done = subprocess.run([str(TOOLS / "baton"), *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def own_programs():
    """docs/running-programs.md: a program put in by --add, started by `run`, and from a stick's image with a file beside it."""
    with guest.private_folder() as folder:
        hello, stick = folder / "hello", folder / "stick.img"
        (folder / "hello.c").write_text(HELLO, encoding="utf-8")
        subprocess.run(["gcc", "-static", "-O2", "-o", str(hello), str(folder / "hello.c")], check=True)
        code, text = _baton("run", "--add", f"{hello}:/opt/hello", "--cmdline", "WHO=firmware", "/opt/hello")
        check("hello, firmware\r\n" in text or "hello, firmware\n" in text, f"run: {code}\n{text}")
        code, text = _baton("image", "--add", f"{hello}:/bin/hello")
        check(code == 2 and "-o FILE" in text, f"image without -o: {code} {text}")
        code, text = _baton("image", "-o", str(stick), "--add", f"{hello}:/bin/hello", "--add", f"{folder}/hello.c:/root/")
        check(code == 0, f"image: {text}")
        with Boot(image=stick, mem=256) as machine:
            machine.until(r"^story: ")
            machine.type("q")
            machine.until(PROMPT)
            machine.type("WHO=you hello; echo $?; wc -l < hello.c\r")
            machine.until(rf"^hello, you\n7\n{HELLO.count(chr(10))}\n")
            machine.power_off()


if __name__ == "__main__":
    harness.main([shell, respawn, reboot, halt, rootfs, own_programs])
