#!/usr/bin/env python3
"""The usual tutorial's program beside examples/python/current_user.py, on an emulated cloud whose
login host is three seconds ahead of its API.

    tests/python/beside_the_usual.py

The program is $SKEWGUARD, else build/release/skewguard. Exit status 1: ours failed.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "integration"))
from harness import CLIENT, SECRET, SKEWGUARD, Emulator  # noqa: E402
from play import PYTHON, Gateway  # noqa: E402

AHEAD = ("--login-offset", "3s", "--strict-nbf", "--token", "jwt", "--user", "Ada")
# The SDK's own login takes one host for everything.
CONFIG = "[gateway]\nhost = 127.0.0.1\nprotocol = http\nport = {}\n" \
         "path_params_login = login\npath_params_api = api\n"


def run(title, program, env):
    print(f"\n{title}\n$ python3 {program.relative_to(ROOT)}", flush=True)
    status = subprocess.run([PYTHON, program], env=env, stderr=subprocess.STDOUT).returncode
    print(f"exit status {status}")
    return status


def main():
    with tempfile.TemporaryDirectory() as home:
        emulator = Emulator(*AHEAD, ours_alone=False)
        gateway = Gateway(emulator.login, emulator.api)
        try:
            packages = (ROOT / "tests/python", Path(SKEWGUARD).resolve().parent / "python")
            env = {"PATH": os.environ["PATH"], "HOME": home,
                   "PYTHONPATH": ":".join(map(str, packages)),
                   "GENESYS_CLOUD_CLIENT_ID": CLIENT, "GENESYS_CLOUD_CLIENT_SECRET": SECRET,
                   "SKEWGUARD_LOGIN_URL": emulator.login, "SKEWGUARD_API_URL": emulator.api}
            usual_config = Path(home) / ".genesyscloudpython/config"
            usual_config.parent.mkdir()
            usual_config.write_text(CONFIG.format(gateway.server.server_port), encoding="utf-8")
            run("the usual tutorial's", ROOT / "tests/python/usual_current_user.py", env)
            usual_config.unlink()
            return run("with skewguard", ROOT / "examples/python/current_user.py", env)
        finally:
            gateway.stop()
            emulator.stop()


if __name__ == "__main__":
    sys.exit(main())
