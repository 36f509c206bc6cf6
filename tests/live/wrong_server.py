"""A server that is wrong on purpose: it says durable before it commits.

The check of the histories must find it, or the check is worth nothing.
"""

import asyncio
import runpy
from dataclasses import replace

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


if __name__ == "__main__":
    Journal.write = write_early  # type: ignore[method-assign]
    runpy.run_module("server", run_name="__main__")
