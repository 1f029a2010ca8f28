"""Every file of scenarios/ is played to its end by `skewguard demo FILE` and judged by its own
[expect]; what was said of each failed answer goes beside what the emulator knows of it."""

import json
import subprocess
import tomllib
import unittest
from concurrent.futures import ThreadPoolExecutor

import truth
from harness import FORBIDDEN, ROOT, SKEWGUARD, EndToEnd

AT_ONCE = 24  # they wait most of their time
LONG = {"L1"}  # bench/clients/compare.py --long


def play(path):
    """(scenario, what our client came to)."""
    scenario = tomllib.loads(path.read_text(encoding="utf-8"))
    done = subprocess.run([SKEWGUARD, "demo", str(path), "--json"], capture_output=True, text=True,
                          timeout=120)
    return scenario, done


class ScenarioFiles(EndToEnd):
    def judge(self, scenario, ours):
        expect = scenario["expect"]
        if "verdicts" in expect:
            self.assertEqual(set(ours["verdicts"]), set(expect["verdicts"]), ours)
        if "failures" in expect:
            self.assertEqual(ours["failures"], expect["failures"], ours)
        if "most_token_requests" in expect:
            self.assertLessEqual(ours["token_requests"], expect["most_token_requests"], ours)
        if "exit_code" in expect:
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
                    for case in ours["judged"]:
                        self.note(case, scenario["id"])
                    self.judge(scenario, ours)

    @staticmethod
    def note(case, where):
        known = "no whole answer"
        if case["truth"] is not None:
            known = truth.name_of({"host": case["host"], "status": case["http_status"],
                                   "outcome": case["truth"], "ended_early": case["ended_early"],
                                   "faults": case["faults"]})
        elif case["http_status"] is not None:
            known = "cut off"
        truth.judged(known, case["verdict"], case["explanation"], where, case["faults"])


if __name__ == "__main__":
    unittest.main()
