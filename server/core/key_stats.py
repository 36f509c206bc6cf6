"""Presses, errors, latency and confusions of one key."""

from dataclasses import dataclass, field

from server.core.score import KeyScore

LATENCY_MS_MAX = 5_000  # A longer pause is a pause, not a keystroke.


@dataclass(slots=True)
class KeyStats:
    """Counts for one expected key. `confusions` counts what was typed instead, as typed."""

    presses: int = 0
    errors: int = 0
    latency_sum_ms: int = 0
    latency_count: int = 0
    confusions: dict[str, int] = field(default_factory=dict)

    def right(self, dt_ms: int, after_right_press: bool) -> None:
        """Count a right press; only one that follows a right press says how fast the key is."""
        self.presses += 1
        if after_right_press and dt_ms <= LATENCY_MS_MAX:
            self.latency_sum_ms += dt_ms
            self.latency_count += 1

    def wrong(self, typed: str) -> None:
        """Count a press of `typed` where this key was expected."""
        self.presses += 1
        self.errors += 1
        self.confusions[typed] = self.confusions.get(typed, 0) + 1

    def add(self, other: "KeyStats") -> None:
        """Count what the other has counted, too."""
        self.presses += other.presses
        self.errors += other.errors
        self.latency_sum_ms += other.latency_sum_ms
        self.latency_count += other.latency_count
        for typed, count in other.confusions.items():
            self.confusions[typed] = self.confusions.get(typed, 0) + count

    @property
    def error_rate(self) -> float:
        """The share of wrong presses, 0..1 to 0.0001; 0 before the first."""
        return error_rate(self.errors, self.presses)

    def score(self) -> KeyScore:
        """The counts with the mean latency to 0.1 ms."""
        latency_ms = mean_latency_ms(self.latency_sum_ms, self.latency_count)
        return KeyScore(self.presses, self.errors, latency_ms, dict(self.confusions))


def error_rate(errors: int, presses: int) -> float:
    """The share of wrong presses, 0..1 to 0.0001; 0 before the first."""
    return round(errors / presses, 4) if presses else 0.0


def mean_latency_ms(sum_ms: int, count: int) -> float | None:
    """To 0.1 ms; None if no press said how fast the key is."""
    return round(sum_ms / count, 1) if count else None
