# SPDX-License-Identifier: MIT
"""Odd archives as initrds: what is made of them on Baton is what Debian's kernel makes of them.

ci/reference/initrd.json holds the listings of Debian's kernel in the same machine, with its version and a check value
of the archives; `initrd_corners.py record` makes it anew. Where the archives are others by now, Debian's kernel lists
them first. Each archive is booted behind Baton's own initrd and holds names below /odd.
"""
import difflib
import gzip
import hashlib
import json
import os
import tempfile
from pathlib import Path

import harness
from command import linux
from harness import check, run_program

REFERENCE = Path(__file__).parent / "reference" / "initrd.json"
DIRECTORY, FILE, LINK, FIFO, SOCKET, CHARACTER, BLOCK = (0o040000, 0o100000, 0o120000, 0o010000, 0o140000, 0o020000,
                                                       0o060000)
# Sizes of directories are each file system's own.
LIST = r"""cd /odd || exit 1
find . | LC_ALL=C sort | while IFS= read -r name; do
	if [ -d "$name" ] && [ ! -L "$name" ]; then size=-; else size=$(stat -c %s "$name"); fi
	echo "$(stat -c '%A %u:%g %h %Y %t:%T' "$name") $size ${#name} $(printf %s "$name" | tail -c 60)" \
		"$(readlink "$name")" "$([ -f "$name" ] && [ ! -L "$name" ] && md5sum < "$name")"
done
stat -c '%A %u:%g %Y %n' /TRAILER* /[A-Z]* /nowhere* 2> /dev/null
"""


class Archive:
    """Bytes of a newc archive; every field may be given."""

    def __init__(self):
        self.bytes = b""
        self.inode = 0

    def add(self, name, mode=FILE | 0o644, data=b"", **more):
        """more: ino uid gid nlink mtime major minor rmajor rminor namesize filesize check magic."""
        self.inode += 1
        text = name if isinstance(name, bytes) else name.encode() + b"\0"
        field = {"ino": self.inode, "uid": 0, "gid": 0, "nlink": 1, "mtime": 1000, "filesize": len(data), "major": 0,
                 "minor": 0, "rmajor": 0, "rminor": 0, "namesize": len(text), "check": 0, "magic": b"070701", **more}
        numbers = (field["ino"], mode, field["uid"], field["gid"], field["nlink"], field["mtime"], field["filesize"],
                   field["major"], field["minor"], field["rmajor"], field["rminor"], field["namesize"], field["check"])
        self.bytes += field["magic"] + b"".join(b"%08X" % number for number in numbers) + text
        self._pad()
        self.bytes += data
        self._pad()
        return self

    def _pad(self):
        self.bytes += bytes(-len(self.bytes) % 4)

    def end(self, zeros=0):
        self.add("TRAILER!!!", 0)
        self.bytes += bytes(zeros)
        return self


def _names():
    made = Archive().add("odd", DIRECTORY | 0o755)
    made.add("odd/missing/file", data=b"its parent is missing")
    made.add("/odd/absolute", data=b"from the root")
    made.add("./odd/dot", data=b"dot").add("odd//double", data=b"two slashes").add("odd/../odd/up", data=b"up")
    made.add("odd/directory", DIRECTORY | 0o700, mtime=77).add("odd/directory/late", data=b"after its directory")
    made.add("odd/directory", DIRECTORY | 0o1777, mtime=78, uid=3).add("odd/sub/", DIRECTORY | 0o755)
    made.add(b"odd/nuls\0\0\0\0\0\0", data=b"a name with more of them")
    made.add(b"odd/cut\0short\0", data=b"up to the first")
    made.add("odd/" + "l" * 255, data=b"255").add("odd/" + "m" * 256, data=b"256")
    made.add("odd" + "/" * (4095 - 8) + "slash", data=b"4095 and a NUL")
    made.add("odd" + "/" * (4096 - 8) + "slashes", data=b"one too many")
    made.add("odd/after", data=b"goes on").add("odd/bytes-\x01\x7f".encode() + b"\xff\xfe\0", data=b"any byte")
    return made.add("odd/TRAILER!!!", data=b"no trailer").end().bytes


def _kinds():
    made = Archive().add("odd", DIRECTORY | 0o755)
    made.add("odd/null", CHARACTER | 0o666, rmajor=1, rminor=3).add("odd/disk", BLOCK | 0o660, rmajor=8, gid=6)
    made.add("odd/large", CHARACTER | 0o600, rmajor=4095, rminor=1048575)
    made.add("odd/fifo", FIFO | 0o640).add("odd/socket", SOCKET | 0o755)
    made.add("odd/link", LINK | 0o777, b"to/nowhere", uid=5, gid=6, mtime=99)
    made.add("odd/nul-link", LINK | 0o777, b"to\0more").add("odd/empty-link", LINK | 0o777)
    made.add("odd/suid", FILE | 0o4755, b"x", uid=1000, gid=1001).add("odd/none", 0o644, b"no kind")
    made.add("odd/old", mtime=0).add("odd/new", mtime=0xffffffff).add("odd/empty", FILE, b"")
    made.add("odd/fifo-data", FIFO | 0o600, b"a FIFO with data").add("odd/directory-data", DIRECTORY | 0o755, b"data")
    made.add("odd/last", data=b"goes on")
    return made.end().bytes


def _repeated():
    made = Archive().add("odd", DIRECTORY | 0o755)
    for first, second in ((b"first, longer", b"second"), (b"1", b"second, longer"), (b"full", b"")):
        made.add(f"odd/twice{len(first)}", FILE | 0o600, first, uid=1).add(f"odd/twice{len(first)}", data=second, uid=2)
    kinds = {"file": (FILE | 0o644, b"data"), "directory": (DIRECTORY | 0o755, b""), "link": (LINK | 0o777, b"file"),
             "fifo": (FIFO | 0o600, b"")}
    for first, one in kinds.items():
        for second, other in kinds.items():
            made.add(f"odd/{first}-{second}", *one).add(f"odd/{first}-{second}", *other, uid=9)
    made.add("odd/full", DIRECTORY | 0o755).add("odd/full/inside", data=b"inside").add("odd/full", data=b"instead")
    made.add("odd/target", data=b"target").add("odd/through", LINK | 0o777, b"target")
    made.add("odd/through/x", data=b"below a link to a file").add("odd/through", data=b"not into the target")
    return made.end().bytes


def _links():
    made = Archive().add("odd", DIRECTORY | 0o755)
    for name in ("last1", "last2", "last3"):
        made.add(f"odd/{name}", data=b"on the last" if name == "last3" else b"", ino=100, nlink=3)
    for name in ("first1", "first2"):
        made.add(f"odd/{name}", data=b"on the first" if name == "first1" else b"", ino=101, nlink=2)
    made.add("odd/both1", data=b"the first's", ino=102, nlink=2).add("odd/both2", data=b"2nd", ino=102, nlink=2)
    made.add("odd/other1", data=b"1", ino=103, nlink=2, minor=1).add("odd/other2", data=b"2", ino=103, nlink=2, minor=2)
    made.add("odd/fifo1", FIFO | 0o600, ino=104, nlink=2).add("odd/fifo2", FIFO | 0o600, ino=104, nlink=2)
    made.add("odd/single1", data=b"1", ino=105, nlink=1).add("odd/single2", data=b"2", ino=105, nlink=1)
    made.add("odd/taken", data=b"there already").add("odd/source", data=b"s", ino=106, nlink=2)
    made.add("odd/taken", ino=106, nlink=2).add("odd/across1", data=b"a", ino=107, nlink=2).end(zeros=8)
    made.add("odd/across2", data=b"b", ino=107, nlink=2)
    return made.end().bytes


def _many():
    good = Archive().add("odd", DIRECTORY | 0o755)
    summed = b"its sum"
    good.add("odd/sum", data=summed, magic=b"070702", check=sum(summed)).add("odd/one", data=b"1").end(zeros=512)
    second = Archive().add("odd/two", data=b"2").end(zeros=4).bytes
    third = gzip.compress(Archive().add("odd/three", data=b"3" * 5000).end().bytes, mtime=0)
    third += bytes(-len(third) % 4)
    fourth = Archive().add("odd/four", data=b"4").bytes  # without its end
    return good.bytes + second + third + bytes(1024) + fourth + Archive().add("odd/five", data=b"5").end().bytes


def _bad(tail):
    good = Archive().add("odd", DIRECTORY | 0o755).add("odd/before", data=b"stays").end().bytes
    return good + tail + Archive().add("odd/behind", data=b"not reached").end().bytes


def _paths():
    """Names that lead by links, over what is there, out of the tree and back."""
    made = Archive().add("odd", DIRECTORY | 0o755)
    made.add("../odd/dd", data=b"1").add("odd/./dot", data=b"2").add("/../../odd/esc", data=b"3")
    made.add("odd/d", DIRECTORY | 0o755).add("odd/l", LINK | 0o777, b"d")
    made.add("odd/l/through", data=b"through a link to a directory").add("odd/abs", LINK | 0o777, b"/odd/d")
    made.add("odd/abs/through2", data=b"absolute").add("odd/d", LINK | 0o777, b"elsewhere", uid=4)
    made.add("odd/l", DIRECTORY | 0o755).add("odd/l/now", data=b"in").add("odd/f", data=b"f")
    made.add("odd/f/x", data=b"x").add("odd/f/", data=b"slash").add("odd/g/", data=b"slash new")
    made.add("odd/e", DIRECTORY | 0o755).add("odd/e", data=b"over an empty directory")
    made.add("odd/loop", LINK | 0o777, b"loop").add("odd/loop/x", data=b"x").add("odd/loop", data=b"over a loop")
    made.add("odd/dangling", LINK | 0o777, b"/odd/made").add("odd/dangling", data=b"not through")
    made.add("odd/.", DIRECTORY | 0o711, uid=9).add("odd/d/..", DIRECTORY | 0o722).add("", data=b"no name")
    made.add("odd/x\ny", data=b"newline").add("odd/ space ", data=b"s").add("odd/a/b/c", data=b"early")
    made.add("odd/a/b", DIRECTORY | 0o755).add("odd/a", DIRECTORY | 0o755).add("odd/a/b", DIRECTORY | 0o755)
    return made.add("odd/a/b/c", data=b"late").end().bytes


def _modes():
    """Every kind with bits that it has not, numbers of devices where there are none and too large, owners, times."""
    made = Archive().add("odd", DIRECTORY | 0o755)
    for mode in (0, 0o1, 0o4777, 0o1644, 0o7777, 0o100000, 0o107777, 0o110644, 0o130644, 0o150644, 0o170644, 0o177777,
                 0o1100644, 0x181a4, 0xffffffff, 0o041777, 0o047777, 0o020644, 0o060644, 0o010644, 0o140644, 0o024777):
        made.add(f"odd/m{mode:o}", mode, rmajor=1, rminor=3)
    made.add("odd/link", LINK | 0o600, b"t", rmajor=5, rminor=6)
    made.add("odd/nobody", uid=0xffffffff, gid=0xffffffff).add("odd/last", uid=0xfffffffe, gid=65536)
    made.add("odd/time", mtime=0x80000000).add("odd/nlink0", nlink=0)
    made.add("odd/many1", nlink=0xffffffff, ino=77, data=b"x").add("odd/many2", nlink=0xffffffff, ino=77)
    made.add("odd/number", BLOCK | 0o600, rmajor=0xffffffff, rminor=0xffffffff)
    return made.add("odd/number2", CHARACTER | 0o600, rmajor=4096, rminor=1 << 20).end().bytes


def _more_links():
    """One inode number for several kinds, for names that are replaced or cannot be."""
    made = Archive().add("odd", DIRECTORY | 0o755)
    made.add("odd/k1", FILE | 0o600, b"long first data", ino=60, nlink=2, uid=5)
    made.add("odd/k2", FILE | 0o640, ino=60, nlink=2, uid=6).add("odd/k3", ino=61, nlink=2)
    made.add("odd/missing/k4", data=b"lost", ino=61, nlink=2).add("odd/k5", data=b"found", ino=61, nlink=2)
    made.add("odd/j1", data=b"one", ino=62, nlink=2).add("odd/j1", data=b"replaced", ino=63)
    made.add("odd/j2", ino=62, nlink=2).add("odd/s1", LINK | 0o777, b"t", ino=64, nlink=2)
    made.add("odd/s2", LINK | 0o777, b"t2", ino=64, nlink=2).add("odd/d1", DIRECTORY | 0o755, ino=65, nlink=2)
    made.add("odd/d2", DIRECTORY | 0o755, ino=65, nlink=2).add("odd/f3", data=b"as the directory", ino=65, nlink=2)
    made.add("odd/c1", CHARACTER | 0o600, rmajor=1, rminor=3, ino=66, nlink=2)
    made.add("odd/c2", CHARACTER | 0o640, rmajor=1, rminor=5, ino=66, nlink=2, uid=7, mtime=5)
    made.add("odd/q1", ino=67, nlink=2).add("odd/q1", data=b"same name twice", ino=67, nlink=2)
    made.add("odd/w1", data=b"x", ino=68, nlink=2).add("odd/wd", DIRECTORY | 0o755).add("odd/wd/in", data=b"i")
    made.add("odd/wd", ino=68, nlink=2).add("odd/y1", FILE | 0o4755, b"suid", ino=69, nlink=2, uid=1000)
    made.add("odd/y2", FILE | 0o4755, b"again suid", ino=69, nlink=2, uid=1000)
    made.add("odd/z1", data=b"z", ino=70, nlink=2).add("TRAILER!!!", FILE | 0o644, data=b"data")
    return made.add("odd/z2", ino=70, nlink=2).end().bytes


def _zipped():
    """Members of gzip one behind the other, with zeros between, with a name, with a plain archive around."""
    first = gzip.compress(Archive().add("odd", DIRECTORY | 0o755).add("odd/1", data=b"1" * 9000).end().bytes, mtime=0)
    second = gzip.compress(Archive().add("odd/2", data=b"2" * 9000).end().bytes, mtime=0)
    named = b"\x1f\x8b\x08\x08\0\0\0\0\0\3name\0" + gzip.compress(
        Archive().add("odd/3", data=b"3").end().bytes, mtime=0)[10:]
    sums = Archive().add("odd/linked", LINK | 0o777, b"abc", magic=b"070702", check=5)
    sums.add("odd/empty", magic=b"070702", check=9).end()
    zipped = first + second + b"\0" + named + gzip.compress(b"", mtime=0)
    return zipped + bytes(-len(zipped) % 4 + 4) + sums.bytes


CASES = {
    "paths": _paths(),
    "modes": _modes(),
    "more_links": _more_links(),
    "zipped": _zipped(),
    "names": _names(),
    "kinds": _kinds(),
    "repeated": _repeated(),
    "links": _links(),
    "many": _many(),
    "garbage": _bad(b"garbage, and more of it\n"),
    "wrong_sum": _bad(Archive().add("odd/sum", data=b"data", magic=b"070702", check=1).end().bytes),
    "no_nul": _bad(Archive().add(b"odd/no-nul", data=b"a name without its NUL").bytes),
    "old_format": _bad(b"070707" + b"0" * 70),
    "cut": _bad(b"")[:-150],
}
FAILS = ("garbage", "wrong_sum", "no_nul", "old_format", "cut")  # of which a line is said


def _listing(name, on):
    with tempfile.NamedTemporaryFile(suffix=".cpio") as archive:
        archive.write(CASES[name])
        archive.flush()
        result = run_program("/bin/busybox", ["sh", "-c", LIST], on=on, mem=256, behind=[archive.name])
    text = result.stdout.decode(errors="backslashreplace")
    check(result.code in (0, 1) and text, f"{name}: the listing ended with {result.code}: {text}{result.stderr}")
    return text.splitlines(), result.log


def _check_value():
    return hashlib.sha256(LIST.encode() + b"".join(CASES.values())).hexdigest()


def _record():
    kept = {"kernel": linux.version(), "archives": _check_value(), "listings": {}}
    for name in CASES:
        kept["listings"][name] = _listing(name, "linux")[0]
    REFERENCE.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def corners():
    """Every archive's listing, and a line of the log where the archive is broken."""
    kept = json.loads(REFERENCE.read_text(encoding="utf-8"))
    known = kept["archives"] == _check_value()
    wrong = []
    for name in CASES:
        expected = kept["listings"][name] if known else _listing(name, "linux")[0]
        found, log = _listing(name, os.environ.get("BATON_ON", "baton"))
        wrong += difflib.unified_diff(expected, found, f"{name} on Debian's kernel", f"{name} on Baton", lineterm="", n=0)
        if name in FAILS and "BATON_ON" not in os.environ and "what came before stays" not in log:
            wrong.append(f"{name}: the log does not say where the archive ends")
    check(not wrong, "\n".join(wrong)[:10000])
    print(f"{len(CASES)} archives, {sum(map(len, kept['listings'].values()))} lines are the same")


if __name__ == "__main__":
    harness.main([corners], {"record": _record})
