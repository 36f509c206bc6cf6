"""`python -m server`: serve, or with `migrate` bring the schema up to date."""

import argparse
import asyncio
import logging
import os
import sys
from dataclasses import replace

from server.app import build, create_app, drain
from server.db.database import Database
from server.settings import Settings, SettingsRefused
from server.web import server


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m server", description=__doc__)
    parser.add_argument("command", nargs="?", choices=["serve", "migrate"], default="serve")
    parser.add_argument("--host", help="the address to listen on (HOST)")
    parser.add_argument("--port", type=int, help="the port to listen on (PORT)")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        settings = Settings.from_environ(os.environ)
        settings = replace(
            settings,
            host=arguments.host or settings.host,
            port=settings.port if arguments.port is None else arguments.port,
        )
        if arguments.command == "migrate":
            asyncio.run(migrate(settings))
        else:
            parts = build(settings)
            app = create_app(parts, settings)
            server(app, settings.host, settings.port, drain(parts, settings)).run()
    except (SettingsRefused, ValueError) as refused:
        sys.exit(f"{refused}")


async def migrate(settings: Settings) -> None:
    """Upgrade the schema of the store the settings name."""
    database = Database(settings.database_url)
    try:
        await database.migrate()
    finally:
        await database.close()


if __name__ == "__main__":
    main()
