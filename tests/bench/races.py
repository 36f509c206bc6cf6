"""Many races at once: whether everybody hears of everybody as often as is meant, and acks come.

python -m tests.bench.races [--races 200] [--racers 5] [--seconds 15] [--database URL]
"""

import argparse
import asyncio
import os
import time
from collections import Counter
from statistics import median, quantiles
from typing import Any

import orjson

from server.live.races import TICK_S
from tests.bench.__main__ import TEXT_GRAPHEMES, WARM_UP_S, our_server, plans
from tests.bench.core import text_of
from tests.bench.crowd import Crowd, Person, receive
from tests.bench.dialects import Ours, said
from tests.bench.process import CLIENT_CORE, cpu_s, pin

PROGRESS = b'{"type":"race.progress"'


class Racing(Ours):
    """The product's protocol in a race. `frames` counts the progress each person has heard."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.frames: Counter[Person] = Counter()

    def answered(self, payload: bytes, first_waiting: int) -> int:
        if payload.startswith(b'{"type":"race'):
            return 0
        return super().answered(payload, first_waiting)

    def heard(self, person: Person, payload: bytes) -> None:
        if payload.startswith(PROGRESS):
            self.frames[person] += 1

    def gather(self, people: list[Person]) -> None:
        """Have them enter one race, the first as its host."""
        host, *others = people
        host.socket.sendall(said(type="race.create", id=1, source=self._source, private=True))
        race = self._race(host)["race"]
        for person in others:
            person.socket.sendall(said(type="race.join", id=1, race=race))
            self._race(person)

    def start(self, people: list[Person]) -> None:
        people[0].socket.sendall(said(type="race.start", id=2))

    def begun(self, person: Person) -> int:
        """When the race of this person starts, once there is an attempt to type in."""
        while "h" not in (race := self._race(person)):
            pass
        return int(race["starts_at_ms"])

    def _race(self, person: Person) -> dict[str, Any]:
        while True:
            message = orjson.loads(receive(person))
            if message["type"] == "race":
                return dict(message)
            if message["type"] == "error":
                raise RuntimeError(f"the server says {message}")


async def bench(arguments: argparse.Namespace) -> None:
    text = text_of(arguments.chars)
    count = arguments.races * arguments.racers
    made = plans(count, text, arguments.seconds, arguments.wait_ms)
    async with our_server(arguments.database) as server:
        racing = Racing(text)
        crowd = Crowd(server.port, racing)
        crowd.join(made)
        size = arguments.racers
        races = [crowd.people[at : at + size] for at in range(0, count, size)]
        before_s, began_s = cpu_s(server.pid), time.monotonic()
        for people in races:
            racing.gather(people)
        gathered_s, spent_s = time.monotonic() - began_s, cpu_s(server.pid) - before_s
        print(f"{len(races)} races of {size} gathered in {gathered_s:.1f} s,")
        print(f"  {spent_s / count * 1e3:.1f} ms of CPU for each racer")
        for people in races:
            racing.start(people)
        starts_at_ms = max(racing.begun(person) for person in crowd.people)
        await asyncio.sleep(max(0.0, starts_at_ms / 1_000 - time.time()))  # noqa: TID251
        began: list[float] = []

        def begin() -> None:
            began.append(cpu_s(server.pid))
            racing.frames.clear()

        typed = crowd.type(WARM_UP_S, arguments.seconds, begin)
        core = (cpu_s(server.pid) - began[0]) / arguments.seconds
        crowd.leave()
    cuts = quantiles(typed.latencies_ms, n=100)
    rates = sorted(racing.frames[person] / arguments.seconds for person in racing.frames)
    print(f"{typed.keystrokes / arguments.seconds:.0f} keystrokes a second, {core:.0%} of a core")
    print(f"ack p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms")
    print(
        f"progress: {sum(rates):.0f} frames a second; to each racer {median(rates):.2f} a second "
        f"(least {rates[0]:.2f}) of {1 / TICK_S:.2f} ticks, {len(rates)} of {count} racers"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--races", type=int, default=200)
    parser.add_argument("--racers", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--wait-ms", type=int, default=250, help="how long a key may wait")
    parser.add_argument("--chars", type=int, default=TEXT_GRAPHEMES, help="length of the text")
    parser.add_argument("--database", help="DATABASE_URL; a SQLite file of its own by default")
    pin(os.getpid(), CLIENT_CORE)
    asyncio.run(bench(parser.parse_args()))


if __name__ == "__main__":
    main()
