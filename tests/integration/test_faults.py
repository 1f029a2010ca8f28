"""One I/O operation of a whole call fails, or is its last: every one of them in turn, in every way.

tests/preload/faults.c does it to `skewguard call` with a token store, a secret file, a CA file and
a report. After each such run a plain one must find nothing amiss. SKEWGUARD_FAULT_STRIDE=3 takes
every third operation.
"""

import errno
import json
import os
import shutil
import subprocess
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness import HUNG_S, SECRET, SKEWGUARD, EndToEnd, build_preload

STRIDE = int(os.environ.get("SKEWGUARD_FAULT_STRIDE", "1"))
AT_ONCE = 3
HANGS = "no end"  # in place of an exit code
MOST_OPERATIONS = 500


def failing(file, socket, other):
    return f"fail {file} {socket} {other}"


WAYS = {
    "EIO": failing(errno.EIO, errno.ECONNRESET, errno.EMFILE),
    "ENOSPC": failing(errno.ENOSPC, errno.ENOBUFS, errno.ENOMEM),
    "EACCES": failing(errno.EACCES, errno.EPERM, errno.EPERM),
    "EINTR": failing(errno.EINTR, errno.EINTR, errno.EINTR),
    "half": "half",
    "kill": "kill",
    "torn": "torn",
}
HARMLESS = {"EINTR", "half"}  # to files
# A process killed while it requested a token left its claim behind.
TOOK_OVER = r"\A(skewguard: warning: another process .* this one requests the token instead\n)?\Z"
DEADLY = {"kill", "torn"}


class Sweep:
    """Calls on one emulator, each with a store of its own that begins as a copy of `store`."""

    def __init__(self, test, emulator, library, store=None):
        self.test, self.emulator, self.library, self.store = test, emulator, library, store
        secret = Path(test.scratch.name) / "secret"
        secret.write_text(SECRET + "\n", encoding="utf-8")
        secret.chmod(0o600)
        self.flags = ["--client-secret-file", str(secret)]
        if "ca" in emulator.said:
            self.flags += ["--ca-file", emulator.said["ca"]]
        with tempfile.TemporaryDirectory(dir=test.scratch.name) as folder:
            self.body = self.call(Path(folder)).stdout
        assert '"organization"' in self.body, self.body

    def call(self, folder, **more):
        env = self.test.environment(
            self.emulator.login, self.emulator.api, GENESYS_CLOUD_CLIENT_SECRET=None,
            SKEWGUARD_TOKEN_STORE=f"file:{folder}/store", **more)
        command = [SKEWGUARD, "call", "GET", "/api/v2/tokens/me", "--report",
                   str(folder / "report"), *self.flags]
        with subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as process:
            try:
                out, err = process.communicate(timeout=HUNG_S)
            except subprocess.TimeoutExpired:
                process.kill()
                out, err = process.communicate()
                return subprocess.CompletedProcess(command, HANGS, out, err)
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    def all_of(self, way):
        """To how many operations it was done, and what was wrong then."""
        wrong = []
        for number in range(1, MOST_OPERATIONS, STRIDE):
            with tempfile.TemporaryDirectory(dir=self.test.scratch.name) as folder:
                if not self.one(Path(folder), way, number, wrong):
                    return number - 1, wrong
        return MOST_OPERATIONS, wrong + [f"{way}: there is no end of operations"]

    def one(self, folder, way, number, wrong):
        """Whether there was such an operation."""
        if self.store:
            shutil.copytree(self.store, folder / "store")
        log = folder / "log"
        run = self.call(folder, LD_PRELOAD=self.library,
                        SKEWGUARD_TEST_FAULT=f"{number} {WAYS[way]}",
                        SKEWGUARD_TEST_FAULT_LOG=str(log))
        operation = log.read_text(encoding="utf-8").strip() if log.exists() else None
        try:
            self.judge(run, folder, way, operation or "nothing")
            self.judge_next(folder)
        except AssertionError as problem:
            wrong.append(f"{way} at operation {number} ({operation}): {problem}\n"
                         f"exit {run.returncode}, stderr: {run.stderr}")
        return operation is not None

    def judge(self, run, folder, way, operation):
        test = self.test
        report = folder / "report"
        said = report.read_text(encoding="utf-8") if report.exists() else ""
        test.assert_no_secrets(run.stdout, run.stderr, said)
        test.assertTrue(self.body.startswith(run.stdout), "the body is not that of the answer")
        if way in DEADLY and operation != "nothing":
            return test.assertEqual(run.returncode, -9)
        test.assertIn(run.returncode, range(8), "no exit code of ours")
        if run.returncode == 0:
            test.assertEqual(run.stdout, self.body)
            test.assertEqual(json.loads(said)["exit_code"], 0)
        else:
            test.assertRegex(run.stderr, "^skewguard: ", "it does not say why")
        if f"{folder}/store" in operation:
            test.assertEqual(run.returncode, 0, "the store cost the call")
            told = run.stderr.count("continuing without the token store")
            # Cleaning up may fail silently: the token is kept anyway.
            kept = any((folder / "store").glob("*/*.json"))
            asked = json.loads(said)["token_requests"]
            harmless = kept and asked == (0 if self.store else 1)
            test.assertIn(told, {0} if way in HARMLESS else {0, 1} if harmless else {1})
        elif run.returncode == 0:
            test.assertRegex(run.stderr, r"\A(skewguard: warning: cured network by .*\n)?\Z")

    def judge_next(self, folder):
        test = self.test
        run = self.call(folder)
        test.assertEqual(run.returncode, 0, "the next call")
        test.assertRegex(run.stderr, TOOK_OVER, "the next call")
        test.assertEqual(run.stdout, self.body, "the next call's body")
        (client,) = (folder / "store").iterdir()
        names = sorted(path.suffix for path in client.iterdir())
        # What a killed writer left behind goes with the next value.
        test.assertIn(names, ([".json"], [".json", ".json"], [".json", ".new"],
                              [".json", ".json", ".new"]))


class Faults(EndToEnd):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.library = build_preload(cls.scratch.name, "faults")

    def sweep(self, sweep, least, ways=WAYS):
        with ThreadPoolExecutor(AT_ONCE) as pool:
            done = dict(zip(ways, pool.map(sweep.all_of, ways)))
        print(" ".join(f"{way}: {count}" for way, (count, _) in done.items()), flush=True)
        wrong = [problem for _, problems in done.values() for problem in problems]
        self.assertFalse(wrong, "\n\n".join(wrong))
        self.assertGreater(done["kill"][0], least, "the library sees no operations")

    def test_no_fault_costs_more_than_its_call_where_a_token_is_asked_for_over_tls(self):
        emulator = self.emulator("--lifetime", "3600s", "--tls", ours_alone=False)
        self.sweep(Sweep(self, emulator, self.library), 50)

    def test_no_fault_costs_more_than_its_call_where_the_store_has_a_token(self):
        emulator = self.emulator("--lifetime", "3600s", ours_alone=False)
        kept = Path(self.scratch.name) / "kept"
        kept.mkdir()
        Sweep(self, emulator, self.library).call(kept)
        self.sweep(Sweep(self, emulator, self.library, kept / "store"), 20)


if __name__ == "__main__":
    unittest.main()
