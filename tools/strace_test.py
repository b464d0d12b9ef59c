#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Unit tests of the tracer's words: the table, the kinds, records into lines."""
import struct
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from command import strace, strace_kinds, strace_text, syscall_table

BYTES, STRING, PART, STRINGS, DATA, COUNT = range(1, 7)
NR = {name: number for number, name in syscall_table.linux_names().items()}


def head(event, tid=2, time=0):
    return strace.HEAD.pack(event, tid, time)


def piece(argument, form, content):
    return struct.pack("<BBH", argument, form, len(content)) + content


def enter(name, *arguments, pieces=(), tid=2, time=0):
    words = [value & (1 << 64) - 1 for value in (*arguments, 0, 0, 0, 0, 0, 0)[:6]]
    return head(strace.ENTER, tid, time) + struct.pack("<7Q", NR[name], *words) + \
        b"".join(piece(*one) for one in pieces)


def leave(name, result, pieces=(), tid=2, time=0):
    return head(strace.LEAVE, tid, time) + struct.pack("<Qq", NR[name], result) + b"".join(piece(*one) for one in pieces)


def lines(*records, **how):
    out = []
    tracer = strace.Tracer(out.append, **how)
    for record in records:
        tracer.feed(record)
    tracer.finish()
    return "".join(out).splitlines()


class Table(unittest.TestCase):
    def test_every_call_is_linux_s(self):
        names = syscall_table.linux_names()
        for number, call in syscall_table.read().items():
            self.assertEqual(names.get(number), call.name)

    def test_every_kind_has_words(self):
        kinds, words = set(syscall_table.kinds()), strace.Words()
        self.assertEqual([kind for kind in kinds if not words.knows(kind)], [])
        for call in syscall_table.read().values():
            self.assertLessEqual({kind for kind, _ in call.arguments}, kinds, call.name)

    def test_a_line_that_is_none_is_refused(self):
        for bad in ("CALL1(12, brk)", "\tCALL0(39, getpid) RETURN(X) \\", "CALL2(1, a, INT, b, INT)"):
            with self.assertRaises(ValueError, msg=bad):
                syscall_table.parse(bad)
        call = syscall_table.parse('\tCALL1(12, brk, ADDRESS, a) RETURNS(ADDRESS) LACKS("all, but (this)") \\')[12]
        self.assertEqual((call.returns, call.lacks, call.arguments),
                         ("ADDRESS", "all, but (this)", (("ADDRESS", "a"),)))


class Lines(unittest.TestCase):
    def one(self, expected, *records):
        self.assertEqual(lines(*records), [expected])

    def test_numbers_and_strings(self):
        self.one('openat(AT_FDCWD, "/usr", O_RDONLY|O_NONBLOCK|O_CLOEXEC|O_DIRECTORY) = 3',
                 enter("openat", -100, 0x1000, 0o2204000, pieces=[(1, STRING, b"/usr")]), leave("openat", 3))
        self.one('open("a\\1\\0012\\"\\n", O_WRONLY|O_CREAT, 0644) = -1 ENOENT (No such file or directory)',
                 enter("open", 1, 0o101, 0o644, pieces=[(0, STRING, b'a\1\0012"\n')]), leave("open", -2))
        self.one('write(1, "hello\\n", 6)                  = 6',
                 enter("write", 1, 0x1000, 6, pieces=[(1, BYTES, b"hello\n")]), leave("write", 6))
        self.one('read(0, "' + "x" * 32 + '"..., 4096) = 40',
                 enter("read", 0, 0x1000, 4096), leave("read", 40, [(1, PART, b"x" * 33)]))
        self.one("read(0, 0x1000, 4096)                   = -1 EAGAIN (Resource temporarily unavailable)",
                 enter("read", 0, 0x1000, 4096), leave("read", -11))
        self.one('execve("/bin/a", ["a", "b"], 0x7000 /* 1 var */) = 0',
                 enter("execve", 1, 2, 0x7000, pieces=[(0, STRING, b"/bin/a"), (2, COUNT, struct.pack("<I", 1)), (
                     1, STRINGS, struct.pack("<IH", 2, 1) + b"a" + struct.pack("<H", 1) + b"b")]), leave("execve", 0))

    def test_structures(self):
        self.one("nanosleep({tv_sec=1, tv_nsec=5}, NULL)  = 0",
                 enter("nanosleep", 0x1000, 0, pieces=[(0, BYTES, struct.pack("<qq", 1, 5))]), leave("nanosleep", 0))
        self.one("nanosleep({tv_sec=1, tv_nsec=5}, {tv_sec=0, tv_nsec=7}) = ? ERESTART_RESTARTBLOCK "
                 "(Interrupted by signal)",
                 enter("nanosleep", 0x1000, 0x2000, pieces=[(0, BYTES, struct.pack("<qq", 1, 5))]),
                 leave("nanosleep", -516, [(1, BYTES, struct.pack("<qq", 0, 7))]))
        self.one("rt_sigprocmask(SIG_BLOCK, ~[RTMIN RT_1], [], 8) = 0",
                 enter("rt_sigprocmask", 0, 1, 2, 8, pieces=[(1, BYTES, struct.pack("<Q", ~(3 << 31) & (1 << 64) - 1))]),
                 leave("rt_sigprocmask", 0, [(2, BYTES, bytes(8))]))
        self.one("wait4(-1, [{WIFSIGNALED(s) && WTERMSIG(s) == SIGSEGV && WCOREDUMP(s)}], WNOHANG, NULL) = 3",
                 enter("wait4", -1, 1, 1, 0), leave("wait4", 3, [(1, BYTES, struct.pack("<i", 139))]))
        self.one('writev(1, [{iov_base="ab", iov_len=2}, {iov_base="", iov_len=0}], 2) = 2',
                 enter("writev", 1, 0x1000, 2, pieces=[(1, BYTES, struct.pack("<4Q", 0x2000, 2, 0x3000, 0)),
                                                       (1, DATA, struct.pack("<H", 2) + b"ab" + bytes(2))]),
                 leave("writev", 2))
        self.one("fcntl(3, F_GETFD)                       = 0x1 (flags FD_CLOEXEC)",
                 enter("fcntl", 3, 1), leave("fcntl", 1))
        self.one("poll([{fd=0, events=POLLIN}], 1, -1)    = 1 ([{fd=0, revents=POLLIN|POLLHUP}])",
                 enter("poll", 0x1000, 1, -1, pieces=[(0, BYTES, struct.pack("<iHH", 0, 1, 0))]),
                 leave("poll", 1, [(0, BYTES, struct.pack("<iHH", 0, 1, 0x11))]))

    def test_two_processes(self):
        found = lines(enter("vfork"), enter("getpid", tid=3), leave("getpid", 3, tid=3),
                      enter("exit_group", 0, tid=3), head(strace.EXIT, 3) + struct.pack("<I", 0x100), leave("vfork", 3),
                      enter("wait4", -1, 0x1000, 0, 0),
                      head(strace.SIGNAL) + struct.pack("<iiixxxxiIixxxxqq", 17, 0, 1, 3, 0, 1, 0, 0).ljust(128, b"\0"),
                      leave("wait4", 3, [(1, BYTES, struct.pack("<i", 256))]))
        self.assertEqual(found, [
            "vfork( <unfinished ...>",
            "[pid     3] getpid()                    = 3",
            "[pid     3] exit_group(0)               = ?",
            "[pid     3] +++ exited with 1 +++",
            "<... vfork resumed>)                    = 3",
            "wait4(-1,  <unfinished ...>",
            "--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=3, si_uid=0, si_status=1, si_utime=0, "
            "si_stime=0} ---",
            "<... wait4 resumed>[{WIFEXITED(s) && WEXITSTATUS(s) == 1}], 0, NULL) = 3"])

    def test_file_and_times(self):
        self.assertEqual(lines(enter("getpid", time=1_500_000_000), leave("getpid", 2, time=1_500_001_000),
                               to_file=True, times=True),
                         ["2     1.500000 getpid()                 = 2 <0.000001>"])

    def test_memory_of_another_size(self):
        self.one("nanosleep(0x1000, 0)                    = 0",
                 enter("nanosleep", 0x1000, 0, pieces=[(0, BYTES, b"abc")]), leave("nanosleep", 0))


class Text(unittest.TestCase):
    def test_modes(self):
        self.assertEqual([strace_text.mode(value) for value in (0o100644, 0o41777, 0o20620, 0o644, 0, 0o106755)],
                         ["S_IFREG|0644", "S_IFDIR|S_ISVTX|0777", "S_IFCHR|0620", "0644", "000",
                          "S_IFREG|S_ISUID|S_ISGID|0755"])

    def test_signals(self):
        words = strace_kinds.Words()
        self.assertEqual([strace_text.signal_name(words, n) for n in (9, 32, 33, 64, 0, 65)],
                         ["SIGKILL", "SIGRTMIN", "SIGRT_1", "SIGRT_32", "0", "65"])


if __name__ == "__main__":
    unittest.main()
