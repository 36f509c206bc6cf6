"""A TCP proxy that makes a bad network out of a seed."""

import asyncio
import socket
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from random import Random

_READ_BYTES = 4096
# Closing with this set sends RST instead of FIN.
_RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Weather:
    """What befalls each chunk of bytes, in either direction. The default is a clear sky."""

    latency_ms: float = 0
    jitter_ms: float = 0
    slice_probability: float = 0  # the chunk arrives in pieces
    cut_probability: float = 0  # part of the chunk arrives, then both ends get a RST
    stall_probability: float = 0  # this direction alone stands still for `stall_ms`
    stall_ms: float = 0


STORM = Weather(
    latency_ms=4,
    jitter_ms=16,
    slice_probability=0.2,
    cut_probability=0.004,
    stall_probability=0.002,
    stall_ms=2500,
)


class ChaosProxy:
    """Listens on `port` and passes everything to the server, as the weather lets it.

    The same seed and the same traffic give the same faults. `weather` may be changed at any time.
    """

    def __init__(self, target_port: int, *, seed: int, weather: Weather) -> None:
        self.weather = weather
        self.passing = asyncio.Event()
        self.passing.set()
        self.connections = 0
        self.cuts = 0
        self.stalls = 0
        self.port = 0
        self._target_port = target_port
        self._seed = seed
        self._links: set[_Link] = set()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["ChaosProxy"]:
        """Serve until the block ends; whatever is still open is reset then."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            while self._links:
                self.reset_all()
                await asyncio.sleep(0.01)
            await server.wait_closed()

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    def black_hole(self) -> None:
        """From now on nothing passes and nothing is refused, without a word to either end."""
        self.passing.clear()

    def end_black_hole(self) -> None:
        """Everything held back passes on, late."""
        self.passing.set()

    def reset_all(self) -> None:
        """Cut every connection with a RST, now."""
        for link in self._links:
            link.reset()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        random = Random(f"{self._seed}:{self.connections}")
        try:
            upstream = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            writer.transport.abort()
            return
        link = _Link(self, random, (reader, writer), upstream)
        self._links.add(link)
        try:
            await link.run()
        finally:
            self._links.discard(link)


_Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Link:
    """One connection through the proxy: two directions that live and die together."""

    def __init__(self, proxy: ChaosProxy, random: Random, client: _Stream, server: _Stream) -> None:
        self._proxy = proxy
        self._random = random
        self._client = client
        self._server = server
        self._over = asyncio.Event()

    async def run(self) -> None:
        """Pass bytes until one side ends or a fault cuts the link."""
        pumps = [
            asyncio.create_task(self._pump(self._client[0], self._server[1])),
            asyncio.create_task(self._pump(self._server[0], self._client[1])),
        ]
        try:
            await self._over.wait()
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            for _, writer in (self._client, self._server):
                writer.close()

    def reset(self) -> None:
        """Both ends get a RST."""
        for _, writer in (self._client, self._server):
            if not writer.transport.is_closing():
                connection: socket.socket = writer.get_extra_info("socket")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                writer.transport.abort()
        self._over.set()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read at once and write when due, so that latency does not cost throughput."""
        due: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        writing = asyncio.create_task(self._write_when_due(due, writer))
        try:
            while data := await reader.read(_READ_BYTES):
                for piece in self._slices(data):
                    due.put_nowait((time.monotonic() + self._delay_s(), piece))
            due.put_nowait((time.monotonic(), b""))
            await writing
        except OSError:
            self.reset()
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)

    async def _write_when_due(
        self, due: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter
    ) -> None:
        try:
            while not self._over.is_set():
                due_at_s, data = await due.get()
                await asyncio.sleep(max(0.0, due_at_s - time.monotonic()))
                await self._proxy.passing.wait()
                await self._write(data, writer)
        except OSError:
            self.reset()

    async def _write(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        weather = self._proxy.weather
        if not data:
            self._over.set()
            return
        if self._happens(weather.stall_probability):
            self._proxy.stalls += 1
            await asyncio.sleep(weather.stall_ms / 1000)
        if self._happens(weather.cut_probability):
            self._proxy.cuts += 1
            writer.write(data[: len(data) // 2])
            await asyncio.sleep(0)
            self.reset()
            return
        writer.write(data)
        await writer.drain()

    def _slices(self, data: bytes) -> list[bytes]:
        if not self._happens(self._proxy.weather.slice_probability):
            return [data]
        places = sorted(self._random.randrange(len(data) + 1) for _ in range(3))
        bounds = [0, *places, len(data)]
        return [data[a:b] for a, b in pairwise(bounds) if a < b]

    def _delay_s(self) -> float:
        weather = self._proxy.weather
        return (weather.latency_ms + self._random.random() * weather.jitter_ms) / 1000

    def _happens(self, probability: float) -> bool:
        return self._random.random() < probability
