"""People race each other in windows of their own, by keyboard alone."""

import asyncio
import re
from random import Random
from uuid import uuid4

import pytest
from playwright.async_api import Browser, expect
from sqlalchemy import insert

from server.clock import Clock
from server.core.source import Source, SourceKind
from server.db.race_rows import racers, races
from tests.browser.conftest import Complaints, Visit
from tests.browser.keyboard import Keyboard
from tests.browser.race_page import RacePage, lobby, race_page
from tests.fill import Row, model
from tests.live.guest import TEXT
from tests.processes import ServerProcess

# Of some elements: each ends within its own box and within the window.
IS_IN_SIGHT = """
all => all.every(one => one.scrollWidth <= one.clientWidth
  && one.getBoundingClientRect().right <= document.documentElement.clientWidth)
"""

pytestmark = pytest.mark.asyncio(loop_scope="session")

# Told by the browser's own clock, whatever the page believes.
_NOTE_THE_START = """
new MutationObserver(() => {
  const shown = document.querySelector('#countdown.go');
  if (shown) window.wentAtMs ??= Date.now();
}).observe(document, { subtree: true, childList: true, attributes: true });
"""
_WRONG_CLOCK = """
const right = performance.timeOrigin;
Object.defineProperty(performance, 'timeOrigin', { get: () => right + 90_000 });
"""


@pytest.fixture(scope="module")
def words_10() -> Row:
    return model(Source(SourceKind.WORDS, language="en", count=10), Random(2))


@pytest.mark.parametrize("language", ["en", "ru"])
async def test_two_race_by_keyboard_alone_and_one_reloads_in_the_middle(
    browser: Browser, complaints: Complaints, sqlite_server: ServerProcess, language: str
) -> None:
    async with lobby(browser, complaints, sqlite_server, language) as (host, guest):
        await guest.press("Enter")
        await expect(host.page.locator("#lobby-racers .is-ready")).to_have_count(1)
        await host.press("Enter")
        text = await host.text()
        assert await guest.text() == text
        await host.keyboard.type(text[:2])  # before the start: nothing is typed
        assert await host.right() == 0
        await asyncio.gather(host.go(), guest.go())

        half = len(text) // 2
        await asyncio.gather(host.type(text[:half]), guest.type(text[:half]))
        await guest.page.reload()
        await expect(guest.page.locator("#text span.cell.right")).to_have_count(half)
        await host.type(text[half:])
        await expect(host.page.locator("#results")).to_be_visible()
        await guest.type(text[half:])

        places = await host.places()
        assert [place for place, _ in places] == ["1", "2"]
        assert await guest.places() == places
        own = "Your result" if language == "en" else "Ваш результат"
        await expect(guest.page.locator("#results-title")).to_have_text(own)
        verdict = guest.page.locator("#result-verdict")
        await expect(verdict).to_have_attribute("data-verdict", "ranked")
        await _rematch(host, guest)
    assert complaints.page == []


async def _rematch(host: RacePage, guest: RacePage) -> None:
    """One key leads both into the next race."""
    first = await host.page.evaluate("location.pathname")
    await asyncio.sleep(1)  # the last keys of a race lead nowhere
    await host.press("Enter")
    await host.is_in("lobby")
    again = guest.page.locator("#again-words")
    await expect(again).to_have_text(
        {"en": "Join the next race", "ru": "На следующую гонку"}[
            await guest.page.evaluate("document.documentElement.lang")
        ]
    )
    await guest.press("Enter")
    await guest.is_in("lobby")
    second = await host.page.evaluate("location.pathname")
    assert second == await guest.page.evaluate("location.pathname") != first


async def test_the_start_is_one_moment_though_a_clock_is_wrong(
    browser: Browser, complaints: Complaints, sqlite_server: ServerProcess
) -> None:
    async with (
        race_page(browser, complaints) as host,
        race_page(browser, complaints) as guest,
    ):
        await guest.page.add_init_script(_WRONG_CLOCK)
        for person in (host, guest):
            await person.page.add_init_script(_NOTE_THE_START)
        link = await host.create(sqlite_server.http_url)
        await guest.page.goto(link)
        await guest.is_in("lobby")
        await guest.press("Enter")
        await expect(host.page.locator("#lobby-racers .is-ready")).to_have_count(1)
        await host.press("Enter")
        await asyncio.gather(host.go(), guest.go())
        went = [await person.page.evaluate("window.wentAtMs") for person in (host, guest)]
        assert abs(went[0] - went[1]) < 150
    assert complaints.page == []


async def test_who_watches_sees_the_lanes_and_the_carets_move(
    browser: Browser, complaints: Complaints, sqlite_server: ServerProcess
) -> None:
    async with (
        lobby(browser, complaints, sqlite_server) as (host, guest),
        race_page(browser, complaints) as watcher,
    ):
        code = await host.page.locator("#lobby-code").inner_text()
        await watcher.page.goto(f"{sqlite_server.http_url}/race")
        await watcher.tab_to("#code")
        await watcher.keyboard.type(code.lower())
        await watcher.tab_to('#join [name="watch"]')
        await watcher.press("Enter")
        await watcher.is_in("lobby")
        await guest.press("Enter")
        await host.press("Shift+Enter")
        text = await host.text()
        await host.go()
        await asyncio.gather(host.keyboard.type(text[:20]), guest.keyboard.type(text[:9]))

        assert await watcher.text() == text
        await expect(watcher.page.locator("#field")).to_be_hidden()
        await expect(watcher.page.locator(".rival")).to_have_count(2)
        first = watcher.page.locator(".lane .lane-place").first
        await expect(first).to_have_text("1")
        there = re.compile(rf"--share: {20 / len(text):.4f}".rstrip("0"))
        await expect(watcher.page.locator(".lane").first).to_have_attribute("style", there)
        # Side by side, one name is written; on each other nobody could read either.
        await expect(watcher.page.locator('.rival[data-name=""]')).to_have_count(0)
        await guest.keyboard.type(text[9:20])
        await expect(watcher.page.locator('.rival[data-name=""]')).to_have_count(1)
        # Rivals' carets may be turned off, and stay so.
        await expect(host.page.locator(".rival")).to_be_visible()
        await host.page.evaluate(
            "document.querySelector('[data-setting=rivals][data-value=off]').click()"
        )
        await expect(host.page.locator(".rival")).to_be_hidden()

        await asyncio.gather(host.keyboard.type(text[20:]), guest.keyboard.type(text[20:]))
        assert await watcher.places() == await host.places()
    assert complaints.page == []


async def test_a_drop_shows_on_the_lane_and_is_said(
    browser: Browser, complaints: Complaints, sqlite_server: ServerProcess
) -> None:
    async with lobby(browser, complaints, sqlite_server) as (host, guest):
        await host.press("Shift+Enter")
        await host.go()
        link = guest.page.url
        await guest.page.goto("about:blank")
        await expect(host.page.locator(".lane-note", has_text="away 2 s")).to_be_visible()
        await expect(host.page.locator("#happenings")).to_contain_text("is away.")
        await guest.page.goto(link)
        await expect(host.page.locator("#happenings")).to_contain_text("is back.")
        await expect(host.page.locator(".lane-note", has_text="away")).to_have_count(0)
    assert complaints.page == []


async def test_a_code_that_leads_nowhere_stays_in_the_form(
    browser: Browser, complaints: Complaints, sqlite_server: ServerProcess
) -> None:
    async with race_page(browser, complaints) as person:
        await person.page.goto(f"{sqlite_server.http_url}/race")
        await person.tab_to("#code")
        await person.keyboard.type("nope")
        await person.press("Enter")
        problem = person.page.locator("#join-problem")
        await expect(problem).to_contain_text("six letters and digits")
        await person.keyboard.type("zzzzz2")
        await person.press("Enter")
        await expect(problem).to_contain_text("There is no such race")
        await expect(person.page.locator("#code")).to_have_value("zzzzz2")
        await expect(person.page.locator("#code")).to_be_focused()
    assert complaints.page == []


async def test_a_ghost_is_raced_from_its_attempt_and_the_race_is_in_the_history(
    visit: Visit, keyboard: Keyboard
) -> None:
    who = await visit.api.guest()
    stored = await visit.api.typed(who, TEXT, dt_ms=250)
    await visit.be(who)
    await visit.go(f"/attempts/{stored.row['id']}")
    person = RacePage(visit.page, keyboard)
    await expect(visit.page.locator("#attempt-ghost")).to_be_visible()
    await person.tab_to("#attempt-ghost")
    await person.press("Enter")
    await expect(visit.page.locator('#create [type="submit"]')).to_be_focused()
    await person.press("Enter")
    await person.is_in("lobby")
    await expect(visit.page.locator("#lobby-hint")).to_contain_text("All are ready")
    await person.press("Enter")
    assert "".join(await person.text()) == TEXT
    await person.go()
    await expect(visit.page.locator(".lane.ghost .lane-speed")).not_to_be_empty()
    await person.keyboard.type(TEXT)
    await expect(visit.page.locator("#race-results .mine .taken")).to_have_text("1")
    await visit.page.reload()
    await expect(visit.page.locator("#own-attempt")).to_be_visible()
    await visit.page.locator('#race-results [data-action="leave"]').press("Enter")
    await expect(visit.page.locator("#raced tbody td").first).to_have_text("1 of 2")


async def test_what_was_given_up_is_offered_as_no_ghost(visit: Visit, words_10: Row) -> None:
    who = await visit.api.guest()
    at_ms = Clock().now_ms() - 60_000
    given_up = {"verdict": "unranked", "state": "abandoned"}
    why = [{"rule": "incomplete", "value": 9, "limit": 60}]
    whole = await visit.api.add(words_10, who, at_ms)
    part = await visit.api.add(words_10, who, at_ms + 1, why=why, **given_up)
    await visit.be(who)
    await visit.go("/race")
    await visit.page.locator("#ghosts summary").click()
    offered = visit.page.locator("#ghosts .rows input")
    await expect(offered).to_have_count(1)
    await expect(offered).to_have_value(whole)
    ghost = visit.page.locator("#attempt-ghost")
    for attempt, is_offered in ((whole, True), (part, False)):
        await visit.go(f"/attempts/{attempt}")
        await expect(visit.page.locator("#attempt-when")).not_to_be_empty()
        await expect(ghost).to_be_visible(visible=is_offered)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/race/%E0%A4%A", "There is no such race"),
        ("/collections/%E0%A4%A", "There is no such collection"),
        ("/account#reset-password=%E0%A4%A", "New password"),
    ],
)
async def test_an_address_that_was_cut_off_leads_somewhere(
    visit: Visit, path: str, said: str
) -> None:
    await visit.go(path)
    await expect(visit.page.locator("main")).to_contain_text(said)


async def test_all_races_of_the_history_can_be_had(visit: Visit) -> None:
    who = await visit.api.guest()
    ids = [str(uuid4()) for _ in range(25)]
    facts = {
        "code": "AAAAAA",
        "driver": "",
        "epoch": 1,
        "n": 0,
        "phase": "finished",
        "quick": False,
        "private": False,
        "racers_max": 2,
        "source": {"kind": "custom"},
        "rule": "free",
        "layout": "qwerty",
        "text": TEXT,
        "speed_wpm": 40.0,
        "created_at_ms": 0,
    }
    at_ms = 1_790_000_000_000
    times = [{"starts_at_ms": at_ms + n, "ended_at_ms": at_ms + n} for n in range(25)]
    seat = {"slot": 0, "user_id": who.id, "ghost": False, "ready": True, "place": 1}
    async with visit.api.database.write() as connection:
        rows = [{"id": one, **facts, **when} for one, when in zip(ids, times, strict=True)]
        await connection.execute(insert(races), rows)
        mine = [{"race_id": one, "attempt_id": str(uuid4()), **seat} for one in ids]
        await connection.execute(insert(racers), mine)
    await visit.be(who)
    await visit.go("/race")
    shown = visit.page.locator("#raced tbody tr")
    await expect(shown).to_have_count(20)
    await visit.page.locator("#raced .more").click()
    await expect(shown).to_have_count(25)
    await expect(visit.page.locator("#raced .more")).to_be_hidden()
    links = await shown.locator("a").evaluate_all("all => all.map(one => one.pathname)")
    assert links == [f"/race/{one}" for one in reversed(ids)]


async def test_home_leads_to_a_quick_race_that_starts_by_itself(
    browser: Browser, complaints: Complaints, sqlite_server: ServerProcess
) -> None:
    async with (
        race_page(browser, complaints) as first,
        race_page(browser, complaints) as second,
    ):
        for person in (first, second):
            await person.page.goto(sqlite_server.http_url)
            await person.page.locator("#text span.cell").first.wait_for()
            await person.press("Escape")
            await person.keyboard.type("quick race")
            await person.press("Enter")
            await person.is_in("lobby")
        await asyncio.gather(first.go(), second.go())
        assert await first.text() == await second.text()
    assert complaints.page == []


@pytest.mark.parametrize("locale", ["en-US", "ru-RU"])
async def test_narrow_pages_do_not_scroll_sideways(
    browser: Browser, complaints: Complaints, sqlite_server: ServerProcess, locale: str
) -> None:
    async with (
        race_page(browser, complaints, locale=locale, width_px=320) as host,
        race_page(browser, complaints, locale=locale) as guest,
    ):
        link = await host.create(sqlite_server.http_url, language=locale[:2])
        await _fits(host, "the lobby")
        await guest.page.goto(link)
        await guest.is_in("lobby")
        await expect(host.page.locator("#lobby-racers li")).to_have_count(2)
        await host.press("Shift+Enter")
        text = await host.text()
        await _fits(host, "the countdown")
        await asyncio.gather(host.go(), guest.go())
        half = len(text) // 2
        await asyncio.gather(host.type(text[:half]), guest.type(text[:half]))
        await expect(host.page.locator(".lane-speed").first).not_to_be_empty()
        lanes = host.page.locator(".lane-speed")
        assert await lanes.evaluate_all(IS_IN_SIGHT), "a lane's speed is cut off"
        await _fits(host, "the race")
        await asyncio.gather(host.type(text[half:]), guest.type(text[half:]))
        await host.places()
        await _fits(host, "the end")
        await host.tab_to('#race-results [data-action="leave"]')
        await host.press("Enter")
        await host.is_in("start")
        await _fits(host, "the ways in")
    assert complaints.page == []


async def _fits(person: RacePage, what: str) -> None:
    overflow: int = await person.page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert overflow <= 0, f"{what} is {overflow} px too wide"
