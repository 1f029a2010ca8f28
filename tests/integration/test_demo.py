"""`skewguard demo`: as text and as JSON, without an avoidable failure of our client."""

import json
import os
import re
import subprocess
import unittest

from harness import FORBIDDEN, HUNG_S, ROOT, SKEWGUARD, EndToEnd


def unavoidable(scenario):
    """What the scenario's own file expects to reach the caller."""
    for path in (ROOT / "scenarios").glob(f"{scenario.lower()}_*.toml"):
        found = re.search(r"^failures = (\d+)", path.read_text(encoding="utf-8"), re.MULTILINE)
        return int(found[1]) if found else None
    raise AssertionError(f"no file for {scenario}")


class Demo(EndToEnd):
    def finish(self, process):
        out, err = process.communicate(timeout=HUNG_S)
        self.assertEqual(process.returncode, 0, err)
        for pattern in FORBIDDEN:
            self.assertIsNone(pattern.search(out + err), pattern.pattern)
        return out

    def test_says_the_same_in_words_and_in_json(self):
        words, as_json, story = [
            subprocess.Popen([SKEWGUARD, "demo", *more], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
            for more in ([], ["--json"], ["c3"])]
        table, story = self.finish(words), self.finish(story)
        data = json.loads(self.finish(as_json))
        self.assertEqual(data["schema"], "skewguard.demo/1")
        self.assertEqual([s["id"] for s in data["scenarios"]],
                         "C1 C2 C3 C4 C5 C6 C7 C15 C18 T1 T10".split())
        for scenario in data["scenarios"]:
            with self.subTest(scenario["id"]):
                self.assertEqual(scenario["skewguard"]["failures"], unavoidable(scenario["id"]))
                told = re.search(rf"^{scenario['id']} +(.*)\n +naive +(\d+) +(\d+).*\n"
                                 r" +skewguard +(\d+) +(\d+)", table, re.MULTILINE)
                self.assertIsNotNone(told, table)
                self.assertEqual(told[1], scenario["title"])
                self.assertEqual([int(n) for n in told.groups()[1:]],
                                 [scenario["naive"]["calls"], scenario["naive"]["failures"],
                                  scenario["skewguard"]["calls"],
                                  scenario["skewguard"]["failures"]])
        failures = sum(s["naive"]["failures"] for s in data["scenarios"])
        self.assertGreater(failures, sum(s["skewguard"]["failures"] for s in data["scenarios"]))
        self.assertIn("issuer_clock_ahead, cured", story)
        self.assertIn("clock skew detected", story)

    def test_a_story_fits_the_terminal(self):
        done = subprocess.run([SKEWGUARD, "demo", "C3"], capture_output=True, text=True,
                              env={**os.environ, "COLUMNS": "60"})
        self.assertEqual(done.returncode, 0, done.stderr)
        for line in done.stdout.splitlines():
            self.assertTrue(len(line) <= 60 or len(line.split()) == 1, line)

    def test_an_unknown_scenario_is_a_usage_error(self):
        done = subprocess.run([SKEWGUARD, "demo", "X9"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, "X9.*C1, C2")


if __name__ == "__main__":
    unittest.main()
