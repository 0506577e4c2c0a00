"""Amounts arrive in the spelling that Kubernetes gives back, or are refused by name."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kf_tasks.core import quantities
from kf_tasks.core.errors import InvalidInput


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("1G", "1Gi"), ("512MB", "512Mi"), ("0.5G", "512Mi"), ("1.5G", "1536Mi"), ("512m", "512Mi"), ("2g", "2Gi"),
        ("512mb", "512Mi"), ("2048M", "2Gi"), ("65536K", "64Mi"), ("1T", "1Ti"), ("1 G", "1Gi"), ("512Mi", "512Mi"),
        (" 64M ", "64Mi"), ("125.9M", "125Mi"), ("1536Ki", "1536Ki"), ("1.5M", "1Mi"), ("007M", "7Mi"), ("1K", "1Ki"),
        ("1.0K", "1Ki"), ("1023Ti", "1023Ti"),
    ],
)  # fmt: skip
def test_size_reads_cloud_foundry_units(written: str, canonical: str) -> None:
    assert quantities.size(written, "memory") == canonical


@pytest.mark.parametrize(
    "written", [1024, "1024", "1,5G", "3X", "-1G", "", "G", None, True, "1GiB", "1gi", "1 G B", "١G"]
)
def test_size_refuses_what_is_no_amount(written: object) -> None:
    with pytest.raises(InvalidInput, match="^app 'shop': memory: "):
        quantities.size(written, "app 'shop': memory")


def test_size_says_how_to_write_it() -> None:
    with pytest.raises(InvalidInput) as refused:
        quantities.size(1024, "app 'shop': memory")
    assert str(refused.value) == (
        "app 'shop': memory: 1024 is no amount: write a number with a unit, such as '512M' or '1Gi'"
    )
    with pytest.raises(InvalidInput, match=re.escape("memory: '64gi' is no amount: write it as '64Gi'")):
        quantities.size("64gi", "memory")


@pytest.mark.parametrize("written", ["0M", "0.0G", "0.5M", "0.5K"])
def test_size_refuses_nothing(written: str) -> None:
    with pytest.raises(InvalidInput, match="is nothing"):
        quantities.size(written, "memory")


@pytest.mark.parametrize("written", ["1024T", "999999999999T"])
def test_size_refuses_what_kubernetes_would_write_in_a_larger_unit(written: str) -> None:
    with pytest.raises(InvalidInput, match="more than any node has"):
        quantities.size(written, "memory")


UNITS = {"Ki": 1024, "Mi": 1024**2, "Gi": 1024**3, "Ti": 1024**4}


def kubernetes_writes(amount: int) -> str:
    """The canonical form of a binary quantity: the largest unit that leaves a whole number, Pi and Ei included."""
    for power, unit in enumerate(("Ei", "Pi", "Ti", "Gi", "Mi", "Ki")):
        if amount % 1024 ** (6 - power) == 0:
            return f"{amount // 1024 ** (6 - power)}{unit}"
    return str(amount)


@given(
    number=st.decimals(min_value=0, max_value=10**6, places=3) | st.integers(0, 10**6),
    unit=st.sampled_from(["K", "M", "G", "T", "KB", "MB", "GB", "TB", "k", "m", "gb", "Ki", "Mi", "Gi", "Ti"]),
)
def test_size_is_canonical_and_idempotent(number: object, unit: str) -> None:
    try:
        found = quantities.size(f"{number}{unit}", "memory")
    except InvalidInput:
        return
    assert quantities.size(found, "memory") == found
    amount = int(found[:-2]) * UNITS[found[-2:]]
    assert kubernetes_writes(amount) == found
    exact = Fraction(str(number)) * 1024 ** ("KMGT".index(unit[0].upper()) + 1)
    assert exact - 1024**2 < amount <= exact


@pytest.mark.parametrize(
    ("written", "canonical"),
    [("100m", "100m"), ("0.5", "500m"), ("1000m", "1"), (2, "2"), (0.25, "250m"), ("1.", "1"), (".5", "500m"),
     ("1500m", "1500m"), ("999", "999"), (" 1 ", "1")],
)  # fmt: skip
def test_cpu(written: object, canonical: str) -> None:
    assert quantities.cpu(written, "cpu") == canonical
    assert quantities.cpu(canonical, "cpu") == canonical


@pytest.mark.parametrize("written", [0, "0", "0m", -1, "-1", "0.0001", "0.5m", ".", "", "1c", True, None, [], "1e3"])
def test_cpu_refuses(written: object) -> None:
    with pytest.raises(InvalidInput, match="^cpu: .* is no amount of cpu"):
        quantities.cpu(written, "cpu")


@pytest.mark.parametrize("written", ["1000", "1000000m", 5000])
def test_cpu_refuses_what_kubernetes_would_write_as_thousands(written: object) -> None:
    with pytest.raises(InvalidInput, match="less than 1000 cores"):
        quantities.cpu(written, "cpu")


@given(st.integers(1, 999_999))
def test_cpu_is_canonical_and_idempotent(milli: int) -> None:
    found = quantities.cpu(f"{milli}m", "cpu")
    assert found == (str(milli // 1000) if milli % 1000 == 0 else f"{milli}m")
    assert quantities.cpu(found, "cpu") == found
    assert quantities.cpu(f"{milli / 1000:.3f}", "cpu") == found


@pytest.mark.parametrize(
    ("written", "canonical", "count"),
    [("90s", "1m30s", 90), ("1h", "1h0m0s", 3600), ("30m", "30m0s", 1800), ("1h30m", "1h30m0s", 5400),
     ("45s", "45s", 45), ("0", "0s", 0), (0, "0s", 0), ("0s", "0s", 0), ("100m", "1h40m0s", 6000),
     (" 5m ", "5m0s", 300)],
)  # fmt: skip
def test_duration(written: object, canonical: str, count: int) -> None:
    assert quantities.duration(written, "timeout") == canonical
    assert quantities.seconds(written, "timeout") == count


@pytest.mark.parametrize(
    "written", ["", "5", 5, "-5m", "1.5h", "5 m", "5d", "5s3m", None, False, True, "9999999999h", "9" * 5000 + "s"]
)
def test_duration_refuses(written: object) -> None:
    with pytest.raises(InvalidInput, match="^timeout: .* is no span of time"):
        quantities.duration(written, "timeout")


@given(st.integers(0, 2**63 // 10**9))
def test_duration_is_canonical_and_idempotent(total: int) -> None:
    found = quantities.duration(f"{total}s", "timeout")
    assert quantities.duration(found, "timeout") == found
    assert quantities.seconds(found, "timeout") == total
    assert re.fullmatch(r"([1-9][0-9]*h[1-5]?[0-9]m|[1-9][0-9]?m)?[1-5]?[0-9]s", found)


def test_count() -> None:
    assert quantities.count(0, "keep") == 0
    for refused in (-1, True, "5", 5.0, None):
        with pytest.raises(InvalidInput, match="^keep: .* is no count"):
            quantities.count(refused, "keep")


@pytest.mark.parametrize(
    ("written", "seconds", "canonical"),
    [("30d", 2_592_000, "30d"), ("36h", 129_600, "1d12h"), ("1d0h5m", 86_700, "1d5m"), (" 90s ", 90, "1m30s")],
)
def test_an_age_may_have_days(written: str, seconds: int, canonical: str) -> None:
    assert quantities.age(written, "max_age") == seconds
    assert quantities.age_text(seconds) == canonical


@given(st.integers(1, 2**62 // 10**9))
def test_an_age_is_read_as_it_is_written(seconds: int) -> None:
    assert quantities.age(quantities.age_text(seconds), "max_age") == seconds


@pytest.mark.parametrize(
    "written", ["", "d", "0", "0d", "1w", "12h1d", "-1d", "1.5d", 30, None, True, "9999999999d", "١d"]
)
def test_what_is_no_age_is_refused(written: object) -> None:
    with pytest.raises(InvalidInput, match="^app 'shop': max_age: .* is no span of time: write '30d'"):
        quantities.age(written, "app 'shop': max_age")


@pytest.mark.parametrize(
    ("value", "expected"), [("32M", "32Mi"), ("31.9M", ""), ("16M", ""), ("1K", ""), ("0.5G", "512Mi")]
)
def test_no_disk_is_less_than_what_tekton_needs(value: str, expected: str) -> None:
    if expected:
        assert quantities.disk(value, "task 'a': disk") == expected
        return
    with pytest.raises(InvalidInput, match=r"^task 'a': disk: '.*' can never work: .* give it at least '32M'"):
        quantities.disk(value, "task 'a': disk")
