"""`kf help`: what `--help` says, of kf, of one command, or of all of them on one page."""

from __future__ import annotations

import click

from ..answers import ANSWERS, SHORT, unknown


@click.command("help")
@click.argument("topic", metavar="[COMMAND]", required=False)
@click.option("--all", "every", is_flag=True, help="Every command on one page.")
@click.pass_context
def help_(context: click.Context, topic: str | None, every: bool) -> None:
    """Says how COMMAND is called and what it does, or what commands there are."""
    root = context.find_root()
    group = root.command
    assert isinstance(group, click.Group)
    if every and topic:
        raise click.UsageError(f"--all is every command, and {topic!r} is one: give one of them")
    topic = SHORT.get(topic or "", topic)
    if not topic:
        click.echo(group.get_help(root))
        for each in group.list_commands(root) if every else ():
            _page(root, group, each)
        return
    if topic in ANSWERS:
        click.echo(f"{topic} is no command of kf: {ANSWERS[topic]}")
        return
    if not group.get_command(root, topic):
        raise unknown(topic, group.list_commands(root), context.parent)
    click.echo(_text(root, group, topic))


def _page(root: click.Context, group: click.Group, name: str) -> None:
    command = group.get_command(root, name)
    if command and not command.hidden:
        click.echo(f"\n\n{_text(root, group, name)}")


def _text(root: click.Context, group: click.Group, name: str) -> str:
    command = group.get_command(root, name)
    assert command
    with click.Context(command, info_name=name, parent=root) as context:
        return command.get_help(context)
