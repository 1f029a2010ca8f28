"""calls.py BASE KEY COUNT: POSTs with urllib3 as the Python SDK makes them: a pool of 4, and up to
10 retries of every method. Prints one status and body a line."""

import sys

import urllib3

base, key, count = sys.argv[1:]
pool = urllib3.PoolManager(num_pools=4, maxsize=4,
                           retries=urllib3.Retry(total=10, allowed_methods=None))
for i in range(int(count)):
    answer = pool.request("POST", f"{base}/api/v2/emulator/upload", body=b"a body",
                          headers={"Authorization": "Bearer handle",
                                   "Idempotency-Key": f"{key}{i}"})
    print(answer.status, answer.data.decode())
