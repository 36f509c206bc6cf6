"""A whole server whose Redis goes away and comes back: everything is answered all the while."""

import uuid
from random import Random
from typing import Any

import httpx
import pytest

from server.clock import Clock
from server.core.source import Source, SourceKind
from server.db.bests import Board, BoardPeriod
from server.db.database import Database
from server.db.leaderboards import load_standing
from tests.api.people import PASSWORD, bearer, new_email
from tests.conftest import MakeServer
from tests.db.stored import add_attempt, opened_database
from tests.fill import model
from tests.live.guest import guest
from tests.processes import ServerProcess
from tests.valkey import Valkey

REQUESTS = 8
CATEGORY = "time:en:60"
TIME_60 = Source(SourceKind.TIME, language="en", seconds=60)


class Visit:
    """People who come to the server and do all there is to do. Nothing may fail, or hang."""

    def __init__(
        self, server: ServerProcess, client: httpx.AsyncClient, database: Database
    ) -> None:
        self.server = server
        self.client = client
        self.database = database
        self.made = model(TIME_60, Random(2)) | {"verdict": "ranked"}
        self.people = 0

    async def get(self, path: str, token: str | None = None, **query: Any) -> httpx.Response:
        headers = bearer(token) if token else {}
        return await self.client.get(path, params=query, headers=headers)

    async def everything(self) -> None:
        token, user_id = await self.type()
        await self.look_back(token)
        await self.compare(token, user_id)
        await self.ask_too_often(token)
        await self.join()

    async def type(self) -> tuple[str, str]:
        async with guest(self.server.ws_url) as person:
            await person.begin("ab ab")
            await person.press("ab ab")
            await person.done()
            return person.token, person.welcome["user"]["id"]

    async def look_back(self, token: str) -> None:
        history = await self.get("/api/v1/users/me/progress", token)
        assert (history.status_code, history.json()["total"]) == (200, 1)

    async def compare(self, token: str, user_id: str) -> None:
        self.people += 1
        now_ms = Clock().now_ms()
        wpm = 60.0 + self.people
        await add_attempt(self.database, self.made, user_id, now_ms, wpm=wpm, id=str(uuid.uuid4()))
        answer = await self.get("/api/v1/leaderboards/time:60", token, period="month")
        assert answer.status_code == 200
        board = answer.json()
        assert (board["total"], board["me"]["rank"], board["me"]["wpm"]) == (self.people, 1, wpm)

    async def ask_too_often(self, token: str) -> None:
        """The budget is neither gone nor larger. Two requests were made before."""
        answers = [await self.get("/api/v1/users/me", token) for _ in range(REQUESTS)]
        codes = [answer.status_code for answer in answers]
        assert codes == [200] * (REQUESTS - 2) + [429] * 2

    async def join(self) -> None:
        account = {"email": new_email(), "password": PASSWORD}
        for action, status in (("register", 201), ("login", 200)):
            answer = await self.client.post(f"/api/v1/auth/{action}", json=account)
            assert answer.status_code == status

    async def ready(self) -> tuple[int, str, str]:
        answer = await self.get("/health/ready")
        found = answer.json()
        return answer.status_code, found["status"], found["checks"]["redis"]

    async def numbers(self) -> dict[str, float]:
        answer = await self.get("/metrics")
        assert answer.status_code == 200
        lines = [line.rpartition(" ") for line in answer.text.splitlines() if line[0] != "#"]
        return {name: float(value) for name, _, value in lines}

    async def shown_by_redis(self) -> bool:
        """Whether Redis knew when the board was looked at, and it was right."""
        name = 'typing_boards_total{source="redis"}'
        before = (await self.numbers()).get(name, 0.0)
        answer = await self.get("/api/v1/leaderboards/time:60", limit=100)
        board = Board.at(CATEGORY, BoardPeriod.ALL, Clock().now_ms())
        expected = await load_standing(self.database, board, limit=100)
        shown = [(row["rank"], row["user_id"], row["wpm"]) for row in answer.json()["results"]]
        assert shown == [(one.rank, one.user_id, one.wpm) for one in expected.page]
        return (await self.numbers()).get(name, 0.0) > before

    async def sees_redis(self) -> None:
        """Redis is there, and after a while knows the leaderboards."""
        assert await self.ready() == (200, "ok", "ok")
        assert (await self.numbers())["typing_redis_up"] == 1
        while not await self.shown_by_redis():
            pass


@pytest.mark.parametrize("how", ["stopped", "frozen"])
async def test_all_is_answered_while_redis_is_away_and_right_again_after(
    make_server: MakeServer, database_url: str, valkey: Valkey, how: str
) -> None:
    environment = {
        "REDIS_URL": valkey.url,
        "ENVIRONMENT": "test",
        "REQUESTS_FREE_PER_HOUR": str(REQUESTS),
    }
    server = make_server(database_url, environment=environment)
    await server.start()
    async with (
        opened_database(database_url) as database,
        httpx.AsyncClient(base_url=server.http_url) as client,
        guest(server.ws_url) as typist,
    ):
        visit = Visit(server, client, database)
        await typist.begin("one long text")
        await typist.typed("one ")
        await visit.everything()
        await visit.sees_redis()

        valkey.stop() if how == "stopped" else valkey.freeze()
        await typist.typed("long ")
        await visit.everything()
        assert await visit.ready() == (200, "degraded", "away")
        await visit.everything()
        assert not await visit.shown_by_redis()
        assert (await visit.numbers())["typing_redis_up"] == 0

        await valkey.start() if how == "stopped" else valkey.thaw()
        await visit.sees_redis()
        await visit.everything()
        await visit.sees_redis()
        await typist.press("text")
        await typist.done()
        found = await visit.numbers()
    statuses = {name for name in found if name.startswith("http_request_seconds_count")}
    assert len(statuses) > 5
    assert [name for name in statuses if 'status="5' in name] == []
    assert "Traceback" not in server.log()
