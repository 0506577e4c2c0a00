"""Services bound to an App: credentials of another stack, and credentials that will not do."""

from __future__ import annotations

import json
from collections.abc import Callable

from .conftest import Stack

IMPORT = "from kf_tasks import ServiceInstance\n"


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
