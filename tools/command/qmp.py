# SPDX-License-Identifier: MIT
"""QEMU's monitor, over a socket that is already connected."""
import json
import select
import time


class QmpError(Exception):
    """QEMU refused a command, or is gone."""


class Qmp:
    def __init__(self, sock):
        self.socket = sock
        self.buffer = b""
        self.events = []
        self.greeted = False

    def _message(self, deadline):
        while b"\n" not in self.buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                raise QmpError("no answer from QEMU's monitor")
            try:
                data = self.socket.recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                raise QmpError("QEMU is gone")
            self.buffer += data
        line, _, self.buffer = self.buffer.partition(b"\n")
        return json.loads(line)

    def _answer(self, deadline):
        while True:
            message = self._message(deadline)
            if "event" in message:
                self.events.append(message)
            elif "error" in message:
                raise QmpError(message["error"].get("desc", str(message["error"])))
            elif "return" in message:
                return message["return"]

    def command(self, name, timeout=600, **arguments):
        """Runs one command and returns its answer; events that come meanwhile are kept."""
        deadline = time.monotonic() + timeout
        try:
            if not self.greeted:
                while "QMP" not in self._message(deadline):
                    pass
                self.greeted = True
                self.socket.sendall(b'{"execute":"qmp_capabilities"}\n')
                self._answer(deadline)
            request = {"execute": name}
            if arguments:
                request["arguments"] = {k.replace("_", "-"): v for k, v in arguments.items()}
            self.socket.sendall(json.dumps(request).encode() + b"\n")
            return self._answer(deadline)
        except (BrokenPipeError, ConnectionError) as error:
            raise QmpError("QEMU is gone") from error

    def human(self, line, timeout=600):
        """A command of the human monitor; its text."""
        return self.command("human-monitor-command", timeout, command_line=line)

    def screendump(self, path):
        self.command("screendump", filename=str(path))

    def type(self, *names, seconds=600):
        """Presses keys as keys() does, each as soon as the guest has read the one before: as its keyboard controller's
        status says, whose first bit is set as long as there is something to be read."""
        end = time.monotonic() + seconds
        for name in names:
            parts = name.split("-")
            events = [(part, True) for part in parts] + [(part, False) for part in reversed(parts)]
            self.command("input-send-event", events=[
                {"type": "key", "data": {"down": down, "key": {"type": "qcode", "data": part}}} for part, down in events])
            while int(self.human("i /1bx 0x64").split("=")[1], 16) & 1:
                if time.monotonic() > end:
                    raise QmpError(f"the guest did not read the key {name} within {seconds} s")
                time.sleep(0.002)

    def keys(self, *names, pause=0.12):
        """Presses keys one after the other (QKeyCode names: a, ret, up, ...); `ctrl-c` together. Seconds from
        one to the next: a keyboard keeps some four of them until they are read."""
        for name in names:
            keys = [{"type": "qcode", "data": part} for part in name.split("-")]
            self.command("send-key", keys=keys, hold_time=int(pause * 800))
            time.sleep(pause)
