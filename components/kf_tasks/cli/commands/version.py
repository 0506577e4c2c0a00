"""`kf version`: as `kf --version`, by the name that Cloud Foundry has for it."""

from __future__ import annotations

import click

from ... import __version__


@click.command()
def version() -> None:
    """Says which version of kf this is."""
    click.echo(f"kf {__version__}")
