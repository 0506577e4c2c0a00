"""Servers to try an example with, each in a pod of its own: PostgreSQL, an S3 store, a mail server.

They are what others use as well, started as their official images are (`pulumi config set postgres-image postgres:15`;
versity/versitygw, axllent/mailpit), and are for trying out: what they hold goes with the pod, and their passwords stand
here. `make extras` gives the sandbox these images.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
from kf_tasks import Space

Bound = tuple[pulumi.Output[Any], list[pulumi.Resource]]  # credentials, and what must be there first
PASSWORD = "only-for-trying-out"
IMAGES = {
    "busybox": "busybox:1",
    "clients": "clients:1",
    "mailpit": "mailpit:v1.33.1",
    "postgres": "postgres:15",
    "python": "python:3",
    "versitygw": "versitygw:v1.8.0",
}


def image(name: str) -> str:
    """The image that `pulumi config set NAME-image` names, else that of the registry's."""
    config = pulumi.Config()
    registry = config.get("registry") or os.environ.get("SANDBOX_REGISTRY")
    found = config.get(f"{name}-image") or (registry and f"{registry}/{IMAGES[name]}")
    if not found:
        raise pulumi.RunError(f"no image: pulumi config set {name}-image IMAGE, or set SANDBOX_REGISTRY")
    return found


class Server(pulumi.ComponentResource):
    """A pod and the Service by whose name it is found: `files` lie in `folder`, `data` is an empty folder.

    What it is given as `env` and `files` holds passwords, so it goes to Secrets.
    """

    def __init__(
        self,
        name: str,
        *,
        space: Space,
        image: str,
        ports: Mapping[str, int],
        probe: Mapping[str, Any],
        env: Mapping[str, str] | None = None,
        command: list[str] | None = None,
        files: Mapping[str, str] | None = None,
        folder: str = "/files",
        data: str = "/data",
        user: int = 1000,
    ) -> None:
        super().__init__("examples:index:Server", name, opts=pulumi.ResourceOptions(depends_on=space.resources))
        inside = pulumi.ResourceOptions(parent=self, provider=space.provider)
        metadata: dict[str, Any] = {"name": name, "namespace": space.namespace}
        given = {key: values for key, values in {f"{name}-env": env, f"{name}-files": files}.items() if values}
        secrets = {
            key: kubernetes.core.v1.Secret(key, metadata={**metadata, "name": key}, string_data=values, opts=inside)
            for key, values in given.items()
        }
        volumes: list[dict[str, Any]] = [{"name": "data", "emptyDir": {}}]
        container: dict[str, Any] = {
            "name": name,
            "image": image,
            "envFrom": [{"secretRef": {"name": f"{name}-env"}}] if env else [],
            "readinessProbe": {**probe, "periodSeconds": 1, "timeoutSeconds": 5},
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
            "volumeMounts": [{"name": "data", "mountPath": data}],
        }
        if command:
            container["command"] = command
        if files:
            volumes.append({"name": "files", "secret": {"secretName": f"{name}-files"}})
            container["volumeMounts"].append({"name": "files", "mountPath": folder})
        kubernetes.core.v1.Pod(
            name,
            metadata={**metadata, "labels": {"run": name}},
            spec={
                "containers": [container],
                "volumes": volumes,
                "securityContext": {
                    "runAsNonRoot": True, "runAsUser": user, "runAsGroup": user, "fsGroup": user,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "terminationGracePeriodSeconds": 1,
            },
            opts=pulumi.ResourceOptions.merge(inside, pulumi.ResourceOptions(depends_on=list(secrets.values()))),
        )  # fmt: skip
        kubernetes.core.v1.Service(
            name,
            metadata={**metadata, "annotations": {"pulumi.com/skipAwait": "true"}},
            spec={"selector": {"run": name}, "ports": [{"name": key, "port": port} for key, port in ports.items()]},
            opts=inside,
        )
        self.register_outputs({})


def database(space: Space, sql: str = "") -> Bound:
    """The credentials that `pulumi config set --secret --path database.uri …` gives, else those of one with `sql`."""
    return _configured("database", lambda: postgres(space, sql))


def store(space: Space, bucket: str) -> Bound:
    """The credentials that `pulumi config set --secret --path store.uri …` and so on give, else those of a new one."""
    return _configured("store", lambda: s3(space, bucket))


def mail(space: Space, certificate: Callable[[], tuple[str, str]]) -> Bound:
    """The credentials that `pulumi config set --secret --path smtp.uri …` and so on give, else those of a new one."""
    return _configured("smtp", lambda: smtp(space, *certificate()))


def _configured(name: str, start: Callable[[], tuple[Server, dict[str, str]]]) -> Bound:
    given = pulumi.Config().get_secret_object(name)
    if given is not None:
        return given, []
    server, credentials = start()
    return pulumi.Output.secret(credentials), [server]


def postgres(space: Space, sql: str = "") -> tuple[Server, dict[str, str]]:
    """A database `shop` in which `sql` has run, and the credentials of its owner."""
    server = Server(
        "postgres",
        space=space,
        image=image("postgres"),
        ports={"postgres": 5432},
        probe={"exec": {"command": ["pg_isready", "--host", "localhost"]}},  # the network comes after `sql`
        env={"POSTGRES_DB": "shop", "POSTGRES_PASSWORD": PASSWORD, "PGDATA": "/var/lib/postgresql/data/shop"},
        files={"shop.sql": sql} if sql else None,
        folder="/docker-entrypoint-initdb.d",
        data="/var/lib/postgresql/data",
        user=999,
    )
    return server, {"uri": f"postgresql://postgres:{PASSWORD}@postgres:5432/shop", "password": PASSWORD}


def s3(space: Space, bucket: str) -> tuple[Server, dict[str, str]]:
    """A store with one bucket, and the credentials of its owner. A bucket is a folder, an object a file in `/data`."""
    server = Server(
        "store",
        space=space,
        image=image("versitygw"),
        ports={"s3": 9000},
        probe={"tcpSocket": {"port": 9000}},
        env={"ROOT_ACCESS_KEY": "trying-out", "ROOT_SECRET_KEY": PASSWORD},
        command=["/bin/sh", "-c", f"mkdir -p /data/{bucket} && exec versitygw --port :9000 posix /data"],
    )
    keys = {"access_key_id": "trying-out", "secret_access_key": PASSWORD, "region": "us-east-1"}
    return server, {"uri": "http://store:9000", "bucket": bucket, **keys}


def smtp(space: Space, certificate: str, key: str) -> tuple[Server, dict[str, str]]:
    """A mail server that wants STARTTLS and a password and delivers nothing; http://mail:8025 shows what it has got."""
    server = Server(
        "mail",
        space=space,
        image=image("mailpit"),
        ports={"smtp": 1025, "http": 8025},
        probe={"tcpSocket": {"port": 1025}},
        env={
            "MP_SMTP_AUTH": f"shop:{PASSWORD}",
            "MP_SMTP_REQUIRE_STARTTLS": "true",
            "MP_SMTP_TLS_CERT": "/files/tls.crt",
            "MP_SMTP_TLS_KEY": "/files/tls.key",
        },
        files={"tls.crt": certificate, "tls.key": key},
    )
    return server, {"uri": f"smtp://shop:{PASSWORD}@mail:1025", "ca.crt": certificate}
