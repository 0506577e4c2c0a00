"""The documentation builds without a broken link, reference or anchor, and needs nothing from elsewhere."""

from __future__ import annotations

import importlib
import inspect
import operator
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from kf_tasks import App, ServiceInstance, Source, Space, Task, TaskSchedule

from .texts import PAGES, ROOT

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_LOADED = re.compile(r"<(?:script|img|iframe|source)\b[^>]*\bsrc=\"([^\"]+)\"|<link\b[^>]*\bhref=\"([^\"]+)\"")
LARGEST_README = 8 * 1024
ELEMENTS = {
    *(
        "a",
        "article",
        "body",
        "button",
        "code",
        "del",
        "details",
        "div",
        "em",
        "footer",
        "form",
        "head",
        "header",
        "html",
    ),
    *("h1", "h2", "h3", "h4", "img", "input", "label", "li", "link", "main", "meta", "nav", "ol", "p", "path", "pre"),
    *("script", "small", "span", "strong", "style", "svg", "table", "tbody", "td", "th", "thead", "title", "tr", "ul"),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return folder


def test_every_page_is_built_and_in_the_navigation(site: Path) -> None:
    index = (site / "index.html").read_text("utf-8")
    for page in (ROOT / "docs").glob("*.md"):
        assert (site / f"{page.stem}.html").exists()
        assert f'href="{page.stem}.html"' in index, f"{page.name} is not in the navigation"


def test_a_page_loads_nothing_from_elsewhere(site: Path) -> None:
    for page in site.glob("*.html"):
        loaded = [script or link for script, link in _LOADED.findall(page.read_text("utf-8"))]
        assert loaded
        assert [place for place in loaded if "//" in place] == [], page.name


class Tags(HTMLParser):
    """The names of all elements of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.names.add(tag)


def test_no_placeholder_is_taken_for_an_element(site: Path) -> None:
    for page in site.glob("*.html"):
        strange = Tags(page.read_text("utf-8")).names - ELEMENTS
        assert strange == set(), f"{page.name}: write `<…>` as code"


def test_the_reference_has_every_public_name_and_every_command(site: Path) -> None:
    import kf_tasks
    from kf_tasks.cli.main import COMMANDS

    api = (site / "api.html").read_text("utf-8")
    for name in kf_tasks.__all__:
        assert re.search(rf'<h2 id="kf_tasks\.resources\.\w+\.{name}"', api), name
    commands = (site / "kf.html").read_text("utf-8")
    for name, (_, said) in COMMANDS.items():
        assert not said or f' id="kf-{name}"' in commands, name


@pytest.mark.parametrize("component", [App, ServiceInstance, Source, Space, Task, TaskSchedule])
def test_the_reference_tells_of_every_argument(component: type) -> None:
    told = {word for code in re.findall(r"`([^`]+)`", component.__doc__ or "") for word in re.findall(r"\w+", code)}
    assert set(inspect.signature(component).parameters) - told - {"name", "space", "app", "opts"} == set()


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "CONTRIBUTING.md"], ids=lambda page: page.name)
def test_links_beside_the_site_lead_to_files(page: Path) -> None:
    for link in _LINK.findall(page.read_text("utf-8")):
        path, _, anchor = link.partition("#")
        if "://" in link:
            continue
        found = page.parent / path if path else page
        assert found.exists(), link
        assert not anchor or anchor in _anchors(found), link


def test_the_readme_is_for_a_first_reader() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert len(text.encode()) < LARGEST_README
    assert "<" not in re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL), "an index renders no HTML"


def test_folders_and_files_that_are_named_exist() -> None:
    """In code marks, with a slash: what is no path of this source is a URL, a folder of a pod or an example."""
    named = re.compile(r"`((?:docs|examples|tests|sandbox|bench|rbac|components|kf_tasks)/[\w./*-]*)`")
    for page in PAGES:
        for path in named.findall(page.read_text("utf-8")):
            root = ROOT / "components" if path.startswith("kf_tasks/") else ROOT
            assert list(root.glob(path.rstrip("/"))), f"{page.name}: {path}"


def test_what_the_architecture_names_exists() -> None:
    """`folder/module.name`: a module of the package, and what is in it."""
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    named = re.findall(r"`((?:[a-z_]+/)*[a-z_]+)\.([A-Za-z_][\w.]*)`", text)
    found = [(path, name) for path, name in named if (ROOT / "components/kf_tasks" / f"{path}.py").exists()]
    assert len(found) > 40
    missing = [(path, name) for path, name in found if name != "py" and not _has(path, name)]
    assert missing == []
    folders = {path.partition("/")[0] for path, _ in found}
    assert [path for path, _ in named if (path, _) not in found and path.partition("/")[0] in folders] == []


def _has(path: str, name: str) -> bool:
    try:
        operator.attrgetter(name)(importlib.import_module(f"kf_tasks.{path.replace('/', '.')}"))
    except AttributeError:
        return False
    return True


def _anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
