"""The pack `kf-policies`: `pulumi preview --policy-pack …/bin/kf-policies`, which the engine starts by itself.

It needs `pulumi-policy`, which wants another protobuf than Pulumi's newest SDK takes, so it lives in a virtual
environment of its own. Each rule is advisory until the pack's configuration says otherwise.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from typing import Any, BinaryIO, cast

from .rule import Rule

NAME = "kf-policies"
MISSING = (
    f"{NAME} lacks {{}}: make a virtual environment for it alone, pip install 'kf-tasks[policies]' there, and give the "
    f"{NAME} of that one to pulumi preview --policy-pack"
)


def main() -> None:
    """The console script: serves the rules to Pulumi until it ends this process."""
    try:
        from . import catalog, detector
    except ImportError as error:
        sys.exit(MISSING.format(error.name))
    try:
        import pulumi_policy
    except ImportError as error:
        sys.exit(MISSING.format(error.name))
    if sys.stdout.isatty():
        sys.exit(f"{NAME} is started by Pulumi: pulumi preview --policy-pack {sys.argv[0]}")
    # The engine waits for a port on the standard output, and nobody flushes it.
    sys.stdout = io.TextIOWrapper(
        cast(BinaryIO, io.FileIO(sys.stdout.fileno(), "w", closefd=False)), write_through=True
    )
    pulumi_policy.PolicyPack(
        NAME,
        [policy(pulumi_policy, rule) for rule in catalog.rules(detector.kind_of)],
        pulumi_policy.EnforcementLevel.ADVISORY,
    )


def policy(sdk: Any, rule: Rule) -> Any:
    """A rule as `pulumi_policy` has it."""

    def validate(args: Any, report: Callable[[str, str], None]) -> None:
        for urn, sentence in rule.violations(args, args.get_config()):
            report(sentence, urn)

    kind = sdk.StackValidationPolicy if rule.whole else sdk.ResourceValidationPolicy
    return kind(
        name=rule.name,
        description=f"{rule.says} {rule.reason}",
        validate=validate,
        config_schema=sdk.PolicyConfigSchema(properties={name: dict(it) for name, it in rule.settings.items()}),
        severity=sdk.Severity(rule.severity),
        remediation_steps=rule.advice,
    )
