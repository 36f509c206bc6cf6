"""Races over real sockets: what racers and watchers are told, on either store."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import httpx

from server.live.races import WATCHERS_MAX
from tests.expected_score import graphemes
from tests.live.conftest import Served
from tests.live.guest import change, custom, new_id, stored
from tests.live.racer import TEXT, Racer, racer


async def lobby(stack: AsyncExitStack, url: str, count: int = 2, **fields: Any) -> list[Racer]:
    """So many people in one new race; the first is its host."""
    people = [await stack.enter_async_context(racer(url)) for _ in range(count)]
    race = await people[0].create(**fields)
    for person in people[1:]:
        await person.ask("join", code=race["code"])
    return people


async def running(people: list[Racer]) -> None:
    """Start the race of these people, and wait for the start."""
    await people[0].ask("start")
    for person in people:
        if "h" not in person.race:
            await person.begun()
        person.seq = 0
    for person in people:
        await person.event("go")


async def test_five_race_and_all_are_told_the_same(either: Served) -> None:
    async with AsyncExitStack() as stack:
        people = await lobby(stack, either.url, 5)
        await running(people)
        # The slowest sends first: places go by the time that was typed in, not by arrival.
        await asyncio.sleep(1.0)
        slowest_first = list(enumerate(people))[::-1]
        typing = (one.typed_to_the_end(first_ms=900 + 10 * slot) for slot, one in slowest_first)
        await asyncio.gather(*typing)
        overs = [await person.event("over") for person in people]

        assert len({str(over["places"]) for over in overs}) == 1
        assert overs[0]["places"] == [[slot, slot + 1, 900 + 10 * slot] for slot in range(5)]
        assert all(person.n == people[0].n for person in people)
        rows = await stored(
            either.database_url,
            "SELECT slot, place, racers.duration_ms, attempts.duration_ms AS typed_ms, kind, state"
            " FROM racers JOIN attempts ON attempts.id = attempt_id WHERE race_id = :race"
            " ORDER BY slot",
            race=people[0].race["race"],
        )
        assert [(row.slot, row.place, row.duration_ms) for row in rows] == [
            tuple(place) for place in overs[0]["places"]
        ]
        assert all(row.typed_ms == row.duration_ms for row in rows)
        assert {(row.kind, row.state) for row in rows} == {("race", "finished")}


async def test_progress_reaches_racers_and_watchers(url: str) -> None:
    async with AsyncExitStack() as stack:
        first, second = people = await lobby(stack, url)
        watcher = await stack.enter_async_context(racer(url))
        state = await watcher.ask("watch", race=first.race["race"])
        assert (state["you"], state["watchers"], "text" in state) == (None, 1, False)
        await running(people)
        await asyncio.sleep(0.2)
        await first.press("the ", 40)
        for person in (second, watcher):
            told = await person.got("race.progress")
            (moved,) = told["racers"]
            assert (moved[0], moved[1], moved[3]) == (0, 4, 1.0)
            assert told["n"] == person.n


async def test_two_hundred_may_watch(url: str) -> None:
    async with AsyncExitStack() as stack:
        host = await stack.enter_async_context(racer(url))
        race = (await host.create())["race"]
        guests = [await stack.enter_async_context(racer(url)) for _ in range(WATCHERS_MAX + 1)]
        states = await asyncio.gather(*(one.ask("watch", race=race) for one in guests[1:]))
        assert {state["type"] for state in states} == {"race"}
        refused = await guests[0].ask("watch", race=race)
        assert (refused["type"], refused["code"]) == ("error", "full")
        # Whoever takes a slot watches no more, and whoever only watched makes room.
        assert (await guests[1].ask("join", race=race))["you"] == 1
        assert (await guests[0].ask("watch", race=race))["watchers"] == WATCHERS_MAX


async def test_who_deletes_the_account_leaves_the_race_to_others(either: Served) -> None:
    async with AsyncExitStack() as stack:
        host, other = await lobby(stack, either.url)
        third = await stack.enter_async_context(racer(either.url))
        await third.ask("join", code=host.race["code"])
        api = either.process.http_url + "/api/v1/users/me"
        async with httpx.AsyncClient() as client:
            headers = {"Authorization": f"Bearer {host.token}"}
            answer = await client.request("DELETE", api, headers=headers, json={})
        assert answer.status_code == 204
        await other.event("left", slot=0)
        await other.event("host", slot=1)
        late = await stack.enter_async_context(racer(either.url))
        await late.ask("watch", race=other.race["race"])
        await late.sync(other.race["race"], 0)
        assert [told["name"] == "" for told in late.told if told["event"] == "joined"] == [
            *(True, False, False)
        ]
        await other.ask("start")
        assert other.race["phase"] == "countdown"


async def test_a_command_nobody_waits_for_any_more_holds_no_slot(either: Served) -> None:
    async with AsyncExitStack() as stack:
        host, other = await lobby(stack, either.url)
        process, _, _ = (await seats(either, host))[0].partition("/")
        # As if the connection had ended between the commit of the join and its answer.
        await change(
            either.database_url,
            "UPDATE racers SET seat = :seat WHERE race_id = :race AND slot = 1",
            seat=f"{process}/gone",
            race=host.race["race"],
        )
        await host.event("connection", slot=1, connected=False)
        await host.event("connection", slot=1, connected=True)  # for in truth somebody is there
        assert (await seats(either, host))[1] not in (None, f"{process}/gone")
        assert other.race["race"] == host.race["race"]


async def seats(served: Served, person: Racer) -> list[str]:
    """Which connection holds each slot of the person's race, as stored."""
    rows = await stored(
        served.database_url,
        "SELECT seat FROM racers WHERE race_id = :race ORDER BY slot",
        race=person.race["race"],
    )
    return [row.seat for row in rows]


async def test_the_text_comes_with_the_countdown(url: str) -> None:
    async with AsyncExitStack() as stack:
        first, second = people = await lobby(stack, url)
        assert all("text" not in person.race for person in people)
        assert first.race["text_length"] == len(TEXT)
        await first.ask("start")
        for person in people:
            if "h" not in person.race:
                await person.begun()
        countdown = next(told for told in second.told if told["event"] == "countdown")
        assert countdown["text"] == TEXT
        assert 2_500 < countdown["starts_at_ms"] - first.welcome["server_ms"] < 8_000


async def test_keys_before_the_start_are_early_and_cost_nothing(url: str) -> None:
    async with AsyncExitStack() as stack:
        first, _ = await lobby(stack, url)
        await first.ask("start")
        for _ in range(6):
            await first.keys(1, [[0, "t"]])
            reject = await first.got("reject")
            assert (reject["code"], reject["seq"]) == ("early", 1)
        await first.event("go")
        await first.keys(1, [[0, "t"]])
        assert (await first.got("ack"))["seq"] == 1


async def test_a_racer_who_drops_comes_back_to_attempt_and_race(either: Served) -> None:
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(racer(either.url))
        race = await first.create()
        async with racer(either.url) as second:
            await second.ask("join", code=race["code"])
            await running([first, second])
            await asyncio.sleep(0.1)
            await second.press("the", 10)
            await second.got("ack")
            token, attempt, n = second.token, second.attempt, second.n
        assert (await first.event("connection", slot=1))["connected"] is False

        again = await stack.enter_async_context(racer(either.url, token))
        await again.send(type="open", id=1, attempt=attempt)
        opened = await again.expect("opened", re=1)
        assert (opened["seq"], opened["typed"], opened["state"]) == (3, "the", "running")
        assert opened["source"]["kind"] == "race"
        assert (await first.event("connection", slot=1))["connected"] is True
        state = await again.sync(race["race"], n)
        assert (state["you"], state["attempt"], state["h"]) == (1, attempt, opened["h"])
        assert again.names() == ["connection", "connection"]
        again.h = opened["h"]
        await again.keys(4, [[1, key] for key in TEXT[3:]])
        assert (await again.got("done"))["result"]["duration_ms"] > 0
        await first.typed_to_the_end()
        over = await again.event("over")
        assert [place[0] for place in over["places"]] == [0, 1]


async def test_sync_beyond_what_is_kept_brings_the_state_alone(url: str) -> None:
    async with AsyncExitStack() as stack:
        _, second = await lobby(stack, url)
        for n in (10_000, 3):
            assert (await second.sync(second.race["race"], n))["n"] == 3
        assert second.names() == []
        await second.sync(second.race["race"], 1)
        assert second.names() == ["host", "joined"]


async def test_a_quick_race_begins_by_itself(url: str) -> None:
    async with racer(url) as first, racer(url) as second:
        one = await first.ask("quick", language="ru")
        two = await second.ask("quick", language="ru")
        assert (one["race"], two["you"]) == (two["race"], 1)
        await second.ask("ready", ready=True)
        assert "countdown" not in second.names()
        await first.ask("ready", ready=True)
        for person in (first, second):
            if "h" not in person.race:
                await person.begun()
        assert first.race["language"] == "ru"


async def test_people_who_ask_at_once_get_into_one_quick_race(either: Served) -> None:
    async with AsyncExitStack() as stack:
        people = [await stack.enter_async_context(racer(either.url)) for _ in range(4)]
        states = await asyncio.gather(*(one.ask("quick", language="en") for one in people))
        assert len({state["race"] for state in states}) == 1
        for person in people:
            await person.ask("leave")


async def test_the_last_place_goes_to_one(either: Served) -> None:
    async with AsyncExitStack() as stack:
        host, *others = [await stack.enter_async_context(racer(either.url)) for _ in range(4)]
        race = await host.create(racers_max=2)
        answers = await asyncio.gather(*(one.ask("join", race=race["race"]) for one in others))
        refused = [answer["code"] for answer in answers if answer["type"] == "error"]
        assert refused == ["full", "full"]


async def test_who_comes_late_watches(url: str) -> None:
    async with AsyncExitStack() as stack:
        first, _ = await lobby(stack, url)
        await first.ask("start")
        late = await stack.enter_async_context(racer(url))
        state = await late.ask("join", code=first.race["code"])
        assert (state["you"], state["phase"], state["text"]) == (None, "countdown", TEXT)
        assert (await late.ask("ready", ready=True))["code"] == "forbidden"


async def test_leaving_while_it_runs_is_no_finish(url: str) -> None:
    async with AsyncExitStack() as stack:
        first, second = people = await lobby(stack, url)
        await running(people)
        await second.ask("leave")
        assert (await second.got("done"))["result"] is None
        await first.event("dnf", slot=1, why="left")
        back = await second.ask("join", race=first.race["race"])
        assert (back["you"], back["racers"][1]["dnf"]) == (1, "left")  # for good
        await first.typed_to_the_end()
        assert (await first.event("over"))["places"] == [[0, 1, 0]]


async def test_the_host_hands_on(url: str) -> None:
    async with AsyncExitStack() as stack:
        first, second = await lobby(stack, url)
        await first.ask("leave")
        await second.event("host", slot=1)
        assert (await second.ask("start"))["code"] == "conflict"  # nobody else is there


async def test_once_more_with_the_same_people(url: str) -> None:
    async with AsyncExitStack() as stack:
        first, second = people = await lobby(stack, url)
        assert (await first.ask("again"))["code"] == "not_started"
        await running(people)
        assert (await first.ask("again"))["code"] == "conflict"
        for person in people:
            await person.typed_to_the_end()
        for person in people:
            await person.event("over")
        old = first.race["race"]
        state = await second.ask("again")
        assert (state["phase"], state["you"], state["host"]) == ("lobby", 0, 0)
        again = await first.event("again")
        assert (again["race"], again["next"], again["code"]) == (old, state["race"], state["code"])
        # By its code, its id, or as who goes back to where they were.
        joined = await first.ask("join", race=old)
        assert (joined["race"], joined["you"]) == (state["race"], 1)


async def typed_before(stack: AsyncExitStack, url: str) -> list[Racer]:
    """Two whose last race, typed in 400 ms, may be raced against."""
    people = await lobby(stack, url)
    await running(people)
    await asyncio.sleep(0.5)
    for person in people:
        await person.typed_to_the_end(first_ms=400)
    for person in people:
        await person.event("over")
    return people


async def test_a_ghost_races_along(url: str) -> None:
    async with AsyncExitStack() as stack:
        first, second = await typed_before(stack, url)
        ghost = first.attempt
        refused = await second.create(ghosts=[ghost])
        assert refused["code"] == "not_found"  # another person's, and on no leaderboard
        state = await first.create("some other words", ghosts=[ghost])
        assert state["type"] == "race", state
        assert state["text_length"] == len(TEXT)
        assert [one["ghost"] for one in state["racers"]] == [False, True]
        await first.ask("start")
        await first.event("go")
        moved = await first.got("race.progress")
        assert moved["racers"][0][:2] == [1, len(TEXT)]
        await first.event("placed", slot=1, place=1, duration_ms=400)
        first.h = first.race["h"]
        await first.typed_to_the_end(first_ms=700)
        assert [place[0] for place in (await first.event("over"))["places"]] == [1, 0]


async def test_a_ghost_whose_text_was_never_complete_has_no_place(either: Served) -> None:
    async with AsyncExitStack() as stack:
        person, _ = await typed_before(stack, either.url)
        ghost = person.attempt
        # As if its time had been over before its text.
        await change(
            either.database_url, "UPDATE attempts SET position = 4 WHERE id = :id", id=ghost
        )
        await person.create(ghosts=[ghost])
        await person.ask("start")
        await person.event("go")
        await asyncio.sleep(1.2)
        await person.typed_to_the_end(first_ms=1_100)
        assert (await person.event("over"))["places"] == [[0, 1, 1_100]]


async def test_who_comes_back_to_a_finished_race_sees_where_its_ghosts_were(
    either: Served,
) -> None:
    async with AsyncExitStack() as stack:
        before, _ = await typed_before(stack, either.url)
        async with racer(either.url, before.token) as person:
            await person.create(ghosts=[before.attempt])
            await person.ask("start")
            await person.event("go")
            await asyncio.sleep(0.5)
            await person.typed_to_the_end(first_ms=450)
            await person.event("over")
            left = await person.sync(person.race["race"], person.n)
        assert [one["position"] for one in left["racers"]] == [len(TEXT)] * 2
        async with racer(either.url, before.token) as again:
            found = await again.sync(left["race"], left["n"])
        shown = ("slot", "position", "wpm", "accuracy", "place", "finished_ms")
        assert [[one[name] for name in shown] for one in found["racers"]] == [
            [one[name] for name in shown] for one in left["racers"]
        ]


async def test_what_was_raced_is_listed(either: Served) -> None:
    words = "👨‍👩‍👧 на́м"  # four characters of a keyboard, and a space
    async with AsyncExitStack() as stack:
        first, second = people = await lobby(stack, either.url, source=custom(words))
        await running(people)
        await second.finish("quit", seq=0)
        await first.typed_to_the_end(graphemes(words), first_ms=10)
        over = await first.event("over")
        assert first.race["text_length"] == 5
        api = either.process.http_url + "/api/v1/users/me/races"
        async with httpx.AsyncClient() as client:
            for person, place, dnf in ((first, 1, None), (second, None, "quit")):
                headers = {"Authorization": f"Bearer {person.token}"}
                told = (await client.get(api, headers=headers)).json()
                assert (told["total"], told["next"]) == (1, None)
                (raced,) = told["results"]
                assert (raced["race"], raced["attempt"]) == (over["race"], person.attempt)
                assert (raced["place"], raced["dnf"], raced["racers"]) == (place, dnf, 2)
                assert raced["text_length"] == 5


async def test_what_is_asked_wrong_is_refused_and_nothing_changes(url: str) -> None:
    async with AsyncExitStack() as stack:
        first, second = await lobby(stack, url)
        other = await stack.enter_async_context(racer(url))
        nobody = await other.ask("join", race=new_id())
        assert nobody["code"] == "not_found"
        for kind in ("start", "leave", "again", "unwatch"):
            assert (await other.ask(kind))["code"] == "not_found"
        assert (await second.ask("start"))["code"] == "forbidden"
        assert (await second.ask("create"))["code"] == "busy"
        assert (await second.ask("quick", language="en"))["code"] == "busy"
        assert (await second.ask("unwatch"))["code"] == "forbidden"
        assert (await other.ask("quick", language="tlh"))["code"] == "not_found"
        timed = {"kind": "time", "seconds": 30, "language": "en"}
        assert (await other.ask("create", source=timed))["code"] == "bad_field"
        assert (await other.ask("create", racers_max=21))["code"] == "bad_field"
        state = await second.sync(first.race["race"], 0)
        assert (state["n"], state["phase"]) == (3, "lobby")


async def test_codes_cannot_be_tried_out(url: str) -> None:
    async with racer(url) as person:
        codes = [f"22222{letter}" for letter in "23456789ABC"]
        answers = [await person.ask("join", code=code) for code in codes]
        assert [answer["code"] for answer in answers] == ["not_found"] * 10 + ["rate"]
        assert answers[-1]["retry_ms"] > 0
