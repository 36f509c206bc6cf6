"""Settings that come from elsewhere: they hold where a person has chosen nothing."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update

from server.db.database import Database
from server.db.queries import users


def unchosen(chosen: Mapping[str, Any] | None, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the settings about which somebody with the chosen ones has not decided."""
    return {name: value for name, value in settings.items() if name not in (chosen or {})}


async def fill_settings(
    database: Database, user_id: str, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Set those that a stored person has not chosen; which these were."""
    async with database.write() as connection:
        found = await connection.execute(
            select(users.c.settings).where(users.c.id == user_id).with_for_update()
        )
        row = found.one_or_none()
        if row is None:
            return {}
        filled = unchosen(row.settings, settings)
        if filled:
            await connection.execute(
                update(users)
                .where(users.c.id == user_id)
                .values(settings={**(row.settings or {}), **filled})
            )
        return filled
