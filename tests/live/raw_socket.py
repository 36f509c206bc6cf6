"""Bytes to the server and back: for requests and frames that no library would send."""

import asyncio
import base64
import os
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
CONTINUATION = 0x0
FIN = 0x80


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    first_bits: int = FIN,
    masked: bool = True,
    length: int | None = None,
    mask: bytes | None = None,
) -> bytes:
    """One websocket frame, wrong wherever the arguments are."""
    size = len(payload) if length is None else length
    mask_bit = 0x80 if masked else 0
    if size < 126:
        head = struct.pack("!BB", first_bits | opcode, mask_bit | size)
    elif size < 65_536:
        head = struct.pack("!BBH", first_bits | opcode, mask_bit | 126, size)
    else:
        head = struct.pack("!BBQ", first_bits | opcode, mask_bit | 127, size)
    if not masked:
        return head + payload
    key = mask or os.urandom(4)
    return head + key + bytes(byte ^ key[at % 4] for at, byte in enumerate(payload))


class RawSocket:
    """A TCP connection to the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        # If the server has had enough, what it said of it can still be read.
        with suppress(ConnectionError):
            await self.writer.drain()

    async def status(self, *, within_s: float = 5.0) -> int | None:
        """The status of the HTTP answer; None if the connection was cut without one."""
        try:
            async with asyncio.timeout(within_s):
                line = await self.reader.readline()
        except ConnectionError:
            return None
        return int(line.split()[1]) if line else None

    async def upgrade(self, *, hello: bool = True) -> None:
        """Become a websocket connection, one that has said hello."""
        key = base64.b64encode(os.urandom(16)).decode()
        await self.send(
            b"GET /ws HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key.encode() + b"\r\n\r\n"
        )
        answer = await self.reader.readuntil(b"\r\n\r\n")
        assert b" 101 " in answer, answer
        if not hello:
            return
        await self.send(frame(TEXT, b'{"type":"hello"}'))
        assert (await self.receive())[0] == TEXT

    async def receive(self, *, within_s: float = 5.0) -> tuple[int, bytes]:
        """The opcode and payload of the next frame; CLOSE and nothing if there is none."""
        try:
            async with asyncio.timeout(within_s):
                first, second = await self.reader.readexactly(2)
                size = second & 0x7F
                if size == 126:
                    (size,) = struct.unpack("!H", await self.reader.readexactly(2))
                elif size == 127:
                    (size,) = struct.unpack("!Q", await self.reader.readexactly(8))
                return first & 0x0F, await self.reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError):
            return CLOSE, b""

    async def close_code(self) -> int | None:
        """The code the server closes with, None without one; frames before it are passed over."""
        while True:
            opcode, payload = await self.receive()
            if opcode == CLOSE:
                return struct.unpack("!H", payload[:2])[0] if len(payload) >= 2 else None


@asynccontextmanager
async def raw_socket(url: str) -> AsyncIterator[RawSocket]:
    """A TCP connection to where `url` points, cut when the block ends."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        yield RawSocket(reader, writer)
    finally:
        writer.transport.abort()
