"""Ends the connections of people who have logged out, have been disabled, or are gone."""

import asyncio
import logging

from server.db.accounts import list_standings
from server.db.database import STORE_ERRORS, Database
from server.live.hub import Client, Hub
from server.protocol import CloseCode

log = logging.getLogger(__name__)

LOOK_S = 3
PEOPLE_MAX = 10_000  # in one question


class Revoker:
    """Looks every few seconds, whoever ended the login and wherever: one question for all."""

    def __init__(self, database: Database, hub: Hub) -> None:
        self._database = database
        self._hub = hub

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await self.look()
            except STORE_ERRORS as error:
                log.warning("the store does not answer the revoker: %s", type(error).__name__)
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """End what may not go on by now."""
        people = self._hub.people()
        ids = sorted(people)
        for start in range(0, len(ids), PEOPLE_MAX):
            await self._check({who: people[who] for who in ids[start : start + PEOPLE_MAX]})

    async def _check(self, people: dict[str, list[Client]]) -> None:
        # What is known of a client now must not be held against what is stored later.
        before = [
            (who, client, client.stored) for who, clients in people.items() for client in clients
        ]
        rows = await list_standings(self._database, sorted(people))
        guests = {row["id"]: row["guest"] for row in rows}
        disabled = {row["id"] for row in rows if row["disabled_at_ms"] is not None}
        logins = {row["login_id"] for row in rows}
        for who, client, stored in before:
            if who in disabled:
                client.close(CloseCode.DISABLED, "the account is disabled")
            elif client.login_id is not None and client.login_id not in logins:
                client.close(CloseCode.LOGGED_OUT, "logged out")
            elif client.login_id is None and stored and not guests.get(who, False):
                # The guest has registered or logged in, or is deleted: another token is due.
                client.close(CloseCode.TOKEN_REFUSED, "the token is not valid any more")
