"""A nightly batch: the bookings of a day are summed up every night, and again when somebody asks for it.

pulumi up --stack dev                                   # says the next three times
kf jobs --space nightly-dev                             # schedule, last and next time
kf run-job sum-up --env DAY=2026-11-24 --wait --space nightly-dev
kf job-history sum-up --space nightly-dev               # by schedule and by hand

It reads PostgreSQL and writes a report to an object store. With servers of your own: `pulumi config set --secret --path
database.uri postgresql://…`, and so on for `uri`, `bucket`, `region`, `access_key_id`, `secret_access_key` of `store`.
"""

from pathlib import Path

import pulumi
import servers
from kf_tasks import App, ServiceInstance, Space, TaskSchedule

BOOKINGS = """
CREATE TABLE bookings (day date NOT NULL, product text NOT NULL, amount integer NOT NULL);
INSERT INTO bookings SELECT day::date, product, amount
    FROM generate_series('2026-01-01'::date, '2027-12-31', '1 day') AS day,
         (VALUES ('books', 30), ('pens', 8), ('tea', 12)) AS sold (product, amount);
"""

config = pulumi.Config()
image = servers.image("clients")

space = Space(
    config.get("space") or f"nightly-{pulumi.get_stack()}",
    memory="128M",
    disk="64M",
    cpu="10m",
    submitter_image=image,
)
database, _ = servers.database(space, BOOKINGS)
store, _ = servers.store(space, "reports")

app = App(
    "bookings",
    space=space,
    image=image,
    keep=30,
    env={"TZ": config.get("zone") or "Etc/UTC"},
    services=[
        ServiceInstance("database", space=space, credentials=database, requires=["uri"], label="postgresql"),
        ServiceInstance("store", space=space, credentials=store, requires=["uri", "bucket"], label="s3"),
    ],
)

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
