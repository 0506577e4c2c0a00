"""`kf target`: which cluster and Space kf talks to, and how another one is chosen, for nothing is kept here."""

from __future__ import annotations

import os
from dataclasses import dataclass

import click

from ...core.errors import InvalidInput
from .. import names, output
from ..table import show
from ..target import SPACE, Target, target_options
from ..views import View


@dataclass(frozen=True, kw_only=True)
class TargetView(View):
    """What is targeted: `kf target`. `space_from` says what has chosen the Space."""

    space: str
    space_from: str
    cluster: str
    context: str | None


@click.command("target")
@click.option("-s", "chosen", type=names.space, metavar="SPACE", help="Refused, with what chooses a Space here.")
@output.option()
@target_options
@click.pass_obj
def target(target: Target, chosen: str | None, form: str | None) -> None:
    """Shows the Space and the cluster that kf talks to."""
    if chosen:
        raise InvalidInput(
            f"no Space is kept from one command to the next: give --space {chosen}, or export {SPACE}={chosen}, or set "
            f"the context's: kubectl config set-context --current --namespace={chosen}"
        )
    space = target.open()
    by = "--space" if target.space else SPACE if os.environ.get(SPACE) else "the context"
    found = TargetView(space=space.name, space_from=by, cluster=space.cluster.http.host, context=target.context_name())
    if not output.printed(form, found, [found.space]):
        show(
            [("Space", f"{found.space} (by {by})"), ("Cluster", found.cluster), ("Context", found.context or "")],
            headed=False,
        )
