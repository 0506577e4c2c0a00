"""Amounts of memory, disk, cpu and time, in the one spelling that the API server gives back.

Tekton's webhook rewrites `1024Mi` to `1Gi` and `1h` to `1h0m0s`; whoever sends another spelling
sees a difference in every preview. Memory and disk follow Cloud Foundry (K, M, G and T are powers
of two, with or without B, in any case), cpu and time follow Kubernetes and Go.
"""

from __future__ import annotations

import re
from decimal import Decimal

from .errors import InvalidInput

_BYTES = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,12})?)\s*([KMGT])(i?)(B?)", re.ASCII | re.IGNORECASE)
_CPU = re.compile(r"([0-9]{1,12}(?:\.[0-9]{0,12})?|\.[0-9]{1,12})(m?)", re.ASCII)
_SPAN = re.compile(r"(?:([0-9]{1,10})h)?(?:([0-9]{1,10})m)?(?:([0-9]{1,10})s)?", re.ASCII)
_AGE = re.compile(rf"(?:([0-9]{{1,10}})d)?{_SPAN.pattern}", re.ASCII)
_POWER = {"K": 1, "M": 2, "G": 3, "T": 4}
_PARTS = {"m": 10**3, "u": 10**6, "n": 10**9}
_MEBI = 1024**2
_LEAST_DISK = 32 * _MEBI
_TOO_LARGE = 1024**5  # from here on Kubernetes writes Pi, for cpu from a thousand cores on `1k`
_LONGEST_SPAN = 2**63 // 10**9  # Go counts nanoseconds


def size(value: object, what: str) -> str:
    """`512M`, `0.5G`, `64MB`, `1Gi` … as a canonical Kubernetes quantity (`512Mi`, `512Mi`, `64Mi`, `1Gi`).

    A fraction is cut down to whole MiB. A bare number is refused, because Cloud Foundry and
    Kubernetes read it differently. `what` names the argument and its resource in the error.
    """
    match = _BYTES.fullmatch(value.strip()) if isinstance(value, str) else None
    if not match:
        raise InvalidInput(f"{what}: {value!r} is no amount: write a number with a unit, such as '512M' or '1Gi'")
    number, unit, binary, byte = match.groups()
    if binary and (byte or not (unit.isupper() and binary == "i")):
        raise InvalidInput(f"{what}: {value!r} is no amount: write it as '{number}{unit.upper()}i'")
    amount = Decimal(number) * 1024 ** _POWER[unit.upper()]
    whole = int(amount) if Decimal(number) % 1 == 0 else int(amount) // _MEBI * _MEBI
    if not whole:
        raise InvalidInput(
            f"{what}: {value!r} is nothing: give it more than 0 (a fraction is cut down to whole MiB), such as '512M'"
        )
    if whole >= _TOO_LARGE:
        raise InvalidInput(f"{what}: {value!r} is more than any node has: give it less than '1024T'")
    return binary_quantity(whole)


def disk(value: object, what: str) -> str:
    """As `size`, and at least what Tekton's own files in a pod leave room for anything in.

    They lie in volumes that count against the limit, most of them its entrypoint: 32,419,840 bytes with Tekton 1.15.
    With less the kubelet evicts every pod within a minute, whatever its command does.
    """
    found = size(value, what)
    if number(found) < _LEAST_DISK:
        raise InvalidInput(
            f"{what}: {value!r} can never work: Tekton's own files in the pod count, too, and take 31 MiB, so give it "
            f"at least '{_LEAST_DISK // _MEBI}M', and what the task writes on top"
        )
    return found


def binary_quantity(amount: int) -> str:
    """Bytes with the largest binary unit that leaves a whole number, as Kubernetes writes what is below 1Pi."""
    for unit in ("", "Ki", "Mi", "Gi"):
        if amount % 1024:
            return f"{amount}{unit}"
        amount //= 1024
    return f"{amount}Ti"


def number(quantity: str) -> Decimal:
    """A canonical quantity, or one that was measured (`1234567n`), as a number of cores or bytes."""
    digits = quantity.rstrip("numKMGTi")
    unit = quantity[len(digits) :]
    if unit in _PARTS:
        return Decimal(digits) / _PARTS[unit]
    return Decimal(digits) * Decimal(1024 ** _POWER.get(unit[:1], 0))


def mebibytes(quantity: str) -> int:
    """A canonical amount of memory or disk in whole MiB, as Cloud Foundry's variables tell it."""
    digits = quantity.rstrip("KMGTi")
    power: int = _POWER.get(quantity[len(digits) : len(digits) + 1], 0)
    return int(digits) * int(1024**power) // _MEBI


def cpu(value: object, what: str) -> str:
    """`100m`, `0.5`, `1000m`, 2 … as a canonical quantity of cores (`100m`, `500m`, `1`, `2`)."""
    text = str(value).strip() if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""
    match = _CPU.fullmatch(text)
    milli = Decimal(match[1]) * (1 if match[2] else 1000) if match else Decimal(0)
    if milli >= 1_000_000:
        raise InvalidInput(f"{what}: {value!r} is more than any node has: give it less than 1000 cores")
    if milli % 1 or not milli:
        raise InvalidInput(
            f"{what}: {value!r} is no amount of cpu: write cores or thousandths, such as '0.5' or '100m'"
        )
    return f"{int(milli)}m" if milli % 1000 else str(int(milli) // 1000)


def seconds(value: object, what: str) -> int:
    """`30m`, `1h30m`, `90s` … as seconds; `0` is none."""
    text = value.strip() if isinstance(value, str) else ("0" if value == 0 and value is not False else "")
    if text in ("0", "0s"):
        return 0
    match = _SPAN.fullmatch(text) if text else None
    total = sum(int(part or 0) * unit for part, unit in zip(match.groups(), (3600, 60, 1))) if match else 0
    if not 0 < total <= _LONGEST_SPAN:
        raise InvalidInput(f"{what}: {value!r} is no span of time: write '30m', '1h30m' or '90s' ('0' for no limit)")
    return total


def duration(value: object, what: str) -> str:
    """A span of time as Go prints it: `90s` is `1m30s`, `1h` is `1h0m0s`, none is `0s`."""
    total = seconds(value, what)
    hours, minutes = total // 3600, total // 60 % 60
    lead = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{lead}{total % 60}s"


def age(value: object, what: str) -> int:
    """`30d`, `12h`, `1d12h` … as seconds: a span of time in which days may lead."""
    text = value.strip() if isinstance(value, str) else ""
    match = _AGE.fullmatch(text) if text else None
    total = sum(int(part or 0) * unit for part, unit in zip(match.groups(), (86400, 3600, 60, 1))) if match else 0
    if not 0 < total <= _LONGEST_SPAN:
        raise InvalidInput(f"{what}: {value!r} is no span of time: write '30d', '12h' or '1d12h' ('0' for none)")
    return total


def age_text(seconds: int) -> str:
    """A span of time as `age` reads it: `30d`, `12h`, `1d12h`."""
    words = ""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        amount, seconds = divmod(seconds, size)
        words += f"{amount}{unit}" if amount else ""
    return words or "0s"


def count(value: object, what: str) -> int:
    """A whole number from 0 upwards."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InvalidInput(f"{what}: {value!r} is no count: write a whole number from 0 upwards")
    return value
