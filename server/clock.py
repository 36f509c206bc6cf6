"""The one clock of the process."""

import time

NS_PER_MS = 1_000_000


class Clock:
    """Unix time in ms that never steps: the wall clock is read once, then a monotonic one.

    Between processes its readings differ as their wall clocks do.
    """

    def __init__(self) -> None:
        self._offset_ns = time.time_ns() - time.monotonic_ns()

    def now_ms(self) -> int:
        """The present, in Unix ms."""
        return (time.monotonic_ns() + self._offset_ns) // NS_PER_MS
