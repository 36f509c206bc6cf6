"""A server that is wrong on purpose, in the one point that WRONG names.

The check of the histories must find each, or the check is worth nothing. Two that belong here are
shown where they can be: numbers of race events from memory in the simulation of races
(tests/simulation/wrong.py), and a client that goes on after what was acked in test_restored.py.
"""

import asyncio
import os
import runpy
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from server.core.attempt import Attempt, Batch
from server.core.typed_text import Keystroke
from server.db import journal
from server.db.journal import Entry, Journal, Outcome

COMMIT_AFTER_S = 0.15


class _Nobody:
    """Has been told already."""

    def settled(self, entry: Entry, outcome: Outcome, personal_best: float | None) -> None: ...

    def stalled(self) -> None: ...


_write = Journal.write


def write_early(self: Journal, entry: Entry) -> None:
    """Settle keystrokes as committed when they are written, and commit them a while later."""
    loop = asyncio.get_running_loop()
    kept = entry
    if entry.ending is None:
        kept = replace(entry, owner=_Nobody())
        loop.call_soon(entry.owner.settled, entry, Outcome.COMMITTED, None)
    loop.call_later(COMMIT_AFTER_S, _write, self, kept)


def ack_early() -> None:
    """It says durable before it commits."""
    Journal.write = write_early  # type: ignore[method-assign]


def write_under_any_epoch() -> None:
    """Whoever has been taken over goes on writing."""
    journal._astray = lambda connection, group: {}


_receive = Attempt.receive


def receive_whole(
    self: Attempt, seq: int, keystrokes: list[Keystroke], arrived_at_ms: int
) -> Batch | None:
    """Take all of what comes as new."""
    return _receive(self, max(seq, self.seq + 1), keystrokes, arrived_at_ms)


def keep_overlaps() -> None:
    """What is sent again counts again."""
    Attempt.receive = receive_whole  # type: ignore[method-assign]


_commit = Journal._commit
_count_keys = journal._count_keys


def die_in_the_first_life() -> None:
    """SIGKILL, unless the file that LIVED names is there; it is from then on."""
    lived = Path(os.environ["LIVED"])
    if not lived.exists():
        lived.touch()
        os.kill(os.getpid(), signal.SIGKILL)


async def count_first(self: Journal, group: Sequence[Entry]) -> Any:
    """Count the keys, die in the first life, and in the next ones commit what they are of."""
    endings = [entry.ending for entry in group if entry.ending]
    if endings:
        await self._database.transact(partial(_count_keys, endings=endings))
        die_in_the_first_life()
    return await _commit(self, group)


def count_apart() -> None:
    """The counters of keys have a transaction of their own."""
    Journal._commit = count_first  # type: ignore[method-assign]
    journal._count_keys = lambda connection, endings: None


WAYS: dict[str, Callable[[], None]] = {
    way.__name__: way for way in (ack_early, write_under_any_epoch, keep_overlaps, count_apart)
}

if __name__ == "__main__":
    WAYS[os.environ["WRONG"]]()
    runpy.run_module("server", run_name="__main__")
