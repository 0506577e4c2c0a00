"""The HTML of a review in a browser: what it looks like, at which widths, and what a screen reader would miss."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
GOLDEN = Path(__file__).parent / "golden" / "review.html"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
AXE = CHECKOUT / "node_modules" / "axe-core" / "axe.min.js"
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--allow-file-access-from-files",
)  # fmt: skip
DARK, LIGHT = ("--blink-settings=preferredColorScheme=0",), ("--blink-settings=preferredColorScheme=1",)
# In a page around the review, whose own policy forbids every script: its measures, as text.
MEASURE = """\
<body>{frames}<pre id="told"></pre><script>
addEventListener("load", () => {{
  const of = frame => {{
    const root = frame.contentDocument.documentElement, style = frame.contentWindow.getComputedStyle(root.children[1]);
    const small = [...frame.contentDocument.querySelectorAll("p,li,td,th,code,h2,h3")].map(one =>
      parseFloat(frame.contentWindow.getComputedStyle(one).fontSize));
    const letters = [...frame.contentDocument.querySelectorAll("svg text")].map(one =>
      one.getBoundingClientRect().height);
    return {{asked: frame.width, needed: root.scrollWidth, page: style.backgroundColor, text: style.color,
             smallest: Math.min(...small), letters: Math.min(...letters)}};
  }};
  told.textContent = "TOLD" + JSON.stringify([...document.querySelectorAll("iframe")].map(of)) + "DLOT";
}});
</script></body>
"""
AXE_RUN = """\
<script>{axe}</script><script>axe.run(document).then(found => {{
  document.body.innerHTML = "<pre id=told></pre>";
  told.textContent = "TOLD" + JSON.stringify(found.violations.map(one => [one.id, one.nodes.map(node => node.html)])) +
    "DLOT"; }});</script></body>"""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not here: apt-get install chromium")
Browser = Callable[..., Any]


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    """Opens a page with a fresh profile and ends with it."""

    def run(page: Path, *options: str) -> str:
        command = [str(CHROMIUM), *QUIET, f"--user-data-dir={tmp_path / 'profile'}", *options, f"file://{page}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    return run


def told(dom: str) -> Any:
    found = re.search(r"TOLD(.*?)DLOT", dom.rpartition("<pre")[2], re.DOTALL)
    assert found, dom[-2000:]
    return json.loads(unescape(found[1]))


@pytest.mark.parametrize(
    ("scheme", "page"), [(LIGHT, "rgb(255, 255, 255)"), (DARK, "rgb(13, 17, 23)")], ids=["light", "dark"]
)
def test_it_fits_a_telephone_and_a_desk_in_the_colours_of_its_reader(
    browser: Browser, tmp_path: Path, scheme: tuple[str, ...], page: str
) -> None:
    frames = "".join(f'<iframe src="{GOLDEN}" width="{width}" height="600"></iframe>' for width in (320, 400, 1100))
    (tmp_path / "around.html").write_text(MEASURE.format(frames=frames))
    for found in told(browser(tmp_path / "around.html", *scheme, "--virtual-time-budget=10000", "--dump-dom")):
        assert found["needed"] <= int(found["asked"]), "nothing is cut off or has to be moved aside"
        assert found["page"] == page and found["text"] != page
        assert found["smallest"] >= 12 and found["letters"] >= (10 if int(found["asked"]) >= 400 else 8.5)


def test_the_same_document_looks_the_same_and_light_is_not_dark(browser: Browser, tmp_path: Path) -> None:
    shots = []
    for nth, scheme in enumerate((LIGHT, LIGHT, DARK)):
        shot = tmp_path / f"{nth}.png"
        browser(GOLDEN, *scheme, "--window-size=1000,1400", f"--screenshot={shot}")
        shots.append(shot.read_bytes())
    light, again, dark = shots
    assert light == again and light != dark
    assert light.startswith(b"\x89PNG") and len(light) > 50_000, "it is not an empty page"


def test_on_paper_what_is_folded_is_open(browser: Browser, tmp_path: Path) -> None:
    sizes = []
    for name, text in (
        ("folded", GOLDEN.read_text()),
        ("open", GOLDEN.read_text().replace("<details>", "<details open>")),
    ):
        page, paper = tmp_path / f"{name}.html", tmp_path / f"{name}.pdf"
        page.write_text(text)
        browser(page, f"--print-to-pdf={paper}", "--no-pdf-header-footer")
        sizes.append(paper.read_bytes().count(b"/Type /Page\n"))
    assert sizes[0] == sizes[1] > 3


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not here: npm install --no-save axe-core")
@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
def test_axe_core_finds_nothing(browser: Browser, tmp_path: Path, scheme: tuple[str, ...]) -> None:
    text = re.sub(r"<meta http-equiv=\"Content-Security-Policy\"[^>]*>", "", GOLDEN.read_text())
    page = tmp_path / "page.html"
    page.write_text(
        text.replace("<details>", "<details open>").replace("</body>", AXE_RUN.format(axe=AXE.read_text("utf-8")))
    )
    assert told(browser(page, *scheme, "--window-size=500,900", "--virtual-time-budget=30000", "--dump-dom")) == []
