"""Who is told: endpoints as they stand in a Secret, and what each is sent of an event.

Their addresses are secrets: whoever knows that of a chat's webhook may write there. So they stand in a Kubernetes
Secret and nowhere else, and no text of ours shows one.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, Iterable, List, Optional, Tuple
from urllib.parse import urlsplit, urlunsplit

from .. import naming
from ..errors import InvalidInput
from . import event
from .event import Event

COMPONENT = "notify"  # of the Secret, in its label
KEY = "notify.json"  # of what is in it
WEBHOOK, HEARTBEAT = "webhook", "heartbeat"
SHORTEST = 8  # of a path that is hidden by itself; a shorter one would blot out ordinary words
ON = (event.FAILED, event.RECOVERED)
FORMATS = (event.CLOUDEVENTS, event.SLACK, event.JSON)
# https://healthchecks.io/docs/http_api/: the address itself is a success
_PINGS = {event.STARTED: "/start", event.FAILED: "/fail", event.SUCCEEDED: "", event.RECOVERED: "", event.TEST: ""}
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_UNWRITABLE = re.compile(r"[^\x21-\x7e]|[<>\"\\^`{|}]")


@dataclass(frozen=True)
class Endpoint:
    """A webhook, told of the events `on` in a `format`, or a heartbeat, which is told of every start and end.

    `ca`: certificates in PEM that are trusted beside those of the machine, empty for none.
    """

    kind: str
    url: str = field(repr=False)
    on: Tuple[str, ...] = ()
    format: str = ""
    ca: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"webhook ({self.format})" if self.kind == WEBHOOK else self.kind

    def wants(self, kind: str) -> bool:
        """Whether it is told of events of this kind."""
        return self.kind != WEBHOOK or kind in (*self.on, event.TEST)

    def request(self, told: Event) -> Optional[Request]:
        """What it is sent of an event, None for nothing."""
        if not self.wants(told.kind):
            return None
        if self.kind == WEBHOOK:
            return Request(self.url, *event.body(told, self.format))
        at = urlsplit(self.url)
        # With an id of the run, those that overlap are told apart.
        query = [at.query, f"rid={told.uid}" if _UUID.fullmatch(told.uid) else ""]
        path = f"{at.path.rstrip('/')}{_PINGS[told.kind]}"
        url = urlunsplit((at.scheme, at.netloc, path, "&".join(filter(None, query)), ""))
        return Request(url, "text/plain; charset=utf-8", told.text.encode("utf-8", "replace"))


def secret_name(app: str, task: str) -> str:
    """The Secret that has the endpoints of one task, where it has any of its own."""
    return f"kf-{app}.{task}.notify"


@dataclass(frozen=True)
class Request:
    """What is posted."""

    url: str = field(repr=False)
    media_type: str
    body: bytes


def check_url(owner: str, url: str) -> str:
    """Returns the address of an endpoint if it can be one; raises InvalidInput, whose text does not show it."""
    naming.check_text(f"{owner}: url", url)
    wrong = "has characters that no address has" if _UNWRITABLE.search(url) else ""
    try:
        at = urlsplit(url)
        if not wrong and (at.scheme not in ("http", "https") or not at.hostname):
            wrong = "is no address"
        at.port  # noqa: B018 - it is checked when it is read
    except ValueError:
        wrong = "is no address"
    if wrong:
        raise InvalidInput(f"{owner}: url {wrong}: give one such as 'https://hooks.example.com/services/T0/B0'")
    return url


def hidden(endpoints: Iterable[Endpoint]) -> List[str]:
    """What of them no text may show: addresses, and the parts of them that tell who may write there."""
    found = []
    for one in endpoints:
        at = urlsplit(one.url)
        found += [one.url, at.path, at.query, at.netloc.rpartition("@")[0]]
    return [text for text in dict.fromkeys(found) if len(text) >= SHORTEST]


def written(endpoints: Iterable[Endpoint]) -> str:
    """Endpoints as the Secret holds them."""
    return json.dumps([vars(one) for one in endpoints], sort_keys=True)


def read(text: str) -> List[Endpoint]:
    """The endpoints that a Secret holds, those of a kind that is not known left out; raises ValueError."""
    found = json.loads(text)
    try:
        return [_one(one) for one in found if one["kind"] in (WEBHOOK, HEARTBEAT)]
    except (KeyError, TypeError, AttributeError, InvalidInput):
        raise ValueError("the Secret does not hold what Pulumi wrote") from None


def _one(found: Any) -> Endpoint:
    form = found.get("format", "")
    if found["kind"] == WEBHOOK and form not in FORMATS:
        raise ValueError("the Secret has a format that this version does not know")
    url = check_url("endpoint", found["url"])
    return Endpoint(found["kind"], url, tuple(found.get("on") or ()), form, found.get("ca") or "")
