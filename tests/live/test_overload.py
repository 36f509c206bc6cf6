"""A server with too much to do: what it refuses, in which order, and whom it never refuses."""

import asyncio
import time
from statistics import median

import httpx
from websockets.exceptions import InvalidStatus

from tests.chaos.visitors import Visitors
from tests.conftest import MakeServer
from tests.live.guest import TEXT, Guest, custom, guest, new_id
from tests.live.racer import racer
from tests.processes import ServerProcess
from tests.raw_client import raw_client

# However little there is to do, it is too much, from one level to the next in a second and a half.
TOO_MUCH = (
    "server.live.load.STEP_S=0.05 server.live.load.WINDOW_S=0.4 server.live.load.RISE_S=1.5"
    " server.live.load.THIN_FROM=0 server.live.load.CLOSED_FROM=0 server.live.load.FULL_FROM=0"
)


NEWCOMERS = 300


async def too_much(make_server: MakeServer, url: str, constants: str = TOO_MUCH) -> ServerProcess:
    server = make_server(url, module="tests.impatient_server", environment={"CONSTANTS": constants})
    await server.start()
    return server


async def ready(server: ServerProcess) -> tuple[int, str, str]:
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{server.http_url}/health/ready")
    said = answer.json()
    return answer.status_code, said["status"], said["checks"]["load"]


async def until_full(server: ServerProcess) -> list[str]:
    """The levels it says it is at, in their order, until it is full."""
    said: list[str] = []
    async with asyncio.timeout(60):
        while said[-1:] != ["full"]:
            _, status, level = await ready(server)
            assert status == ("ok" if level == "calm" else "degraded")
            if level not in said[-1:]:
                said.append(level)
            await asyncio.sleep(0.02)
    return said


async def may_connect(server: ServerProcess) -> bool:
    """Whether somebody new may; who may not is told when to try again."""
    try:
        async with raw_client(server.ws_url):
            return True
    except InvalidStatus as refused:
        response = refused.response
    assert response.status_code == 503
    assert 5 <= int(response.headers["Retry-After"]) <= 16
    assert b'"overloaded"' in (response.body or b"")
    return False


async def may_begin(person: Guest) -> bool:
    """Whether this person may begin another attempt; who may not is told when to ask again."""
    await person.send(type="open", id=9, attempt=new_id(), source=custom(TEXT))
    while (answer := await person.receive()).get("re") != 9:
        pass
    if answer["type"] == "opened":
        return True
    assert (answer["type"], answer["code"]) == ("error", "overloaded")
    assert 2_000 <= answer["retry_ms"] <= 6_001
    return False


async def test_sockets_are_refused_before_attempts_and_who_is_in_goes_on(
    make_server: MakeServer, sqlite_url: str
) -> None:
    server = await too_much(make_server, sqlite_url)
    url = f"{server.ws_url}?resume"  # so they may come in whatever has risen by then
    async with guest(server.ws_url) as person, guest(server.ws_url) as other:
        await person.begin()
        await person.typed("the ")
        refused: list[tuple[bool, bool]] = []
        async with asyncio.timeout(60):
            while not refused or refused[-1] != (True, True):
                refused.append((not await may_connect(server), not await may_begin(other)))
                await asyncio.sleep(0.15)
        assert set(refused) == {(False, False), (True, False), (True, True)}
        assert refused == sorted(refused)
        # Who types goes on, who comes back is let in, and what they come back to is opened.
        await person.typed("quick ")
        async with guest(url, person.token) as again:
            opened = await again.resume(person.attempt)
            assert opened["typed"] == "the quick "
            assert not await may_begin(again)
            await again.press(TEXT[10:])
            done = await again.done()
        assert done["result"]["position"] == len(TEXT)
    await tells_of_it(server)


async def tells_of_it(server: ServerProcess) -> None:
    assert await ready(server) == (200, "degraded", "full")
    async with httpx.AsyncClient() as client:
        metrics = (await client.get(f"{server.http_url}/metrics")).text
        asked = await client.get(f"{server.http_url}/ws")
    assert "typing_load_level 3.0" in metrics
    assert 'typing_refusals_total{kind="socket"}' in metrics
    assert 'typing_refusals_total{kind="attempt"}' in metrics
    # As a page asks that was refused without a word.
    assert (asked.status_code, asked.json()["error"]["code"]) == (503, "overloaded")
    assert int(asked.headers["Retry-After"]) >= 5


async def test_a_race_goes_on_without_progress_for_those_who_watch(
    make_server: MakeServer, sqlite_url: str
) -> None:
    server = await too_much(make_server, sqlite_url)
    url = server.ws_url
    async with racer(url) as host, racer(url) as other, racer(url) as watcher:
        race = await host.create(TEXT)
        await other.ask("join", code=race["code"])
        await watcher.ask("watch", code=race["code"])
        assert "full" in await until_full(server)
        await host.ask("start")
        refused = await watcher.ask("create")
        assert (refused["type"], refused["code"]) == ("error", "overloaded")
        for person in (host, other):
            if "h" not in person.race:
                await person.begun()
            await person.event("go")
        await host.keys(1, [[20, "t"]])
        await other.got("race.progress")
        for person in (host, other):
            person.attempt = person.race["attempt"]
        assert (await other.typed_to_the_end(TEXT, 40))["result"]["position"] == len(TEXT)
        await host.ask("leave")
        await watcher.event("over")
        assert watcher.progress == []


async def test_no_limit_is_there_if_it_is_turned_off(
    make_server: MakeServer, sqlite_url: str
) -> None:
    server = make_server(
        sqlite_url,
        module="tests.impatient_server",
        environment={"CONSTANTS": TOO_MUCH.replace("1.5", "0.1"), "OVERLOAD_MS": "0"},
    )
    await server.start()
    await asyncio.sleep(1.0)
    assert await ready(server) == (200, "ok", "calm")
    async with guest(server.ws_url) as person:
        await person.begin()


async def test_who_types_waits_for_a_key_less_than_who_comes_for_a_text(
    make_server: MakeServer, sqlite_url: str
) -> None:
    """Three hundred come at once and take turns; keys do not stand in that line."""
    server = make_server(sqlite_url, environment={"OVERLOAD_MS": "0"})
    await server.start()
    with Visitors(server.port) as visitors:
        await asyncio.to_thread(storm, visitors)
        assert len(visitors.opened_ms) == NEWCOMERS
        acks_ms = [ack.took_ms for ack in visitors.acks if ack.group == "typing"]
        assert len(acks_ms) >= 20
        assert median(acks_ms) < median(visitors.opened_ms) / 5
        # And nothing of what they typed meanwhile is lost.
        typists = visitors.of("typing")
        assert [one.acked for one in typists] == [one.sent for one in typists]


def storm(visitors: Visitors) -> None:
    """Twenty type, and then the others come; until all have a text."""
    visitors.expect(20, "typing", 0.1)
    visitors.run(1.5)
    visitors.acks.clear()
    visitors.opened_ms.clear()
    visitors.expect(NEWCOMERS, "new", 0.0)
    ends_s = time.monotonic() + 30
    while len(visitors.opened_ms) < NEWCOMERS and time.monotonic() < ends_s:
        visitors.run(0.05)
    visitors.stop_typing()
    visitors.run(1.0)
