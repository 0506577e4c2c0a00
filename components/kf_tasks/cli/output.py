"""Answers for programs: the same data as JSON or YAML."""

from __future__ import annotations

import json
from typing import Any

import click


def print_data(data: Any, form: str) -> None:
    """Prints plain data as `json` or `yaml`."""
    if form == "json":
        click.echo(json.dumps(data, indent=2))
        return
    import yaml

    click.echo(yaml.safe_dump(data, sort_keys=False), nl=False)
