"""What the tasks of the examples run, against real servers on this machine: a web server that fails, and Mailpit."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sandbox.tools import MAILPIT

from .. import servers

EXAMPLES = Path(__file__).parents[2] / "examples"
CONTENT = b"1,tea,2.50\n" * 5000


class Web(BaseHTTPRequestHandler):
    """Answers each request as the next word says: `busy`, `torn` (half of the content), `other`, or `whole`."""

    answers: list[str]

    def do_GET(self) -> None:
        word = self.answers.pop(0)
        self.send_response(503 if word == "busy" else 200)
        self.send_header("content-length", str(len(CONTENT)))
        self.end_headers()
        whole = {"whole": CONTENT, "other": CONTENT.replace(b"tea", b"pea"), "torn": CONTENT[: len(CONTENT) // 2]}
        self.wfile.write(whole.get(word, b"x" * len(CONTENT)))

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Web)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/prices.csv"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl")
@pytest.mark.parametrize("answers", [["busy", "whole"], ["torn"], ["other"], ["torn", "whole"]], ids=" ".join)
def test_only_the_right_content_is_kept(answers: list[str], url: str, tmp_path: Path) -> None:
    target, kept = tmp_path / "prices of today.csv", "whole" in answers
    env = {"PATH": os.environ["PATH"], "URL": url, "SHA256": hashlib.sha256(CONTENT).hexdigest()}
    Web.answers = list(answers)
    while True:  # as Tekton does with `retries`
        done = subprocess.run(
            ["/bin/sh", "-c", (EXAMPLES / "download" / "fetch.sh").read_text(), "fetch", str(target)],
            env=env, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if not done.returncode or not Web.answers:
            break
    assert target.exists() == kept and (done.returncode == 0) == kept, done.stderr
    assert not kept or target.read_bytes() == CONTENT
    assert ("Will retry in" in done.stderr) == (answers[0] == "busy"), done.stderr


class Mail:
    """Mailpit with STARTTLS and a password; `binding` is a folder as a task has it."""

    def __init__(self, folder: Path) -> None:
        self.smtp, self.web = servers.free_port(), servers.free_port()
        self.binding = folder / "smtp"
        self.binding.mkdir()
        authority, key = self.binding / "ca.crt", folder / "tls.key"
        names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        made = ["-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(authority), "-days", "2"]
        subprocess.run(["openssl", "req", "-x509", *made, *names], check=True, capture_output=True)
        self.env = {
            "MP_SMTP_AUTH": "shop:a@word",
            "MP_SMTP_REQUIRE_STARTTLS": "true",
            "MP_SMTP_TLS_CERT": str(authority),
            "MP_SMTP_TLS_KEY": str(key),
            "MP_SMTP_BIND_ADDR": f"127.0.0.1:{self.smtp}",
            "MP_UI_BIND_ADDR": f"127.0.0.1:{self.web}",
            "MP_DISABLE_VERSION_CHECK": "true",
        }

    def send(self, user: str) -> subprocess.CompletedProcess[str]:
        """What the task says and how it ends, with this user in the credentials."""
        (self.binding / "uri").write_text(f"smtp://{user}localhost:{self.smtp}")
        command = [sys.executable, str(EXAMPLES / "mail" / "send.py"), "jo@example.com", "tea"]
        env = {"SERVICE_BINDING_ROOT": str(self.binding.parent)}
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False)

    def messages(self) -> list[dict[str, object]]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.web}/api/v1/messages") as answer:
            return list(json.load(answer)["messages"])


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[Mail]:
    program = servers.program(MAILPIT)
    if program is None:
        pytest.skip("mailpit is not built: `make extras` does it")
    one = Mail(tmp_path)
    with servers.running([program], one.env, one.smtp, one.web):
        yield one


def test_mail_is_sent_by_starttls_with_a_password(mail: Mail) -> None:
    sent = mail.send("shop:a%40word@")
    assert (sent.returncode, sent.stdout) == (0, "sent to jo@example.com\n"), sent.stderr
    [message] = mail.messages()
    assert (message["Username"], message["Snippet"]) == ("shop", "Thank you for your order of tea.")
    for user, why in (("shop:another@", "SMTPAuthenticationError"), ("", "Authentication required")):
        refused = mail.send(user)
        assert refused.returncode and why in refused.stderr.splitlines()[-1], refused.stderr
    (mail.binding / "ca.crt").unlink()
    refused = mail.send("shop:a%40word@")
    assert "CERTIFICATE_VERIFY_FAILED" in refused.stderr and "a%40word" not in refused.stderr
    assert len(mail.messages()) == 1
