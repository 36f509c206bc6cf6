"""Who waits for whom."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from server.turns import Door, Turns, TurnTooLate

AT_ONCE = 4


@asynccontextmanager
async def all_taken(turns: Turns) -> AsyncIterator[None]:
    """No turn is free while the block runs."""
    async with AsyncExitStack() as stack:
        for _ in range(AT_ONCE):
            await stack.enter_async_context(turns.turn())
        yield


async def test_so_many_are_at_it_at_once_and_who_comes_back_is_next() -> None:
    turns, done = Turns(AT_ONCE), list[str]()
    go = asyncio.Event()

    async def take(name: str, *, first: bool) -> None:
        async with turns.turn(first=first):
            done.append(name)
            await go.wait()

    tasks = [asyncio.create_task(take(f"first {n}", first=False)) for n in range(AT_ONCE)]
    tasks += [asyncio.create_task(take(f"new {n}", first=False)) for n in range(3)]
    tasks += [asyncio.create_task(take(f"back {n}", first=True)) for n in range(3)]
    await asyncio.sleep(0)
    assert done == [f"first {n}" for n in range(AT_ONCE)]
    go.set()
    await asyncio.gather(*tasks)
    back, new = [f"back {n}" for n in range(3)], [f"new {n}" for n in range(3)]
    assert done[AT_ONCE:] == [*back, *new]
    assert turns.waited_s() == 0.0


async def test_a_turn_nobody_wants_any_more_goes_to_the_next() -> None:
    turns, done = Turns(AT_ONCE), list[int]()

    async def take(number: int) -> None:
        async with turns.turn():
            done.append(number)

    async with all_taken(turns):
        tasks = [asyncio.create_task(take(number)) for number in range(4)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        await asyncio.sleep(0)
        tasks[2].cancel()
    tasks[1].cancel()  # in the moment in which the turn is given
    await asyncio.gather(*tasks, return_exceptions=True)
    assert done == [3]
    for number in range(AT_ONCE):
        await asyncio.wait_for(take(number), 1)


async def test_nobody_waits_longer_than_wanted() -> None:
    turns = Turns(AT_ONCE)
    async with all_taken(turns):
        with pytest.raises(TurnTooLate):
            async with turns.turn(within_s=0.01):
                pass
    async with turns.turn(within_s=0.01):
        assert turns.waited_s() == 0.0


async def test_the_door_lets_one_in_for_each_turn_of_the_loop() -> None:
    door, entered = Door(), list[int]()
    for number in range(5):
        door.enter(lambda number=number: entered.append(number))  # type: ignore[misc]
    seen = [len(entered)]
    for _ in range(5):
        await asyncio.sleep(0)
        seen.append(len(entered))
    assert entered == [0, 1, 2, 3, 4]
    assert seen == [1, 2, 3, 4, 5, 5]
    door.enter(lambda: entered.append(5))
    assert entered[-1] == 5
