"""A place in a log is found again, however the log arrives, breaks off, and is cut into files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kf_tasks.core.log.masking import Masker
from kf_tasks.core.log.reader import LogReader
from kf_tasks.core.log.stamps import Position, Stamped, TimedReader, head_of, moment_of

Line = tuple[int, bytes]


def stamp(number: int) -> bytes:
    return b"2026-11-26T00:%02d:%02d.%09dZ" % (number // 60, number % 60, number)


def written(lines: list[Line], since: str | None = None) -> bytes:
    """What the API gives of a file of these lines; the last one may have no newline."""
    shown = [line for line in lines if since is None or moment_of(stamp(line[0])) >= moment_of(since.encode())]
    return b"".join(stamp(number) + b" " + content for number, content in shown)


def feed(reader: Stamped, data: bytes, sizes: list[int], heads: tuple[bytes, ...] = ()) -> bytes:
    content, at = b"", 0
    for size in [*sizes, len(data)]:
        content += reader.feed(data[at : at + size], heads)
        at += size
    return content


contents = st.sampled_from([b"", b" ", b"a", b"7", b"2026", b"a word and more", b"2026-11-26T00:00:01.000000001Z x"])
numbers = st.lists(st.integers(0, 300), max_size=20).map(sorted)
logs = numbers.flatmap(
    lambda chosen: st.tuples(*[st.tuples(st.just(number), contents.map(lambda c: c + b"\n")) for number in chosen])
).map(list)
sizes = st.lists(st.integers(0, 60), max_size=30)


@given(lines=logs, pieces=sizes)
def test_stamps_go_and_nothing_else(lines: list[Line], pieces: list[int]) -> None:
    reader = Stamped()
    assert feed(reader, written(lines), pieces) == b"".join(content for _, content in lines)
    if lines:
        assert reader.position.stamp == stamp(lines[-1][0])
        assert reader.position.nth == [number for number, _ in lines].count(lines[-1][0])


@given(lines=logs, pieces=sizes, breaks=st.integers(0, 1200), more=sizes)
def test_after_a_break_it_goes_on_where_it_ended(
    lines: list[Line], pieces: list[int], breaks: int, more: list[int]
) -> None:
    first = Stamped()
    content = feed(first, written(lines)[:breaks], pieces)
    second = Stamped(first.position)
    content += feed(second, written(lines, first.position.since), more)
    assert content == b"".join(content for _, content in lines)
    assert not second.missed


@given(lines=logs, cut=st.integers(0, 20), pieces=sizes, more=sizes)
def test_a_new_file_is_told_from_the_old_one(lines: list[Line], cut: int, pieces: list[int], more: list[int]) -> None:
    old, new = lines[:cut], [(number + 301, content) for number, content in lines[cut:]]
    first = Stamped()
    content = feed(first, written(old), pieces)
    second = Stamped(first.position)
    content += feed(second, written(new, first.position.since), more)
    assert content == b"".join(content for _, content in lines)
    assert second.missed == bool(old and new)


@given(lines=logs, cut=st.integers(1, 20), pieces=sizes, more=sizes)
def test_ends_where_the_next_file_begins(lines: list[Line], cut: int, pieces: list[int], more: list[int]) -> None:
    old, new = lines[:cut], [(number + 301, content) for number, content in lines[cut:]]
    if not new:
        return
    first = Stamped()
    content = feed(first, written(old + new), pieces, (stamp(new[0][0]),))
    assert first.reached and content == b"".join(content for _, content in old)
    second = Stamped(Position(stamp(new[0][0]), nth=1))
    content += feed(second, written(new), more)
    assert content == b"".join(content for _, content in lines) and not second.missed


def test_ends_where_a_later_file_begins() -> None:
    """The kubelet went on with the third file, and never gives the second one."""
    reader = Stamped()
    text = written([(1, b"one\n"), (2, b"two\n"), (30, b"thirty\n"), (31, b"more\n")])
    assert feed(reader, text, [], (stamp(10), stamp(40))) == b"one\ntwo\n"
    assert reader.reached and reader.feed(b"anything\n") == b""


def test_lines_of_two_streams_in_another_order_than_their_stamps_are_no_new_file() -> None:
    reader = Stamped()
    late = b"2026-11-26T00:00:10.000000900Z late\n"
    assert reader.feed(written([(9, b"a\n")]) + late, (stamp(10),)) == b"a\nlate\n"
    assert reader.feed(written([(10, b"b\n")]), (stamp(10),)) == b"" and reader.reached


def test_a_line_in_pieces_is_one_line() -> None:
    first = Stamped()
    assert first.feed(stamp(1) + b" " + b"x" * 16384) + first.feed(b"x" * 100) == b"x" * 16484
    second = Stamped(first.position)
    assert second.feed(stamp(1) + b" " + b"x" * 16384) == b""
    assert second.feed(b"x" * 100 + b"y\n" + stamp(2) + b" z\n") == b"y\nz\n"


@pytest.mark.parametrize("sizes", [(), (1,) * 40, (3, 7)])
def test_a_cluster_that_gives_no_stamps_is_read_by_bytes(sizes: tuple[int, ...]) -> None:
    text = b"12345 6\nsecond line\nthird\n"
    first = Stamped()
    assert feed(first, text, list(sizes)) == text
    second = Stamped(first.position)
    assert feed(second, text + b"fourth\n", list(sizes)) == b"fourth\n" and not second.missed
    assert first.position.since is None


def test_stamps() -> None:
    text = b"2026-11-26T01:00:41.123456789+01:00"
    assert head_of(text + b" x") == text and head_of(b"none") is None
    assert Position(text, 1).since == "2026-11-26T01:00:40+01:00"
    assert Position(stamp(1), 1).since == "2026-11-26T00:00:00+00:00"
    assert moment_of(b"2026-11-26T00:00:41Z") == moment_of(b"2026-11-26T01:00:41.000000+01:00")


@given(lines=logs, pieces=sizes, breaks=st.integers(0, 1200), more=sizes)
def test_kept_stamps_stand_before_the_lines_they_belong_to(
    lines: list[Line], pieces: list[int], breaks: int, more: list[int]
) -> None:
    first = Stamped(keep=True)
    timed = TimedReader(LogReader(Masker()))
    shown = timed.feed(feed(first, written(lines)[:breaks], pieces))
    second = Stamped(first.position, keep=True)
    shown += timed.feed(feed(second, written(lines, first.position.since), more)) + timed.finish()
    assert shown == [f"{stamp(number).decode()} {content.decode()[:-1]}" for number, content in lines]
