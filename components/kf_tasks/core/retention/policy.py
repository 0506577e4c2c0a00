"""What a Space and an App say about what is kept: checked, and the App's own before its Space's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, Optional, Sequence

from .. import naming, quantities
from ..errors import InvalidInput
from .plan import Policy

NONE = ("0", "0s")


def policy(
    owner: str,
    inherited: Policy,
    *,
    keep: Optional[int] = None,
    keep_failed: Optional[int] = None,
    max_age: Optional[str] = None,
    pinned: Sequence[str] = (),
) -> Policy:
    """The policy of `owner`: what it says, and `inherited` where it says nothing; an age of "0" is none."""
    given: Dict[str, Any] = {}
    if keep is not None:
        given["keep"] = quantities.count(keep, f"{owner}: keep")
    if keep_failed is not None:
        given["keep_failed"] = quantities.count(keep_failed, f"{owner}: keep_failed")
    if max_age is not None:
        given["max_age"] = None if max_age in NONE else quantities.age(max_age, f"{owner}: max_age")
    if isinstance(pinned, str):
        raise InvalidInput(f"{owner}: pinned={pinned!r} is a text: write a list of names of runs, pinned=[{pinned!r}]")
    return replace(inherited, pinned=tuple(naming.check_name(f"{owner}: pinned run", name) for name in pinned), **given)


def min_history(owner: str, policy: Policy, given: Optional[str], inherited: str = "") -> str:
    """How far back history is to reach at least, canonical (`7d`); empty for no such wish."""
    if given is None:
        least = inherited
    else:
        least = "" if given in NONE else quantities.age_text(quantities.age(given, f"{owner}: min_history"))
    if least and policy.max_age and policy.max_age < quantities.age(least, "min_history"):
        raise InvalidInput(
            f"{owner}: max_age is {quantities.age_text(policy.max_age)} and min_history is {least}: what is older than "
            "max_age goes, so give it at least the span of min_history"
        )
    return least
