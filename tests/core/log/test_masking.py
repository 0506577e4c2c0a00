"""A secret value is hidden in the forms in which tasks print it."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kf_tasks.core.log.masking import Masker

SECRET = "p/ss w+rd~é"


@pytest.mark.parametrize(
    "printed",
    [SECRET, quote(SECRET, safe=""), quote_plus(SECRET)],
)
def test_plain_and_url_encoded(printed: str) -> None:
    assert Masker([SECRET]).mask(f"url={printed}&x") == "url=[secret]&x"


@pytest.mark.no_cover
@given(
    secret=st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), min_size=6, max_size=20),
    lead=st.binary(max_size=8),
    trail=st.binary(max_size=4),
)
def test_base64_wherever_it_stands_in_what_was_encoded(secret: str, lead: bytes, trail: bytes) -> None:
    raw = lead + secret.encode() + trail
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        shown = Masker([secret]).mask(encode(raw).decode())
        assert "[secret]" in shown
        # What is left decides no whole byte of the secret beside its first and last.
        assert len(shown.replace("[secret]", "")) <= len(encode(lead)) + len(encode(trail)) + 4


@pytest.mark.parametrize("offset", [0, 1, 2])
def test_base64_at_all_three_offsets(offset: int) -> None:
    text = base64.b64encode(b"x" * offset + b"topsecret!").decode()
    assert Masker(["topsecret!"]).mask(text).endswith({0: "[secret]Q==", 1: "[secret]E=", 2: "[secret]"}[offset])


def test_every_line_of_a_value_is_a_secret_of_its_own() -> None:
    masker = Masker(["-----BEGIN\r\nMIIEvQ\nabc\n"])
    assert masker.mask("-----BEGIN") == "[secret]"
    assert masker.mask("key: MIIEvQ!") == "key: [secret]!"
    assert masker.mask("abc") == "abc"


def test_short_values_are_left_alone() -> None:
    assert Masker(["", "true", "12345"]).mask("true 12345") == "true 12345"
    assert Masker(["123456"]).mask("true 123456") == "true [secret]"
    assert Masker().mask("anything") == "anything"
    assert Masker().longest == 0


def test_the_longer_secret_is_hidden_as_a_whole() -> None:
    masker = Masker(["hunter2", "postgres://u:hunter2@db"])
    assert masker.mask("postgres://u:hunter2@db and hunter2") == "[secret] and [secret]"


def test_what_stands_before_a_limit() -> None:
    masker = Masker(["secret-1"])
    assert masker.mask("ab secret-1 cd", 2) == "ab"
    assert masker.mask("ab secret-1 cd", 3) == "ab "
    assert masker.mask("ab secret-1 cd", 4) == "ab [secret]"
    assert masker.mask("ab secret-1 cd", 12) == "ab [secret] "
    assert masker.mask("ab secret-1 cd", 99) == "ab [secret] cd"
    assert Masker().mask("abc", 2) == "ab"


def test_secrets_that_overlap_are_hidden_to_the_last_character() -> None:
    assert Masker(["abcdefgh", "efghijkl"]).mask("-abcdefghijkl-") == "-[secret]-"
    assert Masker(["abcdef", "abcdefghi"]).mask("abcdefghi abcdef") == "[secret] [secret]"


@pytest.mark.parametrize("secret", ['pa"ss\\word', "tab\tin-it", "é-accent", "line-1\nline-2", "l1\nl2\nl3"])
def test_as_text_of_json(secret: str) -> None:
    for ascii_only in (True, False):
        shown = Masker([secret]).mask(json.dumps({"a": secret}, ensure_ascii=ascii_only))
        assert not [line for line in secret.split("\n") if json.dumps(line)[1:-1] in shown], shown


@pytest.mark.parametrize("printed", ["'it'\\''s-secret'", "'it'\"'\"'s-secret'"])
def test_as_a_shell_quotes_it(printed: str) -> None:
    assert Masker(["it's-secret"]).mask(printed) == "'[secret]'"


def test_more_secrets_later() -> None:
    masker = Masker(["first-one"])
    masker.add(["second-one", "first-one"])
    assert masker.mask("first-one second-one") == "[secret] [secret]"


@pytest.mark.no_cover
def test_a_file_of_a_megabyte_costs_little() -> None:
    content = "".join(f"{number:07d}" for number in range(150_000))
    masker = Masker([content])
    assert masker.longest == 1024, "no line is kept for longer than this because of it"
    assert masker.mask(f"a {content} b") == "a [secret] b"
    assert masker.mask(f"a {base64.b64encode(content.encode()).decode()[:4000]}").startswith("a [secret]")


@pytest.mark.parametrize(
    ("text", "shown"), [("pw: secret", "pw: "), ("pw: secre", "pw: secre"), ("secret-1", "secret-1")]
)
def test_the_beginning_of_a_secret_waits_for_its_end(text: str, shown: str) -> None:
    assert Masker(["secret-1"]).settled(text) == shown


def test_url_encoded_as_other_languages_do_it() -> None:
    masker = Masker(["a/b(c) d+é"])
    for printed in (
        "a%2Fb(c)%20d%2B%C3%A9",
        "a/b%28c%29%20d%2B%C3%A9",
        "a%2fb%28c%29%20d%2b%c3%a9",
        "a%2Fb%28c%29+d%2B%C3%A9",
    ):
        assert masker.mask(f"x={printed}&y") == "x=[secret]&y"


@pytest.mark.parametrize("width", [64, 76])
@pytest.mark.parametrize("size", [50, 57, 58, 100, 300])
def test_base64_in_lines_as_the_command_prints_it(width: int, size: int) -> None:
    secret = "".join(chr(33 + number * 7 % 90) for number in range(size))
    encoded = base64.b64encode(secret.encode()).decode()
    for line in (encoded[at : at + width] for at in range(0, len(encoded), width)):
        assert len(Masker([secret]).mask(line).replace("[secret]", "").rstrip("=")) < 6
