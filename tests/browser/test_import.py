"""A person brings along what they typed elsewhere: from a file, or out of this browser."""

import json

import pytest
from playwright.async_api import FilePayload, expect

from tests.browser.conftest import Complaints, Visit
from tests.browser.keyboard import Keyboard
from tests.browser.test_accessibility import Reader
from tests.imports.exports import (
    AT_MS,
    browser,
    browser_entry,
    keybr,
    keybr_entry,
    monkeytype,
    monkeytype_row,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

LESSONS: FilePayload = {
    "name": "typing-data.json",
    "mimeType": "application/json",
    "buffer": keybr(
        keybr_entry(), {"layout": "us"}, keybr_entry(timeStamp=AT_MS + 90_000_000, time=9_000)
    ),
}
_DROP = """
([text]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([text], 'results.csv', { type: 'text/csv' }));
  const options = { bubbles: true, cancelable: true, dataTransfer: transfer };
  document.querySelector('#drop').dispatchEvent(new DragEvent('drop', options));
}
"""


async def test_a_file_is_looked_at_and_then_brought_by_keys_alone(
    visit: Visit, keyboard: Keyboard
) -> None:
    page = visit.page
    # Watched for in good time: to begin with it takes Playwright longer than a key.
    page.on("filechooser", lambda _chooser: None)
    await visit.go("/import")
    await page.locator("#file").focus()
    async with page.expect_file_chooser() as chooser:
        await keyboard.press("Enter")
    await (await chooser.value).set_files(LESSONS)
    await expect(page.locator("#told")).to_contain_text("Nothing is stored yet")
    await expect(page.locator("#recognised")).to_have_text("Results from keybr")
    await expect(page.locator("#counts")).to_have_text("2 results can be kept. 1 row cannot.")
    await expect(page.locator("#first-rows tbody tr")).to_have_count(2)
    await page.locator("#bad-rows summary").click()
    await expect(page.locator("#bad-rows tbody td")).to_have_text(
        "Something is missing in it. (time)"
    )
    assert await visit.overflow_px() == 0
    await page.locator("#bring").focus()
    await keyboard.press("Enter")
    await expect(page.locator("#told")).to_have_text("2 results are in your history now.")
    await page.locator("#to-history").click()
    await expect(page.locator("#attempts tbody tr")).to_have_count(2)
    await expect(page.locator("#attempts .verdict .mark").first).to_have_text("from keybr")


async def test_a_file_is_dropped_and_what_is_none_is_told(
    visit: Visit, complaints: Complaints
) -> None:
    page = visit.page
    await visit.go("/import")
    await page.evaluate(_DROP, ["a,b\n1,2"])
    await expect(page.locator("#told.problem")).to_contain_text("no export of Monkeytype")
    await page.evaluate(_DROP, [monkeytype(monkeytype_row()).decode()])
    await expect(page.locator("#recognised")).to_have_text("Results from Monkeytype")
    await expect(page.locator("#bring")).to_have_text("Bring 1 result along")
    assert complaints.network != []


async def test_old_results_in_this_browser_are_found_and_moved_once(visit: Visit) -> None:
    page = visit.page
    old = json.dumps([browser_entry(timestamp=AT_MS + 1_000 * place) for place in range(3)])
    await visit.go("/import")
    await page.evaluate("(old) => localStorage.setItem('typing_trainer_test_history', old)", old)
    await page.evaluate("localStorage.setItem('typing_trainer_current_level', 'medium')")
    await visit.go("/history?period=all")
    offer = page.locator("#old-results")
    await expect(offer).to_contain_text("3 results from the first version")
    # Without the server nothing is cleared.
    await page.route("**/migrate-from-localstorage", lambda route: route.abort())
    await offer.locator("button").click()
    await expect(offer).to_contain_text("cannot be reached")
    names = "Object.keys(localStorage).filter((name) => name.startsWith('typing_trainer_'))"
    assert len(await page.evaluate(names)) == 2
    await page.unroute("**/migrate-from-localstorage")
    await offer.locator("button").click()
    await expect(offer).to_contain_text("3 results are in your history now.")
    assert await page.evaluate(names) == []
    await expect(page.locator("#attempts tbody tr")).to_have_count(3)
    await page.reload()
    await expect(page.locator("#attempts tbody tr")).to_have_count(3)
    await expect(offer).to_be_hidden()


async def test_old_settings_come_along_where_nothing_is_chosen(visit: Visit) -> None:
    page = visit.page
    old = browser(browser_entry())
    old["typing_trainer_user_settings"] = {"theme": "dark", "language": "ru", "goals": {"wpm": 60}}
    await visit.go("/import")
    await page.evaluate(
        "(old) => { for (const name in old) localStorage[name] = JSON.stringify(old[name]); }", old
    )
    await page.evaluate("localStorage['typing-trainer.settings'] = '{\"theme\":\"light\"}'")
    await visit.go("/import")
    offer = page.locator("#old-results")
    await expect(offer).to_contain_text("Settings that come along: language of the page, goals")
    await offer.locator("button").click()
    await expect(offer).to_contain_text("Перенесены настройки: язык страницы, цели")
    await expect(page.locator("html")).to_have_attribute("data-theme", "light")
    kept = await page.evaluate("JSON.parse(localStorage['typing-trainer.settings'])")
    assert (kept["interface"], kept["theme"]) == ("ru", "light")


@pytest.mark.parametrize(("scheme", "language"), [("light", "en"), ("dark", "ru")])
async def test_no_state_of_the_page_breaks_a_rule_of_axe(
    visit: Visit, keyboard: Keyboard, scheme: str, language: str
) -> None:
    page, reader = visit.page, Reader(visit.page, keyboard)
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    spoken = json.dumps({"interface": language})
    keep = f"localStorage.setItem('typing-trainer.settings', '{spoken}');"
    old = json.dumps([browser_entry()])
    await page.add_init_script(
        f"{keep} localStorage.setItem('typing_trainer_test_history', '{old}')"
    )
    await visit.go("/import")
    await reader.look_at_page("choosing", "#old-results button")
    await page.locator("#file").set_input_files(LESSONS)
    await reader.look_at_page("a look", "#bring:visible")
    await page.locator("#bad-rows summary").click()
    await reader.look("bad rows")
    await page.locator("#bring").click()
    await reader.look_at_page("brought", "#to-history:visible")
    reader.assert_nothing_found()
