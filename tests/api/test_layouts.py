"""The layouts over REST: what each types, every key, every character."""

import pytest

from server.core.layout import LAYOUTS
from tests.api.people import Site, code


async def test_the_list(sqlite_site: Site) -> None:
    answer = await sqlite_site.ask("GET", "/layouts")
    assert answer.headers["cache-control"] == "public, max-age=3600"
    layouts = {one["name"]: one for one in answer.json()["layouts"]}
    assert list(layouts) == list(LAYOUTS)
    assert layouts["azerty"] == {
        "name": "azerty",
        "title": "AZERTY",
        "shape": "iso",
        "languages": ["en", "fr"],
    }


@pytest.mark.parametrize("name", LAYOUTS)
async def test_a_layout_key_by_key(sqlite_site: Site, name: str) -> None:
    layout = (await sqlite_site.ask("GET", f"/layouts/{name}")).json()
    codes = [key["code"] for key in layout["keys"]]
    assert len(codes) == {"ansi": 48, "iso": 49}[layout["shape"]]
    places = {(key["row"], key["column"]) for key in layout["keys"]}
    assert len(places) == len(codes)
    keys = {key["code"]: key["characters"] for key in layout["keys"]}
    for one in layout["characters"]:
        if one["dead"] is None:
            assert keys[one["code"]][one["level"]] == one["character"]
        else:
            assert one["dead"]["level"] in keys[one["dead"]["code"]]


async def test_facts_of_one(sqlite_site: Site) -> None:
    layout = (await sqlite_site.ask("GET", "/layouts/spanish")).json()
    keys = {key["code"]: key for key in layout["keys"]}
    assert keys["KeyE"] == {
        "code": "KeyE",
        "row": "top",
        "column": 3,
        "hand": "left",
        "finger": "middle",
        "characters": {"plain": "e", "shift": "E", "altgr": "€", "shift_altgr": "¢"},
    }
    assert keys["Space"]["hand"] is None
    (accented,) = [one for one in layout["characters"] if one["character"] == "é"]
    assert accented == {
        "character": "é",
        "code": "KeyE",
        "level": "plain",
        "dead": {"code": "Quote", "level": "plain"},
    }


async def test_a_layout_that_is_not_there(sqlite_site: Site) -> None:
    for name in ("maltron", "QWERTY", "a b", "x" * 40):
        answer = await sqlite_site.ask("GET", f"/layouts/{name}")
        assert (answer.status_code, code(answer)) == (404, "not_found")
