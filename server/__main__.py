"""`python -m server`: serve, with `migrate` bring the schema up to date, with `recount` count
leaderboards anew after attempts were changed by hand."""

import argparse
import asyncio
import gc
import os
import socket
import sys
from dataclasses import replace

from server.app import build, create_app, drain
from server.clock import Clock
from server.db.bests import recount
from server.db.database import STORE_ERRORS, Database
from server.log import configure as configure_log
from server.post import MailServer
from server.settings import Settings, SettingsRefused, port_number, workers_number
from server.web import listening, raise_files_limit, server
from server.workers import Workers

SWITCH_S = 0.0005
# New objects until the youngest are looked at, how often those until the middle ones are, and those
# until all are. What is older than a moment is looked at soon: a million at once takes 0.6 s.
GARBAGE = (50_000, 1, 100)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m server", description=__doc__)
    commands = ["serve", "migrate", "recount"]
    parser.add_argument("command", nargs="?", choices=commands, default="serve")
    parser.add_argument("--host", help="the address to listen on (HOST)")
    parser.add_argument("--port", help="the port to listen on (PORT)")
    parser.add_argument("--workers", help="how many processes answer (WORKERS)")
    arguments = parser.parse_args()
    configure_log(json_lines=os.environ.get("ENVIRONMENT") == "production")
    try:
        settings = Settings.from_environ(os.environ)
        settings = replace(
            settings,
            host=arguments.host or settings.host,
            port=port_number(arguments.port or str(settings.port)),
            workers=workers_number(arguments.workers or str(settings.workers)),
        )
        if settings.mail_url:
            MailServer.of(settings.mail_url)
        asyncio.run(prepare(settings, arguments.command))
    except (SettingsRefused, ValueError) as refused:
        sys.exit(str(refused))
    except STORE_ERRORS as error:
        why = str(error).splitlines() or ["it was waited for too long"]
        sys.exit(f"The store does not answer: {why[0]}")
    if arguments.command == "serve":
        serve(settings)


async def prepare(settings: Settings, command: str) -> None:
    """Have the schema ready. A file of our own is upgraded by itself; others when told to."""
    database = Database(settings.database_url)
    try:
        if command == "migrate" or database.embedded:
            await database.migrate()
        elif not await database.is_migrated():
            raise SettingsRefused("The store has another schema; run: python -m server migrate")
        if command == "recount":
            await recount(database, Clock().now_ms())
    finally:
        await database.close()


def serve(settings: Settings) -> None:
    """Serve until told to stop. Ends with code 1 if the server could not go on."""
    try:
        if settings.workers == 1:
            answer(settings)
        else:
            sockets = [listening(settings.host, settings.port)]
            Workers(settings.workers, lambda: answer(settings, sockets)).run()
    except KeyboardInterrupt:
        sys.exit(130)


def answer(settings: Settings, sockets: list[socket.socket] | None = None) -> None:
    """What one process does: answer at HOST and PORT, or on the sockets that all share."""
    parts = build(settings, files=raise_files_limit())
    # An answer makes thousands of objects and lets them go at once: to look for rings among them,
    # and among all that lives as long as the program, takes longer than to make them.
    gc.freeze()
    gc.set_threshold(*GARBAGE)
    # SQLite gives up its turn to run Python with every row, and waits as long as this for it; so
    # does the loop at each call of the system while a thread makes a lesson or a replay.
    sys.setswitchinterval(SWITCH_S)
    app = create_app(parts, settings, lambda: running.fail())
    proxies = settings.forwarded_allow_ips
    drained = drain(parts, settings)
    address = settings.host, settings.port
    running = server(app, *address, drained, parts.door, proxies, settings.websockets)
    running.run(sockets)
    if running.failed:
        sys.exit(1)


if __name__ == "__main__":
    main()
