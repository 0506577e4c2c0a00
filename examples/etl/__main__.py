"""Extract, transform, load: from PostgreSQL through an object store and back, each task with what the one before found.

`extract` and `transform` write results to files in $KF_RESULTS. They are Outputs afterwards, so the next task gets them
in its command, runs after the one before, and runs again when they change.
With servers of your own: `pulumi config set --secret --path database.uri postgresql://…`, and so on for `store`.
"""

from pathlib import Path

import pulumi
import servers
from kf_tasks import App, ServiceInstance, Space, Task

ORDERS = """
CREATE TABLE orders (id serial PRIMARY KEY, day date NOT NULL, product text NOT NULL, amount integer NOT NULL);
CREATE TABLE totals (day date, product text, total bigint, PRIMARY KEY (day, product));
INSERT INTO orders (day, product, amount) VALUES
    ('2026-01-31', 'tea', 12), ('2026-01-31', 'books', 30), ('2026-01-31', 'tea', 8), ('2026-02-01', 'pens', 99);
"""

config = pulumi.Config()
day = config.get("day") or "2026-01-31"
space = Space(config.get("space") or f"etl-{pulumi.get_stack()}", memory="128M", disk="64M", cpu="10m")
database, of_database = servers.database(space, ORDERS)
store, of_store = servers.store(space, "warehouse")

app = App(
    "etl",
    space=space,
    image=servers.image("clients"),
    services=[
        ServiceInstance("database", space=space, credentials=database, requires=["uri"], label="postgresql"),
        ServiceInstance("store", space=space, credentials=store, requires=["uri", "bucket"], label="s3"),
    ],
)
script = (Path(__file__).parent / "etl.py").read_text()
extract = Task(
    "extract",
    app=app,
    command=["python3", "-c", script, "extract", day],
    results=["object", "rows"],
    timeout="10m",
    opts=pulumi.ResourceOptions(depends_on=[*of_database, *of_store]),
)
transform = Task(
    "transform",
    app=app,
    command=["python3", "-c", script, "transform", extract.results["object"]],
    results=["object", "total"],
    timeout="10m",
)
load = Task("load", app=app, command=["python3", "-c", script, "load", transform.results["object"]], timeout="10m")

pulumi.export("rows", extract.results["rows"])
pulumi.export("total", transform.results["total"])
pulumi.export("load", {"state": load.state, "log": load.log})
