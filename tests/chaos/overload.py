"""Twice as many come as one core bears: who types does not feel it, the others are told when."""

import asyncio
import os
import time
from collections.abc import Sequence
from statistics import quantiles

import httpx

from tests.bench.process import CLIENT_CORE, SERVER_CORE, pin
from tests.chaos.places import folder, on_file
from tests.chaos.visitors import Ack, Visitors
from tests.processes import ServerProcess

ARRIVALS_A_S = 60
CAPACITY_S = 60
STEP_S = 1.0
FIRST_S = 4
SLOW_S = 4
SLOW_MS = 250.0
BEFORE_S = 8.0
ARRIVE_S = 10.0
DURING_S = 40.0
CALM_S = 40.0
SEEN_AGAIN = 100
BACK_S = 30.0


def cuts(acks: Sequence[Ack]) -> tuple[float, float]:
    """p50 and p99 of what acks took, in ms."""
    at = quantiles([ack.took_ms for ack in acks], n=100)
    return at[49], at[98]


async def capacity() -> int:
    """How many type when acks begin to take too long; they come one after the other."""
    with folder() as at:
        async with on_file(at, environment={"OVERLOAD_MS": "0"}) as (_, server):
            pin(server.pid, SERVER_CORE)
            with Visitors(server.port) as visitors:
                visitors.expect(ARRIVALS_A_S * CAPACITY_S, "all", CAPACITY_S)
                seen = typing = slow = 0
                for second in range(CAPACITY_S):
                    visitors.run(STEP_S)
                    news, seen = visitors.acks[seen:], len(visitors.acks)
                    late = len(news) < visitors.typing() or cuts(news)[1] > SLOW_MS
                    # The first have pressed few keys; and one second says little.
                    slow = slow + 1 if late and second >= FIRST_S else 0
                    if slow >= SLOW_S:
                        break
                    typing = typing if slow else visitors.typing()
    assert typing > 0, "acks take too long from the first on"
    return typing


async def twice_the_capacity() -> list[str]:
    """Half as many type as may; then four times as many more want to."""
    pin(os.getpid(), CLIENT_CORE)
    most = await capacity()
    print(f"  one core bears {most} people", flush=True)
    with folder() as at:
        async with on_file(at) as (_, server):
            pin(server.pid, SERVER_CORE)
            with Visitors(server.port) as visitors:
                figures = [f"one core bears {most} people", *_storm(visitors, most)]
                return [*figures, *await _after(server, visitors)]


def _storm(visitors: Visitors, most: int) -> list[str]:
    visitors.expect(most // 2, "first", most / 2 / ARRIVALS_A_S)
    visitors.run(most / 2 / ARRIVALS_A_S + 2)
    visitors.acks.clear()
    visitors.run(BEFORE_S)
    before = cuts(visitors.acks)
    visitors.acks.clear()
    visitors.expect(most * 2 - most // 2, "new", ARRIVE_S)
    ends_s = time.monotonic() + DURING_S
    while time.monotonic() < ends_s:
        seen = len(visitors.acks)
        visitors.run(5.0)
        kinds = [kind for _, kind in visitors.refusals]
        print(
            f"  {visitors.typing()} type, acks p50 / p99"
            f" {' / '.join(f'{cut:.0f}' for cut in cuts(visitors.acks[seen:]))} ms,"
            f" {kinds.count('socket')} sockets and {kinds.count('overloaded')} attempts refused",
            flush=True,
        )
    first = cuts([ack for ack in visitors.acks if ack.group == "first"])
    everybody = cuts(visitors.acks)
    kinds = [kind for _, kind in visitors.refusals]
    figures = [
        f"{most // 2} type, acks p50 {before[0]:.0f}, p99 {before[1]:.0f} ms",
        f"then {most * 2} want to, and {visitors.typing()} may: acks of the first"
        f" p50 {first[0]:.0f}, p99 {first[1]:.0f} ms, of everybody p99 {everybody[1]:.0f} ms",
        f"{kinds.count('socket')} times a socket, {kinds.count('overloaded')} an attempt refused",
    ]
    print(*(f"  {figure}" for figure in figures), sep="\n", flush=True)
    assert len(visitors.of("first")) == most // 2, f"who typed was cut off: {visitors.closes}"
    assert set(kinds) <= {"socket", "overloaded"}, f"refused otherwise: {set(kinds)}"
    assert kinds, "nobody was refused"
    assert kinds[0] == "socket", "attempts were refused before sockets"
    assert first[1] < SLOW_MS, f"the p99 of who typed was {first[1]:.0f} ms"
    return figures


async def _after(server: ServerProcess, visitors: Visitors) -> list[str]:
    """All that was typed is there, and the server is as it was."""
    visitors.stop_typing()
    visitors.run(5.0)
    first = visitors.of("first")
    assert all(one.acked == one.sent for one in first), "not all is acked"
    some = first[:SEEN_AGAIN]
    visitors.leave()
    visitors.come_back(some)
    ends_s = time.monotonic() + BACK_S
    while len(visitors.of("first")) < len(some):
        assert time.monotonic() < ends_s, "not everybody could come back"
        visitors.run(0.5)
    lost = [one.sent for one in some if one.found != one.sent]
    assert lost == [], f"of {len(lost)} not all that was acked is there"
    calm_s = await _calm(server)
    typed = sum(one.sent for one in first)
    return [f"{typed} keystrokes of the first: none lost", f"calm again after {calm_s:.0f} s"]


async def _calm(server: ServerProcess) -> float:
    began_s = time.monotonic()
    async with httpx.AsyncClient() as client:
        while True:
            answer = await client.get(f"{server.http_url}/health/ready")
            took_s = time.monotonic() - began_s
            if answer.json()["checks"]["load"] == "calm":
                return took_s
            assert took_s < CALM_S, f"after {took_s:.0f} s it says {answer.text}"
            await asyncio.sleep(0.2)
