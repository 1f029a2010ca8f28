"""Tests of truth.py: each kind of wrong verdict is found and named."""

import json
import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import truth

NAME = "emulator 1"


def record(outcome, status=401, host="api", faults=(), early=False, correlation="id-1", token=1,
           date=100):
    return {"outcome": outcome, "status": status, "host": host, "faults": list(faults),
            "ended_early": early, "correlation_id": correlation, "token": token, "date": date}


def attempt(verdict, correlation="id-1", status=401, action="refresh_and_retry", host="api"):
    return {"verdict": verdict, "correlation_id": correlation, "http_status": status,
            "explanation": "for this reason; and so on", "action": action, "host": host}


def report(*attempts, mitigated=True, exit_code=0):
    return {"attempts": list(attempts), "mitigated": mitigated, "exit_code": exit_code}


def written(*writes):
    """The matrix of what these write down."""
    with tempfile.TemporaryDirectory() as folder:
        with mock.patch.dict(os.environ, SKEWGUARD_TRUTH=folder):
            for write in writes:
                write()
        return truth.read(folder)


def matrix_of(records, *reports, limited=False, begins=100, ours_alone=True):
    """Of an emulator's records and of the reports of calls to it."""
    stats = {"failed": records, "tokens": [{"n": 1, "begins_s": begins}]}
    hosts = {"api": NAME, "login": NAME}
    return written(lambda: truth.answered(NAME, stats, ours_alone),
                   *[lambda said=said: truth.told(said, "x.here", hosts, limited)
                     for said in reports])


def matrix(*pairs, **more):
    """Of calls with one attempt each, beside the record of its answer."""
    return matrix_of([known for known, _ in pairs], *[report(said) for _, said in pairs], **more)


class Words(unittest.TestCase):
    def test_what_is_right_is_sound(self):
        found = matrix((record("revoked"), attempt("token_revoked")),
                       (record("expired", early=True, correlation="2"),
                        attempt("issuer_clock_behind", "2")))
        self.assertTrue(found.sound, found.text())
        self.assertEqual(found.cells["ended early"]["issuer_clock_behind"], 1)

    def test_an_innocent_clock_that_is_blamed_is_found(self):
        for known, verdict in ((record("revoked"), "issuer_clock_ahead"),
                               (record("not_spread"), "issuer_clock_ahead"),
                               (record("expired"), "issuer_clock_behind"),
                               (record("wrong_secret", host="login"), "local_clock_ahead"),
                               (record("unknown_token"), "issuer_clock_ahead")):
            found = matrix((known, attempt(verdict)))
            self.assertFalse(found.sound)
            self.assertIn("BLAMED: x.here", found.text())

    def test_a_clock_that_is_blamed_where_no_truth_is_known_is_found(self):
        found = written(lambda: truth.told(report(attempt("issuer_clock_ahead")), "x.here"))
        self.assertFalse(found.sound)
        self.assertIn("BLAMED: x.here: no truth", found.text())

    def test_slow_propagation_behind_a_late_date_is_counted_apart(self):
        found = matrix((record("not_spread", faults=["date_late"]),
                        attempt("issuer_clock_ahead", action=truth.WAIT)))
        self.assertTrue(found.sound, found.text())
        self.assertEqual(sum(found.apart.values()), 1)

    def test_a_verdict_with_another_cure_is_found(self):
        found = matrix((record("not_yet_valid"), attempt("token_revoked", action=truth.WAIT)))
        self.assertFalse(found.sound)
        self.assertIn("WRONG CURE: x.here: not_yet_valid was called token_revoked", found.text())

    def test_the_right_cure_under_another_name_is_listed(self):
        found = matrix((record("revoked"), attempt("token_expired")))
        self.assertTrue(found.sound)
        self.assertIn("OTHER NAME: x.here", found.text())

    def test_a_truth_that_has_no_right_verdict_is_found_and_named(self):
        found = matrix((record("struck_by_lightning"), attempt("token_revoked")))
        self.assertFalse(found.sound)
        self.assertIn("NO SUCH TRUTH: x.here: struck_by_lightning", found.text())

    def test_every_way_a_token_or_a_login_is_refused_has_its_right_verdicts(self):
        for outcome in ("unknown_token", "revoked", "evicted", "replaced", "idle", "expired",
                        "client_disabled", "not_yet_valid", "not_spread"):
            self.assertIn(truth.name_of(record(outcome)), truth.RIGHT)
        for outcome in ("client_not_found", "wrong_secret", "no_credentials", "client_disabled",
                        "unsupported_grant_type", "invalid_request", "rate_limited"):
            self.assertIn(truth.name_of(record(outcome, host="login")), truth.RIGHT)
        self.assertNotEqual(truth.name_of(record("client_disabled")),
                            truth.name_of(record("client_disabled", host="login")))

    def test_nothing_is_right_about_a_good_answer(self):
        for faults in ([], ["date_late"]):
            found = matrix((record("ok", 200, faults=faults), attempt("protocol")))
            self.assertFalse(found.sound)
            self.assertIn("NO SUCH TRUTH: x.here: good api answer was called protocol",
                          found.text())


class Unknown(unittest.TestCase):
    def test_is_listed_with_its_reason(self):
        found = matrix((record("revoked", faults=["date_none"]), attempt("unknown")))
        self.assertTrue(found.sound, found.text())
        self.assertIn("unknown, revoked: for this reason (here: 1)", found.text())

    def test_is_a_failure_where_the_dates_were_good(self):
        found = matrix((record("revoked"), attempt("unknown")))
        self.assertFalse(found.sound)
        self.assertIn("THE EVIDENCE DECIDED: x.here: revoked", found.text())

    def test_may_come_of_the_other_hosts_date(self):
        found = matrix_of([record("revoked"), record("issued", 200, "login", ["date_frozen"],
                                                     correlation="2")],
                          report(attempt("unknown")))
        self.assertTrue(found.sound, found.text())

    def test_may_come_of_a_new_token_that_was_not_to_be_had(self):
        found = matrix_of([record("client_disabled"),
                           record("client_disabled", host="login", correlation="2")],
                          report(attempt("unknown"),
                                 attempt("credentials_rejected", "2", host="login",
                                         action=truth.GIVE_UP), mitigated=False, exit_code=3))
        self.assertTrue(found.sound, found.text())


class Cures(unittest.TestCase):
    def assert_wrong(self, found, why):
        self.assertFalse(found.sound, found.text())
        self.assertRegex(found.text(), f"WRONG CURE: x.here: .*: {why}")

    def test_a_new_token_is_none_for_one_that_has_not_begun(self):
        for outcome, verdict in (("not_yet_valid", "issuer_clock_ahead"),
                                 ("not_spread", "token_not_yet_active")):
            self.assert_wrong(matrix((record(outcome), attempt(verdict))),
                              "refresh_and_retry, exit code 0: a new token is no cure")

    def test_a_new_token_may_follow_a_wait_that_did_not_help(self):
        refused = [record("not_yet_valid", correlation="1"),
                   record("not_yet_valid", correlation="2")]
        found = matrix_of(refused, report(attempt("issuer_clock_ahead", "1", action=truth.WAIT),
                                          attempt("issuer_clock_ahead", "2")))
        self.assertTrue(found.sound, found.text())

    def test_a_new_token_is_the_way_of_unknown(self):
        found = matrix((record("not_yet_valid", faults=["date_none"]), attempt("unknown")))
        self.assertTrue(found.sound, found.text())

    def test_a_new_token_is_none_for_a_wrong_secret_or_a_missing_permission(self):
        for known, verdict in ((record("wrong_secret", host="login"), "credentials_rejected"),
                               (record("missing.permissions", 403), "missing_permission"),
                               (record("rate_limited", 400, "login"), "login_rate_limited")):
            said = report(attempt(verdict), mitigated=False, exit_code=3)
            self.assert_wrong(matrix_of([known], said), "refresh_and_retry")

    def test_the_next_secret_is_one_where_the_call_came_through(self):
        known = record("wrong_secret", host="login")
        self.assertTrue(matrix((known, attempt("credentials_rejected"))).sound)

    def test_no_wait_is_one_for_a_wrong_secret(self):
        self.assert_wrong(matrix((record("wrong_secret", host="login"),
                                  attempt("credentials_rejected", action=truth.WAIT))),
                          "wait_and_retry")

    def test_a_wait_alone_is_none_for_a_token_that_has_ended(self):
        for outcome, verdict in (("expired", "token_expired"), ("revoked", "token_revoked")):
            refused = [record(outcome, correlation="1"), record(outcome, correlation="2")]
            waited = attempt(verdict, "1", action=truth.WAIT)
            self.assert_wrong(
                matrix_of(refused, report(waited, attempt(verdict, "2", action=truth.WAIT),
                                          mitigated=False, exit_code=3)),
                "wait_and_retry, exit code 3: only waited")
            self.assertTrue(matrix_of(refused, report(waited, attempt(verdict, "2"))).sound)

    def test_who_gives_up_has_tried_the_one_new_token(self):
        end = {"mitigated": False, "exit_code": 3}
        first = attempt("token_revoked", "1")
        last = attempt("token_revoked", "2", action=truth.GIVE_UP)
        refused = [record("revoked", correlation="1"), record("revoked", correlation="2")]
        self.assert_wrong(matrix_of(refused[1:], report(last, **end)),
                          "give_up, exit code 3: one new token was not tried")
        self.assertTrue(matrix_of(refused, report(first, last, **end)).sound)
        self.assertTrue(matrix_of(refused[1:], report(last, **end), limited=True).sound)
        none_came = attempt("credentials_rejected", "3", host="login", action=truth.GIVE_UP)
        self.assertTrue(matrix_of([refused[1], record("wrong_secret", 401, "login",
                                                      correlation="3")],
                                  report(last, none_came, **end)).sound)

    def test_who_gives_up_was_asked_to_wait_for_long(self):
        said = report(attempt("issuer_clock_ahead", action=truth.GIVE_UP), mitigated=False,
                      exit_code=4)
        self.assert_wrong(matrix_of([record("not_yet_valid")], said, begins=105),
                          "give_up, exit code 4: a wait of 5 s was within bounds")
        self.assertTrue(matrix_of([record("not_yet_valid")], said, begins=220).sound)

    def test_are_judged_in_the_scenarios_too(self):
        case = truth.case_of("not_yet_valid", "issuer_clock_ahead", "so", action=truth.REFRESH)
        self.assert_wrong(written(lambda: truth.judged_call([case], "x.here", True)),
                          "refresh_and_retry")


class Complete(unittest.TestCase):
    def test_an_answer_that_no_emulator_gave_is_counted_by_itself(self):
        found = written(lambda: truth.told(report(
            attempt("protocol", "another", action=truth.GIVE_UP),
            attempt("network", "", None, action=truth.GIVE_UP)), "x.here"))
        self.assertTrue(found.sound, found.text())
        self.assertEqual(found.without_truth["protocol"], 1)
        self.assertEqual(found.cells["no whole answer"]["network"], 1)

    def test_a_truth_that_an_emulator_had_to_forget_is_found(self):
        many = [record("revoked", correlation=str(n)) for n in range(truth.MOST_FAILED)]
        said = [report(attempt("token_revoked", str(n))) for n in range(truth.MOST_FAILED)]
        self.assertTrue(matrix_of(many, *said).sound, "full, and all is known")
        found = matrix_of(many, *said, report(attempt("token_revoked", "before all these")))
        self.assertFalse(found.sound)
        self.assertIn("LOST: x.here: its emulator had forgotten", found.text())

    def test_a_verdict_about_an_answer_that_did_not_fail_is_found(self):
        found = matrix_of([], report(attempt("token_revoked", "of a 200")))
        self.assertFalse(found.sound)
        self.assertIn("LOST: x.here: its emulator knows of no such answer", found.text())

    def test_a_truth_that_a_scenario_does_not_know_is_found(self):
        case = truth.case_of(None, "token_revoked", "so", action=truth.REFRESH)
        found = written(lambda: truth.judged_call([case], "T1", True))
        self.assertFalse(found.sound)
        self.assertIn("LOST: T1", found.text())

    def test_a_refusal_that_no_report_mentions_is_found(self):
        good = {"verdict": None, "correlation_id": "id-1", "http_status": 401, "host": "api"}
        for said in ([], [report(good)]):
            found = matrix_of([record("revoked")], *said)
            self.assertFalse(found.sound)
            self.assertIn("NOT MENTIONED: emulator 1: revoked", found.text())
        self.assertTrue(matrix_of([record("revoked")], ours_alone=False).sound)
        self.assertFalse(written(lambda: truth.left_out("T1", 1)).sound)

    def test_a_look_without_a_token_needs_no_mention(self):
        self.assertTrue(matrix_of([record("authentication.required", token=None),
                                   record("fault", token=None, faults=["status"],
                                          correlation="2")]).sound)
        self.assertFalse(matrix_of([record("fault", faults=["status"])]).sound)

    def test_the_lines_are_json(self):
        with tempfile.TemporaryDirectory() as folder:
            with mock.patch.dict(os.environ, SKEWGUARD_TRUTH=folder):
                truth.answered(NAME, {"failed": [record("revoked")]})
            (file,) = Path(folder).iterdir()
            lines = [json.loads(line) for line in file.read_text().splitlines()]
            self.assertEqual([line["kind"] for line in lines], ["emulator", "answered"])
            self.assertEqual(lines[1]["truth"], "revoked")


if __name__ == "__main__":
    unittest.main()
