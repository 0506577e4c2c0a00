"""The processes of a stack that are ours, found among all of this machine."""

from __future__ import annotations

from pathlib import Path


def providers_of(folder: Path) -> list[int]:
    """The ids of the provider processes that work in `folder`."""
    return _working(folder, b"pulumi.dynamic")


def programs_of(folder: Path) -> list[int]:
    """The ids of the processes that run the program in `folder`."""
    return _working(folder, b"pulumi-language-python-exec")


def _working(folder: Path, word: bytes) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if word in (process / "cmdline").read_bytes() and (process / "cwd").resolve() == folder:
                found.append(int(process.name))
        except OSError:
            continue
    return found


def plugins_of(folder: Path) -> list[int]:
    """The ids of the processes of the plugin that is in `folder`."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(folder).encode() in (process / "cmdline").read_bytes().split(b"\0"):
                found.append(int(process.name))
        except OSError:
            continue
    return found


def provider_of(folder: Path) -> int | None:
    """The id of the provider process that works in `folder`, None while there is none."""
    return next(iter(providers_of(folder)), None)


def peak_of_provider(folder: Path) -> float:
    """Its peak memory in MiB, 0 while there is none."""
    return peak_of(provider_of(folder))


def peak_of(process: int | None) -> float:
    """The peak memory of a process in MiB, 0 without one."""
    try:
        return int(Path(f"/proc/{process}/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
    except (OSError, IndexError):  # there is none, or it has ended meanwhile
        return 0.0
