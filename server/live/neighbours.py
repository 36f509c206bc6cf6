"""The other processes on this store: when one is gone, its races are driven here.

A process is there as long as its beat in the store rises. Looks are counted, not seconds: a store
that was away, or a machine that stood still, makes nobody look dead.
"""

import asyncio
import logging

from server.db.database import STORE_ERRORS, Database
from server.db.processes import beat, list_orphans, sign_off, strike_out
from server.live.races import Races

log = logging.getLogger(__name__)

BEAT_S = 0.5
STILL_MAX = 7  # looks at a beat that stands still


class Neighbours:
    """Lets itself be heard, listens to the others, and takes over what the gone have left."""

    def __init__(self, database: Database, races: Races) -> None:
        self._database = database
        self._races = races
        self._me = races.process_id
        self._heard: dict[str, tuple[int, int]] = {}  # process -> beat, and looks it stood still
        self._left_behind = True  # what was left before we came counts, too

    async def run(self) -> None:
        """Beat and look until cancelled; a process on its own file has no neighbours."""
        while True:
            try:
                await self.look()
            except STORE_ERRORS as error:
                log.warning("the store does not answer the neighbours: %s", type(error).__name__)
            await asyncio.sleep(BEAT_S)

    async def look(self) -> None:
        """Say that we are there, and take what those who are gone have left."""
        if self._database.embedded:
            there = {self._me}
        else:
            there = await self._who_is_there()
        if not self._left_behind:
            return
        for race_id, gone in await list_orphans(self._database, there):
            await self._races.take(race_id, gone)
        self._left_behind = False

    async def _who_is_there(self) -> set[str]:
        beats = await beat(self._database, self._me)
        for gone in self._heard.keys() - beats.keys():
            del self._heard[gone]
            self._left_behind = True
        for process, now in beats.items():
            before, still = self._heard.get(process, (now - 1, 0))
            self._heard[process] = (now, still + 1 if now == before else 0)
        for process, (last, still) in list(self._heard.items()):
            if process != self._me and still >= STILL_MAX:
                log.warning("process %s is gone", process)
                await strike_out(self._database, process, last)
                del self._heard[process]
                self._left_behind = True
        return set(self._heard)

    async def sign_off(self) -> None:
        """Go in good order: the others need not wait to take what is driven here."""
        if not self._database.embedded:
            await sign_off(self._database, self._me)
