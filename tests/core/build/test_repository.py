"""Where images are built to: an address without a password, and one repository for each App."""

from __future__ import annotations

import pytest
from kf_tasks.core.build.repository import check_image_name, check_registry, is_made_first, repository
from kf_tasks.core.errors import InvalidInput


@pytest.mark.parametrize(
    "address",
    ["registry.example.com/team", "http://127.0.0.1:5000", "https://r/a/b-c.d/", "docker.io/acme", "[::1]:5000/a"],
)
def test_an_address(address: str) -> None:
    assert check_registry("space 's'", address) == address


@pytest.mark.parametrize("address", ["http://alice:hunter2@r/team", "alice@r", "r/a@b", "token:hunter2@r:5000"])
def test_an_address_with_a_password_is_refused_without_showing_it(address: str) -> None:
    with pytest.raises(InvalidInput, match="^space 's': registry holds a user or a password, and everybody") as refused:
        check_registry("space 's'", address)
    assert "hunter2" not in str(refused.value) and "alice" not in str(refused.value)


@pytest.mark.parametrize("address", ["", "ftp://r", "http://", "r/Team", "r/a b", "r//a"])
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(InvalidInput, match=r"is no address: write 'registry\.example\.com/team'"):
        check_registry("space 's'", address)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("{namespace}/{app}", "dev/shop"),
        ("{app}", "shop"),
        ("team-{namespace}_{app}", "team-dev_shop"),
        ("a/{app}/b", "a/shop/b"),
    ],
)
def test_the_name_of_a_repository(name: str, found: str) -> None:
    assert repository(check_image_name("space 's'", name), "dev", "shop") == found


@pytest.mark.parametrize(
    "name",
    ["", "{namespace}", "shop", "{app", "{app}/", "/{app}", "{App}", "{app}:1", "{app}{x}", "A{app}"],
)
def test_what_names_no_repository(name: str) -> None:
    with pytest.raises(InvalidInput, match="names no repository for each App: write {app} and perhaps {namespace}"):
        check_image_name("space 's'", name)


@pytest.mark.parametrize(
    ("host", "first"),
    [
        ("123456789012.dkr.ecr.eu-central-1.amazonaws.com", True), ("public.ecr.aws", True),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", True), ("123456789012.dkr-ecr.us-east-1.on.aws", True),
        ("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", True), ("registry-1.docker.io", False),
        ("ecr.example.com", False), ("127.0.0.1:5000", False), ("12.dkr.ecr.x.amazonaws.com.example.com", False),
    ],
)  # fmt: skip
def test_only_amazons_registries_may_want_a_repository_to_be_made_first(host: str, first: bool) -> None:
    assert is_made_first(host) is first
