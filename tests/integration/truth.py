"""What was said of each failed answer, beside the truth: the matrix of all end-to-end runs.

The tests write down what the servers know of their own answers (`answered`) and what the program
said (`told`), each joined by the answer's correlation id, or both in one (`judged`). Where
$SKEWGUARD_TRUTH names a folder, the lines go there, and tools/end_to_end.py prints the matrix.
"""

import json
import os
from collections import Counter, defaultdict
from pathlib import Path

# What a verdict does about it, and about what truth it is right. `expired` is also the truth of a
# token that ended early because the API's clock leads; both verdicts name that.
WAIT, REFRESH, PAUSE, GIVE_UP = "wait", "refresh", "pause", "give up"
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
         "wrong_secret": ["credentials_rejected"], "client_disabled": ["credentials_rejected"],
         "client_not_found": ["unknown_client"],
         "rate_limited": ["login_rate_limited"],
         "too.many.requests.retry.after": ["api_rate_limited"],
         "missing.permissions": ["missing_permission"],
         "bad.request": ["no_user_context"],
         # Of an answer that was given up half way (too large, say) no correlation id is known.
         "no whole answer": ["network", "timeout", "tls_untrusted", "protocol"],
         "cut off": ["network", "timeout"],
         "refused, clocks right": ["token_revoked", "token_rejected", "missing_permission"],
         "login 400": ["unknown_client"], "login 401": ["credentials_rejected"],
         "login 5xx": ["auth_backend_unavailable"],
         "api 429": ["api_rate_limited"], "api 5xx": ["auth_backend_unavailable"],
         "of no use": ["protocol", "network"]}
CLOCKS = {"issuer_clock_ahead": ["not_yet_valid"], "issuer_clock_behind": ["ended early"],
          "local_clock_ahead": [], "local_clock_behind": [], "tls_clock": []}


def _write(line):
    folder = os.environ.get("SKEWGUARD_TRUTH")
    if folder:
        with open(Path(folder) / f"{os.getpid()}.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def answered(record):
    """An answer of an emulator (`failed` of its stats)."""
    _write({"kind": "answered", "id": record["correlation_id"], "truth": name_of(record),
            "faults": record["faults"]})


def told(attempt, where):
    """What a report said of one attempt."""
    if attempt.get("verdict") in (None, "ok"):
        return
    _write({"kind": "told", "id": attempt.get("correlation_id") or "", "where": where,
            "verdict": attempt["verdict"], "explanation": attempt["explanation"],
            "answered": attempt.get("http_status") is not None})


def judged(truth, verdict, explanation, where, faults=()):
    _write({"kind": "judged", "truth": truth, "faults": list(faults), "where": where,
            "verdict": verdict, "explanation": explanation})


def name_of(record):
    """The truth of an emulator's answer in one of RIGHT's words."""
    host, status, outcome = record["host"], record["status"], record["outcome"]
    if outcome == "expired" and record["ended_early"]:
        return "ended early"
    if outcome == "fault":
        if status >= 500:
            return f"{host} 5xx"
        if host == "api" and status == 401:
            return "refused, clocks right"
        return f"{host} {status}" if f"{host} {status}" in RIGHT else "of no use"
    if record["faults"] and outcome in ("ok", "issued", "same_again"):
        wire = {"cut", "reset", "silence", "drop"} & set(record["faults"])
        return "cut off" if wire else "of no use"
    return outcome


class Matrix:
    """Truth by verdict, and what is wrong in it."""

    def __init__(self):
        self.cells = defaultdict(Counter)
        self.apart = Counter()
        self.blamed, self.miscured, self.misnamed = [], [], []
        self.unknown = defaultdict(list)  # by truth and reason: where
        self.without_truth = Counter()

    def add(self, truth, verdict, explanation, where, faults):
        self.cells[truth][verdict] += 1
        case = f"{where}: {truth} was called {verdict}: {explanation}"
        if verdict == "unknown":
            self.unknown[f"{truth}: {explanation.split(';')[0]}"].append(where.split(".")[-1])
        elif verdict in RIGHT.get(truth, [verdict]):
            return
        elif verdict == "issuer_clock_ahead" and truth == "not_spread" and "date_late" in faults:
            self.apart[truth] += 1
        elif verdict in CLOCKS:
            self.blamed.append(case)
        elif CURES.get(verdict, GIVE_UP) != CURES.get(RIGHT[truth][0], GIVE_UP):
            self.miscured.append(case)
        else:
            self.misnamed.append(case)

    def text(self):
        rows = [f"  {truth:32} " + ", ".join(f"{v} {n}" for v, n in sorted(said.items()))
                for truth, said in sorted(self.cells.items())]
        out = ["truth                              what was said, and how often", *rows, ""]
        out.append(f"innocent clocks blamed: {len(self.blamed)}; "
                   f"wrong cures: {len(self.miscured)}; "
                   f"right cure under another name: {len(self.misnamed)}; "
                   f"unknown: {sum(map(len, self.unknown.values()))}")
        out.append("slow propagation behind a late Date called a lagging clock, which nobody can "
                   f"tell apart: {sum(self.apart.values())}")
        for verdict, count in sorted(self.without_truth.items()):
            out.append(f"answers written by the test that judged them: {verdict} {count}")
        for title, cases in (("BLAMED", self.blamed), ("WRONG CURE", self.miscured),
                             ("OTHER NAME", self.misnamed)):
            out += [f"{title}: {case} (x{n})" for case, n in Counter(cases).items()]
        for case, places in sorted(self.unknown.items()):
            out.append(f"unknown, {case} ({', '.join(sorted(set(places)))}: {len(places)})")
        return "\n".join(f"| {line}" for line in out)

    @property
    def sound(self):
        return not self.blamed and not self.miscured


def read(folder):
    """The matrix of everything that was written down in `folder`."""
    lines = [json.loads(line) for path in sorted(Path(folder).glob("*.jsonl"))
             for line in path.read_text(encoding="utf-8").splitlines()]
    truths = {line["id"]: line for line in lines if line["kind"] == "answered"}
    matrix = Matrix()
    for line in lines:
        if line["kind"] == "answered":
            continue
        known = line if line["kind"] == "judged" else truths.get(line["id"])
        if known is None and not line["answered"]:
            known = {"truth": "no whole answer", "faults": []}
        if known is None:
            matrix.without_truth[line["verdict"]] += 1
        else:
            matrix.add(known["truth"], line["verdict"], line["explanation"], line["where"],
                       known["faults"])
    return matrix
