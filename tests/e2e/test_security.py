"""Where tasks may run and what they may do: Pod Security, network rules, volumes, placement, quotas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .conftest import RUNS, Stack, kubectl, objects

IMPORT = "from kf_tasks import Binding, SecurityGroup, ServiceInstance\n"
CONFINED = """
space = Space(NS, memory='32M', disk='64M', cpu='10m', pod_security='restricted',
    quota={'memory': '0.5G', 'limits.memory': '1024M', 'cpu': '1000m', 'pods': 10},
    limit_range={'max': {'memory': '1536Mi'}, 'default': {'memory': '64M', 'cpu': 1},
                 'default_request': {'memory': '16M', 'cpu': '10m'}},
    security_groups=[SecurityGroup('all-apps', egress=[{'protocol': 'all', 'destination': '10.0.0.0-10.255.255.255'}])],
    labels={'team': 'shop'}, node_selector={'kubernetes.io/os': 'linux'})
on = ResourceOptions(provider=space.provider)
def beside(name): return {'name': name, 'namespace': NS}
settings = k8s.core.v1.ConfigMap('settings', metadata=beside('settings'), data={'mode': 'fast'}, opts=on)
keys = k8s.core.v1.Secret('keys', metadata=beside('keys'), string_data={'key': 'open-sesame-1'}, opts=on)
k8s.core.v1.PersistentVolume('data', metadata={'name': NS}, spec={'capacity': {'storage': '1Mi'},
    'storageClassName': '', 'accessModes': ['ReadWriteMany'], 'hostPath': {'path': os.environ['DATA']}}, opts=on)
claim = k8s.core.v1.PersistentVolumeClaim('data', metadata={**beside('data'),
    'annotations': {'pulumi.com/skipAwait': 'true'}}, spec={'accessModes': ['ReadWriteMany'], 'storageClassName': '',
    'volumeName': NS, 'resources': {'requests': {'storage': '1Mi'}}}, opts=on)
urgent = k8s.scheduling.v1.PriorityClass('urgent', metadata={'name': NS}, value=7, opts=on)
plain = k8s.node.v1.RuntimeClass('plain', metadata={'name': NS}, handler='runc', opts=on)
files = ServiceInstance('files', space=space, volume_mounts=[{'claim': 'data', 'path': '/data'}])
app = App('shop', space=space, image=f'{R}/busybox:1', services=[files], labels={'tier': 'back'}, memory='0.0625G',
    disk='65M', cpu='1000m', cpu_limit=2,
    security_groups=[SecurityGroup('mail', egress=[{'ports': '25', 'destination': '10.1.2.3'}], ingress=[])],
    tolerations=[{'key': 'dedicated', 'operator': 'Exists', 'effect': 'NoSchedule'}],
    affinity={'nodeAffinity': {'preferredDuringSchedulingIgnoredDuringExecution': [{'weight': 1, 'preference':
        {'matchExpressions': [{'key': 'kubernetes.io/os', 'operator': 'In', 'values': ['linux']}]}}]}},
    priority_class=NS, runtime_class=NS, image_pull_secrets=['regcred'],
    volumes=[{'name': 'settings', 'configMap': {'name': 'settings'}},
             {'name': 'keys', 'secret': {'secretName': 'keys'}}, {'name': 'scratch', 'emptyDir': {'sizeLimit': '1Mi'}}],
    volume_mounts=[{'name': 'settings', 'mountPath': '/settings/mode', 'subPath': 'mode'},
                   {'name': 'keys', 'mountPath': '/keys', 'readOnly': True},
                   {'name': 'scratch', 'mountPath': '/scratch'}],
    security_context={'readOnlyRootFilesystem': True, 'fsGroup': 2000})
Task('show', app=app, command='id -u; id -G; cat /settings/mode /keys/key; echo; echo x >/scratch/x; echo y >/data/y; '
     'touch /no; ls /var/run/secrets; true', memory='48M', disk='80M',
     opts=ResourceOptions(depends_on=[settings, keys, claim, urgent, plain]))
"""


def test_a_confined_task_has_its_volumes_and_its_place(stack: Stack, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o777)
    stack.env["DATA"] = str(data)
    stack.write(IMPORT + CONFINED)
    try:
        shown = stack.up().ok().text
        again = [stack.preview("--expect-no-changes").ok(), stack.preview("--expect-no-changes").ok()]
        stack.up("--expect-no-changes").ok()
        stack.refresh().ok()
        stack.up("--expect-no-changes").ok()
        assert not [result for result in again if "restricted" in result.text]
        lines = [line.rsplit("] ", 1)[-1] for line in shown.splitlines()]
        assert "1000" in shown and "fast[secret]" in shown and "open-sesame-1" not in shown, lines
        assert (data / "y").read_text() == "y\n"
        pod = stack.pods()[0]
        in_the_pod(stack, pod)
        selected_by_the_policies(stack, pod)
    finally:
        kubectl("delete", "pv,priorityclass,runtimeclass", stack.namespace, "--ignore-not-found", "--wait=false")


def in_the_pod(stack: Stack, pod: dict[str, Any]) -> None:
    spec, labels = pod["spec"], pod["metadata"]["labels"]
    step = next(it for it in spec["containers"] if it["name"] == "step-task")
    assert (labels["team"], labels["tier"]) == ("shop", "back")
    assert (spec["priorityClassName"], spec["priority"], spec["runtimeClassName"]) == (
        stack.namespace, 7, stack.namespace,
    )  # fmt: skip
    assert {"key": "dedicated", "operator": "Exists", "effect": "NoSchedule"} in spec["tolerations"]
    assert spec["nodeSelector"] == {"kubernetes.io/os": "linux"} and spec["affinity"]["nodeAffinity"]
    assert spec["imagePullSecrets"] == [{"name": "regcred"}], "by way of the ServiceAccount"
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["fsGroup"] == 2000 and step["securityContext"]["readOnlyRootFilesystem"] is True
    assert step["resources"] == {
        "requests": {"cpu": "1", "memory": "48Mi", "ephemeral-storage": "80Mi"},
        "limits": {"cpu": "2", "memory": "48Mi", "ephemeral-storage": "80Mi"},
    }
    run = stack.runs()[0]
    template = objects("configmaps", stack.namespace, "kf.dev/template=task")[0]
    assert "regcred" not in json.dumps(run["spec"]) and "open-sesame-1" not in json.dumps([run, template])


def selected_by_the_policies(stack: Stack, pod: dict[str, Any]) -> None:
    policies = {it["metadata"]["name"]: it["spec"] for it in objects("networkpolicies", stack.namespace)}
    assert sorted(policies) == ["kf-shop.mail", f"kf.{stack.namespace}.all-apps"]
    for spec in policies.values():
        selector = ",".join(f"{name}={value}" for name, value in spec["podSelector"]["matchLabels"].items())
        selected = [it["metadata"]["name"] for it in objects("pods", stack.namespace, selector)]
        assert selected == [pod["metadata"]["name"]]
    assert policies["kf-shop.mail"]["policyTypes"] == ["Ingress", "Egress"]
    assert policies["kf-shop.mail"]["egress"][1] == {
        "to": [{"ipBlock": {"cidr": "10.1.2.3/32"}}], "ports": [{"protocol": "TCP", "port": 25}],
    }  # fmt: skip


def test_an_app_that_leaves_the_level_says_so(stack: Stack) -> None:
    root = "app = App('shop', space=space, image=f'{R}/busybox:1', security_context={'runAsUser': 0})\n"
    stack.write(f"{root}Task('who', app=app, command='id -u; touch /root/x && echo written')")
    line = "app 'shop': its tasks leave the restricted Pod Security level: runs as root"
    assert line in stack.preview().ok().text
    shown = stack.up().ok().text
    assert "written" in shown
    confined = f"space = Space(NS, pod_security='restricted')\n{root}Task('who', app=app, command='id -u')"
    refused = stack.write(confined).preview().failed().text
    assert "app 'shop': its Space enforces the restricted Pod Security level" in refused
    assert len(objects(RUNS, stack.namespace)) == 1
    kubectl("label", "namespace", stack.namespace, "pod-security.kubernetes.io/enforce=restricted")
    failed = stack.write(f"{root}Task('who', app=app, command='id')").up().failed().text
    assert 'violates PodSecurity "restricted' in failed
    assert "take what is named out of the App's security_context" in failed
