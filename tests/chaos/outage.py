"""People type on while the store is away: no ack, a word about it, and then all of it is there."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.bench.process import memory_kb
from tests.chaos.crowd import CUSTOM_TEXT, all_violations, check_done, check_store
from tests.history import Moment
from tests.honest_client import HonestClient, with_mistakes
from tests.processes import ServerProcess

BEFORE_S = 1.0
AFTER_S = 1.0
LATE_ACK_S = 0.5  # an ack of what was committed before may still be on its way
# What waits is bounded by the window of each; the rest is what any server takes to reconnect.
GROWTH_KB_MAX = 16_384
KEYSTROKE_S = 0.06

Step = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Outage:
    """When the store was away, and what the server held in memory."""

    left_s: float
    gone_s: float
    back_s: float
    before_kb: int
    away_kb: int
    after_kb: int

    def during(self, moments: list[Moment], after_s: float = 0.0) -> list[Moment]:
        """Those from `after_s` after the store had gone until it was let back."""
        return [one for one in moments if self.gone_s + after_s < one.at_s < self.back_s]


async def type_through(
    server: ServerProcess,
    database_url: str,
    leave: Step,
    come_back: Step,
    *,
    away_s: float,
    typists: int,
) -> list[str]:
    """Have people type before, during and after the outage; check all, and return figures."""
    typing_s = BEFORE_S + away_s + AFTER_S
    words = CUSTOM_TEXT * max(1, round(typing_s / KEYSTROKE_S / len(CUSTOM_TEXT)))
    key_ms = int(typing_s * 1_000 / len(words))
    clients = [
        HonestClient(server.ws_url, source={"kind": "custom", "text": words}, seed=number)
        for number in range(typists)
    ]
    typing = asyncio.gather(
        *(
            client.type(
                with_mistakes(number), dt_ms=(key_ms // 2, key_ms * 3 // 2), within_s=away_s + 60
            )
            for number, client in enumerate(clients)
        )
    )
    try:
        outage = await _away(server, clients, leave, come_back, away_s)
        dones = await typing
    finally:
        typing.cancel()
    for client, done in zip(clients, dones, strict=True):
        _check_heard(client, outage)
        check_done(client, done)
    faults = all_violations(clients)
    assert faults == [], f"{len(faults)} broken promises: {faults[:5]}"
    grown_kb = max(outage.away_kb, outage.after_kb) - outage.before_kb
    assert grown_kb < GROWTH_KB_MAX, f"memory grew by {grown_kb} kB"
    await check_store(database_url, clients)
    return _figures(clients, outage)


async def _away(
    server: ServerProcess,
    clients: list[HonestClient],
    leave: Step,
    come_back: Step,
    away_s: float,
) -> Outage:
    deadline_s = time.monotonic() + 20
    while not all(client.history.of("ack") for client in clients):
        assert time.monotonic() < deadline_s, "not everybody got to type"
        await asyncio.sleep(0.05)
    await asyncio.sleep(BEFORE_S / 2)
    before_kb, left_s = memory_kb(server.pid), time.monotonic()
    await leave()
    gone_s = time.monotonic()
    await asyncio.sleep(away_s)
    away_kb, back_s = memory_kb(server.pid), time.monotonic()
    await come_back()
    await asyncio.sleep(1)
    return Outage(left_s, gone_s, back_s, before_kb, away_kb, memory_kb(server.pid))


def _stalls(client: HonestClient, *, on: bool) -> list[Moment]:
    return [stall for stall in client.history.of("stall") if stall.fields["on"] is on]


def _check_heard(client: HonestClient, outage: Outage) -> None:
    history = client.history
    assert outage.during(history.of("ack"), LATE_ACK_S) == [], "an ack while the store was away"
    assert [stall for stall in _stalls(client, on=True) if outage.left_s < stall.at_s], "no stall"
    assert _stalls(client, on=False)[-1].at_s > outage.back_s, "no end of the stall"
    gone = [*history.of("close"), *history.of("left"), *history.of("reject")]
    assert gone == [], f"sent away or refused: {gone}"


def _figures(clients: list[HonestClient], outage: Outage) -> list[str]:
    told_s = max(
        next(stall.at_s for stall in _stalls(client, on=True) if stall.at_s > outage.left_s)
        for client in clients
    )
    acked_s = max(
        next(stall.at_s for stall in _stalls(client, on=False) if stall.at_s > outage.back_s)
        for client in clients
    )
    typed = sum(len(client.history.events) for client in clients)
    away_s, told_s, acked_s = (
        outage.back_s - outage.gone_s,
        told_s - outage.left_s,
        acked_s - outage.back_s,
    )
    return [
        f"{len(clients)} typists, {typed} keystrokes: none lost, none counted twice",
        f"away {away_s:.1f} s: the last was told {told_s:.2f} s after it left, "
        f"and had all acked {acked_s:.2f} s after it was let back",
        f"memory: {outage.before_kb} kB before, {outage.away_kb} kB at the end of it, "
        f"{outage.after_kb} kB after",
    ]
