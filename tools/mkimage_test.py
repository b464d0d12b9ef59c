# SPDX-License-Identifier: MIT
"""Tests of mkimage: the same bytes twice, a GPT that sgdisk accepts, a FAT that fsck.fat accepts."""
import os
import random
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import mkimage

SBIN = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])


def tool(name):
    return shutil.which(name, path=SBIN)


@unittest.skipUnless(tool("mformat"), "mtools is not installed")
class MkimageTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def tree(self, name, order):
        rng = random.Random(7)
        files = {"EFI/BOOT/BOOTX64.EFI": 100_000, "baton/kernel.elf": 2_000_001, "README.TXT": 7,
                 "loader/entries/a long name.conf": 0}
        content = {path: rng.randbytes(size) for path, size in files.items()}
        for path in list(files)[::order]:
            full = os.path.join(self.folder, name, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "wb") as f:
                f.write(content[path])
            os.utime(full, (1_000_000_000 + order,) * 2)
        return os.path.join(self.folder, name), content

    def partition(self, image):
        """The partition of an image as a file of its own."""
        with open(image, "rb") as disk:
            disk.seek(mkimage.START * 512)
            volume = disk.read()[:-mkimage.gpt.END_SECTORS * 512]
        path = image + ".volume"
        with open(path, "wb") as f:
            f.write(volume)
        return path

    def test_same_bytes_and_content(self):
        images = []
        for name, order in (("one", 1), ("two", -1)):
            tree, content = self.tree(name, order)
            out = os.path.join(self.folder, name + ".img")
            self.assertEqual(mkimage.main(["-o", out, f"{tree}:/"]), 0)
            with open(out, "rb") as f:
                images.append(f.read())
        self.assertEqual(images[0], images[1])
        self.assertEqual(len(images[0]), 34 << 20)
        volume = self.partition(out)
        for path, data in content.items():
            read = subprocess.run(["mtype", "-i", volume, "::" + path], stdout=subprocess.PIPE,
                                  env=mkimage.environment(), check=True).stdout
            self.assertEqual(read, data, path)

    def test_checkers_find_no_fault(self):
        tree, _ = self.tree("one", 1)
        big = os.path.join(self.folder, "big")
        with open(big, "wb") as f:
            f.truncate(150 << 20)
        out = os.path.join(self.folder, "big.img")
        self.assertEqual(mkimage.main(["-o", out, "--free", "3", f"{tree}:/", f"{big}:/baton/other.cpio"]), 0)
        self.assertGreater(os.path.getsize(out), 153 << 20)
        checkers = 0
        if tool("sgdisk"):
            said = subprocess.run([tool("sgdisk"), "-v", "-p", out], stdout=subprocess.PIPE, text=True, check=True).stdout
            self.assertIn("No problems found", said)
            self.assertRegex(said, r"(?m)^ +1 +2048 .* EF00 +ESP$")
            checkers += 1
        if tool("fsck.fat"):
            subprocess.run([tool("fsck.fat"), "-n", self.partition(out)], stdout=subprocess.PIPE, check=True)
            checkers += 1
        if not checkers:
            self.skipTest("neither sgdisk nor fsck.fat here")

    def test_refused(self):
        out = os.path.join(self.folder, "x.img")
        for item in ("", "x", f"{self.folder}/none:/", "/dev/null:/x", f"{__file__}:/"):
            self.assertEqual(mkimage.main(["-o", out, item]), 1, item)
        self.assertEqual(os.listdir(self.folder), [])


if __name__ == "__main__":
    unittest.main()
