"""What a client sends and receives: a forwarder that counts bytes, and the API server's own count of requests."""

from __future__ import annotations

import json
import re
import selectors
import socket
import threading
from pathlib import Path
from tempfile import mkdtemp
from urllib.parse import urlsplit

from .measure import run


class Wire:
    """Counts the bytes, encrypted and in both directions, of whoever uses `kubeconfig`."""

    def __init__(self) -> None:
        config = json.loads(run(["kubectl", "config", "view", "--raw", "-o", "json"]))
        cluster = config["clusters"][0]["cluster"]
        target = urlsplit(cluster["server"])
        self._target = (str(target.hostname), target.port)
        self._server = socket.create_server(("127.0.0.1", 0))
        cluster["server"] = f"https://127.0.0.1:{self._server.getsockname()[1]}"
        cluster["tls-server-name"] = target.hostname
        self.kubeconfig = str(Path(mkdtemp(prefix="bench-")) / "wire.json")
        Path(self.kubeconfig).write_text(json.dumps(config))
        self.bytes = 0
        threading.Thread(target=self._carry, daemon=True).start()

    def _carry(self) -> None:
        chooser = selectors.DefaultSelector()
        chooser.register(self._server, selectors.EVENT_READ)
        while True:
            for key, _ in chooser.select():
                if key.fileobj is self._server:
                    client = self._server.accept()[0]
                    upstream = socket.create_connection(self._target)
                    for one, other in ((client, upstream), (upstream, client)):
                        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                        chooser.register(one, selectors.EVENT_READ, other)
                    continue
                source, sink = key.fileobj, key.data
                assert isinstance(source, socket.socket)
                try:
                    chunk = source.recv(1 << 16)
                    sink.sendall(chunk)
                except OSError:
                    chunk = b""
                self.bytes += len(chunk)
                if not chunk:
                    for one in (source, sink):
                        chooser.unregister(one)
                        one.close()


def requests() -> int:
    """How many requests for PipelineRuns the API server has answered, those of Tekton's own watches left out."""
    text = run(["kubectl", "get", "--raw", "/metrics"])
    counts = re.findall(r'^apiserver_request_total\{([^}]*resource="pipelineruns"[^}]*)\} (\S+)$', text, re.MULTILINE)
    return sum(int(float(count)) for labels, count in counts if re.search(r'verb="(GET|LIST|DELETE)"', labels))
