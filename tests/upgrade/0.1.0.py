"""The stack of 0.1.0: all that leaves something in a state, tasks that ran and one that is held back."""

import os

import pulumi
from kf_tasks import App, Binding, Postgres, SecurityGroup, ServiceInstance, Space, Task, TaskSchedule

REGISTRY = os.environ["SANDBOX_REGISTRY"]
secret = pulumi.Output.secret("a-secret-of-the-stack")
space = Space(
    os.environ["NAMESPACE"],
    env={"TZ": "UTC", "TOKEN": secret},
    memory="32M",
    disk="64M",
    cpu="10m",
    keep=20,
    security_groups=[
        SecurityGroup("internal", egress=[{"protocol": "tcp", "destination": "10.0.0.0/8", "ports": "1-9"}])
    ],
    quota={"pods": 50},
    submitter_image=f"{REGISTRY}/python:3",
)
database = ServiceInstance("db", space=space, credentials=Postgres(uri=secret, port=5432), tags=["sql"])
app = App(
    "shop",
    space=space,
    image=f"{REGISTRY}/busybox:1",
    command="echo start",
    env={"MODE": "web", "KEY": secret},
    keep=10,
    keep_failed=2,
    services=[Binding(database, binding_name="main")],
    labels={"team": "shop"},
)
other = App("blog", space=space, image=f"{REGISTRY}/busybox:1")
migrate = Task("migrate", app=app, command='echo 3 > "$KF_RESULTS/schema"; echo migrated', results=["schema"])
load = Task("load", app=app, command=["echo", "loaded", migrate.results["schema"]], env={"OWN": "1"}, when="trigger")
quiet = Task("quiet", app=other, command="echo nothing is kept of this", log="none", timeout="5m")
held = Task("held", app=other, command="echo never", terminated=True)
nightly = TaskSchedule("nightly", app=app, command="echo night", schedule="0 4 29 2 *", env={"N": "1"})
by_hand = TaskSchedule("by-hand", app=other, command="echo by hand")
for task in (migrate, load, quiet, held):
    for name in ("run", "task_id", "state", "reason", "exit_code", "started_at", "finished_at", "duration", "log",
                 "log_digest", "results"):  # fmt: skip
        pulumi.export(f"{task._name}-{name}", getattr(task, name))
