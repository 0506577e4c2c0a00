"""`kf completion`: the script by which a shell completes the commands and options of `kf`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

_SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Prints the completion of kf for a shell.

    In ~/.bashrc or ~/.zshrc: source <(kf completion bash), or zsh. For fish: kf completion fish >
    ~/.config/fish/completions/kf.fish
    """
    kind = get_completion_class(shell)
    assert kind
    click.echo(kind(context.find_root().command, {}, "kf", "_KF_COMPLETE").source())
