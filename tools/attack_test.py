# SPDX-License-Identifier: MIT
"""Tests of the report card's host side: which attacks, what the guest's lines become, machines that end."""
import json
import os
import sys
import unittest
from unittest import mock

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from command import attack, tree

ATTACKS = [{"name": f"{family}-{name}", "family": family, "title": f"The {family}", "tries": "", "why": "", "expected": "",
            "linux": ""} for family, name in (("a", "one"), ("a", "two"), ("b", "one"))]


def record(number, verdict, reason=""):
    one = {key: value for key, value in ATTACKS[number].items() if key != "title"}
    return {**one, "verdict": verdict, "observed": "", "reason": reason}


class AttackTest(unittest.TestCase):
    def setUp(self):
        self.lines = []
        self.card = attack.Card(ATTACKS, self.lines.append)

    def test_chosen(self):
        self.assertEqual(attack.chosen(ATTACKS, []), ATTACKS)
        self.assertEqual([one["name"] for one in attack.chosen(ATTACKS, ["a"])], ["a-one", "a-two"])
        self.assertEqual([one["name"] for one in attack.chosen(ATTACKS, ["b-one"])], ["b-one"])
        with self.assertRaises(tree.WrongUse):
            attack.chosen(ATTACKS, ["a-three"])

    def test_records_in_pieces(self):
        records = attack.Records(self.card)
        text = '{"schema": 1, "kernel": "k", "version": "v", "cpus": 4, "attacks": [\n' + ",\n".join(
            json.dumps(record(number, "held")) for number in range(3)) + '\n], "held": 3, "of": 3, "skipped": 0}\n'
        for at in range(0, len(text), 7):
            records.feed(text[at:at + 7].encode())
        records.end()
        self.assertEqual(self.card.about, {"kernel": "k", "version": "v", "cpus": 4})
        self.assertEqual(self.lines, ["ok 1 a-one", "ok 2 a-two", "ok 3 b-one"])
        self.assertTrue(self.card.is_held())
        self.assertEqual(records.other, [])
        self.assertEqual(self.card.document()["of"], 3)

    def test_not_held(self):
        self.card.add(record(0, "held"))
        self.card.add(record(1, "not held", "it went through"))
        self.card.add(record(2, "skipped", "no such CPU"))
        self.assertEqual(self.lines[1:], ["not ok 2 a-two", "# it went through", "ok 3 b-one # SKIP no such CPU"])
        self.assertFalse(self.card.is_held())
        self.assertEqual(self.card.table()[-1], "1 held of 2, 1 skipped")

    def test_machine_ends(self):
        self.card.add(record(0, "held"))
        self.assertFalse(self.card.is_held())  # two have not been tried
        self.card.died("PANIC: somewhere")
        self.assertEqual(self.lines[-2:], ["not ok 2 a-two", "# PANIC: somewhere"])
        self.assertEqual([one["name"] for one in self.card.left()], ["b-one"])

    def test_no_start(self):
        with mock.patch.object(attack, "_boot", return_value="no machine"), self.assertRaisesRegex(tree.Failure, "no machine"):
            attack.run(self.card, None)
        self.assertEqual(self.lines[-1], "Bail out! The attacks did not start")

    def test_all_skipped_is_not_held(self):
        for number in range(3):
            self.card.add(record(number, "skipped", "no"))
        self.assertFalse(self.card.is_held())

    def test_the_end_of_a_log(self):
        self.assertEqual(attack.the_end("a\n[ 1] PANIC: x\n at y"), "[ 1] PANIC: x\n at y")
        self.assertEqual(len(attack.the_end("\n".join("line" for _ in range(50))).splitlines()), 10)


if __name__ == "__main__":
    unittest.main()
