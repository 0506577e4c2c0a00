"""Names are deterministic, within their kind's limit, and never those of something else."""

from __future__ import annotations

import re

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kf_tasks.core import naming
from kf_tasks.core.errors import InvalidInput

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
LABEL_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?")
names = st.from_regex(LABEL, fullmatch=True).filter(lambda name: len(name) <= 63)


def test_check_name_accepts_dns_labels() -> None:
    assert [naming.check_name("app", name) for name in ("a", "shop", "0-1", "a" * 63)] == ["a", "shop", "0-1", "a" * 63]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "task has an empty name: give it a name such as 'shop' or 'migrate'"),
        ("a" * 64, f"task {'a' * 64!r}: the name has 64 characters, the limit is 63: choose a shorter one"),
        ("My_Task", "task 'My_Task': a name consists of lower-case letters, digits and '-', and begins and ends with a "
         "letter or digit: rename it, for example to 'my-task'"),
        ("-", "task '-': a name consists of lower-case letters, digits and '-', and begins and ends with a "
         "letter or digit: rename it, for example to 'shop'"),
        (None, "the name of a task must be text, not NoneType None: write it in quotes"),
    ],
)  # fmt: skip
def test_check_name_refuses(name: object, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        naming.check_name("task", name)
    assert str(refused.value) == message


@pytest.mark.parametrize("name", ["a\n", "a.b", "-a", "a-", "ä"])
def test_check_name_refuses_other_characters(name: str) -> None:
    with pytest.raises(InvalidInput, match="a name consists of"):
        naming.check_name("app", name)


def test_check_name_has_a_limit_of_its_kind() -> None:
    with pytest.raises(InvalidInput, match="has 53 characters, the limit is 52"):
        naming.check_name("schedule", "a" * 53, 52)


def test_an_output_in_an_f_string_is_refused() -> None:
    """The help text of pulumi itself, so that a new wording there fails here."""
    output = pulumi.Output.from_input("db")
    with pytest.raises(InvalidInput) as refused:
        naming.check_text("command of task 'migrate'", f"migrate --url {output}")
    assert str(refused.value) == (
        "command of task 'migrate' holds the help text of an Output instead of its value: an Output was put into an "
        "f-string or str(). Use Output.format('… {0} …', output) or output.apply(...) instead"
    )
    with pytest.raises(InvalidInput, match="^the name of a task holds the help text"):
        naming.check_name("task", f"{output}")


def test_check_text_accepts_text_and_nothing_else() -> None:
    naming.check_text("env A", "")
    with pytest.raises(InvalidInput, match="^env A must be text, not int 5: write it in quotes$"):
        naming.check_text("env A", 5)


def test_check_env_name() -> None:
    for name in ("A", "_a", "NAME-DASH", "name.dot"):
        assert naming.check_env_name("app 'a'", name) == name
    for wrong in ("", "1ST", "HAS SPACE", "A=B", "VAULT:SPACE", "A\n", None):
        with pytest.raises(InvalidInput, match="^app 'a': .* cannot name an environment variable"):
            naming.check_env_name("app 'a'", wrong)


def test_names_are_the_same_in_every_version() -> None:
    """A run's name is the lock between updates, of different versions of this program too."""
    assert naming.run_name("shop", "migrate", "0123456789abcdef", 1) == "shop-migrate-0827c5a0-1"
    assert naming.derive("shop", "report", limit=52) == "shop-report-779c728c"
    assert naming.digest({"b": 1, "a": [True, None, "é"]}) == naming.digest({"a": [True, None, "é"], "b": 1})


@given(app=names, task=names, key=st.text("0123456789abcdef", min_size=16, max_size=16), attempt=st.integers(1, 10**6))
def test_run_name_fits_and_is_a_name(app: str, task: str, key: str, attempt: int) -> None:
    name = naming.run_name(app, task, key, attempt)
    assert len(name) <= 58
    assert LABEL.fullmatch(name)
    assert name == naming.run_name(app, task, key, attempt)
    assert name != naming.run_name(app, task, key, attempt + 1)
    assert name.endswith(f"-{attempt}")


@given(parts=st.lists(names, min_size=1, max_size=4), limit=st.integers(20, 63))
def test_derived_names_fit_and_are_names(parts: list[str], limit: int) -> None:
    name = naming.derive(*parts, limit=limit)
    assert len(name) <= limit
    assert LABEL.fullmatch(name)


def test_where_the_parts_meet_matters() -> None:
    assert naming.derive("a-b", "c") != naming.derive("a", "b-c")
    assert naming.run_name("a-b", "c", "k", 1) != naming.run_name("a", "b-c", "k", 1)
    assert naming.derive("a", "b", ending="-env").endswith("-env")


@given(st.text(max_size=100))
def test_label_values_are_valid(text: str) -> None:
    value = naming.label_value(text)
    assert len(value) <= 63
    assert LABEL_VALUE.fullmatch(value)


def test_label_values_differ_where_the_texts_do() -> None:
    assert naming.label_value("kf-tasks.dev") == "kf-tasks.dev"
    assert len({naming.label_value(text) for text in ("a b", "a/b", "a b ", "a-b", "x" * 64, "x" * 65, "é", "è")}) == 8
