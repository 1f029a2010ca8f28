"""The end of clients and processes, forks, signals and descriptors."""

import asyncio
import gc
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path

import httpx
import pytest
import skewguard
from conftest import HUNG_S, sends

HERE = Path(__file__).resolve().parent


def run(script, *arguments):
    done = subprocess.run([sys.executable, HERE / script, *arguments], capture_output=True,
                          text=True, timeout=HUNG_S)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


@pytest.fixture
def silent(skewguard_emulator):
    """An emulator whose API accepts connections and says nothing."""
    emulator = skewguard_emulator()
    emulator.order("fault", host="api", wire="silence")
    return emulator


@pytest.mark.parametrize("way", ["dropped_while_a_task_waits", "dropped_while_a_thread_waits",
                                 "collected_from_a_cycle", "exits_while_a_thread_waits",
                                 "exits_while_a_task_waits", "exits_from_send"])
def test_nothing_hangs_when_a_client_ends_during_a_call(way, silent):
    assert float(run("endings.py", silent.login_url, silent.api_url, way).split()[-1]) < 2


class Tap:
    """Passes connections on to a server, and keeps the X-Pid of all requests of each."""

    def __init__(self, url):
        self.target = ("127.0.0.1", int(url.rsplit(":", 1)[1]))
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.connections = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            near, _ = self.listener.accept()
            far = socket.create_connection(self.target)
            seen = []
            self.connections.append(seen)
            for source, sink, keep in ((near, far, seen), (far, near, None)):
                threading.Thread(target=self.copy, args=(source, sink, keep), daemon=True).start()

    @staticmethod
    def copy(source, sink, keep):
        try:
            while data := source.recv(65536):
                if keep is not None:
                    keep += re.findall(rb"(?i)\r\nx-pid: (\d+)\r\n", data)
                sink.sendall(data)
        except OSError:
            pass
        for one in (source, sink):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def processes(self):
        """The processes that used each connection."""
        return [set(seen) for seen in self.connections if seen]


@pytest.mark.parametrize("store", ["none", "file"])
def test_children_have_connections_and_tokens_of_their_own(store, skewguard_emulator, tmp_path):
    emulator = skewguard_emulator("--login-offset", "3s", "--strict-nbf")
    tap = Tap(emulator.api_url)
    run("forks.py", emulator.login_url, tap.url, f"file:{tmp_path}" if store == "file" else "none")
    assert {len(one) for one in tap.processes()} == {1}
    assert len(set.union(*tap.processes())) == 5
    assert emulator.token_requests() == (1 if store == "file" else 5)


INTERRUPTED = """
import signal, sys, time, skewguard
signal.signal(signal.SIGINT, signal.default_int_handler)
client = skewguard.Client()
print("ready", flush=True)
try:
    client.get("/x")
except KeyboardInterrupt:
    print(time.monotonic(), flush=True)
for _ in sys.stdin:  # the API answers again
    print(client.get("/api/v2/tokens/me").status, flush=True)
"""


def wait_for_request(emulator):
    """Until the emulator has given a token, after which the call waits for the API."""
    while emulator.token_requests() == 0:
        pass


def interrupted_after(emulator):
    """How long a call goes on after SIGINT, in seconds."""
    with subprocess.Popen([sys.executable, "-c", INTERRUPTED], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True,
                          env={**os.environ, **emulator.environment}) as process:
        process.stdout.readline()
        wait_for_request(emulator)
        sent = time.monotonic()
        process.send_signal(signal.SIGINT)
        after = float(process.stdout.readline()) - sent
        emulator.order("fault", clear=True)
        assert process.communicate("again\n")[0] == "200\n"  # the client is still of use
        return after


def test_sigint_ends_a_wait_at_once(skewguard_emulator):
    def once():
        emulator = skewguard_emulator()
        emulator.order("fault", host="api", wire="silence")
        return interrupted_after(emulator)
    # The best of several: the machine may be busy.
    assert min(once() for _ in range(3)) < 0.2


def open_files():
    """How many there are, but for the connection to the login host, which comes and goes."""
    count = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            count += not os.readlink(f"/proc/self/fd/{name}").startswith("socket:")
        except FileNotFoundError:  # the folder's own
            pass
    return count


def test_two_thousand_waiting_calls_need_one_descriptor(skewguard_emulator, monkeypatch):
    emulator = skewguard_emulator()
    emulator.order("fault", host="login", wire="silence")
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, limit[1]))

    async def run_all(client):
        before = open_files()
        tasks = [asyncio.ensure_future(client.atoken()) for _ in range(2000)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        waiting = open_files()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert all(task.cancelled() for task in tasks)
        return before, waiting, open_files()

    try:
        with skewguard.Client(**emulator.settings) as client:
            asyncio.run(one_cancelled(client))  # the client's own descriptors are there
            before, waiting, after = asyncio.run(run_all(client))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limit)
    assert waiting == before + 1
    assert after == before


def test_del_ends_a_client_without_the_garbage_collector(emulator):
    def threads():
        return len(os.listdir("/proc/self/task"))

    gc.collect()
    before = threads()
    gc.disable()
    try:
        client = skewguard.Client(**emulator.settings, on_resolved=print)
        assert client.get("/api/v2/tokens/me").status == 200
        assert client.guard(lambda bearer: (200, {}, b"ok"))[0] == 200
        alive = weakref.ref(client._handle)
        del client
        assert alive() is None
        assert threads() == before
    finally:
        gc.enable()


def test_loops_that_are_closed_while_a_call_waits_leave_nothing(silent):
    running = skewguard._waiting._LoopQueue.running
    for _ in range(3):
        client = skewguard.Client(**silent.settings)
        loop = asyncio.new_event_loop()
        task = loop.create_task(client.aget("/x"))
        loop.run_until_complete(asyncio.sleep(0))
        task._log_destroy_pending = False
        loop.close()
        gone = weakref.ref(client._handle)
        del client, loop, task
    assert len(running) == 1  # the last one, until the next
    before = open_files()
    with skewguard.Client(**silent.settings) as client:
        asyncio.run(one_cancelled(client))
    gc.collect()
    assert gone() is None and not running
    assert open_files() < before


async def one_cancelled(client):
    task = asyncio.ensure_future(client.atoken())
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_no_thread_of_python_is_started(client):
    before = threading.active_count()
    client.get("/api/v2/tokens/me")
    asyncio.run(client.aget("/api/v2/tokens/me"))
    assert threading.active_count() == before


FROZEN = """
import os, signal, skewguard
client = skewguard.Client()
print(client.get("/api/v2/tokens/me").status, flush=True)
os.kill(os.getpid(), signal.SIGSTOP)
print(client.get("/api/v2/tokens/me").status, flush=True)
"""


def test_a_frozen_process_sends_no_token_that_ended_meanwhile(skewguard_emulator):
    """As serverless platforms freeze one between invocations."""
    emulator = skewguard_emulator("--lifetime", "2s")
    with subprocess.Popen([sys.executable, "-c", FROZEN], stdout=subprocess.PIPE, text=True,
                          env={**os.environ, **emulator.environment}) as process:
        assert process.stdout.readline() == "200\n"
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        time.sleep(2.5)  # the token ends
        process.send_signal(signal.SIGCONT)
        assert process.stdout.readline() == "200\n"
    assert {one[2] for one in sends(emulator)} == {200}


PREFORKED = """
import os
import httpx, skewguard

http = httpx.Client(transport=skewguard.httpx.Transport(skewguard.Client(token_store="file")))
API = os.environ["SKEWGUARD_API_URL"] + "/api/v2/tokens/me"
assert http.get(API).status_code == 200  # before the workers are forked


def app(environ, start_response):
    start_response(f"{http.get(API).status_code} x", [("X-Pid", str(os.getpid()))])
    return [b""]
"""


def test_gunicorns_workers_share_what_was_made_before_they_were_forked(ahead, tmp_path):
    (tmp_path / "preforked.py").write_text(PREFORKED)
    socket_path = tmp_path / "socket"
    with subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--preload", "--workers", "3", "--log-level",
             "warning", "--bind", f"unix:{socket_path}", "preforked:app"], cwd=tmp_path,
            env={**os.environ, **ahead.environment, "SKEWGUARD_TOKEN_STORE": ""}) as server:
        seen = set()
        transport = httpx.HTTPTransport(uds=str(socket_path), retries=0)
        with httpx.Client(transport=transport) as http:
            while len(seen) < 2:
                try:
                    answer = http.get("http://gunicorn/", headers={"Connection": "close"})
                except httpx.ConnectError:
                    assert server.poll() is None
                    continue
                assert answer.status_code == 200
                seen.add(answer.headers["X-Pid"])
        server.terminate()
    assert ahead.token_requests() == 1
