"""The plugin asks the doors as the dynamic host does: what they are given, what the engine gets back, how it ends."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, cast

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from kf_tasks.errors import Denied
from kf_tasks.plugin.servicer import Servicer
from kf_tasks.provider import adapter, hosting
from kf_tasks.provider.hosting import Adapter, Props
from pulumi.dynamic import CheckFailure, CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult
from pulumi.output import Unknown, contains_unknowns
from pulumi.provider import Provider
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.server import ProviderServicer
from pulumi.runtime import proto, rpc
from pulumi.runtime.proto import provider_pb2_grpc

from .wire import Aborted, Context, run, value_of

T = TypeVar("T")
URN = "urn:pulumi:dev::shop::kf:index:App$kf:index:Run::shop-migrate"
UNKNOWN = Unknown()  # type: ignore[no-untyped-call]


class Room:
    """Answers with what it was given, and does what a test wants in between."""

    def __init__(self, work: Callable[[], Any] = lambda: None) -> None:
        self.given: list[tuple[Props, ...]] = []
        self.work = work

    def check(self, olds: Props, news: Props) -> CheckResult:
        self.given.append((olds, news))
        self.work()
        return CheckResult({**news, "key": "k", "missing": None}, [CheckFailure("schedule", "wrong")])

    def diff(self, olds: Props, news: Props) -> DiffResult:
        self.given.append((olds, news))
        return DiffResult(changes=olds != news, replaces=["app"] if olds.get("app") != news.get("app") else [])

    def create(self, news: Props) -> CreateResult:
        self.given.append((news,))
        self.work()
        return CreateResult("run-1", {**news, "run": "run-1"})

    def read(self, id_: str, props: Props) -> ReadResult:
        return ReadResult(id_, props)

    def update(self, olds: Props, news: Props) -> UpdateResult:
        self.given.append((olds, news))
        return UpdateResult({**olds, **news})

    def delete(self, props: Props) -> None:
        self.given.append((props,))
        self.work()


@pytest.fixture(autouse=True)
def plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "_process", adapter._Process(plugin=True))


def serving(room: Room) -> Servicer:
    servicer, door = Servicer(""), Adapter()
    door.room = room
    servicer.doors = {"kf:index:Run": door}
    return servicer


async def struct(**given: Any) -> Any:
    return PropertyValue.marshal_map({name: await value_of(it) for name, it in given.items()})


def secret(given: Any, *names: str) -> Any:
    for name in names:
        given.fields[name].CopyFrom(PropertyValue.unmarshal(given.fields[name]).with_secret(True).marshal())
    return given


def read(given: Any) -> dict[str, PropertyValue]:
    return PropertyValue.unmarshal_map(given)


def asked(room: Room, what: str, request: Callable[[], Any]) -> Any:
    async def ask() -> Any:
        return await getattr(serving(room), what)(await request(), cast(Any, Context()))

    return run(ask())


def test_what_is_secret_stays_secret_and_what_is_unknown_stays_unknown() -> None:
    room = Room()

    async def request() -> Any:
        news = secret(await struct(connection={"context": "c"}, app="shop", keep=3, manifest=UNKNOWN), "connection")
        return proto.CheckRequest(urn=URN, news=news)

    found = asked(room, "Check", request)
    [(olds, news)] = room.given
    assert olds == {} and news["connection"] == {"context": "c"} and news["keep"] == 3
    assert contains_unknowns(news["manifest"])
    back = read(found.inputs)
    assert [name for name, it in back.items() if it.is_secret] == ["connection"] and "missing" not in back
    assert back["manifest"].value == rpc.UNKNOWN and back["key"].value == "k"
    assert [(one.property, one.reason) for one in found.failures] == [("schedule", "wrong")]


@pytest.mark.parametrize("what", ["Create", "Update", "Read"])
def test_an_answer_is_as_secret_as_what_it_came_from(what: str) -> None:
    room = Room()

    async def request() -> Any:
        given = secret(await struct(connection={"context": "c"}, app="shop"), "connection")
        if what == "Update":
            return proto.UpdateRequest(urn=URN, olds=given, news=await struct(app="other"))
        return proto.CreateRequest(urn=URN, properties=given) if what == "Create" else proto.ReadRequest(
            id="run-1", urn=URN, properties=given
        )  # fmt: skip

    back = read(asked(room, what, request).properties)
    assert [name for name, it in back.items() if it.is_secret] == ["connection"]
    assert back["app"].value == ("other" if what == "Update" else "shop")


def test_a_state_of_a_python_program_is_moved_by_one_update() -> None:
    """What the dynamic host found its code by is a difference once, and then gone."""
    room = Room()

    async def diff() -> Any:
        return proto.DiffRequest(
            urn=URN, id="run-1", olds=await struct(app="a", __provider="x"), news=await struct(app="a")
        )

    assert asked(room, "Diff", diff).changes == proto.DiffResponse.DIFF_SOME

    async def update() -> Any:
        return proto.UpdateRequest(urn=URN, id="run-1", olds=await struct(app="a", __provider="x"), news=await struct())

    assert {*read(asked(room, "Update", update).properties)} == {"app"}


def test_a_diff_is_told() -> None:
    async def diff(**news: Any) -> Any:
        return proto.DiffRequest(urn=URN, id="run-1", olds=await struct(app="a"), news=await struct(**news))

    same, other = (asked(Room(), "Diff", lambda app=app: diff(app=app)) for app in ("a", "b"))  # type: ignore[misc]
    assert (same.changes, list(same.replaces)) == (proto.DiffResponse.DIFF_NONE, [])
    assert (other.changes, list(other.replaces)) == (proto.DiffResponse.DIFF_SOME, ["app"])


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (Denied("you may not list runs"), "you may not list runs"),
        (hosting.Failure("task 'a' failed: exit code 3\n  its log"), "task 'a' failed: exit code 3\n  its log"),
        (ValueError("unforeseen"), "ValueError: unforeseen"),
    ],
)
@pytest.mark.parametrize("what", ["Check", "Create", "Delete"])
def test_what_fails_is_told_with_its_text_alone(what: str, error: Exception, told: str) -> None:
    def work() -> None:
        raise error

    async def request() -> Any:
        given = await struct(app="shop")
        return {
            "Check": proto.CheckRequest(urn=URN, news=given), "Create": proto.CreateRequest(urn=URN, properties=given),
            "Delete": proto.DeleteRequest(urn=URN, id="run-1", properties=given),
        }[what]  # fmt: skip

    with pytest.raises(Aborted) as found:
        asked(Room(work), what, request)
    assert str(found.value) == told


def test_what_is_none_of_ours_is_refused() -> None:
    async def request() -> Any:
        return proto.CreateRequest(urn="urn:pulumi:dev::shop::kf:index:Walk::a", properties=await struct())

    with pytest.raises(Aborted, match="kf:index:Walk is no resource of kf"):
        asked(Room(), "Create", request)


def test_many_tasks_are_followed_at_once() -> None:
    """Each waits until all are there: with fewer threads than tasks none would ever end."""
    together = threading.Barrier(60, timeout=60)
    room = Room(together.wait)

    async def all_at_once() -> list[Any]:
        servicer = serving(room)
        requests = [proto.CreateRequest(urn=URN, properties=await struct(nth=nth)) for nth in range(60)]
        return await asyncio.gather(*(servicer.Create(one, cast(Any, Context())) for one in requests))

    assert len(run(all_at_once())) == 60


def test_ctrl_c_ends_the_waiting() -> None:
    waiting = hosting.interrupted
    room = Room(lambda: waiting.wait(60))

    async def interrupted() -> None:
        servicer = serving(room)
        following = asyncio.ensure_future(
            servicer.Create(proto.CreateRequest(urn=URN, properties=await struct()), cast(Any, Context()))
        )
        while not room.given:
            await asyncio.sleep(0)
        assert await servicer.Cancel(Empty(), cast(Any, Context())) == Empty()
        await following

    try:
        run(interrupted())
        assert waiting.is_set()
    finally:
        waiting.clear()


def constructing(**config: str) -> proto.ConstructRequest:
    return proto.ConstructRequest(type="kf:index:Task", name="a", monitorEndpoint="m", config=config)


class Leader(ProviderServicer):
    """Another process of the plugin: notes what it is asked to make."""

    def __init__(self) -> None:
        super().__init__(Provider("0"), [], "")
        self.asked: list[proto.ConstructRequest] = []

    async def Construct(self, request: proto.ConstructRequest, context: Any) -> proto.ConstructResponse:
        self.asked.append(request)
        return proto.ConstructResponse(urn="urn:of-the-task")


async def led(leader: ProviderServicer, work: Callable[[Servicer], Coroutine[Any, Any, T]]) -> T:
    """What a process does that is led by another one."""
    server = grpc.aio.server()
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(leader, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        return await work(Servicer("", lambda monitor: port if monitor == "m" else None))
    finally:
        await server.stop(None)


def test_who_is_led_marks_the_runs_that_it_has_recorded_itself() -> None:
    """The component is made by another process; the life of its Run is that of the provider that it was given."""
    leader, stored = Leader(), []

    class Marks(Room):
        def stored(self, record: Props) -> None:
            stored.append((len(leader.asked), record))

    async def work(servicer: Servicer) -> str:
        servicer.doors = serving(Marks()).doors
        own = await struct(urn="urn:of-the-task", app="shop")
        await servicer.Create(proto.CreateRequest(urn=URN, properties=own), cast(Any, Context()))
        return (await servicer.Construct(constructing(), cast(Any, Context()))).urn

    assert run(led(leader, work)) == "urn:of-the-task"
    [(asked, record)] = stored
    assert asked == 1 and record["run"] == "run-1"


@pytest.mark.parametrize("own", ["", "own.json"])
def test_what_a_provider_makes_is_held_to_its_approval(own: str) -> None:
    leader = Leader()

    async def work(servicer: Servicer) -> None:
        given = await struct(**({"approved": own} if own else {}))
        await servicer.Configure(proto.ConfigureRequest(args=given), cast(Any, Context()))
        await servicer.Construct(constructing(**{"kf:approved": "stack.json"}), cast(Any, Context()))

    run(led(leader, work))
    assert leader.asked[0].config["kf:approved"] == (own or "stack.json")


def test_who_leads_holds_what_is_handed_on_to_no_approval_of_its_own() -> None:
    held = []

    class Leads(Servicer):
        async def _construct(self, request: proto.ConstructRequest, context: Any) -> proto.ConstructResponse:
            held.append(dict(request.config).get("kf:approved"))
            return proto.ConstructResponse(urn="urn:of-the-task")

    async def work(leader: Servicer, servicer: Servicer) -> None:
        for one, own in ((leader, "leader.json"), (servicer, "own.json")):
            await one.Construct(constructing(), cast(Any, Context()))
            await one.Configure(proto.ConfigureRequest(args=await struct(approved=own)), cast(Any, Context()))
            await servicer.Construct(constructing(), cast(Any, Context()))
        await leader.Construct(constructing(), cast(Any, Context()))

    leader = Leads("")
    run(led(leader, lambda servicer: work(leader, servicer)))
    assert held == [None, None, None, "own.json", "leader.json"]


def test_a_leader_that_is_gone_is_said_so() -> None:
    async def gone() -> None:
        await Servicer("", lambda _: 1).Construct(constructing(), cast(Any, Context()))

    with pytest.raises(Aborted, match="the process of the provider of kf that makes the components of this update"):
        run(gone())


def test_secrets_are_accepted() -> None:
    """Without that an engine constructs nothing, and would hand over secrets in plain."""
    found = run(Servicer("").Configure(proto.ConfigureRequest(), cast(Any, Context())))
    assert found.acceptSecrets and found.acceptResources and found.acceptOutputs
