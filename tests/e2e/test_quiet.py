"""A program that nobody changed has a preview without a change, whatever kind of input its arguments are."""

from __future__ import annotations

from .conftest import Stack, changes

PROGRAM = """
from kf_tasks import Binding, SecurityGroup, ServiceInstance, TaskSchedule
from pulumi_kubernetes.core.v1 import ConfigMap

plain, secret = Output.from_input, Output.secret
space = Space(NS, memory='32M', disk='64M', cpu='10m', env={'SPACE': plain('a')}, labels={'space': plain('b')})
elsewhere = ConfigMap('elsewhere', metadata={'namespace': space.namespace}, data={'a': 'b'},
                      opts=ResourceOptions(provider=space.provider, depends_on=[space]))
other = App('other', space=space, image=f'{R}/busybox:1', command='true')
late = elsewhere.data['a']  # in the first preview nobody knows it
db = ServiceInstance('db', space=space, credentials=plain({'uri': 'x', 'port': 5, 'late': late}), tags=['a'])
app = App('shop', space=space, image=plain(f'{R}/busybox:1'), command=plain('true'),
          env={'V': other.app_name, 'LATE': late, 'TEXT': 'text', **EXTRA},
          services=[Binding(db, parameters={'a': [1]})], labels={'a': other.app_name, 'late': late},
          annotations=plain({'a': 'b'}), node_selector=plain({}),
          tolerations=[{'key': plain('a'), 'operator': 'Exists'}],
          volumes=plain([{'name': 'data', 'emptyDir': {}}]), volume_mounts=[{'name': 'data', 'mountPath': plain('/d')}],
          security_groups=[SecurityGroup('out', egress=plain([{'destination': '0.0.0.0/0'}]))])
Task('one', app=app, env={'A': plain('b'), 'LATE': late}, triggers=plain(['a']), args=None)
Task('two', app=app, command=['echo', plain('a')], triggers={'a': late})
TaskSchedule('nightly', app=app, command=plain('true'), schedule='0 3 * * *', env={'A': plain('b')})
"""


def test_a_second_preview_is_unchanged(stack: Stack) -> None:
    for extra in ("{}", "{'SECRET': secret('s3cr3t-value'), 'S2': secret(late)}", "{}"):
        stack.write(PROGRAM.replace("EXTRA", extra))
        stack.up().ok()
        for _ in range(2):
            shown = stack.preview("--diff").ok()
            assert "unchanged" in changes(shown) and "to update" not in shown.text, shown.text
            assert not any(f"{word}:" in shown.text for word in ("to create", "to replace", "to delete")), shown.text
        assert "0 changed" not in stack.up("--expect-no-changes").ok().text
