"""`skewguard doctor`, end to end: whom it blames in each row of the scenario table that is about
clocks. Each run takes its six seconds, so all stories are played side by side, before the tests."""

import contextlib
import json
import re
import socket
import struct
import subprocess
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import ntp
import plain_date
from harness import CLIENT, FORBIDDEN, HUNG_S, SECRET, SKEWGUARD, Emulator, EndToEnd, Swallows

CHECKS = ["settings", "dns", "tls", "login", "api", "permissions", "clock_login", "clock_api",
          "clock_login_vs_api", "clock_ntp", "clock_sync_service", "clock_stability",
          "token_lifetime", "naive_client"]
YEARS_AHEAD = "100000000"
SIXTY_DAYS_BACK = str(-60 * 86400)
NOBODY = "127.0.0.1:1"  # no NTP server
AT_ONCE = 12
NO_CREDENTIALS = {"GENESYS_CLOUD_CLIENT_ID": None, "GENESYS_CLOUD_CLIENT_SECRET": None}
OF_1970 = {"date": "text", "date_text": "Thu, 01 Jan 1970 00:00:00 GMT"}
KEPT = {"date": "cached", "date_by": "4s", "age_header": False}


def fault(host, **fields):
    return "fault", {"host": host, **fields}


def step(host, by, after):
    return "clock", {"host": host, "step": by, "after": after}


class Story:
    """What a doctor meets. `ntp`: the offsets of NTP servers; `wall`: the local wall clock's, as
    the preload has it; `server_wall`: the emulator's."""

    def __init__(self, *flags, ntp=(), orders=(), wall=None, server_wall=None, text=False, **env):
        self.flags, self.ntp, self.orders = flags, ntp, orders
        self.wall, self.server_wall, self.text, self.env = wall, server_wall, text, env


def near(words):
    """As a pattern, in which sizes in seconds may be off by what a busy machine makes of them."""
    def sizes(match):
        tenths = round(float(match[1]) * 10)
        return "(" + "|".join(f"{n / 10:.1f}" for n in range(tenths - 3, tenths + 4)) + ")"
    return re.sub(r"(\d+\.\d)(?= s\b)", sizes, words)


BEHIND = ("--login-offset", "312.4s", "--api-offset", "312.4s")
STORIES = {
    "healthy": Story(ntp=(0, 0, 0)),
    "healthy, text": Story(text=True),
    "no credentials": Story(ntp=(0,), **NO_CREDENTIALS),
    "wrong secret": Story(GENESYS_CLOUD_CLIENT_SECRET="another"),
    "wrong secret, local behind": Story(*BEHIND, GENESYS_CLOUD_CLIENT_SECRET="another"),
    "c1": Story(*BEHIND, "--lifetime", "300s", "--token", "jwt"),
    "c1, text": Story(*BEHIND, text=True),
    "c1, ntp": Story(*BEHIND, ntp=(312.4, 312.4, 312.4)),
    "c2": Story("--login-offset", "-600s", "--api-offset", "-600s", "--lifetime", "300s"),
    "c2, wall": Story(ntp=(0, 0), wall="900"),
    "c3": Story("--login-offset", "5s", "--strict-nbf"),
    "c3, within what Dates tell": Story("--login-offset", "1600ms", "--strict-nbf"),
    "c3, ntp": Story("--login-offset", "7s", "--strict-nbf", ntp=(0, 0)),
    "c4": Story("--login-offset", "120s", "--strict-nbf"),
    "c4, ntp": Story("--login-offset", "120s", "--strict-nbf", ntp=(0, 0, 0)),
    "c5": Story("--login-offset", "-600s", "--lifetime", "300s"),
    "c5, ntp": Story("--login-offset", "-600s", "--lifetime", "300s", ntp=(0,)),
    "c6": Story(ntp=(0, 0)),
    "c9": Story(orders=[step("api", "30s", "3s")]),
    "c9, ntp": Story(ntp=(0, 0), orders=[step("api", "30s", "3s")]),
    "c9, back": Story(ntp=(0, 0), orders=[step("api", "30s", "2s"), step("api", "-30s", "4s")]),
    "c10": Story("--api-backend", "0", "--api-backend", "0.4s", "--api-backend", "-3s"),
    "c10, far": Story("--api-backend", "0", "--api-backend", "-30s", ntp=(0, 0)),
    "c10, close": Story("--api-backend", "0", "--api-backend", "0.3s"),
    "c15": Story("--login-offset", "1s", "--api-backend", "1s", "--api-backend", "1s",
                 "--api-backend", "0", "--strict-nbf", ntp=(0, 0)),
    "c20": Story(ntp=(0,), orders=[fault("api", status=401, code="bad.credentials",
                                         message="Signature expired: clock skew too large")]),
    "c21": Story("--api-offset", "120s", "--lifetime", "300s"),
    "c21, ntp": Story("--api-offset", "120s", "--lifetime", "300s", ntp=(0, 0)),
    "c12, 1970": Story("--tls", wall="@600"),
    "c12, 1970, ntp": Story("--tls", wall="@600", ntp=(0, 0)),
    "c12, ahead": Story("--tls", wall=YEARS_AHEAD),
    "c12, ahead, ntp": Story("--tls", wall=YEARS_AHEAD, ntp=(0, 0)),
    "c12, expired": Story("--tls", server_wall=SIXTY_DAYS_BACK, ntp=(0, 0)),
    "tls": Story("--tls", ntp=(0, 0)),
    # C11 and C19: Dates of the API host, then of the login host.
    **{f"{host}: {name}": Story(orders=[fault(host, **date)], ntp=referees)
       for host, referees in (("api", ()), ("login", (0, 0)))
       for name, date in {"two": {"date": "two"}, "none": {"date": "none"},
                          "malformed": {"date": "malformed"},
                          "late": {"date": "late", "date_by": "1s"},
                          "with age": {**KEPT, "age_header": True}, "frozen": {"date": "frozen"},
                          "1970": OF_1970, "last modified": {"date": "last_modified"},
                          "kept": KEPT}.items()},
    "1970 both": Story(orders=[fault("api", **OF_1970), fault("login", **OF_1970)]),
    "no date, no credentials": Story(orders=[fault("api", date="none")], **NO_CREDENTIALS),
}


class Finding:
    def __init__(self, done, took):
        self.code, self.out, self.err, self.took = done.returncode, done.stdout, done.stderr, took
        self.json = json.loads(done.stdout) if done.stdout.startswith("{") else None

    def check(self, name):
        return next(c for c in self.json["checks"] if c["name"] == name)

    def status(self, name):
        return self.check(name)["status"]


class Doctor(EndToEnd):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            futures = {name: pool.submit(cls.play, name) for name in STORIES}
            others = {play: pool.submit(getattr(cls, play)) for play in
                      ("offline", "silent", "dropped", "nothing_set", "plain_date")}
        cls.found = {name: future.result() for name, future in {**futures, **others}.items()}

    @classmethod
    def examine(cls, login, api, *arguments, wall=None, prefix=(), during=None, **more):
        env = cls.environment(cls, login, api, **more)
        if wall is not None:
            env.update(LD_PRELOAD=cls.preload, SKEWGUARD_TEST_WALL_OFFSET=wall)
        start = time.monotonic()
        process = subprocess.Popen([*prefix, SKEWGUARD, "doctor", *arguments], env=env, text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        if during:
            during()
        out, err = process.communicate(timeout=HUNG_S)
        return Finding(subprocess.CompletedProcess((), process.returncode, out, err),
                       time.monotonic() - start)

    @classmethod
    def play(cls, name):
        story, stops = STORIES[name], []
        env = {} if story.server_wall is None else {
            "LD_PRELOAD": cls.preload, "SKEWGUARD_TEST_WALL_OFFSET": story.server_wall}
        try:
            emulator = Emulator(*story.flags, ours_alone=False, test=f"doctor, {name}", env=env)
            stops.append(emulator.stop)
            arguments = [] if story.text else ["--json", "-v", "-v", "-v"]
            for server in ntp.chronyds(cls, stops.append, *story.ntp) or [NOBODY]:
                arguments += ["--ntp", server]
            if "ca" in emulator.said:
                arguments += ["--ca-file", emulator.said["ca"]]
            for path, fields in story.orders:
                emulator.order(path, **fields)
            more = dict(story.env)
            if name == "c6":
                return cls.with_a_step(emulator, arguments)
            return cls.examine(emulator.login, emulator.api, *arguments, wall=story.wall, **more)
        finally:
            for stop in reversed(stops):
                stop()

    @classmethod
    def with_a_step(cls, emulator, arguments):
        """The local wall clock is set an hour ahead while it is looked at."""
        moved = Path(cls.scratch.name) / "moved"
        moved.write_bytes(struct.pack("=q", 0))

        def during():
            time.sleep(2.5)
            with moved.open("r+b") as file:
                file.write(struct.pack("=q", 3600 * 10**9))
        return cls.examine(emulator.login, emulator.api, *arguments, wall="0", during=during,
                           SKEWGUARD_TEST_WALL_FILE=str(moved))

    @classmethod
    def offline(cls):
        return cls.examine(None, None, "--json", "--region", "mypurecloud.ie",
                           prefix=("unshare", "-rn"))

    @classmethod
    def silent(cls):
        """Connections are taken up by the kernel alone; the NTP server says nothing either."""
        listening = [socket.create_server(("127.0.0.1", 0), backlog=64) for _ in range(2)]
        login, api = (f"http://127.0.0.1:{s.getsockname()[1]}" for s in listening)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
            mute.bind(("127.0.0.1", 0))
            try:
                return cls.examine(login, api, "--json", "--ntp",
                                   f"127.0.0.1:{mute.getsockname()[1]}")
            finally:
                for server in listening:
                    server.close()

    @classmethod
    def dropped(cls):
        """Not even a connection comes about."""
        with contextlib.closing(Swallows()) as login, contextlib.closing(Swallows()) as api:
            return cls.examine(*(f"http://127.0.0.1:{s.port}" for s in (login, api)), "--json",
                               "--ntp", NOBODY)

    @classmethod
    def nothing_set(cls):
        return cls.examine(None, None, "--json", "--ntp", NOBODY, **NO_CREDENTIALS)

    @classmethod
    def plain_date(cls):
        start = time.monotonic()
        done, _ = plain_date.run(["doctor", "--json"], cls.environment(cls, None, None),
                                 cls.preload, YEARS_AHEAD)
        return Finding(done, time.monotonic() - start)

    def expect(self, name, verdict, code, *parts):
        found = self.found[name]
        self.assertEqual((found.json["verdict"], found.code), (verdict, code),
                         f"{name}: {found.json['summary']}\n{found.err}")
        self.assertEqual(found.json["exit_code"], code)
        for part in parts:
            self.assertRegex(found.json["summary"], near(part), name)
        return found

    def assert_about(self, text, size, widest=0.5):
        """`text` tells bounds that hold this size in seconds, and are narrow."""
        low, high = map(float, re.search(r"bounds ([\d.]+) to ([\d.]+) s", text).groups())
        self.assertLessEqual(low - 0.001, size, text)
        self.assertGreaterEqual(high + 0.001, size, text)
        self.assertLess(high - low, widest, text)

    # The overall result

    def test_every_check_is_there_by_its_name(self):
        found = self.expect("healthy", "ok", 0)
        self.assertEqual(found.json["schema"], "skewguard.doctor/1")
        self.assertEqual([c["name"] for c in found.json["checks"]], CHECKS)
        for check in found.json["checks"]:
            expected = "skipped" if check["name"] == "tls" else "ok"
            if check["name"] != "clock_sync_service":  # that is this machine's
                self.assertEqual(check["status"], expected, check)
            self.assertEqual(set(check), {"name", "status", "detail", "fix"})
        self.assertEqual(len(found.json["clocks"]), 2)
        self.assertIn("synchronized", found.json["host"])
        self.assertEqual(found.check("permissions")["detail"], f"the token belongs to {CLIENT}")
        self.assertEqual([c["status"] for c in self.expect("tls", "ok", 0).json["checks"]
                          if c["name"] == "tls"], ["ok"])

    def test_whatever_is_wrong_has_evidence_and_a_fix(self):
        for name, found in self.found.items():
            for check in found.json["checks"] if found.json else ():
                self.assertTrue(check["detail"], (name, check))
                if check["status"] == "fail" and not re.search(r": see \w+$", check["detail"]):
                    has_own = check["name"] == "permissions"  # the text of a refusal holds its cure
                    self.assertTrue(check["fix"] or has_own, (name, check))

    def test_the_worst_stands_first(self):
        lines = self.found["c1, text"].out.splitlines()
        self.assertRegex(lines[0], "^local_clock_behind: the local clock is 312.4 s behind")
        self.assertTrue(lines[1].startswith("fix: "), lines[1])
        order = ["fail", "warn", "skipped", "ok"]
        seen = [order.index(l.split()[0]) for l in lines if l.split()[:1] and l.split()[0] in order]
        self.assertEqual(seen, sorted(seen))
        self.assertEqual(len(seen), len(CHECKS))
        self.assertTrue(self.found["healthy, text"].out.startswith("ok: "))

    def test_no_output_holds_a_secret(self):
        for found in self.found.values():
            self.assert_no_secrets(found.out, found.err)
        self.assertTrue(FORBIDDEN and SECRET)

    # No clock is to blame

    def test_without_credentials_it_says_so_and_measures_all_the_same(self):
        found = self.expect("no credentials", "ok", 0)
        self.assertEqual(found.status("settings"), "warn")
        for name in ("GENESYS_CLOUD_CLIENT_ID", "GENESYS_CLOUD_CLIENT_SECRET"):
            self.assertIn(name, found.check("settings")["detail"])
        self.assertEqual(found.status("permissions"), "skipped")
        self.assertEqual(found.status("clock_login_vs_api"), "ok")

    def test_nothing_set_names_every_setting(self):
        found = self.found["nothing_set"]
        self.assertEqual(found.code, 2)
        for name in ("GENESYS_CLOUD_REGION", "GENESYS_CLOUD_CLIENT_ID",
                     "GENESYS_CLOUD_CLIENT_SECRET"):
            self.assertIn(name, found.check("settings")["detail"])

    def test_offline_is_the_networks_fault(self):
        found = self.expect("offline", "network", 6)
        self.assertEqual(found.status("dns"), "fail")
        self.assertEqual(found.status("clock_ntp"), "skipped")
        self.assertEqual(found.status("tls"), "skipped")

    def test_silence_everywhere_ends_in_time(self):
        for name in ("silent", "dropped"):
            found = self.expect(name, "timeout", 6)
            self.assertLess(found.took, 60)  # by itself, about ten
            self.assertEqual((found.status("login"), found.status("api")), ("fail", "fail"))

    def test_a_wrong_secret_is_told_unless_a_clock_does_harm(self):
        self.expect("wrong secret", "credentials_rejected", 3)
        found = self.expect("wrong secret, local behind", "local_clock_behind", 4)
        self.assertEqual(found.status("permissions"), "fail")

    def test_c20_a_server_that_speaks_of_skew_makes_no_clock_wrong(self):
        found = self.expect("c20", "token_rejected", 3)
        for name in ("clock_login", "clock_api", "clock_login_vs_api", "clock_ntp"):
            self.assertEqual(found.status(name), "ok")

    # The local clock

    def test_c1_local_clock_behind(self):
        for name in ("c1", "c1, ntp"):
            found = self.expect(name, "local_clock_behind", 4, "312.4 s behind", "312.4 s too long")
            self.assert_about(found.json["summary"], 312.4)
            self.assertEqual(found.status("clock_sync_service"), "fail")
            self.assertEqual(found.status("clock_login_vs_api"), "ok")
        self.assertIn("3 NTP servers", self.found["c1, ntp"].json["summary"])

    def test_c2_local_clock_ahead(self):
        found = self.expect("c2", "local_clock_ahead", 4, "600.0 s ahead", "per call")
        self.assert_about(found.json["summary"], 600)
        found = self.expect("c2, wall", "local_clock_ahead", 4, "900.0 s ahead", "2 NTP servers")
        self.assert_about(found.json["summary"], 900)

    def test_c6_a_step_of_the_local_clock_is_seen(self):
        found = self.expect("c6", "local_clock_ahead", 4, "1 h")
        self.assertEqual(found.status("clock_stability"), "warn")
        self.assertIn("1 step of the wall clock", found.check("clock_stability")["detail"])

    # The hosts' clocks

    def test_c3_c4_login_host_ahead(self):
        for name, size, code in (("c3", 5, 0), ("c4", 120, 4)):  # 5 s is not certainly over 5 s
            found = self.expect(name, "login_and_api_differ", code, f"{size}.0 s ahead",
                                "new tokens are not valid yet", "not known")
            self.assert_about(found.json["summary"], size)
            self.assertEqual(found.status("clock_login_vs_api"), "fail" if code else "warn")
        for name, size in (("c3, ntp", 7), ("c4, ntp", 120)):
            found = self.expect(name, "login_clock_wrong", 4, f"{size}.0 s ahead")
            self.assert_about(found.json["summary"], size)
            self.assertEqual((found.status("clock_login"), found.status("clock_api")),
                             ("fail", "ok"))

    def test_c3_a_token_tells_what_dates_do_not(self):
        found = self.expect("c3, within what Dates tell", "login_and_api_differ", 0)
        self.assertEqual(found.status("clock_login_vs_api"), "warn")
        self.assertIn("refused a new token because of it",
                      found.check("clock_login_vs_api")["detail"])

    def test_c5_login_host_behind(self):
        self.expect("c5", "login_and_api_differ", 4, "600.0 s behind", "expire 600.0 s early")
        found = self.expect("c5, ntp", "login_clock_wrong", 4, "600.0 s behind")
        self.assertIn("token after token", found.check("naive_client")["detail"])

    def test_c21_api_host_ahead(self):
        self.expect("c21", "login_and_api_differ", 4, "120.0 s behind", "expire 120.0 s early")
        found = self.expect("c21, ntp", "api_clock_wrong", 4, "120.0 s ahead")
        self.assertEqual((found.status("clock_login"), found.status("clock_api")), ("ok", "fail"))

    def test_c15_one_backend_that_lags_by_a_second_is_no_harm(self):
        found = self.found["c15"]
        self.assertEqual(found.code, 0, found.out)
        self.assertIn(found.json["verdict"], ("ok", "login_and_api_differ", "several_clocks"))

    def test_c9_a_step_while_it_is_measured_is_reported(self):
        for name, verdict, by in (("c9", "login_and_api_differ", r"\+(29|30)"),
                                  ("c9, ntp", "api_clock_wrong", r"\+(29|30)"),
                                  ("c9, back", "ok", "-(29|30)")):
            found = self.expect(name, verdict, 0 if verdict == "ok" else 4)
            if verdict != "ok":
                self.assert_about(found.json["summary"], 30, widest=2.2)  # it had less time
            self.assertRegex(found.check("clock_api")["detail"], "it stepped by " + by)
            self.assertNotEqual(found.status("clock_api"), "ok")
            self.assertEqual(found.status("clock_login"), "ok")

    def test_c10_several_clocks_behind_one_name(self):
        found = self.expect("c10", "several_clocks", 0)  # none is off by 5 s
        self.assertEqual(found.status("clock_api"), "warn")
        found = self.expect("c10, far", "several_clocks", 4, "2 clocks answer for the API host")
        self.assertEqual(found.status("clock_api"), "fail")
        self.assertEqual(found.status("clock_login"), "ok")
        self.assertEqual(found.status("clock_ntp"), "ok")

    def test_c10_a_close_pair_is_noticed_and_blamed_on_nobody(self):
        found = self.expect("c10, close", "ok", 0)
        self.assertEqual(found.status("clock_api"), "warn")
        self.assertIn("late, or it has a second clock", found.check("clock_api")["detail"])

    # Dates that are not from a clock

    def test_c11_dates_that_cannot_be_used_are_none(self):
        for host in ("api", "login"):
            for name in ("two", "none", "malformed", "with age"):
                found = self.expect(f"{host}: {name}", "ok", 0)
                self.assertEqual(found.status(host), "warn", name)
                self.assertEqual(found.status(f"clock_{host}"), "skipped", name)
            self.expect(f"{host}: late", "ok", 0)
        self.expect("no date, no credentials", "ok", 0)

    def test_c19_dishonest_dates_are_no_clock(self):
        for host in ("api", "login"):
            for name in ("frozen", "1970", "last modified", "kept"):
                found = self.expect(f"{host}: {name}", "not_a_clock", 0)
                # A Date that is renewed occasionally bounds the clock, but not precisely.
                self.assertEqual(found.status(f"clock_{host}"),
                                 "warn" if name == "kept" else "fail", name)
                other = "login" if host == "api" else "api"
                self.assertEqual(found.status(f"clock_{other}"), "ok", name)
        self.expect("1970 both", "not_a_clock", 0)

    # Certificates

    def test_c12_the_local_clock_is_blamed_where_another_bears_it_out(self):
        self.expect("c12, 1970, ntp", "tls_clock", 4, "56.", "years behind", "NTP says so")
        self.expect("c12, ahead, ntp", "tls_clock", 4, "3.2 years ahead", "NTP says so")
        # Nobody needs to be asked: it is later than the day this program was built.
        self.expect("c12, 1970", "tls_clock", 4, "at least 56.")

    def test_c12_a_plain_date_bears_it_out_too(self):
        self.expect("plain_date", "tls_clock", 4, "3.2 years ahead", "the Date of http://127.0.0.1")

    def test_c12_nobody_is_blamed_without_another_clock(self):
        self.expect("c12, ahead", "tls_untrusted", 6, "no other clock confirms")

    def test_c12_a_certificate_that_has_expired_by_a_right_clock_is_not_forgiven(self):
        found = self.expect("c12, expired", "tls_untrusted", 6, "the local clock is not to blame")
        self.assertIn("to renew it", found.json["fix"])
        self.assertEqual(found.status("clock_ntp"), "ok")


if __name__ == "__main__":
    unittest.main()
