# SPDX-License-Identifier: MIT
"""A TPM 2.0 for a machine in QEMU: Debian's swtpm, whose PCRs can be read while the machine runs.

QEMU hands swtpm the descriptor by which commands come. Here a relay stands between: it passes the control channel
on as it is, and for the commands gives swtpm a socket of its own, so that commands of ours go between the guest's.
"""
import array
import contextlib
import select
import socket
import struct
import subprocess
import tempfile
import threading
import time
from pathlib import Path

ALGORITHMS = {"sha1": 0x04, "sha256": 0x0B, "sha384": 0x0C, "sha512": 0x0D}
PCR_READ = 0x17E
SET_DATAFD = 0x10
SECONDS = 300


def _whole(sock, size):
    data = b""
    while len(data) < size:
        part = sock.recv(size - len(data))
        if not part:
            raise ConnectionError("the other end is gone")
        data += part
    return data


def _packet(sock):
    """A command or a response: a header of 10 bytes with the size of all."""
    head = _whole(sock, 10)
    return head + _whole(sock, struct.unpack_from(">I", head, 2)[0] - 10)


class Tpm:
    """Use with `with`; words(): QEMU's."""

    def __init__(self, device="tpm-crb"):
        self.device = device
        self.lock = threading.Lock()
        self.data = None  # to swtpm
        self.stack = contextlib.ExitStack()

    def __enter__(self):
        # A socket's path may have 108 bytes: not under the build folder.
        self.folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="baton-tpm-")))
        self.server = self.stack.enter_context(socket.socket(socket.AF_UNIX))
        self.server.bind(str(self.folder / "front"))
        self.server.listen(1)
        self.process = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.folder}", "--ctrl",
             f"type=unixio,path={self.folder / 'back'}", "--flags", "startup-clear"], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.stack.close()
        return False

    def words(self):
        return ["-chardev", f"socket,id=tpm,path={self.folder / 'front'}", "-tpmdev", "emulator,id=tpm0,chardev=tpm",
                "-device", f"{self.device},tpmdev=tpm0"]

    def _connect(self):
        end = time.monotonic() + SECONDS
        while True:
            back = socket.socket(socket.AF_UNIX)
            try:
                back.connect(str(self.folder / "back"))
                return back
            except OSError:
                back.close()
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def _serve(self):
        with contextlib.suppress(OSError):
            front, _ = self.server.accept()
            back = self._connect()
            while True:
                ready = select.select([front, back], [], [])[0]
                if front in ready:
                    data, descriptors, _, _ = socket.recv_fds(front, 4096, 4)
                    if not data:
                        return
                    self._control(back, data, descriptors)
                if back in ready:
                    data = back.recv(4096)
                    if not data:
                        return
                    front.sendall(data)

    def _control(self, back, data, descriptors):
        """One message of QEMU's; the descriptor for commands is kept, and swtpm gets one of ours."""
        if not descriptors:
            back.sendall(data)
            return
        assert struct.unpack_from(">I", data)[0] == SET_DATAFD, data
        guest = socket.socket(fileno=descriptors[0])
        self.data, theirs = socket.socketpair()
        back.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [theirs.fileno()]))])
        theirs.close()
        threading.Thread(target=self._relay, args=(guest,), daemon=True).start()

    def _relay(self, guest):
        with contextlib.suppress(OSError):
            while True:
                guest.sendall(self._ask(_packet(guest)))

    def _ask(self, command):
        with self.lock:
            self.data.sendall(command)
            return _packet(self.data)

    def pcr(self, number, bank="sha256"):
        """TPM2_PCR_Read (TPM 2.0 part 3, 22.4), hexadecimal."""
        select_bits = bytes(number // 8 == i and 1 << number % 8 or 0 for i in range(3))
        answer = self._ask(struct.pack(">HIIIHB3s", 0x8001, 20, PCR_READ, 1, ALGORITHMS[bank], 3, select_bits))
        assert struct.unpack_from(">I", answer, 6)[0] == 0, answer.hex()
        size = struct.unpack_from(">H", answer, 10 + 4 + 10 + 4)[0]
        return answer[30:30 + size].hex()
