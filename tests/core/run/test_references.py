"""What is said of existing Secrets and ConfigMaps before a run that needs them."""

from __future__ import annotations

from typing import Any

import pytest
from kf_tasks.core.run.environment import Value, merge
from kf_tasks.core.run.pipelinerun import Resources, TaskSpec, render, secrets_of
from kf_tasks.core.run.references import Needed, needed
from kf_tasks.core.run.sources import CONFIG_MAP, SECRET, Source

WAITS = "the run waits for it until start_timeout"
FAILS = "the run fails if it is not there when its pod starts"


def manifest(values: dict[str, Value], *sources: Source, volumes: Any = ()) -> dict[str, Any]:
    return render(TaskSpec(
        namespace="dev", app="shop", task="migrate", stack="s.dev", image="i", argv=["x"],
        env=merge([("App", values)]), resources=Resources("1Gi", "1Gi", "1"), env_from=sources, volumes=volumes,
    ))  # fmt: skip


def test_what_a_run_needs_of_others() -> None:
    values = {
        "A": Value(secret="shop", key="a", existing=True),
        "B": Value(secret="shop", key="b", existing=True),
        "C": Value(secret="shop", key="c", existing=True, optional=True),
        "D": Value(config="settings", key="d", existing=True, optional=True),
        "OURS": Value(secret="kf-shop.env", key="OURS"),
        "SPACE": Value(secret="kf.dev.env", key="SPACE"),
        "DATABASE_URL": Value(secret="kf-shop.services", key="DATABASE_URL", optional=True),
        "TEXT": Value("x"),
    }
    items = [{"key": "uri", "path": "uri"}]
    projected = {"sources": [{"secret": {"name": "kf.db.service"}}, {"secret": {"name": "db", "items": items}}]}
    found = needed(manifest(
        values, Source(CONFIG_MAP, "kf-shop.env.plain"), Source(SECRET, "shop", "S_"), Source(SECRET, "shop"),
        Source(CONFIG_MAP, "more", optional=True), volumes=[{"name": "v", "projected": projected}],
    ))  # fmt: skip
    assert found == [
        Needed(CONFIG_MAP, "more", (), True, ("",)),
        Needed(CONFIG_MAP, "settings", (), True),
        Needed(SECRET, "db", ("uri",)),
        Needed(SECRET, "shop", ("a", "b"), False, ("S_", ""), ("", "a", "b")),
    ]


@pytest.mark.parametrize(("one", "keys", "lines"), [
    (Needed(SECRET, "shop"), None, [f"Secret shop does not exist yet: {WAITS}"]),
    (Needed(CONFIG_MAP, "shop", optional=True), None, []),
    (Needed(SECRET, "shop", variables=("",)), None, [f"Secret shop does not exist yet: {FAILS}"]),
    (Needed(SECRET, "shop", ("a", "b"), variables=("", "b")), {}, [
        f"key a of Secret shop does not exist yet (there are: none): {WAITS}",
        f"key b of Secret shop does not exist yet (there are: none): {FAILS}"]),
    (Needed(SECRET, "shop", ("a", "b")), {"b": "", "c": ""}, [
        f"key a of Secret shop does not exist yet (there are: b, c): {WAITS}"]),
    (Needed(SECRET, "shop", ("a",)), {}, [f"key a of Secret shop does not exist yet (there are: none): {WAITS}"]),
    (Needed(SECRET, "shop", (), False, ("",)), {"tls.crt": "", "1st": "", "A_1": ""}, [
        "Secret shop: no shell takes 1st, tls.crt as a variable, and Kubernetes before 1.34 leaves such keys out"]),
    (Needed(SECRET, "shop", (), False, ("N_",)), {"1st": ""}, []),
    (Needed(SECRET, "shop", ("a",)), {"a": ""}, []),
], ids=str)  # fmt: skip
def test_what_is_said(one: Needed, keys: Any, lines: list[str]) -> None:
    assert [*one.lines(keys), *one.notes(keys)] == lines


def test_all_that_a_source_holds_is_secret() -> None:
    """So it is read, hidden in the log and copied for as long as the log is kept."""
    run = manifest({"A": Value(secret="one", key="a")}, Source(SECRET, "two", "T_"), Source(CONFIG_MAP, "three"))
    assert secrets_of(run) == [{"name": "one", "key": "a"}, {"name": "two", "key": "*"}]
