"""A wire to the API server that can be cut, to provoke what networks do to long updates."""

from __future__ import annotations

import contextlib
import json
import random
import socket
import threading
from pathlib import Path
from urllib.parse import urlsplit

from .conftest import kubectl


class Wire:
    """Forwards TCP connections to the API server of the current kubeconfig.

    `cut()` breaks all connections and refuses new ones until `mend()`. `answers` is the share of
    connections whose answers get through: the rest break after the request has been carried out.
    """

    def __init__(self, folder: Path, seed: int = 0) -> None:
        config = json.loads(kubectl("config", "view", "--raw", "-o", "json"))
        target = urlsplit(config["clusters"][0]["cluster"]["server"])
        self._target = (target.hostname, target.port)
        self._server = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._mended = threading.Event()
        self._mended.set()
        self._moments = random.Random(seed)
        self.answers = 1.0
        cluster = config["clusters"][0]["cluster"]
        cluster["server"] = f"https://127.0.0.1:{self._server.getsockname()[1]}"
        cluster["tls-server-name"] = target.hostname
        self.kubeconfig = folder / "wire.json"
        self.kubeconfig.write_text(json.dumps(config))
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Breaks every connection and refuses new ones."""
        self._mended.clear()
        for one in list(self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """Lets connections through again."""
        self._mended.set()

    def _accept(self) -> None:
        while True:
            client, _ = self._server.accept()
            if not self._mended.is_set():
                client.close()
                continue
            server = socket.create_connection(self._target)
            self._open |= {client, server}
            deaf = self._moments.random() > self.answers
            threading.Thread(target=self._carry, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self._carry, args=(server, client, deaf), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, deaf: bool) -> None:
        carried = 0
        with contextlib.suppress(OSError):
            while chunk := source.recv(65536):
                carried += len(chunk)
                if deaf and carried > 6000:  # the handshake is through: this is an answer
                    break
                target.sendall(chunk)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            self._open.discard(one)
