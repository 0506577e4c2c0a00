"""`kf check`: what is to be said about a manifest, without a cluster and without Pulumi."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from ...core.errors import InvalidInput
from .. import output
from ..table import echo
from ..views import View


@dataclass(frozen=True, kw_only=True)
class CheckView(View):
    """What is to be said about a manifest: `kf check`.

    It is `usable` where there are no `problems`. Counted is what it declares, 0 for one that cannot be used; `services`
    are the names that it binds. `differences` are what Kf and Cloud Foundry do otherwise.
    """

    file: str
    usable: bool
    problems: list[str]
    warnings: list[str]
    notes: list[str]
    differences: list[str]
    applications: int
    tasks: int
    jobs: int
    services: list[str]


@click.command()
@click.argument("file", type=click.Path(path_type=Path), default="manifest.yml", metavar="[MANIFEST]")
@click.option("--var", "variables", multiple=True, metavar="NAME=VALUE", help="Value of ((NAME)); may be repeated.")
@click.option(
    "--vars-file", "files", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
    help="File of values, 'NAME: VALUE' in each line; may be repeated, the last one wins.",
)  # fmt: skip
@click.option("--service", "services", multiple=True, metavar="NAME", help="A declared service; may be repeated.")
@output.option()
@click.pass_context
def check(
    context: click.Context,
    file: Path,
    variables: tuple[str, ...],
    files: tuple[Path, ...],
    services: tuple[str, ...],
    form: str | None,
) -> None:
    """Says everything that is wrong with MANIFEST, and what Kf and Cloud Foundry do otherwise with it."""
    found, trouble = _view(file, variables, files, services)
    if output.printed(form, found, [found.file]):
        context.exit(int(not found.usable))
    if trouble:
        echo(f"kf: {trouble}", err=True)
    for line in [*found.warnings, *found.notes]:
        echo(line)
    if trouble:
        context.exit(1)
    counts = [_count(found.applications, "application"), _count(found.tasks, "task")]
    counts += [_count(found.jobs, "job")] if found.jobs else []
    echo(f"{file} can be used: {', '.join(counts)}.")
    if found.services and not services:
        echo(f"It needs services that kf:services or the program declares: {', '.join(found.services)}.")
    if found.differences:
        echo("What Kf and Cloud Foundry do otherwise:")
    for line in found.differences:
        echo(f"  {line}")


def _view(
    file: Path, variables: tuple[str, ...], files: tuple[Path, ...], services: tuple[str, ...]
) -> tuple[CheckView, InvalidInput | None]:
    """What is found, and the error of a manifest that cannot be used."""
    from ...core.manifest import loading

    try:
        found = loading.load(file, _values(variables, files), services or None)
    except InvalidInput as error:
        told = error if isinstance(error, loading.Unusable) else loading.Unusable(str(error), [str(error)], [], [])
        nothing = CheckView(
            file=str(file), usable=False, problems=told.problems, warnings=told.warnings, notes=told.notes,
            differences=[], applications=0, tasks=0, jobs=0, services=[],
        )  # fmt: skip
        return nothing, error
    declared = found.applications
    view = CheckView(
        file=str(file),
        usable=True,
        problems=[],
        warnings=found.warnings,
        notes=found.notes,
        differences=found.differences,
        applications=len(declared),
        tasks=sum(len(application.tasks) for application in declared),
        jobs=sum(len(application.jobs) for application in declared),
        services=sorted({service.name for application in declared for service in application.services}),
    )
    return view, None


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
