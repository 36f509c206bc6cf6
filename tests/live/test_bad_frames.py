"""The catalogue of bad handshakes and frames, byte by byte."""

import asyncio
import json
import socket
import struct
from typing import Any

import pytest

from tests.live.conftest import Served
from tests.live.guest import Guest, guest
from tests.live.raw_socket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    FIN,
    PING,
    PONG,
    TEXT,
    RawSocket,
    frame,
    raw_socket,
)

MESSAGE_BYTES_MAX = 65_536
PING_MESSAGE = b'{"type":"ping","c":1}'
KEY = "dGhlIHNhbXBsZSBub25jZQ=="


@pytest.fixture(params=["served", "served_by_uvicorn"], ids=["direct", "sansio"])
def served(request: pytest.FixtureRequest) -> Served:
    """The test runs once for either who reads frames."""
    running: Served = request.getfixturevalue(request.param)
    return running


# Handshakes


def request(line: str = "GET /ws HTTP/1.1", *more: str, without: str = "", **headers: str) -> bytes:
    """An upgrade request; `headers` replace its own (_ for -), `more` are added."""
    all_headers = {
        "Host": "test",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": KEY,
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    all_headers.pop(without, None)
    lines = [f"{name}: {value}" for name, value in all_headers.items()]
    return "\r\n".join([line, *lines, *more, "", ""]).encode("latin-1")


OFFER = "Sec-WebSocket-Protocol: "
HANDSHAKES: dict[str, tuple[bytes, set[int | None]]] = {
    "a good one": (request(), {101}),
    "another origin": (request(Origin="https://evil.example"), {403}),
    "two origins": (
        request("GET /ws HTTP/1.1", "Origin: http://test", "Origin: http://test"),
        {400, 403},
    ),
    "its own origin": (request(Origin="http://test"), {101}),
    "an origin of another scheme": (request(Origin="https://test"), {403}),
    "an older version of the websocket": (request(Sec_WebSocket_Version="12"), {400, 426}),
    "no version": (request(without="Sec-WebSocket-Version"), {400, 426}),
    "no key": (request(without="Sec-WebSocket-Key"), {400}),
    "a key that is none": (request(Sec_WebSocket_Key="zzz"), {400}),
    "a key of 15 bytes": (request(Sec_WebSocket_Key="YWJjZGVmZ2hpamtsbW5v"), {400}),
    "two keys": (request("GET /ws HTTP/1.1", f"Sec-WebSocket-Key: {KEY}"), {400}),
    "another upgrade": (request(Upgrade="h2c"), {400, 404, 426}),
    "no upgrade": (request(without="Upgrade"), {400, 404, 426}),
    "a POST": (request("POST /ws HTTP/1.1"), {400, 405}),
    "a plain GET": (b"GET /ws HTTP/1.1\r\nHost: test\r\n\r\n", {426}),
    "two lengths of a body": (
        request("GET /ws HTTP/1.1", "Content-Length: 4", "Transfer-Encoding: chunked"),
        {400},
    ),
    "HTTP/1.0": (request("GET /ws HTTP/1.0"), {101, 400, 426}),
    "another path": (request("GET /wss HTTP/1.1"), {403, 404}),
    "a path below": (request("GET /ws/%2e%2e/ws HTTP/1.1"), {403, 404}),
    "two slashes": (request("GET //ws HTTP/1.1"), {403, 404}),
    "static": (request("GET /static/../ws HTTP/1.1"), {403, 404}),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64, {400, None}),
    "a line of no HTTP": (b"hello\r\n\r\n", {400, None}),
    "a NUL in a header": (request(Cookie="a\0b"), {400, None}),
    "headers that are not ASCII": (request(Cookie="\xff\xfe", User_Agent="\xe9"), {101}),
    "an offer of 5 kB": (request("GET /ws HTTP/1.1", OFFER + "a," * 2_500 + "b"), {101, 400}),
    "an offer with commas": (request("GET /ws HTTP/1.1", f"{OFFER}typing.v1,,"), {101, 400}),
    "two offers": (request("GET /ws HTTP/1.1", f"{OFFER}x", f"{OFFER}typing.v1"), {101}),
    "an offer that is none": (request("GET /ws HTTP/1.1", f"{OFFER}@/{{"), {101, 400}),
    "an extension nobody knows": (request(Sec_WebSocket_Extensions="x-y; z=1"), {101}),
    "deflate with odd windows": (
        request(Sec_WebSocket_Extensions="permessage-deflate; server_max_window_bits=99"),
        {101},
    ),
    "a query": (request("GET /ws?token=a&token=b HTTP/1.1"), {101}),
}


@pytest.mark.parametrize(("sent", "statuses"), HANDSHAKES.values(), ids=HANDSHAKES.keys())
async def test_a_handshake_is_answered_with_its_status(
    url: str, bystander: Guest, sent: bytes, statuses: set[int | None]
) -> None:
    async with raw_socket(url) as client:
        await client.send(sent)
        assert await client.status() in statuses


# Frames


def close(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, struct.pack("!H", code) + reason)


def fragments(*parts: bytes, opcode: int = TEXT) -> bytes:
    frames = [
        frame(CONTINUATION if at else opcode, part, first_bits=0) for at, part in enumerate(parts)
    ]
    last = frames[-1]
    return b"".join([*frames[:-1], bytes([last[0] | FIN]), last[1:]])


# Overlong, out of range, halves of pairs, bytes that never begin or go on with nothing.
NO_UTF8 = [
    *(b"\x80", b"\xbf\x80", b"\xc0\x80", b"\xc1\xbf", b"\xe0\x80\x80", b"\xe0\x9f\xbf"),
    *(b"\xf0\x80\x80\x80", b"\xf0\x8f\xbf\xbf", b"\xed\xa0\x80", b"\xed\xaf\xbf"),
    *(b"\xed\xbf\xbf", b"\xed\xa0\x80\xed\xb0\x80", b"\xf4\x90\x80\x80", b"\xf7\xbf\xbf\xbf"),
    *(b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80", b"\xfe", b"\xff"),
]

FATAL: dict[str, tuple[bytes, set[int | None]]] = {
    "an unmasked frame": (frame(TEXT, PING_MESSAGE, masked=False), {1002}),
    **{
        f"reserved bits {bits}": (frame(TEXT, PING_MESSAGE, first_bits=FIN | bits << 4), {1002})
        for bits in range(1, 8)
    },
    "a reserved bit in a ping": (frame(PING, b"?", first_bits=FIN | 0x40), {1002}),
    "a reserved bit in a close": (frame(CLOSE, first_bits=FIN | 0x20), {1002}),
    **{
        f"opcode {opcode}": (frame(opcode, payload), {1002})
        for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
        for payload in (PING_MESSAGE, b"")
    },
    **{
        f"no UTF-8: {data.hex()}": (frame(TEXT, b'{"type":"' + data + b'"}'), {1007})
        for data in NO_UTF8
    },
    "text that ends within a character": (frame(TEXT, b'"\xd0'), {1007}),
    "no UTF-8 across two fragments": (fragments(b'"\xd0', b'x"'), {1007}),
    "no UTF-8 in each of many fragments": (
        fragments(*(bytes([byte]) for byte in b'"\xce\xba\xe1\xbd\xb9\xed\xa0\x80"')),
        {1007},
    ),
    "a binary frame": (frame(BINARY, PING_MESSAGE), {1003}),
    "an empty binary frame": (frame(BINARY), {1003}),
    "a binary message in fragments": (fragments(b"\x00", b"\x01", opcode=BINARY), {1003}),
    "a length of 2^62": (frame(TEXT, b"x", length=2**62), {1009}),
    "a length of 2^64 - 1": (frame(TEXT, b"x", length=2**64 - 1), {1002, 1009}),
    "64 KiB and a byte": (frame(TEXT, b" " * (MESSAGE_BYTES_MAX + 1)), {1009}),
    "9 fragments of 8 KiB": (fragments(*[b" " * 8_192] * 9), {1009}),
    "fragments of one byte without end": (
        frame(TEXT, b" ", first_bits=0)
        + frame(CONTINUATION, b" ", first_bits=0) * (MESSAGE_BYTES_MAX + 10),
        {1009, 4013},
    ),
    "a binary frame that is too big": (frame(BINARY, b" " * (MESSAGE_BYTES_MAX + 1)), {1009}),
    "a continuation of nothing": (frame(CONTINUATION, PING_MESSAGE), {1002}),
    "a continuation of nothing that goes on": (frame(CONTINUATION, b"{", first_bits=0), {1002}),
    "a continuation of what was whole": (
        fragments(PING_MESSAGE[:5], PING_MESSAGE[5:]) + frame(CONTINUATION, b"}"),
        {1002},
    ),
    "a message within a message": (
        frame(TEXT, b"{", first_bits=0) + frame(TEXT, PING_MESSAGE),
        {1002},
    ),
    "a ping in fragments": (frame(PING, b"x", first_bits=0), {1002}),
    "a pong in fragments": (frame(PONG, b"x", first_bits=0), {1002}),
    "a close in fragments": (frame(CLOSE, first_bits=0), {1002}),
    "a ping of 126 bytes": (frame(PING, b"x" * 126), {1002}),
    **{
        f"close code {code}": (close(code), {1002})
        for code in (0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65_535)
    },
    "a close of one byte": (frame(CLOSE, b"\x03"), {1002}),
    "a close reason that is not UTF-8": (close(1000, b"\xff"), {1002, 1007}),
    "a close of 126 bytes": (close(1000, b"x" * 124), {1002}),
    **{
        f"a lawful close, {code}": (close(code, b"bye"), {code})
        for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)
    },
    "a close with as long a reason as may be": (close(1000, b"x" * 123), {1000}),
    "a close and another": (close(1000) + close(1001), {1000}),
    "a close and what is no frame": (close(1000) + b"\xff" * 20, {1000}),
    "a close without a code": (frame(CLOSE), {None, 1000, 1005}),
}


@pytest.mark.parametrize(("sent", "codes"), FATAL.values(), ids=FATAL.keys())
async def test_a_frame_that_ends_the_connection(
    url: str, bystander: Guest, sent: bytes, codes: set[int | None]
) -> None:
    async with raw_socket(url) as client:
        await client.upgrade()
        await client.send(sent)
        assert await client.close_code() in codes


async def answer(client: RawSocket) -> dict[str, Any]:
    """The next message; pongs before it are passed over."""
    while (received := await client.receive())[0] == PONG:
        pass
    opcode, payload = received
    assert opcode == TEXT, received
    message: dict[str, Any] = json.loads(payload)
    return message


LAWFUL: dict[str, bytes] = {
    **{
        f"a message of {size} bytes": frame(TEXT, PING_MESSAGE.ljust(size))
        for size in (125, 126, 127, 128, 65_535, MESSAGE_BYTES_MAX)
    },
    "64 KiB in fragments of 1,300 bytes": fragments(
        *(PING_MESSAGE.ljust(MESSAGE_BYTES_MAX)[at : at + 1_300] for at in range(0, 65_536, 1_300))
    ),
    **{
        f"UTF-8: {character!r}": frame(TEXT, f'{{"type":"ping","c":1,"x":"{character}"}}'.encode())
        for character in ("κόσμε", "\x7f", "\u0800", "\ud7ff", "\ue000", "\uffff", "\U0010ffff")
    },
    "a message in one-byte fragments": fragments(*(bytes([byte]) for byte in PING_MESSAGE)),
    "a thousand empty fragments": fragments(*[b""] * 1_000, PING_MESSAGE),
    "a character across two fragments": fragments(
        '{"type":"ping","c":1,"x":"ё"}'.encode()[:-3], '"ё"}'.encode()[2:]
    ),
    "a ping between fragments": (
        frame(TEXT, PING_MESSAGE[:5], first_bits=0)
        + frame(PING, b"?")
        + frame(CONTINUATION, PING_MESSAGE[5:])
    ),
    "a pong nobody asked for": frame(PONG, b"!") + frame(TEXT, PING_MESSAGE),
    "a thousand pings": frame(PING, b"?") * 1_000 + frame(TEXT, PING_MESSAGE),
    "a mask of zeros": b"\x81" + bytes([0x80 | len(PING_MESSAGE)]) + b"\0" * 4 + PING_MESSAGE,
    "a length in more bytes than it needs": (
        b"\x81\xff" + struct.pack("!Q", len(PING_MESSAGE)) + b"\0" * 4 + PING_MESSAGE
    ),
}


@pytest.mark.parametrize("sent", LAWFUL.values(), ids=LAWFUL.keys())
async def test_odd_but_lawful_frames_are_understood(
    url: str, bystander: Guest, sent: bytes
) -> None:
    async with raw_socket(url) as client:
        await client.upgrade()
        await client.send(sent)
        message = await answer(client)
        assert (message["type"], message["c"]) == ("pong", 1)


async def test_an_empty_text_frame_is_a_bad_message(url: str, bystander: Guest) -> None:
    async with raw_socket(url) as client:
        await client.upgrade()
        await client.send(frame(TEXT))
        message = await answer(client)
        assert (message["type"], message["code"]) == ("error", "bad_message")


async def test_what_comes_after_a_close_is_not_heard(served: Served) -> None:
    async with guest(served.url) as person:
        await person.begin()
        await person.typed("the")
    async with raw_socket(served.url) as client:
        await client.upgrade()
        hello = json.dumps({"type": "hello", "token": person.token}).encode()
        again = json.dumps({"type": "open", "attempt": person.attempt}).encode()
        await client.send(close(1000) + frame(TEXT, hello) + frame(TEXT, again))
        assert await client.close_code() == 1000
    async with guest(served.url, person.token) as back:
        assert (await back.resume(person.attempt))["seq"] == 3


@pytest.mark.parametrize("reset", [False, True], ids=["an end", "a reset"])
async def test_a_connection_that_breaks_within_a_frame_loses_only_that_frame(
    url: str, bystander: Guest, reset: bool
) -> None:
    async with guest(url) as person:
        await person.begin()
        await person.typed("the")
        batch = json.dumps(
            {"type": "keys", "h": person.h, "seq": 4, "events": [[0, " "], [0, "q"]]}
        ).encode()
        transport = person.socket.transport
        transport.write(frame(TEXT, batch)[:-5])
        await asyncio.sleep(0.05)
        if reset:
            linger = struct.pack("ii", 1, 0)
            transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, linger
            )
            transport.abort()
        else:
            transport.write_eof()
        async with guest(url, person.token) as again:
            assert (await again.resume(person.attempt))["seq"] == 3
            await again.typed(" q")


@pytest.mark.parametrize("pieces", [1, 3, 1_000], ids=["at once", "in three", "byte by byte"])
async def test_pings_are_answered_in_turn_with_what_they_held(
    url: str, bystander: Guest, pieces: int
) -> None:
    payloads = [b"", b"?", b"\0\xff\xfe", b"x" * 124, b"\xfe" * 125]
    payloads += [b"%d" % number for number in range(9)]
    sent = b"".join(frame(PING, payload) for payload in payloads)
    async with raw_socket(url) as client:
        await client.upgrade()
        size = len(sent) // pieces + 1
        for at in range(0, len(sent), size):
            await client.send(sent[at : at + size])
            await asyncio.sleep(0)
        assert [await client.receive() for _ in payloads] == [
            (PONG, payload) for payload in payloads
        ]


# Here our reader does more than websockets', which says so in its documents.
OURS_ALONE = pytest.mark.parametrize("served", ["served"], indirect=True, ids=["direct"])


@OURS_ALONE
async def test_a_close_may_stand_within_a_message(url: str, bystander: Guest) -> None:
    async with raw_socket(url) as client:
        await client.upgrade()
        await client.send(frame(TEXT, b"{", first_bits=0) + close(1000))
        assert await client.close_code() == 1000


@OURS_ALONE
async def test_what_cannot_become_text_is_not_waited_for(url: str, bystander: Guest) -> None:
    async with raw_socket(url) as client:
        await client.upgrade()
        await client.send(frame(TEXT, b'"\xf4\x90', first_bits=0))
        assert await client.close_code() == 1007
