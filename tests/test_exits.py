"""Whatever text of the cluster or the archive leaves us, it is without secrets and without power, by every exit."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any, cast

import click
import pytest
from click.testing import CliRunner
from kf_tasks.cli import log_form, run_list, table
from kf_tasks.cli.archives import listed
from kf_tasks.cli.details import rows, stored_rows
from kf_tasks.cli.views import LiveView, StoredView
from kf_tasks.core.log import gate
from kf_tasks.core.log.masking import Masker
from kf_tasks.core.log.stored import StoredLog, decode, encode
from kf_tasks.core.run import outcome
from kf_tasks.core.run.summary import RunSummary
from kf_tasks.errors import ClusterError
from kf_tasks.provider import reporting
from kf_tasks.provider.hosting import Adapter, Failure, Room, plainly
from pulumi.dynamic import CheckFailure, CheckResult, CreateResult, ReadResult, UpdateResult

from .cli.test_details import END, STOPPED, run, task_run
from .core.log.test_stored import ENDED, RUN

SECRET = "hunter22secret"
POISON = f"\x1b]0;owned\x07\x1b[2J<{{%fg 1%}}>{SECRET[:6]}\x1b[31m{SECRET[6:]} {SECRET}\u202e\x9b"
FIXED = ("status", "type", "creationTimestamp", "startTime", "completionTime", "finishedAt", "kf.dev/task-id")


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process has read one secret."""
    monkeypatch.setattr(gate, "_known", Masker([SECRET]))
    monkeypatch.setattr(gate.shown, "__defaults__", (Masker([SECRET]),))


def is_clean(text: str) -> bool:
    """Whether nobody is harmed by reading it."""
    return not any(mark in text for mark in (SECRET, "\x1b", "\x07", "<{%", "\u202e", "\x9b"))


def poisoned(data: Any, path: tuple[Any, ...] = ()) -> Iterator[Any]:
    """The data once for each of its texts, with that one as an attacker writes it."""
    for name, item in list(data.items() if isinstance(data, dict) else enumerate(data)):
        if isinstance(item, (dict, list)):
            for changed in poisoned(item, (*path, name)):
                yield {**data, name: changed} if isinstance(data, dict) else [*data[:name], changed, *data[name + 1 :]]
        elif isinstance(item, str) and name not in FIXED:
            changed = f"{item}{POISON}"
            yield {**data, name: changed} if isinstance(data, dict) else [*data[:name], changed, *data[name + 1 :]]


def printed(work: Callable[[], None]) -> str:
    """What a command prints."""
    found = CliRunner().invoke(click.command()(work))
    assert found.exception is None, found.exception
    return found.output


def objects() -> Iterator[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]:
    """A run, its TaskRun and its pod, each text of each once poisoned."""
    marks = {"started_by": "me", "cancelled_by": "me", "outcome": "exit code 3", "archived": "none"}
    whole = run("False", "Failed", **marks)
    whole["metadata"] |= {"uid": "u", "resourceVersion": "1"}
    inner = task_run("Failed", results=[{"name": "rows", "value": "4"}])
    inner["status"]["conditions"][0]["message"] = "why"
    pod = copy.deepcopy(STOPPED)
    pod["status"] |= {"reason": "Evicted", "message": "full"}
    for changed in poisoned(whole):
        yield changed, inner, pod
    for changed in poisoned(inner):
        yield whole, changed, pod
    for changed in poisoned(pod):
        yield whole, inner, changed


def records() -> Iterator[StoredLog]:
    """A record of the archive, each text of it once poisoned."""
    found = StoredLog(
        "ns", "shop", "t", 1, "shop-t-1", "u", "k", "s", END, END, END, "Failed", "Failed", "exit code 1", 1,
        started_by="me", missing="gone",
    )  # fmt: skip
    for one in fields(found):
        if isinstance(getattr(found, one.name), str) and one.name not in ("created", "started", "finished"):
            yield decode(encode(replace(found, **{one.name: getattr(found, one.name) + POISON})))


def test_kf_task_and_kf_tasks() -> None:
    seen = 0
    for whole, inner, pod in objects():
        found = LiveView.of(whole, inner, [pod], Masker([SECRET]))
        summary = RunSummary.of_object(whole)
        said = printed(lambda: table.show(rows(found, END), headed=False))  # noqa: B023 - called at once
        listing = printed(lambda: table.show(run_list.table([summary], END, with_app=True)))  # noqa: B023
        assert is_clean(said) and is_clean(listing), (said, listing)
        assert all(is_clean(text) for text in (found.outcome, found.reason, *found.results.values())), found
        seen += 1
    assert seen > 20


def test_records_of_an_archive() -> None:
    for record in records():
        found = StoredView.of(record, "file:///logs")
        assert is_clean(printed(lambda: table.show(stored_rows(found), headed=False)))  # noqa: B023
        assert is_clean(printed(lambda: table.show(run_list.table([listed(record)], END))))  # noqa: B023
        assert is_clean(printed(lambda: log_form.Form().show(listed(record), ["a line"])))  # noqa: B023
        assert is_clean(printed(lambda: log_form.Form().stored(cast(Any, None), record)))  # noqa: B023


def test_lines_and_errors_of_kf() -> None:
    assert is_clean(printed(lambda: table.echo(POISON))) and is_clean(printed(lambda: log_form.warn(POISON)))


def test_a_line_of_an_update(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []

    class Engine:
        def Log(self, request: Any) -> None:
            sent.append(request.message)

    monkeypatch.setattr(reporting, "_engine", Engine)
    reporting.say("urn", POISON, warning=True)
    reporting.say("urn", "")
    assert is_clean(sent[0]) and "[secret]" in sent[0] and sent[1] == " "


def test_an_error_of_an_update() -> None:
    for error in (ClusterError(POISON), Failure(POISON)):

        def fail(error: Exception = error) -> None:
            raise error

        with pytest.raises(Failure) as caught:
            plainly(fail)
        assert is_clean(str(caught.value)) and "[secret]" in str(caught.value)


def test_inputs_and_outputs_of_a_resource() -> None:
    """What a door gives to the engine; what the program gave stays to the letter, for it decides what runs."""
    found = {"because": POISON, "results": {POISON: [POISON, 3, None]}, "command": POISON, "nth": 1.0}

    class Poisoned:
        def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
            return CheckResult({**news, **found}, [CheckFailure("", POISON)])

        def create(self, news: dict[str, Any]) -> CreateResult:
            return CreateResult("id", {**news, **found})

        def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
            return ReadResult(id_, {**props, **found})

        def update(self, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
            return UpdateResult({**olds, **found})

    door, given = Adapter(), {"command": POISON}
    door.room = cast(Room, Poisoned())
    checked = door.check({}, given)
    outs = [checked.inputs, door.create(given).outs, door.read("id", given).outs, door.update("id", given, given).outs]
    assert is_clean(checked.failures[0].reason)
    for out in filter(None, outs):
        assert out["command"] == POISON and out["nth"] == 1.0
        assert "\x1b" not in str(out["because"]) and "<{%" not in out["because"]
        [(name, items)] = out["results"].items()
        assert "\x1b" not in name and "<{%" not in items[0] and items[1:] == [3, None]


def test_what_a_record_keeps_of_the_end_of_a_run() -> None:
    for whole, inner, pod in objects():
        ended = gate.ended(outcome.known(whole, inner, pod), Masker([SECRET]))
        assert is_clean(f"{ended.sentence}{ended.reason}{''.join(ended.results)}{''.join(ended.results.values())}")
    assert gate.ended(ENDED, Masker()) == ENDED and RUN
