"""A small S3 store for trying out: PUT and GET of objects, kept in memory, for whoever signs with its key."""

import hashlib
import hmac
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

OBJECTS: dict[str, bytes] = {}


class Store(BaseHTTPRequestHandler):
    """One request of a client."""

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.signed(hashlib.sha256(body).hexdigest()):
            OBJECTS[self.path] = body
            self.answer(200, b"")

    def do_GET(self) -> None:
        if self.signed(hashlib.sha256(b"").hexdigest()):
            self.answer(200 if self.path in OBJECTS else 404, OBJECTS.get(self.path, b""))

    def signed(self, digest: str) -> bool:
        """Whether the request carries the signature of our key; refuses it otherwise."""
        fields = dict(part.strip().split("=", 1) for part in self.headers["authorization"].split(" ", 1)[1].split(","))
        names = fields["SignedHeaders"]
        lines = "".join(f"{name}:{self.headers[name]}\n" for name in names.split(";"))
        canonical = "\n".join([self.command, self.path, "", lines, names, digest])
        _, _, scope = fields["Credential"].partition("/")
        text = "\n".join(
            ["AWS4-HMAC-SHA256", self.headers["x-amz-date"], scope, hashlib.sha256(canonical.encode()).hexdigest()]
        )
        secret = f"AWS4{os.environ['SECRET_ACCESS_KEY']}".encode()
        for part in scope.split("/"):
            secret = hmac.new(secret, part.encode(), hashlib.sha256).digest()
        right = hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()
        if hmac.compare_digest(right, fields["Signature"]):
            return True
        self.answer(403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>")
        return False

    def answer(self, code: int, body: bytes) -> None:
        self.send_response(code)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer(("", 9000), Store).serve_forever()
