"""The page of texts of one's own: a collection is begun, filled, typed and raced on."""

import pytest
from playwright.async_api import FilePayload, Page, expect

from tests.browser.conftest import Visit
from tests.browser.keyboard import Keyboard
from tests.browser.race_page import RacePage

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def begin(visit: Visit) -> None:
    """A guest begins a collection."""
    page = visit.page
    await visit.be(await visit.api.guest())
    await visit.go("/collections")
    await page.locator('[data-action="newCollection"]').click()
    await expect(page.locator("#collection-form-visibility")).to_be_disabled()
    await page.locator("#collection-form-name").fill("Sea songs")
    await page.locator("#collection-form-tags").fill("Sea, short")
    await page.locator("#collection-form button.primary").click()


def csv(content: bytes) -> FilePayload:
    return {"name": "texts.csv", "mimeType": "text/csv", "buffer": content}


async def import_table(page: Page) -> None:
    """A file that cannot be taken, and one that can."""
    await page.locator('[data-action="addTable"]').click()
    await page.locator("#table-form-file").set_input_files(csv(b"title,text\nA,b,c\nB,\n"))
    await page.locator("#table-form button.primary").click()
    await expect(page.locator("#table-problems tbody th")).to_have_text(["2", "3"])
    await page.locator("#table-form-file").set_input_files(
        csv(b"title;text\nSecond;up she rises\n")
    )
    await page.locator("#table-form button.primary").click()
    await expect(page.locator("#texts h2")).to_have_text(["First", "Second"])
    await expect(page.locator("#collection-facts")).to_have_text("2 texts · English · only you")


async def test_a_guest_makes_a_collection_and_races_on_it(visit: Visit, keyboard: Keyboard) -> None:
    page = visit.page
    await visit.go("/collections")
    await expect(page.locator("#own-none")).to_contain_text("type something first")
    await begin(visit)

    await expect(page.locator("#collection-name")).to_have_text("Sea songs")
    await expect(page.locator("#collection-tags li")).to_have_text(["sea", "short"])
    await page.locator('[data-action="addText"]').click()
    await page.locator("#text-form-text").fill("way hay")
    await page.locator("#text-form-title").fill("First")
    await keyboard.press("Enter")
    await expect(page.locator("#texts h2")).to_have_text(["First"])
    await expect(page.locator("#said")).to_have_text("The text is added.")

    await import_table(page)
    await page.locator("#texts a[href^='/race']").last.click()
    await expect(page.locator("#race-asked")).to_have_text("Second")
    race = RacePage(page, keyboard)
    await race.press("Enter")
    await race.is_in("lobby")
    assert await page.locator("#lobby-link").input_value()

    await page.goto(str(visit.api.client.base_url.join("/collections")))
    await page.locator("#own a").click()
    await page.locator("#texts a[href^='/?']").first.click()
    assert "".join(await race.text()) == "way hay"
