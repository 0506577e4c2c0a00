"""The SDK's own host of dynamic providers, asked as the engine asks it; a program for a process of its own.

It says whether a cancelled update was heard, how many requests are served at once, and what was shown.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
from google.protobuf.empty_pb2 import Empty
from kf_tasks.provider import hosting
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc
from pulumi.runtime.rpc import UNKNOWN


def main() -> None:
    shown, answer = os.dup(1), os.pipe()
    os.dup2(answer[1], 1)
    host = {"run_name": "__main__", "alter_sys": True}
    threading.Thread(target=runpy.run_module, args=["pulumi.dynamic"], kwargs=host, daemon=True).start()
    address = f"127.0.0.1:{int(os.read(answer[0], 20))}"
    provider = provider_pb2_grpc.ResourceProviderStub(grpc.insecure_channel(address))
    request = provider_pb2.CheckRequest()
    request.news.update(
        {
            "__provider": sys.argv[1], "__preview": True, "connection": UNKNOWN, "namespace": UNKNOWN, "urn": "urn",
            "stack": "shop.dev", "app": "shop", "task": "nightly", "cron_job": "shop-nightly", "generation": 1,
            "manifest": UNKNOWN, "schedule": "0 3 * * *", "time_zone": "Etc/UTC", "suspend": False, "keep": 5,
        }
    )  # fmt: skip
    provider.Check(request)
    provider.Cancel(Empty())
    pools = [found for found in gc.get_objects() if isinstance(found, ThreadPoolExecutor)]
    said = os.read(answer[0], 65536).decode()
    heard = hosting.interrupted.is_set()
    os.write(shown, json.dumps([heard, max(pool._max_workers for pool in pools), said]).encode())
    os._exit(0)


main()
