"""Large sources from folder to image: in bounded memory, and whoever waits sees how far it is."""

from __future__ import annotations

import json
import random
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from .. import registries
from .conftest import Stack
from .test_source import this_machine

pytestmark = pytest.mark.soak
PROCESSES = ("pulumi-language-python-exec", "pulumi.dynamic")  # the program, and the dynamic provider
MEMORY = 160  # MiB; the program of an App without a source has 60 to 100
PROGRAM = (
    "from kf_tasks import Source\n"
    "space = Space(NS, memory='32M', disk='64M', registry='http://{registry}', builder_image=f'{{R}}/buildah:1.45')\n"
    "app = App('shop', space=space, source=Source('app', memory='1G', disk='12G'))\n"
    "pulumi.export('image', app.image)\n"
)


def many(folder: Path) -> None:
    for number in range(100_000):
        place = folder / f"d{number % 500}"
        place.mkdir(exist_ok=True)
        (place / f"f{number}.txt").write_text(f"content of {number}")


def large(folder: Path) -> None:
    block = random.Random(1).randbytes(1 << 20)
    with (folder / "big").open("wb") as file:
        for number in range(2048):
            file.write(number.to_bytes(8, "big") + block[8:])


@pytest.mark.parametrize(("make", "said"), [(many, "of 100,001 files"), (large, "of 2,048 MiB")])
def test_a_large_source(stacks: Callable[..., Stack], tmp_path: Path, make: Callable[[Path], None], said: str) -> None:
    stack = stacks(env={"PULUMI_DEBUG_COMMANDS": "true"})  # for the events
    folder = stack.folder / "app"
    folder.mkdir()
    make(folder)
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    peaks: dict[str, int] = {}
    done = threading.Event()
    watching = threading.Thread(target=watch, args=(stack, peaks, done))
    watching.start()
    try:
        with registries.serve(tmp_path, this_machine()) as address:
            stack.write(PROGRAM.format(registry=address)).up("--event-log", "events.json", timeout=1500).ok()
            assert stack.outputs()["image"].startswith(f"{address}/{stack.namespace}/shop@sha256:")
    finally:
        done.set()
        watching.join()
        shutil.rmtree(folder)
        shutil.rmtree(tmp_path / "registry", ignore_errors=True)
    events = [json.loads(line) for line in (stack.folder / "events.json").read_text().splitlines()]
    texts = [event["diagnosticEvent"]["message"] for event in events if "diagnosticEvent" in event]
    assert any("hashing source 'app': " in text and said in text for text in texts)
    assert any("uploading [" in text for text in texts)
    print(peaks)
    assert sorted(peaks) == sorted(PROCESSES)
    assert max(peaks.values()) < MEMORY, peaks


def watch(stack: Stack, peaks: dict[str, int], done: threading.Event) -> None:
    """The peak memory (MiB) of the stack's Python processes, by script."""
    mark = f"PULUMI_BACKEND_URL={stack.env['PULUMI_BACKEND_URL']}".encode()
    while not done.wait(0.3):
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if mark not in (process / "environ").read_bytes():
                    continue
                words = (process / "cmdline").read_bytes().decode().split("\0")
                status = (process / "status").read_text()
            except OSError:
                continue
            script = next((name for name in PROCESSES if any(word.endswith(name) for word in words)), "")
            if script and "VmHWM:" in status:
                peak = int(status.split("VmHWM:")[1].split()[0]) // 1024
                peaks[script] = max(peaks.get(script, 0), peak)
