"""What it costs to hide secrets in a log: in what is archived and in what is shown, beside `grep` that only looks."""

from __future__ import annotations

import random
import statistics
import string
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from kf_tasks.core.log.masked_stream import MaskedStream
from kf_tasks.core.log.masking import Masker
from kf_tasks.core.log.reader import LogReader

from .measure import REPEATS, Table, processor

TITLE = "Masking a log"
CHUNK, SIZE = 64 * 1024, 8 * 1024 * 1024
WORDS = ("the", "order", "of", "user", "7", "failed:", "timeout,", "GET", "/api/v1/items", "HTTP/1.1", "200", "INFO")
KEY_LINES = 26  # of an RSA key of 2048 bits


def measure() -> Table:
    """MB for each second of processor time, medians."""
    note = (
        f"MB for each second of processor time, of a log of {SIZE >> 20} MiB, of which one line of a hundred holds a "
        f"secret; medians of {REPEATS}. Passwords have 24 characters; of the mixed ones a fifth are keys of 28 lines, "
        "a fifth connection strings, a fifth eight characters long. grep is given all forms, and counts lines."
    )
    table = Table(TITLE, ("secrets", "forms", "archived", "shown", "`grep -F -f`"), note)
    chosen = random.Random(1)
    for name, secrets in (
        ("none", []),
        ("7 passwords", _passwords(chosen, 7)),
        ("7 mixed", _mixed(chosen, 7)),
        ("100 passwords", _passwords(chosen, 100)),
        ("100 mixed", _mixed(chosen, 100)),
        ("1,000 passwords", _passwords(chosen, 1000)),
    ):
        log, masker = _log(chosen, secrets), Masker(secrets)
        forms = [form for same in masker._forms.values() for form in same]
        rates = [
            _rate(partial(_feed, MaskedStream(masker).feed, log)),
            _rate(partial(_feed, LogReader(masker).feed, log)),
        ]
        peer = f"{_grep(log, forms):.0f}" if forms else ""
        table.rows.append((name, f"{len(forms):,}", *(f"{rate:.0f}" for rate in rates), peer))
    return table


def _rate(work: Callable[[], object]) -> float:
    """MB a second, of this process and of those that it starts: other work on the machine counts for little."""
    return SIZE / 1e6 / statistics.median(_processor_seconds(work) for _ in range(REPEATS))


def _processor_seconds(work: Callable[[], object]) -> float:
    begun = processor(own=True)
    work()
    return processor(own=True) - begun


def _feed(feed: Callable[[bytes], object], log: bytes) -> None:
    for at in range(0, len(log), CHUNK):
        feed(log[at : at + CHUNK])


def _grep(log: bytes, forms: list[str]) -> float:
    with tempfile.TemporaryDirectory() as place:
        known, file = Path(place) / "forms", Path(place) / "log"
        known.write_text("\n".join(form for form in forms if "\n" not in form))
        file.write_bytes(log)
        command = ["grep", "-c", "-F", "-f", str(known), str(file)]
        return _rate(lambda: subprocess.run(command, stdout=subprocess.DEVNULL, check=True, env={"LC_ALL": "C"}))


def _log(chosen: random.Random, secrets: list[str]) -> bytes:
    lines, size, number = list[str](), 0, 0
    while size < SIZE:
        number += 1
        line = f"{time.strftime('%FT%TZ', time.gmtime(number))} {' '.join(chosen.choices(WORDS, k=9))} {number}"
        line += f" {chosen.choice(secrets).splitlines()[0]}" if secrets and number % 100 == 0 else ""
        lines.append(line)
        size += len(line) + 1
    return ("\n".join(lines) + "\n").encode()[:SIZE]


def _passwords(chosen: random.Random, count: int, length: int = 24) -> list[str]:
    return ["".join(chosen.choices(string.ascii_letters + string.digits, k=length)) for _ in range(count)]


def _mixed(chosen: random.Random, count: int) -> list[str]:
    found = []
    for number, password in enumerate(_passwords(chosen, count)):
        key = "\n".join(_passwords(chosen, KEY_LINES, 64))
        found.append([
            password, f"{password}!&'\"<", f"postgres://user{number}:{password}@db.example.com:5432/app",
            f"-----BEGIN PRIVATE KEY-----\n{key}\n-----END PRIVATE KEY-----", password[:8],
        ][number % 5])  # fmt: skip
    return found
