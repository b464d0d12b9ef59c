# SPDX-License-Identifier: MIT
"""The smallest pieces of strace's format: pure."""
import struct
import time

ESCAPES = {9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}
FILE_TYPES = {0o140000: "S_IFSOCK", 0o120000: "S_IFLNK", 0o100000: "S_IFREG", 0o60000: "S_IFBLK", 0o40000: "S_IFDIR",
              0o20000: "S_IFCHR", 0o10000: "S_IFIFO"}
SIGNALS = 64
FIRST_REALTIME = 32


def signed(value, bits):
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def unpack(form, data_):
    return struct.unpack(form, data_)[0]


def plain(value):
    """A number in base 16, as strace writes bits: 0 is 0."""
    return f"{value:#x}" if value else "0"


def address(value):
    return f"{value:#x}" if value else "NULL"


def quoted(content):
    out = []
    for i, byte in enumerate(content):
        if byte in ESCAPES:
            out.append(ESCAPES[byte])
        elif 32 <= byte < 127:
            out.append(chr(byte))
        else:
            digit_follows = i + 1 < len(content) and 48 <= content[i + 1] <= 57
            out.append(f"\\{byte:03o}" if digit_follows else f"\\{byte:o}")
    return '"' + "".join(out) + '"'


def data(content, length, shown, as_hex):
    """The beginning of `length` bytes."""
    content = content[:shown]
    text = '"' + "".join(f"\\x{byte:02x}" for byte in content) + '"' if as_hex else quoted(content)
    return text + ("..." if length > len(content) else "")


def octal(value):
    return f"0{value:o}".rjust(3, "0")


def mode(value):
    """Permissions with a file type."""
    kind = FILE_TYPES.get(value & 0o170000)
    words = [kind] if kind else []
    words += [name for bit, name in ((0o4000, "S_ISUID"), (0o2000, "S_ISGID"), (0o1000, "S_ISVTX")) if value & bit]
    return "|".join([*words, octal(value & (0o777 if kind else 0o170777))])


def device(value):
    major = (value >> 8 & 0xFFF) | (value >> 32 & 0xFFFFF000)
    minor = (value & 0xFF) | (value >> 12 & 0xFFFFFF00)
    return f"makedev({plain(major)}, {plain(minor)})"


def timespec(seconds, nanoseconds):
    return f"{{tv_sec={seconds}, tv_nsec={nanoseconds}}}"


def dated(seconds, nanoseconds):
    """A point in time, with the date for people."""
    text = timespec(seconds, nanoseconds)
    if seconds <= 0 and not nanoseconds:
        return text
    then = time.localtime(seconds)
    fraction = f".{nanoseconds:09d}" if nanoseconds else ""
    return f"{text} /* {time.strftime('%Y-%m-%dT%H:%M:%S', then)}{fraction}{time.strftime('%z', then)} */"


def timeval(seconds, microseconds):
    return f"{{tv_sec={seconds}, tv_usec={microseconds}}}"


def signal_name(words, number):
    if FIRST_REALTIME <= number <= SIGNALS:
        return "SIGRTMIN" if number == FIRST_REALTIME else f"SIGRT_{number - FIRST_REALTIME}"
    if 0 < number < FIRST_REALTIME:
        return words.flags("SIGNALS", number)
    return str(number)


def sigset(words, bits):
    """Signals without their SIG; by those that are missing, where most are there."""
    there = [n for n in range(1, SIGNALS + 1) if bits >> (n - 1) & 1]
    inverted = len(there) >= SIGNALS * 2 // 3
    if inverted:
        there = [n for n in range(1, SIGNALS + 1) if n not in there]
    return ("~" if inverted else "") + "[" + " ".join(signal_name(words, n)[3:] for n in there) + "]"
