# SPDX-License-Identifier: MIT
"""The kinds of kernel/syscall/kinds.h in strace's words: a number, or memory that came along with the call."""
import struct

from . import strace_flags
from .strace_text import (address, data, dated, device, mode, octal, plain, quoted, sigset, signal_name, signed, timespec, timeval,
                          unpack)

BYTES, STRING, PART, STRINGS, DATA, COUNT = range(1, 7)  # enum trace_form
SHOWN = 32
UINT64 = (1 << 64) - 1
RLIM_INFINITY = UINT64


class Words:
    """Turns arguments of one call into text. names: strace_flags.load()."""

    def __init__(self):
        self.names, self.values = strace_flags.load()

    def flags(self, kind, value):
        return self.names[kind].text(value)

    def argument(self, call, index):
        """Argument `index` of a Traced call, by its kind."""
        kind = call.kinds[index]
        function = getattr(self, "kind_" + kind.lower(), None)
        if function is not None:
            return function(call, index)
        if kind in self.names:
            return self.flags(kind, self._number(call, index))
        raise KeyError(f"no words for the kind {kind} of {call.name}")

    def knows(self, kind):
        return kind in self.names or hasattr(self, "kind_" + kind.lower())

    def _number(self, call, index):
        value = call.arguments[index]
        return value if call.kinds[index] in ("CLONE_FLAGS", "UNSHARE_FLAGS", "MREMAP_FLAGS") else \
            signed(value, 32) if self.names[call.kinds[index]].form == "one" and signed(value, 32) < 0 and \
            call.kinds[index] not in ("REBOOT_MAGIC", "REBOOT_COMMAND") else value & 0xFFFFFFFF

    # ---- numbers ----

    def kind_int(self, call, index):
        return str(signed(call.arguments[index], 32))

    kind_pid = kind_fd = kind_int

    def kind_uint(self, call, index):
        return str(call.arguments[index] & 0xFFFFFFFF)

    def kind_long(self, call, index):
        return str(signed(call.arguments[index], 64))

    kind_offset = kind_long

    def kind_size(self, call, index):
        return str(call.arguments[index])

    kind_ulong = kind_size

    def kind_hex(self, call, index):
        return plain(call.arguments[index])

    kind_mmap_offset = kind_hex

    def kind_flags(self, call, index):
        return plain(call.arguments[index] & 0xFFFFFFFF)

    def kind_address(self, call, index):
        return address(call.arguments[index])

    kind_in = kind_out = kind_inout = kind_address

    def kind_dirfd(self, call, index):
        value = signed(call.arguments[index], 32)
        return "AT_FDCWD" if value == self.values["AT_FDCWD"] else str(value)

    def kind_uid(self, call, index):
        value = call.arguments[index] & 0xFFFFFFFF
        return "-1" if value == 0xFFFFFFFF else str(value)

    kind_gid = kind_uid

    def kind_signal(self, call, index):
        return signal_name(self, signed(call.arguments[index], 32))

    def kind_mode(self, call, index):
        return octal(call.arguments[index] & 0xFFFFFFFF)

    kind_open_mode = kind_mode

    def kind_node_mode(self, call, index):
        return mode(call.arguments[index] & 0xFFFFFFFF)

    def kind_device(self, call, index):
        return device(call.arguments[index])

    def kind_futex_operation(self, call, index):
        value = call.arguments[index] & 0xFFFFFFFF
        private, realtime = self.values["FUTEX_PRIVATE_FLAG"], self.values["FUTEX_CLOCK_REALTIME"]
        text = self.flags("FUTEX_COMMAND", value & ~(private | realtime))
        return text + ("_PRIVATE" if value & private else "") + ("|FUTEX_CLOCK_REALTIME" if value & realtime else "")

    # ---- strings and data ----

    def _text(self, call, index, leaving=False):
        piece = call.piece(index, leaving)
        if piece is None:
            return address(call.arguments[index])
        form, content = piece
        return quoted(content[:SHOWN] if form == PART and len(content) <= SHOWN + 1 else content) + \
            ("..." if form == PART else "")

    def kind_path(self, call, index):
        return self._text(call, index)

    kind_text = kind_path

    def kind_path_out(self, call, index):
        piece = call.piece(index, True)
        if piece is None:
            return address(call.arguments[index])
        content = piece[1]
        return quoted(content[:-1] if call.name == "getcwd" else content)

    def _data(self, call, index, leaving, length):
        piece = call.piece(index, leaving)
        if piece is None:
            return '""' if length == 0 and call.arguments[index] else address(call.arguments[index])
        return data(piece[1], length, SHOWN, call.name == "getrandom")

    def kind_data_in(self, call, index):
        return self._data(call, index, False, call.arguments[index + 1])

    def kind_data_out(self, call, index):
        return self._data(call, index, True, call.result if call.leaving else -1)

    def kind_strings(self, call, index):
        piece = call.piece(index)
        if piece is None:
            return address(call.arguments[index])
        count, = struct.unpack_from("<I", piece[1])
        words, at = [], 4
        while at < len(piece[1]):
            length, = struct.unpack_from("<H", piece[1], at)
            words.append(data(piece[1][at + 2:at + 2 + length], length, SHOWN, False))
            at += 2 + length
        return "[" + ", ".join(words + (["..."] if count > len(words) else [])) + "]"

    def kind_environment(self, call, index):
        piece = call.piece(index)
        where = address(call.arguments[index])
        if piece is None:
            return where
        count, = struct.unpack("<I", piece[1])
        return f"{where} /* {count} var{'' if count == 1 else 's'} */"

    def kind_directory_out(self, call, index):
        piece = call.piece(index, True)
        where = address(call.arguments[index])
        if piece is None:
            return where
        count, = struct.unpack("<I", piece[1])
        return f"{where} /* {count} entries */"

    def _vector(self, call, index, leaving):
        pieces = dict(call.pieces_of(index, leaving))
        raw, texts = pieces.get(BYTES, pieces.get(PART)), pieces.get(DATA, b"")
        if raw is None:
            return address(call.arguments[index])
        items, at = [], 0
        for i in range(min(len(raw) // 16, SHOWN)):
            base, length = struct.unpack_from("<QQ", raw, i * 16)
            text = address(base)
            if at < len(texts):
                shown, = struct.unpack_from("<H", texts, at)
                whole = length if shown > SHOWN else shown
                text = data(texts[at + 2:at + 2 + shown], whole, SHOWN, False)
                at += 2 + shown
            items.append(f"{{iov_base={text}, iov_len={length}}}")
        more = ["..."] if call.arguments[index + 1] > SHOWN else []
        return "[" + ", ".join(items + more) + "]"

    def kind_vector_in(self, call, index):
        return self._vector(call, index, False)

    def kind_vector_out(self, call, index):
        return self._vector(call, index, True)

    # ---- structures ----

    def _structure(self, call, index, leaving, text):
        """text(bytes) of the argument's memory, or its address."""
        piece = call.piece(index, leaving)
        return address(call.arguments[index]) if piece is None else text(piece[1])

    def _in(text):
        return lambda self, call, index: self._structure(call, index, False, lambda b: text(self, b))

    def _out(text):
        return lambda self, call, index: self._structure(call, index, True, lambda b: text(self, b))

    def _timespec(self, b):
        return timespec(*struct.unpack("<qq", b))

    def _timeval(self, b):
        return timeval(*struct.unpack("<qq", b))

    kind_timespec, kind_timespec_out = _in(_timespec), _out(_timespec)
    kind_timespec_remaining = kind_timespec_out
    kind_timeval, kind_timeval_out = _in(_timeval), _out(_timeval)

    def kind_timespec_inout(self, call, index):
        return self.kind_timespec(call, index)

    def kind_timeval_inout(self, call, index):
        return self.kind_timeval(call, index)

    def _timespec_pair(self, b):
        special = {0x3FFFFFFF: "UTIME_NOW", 0x3FFFFFFE: "UTIME_OMIT"}
        words = []
        for seconds, nanoseconds in struct.iter_unpack("<qq", b):
            words.append(special.get(nanoseconds) or dated(seconds, nanoseconds))
        return "[" + ", ".join(words) + "]"

    kind_timespec_pair = _in(_timespec_pair)

    def _timezone(self, b):
        return "{{tz_minuteswest={}, tz_dsttime={}}}".format(*struct.unpack("<ii", b))

    kind_timezone, kind_timezone_out = _in(_timezone), _out(_timezone)

    def _itimerval(self, b):
        interval, value = (timeval(*pair) for pair in struct.iter_unpack("<qq", b))
        return f"{{it_interval={interval}, it_value={value}}}"

    kind_itimerval, kind_itimerval_out = _in(_itimerval), _out(_itimerval)

    def _itimerspec(self, b):
        interval, value = (timespec(*pair) for pair in struct.iter_unpack("<qq", b))
        return f"{{it_interval={interval}, it_value={value}}}"

    kind_itimerspec, kind_itimerspec_out = _in(_itimerspec), _out(_itimerspec)

    def _bracketed(self, form, b):
        return f"[{struct.unpack(form, b)[0]}]"

    kind_int_out = _out(lambda self, b: self._bracketed("<i", b))
    kind_uint_out = _out(lambda self, b: self._bracketed("<I", b))
    kind_timer_id_out = kind_int_out
    kind_time_out = _out(lambda self, b: self._bracketed("<q", b))
    kind_fd_pair_out = _out(lambda self, b: "[{}, {}]".format(*struct.unpack("<ii", b)))
    kind_pointer_out = _out(lambda self, b: f"[{address(unpack('<Q', b))}]")

    def kind_offset_inout(self, call, index):
        before = self._structure(call, index, False, lambda b: self._bracketed("<q", b))
        after = call.piece(index, True)
        return before if after is None else f"{before} => {self._bracketed('<q', after[1])}"

    def _resource_limit(self, b):  # getrlimit's too: on x86-64 strace has one name for both
        def limit(value):
            if value == RLIM_INFINITY:
                return "RLIM64_INFINITY"
            return f"{value // 1024}*1024" if value > 1024 and value % 1024 == 0 else str(value)

        return "{{rlim_cur={}, rlim_max={}}}".format(*map(limit, struct.unpack("<QQ", b)))

    kind_resource_limit, kind_resource_limit_out = _in(_resource_limit), _out(_resource_limit)

    def _signal_set(self, b):
        return sigset(self, unpack("<Q", b))

    kind_signal_set, kind_signal_set_out = _in(_signal_set), _out(_signal_set)

    def kind_signal_set_sized(self, call, index):
        return self._structure(call, index, False, lambda b: "{{sigmask={}, sigsetsize={}}}".format(
            address(struct.unpack("<QQ", b)[0]), struct.unpack("<QQ", b)[1]))

    def _signal_action(self, b):
        handler, flags, restorer, mask = struct.unpack("<QQQQ", b)
        name = "sa_sigaction" if flags & self.values["SA_SIGINFO"] else "sa_handler"
        text = {0: "SIG_DFL", 1: "SIG_IGN", UINT64: "SIG_ERR"}.get(handler) or f"{handler:#x}"
        words = [f"{name}={text}", f"sa_mask={sigset(self, mask)}",
                 f"sa_flags={self.flags('SIGACTION_FLAGS', flags)}"]
        if flags & self.values["SA_RESTORER"]:
            words.append(f"sa_restorer={address(restorer)}")
        return "{" + ", ".join(words) + "}"

    kind_signal_action, kind_signal_action_out = _in(_signal_action), _out(_signal_action)

    def _signal_stack(self, b):
        base, flags, size = struct.unpack("<QixxxxQ", b)
        return f"{{ss_sp={address(base)}, ss_flags={self.flags('STACK_FLAGS', flags & 0xFFFFFFFF)}, ss_size={size}}}"

    kind_signal_stack, kind_signal_stack_out = _in(_signal_stack), _out(_signal_stack)

    def signal_info(self, b):
        """A siginfo_t, as after `---` and as an argument."""
        number, error, code = struct.unpack_from("<iii", b)
        name = signal_name(self, number)
        if name == "0" and code == 0:
            return "{}"
        own = "SI_CODE_" + name[3:]
        text = self.flags("SI_CODE", code) if code <= 0 or code == 128 or own not in self.names \
            else self.flags(own, code)
        words = [f"si_signo={name}", f"si_code={text}"] + ([f"si_errno={error}"] if error else [])
        if name == "SIGCHLD" and code > 0:
            words += self._child_info(b)
        elif name in ("SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGTRAP") and 0 < code < 128:
            words.append(f"si_addr={address(struct.unpack_from('<Q', b, 16)[0])}")
        elif code == -2:  # SI_TIMER
            timer, overrun, value = struct.unpack_from("<iiQ", b, 16)
            words += [f"si_timerid={timer:#x}", f"si_overrun={overrun}", f"si_int={signed(value, 32)}",
                      f"si_ptr={address(value)}"]
        elif code != 128:
            pid, uid, value = struct.unpack_from("<iIQ", b, 16)
            words += [f"si_pid={pid}", f"si_uid={uid}"]
            if code not in (0, -6) and (code == -1 or value):
                words += [f"si_int={signed(value, 32)}", f"si_ptr={address(value)}"]
        return "{" + ", ".join(words) + "}"

    def _child_info(self, b):
        pid, uid, status = struct.unpack_from("<iIi", b, 16)
        user, system = struct.unpack_from("<qq", b, 32)
        exited = struct.unpack_from("<i", b, 8)[0] == 1
        status = str(status) if exited else signal_name(self, status)
        return [f"si_pid={pid}", f"si_uid={uid}", f"si_status={status}", f"si_utime={user}", f"si_stime={system}"]

    kind_signal_info, kind_signal_info_out = _in(signal_info), _out(signal_info)

    def _signal_event(self, b):
        value, number, notify = struct.unpack_from("<Qii", b)
        how = {0: "SIGEV_SIGNAL", 1: "SIGEV_NONE", 2: "SIGEV_THREAD", 4: "SIGEV_THREAD_ID"}.get(notify, str(notify))
        words = [] if notify == 1 else [f"sigev_value={{sival_int={signed(value, 32)}, sival_ptr={address(value)}}}"]
        words += [f"sigev_signo={signal_name(self, number)}", f"sigev_notify={how}"]
        if notify == 4:
            words.append(f"sigev_notify_thread_id={struct.unpack_from('<i', b, 16)[0]}")
        return "{" + ", ".join(words) + "}"

    kind_signal_event = _in(_signal_event)

    def _stat(self, b):
        permissions, = struct.unpack_from("<I", b, 24)
        special = permissions & 0o170000 in (0o20000, 0o60000)
        number, = struct.unpack_from("<Q", b, 40 if special else 48)
        return f"{{st_mode={mode(permissions)}, " + \
            (f"st_rdev={device(number)}" if special else f"st_size={number}") + ", ...}"

    kind_stat_out = _out(_stat)

    def _statfs(self, b):
        kind, size, blocks, free, available, files, unused, f0, f1, name, fragment, flags = \
            struct.unpack_from("<QqQQQQQiiqqq", b)
        return (f"{{f_type={self.flags('FILE_SYSTEM', kind)}, f_bsize={size}, f_blocks={blocks}, f_bfree={free}, "
                f"f_bavail={available}, f_files={files}, f_ffree={unused}, f_fsid={{val=[{plain(f0 & 0xFFFFFFFF)}, {plain(f1 & 0xFFFFFFFF)}]}}, "
                f"f_namelen={name}, f_frsize={fragment}, f_flags={plain(flags)}}}")

    kind_statfs_out = _out(_statfs)
    kind_statx_out = _out(lambda self, b: "{{stx_mask={:#x}, stx_attributes={}, stx_mode={}, stx_size={}, ...}}".format(
        struct.unpack_from("<I", b)[0], plain(struct.unpack_from("<Q", b, 8)[0]),
        mode(struct.unpack_from("<H", b, 28)[0]), struct.unpack_from("<Q", b, 40)[0]))
    kind_utsname_out = _out(lambda self, b: "{{sysname={}, nodename={}, ...}}".format(
        *(quoted(b[at:at + 65].split(b"\0")[0]) for at in (0, 65))))
    kind_times_out = _out(lambda self, b: "{{tms_utime={}, tms_stime={}, tms_cutime={}, tms_cstime={}}}".format(
        *struct.unpack("<qqqq", b)))
    kind_usage_out = _out(lambda self, b: "{{ru_utime={}, ru_stime={}, ...}}".format(
        timeval(*struct.unpack_from("<qq", b)), timeval(*struct.unpack_from("<qq", b, 16))))
    kind_sched_parameter = _in(lambda self, b: self._bracketed("<i", b))
    kind_sched_parameter_out = _out(lambda self, b: self._bracketed("<i", b))

    def _system_info(self, b):
        names = ("uptime", None, "totalram", "freeram", "sharedram", "bufferram", "totalswap", "freeswap")
        numbers = struct.unpack_from("<q3QQQQQQQH6xQQI", b)
        loads = f"loads=[{', '.join(map(str, numbers[1:4]))}]"
        rest = [numbers[0], None, *numbers[4:10]]
        words = [loads if name is None else f"{name}={value}" for name, value in zip(names, rest)]
        words += [f"procs={numbers[10]}", f"totalhigh={numbers[11]}", f"freehigh={numbers[12]}", f"mem_unit={numbers[13]}"]
        return "{" + ", ".join(words) + "}"

    kind_system_info_out = _out(_system_info)

    def _sched_attributes(self, b):
        size, policy, flags, nice, priority, runtime, deadline, period = struct.unpack("<IIQiIQQQ", b[:48])
        return (f"{{size={size}, sched_policy={self.flags('SCHED_POLICY', policy)}, "
                f"sched_flags={self.flags('SCHED_FLAGS', flags)}, sched_nice={nice}, sched_priority={priority}, "
                f"sched_runtime={runtime}, sched_deadline={deadline}, sched_period={period}}}")

    kind_sched_attributes, kind_sched_attributes_out = _in(_sched_attributes), _out(_sched_attributes)

    def _cpu_mask(self, b):
        bits = int.from_bytes(b, "little")
        return "[" + " ".join(str(i) for i in range(8 * len(b)) if bits >> i & 1) + "]"

    kind_cpu_mask, kind_cpu_mask_out = _in(_cpu_mask), _out(_cpu_mask)

    def _numbers(self, b):
        return "[" + ", ".join(str(number) for number, in struct.iter_unpack("<I", b)) + "]"

    kind_groups, kind_groups_out = _in(_numbers), _out(_numbers)

    def kind_poll_fds(self, call, index):
        piece = call.piece(index)
        if piece is None:
            return "[]" if call.arguments[index + 1] == 0 and call.arguments[index] else address(call.arguments[index])
        return "[" + ", ".join(
            f"{{fd={fd}}}" if fd < 0 else f"{{fd={fd}, events={self.flags('POLL_EVENTS', events)}}}"
            for fd, events, _ in struct.iter_unpack("<iHH", piece[1])) + "]"

    def poll_ready(self, call):
        """What poll found, behind its result."""
        piece = call.piece(0, True)
        if piece is None:
            return ""
        words = [f"{{fd={fd}, revents={self.flags('POLL_EVENTS', revents)}}}"
                 for fd, _, revents in struct.iter_unpack("<iHH", piece[1]) if revents]
        return f" ([{', '.join(words)}])" if words else ""

    def kind_fd_set(self, call, index):
        return self._structure(call, index, False, self._cpu_mask)

    def _epoll_events(self, b):
        words = []
        for events, low, high in struct.iter_unpack("<III", b):
            words.append(f"{{events={self.flags('EPOLL_EVENTS', events)}, data={{u32={low}, u64={high << 32 | low}}}}}")
        return words

    kind_epoll_event = _in(lambda self, b: self._epoll_events(b)[0])
    kind_epoll_events_out = _out(lambda self, b: "[" + ", ".join(self._epoll_events(b)) + "]")
    kind_capabilities_header = _in(lambda self, b: "{{version={}, pid={}}}".format(
        {0x20080522: "_LINUX_CAPABILITY_VERSION_3"}.get(unpack("<I", b[:4]), hex(unpack("<I", b[:4]))),
        unpack("<i", b[4:])))
    kind_capabilities = kind_capabilities_out = kind_address

    def _wait_status(self, b):
        status, = struct.unpack("<i", b)
        if status & 0x7F == 0:
            return f"[{{WIFEXITED(s) && WEXITSTATUS(s) == {status >> 8 & 0xFF}}}]"
        if status & 0xFF == 0x7F:
            return f"[{{WIFSTOPPED(s) && WSTOPSIG(s) == {signal_name(self, status >> 8 & 0xFF)}}}]"
        if status == 0xFFFF:
            return "[{WIFCONTINUED(s)}]"
        core = " && WCOREDUMP(s)" if status & 0x80 else ""
        return f"[{{WIFSIGNALED(s) && WTERMSIG(s) == {signal_name(self, status & 0x7F)}{core}}}]"

    def kind_wait_status_out(self, call, index):
        if call.result == 0 and call.leaving:  # WNOHANG, and nothing to tell
            return address(call.arguments[index])
        if call.leaving and call.result > 0 and (piece := call.piece(index, True)) \
                and struct.unpack("<i", piece[1])[0] == 0xFFFF:
            return "[{WIFCONTINUED(s)}]"
        return self._structure(call, index, True, self._wait_status)

    # ---- by command: strace_calls.py writes these itself where they mean something ----

    kind_ioctl_argument = kind_fcntl_argument = kind_futex_timeout = kind_prctl_argument = kind_address

    def kind_clone_args(self, call, index):
        return address(call.arguments[index])
