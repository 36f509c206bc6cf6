"""What is kept of answers: as much as there is room for, and right whoever stores what."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from server.api.kept import SHARED_MAX, KeptAnswers, Shared, entity_tag, is_known
from server.auth import Tokens
from server.clock import Clock
from server.db.journal import Journal
from tests.api.people import Site, bearer, type_text
from tests.conftest import MakeServer
from tests.db.stored import Recorder, new_attempt, opened_database, person, running, type_batch
from tests.processes import JWT_SECRET

STORED = 12
PATHS = ("/users/me/progress", "/progress/stats", "/progress/charts", "/key-stats")


def test_what_was_not_asked_for_longest_makes_room() -> None:
    kept = KeptAnswers(bytes_max=10)
    kept.keep("a", b"1234")
    kept.keep("b", b"1234")
    assert kept.find("a") == b"1234"
    kept.keep("c", b"1234")
    assert (kept.find("a"), kept.find("b"), kept.find("c")) == (b"1234", None, b"1234")
    kept.keep("c", b"123456")
    assert (kept.find("a"), kept.find("c")) == (b"1234", b"123456")
    kept.keep("d", b"more than there is room for")
    assert [kept.find(tag) for tag in "acd"] == [None, None, None]
    kept.keep("e", b"1234567890")
    assert kept.find("e") == b"1234567890"


def test_tags() -> None:
    tag = entity_tag("somebody", (1, 2), "/path", "", None)
    assert tag == entity_tag("somebody", (1, 2), "/path", "", None)
    assert tag != entity_tag("somebody", (1, 3), "/path", "", None)
    assert is_known(tag, tag)
    assert is_known(tag, f'"other", {tag.removeprefix("W/")}')
    assert not is_known(tag, "")
    assert not is_known(tag, '"other"')


def attempts_in(body: dict[str, Any]) -> int:
    """Of how many attempts an answer speaks."""
    if "days" in body:
        return sum(day["attempts"] for day in body["days"])
    found: int = body["total"] if "total" in body else body["attempts"]
    return found


async def test_no_process_answers_with_less_than_is_stored(
    make_server: MakeServer, postgresql_url: str
) -> None:
    servers = [
        make_server(postgresql_url, environment={"RATE_LIMIT_ENABLED": "false"}) for _ in range(2)
    ]
    await asyncio.gather(*(server.start() for server in servers))
    who = person()
    stored = 0
    done = asyncio.Event()

    async def watch(base_url: str, path: str) -> int:
        """Ask again and again, as a browser with a cache does; how many answers there were."""
        body, tag, answers, asked_last = {}, "", 0, False
        headers = bearer(Tokens(JWT_SECRET).guest(who.id, Clock().now_ms()))
        async with httpx.AsyncClient(base_url=base_url, headers=headers) as client:
            while not (asked_last and answers > 1):
                asked_last, least = done.is_set(), stored
                answer = await client.get(f"/api/v1{path}", headers={"If-None-Match": tag})
                if answer.status_code != 304:
                    assert answer.status_code == 200, answer.text
                    body, tag = answer.json(), answer.headers.get("etag", "")
                counted = attempts_in(body)
                assert counted >= least, (path, answer.status_code)
                answers += 1
            assert counted == STORED
        return answers

    async with opened_database(postgresql_url) as database, asyncio.TaskGroup() as tasks:
        watching = [
            tasks.create_task(watch(server.http_url, path)) for server in servers for path in PATHS
        ]
        owner = Recorder()
        async with running(Journal(database)) as journal:
            for _ in range(STORED):
                attempt = await new_attempt(database, who, opened_at_ms=Clock().now_ms() - 60_000)
                journal.write(owner.end(attempt, type_batch(attempt, "a bad cab")))
                await journal.flush()
                stored += 1
        done.set()
    assert all(task.result() > 1 for task in watching)


async def test_a_guests_attempts_are_seen_as_soon_as_they_have_moved(site: Site) -> None:
    member = await site.register()
    guest = await site.guest()
    for path in PATHS:
        answer = await site.ask("GET", path, member.access)
        assert attempts_in(answer.json()) == 0
    again = await site.log_in(member.email, guest.token)
    for path in PATHS:
        answer = await site.ask("GET", path, again.access)
        assert attempts_in(answer.json()) == 1


async def test_a_guest_that_comes_back_after_deletion_starts_with_nothing(site: Site) -> None:
    guest = await site.guest("ab ab")
    tags = set()
    for path in PATHS:
        answer = await site.ask("GET", path, guest.token)
        assert attempts_in(answer.json()) == 1
        tags.add(answer.headers["etag"])
    assert (await site.ask("DELETE", "/users/me", guest.token, json={})).status_code == 204
    for path in PATHS:
        answer = await site.ask("GET", path, guest.token)
        assert attempts_in(answer.json()) == 0
        assert "etag" not in answer.headers
    async with site.socket(guest.token) as client:
        attempt = await type_text(client, "cd cd cd")
    page = (await site.ask("GET", PATHS[0], guest.token)).json()
    assert [row["id"] for row in page["results"]] == [attempt]
    assert page["results"][0]["text_preview"] == "cd cd cd"


async def test_what_several_ask_for_is_made_once_and_outlives_who_asked_first() -> None:
    shared: Shared[str] = Shared()
    made: list[int] = []
    go_on = asyncio.Event()

    async def make() -> str:
        made.append(len(made))
        await go_on.wait()
        return f"number {len(made)}"

    first, second = (asyncio.create_task(shared.get("a", make)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    go_on.set()
    assert await second == "number 1"
    assert await shared.get("a", make) == "number 1"
    assert await shared.get("b", make) == "number 2"


async def test_a_failure_is_told_to_all_who_wait_and_tried_again_by_the_next() -> None:
    shared: Shared[str] = Shared()

    async def fail() -> str:
        await asyncio.sleep(0)
        raise OSError("away")

    async def make() -> str:
        return "made"

    told = await asyncio.gather(*(shared.get("a", fail) for _ in range(2)), return_exceptions=True)
    assert [type(one) for one in told] == [OSError, OSError]
    assert await shared.get("a", make) == "made"


async def test_what_was_shared_longest_ago_makes_room() -> None:
    shared: Shared[int] = Shared()
    made: list[int] = []

    def making(number: int) -> Callable[[], Awaitable[int]]:
        async def make() -> int:
            made.append(number)
            return number

        return make

    for number in [*range(SHARED_MAX), 0, SHARED_MAX, 0, 1]:
        await shared.get(str(number), making(number))
    assert made == [*range(SHARED_MAX), SHARED_MAX, 1]
