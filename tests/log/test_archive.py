"""An archive in a folder and in a bucket of a real S3 server: nothing half is ever seen, and trouble has a name."""

from __future__ import annotations

import hashlib
import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import zstandard
from kf_tasks.core.errors import InvalidInput
from kf_tasks.core.log.stored import StoredLog, record_of
from kf_tasks.errors import ArchiveError
from kf_tasks.log import archive
from kf_tasks.log.archive import Archive

from .. import s3
from ..core.log.test_stored import ENDED, RUN


@pytest.fixture(scope="module")
def bucket() -> Iterator[s3.Server]:
    with s3.server() as server, pytest.MonkeyPatch.context() as patch:
        for name, value in server.env.items():
            patch.setenv(name, value)
        yield server


@pytest.fixture(params=["file", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Archive:
    if request.param == "file":
        return Archive.of(f"file://{tmp_path}/logs")
    request.getfixturevalue("bucket")
    return Archive.of(f"s3://{s3.BUCKET}/{tmp_path.name}")


def stored(content: bytes, uid: str = RUN["metadata"]["uid"], app: str = "shop", **more: object) -> StoredLog:
    metadata = {**RUN["metadata"], "uid": uid, "labels": {**RUN["metadata"]["labels"], "app.kubernetes.io/name": app}}
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    about = {"digest": digest, "bytes": len(content), "lines": content.count(b"\n"), "whole": True, **more}
    return record_of({"metadata": metadata}, ENDED, **about)


def packed(content: bytes) -> io.BytesIO:
    return io.BytesIO(zstandard.ZstdCompressor().compress(content))


def test_what_is_stored_is_read(place: Archive) -> None:
    place.check()
    content = os.urandom(20 * 1024 * 1024)  # more than one part of an upload
    record = stored(content)
    assert place.record(record.place) is None and place.places("dev") == [] and place.find("dev", record.run) is None
    assert place.store(record, packed(content)) == record
    assert (
        place.record(record.place) == record == place.find("dev", record.run) == place.find("dev", record.run, "shop")
    )
    assert b"".join(place.read(record)) == content
    assert place.find("dev", record.run, "other") is None and place.places("other") == []


def test_records_are_listed_oldest_first(place: Archive) -> None:
    uids = [f"00000000-0000-0000-0000-00000000000{number}" for number in range(3)]
    for uid, app in zip(uids, ("shop", "shop", "shop.build")):
        place.store(stored(b"a\n", uid, app), packed(b"a\n"))
    assert [found.uid for found in place.places("dev", "shop")] == uids[:2]
    assert [record.uid for record in place.records("dev")] == uids
    newest = place.find("dev", RUN["metadata"]["name"])
    assert newest and newest.uid == uids[2]


def test_only_more_of_a_log_takes_the_place_of_one(place: Archive) -> None:
    part, whole = stored(b"1\n", whole=False), stored(b"1\n2\n")
    none = record_of(RUN, ENDED, missing="its pod was deleted")
    assert place.store(none, None) == none
    assert place.store(part, packed(b"1\n")) == part
    assert place.store(whole, packed(b"1\n2\n")) == whole
    assert place.store(part, packed(b"1\n")) == whole, (
        "the one that was there stays, and is what the run is marked with"
    )
    assert b"".join(place.read(whole)) == b"1\n2\n"


def test_a_log_that_is_not_the_one_that_was_stored(place: Archive) -> None:
    record = stored(b"1\n2\n")
    place.store(stored(b"1\n9\n", digest=record.digest), packed(b"1\n9\n"))
    with pytest.raises(ArchiveError, match="is damaged: its digest"):
        list(place.read(record))
    half = packed(b"1\n2\n" * 1000).getvalue()[:-9]
    place.store(stored(b"1\n2\n" * 1000), io.BytesIO(half))
    with pytest.raises(ArchiveError, match="damaged|cannot be read"):
        list(place.read(stored(b"1\n2\n" * 1000)))


def test_an_upload_that_breaks_off_leaves_nothing_to_see(place: Archive) -> None:
    class Broken(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise OSError("the disk is gone")

    record = stored(b"1\n")
    with pytest.raises(ArchiveError, match=f"the log archive {place.url} cannot be written: the disk is gone"):
        place.store(record, Broken())  # type: ignore[arg-type]
    assert place.places("dev") == [] and place.record(record.place) is None
    assert place.store(record, packed(b"1\n")) == record and b"".join(place.read(record)) == b"1\n"


KILLED = """
import io, os, signal, sys
from kf_tasks.log.archive import Archive
from tests.log.test_archive import packed, stored

class Log(io.BytesIO):
    def read(self, size=-1):
        data = super().read(min(size, 1 << 20))
        if self.tell() > 12 << 20:
            os.kill(os.getpid(), signal.SIGKILL)
        return data

Archive.of(sys.argv[1]).store(stored(b"1\\n"), Log(os.urandom(16 << 20)))
"""


def test_killed_in_the_middle_of_an_upload(place: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "KEPT_SECONDS", -1.0)
    done = subprocess.run([sys.executable, "-c", KILLED, place.url], check=False)
    assert done.returncode == -signal.SIGKILL
    record = stored(b"1\n")
    assert place.places("dev") == [] and place.record(record.place) is None
    assert place.store(record, packed(b"1\n")) == record and b"".join(place.read(record)) == b"1\n"
    if place.url.startswith("file:"):
        left = [path.name for path in Path(place.url[7:]).rglob("*") if path.is_file()]
        assert sorted(left) == sorted(name.rpartition("/")[2] for name in (record.place.log, record.place.record))


def test_many_that_write_at_the_same_time_are_in_nobody_s_way(tmp_path: Path) -> None:
    """As the Apps of one destroy: each asks whether it can be written, and stores its own."""
    place = Archive.of(f"file://{tmp_path}/logs")
    same = stored(b"1\n2\n")

    def work(number: int) -> None:
        for _ in range(10):
            place.check()
            place.store(same, packed(b"1\n2\n"))
        place.store(stored(b"1\n", app=f"shop-{number}"), packed(b"1\n"))

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(work, range(10)))
    assert b"".join(place.read(same)) == b"1\n2\n" and len(place.records("dev")) == 11
    assert not list(tmp_path.rglob("*.part"))


def test_a_damaged_record_hides_no_other(place: Archive) -> None:
    uids = [f"00000000-0000-4000-8000-00000000000{number}" for number in range(5)]
    records = [place.store(stored(b"1\n", uid=uid), packed(b"1\n")) for uid in uids]
    place._fs.pipe_file(place._path(records[2].place.record), b'{"namespace": ')
    said: list[str] = []
    assert place.records("dev", "shop", said.append) == [*records[:2], *records[3:]]
    assert len(said) == 1 and uids[2] in said[0] and "is no record of a log" in said[0]
    with pytest.raises(ArchiveError, match="is no record of a log"):
        place.records("dev", "shop")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    place = Archive.of(f"file://{tmp_path}/file/logs")
    with pytest.raises(ArchiveError, match=f"the log archive {place.url} cannot be written: "):
        place.check()
    with pytest.raises(ArchiveError, match=f"the log archive {place.url} cannot be (written|read): "):
        place.store(stored(b"1\n"), packed(b"1\n"))


def test_a_bucket_that_does_not_exist(bucket: s3.Server) -> None:
    with pytest.raises(ArchiveError, match="s3://nowhere/logs cannot be written: The specified bucket does not exist"):
        Archive.of("s3://nowhere/logs").check()


def test_a_server_that_does_not_answer_is_no_long_wait(bucket: s3.Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    code = "import sys; from kf_tasks.log.archive import Archive; Archive.of(sys.argv[1]).check()"
    done = subprocess.run(
        [sys.executable, "-c", code, "s3://logs/x"], capture_output=True, text=True, timeout=300, check=False
    )
    assert "the log archive s3://logs/x cannot be written: " in done.stderr.splitlines()[-1]
    assert "127.0.0.1:1" in done.stderr.splitlines()[-1]


def test_a_missing_package_and_a_place_that_does_not_last(monkeypatch: pytest.MonkeyPatch) -> None:
    assert archive.check_url("space 'dev'", "file:///logs/") == "file:///logs"
    with pytest.raises(InvalidInput, match=r"needs the Python package gcsfs, .*pip install gcsfs"):
        archive.check_url("space 'dev'", "gs://bucket/logs")
    with pytest.raises(InvalidInput, match="is gone with the process"):
        archive.check_url("space 'dev'", "memory://logs")
    with pytest.raises(InvalidInput, match="is unknown"):
        archive.check_url("space 'dev'", "s4://bucket/logs")
    with pytest.raises(ArchiveError, match="is no URL"):
        Archive.of("logs")
