"""People who use the API: members and guests, and what they type."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.api.postbox import Postbox
from tests.live.guest import change, custom, guest, new_id, stored
from tests.processes import ServerProcess
from tests.raw_client import Message, RawClient, raw_client

PASSWORD = "Correct horse 7"
PREFIX = "/api/v1"


def new_email() -> str:
    return f"{uuid.uuid4().hex}@example.com"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def code(answer: httpx.Response) -> str:
    """The code of a refusal, which has the one shape."""
    body = answer.json()
    assert set(body) == {"error", "request_id"}, body
    assert set(body["error"]) <= {"code", "message", "fields", "plan"}
    assert body["request_id"] == answer.headers["x-request-id"]
    found: str = body["error"]["code"]
    return found


@dataclass
class Member:
    """Somebody with an account, logged in."""

    id: str
    email: str
    access: str
    refresh: str


@dataclass
class Site:
    """A running server, its store, and where its mail goes."""

    process: ServerProcess
    database_url: str
    postbox: Postbox

    async def ask(
        self,
        method: str,
        path: str,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        **fields: Any,
    ) -> httpx.Response:
        """One request, by nobody the server has met before but for the token."""
        url = self.process.http_url
        # No TLS here: to load the certificates takes longer than the request. And no hurry.
        options: dict[str, Any] = {"trust_env": False, "verify": False, "timeout": 60}
        async with httpx.AsyncClient(base_url=url, **options) as client:
            sent = {**(bearer(token) if token else {}), **(headers or {})}
            return await client.request(method, PREFIX + path, headers=sent, **fields)

    async def post(self, path: str, body: Any, token: str | None = None) -> httpx.Response:
        return await self.ask("POST", path, token, json=body)

    async def register(self, token: str | None = None, **fields: Any) -> Member:
        """A new account; a guest's if its token is given."""
        body = {"email": new_email(), "password": PASSWORD, "refresh": "body", **fields}
        answer = await self.post("/auth/register", body, token)
        assert answer.status_code == 201, answer.text
        return _member(answer)

    async def log_in(
        self, email: str, token: str | None = None, password: str = PASSWORD
    ) -> Member:
        body = {"email": email, "password": password, "refresh": "body"}
        answer = await self.post("/auth/login", body, token)
        assert answer.status_code == 200, answer.text
        return _member(answer)

    async def is_good(self, access: str) -> bool:
        """Whether an access token opens a door."""
        return (await self.ask("GET", "/users/me", access)).status_code == 200

    async def guest(self, words: str = "ab ab") -> "TypedGuest":
        """A guest who has typed one text to its end."""
        async with guest(self.process.ws_url) as person:
            await person.begin(words)
            await person.press(words)
            done = await person.done()
            user_id = person.welcome["user"]["id"]
            return TypedGuest(user_id, person.token, done["attempt"], done["result"])

    async def stored(self, query: str, **values: Any) -> list[Any]:
        return list(await stored(self.database_url, query, **values))

    async def there(self, query: str, wanted: bool = True, **values: Any) -> None:
        """Return as soon as the store holds such a row."""
        for _ in range(1_000):
            if bool(await self.stored(query, **values)) is wanted:
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"{'never came' if wanted else 'still there'}: {query}")

    async def gone(self, query: str, **values: Any) -> None:
        """Return as soon as the store holds no such row."""
        await self.there(query, wanted=False, **values)

    async def change(self, statement: str, **values: Any) -> None:
        await change(self.database_url, statement, **values)

    async def disable(self, user_id: str) -> None:
        await self.change("UPDATE users SET disabled_at_ms = 1 WHERE id = :user", user=user_id)

    @asynccontextmanager
    async def socket(self, token: str) -> AsyncIterator[RawClient]:
        """A connection that has been welcomed."""
        async with raw_client(self.process.ws_url) as client:
            await client.hello(token)
            yield client

    async def hello_code(self, token: str) -> int:
        """With what a hello with this token is turned away, unanswered."""
        async with raw_client(self.process.ws_url) as client:
            await client.send(type="hello", token=token)
            return await client.refused()


@dataclass
class TypedGuest:
    id: str
    token: str
    attempt: str
    result: Message


async def type_text(client: RawClient, words: str = "ab ab") -> str:
    """Type a text to its end on a welcomed connection; the attempt."""
    attempt = new_id()
    opened = await client.open(attempt, source=custom(words))
    batch = [[0, key] for key in words]
    await client.send(type="keys", h=opened["h"], seq=1, events=batch)
    await client.expect("done", skip=("ack",), attempt=attempt)
    return attempt


def _member(answer: httpx.Response) -> Member:
    body = answer.json()
    return Member(body["user_id"], body["email"], body["access_token"], body["refresh_token"])
