"""The verdict on each failed answer compared with the truth: the matrix of all end-to-end runs.

The tests write down what the servers know of their own answers (`answered`), what the program said
and did (`told`), each joined by the answer's correlation id, or both in one (`judged`). Where
$SKEWGUARD_TRUTH names a folder, the lines go there, and tools/end_to_end.py prints the matrix.
"""

import json
import os
from collections import Counter, defaultdict
from pathlib import Path

# Actions of a report.
WAIT, REFRESH, GIVE_UP = "wait_and_retry", "refresh_and_retry", "give_up"

# What cures a verdict, and which verdicts are right about a truth; the first one's cure is the
# truth's. `expired` is also the truth of a token that ended early because the API's clock leads;
# both verdicts name that.
PAUSE = "pause"  # the action is to wait, but not for a token to begin
CURES = {"token_expired": REFRESH, "token_revoked": REFRESH, "token_contended": REFRESH,
         "issuer_clock_ahead": WAIT, "token_not_yet_active": WAIT, "login_rate_limited": PAUSE,
         "api_rate_limited": PAUSE, "auth_backend_unavailable": PAUSE, "network": PAUSE,
         "timeout": PAUSE}  # all others give up
RIGHT = {"expired": ["token_expired"],
         "ended early": ["token_expired", "issuer_clock_behind"],
         "not_yet_valid": ["issuer_clock_ahead"],
         "not_spread": ["token_not_yet_active"],
         "revoked": ["token_revoked"], "evicted": ["token_revoked"], "idle": ["token_revoked"],
         "replaced": ["token_revoked", "token_contended"],
         # A token that the emulator has forgotten or never issued; of a client disabled since.
         "unknown_token": ["token_revoked", "token_rejected"],
         "token of a disabled client": ["token_revoked", "token_rejected"],
         "wrong_secret": ["credentials_rejected"], "client_disabled": ["credentials_rejected"],
         "no_credentials": ["credentials_rejected"],
         "client_not_found": ["unknown_client"],
         "unsupported_grant_type": ["credentials_rejected"],
         "invalid_request": ["credentials_rejected"],
         "rate_limited": ["login_rate_limited"],
         "too.many.requests.retry.after": ["api_rate_limited"],
         "missing.permissions": ["missing_permission"],
         "bad.request": ["no_user_context"],
         # An answer that was abandoned half way (too large, say) has no known correlation id.
         "no whole answer": ["network", "timeout", "tls_untrusted", "protocol"],
         # Its certificate may fail by that alone.
         "no whole answer, local clock wrong":
             ["network", "timeout", "tls_untrusted", "tls_clock", "protocol"],
         "cut off": ["network", "timeout"],
         "refused, clocks right": ["token_revoked", "token_rejected", "missing_permission",
                                   "gateway_refused"],
         "login 400": ["unknown_client"], "login 401": ["credentials_rejected"],
         "login 403": ["credentials_rejected"],
         "login 5xx": ["auth_backend_unavailable"],
         "api 403": ["missing_permission", "gateway_refused"],
         "api 403, token said to have ended": ["token_revoked", "token_expired"],
         "api 429": ["api_rate_limited"], "api 5xx": ["auth_backend_unavailable"],
         "of no use": ["network", "protocol"]}
CLOCKS = {"issuer_clock_ahead", "issuer_clock_behind", "local_clock_ahead", "local_clock_behind",
          "tls_clock"}

# Why `unknown` may be right: does it hold of this answer, and those after it in the same call?
UNDECIDED = {"a Date of one of the hosts is not honest, so no clock could be compared":
             lambda case, after: not case["dates"],
             "no new token came, whose fate tells a revoked one from one that is refused for good":
             lambda case, after: any(later["host"] == "login" for later in after)}

# One refresh cures these for certain, where it was not tried; the others may be refused again.
ONE_REFRESH_CURES = {"expired", "revoked", "evicted", "idle"}
# A lag that a wait within the default --max-wait of 15 s outlasts for certain: less its bounds, of
# a whole second, the staleness and a round trip.
CERTAIN_LAG_S = 11

MOST_FAILED = 200  # that an emulator keeps


def _write(line):
    folder = os.environ.get("SKEWGUARD_TRUTH")
    if folder:
        with open(Path(folder) / f"{os.getpid()}.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def answered(emulator, stats, ours_alone=True):
    """All that an emulator of this name knows of the answers that failed. `ours_alone`: nobody but
    our own client asks it, and each of its calls is reported."""
    failed = stats["failed"]
    begins = {token["n"]: token["begins_s"] for token in stats.get("tokens", [])}
    _write({"kind": "emulator", "name": emulator, "full": len(failed) >= MOST_FAILED,
            "dates": not any(spoils_dates(record["faults"]) for record in failed)})
    for record in failed:
        begin = begins.get(record.get("token"))
        _write({"kind": "answered", "id": record["correlation_id"], "emulator": emulator,
                "truth": name_of(record), "faults": record["faults"],
                "lag_s": None if begin is None else begin - record["date"],
                "to_mention": ours_alone and refuses_a_token(record)})


def told(report, where, emulators=None, limited=False, wall_wrong=False):
    """What one call's report said and did. `emulators`: the name of the one that plays each host,
    `api` and `login`, where one does. `limited`: by a deadline or bound of its own. `wall_wrong`:
    the local wall clock was."""
    attempts = [{"id": attempt.get("correlation_id") or "", "verdict": attempt["verdict"],
                 "explanation": attempt["explanation"], "action": attempt["action"],
                 "host": attempt["host"], "emulator": (emulators or {}).get(attempt["host"]),
                 "answered": attempt.get("http_status") is not None, "wall_wrong": wall_wrong}
                for attempt in report.get("attempts", [])
                if attempt.get("verdict") not in (None, "ok")]
    if attempts:
        _write({"kind": "told", "where": where, "attempts": attempts, "limited": limited,
                "mitigated": report["mitigated"], "exit_code": report["exit_code"]})


def case_of(truth, verdict, explanation, faults=(), host=None, action=None, dates=True,
            lag_s=None):
    """One answer, its truth and what was said of it. `dates`: both hosts' are honest."""
    return {"truth": truth, "verdict": verdict, "explanation": explanation, "host": host,
            "action": action, "faults": list(faults), "lag_s": lag_s,
            "dates": dates and not spoils_dates(faults)}


def judged(truth, verdict, explanation, where, faults=()):
    judged_call([case_of(truth, verdict, explanation, faults)], where)


def judged_call(cases, where, mitigated=None, exit_code=None):
    """A call, or several in a row of which nobody knows where one ends; `None` is not known."""
    _write({"kind": "judged", "where": where, "cases": cases, "mitigated": mitigated,
            "exit_code": exit_code})


def left_out(where, count):
    """So many refusals of a token that no report mentions."""
    if count > 0:
        _write({"kind": "left out", "where": where, "count": count})


def spoils_dates(faults):
    return any(word.startswith("date_") for word in faults)


def refuses_a_token(record):
    """A look at an API's clock sends none."""
    if record["host"] != "api" or record["status"] != 401:
        return False
    if record["outcome"] == "fault":
        return record.get("token") is not None
    return record["outcome"] != "authentication.required"


def name_of(record):
    """The truth of an emulator's answer in one of RIGHT's words, or in its own, which are none of
    them where nothing could rightly be said of it."""
    host, status, outcome = record["host"], record["status"], record["outcome"]
    faults = set(record["faults"])
    if outcome == "expired" and record["ended_early"]:
        return "ended early"
    if outcome == "client_disabled" and host == "api":
        return "token of a disabled client"
    if outcome == "fault":
        if status >= 500:
            return f"{host} 5xx"
        if host == "api" and status == 401:
            return "refused, clocks right"
        return f"{host} {status}" if status >= 400 else "of no use"
    if outcome in ("ok", "issued", "same_again"):
        if faults & {"cut", "reset", "silence", "drop", "slow"}:
            return "cut off"
        harmless = all(word == "retry_after" or spoils_dates([word]) for word in faults)
        return f"good {host} answer" if harmless else "of no use"
    return outcome


def wrong_action(case, before, after, call):
    """Why what was done cannot cure that truth, or nothing. `before`, `after`: the cases of the
    same call. A call that came through all the same lost only time."""
    truth, action = case["truth"], case["action"]
    cure = CURES.get(RIGHT[truth][0], GIVE_UP)
    failed = call["mitigated"] is False
    free = not call.get("limited")
    if action == REFRESH and cure == WAIT:
        # A new token is asked for where the wait did not help (evidence rule 3), and where it would
        # be too long: the clock may have been set right since.
        waited = before and before[-1]["action"] == WAIT
        too_long = case["lag_s"] is not None and case["lag_s"] > CERTAIN_LAG_S
        undecided = case["verdict"] == "unknown"
        return "" if waited or too_long or undecided else "a new token is no cure"
    if action == REFRESH and truth == "wrong_secret" and call["mitigated"]:
        return ""  # by the next secret of a client whose secret is being replaced
    if action == REFRESH and cure != REFRESH:
        return "a new token is no cure"
    if action == WAIT and cure == GIVE_UP:
        return "no wait is a cure"
    if action == WAIT and truth in ONE_REFRESH_CURES and failed and free:
        return "" if REFRESH in [later["action"] for later in after] else "only waited"
    if action == GIVE_UP and failed and free:
        tried = REFRESH in [earlier["action"] for earlier in before] \
            or "login" in [later["host"] for later in after]
        if truth in ONE_REFRESH_CURES and not tried:
            return "one new token was not tried"
        lag = case["lag_s"]
        if truth == "not_yet_valid" and lag is not None and lag <= CERTAIN_LAG_S:
            return f"a wait of {lag:.0f} s was within bounds"
    return ""


class Matrix:
    """Truth by verdict, and what is wrong in it."""

    def __init__(self):
        self.cells = defaultdict(Counter)
        self.apart = Counter()
        self.misnamed = []
        # Failures, by their kind.
        self.blamed, self.miscured, self.undecided, self.strange = [], [], [], []
        self.lost, self.unmentioned = [], []
        self.unknown = defaultdict(list)  # by truth and reason: where
        self.without_truth = Counter()

    def add_call(self, cases, call):
        for at, case in enumerate(cases):
            if case["truth"] is None:
                continue
            self.add(case, cases[at + 1:], call["where"])
            if case["truth"] not in RIGHT:
                continue
            why = wrong_action(case, cases[:at], cases[at + 1:], call)
            if why:
                self.miscured.append(f"{call['where']}: {case['truth']}, called {case['verdict']}: "
                                     f"{case['action']}, exit code {call['exit_code']}: {why}: "
                                     f"{case['explanation']}")

    def add(self, case, after, where):
        truth, verdict, explanation = case["truth"], case["verdict"], case["explanation"]
        self.cells[truth][verdict] += 1
        words = f"{where}: {truth} was called {verdict}: {explanation}"
        if truth not in RIGHT:
            self.strange.append(words)
        elif verdict == "unknown":
            self.unknown[f"{truth}: {explanation.split(';')[0]}"].append(where.split(".")[-1])
            if not any(holds(case, after) for holds in UNDECIDED.values()):
                self.undecided.append(words)
        elif verdict in RIGHT[truth]:
            return
        elif verdict == "issuer_clock_ahead" and truth == "not_spread" \
                and "date_late" in case["faults"]:
            self.apart[truth] += 1
        elif verdict in CLOCKS:
            self.blamed.append(words)
        elif CURES.get(verdict, GIVE_UP) != CURES.get(RIGHT[truth][0], GIVE_UP):
            self.miscured.append(words)
        else:
            self.misnamed.append(words)

    def add_without_truth(self, attempt, where):
        """An answer that the test wrote itself. Nothing is known that would excuse a clock's
        name."""
        self.without_truth[attempt["verdict"]] += 1
        if attempt["verdict"] in CLOCKS:
            self.blamed.append(f"{where}: no truth, yet it was called {attempt['verdict']}: "
                               f"{attempt['explanation']}")

    def text(self):
        rows = [f"  {truth:32} " + ", ".join(f"{v} {n}" for v, n in sorted(said.items()))
                for truth, said in sorted(self.cells.items())]
        out = ["truth                              what was said, and how often", *rows, ""]
        out.append(f"innocent clocks blamed: {len(self.blamed)}; "
                   f"wrong cures: {len(self.miscured)}; "
                   f"right cure under another name: {len(self.misnamed)}; "
                   f"unknown: {sum(map(len, self.unknown.values()))}, "
                   f"of which the evidence decided: {len(self.undecided)}")
        out.append(f"truths that no verdict is right about: {len(self.strange)}; "
                   f"truths lost: {len(self.lost)}; "
                   f"refusals that no report mentions: {len(self.unmentioned)}")
        out.append("slow propagation behind a late Date called a lagging clock, which nobody can "
                   f"tell apart: {sum(self.apart.values())}")
        for verdict, count in sorted(self.without_truth.items()):
            out.append(f"answers written by the test that judged them: {verdict} {count}")
        for title, cases in (("BLAMED", self.blamed), ("WRONG CURE", self.miscured),
                             ("THE EVIDENCE DECIDED", self.undecided),
                             ("NO SUCH TRUTH", self.strange), ("LOST", self.lost),
                             ("NOT MENTIONED", self.unmentioned), ("OTHER NAME", self.misnamed)):
            out += [f"{title}: {case} (x{n})" for case, n in Counter(cases).items()]
        for case, places in sorted(self.unknown.items()):
            out.append(f"unknown, {case} ({', '.join(sorted(set(places)))}: {len(places)})")
        return "\n".join(f"| {line}" for line in out)

    @property
    def sound(self):
        return not (self.blamed or self.miscured or self.undecided or self.strange or self.lost
                    or self.unmentioned)


class Emulators:
    """What all of them knew at any time."""

    def __init__(self, lines):
        self.truths = {line["id"]: line for line in lines if line["kind"] == "answered"}
        of_kind = [line for line in lines if line["kind"] == "emulator"]
        self.full = {line["name"] for line in of_kind if line["full"]}
        self.spoiled = {line["name"] for line in of_kind if not line["dates"]}

    def case(self, attempt, where, matrix):
        """Beside its truth, which is None where nobody knows it."""
        dates = attempt["emulator"] not in self.spoiled
        known = self.truths.get(attempt["id"])
        truth, faults, lag = None, [], None
        if known:
            truth, faults, lag = known["truth"], known["faults"], known["lag_s"]
        elif not attempt["answered"]:
            truth = "no whole answer"
            if attempt["wall_wrong"]:
                truth += ", local clock wrong"
        elif attempt["emulator"] is None:
            matrix.add_without_truth(attempt, where)
        else:
            why = "its emulator had forgotten" if attempt["emulator"] in self.full \
                else "its emulator knows of no such answer that failed"
            matrix.lost.append(f"{where}: {why}: {attempt['verdict']}: {attempt['explanation']}")
        return case_of(truth, attempt["verdict"], attempt["explanation"], faults,
                       attempt["host"], attempt["action"], dates, lag)


def read(folder):
    """The matrix of everything that was written down in `folder`."""
    lines = [json.loads(line) for path in sorted(Path(folder).glob("*.jsonl"))
             for line in path.read_text(encoding="utf-8").splitlines()]
    emulators = Emulators(lines)
    matrix = Matrix()
    mentioned = set()
    for line in lines:
        if line["kind"] == "told":
            mentioned.update(attempt["id"] for attempt in line["attempts"])
            matrix.add_call([emulators.case(attempt, line["where"], matrix)
                             for attempt in line["attempts"]], line)
        elif line["kind"] == "judged":
            for case in line["cases"]:
                if case["truth"] is None:
                    matrix.lost.append(f"{line['where']}: the truth is not known: "
                                       f"{case['verdict']}: {case['explanation']}")
            matrix.add_call(line["cases"], line)
        elif line["kind"] == "left out":
            matrix.unmentioned += [f"{line['where']}: a 401"] * line["count"]
    matrix.unmentioned += [f"{known['emulator']}: {known['truth']}"
                           for known in emulators.truths.values()
                           if known["to_mention"] and known["id"] not in mentioned]
    return matrix
