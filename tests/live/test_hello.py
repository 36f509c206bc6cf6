"""How a connection begins: subprotocol, origin, hello, welcome, and who one is."""

import asyncio
import json
import time
import uuid
from typing import Any

import jwt
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.live.conftest import ALLOWED_ORIGIN, Served
from tests.live.guest import TEXT, change, guest, new_id, stored
from tests.processes import JWT_SECRET
from tests.raw_client import Message, raw_client

DAY_S = 24 * 3_600


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [((), None), (("typing.v1",), "typing.v1"), (("typing.v2", "typing.v1"), "typing.v1")],
    ids=["none", "ours", "ours among others"],
)
async def test_a_subprotocol_we_share_or_none_at_all_is_version_one(
    url: str, offered: tuple[str, ...], chosen: str | None
) -> None:
    async with raw_client(url, subprotocols=offered) as client:
        assert client.socket.subprotocol == chosen
        assert (await client.hello())["v"] == 1


@pytest.mark.parametrize("offered", [("typing.v2",), ("chat", "typing.v11"), ("TYPING.V1",)])
async def test_only_unknown_subprotocols_are_closed_where_a_browser_can_read_why(
    url: str, offered: tuple[str, ...]
) -> None:
    async with raw_client(url, subprotocols=offered) as client:
        assert client.socket.subprotocol is None
        assert await client.closed() == 4501


async def test_the_servers_own_origin_an_allowed_one_and_none_may_connect(served: Served) -> None:
    for origin in (served.process.http_url, ALLOWED_ORIGIN, None):
        async with raw_client(served.url, origin=origin) as client:
            await client.hello()


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "",
        "http://typing.example",
        "https://typing.example:444",
        "https://typing.example.",
        "https://typing.example.evil.com",
        "https://typing.example/",
        "HTTPS://TYPING.EXAMPLE",
        "http://127.0.0.1:1",
        "https://127.0.0.1",
    ],
)
async def test_any_other_origin_is_refused_before_the_upgrade(url: str, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with raw_client(url, origin=origin):
            pass
    assert refused.value.response.status_code == 403


async def test_welcome_says_all_that_the_contract_names_and_nothing_else(url: str) -> None:
    async with raw_client(url) as client:
        await client.send(type="hello", id=2**31 - 1, client="web/1.0")
        before_ms = time.time_ns() // 1_000_000
        welcome = await client.expect("welcome", re=2**31 - 1, v=1)
    assert set(welcome) == {"type", "re", "v", "user", "token", "server_ms", "limits"}
    assert set(welcome["user"]) == {"id", "name", "guest"}
    assert welcome["user"]["guest"] is True
    assert str(uuid.UUID(welcome["user"]["id"])) == welcome["user"]["id"]
    assert welcome["limits"] == {"message": 65536, "batch": 64, "window": 512}
    assert abs(welcome["server_ms"] - before_ms) < 2_000


async def test_a_request_without_an_id_gets_an_answer_without_re(url: str) -> None:
    async with raw_client(url) as client:
        await client.send(type="hello", id=None, token=None, client=None)
        assert "re" not in await client.expect("welcome")
        await client.send(type="ping", c=0)
        assert set(await client.expect("pong", c=0)) == {"type", "c", "server_ms"}


async def test_unknown_fields_are_ignored(url: str) -> None:
    async with raw_client(url) as client:
        await client.send(type="hello", id=1, v=[2], constructor={"a": None}, __proto__={}, re=5)
        await client.expect("welcome", re=1)
        await client.send(type="ping", c=1, id=2, **{f"field{number}": 1 for number in range(50)})
        await client.expect("pong", re=2)


async def test_a_second_hello_is_a_conflict_and_the_connection_lives(url: str) -> None:
    async with guest(url) as person:
        for _ in range(6):
            await person.send(type="hello", id=9)
            await person.expect("error", re=9, code="conflict")
        await person.begin()


@pytest.mark.parametrize(
    "first",
    [
        '{"type":"ping","c":1}',
        '{"type":"open","id":1,"attempt":"x"}',
        '{"type":"no such"}',
        '{"type":1}',
        "{}",
        "hello",
        "",
        "[]",
    ],
)
async def test_anything_before_hello_ends_the_connection(url: str, first: str) -> None:
    async with raw_client(url) as client:
        await client.send_raw(first)
        assert await client.closed() == 4500


# Guests


async def test_a_guest_stays_the_same_with_the_token_it_was_given(either: Served) -> None:
    async with guest(either.url) as person:
        await person.begin()
        first = person.welcome
    for _ in range(2):
        async with guest(either.url, first["token"]) as again:
            assert again.welcome["user"] == first["user"]
            await again.resume(person.attempt)
            first = again.welcome


async def test_every_welcome_of_a_guest_brings_a_token_for_thirty_days(url: str) -> None:
    async with guest(url) as person:
        token = person.token
    await asyncio.sleep(1.01)  # its times are in whole seconds
    async with guest(url, token) as again:
        claims = _claims(again.token)
    assert claims["exp"] - claims["iat"] == 30 * DAY_S
    assert claims["iat"] > _claims(token)["iat"]
    assert claims["sub"] == person.welcome["user"]["id"]


async def test_a_guest_is_stored_with_its_first_attempt_and_no_earlier(either: Served) -> None:
    async with guest(either.url) as person:
        user = person.welcome["user"]["id"]
        query = "SELECT guest FROM users WHERE id = :user"
        async with guest(either.url, person.token) as again:
            assert again.welcome["user"]["id"] == user
        assert not await stored(either.database_url, query, user=user)
        await person.send(type="open", id=1, attempt=new_id(), source={"kind": "text", "text": "-"})
        await person.expect("error", re=1, code="not_found")
        assert not await stored(either.database_url, query, user=user)
        await person.begin()
        assert [bool(row[0]) for row in await stored(either.database_url, query, user=user)] == [
            True
        ]


def _claims(token: str) -> Message:
    claims: Message = jwt.decode(token, options={"verify_signature": False})
    return claims


def _signed(claims: Message, secret: str = JWT_SECRET, algorithm: str = "HS256") -> str:
    return jwt.encode(claims, secret, algorithm=algorithm)


def _unsigned(claims: Message) -> str:
    return jwt.encode(claims, None, algorithm="none")


BAD_TOKENS: dict[str, Any] = {
    "no token at all": lambda claims: "x",
    "an empty string": lambda claims: "",
    "another secret": lambda claims: _signed(claims, "another secret, quite long enough to sign"),
    "another algorithm": lambda claims: _signed(claims, algorithm="HS512"),
    "no algorithm": _unsigned,
    "expired": lambda claims: _signed(claims | {"iat": 1, "exp": 1_000}),
    "another audience": lambda claims: _signed(claims | {"aud": "elsewhere"}),
    "another issuer": lambda claims: _signed(claims | {"iss": "elsewhere"}),
    "issued in the future": lambda claims: _signed(claims | {"iat": claims["iat"] + DAY_S}),
    "no subject": lambda claims: _signed({k: v for k, v in claims.items() if k != "sub"}),
    "no expiry": lambda claims: _signed({k: v for k, v in claims.items() if k != "exp"}),
    "a person we never made": lambda claims: _signed(claims | {"guest": False, "sub": new_id()}),
    "eight kilobytes": lambda claims: "a." * 4_000,
    "not ASCII": lambda claims: "ключ.ключ.ключ",
    "a NUL": lambda claims: "\0",
}


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize("forge", BAD_TOKENS.values(), ids=BAD_TOKENS.keys())
async def test_a_bad_token_is_told_to_refresh(url: str, forge: Any) -> None:
    async with guest(url) as person:
        claims = _claims(person.token)
        async with raw_client(url) as client:
            await client.send(type="hello", token=forge(claims))
            assert await client.closed() == 4003
        await person.has_nothing_more()


async def test_a_disabled_account_is_told_to_stop(either: Served) -> None:
    async with guest(either.url) as person:
        await person.begin()
    await change(
        either.database_url,
        "UPDATE users SET disabled_at_ms = 1 WHERE id = :user",
        user=person.welcome["user"]["id"],
    )
    async with raw_client(either.url) as client:
        await client.send(type="hello", token=person.token)
        assert await client.closed() == 4505


async def test_neither_cookies_nor_the_url_say_who_one_is(served: Served) -> None:
    async with guest(served.url) as person:
        user = person.welcome["user"]["id"]
    socket = await connect(
        f"{served.url}?token={person.token}",
        additional_headers={
            "Cookie": f"token={person.token}; access_token={person.token}",
            "Authorization": f"Bearer {person.token}",
        },
        proxy=None,
        compression=None,
    )
    try:
        await socket.send('{"type":"hello"}')
        assert json.loads(await socket.recv())["user"]["id"] != user
    finally:
        await socket.close()
    assert person.token not in served.process.log()


async def test_ping_brings_back_its_number_and_the_servers_clock(url: str) -> None:
    async with guest(url) as person:
        for c in (0, 2**53 - 1):
            await person.send(type="ping", id=4, c=c)
            pong = await person.expect("pong", re=4, c=c)
            assert set(pong) == {"type", "re", "c", "server_ms"}
            assert abs(pong["server_ms"] - time.time_ns() // 1_000_000) < 2_000


async def test_a_client_may_speak_of_anything_but_the_connection_lives(url: str) -> None:
    async with guest(url) as person:
        for kind in ("ack", "done", "race", "race.event", "no such", "", "HELLO", "__proto__"):
            await person.send(type=kind, id=2, text=TEXT)
            error = await person.expect("error", re=2, code="unknown_type")
            assert set(error) == {"type", "re", "code", "message"}
        await person.begin()
