"""What a shell completes names with, on a cluster of plain data; what a slow one or none leaves of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner
from kf_tasks.cli import names, offers
from kf_tasks.cli.main import kf
from kf_tasks.cli.target import Target, TargetSpace
from kf_tasks.cluster.client import Cluster

from .test_commands import run
from .test_jobs import WithJobs


class Known(WithJobs):
    """Also tells what namespaces there are."""

    def namespaces(self) -> list[str]:
        return ["dev", "prod"]

    def config_maps(self, namespace: str, selector: str) -> list[dict[str, Any]]:
        if "task" in selector:
            apps = [app for app in self.apps if f"name={app}" in selector or "name=" not in selector]
            return [{"metadata": {"labels": {"kf.dev/task": f"{app}-report"}}} for app in apps]
        return super().config_maps(namespace, selector)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own for what is remembered, and a machine that is as slow as it likes."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(offers, "LEAST_SECONDS", 60)
    return tmp_path / "kf"


def answer(monkeypatch: pytest.MonkeyPatch, opened: Callable[[Target], Any]) -> None:
    monkeypatch.setattr(Target, "open", opened)


def known(target: Target) -> TargetSpace:
    return TargetSpace(cast(Cluster, Known([run(12), run(3), run(1)])), "dev")


def completed(words: str) -> set[str]:
    at = len(words.split()) - (0 if words.endswith(" ") else 1)
    env = {"_KF_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(at)}
    shown = CliRunner().invoke(kf, [], env=env, prog_name="kf")
    return {line.partition(",")[2] for line in shown.stdout.splitlines() if line}


RUNS = {"shop-migrate-1", "shop-migrate-3", "shop-migrate-12"}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("kf tasks ", {"blog", "shop"}),
        ("kf tasks sh", {"shop"}),
        ("kf tasks x", set()),
        ("kf task ", {"blog", "shop", *RUNS}),
        ("kf task shop 1", {"1", "12"}),
        ("kf logs shop --run shop-migrate-1", {"shop-migrate-1", "shop-migrate-12"}),
        ("kf logs shop --id ", {"1", "3", "12"}),
        ("kf logs shop --task ", {"shop-report"}),
        ("kf env shop --task sh", {"shop-report"}),
        ("kf logs shop bl", {"blog"}),
        ("kf run-job ", {"nightly", "by-hand", "twice"}),
        ("kf tasks --space p", {"prod"}),
        ("kf --space d", {"dev"}),
        ("kf rerun shop-migrate-3", {"shop-migrate-3"}),
    ],
)
def test_names_of_the_cluster(words: str, expected: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, known)
    assert completed(words) == expected


def test_a_cluster_that_does_not_answer_offers_what_it_had(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    def broken(target: Target) -> Any:
        raise RuntimeError("no cluster")

    answer(monkeypatch, broken)
    assert completed("kf tasks ") == set()
    answer(monkeypatch, known)
    assert completed("kf tasks ") == {"blog", "shop"}
    answer(monkeypatch, broken)
    monkeypatch.setattr(offers, "FRESH_SECONDS", 0)
    assert completed("kf tasks ") == {"blog", "shop"}
    assert completed("kf tasks --space other ") == set(), "another Space is another question"
    assert [path.stat().st_mode & 0o077 for path in (cache,)] == [0]


def test_nobody_waits_for_a_slow_one_and_it_is_offered_later(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    gate = cache.parent / "gate"

    def slow(target: Target) -> TargetSpace:
        while not gate.exists():
            time.sleep(0.01)
        return known(target)

    answer(monkeypatch, slow)
    monkeypatch.setattr(offers, "LEAST_SECONDS", 0.01)
    monkeypatch.setattr(offers, "PATIENCE_SECONDS", 0.01)
    assert completed("kf tasks ") == set()
    gate.touch()
    deadline = time.monotonic() + 60
    while not list(cache.glob("*.json")) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert completed("kf tasks ") == {"blog", "shop"}


@pytest.mark.parametrize("content", ["", "{}", "[1, null]", "nonsense"])
def test_what_is_no_answer_of_ours_is_not_offered(content: str, monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    answer(monkeypatch, known)
    assert completed("kf tasks ") == {"blog", "shop"}
    [file] = cache.glob("*.json")
    file.write_text(content)
    assert completed("kf tasks ") <= {"blog", "shop"}


def test_every_name_is_offered() -> None:
    own = [each for each in vars(names).values() if getattr(each, "__module__", "") == names.__name__]
    public = {each for each in own if not each.__name__.startswith("_")}
    assert public - set(offers.OFFERS) == {names.given, names.process, names.secret_key}
