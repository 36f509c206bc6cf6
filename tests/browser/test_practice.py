"""The practice page: who comes first, practises once, and sees what came of it."""

import re

import pytest
from playwright.async_api import expect

from tests.api.typed import Api
from tests.browser.conftest import Visit
from tests.browser.keyboard import Keyboard

pytestmark = pytest.mark.asyncio(loop_scope="session")

TEXT = "that is a short text with the letters of a person who types it well enough for a test"


async def test_a_guest_practises_once_and_strengths_appear(
    visit: Visit, keyboard: Keyboard
) -> None:
    page = visit.page
    await visit.go("/practice?language=en&layout=qwerty")
    await expect(page.locator("#first")).to_be_visible()
    await expect(page.locator("#strengths .value")).to_have_count(0)

    await keyboard.press("Enter")

    cells = page.locator("#text span.cell")
    await cells.first.wait_for()
    text: list[str] = await cells.evaluate_all(
        "cells => cells.sort((a, b) => a.dataset.i - b.dataset.i).map(c => c.textContent)"
    )
    assert len("".join(text).split()) == 30
    # What the address asks for is one of the choices, and is not named a second time.
    chosen = page.locator('#source [aria-pressed="true"][data-source]')
    await expect(chosen).to_have_attribute("data-source", "practice")
    await expect(page.locator("#source-asked")).to_be_hidden()
    await keyboard.type(text, dt_ms=5)
    await expect(page.locator("#gains")).to_contain_text("Stronger:")
    await expect(page.locator("#gains")).to_contain_text("New from now on:")

    await page.locator("#gains a").click()

    value = page.locator("#strengths .key[data-code=KeyE] .value")
    await expect(value).to_have_text(re.compile(r"^\d+$"))
    await expect(page.locator("#first")).to_be_hidden()
    await expect(page.locator("#chosen li").first).to_be_visible()
    await expect(page.locator("#strengths .key.locked")).to_have_count(0)
    picture = page.locator("#strengths")
    await expect(picture).to_have_attribute("aria-label", re.compile("Weakest: "))


async def test_what_is_chosen_is_on_the_keyboard_and_in_words(visit: Visit, api: Api) -> None:
    page = visit.page
    who = await api.guest()
    await api.typed(who, TEXT, TEXT.replace("e", "r"))
    await visit.be(who)
    await visit.go("/practice?language=en&layout=qwerty")
    found = await api.ask("/practice", who, language="en", layout="qwerty")
    sentences = page.locator("#chosen .why")
    await expect(sentences).to_have_text([one["sentence"] for one in found["next"]])
    chosen = {letter.upper() for one in found["next"] for letter in one["part"]}
    drawn = await page.locator("#strengths .key.chosen").all_text_contents()
    assert {label[0] for label in drawn} == chosen
    await expect(page.locator("#forecast")).to_have_text(found["forecast"]["sentence"])

    await page.locator('[data-action="interface"]').click()

    await expect(sentences.first).to_contain_text("клавиша")
    await page.locator('[data-language="ru"]').first.click()
    await expect(page).to_have_url(re.compile(r"\?language=ru&layout=jcuken$"))
    await expect(page.locator("#strengths .key.locked")).not_to_have_count(0)
    assert "kind=practice&language=ru&layout=jcuken" in str(
        await page.locator("#start").get_attribute("href")
    )
    await page.set_viewport_size({"width": 390, "height": 800})
    assert await visit.overflow_px() == 0
