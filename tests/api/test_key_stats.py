"""Key by key, and what to practise."""

from typing import Any

from sqlalchemy import insert, update

from server.api.key_stats import ATTEMPTS_MAX
from server.clock import Clock
from server.core.attempt import EndReason
from server.db.queries import key_confusions, key_counters, users
from tests.api.typed import NOBODY, Api, error_code
from tests.db.stored import person
from tests.fill import DAY_MS

PATH = "/key-stats"
ANALYSIS = "/ai/weak-keys-analysis"


async def test_keys_and_pairs_of_one_attempt(api: Api) -> None:
    who = await api.guest()
    stored = await api.typed(who, "abab cab", "abax cab")
    found = await api.ask(PATH, who)
    keys = stored.attempt.typed_text.keys
    assert found["keys"].keys() == keys.keys() == {"a", "b", "c", " "}
    b = found["keys"]["b"]
    assert (b["presses"], b["errors"], b["error_rate"]) == (3, 1, 0.3333)
    assert b["confusions"] == {"x": 1}
    for key, stats in keys.items():
        assert found["keys"][key]["latency_ms"] == stats.score().latency_ms

    pairs = found["bigrams"]
    # After the wrong x nothing is right before the space: "b " is no pair that was typed.
    assert pairs.keys() == {"ab", "ba", " c", "ca"}
    assert (pairs["ab"]["presses"], pairs["ab"]["errors"], pairs["ab"]["error_rate"]) == (
        3,
        1,
        0.3333,
    )
    assert pairs["ab"]["confusions"] == {"x": 1}
    dts = [keystroke.dt_ms for keystroke in stored.attempt.log]
    assert pairs["ab"]["latency_ms"] == (dts[1] + dts[7]) / 2
    assert pairs["ba"]["latency_ms"] == dts[2]
    assert (found["attempts"], found["attempts_counted"], found["attempts_max"]) == (
        1,
        1,
        ATTEMPTS_MAX,
    )


async def test_shorter_periods_are_counted_from_their_own_attempts(api: Api) -> None:
    who = await api.guest()
    now_ms = Clock().now_ms()
    await api.typed(who, "aa", opened_at_ms=now_ms - 20 * DAY_MS)
    await api.typed(who, "bb", opened_at_ms=now_ms - 3 * DAY_MS)
    for period, keys in [
        ("all", {"a", "b"}),
        ("month", {"a", "b"}),
        ("week", {"b"}),
        ("day", set()),
    ]:
        found = await api.ask(PATH, who, period=period)
        assert found["keys"].keys() == keys, period
        assert found["attempts"] == found["attempts_counted"] == len(keys)
        assert found["bigrams"].keys() == {key * 2 for key in keys}


async def test_recounted_keys_are_those_counted_when_typed(api: Api) -> None:
    who = await api.guest()
    for words, keys in [("abc abc", "abd\bc abc"), ("bad cab", "bad kab"), ("abab", "abab")]:
        await api.typed(who, words, keys)
    ever, year = [await api.ask(PATH, who, period=period) for period in ("all", "year")]
    assert ever["keys"] == year["keys"]
    assert ever["bigrams"] == year["bigrams"]


async def test_only_the_newest_attempts_are_counted_anew(api: Api) -> None:
    who = await api.guest()
    now_ms = Clock().now_ms()
    await api.typed(who, "zz", opened_at_ms=now_ms - 120_000)
    for _ in range(ATTEMPTS_MAX):
        await api.typed(who, "ab")
    week = await api.ask(PATH, who, period="week")
    assert (week["attempts"], week["attempts_counted"]) == (ATTEMPTS_MAX + 1, ATTEMPTS_MAX)
    assert week["keys"].keys() == {"a", "b"}
    assert week["keys"]["a"]["presses"] == ATTEMPTS_MAX
    ever = await api.ask(PATH, who)
    assert ever["keys"]["z"]["presses"] == 2


async def test_by_language_and_layout(api: Api) -> None:
    who = await api.guest()
    await api.typed(who, "ab")
    for query, keys in [
        ({"language": "en"}, {"a", "b"}),
        ({"layout": "qwerty"}, {"a", "b"}),
        ({"language": "en", "layout": "jcuken"}, set()),
        ({"language": "ru"}, set()),
        ({"language": "und"}, set()),
    ]:
        for period in ("all", "day"):
            found = await api.ask(PATH, who, period=period, **query)
            assert found["keys"].keys() == keys, query
            assert found["bigrams"].keys() == ({"ab"} if keys else set()), query


async def test_the_layouts_there_are_to_ask_for(api: Api) -> None:
    """The keys of each by itself, and those of all together where none is asked for."""
    who = await api.guest()
    assert (await api.ask(PATH, who))["layouts"] == []
    await api.typed(who, "ab", layout="dvorak")
    await api.typed(who, "cd")
    await api.typed(who, "жэ", language="ru", layout="jcuken")
    await api.typed(who, "ef", language=None, layout="")
    every = ["dvorak", "jcuken", "qwerty"]
    for query, layouts, keys in [
        ({}, every, set("abcdefжэ")),
        ({"layout": "dvorak"}, every, set("ab")),
        ({"layout": "qwerty"}, every, set("cd")),
        ({"layout": "colemak"}, every, set()),
        ({"language": "en"}, ["dvorak", "qwerty"], set("abcd")),
        ({"language": "en", "layout": "dvorak"}, ["dvorak", "qwerty"], set("ab")),
        ({"language": "ru"}, ["jcuken"], set("жэ")),
        ({"language": "und"}, [], set("ef")),
    ]:
        for period in ("all", "day"):
            found = await api.ask(PATH, who, period=period, **query)
            assert (found["layouts"], found["keys"].keys()) == (layouts, keys), query
    other = await api.guest()
    assert (await api.ask(PATH, other))["layouts"] == []


async def test_what_was_given_up_counts_and_what_was_void_does_not(api: Api) -> None:
    who = await api.guest()
    await api.typed(who, "abab", "ab", EndReason.QUIT)
    await api.typed(who, "cdcd", "cd", EndReason.CONFLICT)
    for period in ("all", "week"):
        found = await api.ask(PATH, who, period=period)
        assert (found["keys"].keys(), found["attempts"]) == ({"a", "b"}, 1)


async def test_key_stats_are_ones_own(api: Api) -> None:
    who, other = await api.guest(), await api.guest()
    await api.typed(who, "ab")
    assert (await api.ask(PATH, other))["keys"] == {}
    assert (await api.ask(PATH, person()))["keys"] == {}
    assert error_code(await api.get(PATH)) == (401, "unauthorized")
    for name, value in [
        ("period", "x"),
        ("layout", "a\x00"),
        ("language", "1"),
        ("user_id", NOBODY),
    ]:
        assert error_code(await api.get(PATH, other, **{name: value})) == (422, "invalid"), name


# What to practise


async def count(
    api: Api,
    who_id: str,
    key: str,
    presses: int,
    confusions: dict[str, int],
    *,
    language: str = "ru",
    layout: str = "jcuken",
) -> None:
    place = {"user_id": who_id, "language": language, "layout": layout, "key": key}
    counts = {"presses": presses, "latency_sum_ms": presses * 200, "latency_count": presses}
    async with api.database.write() as connection:
        await connection.execute(
            insert(key_counters), place | counts | {"errors": sum(confusions.values())}
        )
        for typed, times in confusions.items():
            await connection.execute(
                insert(key_confusions), place | {"typed": typed, "count": times}
            )


async def test_weak_keys_in_words(api: Api) -> None:
    who = await api.guest()
    await count(api, who.id, "ф", 80, {"ы": 9, "Ы": 1, "в": 2})
    await count(api, who.id, "ы", 60, {"ф": 8})
    await count(api, who.id, "о", 1_000, {"л": 50})  # 5 %
    await count(api, who.id, "щ", 4, {"ш": 3})  # three errors
    answer = await api.post(ANALYSIS, {"words_in": "ru"}, who)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["user_id"] == who.id
    first, second = told["weak_keys"]
    assert {name: value for name, value in first.items() if name != "recommendation"} == {
        "key": "ф",
        "layout": "jcuken",
        "error_count": 12,
        "total_presses": 80,
        "error_rate": 0.15,
        "latency_ms": 200,
        "finger": "pinky",
        "hand": "left",
        "row": "home",
        "shift": False,
        "code": "KeyA",
        "level": "plain",
        "instead": [{"key": "ы", "count": 10}, {"key": "в", "count": 2}],
        "slip": "neighbour",
        "lesson": "block_1_lesson_3",
    }
    assert first["recommendation"] == (
        "Ф: левый мизинец, домашний ряд. Ошибок 12, нажатий 80 (15%). Чаще всего вместо неё "
        "нажата Ы: это соседняя клавиша. Печатайте слова с Ф так медленно, чтобы Ы не попадалась. "
        "Урок для неё: Мизинцы: домашний ряд, первые слова."
    )
    assert (second["key"], second["error_rate"]) == ("ы", 0.1333)
    assert told["ai_insights"] == (
        "Начните с внимания на левую руку: на неё приходится 100% ошибок слабых клавиш. "
        "Больше всего ошибается левый мизинец."
    )
    assert told["practice"] == {"kind": "practice", "language": "ru", "layout": "jcuken"}
    assert told["recommended_lessons"] == ["block_1_lesson_3", "block_2_lesson_3"]


async def settle(api: Api, who_id: str, settings: dict[str, Any]) -> None:
    """Store the settings that the person is taken to have made."""
    async with api.database.write() as connection:
        chosen = update(users).where(users.c.id == who_id).values(settings=settings)
        await connection.execute(chosen)


async def test_own_fingers_and_keys_are_what_is_spoken_of(api: Api) -> None:
    who = await api.guest()
    await count(api, who.id, "ф", 80, {"ы": 9})
    swapped = [
        {"layout": "jcuken", "code": "KeyA", "level": "plain", "character": "ж"},
        {"layout": "jcuken", "code": "Semicolon", "level": "plain", "character": "ф"},
    ]
    await settle(api, who.id, {"remaps": {"keys": swapped, "fingers": {"Semicolon": "right_ring"}}})
    (weak,) = (await api.post(ANALYSIS, {}, who)).json()["weak_keys"]
    found = (weak["key"], weak["code"], weak["hand"], weak["finger"], weak["slip"])
    assert found == ("ф", "Semicolon", "right", "ring", "other_hand")


async def test_practice_is_on_the_layout_of_the_weak_key(api: Api) -> None:
    who = await api.guest()
    await count(api, who.id, "e", 80, {"d": 9}, language="en", layout="dvorak")
    told = (await api.post(ANALYSIS, {}, who)).json()
    assert told["practice"] == {"kind": "practice", "language": "en", "layout": "dvorak"}
    assert (told["weak_keys"][0]["row"], told["weak_keys"][0]["finger"]) == ("home", "middle")


async def test_thresholds_as_share_or_per_cent(api: Api) -> None:
    who = await api.guest()
    await count(api, who.id, "ф", 40, {"ы": 4})  # 10 %: not over
    await count(api, who.id, "ы", 40, {"ф": 6})
    for body, keys in [
        ({}, ["ы"]),
        ({"min_error_rate": 10.0}, ["ы"]),
        ({"min_error_rate": 0.09}, ["ы", "ф"]),
        ({"min_error_rate": 9}, ["ы", "ф"]),
        ({"min_error_rate": 0.15}, []),
        ({"min_error_rate": 1}, []),
        ({"min_error_count": 4, "min_error_rate": 0}, ["ы"]),
        ({"min_error_count": 6}, []),
        ({"language": "en"}, []),
        ({"layout": "jcuken"}, ["ы"]),
        ({"user_id": who.id}, ["ы"]),
    ]:
        told = (await api.post(ANALYSIS, body, who)).json()
        assert [weak["key"] for weak in told["weak_keys"]] == keys, body
        assert bool(told["practice"]) == bool(keys)


async def test_an_analysis_of_nothing_and_of_somebody_else(api: Api) -> None:
    who, other = await api.guest(), await api.guest()
    told = (await api.post(ANALYSIS, {}, who)).json()
    assert (told["weak_keys"], told["practice"]) == ([], None)
    assert told["ai_insights"] == "There is nothing to look at yet: type a few texts first."
    await api.typed(who, "ab")
    told = (await api.post(ANALYSIS, {}, who)).json()
    assert told["ai_insights"] == "No key stands out: none is above both limits."
    assert error_code(await api.post(ANALYSIS, {"user_id": who.id}, other)) == (404, "not_found")
    assert error_code(await api.post(ANALYSIS, {})) == (401, "unauthorized")
    for body in (
        {"user_id": "x"},
        {"min_error_count": -1},
        {"min_error_rate": 101},
        {"min_error_rate": "10"},
        {"words_in": "de"},
        {"unknown": 1},
    ):
        assert error_code(await api.post(ANALYSIS, body, who)) == (422, "invalid"), body
