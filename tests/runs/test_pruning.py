"""Old runs go only when they may: as they are at that moment, not as they were before something that took long."""

from __future__ import annotations

from dataclasses import replace

from kf_tasks.core import marks
from kf_tasks.core.retention.policy import Policy
from kf_tasks.core.run.summary import RunSummary
from kf_tasks.runs.pruning import expire, prune

from .test_submission import NOON, Cluster, run


def test_what_retention_lets_go() -> None:
    def going(runs: list[RunSummary], now: str = NOON) -> list[str]:
        return [one.name for one in expire(runs, now, Policy(3))]

    runs = [run(number, created=f"2026-11-25T0{number}:00:00Z") for number in range(1, 6)]
    names = [one.name for one in runs]
    assert going(runs) == names[:2]
    read = replace(runs[0], annotations={marks.FOLLOWED: "true"})
    assert going([read, *runs[1:]]) == names[1:2], "its log is still being read"
    assert going([read, *runs[1:]], "2026-11-26T01:00:01Z") == names[:2], "nobody reads for a whole day"
    assert going([*runs[:4], replace(runs[4], deleting=True)]) == names[:1], "it counts no more"


def test_a_run_whose_record_is_not_stored_yet_is_spared() -> None:
    cluster = Cluster(*(run(number, created=f"2026-11-25T0{number}:00:00Z") for number in (1, 2, 3)))
    assert prune(cluster, "shop", "shop", Policy(0), spare=run(2).name) == [run(1).name]  # type: ignore[arg-type]


def test_what_is_to_go_can_be_held_back_before_it_goes() -> None:
    cluster = Cluster(*(run(number, created=f"2026-11-25T0{number}:00:00Z") for number in range(1, 5)))
    asked: list[str] = []

    def before(going: list[RunSummary]) -> list[RunSummary]:
        asked.extend(one.name for one in going)
        return going[:1]

    assert prune(cluster, "shop", "shop", Policy(1), before=before) == [run(1).name]  # type: ignore[arg-type]
    assert asked == [run(number).name for number in (1, 2, 3)] and cluster.deleted == [run(1).name]
    assert cluster.noted == [("kf-shop", run(1).name, "beyond the newest 1", NOON)]


def test_what_is_pinned_while_the_logs_of_others_are_stored_stays() -> None:
    cluster = Cluster(*(run(number, created=f"2026-11-25T0{number}:00:00Z") for number in range(1, 6)))

    def before(going: list[RunSummary]) -> list[RunSummary]:
        cluster.runs[1] = replace(cluster.runs[1], annotations={marks.PINNED: "true"})
        cluster.runs[2] = replace(cluster.runs[2], uid="another")
        return going

    assert prune(cluster, "shop", "shop", Policy(1), before=before) == [run(1).name, run(4).name]  # type: ignore[arg-type]


def test_nothing_is_deleted_where_nothing_goes() -> None:
    cluster = Cluster(*(run(number, created=f"2026-11-25T0{number}:00:00Z") for number in (1, 2)))
    assert prune(cluster, "shop", "shop", Policy(2)) == [] == cluster.deleted  # type: ignore[arg-type]


def test_what_may_not_go_stays_whatever_retention_says() -> None:
    cluster = Cluster(*(run(number, created=f"2026-11-25T0{number}:00:00Z") for number in range(1, 6)))
    approved = [run(2).name, run(4).name]

    def kept(going: list[str]) -> list[str]:
        return [name for name in going if name not in approved]

    gone = prune(cluster, "shop", "shop", Policy(1), before=lambda going: going, kept=kept)  # type: ignore[arg-type]
    assert gone == cluster.deleted == approved
