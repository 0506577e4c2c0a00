"""A tag as the digest that it stands for now.

Whoever pushes to a tag changes what a task would run, and nobody sees it; a digest is seen, and is a
reason to run. A registry that does not answer is none: the digest that the App was given last stands.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pulumi
import yaml

from ..core.pods.user import recorded
from ..core.run.pipelinerun import step_of
from ..core.template import MANIFEST
from ..errors import Trouble
from ..registry.client import Address, registry
from ..registry.reference import parse
from .space import Space


@dataclass(frozen=True)
class Resolved:
    """An image with its digest, and its USER, None where that is not known; unless `known`, neither is."""

    image: Any
    user: str | None = None
    known: bool = True


def of(
    app: pulumi.Resource, name: str, space: Space, image: pulumi.Output[str]
) -> tuple[pulumi.Output[str], pulumi.Output[str | None]]:
    """`image` with the digest of its tag, and its USER.

    Both are unknown in a preview where neither the registry nor the cluster tells them.
    """
    found = asyncio.ensure_future(_resolved(app, name, space, image))

    async def text() -> Any:
        return (await found).image

    async def user() -> Any:
        return (await found).user

    async def known() -> bool:
        return (await found).known

    async def secret() -> bool:
        return False

    return (
        pulumi.Output(image.resources(), text(), known(), secret()),
        pulumi.Output(image.resources(), user(), known(), secret()),
    )


async def _resolved(app: pulumi.Resource, name: str, space: Space, given: pulumi.Output[str]) -> Resolved:
    image = await given.future(with_unknowns=True)
    if not await given.is_known() or not isinstance(image, str) or "@" in image:
        return Resolved(image, known=await given.is_known())
    address, repository, tag = parse(image, Address.of(space.registry) if space.registry else None)
    login = await _login(app, name, space, address.host)
    try:
        client = registry(address, login)
        digest = await asyncio.to_thread(client.resolve, repository, tag)
        user = await asyncio.to_thread(client.user, repository, digest) if digest else None
    except Trouble as error:
        return await _without_answer(app, name, space, image, error)
    if digest is None:
        raise pulumi.RunError(f"app {name!r}: image {image} does not exist: push it, or name another tag")
    return Resolved(f"{image}@{digest}", user)


async def _login(app: pulumi.Resource, name: str, space: Space, host: str) -> tuple[str, str] | None:
    """What the Space's Secret has for a registry; None leaves it to what `docker login` left on this machine."""
    secret = await _value(pulumi.Output.from_input(space.registry_secret))
    if not secret:
        return None
    place = await _value(space.connection), await _value(space.namespace)
    found, trouble = await asyncio.to_thread(_of_secret, *place, secret, host)
    if trouble:
        say = pulumi.log.info if pulumi.runtime.is_dry_run() else pulumi.log.warn
        say(f"app {name!r}: registry_secret: {trouble}; its tag is resolved with what docker login left here", app)
    return found


async def _without_answer(app: pulumi.Resource, name: str, space: Space, image: str, error: Trouble) -> Resolved:
    last, user = await asyncio.to_thread(_recorded, await _value(space.connection), await _value(space.namespace), name)
    if last and last.startswith(f"{image}@"):
        digest = last.partition("@")[2]
        pulumi.log.warn(f"app {name!r}: {error}. The digest of {image} recorded last stands: {digest}", app)
        return Resolved(last, user)
    if pulumi.runtime.is_dry_run():
        pulumi.log.warn(f"app {name!r}: {error}. No digest of {image} is recorded: it is known only in the update", app)
        return Resolved(None, known=False)
    raise pulumi.RunError(f"app {name!r}: {error}. No digest of {image} is recorded, so none can be used")


async def _value(output: pulumi.Output[Any]) -> Any:
    return await output.future() if await output.is_known() else None


def _of_secret(connection: Any, namespace: Any, secret: str, host: str) -> tuple[tuple[str, str] | None, str]:
    """The credentials, or why there are none."""
    from ..cluster.client import Cluster
    from ..cluster.connection import Connection
    from ..registry.upload import login

    if connection is None or not namespace:
        return None, "the cluster is known only during the update"
    try:
        return login(Cluster.of(Connection.of(connection)), namespace, secret, host), ""
    except Trouble as error:
        return None, str(error)


def _recorded(connection: Any, namespace: Any, name: str) -> tuple[str | None, str | None]:
    """The image in the App's template, which holds the digest that the last update found, and its user."""
    from ..cluster.client import Cluster
    from ..cluster.connection import Connection

    if connection is None or not namespace:
        return None, None
    try:
        found = Cluster.of(Connection.of(connection)).get(namespace, "configmaps", f"kf-{name}")
        manifest = yaml.safe_load(found["data"][MANIFEST]) if found else None
        step = step_of(manifest) if manifest else {"image": None}
        return step["image"], recorded(step.get("securityContext") or {})
    except (Trouble, LookupError, TypeError, yaml.YAMLError):
        return None, None
