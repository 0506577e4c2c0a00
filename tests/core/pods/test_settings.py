"""What Space and App say about pods, what they give up of the restricted level, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kf_tasks.core import quantities
from kf_tasks.core.errors import InvalidInput
from kf_tasks.core.pods import network, quota, security
from kf_tasks.core.pods.settings import PodSettings

DATA = {"name": "data", "persistentVolumeClaim": {"claimName": "c"}}
AT_DATA = {"name": "data", "mountPath": "/data"}


def test_an_app_comes_on_top_of_its_space() -> None:
    space = PodSettings(
        labels={"a": "1", "b": "1"}, tolerations=[{"key": "x"}], volumes=[DATA], priority_class="low",
        volume_mounts=[AT_DATA],
    )  # fmt: skip
    own = PodSettings(
        labels={"b": "2"}, tolerations=[{"key": "x"}, {"key": "y"}], affinity={"nodeAffinity": {}},
        volumes=[{"name": "data", "emptyDir": {}}],
    )  # fmt: skip
    merged = own.over(space)
    assert merged.labels == {"a": "1", "b": "2"}
    assert merged.tolerations == [{"key": "x"}, {"key": "y"}]
    assert merged.volumes == [{"name": "data", "emptyDir": {}}]
    assert merged.volume_mounts == [AT_DATA]
    assert (merged.affinity, merged.priority_class) == ({"nodeAffinity": {}}, "low")
    nothing = PodSettings()
    assert space.over(nothing.over(nothing)) == nothing.over(space)


def test_the_pod_template_has_only_what_is_said() -> None:
    assert PodSettings().over(PodSettings()).template == {}
    own = PodSettings(image_pull_secrets=["regcred"], runtime_class="gvisor", pod_spec={"dnsPolicy": "None"})
    assert own.over(PodSettings()).template == {
        "dnsPolicy": "None", "imagePullSecrets": [{"name": "regcred"}], "runtimeClassName": "gvisor",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pod_spec": {"terminationGracePeriodSeconds": 5}}, "pod_spec: terminationGracePeriodSeconds cannot be "
         "carried by Tekton: a task that is cancelled is ended by Tekton: let the command react to SIGTERM"),
        ({"pod_spec": {"shareProcessNamespace": True}}, "pod_spec: shareProcessNamespace cannot be carried by Tekton: "
         "a task has one container: start what belongs together from its command"),
        ({"pod_spec": {"initContainers": []}}, "pod_spec: initContainers cannot be carried by Tekton: do the "
         "preparation in the command, or in a Task that this one depends on"),
        ({"pod_spec": {"nodeSelector": {}}}, "pod_spec: nodeSelector has an argument of its own: use node_selector=…"),
        ({"pod_spec": {"dnsPolcy": "x"}}, "pod_spec: dnsPolcy cannot be carried by Tekton (did you mean 'dnsPolicy'?): "
         "it has dnsPolicy, dnsConfig, schedulerName, hostAliases, hostNetwork, hostUsers, topologySpreadConstraints; "
         "leave the rest out"),
        ({"tolerations": [{"kee": "x"}]}, "tolerations[0]: 'kee' is unknown (did you mean 'key'?): use key, operator, "
         "value, effect, tolerationSeconds"),
        ({"volumes": [{"emptyDir": {}}]}, "volumes: {'emptyDir': {}} has no name: write it as Kubernetes does, such as "
         "{'name': 'data', 'persistentVolumeClaim': {'claimName': 'shop-data'}}"),
        ({"volumes": [{"name": "a"}]}, "volume 'a' needs exactly one source, such as 'persistentVolumeClaim'"),
        ({"volumes": [DATA, DATA]}, "two volumes have the name 'data': rename one"),
        ({"volumes": [{"name": "kf-x", "emptyDir": {}}]}, "volume 'kf-x': names with this beginning are the "
         "platform's: rename it"),
        ({"volume_mounts": [{"name": "data"}]}, "volume_mounts: {'name': 'data'} needs 'name' and 'mountPath', such as "
         "'/data'"),
        ({"volume_mounts": [{**AT_DATA, "mountPath": "/tekton/bin"}]}, "volume_mounts: mountPath '/tekton/bin': "
         "/tekton/ is the platform's: mount it elsewhere"),
        ({"volume_mounts": [{**AT_DATA, "mountPath": "data"}]}, "volume_mounts: mountPath 'data' is not absolute: "
         "begin it with '/'"),
        ({"annotations": {"a": "b", "kf.dev/recorded": "true"}}, "annotations: 'kf.dev/recorded': names under kf.dev/ "
         "are kf's own: choose another prefix"),
        ({"labels": {"app.kubernetes.io/part-of": "a", "app.kubernetes.io/managed-by": "pulumi"}}, "labels: "
         "'app.kubernetes.io/managed-by': kf sets it to 'kf', by which runs are found: leave it out, or choose another "
         "name"),
        ({"volume_mounts": [AT_DATA, AT_DATA]}, "two volume_mounts have the mountPath '/data': change one"),
    ],
)  # fmt: skip
def test_what_tekton_cannot_carry_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        PodSettings(**settings).checked("app 'shop'")
    assert str(refused.value) == f"app 'shop': {message}"


def test_a_mount_needs_a_volume() -> None:
    PodSettings(volumes=[DATA], volume_mounts=[AT_DATA]).check_mounts("app 'shop'")
    with pytest.raises(InvalidInput, match=r"there is no volume 'data' \(there are: none\)"):
        PodSettings(volume_mounts=[AT_DATA]).check_mounts("app 'shop'")


@pytest.mark.parametrize(
    ("settings", "given_up"),
    [
        ({}, []),
        ({"security_context": {"runAsUser": 2000, "fsGroup": 5, "readOnlyRootFilesystem": True}}, []),
        ({"security_context": {"capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}}}, []),
        ({"security_context": {"runAsUser": 0}}, ["runs as root"]),
        ({"security_context": {"runAsNonRoot": False}}, ["runAsNonRoot=False"]),
        ({"security_context": {"privileged": True}}, ["privileged"]),
        ({"security_context": {"allowPrivilegeEscalation": True}}, ["allowPrivilegeEscalation"]),
        ({"security_context": {"capabilities": {"add": ["SYS_PTRACE"]}}}, ["capabilities SYS_PTRACE",
                                                                           "capabilities not dropped"]),
        ({"security_context": {"seccompProfile": {"type": "Unconfined"}}}, ["seccompProfile Unconfined"]),
        ({"pod_spec": {"hostNetwork": True}}, ["hostNetwork"]),
        ({"volumes": [{"name": "h", "hostPath": {"path": "/"}}]}, ["hostPath volume 'h'"]),
    ],
)  # fmt: skip
def test_what_an_app_gives_up(settings: dict[str, Any], given_up: list[str]) -> None:
    assert PodSettings(**settings).given_up == given_up


def test_root_is_the_tasks_container_alone() -> None:
    of_pod, of_step = security.contexts({"runAsUser": 0, "fsGroup": 7, "readOnlyRootFilesystem": True})
    assert of_pod == {**security.POD, "fsGroup": 7}
    assert of_step == {**security.STEP, "runAsNonRoot": False, "runAsUser": 0, "readOnlyRootFilesystem": True}
    assert security.contexts({"runAsUser": 2000})[0]["runAsUser"] == 2000
    with pytest.raises(InvalidInput, match="'runAsUsr' is unknown"):
        security.check("app 'shop'", {"runAsUsr": 0})


def test_what_to_do_when_a_namespace_refuses_a_pod() -> None:
    lead = 'pods "shop-1-pod" is forbidden: violates PodSecurity "restricted:latest": '
    own = lead + 'runAsUser=0 (container "step-task" must not set runAsUser=0)'
    assert security.advice(own, "step-task").startswith("take what is named out of the App's security_context")
    tekton = lead + 'unrestricted capabilities (containers "prepare", "step-task" must set …)'
    assert 'set set-security-context: "true"' in security.advice(tekton, "step-task")
    assert security.advice("exit code 1", "step-task") == ""


def test_rules_of_a_security_group() -> None:
    egress: list[dict[str, Any]] = [
        {"protocol": "tcp", "destination": "10.0.0.0/8", "ports": "443, 8000-9000"},
        {"protocol": "all", "destination": "10.0.0.1-10.0.0.2"},
        {"app": "mail", "namespace": "post", "ports": "25"},
    ]
    spec = network.policy("group", {"app.kubernetes.io/name": "shop"}, egress, [], dns=True)
    assert spec["policyTypes"] == ["Ingress", "Egress"] and spec["ingress"] == []
    assert spec["egress"][0] == {"ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]}
    assert spec["egress"][1] == {
        "to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}],
        "ports": [{"protocol": "TCP", "port": 443}, {"protocol": "TCP", "port": 8000, "endPort": 9000}],
    }
    assert spec["egress"][2] == {"to": [{"ipBlock": {"cidr": "10.0.0.1/32"}}, {"ipBlock": {"cidr": "10.0.0.2/32"}}]}
    assert spec["egress"][3]["to"] == [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "post"}},
            "podSelector": {"matchLabels": {"app.kubernetes.io/name": "mail"}},
        }
    ]
    closed = network.policy("group", {}, [], None, dns=False)
    assert (closed["policyTypes"], closed["egress"]) == (["Egress"], [])


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"protocol": "icmp"}, "protocol 'icmp' cannot be told in a NetworkPolicy: use one of tcp, udp, sctp, all"),
        ({"destination": "10.0.0.1/8"}, "10.0.0.1/8 has host bits set"),
        ({"destination": "10.0.0.9-10.0.0.1"}, "is no address"),
        ({"ports": "9-8"}, "ports '9-8': write '443'"),
        ({"ports": 70000}, "ports 70000: write '443'"),
        ({"protocol": "all", "ports": "1"}, "protocol 'all' has no ports"),
        ({"source": "10.0.0.1"}, "'source' is unknown"),
        ({"destination": "10.0.0.1", "app": "x"}, "exclude each other"),
    ],
)
def test_rules_that_cannot_be_told(rule: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        network.policy("group", {}, [rule], None, dns=True)
    assert str(refused.value).startswith("group: egress[0]: ") and message in str(refused.value)


def test_a_group_without_rules_is_a_mistake() -> None:
    with pytest.raises(InvalidInput, match="has no rules"):
        network.policy("group", {}, None, None, dns=True)


def test_quota_and_limits_in_canonical_spelling() -> None:
    given = {"memory": "0.5G", "limits.cpu": "1000m", "disk": "1024M", "pods": 5, "count/pipelineruns.tekton.dev": 7}
    assert quota.hard("space 's'", given) == {
        "requests.memory": "512Mi", "limits.cpu": "1", "requests.ephemeral-storage": "1Gi", "pods": "5",
        "count/pipelineruns.tekton.dev": "7",
    }  # fmt: skip
    limits = quota.limits("space 's'", {"default": {"memory": "64M"}, "default_request": {"cpu": 0.01}})
    assert limits == {"type": "Container", "default": {"memory": "64Mi"}, "defaultRequest": {"cpu": "10m"}}
    assert quota.without_default(quota.hard("s", given), limits) == ["limits.cpu", "requests.ephemeral-storage"]
    for wrong in ({}, {"pods": "5"}, {"memory": 5}):
        with pytest.raises(InvalidInput):
            quota.hard("space 's'", wrong)
    with pytest.raises(InvalidInput, match="'defaults' is unknown"):
        quota.limits("space 's'", {"defaults": {}})


AMOUNTS = {"requests": {"memory": "128Mi", "cpu": "500m"}, "limits": {"memory": "128Mi", "ephemeral-storage": "1Gi"}}


@pytest.mark.parametrize(
    ("hard", "limits", "said"),
    [
        ({"memory": "100M"}, {}, "memory of 128Mi is more than the whole quota of space 's' (requests.memory: 100Mi)"),
        ({"limits.memory": "0.1G"}, {}, "128Mi is more than the whole quota of space 's' (limits.memory: 102Mi)"),
        ({"limits.disk": "1023M"}, {}, "disk of 1Gi is more than the whole quota"),
        ({"cpu": "499m"}, {}, "cpu of 500m is more than the whole quota of space 's' (requests.cpu: 499m)"),
        ({"memory": "128M", "cpu": 0.5, "limits.disk": "1024M", "pods": 1}, {}, ""),
        ({"limits.cpu": "1m", "disk": "1M"}, {}, ""),
        ({}, {"max": {"memory": "64M"}}, "memory of 128Mi is more than limit_range of space 's' lets a container have "
         "(max: 64Mi), so that it can never start"),
        ({}, {"min": {"cpu": 1}}, "cpu of 500m is less than limit_range of space 's' lets a container have (min: 1)"),
        ({}, {"max": {"memory": "128M", "cpu": "0.5"}, "min": {"memory": "128M", "disk": "1G"}}, ""),
    ],
)  # fmt: skip
def test_what_can_never_have_a_pod(hard: dict[str, Any], limits: dict[str, Any], said: str) -> None:
    bounds = quota.Bounds("space 's'", quota.hard("s", hard) if hard else {}, quota.limits("s", limits))
    if not said:
        bounds.check("task 'm'", AMOUNTS)
        return
    with pytest.raises(InvalidInput) as error:
        bounds.check("task 'm'", AMOUNTS)
    assert str(error.value).startswith("task 'm': its ") and said in str(error.value)


@given(st.integers(1, 2**20), st.integers(1, 2**20))
def test_it_is_as_large_as_the_quota_or_smaller(amount: int, most: int) -> None:
    """In every unit of memory and of cpu, however it was written."""
    for resource, units in (("memory", ("K", "M")), ("cpu", ("m", ""))):
        write = quantities.size if resource == "memory" else quantities.cpu
        for unit, factor in zip(units, (1, 1024 if resource == "memory" else 1000), strict=True):
            if resource == "cpu" and max(amount, most) * factor >= 1_000_000:
                continue
            bounds = quota.Bounds("s", {f"requests.{resource}": write(f"{most}{units[0]}", "s")})
            asked = {"requests": {resource: write(f"{amount}{unit}", "m")}}
            if amount * factor <= most:
                bounds.check("m", asked)
            else:
                with pytest.raises(InvalidInput):
                    bounds.check("m", asked)


def test_a_quota_on_objects_is_filled_by_what_is_kept() -> None:
    bounds = quota.Bounds("s", {"count/pods": "50", "count/taskruns.tekton.dev": "60", "pods": "5"})
    assert [bounds.filled(kept) for kept in (49, 50, 60)] == [
        "", "count/pods: 50", "count/pods: 50, count/taskruns.tekton.dev: 60"
    ]  # fmt: skip
