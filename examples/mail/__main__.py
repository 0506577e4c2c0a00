"""A task that sends a mail through a bound service: once for each order, however often `up` is repeated.

The mail server is a small one for trying out, in a pod that keeps what it gets:
`kubectl exec -n <space> mail -- cat /mail/1`. With one of your own, set its credentials instead:
`pulumi config set --secret --path 'smtp.uri' smtp://user:password@host:587`.
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
image = config.get("image") or f"{registry}/python:3"
space = Space(config.get("space") or f"mail-{pulumi.get_stack()}", memory="32M", disk="32M", cpu="10m")
credentials = config.get_secret_object("smtp")
ready: list[pulumi.Resource] = []

if credentials is None:
    inside = pulumi.ResourceOptions(provider=space.provider)
    pod = kubernetes.core.v1.Pod(
        "mail",
        metadata={"name": "mail", "namespace": space.namespace, "labels": {"run": "mail"}},
        spec={
            "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "fsGroup": 1000},
            "terminationGracePeriodSeconds": 1,
            "volumes": [{"name": "mail", "emptyDir": {}}],
            "containers": [
                {
                    "name": "mail",
                    "image": image,
                    "command": ["python3", "-u", "-c", (HERE / "server.py").read_text()],
                    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                    "volumeMounts": [{"name": "mail", "mountPath": "/mail"}],
                    "readinessProbe": {"tcpSocket": {"port": 2525}, "periodSeconds": 1},
                }
            ],
        },
        opts=inside,
    )
    service = kubernetes.core.v1.Service(
        "mail",
        metadata={"name": "mail", "namespace": space.namespace, "annotations": {"pulumi.com/skipAwait": "true"}},
        spec={"selector": {"run": "mail"}, "ports": [{"port": 2525}]},
        opts=inside,
    )
    ready = [pod, service]
    credentials = pulumi.Output.secret({"uri": "smtp://mail:2525"})

smtp = ServiceInstance("smtp", space=space, credentials=credentials, requires=["uri"], label="smtp")
app = App("shop", space=space, image=image, services=[smtp])
order = config.require("order")
confirm = Task(
    "confirm-order",
    app=app,
    command=["python3", "-c", (HERE / "send.py").read_text(), config.require("recipient"), order],
    triggers=[order],
    when="trigger",
    timeout="2m",
    opts=pulumi.ResourceOptions(depends_on=ready),
)

pulumi.export("confirm", {"run": confirm.run, "state": confirm.state, "exit_code": confirm.exit_code})
