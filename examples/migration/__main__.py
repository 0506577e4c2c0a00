"""A web application goes live only after Alembic has migrated its database; until then the one before it answers.

`app/` holds the application and its migrations. Here they reach the pods in a ConfigMap, so that nothing has to be
built; an image of your own has them inside (`examples/source`).
The database is for trying out (`servers.py`). With your own: `pulumi config set --secret --path database.uri
postgresql://…`.
"""

import hashlib
import json
from pathlib import Path

import pulumi
import pulumi_kubernetes as kubernetes
import servers
from kf_tasks import App, ServiceInstance, Space, Task

config = pulumi.Config()
space = Space(config.get("space") or f"migration-{pulumi.get_stack()}", memory="128M", disk="64M", cpu="10m")
database, ready = servers.database(space)

folder = Path(__file__).parent / "app"
sources = sorted(path for path in folder.rglob("*") if path.suffix in (".ini", ".py"))
files = {str(path.relative_to(folder)): path.read_text() for path in sources}
data = {name.replace("/", "."): text for name, text in files.items()}
digest, migrations = (  # the first names the ConfigMap, a change of the second lets the task run again
    hashlib.sha256(json.dumps(part, sort_keys=True).encode()).hexdigest()[:8]
    for part in (files, {name: text for name, text in files.items() if name != "web.py"})
)
code = kubernetes.core.v1.ConfigMap(
    "app",  # another content is another object: what runs keeps the one that it has
    metadata={"name": f"app-{digest}", "namespace": space.namespace},
    data=data,
    immutable=True,
    opts=pulumi.ResourceOptions(provider=space.provider, depends_on=space.resources),
)
items = [{"key": name.replace("/", "."), "path": name} for name in files]
volume = {"name": "app", "configMap": {"name": code.metadata["name"], "items": items}}
mount = {"name": "app", "mountPath": "/srv/app"}

db = ServiceInstance("database", space=space, credentials=database, requires=["uri"], label="postgresql")
image = servers.image("clients")
app = App("shop", space=space, image=image, services=[db], volumes=[volume], volume_mounts=[mount])
migrate = Task(
    "migrate",
    app=app,
    command="cd /srv/app && python3 -m alembic upgrade head"
    " && python3 -m alembic current | cut -d ' ' -f 1 | tr -d '\\n' >$KF_RESULTS/revision",
    triggers=[migrations],
    results=["revision"],
    timeout="15m",
    opts=pulumi.ResourceOptions(depends_on=ready),
)

labels = {"app": "shop-web"}
container = {
    "name": "web",
    "image": image,
    "command": ["python3", "-m", "gunicorn", "--bind", ":8000", "--worker-tmp-dir", "/dev/shm", "web:answer"],
    "workingDir": "/srv/app",
    "env": pulumi.Output.all(app.env, migrate.results["revision"]).apply(
        lambda them: [*them[0], {"name": "REVISION", "value": them[1]}]
    ),
    "readinessProbe": {"httpGet": {"path": "/", "port": 8000}, "periodSeconds": 1, "timeoutSeconds": 5},
    "volumeMounts": [mount],
    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
}
web = kubernetes.apps.v1.Deployment(
    "web",
    metadata={"name": "web", "namespace": space.namespace},
    spec={
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {"labels": labels},
            "spec": {
                "containers": [container],
                "volumes": [volume],
                "securityContext": {"runAsNonRoot": True, "runAsUser": 1000},
                "terminationGracePeriodSeconds": 5,
            },
        },
    },
    opts=pulumi.ResourceOptions(provider=space.provider, depends_on=[migrate]),
)
kubernetes.core.v1.Service(
    "web",
    metadata={"name": "web", "namespace": space.namespace},
    spec={"selector": labels, "ports": [{"port": 80, "targetPort": 8000}]},
    opts=pulumi.ResourceOptions(provider=space.provider, depends_on=[web]),
)

pulumi.export("revision", migrate.results["revision"])
pulumi.export("run", migrate.run)
