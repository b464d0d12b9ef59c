# SPDX-License-Identifier: MIT
"""That no pointer is forgotten: `coverage_test.py ATTACKS`, ATTACKS being the program.

Every argument of the table of system calls is a pointer, which pointers.c attacks by itself; a plain number; or one of
NUMBERS, which says what becomes of it. Every place in the kernel that makes a pointer of a number is one of PLACES, and
every command that such a place knows is a row of commands.c or one of NO_POINTER.
"""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "tools"))
import pointer_calls  # noqa: E402 pylint: disable=wrong-import-position
from command import syscall_table  # noqa: E402 pylint: disable=wrong-import-position

# Kinds that may be an address though their C type is a number, and where each call with one is attacked: a family, an
# attack, or a call in calls.c's ranges(); "" is a number that leads nowhere.
MAY_LEAD = {"ADDRESS", "HEX", "LONG", "ULONG", "FCNTL_ARGUMENT", "FUTEX_TIMEOUT", "IOCTL_ARGUMENT", "PRCTL_ARGUMENT"}
RANGES = "ranges()"
NUMBERS = {
    "mmap": RANGES, "mprotect": RANGES, "munmap": RANGES, "brk": RANGES, "mremap": RANGES, "msync": RANGES, "mincore": RANGES,
    "madvise": RANGES, "shmat": RANGES, "shmdt": RANGES, "mlock": RANGES, "munlock": RANGES, "mlock2": RANGES,
    "clone": "nested-clones", "ptrace": "commands-tracee", "prctl": "commands-thread", "arch_prctl": "commands-cpu",
    "futex": "commands-futex", "ioctl": "commands", "fcntl": "commands-file", "getcpu": "", "personality": "", "kcmp": "",
    "msgrcv": "", "preadv": "", "pwritev": "", "preadv2": "", "pwritev2": "", "process_vm_readv": "", "process_vm_writev": "",
}
# Where a number becomes a pointer, and what attacks it.
PLACES = {
    "crash.c": "", "arch/x86_64/firmware_user.c": "", "arch/x86_64/umip_user.c": "privileged-sgdt",  # the former two: no caller's addresses
    "devices/channel.c": "", "devices/fb.c": "commands-framebuffer", "devices/input.c": "commands-keyboard",
    "devices/pty_ioctl.c": "commands-master", "devices/serial_tty.c": "commands-serial", "devices/tty_ioctl.c": "commands-terminal",
    "devices/vt_switch.c": "commands-console", "devices/vt_tty.c": "commands-console",
    "devices/vt_ioctl.c": "commands-console", "devices/vt_keyboard.c": "commands-console", "devices/vt_keymap.c": "commands-console", "files/async.c": "commands-file",
    "files/efivarfs.c": "",  # where root has mounted it: no attack
    "files/memory_devices.c": "commands-random", "syscall/files_ioctl.c": "commands-file",
    "files/inotify_queue.c": "commands-inotify", "files/io.c": "nested-vectors", "files/pipe.c": "commands-pipe",
    "files/procfs_ns.c": "commands-namespace", "firmware/clock.c": "commands-clock", "firmware/efi_device.c": "",  # root's, and firmware-services' test
    "process/clone.c": "calls-tids", "process/core_notes.c": "", "process/futex_exit.c": "calls-robust",
    "sockets/unix_file.c": "commands-socket", "syscall/files.c": "nested-vectors", "syscall/files_open.c": "commands-file",
    "syscall/files_poll.c": "pointers-poll", "syscall/files_select.c": "pointers-pselect6", "syscall/futex.c": "nested-waits",
    "syscall/memory.c": "pointers-mincore", "syscall/process_clone.c": "nested-clones",
    "syscall/process_control.c": "commands-thread", "syscall/process_exec.c": "nested-strings",
    "syscall/ptrace.c": "commands-tracee", "syscall/sleep.c": "pointers-nanosleep", "syscall/sockets_message.c": "nested-messages",
    "syscall/trace_record.c": "",  # the tracer's: it leaves out what it cannot read
}
# More files that know commands, though not what is a pointer.
KNOWING = ("devices/tty_settings.c", "ipc/semaphore_control.c", "ipc/message_control.c", "syscall/shm.c")
COMMAND = re.compile(r"(?:case|command [=!]=) ((?:F_|FI(?!RMWARE)[A-Z]|FS_IOC|FBIO|RND|RESERVE|UNRESERVE|ZERO_SPACE|TC[A-Z]|TIOC|KD|KIO|VT_|PIO|GIO|EVIOC|SIOC|NS_GET|PR_|PTRACE_|ARCH_[GS]ET|IPC_|SEM_|MSG_|RTC_|"
                     r"SHM_|[GS]ETALL|_IOC_NR\(EVIOC)\w*)")
# Commands whose argument is a number, or none, or not looked at.
NO_POINTER = set("""
RTC_UIE_ON RTC_UIE_OFF
F_DUPFD F_DUPFD_CLOEXEC F_GETFD F_SETFD F_GETFL F_SETFL F_GETPIPE_SZ F_SETPIPE_SZ F_ADD_SEALS F_GET_SEALS F_GETLEASE F_SETLEASE
F_SETOWN F_GETOWN F_SETSIG F_GETSIG FIOCLEX FIONCLEX FIFREEZE FITHAW FICLONE FS_IOC_FIEMAP RNDZAPENTCNT RNDCLEARPOOL RNDRESEEDCRNG
NS_GET_USERNS NS_GET_PARENT NS_GET_NSTYPE
TCSBRK TCSBRKP TIOCSBRK TIOCCBRK TCFLSH TCXONC TIOCSCTTY TIOCNOTTY TIOCVHANGUP TIOCEXCL TIOCNXCL TIOCSIG TIOCGPTPEER TIOCCONS
TIOCMIWAIT
VT_RELDISP VT_ACTIVATE VT_WAITACTIVE VT_LOCKSWITCH VT_UNLOCKSWITCH VT_DISALLOCATE KDSETMODE KDSKBMODE KIOCSOUND KDMKTONE
KDSKBMETA KDSKBLED KDSETLED KDSIGACCEPT PIO_UNIMAP PIO_UNIMAPCLR
TIOCL_GETSHIFTSTATE TIOCL_GETMOUSEREPORTING TIOCL_GETFGCONSOLE TIOCL_UNBLANKSCREEN TIOCL_BLANKEDSCREEN TIOCL_GETKMSGREDIRECT
PIO_FONT GIO_FONT PIO_FONTX GIO_FONTX FBIOGETCMAP FBIOPUTCMAP FBIOBLANK
EVIOCGRAB EVIOCREVOKE _IOC_NR(EVIOCGUNIQ
PR_CAPBSET_READ PR_CAPBSET_DROP PR_GET_SECUREBITS PR_SET_SECUREBITS PR_GET_KEEPCAPS PR_SET_KEEPCAPS PR_CAP_AMBIENT
PR_GET_DUMPABLE PR_SET_DUMPABLE PR_SET_PTRACER PR_SET_CHILD_SUBREAPER PR_GET_THP_DISABLE PR_SET_THP_DISABLE PR_SET_PDEATHSIG
PR_SET_NO_NEW_PRIVS PR_GET_NO_NEW_PRIVS PR_SET_TIMERSLACK PR_GET_TIMERSLACK PR_GET_TIMING PR_SET_TIMING PR_SET_TSC
PR_GET_SECCOMP PR_TASK_PERF_EVENTS_DISABLE PR_TASK_PERF_EVENTS_ENABLE PR_MCE_KILL_GET ARCH_SET_FS ARCH_SET_GS ARCH_SET_CPUID
ARCH_GET_CPUID
PTRACE_POKETEXT PTRACE_POKEDATA PTRACE_POKEUSR PTRACE_SETOPTIONS PTRACE_OLDSETOPTIONS PTRACE_ARCH_PRCTL PTRACE_TRACEME
PTRACE_ATTACH PTRACE_SEIZE PTRACE_INTERRUPT PTRACE_KILL PTRACE_CONT PTRACE_SYSCALL PTRACE_SINGLESTEP PTRACE_SYSEMU
PTRACE_SYSEMU_SINGLESTEP PTRACE_DETACH PTRACE_LISTEN
IPC_RMID SHM_LOCK SHM_UNLOCK
""".split())


def forgotten_arguments(calls, kinds, pointers, attacks, ranges):
    """Pure. kinds: {name: is a pointer}; pointers: calls that pointers.c has; ranges: the text of ranges()."""
    for call in calls.values():
        if any(kinds[kind] for kind, _ in call.arguments) and call.name not in pointers and call.name not in NUMBERS:
            yield f"{call.name} takes pointers, and neither pointers.c nor NUMBERS has it"
        leads = [name for kind, name in call.arguments if kind in MAY_LEAD]
        where = NUMBERS.get(call.name)
        if leads and where is None:
            yield f"{call.name}: {', '.join(leads)} may be an address: NUMBERS does not say who attacks that"
        elif leads and where == RANGES:
            if f"SYS_{call.name}," not in ranges:
                yield f"{call.name} is not in calls.c's ranges()"
        elif leads and where and where not in attacks:
            yield f"{call.name}: there is no attack {where}"


def forgotten_places(sources, attacks):
    """Pure. sources: {path: text} of the kernel."""
    for path, text in sources.items():
        where = PLACES.get(path)
        if "user_pointer(" in text and where is None:
            yield f"{path} makes a pointer of a number: PLACES does not say who attacks that"
        elif where and where not in attacks:
            yield f"{path}: there is no attack {where}"


def forgotten_commands(sources, rows):
    """Pure. rows: the commands that commands.c has."""
    for path, text in sources.items():
        if path not in PLACES and path not in KNOWING:
            continue
        for name in dict.fromkeys(COMMAND.findall(text)):
            if name not in NO_POINTER and name.removeprefix("_IOC_NR(") not in rows:
                yield f"{path} knows {name}, and commands.c has no row of it"


def main(program):
    listing = subprocess.run([program, "--list"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True).stdout
    names = {line.split("\t")[0] for line in listing.splitlines()}
    attacks = names | {name.partition("-")[0] for name in names}
    kernel = ROOT / "kernel"
    sources = {str(path.relative_to(kernel)): path.read_text(encoding="utf-8") for path in sorted(kernel.rglob("*.c"))
               if not path.name.endswith("_test.c") and not path.name.startswith("fake")}
    kinds = {name: found[0] for name, found in
             pointer_calls.kinds((syscall_table.FOLDER / "kinds.h").read_text(encoding="utf-8")).items()}
    ranges = (HERE / "calls.c").read_text(encoding="utf-8").partition("static void ranges(")[2].partition("\n}\n")[0]
    rows = set(re.findall(r"ROW\(\w+, \w+, (\w+)", (HERE / "commands.c").read_text(encoding="utf-8")))
    pointers = {name.removeprefix("pointers-") for name in names if name.startswith("pointers-")}
    wrong = [*forgotten_arguments(syscall_table.read(), kinds, pointers, attacks, ranges), *forgotten_places(sources, attacks),
             *forgotten_commands(sources, rows)]
    sys.exit("\n".join(wrong) if wrong else 0)


if __name__ == "__main__":
    main(sys.argv[1])
