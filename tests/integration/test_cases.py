"""Troubles of real people, rebuilt from public bug reports (tests/cases): how `call`, `whoami`,
`token` and `doctor` end, what they say, and how many tokens they ask for.

    tests/integration/test_cases.py [CASE...]    plays these cases alone
"""

import json
import re
import ssl
import subprocess
import sys
import time
import tomllib
import unittest
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import chains
from harness import HUNG_S, ROOT, SKEWGUARD, EndToEnd

FOLDER = ROOT / "tests" / "cases"
sys.path.insert(0, str(FOLDER))
import raw  # noqa: E402

AT_ONCE = 24  # they wait most of their time
COMMANDS = {"call": ("call", "GET", "/api/v2/x"), "whoami": ("whoami",), "token": ("token",),
            "doctor": ("doctor", "--json")}
only = set()


@dataclass(frozen=True)
class Ends:
    """How a command must end. A collection means: one of these."""
    code: object = 0
    verdict: object = "ok"
    words: tuple = ()  # each a pattern that what it says must match
    never: str = "(?!)"  # a pattern that it must not match
    tokens: object = 1  # token requests
    sends: object = None  # requests to the API that carry a token
    out: str = ""  # a pattern of stdout
    flags: tuple = ()
    env: dict = field(default_factory=dict)


def each(ends, **others):
    """All commands end alike, but for `others`. What `call` prints is its own."""
    same = replace(ends, out="", sends=None)
    return {"call": ends, "whoami": same, "token": same, "doctor": same, **others}


TAKEN = Ends()
NAMED = replace(TAKEN, out='"organization"')


def taken(*words, **more):
    """Everything works. Only the log of a call tells what was odd."""
    ends = replace(NAMED, words=words, **more)
    return each(ends, **{name: replace(ends, words=(), out="")
                         for name in ("whoami", "token", "doctor")})


def renewed(*words):
    """One new token cures it."""
    ends = Ends(verdict="token_revoked", tokens=2, words=words, out='"organization"')
    return each(ends, token=Ends(tokens=2), doctor=Ends(tokens=2))


def refused(code, verdict, *words, **more):
    return each(Ends(code=code, verdict=verdict, words=words, **more))


def no_credentials(*words, verdict="credentials_rejected"):
    return refused(3, verdict, *words)


def forbidden(*words):
    """The token may not do this. It is accepted, so `token` prints it."""
    return {**refused(5, "missing_permission", *words), "token": TAKEN}


def gateway(*words):
    return refused(1, "gateway_refused", *words)


def limited(*words, **more):
    """Beyond the deadline: exit code 7, and one request into the limit."""
    return refused(7, "api_rate_limited", *words, sends=1, **more)


def waited_for(sends):
    """The limit ends within the deadline."""
    ends = Ends(verdict="api_rate_limited", sends=sends, flags=("--timeout", "60s"),
                out='"organization"')
    return each(ends, token=TAKEN, doctor=TAKEN)


# It does not wait as long as --timeout would allow.
HURRIED = Ends(code=7, verdict="api_rate_limited", words=("asks to wait 21.0 s", "doctor waits"),
               sends=1, flags=("--timeout", "60s"))
TOLD_TO = "(ask|asks|asked|want|wants|wanted|tells|told) (us |you )?to (wait|pause)"
BACKED_OFF = refused(7, "api_rate_limited", never=TOLD_TO, flags=("--timeout", "5s"))
WHOLE_HOURS = "(?i)time zone"
NOT_THE_API = "(?i)not a JSON object|neither name nor id|not from the API|not .{0,20}answer"
AHEAD = Ends(verdict="issuer_clock_ahead", out='"organization"')
HARMFUL = {"local_clock_behind", "local_clock_ahead", "login_clock_wrong", "api_clock_wrong",
           "login_and_api_differ", "clocks_differ"}
# doctor does not wait as long as calls do: it tries a new token, which becomes valid as late.
BEGINS_LATE = each(AHEAD, token=TAKEN, doctor=Ends(code=4, verdict="login_and_api_differ",
                                                   words=("ahead",), tokens=2))
DEFAULT = {"SKEWGUARD_DIALECT": None, "SKEWGUARD_CLIENT_AUTH": None}

CASES = {
    "api-200-error": {
        "call": replace(TAKEN, out="InvalidAuthenticationToken"),
        "whoami": Ends(code=1, words=(NOT_THE_API,)),
        "token": TAKEN,
        "doctor": Ends(code=1, verdict="unknown", words=(NOT_THE_API,))},
    "api-200-login-page": {
        "call": replace(TAKEN, out="Sign in"),
        "whoami": Ends(code=1, words=(NOT_THE_API,)),
        "token": TAKEN,
        "doctor": Ends(code=1, verdict="unknown", words=(NOT_THE_API,))},
    "api-401-array": renewed("Session expired or invalid"),
    "api-401-array-forever": refused(
        3, "token_rejected", "This session is not valid for use with the REST API", tokens=2),
    "api-403-array": forbidden("The REST API is not enabled for this organization"),
    "api-403-challenge-expired": renewed("The access token has expired"),
    "api-403-expired": renewed("The access token has expired"),
    "api-403-expired-oauth": renewed("The access token expired"),
    "api-403-html-waf": gateway("Request blocked|edge"),
    "api-403-unknown-path": gateway("Missing Authentication Token"),
    "api-403-waf-once": {**gateway("Attention required|edge"), "token": TAKEN},
    "api-gzip": taken(),
    "api-gzip-403": forbidden("analytics:conversationDetail:view"),
    "api-latin1-403": forbidden("analytics:conversationDetail:view", "réservée"),
    "api-region-of-another": refused(3, "token_rejected", "LOGIN", "API", tokens=4),
    "api-stripped-authorization": refused(
        3, "token_rejected", "(?i)no token|without (a|the|its|any) token|token (did not|never)",
        "(?i)proxy|gateway|strip|remove", tokens=4),
    "apigee-bearertoken": taken("BearerToken"),
    "client-id-urn": taken(),
    "date-gmt-nbf": BEGINS_LATE,
    "date-local-as-gmt": {**taken(), "doctor": Ends(code=4, verdict=HARMFUL,
                                                    words=(WHOLE_HOURS,))},
    "date-local-zone": taken(),
    "date-no-weekday": taken(),
    "date-utc-word": taken(),
    "date-utc-word-nbf": BEGINS_LATE,
    "date-wrong-weekday": taken(),
    "ebay-application-token": taken("Application Access Token"),
    "expires-in-epoch": taken("expires_in"),
    "expires-in-zero": taken("expires_in"),
    "jwt-exp-ms": taken(),
    "jwt-odd-claims": taken(),
    "login-100-103": taken(out=""),
    "login-200-error": no_credentials("The id or the secret is not right"),
    "login-403-not-granted": no_credentials("This client has no grant for the audience"),
    "login-429-200": refused(7, "login_rate_limited", "rate limit exceeded", tokens=range(1, 6),
                             flags=("--timeout", "5s")),
    "login-429-fraction": refused(7, "login_rate_limited", "Limit reached",
                                  "300|299.5|5 min|5m"),
    "login-bare-lf": taken(),
    "login-capital": taken(),
    "login-chunked-and-length": refused(1, "protocol", "Content-Length", "Transfer-Encoding"),
    "login-double-chunked": refused(1, "protocol", "Transfer-Encoding", "twice|two|2"),
    "login-dup-length": taken(),
    "login-error-object": no_credentials("The client secret has run out"),
    "login-form-answer": taken(),
    "login-gzip": taken(),
    "login-http10-no-length": taken(),
    "login-invalid-scope": no_credentials("One or more scopes are not known here"),
    "login-latin1-error": no_credentials("client non trouvé",
                                         verdict="unknown_client"),
    "login-latin1-long": taken(),
    "login-nested": taken(),
    "login-no-reason": taken(),
    "login-other-region": no_credentials("authentication failed", "(?i)region", "LOGIN"),
    "login-post-only": taken(),
    "login-reason": no_credentials("The id or the secret is not right",
                                   verdict="unknown_client"),
    "ratelimit-reset-epoch": limited("300|299|5 min|5m"),
    "retry-after-fraction": {**waited_for(2), "doctor": HURRIED},
    "retry-after-none": BACKED_OFF,
    "retry-after-short-fraction": waited_for(2),
    "retry-after-words": BACKED_OFF,
    "secret-special": taken(),
    "token-path-query": taken(),
}

# With default settings they fail, and say what to do.
BY_DEFAULT = {
    # Basic cannot hold it as it is, so nothing is sent.
    "client-id-urn by default": each(Ends(code=2, verdict="none", words=("rfc6749",), tokens=0)),
    "login-post-only by default": no_credentials("--client-auth[ =]post"),
    "secret-special by default": no_credentials("rfc6749"),
}

def expired(*words):
    """No connection is made, so no token is asked for."""
    return each(Ends(code=6, verdict="tls_untrusted", words=words, tokens=0))


# Of tls-expired-issuer, by the chain that the hosts send and the local bundle.
EXPIRED = {
    ("leaf-cross", "both-roots"): each(TAKEN),
    ("leaf-cross", "old-root"): expired("Old Root", "(?i)bundle|ca-certificates|--ca-file"),
    ("leaf-expired", "both-roots"): expired("Issuing CA", "(?i)ask the operator of https"),
}

# Of given-jwt-wrong-local-clock, by what is added to the local clock.
JWT_CALLED = Ends(tokens=0, out='"organization"')
GIVEN = {
    "-3600": each(JWT_CALLED, whoami=Ends(tokens=0), token=Ends(tokens=0, words=("behind",)),
                  doctor=Ends(code=4, verdict=HARMFUL, words=("behind",), tokens=0)),
    "3600": each(JWT_CALLED, whoami=Ends(tokens=0), token=Ends(tokens=0),
                 doctor=Ends(code=4, verdict=HARMFUL, words=("ahead",), tokens=0)),
}

SCENARIOS = sorted(path.stem for path in FOLDER.glob("*.toml"))


def among(value, wanted):
    return value in wanted if isinstance(wanted, (set, range)) else value == wanted


def situation(name):
    """As the case's own file says."""
    path = FOLDER / f"{name}.toml"
    text = raw.load(path.with_suffix(".py")).__doc__ if name not in SCENARIOS else \
        tomllib.loads(path.read_text(encoding="utf-8"))["title"]
    return " ".join(text.split())


def cell(value, form="{}"):
    """Of the guide's table; one of several."""
    values = sorted(value) if isinstance(value, (set, range)) else [value]
    return " or ".join(form.format(one) for one in values)


def guide():
    """The rows of docs/guide/cases.md, all but what its last column says."""
    ends = {name: commands["call"] for name, commands in CASES.items()} | \
        {"given-jwt-wrong-local-clock": TAKEN, "tls-expired-issuer": expired()["call"]}
    cases = [(name, situation(name), cell(end.code), cell(end.verdict, "`{}`"))
             for name, end in ends.items()]
    return cases + [(name, situation(name)) for name in SCENARIOS]


class Played:
    """How one command ended against the hosts of a case."""

    def __init__(self, test, name, command, ends, env, tls=None):
        case = raw.load(FOLDER / f"{name}.py")
        hosts = raw.Hosts(case, tls)
        settings = {**hosts.environment(), **ends.env}
        settings = {k: v for k, v in settings.items()
                    if k not in ("SKEWGUARD_LOGIN_URL", "SKEWGUARD_API_URL")}
        try:
            self.run = test.run_with(
                hosts.login, hosts.api, *COMMANDS[command], "--ntp", "none", *ends.flags,
                report=command in ("call", "whoami"), tokens=command == "token", judged=False,
                **{**settings, **env})
        finally:
            hosts.stop()
        self.seen = hosts.seen()
        self.hosts = {"LOGIN": re.escape(hosts.login), "API": re.escape(hosts.api)}
        self.said = self.run.err
        self.verdict = None
        if command in ("call", "whoami"):
            report = self.run.report or {"verdict": "none"}
        elif command == "doctor":
            report = json.loads(self.run.out or '{"verdict": "none"}')
        if command != "token":
            self.said += json.dumps(report, ensure_ascii=False)
            self.verdict = report["verdict"]

    def wrong(self, ends):
        """What is not as it must be, one line each."""
        run = self.run
        if not among(run.code, ends.code):
            yield f"exit code {run.code}, not {ends.code}"
        if self.verdict is not None and not among(self.verdict, ends.verdict):
            yield f"verdict {self.verdict}, not {ends.verdict}"
        if not among(self.seen["token_requests"], ends.tokens):
            yield f"{self.seen['token_requests']} token requests, not {ends.tokens}"
        if ends.sends is not None and not among(self.seen["api_sends"], ends.sends):
            yield f"{self.seen['api_sends']} sends to the API, not {ends.sends}"
        for pattern in ends.words:
            if not re.search(self.hosts.get(pattern, pattern), self.said):
                yield f"does not say {pattern}"
        if re.search(ends.never, self.said):
            yield f"says {re.search(ends.never, self.said)[0]}"
        if run.code == 0 and not re.search(ends.out, run.out):
            yield f"does not print {ends.out}: {run.out[:200]}"
        if raw.OPAQUE in run.err + run.report_text:
            yield "shows a token"


def play_scenario(name):
    """What is wrong with what we come to, beside what its file expects and the naive client."""
    file = FOLDER / f"{name}.toml"
    expected = tomllib.loads(file.read_text(encoding="utf-8"))["expect"]
    done = subprocess.run([SKEWGUARD, "demo", str(file), "--json"], capture_output=True, text=True,
                          timeout=HUNG_S)
    played = json.loads(done.stdout)["scenarios"][0]
    ours, naive = played["skewguard"], played["naive"]
    most = {"failures": min(expected["failures"], naive["failures"]),
            "token_requests": expected["most_token_requests"]}
    return [f"{ours[key]} {key}, at most {count}: {ours['said']}"
            for key, count in most.items() if ours[key] > count]


class Cases(EndToEnd):
    def play(self, name, command, ends, env, tls):
        played = Played(self, name.split(" ")[0], command, ends, env, tls)
        wrong = list(played.wrong(ends))
        return [f"{command}: {line}" for line in wrong] + \
            ([f"    {command} said: {played.run.err[-1500:]}"] if wrong else [])

    def judge(self, found):
        """`found`: by case, what is wrong with it."""
        for name, wrong in found.items():
            with self.subTest(name):
                self.assertEqual(wrong, [], "\n" + "\n".join(wrong))

    def play_all(self, cases, env, tls=None):
        plays = [(name, command, ends) for name, commands in cases.items()
                 if not only or name.split(" ")[0] in only for command, ends in commands.items()]
        found = {name: [] for name, _, _ in plays}
        with ThreadPoolExecutor(AT_ONCE) as pool:
            jobs = [pool.submit(self.play, *play, env, tls) for play in plays]
            for (name, _, _), job in zip(plays, jobs):
                found[name] += job.result()
        self.judge(found)

    def test_each_case_ends_as_it_must(self):
        self.play_all(CASES, {})

    def test_the_default_points_to_the_setting_that_is_needed(self):
        self.play_all(BY_DEFAULT, DEFAULT)

    def test_each_scenario_ends_as_it_must(self):
        names = [name for name in SCENARIOS if not only or name in only]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            self.judge(dict(zip(names, pool.map(play_scenario, names))))

    def test_an_expired_issuer_is_named_with_who_must_act(self):
        made = chains.after_a_root_has_expired(self.scratch.name, self.preload)
        for (chain, bundle), commands in EXPIRED.items():
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(made.path(f"{chain}.pem"), made.key("leaf"))
            self.play_all({f"tls-expired-issuer {chain} {bundle}": commands},
                          {"SSL_CERT_FILE": made.path(f"{bundle}.pem")}, tls)

    def given_jwt(self):
        now = int(time.time())
        path = Path(self.scratch.name) / "jwt"
        path.write_text(raw.jwt(iat=now, nbf=now, exp=now + 600), encoding="ascii")
        return {"GENESYS_CLOUD_CLIENT_ID": None, "GENESYS_CLOUD_CLIENT_SECRET": None,
                "GENESYS_CLOUD_ACCESS_TOKEN": path.read_text(encoding="ascii")}

    def test_a_given_jwt_outlives_a_wrong_local_clock(self):
        for offset, commands in GIVEN.items():
            self.play_all({f"given-jwt-wrong-local-clock {offset}": commands},
                          {**self.given_jwt(), "LD_PRELOAD": self.preload,
                           "SKEWGUARD_TEST_WALL_OFFSET": offset})

    def test_a_given_jwt_lives_no_longer_than_its_claims_say(self):
        for offset, told in (("-3600", "behind"), ("3600", "ahead|local clock")):
            env = {**self.given_jwt(), "LD_PRELOAD": self.preload,
                   "SKEWGUARD_TEST_WALL_OFFSET": offset}
            wrong = []
            for more, code in ((("--format", "json"), 0), (("--min-life", "30m"), 2)):
                run = self.run_with("http://127.0.0.1:1", "http://127.0.0.1:1", "token",
                                    "--no-verify", *more, report=False, tokens=True, **env)
                if not among(run.code, code):
                    wrong.append(f"{more}: exit code {run.code}, not {code}: {run.err}")
                elif run.code == 0 and json.loads(run.out)["expires_in"] > 600:
                    wrong.append(f"it lives longer than 600 s: {run.out}")
                if run.code == 0 and not re.search(told, run.err):
                    wrong.append(f"{more}: does not say {told}: {run.err}")
            self.judge({f"given-jwt-wrong-local-clock {offset} unverified": wrong})

    def test_the_guide_has_a_row_for_each(self):
        text = (ROOT / "docs/guide/cases.md").read_text(encoding="utf-8")
        rows = [tuple(re.split(r" *(?<!\\)\| *", line.strip("| ")))
                for line in text.splitlines() if line.startswith("| ")]
        rows = [row for row in rows if row[0] != "case" and not row[0].startswith("-")]
        self.assertEqual([row[:-1] for row in rows], guide())
        last = {row[0]: row[-1] for row in rows}
        self.assertNotIn("", last.values())
        for name, commands in CASES.items():
            for command, ends in commands.items():
                if ends.code != commands["call"].code:
                    self.assertIn(f"`{command}`", last[name])
                    self.assertRegex(last[name], rf"\b{ends.code}\b", name)

    def test_every_case_is_played(self):
        self.assertEqual({path.stem for path in FOLDER.glob("*.py")} - {"raw"},
                         set(CASES) | {"tls-expired-issuer", "given-jwt-wrong-local-clock"})


if __name__ == "__main__":
    only = set(sys.argv[1:])
    unittest.main(argv=sys.argv[:1])
