"""The pack as Pulumi gets it, with a stand-in for pulumi_policy, which lives in another environment."""

from __future__ import annotations

import enum
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from kf_tasks.policies import pack
from kf_tasks.policies.catalog import rules

from .arguments import resource


class Severity(enum.Enum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


SDK = SimpleNamespace(
    Severity=Severity,
    PolicyConfigSchema=lambda properties: properties,
    StackValidationPolicy=lambda **given: SimpleNamespace(of="stack", **given),
    ResourceValidationPolicy=lambda **given: SimpleNamespace(of="resource", **given),
)


def test_each_rule_becomes_a_policy() -> None:
    made = [pack.policy(SDK, rule) for rule in rules(lambda *_: "")]
    assert len({policy.name for policy in made}) == len(made) >= 16
    assert [policy.name for policy in made if policy.of == "stack"] == ["network-rules"]
    [timeout] = [policy for policy in made if policy.name == "timeout"]
    assert timeout.config_schema["longest"]["default"] == "6h" and timeout.severity is Severity.MEDIUM
    said: list[tuple[str, str]] = []
    args: Any = resource("Task", "shop-t", app="shop", task="t", timeout="2h0m0s")
    args.config = {"longest": "1h"}
    timeout.validate(args, lambda sentence, urn: said.append((urn, sentence)))
    [(urn, sentence)] = said
    assert urn == args.urn and sentence.startswith("task 't' of app 'shop' may run for 2h, and 1h is the longest: ")


def test_without_its_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("detect_secrets", "detect_secrets.core.scan", "kf_tasks.policies.detector"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(SystemExit, match=r"lacks .*: make a virtual environment for it alone, pip install 'kf-tasks"):
        pack.main()
