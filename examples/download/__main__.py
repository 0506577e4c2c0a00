"""A file is fetched by HTTP into a volume, with retries, and kept only with the right digest; a second task reads it.

The web server is one for trying out, and starts beside the task, which tries until it is there. With a file of your
own: `pulumi config set url https://…` and `pulumi config set sha256 …`. The volume is a claim for the cluster's default
storage class, or for the PersistentVolume that `pulumi config set volume NAME` names.
"""

import hashlib
from pathlib import Path

import pulumi
import pulumi_kubernetes as kubernetes
import servers
from kf_tasks import App, ServiceInstance, Space, Task

PRICES = "".join(f"{number},product {number},{number * 1.25:.2f}\n" for number in range(1, 1001))

config = pulumi.Config()
space = Space(config.get("space") or f"download-{pulumi.get_stack()}", memory="64M", disk="64M", cpu="10m")
url, digest = config.get("url"), config.get("sha256")
if url is None:
    servers.Server(
        "web",
        space=space,
        image=servers.image("busybox"),
        ports={"http": 8080},
        probe={"tcpSocket": {"port": 8080}},
        command=["httpd", "-f", "-p", "8080", "-h", "/files"],
        files={"prices.csv": PRICES},
    )
    url, digest = "http://web:8080/prices.csv", hashlib.sha256(PRICES.encode()).hexdigest()
elif digest is None:
    raise pulumi.RunError("no digest: pulumi config set sha256 DIGEST, of the file that url names")

volume = config.get("volume")
existing = {"volumeName": volume, "storageClassName": ""} if volume else {}
claim = kubernetes.core.v1.PersistentVolumeClaim(
    "files",
    metadata={
        "name": "files",
        "namespace": space.namespace,
        "annotations": {"pulumi.com/skipAwait": "true"},  # of a class that binds when the first pod comes
    },
    spec={"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "16Mi"}}, **existing},
    opts=pulumi.ResourceOptions(provider=space.provider, depends_on=space.resources),
)
files = ServiceInstance("files", space=space, volume_mounts=[{"claim": "files", "path": "/data"}])
app = App("prices", space=space, image=servers.image("clients"), services=[files])

script = (Path(__file__).parent / "fetch.sh").read_text()
fetch = Task(
    "fetch",
    app=app,
    command=["/bin/sh", "-c", script, "fetch", "/data/prices.csv"],
    env={"URL": url, "SHA256": digest},
    retries=2,
    timeout="15m",
    opts=pulumi.ResourceOptions(depends_on=[claim]),
)
COUNT = """awk -F, '{ sum += $3 } END { printf "%d prices, in all %.2f\\n", NR, sum }' /data/prices.csv"""
count = Task(
    "count", app=app, command=COUNT, triggers=[digest], timeout="5m", opts=pulumi.ResourceOptions(depends_on=[fetch])
)

pulumi.export("fetch", fetch.log)
pulumi.export("count", count.log)
