"""A browser for the run, and a fresh page for each test."""

import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    async_playwright,
    expect,
)

from server.db.queries import Person
from tests.api.typed import Api, opened_api, token
from tests.browser.chromium import chromium_path
from tests.browser.keyboard import Keyboard
from tests.processes import ServerProcess

# Long enough for a machine that is busy with other things, and for a client's longest back-off.
PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)
# What Chromium itself writes when a connection fails, or a server refuses; a page can neither
# prevent nor hide it.
_NETWORK_FAULTS = ("net::ERR_", "WebSocket connection to", "Failed to load resource")
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


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def api(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Api]:
    """A server for all tests of a module, its API, and its store to put attempts into."""
    folder = tmp_path_factory.mktemp("pages")
    shutil.copy(sqlite_template, folder / "typing.db")
    url = f"sqlite+aiosqlite:///{folder / 'typing.db'}"
    server = ServerProcess(url, folder / "server.log")
    await server.start()
    async with opened_api(server, url) as opened:
        yield opened
    await server.kill()


@dataclass
class Visit:
    """A page as somebody comes to it who is known here, or is nobody yet."""

    page: Page
    api: Api

    async def be(self, who: Person) -> None:
        """Be that guest from the next page on."""
        keep = f"localStorage.setItem('typing.token', '{token(who)}')"
        await self.page.context.add_init_script(keep)

    async def go(self, path: str) -> None:
        await self.page.goto(str(self.api.client.base_url.join(path)))

    async def overflow_px(self) -> int:
        """How far the page reaches beyond the window's side."""
        overflow: int = await self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return overflow


@pytest_asyncio.fixture(loop_scope="session")
async def visit(page: Page, api: Api) -> Visit:
    return Visit(page, api)


@pytest_asyncio.fixture(loop_scope="session")
async def keyboard(page: Page) -> Keyboard:
    return await Keyboard.of(page)
