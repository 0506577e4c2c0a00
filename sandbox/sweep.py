"""Takes away what the parts leave behind: processes, mounts, groups, folders, settings."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterable
from pathlib import Path

from sandbox import cgroups, cluster, network, processes, record
from sandbox.places import Places
from sandbox.processes import Keeper, until
from sandbox.record import Record
from sandbox.steps import attempt


def end_everything(places: Places, gentle: bool = True) -> None:
    """Stops every part in order, then whatever else carries our mark or sits in our groups."""
    keeper = Keeper(places)
    for name in cluster.STOPPING:
        keeper.stop(name, 2.0 if gentle else 0.0)
    cgroups.kill()

    def ended() -> bool:
        left = processes.marked(places.home)
        for identity in left:
            identity.kill(signal.SIGKILL)
        return not left

    until(ended, 10.0, 0.05)
    cgroups.kill()


def unmount(home: Path) -> None:
    """Unmounts everything below our folder, the innermost first."""
    for target in reversed(mounts_below(home, Path("/proc/self/mountinfo").read_text())):
        if not attempt(["umount", target]):
            attempt(["umount", "--lazy", target])


def mounts_below(home: Path, mountinfo: str) -> list[str]:
    """Mount points below a folder in the order of mounting; octal escapes are undone."""
    found = []
    for line in mountinfo.splitlines():
        target = line.split(" ")[4].encode().decode("unicode_escape")
        if Path(target).is_relative_to(home) and Path(target) != home:
            found.append(target)
    return found


def runtime_state(places: Places, kept: Record) -> None:
    """What must not survive a lost network or a reboot; cluster data and images stay."""
    end_everything(places, gentle=False)
    unmount(places.home)
    network.remove(keep_folder=True)
    shutil.rmtree(places.containerd / "state", ignore_errors=True)
    shutil.rmtree(places.run, ignore_errors=True)
    shutil.rmtree("/var/lib/cni/networks/kf-sandbox", ignore_errors=True)
    if "/run/containerd" not in kept.existed:
        shutil.rmtree("/run/containerd", ignore_errors=True)


def everything(places: Places, kept: Record | None) -> None:
    """The machine as it was before the first `up`."""
    end_everything(places)
    unmount(places.home)
    existed = kept.existed if kept else list(record.SHARED_FOLDERS)
    network.remove(keep_folder="/run/netns" in existed)
    cgroups.remove()
    remove_links(Path("/var/log/containers"), places.home)
    for path in record.SHARED_FOLDERS:
        if path not in existed and path != "/run/netns":
            remove(Path(path))
    if "/run/containerd" in existed:
        remove_dead_sockets(Path("/run/containerd/s"))
    if kept:
        record.restore_sysctls(kept.sysctls)
    shutil.rmtree(places.home, ignore_errors=True)


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def remove_links(folder: Path, home: Path) -> None:
    """Links into our folder, in a folder that others use too."""
    for link in each(folder):
        if link.is_symlink() and link.readlink().is_relative_to(home):
            link.unlink()


def remove_dead_sockets(folder: Path) -> None:
    """Sockets that no process holds any more."""
    held = {line.split()[-1] for line in Path("/proc/net/unix").read_text().splitlines()}
    for path in each(folder):
        if str(path) not in held:
            path.unlink(missing_ok=True)


def each(folder: Path) -> Iterable[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []
