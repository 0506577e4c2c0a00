"""What a Space and an App say about the pods of their tasks, as Outputs, up to what a template needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pulumi

from ..core.errors import InvalidInput
from ..core.pods import user
from ..core.pods.settings import PodSettings
from .inputs import computed, plain

RESTRICTED = "restricted"


@dataclass(frozen=True)
class TaskPods:
    """The pods of an App's tasks: what was said about them, and Tekton's pod template that follows from it."""

    settings: PodSettings
    template: Mapping[str, Any]

    def as_user(self, app: pulumi.Resource, owner: str, image_user: str | None) -> TaskPods:
        """With the user of the image, if it is a number and nobody has named another."""
        context = self.settings.security_context
        named = user.about_name(owner, image_user, context)
        if named:
            pulumi.log.info(named, app)
        return replace(self, settings=replace(self.settings, security_context=user.kept(image_user, context)))

    @property
    def pull_secrets(self) -> Any:
        """The image pull secrets as a ServiceAccount lists them, None without any."""
        return [{"name": name} for name in self.settings.image_pull_secrets or ()] or None


def pod_settings(owner: str, **given: Any) -> pulumi.Output[PodSettings]:
    """What a Space or an App says about pods (PodSettings), readable by everybody and known to fit Tekton."""
    outputs = {name: plain(value, f"{name} of {owner}") for name, value in given.items()}
    return computed(pulumi.Output.all(**outputs), lambda found: PodSettings(**found).checked(owner))


def pods_of_tasks(
    app: pulumi.Resource,
    owner: str,
    settings: PodSettings,
    *,
    added: Mapping[str, Sequence[Mapping[str, Any]]],
    level: str | None,
    own_account: bool,
    token: bool,
) -> TaskPods:
    """The settings of an App, on top of its Space's, with what its bindings add, and known to be admitted.

    What leaves the restricted level is said in a line; where the namespace enforces it (`level`) it is an error.
    """
    settings.check_mounts(owner)
    given_up = ", ".join(settings.given_up)
    if given_up and level == RESTRICTED:
        raise InvalidInput(
            f"{owner}: its Space enforces the restricted Pod Security level, but its tasks leave it ({given_up}): "
            "take that out, or choose another pod_security for the Space"
        )
    if given_up:
        pulumi.log.info(f"{owner}: its tasks leave the restricted Pod Security level: {given_up}", app)
    template = {**settings.template, **({"automountServiceAccountToken": True} if token else {})}
    if own_account:  # then it carries them
        template.pop("imagePullSecrets", None)
    volumes = [*(settings.volumes or ()), *added["volumes"]]
    mounts = [*(settings.volume_mounts or ()), *added["volume_mounts"]]
    return TaskPods(replace(settings, volumes=volumes, volume_mounts=mounts), template)
