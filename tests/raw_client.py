"""A thin websocket client for messages written by hand."""

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

Message = dict[str, Any]
SUBPROTOCOL = "typing.v1"


class RawClient:
    """Sends what it is told and says what came back. It hides nothing and repeats nothing."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def send(self, **message: Any) -> None:
        """Send one message."""
        await self.socket.send(json.dumps(message, ensure_ascii=False))

    async def send_raw(self, frame: str | bytes) -> None:
        """Send one text or binary frame as it stands."""
        await self.socket.send(frame)

    async def receive(self, *, within_s: float = 5.0) -> Message:
        """The next message, whatever it is."""
        async with asyncio.timeout(within_s):
            frame = await self.socket.recv()
        message = json.loads(frame)
        assert isinstance(message, dict), f"not an object: {frame!r}"
        return message

    async def expect(
        self, kind: str, *, skip: Collection[str] = (), within_s: float = 5.0, **fields: Any
    ) -> Message:
        """The next message that is not of the types in `skip`: it must be `kind` with `fields`.

        A `stall` may come between any two on a machine that is busy; only who expects one gets it.
        """
        passed_over = {*skip, "stall"} - {kind}
        while (message := await self.receive(within_s=within_s))["type"] in passed_over:
            pass
        assert message["type"] == kind, f"expected {kind}, got {message}"
        wrong = {name: message.get(name) for name in fields if message.get(name) != fields[name]}
        assert not wrong, f"expected {fields}, got {wrong} in {message}"
        return message

    async def closed(self, *, within_s: float = 5.0) -> int:
        """The code the server closes with; messages before it are passed over."""
        async with asyncio.timeout(within_s):
            try:
                while True:
                    await self.socket.recv()
            except ConnectionClosed as closed:
                return _code(closed)

    async def refused(self) -> int:
        """The code the server closes with, and says nothing before."""
        try:
            message = await self.receive()
        except ConnectionClosed as closed:
            return _code(closed)
        raise AssertionError(f"it said {message}")

    async def hello(self, token: str | None = None) -> Message:
        """Say hello and return the welcome."""
        await self.send(type="hello", token=token)
        return await self.expect("welcome")

    async def open(self, attempt: str, **fields: Any) -> Message:
        """Open or resume `attempt` and return the `opened`."""
        await self.send(type="open", id=1, attempt=attempt, **fields)
        return await self.expect("opened", re=1, attempt=attempt)


def _code(closed: ConnectionClosed) -> int:
    return closed.rcvd.code if closed.rcvd else 1006  # lost without a word


@asynccontextmanager
async def raw_client(
    url: str,
    *,
    subprotocols: Sequence[str] = (SUBPROTOCOL,),
    origin: str | None = None,
) -> AsyncIterator[RawClient]:
    """A connection without a hello; closed when the block ends."""
    socket = await connect(
        url,
        subprotocols=[Subprotocol(name) for name in subprotocols] or None,
        origin=Origin(origin) if origin is not None else None,
        compression=None,
        proxy=None,
        close_timeout=2,
    )
    try:
        yield RawClient(socket)
    finally:
        await socket.close()
