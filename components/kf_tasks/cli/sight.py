"""How a list of runs sees what stands behind them: by requests where it is shown once, by a watch where it goes on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection

from ..core.api import Object
from .target import TargetSpace


class Sight(ABC):
    """What there is of a Space's runs beside the list of them; raises as Cluster does."""

    def __init__(self, space: TargetSpace) -> None:
        self.space = space

    @abstractmethod
    def pods_of(self, names: Collection[str]) -> list[Object]:
        """The pods of these runs, the newest last."""

    @abstractmethod
    def whole(self, name: str) -> tuple[Object, Object | None]:
        """A run and its TaskRun."""


class Asked(Sight):
    """By a list of the pods and two requests for a run."""

    def pods_of(self, names: Collection[str]) -> list[Object]:
        """As `Sight` says."""
        return self.space.cluster.pods_of(self.space.name, names)

    def whole(self, name: str) -> tuple[Object, Object | None]:
        """As `Sight` says."""
        run = self.space.cluster.get_run(self.space.name, name)
        return run, self.space.cluster.task_run(self.space.name, run)


class Watched(Sight):
    """By what a watch tells from the first question on."""

    def pods_of(self, names: Collection[str]) -> list[Object]:
        """As `Sight` says."""
        from ..cluster.informer import informer

        return informer(self.space.cluster.http, self.space.name).pods.of(self.space.cluster, names)

    def whole(self, name: str) -> tuple[Object, Object | None]:
        """As `Sight` says."""
        seen = self.space.seen(name)
        return seen.run, seen.task_run
