"""Extract, transform, load: each task takes what the one before it found out.

`extract` writes results to files in $KF_RESULTS; they are Outputs afterwards, so `load` gets them as
its command, runs after `extract`, and runs again when they change.
"""

import os

import pulumi
from kf_tasks import App, Space, Task

config = pulumi.Config()
registry = config.get("registry") or os.environ.get("SANDBOX_REGISTRY")
if not registry:
    raise pulumi.RunError("no image registry: pulumi config set registry HOST:PORT, or set SANDBOX_REGISTRY")
day = config.get("day") or "2026-01-31"

space = Space(config.get("space") or f"etl-{pulumi.get_stack()}", memory="64M", disk="64M", cpu="10m")
app = App("etl", space=space, image=f"{registry}/python:3")

EXTRACT = """
import os, pathlib, sys
rows = [(sys.argv[1], amount) for amount in (12, 30, 8)]
print("extracted", len(rows), "rows of", sys.argv[1])
folder = pathlib.Path(os.environ["KF_RESULTS"])
(folder / "rows").write_text(str(len(rows)))
(folder / "total").write_text(str(sum(amount for _, amount in rows)))
"""
extract = Task("extract", app=app, command=["python3", "-c", EXTRACT, day], results=["rows", "total"])

LOAD = "import sys; print('loaded', sys.argv[1], 'rows, in all', sys.argv[2])"
load = Task("load", app=app, command=["python3", "-c", LOAD, extract.results["rows"], extract.results["total"]])

pulumi.export("total", extract.results["total"])
pulumi.export("load", {"state": load.state, "log": load.log})
