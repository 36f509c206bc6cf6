"""The path of lessons: begun with one key, passed, and gone on with."""

import asyncio
import json
from random import Random
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.keyboard import Keyboard

pytestmark = pytest.mark.asyncio(loop_scope="session")

FIRST = "kind=lesson&lesson=block_1_lesson_1&language=en&layout=qwerty"
SECOND = FIRST.replace("lesson_1&", "lesson_2&")


async def ready(page: Page) -> list[str]:
    """Wait until a text can be typed; its characters."""
    cells = page.locator("#text span.cell")
    await cells.first.wait_for()
    await expect(page.locator("body:not(.waiting)")).to_have_attribute("data-phase", "ready")
    text: list[str] = await cells.evaluate_all(
        "cells => cells.sort((a, b) => a.dataset.i - b.dataset.i).map(c => c.textContent)"
    )
    return text


async def type_as_a_person(keyboard: Keyboard, text: list[str]) -> None:
    """Not in a machine's rhythm, which the server would not take for a person's."""
    rhythm = Random(1)
    for key in text:
        await keyboard.type([key], dt_ms=0)
        await asyncio.sleep(rhythm.uniform(0.02, 0.11))


async def test_a_guest_passes_the_first_lesson_and_is_led_to_the_next(
    visit: Visit, keyboard: Keyboard
) -> None:
    page = visit.page
    await visit.go("/lessons")
    await expect(page.locator("#suggested-title")).to_have_text("Little fingers: home keys")
    await expect(page.locator("#keyboard .key.next")).to_have_text(["A", ";"])
    await expect(page.locator(".step")).to_have_count(99)
    assert await visit.overflow_px() <= 0

    await keyboard.press("Enter")
    text = await ready(page)
    assert page.url.endswith(f"/?{FIRST}")
    await expect(page.locator("#lesson")).to_contain_text("15 wpm, at most 5 errors")
    await type_as_a_person(keyboard, text)
    await expect(page.locator("#result-verdict")).to_have_attribute("data-verdict", "ranked")
    await expect(page.locator("#lesson-outcome")).to_contain_text("Passed:")
    await expect(page.locator('#results [data-action="next"]')).to_contain_text("Next lesson")

    await visit.go("/lessons")
    await expect(page.locator(".step[data-state='passed'] .title")).to_have_text(["home keys"])
    await expect(page.locator(".step[data-state='next'] .title")).to_have_text("among the others")
    await expect(page.locator("#suggested-start")).to_have_attribute("href", f"/?{SECOND}")


async def test_a_lesson_is_the_same_until_it_is_passed(visit: Visit, keyboard: Keyboard) -> None:
    page = visit.page
    spoken = json.dumps({"interface": "ru"})
    await page.add_init_script(f"localStorage.setItem('typing-trainer.settings', '{spoken}')")
    await visit.go(f"/?{FIRST}")
    text = await ready(page)
    await keyboard.type(["a" if place % 4 == 1 else key for place, key in enumerate(text)])
    outcome = page.locator("#lesson-outcome")
    await expect(outcome).to_contain_text("Пока не пройден:")
    await expect(outcome).to_contain_text("(можно 5)")

    await page.locator('#results [data-action="next"]').click()
    assert await ready(page) == text
    assert page.url.endswith(FIRST)
    await page.locator('[data-source="words-10"]').click()
    await expect(page.locator("#lesson")).to_be_hidden()
    assert await ready(page) != text
    assert page.url.endswith("/")


@pytest.mark.parametrize("query", ["kind=custom&text=x", "kind=lesson&lesson=no-such-one"])
async def test_an_address_that_leads_nowhere_brings_the_usual_text(
    visit: Visit, query: Any
) -> None:
    page = visit.page
    await visit.go(f"/?{query}")
    await ready(page)
    await expect(page.locator("#notice")).not_to_be_empty()
    assert page.url.endswith("/")
    await expect(page.locator('[data-source="random-medium"]')).to_have_attribute(
        "aria-pressed", "true"
    )
