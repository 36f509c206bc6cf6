"""A person types on the page, and nothing that was typed gets lost."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page, expect
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from server.core.replay import unpack_log
from tests.browser.conftest import PATIENCE_MS, Complaints
from tests.browser.keyboard import Keyboard
from tests.processes import ServerProcess
from tests.raw_client import Message

pytestmark = pytest.mark.asyncio(loop_scope="session")


class TypingPage:
    """The page as a person uses it."""

    def __init__(self, page: Page, keyboard: Keyboard) -> None:
        self.page = page
        self.keyboard = keyboard
        self.pressed: list[str] = []
        self._opened: list[Message] = []
        self._done: set[str] = set()  # the attempts whose `done` has come
        self._heard = asyncio.Event()
        page.on("websocket", lambda socket: socket.on("framereceived", self._on_frame))

    @property
    def attempt(self) -> str:
        """The attempt that was opened last."""
        attempt: str = self._opened[-1]["attempt"]
        return attempt

    def _on_frame(self, frame: str | bytes) -> None:
        message = json.loads(frame)
        if message["type"] == "opened":
            self._opened.append(message)
        elif message["type"] == "done":
            self._done.add(message["attempt"])
        self._heard.set()

    async def open(self, server: ServerProcess) -> None:
        await self.page.goto(server.http_url)
        await self._shown(1)

    async def choose(self, selector: str) -> None:
        """Choose a source or a language, which brings another text."""
        button = self.page.locator(selector)
        if await button.get_attribute("aria-pressed") == "true":
            return
        opened_before = len(self._opened)
        summary = self.page.locator("#source-summary")
        if not await button.is_visible():
            await summary.click()  # on a narrow page the choices are folded away
        await button.click()
        await self._shown(opened_before + 1)

    async def _shown(self, opened: int) -> None:
        """Wait until that many attempts have opened and the last one's text can be typed."""
        await self._until(lambda: len(self._opened) >= opened)
        deadline_s = time.monotonic() + PATIENCE_MS / 1000
        while "".join(await self.text()) != self._opened[-1]["text"]:
            assert time.monotonic() < deadline_s, "the text that was opened is not shown"
            await asyncio.sleep(0.02)
        await expect(self.page.locator("body")).to_have_attribute("data-phase", "ready")

    async def _until(self, holds: Callable[[], bool]) -> None:
        """Wait for messages until something holds."""
        async with asyncio.timeout(PATIENCE_MS / 1000):
            while not holds():
                self._heard.clear()
                await self._heard.wait()

    async def text(self) -> list[str]:
        """The text to type, one grapheme each."""
        cells: list[str] = await self.page.locator("#text span.cell").evaluate_all(
            "cells => cells.sort((a, b) => a.dataset.i - b.dataset.i).map(c => c.textContent)"
        )
        return cells

    async def type(self, keys: Sequence[str], *, dt_ms: float = 15) -> None:
        self.pressed += await self.keyboard.type(keys, dt_ms=dt_ms)

    async def delete(self) -> None:
        await self.keyboard.press("Backspace")
        self.pressed.append("\b")

    async def results(self) -> None:
        """Wait until the results are shown and the server's have come."""
        await expect(self.page.locator("body")).to_have_attribute("data-phase", "done")
        await self._until(lambda: self.attempt in self._done)
        await expect(self.page.locator("#results")).to_be_visible()
        shown = await self.page.locator("#result-wpm").text_content()
        assert shown is not None
        assert any(character.isdigit() for character in shown), shown


@pytest_asyncio.fixture(loop_scope="session")
async def typing_page(page: Page, keyboard: Keyboard) -> AsyncIterator[TypingPage]:
    yield TypingPage(page, keyboard)


async def stored_attempt(database_url: str) -> dict[str, Any]:
    """The one attempt that was typed to its end, with its keys in the order of the log."""
    engine = create_async_engine(database_url)
    try:
        async with engine.connect() as connection:
            query = text("SELECT * FROM attempts WHERE state = 'finished'")
            (row,) = (await connection.execute(query)).mappings().all()
    finally:
        await engine.dispose()
    batches = unpack_log(row["keystroke_log"], row["opened_at_ms"])
    keys = [keystroke.key for batch in batches for keystroke in batch.keystrokes]
    return {**row, "pressed": keys}


async def check_stored(database_url: str, typing_page: TypingPage, target: list[str]) -> None:
    """The store holds every key that was pressed, once and in order, and they make the text."""
    stored = await stored_attempt(database_url)
    assert stored["pressed"] == typing_page.pressed
    assert stored["text"] == "".join(target)
    assert stored["uncorrected"] == 0


@pytest.mark.parametrize("language", ["en", "ru"])
async def test_a_text_is_typed_to_its_results(
    typing_page: TypingPage,
    sqlite_server: ServerProcess,
    sqlite_url: str,
    complaints: Complaints,
    language: str,
) -> None:
    await typing_page.open(sqlite_server)
    await typing_page.choose(f'[data-language="{language}"]')
    await typing_page.choose('[data-source="random-short"]')
    target = await typing_page.text()

    await typing_page.type(target[:5])
    await typing_page.type(["7"])
    await typing_page.delete()
    await typing_page.type(target[5:])

    await typing_page.results()
    await check_stored(sqlite_url, typing_page, target)
    assert complaints.network == []


async def test_a_reload_goes_on_at_the_same_character(
    typing_page: TypingPage, sqlite_server: ServerProcess, sqlite_url: str
) -> None:
    await typing_page.open(sqlite_server)
    await typing_page.choose('[data-source="random-short"]')
    target = await typing_page.text()
    await typing_page.type(target[:17])

    await typing_page.page.reload()

    await typing_page.page.locator('#text span.cell.right[data-i="16"]').wait_for()
    assert await typing_page.text() == target
    assert await typing_page.page.locator("#text span.cell.right").count() == 17
    await typing_page.type(target[17:])
    await typing_page.results()
    await check_stored(sqlite_url, typing_page, target)


async def test_typing_goes_on_without_a_network(
    typing_page: TypingPage,
    context: BrowserContext,
    sqlite_server: ServerProcess,
    sqlite_url: str,
) -> None:
    connection = typing_page.page.locator("#connection")
    await typing_page.open(sqlite_server)
    await typing_page.choose('[data-source="random-short"]')
    target = await typing_page.text()
    await typing_page.type(target[:10])

    # Being offline alone does not end a websocket that is open; the server's end does.
    await context.set_offline(True)
    await sqlite_server.terminate()
    await expect(connection).to_have_attribute("data-state", "offline")
    await typing_page.type(target[10:40])
    assert await typing_page.page.locator("#text span.cell.right").count() == 40
    await sqlite_server.start()
    await context.set_offline(False)

    await expect(connection).to_have_attribute("data-state", "saved")
    await typing_page.type(target[40:])
    await typing_page.results()
    await check_stored(sqlite_url, typing_page, target)


async def test_a_server_killed_in_the_middle_of_a_word_loses_nothing(
    typing_page: TypingPage, sqlite_server: ServerProcess, sqlite_url: str
) -> None:
    await typing_page.open(sqlite_server)
    await typing_page.choose('[data-source="random-short"]')
    target = await typing_page.text()
    middle = next(i for i in range(20, len(target)) if (target[i - 1] + target[i]).isalpha())
    await typing_page.type(target[:middle])

    async def kill_and_start() -> None:
        await sqlite_server.kill()
        await sqlite_server.start()

    await asyncio.gather(kill_and_start(), typing_page.type(target[middle:], dt_ms=25))

    await typing_page.results()
    await check_stored(sqlite_url, typing_page, target)


@pytest.mark.parametrize(("scheme", "interface"), [("light", "en"), ("dark", "ru")])
async def test_a_narrow_page_does_not_scroll_sideways(
    typing_page: TypingPage, sqlite_server: ServerProcess, scheme: Any, interface: str
) -> None:
    page = typing_page.page
    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    await page.set_viewport_size({"width": 320, "height": 640})
    await typing_page.open(sqlite_server)
    if interface != "en":
        await page.locator('[data-action="interface"]').click()
        await expect(page.locator("html")).to_have_attribute("lang", interface)
    assert await _overflow_px(page) <= 0
    await typing_page.choose('[data-source="words-10"]')
    assert await _overflow_px(page) <= 0

    await typing_page.type(await typing_page.text(), dt_ms=45)
    await typing_page.results()
    assert await _overflow_px(page) <= 0


async def _overflow_px(page: Page) -> int:
    overflow: int = await page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return overflow
