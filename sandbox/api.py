"""Asks an API server with plain HTTPS: quicker than starting a client for each question."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sandbox.steps import Failure

APPLY = "?fieldManager=sandbox&force=true"


class Api:
    """One API server, with the rights of the kubeconfig's user."""

    def __init__(self, kubeconfig: Path) -> None:
        content = json.loads(kubeconfig.read_text())
        cluster = content["clusters"][0]["cluster"]
        self.server = urlsplit(cluster["server"]).netloc
        self.token = content["users"][0]["user"]["token"]
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self.context = ssl.create_default_context(cadata=authority)

    def ask(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> tuple[int, str]:
        """The status and the text of an answer; 0 when nobody answers."""
        connection = http.client.HTTPSConnection(self.server, timeout=10, context=self.context)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind}
        data = None if body is None else json.dumps(body)
        try:
            connection.request(method, path, body=data, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            return 0, str(error)
        finally:
            connection.close()

    def ready(self) -> bool:
        return self.ask("GET", "/readyz")[0] == http.client.OK

    def get(self, path: str) -> dict[str, Any]:
        """An object, empty when it is not there."""
        status, text = self.ask("GET", path)
        return json.loads(text) if status == http.client.OK else {}

    def apply(self, path: str, content: dict[str, Any]) -> None:
        """Makes the object at `path` what `content` says."""
        status, text = self.ask("PATCH", path + APPLY, content, "application/apply-patch+yaml")
        if status not in (http.client.OK, http.client.CREATED):
            raise Failure(f"the API server answered {status} to {path}: {text}")


def condition(content: dict[str, Any], kind: str) -> bool:
    """Whether an object's status has this condition."""
    found = content.get("status", {}).get("conditions", [])
    return any(each["type"] == kind and each["status"] == "True" for each in found)
