"""A shop's database work, as it stands before a pull request changes it: `change.patch` beside it is that change.

pulumi up --stack dev                # as it is
patch -p1 < change.patch             # image, memory, schedule, secret and keep change; a task is added, one removed
kf review --stack dev                # what the update would do
"""

import os

import pulumi
from kf_tasks import App, Space, Task, TaskSchedule

config = pulumi.Config()
registry = config.get("registry") or os.environ.get("SANDBOX_REGISTRY")
if not registry:
    raise pulumi.RunError("no image registry: pulumi config set registry HOST:PORT, or set SANDBOX_REGISTRY")

space = Space(
    config.get("space") or f"orders-{pulumi.get_stack()}",
    memory="32M",
    disk="64M",
    cpu="10m",
    env={"REGION": "eu-central"},
    submitter_image=f"{registry}/python:3",
)
shop = App(
    "shop",
    space=space,
    image=f"{registry}/busybox:1",
    keep=config.require_int("keep"),
    env={
        "MODE": "rolling",
        "DATABASE_PASSWORD": pulumi.Output.secret("correct horse battery"),
    },
)
schema = Task("schema", app=shop, command="echo schema 41")
Task("seed", app=shop, command="echo 120 rows", opts=pulumi.ResourceOptions(depends_on=[schema]))
Task("old-index", app=shop, command="echo index built")
TaskSchedule(
    "report",
    app=shop,
    command="echo report",
    schedule="0 4 * * *",
    time_zone="Europe/Berlin",
    timeout="30m",
)
