"""What a file amounts to, added up row by row."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from server.imports.reader import BadRow
from server.imports.results import DAY_MS, Imported

FIRST_ROWS = 8
BAD_ROWS = 100
DAYS_MAX = 120  # of more the chart shows months


@dataclass(slots=True)
class Day:
    """The results of a day of UTC, counted from 1970-01-01."""

    attempts: int = 0
    wpm_sum: float = 0.0
    accuracy_sum: float = 0.0

    def add(self, attempts: int, wpm_sum: float, accuracy_sum: float) -> None:
        """Count these, too."""
        self.attempts += attempts
        self.wpm_sum += wpm_sum
        self.accuracy_sum += accuracy_sum


@dataclass(slots=True)
class Report:
    """Sums over the good rows; of the rows themselves only the first ones, good and bad."""

    good: int = 0
    bad: int = 0
    first_at_ms: int | None = None
    last_at_ms: int | None = None
    chars: int = 0
    duration_ms: int = 0
    errors: int = 0
    key_presses: int = 0
    wpm_sum: float = 0.0
    wpm_best: float = 0.0
    accuracy_sum: float = 0.0
    days: dict[int, Day] = field(default_factory=dict)
    first: list[Imported] = field(default_factory=list)
    bad_rows: list[BadRow] = field(default_factory=list)

    def add(self, rows: Iterable[Imported | BadRow]) -> None:
        """Count these, too."""
        for row in rows:
            if isinstance(row, BadRow):
                self.bad += 1
                if len(self.bad_rows) < BAD_ROWS:
                    self.bad_rows.append(row)
            else:
                self._add(row)

    def _add(self, row: Imported) -> None:
        self.good += 1
        at_ms = row.finished_at_ms
        self.first_at_ms = at_ms if self.first_at_ms is None else min(at_ms, self.first_at_ms)
        self.last_at_ms = at_ms if self.last_at_ms is None else max(at_ms, self.last_at_ms)
        self.chars += row.chars
        self.duration_ms += row.duration_ms
        self.errors += row.errors
        self.key_presses += sum(stats.presses for stats in row.keys.values())
        self.wpm_sum += row.wpm
        self.wpm_best = max(self.wpm_best, row.wpm)
        self.accuracy_sum += row.accuracy
        self.days.setdefault(at_ms // DAY_MS, Day()).add(1, row.wpm, row.accuracy)
        if len(self.first) < FIRST_ROWS:
            self.first.append(row)
