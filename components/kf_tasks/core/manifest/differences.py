"""What Kf 2.11 and Cloud Foundry do otherwise with a manifest that can be used here.

For people who push the same file there: facts about this file only, each at its line.
"""

from __future__ import annotations

import re
from typing import Any, Dict, Iterator, List, Sequence

from .findings import Finding, Path
from .nodes import Entries, Items

_OURS = "Kf and Cloud Foundry do not know it and leave it out"
_KEYS: Dict[str, str] = {
    "image": f"{_OURS}: write docker: {{image: …}} there",
    "tasks": f"{_OURS}: start its tasks there with run-task",
    "jobs": f"{_OURS}: make its jobs there with create-job",
    "keep": f"{_OURS}: Kf keeps 500 tasks, Cloud Foundry all of the last 31 days",
    **dict.fromkeys(("keep_failed", "max_age", "pinned", "min_history", "notify"), _OURS),
    **dict.fromkeys(("secret_env", "config_env", "env_from"), f"{_OURS}: bind a service there"),
    "cpu": "Cloud Foundry does not know it",
    "cpu_limit": "Kf and Cloud Foundry do not know this spelling: Kf has cpu-limit",
    "cpu-limit": "Cloud Foundry does not know it",
    "disk-quota": "Kf does not know this spelling: write disk_quota there",
    "entrypoint": "Cloud Foundry does not know it",
    "builder": f"{_OURS}: they take their own",
    "run-image": f"{_OURS}: they take their own",
    "run_image": f"{_OURS}: they take their own",
    "args": "Cloud Foundry does not know it",
    "task": "Cloud Foundry does not know it and starts the application: use --task there",
    "processes": "Kf does not know it",
}
_FINDINGS = {
    "idle": "Kf and Cloud Foundry start the application",
    "typed": "Kf and Cloud Foundry give the task another text than the file shows",
    "arithmetic": "Kf and Cloud Foundry insert the variable's value into the shell arithmetic",
    "spaced": "Kf takes it for a variable",
    "platform": "Cloud Foundry refuses PORT, Kf sets it for Apps that run",
    "renamed": "Cloud Foundry keeps the name as it is written",
    "cut": "Cloud Foundry refuses fractions, Kf hands them to Kubernetes",
}


def differences(data: Any, warnings: Sequence[Finding]) -> List[Finding]:
    """The differences as findings."""
    found = [Finding(one.line, one.path, _FINDINGS[one.kind]) for one in warnings if one.kind in _FINDINGS]
    entries = data.get("applications") if isinstance(data, Entries) else None
    for nth, entry in enumerate(entries if isinstance(entries, Items) else ()):
        if isinstance(entry, Entries):
            found += _application(entry, ("applications", nth))
    return found


def _application(data: Entries, path: Path) -> Iterator[Finding]:
    given = {key: value for key, value in data.items() if value is not None}
    for key in given:
        if key in _KEYS:
            yield Finding(data.lines[key], (*path, key), _KEYS[key])
        if key in ("memory", "disk_quota", "disk-quota"):
            yield from _amount(given[key], data.lines[key], (*path, key))
    if "command" in given and ("args" in given or "entrypoint" in given):
        said = "Kf refuses a command beside args or an entrypoint"
        yield Finding(data.lines["command"], (*path, "command"), said)
    if isinstance(given.get("command"), Items):
        yield Finding(data.lines["command"], (*path, "command"), "Kf and Cloud Foundry take a text only, not a list")
    elif isinstance(given.get("command"), str) and "entrypoint" not in given and "builder" not in given:
        said = "Kf gives it to the image's own entrypoint as one argument, here /bin/sh runs it"
        yield Finding(data.lines["command"], (*path, "command"), said)
    services = given["services"] if isinstance(given.get("services"), Items) else Items()
    for nth, service in enumerate(services):
        if isinstance(service, Entries):
            said = "Kf takes names only: bind it there with bind-service"
            yield Finding(services.lines[nth], (*path, "services", nth), said)


def _amount(text: Any, line: int, path: Path) -> Iterator[Finding]:
    small = re.search(r"[kmgt]b?\s*$", text.rstrip().removesuffix("B")) if isinstance(text, str) else None
    if small:
        reads = {"m": "reads m as a thousandth", "k": "reads k as a thousand"}.get(small[0].strip(), "refuses it")
        yield Finding(line, path, f"Kf hands {text} to Kubernetes as it is, which {reads}: use a capital letter there")
    if isinstance(text, str) and re.search(r"[KMGT]i\s*$", text):
        yield Finding(line, path, "Cloud Foundry does not know this unit")
    if isinstance(text, str) and re.fullmatch(r"\s*[0-9]+\.[0-9]+\s*[KMGTkmgt][Bb]?\s*", text):
        yield Finding(line, path, _FINDINGS["cut"])
