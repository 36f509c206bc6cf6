"""What answering costs the store: no table is read whole, and no trip is made in vain."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import insert

from server.app import ENDPOINTS, build, create_app
from server.auth import Tokens
from server.clock import Clock
from server.db.collections import collection_words, collections
from server.db.tables import metadata
from server.settings import Settings
from tests.db.plans import asking, full_scans
from tests.fill import fill
from tests.processes import JWT_SECRET, settings

# Every question anybody may ask, so that no statement goes unseen; {attempt} is one of theirs.
FILTERS = "kind=time&mode=time:60&language=en&verdict=ranked&from_date=0&to_date=99999999999999"
ASKED: dict[str, list[str]] = {
    "/users/{id}/progress": [
        "/users/me/progress",
        "/users/me/progress?offset=5",
        "/users/me/progress?cursor=99999999999999.{attempt}",
        "/users/me/progress?offset=900",
        "/users/me/progress?language=und",
        "/users/me/progress?lesson_id=one",
        f"/users/me/progress?{FILTERS}",
        f"/users/me/progress?cursor=99999999999999.{{attempt}}&{FILTERS}",
    ],
    "/progress/stats": ["/progress/stats", "/progress/stats?period=week&utc_offset_minutes=60"],
    "/progress/charts": [
        "/progress/charts",
        "/progress/charts?mode=time:60&kind=time&language=en&verdict=ranked&from_day=2026-01-01"
        "&to_day=2026-12-31&utc_offset_minutes=-60",
    ],
    "/key-stats": [
        "/key-stats",
        "/key-stats?language=en&layout=qwerty",
        "/key-stats?period=month&language=und",
        "/key-stats?mode=time:60&verdict=ranked&from_day=2026-01-01&to_day=2026-12-31",
    ],
    "/practice": [
        "/practice?language=en&layout=qwerty",
        "/practice?language=ru&layout=jcuken&words_in=ru",
    ],
    "/attempts/{id}": ["/attempts/{attempt}"],
    "/attempts/{id}/replay": ["/attempts/{attempt}/replay"],
    "/leaderboards/{board}": [
        "/leaderboards/time:60?language=en",
        "/leaderboards/time:60?language=en&period=week",
    ],
    "/lessons": ["/lessons", "/lessons?block_id=2&language=ru&include_content=true"],
    "/lessons/{id}": ["/lessons/block_1_lesson_1?language=en"],
    "/layouts": ["/layouts"],
    "/layouts/{name}": ["/layouts/dvorak"],
    "/users/me": ["/users/me"],
    "/users/me/export": ["/users/me/export"],
    "/collections": ["/collections"],
    "/collections/{id}": ["/collections/{collection}"],
    "/collections/{id}/texts": ["/collections/{collection}/texts"],
    "/public-collections": [
        "/public-collections",
        "/public-collections?q=sea son",
        "/public-collections?language=en",
        "/public-collections?q=sea&language=en"
        "&cursor=99999999999999.00000000-0000-4000-8000-000000000000",
    ],
    "/texts/{id}": ["/texts/{text}"],
    "/subscription/status": ["/subscription/status"],
    "/subscription/plans": [],  # asks no store
    "/users/me/races": ["/users/me/races", "/users/me/races?limit=5&offset=10"],
}
# Beside the one that says who calls; others: 1.
TRIPS = {"/progress/stats": 2, "/progress/charts": 3, "/key-stats": 3}
KEPT = [endpoint.path for endpoint in ENDPOINTS if endpoint.kept is not None]


class Filled:
    """The application over a store with a few people in it, and the one who asks."""

    def __init__(self, url: str) -> None:
        given = Settings.from_environ(settings(url) | {"RATE_LIMIT_ENABLED": "false"})
        self.parts = build(given)
        self.database = self.parts.database
        app = create_app(self.parts, given, lambda: None)
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://test/api/v1"
        )
        self.named: dict[str, str] = {}

    async def fill(self) -> None:
        now_ms = Clock().now_ms()
        who, *_ = await fill(
            self.database, people=5, attempts_count=120, heaviest=60, now_ms=now_ms
        )
        self.client.headers["Authorization"] = f"Bearer {Tokens(JWT_SECRET).guest(who, now_ms)}"
        page = await self.client.get("/users/me/progress?limit=1&offset=1")
        self.named = {"attempt": page.json()["results"][0]["id"]}
        made = await self.client.post("/collections", json={"name": "Mine"})
        self.named["collection"] = made.json()["id"]
        texts = f"/collections/{self.named['collection']}/texts"
        put = await self.client.post(texts, json={"text": "ab"})
        self.named["text"] = put.json()["id"]
        await self.publish(who)

    async def publish(self, owner: str) -> None:
        """Many public collections: where there are hardly any, any way to find them is as good."""
        facts: dict[str, Any] = {
            "user_id": owner,
            "description": "",
            "tags": [],
            "visibility": "public",
        }
        facts |= {"texts": 0, "chars": 0, "created_at_ms": 0, "updated_at_ms": 0}
        ids = [f"collection {n}" for n in range(60)]
        words = [{"word": f"w{n}", "collection_id": one} for one in ids for n in range(40)]
        rows = [{"id": one, "name": one, "published_at_ms": 0, **facts} for one in ids]
        async with self.database.write() as connection:
            await connection.execute(insert(collections), rows)
            await connection.execute(insert(collection_words), words)

    async def get(self, url: str, **headers: str) -> httpx.Response:
        answer = await self.client.get(url.format(**self.named), headers=headers)
        assert answer.status_code in (200, 304), (url, answer.text)
        return answer


@pytest_asyncio.fixture
async def filled(database_url: str) -> AsyncIterator[Filled]:
    filled = Filled(database_url)
    async with filled.client:
        await filled.fill()
        yield filled
    await filled.database.close()


def test_no_endpoint_that_asks_is_left_out() -> None:
    assert set(ASKED) == {endpoint.path for endpoint in ENDPOINTS if endpoint.method == "GET"}


async def test_no_endpoint_reads_a_whole_table(filled: Filled) -> None:
    async with asking(filled.database) as asked:
        for url in [url for urls in ASKED.values() for url in urls]:
            await filled.get(url)
        answer = await filled.client.post("/ai/weak-keys-analysis", json={"language": "en"})
        assert answer.status_code == 200
    assert len(asked) > len(ASKED)
    scanned = {
        table: await full_scans(filled.database, asked, table)
        for table in metadata.tables
        if table not in ("texts", "lessons")  # a few that ship with the program
    }
    assert {table: found for table, found in scanned.items() if found} == {}


@pytest.mark.parametrize("path", KEPT)
async def test_an_answer_is_made_in_few_trips_and_then_kept(filled: Filled, path: str) -> None:
    async def trips(url: str, **headers: str) -> tuple[int, Any]:
        async with asking(filled.database) as asked:
            answer = await filled.get(url, **headers)
        return len(asked), answer

    for url in ASKED[path]:
        first, made = await trips(url)
        past_the_end = "offset=900" in url
        assert first <= 1 + TRIPS.get(path, 1) + past_the_end, url
        tag = made.headers["etag"]
        again, kept = await trips(url)
        assert (again, kept.content, kept.headers["etag"]) == (1, made.content, tag)
        unchanged, same = await trips(url, **{"If-None-Match": tag})
        assert (unchanged, same.status_code, same.content) == (1, 304, b"")
