"""A Preview that asks nobody: what it says is kept, and what it sees is told to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kf_tasks.errors import ClusterError
from kf_tasks.provider.preview import Preview
from kf_tasks.provider.survey import Survey

from ..cluster.unwatched import Unwatched


class Answers(Unwatched):
    """A cluster that answers what it is given, or raises it."""

    now: str | None = None

    def __init__(self, **answers: Any) -> None:
        self._answers = answers

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def answer(*_: Any, **__: Any) -> Any:
            found = self._answers[name]
            if isinstance(found, ClusterError):
                raise found
            return found

        return answer


class Seen(Preview):
    """Sees `survey` in every namespace; `said` are the lines, a warning marked as one."""

    def __init__(self, survey: Survey | None = None, cluster: Any = None) -> None:
        self.said: list[str] = []
        self.asked = 0
        self.answers: Any = cluster or Answers(create_run={})
        self.seen = survey or Survey()
        super().__init__(self._keep, lambda _connection: self.answers, lambda *_: self._see())

    def sees(self, *runs: Any, **what: Any) -> None:
        """From now on this is what is there."""
        self.seen = Survey(runs=list(runs), **{"cluster": "one", **what})
        self.survey.cache_clear()

    def _see(self) -> Survey:
        self.asked += 1
        return self.seen

    def _keep(self, _urn: str, text: str, *, warning: bool = False, ephemeral: bool = False) -> None:
        self.said.append(f"warning: {text}" if warning else text)
