# SPDX-License-Identifier: MIT
"""One program in a guest: carries its input, output and exit status over the exec channel.

One loop over poll. The caller's input is read only while little of it waits for the guest, and the
guest is read always: so neither side can block the other, and a guest that does not read its input
makes the caller wait, as a pipe would.
"""
import contextlib
import os
import select
import signal
import struct
import termios
import time
import tty

from . import channel, tree

WAITING_MAX = 65536  # bytes of input on their way to the guest
INPUT_CHUNK = 4096
BURST, GATHER = 0.005, 0.002  # seconds: a read so soon after the last one waits so long for more
GRACE = 3.0  # seconds for the rest of a log that says that the boot failed
HANDLED = select.POLLIN | select.POLLHUP | select.POLLERR


class TimedOut(Exception):
    """The time limit passed; the text says how far things had got."""


class Session:
    """`sink(stream, data)` takes STDOUT and STDERR; `source` is a descriptor to read, or None. guest_channel:
    guest.Pipes, or for tests a socket."""

    def __init__(self, guest_channel, com1, log, source, sink, terminal=None, seconds=None):
        self.channel, self.com1, self.log = guest_channel, com1, log
        self.source, self.sink, self.terminal = source, sink, terminal
        self.seconds = seconds
        self.deadline = None if seconds is None else time.monotonic() + seconds
        self.give_up = None  # when a fatal log line will be believed
        self.decoder = channel.Decoder()
        self.outgoing = bytearray()
        self.input_ended = False
        self.on_ready = lambda: None
        self.refused = None  # (errno, words): the program could not be started
        self.status = None
        self.closed = set()
        self.last_read = 0.0
        self.channel_out = getattr(guest_channel, "writer", guest_channel.fileno())

    # ---- the caller's side ----

    def _read_input(self):
        if self.source is None:
            data = b""
        else:
            try:
                data = os.read(self.source, INPUT_CHUNK)
            except BlockingIOError:
                return
            except OSError:  # a terminal that is gone, a closed descriptor
                data = b""
        if not data:
            self.input_ended = True
        self.outgoing += channel.frame(channel.STDIN, data)

    def _resized(self):
        with contextlib.suppress(OSError, BlockingIOError):
            while os.read(self.wake[0], 4096):
                pass
        if self.terminal is not None and self.decoder.ready:
            size = os.get_terminal_size(self.terminal)
            self.outgoing += channel.window(size.lines, size.columns)

    # ---- the guest's side ----

    def _read_channel(self):
        # QEMU gives single bytes: each would wake us.
        if time.monotonic() - self.last_read < BURST:
            time.sleep(GATHER)
        self.last_read = time.monotonic()
        try:
            data = self.channel.recv(1 << 18)
        except BlockingIOError:
            return
        except ConnectionError:
            data = b""
        if not data:
            self.closed.add("channel")
            return
        was_ready = self.decoder.ready
        for stream, payload in self.decoder.feed(data):
            if self.status is not None:
                break  # of a process that outlives the program
            if stream == channel.EXIT:
                self.status = struct.unpack("<I", payload)[0]
            elif stream == channel.FAILED:
                number = struct.unpack_from("<i", payload)[0]
                self.refused = (number, payload[4:].decode("utf-8", "replace"))
            else:
                self.sink(stream, payload)
        if self.decoder.ready and not was_ready:
            self.on_ready()
            self._resized()

    def _write_channel(self):
        try:
            sent = self.channel.send(self.outgoing[:WAITING_MAX])
        except BlockingIOError:
            return
        except ConnectionError:
            self.closed.add("channel")
            return
        del self.outgoing[:sent]

    def _read_log(self):
        try:
            data = self.com1.recv(1 << 16)
        except BlockingIOError:
            return
        except ConnectionError:
            data = b""
        if not data:
            self.closed.add("com1")
            return
        self.log.feed(data)
        if self.log.fatal and self.give_up is None:
            self.give_up = time.monotonic() + GRACE

    # ---- the loop ----

    def _interests(self):
        wanted = {self.wake[0]: (select.POLLIN, self._resized)}
        if "com1" not in self.closed:
            wanted[self.com1.fileno()] = (select.POLLIN, self._read_log)
        if "channel" not in self.closed:
            wanted[self.channel.fileno()] = (select.POLLIN, self._read_channel)
            if self.outgoing:
                events = wanted.get(self.channel_out, (0,))[0]
                wanted[self.channel_out] = (events | select.POLLOUT, self._read_channel)
        if self.decoder.ready and not self.input_ended and len(self.outgoing) < WAITING_MAX:
            if self.source is None:
                self._read_input()
            else:
                wanted[self.source] = (select.POLLIN, self._read_input)
        return wanted

    def _wait(self):
        """How long poll may sleep, in ms; raises when a limit has passed."""
        now = time.monotonic()
        if self.give_up is not None and now >= self.give_up:
            raise tree.Failure(f"the machine failed: {self.log.fatal}")
        if self.deadline is not None and now >= self.deadline:
            raise TimedOut(f"time-out after {self.seconds:g} s" +
                           ("" if self.decoder.ready else ", before the program started"))
        ends = [end for end in (self.give_up, self.deadline) if end is not None]
        return None if not ends else max(1, int((min(ends) - now) * 1000) + 1)

    def _turn(self):
        poller, wanted = select.poll(), self._interests()
        for descriptor, (events, _) in wanted.items():
            poller.register(descriptor, events)
        for descriptor, events in poller.poll(self._wait()):
            if descriptor == self.channel_out and events & (select.POLLOUT | select.POLLERR):
                self._write_channel()
            if descriptor == self.channel_out != self.channel.fileno():
                continue
            if events & select.POLLNVAL and descriptor == self.source:
                self._read_input()  # closed: it ends
            elif events & HANDLED:
                wanted[descriptor][1]()

    def run(self):
        """Until the exit status has come; returns the exit code."""
        for sock in (self.channel, self.com1):
            sock.setblocking(False)
        self.wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        previous = signal.set_wakeup_fd(self.wake[1], warn_on_full_buffer=False)
        try:
            while self.status is None:
                # QEMU is gone, maybe before it had opened the channel: poll is silent about such a pipe.
                if "com1" in self.closed and "channel" not in self.closed:
                    self._wait()
                    self._read_channel()
                    continue
                if "channel" in self.closed:
                    raise tree.Failure("the machine ended before the program did"
                                       if self.decoder.ready else
                                       "the machine ended before the program started")
                self._turn()
        except channel.ProtocolError as error:
            raise tree.Failure(f"the exec channel carries nonsense: {error}") from error
        finally:
            signal.set_wakeup_fd(previous)
            for descriptor in self.wake:
                os.close(descriptor)
        return channel.exit_code(self.status)

    def drain(self, seconds):
        """Takes what is left of the log, until the machine ends or the time is over."""
        end = time.monotonic() + seconds
        while "com1" not in self.closed and (left := end - time.monotonic()) > 0:
            if not select.select([self.com1], [], [], left)[0]:
                break
            self._read_log()


@contextlib.contextmanager
def raw_terminal(descriptor):
    """The terminal in raw mode meanwhile; as it was afterwards."""
    saved = termios.tcgetattr(descriptor)
    try:
        tty.setraw(descriptor)
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, saved)
