"""The sidecar from other languages: examples/javascript with the official SDK, and the lines that
the guide has for each language.
"""

import base64
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import harness
from harness import HUNG_S, ROOT, SECRET
from test_oidc import node
from test_serve import LOCAL_SECRET, ServeTest
from test_serve_sdk import Program, go_environment

HERE = Path(__file__).resolve().parent
AHEAD = ("--login-offset", "3s", "--strict-nbf")
BEARER = {"Authorization": f"Bearer {LOCAL_SECRET}"}
NAME = "Emulated Organization\n"
PYTHON = "/usr/bin/python3"  # the one that Debian's packages belong to
WRONG_SECRET = "not-the-local-secret-98765"


def guide_block(language, sidecar):
    """The only block of this language in the guide's part on the SDKs, for this sidecar's port."""
    guide = (ROOT / "docs/guide/sidecar.md").read_text(encoding="utf-8")
    part = guide.split("## With the official SDKs\n")[1].split("\n## ")[0]
    [block] = re.findall(rf"^```{language}\n(.*?)^```$", part, re.MULTILINE | re.DOTALL)
    return block.replace("8484", sidecar.url.rsplit(":", 1)[1])


class JavaScript(ServeTest):
    """With the real SDK, which the examples find beside them."""

    def setUp(self):
        self.folder = Path(self.scratch.name) / self.id()
        shutil.copytree(ROOT / "examples/javascript", self.folder,
                        ignore=shutil.ignore_patterns("node_modules"))
        (self.folder / "node_modules").symlink_to(HERE / "sdk/node_modules")
        self.secret_file, self.wrong_file = self.folder / "secret", self.folder / "wrong"
        self.secret_file.write_text(LOCAL_SECRET + "\n", encoding="utf-8")
        self.wrong_file.write_text(WRONG_SECRET + "\n", encoding="utf-8")

    def guarded_cloud(self, *listen):
        """A cloud whose login host is ahead, and a sidecar with a local secret."""
        emulated = self.cloud(*AHEAD)
        return emulated, self.sidecar(emulated, "--local-secret-file", str(self.secret_file),
                                      listen=listen or ("127.0.0.1:0",))

    def run_program(self, program, *arguments, **env):
        """It sees no credentials of the cloud, and prints none of those that it sees."""
        clean = {name: value for name, value in os.environ.items()
                 if not re.match("GENESYS|HTTPS?_PROXY", name, re.I)}
        done = subprocess.run([node(), program, *map(str, arguments)], cwd=self.folder, text=True,
                              env={**clean, "HOME": str(self.folder), **env},
                              capture_output=True, timeout=HUNG_S)
        for secret in (LOCAL_SECRET, WRONG_SECRET):
            for text in (secret, base64.b64encode(f"any:{secret}".encode()).decode()):
                self.assertNotIn(text, done.stdout + done.stderr)
        return done

    def run_script(self, text, *arguments, **env):
        """A program of a few lines beside the examples: what it prints."""
        (self.folder / "script.mjs").write_text(text, encoding="utf-8")
        done = self.run_program("script.mjs", *arguments, **env)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_the_sdk_alone_fails_where_the_examples_do_not(self):
        """The token that the sidecar has ends early, and a new one is not valid yet."""
        alone = self.cloud(*AHEAD, "--client", f"any:{SECRET}")
        end = Program(alone.login, alone.api, SECRET, seconds=1, every_ms=500).ended()
        self.assertEqual({error["status"] for error in end["errors"]}, {401})
        socket = f"unix:{self.scratch.name}/socket"  # a short path
        emulated, sidecar = self.guarded_cloud("127.0.0.1:0", socket)
        for program, place, told in (
                ("with_http_client.mjs", socket,
                 r"GET /api/v2/organizations/me: token_revoked, sent [23] times\n"),
                ("with_gateway.mjs", sidecar.url, "")):
            sidecar.wait_until_ready()
            self.assertEqual(sidecar.get("/api/v2/tokens/me", headers=BEARER).status, 200)
            before = emulated.token_requests()
            emulated.order("revoke", all=True)
            done = self.run_program(program, place, self.secret_file)
            self.assertEqual((done.returncode, done.stdout), (0, NAME), done.stderr)
            self.assertRegex(done.stderr, f"^{told}$")
            self.assertEqual(emulated.token_requests(), before + 1)

    def test_a_wrong_local_secret_is_refused_and_not_shown(self):
        emulated, sidecar = self.guarded_cloud()
        for program, said in (("with_gateway.mjs", "status code 401"),
                              ("with_http_client.mjs", "skewguard.handle.refused")):
            done = self.run_program(program, sidecar.url, self.wrong_file)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn(said, done.stderr)
        self.assertEqual([send for send in emulated.api_sends() if send.get("token")], [])

    def test_a_sidecar_that_is_not_there_is_named_and_no_secret_shown(self):
        place = f"http://{harness.refusing_place(self)}"
        for program in ("with_gateway.mjs", "with_http_client.mjs"):
            done = self.run_program(program, place, self.secret_file)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("ECONNREFUSED", done.stderr)

    def test_the_gateway_outlives_changes_of_the_sdks_file(self):
        """The SDK watches its file unless told otherwise; with_gateway.mjs tells it."""
        _, sidecar = self.guarded_cloud()
        watched = """
            import sdk from 'purecloud-platform-client-v2';
            const before = sdk.ApiClient.instance.config.watchedConfigPath;
            await import('./with_gateway.mjs');
            console.log(JSON.stringify([before, sdk.ApiClient.instance.config.watchedConfigPath]));
            """
        said = self.run_script(watched, sidecar.url, self.secret_file)
        self.assertEqual(json.loads(said.removeprefix(NAME)),
                         [f"{self.folder}/.genesyscloudjavascript/config", None])

    def test_the_gateway_can_stand_in_the_sdks_file(self):
        sidecar = self.sidecar(self.cloud())
        [ini] = re.findall(r"^```ini\n(.*?)^```$", (self.folder / "README.md").read_text("utf-8"),
                           re.MULTILINE | re.DOTALL)
        config = self.folder / ".genesyscloudjavascript/config"
        config.parent.mkdir()
        config.write_text(ini.replace("8484", sidecar.url.rsplit(":", 1)[1]), encoding="utf-8")
        plain = """
            import sdk from 'purecloud-platform-client-v2';
            await sdk.ApiClient.instance.loginClientCredentialsGrant('any', 'any');
            console.log((await new sdk.OrganizationApi().getOrganizationsMe()).name);
            """
        self.assertEqual(self.run_script(plain), NAME)

    def test_the_http_client_sends_what_the_sdk_would_but_for_credentials(self):
        """Past any proxy. A program that still logs in keeps its own secret."""
        def answer(_, path, head):
            page = b'{"access_token":"handle","expires_in":86400}' if "oauth" in path else b"{}"
            return harness.answer(200, page, "Content-Type: application/json")

        sidecar = harness.RawServer(self, answer)
        self.run_script("""
            import sdk from 'purecloud-platform-client-v2';
            import { SidecarHttpClient } from './sidecar_http_client.mjs';
            const client = sdk.ApiClient.instance;
            client.setEnvironment('mypurecloud.ie');
            const address = process.argv[2];
            client.setHttpClient(new SidecarHttpClient({ address, secret: 'local' }));
            await client.loginClientCredentialsGrant('own-id', 'own-secret');
            const users = new sdk.UsersApi();
            await users.getUsers({ pageSize: 2, expand: ['presence', 'skills'] });
            await users.patchUser('a/b', { version: 1 });
            """, sidecar.url, http_proxy=f"http://{harness.refusing_place(self)}")
        self.assertEqual([(method, path) for method, path, _ in sidecar.seen], [
            ("POST", "/oauth/token"),
            ("GET", "/api/v2/users?pageSize=2&expand=presence,skills"),
            ("PATCH", "/api/v2/users/a%2Fb")])
        login, *calls = (head for _, _, head in sidecar.seen)
        basic = base64.b64encode(b"any:local").decode()
        self.assertIn(f"\r\nAuthorization: Basic {basic}\r\n", login)
        for head in calls:
            self.assertIn("\r\nAuthorization: Bearer local\r\n", head)
            self.assertIn("\r\nContent-Type: application/json\r\n", head)

    def test_the_versions_are_those_that_the_tests_run(self):
        versions = [json.loads(path.read_text(encoding="utf-8"))["dependencies"]
                    for path in (ROOT / "examples/javascript/package.json",
                                 HERE / "sdk/package.json")]
        self.assertEqual(*versions)

    def test_the_guides_lines_run(self):
        sidecar = self.sidecar(self.cloud(*AHEAD))
        self.assertEqual(self.run_script(guide_block("js", sidecar)), NAME)


class Python(ServeTest):
    """With a stand-in for the SDK."""

    def run_python(self, *command):
        env = {name: value for name, value in os.environ.items()
               if not re.match("PYTHON|HTTPS?_PROXY", name, re.I)}
        env |= {"HOME": self.scratch.name, "PYTHONPATH": str(ROOT / "tests/python")}
        done = subprocess.run([PYTHON, *command], env=env, capture_output=True, text=True,
                              timeout=HUNG_S)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_the_stand_in_is_like_the_sdk(self):
        self.run_python(ROOT / "tests/python/test_stand_in.py")

    def test_the_guides_lines_run(self):
        sidecar = self.sidecar(self.cloud(*AHEAD))
        self.assertEqual(self.run_python("-c", guide_block("python", sidecar)), NAME)


class Go(ServeTest):
    """With a stand-in for the SDK, which sends as the SDK does."""

    def test_the_guides_lines_run(self):
        sidecar = self.sidecar(self.cloud(*AHEAD))
        folder = Path(self.scratch.name) / "go"
        shutil.copytree(HERE / "clients/go", folder)
        (folder / "main.go").write_text(guide_block("go", sidecar), encoding="utf-8")
        done = subprocess.run(["go", "run", "."], cwd=folder, env=go_environment(), text=True,
                              capture_output=True, timeout=HUNG_S)
        self.assertEqual((done.returncode, done.stdout), (0, NAME), done.stderr)


class Java(ServeTest):
    """The same, over Apache HttpClient."""

    JARS = ("httpclient", "httpcore", "commons-logging", "commons-codec")

    def test_the_guides_lines_run(self):
        sidecar = self.sidecar(self.cloud(*AHEAD))
        folder = Path(self.scratch.name)
        imports, lines = guide_block("java", sidecar).split("\n\n", 1)
        (folder / "Main.java").write_text(
            f"{imports}\npublic class Main {{\n"
            f"public static void main(String[] arguments) throws Exception {{\n{lines}}}\n}}\n",
            encoding="utf-8")
        path = ":".join(f"/usr/share/java/{jar}.jar" for jar in self.JARS)
        subprocess.run(["javac", "-cp", path, "-sourcepath", HERE / "clients/java", "-d", folder,
                        folder / "Main.java"], check=True, timeout=HUNG_S)
        done = subprocess.run(["java", "-cp", f"{folder}:{path}", "Main"], text=True,
                              capture_output=True, timeout=HUNG_S)
        self.assertEqual((done.returncode, done.stdout), (0, NAME), done.stderr)
