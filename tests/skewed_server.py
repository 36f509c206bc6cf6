"""A server on a machine whose wall clock is wrong, by SKEW_MS.

With FIRST_LOOK_MS the store's clock is wrong, too, as long as it is asked for the first time. With
HASTE it is asked five times a second, and gone to a hundred times as fast.
"""

import os
import runpy
import time

from sqlalchemy.ext.asyncio import AsyncConnection

from server import app, clock
from server.db.database import store_now_us

MS_NS = 1_000_000
right_ns = time.time_ns
asked = 0


async def wrong_at_first(connection: AsyncConnection) -> int:
    """In place of asking once."""
    global asked
    asked += 1
    off_ms = int(os.environ.get("FIRST_LOOK_MS", "0")) if asked <= clock.QUESTIONS else 0
    return await store_now_us(connection) + off_ms * 1_000


if __name__ == "__main__":
    time.time_ns = lambda: right_ns() + int(os.environ["SKEW_MS"]) * MS_NS
    app.store_now_us = wrong_at_first  # type: ignore[attr-defined]
    if os.environ.get("HASTE"):
        app.CLOCK_S = 0.2  # type: ignore[assignment]
        clock.SLEW //= 100
    runpy.run_module("server", run_name="__main__")
