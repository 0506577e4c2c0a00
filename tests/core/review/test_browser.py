"""The HTML of a review in a browser: what it looks like, at which widths, and what a screen reader would miss."""

from __future__ import annotations

import base64
import json
import os
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

PICTURES = {scheme: GOLDEN.with_name(f"review-{scheme}.png") for scheme in ("light", "dark")}
# What somebody might break, by a pattern in the page and what stands in its place: the comparison must see each.
CHANGES = {
    "a section is gone": ("<section.*?</section>", ""),
    "a picture is gone": ("<svg.*?</svg>", ""),
    "cells without room": ("th, td {.*?}", "th, td { padding: 0 }"),
    "letters of another size": ("16px/1.5", "17px/1.5"),
    "another ground": (r"background: var\(--page\)", "background: #777"),
}
# Pages side by side, in one picture: to start a browser takes longer than to draw one.
BESIDE = """\
<body style="margin: 0; display: flex">{frames}</body>
"""
# The stored picture and those beside each other, so small that each cell is the mean of 20 by 20 pixels: how much
# they differ from it, of 255.
COMPARE = """\
<body>{pictures}<pre id="told"></pre><script>
addEventListener("load", () => {{
  const [stored, beside] = [...document.images], size = [stored.naturalWidth, stored.naturalHeight];
  const cells = (image, left) => {{
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = size.map(pixels => Math.ceil(pixels / 20));
    const drawn = canvas.getContext("2d");
    drawn.imageSmoothingQuality = "high";
    drawn.drawImage(image, left, 0, ...size, 0, 0, canvas.width, canvas.height);
    return drawn.getImageData(0, 0, canvas.width, canvas.height).data;
  }};
  const first = cells(stored, 0), differ = [];
  for (let left = 0; left < beside.naturalWidth; left += size[0]) {{
    const second = cells(beside, left), apart = [...first].map((value, nth) => Math.abs(value - second[nth]));
    differ.push([apart.reduce((a, b) => a + b, 0) / apart.length,
                 apart.filter(one => one > 40).length / apart.length]);
  }}
  told.textContent = "TOLD" + JSON.stringify({{size, beside: [beside.naturalWidth, beside.naturalHeight], differ}}) +
    "DLOT";
}});
</script></body>
"""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not here: apt-get install chromium")
Browser = Callable[..., Any]


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    """Opens a page with a fresh profile and ends with it."""

    def run(page: Path, *options: str) -> str:
        command = [str(CHROMIUM), *QUIET, f"--user-data-dir={tmp_path / 'profile'}", *options, f"file://{page}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
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


@pytest.mark.parametrize(("scheme", "name"), [(LIGHT, "light"), (DARK, "dark")], ids=["light", "dark"])
def test_it_looks_as_it_did(browser: Browser, tmp_path: Path, scheme: tuple[str, ...], name: str) -> None:
    """As in the stored picture but for how letters are smoothed; `KF_GOLDEN=write` stores it anew, to be looked at."""

    golden = GOLDEN.read_text()
    pages = {"it is as it was": golden}
    for kind, (pattern, other) in CHANGES.items():
        pages[kind] = re.sub(pattern, other, golden, count=1, flags=re.DOTALL)
        assert pages[kind] != golden

    def shot(page: Path, width: int) -> Path:
        made = tmp_path / f"{page.stem}.png"
        browser(page, *scheme, f"--window-size={width},2000", f"--screenshot={made}")
        return made

    if os.environ.get("KF_GOLDEN") == "write":
        PICTURES[name].write_bytes(shot(GOLDEN, 1000).read_bytes())
    frames = ""
    for nth, text in enumerate(pages.values()):
        (tmp_path / f"{nth}.html").write_text(text)
        frames += f'<iframe src="{nth}.html" style="border: 0; flex: none; width: 1000px; height: 2000px"></iframe>'
    (tmp_path / "beside.html").write_text(BESIDE.format(frames=frames))
    data = [
        base64.b64encode(path.read_bytes()).decode()
        for path in (PICTURES[name], shot(tmp_path / "beside.html", 1000 * len(pages)))
    ]
    pictures = "".join(f'<img src="data:image/png;base64,{text}">' for text in data)
    (tmp_path / "compare.html").write_text(COMPARE.format(pictures=pictures))
    found = told(browser(tmp_path / "compare.html", "--virtual-time-budget=10000", "--dump-dom"))
    assert (found["size"], found["beside"]) == ([1000, 2000], [1000 * len(pages), 2000])
    (mean, far), *changed = found["differ"]
    assert mean < 2 and far < 0.004, "look at it, and store it anew if it is meant"
    for kind, (mean, far) in zip(CHANGES, changed, strict=True):
        assert mean >= 2 or far >= 0.004, f"{kind}: nobody would notice"


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
