"""Certificate chains with an expired member, made with `openssl` under another wall clock."""

import os
import subprocess
from pathlib import Path

DAY_S = 86400
YEAR = 365


class Chains:
    """Keys and certificates in a folder. `preload`: tests/preload/wallclock.c."""

    CA = "basicConstraints=critical,CA:true\nsubjectKeyIdentifier=hash\n"
    LEAF = "subjectAltName=IP:127.0.0.1\nauthorityKeyIdentifier=keyid\n"

    def __init__(self, folder, preload):
        self.folder, self.preload = Path(folder), preload

    def path(self, name):
        return str(self.folder / name)

    def key(self, name):
        key = self.path(f"{name}.key")
        if not Path(key).exists():
            subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout",
                            "-out", key], check=True, capture_output=True)
        return key

    def sign(self, name, subject, key, issuer, begins, days, extensions=CA):
        """NAME.pem for that key; it begins so many days from now. `issuer`: NAME and key, None for
        itself."""
        env = {**os.environ, "LD_PRELOAD": self.preload,
               "SKEWGUARD_TEST_WALL_OFFSET": str(begins * DAY_S)}
        request, config = self.path("request.pem"), self.path("extensions")
        Path(config).write_text(extensions, encoding="ascii")
        subprocess.run(["openssl", "req", "-new", "-key", self.key(key), "-subj", f"/CN={subject}",
                        "-out", request], check=True, capture_output=True)
        signer = ["-signkey", self.key(key)] if issuer is None else \
            ["-CA", self.path(f"{issuer[0]}.pem"), "-CAkey", self.key(issuer[1])]
        subprocess.run(["openssl", "x509", "-req", "-in", request, "-days", str(days), "-extfile",
                        config, "-out", self.path(f"{name}.pem"), *signer], env=env, check=True,
                       capture_output=True)

    def join(self, name, *parts):
        """NAME.pem: several certificates in one file."""
        text = "".join(Path(self.path(f"{part}.pem")).read_text(encoding="ascii")
                       for part in parts)
        Path(self.path(f"{name}.pem")).write_text(text, encoding="ascii")
        return self.path(f"{name}.pem")


def after_a_root_has_expired(folder, preload):
    """As in September 2021: Old Root has expired, and signed New Root, which now stands alone.
    Issuing CA has a certificate of New Root, and one that expired."""
    made = Chains(folder, preload)
    made.sign("old-root", "Old Root", "old", None, -20 * YEAR, 19 * YEAR)
    made.sign("new-root", "New Root", "new", None, -10 * YEAR, 20 * YEAR)
    made.sign("cross", "New Root", "new", ("old-root", "old"), -10 * YEAR, 11 * YEAR)
    made.sign("issuing", "Issuing CA", "issuing", ("new-root", "new"), -YEAR, 2 * YEAR)
    made.sign("issuing-expired", "Issuing CA", "issuing", ("new-root", "new"), -3 * YEAR,
              3 * YEAR - 40)
    made.sign("leaf", "localhost", "leaf", ("issuing", "issuing"), -1, 60, Chains.LEAF)
    made.join("leaf-cross", "leaf", "issuing", "cross")
    made.join("leaf-expired", "leaf", "issuing-expired")
    made.join("both-roots", "new-root", "old-root")
    return made
