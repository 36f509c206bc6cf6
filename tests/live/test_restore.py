"""A copy of the store taken while people type is whole, and put back, who still types mends it."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from server.db.database import store_url
from tests.conftest import MakeServer
from tests.live.guest import TEXT, guest, stored


async def test_a_copy_taken_live_is_whole_and_who_still_types_mends_it(
    make_server: MakeServer, sqlite_url: str, tmp_path: Path
) -> None:
    server = make_server(sqlite_url)
    await server.start()
    file, copy = Path(store_url(sqlite_url).database or ""), tmp_path / "copy.db"
    async with guest(server.ws_url) as other, guest(server.ws_url) as person:
        await other.begin("ab")
        await other.press("ab")
        done = await other.done()
        await person.begin()
        await person.typed(TEXT[:9])
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("VACUUM INTO ?", [str(copy)])
        await person.typed(TEXT[9:20])
    await server.kill()
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    for leftover in file.parent.glob(f"{file.name}-*"):
        leftover.unlink()
    shutil.copy(copy, file)

    await server.start()
    async with guest(server.ws_url, person.token) as again:
        opened = await again.resume(person.attempt)
        # What came after the copy is gone, acked or not; the client still has it and sends it.
        assert (opened["seq"], opened["typed"]) == (9, TEXT[:9])
        await again.press(TEXT[9:])
        result = (await again.done())["result"]
        assert (result["position"], result["errors"]) == (len(TEXT), 0)
    (kept,) = await stored(
        sqlite_url, "SELECT wpm FROM attempts WHERE id = :attempt", attempt=other.attempt
    )
    assert kept.wpm == done["result"]["wpm"]
