# SPDX-License-Identifier: MIT
"""The first serial port's log: written to a file, its end kept, watched for a boot that failed."""
import os
import re
import tempfile
from pathlib import Path

TAIL = 16384
# What says that nothing will come of this boot: a kernel panic, a loader that went back to firmware.
FATAL = re.compile(
    rb"(?i:\bpanic: )|\bloader: error: |BdsDxe: failed to (?:start|load) Boot|BdsDxe: No bootable option|"
    rb"\bUEFI Interactive Shell")
FATAL_BYTES = 64  # more than it takes: a part of it at the end of what came may become one
LINE_END = re.compile(rb"[\r\n]")
CONTROL = re.compile(r"\x1b(?:\[[0-9;?=]*[A-Za-z]|[()][A-Z0-9]|.)|[\x00-\x08\x0b-\x1f\x7f]")


def plain(data):
    """Text without terminal control sequences; lines end in \\n."""
    text = data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    return CONTROL.sub("", text)


class Log:
    """Opened anew for each run: the file is replaced, so that two runs at a time do not mix.
    watched: look for lines that say that the boot failed."""

    def __init__(self, path=None, watched=True):
        self.path = path and Path(path)
        self.watched = watched
        self.file = None
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self.path.exists() and not self.path.is_file():
                self.file = open(self.path, "wb", buffering=0)  # a terminal, a pipe
            else:
                handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=".log-")
                os.chmod(name, 0o644)
                self.file = os.fdopen(handle, "wb", buffering=0)
                os.replace(name, self.path)
        self.data = bytearray()
        self.searched = 0
        self.fatal = None  # the line that says why nothing will come

    def feed(self, data):
        if self.file is not None:
            self.file.write(data)
        self.data += data
        if self.watched and self.fatal is None:
            self._look()

    def _look(self):
        """Each byte once, and a few again: what draws on its whole terminal never ends a line."""
        found = FATAL.search(self.data, self.searched)
        if not found:
            self.searched = max(self.searched, len(self.data) - FATAL_BYTES)
            return
        self.searched = found.start()
        end = LINE_END.search(self.data, found.end())
        if end:
            start = max(self.data.rfind(mark, 0, found.start()) for mark in (b"\r", b"\n")) + 1
            self.fatal = plain(bytes(self.data[start:end.end()])).strip()

    def text(self):
        return plain(bytes(self.data))

    def tail(self, lines=40):
        kept = [line for line in plain(bytes(self.data[-TAIL:])).splitlines() if line.strip()]
        return "\n".join(kept[-lines:])

    def close(self):
        if self.file is not None:
            self.file.close()
