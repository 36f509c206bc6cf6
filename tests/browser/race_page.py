"""The page of races as a person uses it who has a keyboard and no mouse."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE_MS, Complaints
from tests.browser.keyboard import Keyboard
from tests.processes import ServerProcess

TABS_MAX = 60


class RacePage:
    """One person's window."""

    def __init__(self, page: Page, keyboard: Keyboard) -> None:
        self.page = page
        self.keyboard = keyboard

    async def press(self, *names: str) -> None:
        for name in names:
            await self.keyboard.press(name)

    async def tab_to(self, selector: str) -> None:
        """Go on with Tab until that has the focus."""
        for _ in range(TABS_MAX):
            if await self.page.evaluate(
                "selector => document.activeElement?.matches(selector) ?? false", selector
            ):
                return
            await self.press("Tab")
        raise AssertionError(f"Tab does not lead to {selector}")

    async def is_in(self, phase: str) -> None:
        await expect(self.page.locator("body")).to_have_attribute("data-race", phase)

    async def create(self, url: str, words: int = 10, language: str = "en") -> str:
        """Open a race of so many words; return its link."""
        await self.page.goto(f"{url}/race")
        await self.is_in("start")
        await self.tab_to(f'[name="language"][value="{language}"], [name="language"]:checked')
        if language == "ru":
            await self.press("ArrowRight")
        await self.page.keyboard.press("Shift+Tab")
        while (
            await self.page.locator(f'[name="source"][value="words-{words}"]').is_checked() is False
        ):
            await self.press("ArrowRight")
        await self.tab_to('#create [type="submit"]')
        await self.press("Enter")
        await self.is_in("lobby")
        return await self.page.locator("#lobby-link").input_value()

    async def text(self) -> list[str]:
        """The text to type, one grapheme each."""
        await self.page.locator("#text span.cell").first.wait_for()
        cells: list[str] = await self.page.locator("#text span.cell").evaluate_all(
            "cells => cells.sort((a, b) => a.dataset.i - b.dataset.i).map(c => c.textContent)"
        )
        return cells

    async def type(self, text: list[str]) -> None:
        """Type as fast as people do, so that nobody doubts it."""
        await self.keyboard.type(text, dt_ms=70)

    async def right(self) -> int:
        return await self.page.locator("#text span.cell.right").count()

    async def go(self) -> None:
        """Wait for the start."""
        await expect(self.page.locator("#countdown.go")).to_have_count(1)

    async def places(self) -> list[tuple[str, str]]:
        """Who has which place in the table at the end, names without what is said of them."""
        await expect(self.page.locator("#race-results")).to_be_visible()
        rows = await self.page.locator("#race-results tbody tr").all()
        return [
            (
                await row.locator("td").first.inner_text(),
                (await row.locator("th").inner_text()).split(" · ")[0],
            )
            for row in rows
        ]


@asynccontextmanager
async def race_page(
    browser: Browser, complaints: Complaints, *, locale: str = "en-US", width_px: int = 1280
) -> AsyncIterator[RacePage]:
    """A window of somebody who has never been here."""
    context = await browser.new_context(
        locale=locale, viewport={"width": width_px, "height": 800}, reduced_motion="reduce"
    )
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    complaints.watch(page)
    yield RacePage(page, await Keyboard.of(page))
    await context.close()


@asynccontextmanager
async def lobby(
    browser: Browser, complaints: Complaints, server: ServerProcess, language: str = "en"
) -> AsyncIterator[tuple[RacePage, RacePage]]:
    """A host and a guest, in the lobby of a race of ten words."""
    locale = "ru-RU" if language == "ru" else "en-US"
    async with (
        race_page(browser, complaints, locale=locale) as host,
        race_page(browser, complaints, locale=locale) as guest,
    ):
        link = await host.create(server.http_url, language=language)
        await guest.page.goto(link)
        await guest.is_in("lobby")
        await expect(host.page.locator("#lobby-racers li")).to_have_count(2)
        yield host, guest
