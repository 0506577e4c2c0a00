"""A program that uses every component, and every form that an argument may have; type checkers accept it."""

import pulumi
import pulumi_kubernetes as kubernetes
from kf_tasks import (
    App,
    Binding,
    Heartbeat,
    Postgres,
    SecurityGroup,
    ServiceInstance,
    Source,
    Space,
    Task,
    TaskSchedule,
    Webhook,
)

config = pulumi.Config()
tag = pulumi.Output.from_input("1.0")
internal = SecurityGroup(
    "internal", egress=[{"protocol": "tcp", "destination": "10.0.0.0/8", "ports": "443"}], dns=True
)
space = Space(
    "shop-dev",
    env={"TZ": "Europe/Berlin", "TAG": tag, "TOKEN": config.require_secret("token")},
    memory="512M",
    disk="1G",
    cpu=0.5,
    timeout="2h",
    keep=20,
    keep_failed=3,
    max_age="30d",
    min_history="7d",
    log_archive="file:///logs",
    labels={"team": "shop"},
    annotations=pulumi.Output.from_input({"note": "a"}),
    node_selector={"disk": "ssd"},
    tolerations=[{"key": "dedicated", "operator": "Exists"}],
    image_pull_secrets=["pull"],
    security_groups=[internal],
    registry="registry.example.com/team",
    registry_secret="push",
    builder_image="buildah",
    quota={"memory": "8G", "pods": 50},
    limit_range={"default": {"memory": "64M"}},
    pod_security="restricted",
    submitter_image="python:3-slim",
    notify=[Webhook(config.require_secret("chat"), on=["failed"], format="slack"), Heartbeat("https://hc-ping.com/a")],
    opts=pulumi.ResourceOptions(protect=False),
)
database = ServiceInstance(
    "db", space=space, credentials=Postgres(uri=config.require_secret("uri"), port=5432), requires=["uri"], tags=["sql"]
)
mail = ServiceInstance("mail", space=space, credentials={"host": "smtp", "port": 25, "tls": {"on": True}}, label="smtp")
app = App(
    "shop",
    space=space,
    image=pulumi.Output.format("registry/shop:{0}", tag),
    command=["serve", tag],
    args=["--verbose", tag],
    env={"MODE": "web"},
    memory="256M",
    cpu="250m",
    cpu_limit=1,
    keep=10,
    pinned=["shop-migrate-72e68f0c-1"],
    services=[database, Binding(mail, binding_name="post", parameters={"from": "shop"})],
    vcap_services="file",
    security_groups=[SecurityGroup("closed", ingress=[])],
    volumes=[{"name": "scratch", "emptyDir": {}}],
    volume_mounts=[{"name": "scratch", "mountPath": "/scratch"}],
    security_context={"runAsUser": 1000},
    automount_service_account_token=True,
)
built = App(
    "built",
    space=space,
    source=Source("./app", dockerfile="Dockerfile", build_args={"TAG": tag}, ignore=["*.log"], memory="1G", cpu="1"),
    entrypoint="/launch",
    resolve_tag=False,
)
packed = App("packed", space=space, source="./packed")
migrate = Task(
    "migrate",
    app=app,
    command="./manage.py migrate",
    env={"DIRECT": "yes", "PASSWORD": config.require_secret("password")},
    memory="1G",
    timeout="30m",
    start_timeout="5m",
    retries=1,
    when="trigger",
    triggers=[tag, 1, {"schema": app.image}],
    must_succeed=True,
    at_most_once=True,
    results=["schema"],
    log="tail",
    notify=[Webhook(pulumi.Output.format("https://hooks.example.com/{0}", tag), ca=config.get_secret("ca"))],
    opts=pulumi.ResourceOptions(depends_on=[database]),
)
load = Task("load", app=built, command=["load", migrate.results["schema"]], args=[tag], wait=False, log="none")
nightly = TaskSchedule(
    "nightly",
    app=app,
    command="./report",
    schedule="0 4 * * mon-fri",
    time_zone="Europe/Berlin",
    concurrency_policy="Forbid",
    starting_deadline="2h",
    catch_up=True,
    env={"NIGHT": "yes"},
    notify=[],
)
state: pulumi.Output[str] = load.state
code: pulumi.Output[int | None] = migrate.exit_code
results: pulumi.Output[dict[str, str]] = migrate.results
pulumi.export("state", state)
pulumi.export("code", code)
pulumi.export("schema", results["schema"])
pulumi.export("image", packed.image)
pulumi.export("labels", app.labels)
pulumi.export("namespace", space.namespace)
container = kubernetes.core.v1.ContainerArgs(name="web", image=app.image, env=app.env)
pod = kubernetes.core.v1.PodTemplateSpecArgs(
    metadata=kubernetes.meta.v1.ObjectMetaArgs(labels=app.labels),
    spec=kubernetes.core.v1.PodSpecArgs(containers=[container]),
)
kubernetes.apps.v1.Deployment(
    "web",
    metadata=kubernetes.meta.v1.ObjectMetaArgs(namespace=space.namespace),
    spec=kubernetes.apps.v1.DeploymentSpecArgs(
        selector=kubernetes.meta.v1.LabelSelectorArgs(match_labels=app.labels), template=pod
    ),
)
