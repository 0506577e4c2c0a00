"""Who is told how tasks end: webhooks and heartbeats, whose addresses go to a Kubernetes Secret and nowhere else."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pulumi
import pulumi_kubernetes as kubernetes

from ..core import marks
from ..core.errors import InvalidInput
from ..core.notify import endpoint
from ..core.notify.endpoint import Endpoint
from .arguments import of_record
from .inputs import computed, for_people


@dataclass(frozen=True)
class Webhook:
    """An address for `notify=[…]` that is posted an event when a task has failed, and when it has recovered.

    - `url`: a secret, whether it is marked as one or not.
    - `on` (both): "failed", and "recovered" for the first success after a failure of the same task.
    - `format`: "cloudevents" (1.0, structured JSON, with Tekton's types of events), "slack" (and what takes the same:
      Mattermost, Rocket.Chat, Discord's /slack), or "json".
    - `ca`: certificates in PEM of an authority of your own, trusted beside those that every machine has.
    """

    url: pulumi.Input[str] = field(repr=False)
    on: Sequence[Literal["failed", "recovered"]] = ("failed", "recovered")
    format: Literal["cloudevents", "slack", "json"] = "cloudevents"
    ca: pulumi.Input[str] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        _check(self, "webhook")
        if not self.on:
            with for_people():
                raise InvalidInput('webhook: on is empty: name "failed", "recovered" or both, or leave it out')


@dataclass(frozen=True)
class Heartbeat:
    """An address for `notify=[…]` of a service that calls when it hears nothing, such as healthchecks.io.

    It is posted `<url>/start` when a task starts, `<url>` when it has succeeded and `<url>/fail` when it has failed.
    `url` and `ca` are as in a Webhook.
    """

    url: pulumi.Input[str] = field(repr=False)
    ca: pulumi.Input[str] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        _check(self, "heartbeat")


Notify = Sequence[Webhook | Heartbeat]


@dataclass(frozen=True)
class Notified:
    """Who is told of the tasks of a component: `secret` is the name of the Secret, empty for nobody."""

    secret: str = ""
    resources: tuple[pulumi.Resource, ...] = ()


def notified(
    owner: str,
    notify: Notify | None,
    inherited: Notified,
    name: str,
    metadata: Mapping[str, Any],
    opts: pulumi.ResourceOptions,
) -> Notified:
    """Those of a component, with a Secret called `name` of its own; those that it inherits where it says nothing."""
    if notify is None:
        return inherited
    if not notify:
        return Notified()
    given = [{"url": one.url, "ca": one.ca} for one in notify]

    def text(found: Sequence[Mapping[str, Any]]) -> str:
        made = []
        for one, values in zip(notify, found, strict=True):
            kind = endpoint.WEBHOOK if isinstance(one, Webhook) else endpoint.HEARTBEAT
            what = f"{owner}: notify: {kind}"
            _check_values(what, values["url"], values["ca"])
            on, form = (tuple(one.on), one.format) if isinstance(one, Webhook) else ((), "")
            made.append(Endpoint(kind, values["url"], on, form, values["ca"] or ""))
        return endpoint.written(made)

    known: pulumi.Output[list[Any]] = pulumi.Output.all(*given)
    data: pulumi.Output[str] = pulumi.Output.secret(computed(known, text))
    labels = {**metadata["labels"], marks.COMPONENT: endpoint.COMPONENT}
    secret = kubernetes.core.v1.Secret(
        name,
        metadata={**metadata, "labels": labels, "name": name},
        string_data={endpoint.KEY: data},
        opts=opts,
    )
    return Notified(name, (secret,))


def told(notify: Notify | None) -> Any:
    """What a component registers of it: kinds, formats and events, and no address."""
    if notify is None:
        return None
    return [
        {"kind": "webhook", "on": list(one.on), "format": one.format}
        if isinstance(one, Webhook)
        else {"kind": "heartbeat"}
        for one in notify
    ]


def _check(record: Webhook | Heartbeat, what: str) -> None:
    of_record(record, what)
    if not isinstance(record.url, (pulumi.Output, Awaitable)):
        with for_people():
            ca = None if isinstance(record.ca, (pulumi.Output, Awaitable)) else record.ca
            _check_values(what, record.url, ca)


def _check_values(what: str, url: str, ca: str | None) -> None:
    endpoint.check_url(what, url)
    if ca:
        try:
            ssl.create_default_context().load_verify_locations(cadata=ca)
        except (ssl.SSLError, ValueError):
            raise InvalidInput(
                f"{what}: ca holds no certificate in PEM: give the text of a file that begins with "
                "-----BEGIN CERTIFICATE-----, not its path"
            ) from None
