"""The page of arguments says what the signatures say, and what each argument changes.

`KF_DOCS=write pytest tests/docs/test_arguments.py` writes it anew.
"""

from __future__ import annotations

import os

import pytest

from .arguments import page
from .texts import ROOT

PAGE = ROOT / "docs" / "arguments.md"


@pytest.mark.no_cover
def test_the_page_is_that_of_the_components() -> None:
    found = page()
    if os.environ.get("KF_DOCS") == "write":
        PAGE.write_text(found, "utf-8")
    assert PAGE.read_text("utf-8") == found
