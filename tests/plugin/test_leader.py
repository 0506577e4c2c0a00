"""Of the processes of one update one makes the components, whatever the others and their ends do to its file."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kf_tasks.plugin import leader as leaders
from kf_tasks.plugin.leader import leader, update

ALONE = "import sys; from pathlib import Path; from kf_tasks.plugin.leader import leader\n"
LEADS = ALONE + "print(leader(sys.argv[1], 1, Path(sys.argv[2])), flush=True); sys.stdin.read()"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "plugins"


@pytest.fixture
def process(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """One that leads update `u` at port 1."""
    command = [sys.executable, "-c", LEADS, "u", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as begun:
        assert begun.stdout and begun.stdout.readline() == "1\n"
        yield begun
        begun.kill()


def test_the_first_leads_and_all_others_are_led(process: subprocess.Popen[str], folder: Path) -> None:
    assert [leader("u", port, folder) for port in (2, 3, 4, 5, 6)] == [1] * 5
    assert leader("other", 2, folder) == 2 and leader("other", 3, folder) == 2, "another update has its own"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert sorted(it.name for it in folder.iterdir()) == ["other", "u"]


def test_one_that_is_killed_leads_no_more(process: subprocess.Popen[str], folder: Path) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert (folder / "u").exists(), "nobody took it away"
    assert leader("other", 5, folder) == 5 and not (folder / "u").exists(), "swept by whoever comes next"
    assert leader("u", 2, folder) == 2 and leader("u", 3, folder) == 2


def test_one_that_ends_leaves_nothing(process: subprocess.Popen[str], folder: Path) -> None:
    process.communicate()
    assert process.returncode == 0 and not [*folder.iterdir()]


@pytest.mark.parametrize("left", [b"", b"7", b"no port", b"\xff" * 40])
def test_what_nobody_holds_is_none_that_leads(folder: Path, left: bytes) -> None:
    folder.mkdir(mode=0o700)
    (folder / "u").write_bytes(left)
    assert leader("u", 2, folder) == 2 and leader("u", 3, folder) == 2


def test_of_many_at_once_one_leads(folder: Path) -> None:
    together = threading.Barrier(16)

    def begin(port: int) -> int:
        together.wait()
        return leader("u", port, folder)

    with ThreadPoolExecutor(16) as pool:
        found = [*pool.map(begin, range(1, 17))]
    assert len({*found}) == 1 and found[0] in range(1, 17)
    assert [it.name for it in folder.iterdir()] == ["u"]


@pytest.mark.parametrize("mode", [0o755, 0o777])
def test_a_folder_that_others_may_write_into_is_not_believed(folder: Path, mode: int) -> None:
    folder.mkdir()
    folder.chmod(mode)
    (folder / "u").write_text("7")
    assert leader("u", 2, folder) == 2 and (folder / "u").read_text() == "7"


@pytest.mark.parametrize("what", ["link", "file", "nowhere"])
def test_where_no_file_can_be_each_leads_itself(tmp_path: Path, what: str) -> None:
    folder = tmp_path / "plugins" / ("none" if what == "nowhere" else "")
    if what == "link":
        (tmp_path / "real").mkdir(mode=0o700)
        folder.symlink_to(tmp_path / "real")
    elif what == "file":
        folder.write_text("")
    assert [leader("u", port, folder) for port in (2, 3)] == [2, 3]


@given(
    st.dictionaries(st.sampled_from(["A", "KUBECONFIG", "AWS_PROFILE", "TRACEX", "PULUMI_X", "PATH"]), st.text("a="))
)
def test_processes_of_one_environment_share(environ: dict[str, str]) -> None:
    own = {name: text for name, text in environ.items() if not name.startswith(("TRACE", "PULUMI_", "PATH"))}
    assert update("e", "m", environ) == update("e", "m", own)
    assert len({update("e", "m", own), update("e", "m", {**own, "KUBECONFIG": "other"}), update("e", "n", own)}) == 3


def test_another_version_is_another_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    before = update("e", "m")
    monkeypatch.setattr(leaders, "__version__", "0.0.0")
    assert update("e", "m") != before
