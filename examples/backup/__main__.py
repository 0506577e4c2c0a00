"""A backup to an object store through a bound service, and a task that proves that it can be read back.

The store is a small one for trying out, in a pod that keeps objects in memory. With one of your own, set
its credentials instead: `pulumi config set --secret --path 'store.secret_access_key' …` and so on for
`uri`, `bucket`, `region` and `access_key_id`.
"""

import os
from pathlib import Path

import pulumi
import pulumi_kubernetes as kubernetes
from kf_tasks import App, ServiceInstance, Space, Task

HERE = Path(__file__).parent
config = pulumi.Config()
registry = config.get("registry") or os.environ.get("SANDBOX_REGISTRY")
if not registry:
    raise pulumi.RunError("no image registry: pulumi config set registry HOST:PORT, or set SANDBOX_REGISTRY")
image = f"{registry}/python:3"
space = Space(config.get("space") or f"backup-{pulumi.get_stack()}", memory="64M", disk="64M", cpu="10m")
credentials = config.get_secret_object("store")
ready: list[pulumi.Resource] = []

if credentials is None:
    key = "key-for-trying-out"
    inside = pulumi.ResourceOptions(provider=space.provider)
    container = {
        "name": "store",
        "image": image,
        "command": ["python3", "-u", "-c", (HERE / "server.py").read_text()],
        "env": [{"name": "SECRET_ACCESS_KEY", "value": key}],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "readinessProbe": {"tcpSocket": {"port": 9000}, "periodSeconds": 1},
    }
    pod = kubernetes.core.v1.Pod(
        "store",
        metadata={"name": "store", "namespace": space.namespace, "labels": {"run": "store"}},
        spec={
            "securityContext": {"runAsNonRoot": True, "runAsUser": 1000},
            "terminationGracePeriodSeconds": 1,
            "containers": [container],
        },
        opts=inside,
    )
    service = kubernetes.core.v1.Service(
        "store",
        metadata={"name": "store", "namespace": space.namespace, "annotations": {"pulumi.com/skipAwait": "true"}},
        spec={"selector": {"run": "store"}, "ports": [{"port": 9000}]},
        opts=inside,
    )
    ready = [pod, service]
    credentials = pulumi.Output.secret(
        {
            "uri": "http://store:9000",
            "bucket": "backups",
            "region": "eu-central-1",
            "access_key_id": "trying-out",
            "secret_access_key": key,
        }
    )

store = ServiceInstance("store", space=space, credentials=credentials, requires=["uri", "bucket"], label="s3")
app = App("shop", space=space, image=image, services=[store])
script = (HERE / "store.py").read_text()
name = config.get("name") or "orders.sql"
backup = Task(
    "backup",
    app=app,
    command=["python3", "-c", script, "backup", name],
    timeout="10m",
    opts=pulumi.ResourceOptions(depends_on=ready),
)
verify = Task(
    "verify",
    app=app,
    command=["python3", "-c", script, "verify", name],
    triggers=[backup.run],
    opts=pulumi.ResourceOptions(depends_on=[backup]),
)

pulumi.export("backup", backup.log)
pulumi.export("verify", verify.log)
