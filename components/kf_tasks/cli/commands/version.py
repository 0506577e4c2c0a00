"""`kf version`: as `kf --version`, by the name that Cloud Foundry has for it."""

from __future__ import annotations

import platform
from dataclasses import dataclass

import click

from ... import __version__
from .. import output
from ..table import echo
from ..views import View


@dataclass(frozen=True, kw_only=True)
class VersionView(View):
    """Which kf this is, and which Python runs it: `kf version`."""

    version: str
    python: str


@click.command()
@output.option()
def version(form: str | None) -> None:
    """Says which version of kf this is."""
    if not output.printed(form, VersionView(version=__version__, python=platform.python_version()), [__version__]):
        echo(f"kf {__version__}")
