"""What the preview says of retention: rules once, what is only possible apart, what is held back named."""

from __future__ import annotations

from kf_tasks.core.retention.notice import grouped, lines
from kf_tasks.core.retention.policy import Policy

from .test_plan import NOW, run


def test_the_line_names_ten_and_counts_the_rest() -> None:
    runs = [run(f"f{nth:02}", nth) for nth in range(20)]
    assert lines(runs[:5], Policy(3)) == ["will delete 2 of 5: f00, f01 (beyond the newest 3)"]
    assert lines(runs, Policy(8)) == [
        "will delete 12 of 20: f00, f01, f02, f03, f04, f05, f06, f07, f08, f09 and 2 more (beyond the newest 8)"
    ]


def test_each_rule_is_named_once() -> None:
    assert grouped([("a", "x"), ("b", "y"), ("c", "x")]) == "a, c (x), b (y)"
    assert grouped([(name, "x" if name < "d" else "y") for name in "abcdef"], 4) == "a, b, c (x), d and 2 more (y)"
    assert grouped([(name, "x" if name < "e" else "y") for name in "abcdef"], 4) == "a, b, c, d (x), 2 more (y)"


def test_what_goes_and_what_is_held_back() -> None:
    runs = [
        run("a", 1, pinned="true"), run("b", 2), run("c", 3), run("d", 4, "Unknown"),
        run("e", 500), run("f", 501, "False"),
    ]  # fmt: skip
    assert lines(runs, Policy(3, max_age=400), now=NOW) == [
        "will delete 2 of 6: b, c (beyond the newest 3)", "held back: a (pinned), d (running)"
    ]  # fmt: skip
    assert lines(runs, Policy(4, max_age=400), now=NOW) == [
        "will delete 2 of 6: b (beyond the newest 4), c (older than 6m40s)", "held back: a (pinned), d (running)"
    ]  # fmt: skip


def test_nothing_that_goes_nothing_said() -> None:
    assert lines([], Policy(0), 3, 2) == []
    assert lines([run("a", 1, pinned="true"), run("b", 2)], Policy(1)) == [], "what is held back alone is no news"


def test_what_may_run_may_delete() -> None:
    runs = [run(f"s{nth}", nth) for nth in range(4)]
    assert lines(runs, Policy(4), 1, 2) == [
        "will delete 1 of 5: s0 (beyond the newest 4)",
        "may delete 2 more: s1, s2 (beyond the newest 4 if all that may run does)",
    ]
    assert lines(runs, Policy(4), 0, 1) == ["may delete 1 of 4: s0 (beyond the newest 4 if all that may run does)"]


def test_the_last_success_goes_only_when_there_is_another() -> None:
    runs = [run("f0", 0, "False"), run("s1", 1)]
    assert lines(runs, Policy(1), 1) == [
        "may delete 2 of 3: f0 (last failure until another one), s1 (last success until another one)"
    ]
    assert lines(runs, Policy(1, keep_failed=1), 1) == [
        "may delete 2 of 3: f0 (failed, newest 1 of them until others fail), s1 (last success until another one)"
    ]
