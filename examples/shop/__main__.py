"""A shop: its configuration goes live only after the migration, its report reads a secret.

The stacks dev and prod differ in memory, environment and history. Every secret is one of the stack
(`pulumi config set --secret report-token …`); without one, dev makes do with a token for trying out.
"""

import os

import pulumi
import pulumi_kubernetes as kubernetes
from kf_tasks import App, Space, Task

config = pulumi.Config()
registry = config.get("registry") or os.environ.get("SANDBOX_REGISTRY")
if not registry:
    raise pulumi.RunError("no image registry: pulumi config set registry HOST:PORT, or set SANDBOX_REGISTRY")
stack = pulumi.get_stack()
token = config.get_secret("report-token")
if token is None:
    if stack == "prod":
        raise pulumi.RunError("prod needs its own token: pulumi config set --secret report-token VALUE")
    token = pulumi.Output.secret("token-for-trying-out")

space = Space(config.get("space") or f"shop-{stack}", env={"TZ": config.require("zone")})
app = App(
    "shop",
    space=space,
    image=config.get("image") or f"{registry}/busybox:1",
    memory=config.require("memory"),
    disk="64M",
    env={"STAGE": stack, "SCHEMA": config.require("schema")},
    keep=config.require_int("keep"),
)

migrate = Task(
    "migrate",
    app=app,
    command='echo "migrating $STAGE to schema $SCHEMA"; printf "$SCHEMA" > "$KF_RESULTS/schema"; echo done',
    triggers=[config.require("schema")],
    results=["schema"],
    timeout="5m",
)
report = Task(
    "report",
    app=app,
    command='test -n "$REPORT_TOKEN" && echo "report for $STAGE in $TZ, with a token"',
    env={"REPORT_TOKEN": token},
    timeout="5m",
    opts=pulumi.ResourceOptions(depends_on=[migrate]),
)

# What the shop's servers read: not touched as long as the migration has not succeeded.
live = kubernetes.core.v1.ConfigMap(
    "live",
    metadata={"name": "live", "namespace": space.namespace},
    data={"stage": stack, "schema": migrate.results["schema"]},
    opts=pulumi.ResourceOptions(provider=space.provider, depends_on=[migrate]),
)

pulumi.export("schema", migrate.results["schema"])
for name, task in {"migrate": migrate, "report": report}.items():
    pulumi.export(name, {"run": task.run, "state": task.state, "exit_code": task.exit_code})
