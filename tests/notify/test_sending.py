"""Events on their way over HTTPS: verified, tried again, bounded, and no word of the address in what went wrong."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from kf_tasks.core.notify.endpoint import HEARTBEAT, WEBHOOK, Endpoint
from kf_tasks.core.notify.event import FAILED, SUCCEEDED, Event
from kf_tasks.notify import sending
from kf_tasks.notify.sending import send

from ..core.notify.test_event import ENDED, RUN
from .receiver import Receiver, receiving

TOLD = Event.of(FAILED, RUN, ENDED)
TOKEN = "/services/T0000/B0000-token"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("authority")


@pytest.fixture
def receiver(folder: Path) -> Iterator[Receiver]:
    with receiving(folder) as found:
        yield found


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "WAITS", (0.0, 0.0))
    monkeypatch.setattr(sending, "_down", {})
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def webhook(receiver: Receiver, ca: str | None = None, path: str = TOKEN) -> Endpoint:
    url = receiver.address + path
    return Endpoint(WEBHOOK, url, (FAILED,), "cloudevents", receiver.ca if ca is None else ca)


def test_it_arrives_at_a_server_of_an_own_authority(receiver: Receiver) -> None:
    beat = Endpoint(HEARTBEAT, f"{receiver.address}/beat", ca=receiver.ca)
    assert send([webhook(receiver), beat], TOLD) == ["", ""]
    assert sorted(path.partition("?")[0] for path in receiver.paths) == ["/beat/fail", TOKEN]
    headers = next(headers for path, headers, _ in receiver.got if path == TOKEN)
    assert headers["Content-Type"] == "application/cloudevents+json; charset=utf-8"
    assert send([webhook(receiver)], Event.of(SUCCEEDED, RUN, ENDED)) == [], "nobody wants it"


def test_a_server_that_nobody_vouches_for_is_told_nothing(receiver: Receiver) -> None:
    assert send([webhook(receiver, ca="")], TOLD) == [
        "webhook (cloudevents): its certificate is not trusted: self-signed certificate"
    ]
    assert receiver.got == []


@pytest.mark.parametrize(
    ("answers", "tries", "said"),
    [
        ([500, 503], 3, ""),
        ([429], 2, ""),
        ([500, 502, 503], 3, "answers 503 Service Unavailable"),
        ([404], 1, "answers 404 Not Found"),
        ([302], 1, "answers 302 and leads elsewhere: give the address that it leads to"),
        ([301], 1, "answers 301 and leads elsewhere: give the address that it leads to"),
        ([204], 1, ""),
    ],
)
def test_three_tries_where_another_one_may_help(receiver: Receiver, answers: list[int], tries: int, said: str) -> None:
    receiver.answers = list(answers)
    assert send([webhook(receiver)], TOLD) == [f"webhook (cloudevents): {said}" if said else ""]
    assert receiver.paths == [TOKEN] * tries


def test_one_that_is_down_keeps_nobody_from_being_told_and_is_not_asked_again_so_soon(receiver: Receiver) -> None:
    with socket.socket() as closed:  # bound, and not listening
        closed.bind(("127.0.0.1", 0))
        down = Endpoint(WEBHOOK, f"https://127.0.0.1:{closed.getsockname()[1]}{TOKEN}", (FAILED,), "json")
        said = send([down, webhook(receiver)], TOLD)
        assert said == ["webhook (json): Connection refused", ""] and len(receiver.got) == 1
        again = send([down, webhook(receiver)], TOLD)
    assert again == ["webhook (json): was down just now, and is not asked again so soon", ""]


def test_one_that_never_answers_is_left_in_time(receiver: Receiver) -> None:
    receiver.hold.clear()
    assert send([webhook(receiver)], TOLD, seconds=0.2)[0].startswith("webhook (cloudevents): ")
    receiver.hold.set()


def test_a_name_that_nobody_knows_and_a_server_that_is_none_are_one_line_without_the_address(folder: Path) -> None:
    with receiving(folder, tls=False) as plain:
        places = [f"https://nobody.invalid{TOKEN}", plain.address.replace("http:", "https:") + TOKEN]
        for url in places:
            said = send([Endpoint(WEBHOOK, url, (FAILED,), "json", "")], TOLD)
            assert said[0] and TOKEN not in said[0] and "://" not in said[0] and "\n" not in said[0]


def test_a_user_in_the_address_becomes_a_header(receiver: Receiver) -> None:
    url = receiver.address.replace("://", "://ann:pass%20word@") + "/x"
    assert send([Endpoint(WEBHOOK, url, (FAILED,), "json", receiver.ca)], TOLD) == [""]
    assert receiver.got[0][1]["Authorization"] == "Basic YW5uOnBhc3Mgd29yZA=="
    assert receiver.got[0][1]["Host"] == receiver.address.removeprefix("https://")


def test_a_proxy_is_asked_first_unless_the_address_is_excepted(
    receiver: Receiver, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving(folder, tls=False) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.address)
        assert "403" in send([webhook(receiver)], TOLD)[0]
        assert set(proxy.paths) == {f"CONNECT {receiver.address.removeprefix('https://')}"}
        monkeypatch.setattr(sending, "_down", {})
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert send([webhook(receiver)], TOLD) == [""]
