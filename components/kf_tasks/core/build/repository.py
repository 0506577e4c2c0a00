"""Where images are built to: the address of a registry, and the name of an App's repository in it."""

from __future__ import annotations

import re

from ..errors import InvalidInput

IMAGE_NAME = "{namespace}/{app}"
_PART = "[a-z0-9]+(?:(?:[.]|__?|-+)[a-z0-9]+)*"  # OCI distribution spec, "Pulling manifests": <name>
_REPOSITORY = re.compile(f"{_PART}(?:/{_PART})*")
# Amazon's registries, of accounts and the public one, have a repository only where somebody has made it, or a template
# says that a push makes it. Others make it with the first push, so that for them its absence is no news.
_ECR = re.compile(
    r"\d{12}\.dkr[.-]ecr(-fips)?\.[a-z0-9-]+\.(amazonaws\.com(\.cn)?|on\.(aws|amazonwebservices\.com\.cn))"
)
_ADDRESS = re.compile(rf"(?:https?://)?[^/@\s]+(?:/{_PART})*/?")


def check_registry(owner: str, registry: str) -> str:
    """Returns the address of a registry; raises InvalidInput. It stands in templates and messages."""
    if "@" in registry:
        raise InvalidInput(
            f"{owner}: registry holds a user or a password, and everybody may read it: leave it out, and give "
            "credentials with registry_secret=…, or docker login on the machine that runs pulumi"
        )
    if not _ADDRESS.fullmatch(registry):
        raise InvalidInput(
            f"{owner}: registry={registry!r} is no address: write 'registry.example.com/team', or http:// before it "
            "for one without TLS"
        )
    return registry


def check_image_name(owner: str, name: str) -> str:
    """Returns the pattern of the repositories that are built to; raises InvalidInput."""
    if "{app}" not in name or not _REPOSITORY.fullmatch(repository(name, "n", "a")):
        raise InvalidInput(
            f"{owner}: image_name={name!r} names no repository for each App: write {{app}} and perhaps {{namespace}} "
            "with lower-case letters, digits, '-', '_', '.' and '/', such as 'team-{app}'"
        )
    return name


def is_made_first(host: str) -> bool:
    """Whether a registry may want a repository to be made before anything is pushed to it."""
    return host == "public.ecr.aws" or bool(_ECR.fullmatch(host))


def repository(name: str, namespace: str, app: str) -> str:
    """The repository of an App by the pattern of its Space."""
    return name.replace("{namespace}", namespace).replace("{app}", app)
