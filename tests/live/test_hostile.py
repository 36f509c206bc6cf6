"""Hostile clients beside one who types: each gets the end that is meant for it, and nobody else."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.chaos.crowd import all_violations, check_done
from tests.honest_client import HonestClient
from tests.live.guest import custom, new_id
from tests.live.racer import racer
from tests.live.raw_socket import CONTINUATION, PING, PONG, TEXT, RawSocket, frame, raw_socket
from tests.processes import ServerProcess

# Deadlines of 5 to 20 s, made short; what is counted is counted as ever.
CONSTANTS = (
    "server.live.connection.HELLO_S=1 server.web.REQUEST_S=0.7 server.web.PING_S=1.2"
    " server.web.CLOSE_S=0.5"
)
CUT = None  # without a word
STAYS = 0  # it may do that
WORDS = "nothing is lost, ever"  # too short for anybody to doubt its rhythm


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=["direct", "sansio"])
async def impatient(
    request: pytest.FixtureRequest, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("hostile")
    shutil.copy(sqlite_template, folder / "typing.db")
    server = ServerProcess(
        f"sqlite+aiosqlite:///{folder / 'typing.db'}",
        folder / "server.log",
        environment={"CONSTANTS": CONSTANTS, "WEBSOCKETS": request.param},
        module="tests.impatient_server",
    )
    await server.start()
    yield server
    await server.kill()
    assert "Traceback" not in server.log()


async def numbers(server: ServerProcess) -> dict[str, float]:
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"{server.http_url}/metrics")).text
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


async def until(server: ServerProcess, name: str, value: float) -> None:
    """Return once /metrics says that."""
    async with asyncio.timeout(60):
        while (said := (await numbers(server)).get(name, 0)) != value:
            assert said >= 0
            await asyncio.sleep(0.03)


# What they do; each returns the code it was closed with


async def never_says_hello(server: ServerProcess) -> int | None:
    async with raw_socket(server.ws_url) as client:
        await client.upgrade(hello=False)
        return await client.close_code()


async def answers_no_ping(server: ServerProcess) -> int | None:
    """As one whose machine is gone without a word: it is there, and silent."""
    async with raw_socket(server.ws_url) as client:
        await client.upgrade()
        return await client.close_code()


async def sends_a_byte_a_while(server: ServerProcess) -> int | None:
    """A frame that is never whole; it cannot answer a ping before its end."""
    async with raw_socket(server.ws_url) as client:
        await client.upgrade()
        dripping = asyncio.create_task(drip(client, frame(TEXT, b"x" * 100)))
        code = await client.close_code()
        dripping.cancel()
        return code


async def sends_headers_in_drips(server: ServerProcess) -> int | None:
    async with raw_socket(server.ws_url) as client:
        await client.send(b"GET /ws HTTP/1.1\r\n")
        dripping = asyncio.create_task(drip(client, b"X-Drip: x\r\n" * 10))
        code = await client.close_code()
        dripping.cancel()
        return code


async def drip(client: RawSocket, data: bytes) -> None:
    for byte in data:
        await client.send(bytes([byte]))
        await asyncio.sleep(0.1)


async def reads_nothing(server: ServerProcess) -> int | None:
    """It asks for 2 MB, takes none of it, and goes on asking for as long as it is connected."""
    source = custom("😀" * 10_000)
    async with raw_socket(server.ws_url) as client:
        await client.upgrade()
        for _ in range(50):
            opening = {"type": "open", "id": 1, "attempt": new_id(), "source": source}
            await client.send(frame(TEXT, json.dumps(opening, ensure_ascii=False).encode()))
        with suppress(ConnectionError):
            while True:
                client.writer.write(MESSAGE)
                await client.writer.drain()
                await asyncio.sleep(0.1)
    return CUT


async def opens_and_closes(server: ServerProcess) -> int | None:
    async def one() -> None:
        async with raw_socket(server.ws_url) as client:
            await client.upgrade()

    for _ in range(10):
        await asyncio.gather(*(one() for _ in range(20)))
    return STAYS


async def asks_for_attempts(server: ServerProcess) -> int | None:
    """The 61st of a minute is refused, and the connection stays."""
    async with raw_socket(server.ws_url) as client:
        await client.upgrade()
        for _ in range(62):
            opening = {"type": "open", "id": 1, "attempt": new_id(), "source": custom("a")}
            await client.send(frame(TEXT, json.dumps(opening).encode()))
        answers: list[Any] = []
        while len(answers) < 62:
            opcode, payload = await client.receive()
            if opcode == PING:
                await client.send(frame(PONG))
            else:
                answers.append(json.loads(payload))
    assert [answer["type"] for answer in answers] == ["opened"] * 60 + ["error"] * 2
    assert answers[-1]["code"] == "rate"
    return STAYS


async def asks_what_has_happened(server: ServerProcess) -> int | None:
    """As often as messages may come; each is answered with the whole race."""
    async with racer(server.ws_url) as host:
        race = (await host.create(WORDS))["race"]
        for number in range(1, 81):
            await host.send(type="race.sync", id=number, race=race, n=0)
        for number in range(1, 81):
            await host.expect("race", skip=("race.event",), re=number)
    return STAYS


def floods(*, payload: bytes, times: int = 1) -> Callable[[ServerProcess], Awaitable[int | None]]:
    """Sends that again and again, as fast as it is taken, until it is closed."""

    async def flood(server: ServerProcess) -> int | None:
        async with raw_socket(server.ws_url) as client:
            await client.upgrade()
            sending = asyncio.create_task(send(client))
            code = await client.close_code()
            sending.cancel()
            return code

    async def send(client: RawSocket) -> None:
        for _ in range(times):
            await client.send(payload)

    return flood


MESSAGE = frame(TEXT, b'{"type":"ping","c":1}')
BEGUN = frame(TEXT, b"", first_bits=0)
HOSTILE: dict[str, tuple[Callable[[ServerProcess], Awaitable[int | None]], set[int | None]]] = {
    "who never says hello": (never_says_hello, {4001}),
    "who is gone without a word": (answers_no_ping, {1011}),
    "who sends a byte a while": (sends_a_byte_a_while, {1011}),
    "who sends headers in drips": (sends_headers_in_drips, {CUT}),
    "who reads nothing": (reads_nothing, {CUT}),
    "who opens and closes 200 connections": (opens_and_closes, {STAYS}),
    "who asks for attempts": (asks_for_attempts, {STAYS}),
    "who asks what has happened": (asks_what_has_happened, {STAYS}),
    "who sends messages": (floods(payload=MESSAGE * 1_000, times=20), {4013}),
    "who sends pings": (floods(payload=frame(PING, b"x") * 1_000, times=20), {4013}),
    "who sends empty fragments": (
        floods(payload=BEGUN + frame(CONTINUATION, first_bits=0) * 20_000),
        {4013},
    ),
    "who sends fragments of a byte": (
        floods(payload=BEGUN + frame(CONTINUATION, b" ", first_bits=0) * 70_000),
        {4013},
    ),
    "who announces a huge frame": (floods(payload=frame(TEXT, b"x", length=1 << 40)), {1009}),
    "who sends too much at once": (floods(payload=frame(TEXT, b" " * 70_000)), {1009}),
}


@pytest.mark.parametrize(("hostile", "ends"), HOSTILE.values(), ids=HOSTILE.keys())
async def test_nobody_feels(impatient: ServerProcess, hostile: Any, ends: set[int | None]) -> None:
    async with asyncio.timeout(90):
        acting = asyncio.create_task(hostile(impatient))
        while not acting.done():
            await types_to_the_end(impatient)
        assert await acting in ends
        await types_to_the_end(impatient)
        await until(impatient, "typing_connections", 0)


async def types_to_the_end(server: ServerProcess) -> None:
    """An attempt: all of it counts, and it is ranked."""
    client = HonestClient(server.ws_url, source=custom(WORDS))
    done = await client.type()
    check_done(client, done)
    assert (done["verdict"], done["why"]) == ("ranked", [])
    assert all_violations([client]) == []
