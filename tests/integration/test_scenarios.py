"""The rows of the scenario table, end to end: the program, the emulator, and a wall clock that is
right, 900 s fast, 900 s slow, or in 1970. Opaque tokens and JWTs."""

import hashlib
import json
import struct
import tempfile
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness import SECRET, WALLS, EndToEnd, LongRunning, RawServer, answer

FORMATS = ("opaque", "jwt")
ME = ("call", "GET", "/api/v2/tokens/me")


def pause(seconds):
    """Real time passes: these tokens live by it."""
    time.sleep(seconds)


class Scenarios(EndToEnd):
    def each(self, play, walls=tuple(WALLS), formats=FORMATS):
        """Plays one story in every combination, several at a time: they mostly wait."""
        kinds = [(f, w) for f in formats for w in walls]
        with ThreadPoolExecutor(8) as pool:
            futures = [(kind, pool.submit(play, *kind)) for kind in kinds]
            for kind, future in futures:
                with self.subTest(format=kind[0], wall=kind[1]):
                    future.result()

    @staticmethod
    def actions(run):
        return [a["action"] for a in run.report["attempts"]]

    def test_c1_local_clock_behind_the_servers(self):
        def play(form, wall):
            emulator = self.emulator("--login-offset", "600s", "--api-offset", "600s", "--token",
                                     form, "--lifetime", "300s", "--strict-nbf")
            run = self.run_program(emulator, *ME, wall=wall)
            self.assert_came_through(run)
            self.assertEqual(emulator.token_requests(), 1)
            self.assertEqual(run.report["token_requests"], 1)
        self.each(play)

    def test_c1_and_c2_many_calls_over_lifetimes(self):
        def play(form, wall):
            for offset in ("600s", "-600s"):
                emulator = self.emulator("--login-offset", offset, "--api-offset", offset,
                                         "--token", form, "--lifetime", "6s", "--strict-nbf")
                program = LongRunning(self, emulator, wall)
                for _ in range(300):
                    self.assertEqual(program.call()["exit_code"], 0)
                    pause(0.05)
                stats = emulator.stats()
                self.assertEqual(stats["api_requests"]["by_status"], {"200": 300})
                times = [r["at_s"] for r in stats["recent"]]
                self.assertLessEqual(stats["token_requests"]["total"], 2 + max(times) / 4)
        self.each(play)

    def test_c3_issuer_ahead_waits_and_sends_the_same_token(self):
        def play(form, wall):
            emulator = self.emulator("--login-offset", "3s", "--token", form, "--lifetime", "300s",
                                     "--strict-nbf")
            run = self.run_program(emulator, *ME, wall=wall)
            self.assert_came_through(run, "issuer_clock_ahead")
            sends = [s for s in emulator.api_sends() if s["token"]]
            self.assertEqual([s["status"] for s in sends], [401, 200])
            self.assertEqual(len({s["token"] for s in sends}), 1, "the same token twice")
            self.assertEqual(emulator.token_requests(), 1)
            first = run.report["attempts"][0]
            self.assertEqual((first["host"], first["http_status"], first["error_code"],
                              first["verdict"], first["action"]),
                             ("api", 401, "bad.credentials", "issuer_clock_ahead",
                              "wait_and_retry"))
            self.assertTrue(1900 <= first["waited_ms"] <= 5000, first)
            self.assertEqual(first["token"]["format"], form)
            self.assertTrue(first["correlation_id"])
            self.assertTrue(first["explanation"])
            if first["analysis"]["status"] == "valid_locally":
                self.assertIn("critical", run.err)
        self.each(play)

    def test_c3_once_learned_later_tokens_wait_before_the_first_send(self):
        def play(form, wall):
            emulator = self.emulator("--login-offset", "2s", "--token", form, "--lifetime", "6s",
                                     "--strict-nbf")
            program = LongRunning(self, emulator, wall)
            first = program.call()
            self.assertEqual(first["verdict"], "issuer_clock_ahead")
            emulator.order("stats/reset")
            for _ in range(200):
                self.assertEqual(program.call()["verdict"], "ok")
            stats = emulator.stats()
            self.assertEqual(set(stats["api_requests"]["by_status"]), {"200"})
        self.each(play)

    def test_c3_a_program_that_links_the_library_tells_the_alert_command(self):
        emulator = self.emulator("--login-offset", "2s", "--lifetime", "300s", "--strict-nbf")
        told = Path(self.scratch.name) / "told.json"
        program = LongRunning(self, emulator,
                              SKEWGUARD_ALERT_COMMAND=f"cat > {told}.new && mv {told}.new {told}")
        self.assertEqual(program.call()["verdict"], "issuer_clock_ahead")
        self.assertEqual(program.call()["verdict"], "ok", "and is not held up by it")
        for _ in range(100):
            if told.exists():
                break
            pause(0.05)
        self.assertEqual(json.loads(told.read_text())["verdict"], "issuer_clock_ahead")

    def test_c4_issuer_far_ahead_gives_up(self):
        def play(form, wall):
            emulator = self.emulator("--login-offset", "120s", "--token", form, "--lifetime",
                                     "300s", "--strict-nbf")
            run = self.run_program(emulator, *ME, wall=wall)
            self.assertEqual(run.code, 4, run.err)
            self.assertEqual(run.verdict(), "issuer_clock_ahead")
            self.assertFalse(run.report["mitigated"])
            sends = emulator.api_sends()
            self.assertEqual(len([s for s in sends if s["token"]]), 2, "the new token too")
            self.assertEqual(len([s for s in sends if not s["token"]]), 1, "one more look")
            self.assertEqual(emulator.token_requests(), 2)
            self.assertRegex(run.report["attempts"][0]["explanation"], "119|120")
            self.assertEqual([a["action"] for a in run.report["attempts"]],
                             ["refresh_and_retry", "give_up"])
            self.assertRegex(self.assert_one_error_line(run, 4), "119|120")
        self.each(play)

    def test_c5_issuer_behind_by_more_than_the_lifetime(self):
        def play(form, wall):
            emulator = self.emulator("--login-offset", "-400s", "--token", form, "--lifetime",
                                     "300s", "--strict-nbf")
            run = self.run_program(emulator, *ME, wall=wall)
            self.assertEqual(run.code, 4, run.err)
            self.assertEqual(run.verdict(), "issuer_clock_behind", run.report_text)
            self.assertFalse(run.report["mitigated"])
            self.assertEqual(self.actions(run)[:2], ["refresh_and_retry", "give_up"])
            self.assertEqual(emulator.token_requests(), 2)
            self.assertEqual(run.report["token_requests"], 2)
        self.each(play)

    def test_c6_wall_clock_steps_change_nothing(self):
        for form in FORMATS:
            with self.subTest(form), tempfile.NamedTemporaryFile() as moving:
                moving.write(struct.pack("=q", 0))
                moving.flush()
                emulator = self.emulator("--token", form, "--lifetime", "300s", "--strict-nbf")
                program = LongRunning(self, emulator, LD_PRELOAD=self.preload,
                                      SKEWGUARD_TEST_WALL_FILE=moving.name)
                year = 365 * 86400
                for step in (0, 3600, -3600, -56 * year, 74 * year):
                    moving.seek(0)
                    moving.write(struct.pack("=q", step * 10**9))
                    moving.flush()
                    for _ in range(5):
                        self.assertEqual(program.call()["verdict"], "ok")
                self.assertEqual(emulator.token_requests(), 1)

    def test_c15_one_backend_of_several_lags_by_a_second(self):
        def play(form, wall):
            for _ in range(5):
                emulator = self.emulator("--api-backend", "-1s", "--api-backend", "0s",
                                         "--api-backend", "0s", "--token", form, "--lifetime",
                                         "300s", "--strict-nbf")
                run = self.run_program(emulator, *ME, wall=wall)
                if emulator.api_sends()[0]["status"] == 401:
                    break  # else a second began between the token and the call: no lag to see
            self.assert_came_through(run, "issuer_clock_ahead")
            self.assertEqual(emulator.token_requests(), 1)
            self.assertEqual(run.attempts(verdict="issuer_clock_ahead")[0]["action"],
                             "wait_and_retry")
        self.each(play)

    def test_c21_api_ahead_is_learned(self):
        def play(form, wall):
            emulator = self.emulator("--api-offset", "4s", "--token", form, "--lifetime", "8s",
                                     "--strict-nbf")
            program = LongRunning(self, emulator, wall)
            verdicts = []
            for _ in range(400):
                report = program.call()
                self.assertEqual(report["exit_code"], 0, report)
                verdicts.append(report["verdict"])
                pause(0.05)
            self.assertLessEqual(set(verdicts), {"ok", "token_expired"})
            self.assertLessEqual(verdicts.count("token_expired"), 1)
        self.each(play)

    def test_c24_a_token_is_sent_when_its_nbf_has_come_then_when_its_iat_has(self):
        def play(form, wall):
            for strict, statuses in ((["--strict-nbf"], [401, 200]),
                                     (["--strict-nbf", "--strict-iat"], [401, 401, 200])):
                emulator = self.emulator("--login-offset", "6s", "--nbf-offset", "-3s", "--token",
                                         form, "--lifetime", "300s", *strict)
                run = self.run_program(emulator, *ME, wall=wall)
                self.assert_came_through(run, "issuer_clock_ahead")
                sends = [s for s in emulator.api_sends() if s["token"]]
                self.assertEqual([s["status"] for s in sends], statuses)
                nbf = emulator.stats()["tokens"][0]["begins_s"]
                self.assertIn(sends[1]["date"] - nbf, (0, 1), "sent as soon as nbf has come")
                if len(sends) > 2:
                    self.assertIn(sends[2]["date"] - nbf, (3, 4), "and as soon as iat has")
                self.assertEqual(emulator.token_requests(), 1)
        self.each(play, formats=("jwt",))  # an opaque token does not say when it becomes valid

    def test_t1_revoked(self):
        def play(form, wall):
            emulator = self.emulator("--token", form, "--lifetime", "300s")
            program = LongRunning(self, emulator, wall)
            self.assertEqual(program.call()["verdict"], "ok")
            emulator.order("revoke", all=True)
            report = program.call()
            self.assertEqual((report["verdict"], report["exit_code"], report["mitigated"],
                              report["token_requests"]), ("token_revoked", 0, True, 1))
            self.assertEqual(report["attempts"][0]["action"], "refresh_and_retry")
            self.assertEqual(emulator.token_requests(), 2)
            self.assertEqual(program.call()["verdict"], "ok")
        self.each(play)

    def test_t2_a_thousand_blocking_callers_at_the_start(self):
        for form in FORMATS:
            for wall in WALLS:  # one after the other: each has a thousand threads
                with self.subTest(format=form, wall=wall):
                    emulator = self.emulator("--token", form, "--lifetime", "300s")
                    program = LongRunning(self, emulator, wall)
                    reports = program.calls(1000)
                    self.assertEqual({r["exit_code"] for r in reports}, {0})
                    self.assertEqual({r["verdict"] for r in reports}, {"ok"})
                    self.assertEqual(emulator.token_requests(), 1)

    def test_t3_one_refresh_for_all_who_were_refused(self):
        def play(form, wall):
            emulator = self.emulator("--token", form, "--lifetime", "300s")
            program = LongRunning(self, emulator, wall)
            program.call()
            emulator.order("revoke", all=True)
            reports = program.calls(20)
            self.assertEqual({r["exit_code"] for r in reports}, {0})
            self.assertEqual(emulator.token_requests(), 2)
        self.each(play)

    def test_t7_a_post_is_sent_again_byte_for_byte(self):
        def play(form, wall):
            emulator = self.emulator("--token", form, "--lifetime", "300s")
            program = LongRunning(self, emulator, wall)
            program.call()
            emulator.order("revoke", all=True)
            body = json.dumps({"interval": "2026-01-01T00:00:00Z/2026-01-02T00:00:00Z",
                               "filler": "\u00e9" * 1000})
            report = program.call(method="POST", body=body,
                                  path="/api/v2/analytics/conversations/details/query")
            self.assertEqual((report["verdict"], report["exit_code"]), ("token_revoked", 0))
            digest = hashlib.sha256(body.encode()).hexdigest()
            posts = [s for s in emulator.api_sends() if s["method"] == "POST"]
            self.assertEqual([s["status"] for s in posts], [401, 200])
            self.assertEqual([s["body_sha256"] for s in posts], [digest, digest])
        self.each(play)

    def test_t8_a_fresh_token_refused_too(self):
        def play(form, wall):
            emulator = self.emulator("--token", form, "--lifetime", "300s")
            body = b'{"message":"Invalid login credentials.","code":"bad.credentials","status":401}'
            api = RawServer(self, lambda *_: answer(401, body))
            run = self.run_with(emulator.login, api.url, *ME, wall=wall)
            self.assertEqual(run.code, 3, run.err)
            self.assertEqual(run.verdict(), "token_rejected", run.report_text)
            self.assertEqual(self.actions(run), ["wait_and_retry", "refresh_and_retry", "give_up"])
            self.assertEqual(len(api.seen), 3)
            self.assertEqual(emulator.token_requests(), 2)
        self.each(play)

    def test_a1_wrong_secret(self):
        def play(form, wall):
            emulator = self.emulator("--token", form)
            run = self.run_program(emulator, *ME, wall=wall,
                                   GENESYS_CLOUD_CLIENT_SECRET=SECRET + "x")
            self.assertEqual(run.verdict(), "credentials_rejected")
            self.assert_one_error_line(run, 3)
            self.assertEqual(emulator.token_requests(), 1)
            self.assertEqual(run.report["attempts"][0]["host"], "login")
            self.assertEqual(run.report["attempts"][0]["error_code"], "invalid_client")
            self.assertEqual(self.actions(run), ["give_up"])
            emulator.order("client", id="demo", disabled=True)
            self.assertEqual(self.run_program(emulator, *ME, wall=wall).code, 3)
        self.each(play)

    def test_a1_a_secret_that_is_being_replaced_holds_nobody_up(self):
        emulator = self.emulator("--lifetime", "2s")
        secrets = Path(self.scratch.name) / "secrets"
        secrets.write_text(f"not-yet-the-secret\n{SECRET}\n")
        files = ("--client-secret-file", str(secrets))
        run = self.run_program(emulator, *ME, *files)
        self.assertEqual((run.code, run.verdict()), (0, "credentials_rejected"), run.report_text)
        self.assertTrue(run.report["mitigated"])
        emulator.order("client", id="demo", secret="not-yet-the-secret")
        self.assert_came_through(self.run_program(emulator, *ME, *files))

    def test_a2_unknown_client(self):
        def play(form, wall):
            emulator = self.emulator("--token", form)
            run = self.run_program(emulator, *ME, wall=wall, GENESYS_CLOUD_CLIENT_ID="nobody",
                                   GENESYS_CLOUD_REGION="eu-west-1")
            self.assertEqual(run.verdict(), "unknown_client")
            line = self.assert_one_error_line(run, 3)
            self.assertIn("nobody", line)
            self.assertRegex(line, "eu-west-1|mypurecloud.ie")
            self.assertEqual(self.actions(run), ["give_up"])
            self.assertEqual(emulator.token_requests(), 1)
        self.each(play)

    def test_a5_missing_permission(self):
        def play(form, wall):
            emulator = self.emulator("--token", form)
            run = self.run_program(emulator, "call", "GET", "/api/v2/authorization/roles",
                                   wall=wall)
            self.assertEqual(run.verdict(), "missing_permission")
            self.assertIn("authorization:role:view", self.assert_one_error_line(run, 5))
            self.assertEqual(self.actions(run), ["give_up"])
            self.assertEqual(emulator.token_requests(), 1)
            self.assertEqual(len(emulator.api_sends()), 1)
        self.each(play)

    def test_a8_a_redirect_is_not_followed_with_a_token(self):
        def play(form, wall):
            emulator = self.emulator("--token", form)
            other = RawServer(self, lambda *_: answer(200, b"{}"))
            for target in (other.url + "/x", "http://evil.invalid/x", "/api/v2/tokens/me"):
                api = RawServer(self, lambda *_: answer(302, b"", f"Location: {target}"))
                run = self.run_with(emulator.login, api.url, *ME, wall=wall)
                self.assertEqual(run.verdict(), "protocol")
                self.assert_one_error_line(run, 1)
                self.assertEqual(self.actions(run), ["give_up"])
                self.assertEqual(len(api.seen), 1)
            self.assertEqual(other.seen, [])
        self.each(play)


if __name__ == "__main__":
    unittest.main()
