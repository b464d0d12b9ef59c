# SPDX-License-Identifier: MIT
"""The frames of include/baton/channel.h: pure, bytes in, frames out.

Until the guest's first frame, READY, firmware writes to the second serial port as to the first
(OVMF has its console on both), so all that comes before the nine bytes of READY is skipped.
"""
import struct

STDIN, STDOUT, STDERR, WINDOW, EXIT, READY, FAILED, TRACE = range(8)
FRAME_MAX = 65536
VERSION = 1
HEADER = struct.Struct("<BI")
READY_FRAME = HEADER.pack(READY, 4) + struct.pack("<I", VERSION)
READY_START = HEADER.pack(READY, 4)
SPEC_PATH = "/etc/baton/exec"
RUNNER_PATH = "/sbin/exec-runner"


class ProtocolError(Exception):
    """Bytes that are no frame."""


def frame(stream, data=b""):
    if len(data) > FRAME_MAX:
        raise ValueError(f"{len(data)} bytes in a frame, at most {FRAME_MAX}")
    return HEADER.pack(stream, len(data)) + data


def window(rows, columns):
    return frame(WINDOW, struct.pack("<HH", min(rows, 0xFFFF), min(columns, 0xFFFF)))


def spec(path, argv, environment, tty=False, init=False, trace=False):
    """The content of SPEC_PATH. argv: all of it; environment: [(name, value)]."""
    words = [f"path={path}", *(f"arg={word}" for word in argv),
             *(f"env={name}={value}" for name, value in environment),
             f"stdio={'tty' if tty else 'pipes'}", f"init={int(init)}",
             f"trace={int(trace)}"]
    return b"".join(word.encode("utf-8", "surrogateescape") + b"\0" for word in words)


class Decoder:
    """Cuts the guest's bytes into (stream, payload); `ready` once READY has come."""

    def __init__(self):
        self.ready = False
        self.buffer = bytearray()

    def _find_ready(self):
        at = self.buffer.find(READY_START)
        if at < 0:
            del self.buffer[:max(0, len(self.buffer) - len(READY_FRAME))]
            return
        del self.buffer[:at]
        if len(self.buffer) < len(READY_FRAME):
            return
        version = struct.unpack_from("<I", self.buffer, HEADER.size)[0]
        if version != VERSION:
            raise ProtocolError(f"the guest speaks version {version} of the channel, expected {VERSION}")
        del self.buffer[:len(READY_FRAME)]
        self.ready = True

    def feed(self, data):
        """Takes bytes, returns the frames that are complete now."""
        self.buffer += data
        frames = []
        if not self.ready:
            self._find_ready()
        while self.ready and len(self.buffer) >= HEADER.size:
            stream, length = HEADER.unpack_from(self.buffer)
            if stream not in (STDOUT, STDERR, EXIT, FAILED, TRACE):
                raise ProtocolError(f"a frame of stream {stream} from the guest, expected "
                                    f"{STDOUT}, {STDERR}, {EXIT}, {FAILED} or {TRACE}")
            if length > FRAME_MAX:
                raise ProtocolError(f"a frame of {length} bytes, at most {FRAME_MAX}")
            if stream == EXIT and length != 4 or stream == FAILED and length < 4:
                raise ProtocolError(f"a frame of stream {stream} with {length} bytes, expected 4")
            if len(self.buffer) < HEADER.size + length:
                break
            frames.append((stream, bytes(self.buffer[HEADER.size:HEADER.size + length])))
            del self.buffer[:HEADER.size + length]
        return frames


def exit_code(status):
    """A wait status as a shell gives it on: 128+N for signal N."""
    signal = status & 0x7F
    return 128 + signal if signal else status >> 8 & 0xFF
