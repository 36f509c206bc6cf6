"""The keyboard's page: what is chosen and changed there is what one types with."""

import json
import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.keyboard import Keyboard
from tests.browser.test_accessibility import Reader
from tests.live.guest import stored

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def settings_on_server(visit: Visit, page: Page) -> dict[str, Any]:
    token = await page.evaluate("localStorage.getItem('typing.token')")
    headers = {"Authorization": f"Bearer {token}"}
    answer = await visit.api.client.get("/users/me", headers=headers)
    settings: dict[str, Any] = answer.json()["settings"]
    return settings


async def test_a_layout_is_chosen_and_keys_are_counted_under_it(visit: Visit) -> None:
    page = visit.page
    await visit.go("/keyboard")
    await page.locator("#layout-en").select_option("azerty")
    await expect(page.locator("#picture")).to_have_attribute("data-shape", "iso")
    await expect(page.locator('#picture [data-code="KeyQ"]')).to_have_text("A")
    await page.locator('[data-setting="shape"][data-value="ansi"]').click()
    await expect(page.locator('#picture [data-code="IntlBackslash"]')).to_have_count(0)

    await visit.go("/")
    await page.locator("#text span.cell").first.wait_for()
    await expect(page.locator('.keys [data-code="KeyQ"]')).to_have_text("A")
    await expect(page.locator(".keys")).to_have_attribute("data-shape", "ansi")
    layouts = await stored(str(visit.api.database.engine.url), "SELECT layout FROM attempts")
    assert layouts == [("azerty",)]

    # The guest that the first text has made of nobody has the choice from the next page on.
    async with page.expect_response(lambda answer: answer.request.method == "PATCH"):
        await visit.go("/keyboard")
    assert (await settings_on_server(visit, page))["layouts"] == {"en": "azerty"}


async def test_a_key_and_a_finger_are_changed_and_reset(visit: Visit, keyboard: Keyboard) -> None:
    page = visit.page
    await visit.go("/keyboard")
    key = page.locator('#picture [data-code="KeyY"]')
    await key.focus()
    await keyboard.press("Enter")
    await expect(page.locator("#key")).to_be_visible()
    await expect(key).to_be_focused()
    await page.locator("#finger").select_option("left_index")
    await page.locator("#level-plain").fill("ab")
    await page.locator("#level-plain").press("Tab")
    await expect(page.locator("#told")).not_to_be_empty()
    await page.locator("#level-plain").fill("ł")
    await page.locator("#level-plain").press("Tab")
    await expect(page.locator("#told")).to_be_empty()
    await expect(key).to_have_text("Ł")
    await expect(key).to_have_attribute("aria-label", "Ł, left index finger, changed")
    await expect(page.locator("#changes")).to_contain_text("2 of 64")

    await page.reload()
    await expect(key).to_have_text("Ł")
    await key.click()
    await page.locator('[data-action="resetKey"]').click()
    await expect(key).to_have_text("Y")
    await expect(page.locator("#changes")).to_contain_text("0 of 64")


@pytest.mark.parametrize(
    ("scheme", "language", "width"), [("light", "en", 1280), ("dark", "ru", 390)]
)
async def test_the_page_breaks_no_rule_of_axe(
    visit: Visit, keyboard: Keyboard, scheme: Any, language: str, width: int
) -> None:
    page, reader = visit.page, Reader(visit.page, keyboard)
    await page.set_viewport_size({"width": width, "height": 800})
    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    chosen = json.dumps({"interface": language, "layouts": json.dumps({"en": "spanish"})})
    script = f"localStorage.setItem('typing-trainer.settings', {json.dumps(chosen)})"
    await page.add_init_script(script)
    await visit.go("/keyboard")
    await page.locator('#shown-layout [data-layout="spanish"]').click()
    await page.locator('#picture [data-code="KeyQ"]').click()
    await page.locator("#finger").select_option("left_ring")
    await page.locator("#level-altgr").fill("@@")
    await page.locator("#level-altgr").press("Tab")
    await reader.look_at_page("keyboard", "#key")
    reader.assert_nothing_found()


FINGER_PX = 40


@pytest.mark.parametrize("shape", ["ansi", "iso"])
@pytest.mark.parametrize("width", [320, 390, 768])
async def test_a_finger_finds_every_key_in_a_narrow_window(
    visit: Visit, shape: str, width: int
) -> None:
    """The picture is moved sideways, and the page stays where it is."""
    page = visit.page
    await page.set_viewport_size({"width": width, "height": 800})
    chosen = json.dumps(json.dumps({"shape": shape}))
    await page.add_init_script(f"localStorage.setItem('typing-trainer.settings', {chosen})")
    await visit.go("/keyboard")
    keys = page.locator("#picture button.key")
    await keys.first.wait_for()
    assert await visit.overflow_px() <= 0
    sizes = await keys.evaluate_all(
        "keys => keys.map((key) => [key.clientWidth, key.clientHeight])"
    )
    assert min(min(size) for size in sizes) >= FINGER_PX - 2  # within its edges
    for code in ("Backquote", "BracketRight", "KeyP"):
        key = page.locator(f'#picture [data-code="{code}"]')
        await key.click()
        await expect(key).to_have_attribute("aria-pressed", "true")
        await expect(key).to_be_in_viewport(ratio=1)
        await expect(page.locator("#key")).to_be_visible()
    # Drawn anew for a change, it stands where it stood.
    moved = await page.evaluate("document.querySelector('#picture').scrollLeft")
    await page.locator("#finger").select_option("left_ring")
    await expect(key).to_have_class(re.compile("changed"))
    assert await page.evaluate("document.querySelector('#picture').scrollLeft") == moved
