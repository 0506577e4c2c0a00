"""A real S3 server over HTTP, in a thread, whose uploads of logs can be held up, and which can be away."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from kf_tasks.log.archive import _archive

BUCKET = "logs"


@dataclass
class Server:
    """Its address; `open` lets uploads of logs through, `held` tells that one waits, `away` lets it serve nobody."""

    url: str = ""
    open: threading.Event = field(default_factory=threading.Event)
    held: threading.Event = field(default_factory=threading.Event)
    away: threading.Event = field(default_factory=threading.Event)

    @property
    def env(self) -> dict[str, str]:
        """What a process needs to find it, and nothing that it could find elsewhere."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def gated(self, app: Callable[..., Any]) -> Callable[..., Any]:
        """The application, which lets an upload of a log wait at the gate, and nothing in while it is away."""

        def serve(environ: dict[str, Any], start: Any) -> Any:
            if self.away.is_set():
                start("503 Service Unavailable", [])
                return [b""]
            if environ["REQUEST_METHOD"] in ("PUT", "POST") and environ["PATH_INFO"].endswith(".log.zst"):
                if not self.open.is_set():
                    self.held.set()
                self.open.wait()
            return app(environ, start)

        return serve


@contextmanager
def server() -> Iterator[Server]:
    """An empty server with one bucket."""
    import boto3
    import s3fs
    from moto.server import DomainDispatcherApplication, create_backend_app  # type: ignore[attr-defined]
    from werkzeug.serving import make_server

    s3fs.S3FileSystem.clear_instance_cache()  # what this process has kept of an earlier server
    _archive.cache_clear()
    made = Server()
    made.open.set()
    web = make_server("127.0.0.1", 0, made.gated(DomainDispatcherApplication(create_backend_app)), threaded=True)
    made.url = f"http://127.0.0.1:{web.server_port}"
    thread = threading.Thread(target=web.serve_forever, daemon=True)
    thread.start()
    names = {"AWS_ACCESS_KEY_ID": "aws_access_key_id", "AWS_SECRET_ACCESS_KEY": "aws_secret_access_key"}
    keys = {argument: made.env[name] for name, argument in names.items()}
    client = boto3.client("s3", endpoint_url=made.url, region_name="us-east-1", **keys)
    client.create_bucket(Bucket=BUCKET)
    yield made
    made.open.set()
    web.shutdown()
    thread.join()
