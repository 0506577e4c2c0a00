"""What of a source folder stays out of a build, and on whose word.

A source goes to a registry, and what is in a registry is read by many. So beside what the folder's own files
leave out (`.kfignore` by git's rules, `.dockerignore` by Docker's), files that are known to hold secrets stay out
until a line with `!` names them, and so does what Pulumi keeps beside its program.
"""

from __future__ import annotations

import enum
import os
from pathlib import Path
from typing import Callable, Optional, Sequence, TypeVar

from ..errors import InvalidInput
from .dockerignore import DockerRules
from .ignore import Rules

T = TypeVar("T")

IGNORE_FILES = (".kfignore", ".cfignore")  # the first one that is there, as in Kf's pkg/sourceimage/create.go
DOCKER_FILES = (".containerignore", ".dockerignore")  # the first one that is there, as buildah does it
ALWAYS = (
    ".cfignore", ".kfignore", "/manifest.yml", ".gitignore", ".git", ".hg", ".svn", "_darcs", ".DS_Store",
)  # fmt: skip
PULUMI = ("Pulumi.*.yaml", "Pulumi.*.yml", ".pulumi/")  # of its stacks: configuration, and state that is kept in files
SECRETS = (
    ".env", ".env.*", "!.env.example", "!.env.sample", "!.env.template", "!.env.dist",
    "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "*.p12", "*.pfx",
    ".netrc", "_netrc", ".pgpass", ".pypirc", ".dockercfg", ".envrc", ".git-credentials", ".vault-token",
    "**/.aws/credentials", "**/.docker/config.json", "**/.kube/config", "kubeconfig",
)  # fmt: skip
KEYS = ("*.pem", "*.key")  # those of them that hold a private key; certificates are what builds need
_NEEDED = (*DOCKER_FILES, "Dockerfile*", "*.Dockerfile", "Containerfile*")  # by the build: Docker sends them, too
_PRIVATE, _LOOKED_AT = b"PRIVATE KEY-----", 1 << 20


class Reason(enum.Enum):
    """Why something is left out."""

    RULE = "a line of an ignore file, or no part of any source"
    SECRET = "it may hold secrets"


class Exclusions:
    """The rules of one folder: its `own`, as git reads them, and those of Docker."""

    def __init__(self, own: Rules, docker: DockerRules) -> None:
        self._own, self._docker = own, docker
        self._always, self._needed, self._pulumi = Rules(ALWAYS), Rules(_NEEDED), Rules(PULUMI)
        self._secrets, self._keys = Rules(SECRETS), Rules(KEYS)

    def of_folder(self, path: str) -> bool:
        """Whether nothing of a folder is carried."""
        ruled = self._own.ignores(path, True) or self._always.ignores(path, True) or self._docker.prunes(path)
        return ruled or (self._pulumi.ignores(path, True) and not self._taken_in(path, True))

    def of_file(self, path: str, content: Callable[[], bytes]) -> Optional[Reason]:
        """Why a file or link is left out, None if it is carried; `content` is asked where the name does not tell."""
        if self.own_of_file(path) or self._always.ignores(path, False):
            return Reason.RULE
        if self._pulumi.ignores(path, False) and not self._taken_in(path, False):
            return Reason.RULE
        secret = self._secrets.ignores(path, False) or (self._keys.ignores(path, False) and _PRIVATE in content())
        return Reason.SECRET if secret and not self._taken_in(path, False) else None

    def own_of_file(self, path: str) -> bool:
        """Whether the folder's own ignore files leave out a file."""
        if self._own.ignores(path, False):
            return True
        return self._docker.ignores(path) and not self._needed.ignores(path, False)

    def _taken_in(self, path: str, folder: bool) -> bool:
        return self._own.takes_in(path, folder) or self._docker.takes_in(path)


def read(folder: Path, more: Sequence[str] = ()) -> Exclusions:
    """The rules that a folder's files give, and `more` lines like those of `.kfignore`; raises InvalidInput."""
    own = _rules(folder, IGNORE_FILES, lambda lines: Rules([*lines, *more]))
    return Exclusions(own, _rules(folder, DOCKER_FILES, DockerRules))


def beginning(path: str) -> bytes:
    """As much of a file as is looked at to find a private key; nothing of one that cannot be read."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            return file.read(_LOOKED_AT)
    except OSError:  # what is wrong with it is said when it is carried
        return b""


def _rules(folder: Path, names: Sequence[str], rules: Callable[[Sequence[str]], T]) -> T:
    """The rules in the first of the files `names` that is there; without any those of no lines."""
    for name in names:
        try:
            return rules((folder / name).read_text("utf-8-sig").splitlines())
        except FileNotFoundError:
            continue
        except UnicodeDecodeError:
            wrong = " cannot be read (it is not UTF-8): repair or remove it"
        except OSError as error:
            wrong = f" cannot be read ({error.strerror}): repair or remove it"
        except InvalidInput as error:
            wrong = f": {error}"
        raise InvalidInput(f"source {os.fspath(folder)!r}: {name}{wrong}")
    return rules(())
