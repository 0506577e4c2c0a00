"""What an App keeps: as a Space and an App say it (the App's own before its Space's), and as settings hold it.

Kf keeps 500 Tasks an App.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Dict, Mapping, Optional, Sequence, Tuple

from .. import naming, quantities
from ..errors import InvalidInput

DEFAULT_KEEP = 500
NONE = ("0", "0s")


@dataclass(frozen=True)
class Policy:
    """What an App keeps.

    - `keep`: so many of its newest runs stay, whatever their outcome.
    - `keep_failed` (0): so many of its newest failed runs stay, also where they are not among the newest `keep`.
    - `max_age` (none; seconds since a run was made): what is older goes, also from among the newest `keep`.
    - `pinned`: names of runs that stay; so does a run with the annotation `kf.dev/pinned`, unless it says "false".
    - `archived_only` (False): lets only runs go whose log is in the archive (annotation `kf.dev/archived`), for
      whoever cannot put it there.

    The App's last success and last failure always stay, and so does what has not ended.
    """

    keep: int = DEFAULT_KEEP
    keep_failed: int = 0
    max_age: Optional[int] = None
    pinned: Tuple[str, ...] = ()
    archived_only: bool = False

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Policy:
        """The policy that settings describe; those of a version that knew only `keep` mean what they meant."""
        age = settings.get("max_age")
        return cls(
            keep=int(settings.get("keep", DEFAULT_KEEP)),
            keep_failed=int(settings.get("keep_failed") or 0),
            max_age=quantities.age(age, "max_age") if age else None,
            pinned=tuple(settings.get("pinned") or ()),
            archived_only=bool(settings.get("archived_only")),
        )

    def has_room(self, count: int) -> bool:
        """Whether so many runs stay, whichever they are: what mostly is so needs no plan, for each of many tasks."""
        return count <= self.keep and not self.max_age

    def settings(self) -> Dict[str, Any]:
        """The policy as JSON has it; what is left at its default is left out, so that nothing differs for it."""
        chosen = {
            "keep_failed": self.keep_failed,
            "max_age": quantities.age_text(self.max_age) if self.max_age else None,
            "pinned": list(self.pinned),
            "archived_only": self.archived_only,
        }
        return {"keep": self.keep, **{name: value for name, value in chosen.items() if value}}


DEFAULT = Policy()


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
