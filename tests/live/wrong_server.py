"""A server that is wrong on purpose: it says durable before it commits.

The check of the histories must find it, or the check is worth nothing.
"""

import asyncio
import runpy
from dataclasses import replace

from server.db import journal
from server.db.journal import Entry, Journal, Outcome

COMMIT_AFTER_S = 0.15


class _Nobody:
    """Has been told already."""

    def settled(self, entry: Entry, outcome: Outcome, personal_best: float | None) -> None: ...

    def stalled(self) -> None: ...


class EarlyJournal(Journal):
    """Settles keystrokes as committed when they are written, and commits them a while later."""

    def write(self, entry: Entry) -> None:
        loop = asyncio.get_running_loop()
        kept = entry
        if entry.ending is None:
            kept = replace(entry, owner=_Nobody())
            loop.call_soon(entry.owner.settled, entry, Outcome.COMMITTED, None)
        loop.call_later(COMMIT_AFTER_S, super().write, kept)


if __name__ == "__main__":
    journal.Journal = EarlyJournal  # type: ignore[misc]
    runpy.run_module("server", run_name="__main__")
