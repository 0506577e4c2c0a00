"""A server that is told of events, over TLS with an authority of its own, and answers what it is told to."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from ..registries import certificate


class Receiver:
    """`got` are path, headers and body of what was posted; `answers` the next statuses, then 200."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], str]] = []
        self.answers: list[int] = []
        self.address = self.ca = ""
        self.hold = threading.Event()
        self.hold.set()

    @property
    def paths(self) -> list[str]:
        return [path for path, _, _ in self.got]

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, _, body in self.got]


@contextmanager
def receiving(folder: Path, tls: bool = True, host: str = "127.0.0.1") -> Iterator[Receiver]:
    """A Receiver at `https://<host>:…`, whose certificate only `ca` vouches for."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            receiver.hold.wait(30)
            receiver.got.append((self.path, dict(self.headers), body))
            status = receiver.answers.pop(0) if receiver.answers else 200
            self.send_response(status)
            self.send_header("Location", f"{receiver.address}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_CONNECT(self) -> None:
            receiver.got.append((f"CONNECT {self.path}", dict(self.headers), ""))
            self.send_response(403)
            self.end_headers()

        def do_GET(self) -> None:
            raise AssertionError("what is posted is no question")

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer((host, 0), Handler) as server:
        if tls:
            made = certificate(folder, "receiver", host)
            receiver.ca = made.read_text()
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(made, made.with_suffix(".key"))
            server.socket = context.wrap_socket(server.socket, server_side=True)
        receiver.address = f"http{'s' if tls else ''}://{host}:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            receiver.hold.set()
            server.shutdown()
            thread.join()
