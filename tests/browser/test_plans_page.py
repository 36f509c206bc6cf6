"""The page of plans: there where some are sold, and silent where none are."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.api.people import PASSWORD, new_email
from tests.api.stripe_like import StripeLike, signature, stripe_like, told
from tests.api.typed import Api, opened_api
from tests.browser.conftest import Visit
from tests.browser.keyboard import Keyboard
from tests.browser.test_accessibility import Reader
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


async def sign_in(page: Page, url: str, email: str) -> None:
    await page.goto(f"{url}/account?from=%2Fplans#sign-in")
    await page.locator("#sign-in-email").fill(email)
    await page.locator("#sign-in-password").fill(PASSWORD)
    await page.locator("#sign-in-form button.primary").click()


async def test_a_member_pays_and_lets_it_end(
    page: Page, keyboard: Keyboard, shop: tuple[Api, StripeLike]
) -> None:
    api, like = shop
    url = str(api.client.base_url).partition("/api/")[0]
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


async def test_where_nothing_is_sold_no_page_speaks_of_plans(visit: Visit) -> None:
    page = visit.page
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
