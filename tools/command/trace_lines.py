# SPDX-License-Identifier: MIT
"""Traces in strace's format (-f -o), made comparable: pure.

A process is known by the order in which it appeared; calls that were cut in two are put together;
addresses, process ids, times and random bytes, which differ between any two runs, have a word in
their place.
"""
import re

LINE = re.compile(r"^(\d+) +(.*)$")
UNFINISHED = re.compile(r"^(.*?) ?<unfinished \.\.\.>$")
RESUMED = re.compile(r"^<\.\.\. \w+ resumed>(.*)$")
CALL = re.compile(r"^(\w+)\((.*)\) += (.*)$", re.S)
ADDRESS = re.compile(r"\b0x[0-9a-f]{4,}\b")
GIVE_PID = {"getpid", "gettid", "getppid", "fork", "vfork", "clone", "clone3", "wait4", "waitid", "set_tid_address",
            "getpgrp", "getpgid", "getsid", "setsid"}
TAKE_PID = {"kill", "tkill", "tgkill", "wait4", "setpgid", "getpgid", "getsid", "rt_sigqueueinfo",
            "rt_tgsigqueueinfo"}
TIMES = re.compile(r"\b(tv_sec|tv_nsec|tv_usec|tms_\w+|si_utime|si_stime|ru_\w+|it_\w+)=-?\d+")
IDS = re.compile(r"\b(si_pid)=\d+")
GIVE_TIME = {"clock_gettime", "gettimeofday", "time", "times", "getrusage", "wait4"}


def per_process(text):
    """[[event, ...] of each process], processes in the order of their first line, calls put together."""
    processes, begun = {}, {}
    for line in text.splitlines():
        found = LINE.match(line)
        if found is None:
            continue
        pid, event = found.groups()
        events = processes.setdefault(pid, [])
        if cut := UNFINISHED.match(event):
            begun[pid] = cut[1]
        elif rest := RESUMED.match(event):
            events.append(_joined(begun.pop(pid, ""), rest[1]))
        else:
            events.append(event)
    for pid, text_ in begun.items():
        processes[pid].append(text_ + ") = ?")
    return list(processes.values())


def _joined(first, rest):
    return first + (" " if first.endswith(",") and not rest.startswith(" ") else "") + rest


def normal(event):
    """An event with a word for what differs between any two runs."""
    event = IDS.sub(r"\1=PID", ADDRESS.sub("ADDRESS", event))
    call = CALL.match(event)
    if call is None:
        return TIMES.sub(r"\1=N", event)
    name, arguments, result = call.groups()
    if name in TAKE_PID:
        arguments = re.sub(r"^[1-9]\d*", "PID", arguments)
        arguments = re.sub(r"^(PID, )[1-9]\d*", r"\1PID", arguments) if name in ("tgkill", "setpgid") else arguments
    if name in GIVE_PID:
        result = re.sub(r"^[1-9]\d*", "PID", result)
        arguments = re.sub(r"parent_tid=\[\d+\]", "parent_tid=[PID]", arguments)
    if name in GIVE_TIME:
        arguments = re.sub(r"\[\d+\]", "[N]", TIMES.sub(r"\1=N", arguments))
        result = re.sub(r"^\d+$", "N", result) if name in ("time", "times") else result
    if name == "uname":
        arguments = re.sub(r'nodename="[^"]*"', "nodename=NAME", arguments)
    if name == "getrandom":
        arguments = re.sub(r'^"(?:\\x[0-9a-f]{2})*"', "RANDOM", arguments)
    if name == "execve":
        arguments = re.sub(r"/\* \d+ vars? \*/", "/* N vars */", arguments)
    return f"{name}({arguments}) = {result}"


def first_difference(one, other):
    """(process number, index, event or None of each, the events before) of the first difference; None: none.
    one, other: of per_process."""
    for number in range(max(len(one), len(other))):
        left = [normal(event) for event in one[number]] if number < len(one) else []
        right = [normal(event) for event in other[number]] if number < len(other) else []
        for index in range(max(len(left), len(right))):
            a = left[index] if index < len(left) else None
            b = right[index] if index < len(right) else None
            if a != b:
                return number, index, a, b, left[max(0, index - 3):index]
    return None
