"""`kf env`: the environment of an App's tasks, and where each value comes from.

It reads the template that Pulumi has written, so it tells what the next task will get. Secret values
are shown as a short digest: enough to compare two of them, nothing to take away.
"""

from __future__ import annotations

import base64
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from ...core.api import Object
from ...core.log.reader import harmless
from ...core.run import bindings, environment, pipelinerun, sources
from ...core.run.environment import Shown
from ...errors import Denied
from .. import names, output
from ..table import echo, show
from ..target import Target, TargetSpace, target_options
from ..template import template
from ..views import View

COLUMNS = ("Name", "Layer", "Hides", "From", "Value")
LONGEST = 120


@dataclass(frozen=True, kw_only=True)
class EnvView(View):
    """The environment of an App's tasks: `kf env`. `files` are the digests of the binding files, by path."""

    variables: list[dict[str, Any]]
    files: dict[str, str]


@click.command()
@click.argument("app", type=names.app)
@click.option("--task", type=names.task, metavar="NAME", help="One of the App's tasks, with its own variables.")
@output.option()
@target_options
@click.pass_obj
def env(target: Target, app: str, task: str | None, form: str | None) -> None:
    """Shows the variables and binding files that the tasks of APP get."""
    space = target.open()
    manifest, settings = template(space, app, task)
    digests = reader(space)
    step = pipelinerun.step_of(manifest)
    below = sources.shown(list(zip(settings.sources, pipelinerun.sources_of(manifest))), digests)
    variables = environment.effective(
        step.get("env", []), settings.layers or {}, lambda kind, name, key: (digests(kind, name) or {}).get(key), below
    )
    files = binding_files(manifest, functools.partial(digests, sources.SECRET))
    rows = [{"name": it.name, "value": it.text, "layer": it.layer, "hides": list(it.shadows), "secret": it.secret,
             **({"from": it.origin} if it.origin else {})} for it in variables]  # fmt: skip
    if output.printed(form, EnvView(variables=rows, files=files), [it.name for it in variables]):
        return
    longest = None if form == output.WIDE else LONGEST
    show([COLUMNS, *(_row(it, longest) for it in variables)])
    if files:
        echo("")
        show([("File", "Content"), *sorted(files.items())])


class Unreadable(dict[str, str]):
    """Stands for an object that may not be read: whatever is asked for is there, and unknown."""

    def __init__(self, kind: str) -> None:
        self.text = f"<{'secret' if kind == sources.SECRET else kind} that you may not read>"
        super().__init__({"…": self.text})

    def get(self, key: str, default: Any = None) -> Any:
        """What is shown in place of a digest."""
        return self.text


def reader(space: TargetSpace) -> Callable[[str, str], dict[str, str] | None]:
    """Reads each Secret and ConfigMap once: the digests of a Secret's values, the texts of a ConfigMap.

    None of one that does not exist.
    """

    @functools.cache
    def read(kind: str, name: str) -> dict[str, str] | None:
        try:
            found = space.cluster.get(space.name, f"{kind.lower()}s", name)
        except Denied:
            return Unreadable(kind)
        if found is None:
            return None
        data = found.get("data") or {}
        if kind == sources.CONFIG_MAP:
            return dict(data)
        texts = {key: base64.b64decode(value).decode("utf-8", "replace") for key, value in data.items()}
        return {key: environment.short_digest(text) for key, text in texts.items()}

    return read


def binding_files(manifest: Object, digests: Callable[[str], dict[str, str] | None]) -> dict[str, str]:
    """The files of the bindings by path, each with the digest of its content."""
    mounts = {mount["name"]: mount["mountPath"] for mount in pipelinerun.step_of(manifest).get("volumeMounts", [])}
    found = {}
    for (volume, _), (secret, items) in pipelinerun.secret_volumes(manifest).items():
        folder = mounts.get(volume, "")
        if not folder.startswith((f"{bindings.ROOT}/", bindings.FILE_FOLDER)):
            continue
        values = digests(secret) or {}
        if isinstance(values, Unreadable):
            found[f"{folder}/…"] = values.text
            continue
        paths = {item["key"]: item["path"] for item in items} or {key: key for key in values}
        found.update({f"{folder}/{path}": values[key] for key, path in paths.items() if key in values})
    return dict(sorted(found.items()))


def _row(shown: Shown, longest: int | None) -> tuple[str, ...]:
    text = harmless(shown.text.replace("\n", "\\n"))
    if longest is not None and len(text) > longest:
        text = f"{text[:longest]}… ({len(shown.text)} characters; -o wide shows all)"
    return shown.name, shown.layer, ", ".join(shown.shadows), shown.origin, text
