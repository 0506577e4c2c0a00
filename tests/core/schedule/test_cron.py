"""Schedules beside robfig/cron itself: what is taken, what is refused, and when it comes around every clock change."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from kf_tasks.core.errors import InvalidInput
from kf_tasks.core.schedule import clock_changes
from kf_tasks.core.schedule.cron import MONTHS, NEVER, WEEKDAYS, following, parse, shown, times, zone

ROBFIG = Path(__file__).parents[2] / "robfig"
# An hour, half an hour, at midnight on a Friday or a Sunday, and a month in the year whose clocks go back for Ramadan.
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Africa/Cairo",
         "Africa/Casablanca")  # fmt: skip
BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str, place: str = "Etc/UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(place)).timestamp())


def robfig(questions: list[dict[str, Any]]) -> list[list[int] | None]:
    if not shutil.which("go"):
        pytest.skip("needs Go")
    given = "".join(json.dumps(question) + "\n" for question in questions)
    done = subprocess.run(
        ["go", "run", "."], cwd=ROBFIG, env={**os.environ, "GOFLAGS": "-mod=readonly"},
        input=given, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def changes(name: str) -> list[int]:
    first, last = at("2026-01-01"), at("2029-01-01")
    return [change.moment for change in clock_changes.changes(ZoneInfo(name), first, last)]


def some_field(luck: random.Random, low: int, high: int, names: tuple[str, ...] = ()) -> str:
    def one() -> str:
        begin, end = sorted((luck.randint(low, high), luck.randint(low, high)))
        step = luck.randint(1, high)
        forms = ["*", "*", str(begin), str(begin), f"{begin}-{end}", f"{begin}-{end}/{step}", f"*/{step}", f"{begin}/2"]
        return luck.choice([*forms, luck.choice(names).upper() if names else "?"])

    return ",".join(one() for _ in range(luck.choice((1, 1, 1, 2, 3))))


def some_schedule(luck: random.Random) -> str:
    night = luck.random() < 0.6  # most clocks change before four in the morning
    return " ".join((
        some_field(luck, 0, 59),
        some_field(luck, 0, 3 if night else 23),
        some_field(luck, 1, 31) if luck.random() < 0.5 else "*",
        some_field(luck, 1, 12, MONTHS) if luck.random() < 0.3 else "*",
        some_field(luck, 0, 6, WEEKDAYS) if luck.random() < 0.5 else "*",
    ))  # fmt: skip


@pytest.mark.no_cover
def test_the_next_times_are_robfigs_around_every_clock_change() -> None:
    luck = random.Random(20260329)
    specs = [some_schedule(luck) for _ in range(200)] + ["@daily", "@hourly", "@weekly", "@monthly", "@yearly", NEVER]
    around = {name: changes(name) for name in ZONES}
    assert all(len(found) >= 6 for found in around.values()), around
    questions: list[dict[str, Any]] = [
        {"spec": spec, "zone": name, "after": moment - luck.randint(0, 100_000), "count": 4}
        for spec in specs for name, moments in around.items() for moment in moments
    ]  # fmt: skip
    schedules = {spec: parse(spec, "schedule") for spec in specs}
    for question, expected in zip(questions, robfig(questions)):
        place = zone(question["zone"], "time_zone")
        assert list(islice(times(schedules[question["spec"]], place, question["after"]), 4)) == expected, question


@pytest.mark.no_cover
def test_what_is_taken_is_what_robfig_takes() -> None:
    luck = random.Random(7)
    texts = ["* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 7",
             "5-1 * * * *", "*/0 * * * *", "1-2-3 * * * *", "1/2/3 * * * *", "-1 * * * *",
             "a * * * *", "+5 * * * *", ", * * * *",
             "0 , * * *", "0 0 , * *", "0 0 1 , *", "0 0 * * ,", "0 0 , * mon", "0 0 1 * ,", ", , , , ,",
             "*-5 * * * *", "? ? ? ? ?", "*/90 * * * *", "0 0 * jan-MAR mon,TUE", "0 0 * * sun-6/2", "1_0 * * * *",
             "٣ * * * *", "@noon", "@Daily", " 0  3\t* * * ", "0 0 * fri *", "5/ * * * *", "*/ * * * *"]  # fmt: skip
    alphabet = "0123456789*/-,? ajnmo"
    texts += ["".join(luck.choice(alphabet) for _ in range(3)) + " * * * *" for _ in range(400)]
    questions = [{"spec": text, "zone": "Etc/UTC", "after": 0, "count": 2} for text in texts]
    for text, expected in zip(texts, robfig(questions)):
        try:
            found = list(islice(times(parse(text, "schedule"), ZoneInfo("Etc/UTC"), 0), 2))
        except InvalidInput:
            found = None
        assert found == expected, text


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("CRON_TZ=Europe/Berlin 0 3 * * *", "write schedule='0 3 * * *' and time_zone='Europe/Berlin'"),
        ("TZ=UTC @daily", "write schedule='@daily' and time_zone='UTC'"),
        ("@every 10m", "write '*/10 * * * *' for every ten minutes"),
        ("@noon", "use one of @yearly"),
        ("0 3 * *", "has 4 fields: write five"),
        ("0 25 * * *", "hour '25': 25 is out of range: write 0 to 23"),
        ("0 3 * * 7", "day of the week '7': 7 is out of range: write 0 to 6, or names such as 'sun'"),
        ("", "write five fields"),
        (None, "write five fields"),
    ],
)
def test_what_is_refused_says_what_to_write(text: object, advice: str) -> None:
    with pytest.raises(InvalidInput, match="^schedule of job 'nightly': ") as error:
        parse(text, "schedule of job 'nightly'")
    assert advice in str(error.value)


@pytest.mark.parametrize("name", ["Europe/Berln", "Local", "", "CET-1CEST", "../etc/passwd", "/Etc/UTC", None, 3])
def test_unknown_zones_are_refused(name: object) -> None:
    with pytest.raises(InvalidInput, match="is unknown: write one such as 'Europe/Berlin'"):
        zone(name, "time_zone of job 'nightly'")


def test_a_night_that_has_no_half_past_two_and_one_that_has_two() -> None:
    nightly = parse("30 2 * * *", "schedule")
    spring = islice(times(nightly, BERLIN, at("2027-03-27T12:00")), 2)
    assert [shown(moment, BERLIN) for moment in spring] == ["Mon 29 Mar 2027 02:30 CEST", "Tue 30 Mar 2027 02:30 CEST"]
    autumn = islice(times(nightly, BERLIN, at("2027-10-30T12:00")), 3)
    assert [shown(moment, BERLIN) for moment in autumn] == [
        "Sun 31 Oct 2027 02:30 CEST", "Sun 31 Oct 2027 02:30 CET", "Mon 1 Nov 2027 02:30 CET",
    ]  # fmt: skip
    said = clock_changes.warnings(nightly, BERLIN, at("2026-11-01"))
    assert said == ["02:30 does not exist on 28 Mar 2027: no run", "02:30 comes twice on 31 Oct 2027: two runs"]


def test_many_times_in_one_night_are_one_line() -> None:
    said = clock_changes.warnings(parse("*/15 2 * * *", "schedule"), BERLIN, at("2026-11-01"))
    assert said == [
        "02:00, 02:15, 02:30, 02:45 do not exist on 28 Mar 2027: no run",
        "02:00, 02:15, 02:30, 02:45 come twice on 31 Oct 2027: two runs each",
    ]


@pytest.mark.parametrize("text", ["*/5 * * * *", "0 3 * * *", "@hourly", "30 2 * * mon", "30 2 1 * *"])
def test_a_schedule_that_no_clock_change_touches_says_nothing(text: str) -> None:
    assert clock_changes.warnings(parse(text, "schedule"), BERLIN, at("2026-11-01")) == []


def test_a_schedule_that_never_comes() -> None:
    assert following(parse(NEVER, "schedule"), ZoneInfo("Etc/UTC"), at("2026-01-01")) is None


def test_what_retention_means_for_a_schedule() -> None:
    utc = ZoneInfo("Etc/UTC")
    now = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp())
    assert clock_changes.reach(parse("@daily", "schedule"), utc, now, 500) == "1 year 4 months"
    assert clock_changes.reach(parse("* * * * *", "schedule"), utc, now, 3) == "3 minutes"
    assert clock_changes.reach(parse("* * * * *", "schedule"), utc, now, 500) == "8 hours 20 minutes"
    assert clock_changes.reach(parse("0 3 29 2 *", "schedule"), utc, now, 500) == "more than 20 years"
