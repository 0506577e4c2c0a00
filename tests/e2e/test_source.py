"""From a folder to a finished task: uploaded, built in the cluster, run; once for each change, never without one."""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import urllib3

from .. import registries
from .conftest import CHECKOUT, RUNS, Stack, kubectl, objects

EXAMPLE = CHECKOUT / "examples/source"
PROGRAM = (
    "from kf_tasks import Source\n"
    "space = Space(NS, memory='32M', disk='64M', cpu='10m', registry={registry}, builder_image=f'{{R}}/buildah:1.45')\n"
    "app = App('shop', space=space, source=Source('app', memory='256M', disk='1G'))\n"
    "task = Task('look', app=app, command='cat /word')\n"
)
SANDBOX = "f'http://{R}'"


def declare(stack: Stack, dockerfile: str, registry: str = SANDBOX) -> Stack:
    folder = stack.folder / "app"
    folder.mkdir(exist_ok=True)
    (folder / "Dockerfile").write_text(dockerfile.replace("BUSYBOX", f"{os.environ['SANDBOX_REGISTRY']}/busybox:1"))
    return stack.write(PROGRAM.format(registry=registry))


def test_the_example_runs_once_for_each_change_of_its_folder(stacks: Callable[..., Stack], tmp_path: Path) -> None:
    stack = stacks("example", project="source")
    shutil.copy(EXAMPLE / "__main__.py", stack.folder)
    shutil.copytree(EXAMPLE / "app", stack.folder / "app")
    stack.pulumi("config", "set", "space", stack.namespace).ok()
    first = stack.up().ok().text
    assert "will build: first build" in first and "Hello from a folder" in first
    image = stack.outputs()["image"]
    assert "@sha256:" in image

    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(stack.folder / "app", elsewhere)
    (elsewhere / "greeting.txt").chmod(0o600)
    os.utime(elsewhere / "greet.py", (1, 1))
    (elsewhere / ".git").mkdir()
    (elsewhere / "empty").mkdir()
    stack.pulumi("config", "set", "folder", str(elsewhere)).ok()
    unchanged = stack.up().ok().text
    assert "build" not in unchanged.split("Diagnostics")[-1] and stack.outputs()["image"] == image

    (elsewhere / "greeting.txt").write_text("Hello again")
    (elsewhere / "new.txt").write_text("new")
    (elsewhere / ".env").write_text("PASSWORD=hunter2hunter2")
    (elsewhere / ".dockerignore").write_text("node_modules\n")
    (elsewhere / "node_modules").mkdir()
    (elsewhere / "node_modules/x.js").write_text("x")
    shown = stack.preview().ok().text
    assert "will build: source changed: +.dockerignore, ~greeting.txt, +new.txt" in shown
    assert "; the largest: " in shown
    assert "left out, as they may hold secrets: .env (a line '!.env' in .kfignore takes it in)" in shown
    assert "may run: image is known only during the update" in shown
    again = stack.up().ok().text
    assert "run: image changed" in again and stack.outputs()["greeting"] == "Hello again"

    builds = objects(RUNS, stack.namespace, "app.kubernetes.io/component=build")
    assert len(builds) == 2 and len(stack.runs("greeter")) == 2
    for listed in (stack.kf("tasks"), stack.kf("tasks", "greeter")):
        assert "greet" in listed.ok().text and "build" not in listed.text
    ids = [run["metadata"]["labels"]["kf.dev/task-id"] for run in stack.runs("greeter")]
    assert ids == ["1", "2"]
    for key, value in (("builder", "builder:1"), ("run-image", "run:1")):
        stack.pulumi("config", "set", key, f"{os.environ['SANDBOX_REGISTRY']}/buildpacks/{value}").ok()
    moved = stack.preview().ok().text
    assert "will build: builder changed: '' → " in moved and "; run_image changed: '' → " in moved
    assert "Hello again" in stack.up().ok().text and stack.outputs()["image"] != image
    stack.destroy().ok()
    assert not objects(RUNS, stack.namespace)


def test_a_build_that_fails_is_told_recorded_nowhere_and_tried_again(stack: Stack) -> None:
    declare(stack, "FROM BUSYBOX\nRUN echo before; echo reason >&2; exit 7\n")
    failed = stack.up().failed().text
    assert "build of app 'shop' failed: exit code" in failed and "the next update tries it again" in failed
    assert "reason" in failed.split("last lines of its log")[1]
    assert "build: step build failed with exit code" in failed
    assert not [
        r for r in stack.state()["deployment"]["resources"] if r["urn"].endswith("::shop.build") and "Run" in r["type"]
    ]
    assert "will build: the last attempt failed: run shop-build-image-" in stack.preview().ok().text
    assert not stack.runs()
    declare(stack, "# a note that stays here\nFROM BUSYBOX\nRUN echo repaired > /word && chown 12 /word\nUSER 1000\n")
    assert "repaired" in stack.up().ok().text
    state = json.dumps(stack.state())
    assert '"files": {"Dockerfile": "' in state and "a note that stays here" not in state
    run = objects(RUNS, stack.namespace, "app.kubernetes.io/component=build")[-1]
    step = run["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]["steps"][0]
    assert step["securityContext"]["capabilities"] == {"drop": ["ALL"], "add": ["SETUID", "SETGID", "SETFCAP"]}


def test_a_dockerfile_of_today_is_built(stack: Stack) -> None:
    dockerfile = """# syntax=docker/dockerfile:1
FROM BUSYBOX
WORKDIR /srv/shop
RUN <<EOF
set -e
echo "a here-document" > /ran
EOF
COPY <<EOF /word
key = value
EOF
COPY --link linked /linked
COPY --chmod=a+rX,o-r uv.lock /symbolic
RUN --mount=type=cache,target=.cache/uv --mount=type=bind,source=uv.lock,target=uv.lock \\
    { cat uv.lock /ran /linked; stat -c %a /symbolic; } >> /word
ENTRYPOINT []
"""
    declare(stack, dockerfile)
    for name in ("linked", "uv.lock"):
        (stack.folder / "app" / name).write_text(f"{name} is here\n")
    shown = stack.up().ok().text
    for line in ("key = value", "uv.lock is here", "a here-document", "linked is here", "640"):
        assert line in shown


def test_folders_and_images_as_people_have_them(stack: Stack) -> None:
    program = PROGRAM.replace("registry={registry}", "registry={registry}, image_name='flat-{{namespace}}-{{app}}'")
    dockerfile = (
        "FROM BUSYBOX\nCOPY . /srv\nRUN test -d /srv/storage/logs && ls -A /srv > /word\n"
        "RUN mkdir -p /home/app && chown 1001:0 /home/app && echo app:x:1001:0::/:/bin/sh >> /etc/passwd\n"
        "WORKDIR /home/app\nCOPY --chown=1001:0 run.sh ./\nRUN chmod 0700 . run.sh\n"
    )
    declare(stack, f"{dockerfile}USER 1001\n").write(program.format(registry=SANDBOX).replace("cat /word", "./run.sh"))
    files = {
        "storage/logs/.gitignore": "*\n", ".dockerignore": "node_modules\n*.txt\n", "node_modules/x.js": "",
        "a.txt": "",
        ".env": "PASSWORD=hunter2hunter2", "app.js": "1", "run.sh": "#!/bin/sh\nid\ncat /word\n",
    }  # fmt: skip
    for path, text in files.items():
        (stack.folder / "app" / path).parent.mkdir(parents=True, exist_ok=True)
        (stack.folder / "app" / path).write_text(text)
    (stack.folder / "app/run.sh").chmod(0o755)
    shown = stack.up().ok().text
    assert "sends 5 files, " in shown and "left out, as they may hold secrets: .env (a line" in shown
    assert "uid=1001" in shown and "app.js" in shown and "node_modules" not in shown and "a.txt" not in shown
    task = next(run for run in stack.runs("shop") if run["metadata"]["labels"]["kf.dev/task"] == "look")
    step = task["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]["steps"][0]
    assert f"/flat-{stack.namespace}-shop@sha256:" in step["image"] and step["securityContext"]["runAsUser"] == 1001
    assert "will" not in stack.preview().ok().text.split("Diagnostics")[-1]

    dockerfile = dockerfile.replace("BUSYBOX", f"{os.environ['SANDBOX_REGISTRY']}/busybox:1")
    (stack.folder / "app/Dockerfile").write_text(f"{dockerfile}USER app\n")
    failed = stack.up().failed().text
    assert "its image runs as 'app', a name that tells Kubernetes no number: its tasks run as user 1000." in failed
    assert "the command ran as user 1000: if another one may do it, name it with security_context" in failed


def test_a_registry_that_is_down_or_a_folder_that_cannot_be_built_is_one_clear_error(stack: Stack) -> None:
    declare(stack, "FROM BUSYBOX\n", registry="'http://127.0.0.1:9'")
    down = stack.up().failed().text
    assert (
        "build of app 'shop' cannot be started: source "
        f"'{stack.folder}/app' could not be uploaded: registry 127.0.0.1:9 does not answer"
    ) in down
    assert "Traceback" not in down and not objects(RUNS, stack.namespace)
    (stack.folder / "app/.kfignore").write_text("Docker*\n")
    assert "has no files, or all of them are ignored" in stack.preview().failed().text
    (stack.folder / "app/other").write_text("")
    assert "source 'app' has no Dockerfile, or ignores it" in stack.preview().failed().text


def test_a_registry_that_wants_credentials_is_given_those_of_the_secret(stack: Stack, tmp_path: Path) -> None:
    body = (
        "from kf_tasks import Source\n"
        "space = Space(NS, registry={registry!r}, registry_secret='registry', builder_image=f'{{R}}/buildah:1.45')\n"
        "k8s.core.v1.Secret('registry', metadata={{'name': 'registry', 'namespace': NS}}, "
        "type='kubernetes.io/dockerconfigjson', string_data={{'.dockerconfigjson': {config!r}}}, "
        "opts=ResourceOptions(provider=space.provider, depends_on=space.resources))\n"
        "{app}"
    )
    body = body.replace("k8s.core", "secret = k8s.core")
    app = (
        "app = App('shop', space=space, source=Source('app', memory='256M', disk='1G'), "
        "opts=ResourceOptions(depends_on=[secret]))\npulumi.export('image', app.image)\n"
    )
    with registries.serve(tmp_path, this_machine(), locked=True) as address:
        declare(stack, "FROM scratch\nCOPY Dockerfile /\n")
        token = base64.b64encode(f"{registries.USER}:{registries.PASSWORD}".encode()).decode()
        given = {"registry": f"http://{address}/team", "config": json.dumps({"auths": {address: {"auth": token}}})}
        done = stack.write(body.format(**given, app=app)).up().ok()
        assert registries.PASSWORD not in done.text and token not in done.text
        image = stack.outputs()["image"]
        assert image.startswith(f"{address}/team/{stack.namespace}/shop@sha256:")

        # The same Secret tells what a tag stands for; who may not read it is told what was done in its place.
        tag = tag_of(stack)
        resolved = (
            f"other = App('other', space=space, image={tag!r}, resolve_tag=True)\npulumi.export('same', other.image)\n"
        )
        stack.write(body.format(**given, app=app + resolved)).up().ok()
        assert stack.outputs()["same"].partition("@")[2] == image.partition("@")[2]
        (tmp_path / "config.json").write_text(given["config"])
        stack.env["DOCKER_CONFIG"] = str(tmp_path)
        with reader(stack):
            shown = stack.write(body.format(**given, app=app + resolved.replace("other", "third"))).preview().ok().text
        assert "app 'third': registry_secret: " in shown and 'cannot get resource "secrets"' in shown
        assert "its tag is resolved with what docker login left here" in shown


def test_an_application_of_a_manifest_is_built_from_its_path(stack: Stack) -> None:
    base = os.environ["SANDBOX_REGISTRY"]
    shop = stack.folder / "shop"
    (shop / "build").mkdir(parents=True)
    (shop / "build/Dockerfile").write_text(f"FROM {base}/busybox:1\nCOPY word /word\n")
    (shop / "word").write_text("from a path")
    application = {
        "name": "shop", "task": True, "path": "shop", "dockerfile": {"path": "build/Dockerfile"}, "memory": "32M",
        "tasks": [{"name": "look", "command": "cat /word"}],
    }  # fmt: skip
    (stack.folder / "manifest.yml").write_text(json.dumps({"applications": [application]}))
    shutil.copy(CHECKOUT / "__main__.py", stack.folder)
    stack.pulumi("config", "set", "kf:space", stack.namespace).ok()
    done = stack.up().ok().text
    assert "will build: first build" in done and "from a path" in done


def test_a_tag_is_resolved_and_a_registry_that_does_not_answer_is_no_reason_to_run(stack: Stack) -> None:
    place = os.environ["SANDBOX_REGISTRY"]
    body = (
        "space = Space(NS, memory='32M', disk='64M', cpu='10m', registry={registry})\n"
        "app = App('shop', space=space, image={image}, resolve_tag=True)\n"
        "task = Task('look', app=app, command='true')\n"
        "pulumi.export('image', app.image)\n"
    )
    tag = f"{stack.namespace}/shop:1"
    put(place, "busybox:1", tag)
    stack.write(body.format(registry=SANDBOX, image=f"f'{{R}}/{tag}'")).up().ok()
    first = stack.outputs()["image"]
    assert first.startswith(f"{place}/{tag}@sha256:") and len(stack.runs()) == 1

    put(place, "python:3", tag)
    moved = stack.preview().ok().text
    assert f"will run: image changed: {first[:-52]} → @sha256:" in moved
    # The same address over TLS gets no answer from this registry: the digest recorded last stands.
    stack.write(body.format(registry="None", image=f"f'{{R}}/{tag}'"))
    silent = stack.preview().ok().text
    assert f"The digest of {place}/{tag} recorded last stands: {first[-71:]}" in " ".join(silent.split())
    assert "will run" not in silent
    stack.up().ok()
    assert len(stack.runs()) == 1 and stack.outputs()["image"] == first

    stack.write(body.format(registry=SANDBOX, image=f"f'{{R}}/{stack.namespace}/none:1'"))
    assert f"app 'shop': image {place}/{stack.namespace}/none:1 does not exist" in stack.preview().failed().text


def tag_of(stack: Stack) -> str:
    """The tag by which the last build was pushed."""
    run = objects(RUNS, stack.namespace, "app.kubernetes.io/component=build")[-1]
    arguments = run["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]["steps"][0]["args"]
    return str(next(text for text in arguments if ":build-" in text))


@contextmanager
def reader(stack: Stack) -> Iterator[None]:
    """Previews with credentials that may read anything but Secrets."""
    role = f"reader-{stack.namespace}"
    kubectl("create", "serviceaccount", "reader", "-n", stack.namespace)
    kinds = "pipelineruns.tekton.dev,configmaps,namespaces,pods,serviceaccounts"
    kubectl("create", "clusterrole", role, "--verb=get,list", f"--resource={kinds}")
    kubectl("create", "clusterrolebinding", role, f"--clusterrole={role}", f"--serviceaccount={stack.namespace}:reader")
    config = json.loads(kubectl("config", "view", "--raw", "-o", "json"))
    token = kubectl("create", "token", "reader", "-n", stack.namespace).strip()
    config["users"] = [{**user, "user": {"token": token}} for user in config["users"]]
    path, before = stack.folder / "reader.json", stack.env["KUBECONFIG"]
    path.write_text(json.dumps(config))
    stack.env["KUBECONFIG"] = str(path)
    try:
        yield
    finally:
        stack.env["KUBECONFIG"] = before
        kubectl("delete", "clusterrole,clusterrolebinding", role)


def this_machine() -> str:
    """Its address as pods reach it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        asked.connect((os.environ["SANDBOX_REGISTRY"].partition(":")[0], 9))
        found: str = asked.getsockname()[0]
        return found


def put(place: str, image: str, tag: str) -> None:
    """Gives an image of the sandbox another name."""
    name, _, old = image.partition(":")
    repository, _, new = tag.partition(":")
    base = f"http://{place}/v2"
    kind = "application/vnd.oci.image.manifest.v1+json"
    manifest = urllib3.request("GET", f"{base}/{name}/manifests/{old}", headers={"Accept": kind}).data
    content = json.loads(manifest)
    for blob in (content["config"], *content["layers"]):
        mounted = urllib3.request("POST", f"{base}/{repository}/blobs/uploads/?mount={blob['digest']}&from={name}")
        assert mounted.status == 201, mounted.data
    done = urllib3.request("PUT", f"{base}/{repository}/manifests/{new}", body=manifest, headers={"Content-Type": kind})
    assert done.status == 201, done.data
