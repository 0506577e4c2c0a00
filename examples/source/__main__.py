"""A folder becomes an image in the cluster, and a task runs in it: again when a file of the folder changes.

`app/` holds the three files. With a registry of your own: `pulumi config set registry registry.example.com/team`
and `pulumi config set base python:3-slim`.
"""

import os

import pulumi

from components import App, Source, Space, Task

config = pulumi.Config()
sandbox = os.environ.get("SANDBOX_REGISTRY")
registry = config.get("registry") or (f"http://{sandbox}" if sandbox else None)
if not registry:
    raise pulumi.RunError("no image registry: pulumi config set registry HOST/FOLDER, or set SANDBOX_REGISTRY")
base = config.get("base") or f"{sandbox}/python:3"
builder = {"builder_image": f"{sandbox}/buildah:1"} if sandbox else {}
space = Space(
    config.get("space") or f"source-{pulumi.get_stack()}",
    memory="64M", disk="64M", cpu="10m", registry=registry, **builder,
)  # fmt: skip
app = App(
    "greeter",
    space=space,
    source=Source(config.get("folder") or "app", build_args={"BASE": base}, memory="256M", disk="1G"),
)
greet = Task("greet", app=app, command="python3 greet.py", results=["greeting"], timeout="5m")

pulumi.export("image", app.image)
pulumi.export("greeting", greet.results["greeting"])
