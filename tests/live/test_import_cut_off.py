"""A server is killed while it stores what somebody brings along: none of it stays, or all."""

import asyncio
import time
from typing import Any

import httpx
import pytest

from tests.api.people import bearer
from tests.conftest import MakeServer
from tests.imports.exports import AT_MS, keybr, keybr_entry
from tests.live.guest import guest, stored

COUNT = 6_000
LESSONS = keybr(*(keybr_entry(timeStamp=AT_MS + 60_000 * place) for place in range(COUNT)))
PRESSES = COUNT * sum(entry["hitCount"] for entry in keybr_entry()["histogram"])
# What the store says while it is in the middle of it.
BUSY = {
    "sqlite": "SELECT 1 FROM unfinished_imports WHERE (SELECT count(*) FROM attempts) > 1000",
    "postgresql": (
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
        " AND query LIKE 'INSERT INTO attempts%'"
        " AND xact_start < clock_timestamp() - interval '50 ms'"
    ),
}
COUNTED = "SELECT count(*), coalesce(sum(length(import_key)), 0) FROM attempts WHERE user_id = :id"
PRESSED = "SELECT coalesce(sum(presses), 0) FROM key_counters WHERE user_id = :id"


async def test_a_server_that_is_killed_leaves_no_half_of_a_file(
    make_server: MakeServer, database_url: str
) -> None:
    server = make_server(database_url)
    await server.start()
    async with guest(server.ws_url) as person:
        who, token = person.welcome["user"]["id"], person.token

    async def bring() -> Any:
        async with httpx.AsyncClient(timeout=60) as client:
            url = f"{server.http_url}/api/v1/imports"
            answer = await client.post(url, content=LESSONS, headers=bearer(token))
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def kept() -> tuple[int, int]:
        """How many results, and how many presses of keys."""
        [(results, _)] = await stored(database_url, COUNTED, id=who)
        [(presses,)] = await stored(database_url, PRESSED, id=who)
        return results, int(presses)

    bringing = asyncio.create_task(bring())
    busy = BUSY[database_url.partition("+")[0]]
    until_s = time.monotonic() + 30
    while not await stored(database_url, busy):
        assert not bringing.done(), "it was never in the middle"
        assert time.monotonic() < until_s
        await asyncio.sleep(0.002)
    await server.kill()
    with pytest.raises(httpx.HTTPError):
        await bringing

    await server.start()
    assert await kept() == (0, 0)
    assert (await bring())["new"] == COUNT
    assert await kept() == (COUNT, PRESSES)
    assert (await bring())["known"] == COUNT
    assert await kept() == (COUNT, PRESSES)
