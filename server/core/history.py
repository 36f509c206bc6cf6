"""What was typed so far, and in which batches it came, in little room.

Ten thousand people have millions of keystrokes in memory: kept as objects, they would take ten
times the room, and the garbage collector would look at each again and again.
"""

from array import array
from typing import NamedTuple

from server.core.typed_text import Keystroke


class Batch(NamedTuple):
    """Keystrokes number `seq` and on, with the server's time at which they arrived."""

    seq: int
    arrived_at_ms: int
    keystrokes: tuple[Keystroke, ...]

    @property
    def last_seq(self) -> int:
        return self.seq + len(self.keystrokes) - 1


class History:
    """The keystrokes that counted; number 1 stands first."""

    __slots__ = ("_arrived_at_ms", "_dt_ms", "_keys", "_lengths")

    def __init__(self) -> None:
        self._dt_ms = array("I")
        self._keys: list[str] = []
        self._lengths = array("H")  # of the batches
        self._arrived_at_ms = array("q")

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, batch: Batch) -> None:
        """Keep a batch that follows the last one."""
        for dt_ms, key in batch.keystrokes:
            self._dt_ms.append(dt_ms)
            self._keys.append(key)
        self._lengths.append(len(batch.keystrokes))
        self._arrived_at_ms.append(batch.arrived_at_ms)

    def keystrokes(self, start: int = 0, end: int | None = None) -> list[Keystroke]:
        """Those from place `start`, which is a number less 1, up to before `end`."""
        return list(map(Keystroke, self._dt_ms[start:end], self._keys[start:end]))

    def batches(self) -> list[Batch]:
        """All of it, as it came."""
        made, at = [], 0
        for length, arrived_at_ms in zip(self._lengths, self._arrived_at_ms, strict=True):
            made.append(Batch(at + 1, arrived_at_ms, tuple(self.keystrokes(at, at + length))))
            at += length
        return made
