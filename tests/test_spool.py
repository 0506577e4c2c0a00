"""What is kept of a log on its way into the archive."""

from __future__ import annotations

import hashlib
import tracemalloc

import pytest
import zstandard

from components.core.masking import Masker
from components.spool import Spool


def unpacked(spool: Spool) -> bytes:
    reader = zstandard.ZstdDecompressor().stream_reader(spool.packed(), read_across_frames=True)
    return reader.read()  # type: ignore[no-any-return]


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
