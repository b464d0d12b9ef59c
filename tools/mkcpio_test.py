# SPDX-License-Identifier: MIT
"""Tests of mkcpio: read back by a parser of our own, and by cpio and busybox where they are."""
import io
import os
import random
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import mkcpio


def parse(image):
    """Entries of the first archive: (name, mode, data, data offset, namesize, inode)."""
    at, entries = 0, []
    while True:
        assert image[at:at + 6] == b"070701", (at, image[at:at + 6])
        field = [int(image[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
        size, namesize = field[6], field[11]
        assert 0 < namesize <= 4096
        name = image[at + 110:at + 110 + namesize]
        assert name[-1] == 0
        start = mkcpio.align(at + 110 + namesize, 4)
        name = name.split(b"\0")[0].decode()
        if name == "TRAILER!!!":
            return entries, start
        entries.append((name, field[1], image[start:start + size], start, namesize, field[0]))
        at = mkcpio.align(start + size, 4)


def made(archive, mtime=0):
    out = io.BytesIO()
    archive.write(out, mtime)
    return out.getvalue()


class MkcpioTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name, content=b""):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(content)
        return path

    def test_names(self):
        archive = mkcpio.Archive()
        archive.data(b"bin/no\0", "/sbin/yes", 0o755)
        archive.symlink("yes", "/bin/link")
        image = made(archive)
        entries, _ = parse(image)
        self.assertEqual(mkcpio.names(image), [name.encode() for name, *_ in entries])
        self.assertIn(b"bin/link", mkcpio.names(image))
        for bad in (image[:200], b"", image[4:]):
            with self.assertRaises(mkcpio.CpioError):
                mkcpio.names(bad)

    def test_layout(self):
        archive = mkcpio.Archive()
        archive.data(b"hello", "/etc/motd")
        archive.data(b"", "empty")
        archive.data(b"x" * 5000, "bin/x", 0o755)
        archive.symlink("x", "bin/y")
        archive.directory("tmp", 0o1777)
        image = made(archive)
        entries, _ = parse(image)
        self.assertEqual([e[0] for e in entries if e[0] != "."],
                         ["bin", "bin/x", "bin/y", "empty", "etc", "etc/motd", "tmp"])
        by_name = {e[0]: e for e in entries}
        self.assertEqual(by_name["etc/motd"][2], b"hello")
        self.assertEqual(by_name["bin/y"][2], b"x")
        self.assertTrue(stat.S_ISLNK(by_name["bin/y"][1]))
        self.assertEqual(by_name["tmp"][1], stat.S_IFDIR | 0o1777)
        self.assertEqual(by_name["bin/x"][1], stat.S_IFREG | 0o755)
        for name, mode, data, start, _, _ in entries:
            if stat.S_ISREG(mode) and data:
                self.assertEqual(start % 4096, 0, name)
        self.assertEqual(len(image) % 4096, 0)
        inodes = [e[5] for e in entries if e[0] != "."]
        self.assertEqual(inodes, list(range(1, len(inodes) + 1)))

    def test_every_phase_of_a_page(self):
        """Names of all lengths behind data of all lengths: alignment never fails."""
        rng = random.Random(2)
        filled = 0
        for _ in range(300):
            archive = mkcpio.Archive()
            content = {}
            for i in range(6):
                name = f"{i}" + "n" * rng.choice([1, 20, 200, rng.randrange(1, 250)])
                content[name] = bytes(rng.randrange(1, 9000))
                archive.data(content[name], name)
            entries, _ = parse(made(archive))
            filled += sum(e[0] == "." for e in entries)
            found = {e[0]: e for e in entries if e[0] != "."}
            self.assertEqual({n: e[2] for n, e in found.items()}, content)
            self.assertTrue(all(e[3] % 4096 == 0 for e in found.values()))
        self.assertGreater(filled, 0, "the filler was never needed: the test is too tame")

    def test_longest_name(self):
        archive = mkcpio.Archive()
        name = ("/".join(["d" * 200] * 21))[:4093]
        archive.data(b"deep", name)
        entries, _ = parse(made(archive))
        self.assertEqual(entries[-1][0], name)
        self.assertEqual(entries[-1][3] % 4096, 0)
        with self.assertRaises(mkcpio.CpioError):
            archive.data(b"", "x" * 4094)

    def test_refused(self):
        archive = mkcpio.Archive()
        for item in ("", "x", "a:b:c:d", "dir:x:9", "dir:x:17777", "dir:x:755:user", f"{self.folder}/none:x",
                     "dir:../x", "/dev/null:null"):
            with self.assertRaises(mkcpio.CpioError, msg=item):
                archive.item(item)
        archive.data(b"1", "a")
        archive.data(b"2", "a/b")
        with self.assertRaises(mkcpio.CpioError):
            made(archive)

    def test_owner(self):
        archive = mkcpio.Archive()
        archive.item("dir:home:700:1000")
        archive.item("dir:other:755")
        data = made(archive)
        self.assertEqual([data[at + 14:at + 38] for at in (0, 116)],
                         [b"%08X%08X%08X" % (0o40700, 1000, 1000), b"%08X%08X%08X" % (0o40755, 0, 0)])

    def test_same_bytes_from_two_folders(self):
        images = []
        for order in (1, -1):
            folder = os.path.join(self.folder, str(order))
            for name in ["t/b", "t/a", "t/sub/c"][::order]:
                path = self.path(f"{order}/{name}", name.encode())
                os.utime(path, (order * 1000 + 5000,) * 2)
            os.symlink("a", f"{folder}/t/link")
            archive = mkcpio.Archive()
            archive.item(f"{folder}/t:/t")
            images.append(made(archive))
        self.assertEqual(images[0], images[1])

    def test_other_unpackers(self):
        self.path("tree/a", b"A" * 4097)
        self.path("tree/sub/" + "l" * 240, b"long")
        listing = self.path("list", b"# comment\n\ndir:/proc:555\nsymlink:a:/tree/link\n")
        out = os.path.join(self.folder, "out.cpio")
        self.assertEqual(mkcpio.main(["-o", out, "--list", listing, f"{self.folder}/tree:tree"]), 0)
        ran = 0
        for tool in (["cpio"], ["busybox", "cpio"]):
            if shutil.which(tool[0]) is None:
                continue
            ran += 1
            with open(out, "rb") as archive:
                target = tempfile.mkdtemp(dir=self.folder)
                subprocess.run([*tool, "-idm"], stdin=archive, cwd=target, check=True,
                               stderr=subprocess.PIPE)
            with open(f"{target}/tree/a", "rb") as f:
                self.assertEqual(f.read(), b"A" * 4097)
            with open(f"{target}/tree/sub/" + "l" * 240, "rb") as f:
                self.assertEqual(f.read(), b"long")
            self.assertEqual(os.readlink(f"{target}/tree/link"), "a")
            self.assertEqual(stat.S_IMODE(os.stat(f"{target}/proc").st_mode), 0o555)
        if not ran:
            self.skipTest("neither cpio nor busybox here")


if __name__ == "__main__":
    unittest.main()
