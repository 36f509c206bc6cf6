"""Whatever a connection leaves behind, the next one finds it as it was."""

import asyncio
from random import Random

import pytest
from websockets.exceptions import ConnectionClosed

from tests.live.conftest import Served
from tests.live.guest import TEXT, Guest, custom, guest, new_id

WORDS = "“Wait...”\n\tsaid the cat — don’t été."
KEYS = (*"“Wait\n\t ", "…", "\b", "\b", "\u0017", "’", "-", "x", "é", "e\u0301", "\u0301", "\u200d")


@pytest.mark.parametrize("rule", ["free", "stop", "correct"])
@pytest.mark.parametrize("seed", range(3))
async def test_an_attempt_read_back_is_the_one_that_was_left(
    either: Served, rule: str, seed: int
) -> None:
    random = Random(seed)
    async with guest(either.url) as person:
        await person.begin(WORDS * 20, rules={"errors": rule})
        for _ in range(4):
            await asyncio.sleep(0.05)
            await person.press(random.choices(KEYS, k=20), dt_ms=2)
        ack = await person.acked(80)
        left = await person.standing()
        async with guest(either.url, person.token) as again:
            found = await again.resume(person.attempt)
            same = set(left) - {"re", "h", "elapsed_ms"}
            assert {name: found[name] for name in same} == {name: left[name] for name in same}
            assert found["score"] == {name: ack[name] for name in found["score"]}
            # Live and read back, they go the same way on.
            await again.press(WORDS[:3], dt_ms=1)
            assert (await again.acked(83))["position"] >= found["score"]["position"]


async def test_open_in_the_midst_of_typing_costs_nothing(either: Served) -> None:
    async with guest(either.url) as person:
        await person.begin()
        for number, key in enumerate(TEXT[:-1], 2):
            await person.press(key)
            await person.send(type="open", id=number, attempt=person.attempt)
        for number in range(2, len(TEXT) + 1):
            opened = await person.expect("opened", skip=("ack",), re=number, h=person.h)
            assert opened["seq"] == number - 1
            assert opened["typed"] == TEXT[: number - 1]
        await person.press(TEXT[-1])
        assert (await person.done(seq=len(TEXT)))["result"]["errors"] == 0


async def test_keys_that_no_ack_has_told_come_with_the_first_after_opened(either: Served) -> None:
    async with guest(either.url) as person:
        await person.begin()
        await person.typed("t")
        await person.press("hx")
        await person.resume(person.attempt)  # says that they are durable, but not their keys
        assert person.seq == 3
        told = (await person.typed(" "))["keys"]
        assert told == {"t": [1, 0], "h": [1, 0], "e": [1, 1], " ": [1, 0]}
        assert (await person.typed("q"))["keys"] == {"q": [1, 0]}


async def test_everything_may_be_said_in_one_breath(either: Served) -> None:
    attempt = new_id()
    async with guest(either.url) as person:
        person.attempt, person.h, person.seq = attempt, 1, 0
        await person.send(type="open", id=1, attempt=attempt, source=custom("abc"))
        await person.press("ab")
        await person.press("c")
        await person.finish("done", id=2)
        await person.send(type="got", attempt=attempt)
        assert (await person.expect("opened", re=1))["h"] == 1
        done = await person.done(seq=3)
        assert done["result"]["position"] == 3


async def test_a_text_completed_by_somebody_who_is_gone_at_once_is_finished(
    either: Served,
) -> None:
    for _ in range(5):
        async with guest(either.url) as person:
            await person.begin("abc")
            await person.press("ab")
            await person.press("c")
            person.socket.transport.abort()
            with pytest.raises(ConnectionClosed):
                await person.receive()
        async with guest(either.url, person.token) as again:
            await _finish_what_was_left(again, person.attempt)


async def _finish_what_was_left(person: Guest, attempt: str) -> None:
    opened = await person.resume(attempt)
    assert opened["typed"] == "abc"[: opened["seq"]]
    if opened["state"] != "finished":
        await person.press("abc"[opened["seq"] :])
    done = await person.done(seq=3)
    assert (done["result"]["position"], done["result"]["late_ms"]) == (3, 0)


async def test_two_attempts_in_turn_do_not_mix(either: Served) -> None:
    async with guest(either.url) as person:
        left: dict[str, str] = {}
        for words in ("abcdefgh", "стопкаки"):
            await person.begin(words)
            left[person.attempt] = words
        for place in range(6):
            for attempt, words in left.items():
                opened = await person.resume(attempt)
                assert opened["typed"] == words[:place]
                await person.typed(words[place])
