"""The page of plans, and what others say of them: only where some are sold."""

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from server.clock import Clock
from server.core.course import LESSONS
from server.core.source import Source, SourceKind
from tests.api.people import PASSWORD, new_email
from tests.api.stripe_like import StripeLike, signature, stripe_like, told
from tests.api.typed import Api, opened_api, token
from tests.browser.conftest import Visit
from tests.browser.keyboard import Keyboard
from tests.browser.test_accessibility import Reader
from tests.fill import Row, model
from tests.processes import ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Api, StripeLike]]:
    """A server that sells plans, and the Stripe it sells them through."""
    folder = tmp_path_factory.mktemp("shop")
    shutil.copy(sqlite_template, folder / "typing.db")
    url = f"sqlite+aiosqlite:///{folder / 'typing.db'}"
    with stripe_like() as like:
        server = ServerProcess(url, folder / "server.log", environment=like.environment)
        await server.start()
        async with opened_api(server, url) as api:
            yield api, like
        await server.kill()


@pytest.fixture(scope="module")
def words_10() -> Row:
    return model(Source(SourceKind.WORDS, language="en", count=10), Random(2))


async def sign_in(page: Page, url: str, email: str) -> None:
    await page.goto(f"{url}/account?from=%2Fplans#sign-in")
    await page.locator("#sign-in-email").fill(email)
    await page.locator("#sign-in-password").fill(PASSWORD)
    await page.locator("#sign-in-form button.primary").click()


async def test_a_member_pays_and_lets_it_end(
    page: Page, keyboard: Keyboard, shop: tuple[Api, StripeLike]
) -> None:
    api, like = shop
    url = site_url(shop)
    await page.route("https://checkout.example/**", lambda route: route.fulfill(body="Stripe"))
    account = {"email": new_email(), "password": PASSWORD, "refresh": "body"}
    member = (await api.post("/auth/register", account)).json()
    await sign_in(page, url, member["email"])

    await expect(page.locator("#standing")).to_have_text("You are on the free plan.")
    await page.locator('[data-period="yearly"]').click()
    await expect(page.locator("#cards .price")).to_have_text(
        ["costs nothing", "$49.90 a year", "$99.90 a year"]
    )
    reader = Reader(page, keyboard)
    await reader.look_at_page("plans", '[data-choose="basic"]')
    reader.assert_nothing_found()
    await page.locator('[data-choose="basic"]').click()
    await page.wait_for_url("https://checkout.example/**")

    made = like.subscribed(member["user_id"], "price_basic_year")
    raw = told("checkout.session.completed", {"id": "cs_1", "subscription": made["id"]})
    headers = {"Stripe-Signature": signature(raw)}
    await api.client.post("/payments/webhook", content=raw, headers=headers)
    await page.goto(f"{url}/plans#paid")
    await expect(page.locator("#cards .mine h2")).to_have_text("Basic")
    await page.locator('[data-action="cancel"]').click()
    await expect(page.locator("#standing")).to_contain_text("It ends on")
    await page.goto(f"{url}/account")
    await expect(page.locator("#plan-name")).to_have_text("Basic")


def site_url(shop: tuple[Api, StripeLike]) -> str:
    return str(shop[0].client.base_url).partition("/api/")[0]


async def speak(page: Page, language: str) -> None:
    """Be somebody who has chosen that language for the pages."""
    chosen = json.dumps({"interface": language})
    script = f"localStorage.setItem('typing-trainer.settings', {json.dumps(chosen)})"
    await page.add_init_script(script)


IN_A_PLAN = {"en": "in a plan", "ru": "по подписке"}
NOT_OPENED = {
    "en": "Your plan does not open this lesson. Here is another text.",
    "ru": "Ваш тариф не открывает этот урок. Вот другой текст.",
}


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("ru", "dark")])
async def test_a_locked_lesson_is_seen_to_be_and_leads_to_the_plans(
    page: Page, keyboard: Keyboard, shop: tuple[Api, StripeLike], language: str, scheme: Any
) -> None:
    await speak(page, language)
    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    await page.goto(f"{site_url(shop)}/lessons")
    locked = page.locator(".step[data-state='locked']")
    await expect(locked).to_have_count(84)
    await expect(page.locator(".step").nth(14)).not_to_have_attribute("data-state", "locked")
    await expect(page.locator(".step").nth(15)).to_have_attribute("data-state", "locked")
    said = locked.first.locator(".state")
    await expect(said).to_have_text(IN_A_PLAN[language])
    box = await said.bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) > 10  # to be seen, not only to be heard
    await expect(said).to_have_css("clip-path", "none")
    reader = Reader(page, keyboard)
    await reader.look_at_page(f"locked lessons in {language}", "#suggested-start")
    reader.assert_nothing_found()
    await locked.first.click()
    await page.wait_for_url("**/plans")
    await expect(page.locator("#cards .price").first).to_be_visible()


@pytest.mark.parametrize("language", ["en", "ru"])
async def test_a_locked_lesson_that_an_address_asks_for_is_another_text_and_says_why(
    page: Page, shop: tuple[Api, StripeLike], language: str
) -> None:
    await speak(page, language)
    asked = "kind=lesson&lesson=block_2_lesson_1&language=en&layout=qwerty"
    await page.goto(f"{site_url(shop)}/?{asked}")
    await expect(page.locator("#notice")).to_have_text(NOT_OPENED[language])
    await expect(page.locator("#text span.cell").first).to_be_visible()
    assert page.url.endswith("/")


async def test_who_has_done_all_that_is_open_is_led_to_the_plans(
    page: Page, shop: tuple[Api, StripeLike], words_10: Row
) -> None:
    api, _ = shop
    who = await api.guest()
    for lesson in LESSONS[:15]:
        source = Source(SourceKind.LESSON, lesson=lesson.id, language="en", layout="qwerty")
        passed = {"wpm": 99.0, "errors": 0, "verdict": "ranked", "kind": "lesson"}
        named = {"source": source.public(), "mode": source.mode, "category": lesson.id}
        await api.add(words_10, who, Clock().now_ms(), **passed, **named)
    await page.add_init_script(f"localStorage.setItem('typing.token', '{token(who)}')")
    await page.goto(f"{site_url(shop)}/lessons")
    await expect(page.locator(".step[data-state='passed']")).to_have_count(15)
    start = page.locator("#suggested-start")
    await expect(start).to_contain_text("See the plans")
    await expect(start).to_have_attribute("href", "/plans")


async def test_where_nothing_is_sold_no_page_speaks_of_plans(visit: Visit) -> None:
    page = visit.page
    await visit.go("/lessons")
    await expect(page.locator(".step")).to_have_count(99)
    await expect(page.locator(".step[data-state='locked']")).to_have_count(0)
    await visit.go("/plans")
    await expect(page.locator("#standstill")).to_contain_text("Nothing is sold here")
    account = {"email": new_email(), "password": PASSWORD, "refresh": "body"}
    await visit.api.post("/auth/register", account)
    await sign_in(page, str(visit.api.client.base_url).partition("/api/")[0], account["email"])
    await page.wait_for_url("**/plans")
    async with page.expect_response("**/subscription/status"):
        await visit.go("/account")
    await expect(page.locator("#profile")).to_be_visible()
    await expect(page.locator("#plan")).to_be_hidden()
