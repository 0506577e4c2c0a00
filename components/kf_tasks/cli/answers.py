"""What is said to commands of Kf and Cloud Foundry that are not here: what does it instead.

Hands type what they know. Each is answered in one line and ends with an error, whatever its arguments are, so that no
script takes it for done.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import click

from ..core.errors import InvalidInput

_PROGRAM = "in the Pulumi program, and run pulumi up"
ANSWERS = {
    "api": "the cluster is that of the kubeconfig: choose one with --kubeconfig, --context or KUBECONFIG",
    "app": "kf apps lists the Apps with the counts of their tasks, kf tasks APP the tasks of one",
    "auth": "the credentials are those of the kubeconfig: log in to the cluster with its own tool",
    "bind-service": f"write services=[Binding(…)] of the App {_PROGRAM}",
    "configure-space": f"write env=…, defaults and the like of the Space {_PROGRAM}",
    "create-job": "a job is declared: write TaskSchedule('JOB', app=app, command='COMMAND', schedule='0 3 * * *') "
    f"{_PROGRAM}; or an entry under jobs: in the manifest",
    "create-service": f"write ServiceInstance('NAME', space=space, credentials={{…}}) {_PROGRAM}",
    "create-space": f"write Space('NAME') {_PROGRAM}",
    "create-user-provided-service": f"write ServiceInstance('NAME', space=space, credentials={{…}}) {_PROGRAM}",
    "delete": "take the App out of the program and run pulumi up, which deletes it with its tasks",
    "delete-space": "pulumi destroy deletes what a stack has made, with its Spaces",
    "events": "kf tasks shows what ran, kf task RUN all about one run",
    "login": "the credentials are those of the kubeconfig: log in to the cluster with its own tool",
    "logout": "the credentials are those of the kubeconfig: nothing is kept here",
    "map-route": "an App here has no routes: it is there for its tasks",
    "push": "an App is declared: pulumi up builds and pushes its source; kf check says what is wrong with a manifest",
    "restage": "pulumi up builds an App anew when its source has changed",
    "restart": "an App here runs tasks only: kf run-task APP starts one",
    "scale": f"write memory=… and cpu=… of the App or Task {_PROGRAM}; for one run kf run-task has -m, -k, --cpu-cores",
    "service": "kf env APP shows what the tasks of an App get of its services",
    "services": "kf env APP shows what the tasks of an App get of its services",
    "set-env": f"write env={{'NAME': 'VALUE'}} of the App {_PROGRAM}; kf run-task has --env for one run",
    "spaces": "a Space is a namespace of the cluster: kubectl get namespaces",
    "ssh": "kf run-task APP -c COMMAND --wait runs a command in the environment of an App",
    "start": "an App here runs tasks only: kf run-task APP starts one",
    "stop": "an App here runs tasks only: kf terminate-task ends one",
    "unset-env": f"take it out of env={{…}} of the App {_PROGRAM}",
}


# The short names that cf has for commands.
SHORT = {
    "a": "apps", "bs": "bind-service", "cs": "create-service", "cups": "create-user-provided-service", "d": "delete",
    "e": "env", "h": "help", "l": "login", "p": "push", "rs": "restart", "rt": "run-task", "s": "services",
    "se": "set-env", "sp": "stop", "st": "start", "t": "target",
}  # fmt: skip


def unknown(name: str, known: Iterable[str], context: click.Context | None) -> click.UsageError:
    """That there is no such command, and which one it resembles."""
    import difflib

    near = difflib.get_close_matches(name, [*known, *ANSWERS], 1)
    return click.UsageError(f"No such command {name!r}.{f' Did you mean {near[0]!r}?' if near else ''}", context)


def answer(name: str) -> click.Command:
    """The command of a name of ANSWERS."""
    settings = {"ignore_unknown_options": True, "allow_extra_args": True, "allow_interspersed_args": False}
    words = click.Argument(["words"], nargs=-1, type=click.UNPROCESSED)
    return click.Command(
        name, callback=partial(_refuse, name), params=[words], help=f"Refused: {ANSWERS[name]}.",
        context_settings=settings, hidden=True,
    )  # fmt: skip


def _refuse(name: str, words: tuple[str, ...]) -> None:
    raise InvalidInput(f"{name} is no command of kf: {ANSWERS[name]}")
