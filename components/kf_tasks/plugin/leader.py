"""Which process of the plugin makes the components of an update: the first that is asked to make one.

The engine starts a process for each provider that a program names, beside that of the default one. A component is an
object of the process that has made it, so two of them could not be given each other's. The first one leads, and the
others hand on what they are asked to make. It holds a lock on a file, which says its port: the kernel frees that lock
with the process, however it ends, and what is left of a file is swept by the next one.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from .. import __version__

ATTEMPTS = 10  # each fails only where another process ends, or sweeps, at that very moment
# Variables that Pulumi, a virtual environment or a shell gives each process anew.
OF_A_PROCESS = ("PULUMI_", "OTEL_", "TRACE", "VIRTUAL_ENV=", "PATH=", "PWD=", "OLDPWD=", "SHLVL=", "_=")


def update(engine: str, monitor: str, environ: Mapping[str, str] = os.environ) -> str:
    """What processes have in common that may make each other's components.

    They serve one update, and are of the same version and environment: another `KUBECONFIG` may be another cluster.
    """
    variables = (f"{name}={text}" for name, text in environ.items())
    same = sorted(one for one in variables if not one.startswith(OF_A_PROCESS))
    parts = "\0".join((__version__, engine, monitor, *same))
    return hashlib.sha256(parts.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def leader(of: str, port: int, folder: Path | None = None) -> int:
    """The port of the process that leads an update: `port`, that of this one, if no other does.

    On a machine where no such file can be made each leads itself.
    """
    with contextlib.suppress(OSError):
        place = _private(folder or Path(tempfile.gettempdir()) / f"kf-plugins-{os.getuid()}")
        _sweep(place)
        for _ in range(ATTEMPTS):
            found = _other(place / of) or _own(place / of, port)
            if found:
                return found
    return port


def _private(folder: Path) -> Path:
    """The folder, which nobody else may write into; raises OSError where it is somebody else's."""
    folder.mkdir(mode=0o700, exist_ok=True)
    is_ = folder.lstat()
    if is_.st_uid != os.getuid() or is_.st_mode & 0o170077 != 0o040000:
        raise PermissionError(f"{folder} is not this user's alone")
    return folder


def _own(path: Path, port: int) -> int | None:
    """Leads: the file appears under its name whole and locked, and stays locked as long as this process lives."""
    file, made = tempfile.mkstemp(dir=path.parent)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(file, str(port).encode())
        os.link(made, path)
    except (FileExistsError, FileNotFoundError, BlockingIOError):  # another one leads, or has swept this one
        os.close(file)
        return None
    finally:
        Path(made).unlink(missing_ok=True)
    atexit.register(_take_away, path, file)
    return port


def _other(path: Path) -> int | None:
    """The port of another process that leads; what one has left that is gone is taken away."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return int(os.read(file, 16) or 0) or None
    else:
        _take_away(path, file)
        return None
    finally:
        os.close(file)


def _take_away(path: Path, file: int) -> None:
    """Unlinks a file that this process has locked, unless its name is another's by now."""
    with contextlib.suppress(FileNotFoundError):
        if os.path.samestat(path.lstat(), os.fstat(file)):
            path.unlink()


def _sweep(folder: Path) -> None:
    for path in folder.iterdir():
        with contextlib.suppress(OSError, ValueError):
            _other(path)
