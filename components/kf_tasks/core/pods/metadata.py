"""Labels and annotations that people give: said here, because the API server would say it in the middle of an update.

Kubernetes' rules: k8s.io/apimachinery/pkg/util/validation, IsQualifiedName and IsValidLabelValue.
"""

from __future__ import annotations

import re

from .. import marks

OURS = "kf.dev/"  # what a run's labels and annotations say under it decides about adoption and retention
_SET = {marks.NAME: "the name of the App", marks.COMPONENT: "'task'", marks.MANAGED_BY: "'kf'"}
_LONGEST, _LONGEST_PREFIX = 63, 253
_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_DNS = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LETTERS = "letters, digits, '-', '_' and '.', beginning and ending with a letter or digit"


def is_ours(label: str) -> bool:
    """Whether a label is one that kf sets."""
    return label.startswith(OURS) or label in _SET


def wrong_name(name: str) -> str:
    """What is wrong with the name of a label or annotation, and what to do; empty if nothing is."""
    if name.startswith(OURS):
        return f"names under {OURS} are kf's own: choose another prefix"
    prefix, slash, last = name.rpartition("/")
    if slash and (len(prefix) > _LONGEST_PREFIX or not _DNS.fullmatch(prefix)):
        return (
            f"what stands before '/' is no DNS name of at most {_LONGEST_PREFIX} characters: use one like example.com"
        )
    if len(last) > _LONGEST or not _NAME.fullmatch(last):
        return f"is no name of Kubernetes: use at most {_LONGEST} {_LETTERS}"
    return ""


def wrong_label(name: str) -> str:
    """As `wrong_name`, of a label: those by which runs are found would not stay what somebody has given."""
    if name in _SET:
        return f"kf sets it to {_SET[name]}, by which runs are found: leave it out, or choose another name"
    return wrong_name(name)


def wrong_value(value: str) -> str:
    """What is wrong with the value of a label, and what to do; empty if nothing is. Annotations hold any text."""
    if value and (len(value) > _LONGEST or not _NAME.fullmatch(value)):
        return f"is {value!r}, which no label can hold: use at most {_LONGEST} {_LETTERS}, or an annotation"
    return ""
