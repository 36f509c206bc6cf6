"""What was measured of a server, and how it compares."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf
from statistics import quantiles
from typing import Self

from tests.bench.crowd import Typed


@dataclass(frozen=True)
class Measured:
    """A crowd typed at a server for `seconds`, which took it `cpu_s`."""

    typed: Typed
    cpu_s: float
    seconds: float
    idle_kb: float | None = None
    open_kb: float | None = None

    def with_memory(self, idle_kb: float, open_kb: float | None) -> Self:
        return replace(self, idle_kb=idle_kb, open_kb=open_kb)

    @property
    def us_per_keystroke(self) -> float:
        return self.cpu_s / self.typed.keystrokes * 1e6

    def line(self) -> str:
        """One line of a table."""
        answers = self.typed.latencies_ms
        # Of a server that is far behind there are none.
        cuts = quantiles(answers, n=100) if len(answers) > 1 else [inf] * 99
        memory = "".join(
            f"{'-' if kb is None else f'{kb:.1f}':>8}" for kb in (self.idle_kb, self.open_kb)
        )
        return (
            f"{self.us_per_keystroke:10.1f}{self.cpu_s / self.typed.batches * 1e6:10.1f}"
            f"{self.cpu_s / self.seconds:7.0%}{cuts[49]:8.1f}{cuts[98]:8.1f}"
            f"{len(answers) / self.seconds:9.0f}{memory}"
        )


def report(ours: Measured, others: Mapping[str, Measured]) -> None:
    """Print all of them, and our CPU per keystroke over theirs."""
    columns = "us/key    us/batch   core     p50     p99  answers    idle    open"
    print(f"{'':20}{columns:>70}")
    print(f"{'ours':16}{ours.line()}")
    for name, measured in others.items():
        ratio = ours.us_per_keystroke / measured.us_per_keystroke
        print(f"{name:16}{measured.line()}   ours is {ratio:.2f} times as much")
    keystrokes = ours.typed.keystrokes / ours.seconds
    answered = len(ours.typed.latencies_ms) / ours.typed.batches
    print(f"{keystrokes:.0f} keystrokes a second, {answered:.1%} of the batches answered")
