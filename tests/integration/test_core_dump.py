"""No core dump holds a secret or a token: a look at live processes as the kernel looks at them.

What a dump holds of a process is decided mapping by mapping (core(5)): all that it may write, but
those marked MADV_DONTDUMP ("dd" among VmFlags, proc(5)) and those of devices ("io").
"""

import array
import base64
import json
import random
import re
import ssl
import string
import subprocess
import sys
import threading
import time
import unittest
import urllib.parse
from pathlib import Path

from harness import CLIENT, HUNG_S, SKEWGUARD, EndToEnd, LongRunning, RawServer, answer
from test_proxy import ConnectProxy
from test_serve import Sidecar

ME = "/api/v2/tokens/me"
PIECE = 16  # bytes of a secret that nobody may find
SECRET = "core+dump/secret=9f21Qz-7rT"
CHANCE = random.Random(7)
TOKEN = "".join(CHANCE.choices(string.ascii_letters + string.digits + "-_", k=86))
JWT = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (
    b'{"alg":"HS256","typ":"JWT"}',
    json.dumps({"iat": 1, "x": CHANCE.randbytes(2000).hex()}).encode(), CHANCE.randbytes(64)))
HEADER = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)")


class Mapping:
    def __init__(self, begin, end, rights, name):
        self.begin, self.end, self.rights, self.name = begin, end, rights, name or "[anonymous]"
        self.flags = set()

    def hidden(self):
        return "dd" in self.flags

    def readable(self):
        return "r" in self.rights and not {"io", "pf"} & self.flags and self.name != "[vsyscall]"


def mappings(pid):
    found = []
    for line in Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8").splitlines():
        header = HEADER.fullmatch(line)
        if header:
            begin, end, rights, name = header.groups()
            found.append(Mapping(int(begin, 16), int(end, 16), rights, name))
        elif line.startswith("VmFlags:"):
            found[-1].flags = set(line.split()[1:])
    return found


BLOCK = PIECE // 2  # a piece holds one whole block of memory that begins at a multiple of it


def run_around(memory, at, secret, begin):
    """(place, bytes running) of what is the same around `at` in memory and `begin` in `secret`."""
    low, high = 0, BLOCK
    while min(begin, at) > low and memory[at - low - 1] == secret[begin - low - 1]:
        low += 1
    while secret[begin + high:begin + high + 1] == memory[at + high:at + high + 1] != b"":
        high += 1
    return at - low, low + high


def contents(pid, hidden):
    """(mapping, its bytes): of those that a dump would hold or, where `hidden`, would not."""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for mapping in mappings(pid):
            if mapping.hidden() != hidden or not mapping.readable():
                continue
            memory.seek(mapping.begin)
            content = bytearray()
            while len(content) < mapping.end - mapping.begin:
                try:
                    content += memory.read(mapping.end - mapping.begin - len(content))
                except OSError:  # beyond the end of a file that is mapped
                    break
            yield mapping, bytes(content)


def copies(pid, text):
    """How often the whole of `text` stands in the memory of a process."""
    return sum(content.count(text.encode()) for hidden in (False, True)
               for _, content in contents(pid, hidden))


def look(pid, secrets, hidden=False):
    """(what, mapping, place, bytes running) of each piece of `secrets` that is found."""
    found = set()
    telling = {}  # each eight bytes of a secret, as a number: whose, and where
    for what, text in secrets.items():
        secret = text.encode()
        for i in range(len(secret) - BLOCK + 1):
            number = int.from_bytes(secret[i:i + BLOCK], sys.byteorder)
            telling.setdefault(number, []).append((what, secret, i))
    for mapping, content in contents(pid, hidden):
        blocks = array.array("Q", content[:len(content) // BLOCK * BLOCK])
        if telling.keys().isdisjoint(blocks):
            continue
        for nth, block in enumerate(blocks):
            for what, secret, begin in telling.get(block, ()):
                place, length = run_around(content, nth * BLOCK, secret, begin)
                if length >= PIECE:
                    found.add((what, mapping.name, mapping.begin + place, length))
    return sorted(found)


def basic(secret, client=CLIENT):
    return base64.b64encode(f"{client}:{secret}".encode()).decode()


def chunked(body):
    """One answer in chunks of 1000 bytes."""
    parts = [body[i:i + 1000] for i in range(0, len(body), 1000)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    return (b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks +
            b"0\r\n\r\n")


class LateHosts:
    """Both hosts; the one named waits with its answer until it is let go. Where it is `tail`, the
    login host waits with the last 20 bytes of it."""

    def __init__(self, test, late, token=TOKEN, tls=None, in_chunks=False):
        self.asked, self.go = threading.Event(), threading.Event()

        def says(_method, path, _head):
            host = "login" if path == "/oauth/token" else "api"
            if host == late:
                self.asked.set()
                self.go.wait(HUNG_S)
            if host == "api":
                return answer(200, b'{"organization":{"id":"1"}}', "Content-Type: application/json")
            body = json.dumps({"access_token": token, "token_type": "bearer", "expires_in": 300,
                               "id_token": token[::-1]}).encode()
            whole = chunked(body) if in_chunks else answer(200, body)
            return but_the_end(whole) if late == "tail" else whole

        def but_the_end(whole):
            yield whole[:-20]
            self.asked.set()
            self.go.wait(HUNG_S)
            yield whole[-20:]

        server = RawServer(test, says)
        self.url = server.url
        if tls:
            server.server.socket = tls.wrap_socket(server.server.socket, server_side=True)
            self.url = self.url.replace("http://", "https://")


class CoreDump(EndToEnd):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = Path(cls.scratch.name)
        cls.secret_file = cls.folder / "genesys_cloud_client_secret"
        cls.secret_file.write_text(SECRET + "\n", encoding="utf-8")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=test",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
                        str(cls.folder / "key.pem"), "-out", str(cls.folder / "ca.pem")],
                       check=True, capture_output=True)

    def tls(self, version):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = context.maximum_version = version
        context.load_cert_chain(self.folder / "ca.pem", self.folder / "key.pem")
        return context

    def watch(self, hosts, *flags, command=("call", "GET", ME), **more):
        """Runs the program, looks at it while the late host is, and lets it end well."""
        more.setdefault("GENESYS_CLOUD_CLIENT_SECRET", None)
        process = subprocess.Popen(
            [SKEWGUARD, *command, "--ca-file", str(self.folder / "ca.pem"), *flags],
            env=self.environment(hosts.url, hosts.url, **more), stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        try:
            self.assertTrue(hosts.asked.wait(HUNG_S), "nobody asked the late host")
            yield process
        finally:
            hosts.go.set()
            out, err = process.communicate(timeout=HUNG_S)
        self.assertEqual(process.returncode, 0, out + err)

    def look_while_awaited(self, late, *flags, token=TOKEN, tls=None, in_chunks=False, **more):
        hosts = LateHosts(self, late, token, tls, in_chunks)
        wanted = {"secret": SECRET, "basic": basic(SECRET)}
        if late == "api":
            wanted.update(token=token, id_token=token[::-1])
        for process in self.watch(hosts, *flags, **more):
            self.assertEqual(look(process.pid, wanted), [])
            inside = {what for what, *_ in look(process.pid, wanted, hidden=True)}
            self.assertIn("secret", inside, "then the look proves nothing")
            if late == "api":
                self.assertIn("token", inside)

    def from_file(self):
        return "--client-secret-file", str(self.secret_file)

    def test_while_either_host_is_awaited(self):
        for late in ("login", "api"):
            with self.subTest(late):
                self.look_while_awaited(late, *self.from_file())

    def test_under_tls(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            for late in ("login", "api"):
                with self.subTest(late, tls=version.name):
                    self.look_while_awaited(late, *self.from_file(), tls=self.tls(version))

    def test_a_long_token_that_comes_in_parts(self):
        for tls in (None, self.tls(ssl.TLSVersion.TLSv1_3)):
            with self.subTest(tls=bool(tls)):
                self.look_while_awaited("api", *self.from_file(), token=JWT, tls=tls,
                                        in_chunks=True)

    def test_a_token_whose_answer_is_not_whole(self):
        wanted = {"token": TOKEN}
        for tls in (None, self.tls(ssl.TLSVersion.TLSv1_3)):
            for in_chunks in (False, True):
                with self.subTest(tls=bool(tls), in_chunks=in_chunks):
                    hosts = LateHosts(self, "tail", tls=tls, in_chunks=in_chunks)
                    for process in self.watch(hosts, *self.from_file()):
                        self.await_arrival(process.pid, wanted)
                        self.assertEqual(look(process.pid, wanted), [])

    def await_arrival(self, pid, wanted):
        """Until the process holds what was sent to it, wherever that is."""
        deadline = time.monotonic() + HUNG_S
        while not (look(pid, wanted) or look(pid, wanted, hidden=True)):
            self.assertLess(time.monotonic(), deadline, "nothing arrived")

    def test_a_token_that_is_kept_between_runs(self):
        store = f"file:{self.folder}/store"
        for _ in range(2):  # saved, then loaded
            self.look_while_awaited("api", *self.from_file(), SKEWGUARD_TOKEN_STORE=store)

    def test_a_secret_of_the_environment_is_forgotten(self):
        self.look_while_awaited("api", GENESYS_CLOUD_CLIENT_SECRET=SECRET,
                                GENESYSCLOUD_OAUTHCLIENT_SECRET=SECRET)

    def test_a_given_token(self):
        file = self.folder / "token"
        file.write_text(TOKEN, encoding="utf-8")
        for flags, more in ((("--access-token-file", str(file)), {}),
                            ((), {"GENESYS_CLOUD_ACCESS_TOKEN": TOKEN})):
            hosts = LateHosts(self, "api")
            for process in self.watch(hosts, *flags, **more):
                self.assertEqual(look(process.pid, {"token": TOKEN}), [])
                self.assertNotEqual(look(process.pid, {"token": TOKEN}, hidden=True), [])

    def test_the_credentials_of_a_proxy(self):
        password = "tunnel+word/9c1e=Ab7?Kd0"
        in_url = urllib.parse.quote(password, safe="")
        wanted = {"password": password, "in the URL": in_url, "basic": basic(password, "mole")}
        proxy = ConnectProxy(self, basic(password, "mole"))
        url = proxy.url(f"mole:{in_url}@")
        for flags, more in ((("--proxy", url), {}), ((f"--proxy={url}",), {}),
                            ((), {"HTTPS_PROXY": url})):
            hosts = LateHosts(self, "api", tls=self.tls(ssl.TLSVersion.TLSv1_3))
            for process in self.watch(hosts, *self.from_file(), *flags, **more):
                self.assertEqual(look(process.pid, wanted), [])
                self.assertNotEqual(look(process.pid, wanted, hidden=True), [])
        self.assertEqual(len(proxy.seen), 6)

    def test_a_client_that_lives_on_after_its_call(self):
        for tls in (None, self.tls(ssl.TLSVersion.TLSv1_3)):
            for token in (TOKEN, JWT):
                hosts = LateHosts(self, None, token, tls)
                process = LongRunning(
                    self, Hosts(hosts.url), GENESYS_CLOUD_CLIENT_SECRET=None,
                    CREDENTIALS_DIRECTORY=str(self.folder),
                    SSL_CERT_FILE=str(self.folder / "ca.pem"))
                self.assertEqual(process.call()["http_status"], 200)
                wanted = {"secret": SECRET, "basic": basic(SECRET), "token": token}
                pid = process.process.pid
                self.assertEqual(look(pid, wanted), [])
                inside = {what for what, *_ in look(pid, wanted, hidden=True)}
                self.assertLessEqual({"secret", "token"}, inside)

    def test_a_sidecar(self):
        """While a request is under way, and after it."""
        local = "local/secret+of.the-sidecar=52b0"
        local_file = self.folder / "local-secret"
        local_file.write_text(local, encoding="utf-8")
        for tls in (None, self.tls(ssl.TLSVersion.TLSv1_3)):
            for token in (TOKEN, JWT):
                hosts = LateHosts(self, "api", token, tls)
                sidecar = Sidecar(self, hosts.url, hosts.url, *self.from_file(),
                                  "--local-secret-file", str(local_file), "--ca-file",
                                  str(self.folder / "ca.pem"), GENESYS_CLOUD_CLIENT_SECRET=None)
                wanted = {"secret": SECRET, "basic": basic(SECRET), "token": token,
                          "local secret": local, "local basic": basic(local, "any"),
                          "handle": sidecar.login(local).json()["access_token"]}
                shown = {"Authorization": f"Bearer {wanted['handle']}"}
                got = []
                program = threading.Thread(target=lambda: got.append(
                    sidecar.request("POST", ME, "a body", shown).status))
                program.start()
                self.assertTrue(hosts.asked.wait(HUNG_S), "nobody asked the API")
                pid = sidecar.process.pid
                self.assertEqual(look(pid, wanted), [])
                inside = {what for what, *_ in look(pid, wanted, hidden=True)}
                self.assertLessEqual({"secret", "token", "local secret", "handle"}, inside)
                hosts.go.set()
                program.join(HUNG_S)
                self.assertEqual(got, [200])
                self.assertEqual(look(pid, wanted), [])
                self.assertEqual(sidecar.end(), 0)

    def test_the_client_secret_is_kept_once(self):
        """Settings, client and engine share one copy; what a request was made of is wiped."""
        hosts = LateHosts(self, "api")
        for process in self.watch(hosts, *self.from_file()):
            self.assertEqual(copies(process.pid, SECRET), 1, "the program, waiting for the API")
            self.assertEqual(copies(process.pid, basic(SECRET)), 0)
        hosts = LateHosts(self, None)
        process = LongRunning(self, Hosts(hosts.url), GENESYS_CLOUD_CLIENT_SECRET=None,
                              CREDENTIALS_DIRECTORY=str(self.folder))
        for _ in range(2):
            self.assertEqual(process.call()["http_status"], 200)
            self.assertEqual(copies(process.process.pid, SECRET), 1, "a program with the library")
            self.assertEqual(copies(process.process.pid, basic(SECRET)), 0)

    def test_the_look_finds_what_is_there(self):
        """The library leaves its user's environment as it is."""
        hosts = LateHosts(self, None)
        process = LongRunning(self, Hosts(hosts.url), GENESYS_CLOUD_CLIENT_SECRET=SECRET,
                              PIECE_OF_IT="..." + TOKEN[11:11 + PIECE] + "...",
                              TOO_SHORT_A_PIECE="..." + JWT[11:11 + PIECE - 1] + "...")
        process.call()
        found = look(process.process.pid, {"secret": SECRET, "token": TOKEN, "jwt": JWT})
        self.assertEqual({(what, name, length) for what, name, _, length in found},
                         {("secret", "[stack]", len(SECRET)), ("token", "[stack]", PIECE)})


class Hosts:
    """As an emulator's."""

    def __init__(self, url):
        self.login = self.api = url


if __name__ == "__main__":
    unittest.main()
