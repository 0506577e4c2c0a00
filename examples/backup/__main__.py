"""A backup of a database to an object store, and a task that proves that it can be restored.

Database and store are for trying out (`servers.py`). With your own, set their credentials instead: `pulumi config set
--secret --path database.uri postgresql://…`, `--path store.secret_access_key …`, and so on for `uri`, `bucket`,
`region` and `access_key_id` of the store.
"""

from pathlib import Path

import pulumi
import servers
from kf_tasks import App, ServiceInstance, Space, Task

ORDERS = """
CREATE TABLE customers (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE orders (id integer PRIMARY KEY, customer integer REFERENCES customers, amount numeric(10, 2));
INSERT INTO customers SELECT n, 'customer ' || n FROM generate_series(1, 50) AS n;
INSERT INTO orders SELECT n, 1 + n % 50, n * 1.25 FROM generate_series(1, 1000) AS n;
"""

config = pulumi.Config()
space = Space(config.get("space") or f"backup-{pulumi.get_stack()}", memory="128M", disk="128M", cpu="10m")
database, of_database = servers.database(space, ORDERS)
store, of_store = servers.store(space, "backups")

app = App(
    "shop",
    space=space,
    image=servers.image("clients"),
    services=[
        ServiceInstance("database", space=space, credentials=database, requires=["uri"], label="postgresql"),
        ServiceInstance("store", space=space, credentials=store, requires=["uri", "bucket"], label="s3"),
    ],
)
script = (Path(__file__).parent / "backup.py").read_text()
name = config.get("name") or "shop.dump"
backup = Task(
    "backup",
    app=app,
    command=["python3", "-c", script, "backup", name],
    timeout="10m",
    opts=pulumi.ResourceOptions(depends_on=[*of_database, *of_store]),
)
verify = Task(
    "verify",
    app=app,
    command=["python3", "-c", script, "verify", name],
    triggers=[backup.run],
    timeout="10m",
    opts=pulumi.ResourceOptions(depends_on=[backup]),
)

pulumi.export("backup", backup.log)
pulumi.export("verify", verify.log)
