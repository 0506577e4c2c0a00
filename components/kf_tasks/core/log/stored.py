"""The log archive as it is laid out: names, records, and what a URL of it may be.

`<namespace>/<app>/<time>-<run>-<uid>.log.zst` is a log, masked and compressed, and the file of the same
name in `.json` the record of its run. The record is written last and is what makes a log a stored one:
readers look for records only, so a log without one is the rest of an upload that was killed. Both names
follow from the run alone: whoever stores it again writes the same files.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, fields
from typing import Any, Dict, Mapping, Optional, Sequence

from .. import marks
from ..errors import InvalidInput
from ..run.outcome import Outcome

FORMAT = 1
NO_LOG = "none"  # the annotation kf.dev/archived of a run that left no log
LOG, RECORD = ".log.zst", ".json"
_STEM = re.compile(r"(\d{8}T\d{6}Z)-(.+)-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_PASSWORD = re.compile(r"[^/@]*:[^@]*@")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://(.*)", re.DOTALL)


@dataclass(frozen=True)
class Place:
    """Where a run is in the archive: `time` (`20260102T030405Z`, when it was made) sorts as text."""

    namespace: str
    app: str
    time: str
    run: str
    uid: str

    @property
    def stem(self) -> str:
        """Its files' path below the archive's URL, without an ending."""
        return f"{self.namespace}/{self.app}/{self.time}-{self.run}-{self.uid}"

    @property
    def log(self) -> str:
        """The path of the log."""
        return self.stem + LOG

    @property
    def record(self) -> str:
        """The path of the record."""
        return self.stem + RECORD


def place_of(run: Mapping[str, Any]) -> Place:
    """The place of a PipelineRun."""
    metadata = run["metadata"]
    return Place(
        namespace=metadata["namespace"],
        app=metadata["labels"][marks.NAME],
        time=re.sub(r"[-:]", "", metadata["creationTimestamp"]),
        run=metadata["name"],
        uid=metadata["uid"],
    )


def parse(path: str) -> Optional[Place]:
    """The place that a record's path tells, None if it is no record."""
    *_, namespace, app, name = ["", "", *path.split("/")]
    found = _STEM.fullmatch(name[: -len(RECORD)]) if name.endswith(RECORD) else None
    return Place(namespace, app, *found.groups()) if found else None


@dataclass(frozen=True)
class StoredLog:
    """The record of a run in the archive.

    `digest` (SHA-256), `bytes` and `lines` are those of the log as it is stored, without its compression; without
    a log they are empty and 0, and `missing` says why. `whole` is whether it was read to its end without a break,
    `followed` whether from its beginning: of one read afterwards the node may have thrown away what is older.
    """

    namespace: str
    app: str
    task: str
    id: int
    run: str
    uid: str
    key: str
    stack: str
    created: str
    started: Optional[str]
    finished: Optional[str]
    state: str
    reason: str
    outcome: str
    exit_code: Optional[int]
    started_by: str = ""
    digest: str = ""
    bytes: int = 0
    lines: int = 0
    whole: bool = False
    followed: bool = False
    missing: str = ""
    format: int = FORMAT

    @property
    def place(self) -> Place:
        """Where it is."""
        return Place(self.namespace, self.app, re.sub(r"[-:]", "", self.created), self.run, self.uid)

    @property
    def mark(self) -> str:
        """What the run is annotated with once it is stored."""
        return self.digest or NO_LOG

    def better_than(self, other: StoredLog) -> bool:
        """Whether it holds more of the run's log than another record of the same run."""
        return (self.whole, self.bytes) > (other.whole, other.bytes)


def record_of(run: Mapping[str, Any], ended: Outcome, **log: Any) -> StoredLog:
    """The record of a PipelineRun that has ended; `log` are the fields about its log."""
    metadata, labels = run["metadata"], run["metadata"]["labels"]
    return StoredLog(
        namespace=metadata["namespace"],
        app=labels[marks.NAME],
        task=labels.get(marks.TASK, ""),
        id=marks.number(labels, marks.TASK_ID),
        run=metadata["name"],
        uid=metadata["uid"],
        key=labels.get(marks.KEY, ""),
        stack=labels.get(marks.STACK, ""),
        created=metadata["creationTimestamp"],
        started=ended.started_at,
        finished=ended.finished_at,
        state=ended.state,
        reason=ended.reason,
        outcome=ended.sentence,
        exit_code=ended.exit_code,
        started_by=(metadata.get("annotations") or {}).get(marks.STARTED_BY, ""),
        **log,
    )


def encode(record: StoredLog) -> bytes:
    """The record's file."""
    return (json.dumps(asdict(record), indent=2, ensure_ascii=False) + "\n").encode()


def decode(content: bytes) -> StoredLog:
    """The record that a file holds, also one with fields of a later version; raises ValueError for anything else."""
    found: Dict[str, Any] = json.loads(content)
    try:
        return StoredLog(**{one.name: found[one.name] for one in fields(StoredLog) if one.name in found})
    except (TypeError, KeyError) as error:
        raise ValueError(f"no record of a log: {error}") from None


def understood(content: Optional[bytes]) -> Optional[StoredLog]:
    """The record that a file holds, None if there is none or nobody can read it."""
    try:
        return None if content is None else decode(content)
    except ValueError:
        return None


def attempt_line(attempt: int, pod: str) -> bytes:
    """What separates the logs of the pods of one run."""
    return f"--- kf: attempt {attempt}, pod {pod} ---\n".encode()


def check_url(owner: str, url: object, schemes: Sequence[str]) -> str:
    """Returns the URL of an archive without a slash at its end; raises InvalidInput for what cannot be one.

    `schemes` are those that are known here. A URL is shown in previews and templates: it may hold no password.
    """
    what = f"{owner}: log_archive"
    if not isinstance(url, str):
        raise InvalidInput(f"{what} must be text, not {type(url).__name__}: write 's3://bucket/logs' or 'file:///logs'")
    matched = _SCHEME.fullmatch(url)
    if not matched:
        raise InvalidInput(f"{what}={url!r} is no URL: write 's3://bucket/logs' or 'file:///logs'")
    scheme, path = matched.groups()
    if _PASSWORD.match(path):
        raise InvalidInput(
            f"{what}: the URL of {scheme}:// holds a password, and everybody may read it: leave it out, and give "
            "credentials by the environment (AWS_ACCESS_KEY_ID and the like) of whoever runs pulumi and kf"
        )
    if scheme not in schemes:
        raise InvalidInput(f"{what}={url!r}: {scheme!r} is unknown to fsspec: use s3://, file:// or another it knows")
    if "::" in url or any(character in url for character in "*?[]\n"):
        raise InvalidInput(f"{what}={url!r}: a chain of URLs or a pattern is no place to write to: give one plain URL")
    if scheme in ("file", "local") and not path.startswith("/"):
        raise InvalidInput(
            f"{what}={url!r} depends on the folder that somebody is in: write all of it, {scheme}:///{path}"
        )
    if not path.strip("/"):
        raise InvalidInput(f"{what}={url!r} names no bucket or folder: write {scheme}://…/logs")
    return url.rstrip("/")
