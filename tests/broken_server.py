"""A server whose journal breaks at the first keystrokes: what no test foresees, made to happen."""

import runpy

from server.db.journal import Journal


async def broken(self: Journal) -> None:
    """In place of committing."""
    await self._work.wait()
    raise RuntimeError("the journal has broken")


if __name__ == "__main__":
    Journal._commit_groups = broken  # type: ignore[method-assign]
    runpy.run_module("server", run_name="__main__")
