"""Puts an object into an S3 store and gets it back, signed as AWS asks for (Signature Version 4)."""

import datetime
import hashlib
import hmac
import pathlib
import sys
import urllib.parse
import urllib.request

BINDING = pathlib.Path("/bindings/store")


def request(method: str, key: str, body: bytes = b"") -> bytes:
    """One request to the bucket of the bound service; raises urllib.error.HTTPError if the store refuses it."""
    settings = {file.name: file.read_text() for file in BINDING.iterdir() if file.is_file()}
    url = urllib.parse.urlsplit(f"{settings['uri'].rstrip('/')}/{settings['bucket']}/{urllib.parse.quote(key)}")
    now = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(body).hexdigest()
    headers = {"host": url.netloc, "x-amz-content-sha256": digest, "x-amz-date": now}
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    canonical = "\n".join([method, url.path, "", lines, names, digest])
    scope = f"{now[:8]}/{settings['region']}/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    secret = f"AWS4{settings['secret_access_key']}".encode()
    for part in scope.split("/"):
        secret = hmac.new(secret, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={settings['access_key_id']}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    del headers["host"]
    sent = urllib.request.Request(url.geturl(), data=body if method == "PUT" else None, method=method, headers=headers)
    with urllib.request.urlopen(sent, timeout=30) as answer:
        return bytes(answer.read())


if __name__ == "__main__":
    action, name = sys.argv[1:3]
    if action == "backup":
        dump = "".join(f"insert into orders values ({number});\n" for number in range(1000)).encode()
        request("PUT", name, dump)
        print("stored", name, len(dump), "bytes", hashlib.sha256(dump).hexdigest()[:12])
    else:
        dump = request("GET", name)
        print("read", name, len(dump), "bytes", hashlib.sha256(dump).hexdigest()[:12])
