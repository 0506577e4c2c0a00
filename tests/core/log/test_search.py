"""A log is searched quickly for thousands of texts, and not one of them is missed, whatever they are made of."""

from __future__ import annotations

from hashlib import sha256

from hypothesis import example, given
from hypothesis import strategies as st
from kf_tasks.core.log.masking import Masker
from kf_tasks.core.log.search import FEW, FIRST, Search

characters = st.sampled_from(
    ["a", "b", "a", "b", "\n", "\x00", "\xff", "é", "\u20ac", "\U0001f511", "\ud83d", "\udc80"]
)
MANY = [f"{number:06d}{'-' * number}" for number in range(FEW + 1)]
LONG = [f"{number:019d}" for number in range(FEW + 1)]


@st.composite
def texts_in_a_text(draw: st.DrawFn) -> tuple[list[str], str]:
    """Secrets of few characters, which contain and overlap each other, and a log that is made of them."""
    sizes = draw(st.sampled_from([(6, 8), (6, 25), (11, 20), (19, 40)]))
    secrets = draw(st.lists(st.text(characters, min_size=sizes[0], max_size=sizes[1]), min_size=1, max_size=30))
    pieces = st.one_of(st.sampled_from(secrets), st.text(characters, max_size=9), st.sampled_from(secrets).map(_cut))
    return secrets, "".join(draw(st.lists(pieces, max_size=12)))


def _cut(secret: str) -> str:
    return secret[1:-1]


def walked(text: str, texts: list[str]) -> list[int]:
    """Where one of the texts stands, as nobody could get it wrong."""
    return [at for at in range(len(text)) if any(text.startswith(one, at) for one in texts)]


@given(found=texts_in_a_text(), more=st.sampled_from([[], MANY, LONG]))
@example(found=(["abcdef"], "0000abcdef"), more=MANY)
@example(found=(["abcdef"], "00000abcdef"), more=MANY)
@example(found=(["\udc80bcdef"], "é\udc80bcdef"), more=MANY)
def test_none_is_missed(found: tuple[list[str], str], more: list[str]) -> None:
    texts, text = [*found[0], *more], found[1]
    search, walk = Search(texts), walked(text, texts)
    assert search.starts(text) == walk, "one by one"
    search.starts("." * FIRST)
    starts = search.starts(text)
    assert starts == sorted(set(starts)) and set(walk) <= set(starts)


@given(found=texts_in_a_text(), more=st.sampled_from([[], MANY, LONG]))
def test_what_is_hidden_is_what_a_search_one_by_one_hides(found: tuple[list[str], str], more: list[str]) -> None:
    masker, text = Masker([*found[0], *more]), found[1]
    forms = [form for same in masker._forms.values() for form in same]
    spans = list[tuple[int, int]]()
    for start in walked(text, forms):
        stop = start + max(len(form) for form in forms if text.startswith(form, start))
        if spans and start <= spans[-1][1]:
            spans[-1] = spans[-1][0], max(stop, spans[-1][1])
        else:
            spans.append((start, stop))
    assert masker.spans(text) == spans, "one by one"
    masker.spans("." * FIRST)
    assert masker.spans(text) == spans


def test_wherever_it_stands() -> None:
    """At each distance from the beginning and from the end of what is looked at together."""
    for texts in (["abcdef", *MANY], ["abcdefg", *MANY], ["abcdefghijk", *LONG], LONG):
        search = Search(texts)
        search.starts("." * FIRST)
        for length in [*range(40), *range(2000, 2080), *range(8150, 8230)]:
            for character in (".", "é"):
                assert length in search.starts(character * length + texts[0])
                assert length in search.starts(character * length + texts[0] + character * 5)


def test_what_is_read_in_lines_is_read_as_numbers_in_the_end() -> None:
    """Whatever the first lines were, of those that follow none costs a look for each of the texts."""
    search = Search(MANY)
    for _ in range(FIRST):
        assert search.starts("x") == []
    assert search._index and search.starts(f"x{MANY[0]}") == [1]


def test_little_else_is_looked_at() -> None:
    """What stands at the beginning of every log is not what a secret is known by."""
    secrets = [f"https://hooks.example.com/{sha256(bytes([number])).hexdigest()}/for/all" for number in range(100)]
    log = "".join(f"GET https://hooks.example.com/health -> {number}\n" for number in range(1000))
    assert len(Search(secrets).starts(log)) < 100
    assert not Search([]).starts(log)
