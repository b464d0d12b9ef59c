#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests of `baton judge` and `baton compare` over a made-up firmware: report_test.py FIRMWARE-REPORT FIRMWARE-SAMPLE"""
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parent))
from command import __main__ as baton
from command import report


class Verbs(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        for patch in (mock.patch.object(report.build, "ready"), mock.patch.object(report, "PROGRAM", PROGRAM)):
            patch.start()
            self.addCleanup(patch.stop)
        self.good = self.sample("good")
        self.bad = self.sample("bad", "FCW")

    def sample(self, name, *fault):
        path = self.folder / name
        subprocess.run([SAMPLE, str(path), *fault], check=True)
        return str(path)

    def run_verb(self, *arguments):
        """(exit code, standard output, standard error)"""
        out, err = self.folder / "out", io.StringIO()
        saved = os.dup(1)
        with open(out, "wb") as file:
            os.dup2(file.fileno(), 1)
            try:
                with contextlib.redirect_stderr(err):
                    code = baton.main(list(arguments))
            finally:
                sys.stdout.flush()
                os.dup2(saved, 1)
                os.close(saved)
        return code, out.read_text(encoding="utf-8"), err.getvalue()

    def document(self, path, option="--json"):
        out = self.folder / "document"
        self.run_verb("judge", path, option, str(out))
        return out

    def test_table(self):
        code, out, _ = self.run_verb("judge", self.good)
        self.assertEqual(code, 0)
        self.assertTrue(out.startswith("71 checks: 0 FAIL 0 TAINTED 0 WARN"), out[:80])
        self.assertNotIn("PASS     ", out)
        self.assertIn("\nPASS     E entry.fpu ", self.run_verb("judge", "--all", self.good)[1])
        code, out, _ = self.run_verb("judge", self.bad)
        self.assertEqual(code, 1)
        self.assertIn("\nFAIL     E entry.fpu ", out)

    def test_json_is_judged_again(self):
        document = json.loads(self.document(self.bad).read_bytes())
        self.assertEqual(document["schema"], 1)
        self.assertEqual([check["number"] for check in document["checks"]], list(range(1, 72)))
        verdicts = {check["id"]: check["verdict"] for check in document["checks"]}
        self.assertEqual([name for name, verdict in verdicts.items() if verdict == "FAIL"], ["entry.fpu"])
        self.assertEqual(document["totals"]["FAIL"], 1)
        self.assertEqual(set(document["checks"][0]), {"id", "number", "family", "rule", "spec", "severity", "verdict", "waived",
                                                      "stable", "expected", "observed"})
        self.assertEqual(report.evidence(json.dumps(document).encode()), Path(self.bad).read_bytes())
        for check in document["checks"]:
            check["verdict"] = "PASS"  # what it says is not what counts
        path = self.folder / "again"
        path.write_text(json.dumps(document), encoding="utf-8")
        self.assertEqual(self.run_verb("judge", str(path))[1], self.run_verb("judge", self.bad)[1])

    def test_serial_log(self):
        text = self.document(self.bad, "--framed").read_bytes()
        log = b"BdsDxe: starting\r\n\x1b[2J" + text.replace(b"\n", b"\r\n") + b"[    1.0] on it goes\r\n"
        self.assertEqual(report.evidence(log), Path(self.bad).read_bytes())
        self.assertEqual(report.evidence(b"x\n" + text), Path(self.bad).read_bytes())
        cut = log[:len(log) // 2]
        self.assertEqual(report.evidence(log + cut), Path(self.bad).read_bytes())
        with self.assertRaisesRegex(ValueError, "does not end"):
            report.evidence(cut)
        with self.assertRaisesRegex(ValueError, "CRC-32"):
            report.evidence(log.replace(b"entry.fpu", b"entry.fpx"))

    def test_what_is_no_report(self):
        for content, why in ((b"hello", "neither"), (b"\xff\xfe", "neither"), (b"[1]", "no evidence"), (b"{}", "no evidence"),
                             (b'{"schema": 2, "evidence": []}', "schema 2"), (b'{"schema": 1, "evidence": ["!"]}', "no evidence"),
                             (b"BATNEVID rubbish and more, longer than a header", "version is unknown"), (b"", "neither")):
            path = self.folder / "bad report"
            path.write_bytes(content)
            code, out, err = self.run_verb("judge", str(path))
            self.assertEqual((code, out), (1, ""), content)
            self.assertIn(why, err, content)
            self.assertIn(str(path), err, content)
        self.assertIn("No such file", self.run_verb("judge", str(self.folder / "none"))[2])

    def test_ktap_and_junit(self):
        lines = self.run_verb("judge", self.bad, "--ktap", "-")[1].splitlines()
        self.assertEqual(lines[:2], ["KTAP version 1", "1..71"])
        results = [line for line in lines if line.startswith(("ok ", "not ok "))]
        self.assertEqual(len(results), 71)
        self.assertEqual([line for line in results if line.startswith("not")], ["not ok 6 entry.fpu"])
        suite = xml.etree.ElementTree.parse(self.document(self.bad, "--junit")).getroot()
        self.assertEqual((suite.get("tests"), suite.get("failures"), len(suite)), ("71", "1", 71))
        self.assertEqual([case.get("name") for case in suite if case.find("failure") is not None], ["entry.fpu"])

    def test_waivers(self):
        waivers = self.folder / "waivers"
        waivers.write_text("# of this board\nentry.fpu: the vendor knows\n", encoding="utf-8")
        code, out, _ = self.run_verb("judge", self.bad, "--waivers", str(waivers))
        self.assertEqual(code, 0)
        self.assertIn("1 waived", out)
        waivers.write_text("entry.nothing: a reason\n", encoding="utf-8")
        code, _, err = self.run_verb("judge", self.bad, "--waivers", str(waivers))
        self.assertEqual(code, 1)
        self.assertIn(f"{waivers}:1: expected a check's identifier", err)

    def test_compare(self):
        self.assertEqual(self.run_verb("compare", self.good, self.good)[:2], (0, "nothing changed\n"))
        code, out, _ = self.run_verb("compare", self.good, str(self.document(self.bad)))
        self.assertEqual((code, out), (1, "entry.fpu: FAIL, was PASS: FCW is 0x27f\n"))
        code, out, _ = self.run_verb("compare", self.good, self.sample("gone", "no PK in user mode"))
        self.assertIn("variable 8be4df61-93ca-11d2-aa0d-00e098032b8c PK went\n", out)
        self.assertIn("variable 8be4df61-93ca-11d2-aa0d-00e098032b8c PQ came\n", out)


if __name__ == "__main__":
    PROGRAM, SAMPLE = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1])
