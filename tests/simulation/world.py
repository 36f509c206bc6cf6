"""Virtual time, the dice of one seed, and a log that a replay prints."""

from collections import Counter
from collections.abc import Callable
from heapq import heappop, heappush
from random import Random

Do = Callable[[], None]


class World:
    """Everything that happens is a call at an instant; the same seed gives the same calls."""

    def __init__(self, seed: int, verbose: bool = False) -> None:
        self.dice = Random(seed)
        self.now_ms = 0
        self.calm_since_ms = 0  # nothing has broken or come back since then
        self.seen: Counter[str] = Counter()  # what came about, so that a test may ask for it
        self.verbose = verbose
        self._calls: list[tuple[int, int, Do]] = []
        self._called = 0

    def later(self, ms: int, do: Do) -> None:
        """Call so long from now; what is due at the same instant, in the order it was asked."""
        self._called += 1
        heappush(self._calls, (self.now_ms + max(ms, 0), self._called, do))

    def every(self, ms: int, do: Do) -> None:
        """Call again and again."""

        def again() -> None:
            do()
            self.later(ms, again)

        self.later(ms, again)

    def run(self, done: Callable[[], bool], until_ms: int) -> None:
        """Let time pass until it is done, or the instant has come."""
        while self._calls and not done() and self._calls[0][0] <= until_ms:
            self.now_ms, _, do = heappop(self._calls)
            do()

    def disturb(self, what: str) -> None:
        """Something broke or came back: promises about a calm world begin anew."""
        self.calm_since_ms = self.now_ms
        self.note(f"!! {what}")

    def calm_for_ms(self, since_ms: int) -> int:
        """How long it has been calm since that instant."""
        return self.now_ms - max(since_ms, self.calm_since_ms)

    def note(self, line: str) -> None:
        if self.verbose:
            print(f"{self.now_ms / 1000:9.3f}  {line}")

    def chance(self, share: float) -> bool:
        return self.dice.random() < share

    def between(self, least: int, most: int) -> int:
        return least + int(self.dice.random() * (most - least + 1))
