"""`kf download`: a run's log, byte for byte but for its secrets, and what is known of it, as two files."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from ...core import marks
from ...core.api import Object
from ...core.log.masked_stream import MaskedStream
from ...core.log.stored import attempt_line, place_of
from ...core.run import outcome
from ...errors import ConfigurationError
from .. import archives, names
from ..archives import option as archive_option
from ..log_form import Form, warn
from ..log_printer import LogPrinter
from ..table import echo
from ..target import Target, TargetSpace, target_options
from ..views import LiveView, StoredView, View

if TYPE_CHECKING:
    from ...log.archive import Archive

_Found = tuple[View, Iterable[bytes]]


@click.command()
@click.argument("name", type=names.run_or_app, metavar="RUN | APP ID")
@click.argument("task_id", type=names.task_id, metavar="", required=False)
@click.option("--to", "folder", type=click.Path(path_type=Path, file_okay=False), default=Path(), metavar="DIR",
              help="Where to; it is made if it is not there.  [default: here]")  # fmt: skip
@archive_option()
@target_options
@click.pass_obj
def download(target: Target, name: str, task_id: int | None, folder: Path, url: str | None) -> None:
    """Writes the log and the record of a task into a folder: by its name, or by its App and its ID.

    RUN.log has the whole log without its secrets, RUN.json what `kf task -o json` says, with size and digest of the
    log. One that is gone from the cluster is read from the log archive.
    """
    app, run = (name, None) if task_id is not None else (None, name)

    def of_cluster(space: TargetSpace) -> _Found:
        whole = space.one(name, task_id)
        pods = space.cluster.pods(space.name, whole["metadata"]["name"])
        started = [pod for pod in pods if outcome.started(pod)]
        if not started:
            found = _stored(space, whole)
            if found:
                return found
            warn(f"run {whole['metadata']['name']} has no log: it has {'no pod' if not pods else 'not started'}")
        masker = LogPrinter(space, Form()).masker(whole, pods)
        view = LiveView.of(whole, space.cluster.task_run(space.name, whole), pods, masker)
        return view, _masked(MaskedStream(masker), _chunks(space, started, outcome.has_ended(whole)))

    def of_archive(archive: Archive, space: str) -> _Found | None:
        records = archives.find(archive, space, app, run, task_id)
        if not records:
            return None
        record = records[-1]
        if record.missing:
            warn(f"run {record.run} has no log: {record.missing}")
        return StoredView.of(record, archive.url), () if record.missing else archive.read(record)

    what = f"run {run!r}" if run else f"task {task_id} of app {app!r}"
    view, chunks = archives.of_cluster_or_archive(target, url, app, what, of_cluster, of_archive)
    said = view.plain()
    log, record = folder / f"{said['name']}.log", folder / f"{said['name']}.json"
    digest, size = hashlib.sha256(), 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _whole(log) as out:
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                out.write(chunk)
        about: dict[str, Any] = {"logFile": log.name, "logBytes": size, "logDigest": f"sha256:{digest.hexdigest()}"}
        with _whole(record) as out:
            out.write((json.dumps({**said, **about}, indent=2) + "\n").encode())
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be written to: {error.strerror}: choose another with --to") from None
    echo(f"{log} ({size} bytes)\n{record}")


def _stored(space: TargetSpace, whole: Object) -> _Found | None:
    """What the App's archive has of a run whose pod is gone."""
    from ...log.archive import Archive

    url = archives.url_of(space, whole["metadata"]["labels"].get(marks.NAME))
    record = Archive.of(url).record(place_of(whole)) if url else None
    return (StoredView.of(record, str(url)), Archive.of(str(url)).read(record)) if record and record.digest else None


def _chunks(space: TargetSpace, pods: list[Object], ended: bool) -> Iterator[bytes]:
    """The logs of the pods of a run, one after the other."""
    from ...log.pump import ended_log

    for nth, pod in enumerate(pods):
        name = pod["metadata"]["name"]
        if nth:
            yield attempt_line(nth + 1, name)
        yield from ended_log(space.cluster, space.name, name) if ended else space.cluster.log(space.name, name)


def _masked(stream: MaskedStream, chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        yield stream.feed(chunk)
    yield stream.finish()


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[IO[bytes]]:
    """A file that is there as a whole or as it was before."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as out:
            yield out
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
