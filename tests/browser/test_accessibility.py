"""The page keeps the rules of axe-core, in every state, theme and language of it."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import FilePayload, Page, expect

from server.core.source import Source, SourceKind
from tests.browser.conftest import Visit
from tests.browser.keyboard import Keyboard
from tests.live.guest import TEXT
from tests.processes import REPOSITORY, ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="session")

AXE = REPOSITORY / "node_modules" / "axe-core" / "axe.min.js"
# Beside what WCAG asks for on level AA: the page's own text is to have a contrast of 7:1.
_RUN_AXE = """
async () => {
  const { violations } = await axe.run(document, {
    rules: { 'color-contrast-enhanced': { enabled: true } },
  });
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, any }) => [id, html, ...any.map(({ message }) => message)].join(' | ')),
  );
}
"""


class Reader:
    """The page as somebody meets it who cannot do without its semantics or its contrast."""

    def __init__(self, page: Page, keyboard: Keyboard) -> None:
        self._page = page
        self._keyboard = keyboard
        self._found: list[str] = []

    async def open(self, server: ServerProcess) -> None:
        await self._page.goto(server.http_url)
        await self._page.locator("#text span.cell").first.wait_for()
        await self.bring_axe()

    async def bring_axe(self) -> None:
        # What `evaluate` brings is no script of the page, so its content policy stands as it is.
        await self._page.evaluate(AXE.read_text(encoding="utf-8"))

    async def look_at_page(self, state: str, selector: str) -> None:
        """Look at the page that has been gone to, as soon as it shows that."""
        await self._page.locator(selector).wait_for()
        await self.bring_axe()
        await self.look(state)

    async def look(self, state: str) -> None:
        found: list[str] = await self._page.evaluate(_RUN_AXE)
        self._found += [f"{state}: {violation}" for violation in found]

    async def look_at_dialog(self, name: str) -> None:
        dialog = self._page.locator(f"#{name}")
        await expect(dialog).to_be_visible()
        await self.look(name)
        await self._keyboard.press("Escape")
        await expect(dialog).to_be_hidden()

    async def type_with_a_slip(self) -> None:
        """Type the text on screen to its end; the second character is wrong and stays so."""
        cells = self._page.locator("#text span.cell")
        text: list[str] = await cells.evaluate_all(
            "cells => cells.sort((a, b) => a.dataset.i - b.dataset.i).map(c => c.textContent)"
        )
        await self._keyboard.type([text[0], "7", *text[2:9]], dt_ms=45)
        await self.look("typing")
        await self._keyboard.type(text[9:], dt_ms=45)
        await expect(self._page.locator("body")).to_have_attribute("data-phase", "done")
        await expect(self._page.locator("#result-verdict[data-verdict=waiting]")).to_have_count(0)

    def assert_nothing_found(self) -> None:
        assert self._found == [], "\n".join(self._found)


@pytest_asyncio.fixture(loop_scope="session")
async def reader(page: Page, keyboard: Keyboard) -> AsyncIterator[Reader]:
    yield Reader(page, keyboard)


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_state_of_the_page_breaks_a_rule_of_axe(
    reader: Reader,
    page: Page,
    keyboard: Keyboard,
    sqlite_server: ServerProcess,
    scheme: Any,
    language: str,
) -> None:
    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    await reader.open(sqlite_server)
    if language == "ru":
        await page.locator('[data-action="interface"]').click()
    await expect(page.locator("html")).to_have_attribute("lang", language)
    await page.locator('[data-source="words-10"]').click()
    await expect(page.locator("body:not(.waiting)")).to_have_attribute("data-phase", "ready")

    await reader.look("ready")
    await keyboard.press("Escape")
    await reader.look_at_dialog("palette")
    await page.locator('[data-action="settings"]').click()
    await reader.look_at_dialog("settings")
    await page.locator('[data-source="custom"]').click()
    await reader.look_at_dialog("own-text")
    await keyboard.press("?")
    await reader.look_at_dialog("keys-help")
    await reader.type_with_a_slip()
    await reader.look("results")

    reader.assert_nothing_found()


@pytest.mark.parametrize(("scheme", "language"), [("light", "en"), ("dark", "ru")])
async def test_attempts_leaderboards_and_lessons_break_no_rule_of_axe(
    reader: Reader, visit: Visit, scheme: Any, language: str
) -> None:
    page = visit.page
    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    spoken = json.dumps({"interface": language})
    await page.add_init_script(f"localStorage.setItem('typing-trainer.settings', '{spoken}')")
    who = await visit.api.guest()
    source = Source(SourceKind.WORDS, language="en", count=25)
    stored = await visit.api.typed(who, TEXT, [*TEXT[:4], "7", *TEXT[5:]], source=source)

    await visit.go(f"/attempts/{stored.row['id']}")
    await reader.look_at_page("nobody", "#standstill a")
    await visit.be(who)
    await visit.go(f"/attempts/{stored.row['id']}")
    await reader.look_at_page("attempt", "#replay")
    await page.locator("#replay-bar").fill("2000")
    await page.locator("summary").first.click()
    await reader.look("attempt, played half")
    await page.locator('[data-action="picture"]').click()
    await reader.look_at_dialog("picture")
    await visit.go("/leaderboards?board=words:25&language=en")
    await reader.look_at_page("leaderboard", "#board-places .mine")
    await visit.go("/leaderboards?board=words:10&language=en")
    await reader.look_at_page("empty leaderboard", "#standstill a")
    lesson = Source(SourceKind.LESSON, lesson="block_1_lesson_1", language="en", layout="qwerty")
    await visit.api.typed(who, TEXT, source=lesson, dt_ms=250)
    await visit.go("/lessons?language=en")
    await reader.look_at_page("lessons", ".step[data-state='passed']")

    reader.assert_nothing_found()


@pytest.mark.parametrize(("scheme", "language"), [("light", "en"), ("dark", "ru")])
async def test_practice_breaks_no_rule_of_axe(
    reader: Reader, visit: Visit, scheme: Any, language: str
) -> None:
    page = visit.page
    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    spoken = json.dumps({"interface": language, "language": "en"})
    await page.add_init_script(f"localStorage.setItem('typing-trainer.settings', '{spoken}')")
    await visit.go("/practice")
    await reader.look_at_page("nobody", "#first")
    who = await visit.api.guest()
    await visit.be(who)
    await visit.api.typed(who, TEXT, [*TEXT[:4], "7", *TEXT[5:]], dt_ms=700)
    await visit.go("/practice")
    await page.locator("#chosen li").first.wait_for()
    await page.locator("summary").click()
    await reader.look_at_page("practice", "#strengths .locked >> nth=0")

    reader.assert_nothing_found()


@pytest.mark.parametrize(("scheme", "language"), [("light", "ru"), ("dark", "en")])
async def test_history_breaks_no_rule_of_axe(
    reader: Reader, visit: Visit, scheme: Any, language: str
) -> None:
    page = visit.page
    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    spoken = json.dumps({"interface": language})
    await page.add_init_script(f"localStorage.setItem('typing-trainer.settings', '{spoken}')")
    await visit.go("/history")
    await reader.look_at_page("nobody", "#standstill a")
    who = await visit.api.guest()
    await visit.be(who)
    for keys in (TEXT, [*TEXT[:4], "7", *TEXT[5:]], TEXT[:9]):
        await visit.api.typed(who, TEXT, keys)
    await visit.go("/history")
    await reader.look_at_page("history", "#attempts tbody tr:first-child a")
    for summary in await page.locator("summary").all():
        await summary.click()
    await page.locator('[data-period="days"]').click()
    await page.locator('[data-measure="latency"]').click()
    await page.locator('[data-by="days"]').click()
    await page.locator('[data-action="analyse"]').click()
    await expect(page.locator("#analysis")).to_be_focused()
    await reader.look("history, all opened")
    await visit.go("/history?what=race")
    await reader.look_at_page("nothing that fits", "#standstill a")

    reader.assert_nothing_found()


@pytest.mark.parametrize(("scheme", "language"), [("light", "en"), ("dark", "ru")])
async def test_no_state_of_a_race_breaks_a_rule_of_axe(
    reader: Reader, visit: Visit, keyboard: Keyboard, scheme: Any, language: str
) -> None:
    page = visit.page
    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    spoken = json.dumps({"interface": language})
    await page.add_init_script(f"localStorage.setItem('typing-trainer.settings', '{spoken}')")
    who = await visit.api.guest()
    stored = await visit.api.typed(who, TEXT, dt_ms=250)
    await visit.be(who)

    await visit.go("/race/nowhere")
    await reader.look_at_page("a code that leads nowhere", "#join-problem:not(:empty)")
    await visit.go(f"/race?ghost={stored.row['id']}")
    await expect(page.locator('#create [type="submit"]')).to_be_focused()
    await reader.look_at_page("the ways in", "#ghosts .rows input:checked")
    await page.locator('[data-action="settings"]').click()
    await reader.look_at_dialog("settings")
    await page.locator('#create [type="submit"]').click()
    await reader.look_at_page("lobby", "#lobby-racers li.ready")
    await keyboard.press("Enter")
    await reader.look_at_page("countdown", "#countdown")
    await page.locator("#countdown.go").wait_for()
    await keyboard.type([TEXT[0], "7"])
    await page.locator(".lane.ghost .lane-speed:not(:empty)").wait_for()
    await reader.look("running")
    await keyboard.press("Backspace")
    await keyboard.type(TEXT[1:])
    await reader.look_at_page("the end", "#race-results tr.mine")
    await page.locator('#race-results [data-action="leave"]').click()
    await reader.look_at_page("my races", "#raced tbody a")

    reader.assert_nothing_found()


@pytest.mark.parametrize(("scheme", "language"), [("light", "ru"), ("dark", "en")])
async def test_collections_break_no_rule_of_axe(
    reader: Reader, visit: Visit, scheme: Any, language: str
) -> None:
    page = visit.page
    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    spoken = json.dumps({"interface": language})
    await page.add_init_script(f"localStorage.setItem('typing-trainer.settings', '{spoken}')")
    who = await visit.api.guest()
    facts = {"name": "Songs", "language": "en", "tags": ["sea"], "description": "To begin with"}
    made = (await visit.api.post("/collections", facts, who)).json()
    text = {"text": "way hay and up she rises", "title": "One", "tags": ["short"]}
    await visit.api.post(f"/collections/{made['id']}/texts", text, who)
    await visit.be(who)
    await visit.go("/collections")
    await reader.look_at_page("collections", "#own a")
    await page.locator('[data-action="newCollection"]').click()
    await reader.look_at_dialog("collection-dialog")
    await page.locator("#own a").click()
    await reader.look_at_page("a collection", "#texts h2")
    await page.locator('[data-action="addText"]').click()
    await reader.look_at_dialog("text-dialog")
    await page.locator('[data-action="addTable"]').click()
    bad: FilePayload = {"name": "a.csv", "mimeType": "text/csv", "buffer": b"title,text\nA,b,c\n"}
    await page.locator("#table-form-file").set_input_files(bad)
    await page.locator("#table-form button.primary").click()
    await page.locator("#table-problems td").wait_for()
    await reader.look_at_dialog("table-dialog")
    await page.locator('[data-action="deleteCollection"]').click()
    await reader.look_at_dialog("sure-dialog")
    await visit.go(f"/race?kind=text&text={made['id']}")
    await reader.look_at_page("a race on what is not there", "#create-problem:not(:empty)")

    reader.assert_nothing_found()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_contracts_page_breaks_no_rule_of_axe(
    reader: Reader, page: Page, sqlite_server: ServerProcess, scheme: Any
) -> None:
    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    await page.goto(f"{sqlite_server.http_url}/docs")
    await reader.look_at_page("all closed", "#operations details >> nth=0")
    await page.evaluate(
        "document.querySelectorAll('details').forEach((each) => (each.open = true))"
    )
    await reader.look("all opened")

    reader.assert_nothing_found()
