"""Where Alembic meets the tables. The only file here that knows them."""

import asyncio
import os

from alembic import context
from sqlalchemy import Connection

from server.db import collection_tables, race_tables, subscription_tables
from server.db.database import Database, take_time
from server.settings import Settings

# With these all tables are known.
ROWS = (
    race_tables.RaceRow,
    collection_tables.CollectionRow,
    subscription_tables.SubscriptionRow,
)


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=ROWS[0].metadata,
        compare_type=True,
        render_as_batch=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def connect_and_run() -> None:
    database = Database(Settings.from_environ(os.environ).database_url)
    async with database.write() as connection:
        await connection.run_sync(take_time)
        await connection.run_sync(run)
    await database.close()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    asyncio.run(connect_and_run())
