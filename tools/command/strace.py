# SPDX-License-Identifier: MIT
"""The records of include/baton/trace.h -> strace's lines.

Arguments before the first one that the call writes are known when it begins, and stand there; the rest
follows when it ends. A line that another thread's event interrupts ends in `<unfinished ...>` and goes
on with `<... NAME resumed>`, as strace has it.
"""
import errno
import os
import struct

from . import strace_calls, strace_kinds, syscall_table
from .strace_text import address, octal, plain, signal_name

ENTER, LEAVE, SIGNAL, EXIT = range(1, 5)
HEAD = struct.Struct("<B3xIQ")
COLUMN = 40  # where results stand
RESTARTS = {512: ("ERESTARTSYS", "To be restarted if SA_RESTART is set"), 513: ("ERESTARTNOINTR", "To be restarted"),
            514: ("ERESTARTNOHAND", "To be restarted if no handler"),
            516: ("ERESTART_RESTARTBLOCK", "Interrupted by signal")}
WRITTEN = ("OUT", "REMAINING")  # the end of the names of kinds that are known after the call, and others
WRITTEN_TOO = ("IOCTL_ARGUMENT", "FCNTL_ARGUMENT", "PRCTL_ARGUMENT", "OFFSET_INOUT", "CLONE_ARGS")


class Traced:
    """One call of one thread."""

    def __init__(self, call, arguments, pieces):
        self.name = call.name
        self.returns = call.returns
        self.kinds = [kind for kind, _ in call.arguments]
        self.arguments = list(arguments)
        self.before, self.after = pieces, []
        self.leaving = False
        self.result = None

    def pieces_of(self, index, leaving=False):
        return [(form, content) for argument, form, content in (self.after if leaving else self.before)
                if argument == index]

    def piece(self, index, leaving=False):
        """(form, bytes) of an argument's memory, or None."""
        found = self.pieces_of(index, leaving)
        return found[0] if found else None

    def known(self):
        """How many arguments are known before the call."""
        for index, kind in enumerate(self.kinds):
            if kind.endswith(WRITTEN) or kind in WRITTEN_TOO:
                return index
        return len(self.kinds)


class Words(strace_kinds.Words):
    """Whole calls in words."""

    def arguments(self, call):
        return [self.argument(call, index) for index in range(len(call.kinds))]

    def texts(self, call):
        special = strace_calls.CALLS.get(call.name)
        try:
            return special(self, call) if special else self.arguments(call)
        except (struct.error, IndexError):  # memory of another size than the kind says: as the numbers they are
            return [plain(value) for value in call.arguments[:len(call.kinds)]]

    def result(self, call):
        """What stands behind the `=`."""
        if call.result is None:
            return "?"
        if -4095 <= call.result < 0:
            return self._error(-call.result)
        if call.returns == "ADDRESS":
            return address(call.result & 0xFFFFFFFFFFFFFFFF) if call.result else "NULL"
        if call.returns == "OCTAL":
            return octal(call.result)
        if call.returns == "BY_COMMAND":
            return strace_calls.fcntl_result(self, call)
        if call.returns == "READY":
            return str(call.result) + (" (Timeout)" if call.result == 0 else self.poll_ready(call))
        return str(call.result) + strace_calls.named_result(self, call)

    @staticmethod
    def _error(number):
        if number in RESTARTS:
            name, text = RESTARTS[number]
            return f"? {name} ({text})"
        return f"-1 {errno.errorcode.get(number, f'errno {number}')} ({os.strerror(number)})"


def pieces_of(content, at):
    """[(argument, form, bytes)] of a record from `at` on."""
    found = []
    while at + 4 <= len(content):
        argument, form, length = struct.unpack_from("<BBH", content, at)
        found.append((argument, form, content[at + 4:at + 4 + length]))
        at += 4 + length
    return found


class Tracer:
    """Takes records, gives lines to write(text). to_file: each line begins with its pid, as strace -f -o has
    it; times: each line begins with the time since boot and ends with how long the call took."""

    def __init__(self, write, to_file=False, times=False):
        self.write, self.to_file, self.times = write, to_file, times
        self.words = Words()
        self.table = syscall_table.read()
        self.names = syscall_table.linux_names()
        self.alive = []  # threads in the order in which they appeared
        self.calls = {}  # tid: (Traced, begun, words that were already written)
        self.open = None  # the tid whose line is not ended
        self.column = 0

    def feed(self, content):
        event, tid, time = HEAD.unpack_from(content)
        if tid not in self.alive:
            self.alive.append(tid)
        {ENTER: self._enter, LEAVE: self._leave, SIGNAL: self._signal, EXIT: self._exit}[event](tid, time, content)

    def finish(self):
        """All that will come has come: lines that are open end."""
        if self.open is not None:
            self._put(" <unfinished ...>\n")
            self.open = None

    # ---- lines ----

    def _put(self, text):
        self.column += len(text)
        self.write(text)

    def _begin(self, tid, time):
        """The beginning of a line: another one that is open is left unfinished."""
        self.finish()
        self.column = 0
        if self.to_file:
            self._put(f"{tid:<5} ")
        elif len(self.alive) > 1:
            self._put(f"[pid {tid:5}] ")
        if self.times:
            self._put(f"{time / 1e9:.6f} ")

    def _end(self, text, begun=None, now=None):
        self._put(" " + " " * max(0, COLUMN - self.column - 1) + "= " + text)
        self._put((f" <{(now - begun) / 1e9:.6f}>" if self.times and begun is not None else "") + "\n")
        self.open = None

    def _call(self, number):
        return self.table.get(number) or syscall_table.Call(
            number, self.names.get(number, f"syscall_{number:#x}"), tuple(("HEX", f"a{i}") for i in range(6)))

    # ---- events ----

    def _enter(self, tid, time, content):
        number, *arguments = struct.unpack_from("<7Q", content, HEAD.size)
        call = Traced(self._call(number), arguments, pieces_of(content, HEAD.size + 56))
        texts = self.words.texts(call)
        known = min(len(texts), call.known()) if call.kinds else len(texts)
        whole = known == len(texts)
        text = ", ".join(texts[:known]) + ("" if whole or not known else ", ")
        self._begin(tid, time)
        self._put(f"{call.name}({text}")
        self.calls[tid] = (call, time, len(texts) if whole else known)
        self.open = tid

    def _leave(self, tid, time, content):
        number, result = struct.unpack_from("<Qq", content, HEAD.size)
        if tid not in self.calls:
            return  # the write that switched the tracer on
        call, begun, done = self.calls.pop(tid)
        call.leaving, call.result, call.after = True, result, pieces_of(content, HEAD.size + 16)
        if self.open != tid:
            self._begin(tid, time)
            self._put(f"<... {call.name} resumed>")
        self._put(", ".join(self.words.texts(call)[done:]) + ")")
        self._end(self.words.result(call), begun, time)

    def _signal(self, tid, time, content):
        info = content[HEAD.size:]
        self._begin(tid, time)
        self._put(f"--- {signal_name(self.words, info[0])} {self.words.signal_info(info)} ---\n")

    def _exit(self, tid, time, content):
        status, = struct.unpack_from("<I", content, HEAD.size)
        if tid in self.calls:
            call = self.calls.pop(tid)[0]
            if self.open != tid:
                self._begin(tid, time)
                self._put(f"<... {call.name} resumed>")
            self._put(")")
            self._end("?")
        self._begin(tid, time)
        if status & 0x7F:
            core = " (core dumped)" if status & 0x80 else ""
            self._put(f"+++ killed by {self.words.flags('SIGNALS', status & 0x7F)}{core} +++\n")
        else:
            self._put(f"+++ exited with {status >> 8 & 0xFF} +++\n")
        self.alive.remove(tid)
