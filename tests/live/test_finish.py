"""How an attempt ends, and what `done` says of it."""

import asyncio
import time
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from tests.expected_score import Event, expected_counters, expected_result
from tests.live.conftest import Served
from tests.live.guest import Guest, custom, guest, new_id, stored
from tests.raw_client import Message

WORDS = "nobody knows"
RESULT = {
    *("position", "duration_ms", "wpm", "raw_wpm", "accuracy", "errors", "uncorrected"),
    *("consistency", "keys", "source", "rules", "text_length", "events", "late_ms", "scorer"),
    *("started_at", "finished_at", "personal_best"),
}
EMPTY_ROWS = "SELECT COUNT(*) FROM attempts WHERE id = :attempt AND finished_at_ms IS NOT NULL"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def type_all(person: Guest, words: str, dt_ms: int = 30, **fields: Any) -> Message:
    """Type a new attempt to its end, in real time; return its `done`."""
    await person.begin(words, **fields)
    await asyncio.sleep(dt_ms * len(words) / 1_000)
    await person.press(words, dt_ms)
    return await person.done(seq=len(words))


async def test_a_complete_text_is_done_without_being_asked(either: Served) -> None:
    typed = [Event(0, "n"), Event(40, "x"), Event(35, "\b")]
    typed += [Event(30, key) for key in WORDS[1:-1]] + [Event(50, "z")]
    async with guest(either.url) as person:
        await person.begin(WORDS)
        began_ms = now_ms()
        await person.keys(1, [[0, "n"]])
        await person.acked(1)
        await asyncio.sleep(0.5)
        await person.keys(2, [list(event) for event in typed[1:]])
        done = await person.done()
        await person.has_nothing_more()

    assert set(done) == {"type", "h", "attempt", "seq", "result", "verdict", "why"}
    assert (done["h"], done["attempt"], done["seq"]) == (person.h, person.attempt, len(typed))
    assert (done["verdict"], done["why"]) == ("ranked", [])
    result = done["result"]
    assert set(result) == RESULT
    expected = expected_result(WORDS, typed)
    assert {name: result[name] for name in expected} == expected
    assert (result["source"], result["rules"]) == ({"kind": "custom"}, {"errors": "free"})
    assert began_ms - 50 <= result["started_at"] < result["finished_at"] <= now_ms()
    assert 450 < result["finished_at"] - result["started_at"] < 2_000


async def test_a_text_of_a_language_names_it_in_the_result(url: str) -> None:
    async with guest(url) as person:
        source = {"kind": "words", "count": 10, "language": "ru"}
        opened = await person.begin(source=source)
        await person.press(opened["text"][:60])
        await person.finish("quit")
        result = (await person.done())["result"]
        assert set(result) == RESULT | {"language"}
        assert (result["source"], result["language"]) == (source, "ru")


async def test_what_comes_after_the_completing_event_is_dropped(either: Served) -> None:
    async with guest(either.url) as person:
        await person.begin("abc")
        await person.press("abcdef\b")
        done = await person.done(seq=3)
        assert (done["result"]["events"], done["result"]["position"]) == (3, 3)
        for seq in (4, 8, 1, 3, 2_000):  # old numbers too
            await person.keys(seq, [[0, "a"]])
            await person.expect("reject", code="finished", h=person.h, seq=4)
        standing = await person.standing()
        assert (standing["state"], standing["typed"]) == ("finished", "abc")


# Finish


async def test_finish_after_the_end_is_answered_with_done(either: Served) -> None:
    async with guest(either.url) as person:
        await person.begin("ab")
        await person.press("ab")
        await person.finish("done", id=5)  # in flight while the last keys are stored
        first = await person.done()
        if "re" not in first:
            first = await person.done()
        assert first["re"] == 5
        for why in ("done", "quit", "time"):
            await person.finish(why, id=6)
            again = await person.done(re=6)
            assert {**again, "re": 5} == first


@pytest.mark.parametrize("why", ["quit", "done", "time"])
async def test_an_incomplete_text_is_abandoned_with_a_result(either: Served, why: str) -> None:
    async with guest(either.url) as person:
        source = {"kind": "time", "seconds": 15, "language": "en"} if why == "time" else None
        opened = await person.begin(source=source or custom(WORDS))
        keys = opened["text"][:5]
        await person.press(keys)
        await person.finish(why, id=5)
        done = await person.done(re=5, seq=5, verdict="unranked")
        assert done["result"]["position"] == 5
        assert done["result"]["text_length"] == len(opened["text"])
        assert done["why"]
        assert all(set(reason) == {"rule", "value", "limit"} for reason in done["why"])
        assert (await person.standing())["state"] == "abandoned"


async def test_an_attempt_without_an_event_leaves_no_result(either: Served) -> None:
    async with guest(either.url) as person:
        for why in ("done", "quit", "time"):
            await person.begin(WORDS)
            await person.finish(why, id=5)
            done = await person.done(re=5, seq=0, result=None, verdict="unranked")
            assert done["result"] is None
            assert (await person.standing())["state"] == "abandoned"
            await person.expect("done")
            finished = await stored(either.database_url, EMPTY_ROWS, attempt=person.attempt)
            assert finished[0][0] == 0


async def test_finish_beyond_what_has_arrived_is_a_gap(either: Served) -> None:
    async with guest(either.url) as person:
        await person.begin("abc")
        await person.typed("ab")
        await person.finish("done", seq=3, id=5)
        await person.expect("reject", code="gap", h=person.h, seq=3, re=5)
        assert (await person.standing())["state"] == "running"
        await person.press("c")
        await person.finish("done", id=6)
        assert (await person.done())["seq"] == 3


async def test_finish_below_what_has_arrived_is_a_conflict(either: Served) -> None:
    async with guest(either.url) as person:
        await person.begin("abc")
        await person.typed("ab")
        for seq in (0, 1):
            await person.finish("quit", seq=seq, id=5)
            await person.expect("error", code="conflict", re=5)
        await person.press("c")
        await person.done(seq=3)


@pytest.mark.parametrize(
    "fields",
    [{"why": "later"}, {"why": None}, {"why": 1}, {"seq": -1}, {"seq": "2"}, {"seq": 2.0}],
    ids=str,
)
async def test_a_finish_that_makes_no_sense_is_a_bad_field(url: str, fields: Message) -> None:
    async with guest(url) as person:
        await person.begin("abc")
        await person.typed("ab")
        message = {"type": "finish", "id": 5, "h": person.h, "seq": 2, "why": "quit"} | fields
        await person.send(**message)
        await person.expect("error", code="bad_field", re=5)
        await person.typed("\b")


async def test_a_result_is_stored_once_with_its_key_counters(either: Served) -> None:
    async with guest(either.url) as person:
        await person.begin(WORDS)
        await asyncio.sleep(0.3)
        typed = [Event(20 if place else 0, key) for place, key in enumerate(WORDS)]
        await person.keys(1, [list(event) for event in typed])
        person.seq = len(typed)
        for number in range(1, 6):
            await person.finish("done", id=number)
        await person.done()
        await person.send(type="open", id=9, attempt=person.attempt)
        await person.expect("opened", skip=("done",))
        user = person.welcome["user"]["id"]
    async with guest(either.url, person.token) as again:
        await again.resume(person.attempt)
        await again.done()
    counters = await stored(
        either.database_url,
        "SELECT key, presses, errors, latency_sum_ms, latency_count FROM key_counters"
        " WHERE user_id = :user",
        user=user,
    )
    assert {row[0]: tuple(row[1:]) for row in counters} == expected_counters(WORDS, typed)


# Verdict and personal best


async def test_the_personal_best_is_the_highest_ranked_of_the_same_kind(either: Served) -> None:
    async with guest(either.url) as person:
        first = await type_all(person, WORDS, 30)
        slower = await type_all(person, WORDS, 60)
        await person.begin(WORDS)
        await person.press("no", dt_ms=10)  # faster than any, and not ranked
        await person.finish("quit")
        quit_early = await person.done()
        other = await type_all(person, "another text", 60)
        faster = await type_all(person, WORDS, 20)
    async with guest(either.url) as stranger:
        theirs = await type_all(stranger, WORDS, 60)

    def best(done: Message) -> float:
        value: float = done["result"]["personal_best"]
        return value

    assert [done["verdict"] for done in (first, slower, other, faster)] == ["ranked"] * 4
    assert best(first) == first["result"]["wpm"]
    assert best(slower) == best(quit_early) == first["result"]["wpm"]
    assert best(other) == other["result"]["wpm"]
    assert best(faster) == faster["result"]["wpm"] > best(first)
    assert best(theirs) == theirs["result"]["wpm"]


async def test_a_personal_best_is_fixed_at_the_finish(either: Served) -> None:
    async with guest(either.url) as person:
        first = await type_all(person, WORDS, 60)
        attempt = person.attempt
        await type_all(person, WORDS, 20)
        await person.open(attempt)
        again = await person.expect("done")
        assert again["result"] == first["result"]


async def test_a_duration_of_nothing_is_no_speed_and_not_ranked(url: str) -> None:
    async with guest(url) as person:
        await person.begin(WORDS)
        await person.press(WORDS)
        done = await person.done(verdict="unranked")
        assert (done["result"]["wpm"], done["result"]["duration_ms"]) == (0, 0)
        assert done["result"]["consistency"] == 0
        assert done["result"]["personal_best"] is None
        assert done["why"]


async def test_a_machines_rhythm_is_put_up_for_review_with_its_numbers(url: str) -> None:
    words = "all work and no play makes jack a dull boy, all day long"
    async with guest(url) as person:
        done = await type_all(person, words, 15)
        assert done["verdict"] == "review"
        assert done["why"]
        for reason in done["why"]:
            assert set(reason) == {"rule", "value", "limit"}
            assert reason["value"] != reason["limit"]


# Late


async def test_time_the_client_leaves_out_is_added_and_costs_the_rank(either: Served) -> None:
    async with guest(either.url) as person:
        await person.begin(WORDS)
        await asyncio.sleep(0.3)
        await person.typed(WORDS[:4], dt_ms=50)
        await asyncio.sleep(1.2)  # of which the client says nothing
        await person.press(WORDS[4:], dt_ms=20)
        done = await person.done(verdict="unranked")
        result = done["result"]
        typing_ms = 3 * 50 + 8 * 20
        late_ms = result["late_ms"]
        assert 400 < late_ms < 900
        assert result["duration_ms"] == typing_ms + late_ms
        assert result["wpm"] == round(12 * 12_000 / (typing_ms + late_ms), 2)
        assert {"rule": "late_ms", "value": late_ms, "limit": 0} in done["why"]
        # Both clocks are in the store: read back by another connection it is the same.
        async with guest(either.url, person.token) as again:
            await again.open(person.attempt)
            assert (await again.expect("done"))["result"] == result


async def test_who_types_on_through_a_cut_is_not_late(either: Served) -> None:
    async with guest(either.url) as person:
        await person.begin(WORDS)
        await person.typed(WORDS[:2], dt_ms=1)
        await asyncio.sleep(0.1)
        await person.typed(WORDS[2:4], dt_ms=50)
    await asyncio.sleep(1.3)  # typing on at once, heard by nobody until now
    async with guest(either.url, person.token) as again:
        opened = await again.resume(person.attempt)
        assert opened["seq"] == 4
        assert opened["elapsed_ms"] >= 1_300
        await again.press(WORDS[4:], dt_ms=20)
        done = await again.done(verdict="ranked")
        assert done["result"]["late_ms"] == 0
        assert done["result"]["duration_ms"] == 1 + 100 + 8 * 20


async def test_a_cut_does_not_excuse_the_time_left_out_before_it(either: Served) -> None:
    async with guest(either.url) as person:
        await person.begin(WORDS)
        await person.typed(WORDS[:2])
        await asyncio.sleep(1.2)
        await person.typed(WORDS[2:4])
    async with guest(either.url, person.token) as again:
        await again.resume(person.attempt)
        await again.press(WORDS[4:])
        late_ms = (await again.done(verdict="unranked"))["result"]["late_ms"]
        assert 400 < late_ms < 900


async def test_no_two_attempts_share_a_result(either: Served) -> None:
    random = Random(1)
    async with guest(either.url) as person:
        attempts = [new_id() for _ in range(3)]
        for attempt in attempts:
            await person.begin(WORDS, attempt=attempt)
            await person.press(random.sample(WORDS, len(WORDS)))
            await person.done(attempt=attempt, seq=len(WORDS))
        results = []
        for attempt in attempts:
            await person.open(attempt)
            results.append(await person.expect("done", attempt=attempt))
        for earlier, later in pairwise(results):
            assert earlier["result"]["started_at"] <= later["result"]["started_at"]
            assert earlier["h"] < later["h"]


async def test_a_finish_before_the_last_keys_may_be_said_again(url: str) -> None:
    async with guest(url) as person:
        await person.begin("abc")
        await person.finish(seq=3)
        await person.press("abc")  # in one segment, the wrong way round
        await person.expect("reject", code="gap", seq=1)
        done = await person.done(seq=3)
        await person.finish(seq=3)
        assert (await person.done())["result"] == done["result"]
