"""What of a Dockerfile only newer builders know."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kf_tasks.core.build.syntax import listed, needs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM a\nRUN <<EOF\nCOPY --link a b\nEOF\n", ["here-documents (line 2)"]),
        ("FROM a\nRUN python3 <<-'END' && x\n\tCOPY --link a b\n\tEND\nCOPY --link a b", ["COPY --link (line 5)",
         "here-documents (line 2)"]),
        ("FROM a\nCOPY <<one <<\"two\" /x/\n1\none\n2\ntwo\nADD --checksum=sha256:1 u /", ["here-documents (line 2)",
         "ADD --checksum (line 7)"]),
        ("FROM a\n\n# a note\ncopy --chmod=a+rX,go-w \\\n  --link=true \\\n# inside\n\n a b\n",
         ["--chmod=a+rX,go-w (line 4)", "COPY --link (line 4)"]),
        ("FROM a\nCOPY --chmod=0755 a b\nCOPY --chmod=$MODE a b\n", []),
        ("FROM a\nWORKDIR /srv\nRUN --mount=type=bind,source=uv.lock,target=uv.lock cat uv.lock\n",
         ["mounts with a relative target (line 3)"]),
        ("FROM a\nRUN --mount=type=cache,target=/root/.cache --mount=type=bind,dst=$D x\n", []),
        ("FROM a\nRUN cat <<< x && echo $((1 << 2)) \"a <<EOF\" && cat <<EOF\n", []),
        ("# syntax=docker/dockerfile:1\n# escape=`\nFROM a\nRUN --network=none `\n echo\n", ["RUN --network (line 4)"]),
        ("FROM a\nONBUILD COPY --parents a b\nENV A=<<EOF\nLABEL b=1\n", ["COPY --parents (line 2)"]),
        ("", []),
    ],
)  # fmt: skip
def test_each_kind_is_told_once_with_its_first_line_the_newest_first(text: str, expected: list[str]) -> None:
    assert [str(need) for need in needs(text)] == expected


def test_a_relative_target_needs_more_where_nothing_says_what_it_is_relative_to() -> None:
    run = "RUN --mount=type=bind,source=a,target=a x\n"
    [placed] = needs(f"FROM a\nWORKDIR /srv\n{run}")
    [not_placed] = needs(f"FROM a\nWORKDIR /srv\nFROM b\n{run}")
    assert (placed.version, not_placed.version) == ((1, 29), (1, 38))


def test_several_are_listed_as_people_do() -> None:
    found = needs("FROM a\nADD --link --checksum=1 --exclude=x a b\nRUN <<E\nE\n")
    assert listed(found) == "ADD --link (line 2), ADD --exclude (line 2), ADD --checksum (line 2) and " + (
        "here-documents (line 3)"
    )
    assert listed(found[:1]) == "ADD --link (line 2)"


@given(st.text(alphabet="FROMUNCPYAD <-\"'\\\n\t#=`$E,/lnk", max_size=200))
def test_whatever_stands_in_a_file_it_is_read_to_its_end(text: str) -> None:
    count = len(text.splitlines())
    assert all(1 <= need.line <= count for need in needs(text))
