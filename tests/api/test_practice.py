"""Practice over the API: strengths, what is next, and what an attempt has brought."""

from itertools import pairwise
from typing import Any

import pytest

from server.clock import Clock
from server.coach import ATTEMPTS_MAX
from server.core.source import Source, SourceKind
from tests.api.typed import Api, error_code
from tests.db.stored import person

PATH = "/practice"
ENGLISH = {"language": "en", "layout": "qwerty"}
# Typed fast: whoever does that does not begin. The r of "that" goes wrong each time.
TEXT = "that is a short text with the letters of a person who types it well enough for a test"
SLIPS = TEXT.replace("tha", "yha", 1)


def keys(found: Any) -> dict[str, Any]:
    return {key["key"]: key for key in found["keys"]}


async def test_nothing_is_known_of_who_comes_for_the_first_time(api: Api) -> None:
    found = await api.ask(PATH, person(), **ENGLISH)
    assert (found["speed_wpm"], found["gains"], found["opened"]) == (None, [], [])
    assert found["target"] == {"wpm": 30, "accuracy": 0.96}
    assert len(found["keys"]) == 26
    opened = [key["key"] for key in found["keys"] if key["unlocked"]]
    assert opened == [key["key"] for key in found["keys"]][:6]
    for key in found["keys"]:
        assert (key["strength"], key["presses"], key["due_at"]) == (None, 0, None)
    assert {chosen["reason"] for chosen in found["next"]} == {"new"}
    assert {chosen["part"] for chosen in found["next"]} <= set(opened)
    assert found["forecast"]["outlook"] == "too_little"
    assert found["source"] == {"kind": "practice"} | ENGLISH


async def test_an_attempt_counts_as_soon_as_it_is_stored(api: Api) -> None:
    who = await api.guest()
    await api.typed(who, TEXT, SLIPS, dt_ms=120)
    found = await api.ask(PATH, who, **ENGLISH)
    shown = keys(found)
    t = shown["t"]
    assert t["presses"] == TEXT.count("t")
    assert 0 < t["strength"] < 100
    assert t["error_rate"]["low"] < t["error_rate"]["value"] < t["error_rate"]["high"]
    assert t["latency_ms"]["low"] < t["latency_ms"]["value"] < t["latency_ms"]["high"]
    assert t["practised_at"] < t["due_at"]
    assert shown[" "]["unlocked"] is None
    assert shown["q"]["strength"] is None
    assert shown["t"]["error_rate"]["value"] > shown["e"]["error_rate"]["value"]
    assert [gain["key"] for gain in found["gains"]] != []
    assert all(gain["before"] is None for gain in found["gains"])
    # So fast at first is nobody who begins: all other letters open.
    assert all(shown[letter]["unlocked"] for letter in "abcdefghijklmnopqrstuvwxyz")
    assert found["speed_wpm"] == pytest.approx(100, rel=0.15)
    assert found["target"]["wpm"] > found["speed_wpm"]


async def test_a_gain_is_of_the_newest_attempt_alone(api: Api) -> None:
    who = await api.guest()
    now_ms = Clock().now_ms()
    await api.typed(who, TEXT, dt_ms=120, opened_at_ms=now_ms - 120_000)
    first = keys(await api.ask(PATH, who, **ENGLISH))
    await api.typed(who, "ho ho ho ho ho ho ho ho ho", dt_ms=120)
    found = await api.ask(PATH, who, **ENGLISH)
    gains = {gain["key"]: gain for gain in found["gains"]}
    assert gains.keys() <= {"h", "o", " "}
    assert gains["h"]["strength"] > gains["h"]["before"]
    assert gains["h"]["before"] == pytest.approx(first["h"]["strength"], abs=6)


async def test_a_slow_start_opens_letters_one_by_one(api: Api) -> None:
    who = await api.guest()
    await api.typed(who, "that oath", dt_ms=900)
    found = await api.ask(PATH, who, **ENGLISH)
    assert sum(key["unlocked"] is True for key in found["keys"]) == 6


async def test_what_was_typed_in_another_language_does_not_count(api: Api) -> None:
    who = await api.guest()
    await api.typed(who, TEXT)
    found = await api.ask(PATH, who, language="ru", layout="jcuken", words_in="ru")
    assert found["speed_wpm"] is None
    assert all("новая клавиша" in chosen["sentence"] for chosen in found["next"])


async def test_more_attempts_than_are_read_leave_their_counters(api: Api) -> None:
    who = await api.guest()
    now_ms = Clock().now_ms()
    await api.typed(who, "quiz " * 3, dt_ms=120, opened_at_ms=now_ms - 900_000)
    source = Source(SourceKind.WORDS, language="en", count=10)
    for _ in range(ATTEMPTS_MAX):
        await api.typed(who, "he saw", source=source)
    z = keys(await api.ask(PATH, who, **ENGLISH))["z"]
    assert (z["presses"], z["due_at"], z["unlocked"]) == (3, None, True)
    assert z["strength"] is not None


@pytest.mark.parametrize(
    ("language", "layout"), [("en", "jcuken"), ("ru", "qwerty"), ("xx", "qwerty"), ("en", "none")]
)
async def test_there_is_no_practice_that_the_layout_cannot_type(
    api: Api, language: str, layout: str
) -> None:
    answer = await api.get(PATH, person(), language=language, layout=layout)
    assert error_code(answer) == (404, "not_found")
    assert layout not in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "query",
    [{}, {"language": "en"}, ENGLISH | {"words_in": "de"}, ENGLISH | {"layout": "Q W"}],
    ids=["nothing", "no layout", "words in another language", "no name of a layout"],
)
async def test_what_is_asked_must_be_whole(api: Api, query: dict[str, str]) -> None:
    assert error_code(await api.get(PATH, person(), **query)) == (422, "invalid")


async def test_no_bound_crosses_another(api: Api) -> None:
    who = await api.guest()
    await api.typed(who, TEXT, SLIPS)
    found = await api.ask(PATH, who, **ENGLISH)
    for key in found["keys"]:
        for name in ("error_rate", "latency_ms"):
            if key[name] is not None:
                bounds = (key[name]["low"], key[name]["value"], key[name]["high"])
                assert all(one <= other for one, other in pairwise(bounds)), (key["key"], name)
