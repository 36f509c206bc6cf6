"""Which processes share the store, as far as they let themselves be heard."""

from collections.abc import Collection

from sqlalchemy import bindparam, delete, select

from server.db.database import Database
from server.db.race_rows import racers, races
from server.db.race_tables import LIVE, ProcessRow
from server.db.statements import INSERT

processes = ProcessRow.metadata.tables[ProcessRow.__tablename__]


async def beat(database: Database, process_id: str) -> dict[str, int]:
    """Say that this process is there; return the beat of each that is known."""
    async with database.write() as connection:
        into = INSERT[connection.dialect.name](processes)
        into = into.on_conflict_do_update(
            index_elements=["id"], set_={"beat": processes.c.beat + 1}
        )
        await connection.execute(into, {"id": process_id, "beat": 1})
        rows = (await connection.execute(select(processes.c.id, processes.c.beat))).all()
    return {known: beat for known, beat in rows}


_strike_out = delete(processes).where(
    processes.c.id == bindparam("process"), processes.c.beat == bindparam("last")
)


async def strike_out(database: Database, process_id: str, beat: int) -> None:
    """Forget a process that has not been heard of since this beat."""
    async with database.write() as connection:
        await connection.execute(_strike_out, {"process": process_id, "last": beat})


async def sign_off(database: Database, process_id: str) -> None:
    """This process goes away: its races are to be taken at once."""
    async with database.write() as connection:
        await connection.execute(delete(processes).where(processes.c.id == process_id))


_drivers = select(races.c.id, races.c.driver).where(LIVE)
_seats = select(racers.c.race_id, racers.c.seat).where(
    racers.c.race_id.in_(select(races.c.id).where(LIVE)), racers.c.seat.is_not(None)
)


async def list_orphans(database: Database, there: Collection[str]) -> list[tuple[str, str]]:
    """(race, process) for each live race with a driver or a seat of a process that is not there."""
    async with database.read() as connection:
        drivers = (await connection.execute(_drivers)).all()
        seats = (await connection.execute(_seats)).all()
    held = {(race_id, driver) for race_id, driver in drivers}
    held |= {(race_id, seat.partition("/")[0]) for race_id, seat in seats}
    return sorted((race_id, process) for race_id, process in held if process not in there)
