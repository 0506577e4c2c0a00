"""Container images as plain blobs, made without a daemon.

The same files always give the same digests: no times, no owners, sorted names.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
SEARCH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass
class Root:
    """A root file system: files by their path in the image (without a leading slash)."""

    files: dict[str, Path] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    folders: dict[str, int] = field(default_factory=dict)

    def archive(self) -> bytes:
        """The layer as a tar file."""
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for name, mode in sorted({**self.parents(), **self.folders}.items()):
                entry = tarfile.TarInfo(name)
                entry.type, entry.mode = tarfile.DIRTYPE, mode
                tar.addfile(entry)
            for name, source in sorted(self.files.items()):
                executable = source.stat().st_mode & 0o111
                add(tar, name, source.read_bytes(), 0o755 if executable else 0o644)
            for name, text in sorted(self.texts.items()):
                add(tar, name, text.encode(), 0o644)
            for name, target in sorted(self.links.items()):
                entry = tarfile.TarInfo(name)
                entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, target, 0o777
                tar.addfile(entry)
        return out.getvalue()

    def parents(self) -> dict[str, int]:
        names = [*self.files, *self.texts, *self.links, *self.folders]
        above = {str(parent) for name in names for parent in Path(name).parents}
        return dict.fromkeys(above - {"."}, 0o755)


def add(tar: tarfile.TarFile, name: str, data: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), mode
    tar.addfile(entry, io.BytesIO(data))


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def architecture() -> str:
    machine = platform.machine()
    return ARCHITECTURES.get(machine, machine)


def pack(root: Root, settings: Mapping[str, Any]) -> tuple[bytes, dict[str, bytes]]:
    """The manifest of an image, and its blobs by digest."""
    archive = root.archive()
    layer = gzip.compress(archive, compresslevel=4, mtime=0)
    config = encode(
        {
            "architecture": architecture(),
            "os": "linux",
            "config": settings,
            "rootfs": {"type": "layers", "diff_ids": [digest(archive)]},
            "history": [{"created_by": "sandbox"}],
        }
    )
    manifest = encode(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": describe(CONFIG, config),
            "layers": [describe(LAYER, layer)],
        }
    )
    return manifest, {digest(config): config, digest(layer): layer}


def describe(kind: str, data: bytes) -> dict[str, Any]:
    return {"mediaType": kind, "digest": digest(data), "size": len(data)}


def encode(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
