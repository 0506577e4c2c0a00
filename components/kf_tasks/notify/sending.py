"""Sends an event to endpoints: three tries, ten seconds in all, and one line for each that has not taken it.

Standard library alone, from Python 3.9 upwards: the pod of a schedule sends, too. Certificates are verified, proxies
taken from the environment, and redirections refused, which would turn what is posted into a question.
"""

from __future__ import annotations

import base64
import ssl
import threading
import time
import urllib.request
from http.client import HTTPException
from typing import Any, Dict, List, Optional, Sequence
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit, urlunsplit

from ..core.log import gate
from ..core.notify.endpoint import Endpoint, Request
from ..core.notify.event import Event

SECONDS = 10.0
WAITS = (0.5, 2.0)  # before the second and the third try
TRY_SECONDS = 4.0
SILENT_SECONDS = 60.0  # an endpoint that was down is not asked again so soon: an update with many tasks goes on
_down: Dict[str, float] = {}


class _Straight(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def send(endpoints: Sequence[Endpoint], event: Event, seconds: float = SECONDS) -> List[str]:
    """Tells all that want to know of an event, side by side; returns why some do not know, empty for those that do.

    One entry for each endpoint that wants it, in their order.
    """
    asked = [(one, request) for one in endpoints for request in [one.request(event)] if request]
    found = [f"{endpoint}: no answer in time" for endpoint, _ in asked]
    deadline = time.monotonic() + seconds

    def work(nth: int) -> None:
        endpoint, request = asked[nth]
        trouble = _try(endpoint, request, deadline)
        found[nth] = f"{endpoint}: {_hidden(trouble, endpoint)}" if trouble else ""

    threads = [threading.Thread(target=work, args=(nth,), daemon=True) for nth in range(len(asked))]
    for thread in threads:
        thread.start()
    for thread in threads:  # a name that is never resolved keeps a thread, and nobody else
        thread.join(max(deadline - time.monotonic(), 0))
    return list(found)


def _try(endpoint: Endpoint, request: Request, deadline: float) -> str:
    """Why it was not taken, else empty."""
    if time.monotonic() < _down.get(endpoint.url, 0):
        return "was down just now, and is not asked again so soon"
    trouble = ""
    for wait in (*WAITS, None):
        left = deadline - time.monotonic()
        if left <= 0:
            break
        trouble, again = _post(endpoint, request, min(left, TRY_SECONDS))
        if not trouble or not again or wait is None or time.monotonic() + wait > deadline:
            break
        time.sleep(wait)
    if trouble:
        _down[endpoint.url] = time.monotonic() + SILENT_SECONDS
    else:
        _down.pop(endpoint.url, None)
    return trouble


def _post(endpoint: Endpoint, request: Request, seconds: float) -> "tuple[str, bool]":
    """Why it was not taken, and whether another try may help."""
    at = urlsplit(request.url)
    user, _, host = at.netloc.rpartition("@")
    headers = {"Content-Type": request.media_type, "User-Agent": "kf-tasks"}
    if user:
        headers["Authorization"] = f"Basic {base64.b64encode(unquote(user).encode()).decode()}"
    url = urlunsplit((at.scheme, host, at.path, at.query, ""))
    try:
        context = _context(endpoint.ca)
        opener = urllib.request.build_opener(_Straight, urllib.request.HTTPSHandler(context=context))
        with opener.open(urllib.request.Request(url, request.body, headers, method="POST"), timeout=seconds):
            return "", False
    except HTTPError as error:
        error.close()
        if error.code < 400:
            return f"answers {error.code} and leads elsewhere: give the address that it leads to", False
        return f"answers {error.code} {error.reason}", error.code == 429 or error.code >= 500
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {reason.verify_message}", False
        known = isinstance(reason, OSError) and (reason.strerror or str(reason))
        return str(known or type(reason).__name__), True


def _context(ca: str) -> Optional[ssl.SSLContext]:
    context = ssl.create_default_context()
    if ca:
        context.load_verify_locations(cadata=ca)
    return context


def _hidden(text: str, endpoint: Endpoint) -> str:
    """What a server says may hold the address that it was asked for."""
    at = urlsplit(endpoint.url)
    for part in (endpoint.url, at.path, at.query):
        text = text.replace(part, "…") if len(part) > 1 else text
    return gate.one_line(text)[:200]
