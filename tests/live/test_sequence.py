"""Numbers and durability: acks, repeats, overlaps, gaps, and whose clock counts."""

import asyncio
import itertools
import time
from typing import Any

import pytest

from tests.db.stored import batches_of, opened_database
from tests.expected_score import Event, expected_live
from tests.live.conftest import Served
from tests.live.guest import TEXT, Guest, custom, events, guest, stored
from tests.raw_client import Message

SLACK_S = 0.15  # what two busy cores may add


async def rejected(person: Guest, code: str, seq: int) -> None:
    """The next message refuses a whole batch and says which number comes next."""
    reject = await person.expect("reject", skip=("ack",), h=person.h, code=code, seq=seq)
    assert set(reject) == {"type", "h", "seq", "code", "message"}


async def test_an_ack_says_all_that_the_contract_names_and_nothing_else(either: Served) -> None:
    typed = [Event(0, "t"), Event(0, "x"), Event(0, "\b"), Event(30, "h"), Event(12, "é")]
    async with guest(either.url) as person:
        await person.begin()
        await asyncio.sleep(0.1)
        await person.keys(1, [list(event) for event in typed])
        ack = await person.acked(5)
    live = expected_live(TEXT, typed)
    assert set(ack) == {"type", "h", "seq", "keys", *SCORES}
    assert {name: ack[name] for name in SCORES} == {name: live[name] for name in SCORES}
    assert ack["keys"] == live["keys"] == {"t": [1, 0], "h": [2, 1], "e": [1, 1]}


SCORES = ("position", "wpm", "raw_wpm", "accuracy", "errors")


async def test_an_acked_event_is_in_the_store(either: Served) -> None:
    async with guest(either.url) as person:
        await person.begin()
        for batch in ("th", "e", " quick"):
            await person.typed(batch)
            async with opened_database(either.database_url) as database:
                last = (await batches_of(database, person.attempt))[-1]
            assert (last.seq, len(last.keystrokes)) == (person.seq - len(batch) + 1, len(batch))


async def test_acks_are_cumulative_come_soon_and_at_most_ten_a_second(either: Served) -> None:
    words = "abcdefghij" * 20
    async with guest(either.url) as person:
        await person.begin(words)
        sent_at_s: dict[int, float] = {}
        acks: list[tuple[float, Message]] = []

        async def listen() -> None:
            while not acks or acks[-1][1]["seq"] < len(words) - 1:
                acks.append((0.0, await person.expect("ack", h=person.h)))
                acks[-1] = (time.monotonic(), acks[-1][1])

        listening = asyncio.create_task(listen())
        for key in words[:60]:
            await person.press(key)
            sent_at_s[person.seq] = time.monotonic()
            await asyncio.sleep(0.03)
        await person.press(words[60:124])
        await person.press(words[124:-12])
        await person.press(words[-12:-1])
        sent_at_s[person.seq] = time.monotonic()
        await asyncio.wait_for(listening, 3)

    numbers = [ack["seq"] for _, ack in acks]
    assert numbers == sorted(set(numbers))
    gaps_s = [later[0] - earlier[0] for earlier, later in itertools.pairwise(acks)]
    assert len(acks) <= (acks[-1][0] - acks[0][0]) * 10 + 2
    assert sorted(gaps_s)[len(gaps_s) // 2] > 0.08
    for seq, at_s in sent_at_s.items():
        acked_at_s = next(when for when, ack in acks if ack["seq"] >= seq)
        assert acked_at_s - at_s < 0.25 + SLACK_S
    _check_keys_add_up(words, [ack for _, ack in acks])


def _check_keys_add_up(words: str, acks: list[Message]) -> None:
    known: dict[str, list[int]] = {}
    before = 0
    for ack in acks:
        live = expected_live(words, [Event(0, key) for key in words[: ack["seq"]]])
        assert set(words[before : ack["seq"]]) <= set(ack["keys"])
        known |= ack["keys"]
        assert known == live["keys"]
        before = ack["seq"]


async def test_an_exact_repeat_is_acked_again(either: Served) -> None:
    async with guest(either.url) as person:
        await person.begin()
        await person.typed("the quick")
        for seq, keys in ((1, "the quick"), (1, "t"), (3, "e q"), (9, "k")):
            await person.keys(seq, events(keys))
            ack = await person.acked(9)
            assert (ack["position"], ack["errors"]) == (9, 0)
        assert (await person.standing())["typed"] == "the quick"


async def test_an_overlap_is_trimmed(either: Served) -> None:
    async with guest(either.url) as person:
        await person.begin()
        await person.typed("the q")
        await person.keys(3, events("e quick"))
        assert (await person.acked(9))["position"] == 9
        await person.keys(1, events("the quick brown"))
        assert (await person.acked(15))["keys"]["b"] == [1, 0]
        assert (await person.standing())["typed"] == "the quick brown"


async def test_repeats_after_a_resume_are_compared_with_what_is_stored(either: Served) -> None:
    async with guest(either.url) as person:
        await person.begin()
        await person.typed("the q", dt_ms=2)
    async with guest(either.url, person.token) as again:
        await again.resume(person.attempt)
        await again.keys(1, events("the q", dt_ms=2))
        await again.acked(5)
        await again.keys(1, events("the qu", dt_ms=2))
        await again.acked(6)
        await again.keys(2, events("hE ", dt_ms=0))
        assert await again.closed() == 4510


DIFFERENT: dict[str, tuple[int, Any]] = {
    "another key": (1, [[0, "t"], [1, "x"], [1, "e"]]),
    "another dt": (1, [[0, "t"], [2, "h"], [1, "e"]]),
    "a different part before a new one": (3, [[1, "E"], [1, " "]]),
    "a delete where a key was": (2, [[1, "\b"]]),
    "an equal of the key": (4, [[1, "\u00a0"]]),
}


@pytest.mark.parametrize(("seq", "batch"), DIFFERENT.values(), ids=DIFFERENT.keys())
async def test_a_different_history_closes_and_voids(
    either: Served, seq: int, batch: list[Any]
) -> None:
    async with guest(either.url) as person, guest(either.url, person.token) as again:
        await person.begin()
        await person.typed("the ", dt_ms=1)
        await person.keys(seq, batch)
        assert await person.closed() == 4510
        # At once: the other connection has said its hello long ago.
        opened = await again.open(person.attempt)
        assert opened["state"] == "void"
        done = await again.done(attempt=person.attempt)
        assert (done["result"], done["verdict"]) == (None, "void")
        assert [set(why) for why in done["why"]] == [{"rule", "value", "limit"}]
        await again.send(type="keys", h=opened["h"], seq=5, events=[[0, "q"]])
        await again.expect("reject", code="finished")
        assert not await stored(
            either.database_url,
            "SELECT key FROM key_counters WHERE user_id = :user",
            user=person.welcome["user"]["id"],
        )


async def test_the_first_dt_of_a_solo_attempt_counts_as_none(url: str) -> None:
    async with guest(url) as person:
        await person.begin()
        for _ in range(2):
            await person.keys(1, [[40, "t"]])
            await person.acked(1)
        await person.keys(1, [[0, "t"], [10, "h"]])
        await person.acked(2)
        assert (await person.standing())["at_ms"] == 10


# Gaps


async def test_a_hole_is_refused_once_in_200_ms_and_nothing_of_it_counts(either: Served) -> None:
    async with guest(either.url) as person:
        await person.begin()
        await person.typed("the")
        for _ in range(20):
            await person.keys(5, events("quick"))
        await rejected(person, "gap", 4)
        await person.has_nothing_more()
        await asyncio.sleep(0.25)
        for _ in range(10):
            await person.keys(2**31 - 1, events("q"))
        await rejected(person, "gap", 4)
        await person.has_nothing_more()
        standing = await person.standing()
        assert (standing["seq"], standing["typed"]) == (3, "the")
        await person.typed(" quick")


async def test_the_first_batch_may_not_leave_a_hole_either(url: str) -> None:
    async with guest(url) as person:
        opened = await person.begin()
        await person.keys(2, events("he"))
        await rejected(person, "gap", 1)
        assert (await person.standing()) == opened


# The clock


async def test_the_sum_of_dt_cannot_exceed_the_time_since_opened(either: Served) -> None:
    async with guest(either.url) as person:
        await person.begin()
        for _ in range(6):  # against the clock: no strike
            await person.keys(1, [[0, "t"], [600_000, "h"]])
            await rejected(person, "bad_event", 1)
        await person.keys(1, [[0, "t"]] + [[50, key] for key in TEXT[1:41]])
        await rejected(person, "bad_event", 1)
        await asyncio.sleep(0.5)
        await person.typed(TEXT[:10], dt_ms=50)
        await person.keys(11, [[400, TEXT[10]]])
        await rejected(person, "bad_event", 11)
        assert (await person.standing())["at_ms"] == 450


async def test_the_bound_outlives_the_connection_and_counts_from_the_first_opened(
    either: Served,
) -> None:
    async with guest(either.url) as person:
        await person.begin()
        await person.typed("t")
        await asyncio.sleep(0.4)
    async with guest(either.url, person.token) as again:
        await again.resume(person.attempt)
        await again.keys(2, [[2_000, "h"]])
        await rejected(again, "bad_event", 2)
        await again.keys(2, [[400, "h"]])
        await again.acked(2)


async def test_one_bad_event_refuses_the_whole_batch(either: Served) -> None:
    async with guest(either.url) as person:
        await person.begin()
        await person.typed("the")
        await person.keys(4, [[0, " "], [0, "q"], [0, "\x00"], [0, "u"]])
        await rejected(person, "bad_event", 4)
        await person.keys(2, [[0, "h"], [0, "e"], [0, " "], [-1, "q"]])
        await rejected(person, "bad_event", 4)
        standing = await person.standing()
        assert (standing["seq"], standing["typed"]) == (3, "the")
        await person.typed(" quick")


# How much at once


async def test_sixty_four_events_are_a_batch(url: str) -> None:
    words = "x" * 200
    async with guest(url) as person:
        await person.begin(words)
        await person.typed(words[:64])
        await person.keys(65, events(words[:65]))
        await person.expect("error", code="bad_field")
        await person.typed(words[:64])


async def test_more_than_a_window_at_once_is_read_in_turn_and_none_is_dropped(
    either: Served,
) -> None:
    words = "abcdefgh" * 700
    async with guest(either.url) as person:
        await person.begin(words)
        for start in range(0, 64 * 80, 64):
            await person.press(words[start : start + 64])
        ack = await person.acked(64 * 80)
        assert (ack["position"], ack["errors"]) == (64 * 80, 0)


async def test_a_batch_to_no_open_attempt_is_an_unknown_handle(url: str) -> None:
    async with guest(url) as person:
        for h in (0, 1, -1, 2**31 - 1):
            await person.send(type="keys", id=3, h=h, seq=1, events=[[0, "a"]])
            await person.expect("error", re=3, code="unknown_handle")
        await person.begin(source=custom("ab"))
        for h in (person.h + 1, -person.h, 0):
            await person.send(type="keys", h=h, seq=1, events=[[0, "a"]])
            assert "re" not in await person.expect("error", code="unknown_handle")
        await person.typed("a")
