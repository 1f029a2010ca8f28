"""Tokens kept in files: processes that share them, and what can be wrong with a store."""

import json
import math
import os
import shutil
import stat
import subprocess
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness import HUNG_S, SECRET, SKEWGUARD, EndToEnd, LongRunning

ME = ("call", "GET", "/api/v2/tokens/me")


class Store(EndToEnd):
    def setUp(self):
        self.folder = Path(self.scratch.name) / self.id().split(".")[-1]
        self.store = {"SKEWGUARD_TOKEN_STORE": f"file:{self.folder}"}

    def files(self):
        """What the store holds: a folder for each client, in it a file for each value."""
        return sorted(self.folder.glob("*/*.json"))

    def test_the_second_run_takes_the_token_of_the_first(self):
        emulator = self.emulator("--lifetime", "300s")
        for _ in range(3):
            self.assert_came_through(self.run_program(emulator, *ME, **self.store))
        self.assertEqual(emulator.token_requests(), 1)
        self.assertEqual(stat.S_IMODE(self.folder.stat().st_mode), 0o700)
        (file,) = self.files()
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
        self.assertNotIn(SECRET, file.read_text(encoding="utf-8"))

    def test_it_is_the_default_of_the_commands(self):
        emulator = self.emulator("--lifetime", "300s")
        for _ in range(2):
            self.assert_came_through(self.run_program(emulator, *ME, SKEWGUARD_TOKEN_STORE=None,
                                                      XDG_RUNTIME_DIR=str(self.folder)))
        self.assertEqual(emulator.token_requests(), 1)
        self.assertTrue((self.folder / "skewguard").is_dir())

    def test_token_says_where_it_came_from(self):
        emulator = self.emulator("--lifetime", "300s")
        sources = []
        for more in ((), (), ("--force-refresh",), ()):
            run = self.run_program(emulator, "token", "--format", "json", *more, tokens=True,
                                   report=False, **self.store)
            sources.append(json.loads(run.out)["source"])
        self.assertEqual(sources, ["login", "store", "login", "store"])
        self.assertEqual(emulator.token_requests(), 2)

    def test_many_processes_at_once_make_one_token_request(self):
        emulator = self.emulator("--lifetime", "300s", "--latency", "300ms")
        runs = [subprocess.Popen([SKEWGUARD, *ME], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE, text=True,
                                 env=self.environment(emulator.login, emulator.api, **self.store))
                for _ in range(20)]
        errors = [run.communicate(timeout=HUNG_S)[1] for run in runs]
        self.assertEqual([run.returncode for run in runs], [0] * 20, errors)
        self.assertEqual(emulator.token_requests(), 1)

    def test_forty_processes_in_twenty_time_namespaces_share_one_token(self):
        emulator = self.emulator("--lifetime", "300s", "--latency", "300ms")
        env = self.environment(emulator.login, emulator.api, **self.store)
        two = f"{SKEWGUARD} {' '.join(ME)} & {SKEWGUARD} {' '.join(ME)} && wait $!"
        runs = [subprocess.Popen(["unshare", "--time", "--boottime", str(n * 7200 - 3600), "--",
                                  "sh", "-c", two], env=env, text=True,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
                for n in range(1, 21)]
        errors = [run.communicate(timeout=HUNG_S)[1] for run in runs]
        self.assertEqual([run.returncode for run in runs], [0] * 20, errors)
        self.assertEqual(emulator.stats()["api_requests"]["by_status"], {"200": 40})
        self.assertLessEqual(emulator.token_requests(), 3)

    def test_long_running_processes_share_each_new_token(self):
        emulator = self.emulator("--lifetime", "4s")
        programs = [LongRunning(self, emulator, **self.store) for _ in range(5)]
        start = time.monotonic()
        while time.monotonic() - start < 14:
            for program in programs:
                self.assertEqual(program.call()["exit_code"], 0)
            time.sleep(0.1)
        lifetimes = (time.monotonic() - start) / 4
        self.assertLessEqual(emulator.token_requests(), 2 + 1.3 * lifetimes)

    def test_processes_that_come_and_go_ask_for_one_token_a_lifetime(self):
        fast = {"LD_PRELOAD": self.preload, "SKEWGUARD_TEST_SPEED": "60"}  # 5 s a lifetime
        emulator = self.emulator("--lifetime", "300s", env=fast)
        env = self.environment(emulator.login, emulator.api, **self.store, **fast)
        start = time.monotonic()

        def calls():
            said = []
            while time.monotonic() < start + 3 * 5:
                done = subprocess.run([SKEWGUARD, *ME], env=env, stdin=subprocess.DEVNULL,
                                      stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                said.append((done.returncode, done.stderr))
                time.sleep(0.5)
            return said

        with ThreadPoolExecutor(20) as pool:
            runs = [run for one in [pool.submit(calls) for _ in range(20)] for run in one.result()]
        lifetimes = math.ceil((time.monotonic() - start) / 5)
        # A program's margins last 33 ms here: on a busy machine it may miss them.
        late = [said for _, said in runs if said]
        self.assertEqual({code for code, _ in runs}, {0}, late)
        self.assertLessEqual(len(late), len(runs) / 10, late)
        refused = emulator.stats()["api_requests"]["by_status"].get("401", 0)
        self.assertLessEqual(refused, len(late), late)
        self.assertLessEqual(emulator.token_requests(), 1 + lifetimes + len(late), late)

    def test_a_revoked_token_in_the_store_is_replaced_for_all(self):
        emulator = self.emulator("--lifetime", "300s")
        self.assert_came_through(self.run_program(emulator, *ME, **self.store))
        emulator.order("revoke", all=True)
        run = self.run_program(emulator, *ME, **self.store)
        self.assertEqual((run.code, run.verdict()), (0, "token_revoked"), run.report_text)
        self.assert_came_through(self.run_program(emulator, *ME, **self.store))
        self.assertEqual(emulator.token_requests(), 2)

    def test_another_secret_has_another_token(self):
        emulator = self.emulator("--lifetime", "300s")
        self.assert_came_through(self.run_program(emulator, *ME, **self.store))
        run = self.run_program(emulator, *ME, GENESYS_CLOUD_CLIENT_SECRET="wrong", **self.store)
        self.assertEqual((run.code, run.verdict()), (3, "credentials_rejected"))

    def test_a_moved_wall_clock_revives_no_dead_token(self):
        emulator = self.emulator("--lifetime", "2s")
        self.assert_came_through(self.run_program(emulator, *ME, **self.store))
        time.sleep(2.5)
        for wall in ("slow", "1970", "fast"):
            self.assert_came_through(self.run_program(emulator, *ME, wall=wall, **self.store))
        self.assertEqual(emulator.stats()["api_requests"]["by_status"], {"200": 4})

    def test_another_time_namespace_asks_the_login_host_what_time_it_is(self):
        emulator = self.emulator("--lifetime", "300s")
        self.assert_came_through(self.run_program(emulator, *ME, **self.store))
        elsewhere = ("unshare", "--time", "--boottime", "7200", "--")
        run = self.run_program(emulator, *ME, prefix=elsewhere, **self.store)
        self.assert_came_through(run)
        self.assertEqual(emulator.token_requests(), 1)
        self.assertEqual(emulator.stats()["other_requests"], 1, "one look without credentials")

    def test_what_is_wrong_with_the_store_is_said_once_and_costs_no_call(self):
        def torn():
            (file,) = self.files()
            file.write_bytes(file.read_bytes()[:50])

        def too_open():
            (file,) = self.files()
            file.chmod(0o644)

        def foreign():
            (file,) = self.files()
            os.chown(file, 65534, 65534)

        def a_file():
            shutil.rmtree(self.folder)
            self.folder.write_text("")

        emulator = self.emulator("--lifetime", "300s")
        self.assert_came_through(self.run_program(emulator, *ME, **self.store))
        for spoil in (torn, too_open, foreign, a_file):
            with self.subTest(spoil.__name__):
                spoil()
                before = emulator.token_requests()
                run = self.run_program(emulator, *ME, **self.store)
                self.assert_came_through(run)
                self.assertEqual(emulator.token_requests(), before + 1)
                self.assertEqual(run.err.count("continuing without the token store"), 1, run.err)
            if spoil in (too_open, foreign):
                os.chown(self.files()[0], 0, 0)
                self.files()[0].chmod(0o600)


if __name__ == "__main__":
    unittest.main()
