"""A server, people who call it, and what they have typed, put straight into its store."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from server.auth import Tokens
from server.clock import Clock
from server.core.attempt import EndReason
from server.db.database import Database
from server.db.journal import Journal, Outcome
from server.db.queries import Person, StoredAttempt, keep_guest
from tests.conftest import MakeServer
from tests.db.stored import (
    Recorder,
    add_attempt,
    new_attempt,
    opened_database,
    person,
    running,
    type_batch,
)
from tests.fill import Row
from tests.processes import JWT_SECRET, ServerProcess

NOBODY = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class Api:
    """The API of a running server, and its store."""

    client: httpx.AsyncClient
    database: Database

    async def get(
        self, path: str, who: Person | None = None, known: str | None = None, **query: Any
    ) -> httpx.Response:
        """Ask; `known` is the tag of an answer the caller still has."""
        headers = {} if known is None else {"If-None-Match": known}
        return await self.client.get(path, params=query, headers=headers | _token(who))

    async def post(self, path: str, body: Any, who: Person | None = None) -> httpx.Response:
        return await self.client.post(path, json=body, headers=_token(who))

    async def patch(self, path: str, body: Any, who: Person) -> httpx.Response:
        return await self.client.patch(path, json=body, headers=_token(who))

    async def ask(self, path: str, who: Person | None = None, **query: Any) -> Any:
        """The JSON of an answer that must be 200."""
        answer = await self.get(path, who, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def guest(self) -> Person:
        """A guest with a row of their own."""
        who = person()
        async with self.database.write() as connection:
            await keep_guest(connection, who, 0)
        return who

    async def typed(
        self,
        who: Person,
        words: str,
        keys: Sequence[str] | None = None,
        why: EndReason = EndReason.DONE,
        dt_ms: int = 100,
        **options: Any,
    ) -> StoredAttempt:
        """An attempt of the words, typed and ended just now unless `opened_at_ms` says when."""
        options.setdefault("opened_at_ms", Clock().now_ms() - 60_000)
        async with running(Journal(self.database)) as journal:
            while True:
                owner = Recorder()
                stored = await new_attempt(self.database, who, words, **options)
                batch = type_batch(stored, keys or words, dt_ms)
                journal.write(owner.end(stored, batch, why))
                await journal.flush()
                # The server ends one so old by itself if it looks just now: then once more.
                if owner.outcomes[0][1] is Outcome.COMMITTED:
                    return stored

    async def add(self, made: Row, who: Person, finished_at_ms: int, **columns: Any) -> str:
        """Store the model as the person's attempt, ended at that time; its id."""
        row = await add_attempt(self.database, made, who.id, finished_at_ms, **columns)
        return str(row["id"])


def token(who: Person) -> str:
    """What says that one is this guest."""
    return Tokens(JWT_SECRET).guest(who.id, Clock().now_ms())


def _token(who: Person | None) -> dict[str, str]:
    return {} if who is None else {"Authorization": f"Bearer {token(who)}"}


@asynccontextmanager
async def opened_api(server: ServerProcess, database_url: str) -> AsyncIterator[Api]:
    """The API of a running server."""
    async with (
        opened_database(database_url) as database,
        httpx.AsyncClient(base_url=f"{server.http_url}/api/v1") as client,
    ):
        yield Api(client, database)


@asynccontextmanager
async def served(make_server: MakeServer, database_url: str) -> AsyncIterator[Api]:
    """The API of a server of this test alone, without budgets."""
    server = make_server(database_url, environment={"RATE_LIMIT_ENABLED": "false"})
    await server.start()
    async with opened_api(server, database_url) as api:
        yield api


def error_code(answer: httpx.Response) -> tuple[int, str]:
    """The status and the code of a refusal."""
    return answer.status_code, answer.json()["error"]["code"]
