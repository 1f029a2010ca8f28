"""A client and its adapters, used before fork and in the children.

    forks.py LOGIN_URL API_URL [TOKEN_STORE]

4 children with 2 threads each ask for pages of their own through every adapter, and check that the
answer is that page. Each request says in X-Pid who sends it.
"""

import os
import sys
import threading
from pathlib import Path

import httpx
import requests
import skewguard

sys.path.append(str(Path(__file__).resolve().parent))
import PureCloudPlatformClientV2 as sdk  # noqa: E402

LOGIN_URL, API_URL = sys.argv[1:3]
STORE = sys.argv[3] if len(sys.argv) > 3 else "none"
PAGES = 5

client = skewguard.Client(login_url=LOGIN_URL, api_url=API_URL, client_id="demo",
                          client_secret="demo-secret", token_store=STORE)
http = httpx.Client(transport=skewguard.httpx.Transport(client))
session = requests.Session()
session.auth = skewguard.requests.Auth(client)
api_client = skewguard.genesys.attach(sdk.ApiClient(host=API_URL), client)


def pid():
    return {"X-Pid": str(os.getpid())}


def path(number):
    return f"/api/v2/users?pageSize=1&pageNumber={number}"


def by_get(number):
    return client.call("GET", path(number), headers=pid()).json()["pageNumber"]


def by_httpx(number):
    return http.get(API_URL + path(number), headers=pid()).json()["pageNumber"]


def by_requests(number):
    return session.get(API_URL + path(number), headers=pid()).json()["pageNumber"]


def by_sdk(number):
    api_client.set_default_header(*next(iter(pid().items())))
    return sdk.UsersApi(api_client).get_users(page_size=1, page_number=number).page_number


WAYS = (by_get, by_httpx, by_requests, by_sdk)


def ask(first):
    for number in range(first, first + PAGES):
        for way in WAYS:
            assert way(number) == number, (way.__name__, number)


def child(index):
    failures = []

    def run(first):
        try:
            ask(first)
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=run, args=(1 + index * 2 * PAGES + n * PAGES,))
               for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.exit(1 if failures else 0)


def main():
    ask(50)
    children = []
    for index in range(4):
        one = os.fork()
        if one == 0:
            child(index)
        children.append(one)
    ask(50)  # meanwhile, and after them
    codes = [os.waitstatus_to_exitcode(os.waitpid(one, 0)[1]) for one in children]
    ask(50)
    sys.exit(max(codes))


if __name__ == "__main__":
    main()
