"""Services bound to an App: a real PostgreSQL, a mail server, and credentials that will not do."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

from . import once
from .conftest import CHECKOUT, Stack, kubectl, objects, run
from .images import postgres_image

__all__ = ["postgres_image"]

IMPORT = "from kf_tasks import Binding, Postgres, ServiceInstance\n"
SERVER = (
    "printf %s \"$PASSWORD\" >/tmp/password &&"
    " initdb -D /var/lib/pg/data -U app --pwfile /tmp/password -A scram-sha-256 -N -E UTF8 --locale C >/tmp/log &&"
    " echo 'host all all all scram-sha-256' >>/var/lib/pg/data/pg_hba.conf &&"
    " exec postgres -D /var/lib/pg/data -k /tmp -c 'listen_addresses=*' -c shared_buffers=16MB -c fsync=off"
)  # fmt: skip
CONNECT = """
import os, urllib.parse, pg8000.native
def connect(url):
    it = urllib.parse.urlsplit(url)
    place = {'host': it.hostname, 'port': it.port, 'database': it.path.strip('/')}
    return pg8000.native.Connection(it.username, password=urllib.parse.unquote(it.password), **place)
"""
MIGRATE = f"""{CONNECT}
database = connect(os.environ['DATABASE_URL'])
database.run('create table if not exists articles (name text primary key, price numeric)')
database.run("insert into articles values ('tea', 3.50), ('cup', 12) on conflict do nothing")
print('migrated', database.run('select count(*) from articles'))
"""
READ = f"""{CONNECT}
import pathlib
folder = pathlib.Path(os.environ['SERVICE_BINDING_ROOT']) / 'db'
assert (folder / 'type').read_text() == 'postgresql'
url = (folder / 'uri').read_text()
assert url == os.environ['DATABASE_URL']
print(connect(url).run('select name, price::text from articles order by name'))
print('the password is', (folder / 'password').read_text())
"""
DATABASE = f"""
space = Space(NS, memory='64M', disk='64M', cpu='10m')
on = ResourceOptions(provider=space.provider, depends_on=space.resources)
password = config.require_secret('password')
secret = k8s.core.v1.Secret('pg', metadata={{'name': 'pg', 'namespace': NS}}, string_data={{'PASSWORD': password}},
    opts=on)
confined = {{'allowPrivilegeEscalation': False, 'capabilities': {{'drop': ['ALL']}}}}
server = k8s.core.v1.Pod('pg', metadata={{'name': 'pg', 'namespace': NS, 'labels': {{'run': 'pg'}}}}, spec={{
    'securityContext': {{'runAsNonRoot': True, 'runAsUser': 1000, 'fsGroup': 1000}}, 'terminationGracePeriodSeconds': 1,
    'volumes': [{{'name': 'data', 'emptyDir': {{}}}}],
    'containers': [{{'name': 'pg', 'image': os.environ['IMAGE'], 'command': ['/bin/sh', '-c', {SERVER!r}],
        'securityContext': confined, 'volumeMounts': [{{'name': 'data', 'mountPath': '/var/lib/pg'}}],
        'env': [{{'name': 'PASSWORD', 'valueFrom': {{'secretKeyRef': {{'name': 'pg', 'key': 'PASSWORD'}}}}}}],
        'readinessProbe': {{'exec': {{'command': ['pg_isready', '-h', 'localhost']}}, 'periodSeconds': 1}}}}]}},
    opts=ResourceOptions.merge(on, ResourceOptions(depends_on=[secret])))
service = k8s.core.v1.Service('pg', metadata={{'name': 'pg', 'namespace': NS, 'annotations': {{'pulumi.com/skipAwait':
    'true'}}}}, spec={{'selector': {{'run': 'pg'}}, 'ports': [{{'port': 5432}}]}}, opts=on)
db = ServiceInstance('shop-db', space=space, requires=['uri'], credentials=Postgres(
    uri=Output.format('postgresql://app:{{0}}@pg:5432/postgres', password), password=password))
app = App('shop', space=space, image=os.environ['IMAGE'], services=[Binding(db, binding_name='db')])
migrate = Task('migrate', app=app, command=['python3', '-c', {MIGRATE!r}],
    opts=ResourceOptions(depends_on=[server, service]))
read = Task('read', app=app, command=['python3', '-c', {READ!r}], opts=ResourceOptions(depends_on=[migrate]))
pulumi.export('log', read.log)
pulumi.export('migrated', migrate.log)
"""


def test_a_real_postgres_is_migrated_and_read(stack: Stack, postgres_image: str) -> None:
    stack.env["IMAGE"] = postgres_image
    stack.write(IMPORT + DATABASE)
    stack.pulumi("config", "set", "--secret", "password", "tea-for-two").ok()
    shown = stack.up().ok()
    outputs = stack.outputs()
    assert outputs["migrated"] == "migrated [[2]]\n"
    assert outputs["log"] == "[['cup', '12'], ['tea', '3.50']]\nthe password is [secret]\n"
    assert "tea-for-two" not in shown.text + json.dumps([objects("configmaps", stack.namespace), stack.runs()])
    stack.up("--expect-no-changes").ok()


def test_the_example_sends_mail(tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    shutil.copytree(CHECKOUT / "examples" / "mail", folder, ignore=shutil.ignore_patterns("__pycache__"))
    text = (folder / "Pulumi.yaml").read_text().replace("../../.venv", str(once.virtualenv()))
    (folder / "Pulumi.yaml").write_text(text)
    (folder / "state").mkdir()
    namespace = f"e2e-{uuid.uuid4().hex[:8]}"
    env = {
        **os.environ, "PULUMI_BACKEND_URL": f"file://{folder}/state",
        "PULUMI_CONFIG_PASSPHRASE": "e2e",
    }  # fmt: skip
    pulumi = [["stack", "init", "dev"], ["config", "set", "space", namespace], ["up", "--yes", "--skip-preview"]]
    try:
        results = [run(["pulumi", *it, "--non-interactive"], folder, env).ok() for it in pulumi]
        assert "sent to jo@example.com" in results[-1].text
        kept = kubectl("exec", "-n", namespace, "mail", "--", "cat", "/mail/1")
        assert "Subject: Your order" in kept and "Thank you for your order of tea." in kept
        run(["pulumi", "up", "--yes", "--skip-preview", "--expect-no-changes", "--non-interactive"], folder, env).ok()
        assert kubectl("exec", "-n", namespace, "mail", "--", "ls", "/mail") == "1\n", "mail is sent once"
    finally:
        run(["kubectl", "delete", "namespace", namespace, "--ignore-not-found", "--wait=false"])


def test_credentials_of_another_stack(stacks: Callable[..., Stack]) -> None:
    infra = stacks("infra", name="infra")
    (infra.folder / "__main__.py").write_text(
        "import pulumi\n"
        "pulumi.export('db', pulumi.Output.secret({'host': 'h', 'port': 5432, 'word': 'never-shown-1'}))\n"
    )
    infra.up().ok()
    shop = stacks("shop", env={"PULUMI_BACKEND_URL": infra.env["PULUMI_BACKEND_URL"]})
    program = (
        "db = pulumi.StackReference('organization/e2e/infra').require_output('db')\n"
        "service = ServiceInstance('db', space=space, credentials=db, requires=['port', {key!r}])\n"
        "app = App('shop', space=space, image=f'{{R}}/busybox:1', services=[service])\n"
        "Task('show', app=app, command='cat /bindings/db/port /bindings/db/word')"
    )
    refused = shop.write(IMPORT + program.format(key="uri")).preview().failed().text
    assert "service 'db': its credentials have no 'uri' (there are: host, port, word)" in refused
    shown = shop.write(IMPORT + program.format(key="host")).up().ok().text
    assert "5432[secret]" in shown, "a whole number stays one"
    assert "never-shown-1" not in refused + shown + json.dumps(shop.state())


def test_credentials_that_will_not_do_fail_the_preview(stack: Stack) -> None:
    app = "app = App('shop', space=space, image='i', command='x', services=[db], **more)\n"
    lacking = "db = ServiceInstance('db', space=space, requires=['uri'], credentials=Output.secret({'host': 'h'}))\n"
    refused = stack.write(f"{IMPORT}more = {{}}\n{lacking}{app}").preview().failed().text
    assert "service 'db': its credentials have no 'uri' (there are: host): add it where they come from" in refused
    large = "db = ServiceInstance('db', space=space, credentials={'ca': Output.secret('x' * 140_000)})\n"
    refused = stack.write(f"{IMPORT}more = {{}}\n{large}{app}").preview().failed().text
    assert "app 'shop': VCAP_SERVICES has 140," in refused and "By service: db 140," in refused
    assert "set vcap_services='file' on the App" in refused
    task = "command='wc -c <$VCAP_SERVICES_FILE_PATH; wc -c </bindings/db/ca; echo services=$VCAP_SERVICES'"
    program = app.replace("image='i', command='x'", "image=f'{R}/busybox:1'")
    more = "more = {'vcap_services': 'file'}\n"
    stack.write(f"{IMPORT}{more}{large}{program}pulumi.export('log', Task('size', app=app, {task}).log)").up().ok()
    vcap, certificate, services = stack.outputs()["log"].splitlines()
    assert int(vcap) > 140_000 and (certificate, services) == ("140000", "services=")
