"""An attempt's page: what came of it, and how it was typed, key by key."""

import struct
from collections.abc import Sequence
from typing import Any

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import update

from server.db.queries import Person, attempts
from tests.api.typed import Api
from tests.browser.conftest import Visit
from tests.browser.keyboard import Keyboard

pytestmark = pytest.mark.asyncio(loop_scope="session")

WORDS = "pack my box with five dozen liquor jugs and then some more of them"
# The third character goes wrong and is mended, the ninth stays wrong.
KEYS = [*"pa", "x", "\b", *"ck my ", "v", *WORDS[9:]]


async def attempt(api: Api, words: str = WORDS, keys: Sequence[str] = KEYS) -> tuple[Person, Any]:
    """Who has typed an attempt, and the attempt with its keys as the server tells them."""
    who = await api.guest()
    stored = await api.typed(who, words, keys)
    return who, await api.ask(f"/attempts/{stored.row['id']}/replay", who)


async def seek(page: Page, at_ms: float) -> None:
    await page.locator("#replay-bar").fill(str(round(at_ms)))


async def marks(page: Page) -> list[str]:
    """How each cell of the text looks, without what kind of character it is."""
    looks: list[str] = await page.locator("#text span.cell").evaluate_all(
        """cells => cells.sort((a, b) => a.dataset.i - b.dataset.i)
            .map(({className}) => className.replace(/cell|space/g, '').trim())"""
    )
    return looks


def looks_at(events: Sequence[tuple[int, str]], at_ms: float) -> list[str]:
    """How the cells of WORDS look when so much of its time has passed."""
    typed: list[str] = []
    slipped: set[int] = set()
    time_ms = 0
    for dt_ms, key in events:
        time_ms += dt_ms
        if time_ms > at_ms:
            break
        if key == "\b":
            typed.pop()
            continue
        typed.append(key)
        if key != WORDS[len(typed) - 1]:
            slipped.add(len(typed) - 1)
    looks = ["right" if a == b else "wrong" for a, b in zip(typed, WORDS, strict=False)]
    looks += [""] * (len(WORDS) - len(typed))
    return [
        f"{look} mended".strip() if place in slipped and look != "wrong" else look
        for place, look in enumerate(looks)
    ]


async def test_an_attempt_is_played_again_as_it_was_typed(
    visit: Visit, api: Api, keyboard: Keyboard
) -> None:
    who, replay = await attempt(api)
    page = visit.page
    await visit.be(who)
    await visit.go(f"/attempts/{replay['id']}")

    shown = page.locator("#result-wpm")
    await expect(shown).to_have_attribute("data-value", str(replay["result"]["wpm"]))
    await expect(page.locator("#rescored")).to_contain_text("the same numbers")
    await expect(page.locator("#result-weak li")).to_have_count(2)
    assert await marks(page) == [""] * len(WORDS)

    for share in (0.02, 0.5, 0.9, 0.3, 1, 0):
        at_ms = round(share * replay["result"]["duration_ms"])
        await seek(page, at_ms)
        assert await marks(page) == looks_at(replay["events"], at_ms), share

    await page.locator('[data-speed="8"]').click()
    await page.locator("h1").click()
    await keyboard.press("Space")
    play = page.locator("#replay-play")
    await expect(page.locator("#text .cell.right").nth(30)).to_be_attached()
    await expect(play).to_have_attribute("data-playing", "false")
    assert await marks(page) == looks_at(replay["events"], replay["result"]["duration_ms"])
    await expect(page.locator(".key.next")).to_have_attribute("data-code", "KeyM")
    await expect(page.locator("#wpm")).to_have_text(str(round(replay["result"]["wpm"])))


async def test_the_player_is_driven_by_keys_and_by_the_chart(
    visit: Visit, api: Api, keyboard: Keyboard
) -> None:
    who, replay = await attempt(api)
    page = visit.page
    await visit.be(who)
    await visit.go(f"/attempts/{replay['id']}")
    bar = page.locator("#replay-bar")
    end_ms = replay["result"]["duration_ms"]
    await expect(bar).to_be_visible()
    await bar.focus()

    for key, at_ms in (
        ("ArrowRight", 1000),
        ("ArrowUp", 2000),
        ("ArrowLeft", 1000),
        ("Shift+ArrowRight", 6000),
        ("Shift+ArrowLeft", 1000),
        ("End", end_ms),
        ("Home", 0),
        ("ArrowLeft", 0),
    ):
        await keyboard.press(key)
        await expect(bar).to_have_js_property("value", str(at_ms))
    await keyboard.press("ArrowRight")
    await expect(bar).to_have_attribute("aria-valuetext", "0:01 of 0:07.")
    await keyboard.press("F2")
    await expect(page.locator("#speech")).to_contain_text("0:01 of 0:07. ")
    await expect(page.locator("#speech")).to_contain_text("words a minute")

    chart = page.locator("#result-chart .chart")
    box = await chart.bounding_box()
    assert box is not None
    await chart.click(position={"x": box["width"] * 0.75, "y": box["height"] / 2})
    at_ms = int(await bar.input_value())
    assert end_ms * 0.6 < at_ms < end_ms * 0.9
    assert await marks(page) == looks_at(replay["events"], at_ms)
    marker = await page.locator("#result-chart .now").bounding_box()
    assert marker is not None
    assert abs(marker["x"] - box["x"] - box["width"] * 0.75) < 3


async def test_a_fresh_result_leads_to_its_replay(
    visit: Visit, page: Page, keyboard: Keyboard
) -> None:
    await page.emulate_media(reduced_motion="no-preference")
    await visit.go("/")
    await page.locator('[data-source="words-10"]').click()
    await expect(page.locator("body:not(.waiting)")).to_have_attribute("data-phase", "ready")
    cells = page.locator("#text span.cell")
    text: list[str] = await cells.evaluate_all("cells => cells.map(cell => cell.textContent)")
    await keyboard.type(text, dt_ms=45)
    await expect(page.locator("#watch")).to_be_visible()
    wpm = await page.locator("#result-wpm").get_attribute("data-value")

    await page.locator("#watch").click()

    await expect(page.locator("#replay-play")).to_be_focused()
    await expect(page.locator("#replay-play")).to_have_attribute("data-playing", "true")
    await expect(page.locator("#result-wpm")).to_have_attribute("data-value", str(wpm))
    await expect(page.locator("#text .cell.right")).to_have_count(len(text))
    await expect(page.locator("#replay-play")).to_have_attribute("data-playing", "false")


async def test_who_wants_less_motion_starts_the_replay_alone(visit: Visit, api: Api) -> None:
    who, replay = await attempt(api)
    await visit.be(who)
    await visit.go(f"/attempts/{replay['id']}#replay")
    play = visit.page.locator("#replay-play")
    await expect(play).to_be_focused()
    # It would have begun together with the focus.
    assert await play.get_attribute("data-playing") == "false"


async def test_pauses_are_passed_over_if_one_likes(visit: Visit, api: Api) -> None:
    who = await api.guest()
    words = "abcdefgh"
    # Each key comes about 100 s after the one before: longer than anybody would wait.
    stored = await api.typed(who, words, dt_ms=100_000, opened_at_ms=1)
    await visit.be(who)
    await visit.go(f"/attempts/{stored.row['id']}")
    await visit.page.locator("#replay-skip").click()
    await visit.page.locator('[data-speed="8"]').click()
    await visit.page.locator("#replay-play").click()
    await expect(visit.page.locator("#text .cell.right")).to_have_count(len(words))


async def test_the_caret_keeps_to_its_line_in_a_long_text(visit: Visit, api: Api) -> None:
    words = (WORDS + " ") * 140
    who, replay = await attempt(api, words, words)
    # A window at which a line is no whole number of pixels high.
    await visit.page.set_viewport_size({"width": 1300, "height": 800})
    await visit.be(who)
    await visit.go(f"/attempts/{replay['id']}")
    for share in (0.99, 0.5, 0.01, 0.7):
        await seek(visit.page, share * replay["result"]["duration_ms"])
        off: list[float] = await visit.page.evaluate(
            """() => {
                const at = document.querySelectorAll('#text .right').length;
                const cell = document.querySelector(`#text [data-i="${at}"]`);
                const [a, b] = [cell, document.querySelector('#caret')]
                    .map((drawn) => drawn.getBoundingClientRect());
                return [a.left - b.left, (a.top + a.bottom - b.top - b.bottom) / 2];
            }"""
        )
        assert max(map(abs, off)) <= 3, (share, off)


async def test_another_persons_attempt_is_not_shown(visit: Visit, api: Api) -> None:
    _, replay = await attempt(api)
    await visit.be(await api.guest())
    await visit.go(f"/attempts/{replay['id']}")
    await expect(visit.page.locator("#standstill")).to_contain_text("no such attempt")
    await expect(visit.page.locator("#standstill a")).to_have_attribute("href", "/history")
    await expect(visit.page.locator("#attempt")).to_be_hidden()


async def test_nobody_is_asked_to_sign_in(visit: Visit, api: Api) -> None:
    _, replay = await attempt(api)
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.url))
    await visit.go(f"/attempts/{replay['id']}")
    await expect(visit.page.locator("#standstill a")).to_have_attribute("href", "/account")
    assert not any("/api/" in url for url in asked)


async def test_of_one_typed_elsewhere_its_numbers_are_shown(visit: Visit, api: Api) -> None:
    who = await api.guest()
    body = {"wpm": 61.5, "accuracy": 0.97, "duration_ms": 60_000, "errors": 4}
    added = (await api.post("/progress", body, who)).json()
    await visit.be(who)
    await visit.go(f"/attempts/{added['id']}")
    await expect(visit.page.locator("#result-wpm")).to_have_attribute("data-value", "61.5")
    await expect(visit.page.locator("#result-raw")).to_have_text("–")
    await expect(visit.page.locator("#result-verdict li")).to_have_text(
        "The server did not see it typed."
    )
    await expect(visit.page.locator("#replay")).to_be_hidden()
    await expect(visit.page.locator(".findings")).to_be_hidden()


async def test_numbers_that_come_out_otherwise_are_said(visit: Visit, api: Api) -> None:
    who, replay = await attempt(api)
    async with api.database.write() as connection:
        await connection.execute(
            update(attempts).where(attempts.c.id == replay["id"]).values(consistency=0.01)
        )
    await visit.be(who)
    await visit.go(f"/attempts/{replay['id']}")
    await expect(visit.page.locator("#rescored")).to_contain_text(
        f"give {replay['result']['wpm']:.2f} wpm"
    )


async def test_the_server_away_is_said_and_tried_again(visit: Visit, api: Api, page: Page) -> None:
    who, replay = await attempt(api)
    await visit.be(who)
    await page.route("**/api/v1/**", lambda route: route.abort())
    await visit.go(f"/attempts/{replay['id']}")
    retry = page.locator("#standstill button")
    await expect(page.locator("#standstill")).to_contain_text("cannot be reached")
    await page.unroute("**/api/v1/**")
    await retry.click()
    await expect(page.locator("#replay")).to_be_visible()
    await expect(page.locator("#standstill")).to_be_hidden()
    await expect(page.locator("#attempt")).to_be_focused()


async def test_a_picture_of_the_result_can_be_saved(visit: Visit, api: Api) -> None:
    who, replay = await attempt(api)
    page = visit.page
    await visit.be(who)
    await visit.go(f"/attempts/{replay['id']}")
    await page.locator('[data-action="picture"]').click()
    pictures = []
    for name in ("", "Ada"):
        await page.locator("#picture input").fill(name)
        async with page.expect_download() as expected:
            await page.locator('[data-action="downloadPicture"]').click()
        pictures.append((await (await expected.value).path()).read_bytes())
    for picture in pictures:
        assert struct.unpack(">4s4sII", picture[8:24])[1:] == (b"IHDR", 1200, 630)
    assert pictures[0] != pictures[1]


@pytest.mark.parametrize(("scheme", "locale"), [("light", "en"), ("dark", "ru")])
async def test_a_narrow_page_does_not_scroll_sideways(
    visit: Visit, api: Api, scheme: Any, locale: str
) -> None:
    who, replay = await attempt(api)
    await visit.page.emulate_media(color_scheme=scheme)
    await visit.page.set_viewport_size({"width": 320, "height": 640})
    await visit.be(who)
    await visit.go(f"/attempts/{replay['id']}")
    await expect(visit.page.locator("#replay")).to_be_visible()
    if locale != "en":
        await visit.page.locator('[data-action="interface"]').click()
    await expect(visit.page.locator("html")).to_have_attribute("lang", locale)
    assert await visit.overflow_px() <= 0
