"""Where a log is in the archive, what its record says, and which URLs are an archive's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from kf_tasks.core.errors import InvalidInput
from kf_tasks.core.log import stored
from kf_tasks.core.log.stored import Place, StoredLog
from kf_tasks.core.run.outcome import Outcome

UID = "dfa689ee-87e3-4851-99f7-f376d2c66fd6"
RUN: dict[str, Any] = {
    "metadata": {
        "name": "shop-migrate-72e68f0c-1", "namespace": "dev", "uid": UID, "creationTimestamp": "2026-01-02T03:04:05Z",
        "labels": {"app.kubernetes.io/name": "shop", "kf.dev/task": "migrate", "kf.dev/task-id": "7",
                   "kf.dev/key": "k", "kf.dev/stack": "p.dev"},
        "annotations": {"kf.dev/started-by": "me"},
    },
}  # fmt: skip
ENDED = Outcome("Failed", "Failed", "exit code 3", 3, "2026-01-02T03:04:06Z", "2026-01-02T03:04:09Z", 3.0)
KNOWN = ("file", "s3")


def record(**log: object) -> StoredLog:
    return stored.record_of(RUN, ENDED, **log)


def test_a_place_follows_from_the_run_and_is_read_from_its_name() -> None:
    place = stored.place_of(RUN)
    assert place.log == f"dev/shop/20260102T030405Z-shop-migrate-72e68f0c-1-{UID}.log.zst"
    assert place.record == place.log.replace(".log.zst", ".json")
    assert stored.parse(f"bucket/prefix/{place.record}") == place == record().place


@pytest.mark.parametrize("path", [
    "dev/shop/x.json", f"dev/shop/20260102T030405Z-run-{UID}.log.zst", "kf-archive.json", "",
    f"dev/shop/.20260102T030405Z-run-{UID}.json.0123.part",
])  # fmt: skip
def test_nothing_else_is_a_record(path: str) -> None:
    assert stored.parse(path) is None


def test_names_that_end_like_others() -> None:
    place = Place("dev", "a-b", "20260102T030405Z", "a-b-c-1", UID)
    assert stored.parse(place.record) == place


def test_a_record_says_what_the_run_was_and_what_is_stored() -> None:
    found = record(digest="sha256:00", bytes=5, lines=1, whole=True, followed=True)
    told = json.loads(stored.encode(found))
    assert {key: told[key] for key in ("namespace", "app", "task", "id", "run", "uid", "key", "stack")} == {
        "namespace": "dev", "app": "shop", "task": "migrate", "id": 7, "run": "shop-migrate-72e68f0c-1", "uid": UID,
        "key": "k", "stack": "p.dev",
    }  # fmt: skip
    assert (told["outcome"], told["exit_code"], told["started_by"]) == ("exit code 3", 3, "me")
    assert (told["digest"], told["bytes"], told["lines"], told["whole"]) == ("sha256:00", 5, 1, True)
    assert stored.decode(stored.encode(found)) == found
    assert (found.mark, record(missing="gone").mark) == ("sha256:00", "none")


def test_a_record_of_a_later_version_is_read() -> None:
    told = json.loads(stored.encode(record()))
    assert stored.decode(json.dumps({**told, "format": 2, "new": 1}).encode()).run == "shop-migrate-72e68f0c-1"
    for content in (b"{}", b"[]", b"{", b"\xff", b"1", json.dumps({"run": 1}).encode()):
        with pytest.raises(ValueError):  # noqa: PT011 - whatever it says, it is caught as one
            stored.decode(content)


def test_more_of_a_log_is_better() -> None:
    none, part, whole = record(missing="gone"), record(bytes=9), record(bytes=5, whole=True)
    assert part.better_than(none) and whole.better_than(part) and record(bytes=6, whole=True).better_than(whole)
    assert not none.better_than(none) and not whole.better_than(whole) and not part.better_than(whole)


@pytest.mark.parametrize("url", ["file:///var/logs", "s3://bucket", "s3://bucket/a/b", "s3://key@bucket/a:b@c"])
def test_urls(url: str) -> None:
    assert stored.check_url("space 'dev'", url, KNOWN) == url
    assert stored.check_url("space 'dev'", f"{url}/", KNOWN) == url


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("/var/logs", "is no URL"), ("logs", "is no URL"), ("", "is no URL"), ("S3://bucket", "is no URL"),
        (7, "must be text"), (None, "must be text"),
        ("file://logs", "depends on the folder"), ("file:///", "names no bucket"), ("s3://", "names no bucket"),
        ("s4://bucket", "is unknown"), ("s3://bucket/*", "a pattern"), ("s3://bucket?x=1", "a pattern"),
        ("s3://bucket/a::file:///b", "a chain"),
    ],
)  # fmt: skip
def test_what_is_no_archive(url: object, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        stored.check_url("space 'dev'", url, KNOWN)


@pytest.mark.parametrize("url", ["s3://KEY:pass/wo+rd@bucket/logs", "s4://u:hunter22@host/logs", "s3://:hunter22@b"])
def test_a_password_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(InvalidInput, match="holds a password") as refused:
        stored.check_url("space 'dev'", url, KNOWN)
    assert "hunter22" not in str(refused.value) and "wo+rd" not in str(refused.value)
