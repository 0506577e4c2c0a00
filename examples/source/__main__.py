"""A folder becomes an image in the cluster, and a task runs in it: again when a file of the folder changes.

`app/` holds a program and two ways to build it. By its Dockerfile; with a registry of your own: `pulumi config set
registry registry.example.com/team` and `pulumi config set base python:3-slim`. Or by buildpacks, which start what
the Procfile says: `pulumi config set builder paketobuildpacks/builder-jammy-base`.
"""

import os
from typing import Any

import pulumi
from kf_tasks import App, Source, Space, Task

config = pulumi.Config()
sandbox = os.environ.get("SANDBOX_REGISTRY")
registry = config.get("registry") or (f"http://{sandbox}" if sandbox else None)
if not registry:
    raise pulumi.RunError("no image registry: pulumi config set registry HOST/FOLDER, or set SANDBOX_REGISTRY")
base = config.get("base") or f"{sandbox}/python:3"
images: dict[str, Any] = (
    {"builder_image": f"{sandbox}/buildah:1.45", "submitter_image": f"{sandbox}/python:3"} if sandbox else {}
)
space = Space(
    config.get("space") or f"source-{pulumi.get_stack()}",
    memory="64M", disk="64M", cpu="10m", registry=registry, **images,
)  # fmt: skip
folder, builder = config.get("folder") or "app", config.get("builder")
if builder:
    source = Source(folder, builder=builder, run_image=config.get("run-image"), memory="256M", disk="1G")
else:
    source = Source(folder, build_args={"BASE": base}, memory="256M", disk="1G")
app = App("greeter", space=space, source=source)
command = None if builder else "python3 greet.py"
greet = Task("greet", app=app, command=command, results=["greeting"], timeout="5m")

pulumi.export("image", app.image)
pulumi.export("greeting", greet.results["greeting"])
