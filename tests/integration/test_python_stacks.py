"""The usual wrapper over Python's HTTP stacks, in the scenarios."""

import unittest

import python_stacks
from play import failed
from python_stacks import NOBODY_FAILS, STACKS, USUAL_FAILS

# Beyond these a call says nothing: the machine was so busy that the token became valid meanwhile,
# or expired between its request and its use.
FIRST_S, RETRY_S = 0.9, 2.0


class UsualWrapper(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        clients = {stack: lambda stack=stack: python_stacks.usual(stack) for stack in STACKS}
        cls.came_to = python_stacks.play_all(USUAL_FAILS + NOBODY_FAILS, clients)
        for (scenario, stack), came_to in cls.came_to.items():
            print(f"| usual wrapper, {stack}, {scenario}: {came_to['calls']} calls, "
                  f"{came_to['failures']} failures, {came_to['token_requests']} token requests")

    def test_it_fails_over_every_stack_where_a_new_token_is_refused(self):
        for scenario in USUAL_FAILS:
            for stack in STACKS:
                first = self.came_to[scenario, stack]["made"][0]
                with self.subTest(scenario=scenario, stack=stack):
                    self.assertTrue(failed(first) or first["seconds"] >= FIRST_S, first)

    def test_it_gets_through_where_one_new_token_is_enough(self):
        for scenario in NOBODY_FAILS:
            for stack in STACKS:
                with self.subTest(scenario=scenario, stack=stack):
                    early = [call for call in self.came_to[scenario, stack]["made"]
                             if failed(call) and call.get("seconds", 0) < RETRY_S]
                    self.assertEqual(early, [])


if __name__ == "__main__":
    unittest.main()
