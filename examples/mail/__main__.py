"""A task that sends a mail through a bound service: once for each order, however often `up` is repeated.

The mail server is one for trying out (`servers.py`), which shows what it has got:
`kubectl exec -n <space> mail -- wget -qO- http://localhost:8025/api/v1/messages`. With one of your own, set its
credentials instead: `pulumi config set --secret --path smtp.uri smtp://user:password@host:587`, and if its certificate
is signed by an authority of your own, `--path 'smtp["ca.crt"]'` with that.
"""

import subprocess
from pathlib import Path

import pulumi
import servers
from kf_tasks import App, ServiceInstance, Space, Task

HERE = Path(__file__).parent


def certificate(host: str) -> tuple[str, str]:
    """Certificate and key of the server for trying out, made once beside this program."""
    files = HERE / "tls.crt", HERE / "tls.key"
    if not all(file.exists() for file in files):
        about = ["-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}", "-days", "3650"]
        made = ["-newkey", "rsa:2048", "-nodes", "-keyout", str(files[1]), "-out", str(files[0])]
        try:
            subprocess.run(["openssl", "req", "-x509", *made, *about], check=True, capture_output=True)
        except OSError:
            raise pulumi.RunError("no openssl, which makes a certificate: install it, or set smtp.uri") from None
    return files[0].read_text(), files[1].read_text()


config = pulumi.Config()
space = Space(config.get("space") or f"mail-{pulumi.get_stack()}", memory="64M", disk="64M", cpu="10m")
credentials, ready = servers.mail(space, lambda: certificate("mail"))

smtp = ServiceInstance("smtp", space=space, credentials=credentials, requires=["uri"], label="smtp")
app = App("shop", space=space, image=servers.image("python"), services=[smtp])
order = config.require("order")
confirm = Task(
    "confirm-order",
    app=app,
    command=["python3", "-c", (HERE / "send.py").read_text(), config.require("recipient"), order],
    triggers=[order],
    when="trigger",
    timeout="2m",
    opts=pulumi.ResourceOptions(depends_on=ready),
)

pulumi.export("confirm", {"run": confirm.run, "state": confirm.state, "exit_code": confirm.exit_code})
