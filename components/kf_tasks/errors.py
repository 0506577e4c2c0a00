"""Every error that a person may read, sorted by what a caller can do about it.

    Trouble                     something outside of this program did not do what was asked
    ├── ClusterError            the Kubernetes API server
    │   ├── Unreachable         no answer
    │   ├── Denied              401, 403
    │   ├── NotFound            404
    │   ├── Conflict            409
    │   └── Refused             any other refusal
    ├── ArchiveError            the log archive
    ├── RegistryError           the image registry
    │   └── RegistrySilent      no answer
    └── ConfigurationError      a file or a Secret with credentials

Bad input of the program is none of these: that is `core.errors.InvalidInput`. The pod of a schedule has the same
errors, so what is here runs on Python 3.9.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager


class Trouble(Exception):
    """What was asked was not done; the text says why and what to do, for the person at the terminal."""


class ClusterError(Trouble):
    """The cluster did not do what was asked; `status` is the HTTP status of its answer, 0 without one."""

    def __init__(self, text: str = "", status: int = 0) -> None:
        super().__init__(text)
        self.status = status


class Unreachable(ClusterError):
    """No answer at all, or none but server errors: nothing is known about the cluster's state."""


class Denied(ClusterError):
    """401 or 403: the credentials are missing, expired or not allowed to do this."""


class NotFound(ClusterError):
    """404: the object, its namespace or its kind does not exist."""


class Conflict(ClusterError):
    """409: the name is taken, or the object has changed meanwhile."""


class Refused(ClusterError):
    """Any other refusal, an admission error for example, in the cluster's own words."""


_KINDS: dict[int, type[ClusterError]] = {401: Denied, 403: Denied, 404: NotFound, 409: Conflict}


def of_status(status: int) -> type[ClusterError]:
    """What an answer with this HTTP status, which is none of success, means to whoever has asked."""
    if status < 400 or status == 429 or status >= 500:
        return Unreachable
    return _KINDS.get(status, Refused)


class ArchiveError(Trouble):
    """The log archive cannot be read or written; the text names its URL."""


class RegistryError(Trouble):
    """The registry did not do what was asked."""


class RegistrySilent(RegistryError):
    """The registry gave no answer, or none but server errors."""


class ConfigurationError(Trouble):
    """A docker configuration, here or in a Secret, or a certificate is missing or cannot be used."""


@contextmanager
def about(what: str = "", advice: str = "") -> Iterator[None]:
    """Lets trouble inside say what it stopped: `<what>: <its text><advice>`. It stays the error that it was."""
    try:
        yield
    except Trouble as error:
        told = copy.copy(error)  # the same error may be remembered and raised again
        told.args = (f"{what}{': ' if what else ''}{error}{advice}",)
        raise told from None
