"""Ends the attempts that are due and that no connection drives, and lets go of those taken away."""

import asyncio
import logging
from collections.abc import Callable

from server.db.batches import sort_batches
from server.db.database import STORE_ERRORS, Database
from server.db.journal import Entry, Journal, Outcome
from server.db.queries import OPEN_STATES, list_due, load_epochs, seize_attempt
from server.live.hub import Hub
from server.live.result import ending

log = logging.getLogger(__name__)

SWEEP_S = 3
EPOCHS_MAX = 500
SWEEPS_A_SORT = 5  # the longer, the fewer pages are touched, and the more whoever resumes looks at


class Sweeper:
    """Looks every few seconds. What another process drives it meets only long after its time."""

    def __init__(
        self, database: Database, journal: Journal, hub: Hub, now_ms: Callable[[], int]
    ) -> None:
        self._database = database
        self._journal = journal
        self._hub = hub
        self._now_ms = now_ms
        self._sweeps = 0

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            try:
                await self.sweep()
            except STORE_ERRORS as error:
                log.warning("the store does not answer the sweeper: %r", error)
            await asyncio.sleep(SWEEP_S)

    async def sweep(self) -> None:
        """End everything that is due now, and tell who drives what another process has taken.

        What was committed is sorted before: an attempt is due by its last keystroke.
        """
        if not self._database.embedded:  # nobody else opens a file of ours
            await self._let_go()
        if self._sweeps % SWEEPS_A_SORT == 0:
            await sort_batches(self._database, OPEN_STATES)
        self._sweeps += 1
        if await self._due():
            await sort_batches(self._database, OPEN_STATES)
            for attempt_id in await self._due():
                await self._end(attempt_id)

    async def _due(self) -> list[str]:
        due = await list_due(self._database, self._now_ms())
        return [attempt_id for attempt_id in due if not self._hub.drives(attempt_id)]

    async def _let_go(self) -> None:
        driven = self._hub.driven()
        for start in range(0, len(driven), EPOCHS_MAX):
            some = driven[start : start + EPOCHS_MAX]
            epochs = await load_epochs(self._database, [attempt.id for attempt in some])
            for attempt in some:
                if epochs.get(attempt.id, attempt.epoch) != attempt.epoch:
                    attempt.superseded()

    async def _end(self, attempt_id: str) -> None:
        stored = await seize_attempt(self._database, attempt_id)
        if stored is None:
            return
        now_ms = self._now_ms()
        reason = stored.attempt.end(stored.attempt.due_reason(), now_ms)
        end = ending(stored.attempt, dict(stored.row), reason)
        self._journal.write(Entry(self, attempt_id, stored.epoch, ending=end))

    def settled(self, entry: Entry, outcome: Outcome, personal_best: float | None) -> None:
        """Nobody waits for it; whoever opens the attempt next finds the result."""

    def stalled(self) -> None:
        """Nobody waits."""
