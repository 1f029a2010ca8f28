"""Every file of scenarios/ is played to its end by `skewguard demo FILE` and judged by its own
[expect]; what was said of each failed answer goes beside what the emulator knows of it."""

import json
import subprocess
import tomllib
import unittest
from concurrent.futures import ThreadPoolExecutor

import truth
from harness import FORBIDDEN, HUNG_S, ROOT, SKEWGUARD, EndToEnd

AT_ONCE = 24  # they wait most of their time
LONG = {"L1"}  # bench/clients/compare.py --long


def play(path):
    """(scenario, what our client came to)."""
    scenario = tomllib.loads(path.read_text(encoding="utf-8"))
    done = subprocess.run([SKEWGUARD, "demo", str(path), "--json"], capture_output=True, text=True,
                          timeout=HUNG_S)
    return scenario, done


def lag_of(scenario):
    """By how many seconds the API's clock lags the login host's when the scenario begins; None
    where it has several."""
    servers = scenario.get("servers", {})
    if "api_backends" in servers:
        return None

    def seconds(text):
        return float(text[:-1]) * {"s": 1, "m": 60, "h": 3600}[text[-1]]
    return seconds(servers.get("login_offset", "0s")) - seconds(servers.get("api_offset", "0s"))


def truth_of(case, scenario):
    """None where the emulator knows nothing of an answer that came."""
    if case["truth"] is None:
        return None if case["http_status"] is not None else "no whole answer"
    said_to_have_ended = any("expired" in event.get("code", "")
                             for event in scenario.get("event", []))
    if case["truth"] == "fault" and case["http_status"] == 403 and said_to_have_ended:
        return "api 403, token said to have ended"
    return truth.name_of({"host": case["host"], "status": case["http_status"],
                          "outcome": case["truth"], "ended_early": case["ended_early"],
                          "faults": case["faults"]})


class ScenarioFiles(EndToEnd):
    def judge(self, scenario, ours):
        expect = scenario["expect"]
        if "verdicts" in expect:  # tools/rows.py says where not
            self.assertEqual(set(ours["verdicts"]), set(expect["verdicts"]), ours)
        self.assertEqual(ours["failures"], expect["failures"], ours)
        self.assertLessEqual(ours["token_requests"], expect["most_token_requests"], ours)
        self.assertEqual(max(ours["exit_codes"]), expect["exit_code"], ours)

    def test_each_comes_to_what_it_expects(self):
        files = [f for f in sorted((ROOT / "scenarios").glob("*.toml"))
                 if f.stem.split("_")[0].upper() not in LONG]
        self.assertGreater(len(files), 70)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for path, (scenario, done) in zip(files, pool.map(play, files)):
                with self.subTest(path.name):
                    self.assertEqual(done.returncode, 0, done.stderr)
                    for pattern in FORBIDDEN:
                        self.assertIsNone(pattern.search(done.stdout + done.stderr))
                    ours = json.loads(done.stdout)["scenarios"][0]["skewguard"]
                    self.note(scenario, ours)
                    self.judge(scenario, ours)

    @staticmethod
    def note(scenario, ours):
        """The answers of all calls, in order. Only a call that failed shows where it ends: it gave
        up, at once or because no new token came."""
        where = scenario["id"]
        dates = not any("date" in event for event in scenario.get("event", [])
                        if event["order"] == "fault")
        mitigated = {0: True, ours["calls"]: False}.get(ours["failures"])
        call = []
        for case in ours["judged"]:
            over = call and call[-1]["action"] == truth.GIVE_UP
            if over and (call[-1]["host"], case["host"]) != ("api", "login"):
                truth.judged_call(call, where, mitigated)
                call = []
            call.append(truth.case_of(truth_of(case, scenario), case["verdict"],
                                      case["explanation"], case["faults"], case["host"],
                                      case["action"], dates, lag_of(scenario)))
        truth.judged_call(call, where, mitigated)
        refused = [case for case in ours["judged"]
                   if case["host"] == "api" and case["http_status"] == 401]
        # Before it gives up, or asks for a new token since a wait would be too long, it may look at
        # the API's clock once more, without a token.
        looks = sum(case["action"] == truth.GIVE_UP or
                    (case["action"], case["verdict"]) == (truth.REFRESH, "issuer_clock_ahead")
                    for case in refused)
        truth.left_out(where, ours["rejections"] - len(refused) - looks)


if __name__ == "__main__":
    unittest.main()
