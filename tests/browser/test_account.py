"""A person comes, stays, and leaves: the account's page, and what becomes of what was typed."""

import asyncio
import json
import re
import shutil
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page, expect

from tests.api.people import PASSWORD, new_email
from tests.api.postbox import Postbox, open_postbox
from tests.browser.conftest import Complaints
from tests.browser.keyboard import Keyboard
from tests.browser.test_accessibility import AXE, Reader
from tests.browser.test_typing import TypingPage
from tests.processes import ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="session")

ELSEWHERE = "Another horse 8"
REFUSED = "Failed to load resource: the server responded with a status of 4"


@dataclass
class Site:
    """The server of this module, its store, and where its mail goes."""

    server: ServerProcess
    store: Path
    postbox: Postbox

    def ask(self, question: str, *values: str) -> list[Any]:
        with sqlite3.connect(self.store) as connection:
            return connection.execute(question, values).fetchall()

    def owner(self, attempt: str) -> tuple[str | None, bool]:
        """Whose the attempt is: their address, and whether that is a guest."""
        ((email, guest),) = self.ask(
            "SELECT email, guest FROM attempts JOIN users ON users.id = user_id "
            "WHERE attempts.id = ? AND state = 'finished'",
            attempt,
        )
        return email, bool(guest)

    def tables_with(self, needle: str) -> list[str]:
        """The tables in which something stands anywhere."""
        names = [name for (name,) in self.ask("SELECT name FROM sqlite_master WHERE type='table'")]
        return [name for name in names if needle in str(self.ask(f"SELECT * FROM {name}"))]

    async def link(self, email: str, count: int) -> str:
        """Where the newest of so many mails leads."""
        mail = await asyncio.to_thread(self.postbox.wait, email, count)
        found = re.search(r"http\S+/account#\S+", mail.get_content())
        assert found is not None, mail.get_content()
        return found[0]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    folder = tmp_path_factory.mktemp("account")
    store = folder / "typing.db"
    shutil.copy(sqlite_template, store)
    with open_postbox() as postbox:
        environment = {
            "MAIL_URL": f"smtp://127.0.0.1:{postbox.port}?from=trainer@typing.example",
            "RATE_LIMIT_ENABLED": "false",
        }
        url = f"sqlite+aiosqlite:///{store}"
        server = ServerProcess(url, folder / "server.log", environment=environment)
        await server.start()
        yield Site(server, store, postbox)
        await server.kill()


class Visitor:
    """Somebody on the account's page."""

    def __init__(self, page: Page, site: Site) -> None:
        self.page = page
        self.email = new_email()
        self._url = site.server.http_url

    async def go(self, path: str) -> None:
        await self.page.goto(self._url + path)

    async def enter(self, form: str, **fields: str) -> None:
        """Fill in a form and send it."""
        for name, value in fields.items():
            await self.page.fill(f"{form} [name={name}]", value)
        await self.page.click(f"{form} .primary, {form} .actions button")

    async def register(self) -> None:
        await self.enter("#register-form", email=self.email, password=PASSWORD)

    async def sign_in(self, password: str = PASSWORD) -> None:
        await self.enter("#sign-in-form", email=self.email, password=password)

    async def sees_the_profile(self) -> None:
        await expect(self.page.locator("#address")).to_have_text(self.email)

    async def signs_out(self, button: str = "Sign out") -> None:
        await self.page.get_by_role("button", name=button, exact=True).click()
        await self.is_told("You are signed out")

    async def opens(self, summary: str) -> None:
        await self.page.locator("summary", has_text=summary).click()

    async def takes_everything(self) -> Any:
        """What the file holds that is downloaded."""
        async with self.page.expect_download() as downloading:
            await self.page.get_by_role("button", name="Download everything").click()
        path = await (await downloading.value).path()
        return json.loads(path.read_text(encoding="utf-8"))

    async def browser_keeps(self) -> str:
        keeps = "JSON.stringify([{...localStorage}, {...sessionStorage}])"
        kept: str = await self.page.evaluate(keeps)
        return kept

    async def is_told(self, words: str) -> None:
        await expect(self.page.locator("#page")).to_contain_text(words)


async def typed(page: Page, keyboard: Keyboard, site: Site) -> tuple[TypingPage, str]:
    """Type a short text to its end; the attempt."""
    typing = TypingPage(page, keyboard)
    await typing.open(site.server)
    await typing.choose('[data-source="words-10"]')
    await typing.type(await typing.text(), dt_ms=2)
    await typing.results()
    return typing, typing.attempt


async def test_a_guest_stays_comes_back_takes_all_and_leaves(
    page: Page, keyboard: Keyboard, site: Site
) -> None:
    visitor = Visitor(page, site)
    _, attempt = await typed(page, keyboard, site)
    assert site.owner(attempt) == (None, True)
    ((user,),) = site.ask("SELECT user_id FROM attempts WHERE id = ?", attempt)

    await page.locator("#invitation a").click()
    await expect(page.locator("#register-form .guest-note")).to_be_visible()
    await visitor.register()
    await expect(page).to_have_url(site.server.http_url + "/")
    assert site.owner(attempt) == (visitor.email, False)

    await page.click(".me")
    await visitor.sees_the_profile()
    await visitor.signs_out()

    await page.click(".me")
    await visitor.sign_in()
    await visitor.sees_the_profile()
    exported = await visitor.takes_everything()
    assert exported["profile"]["email"] == visitor.email
    assert attempt in [one["id"] for one in exported["attempts"]]

    assert site.tables_with(user) != []
    await visitor.opens("Delete the account")
    await visitor.enter("#delete-form", password=PASSWORD)
    await visitor.is_told("Everything is deleted")
    assert site.tables_with(user) == []
    assert site.tables_with(visitor.email) == []
    assert user not in await visitor.browser_keeps()


async def test_who_signs_out_leaves_nothing_in_the_browser(
    page: Page, keyboard: Keyboard, site: Site
) -> None:
    visitor = Visitor(page, site)
    await visitor.go("/account?from=/#register")
    await visitor.register()
    await page.locator("#text span.cell").first.wait_for()
    await keyboard.type("a")
    await visitor.go("/account")
    await visitor.sees_the_profile()
    ((user,),) = site.ask("SELECT id FROM users WHERE email = ?", visitor.email)
    before = await visitor.browser_keeps()
    assert user in before
    assert '"typing.attempt.' in before
    await visitor.signs_out()
    after = await visitor.browser_keeps()
    assert user not in after
    assert '"typing.attempt.' not in after


async def test_a_guest_can_be_forgotten_without_an_account(
    page: Page, keyboard: Keyboard, site: Site
) -> None:
    visitor = Visitor(page, site)
    _, attempt = await typed(page, keyboard, site)
    ((user,),) = site.ask("SELECT user_id FROM attempts WHERE id = ?", attempt)
    await visitor.go("/account")
    await visitor.opens("Delete what I typed as a guest")
    await visitor.enter("#delete-form")
    await visitor.is_told("Everything is deleted")
    assert site.tables_with(user) == []
    assert site.tables_with(attempt) == []


@pytest.mark.parametrize("way", ["register", "sign-in"])
async def test_an_attempt_goes_on_while_its_guest_comes_in_elsewhere(
    page: Page, context: BrowserContext, keyboard: Keyboard, site: Site, way: str
) -> None:
    tab = await context.new_page()
    visitor = Visitor(tab, site)
    if way == "sign-in":
        await visitor.go("/account#register")
        await visitor.register()
        await visitor.sees_the_profile()
        await visitor.signs_out()
    typing = TypingPage(page, keyboard)
    await typing.open(site.server)
    await typing.choose('[data-source="words-10"]')
    text = await typing.text()
    await typing.type(text[:8])

    await visitor.go(f"/account#{way}")
    await (visitor.register() if way == "register" else visitor.sign_in())
    await visitor.sees_the_profile()
    await page.bring_to_front()
    await expect(page.locator(".me")).to_have_text("Account")
    await typing.type(text[8:])
    await typing.results()

    assert site.owner(typing.attempt) == (visitor.email, False)
    finished = site.ask(
        "SELECT id FROM attempts WHERE state != 'armed' AND text = ?", "".join(text)
    )
    assert finished == [(typing.attempt,)]
    await tab.close()


async def test_who_signs_out_is_signed_out_in_every_tab(
    page: Page, context: BrowserContext, site: Site
) -> None:
    visitor = Visitor(page, site)
    await visitor.go("/account#register")
    await visitor.register()
    await visitor.sees_the_profile()
    other = await context.new_page()
    await other.goto(site.server.http_url + "/history")
    await expect(other.locator(".me")).to_have_text("Account")
    await visitor.signs_out("Sign out everywhere")
    await expect(other.locator(".me")).to_have_text("Sign in")
    await other.close()


async def test_links_of_mails_confirm_and_reset(
    page: Page, site: Site, complaints: Complaints
) -> None:
    visitor = Visitor(page, site)
    await visitor.go("/account#register")
    await visitor.register()
    await expect(page.locator("#verified")).to_have_text("not confirmed yet")
    confirming = await site.link(visitor.email, 1)
    await page.goto("about:blank")
    await page.goto(confirming)
    await visitor.is_told("Your address is confirmed")
    await expect(page.locator("#verified")).to_have_text("confirmed")
    assert "=" not in page.url

    await visitor.signs_out()
    await visitor.go("/account#forgot")
    await visitor.enter("#forgot-form", email=visitor.email)
    await visitor.is_told("is on its way")
    resetting = await site.link(visitor.email, 2)
    await page.goto("about:blank")
    await page.goto(resetting)
    await expect(page.locator("#reset-form")).to_be_visible()
    assert "=" not in page.url
    await visitor.enter("#reset-form", new_password=ELSEWHERE)
    await visitor.is_told("The password is changed")
    await visitor.sign_in(ELSEWHERE)
    await visitor.sees_the_profile()

    await page.goto("about:blank")
    await page.goto(confirming)
    await visitor.is_told("This link does not work any more")
    complaints.page[:] = [one for one in complaints.page if REFUSED not in one]


async def test_what_is_wrong_is_said_where_it_is(
    page: Page, site: Site, complaints: Complaints
) -> None:
    visitor = Visitor(page, site)
    await visitor.go("/account#register")
    await visitor.register()
    await visitor.sees_the_profile()
    await visitor.signs_out()

    await visitor.go("/account#register")
    await visitor.enter("#register-form", email="nobody", password="short")
    await expect(page.locator("#register-email-problem")).to_have_text("This is no e-mail address.")
    await expect(page.locator("#register-email")).to_be_focused()
    await expect(page.locator("#register-form .kept")).to_have_text(["Done: a lower-case letter"])
    await visitor.enter("#register-form", email=new_email(), password="Password123")
    await expect(page.locator("#register-password-problem")).to_contain_text("first that others")
    await visitor.register()
    await expect(page.locator("#register-email")).to_be_focused()
    await page.locator("#register-email-problem a").click()
    await visitor.sign_in("Wrong horse 7")
    await expect(page.locator("#sign-in-form [role=alert]")).to_contain_text("is wrong")
    await visitor.sign_in()
    await visitor.sees_the_profile()
    complaints.page[:] = [one for one in complaints.page if REFUSED not in one]


async def test_choices_follow_the_account_to_another_browser(
    page: Page, context: BrowserContext, site: Site
) -> None:
    visitor = Visitor(page, site)
    await visitor.go("/account#register")
    await visitor.register()
    await visitor.sees_the_profile()
    await visitor.enter("#goals-form", wpm="70", accuracy="97.5", minutes_a_day="")
    await expect(page.locator("#goals-form .answer")).to_have_text("Saved")
    async with page.expect_response(lambda got: got.request.method == "PATCH"):
        await page.click('[data-setting=theme][data-value="dark"]')

    assert context.browser is not None
    elsewhere = await context.browser.new_context(locale="en-US")
    visitor.page = await elsewhere.new_page()
    await visitor.go("/account?from=https://evil.example/#sign-in")
    await visitor.sign_in()
    await visitor.sees_the_profile()
    await expect(visitor.page.locator("html")).to_have_attribute("data-theme", "dark")
    await expect(visitor.page.locator("#goal-accuracy")).to_have_value("97.5")
    await expect(visitor.page.locator("#goal-minutes")).to_have_value("")
    await elsewhere.close()


async def test_who_registers_comes_back_to_the_whole_address(page: Page, site: Site) -> None:
    visitor = Visitor(page, site)
    shared = f"/collections/{uuid4()}#the-secret-of-its-link"
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    await visitor.go(shared)
    await page.click(".me")
    await page.click('#ways a[href="#register"]')
    await visitor.register()
    await expect(page).to_have_url(f"{site.server.http_url}{shared}")
    assert not [url for url in asked if "/account?" in url and "secret" in url]


async def test_a_server_that_is_away_is_said_and_asked_again(page: Page, site: Site) -> None:
    visitor = Visitor(page, site)
    await visitor.go("/account#register")
    await page.context.set_offline(True)
    await visitor.register()
    await visitor.is_told("The server cannot be reached")
    await page.context.set_offline(False)
    await page.click("#register-form .primary")
    await visitor.sees_the_profile()


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_state_of_the_account_breaks_a_rule_of_axe(
    page: Page, keyboard: Keyboard, site: Site, scheme: Any, language: str
) -> None:
    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    visitor, reader = Visitor(page, site), Reader(page, keyboard)
    await visitor.go("/account#sign-in")
    if language == "ru":
        await page.click('[data-action="interface"]')
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    await visitor.enter("#sign-in-form", email="nobody", password="")
    await reader.look("sign in, with problems")
    await page.click('[href="#forgot"]')
    await reader.look("forgot")
    await page.click('[href="#sign-in"]:visible')
    await page.click('#ways [href="#register"]')
    await page.fill("#register-password", "only lower")
    await reader.look("register")
    await visitor.register()
    await visitor.sees_the_profile()
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    for summary in await page.locator("summary").all():
        await summary.click()
    await reader.look("profile")
    reader.assert_nothing_found()
