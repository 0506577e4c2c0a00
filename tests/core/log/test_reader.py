"""A log is bounded, readable and harmless, in whatever pieces it arrives."""

from __future__ import annotations

import hashlib
import tracemalloc

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from kf_tasks.core.log.masking import Masker
from kf_tasks.core.log.reader import LONGEST_LINE, TAIL_BYTES, LogReader, harmless


def read(content: bytes, secrets: tuple[str, ...] = (), sizes: tuple[int, ...] = ()) -> tuple[list[str], LogReader]:
    """All lines of a log that arrives in pieces of `sizes` (and then the rest)."""
    reader, lines, at = LogReader(Masker(secrets)), [], 0
    for size in sizes:
        lines += reader.feed(content[at : at + size])
        at += size
    lines += reader.feed(content[at:])
    return lines + reader.finish(), reader


def test_a_byte_that_is_no_utf8_and_a_character_across_the_boundary() -> None:
    content = b"caf\xe9\n" + b"x" * 32766 + "€\n".encode()
    lines, reader = read(content, sizes=(5, 32767))
    assert lines[0] == "caf\ufffd"
    assert lines[1] == "x" * LONGEST_LINE + "… [a line of 32767 characters]"
    assert reader.lines == 2
    assert read("x€\n".encode(), sizes=(2, 1))[0] == ["x€"]


def test_a_line_of_a_mebibyte_is_one_line_and_counted_whole() -> None:
    content = b"x" * 1048576
    lines, reader = read(content, sizes=(16384,) * 63)
    assert lines == ["x" * LONGEST_LINE + "… [a line of 1048576 characters]"]
    assert (reader.bytes, reader.lines) == (1048576, 1)
    assert reader.digest == f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert reader.tail() == lines[0]


def test_a_long_line_takes_the_memory_of_a_short_one() -> None:
    reader, chunk = LogReader(Masker(["s" * 100])), b"x" * 65536
    tracemalloc.start()
    for _ in range(320):
        reader.feed(chunk)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert reader.current == "x" * LONGEST_LINE + "… [a line of 20971520 characters]"
    assert peak < 1024 * 1024


@pytest.mark.parametrize(
    ("position", "shown"),
    [
        (LONGEST_LINE - 30, "x" * (LONGEST_LINE - 30) + "[secret]" + "y" * 15),
        (LONGEST_LINE - 1, "x" * (LONGEST_LINE - 1) + "[secret]"),
        (16384 - 8, "x" * LONGEST_LINE),
    ],
)
def test_a_secret_across_a_seam_is_hidden(position: int, shown: str) -> None:
    content = b"x" * position + b"hunter2-hunter2" + b"y" * 9000
    lines, reader = read(content, ("hunter2-hunter2",), (LONGEST_LINE, 16384 - LONGEST_LINE))
    assert lines == [f"{shown}… [a line of {len(content)} characters]"]
    assert reader.tail() == lines[0]


def test_a_secret_behind_the_cut_does_not_move_before_it() -> None:
    """Hiding a long secret shortens the line; what moves up is behind the cut and may be half a secret."""
    first, second = "a" * 200, "b" * 200
    content = first + "x" * (LONGEST_LINE - 150) + second + "y" * 500
    lines, _ = read(content.encode(), (first, second))
    assert lines == [f"[secret]{'x' * (LONGEST_LINE - 200)}… [a line of {len(content)} characters]"]


def test_a_progress_bar_is_its_last_state() -> None:
    content = b"".join(b"\r%d %%" % nth for nth in range(1, 2001)) + b"\ndone\n"
    reader = LogReader(Masker())
    assert reader.feed(content[:100]) == []  # within `22 %`
    assert reader.current == "22 "
    assert reader.feed(content[100:]) == ["2000 %", "done"]
    assert reader.finish() == []
    assert reader.lines == 2


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"a\r\r\nb", ["a", "b"]),
        (b"12345\rab\n", ["ab"]),
        (b"a\r", ["a"]),
        (b"\n\n", ["", ""]),
        (b"", []),
        (b"\r", []),
        (b"x" * LONGEST_LINE + b"\r\n", ["x" * LONGEST_LINE]),
        (b"x" * 9999 + b"\ry\n", ["y"]),
        (b"a\tb\0c\x07\n", ["a\tb\ufffdc\ufffd"]),
        ("a\u2028b\x85c\n".encode(), ["a\ufffdb\ufffdc"]),
    ],
)
def test_lines(content: bytes, lines: list[str]) -> None:
    assert read(content)[0] == lines
    assert read(content, sizes=(1,) * len(content))[0] == lines


pieces = st.sampled_from([
    b"\r", b"\n", b"\r\n", b"abc", b"\xe2\x82\xac", b"\xe2", b"\x82", b"\xff", b"\0", b"hunter2", b"hun", b"ter2",
    b"\x1b[31m", b"\x1b", b"<{%reset%}>", b"x" * 4090, b"x" * 5000, b"topsecret-topsecret",
    b"a line\n", b"another with hunter2 in it\n",
])  # fmt: skip


@given(
    content=st.lists(pieces, max_size=12).map(b"".join),
    sizes=st.lists(st.integers(0, 6000) | st.integers(1, 5), max_size=12).map(tuple),
)
@example(content=b"x" * 9999 + b"\ry\n", sizes=(10000,))
def test_in_whatever_pieces_it_arrives(content: bytes, sizes: tuple[int, ...]) -> None:
    secrets = ("hunter2", "topsecret-topsecret", "abc\nhunter2abc")
    whole, reader = read(content, secrets)
    lines, other = read(content, secrets, sizes)
    assert lines == whole
    assert (other.digest, other.bytes, other.lines, other.tail()) == (
        reader.digest, reader.bytes, reader.lines, reader.tail(),
    )  # fmt: skip
    assert not any(secret in line for secret in secrets for line in lines)
    assert not any(mark in line for mark in ("\0", "\x1b", "\r", "<{%") for line in lines)


def test_the_tail_keeps_the_last_lines() -> None:
    content = b"".join(b"line %06d\n" % nth for nth in range(20000))
    lines, reader = read(content)
    kept = TAIL_BYTES // len("line 000000\n")
    assert reader.tail() == "\n".join(lines[-kept:]) + "\n"
    assert len(reader.tail()) <= TAIL_BYTES
    assert reader.last(2) == ["line 019998", "line 019999"]
    assert read(b"a\nb")[1].tail() == "a\nb"
    assert read(b"")[1].tail() == ""


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link", "link"),
        ("\x1b\x1b[0m[2J", "\ufffd[2J"),
        ("\x9b2J", "\ufffd2J"),
        ("<{%fg 1%}>red<{%reset%}>", "<\u200b{%fg 1%}>red<\u200b{%reset%}>"),
        ("<\x1b[0m{%reset%}>", "<\u200b{%reset%}>"),
        ("plain <b> {%x%}", "plain <b> {%x%}"),
        ("\x1b(B\x1b[mreset\x1b7\x1b8", "reset"),
        ("safe\u202egnp.exe", "safe\ufffdgnp.exe"),
    ],
)
def test_harmless(text: str, plain: str) -> None:
    assert harmless(text) == plain


def test_a_colour_inside_a_secret_does_not_show_it() -> None:
    lines, reader = read(b"found \x1b[31mtop\x1b[0msecret-1\n", ("topsecret-1",))
    assert lines == ["found [secret]"] and "topsecret" not in reader.tail()


def test_the_line_so_far_never_ends_within_a_secret() -> None:
    reader = LogReader(Masker(("topsecret-1",)))
    reader.feed(b"password: topsecr")
    assert reader.current == "password: "
    reader.feed(b"et-1")
    assert reader.current == "password: [secret]"


@pytest.mark.no_cover
@pytest.mark.parametrize("line", [b"\n", b"\x1b[0m\n"])
def test_the_tail_of_empty_lines_is_small(line: bytes) -> None:
    reader = LogReader(Masker())
    for _ in range(20):
        reader.feed(line * 4096)
    assert reader.tail() == "\n" * TAIL_BYTES and reader.last(3) == ["", "", ""] and reader.lines == 81_920
    assert len(reader._tail) < 40, "nothing is kept for each of them"
