"""The leaderboards' page: who is fastest, and where oneself stands."""

from collections.abc import Sequence
from typing import Any

import pytest
from playwright.async_api import Page, expect

from server.core.source import Source, SourceKind
from server.db.queries import Person
from tests.api.typed import Api
from tests.browser.conftest import Visit

pytestmark = pytest.mark.asyncio(loop_scope="session")

WORDS = "somebody once told everybody about nothing before something else happened"
PAGE = 50
BUDGET_OF_A_GUEST = 100


async def on_board(api: Api, count: int, dt_ms: int) -> Person:
    """Somebody new on the board of so many English words, who takes `dt_ms` for a key."""
    who = await api.guest()
    source = Source(SourceKind.WORDS, language="en", count=count)
    await api.typed(who, WORDS, source=source, dt_ms=dt_ms)
    return who


async def ranks(page: Page, body: str = "#board-places") -> Sequence[int]:
    shown: list[str] = await page.locator(f"{body} tr td:first-child").all_text_contents()
    return [int(rank) for rank in shown]


async def test_who_stands_far_below_sees_their_own_place(visit: Visit, api: Api) -> None:
    page = visit.page
    for place in range(PAGE + 2):
        await on_board(api, 25, 130 + place)
    me = await on_board(api, 25, 400)
    await visit.be(me)
    await visit.go("/leaderboards?board=words%3A25&language=en")

    await expect(page.locator("#board-mine tr")).to_have_class("mine")
    assert await ranks(page) == list(range(1, PAGE + 1))
    assert await ranks(page, "#board-mine") == [PAGE + 3]
    fastest = (await api.ask("/leaderboards/words:25"))["results"][0]
    first = page.locator("#board-places tr").first
    await expect(first).to_contain_text(fastest["name"])
    await expect(first).to_contain_text(f"{fastest['wpm']:.2f}")
    await expect(first).to_contain_text(f"{fastest['accuracy']:.1%}")

    await page.locator("#board-more").click()

    await expect(page.locator("#board-places tr")).to_have_count(PAGE + 3)
    assert await ranks(page) == list(range(1, PAGE + 4))
    await expect(page.locator("#board-places tr").nth(PAGE)).to_be_focused()
    await expect(page.locator("#board-places tr").last).to_have_class("mine")
    await expect(page.locator("#board-mine")).to_be_hidden()
    await expect(page.locator("#board-more")).to_be_hidden()


async def test_the_address_keeps_what_was_chosen(visit: Visit, api: Api) -> None:
    page = visit.page
    await visit.be(await on_board(api, 50, 140))
    await visit.go("/leaderboards")
    await expect(page.locator('[data-board="time:60"]')).to_have_attribute("aria-pressed", "true")

    await page.locator('[data-board="words:50"]').click()
    await expect(page.locator("#board-places .mine")).to_be_visible()
    await page.locator('[data-period="week"]').click()
    await page.locator('[data-language="ru"]').click()
    await expect(page.locator("#standstill")).to_contain_text("Nobody stands here yet")
    await page.reload()
    await expect(page.locator("#standstill")).to_contain_text("Nobody stands here yet")
    chosen = page.locator('#board-choices [aria-pressed="true"]')
    await expect(chosen).to_have_text(["50", "Русский", "this week"])

    await page.go_back()
    await expect(page.locator("#board-places .mine")).to_be_visible()
    await expect(chosen).to_have_text(["50", "English", "this week"])
    await expect(page.locator("caption")).to_have_text("50 words · English · this week")


async def test_an_empty_board_leads_to_what_is_typed_for_it(visit: Visit) -> None:
    page = visit.page
    await visit.go("/leaderboards?board=words:10&language=ru")
    await page.locator("#standstill a").click()
    chosen = page.locator('#source [aria-pressed="true"]')
    await expect(chosen).to_have_text(["10", "Русский", "may stay"])


async def test_who_has_no_place_is_told_how_to_get_one(visit: Visit, api: Api) -> None:
    await on_board(api, 100, 140)
    await visit.go("/leaderboards?board=words:100&language=en")
    await expect(visit.page.locator("#board-no-place")).to_be_visible()
    await expect(visit.page.locator("#board-places .mine")).to_have_count(0)


@pytest.mark.parametrize("board", ["words:11", "text:nowhere"])
async def test_a_board_that_is_not_there_is_said_to_be_none(visit: Visit, board: str) -> None:
    await visit.go(f"/leaderboards?board={board}")
    await expect(visit.page.locator("#standstill")).to_contain_text("no such leaderboard")


async def test_who_asks_too_often_is_told_when_it_works_again(visit: Visit, api: Api) -> None:
    who = await api.guest()
    for _ in range(BUDGET_OF_A_GUEST):
        await api.get("/leaderboards/words:10", who)
    await visit.be(who)
    await visit.go("/leaderboards")
    await expect(visit.page.locator("#standstill")).to_contain_text("It works again at")
    await expect(visit.page.locator("#standstill button")).to_be_visible()


@pytest.mark.parametrize(("scheme", "locale"), [("light", "en"), ("dark", "ru")])
async def test_a_narrow_page_does_not_scroll_sideways(
    visit: Visit, api: Api, scheme: Any, locale: str
) -> None:
    await visit.page.emulate_media(color_scheme=scheme)
    await visit.page.set_viewport_size({"width": 320, "height": 640})
    await visit.be(await on_board(api, 10, 150))
    await visit.go("/leaderboards?board=words:10&language=en")
    await expect(visit.page.locator("#board-places .mine")).to_be_visible()
    if locale != "en":
        await visit.page.locator('[data-action="interface"]').click()
    await expect(visit.page.locator("html")).to_have_attribute("lang", locale)
    assert await visit.overflow_px() <= 0
