"""What is kept of a log on its way into the archive."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
import zstandard
from kf_tasks.core.log.masking import Masker
from kf_tasks.core.log.stored import Place
from kf_tasks.log.spool import KEPT_SECONDS, Spool, left, restored

PLACE = Place("dev", "shop", "20260102T030405Z", "shop-migrate-72e68f0c-1", "dfa689ee-87e3-4851-99f7-f376d2c66fd6")


def unpacked(spool: Spool) -> bytes:
    reader = zstandard.ZstdDecompressor().stream_reader(spool.packed(), read_across_frames=True)
    return reader.read()


def test_it_is_masked_and_counted_as_it_is_stored() -> None:
    spool = Spool(Masker(["hunter22"]))
    spool.begin("pod")
    for chunk in (b"pw hunt", b"er22\nsecond \xff", b"\nthird"):
        spool.write(chunk)
    spool.close()
    spool.write(b"too late")
    content = b"pw [secret]\nsecond \xff\nthird"
    assert unpacked(spool) == content and unpacked(spool) == content, "as often as it is asked for"
    assert (spool.bytes, spool.lines, spool.trouble) == (len(content), 3, "")
    assert spool.digest == f"sha256:{hashlib.sha256(content).hexdigest()}"


def test_the_logs_of_several_pods_stand_one_after_the_other() -> None:
    spool = Spool(Masker(["hunter22"]))
    for number in (1, 2, 3):
        spool.begin(f"pod-{number}")
        spool.write(f"attempt {number}".encode() + b"\n" * (number % 2) + b"hunt" * (number // 2 % 2))
    spool.close()
    assert unpacked(spool).decode() == (
        "attempt 1\n--- kf: attempt 2, pod pod-2 ---\nattempt 2hunt\n--- kf: attempt 3, pod pod-3 ---\nattempt 3\nhunt"
    )


def test_a_log_of_nothing() -> None:
    spool = Spool(Masker())
    spool.close()
    assert (unpacked(spool), spool.bytes, spool.lines, spool.attempts) == (b"", 0, 0, 0)


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "kf" / "logs"


KILLED = """
import os, signal, sys
from kf_tasks.core.log.masking import Masker
from kf_tasks.log.spool import Spool
from tests.log.test_spool import PLACE
spool = Spool(Masker(["hunter22"]), PLACE)
spool.begin("pod")
spool.write(b"pw hunter22\\n" * 100000)
if sys.argv[1] == "whole":
    spool.close()
else:
    spool._flushed = 0
    spool.write(b"and more")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("how", ["whole", "part"])
def test_what_a_killed_process_has_kept_is_found(folder: Path, how: str) -> None:
    subprocess.run([sys.executable, "-c", KILLED, how], check=False)
    [path] = left(PLACE)
    assert left(replace(PLACE, uid="00000000-0000-0000-0000-000000000000")) == []
    spool, complete = restored(path)
    assert complete is (how == "whole")
    assert unpacked(spool).startswith(b"pw [secret]\n" * 99999) and b"hunter22" not in path.read_bytes()
    assert (folder.stat().st_mode & 0o777) == 0o700


def test_a_file_has_an_owner_until_it_is_left_or_thrown_away(folder: Path) -> None:
    spool = Spool(Masker(), PLACE)
    spool.write(b"a\n")
    assert left(PLACE) == []
    spool.close()
    assert left(PLACE) == [] and unpacked(spool) == b"a\n"
    spool.leave()
    assert [path.parent for path in left(PLACE)] == [folder]
    other = Spool(Masker(), PLACE)
    other.discard()
    assert len(left(PLACE)) == 1
    old = time.time() - KEPT_SECONDS - 1
    os.utime(left(PLACE)[0], (old, old))
    Spool(Masker(), PLACE).discard()
    assert left(PLACE) == [] and list(folder.iterdir()) == []


def test_without_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/none")
    spool = Spool(Masker(), PLACE)
    spool.write(b"a\n")
    spool.close()
    assert unpacked(spool) == b"a\n" and left(PLACE) == []
    spool.discard()


def test_a_full_disk_is_said_and_hinders_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(Masker())
    with open("/dev/full", "wb", buffering=0) as full:  # noqa: PTH123
        writer = zstandard.ZstdCompressor().stream_writer(full, closefd=False)
        monkeypatch.setattr(spool, "_packed", writer)
        for _ in range(100):
            spool.write(bytes(range(256)) * 4096)
        spool.close()
    assert "No space left" in spool.trouble


def test_a_large_log_takes_little_memory() -> None:
    spool, chunk = Spool(Masker(["a secret that is not in it"])), b"".join(b"line %d\n" % n for n in range(8000))
    tracemalloc.start()
    for _ in range(500):
        spool.write(chunk)
    spool.close()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert spool.bytes == 500 * len(chunk) and spool.lines == 500 * 8000
    assert peak < 4 * 1024 * 1024
