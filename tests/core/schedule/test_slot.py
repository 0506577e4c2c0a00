"""The log that a schedule copies of a run that it replaces is found in the log of its pod."""

from __future__ import annotations

import pytest
from kf_tasks.core.schedule import slot

OWN = (
    "kf: run new for now, id 2\n"
    "kf: run old is cancelled by job 'report' of app 'shop', replaced by new; its last 5000 lines at most:\n"
    "one\nkf: run other has ended\ntwo{}kf: run old has ended\nkf: run new succeeded\n"
)


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("end", ["", "\n"])
def test_from_the_line_that_says_so_to_the_end(size: int, end: str) -> None:
    log = OWN.format(end).encode()
    pieces = [log[at : at + size] for at in range(0, len(log), size)]
    assert b"".join(slot.copy(pieces, "old")).decode() == f"one\nkf: run other has ended\ntwo{end}"
    assert b"".join(slot.copy(pieces, "new")) == b""


def test_of_a_pod_that_was_killed_what_there_is() -> None:
    log = OWN.format("\n").encode().partition(b"kf: run old has")[0]
    assert b"".join(slot.copy([log[:-2]], "old")).decode() == "one\nkf: run other has ended\ntw"
