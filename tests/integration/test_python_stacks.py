"""The usual wrapper and the package `skewguard` over Python's HTTP stacks, in the scenarios."""

import subprocess
import unittest
from pathlib import Path

import python_stacks
from harness import HUNG_S, ROOT, EndToEnd
from play import PYTHON, Gateway, failed
from python_stacks import NOBODY_FAILS, USUAL_FAILS

# A call that took longer says nothing: the machine was so busy that a token became valid meanwhile,
# or expired between its request and its use.
VALID_S, EXPIRED_S = 0.9, 2.0


def play_all(kind):
    came_to = python_stacks.play_all(kind, USUAL_FAILS + NOBODY_FAILS)
    for (scenario, stack), one in came_to.items():
        print(f"| {kind} client, {stack}, {scenario}: {one['calls']} calls, "
              f"{one['failures']} failures, {one['token_requests']} token requests")
    return came_to


class UsualWrapper(unittest.TestCase):
    def test_it_fails_over_every_stack_where_a_new_token_is_refused_and_nowhere_else(self):
        for (scenario, stack), came_to in play_all("usual").items():
            made = came_to["made"]
            with self.subTest(scenario=scenario, stack=stack):
                if scenario in USUAL_FAILS:
                    self.assertTrue(any(failed(call) or call["seconds"] >= VALID_S
                                        for call in made), made)
                else:
                    self.assertEqual([call for call in made if failed(call) and
                                      call.get("seconds", 0) < EXPIRED_S], [])


class Adapters(unittest.TestCase):
    def test_ours_get_through_all_of_them_over_every_stack(self):
        for (scenario, stack), came_to in play_all("our").items():
            with self.subTest(scenario=scenario, stack=stack):
                self.assertEqual([call for call in came_to["made"] if failed(call)], [])


class UsualTutorial(EndToEnd):
    """tests/python/usual_current_user.py, which reads the emulator's place from the SDK's file."""

    def run_tutorial(self, *flags):
        self.emulated = self.emulator("--token", "jwt", "--user", "Ada", *flags, ours_alone=False)
        gateway = Gateway(self.emulated.login, self.emulated.api)
        self.addCleanup(gateway.stop)
        config = Path(self.scratch.name) / ".genesyscloudpython/config"
        config.parent.mkdir(exist_ok=True)
        config.write_text("[gateway]\nhost = 127.0.0.1\nprotocol = http\n"
                          f"port = {gateway.server.server_port}\n"
                          "path_params_login = login\npath_params_api = api\n", encoding="utf-8")
        env = self.environment(self.emulated.login, self.emulated.api,
                               PYTHONPATH=str(ROOT / "tests/python"))
        done = subprocess.run([PYTHON, ROOT / "tests/python/usual_current_user.py"], env=env,
                              capture_output=True, text=True, timeout=HUNG_S)
        self.assert_no_secrets(done.stdout, done.stderr)
        return done

    def test_it_works_where_the_clocks_agree(self):
        done = self.run_tutorial()
        self.assertEqual((done.returncode, done.stdout), (0, "Current user: Ada\n"), done.stderr)

    def test_it_blames_this_clock_and_fails_where_the_login_hosts_is_ahead(self):
        done = self.run_tutorial("--login-offset", "600s", "--strict-nbf")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("CRITICAL usual_current_user: CLOCK SKEW DETECTED: the token is valid",
                      done.stderr)
        self.assertEqual(self.emulated.token_requests(), 2)

    def test_ours_is_shown_beside_it(self):
        done = subprocess.run([PYTHON, ROOT / "tests/python/beside_the_usual.py"],
                              capture_output=True, text=True, timeout=HUNG_S)
        self.assert_no_secrets(done.stdout, done.stderr)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        usual, ours = done.stdout.split("\nwith skewguard\n")
        self.assertIn("$ python3 tests/python/usual_current_user.py\n", usual)
        self.assertIn("\nCurrent user: Ada\nexit status 0\n", ours)


if __name__ == "__main__":
    unittest.main()
