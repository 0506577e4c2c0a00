"""`kf check`: what is to be said about a manifest, without a cluster and without Pulumi."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ...core.errors import InvalidInput
from ..table import echo


@click.command()
@click.argument("file", type=click.Path(path_type=Path), default="manifest.yml", metavar="[MANIFEST]")
@click.option("--var", "variables", multiple=True, metavar="NAME=VALUE", help="Value of ((NAME)); may be repeated.")
@click.option(
    "--vars-file", "files", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
    help="File of values, 'NAME: VALUE' in each line; may be repeated, the last one wins.",
)  # fmt: skip
@click.option("--service", "services", multiple=True, metavar="NAME", help="A declared service; may be repeated.")
@click.pass_context
def check(
    context: click.Context,
    file: Path,
    variables: tuple[str, ...],
    files: tuple[Path, ...],
    services: tuple[str, ...],
) -> None:
    """Says everything that is wrong with MANIFEST, and what Kf and Cloud Foundry do otherwise with it."""
    from ...core.manifest import loading

    try:
        found = loading.load(file, _values(variables, files), services or None)
    except InvalidInput as error:
        echo(f"kf: {error}", err=True)
        if isinstance(error, loading.Unusable):
            for line in [*error.warnings, *error.notes]:
                echo(line)
        context.exit(1)
    for line in [*found.warnings, *found.notes]:
        echo(line)
    tasks = sum(len(application.tasks) for application in found.applications)
    jobs = sum(len(application.jobs) for application in found.applications)
    counts = [_count(len(found.applications), "application"), _count(tasks, "task")]
    counts += [_count(jobs, "job")] if jobs else []
    echo(f"{file} can be used: {', '.join(counts)}.")
    bound = sorted({service.name for application in found.applications for service in application.services})
    if bound and not services:
        echo(f"It needs services that kf:services or the program declares: {', '.join(bound)}.")
    if found.differences:
        echo("What Kf and Cloud Foundry do otherwise:")
    for line in found.differences:
        echo(f"  {line}")


def _values(variables: tuple[str, ...], files: tuple[Path, ...]) -> dict[str, Any]:
    from ...core.manifest import document, loading

    found: dict[str, Any] = {}
    for file in files:
        found.update(loading.values(file))
    for variable in variables:
        name, given, value = variable.partition("=")
        if not given or not name:
            raise click.BadParameter(f"{variable!r} has no value: write NAME=VALUE", param_hint="--var")
        found[name] = document.value(value)
    return found


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
