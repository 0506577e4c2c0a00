"""What a Space and an App say about the pods of their tasks, as Outputs, up to what a template needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from ..core.errors import InvalidInput
from ..core.pods import security
from ..core.pods import settings as pod
from .inputs import checked, plain

RESTRICTED = "restricted"


def pod_settings(owner: str, given: Mapping[str, Any]) -> pulumi.Output[dict[str, Any]]:
    """What a Space or an App says about pods (`pod.KEYS`), readable by everybody and known to fit Tekton."""
    outputs = {name: plain(given.get(name), f"{name} of {owner}") for name in pod.KEYS}

    def verify(found: dict[str, Any]) -> dict[str, Any]:
        checked(lambda: security.check(owner, found["security_context"]))
        return checked(lambda: dict(pod.check(owner, found)))

    return pulumi.Output.all(**outputs).apply(verify)


def pods_of_tasks(
    app: pulumi.Resource,
    owner: str,
    settings: Mapping[str, Any],
    *,
    added: Mapping[str, Sequence[Mapping[str, Any]]],
    level: str | None,
    own_account: bool,
    token: bool,
) -> dict[str, Any]:
    """The settings of an App on top of its Space's with what its bindings add, and known to be admitted.

    What leaves the restricted level is said in a line; where the namespace enforces it (`level`) it is an error.
    """
    checked(lambda: pod.check_mounts(owner, settings))
    given_up = ", ".join(security.opts_out(settings))
    if given_up and level == RESTRICTED:
        checked(lambda: _refuse_level(owner, given_up))
    if given_up:
        pulumi.log.info(f"{owner}: its tasks leave the restricted Pod Security level: {given_up}", app)
    template = {**pod.template(settings), **({"automountServiceAccountToken": True} if token else {})}
    if own_account:  # then it carries them
        template.pop("imagePullSecrets", None)
    everything = {name: [*settings[name], *more] for name, more in added.items()}
    return {**settings, **everything, "template": template}


def pull_secrets(settings: Mapping[str, Any]) -> Any:
    """The image pull secrets as a ServiceAccount lists them, None without any."""
    return [{"name": name} for name in settings["image_pull_secrets"]] or None


def _refuse_level(owner: str, given_up: str) -> None:
    raise InvalidInput(
        f"{owner}: its Space enforces the restricted Pod Security level, but its tasks leave it ({given_up}): "
        "take that out, or choose another pod_security for the Space"
    )
