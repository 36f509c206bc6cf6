"""A person looks at what they have typed: all of it, by pointer and keyboard, in every state."""

import json
import re
import uuid
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page, Request, expect
from sqlalchemy import insert

from server.auth import Tokens
from server.clock import Clock
from server.core.source import Source, SourceKind
from server.db.queries import attempts
from tests.browser.conftest import Complaints, Visit
from tests.fill import DAY_MS, Row, model, placed
from tests.processes import JWT_SECRET, ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOUR_MS = 3_600_000
MARKS_MAX = 180


@pytest.fixture(scope="module")
def words_10() -> Row:
    return model(Source(SourceKind.WORDS, language="en", count=10), Random(2))


@pytest.fixture(scope="module")
def time_15() -> Row:
    return model(Source(SourceKind.TIME, language="ru", seconds=15), Random(2))


def typed(made: Row, hours_ago: float, **columns: Any) -> Row:
    """The model as an attempt that ended so long ago."""
    at_ms = Clock().now_ms() - int(hours_ago * HOUR_MS)
    row = placed(made, "", 0, 1.0, Random(hours_ago))
    return row | {"started_at_ms": at_ms - 1_000, "finished_at_ms": at_ms} | columns


class HistoryPage:
    """The page as a person uses it."""

    def __init__(self, visit: Visit) -> None:
        self.page = visit.page
        self.visit = visit
        self.asked: list[str] = []
        self.page.on("request", self._on_request)

    def _on_request(self, request: Request) -> None:
        if "/api/" in request.url:
            self.asked.append(request.url)

    async def open(self, rows: list[Row] | None, query: str = "") -> None:
        """Look as somebody with these attempts; None is somebody who was never here."""
        if rows is not None:
            who = await self.visit.api.guest()
            theirs = [row | {"id": str(uuid.uuid4()), "user_id": who.id} for row in rows]
            if theirs:
                async with self.visit.api.database.write() as connection:
                    await connection.execute(insert(attempts), theirs)
            await self.visit.be(who)
        await self.visit.go(f"/history{query}")

    def number(self, name: str) -> Any:
        return self.page.locator(f'[data-number="{name}"]')

    @property
    def rows(self) -> Any:
        return self.page.locator("#attempts tbody tr")

    @property
    def standstill(self) -> Any:
        return self.page.locator("#standstill")

    def plot(self, name: str) -> Any:
        return self.page.locator(f"#{name} .plot")


@pytest_asyncio.fixture(loop_scope="session")
async def history(visit: Visit) -> HistoryPage:
    return HistoryPage(visit)


@pytest.fixture(scope="module")
def faster(words_10: Row, time_15: Row) -> list[Row]:
    """Five attempts of yesterday, and ten faster ones of today, the newest of which is late."""
    late = [{"rule": "late_ms", "value": 2_500, "limit": 0}]
    slow = {"wpm": 40.0, "accuracy": 0.9, "duration_ms": 60_000, "verdict": "ranked"}
    fast = {"wpm": 60.0, "accuracy": 1.0, "duration_ms": 60_000, "verdict": "ranked"}
    return [
        *(typed(words_10, 30 + n, **slow) for n in range(5)),
        *(typed(time_15, 3 + n / 10, **fast) for n in range(9)),
        typed(time_15, 2, **fast | {"verdict": "unranked", "why": late}),
    ]


async def test_every_attempt_counts(history: HistoryPage, faster: list[Row]) -> None:
    await history.open(faster)
    await expect(history.rows).to_have_count(15)
    await expect(history.number("attempts")).to_have_text("15")
    await expect(history.number("time")).to_have_text("15 min")
    await expect(history.number("mean")).to_have_text("53")
    await expect(history.number("best")).to_have_text("60")
    await expect(history.number("accuracy")).to_have_text("96.7%")
    await expect(history.number("lately")).to_have_text(
        "The last 10: 60.0 wpm, 20.0 faster than before."
    )
    first = history.rows.first
    await expect(first).to_contain_text("15 seconds · Russian")
    await expect(first).to_contain_text("not counted")
    await expect(first).to_contain_text("The keys reached the server 2,500 ms later")
    await expect(history.rows.nth(1)).to_contain_text("counted")
    await expect(history.page.locator("#bests tbody tr")).to_have_count(2)
    await expect(history.page.locator("#guest")).to_be_visible()


async def test_a_chart_is_read_and_left_by_keyboard(
    history: HistoryPage, faster: list[Row]
) -> None:
    await history.open(faster)
    plot = history.plot("trend")
    await expect(plot).to_have_attribute("aria-valuenow", "15")
    await expect(history.page.locator("#trend .speed .point")).to_have_count(15)
    await plot.focus()
    for _ in range(2):
        await history.page.keyboard.press("ArrowLeft")
    await expect(plot).to_have_attribute("aria-valuenow", "13")
    await history.page.keyboard.press("Home")
    await expect(plot).to_have_attribute(
        "aria-valuetext", re.compile("40.0 wpm · 90.0% · 10 words")
    )
    link = await history.rows.last.get_by_role("link").get_attribute("href")
    assert await history.page.locator("#trend .readout a").get_attribute("href") == link
    await history.page.keyboard.press("Enter")
    await history.page.wait_for_url(f"**{link}")


async def test_filters_stand_in_the_address(
    history: HistoryPage, words_10: Row, time_15: Row
) -> None:
    page = history.page
    rows = [
        typed(words_10, 1),
        typed(words_10, 24 * 20),
        typed(time_15, 2),
        typed(time_15, 24 * 300),
    ]
    await history.open(rows)
    await expect(history.rows).to_have_count(3)
    await page.get_by_role("combobox", name="Language").select_option("ru")
    await expect(history.rows).to_have_count(1)
    await expect(history.number("attempts")).to_have_text("1")
    await page.get_by_role("button", name="all time").click()
    await expect(history.rows).to_have_count(2)
    assert page.url.endswith("/history?period=all&language=ru")
    await page.get_by_role("combobox", name="What").select_option("time:15")
    await expect(page).to_have_url(re.compile("what=time:15"))
    await page.get_by_role("combobox", name="Counted").select_option("ranked")
    await expect(page).to_have_url(re.compile("verdict=ranked"))
    await page.reload()
    await expect(page.get_by_role("combobox", name="What")).to_have_value("time:15")
    await expect(page.get_by_role("button", name="all time")).to_have_attribute(
        "aria-pressed", "true"
    )


async def test_back_shows_what_was_there_and_asks_nothing(
    history: HistoryPage, words_10: Row, time_15: Row
) -> None:
    page = history.page
    rows = [typed(words_10, 1), typed(words_10, 24 * 20), typed(time_15, 2)]
    await history.open(rows, "?language=en")
    await expect(history.rows).to_have_count(2)
    await page.get_by_role("button", name="7 days").click()
    await expect(history.rows).to_have_count(1)
    asked = len(history.asked)
    await page.go_back()
    await expect(history.rows).to_have_count(2)
    await page.go_forward()
    await expect(history.rows).to_have_count(1)
    assert len(history.asked) == asked


async def test_what_fits_nothing_says_how_to_see_everything(
    history: HistoryPage, words_10: Row
) -> None:
    page = history.page
    await history.open([typed(words_10, 1), typed(words_10, 24 * 300)])
    await expect(history.rows).to_have_count(1)
    await page.get_by_role("button", name="from … to …").click()
    await page.locator('[name="to"]').fill("2001-01-31")
    await expect(history.standstill).to_contain_text("Nothing was typed that fits")
    await expect(page.locator("#shown")).to_be_hidden()
    await history.standstill.get_by_role("link", name="Show everything").click()
    await expect(history.rows).to_have_count(2)
    assert page.url.endswith("/history?period=all")


async def test_of_very_many_attempts_few_marks_are_drawn(
    history: HistoryPage, words_10: Row
) -> None:
    page = history.page
    count = 450
    await history.open([typed(words_10, 24 * n + n % 5) for n in range(count)], "?period=all")
    await expect(history.number("attempts")).to_have_text(str(count))
    points = page.locator("#trend .speed .point")
    await expect(points).not_to_have_count(0)
    assert await points.count() <= MARKS_MAX
    assert await page.locator("#histogram .bar-of").count() <= 24
    await expect(history.rows).to_have_count(20)

    # The rows that are here are shown first; then more are fetched, and none is missed.
    more = page.get_by_role("button", name="Show more")
    for shown in range(40, 121, 20):
        await more.click()
        await expect(history.rows).to_have_count(shown)
    hrefs = await history.rows.get_by_role("link").evaluate_all("all => all.map(a => a.href)")
    assert len(set(hrefs)) == 120
    assert await page.evaluate("document.activeElement.closest('tr').rowIndex") == 101

    # A point of some days leads to those days, and each of their attempts is a point.
    await page.locator("#trend .readout a").click()
    await expect(page).to_have_url(re.compile(r"from=\d{4}-\d\d-\d\d&to="))
    await expect(history.rows).to_have_count(7)
    await expect(points).to_have_count(7)


async def test_a_day_of_the_calendar_leads_to_its_attempts(
    history: HistoryPage, words_10: Row
) -> None:
    now_ms = Clock().now_ms()
    noon = (now_ms % DAY_MS) / HOUR_MS + 12  # of yesterday
    await history.open([typed(words_10, noon), typed(words_10, noon), typed(words_10, noon + 24)])
    calendar = history.plot("calendar")
    await expect(calendar).to_have_attribute("aria-valuetext", re.compile("nothing typed"))
    await calendar.focus()
    for _ in range(2):
        await history.page.keyboard.press("ArrowUp")
    await expect(calendar).to_have_attribute("aria-valuetext", re.compile("1 attempt ·"))
    await history.page.keyboard.press("ArrowDown")
    await expect(calendar).to_have_attribute("aria-valuetext", re.compile("2 attempts ·"))
    await history.page.keyboard.press("Enter")
    await expect(history.rows).to_have_count(2)


async def test_keys_are_drawn_listed_and_explained(history: HistoryPage) -> None:
    page = history.page
    text = "sad lads ask dad " * 4
    await history.visit.go("/")
    await page.locator('[data-source="custom"]').click()
    await page.locator("#own-text textarea").fill(text.strip())
    await page.get_by_role("button", name="Type this").click()
    await expect(page.locator("#text")).to_contain_text("lads")
    await page.keyboard.type(text.strip().replace("d", "f"), delay=20)
    await expect(page.locator("#result-verdict:not([data-verdict=waiting])")).to_be_visible()
    await history.open(None)
    await expect(page.locator('.heat-map [data-code="KeyD"]')).to_have_attribute("data-heat", "4")
    await expect(page.locator('.heat-map [data-code="KeyA"][data-heat="0"]')).to_have_count(1)
    await expect(page.locator(".weak li").first).to_contain_text("16 of 16 wrong")
    await expect(page.locator(".heat-map")).to_have_attribute(
        "aria-label", re.compile("Most often: d")
    )
    await page.get_by_role("button", name="What to do about them").click()
    await expect(page.locator("#analysis")).to_contain_text("left middle finger")
    await expect(page.locator("#analysis")).to_be_focused()
    await page.get_by_role("button", name="Русский").click()
    await expect(page.locator("#analysis")).to_contain_text("левый средний")
    await page.get_by_role("button", name="медлительность").click()
    await expect(page.locator(".weak-title")).to_have_text("Самые медленные клавиши")


@pytest.mark.parametrize("period", ["", "?period=all"])
async def test_each_layouts_keys_are_drawn_by_themselves(history: HistoryPage, period: str) -> None:
    """On Dvorak e is where QWERTY has d: neither's slips heat the other's keys."""
    page, api = history.page, history.visit.api
    who = await api.guest()
    await api.typed(who, "sdsdsdsdsdsd", "sfsfsfsfsfsf")
    await api.typed(who, "oeoeoeoeoeoe", "oioioioioioi", layout="dvorak")
    await api.typed(who, "аоаоаоаоаоао", language="ru", layout="jcuken")
    await history.visit.be(who)
    settings = {"interface": "en", "layouts": json.dumps({"en": "dvorak"})}
    chosen = json.dumps(json.dumps(settings))
    await page.add_init_script(f"localStorage.setItem('typing-trainer.settings', {chosen})")
    await history.visit.go(f"/history{period}")
    heat = page.locator('.heat-map [data-code="KeyD"]')
    layouts = page.locator("#keys .layouts button")
    await expect(layouts).to_have_text(["Dvorak", "ЙЦУКЕН", "QWERTY"])
    await expect(layouts.first).to_have_attribute("aria-pressed", "true")
    await expect(heat).to_have_text("E")
    await expect(heat).to_have_attribute("data-heat", "4")
    await expect(page.locator(".weak li > kbd")).to_have_text(["e"])

    await layouts.nth(2).click()
    await expect(layouts.nth(2)).to_have_attribute("aria-pressed", "true")
    await expect(layouts.nth(2)).to_be_focused()
    await expect(heat).to_have_text("D")
    await expect(heat).to_have_attribute("data-heat", "4")
    await expect(page.locator(".weak li > kbd")).to_have_text(["d"])
    # What no key of the layout was pressed for is cold.
    await expect(page.locator('.heat-map [data-code="KeyE"][data-heat]')).to_have_count(0)


async def test_keys_of_a_layout_that_do_not_come_are_asked_for_again(
    history: HistoryPage,
) -> None:
    page, api = history.page, history.visit.api
    who = await api.guest()
    await api.typed(who, "sdsdsdsdsdsd")
    await api.typed(who, "аоаоаоаоаоао", language="ru", layout="jcuken")
    await history.visit.be(who)
    await history.visit.go("/history")
    layouts = page.locator("#keys .layouts button")
    await expect(layouts).to_have_text(["ЙЦУКЕН", "QWERTY"])
    await page.route("**/key-stats?*", lambda route: route.abort())
    await page.locator("#keys .layouts button[aria-pressed='false']").click()
    retry = page.locator(".no-keys button")
    await expect(retry).to_be_visible()
    await page.unroute("**/key-stats?*")
    await retry.click()
    await expect(page.locator(".heat-map")).to_be_visible()
    await expect(page.locator('.heat-map [data-heat="0"]')).to_have_count(2)


async def test_one_layout_alone_is_no_choice(history: HistoryPage) -> None:
    who = await history.visit.api.guest()
    await history.visit.api.typed(who, "oeoeoeoeoeoe", "oioioioioioi", layout="dvorak")
    await history.visit.be(who)
    await history.visit.go("/history")
    await expect(history.page.locator('.heat-map [data-code="KeyD"]')).to_have_text("E")
    await expect(history.page.locator("#keys .layouts")).to_be_hidden()


async def test_an_account_sees_how_near_the_goal_of_the_day_is(
    history: HistoryPage, words_10: Row
) -> None:
    page = history.page
    await history.visit.go("/docs")
    user_id = await page.evaluate(
        """async () => {
          const ask = async (method, path, body, token) => {
            const headers = { 'content-type': 'application/json' };
            if (token) headers.authorization = `Bearer ${token}`;
            const init = { method, headers, body: JSON.stringify(body) };
            return (await fetch(`/api/v1${path}`, init)).json();
          };
          const account = { email: 'goal@example.com', password: 'Correct horse 7' };
          const { user_id, access_token } = await ask('POST', '/auth/register', account);
          const settings = { goals: { minutes_a_day: 20 } };
          await ask('PATCH', '/users/me', { settings }, access_token);
          localStorage.setItem('typing.account', user_id);
          return user_id;
        }"""
    )
    row = typed(words_10, 0, duration_ms=120_000) | {"id": str(uuid.uuid4()), "user_id": user_id}
    async with history.visit.api.database.write() as connection:
        await connection.execute(insert(attempts), row)
    await history.open(None)
    await expect(history.number("goal")).to_have_text("Today 2 min of 20 min")
    await expect(page.locator("#guest")).to_be_hidden()
    # Of some attempts alone it would say too little.
    await page.get_by_role("combobox", name="Language").select_option("en")
    await expect(page).to_have_url(re.compile("language=en"))
    await expect(history.number("goal")).to_be_hidden()


async def test_who_has_typed_nothing_is_shown_the_way(history: HistoryPage) -> None:
    await history.open(None)
    await expect(history.standstill).to_contain_text("begins with your first text")
    assert history.asked == []
    await expect(history.page.locator("#filter")).to_be_hidden()
    await history.open([])
    await expect(history.standstill).to_contain_text("Nothing typed yet")
    await history.standstill.get_by_role("link", name="Type a text").click()
    await expect(history.page.locator("#text")).to_be_visible()


async def test_without_a_network_it_says_so_and_tries_again(
    history: HistoryPage, context: BrowserContext, words_10: Row, complaints: Complaints
) -> None:
    await history.open([typed(words_10, 1)])
    await expect(history.rows).to_have_count(1)
    await context.set_offline(True)
    await history.page.get_by_role("button", name="30 days").click()
    await expect(history.standstill).to_contain_text("cannot be reached")
    await expect(history.page.locator("#shown")).to_be_hidden()
    await context.set_offline(False)
    await history.standstill.get_by_role("button", name="Try again").click()
    await expect(history.rows).to_have_count(1)
    await expect(history.standstill).to_be_hidden()
    assert complaints.network != []


async def test_who_asks_too_often_is_told_when_to_come_back(
    page: Page, sqlite_server: ServerProcess, complaints: Complaints
) -> None:
    token = Tokens(JWT_SECRET).guest(str(uuid.uuid4()), Clock().now_ms())
    await page.add_init_script(f"localStorage.setItem('typing.token', '{token}')")
    await page.goto(f"{sqlite_server.http_url}/docs")
    await page.evaluate(
        """async (token) => {
          const headers = { authorization: `Bearer ${token}` };
          for (let n = 0; n < 100; n++) await fetch('/api/v1/progress/stats', { headers });
        }""",
        token,
    )
    await page.goto(f"{sqlite_server.http_url}/history")
    await expect(page.locator("#standstill")).to_contain_text(
        re.compile(r"works again at \d+:\d\d:\d\d")
    )
    assert any("429" in complaint for complaint in complaints.network)


async def test_the_last_choice_is_what_is_shown(
    history: HistoryPage, words_10: Row, time_15: Row
) -> None:
    page = history.page
    await history.open([typed(words_10, 1), typed(words_10, 2), typed(time_15, 3)])
    await expect(history.rows).to_have_count(3)
    held: list[Callable[[], Any]] = []

    async def hold(route: Any) -> None:
        held.append(route.continue_)

    await page.route("**/progress?*language=en*", hold)
    language = page.get_by_role("combobox", name="Language")
    await language.select_option("en")
    await expect(page.locator("#shown")).to_have_attribute("aria-busy", "true")
    await language.select_option("ru")
    await expect(history.rows).to_have_count(1)
    async with page.expect_response("**/progress?*language=en*"):
        for let_go in held:
            await let_go()
    await expect(page.locator("#shown")).not_to_have_attribute("aria-busy", "true")
    await expect(history.rows).to_have_count(1)
    assert held


@pytest.mark.parametrize("interface", ["en", "ru"])
async def test_a_narrow_history_does_not_scroll_sideways(
    history: HistoryPage, words_10: Row, time_15: Row, interface: str
) -> None:
    page = history.page
    await page.set_viewport_size({"width": 320, "height": 640})
    late = [{"rule": "late_ms", "value": 2_500, "limit": 0}]
    unranked = {"verdict": "unranked", "why": late}
    rows = [typed(words_10, n, **unranked) for n in range(12)]
    await history.open([*rows, typed(time_15, 2, verdict="ranked")])
    if interface != "en":
        await page.locator('[data-action="interface"]').click()
        await expect(page.locator("html")).to_have_attribute("lang", interface)
    await expect(history.rows).to_have_count(13)
    for summary in await page.locator("summary").all():
        await summary.click()
    overflow = await page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert overflow <= 0
