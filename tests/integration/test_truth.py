"""The matrix of truth by verdict can fail: each kind of mistake is found and named."""

import json
import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import truth


def record(outcome, status=401, host="api", faults=(), early=False, correlation="id-1"):
    return {"outcome": outcome, "status": status, "host": host, "faults": list(faults),
            "ended_early": early, "correlation_id": correlation}


def attempt(verdict, correlation="id-1", status=401):
    return {"verdict": verdict, "correlation_id": correlation, "http_status": status,
            "explanation": "for this reason; and so on"}


class Truth(unittest.TestCase):
    def matrix(self, *pairs):
        """Of records of an emulator and attempts of a report, written down and read again."""
        with tempfile.TemporaryDirectory() as folder:
            with mock.patch.dict(os.environ, SKEWGUARD_TRUTH=folder):
                for known, said in pairs:
                    if known:
                        truth.answered(known)
                    truth.told(said, "here")
            return truth.read(folder)

    def test_what_is_right_is_sound(self):
        matrix = self.matrix((record("revoked"), attempt("token_revoked")),
                             (record("expired", early=True, correlation="2"),
                              attempt("issuer_clock_behind", "2")))
        self.assertTrue(matrix.sound, matrix.text())
        self.assertEqual(matrix.cells["ended early"]["issuer_clock_behind"], 1)

    def test_an_innocent_clock_that_is_blamed_is_found(self):
        for known, verdict in ((record("revoked"), "issuer_clock_ahead"),
                               (record("not_spread"), "issuer_clock_ahead"),
                               (record("expired"), "issuer_clock_behind"),
                               (record("wrong_secret", host="login"), "local_clock_ahead")):
            matrix = self.matrix((known, attempt(verdict)))
            self.assertFalse(matrix.sound)
            self.assertIn("BLAMED: here", matrix.text())

    def test_slow_propagation_behind_a_late_date_is_counted_apart(self):
        matrix = self.matrix((record("not_spread", faults=["date_late"]),
                              attempt("issuer_clock_ahead")))
        self.assertTrue(matrix.sound)
        self.assertEqual(sum(matrix.apart.values()), 1)

    def test_a_wrong_cure_is_found(self):
        matrix = self.matrix((record("not_yet_valid"), attempt("token_revoked")))
        self.assertFalse(matrix.sound)
        self.assertIn("WRONG CURE: here: not_yet_valid was called token_revoked", matrix.text())

    def test_the_right_cure_under_another_name_is_listed(self):
        matrix = self.matrix((record("revoked"), attempt("token_expired")))
        self.assertTrue(matrix.sound)
        self.assertIn("OTHER NAME: here", matrix.text())

    def test_an_unknown_is_listed_with_its_reason(self):
        matrix = self.matrix((record("revoked"), attempt("unknown")))
        self.assertIn("unknown, revoked: for this reason (here: 1)", matrix.text())

    def test_an_answer_that_no_emulator_gave_is_counted_by_itself(self):
        matrix = self.matrix((record("revoked"), attempt("token_revoked")),
                             (None, attempt("protocol", "another")),
                             (None, attempt("network", "", None)))
        self.assertEqual(matrix.without_truth["protocol"], 1)
        self.assertEqual(matrix.cells["no whole answer"]["network"], 1)

    def test_the_lines_are_json(self):
        with tempfile.TemporaryDirectory() as folder:
            with mock.patch.dict(os.environ, SKEWGUARD_TRUTH=folder):
                truth.answered(record("revoked"))
            (file,) = Path(folder).iterdir()
            self.assertEqual(json.loads(file.read_text())["truth"], "revoked")


if __name__ == "__main__":
    unittest.main()
