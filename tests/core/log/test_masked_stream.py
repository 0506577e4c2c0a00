"""What the archive stores is the log itself without its secrets, in whatever pieces it comes."""

from __future__ import annotations

import base64
import tracemalloc

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from kf_tasks.core.log.masked_stream import MaskedStream
from kf_tasks.core.log.masking import Masker
from kf_tasks.core.log.reader import SEQUENCES

SECRET = "hunter22"


def stored(content: bytes, secrets: tuple[str, ...] = (), sizes: tuple[int, ...] = ()) -> bytes:
    """What is stored of a log that arrives in pieces of `sizes` (and then the rest)."""
    stream, out, at = MaskedStream(Masker(secrets)), b"", 0
    for size in sizes:
        out += stream.feed(content[at : at + size])
        at += size
    return out + stream.feed(content[at:]) + stream.finish()


@given(st.binary(max_size=200), st.lists(st.integers(0, 20), max_size=20))
def test_without_a_secret_in_it_no_byte_is_another(content: bytes, sizes: list[int]) -> None:
    assert stored(content, (), tuple(sizes)) == content
    assert stored(content, ("a secret that is not there",), tuple(sizes)) == content


@given(
    parts=st.lists(st.sampled_from(["hunter22", "hunter2", "ter22hunt", "er22", "\n", "é", " ", "abcabc", "x"])),
    sizes=st.lists(st.integers(0, 9), max_size=40),
)
@example(parts=["hunter22", "hunter22"], sizes=[8, 8])
@example(parts=["hunter22hunt", "er22"], sizes=[9])
def test_however_it_is_cut_it_is_masked_the_same(parts: list[str], sizes: list[int]) -> None:
    secrets, text = (SECRET, "22hunter", "abcabcabc"), "".join(parts)
    assert stored(text.encode(), secrets, tuple(sizes)).decode() == Masker(secrets).mask(text)


@pytest.mark.no_cover
@given(
    secret=st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x1b"), min_size=6, max_size=20),
    cut=st.integers(1, 19),
    sizes=st.lists(st.integers(0, 5), max_size=60),
    colour=st.sampled_from(["\x1b[31m", "\x1b[38;2;255;100;20m", "\x1b]0;title\x07"]),
)
def test_a_colour_in_a_secret_does_not_show_it(secret: str, cut: int, sizes: list[int], colour: str) -> None:
    assume(secret not in "before [secret] after")
    text = f"before {secret[:cut]}{colour}{secret[cut:]} after"
    shown = SEQUENCES.sub("", stored(text.encode(), (secret,), tuple(sizes)).decode())
    assert "[secret]" in shown and secret not in shown


sequences = [
    "\x1b]0;title",
    "\x1b]",
    "\x1b",
    "\x1b[",
    "\x1b[31m",
    "\x07",
    "\x1b\\",
    "x" * 70,
    "\n",
    " ",
    "hunter22",
    "hunt",
    "er22",
]


@given(parts=st.lists(st.sampled_from(sequences), max_size=12), sizes=st.lists(st.integers(0, 90), max_size=20))
@example(parts=["\x1b]0;title", "\n", "hunter22"], sizes=[])
@example(parts=["\x1b]0;title", "x" * 70, " ", "hunter22"], sizes=[80, 5])
def test_no_control_sequence_shows_a_secret(parts: list[str], sizes: list[int]) -> None:
    """Neither as it is stored, nor on a terminal, whatever is left unfinished before it."""
    shown = stored("".join(parts).encode(), (SECRET,), tuple(sizes)).decode()
    assert SECRET not in shown and SECRET not in SEQUENCES.sub("", shown)


@given(st.lists(st.integers(0, 12), max_size=40))
def test_lines_base64_and_url_of_a_secret_across_the_cuts(sizes: list[int]) -> None:
    secret = "first line/1\nsecond line"
    text = "first line/1 first%20line%2f1 " + base64.b64encode(b"x" + secret.encode()).decode() + "\n" + secret
    shown = stored(text.encode(), (secret,), tuple(sizes)).decode()
    assert shown.startswith("[secret] [secret] ") and shown.endswith("\n[secret]")
    assert "line" not in shown


@pytest.mark.no_cover
def test_a_secret_that_repeats_without_end_takes_no_memory() -> None:
    stream = MaskedStream(Masker([SECRET]))
    tracemalloc.start()
    out = sum(len(stream.feed(SECRET.encode() * 512)) for _ in range(200))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert out + len(stream.finish()) == len("[secret]"), "secrets that touch are one"
    assert peak < 512 * 1024, "it was 800 KiB"


def test_a_secret_that_is_known_later_is_masked_from_then_on() -> None:
    masker = Masker()
    stream = MaskedStream(masker)
    shown = stream.feed("hunter22 é".encode()[:-1])
    masker.add([SECRET])
    assert (shown + stream.feed("é hunter22".encode()[1:]) + stream.finish()).decode() == "hunter22 é [secret]"
