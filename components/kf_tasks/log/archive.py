"""Where logs outlive the cluster: a folder or a bucket, by its URL, through fsspec.

Nothing half is ever visible: a log is written under another name and moved, or put into an object
store, where a put is all or nothing; its record comes last, and only records are looked for. Whoever
overwrites a log takes its record away first.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.util
import io
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any, TypeVar

from ..core.api import Object
from ..core.errors import InvalidInput
from ..core.log import stored
from ..core.log.stored import Place, StoredLog
from ..errors import ArchiveError

T = TypeVar("T")
BLOCK = 8 * 1024 * 1024
CHUNK = 256 * 1024
KEPT_SECONDS = 3600.0  # of a file that nobody finishes
MARKER = "kf-archive.json"
PRIVATE = ("memory", "data")  # nobody else ever sees what is in them
OBJECT_STORES = frozenset(("s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss", "oci", "r2", "obs", "tos"))
# An endpoint that does not answer ends an update in seconds; whatever is in the environment comes on top.
OPTIONS: dict[str, Object] = {
    "s3": {
        "default_block_size": BLOCK,
        "config_kwargs": {"connect_timeout": 5, "read_timeout": 60, "retries": {"max_attempts": 2}},
    }
}


def check_url(owner: str, url: object) -> str:
    """The URL of an archive that can be used here; raises InvalidInput, also where a package is missing."""
    from fsspec.registry import known_implementations

    found = stored.check_url(owner, url, sorted(known_implementations))
    scheme = found.partition("://")[0]
    if scheme in PRIVATE:
        raise InvalidInput(f"{owner}: log_archive={found!r} is gone with the process that writes it: use another place")
    package = known_implementations[scheme]["class"].partition(".")[0]
    if importlib.util.find_spec(package) is None:
        raise InvalidInput(
            f"{owner}: log_archive={found!r} needs the Python package {package}, which is not installed: "
            f"pip install {package}, here and wherever kf reads the archive"
        )
    return found


class Archive:
    """One archive; every trouble with it is an ArchiveError."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._scheme = url.partition("://")[0]
        self._fs, self._root = self._reading(lambda: _open(url, self._scheme))

    @classmethod
    def of(cls, url: str) -> Archive:
        """The archive of a URL, one for each process; a bad URL is an ArchiveError too."""
        try:
            return _archive(check_url("log archive", url))
        except InvalidInput as error:
            raise ArchiveError(str(error)) from None

    def check(self) -> None:
        """Raises ArchiveError unless something can be written: asked before a log is put at risk."""
        self._writing(lambda: self._put(MARKER, io.BytesIO(b'{"format": %d}\n' % stored.FORMAT)))

    def store(self, record: StoredLog, log: IO[bytes] | None) -> StoredLog:
        """Stores a log (compressed) and then its record; returns what the archive holds: what was better stays."""
        content = self._writing(lambda: self._content(record.place.record))
        before = stored.understood(content)
        if before and not record.better_than(before):
            return before

        def write() -> None:
            if content is not None:
                with contextlib.suppress(FileNotFoundError):  # somebody else stores it, too
                    self._fs.rm_file(self._path(record.place.record))
            if log is not None:
                self._put(record.place.log, log)
            self._put(record.place.record, io.BytesIO(stored.encode(record)))

        try:
            self._writing(write)
        except ArchiveError:
            now = self.record(record.place)
            if now and not record.better_than(now):  # somebody else has stored it meanwhile
                return now
            raise
        return record

    def record(self, place: Place) -> StoredLog | None:
        """The record of a place, None if there is none."""
        content = self._reading(lambda: self._content(place.record))
        return None if content is None else self._decoded(place.record, content)

    def places(self, namespace: str, app: str | None = None) -> list[Place]:
        """Everything stored of a namespace (of one App), oldest first."""
        folders = [f"{namespace}/{app}"] if app else [f"{namespace}/{name}" for name in self._names(namespace)]
        found = [stored.parse(f"{folder}/{name}") for folder in folders for name in self._names(folder)]
        return sorted((place for place in found if place), key=lambda place: (place.time, place.run, place.uid))

    def find(self, namespace: str, run: str, app: str | None = None) -> StoredLog | None:
        """The newest record of a run of that name."""
        places = [place for place in self.places(namespace, app) if place.run == run]
        return self.record(places[-1]) if places else None

    def records(
        self, namespace: str, app: str | None = None, damaged: Callable[[str], None] | None = None
    ) -> list[StoredLog]:
        """The records of everything stored of a namespace (of one App), oldest first.

        `damaged` is told of each that cannot be read; without it the first of these is an ArchiveError.
        """
        return self.records_of(self.places(namespace, app), damaged)

    def records_of(self, places: Iterable[Place], damaged: Callable[[str], None] | None = None) -> list[StoredLog]:
        """The records of these places, in their order; `damaged` as for `records`."""
        paths = [self._path(place.record) for place in places]
        contents = self._reading(lambda: self._fs.cat(paths, on_error="omit")) if paths else {}
        by_path = {str(path): content for path, content in contents.items()}
        found = []
        for path in (path for path in paths if path in by_path):
            try:
                found.append(self._decoded(path, by_path[path]))
            except ArchiveError as error:
                if damaged is None:
                    raise
                damaged(str(error))
        return found

    def read(self, record: StoredLog) -> Iterator[bytes]:
        """The log of a record in pieces; one that is not what was stored ends in an ArchiveError."""
        import zstandard

        digest = hashlib.sha256()
        path = self._path(record.place.log)
        with self._reading(lambda: self._fs.open(path, "rb", block_size=BLOCK)) as packed:
            reader = zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True)
            while True:
                piece: bytes = self._reading(lambda: reader.read(CHUNK))
                if not piece:
                    break
                digest.update(piece)
                yield piece
        if f"sha256:{digest.hexdigest()}" != record.digest:
            raise ArchiveError(f"{self.url}/{record.place.log} is damaged: its digest is not that of its record")

    def _names(self, folder: str) -> list[str]:
        def names() -> list[str]:
            try:
                return [str(path) for path in self._fs.ls(self._path(folder), detail=False)]
            except FileNotFoundError:
                return []

        return [path.rstrip("/").rpartition("/")[2] for path in self._reading(names)]

    def _content(self, path: str) -> bytes | None:
        try:
            content: bytes = self._fs.cat_file(self._path(path))
        except FileNotFoundError:
            return None
        return content

    def _put(self, path: str, content: IO[bytes]) -> None:
        """Writes a file that is there as a whole or not at all."""
        if self._scheme in OBJECT_STORES:
            out = self._fs.open(self._path(path), "wb", block_size=BLOCK)
            try:
                shutil.copyfileobj(content, out, BLOCK)
                out.close()
            except BaseException:
                out.closed = True  # else the end of this object would finish an upload that was broken off
                with contextlib.suppress(Exception):
                    out.discard()
                raise
            return
        folder, _, name = self._path(path).rpartition("/")
        self._fs.makedirs(folder, exist_ok=True)
        part = f"{folder}/.{name}.{uuid.uuid4().hex}.part"
        try:
            with self._fs.open(part, "wb") as out:
                shutil.copyfileobj(content, out, BLOCK)
                if self._scheme in ("file", "local"):
                    out.flush()
                    os.fsync(out.fileno())
            self._fs.mv(part, f"{folder}/{name}")
            self._sweep(f"{folder}/.{name}.*.part")
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                self._fs.rm_file(part)
            raise

    def _sweep(self, parts: str) -> None:
        """Throws away what uploads that were killed have left; others write the same file now, under such names."""
        with contextlib.suppress(FileNotFoundError):  # they come and go meanwhile
            for left in self._fs.glob(parts, detail=True).values():
                written = left.get("mtime")  # of a folder of this machine; who does not tell the time keeps it
                if isinstance(written, (int, float)) and time.time() - written > KEPT_SECONDS:
                    self._fs.rm_file(left["name"])

    def _path(self, path: str) -> str:
        return f"{self._root}/{path}"

    def _decoded(self, path: str, content: bytes) -> StoredLog:
        try:
            return stored.decode(content)
        except ValueError as error:
            raise ArchiveError(f"{self.url}: {path} is no record of a log: {error}") from None

    def _writing(self, work: Callable[[], T]) -> T:
        return self._trying(work, "written")

    def _reading(self, work: Callable[[], T]) -> T:
        return self._trying(work, "read")

    def _trying(self, work: Callable[[], T], done: str) -> T:
        try:
            return work()
        except Exception as error:  # whatever an implementation of fsspec and the client below it raise
            text = " ".join(str(error).split()) or type(error).__name__
            raise ArchiveError(f"the log archive {self.url} cannot be {done}: {text}") from None


def _open(url: str, scheme: str) -> tuple[Any, str]:
    from fsspec.core import url_to_fs

    files, root = url_to_fs(url, use_listings_cache=False, **OPTIONS.get(scheme, {}))
    return files, root.rstrip("/")


@functools.cache
def _archive(url: str) -> Archive:
    return Archive(url)
