from __future__ import annotations

import inspect

import pytest
from kf_tasks import errors
from kf_tasks.errors import ClusterError, Conflict, Denied, NotFound, Refused, Trouble, Unreachable, about, of_status
from kf_tasks.runs.follower import Interrupted

EVERY = [found for _, found in inspect.getmembers(errors, inspect.isclass) if issubclass(found, Exception)]


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = [line.strip("│├└─ ").split()[0] for line in (errors.__doc__ or "").splitlines() if line.startswith("    ")]
    assert sorted(drawn) == sorted(found.__name__ for found in EVERY)
    assert all(issubclass(found, Trouble) for found in [*EVERY, Interrupted])


@pytest.mark.parametrize("kind", EVERY)
def test_trouble_says_what_it_is_about_and_stays_what_it_was(kind: type[Trouble]) -> None:
    with pytest.raises(kind) as raised, about("task 'a' cannot be started", "; repeat"), about("source 'b'"):
        raise kind("no answer")
    assert type(raised.value) is kind
    assert str(raised.value) == "task 'a' cannot be started: source 'b': no answer; repeat"
    assert raised.value.__suppress_context__


def test_trouble_that_is_remembered_is_told_anew_each_time() -> None:
    remembered = Unreachable("no answer")
    for what in ("first", "second"):
        with pytest.raises(Unreachable, match=f"^{what}: no answer$"), about(what):
            raise remembered
    with pytest.raises(NotFound, match="^gone; look elsewhere$"), about(advice="; look elsewhere"):
        raise NotFound("gone")


def test_what_is_no_trouble_passes() -> None:
    with pytest.raises(ValueError, match="^as it is$"), about("anything"):
        raise ValueError("as it is")


@pytest.mark.parametrize(
    ("status", "kind"),
    [(307, Unreachable), (400, Refused), (401, Denied), (403, Denied), (404, NotFound), (409, Conflict), (422, Refused),
     (429, Unreachable), (500, Unreachable), (503, Unreachable), (507, Unreachable)],
)  # fmt: skip
def test_a_status_means_the_same_to_both_clients(status: int, kind: type[ClusterError]) -> None:
    assert of_status(status) is kind
    with pytest.raises(kind) as raised, about("run 'a'"):
        raise kind("no", status)
    assert (raised.value.status, str(raised.value), kind("no answer").status) == (status, "run 'a': no", 0)
