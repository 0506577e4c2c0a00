"""`kf review`: what an update would do, as a document that people can approve; it needs no cluster of its own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ..table import echo

STREAM = "PULUMI_ENABLE_STREAMING_JSON_PREVIEW"
_Out = Path | None


class _File(click.Path):
    """A file to write to, or - for stdout; whether it can be is found out before a preview of minutes."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path."""
        found = Path(os.fsdecode(super().convert(value, param, ctx)))
        if str(found) != "-" and not os.access(found if found.exists() else found.parent, os.W_OK):
            self.fail(f"{found} cannot be written: choose a file in a folder that is there", param, ctx)
        return found


_OUT = _File(path_type=Path, dir_okay=False, allow_dash=True)


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[PULUMI ARGS]…")
@click.option("--markdown", type=_OUT, metavar="FILE", help="For a comment of a pull request; - for stdout.")
@click.option("--html", type=_OUT, metavar="FILE", help="With pictures, in one file that needs no other.")
@click.option("--json", "data", type=_OUT, metavar="FILE", help="For programs; - for stdout.")
@click.option(
    "--from", "sources", multiple=True, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="What a preview has printed with --json, instead of a new one; may be repeated, for several stacks.",
)  # fmt: skip
@click.option(
    "--approve",
    type=_OUT,
    metavar="FILE",
    help="Approves what is shown: pulumi up with KF_APPROVED=FILE does that and nothing else.",
)
@click.option("--valid", default="24h", show_default=True, metavar="SPAN", help="How long --approve holds: 8h, 7d.")
@click.option(
    "--limit", type=click.IntRange(1000), default=64_000, show_default=True, help="Characters of the Markdown."
)
@click.pass_context
def review(
    context: click.Context,
    arguments: tuple[str, ...],
    markdown: _Out,
    html: _Out,
    data: _Out,
    sources: tuple[Path, ...],
    approve: _Out,
    valid: str,
    limit: int,
) -> None:
    """Shows what `pulumi up` would do: tasks that run and why, runs that are deleted, schedules, and all the rest.

    Runs `pulumi preview` with PULUMI ARGS, such as --stack dev, and ends as it does.
    """
    from ...core import moments, quantities
    from ...core.review import approved, composition, text
    from ...core.review import html as page
    from ...core.review import markdown as marked
    from ...core.review.assembly import review as review_of
    from ...core.review.preview import read

    span = quantities.age(valid, "--valid")
    if sources and arguments:
        raise click.UsageError(f"--from runs no preview, so {' '.join(arguments)} goes nowhere: leave one of them out")
    if approve and len(sources) > 1:
        raise click.UsageError(f"nothing is approved: {len(sources)} stacks are shown, and a file is about one")
    found, code = [(_text(source), str(source)) for source in sources], 0
    if not sources:
        events, code = _preview(arguments)
        if code and not events.strip():
            context.exit(code)  # pulumi has said why
        found = [(events, "pulumi preview")]
    previews = [read(events, name) for events, name in found]
    unordered = [review_of(preview) for preview in previews]
    reviews = sorted(unordered, key=lambda one: (one.project, one.stack))
    document = composition.compose(reviews)
    forms: list[tuple[_Out, Callable[[], str]]] = [
        (markdown, lambda: marked.render(document, limit)),
        (html, lambda: page.render(composition.compose(reviews, pictures=True))),
        (data, lambda: json.dumps([one.data() for one in reviews], indent=2, ensure_ascii=False) + "\n"),
    ]
    for out, form in forms:
        if out:
            _write(out, form())
    if not any(str(out) == "-" for out, _ in (*forms, (approve, None))):
        echo(text.render(document).removesuffix("\n"))
    if approve:
        if code:
            click.echo("kf: nothing is approved: the preview has failed", err=True)
            context.exit(code)
        _write(approve, approved.approve(unordered[0], previews[0], span, moments.now()).text())
    context.exit(code)


def _preview(arguments: tuple[str, ...]) -> tuple[str, int]:
    """The events of a preview, and its exit code; what it says on stderr is seen as it comes."""
    command = ["pulumi", "preview", "--json", "--non-interactive", *arguments]
    try:
        done = subprocess.run(
            command, env={**os.environ, STREAM: "true"}, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False
        )
    except FileNotFoundError:
        raise click.ClickException(
            "pulumi was not found: install it, or review what it has printed elsewhere with --from FILE"
        ) from None
    return done.stdout.decode("utf-8", "replace"), done.returncode


def _text(source: Path) -> str:
    try:
        return source.read_text("utf-8", "replace")
    except OSError as error:
        raise click.ClickException(f"{source} cannot be read: {error.strerror}") from None


def _write(out: Path, text: str) -> None:
    if str(out) == "-":
        click.echo(text, nl=False)
        return
    try:
        out.write_text(text, "utf-8")
    except OSError as error:
        raise click.ClickException(f"{out} cannot be written: {error.strerror}") from None
