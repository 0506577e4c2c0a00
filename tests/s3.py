"""A real S3 server over HTTP, in a thread, whose uploads of logs can be held up, and which can be away.

It is the Versity S3 gateway where that is built (`make extras`), else moto, whose errors and limits are its own.
"""

from __future__ import annotations

import http.client
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kf_tasks.log.archive import _archive

from sandbox.tools import VERSITYGW

from . import servers

BUCKET = "logs"
HOP = ("CONNECTION", "EXPECT", "TRANSFER_ENCODING", "TRANSFER-ENCODING")  # of one connection, not of the request
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


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

    def gated(self, app: Application) -> Application:
        """The application, which lets an upload of a log wait at the gate, and nothing in while it is away."""

        def serve(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
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
    from werkzeug.serving import make_server

    s3fs.S3FileSystem.clear_instance_cache()  # what this process has kept of an earlier server
    _archive.cache_clear()
    made = Server()
    made.open.set()
    with _application(made) as app:
        web = make_server("127.0.0.1", 0, made.gated(app), threaded=True)
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


@contextmanager
def _application(made: Server) -> Iterator[Application]:
    program = servers.program(VERSITYGW)
    if program is None:
        from moto.server import DomainDispatcherApplication, create_backend_app

        yield DomainDispatcherApplication(create_backend_app)
        return
    with tempfile.TemporaryDirectory() as place:
        folders = [Path(place) / name for name in ("data", "about")]
        for folder in folders:
            folder.mkdir()
        keys = {"ROOT_ACCESS_KEY": made.env["AWS_ACCESS_KEY_ID"], "ROOT_SECRET_KEY": made.env["AWS_SECRET_ACCESS_KEY"]}
        port = servers.free_port()
        posix: list[str | Path] = ["posix", "--sidecar", folders[1], folders[0]]
        with servers.running([program, "--quiet", "--port", f"127.0.0.1:{port}", *posix], keys, port):
            yield _forwarded(port)


def _forwarded(port: int) -> Application:
    """Hands a request on as it is: its signature counts the address that the client has used."""
    from werkzeug.wsgi import get_input_stream

    def serve(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        given = {name.removeprefix("HTTP_"): value for name, value in environ.items() if name.startswith("HTTP_")}
        given |= {name: environ[name] for name in ("CONTENT_TYPE", "CONTENT_LENGTH") if environ.get(name)}
        headers = {name.replace("_", "-"): value for name, value in given.items() if name not in HOP}
        connection = http.client.HTTPConnection("127.0.0.1", port)
        try:
            body = get_input_stream(environ).read()
            connection.request(environ["REQUEST_METHOD"], environ["RAW_URI"], body or None, headers)
            answer = connection.getresponse()
            start(f"{answer.status} {answer.reason}", [it for it in answer.getheaders() if it[0].upper() not in HOP])
            return [answer.read()]
        finally:
            connection.close()

    return serve
