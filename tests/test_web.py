"""uvicorn as we run it: nobody holds a connection who does not use it as HTTP means it."""

import asyncio
import json
import resource
import socket
import sys
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from tests.conftest import MakeServer
from tests.processes import ServerProcess
from tests.raw_client import SUBPROTOCOL, raw_client

HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
REQUEST = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
MANY_HEADERS = b"".join(b"X-Header-%d: x\r\n" % number for number in range(200))
LONG_PATH = HANDSHAKE.replace(b"/ws", b"/ws/" + b"x" * 10_000)
LONG_HEADER = b"X-Long: " + b"x" * 9_000 + b"\r\n"
CUT_AFTER_S = (4.5, 7.0)


@pytest.fixture(params=["direct", "sansio"], autouse=True)
def websockets(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Whoever reads the frames, all of this holds."""
    monkeypatch.setenv("WEBSOCKETS", request.param)
    return str(request.param)


async def lifetime_s(server: ServerProcess, *pieces: bytes) -> float:
    """How long a connection lives on which the pieces are sent, one each half second."""
    began_s = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)

    async def send() -> None:
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0.5)

    sending = asyncio.create_task(send())
    try:
        async with asyncio.timeout(CUT_AFTER_S[1] + 1):
            while await reader.read(65_536):
                pass
    except (ConnectionError, TimeoutError):
        pass
    finally:
        sending.cancel()
        writer.close()
        await asyncio.gather(sending, return_exceptions=True)
    return time.monotonic() - began_s


ENDLESS = {
    "nothing at all": [],
    "half a request line": [b"GET / HT"],
    "headers in drips": [b"GET /health HTTP/1.1\r\n", *[b"X-Drip: x\r\n"] * 20],
    "half a handshake": [HANDSHAKE],
    "a handshake in drips": [HANDSHAKE, *[b"X-Drip: x\r\n"] * 20],
    "half a second request": [
        b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /health HTTP/1.1\r\n",
    ],
    "a second request in drips": [
        b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /health HTTP/1.1\r\n",
        *[b"X-Drip: x\r\n"] * 20,
    ],
    "a body that never comes": [
        b"POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
    ],
    "a body in drips": [
        b"POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n",
        *[b"x"] * 20,
    ],
    "a handshake of many headers": [HANDSHAKE + MANY_HEADERS + b"\r\n"],
    "a handshake with a long path": [LONG_PATH + b"\r\n"],
    "a handshake with a long header": [HANDSHAKE + LONG_HEADER + b"\r\n"],
}


async def test_what_never_ends_is_cut(sqlite_server: ServerProcess) -> None:
    lifetimes_s = await asyncio.gather(
        *(lifetime_s(sqlite_server, *pieces) for pieces in ENDLESS.values()),
        a_good_one_stays(sqlite_server),
    )
    late = {
        name: round(lived_s, 1)
        for name, lived_s in zip(ENDLESS, lifetimes_s, strict=False)
        if lived_s > CUT_AFTER_S[1]
    }
    assert not late
    assert lifetimes_s[0] > CUT_AFTER_S[0]
    assert "Traceback" not in sqlite_server.log()


async def a_good_one_stays(server: ServerProcess) -> float:
    """A connection that has said hello outlives every deadline of a handshake."""
    async with raw_client(server.ws_url) as client:
        await client.hello()
        await asyncio.sleep(CUT_AFTER_S[1])
        await client.send(type="ping", c=1)
        await client.expect("pong", c=1)
    return CUT_AFTER_S[1]


async def test_compression_is_never_agreed_to(sqlite_server: ServerProcess) -> None:
    async with connect(
        sqlite_server.ws_url,
        compression="deflate",
        proxy=None,
        subprotocols=[Subprotocol(SUBPROTOCOL)],
    ) as socket:
        assert socket.response is not None
        assert "Sec-WebSocket-Extensions" not in socket.response.headers
        assert socket.response.headers["Sec-WebSocket-Protocol"] == SUBPROTOCOL


async def test_a_client_that_reads_nothing_but_pings_is_told_by_silence(
    make_server: MakeServer, sqlite_url: str
) -> None:
    """No pong: closed. A client that answers pings stays."""
    constants = "server.web.PING_S=0.3 server.web.CLOSE_S=0.3"
    server = make_server(
        sqlite_url, module="tests.impatient_server", environment={"CONSTANTS": constants}
    )
    await server.start()
    async with raw_client(server.ws_url) as good:
        await good.hello()
        assert await lifetime_s(server, HANDSHAKE + b"\r\n") < 2
        await good.send(type="ping", c=1)
        await good.expect("pong", c=1)


class Deaf:
    """A websocket client that asks for a great deal and reads nothing after its welcome."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def listen_no_more(self, requests: int) -> None:
        """Open an attempt of 40 kB again and again; each answer is as long."""
        self._writer.write(HANDSHAKE + b"\r\n")
        assert b" 101 " in await self._reader.readuntil(b"\r\n\r\n")
        await self._send({"type": "hello"})
        await self._reader.readexactly(2)
        self._writer.transport.pause_reading()  # type: ignore[attr-defined]
        attempt = str(uuid.uuid4())
        source = {"kind": "custom", "text": "😀" * 10_000}
        for _ in range(requests):
            await self._send({"type": "open", "id": 1, "attempt": attempt, "source": source})

    async def _send(self, message: object) -> None:
        payload = json.dumps(message, ensure_ascii=False).encode()
        length = len(payload)
        head = bytes([0x81, 0x80 | 126]) + length.to_bytes(2, "big")
        self._writer.write(head + b"\0\0\0\0" + payload)  # masked with zeros
        await asyncio.sleep(0)

    def close(self) -> None:
        self._writer.transport.abort()


@asynccontextmanager
async def deaf(server: ServerProcess) -> AsyncIterator[Deaf]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1_024)
    client = Deaf(reader, writer)
    try:
        yield client
    finally:
        client.close()


def sockets(server: ServerProcess) -> int:
    """How many sockets the process holds."""
    held = 0
    for path in Path(f"/proc/{server.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since we looked
            held += str(path.readlink()).startswith("socket:")
    return held


@pytest.mark.parametrize(
    ("constants", "within_s"),
    [
        pytest.param("server.web.CLOSE_S=0.5", 4.0, id="its answers pile up"),
        pytest.param(
            "server.web.CLOSE_S=0.5 server.web.PING_S=0.5 server.live.outbox.BYTES_MAX=100000000",
            4.0,
            id="it answers no ping",
        ),
    ],
)
async def test_a_client_that_never_reads_is_let_go(
    make_server: MakeServer, sqlite_url: str, constants: str, within_s: float
) -> None:
    server = make_server(
        sqlite_url,
        module="tests.impatient_server",
        # In production an address may not have more than this; here nobody else connects.
        environment={
            "CONSTANTS": constants,
            "ENVIRONMENT": "production",
            "CONNECTIONS_PER_ADDRESS": "1",
        },
    )
    await server.start()
    await asyncio.sleep(0.5)  # for the connections that asked for its health to be gone
    before = sockets(server)
    async with deaf(server) as client:
        await client.listen_no_more(requests=40)
        began_s = time.monotonic()
        assert sockets(server) > before
        with pytest.raises(InvalidStatus, match="429"):
            await raw_client(server.ws_url).__aenter__()
        while sockets(server) > before:
            assert time.monotonic() - began_s < within_s, "the connection is still held"
            await asyncio.sleep(0.05)
        await the_next_gets_in(server)
    assert "Traceback" not in server.log()


@pytest.mark.parametrize(
    ("path", "connection"),
    [
        pytest.param("/openapi.json", "close", id="more than fits"),
        pytest.param("/static/messages/ru.js", "close", id="the last of it"),
        pytest.param("/static/messages/ru.js", "keep-alive", id="the last of it for now"),
    ],
)
async def test_one_who_asks_and_never_reads_is_let_go(
    make_server: MakeServer, sqlite_url: str, path: str, connection: str
) -> None:
    constants = "server.web.UNREAD_S=0.5"
    server = make_server(
        sqlite_url, module="tests.impatient_server", environment={"CONSTANTS": constants}
    )
    await server.start()
    await asyncio.sleep(0.5)  # for the connections that asked for its health to be gone
    before = sockets(server)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        client.connect(("127.0.0.1", server.port))
        request = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: {connection}\r\n\r\n"
        client.sendall(request.encode())
        await asyncio.sleep(0.3)
        assert sockets(server) > before
        deadline_s = time.monotonic() + 9  # a connection is kept alive for 5 s
        while sockets(server) > before:
            assert time.monotonic() < deadline_s, "the connection is still held"
            await asyncio.sleep(0.05)
    assert "Traceback" not in server.log()


async def the_next_gets_in(server: ServerProcess) -> None:
    """The address has a connection to spare again, once what had arrived is worked off."""
    deadline_s = time.monotonic() + 3
    while True:
        try:
            async with raw_client(server.ws_url) as client:
                await client.hello()
                return
        except InvalidStatus:
            assert time.monotonic() < deadline_s, "the connection still counts"
            await asyncio.sleep(0.1)


async def test_a_message_over_the_limit_is_refused_and_one_at_it_is_not(
    sqlite_server: ServerProcess,
) -> None:
    async with raw_client(sqlite_server.ws_url) as client:
        await client.hello()
        frame = json.dumps({"type": "ping", "c": 1, "x": ""})
        await client.send_raw(frame.replace('""', '"' + "x" * (65_536 - len(frame)) + '"'))
        await client.expect("pong", c=1)
        await client.send_raw(frame.replace('""', '"' + "x" * (65_537 - len(frame)) + '"'))
        assert await client.closed() == 1009


async def test_a_lost_connection_leaves_nothing_behind(sqlite_server: ServerProcess) -> None:
    before = sockets(sqlite_server)
    for _ in range(20):
        async with raw_client(sqlite_server.ws_url) as client:
            await client.hello()
            client.socket.transport.abort()
            with pytest.raises(ConnectionClosed):
                await client.receive()
    deadline_s = time.monotonic() + 3
    while sockets(sqlite_server) > before:
        assert time.monotonic() < deadline_s, "sockets are left"
        await asyncio.sleep(0.05)


@pytest.mark.parametrize(("limit", "most", "warns"), [("-Sn", None, False), ("-n", "200", True)])
async def test_as_many_files_as_may_be_or_a_word_about_it(
    limit: str, most: str | None, warns: bool
) -> None:
    """Of this process, which begins with a soft limit of 200 and with a hard one."""
    program = "from server.web import raise_files_limit; print(raise_files_limit())"
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", f'ulimit {limit} 200; exec "$@"', "sh", sys.executable, "-c", program),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, warned = await process.communicate()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert said.decode().strip() == (most or str(hard))
    assert ("ulimit -n" in warned.decode()) is warns
