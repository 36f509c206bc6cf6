"""Frames by hand: thousands of clients on one core leave no room for a library."""

import os
import struct
from collections.abc import Iterator

from websockets.speedups import apply_mask

MASK = b"\x5a\xc3\x17\x8e"
UPGRADE = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA


def frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """One whole frame from a client."""
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | size)
    elif size < 65_536:
        head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, size)
    else:
        raise ValueError("longer than a message may be")
    return head + MASK + apply_mask(payload, MASK)


def unframed(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Opcode, payload and where the next frame begins, for each whole frame of a server."""
    at = 0
    while len(data) - at >= 2:
        size, start = data[at + 1], at + 2
        if size == 126:
            if len(data) < at + 4:
                return
            size, start = struct.unpack_from("!H", data, at + 2)[0], at + 4
        elif size == 127:
            if len(data) < at + 10:
                return
            size, start = struct.unpack_from("!Q", data, at + 2)[0], at + 10
        if len(data) < start + size:
            return
        opcode = data[at] & 0x0F
        at = start + size
        yield opcode, data[start:at], at


def new_id() -> str:
    """A UUID; not one of uuid4, which is slow."""
    hexes = os.urandom(16).hex()
    return f"{hexes[:8]}-{hexes[8:12]}-4{hexes[13:16]}-8{hexes[17:20]}-{hexes[20:]}"
