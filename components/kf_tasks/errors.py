"""What the cluster may answer, sorted by what a caller can do about it."""

from __future__ import annotations


class ClusterError(Exception):
    """The cluster did not do what was asked; the text says why, for the person at the terminal."""


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


class ArchiveError(ClusterError):
    """The log archive cannot be read or written; the text names its URL and says why."""
