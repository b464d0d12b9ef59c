# SPDX-License-Identifier: MIT
"""Calls whose arguments strace does not write one after the other, each by its kind."""
import struct

from .strace_text import address, plain, quoted, signal_name, signed, sigset


def _lock(words, piece):
    kind, whence, start, length, pid = struct.unpack_from("<hhxxxxqqi", piece)
    return (f"{{l_type={words.flags('LOCK_TYPE', kind)}, l_whence={words.flags('WHENCE', whence)}, "
            f"l_start={start}, l_len={length}"), pid


def fcntl(words, call):
    name = words.flags("FCNTL", call.arguments[1] & 0xFFFFFFFF)
    first = [words.argument(call, 0), name]
    value = call.arguments[2]
    if name in ("F_GETFD", "F_GETFL", "F_GETOWN", "F_GETSIG", "F_GETLEASE", "F_GETPIPE_SZ", "F_GET_SEALS"):
        return first
    if name == "F_SETFD":
        return [*first, words.flags("FD_FLAGS", value & 0xFFFFFFFF)]
    if name == "F_SETFL":
        return [*first, words.flags("OPEN_FLAGS", value & 0xFFFFFFFF)]
    if name.endswith("LK") or name.endswith("LKW"):
        piece = call.piece(2, "GET" in name) or (call.piece(2) if "GET" in name and not call.leaving else None)
        if piece is None:
            return [*first, address(value)]
        text, pid = _lock(words, piece[1])
        return [*first, text + (f", l_pid={pid}}}" if "GET" in name else "}")]
    if name.startswith("F_DUPFD") or name.startswith("F_SET"):
        return [*first, str(signed(value, 32))]
    return [*first, plain(value)]


def fcntl_result(words, call):
    """What stands behind fcntl's result."""
    name = words.flags("FCNTL", call.arguments[1] & 0xFFFFFFFF)
    if name == "F_GETFD":
        return f"{plain(call.result)}" + (" (flags FD_CLOEXEC)" if call.result & 1 else "")
    if name == "F_GETFL":
        return f"{plain(call.result)} (flags {words.flags('OPEN_FLAGS', call.result)})"
    return str(call.result)


def named_result(words, call):
    """What a result means, in brackets behind it; "" for most calls."""
    if call.name == "rt_sigtimedwait":
        return f" ({signal_name(words, call.result)})"
    if call.name == "sched_getscheduler":
        return f" ({words.flags('SCHED_POLICY', call.result)})"
    if call.name == "prctl" and words.flags("PRCTL", call.arguments[0]) == "PR_GET_DUMPABLE":
        return f" ({DUMPABLE.get(call.result, plain(call.result))})"
    return ""


def sigreturn(words, call):
    """The mask that the frame gives back, where it could be read."""
    piece = call.piece(0)
    return [] if piece is None else [f"{{mask={sigset(words, struct.unpack('<Q', piece[1])[0])}}}"]


DUMPABLE = {0: "SUID_DUMP_DISABLE", 1: "SUID_DUMP_USER", 2: "SUID_DUMP_ROOT"}
BAUD = {0: "B0", 13: "B9600", 14: "B19200", 15: "B38400", 0o10001: "B57600", 0o10002: "B115200"}


def _termios(words, content):
    """As strace abbreviates it: the speed and the bits that people look at."""
    iflag, oflag, cflag, lflag = struct.unpack_from("<IIII", content)

    def bit(flags, value, name):
        return name if flags & value else "-" + name

    return "{" + " ".join([BAUD.get(cflag & 0o10017, f"{cflag & 0o10017:#x}"), bit(oflag, 1, "opost"),
                           bit(lflag, 1, "isig"), bit(lflag, 2, "icanon"), bit(lflag, 8, "echo"), "..."]) + "}"


def ioctl(words, call):
    name = words.flags("IOCTL", call.arguments[1] & 0xFFFFFFFF)
    first = [words.argument(call, 0), name]
    value = call.arguments[2]
    if name in ("FIOCLEX", "FIONCLEX", "TIOCNOTTY"):
        return first
    if name in ("TIOCSCTTY", "TCSBRK", "TCXONC", "TIOCGPTPEER"):
        return [*first, str(signed(value, 32))]
    if name == "TCFLSH":
        return [*first, {0: "TCIFLUSH", 1: "TCOFLUSH", 2: "TCIOFLUSH"}.get(value, str(value))]
    piece = call.piece(2, True) or call.piece(2)
    if piece is None:
        return [*first, address(value)]
    if name.startswith("TCGETS") or name.startswith("TCSETS"):
        return [*first, _termios(words, piece[1])]
    if name in ("TIOCGWINSZ", "TIOCSWINSZ"):
        return [*first, "{{ws_row={}, ws_col={}, ws_xpixel={}, ws_ypixel={}}}".format(*struct.unpack("<HHHH", piece[1]))]
    return [*first, f"[{struct.unpack('<i', piece[1])[0]}]"]


def opening(words, call):
    """open, openat: the mode only where a file may be made."""
    texts = words.arguments(call)
    flags = call.arguments[len(texts) - 2]
    makes = flags & words.values["O_CREAT"] or flags & words.values["O_TMPFILE"] == words.values["O_TMPFILE"]
    return texts if makes else texts[:-1]


def futex(words, call):
    texts = words.arguments(call)
    command = call.arguments[1] & 0x7F
    if len(texts) < 6:
        return texts
    raw = call.arguments
    texts[2] = str(raw[2] & 0xFFFFFFFF)
    piece = call.piece(3)
    timeout = address(raw[3]) if piece is None else "{{tv_sec={}, tv_nsec={}}}".format(*struct.unpack("<qq", piece[1]))
    bits = "FUTEX_BITSET_MATCH_ANY" if raw[5] & 0xFFFFFFFF == 0xFFFFFFFF else plain(raw[5] & 0xFFFFFFFF)
    number, second, third = str(raw[3] & 0xFFFFFFFF), address(raw[4]), str(raw[5] & 0xFFFFFFFF)
    return {
        0: [*texts[:3], timeout], 1: texts[:3], 3: [*texts[:3], number, second],
        4: [*texts[:3], number, second, third], 6: [*texts[:2], timeout], 7: texts[:2], 8: texts[:2],
        9: [*texts[:3], timeout, bits],
        10: [*texts[:3], bits],
        11: [*texts[:3], timeout, second], 12: [*texts[:3], number, second, third], 13: [*texts[:2], timeout],
    }.get(command, [*texts[:3], address(raw[3]), second, plain(raw[5])])


def clone(words, call):
    raw = call.arguments
    flags, number = raw[0] & ~0xFF, raw[0] & 0xFF
    name = words.flags("CLONE_FLAGS", flags) if flags else ""
    if number:
        name += ("|" if name else "") + words.flags("SIGNALS", number)
    texts = [f"child_stack={address(raw[1])}", f"flags={name or '0'}"]
    if flags & (words.values["CLONE_PARENT_SETTID"] | words.values["CLONE_PIDFD"]):
        piece = call.piece(2, True)
        shown = f"[{struct.unpack('<i', piece[1])[0]}]" if piece else address(raw[2])
        texts.append(("parent_tid=" if flags & words.values["CLONE_PARENT_SETTID"] else "pidfd=") + shown)
    if flags & words.values["CLONE_SETTLS"]:
        texts.append(f"tls={address(raw[4])}")
    if flags & (words.values["CLONE_CHILD_SETTID"] | words.values["CLONE_CHILD_CLEARTID"]):
        texts.append(f"child_tidptr={address(raw[3])}")
    return texts


def clone3(words, call):
    piece = call.piece(0)
    size = str(call.arguments[1])
    if piece is None or len(piece[1]) < 64:
        return [address(call.arguments[0]), size]
    flags, pidfd, child, parent, number, stack, length, tls = struct.unpack_from("<8Q", piece[1])
    values = words.values
    texts = [f"flags={words.flags('CLONE_FLAGS', flags)}"]
    if flags & values["CLONE_PIDFD"]:
        texts.append(f"pidfd={address(pidfd)}")
    if flags & (values["CLONE_CHILD_SETTID"] | values["CLONE_CHILD_CLEARTID"]):
        texts.append(f"child_tid={address(child)}")
    if flags & values["CLONE_PARENT_SETTID"]:
        texts.append(f"parent_tid={address(parent)}")
    texts += [f"exit_signal={words.flags('SIGNALS', number) if number else '0'}", f"stack={address(stack)}",
              f"stack_size={plain(length)}"]
    if flags & values["CLONE_SETTLS"]:
        texts.append(f"tls={address(tls)}")
    text = "{" + ", ".join(texts) + "}"
    if call.leaving and call.result > 0 and flags & values["CLONE_PARENT_SETTID"]:
        text += f" => {{parent_tid=[{call.result}]}}"
    return [text, size]


def prctl(words, call):
    name = words.flags("PRCTL", call.arguments[0] & 0xFFFFFFFF)
    raw = call.arguments
    if name in ("PR_GET_DUMPABLE", "PR_GET_KEEPCAPS", "PR_GET_SECCOMP", "PR_GET_SECUREBITS", "PR_GET_TIMERSLACK"):
        return [name]
    if name in ("PR_SET_NAME", "PR_GET_NAME"):
        piece = call.piece(1, name == "PR_GET_NAME")
        return [name, address(raw[1]) if piece is None else quoted(piece[1].split(b"\0")[0][:15])
                + ("..." if len(piece[1].split(b"\0")[0]) > 15 else "")]
    if name == "PR_SET_PDEATHSIG":
        return [name, words.flags("SIGNALS", raw[1]) if raw[1] else "0"]
    if name in ("PR_GET_PDEATHSIG", "PR_GET_CHILD_SUBREAPER"):
        piece = call.piece(1, True)
        value = struct.unpack("<i", piece[1][:4])[0] if piece else 0
        shown = words.flags("SIGNALS", value) if name == "PR_GET_PDEATHSIG" and value else str(value)
        return [name, address(raw[1]) if piece is None else f"[{shown}]"]
    if name == "PR_SET_DUMPABLE":
        return [name, DUMPABLE.get(raw[1], plain(raw[1]))]
    if name in ("PR_SET_KEEPCAPS", "PR_SET_CHILD_SUBREAPER", "PR_SET_TIMERSLACK"):
        return [name, str(raw[1])]
    if name == "PR_GET_NO_NEW_PRIVS" or name == "PR_GET_THP_DISABLE":
        return [name, *(plain(value) for value in raw[1:5])]
    if name == "PR_SET_NO_NEW_PRIVS":
        return [name, str(raw[1]), *(plain(value) for value in raw[2:5])]
    return [name, *(plain(value) for value in raw[1:5])]


def mremap(words, call):
    texts = words.arguments(call)
    moves = words.values["MREMAP_FIXED"] | words.values["MREMAP_DONTUNMAP"]
    return texts if call.arguments[3] & moves else texts[:4]


def reboot(words, call):
    texts = words.arguments(call)
    return texts if texts[2].endswith("RESTART2") else texts[:3]


CALLS = {"fcntl": fcntl, "ioctl": ioctl, "open": opening, "openat": opening, "futex": futex, "clone": clone,
         "clone3": clone3, "prctl": prctl, "mremap": mremap, "reboot": reboot, "rt_sigreturn": sigreturn}
