"""A browser for the run, and a fresh page for each test."""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest_asyncio
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    async_playwright,
    expect,
)

from tests.browser.chromium import chromium_path
from tests.browser.keyboard import Keyboard

# Long enough for a machine that is busy with other things, and for a client's longest back-off.
PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)
# What Chromium itself writes when a connection fails; a page can neither prevent nor hide it.
_NETWORK_FAULTS = ("net::ERR_", "WebSocket connection to")
_VIOLATIONS_SCRIPT = """
document.addEventListener('securitypolicyviolation', (event) => {
  console.error(`CSP violation: ${event.violatedDirective} ${event.blockedURI}`);
});
"""


@dataclass
class Complaints:
    """What a page complained of. `network` is expected only where a test breaks the network."""

    page: list[str] = field(default_factory=list)
    network: list[str] = field(default_factory=list)

    def on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            is_network = any(sign in message.text for sign in _NETWORK_FAULTS)
            (self.network if is_network else self.page).append(f"{message.type}: {message.text}")

    def watch(self, page: Page) -> None:
        page.on("console", self.on_console)
        page.on("pageerror", lambda error: self.page.append(f"uncaught: {error}"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for the whole run."""
    async with async_playwright() as playwright:
        path = chromium_path(playwright.chromium.executable_path)
        sandbox = [] if os.geteuid() else ["--no-sandbox"]
        chromium = await playwright.chromium.launch(executable_path=path, args=sandbox)
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A person who has never been here, with an English browser."""
    fresh = await browser.new_context(
        locale="en-US", viewport={"width": 1280, "height": 800}, reduced_motion="reduce"
    )
    fresh.set_default_timeout(PATIENCE_MS)
    await fresh.add_init_script(_VIOLATIONS_SCRIPT)
    yield fresh
    await fresh.close()


@pytest_asyncio.fixture(loop_scope="session")
async def complaints() -> Complaints:
    return Complaints()


@pytest_asyncio.fixture(loop_scope="session")
async def page(context: BrowserContext, complaints: Complaints) -> AsyncIterator[Page]:
    """An empty page. Whatever it complains of, but for the network, fails the test."""
    tab = await context.new_page()
    complaints.watch(tab)
    yield tab
    assert complaints.page == []


@pytest_asyncio.fixture(loop_scope="session")
async def keyboard(page: Page) -> Keyboard:
    return await Keyboard.of(page)
