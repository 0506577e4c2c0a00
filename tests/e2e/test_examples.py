"""The examples run as they stand, on the servers that their users have."""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from . import once
from .conftest import CHECKOUT, Stack, kubectl, objects
from .extras import pushed

PASSWORD = "only-for-trying-out"
MIGRATION = 'from alembic import op\nrevision, down_revision = "{}", "{}"\n\ndef upgrade():\n    op.execute("{}")\n'
VOLUME = {
    "apiVersion": "v1",
    "kind": "PersistentVolume",
    "spec": {"capacity": {"storage": "16Mi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": ""},
}


def _example(stacks: Callable[..., Stack], name: str, *images: str) -> Stack:
    """A copy of an example with a stack of its own, in the namespace of the test."""
    settings = {f"{image}-image": pushed(image) for image in images}
    stack = stacks(name, name="try", project=name)
    ignored = shutil.ignore_patterns("__pycache__", "tls.*")
    shutil.copytree(CHECKOUT / "examples" / name, stack.folder, dirs_exist_ok=True, ignore=ignored)
    project = stack.folder / "Pulumi.yaml"
    project.write_text(project.read_text().replace("../../.venv", str(once.virtualenv())))
    for key, value in {"space": stack.namespace, **settings}.items():
        stack.pulumi("config", "set", key, value).ok()
    return stack


def _again(stack: Stack) -> None:
    """An update that changes nothing and runs nothing."""
    assert "will run" not in stack.up("--expect-no-changes").ok().text


def test_a_deployment_goes_live_only_after_its_migration(stacks: Callable[..., Stack]) -> None:
    shop = _example(stacks, "migration", "postgres", "clients")
    versions = shop.folder / "app" / "versions"

    def answer() -> Any:
        return json.loads(kubectl("get", "--raw", f"/api/v1/namespaces/{shop.namespace}/services/web:80/proxy/"))

    shown = shop.up().ok().text
    assert "Running upgrade 0001 -> 0002, Orders have an amount." in shown
    assert answer() == {"released_for": "0002", "database": "0002", "orders": 2}
    (versions / "0003_half.py").write_text(MIGRATION.format("0003", "0002", "CREATE TABLE half ()"))
    (versions / "0004_rest.py").write_text(MIGRATION.format("0004", "0003", "ALTER TABLE nowhere ADD a integer"))
    failed = shop.up().failed().text
    assert 'relation "nowhere" does not exist' in failed and "exit code 1" in failed
    assert answer() == {"released_for": "0002", "database": "0003", "orders": 2}, "the one before it answers"
    (versions / "0004_rest.py").write_text(MIGRATION.format("0004", "0003", "CREATE TABLE rest ()"))
    before = len(shop.runs())
    second = copy.copy(shop)
    second.folder = shutil.copytree(shop.folder, shop.folder.with_name("other"))
    second.env = {**shop.env, "PULUMI_BACKEND_URL": f"file://{second.folder}/state"}
    updates = [one.start() for one in (shop, second)]
    ended = [(update.communicate(timeout=600)[0], update.returncode) for update in updates]
    assert [code for _, code in ended] == [0, 0], ended
    assert len(shop.runs()) == before + 1, "two updates at once migrate once"
    assert answer() == {"released_for": "0004", "database": "0004", "orders": 2}
    _again(shop)
    told = shown + failed + json.dumps([ended, objects("configmaps", shop.namespace), shop.runs(), shop.state()])
    assert PASSWORD not in told


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[str]:
    """A PersistentVolume in a folder that everybody may write to."""
    folder = tmp_path / "volume"
    folder.mkdir()
    folder.chmod(0o777)
    name = f"e2e-{tmp_path.parent.parent.name}-{tmp_path.name}".lower().replace("_", "-")
    spec = {**VOLUME["spec"], "hostPath": {"path": str(folder)}}  # type: ignore[dict-item]
    made = json.dumps({**VOLUME, "metadata": {"name": name}, "spec": spec})
    subprocess.run(["kubectl", "apply", "-f", "-"], input=made, text=True, check=True, stdout=subprocess.DEVNULL)
    yield name
    kubectl("delete", "persistentvolume", name, "--wait=false")


def test_a_download_is_checked_and_read(stacks: Callable[..., Stack], volume: str) -> None:
    prices = _example(stacks, "download", "clients")
    prices.pulumi("config", "set", "volume", volume).ok()
    shown = prices.up().ok().text
    assert "/data/prices.csv.part: OK" in shown
    assert prices.outputs()["count"] == "1000 prices, in all 625625.00\n"
    _again(prices)


def test_mail_is_sent_once_by_starttls(stacks: Callable[..., Stack]) -> None:
    shop = _example(stacks, "mail", "mailpit")
    assert "sent to jo@example.com" in shop.up().ok().text
    _again(shop)
    url = "http://localhost:8025/api/v1/messages"
    found = json.loads(kubectl("exec", "-n", shop.namespace, "mail", "--", "wget", "-qO-", url))
    [mail] = found["messages"]
    assert (mail["Username"], mail["Subject"]) == ("shop", "Your order")
    assert (mail["To"][0]["Address"], mail["Snippet"]) == ("jo@example.com", "Thank you for your order of tea.")


def test_a_backup_is_restored_and_equal(stacks: Callable[..., Stack]) -> None:
    shop = _example(stacks, "backup", "postgres", "clients", "versitygw")
    shop.up().ok()
    found = shop.outputs()
    assert found["backup"].startswith("stored shop.dump: ")
    assert found["verify"] == "customers: 50 rows restored, equal\norders: 1000 rows restored, equal\n"
    _again(shop)


def test_etl_hands_results_on(stacks: Callable[..., Stack]) -> None:
    etl = _example(stacks, "etl", "postgres", "clients", "versitygw")
    etl.up().ok()
    load = {"state": "Succeeded", "log": "loaded books: 30\nloaded tea: 20\n"}
    assert etl.outputs() == {"rows": "3", "total": "50", "load": load}
    _again(etl)


def test_a_nightly_batch_reads_a_database_and_writes_a_report(stacks: Callable[..., Stack]) -> None:
    nightly = _example(stacks, "nightly", "postgres", "clients", "versitygw")
    nightly.up().ok()
    assert sorted(nightly.outputs()["jobs"]) == ["audit", "sum-up"]
    _again(nightly)
    ran = nightly.kf("run-job", "sum-up", "--env", "DAY=2026-11-24", "--wait").ok().text
    assert "2026-11-24 total: 50, in 2026-11-24.csv" in ran
    report = kubectl("exec", "-n", nightly.namespace, "store", "--", "cat", "/data/reports/2026-11-24.csv")
    assert report == "2026-11-24,books,30\n2026-11-24,pens,8\n2026-11-24,tea,12\n"
