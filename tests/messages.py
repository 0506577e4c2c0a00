"""The messages that people read, kept in one file so that a reviewer sees them change.

The tests that provoke a message, on a cluster or without one, compare it with `tests/messages.golden`; with
UPDATE_MESSAGES=1 they write it there.
"""

from __future__ import annotations

import fcntl
import os
import re
from pathlib import Path

GOLDEN = Path(__file__).with_name("messages.golden")
_FORBIDDEN = ("Traceback", "rpc error", "None", "<pulumi")
_MARK = "=== "


def check(title: str, text: str, namespace: str) -> None:
    """Fails if a message is not fit for a person, or is not the one in the golden file."""
    found = _normalise(text, namespace)
    assert re.search(r"\b(task|app|space|stack|namespace)\b", found), f"names no resource: {found}"
    assert re.search(
        r"(write|use|give|choose|repeat|rename|next update|pass|set|destroy|kf [a-z]+|look for|create|name)\b",
        found,
        re.IGNORECASE,
    ), f"names no next step: {found}"
    compare(title, found)


def compare(title: str, text: str, namespace: str = "") -> None:
    """Fails if a line that says how things stand, or whose next step its test looks at, is not in the golden file."""
    found = _normalise(text, namespace)
    assert not [word for word in _FORBIDDEN if word in found], found
    with GOLDEN.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        known = _parse(file.read())
        if os.environ.get("UPDATE_MESSAGES"):
            known[title] = found
            file.seek(0)
            file.truncate()
            file.write("".join(f"{_MARK}{name}\n{known[name]}\n\n" for name in sorted(known)))
        else:
            assert known.get(title) == found


def _parse(text: str) -> dict[str, str]:
    parts = re.split(rf"^{_MARK}(.*)\n", text, flags=re.MULTILINE)[1:]
    return {title: body.rstrip("\n") for title, body in zip(parts[::2], parts[1::2])}


def _normalise(text: str, namespace: str) -> str:
    plain = text
    for value, name in ((namespace, "NAMESPACE"), (os.environ.get("SANDBOX_REGISTRY", ""), "REGISTRY")):
        plain = plain.replace(value, name) if value else plain
    plain = re.sub(r"https?://[0-9.]+:[0-9]+", "https://CLUSTER", plain)
    plain = re.sub(r"-[0-9a-f]{8}-([0-9]+)", r"-DIGEST-\1", plain)
    plain = re.sub(r"\b\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\b", "DATE", plain)
    plain = re.sub(r"/(?:tmp|root|home|var)/\S*", "PATH", plain)
    return "\n".join(line.rstrip() for line in plain.splitlines()).strip()
