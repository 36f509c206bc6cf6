"""The page of the API shows every endpoint and message, under the same policy as the rest."""

import pytest
from playwright.async_api import Page, expect

from server.api.asyncapi import RECEIVED, SENT
from server.app import ENDPOINTS
from tests.conftest import MakeServer

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_page_shows_the_contract(
    page: Page, make_server: MakeServer, sqlite_url: str
) -> None:
    server = make_server(sqlite_url)
    await server.start()
    await page.goto(f"{server.http_url}/docs")
    await expect(page.locator("#state")).to_have_text("")
    await expect(page.locator("#operations details")).to_have_count(len(ENDPOINTS))
    for kind in SENT | RECEIVED:
        await expect(page.locator(f'[id="message-{kind}"]')).to_have_count(1)

    await page.get_by_label("Find").fill("post auth/login")
    await expect(page.locator("#state")).to_have_text("1 found")
    login = page.locator("#accounts_login")
    await login.locator("summary").click()
    await expect(login).to_contain_text("401")
    await login.get_by_role("link", name="LoginBody").click()
    await page.get_by_label("Find").fill("")
    await expect(page.locator("#schema-LoginBody table")).to_be_visible()
    missing = await page.evaluate(
        "[...document.querySelectorAll('a[href^=\"#\"]')]"
        ".map((link) => link.getAttribute('href').slice(1))"
        ".filter((id) => !document.getElementById(id))"
    )
    assert missing == []
