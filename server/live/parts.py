"""What every connection of the process shares."""

from dataclasses import dataclass

from server.auth import Tokens
from server.bus import Bus
from server.clock import Clock
from server.db.database import Database
from server.db.journal import Journal
from server.live.hub import Hub
from server.live.load import Load
from server.live.races import Races
from server.live.racing import RacingParts
from server.texts import Texts
from server.turns import Door, Turns


@dataclass(frozen=True, slots=True)
class Parts:
    """Made once, by the wiring."""

    clock: Clock
    database: Database
    journal: Journal
    hub: Hub
    load: Load
    door: Door
    turns: Turns
    bus: Bus
    races: Races
    racing: RacingParts
    texts: Texts
    tokens: Tokens

    def waited_s(self) -> float:
        """For how long somebody has waited to be let in, or for a turn."""
        return max(self.door.waited_s(), self.turns.waited_s())
