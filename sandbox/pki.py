"""Keys, certificates and tokens of a cluster that lives on one machine.

Serving certificates carry every name under which the parts are reached; clients show
static tokens, because the users' names alone give them their built-in roles.
"""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from sandbox.places import API_SERVICE, NODE
from sandbox.steps import run

USERS = {
    "admin": ("admin", "system:masters"),
    "controller-manager": ("system:kube-controller-manager", ""),
    "scheduler": ("system:kube-scheduler", ""),
    "kubelet": (f"system:node:{NODE}", "system:nodes"),
    "proxy": ("system:kube-proxy", ""),
    "dns": ("sandbox:dns", ""),
}
CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
DAYS = "3650"


@dataclass(frozen=True)
class Certificate:
    """A certificate to be signed by the cluster's authority."""

    name: str
    subject: str
    usage: str
    names: tuple[str, ...] = ()


def certificates(node: str, host: str) -> list[Certificate]:
    service = "kubernetes.default.svc"
    api = (
        *(f"DNS:{name}" for name in ("localhost", "kubernetes", "kubernetes.default", service)),
        f"DNS:{service}.cluster.local",
        *(f"IP:{address}" for address in ("127.0.0.1", node, host, API_SERVICE)),
    )
    return [
        Certificate("apiserver", "/CN=kube-apiserver", "serverAuth", api),
        Certificate("apiserver-kubelet", "/O=system:masters/CN=kube-apiserver", "clientAuth"),
        Certificate(
            "kubelet",
            f"/O=system:nodes/CN=system:node:{NODE}",
            "serverAuth",
            (f"DNS:{NODE}", f"IP:{node}"),
        ),
    ]


def create(folder: Path, node: str, host: str) -> None:
    """Makes everything once; the last file tells that all others are there."""
    tokens = folder / "tokens.csv"
    if tokens.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    extensions = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"]
    added = [word for extension in extensions for word in ("-addext", extension)]
    authority = ["-keyout", "ca.key", "-out", "ca.crt", "-days", DAYS, "-subj", "/CN=sandbox"]
    run(["openssl", "req", "-x509", *CURVE, *authority, *added], cwd=folder)
    for certificate in certificates(node, host):
        sign(folder, certificate)
    run(["openssl", "genrsa", "-out", "sa.key", "2048"], cwd=folder)
    run(["openssl", "rsa", "-in", "sa.key", "-pubout", "-out", "sa.pub"], cwd=folder)
    lines = [
        ",".join([secrets.token_hex(16), user, name, *filter(None, [group])]) for name, (user, group) in USERS.items()
    ]
    unfinished = tokens.with_suffix(".new")
    unfinished.write_text("\n".join(lines) + "\n")
    unfinished.chmod(0o600)
    unfinished.rename(tokens)


def sign(folder: Path, wanted: Certificate) -> None:
    name = wanted.name
    request = ["-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", wanted.subject]
    run(["openssl", "req", "-new", *CURVE, *request], cwd=folder)
    lines = ["keyUsage=critical,digitalSignature,keyEncipherment"]
    lines.append(f"extendedKeyUsage={wanted.usage}")
    if wanted.names:
        lines.append("subjectAltName=" + ",".join(wanted.names))
    (folder / f"{name}.ext").write_text("\n".join(lines) + "\n")
    signer = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", DAYS]
    files = ["-in", f"{name}.csr", "-extfile", f"{name}.ext", "-out", f"{name}.crt"]
    run(["openssl", "x509", "-req", *signer, *files], cwd=folder)


def token(folder: Path, name: str) -> str:
    for line in (folder / "tokens.csv").read_text().splitlines():
        found = line.split(",")
        if found[2] == name:
            return found[0]
    raise KeyError(name)


def kubeconfig(folder: Path, user: str, server: str, context: str = "sandbox") -> str:
    """A kubeconfig that needs no other file; JSON is YAML too."""
    authority = base64.b64encode((folder / "ca.crt").read_bytes()).decode()
    cluster = {"server": server, "certificate-authority-data": authority}
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": context, "cluster": cluster}],
            "users": [{"name": user, "user": {"token": token(folder, user)}}],
            "contexts": [{"name": context, "context": {"cluster": context, "user": user}}],
            "current-context": context,
        },
        indent=1,
    )
