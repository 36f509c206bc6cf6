"""One attempt, its replay, and results typed elsewhere."""

from typing import Any

import pytest

from server.clock import Clock
from server.core.attempt import EndReason
from server.core.source import Source, SourceKind
from server.core.typed_text import ErrorRule
from server.db.journal import Journal
from tests.api.typed import NOBODY, Api, error_code
from tests.db.stored import (
    Recorder,
    attempt_row,
    new_attempt,
    person,
    running,
    stored_counters,
    type_batch,
)

WORDS = "a bad cab had a fad"
RESULT = {
    "position",
    "duration_ms",
    "wpm",
    "raw_wpm",
    "accuracy",
    "errors",
    "uncorrected",
    "consistency",
    "keys",
    "source",
    "rules",
    "language",
    "text_length",
    "events",
    "late_ms",
    "scorer",
    "started_at",
    "finished_at",
    "personal_best",
}
LESSON = "block_1_lesson_2"
NEW = {"wpm": 61.5, "accuracy": 0.975, "errors": 4, "duration_ms": 60_500}
OLD = {
    "lesson_id": "block_1_lesson_3",
    "wpm": 45,
    "accuracy": 92.5,
    "errors": 5,
    "duration_seconds": 120,
    "total_chars": 250,
    "text_preview": "быстрая коричневая лиса...",
    "device_type": "desktop",
}


async def test_an_attempt_is_its_row_and_its_result(api: Api) -> None:
    who = await api.guest()
    stored = await api.typed(who, WORDS, "a bax cab had a fad")
    row = await attempt_row(api.database, stored)
    answer = await api.ask(f"/attempts/{stored.row['id']}", who)
    assert answer.keys() == RESULT | {"id", "verdict", "why", "self_reported", "text_preview"}
    assert answer["id"] == stored.row["id"]
    assert answer["verdict"] == row["verdict"]
    assert answer["self_reported"] is False
    assert answer["text_preview"] == WORDS
    assert answer["keys"]["d"]["confusions"] == {"x": 1}
    assert answer["started_at"] == row["started_at_ms"]
    assert answer["finished_at"] == row["finished_at_ms"]
    assert answer["source"] == {"kind": "custom"}
    assert answer["rules"] == {"errors": "free"}
    for name in ("wpm", "raw_wpm", "accuracy", "errors", "consistency", "keys", "scorer"):
        assert answer[name] == row[name], name


@pytest.mark.parametrize("path", ["/attempts/{id}", "/attempts/{id}/replay"])
async def test_an_attempt_is_its_owners_alone(api: Api, path: str) -> None:
    who, other = await api.guest(), await api.guest()
    stored = await api.typed(who, WORDS)
    mine = path.format(id=stored.row["id"])
    assert (await api.get(mine, who)).status_code == 200
    assert error_code(await api.get(mine, other)) == (404, "not_found")
    assert error_code(await api.get(mine, person())) == (404, "not_found")
    assert error_code(await api.get(mine)) == (401, "unauthorized")
    foreign, absent = await api.get(mine, other), await api.get(path.format(id=NOBODY), other)
    assert foreign.json()["error"] == absent.json()["error"]
    for wrong in ("0", "-1", "abc", "1 or 1=1", "%00", "a" * 5_000, stored.row["id"].upper()):
        answer = await api.get(path.format(id=wrong), who)
        assert error_code(answer) == (404, "not_found"), wrong


@pytest.mark.parametrize("rule", list(ErrorRule))
async def test_a_replay_scores_what_the_attempt_scored(api: Api, rule: ErrorRule) -> None:
    who = await api.guest()
    # A word deleted, one mended, one left wrong.
    keys = [*"a bax", "\b", *"d cxx", "\u0017", *"cab had a fax", "\b", "d"]
    stored = await api.typed(who, WORDS, keys, rule=rule, why=EndReason.QUIT)
    replay = await api.ask(f"/attempts/{stored.row['id']}/replay", who)
    attempt = await api.ask(f"/attempts/{stored.row['id']}", who)
    assert replay["result"] == {name: attempt[name] for name in RESULT}
    assert replay["text"] == WORDS
    assert replay["rules"] == {"errors": rule.value}
    assert replay["scorer"] == 1
    assert [key for _, key in replay["events"]] == [key.key for key in stored.attempt.log]
    assert [dt for dt, _ in replay["events"]] == [key.dt_ms for key in stored.attempt.log]
    assert replay["arrivals"] == [[1, stored.attempt.last_arrived_at_ms]]
    assert replay["opened_at"] == stored.attempt.opened_at_ms


async def test_a_replay_of_a_timed_attempt_scores_the_same(api: Api) -> None:
    who = await api.guest()
    timed = Source(SourceKind.TIME, language="en", seconds=15)
    stored = await api.typed(who, WORDS * 9, WORDS * 9, source=timed)
    replay = await api.ask(f"/attempts/{stored.row['id']}/replay", who)
    attempt = await api.ask(f"/attempts/{stored.row['id']}", who)
    assert attempt["duration_ms"] == 15_000
    assert replay["result"] == {name: attempt[name] for name in RESULT}


@pytest.mark.parametrize("seconds", [None, 15], ids=["text", "timed"])
async def test_a_replay_of_what_came_late_scores_the_same(api: Api, seconds: int | None) -> None:
    who, words, owner = await api.guest(), WORDS * 9, Recorder()
    timed = Source(SourceKind.TIME, language="en", seconds=seconds) if seconds else None
    opened_at_ms = Clock().now_ms() - 60_000
    stored = await new_attempt(api.database, who, words, source=timed, opened_at_ms=opened_at_ms)
    async with running(Journal(api.database)) as journal:
        journal.write(owner.entry(stored, type_batch(stored, words[:40])))
        late = type_batch(stored, words[40:], arrives_ms=3_000)
        journal.write(owner.end(stored, late))
        await journal.flush()
    replay = await api.ask(f"/attempts/{stored.row['id']}/replay", who)
    attempt = await api.ask(f"/attempts/{stored.row['id']}", who)
    # Half a second is nobody's fault; keys after the time was over do not count.
    assert attempt["late_ms"] == 2_500 if seconds is None else attempt["late_ms"] > 2_500
    typing_ms = sum(dt for dt, _ in replay["events"]) if seconds is None else seconds * 1_000
    assert attempt["duration_ms"] == typing_ms + attempt["late_ms"]
    assert replay["result"] == {name: attempt[name] for name in RESULT}


# Results typed elsewhere


async def test_a_reported_result_is_in_history_and_nowhere_else(api: Api) -> None:
    who = await api.guest()
    answer = await api.post("/progress", NEW | {"lesson_id": LESSON, "language": "en"}, who)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert told["self_reported"] is True
    assert told["verdict"] == "unranked"
    assert told["why"] == [{"rule": "self_reported", "value": 1, "limit": 0}]
    assert told["source"] == {"kind": "lesson", "lesson": LESSON}
    assert (told["wpm"], told["accuracy"], told["duration_ms"]) == (61.5, 0.975, 60_500)
    assert told["finished_at"] - told["started_at"] == 60_500
    assert told["personal_best"] is None
    assert told["scorer"] is None

    assert await api.ask(f"/attempts/{told['id']}", who) == told
    history = await api.ask("/users/me/progress", who, lesson_id=LESSON)
    assert history["results"] == [told]
    replay = await api.get(f"/attempts/{told['id']}/replay", who)
    assert error_code(replay) == (404, "not_found")
    assert await stored_counters(api.database, who) == ({}, {})
    stats = await api.ask("/progress/stats", who)
    assert (stats["attempts"], stats["average_wpm"], stats["best_wpm"]) == (1, 61.5, None)
    assert (stats["total_lessons_completed"], stats["lessons_by_difficulty"]["pinky"]) == (1, 1)


async def test_a_reported_result_is_no_personal_best(api: Api) -> None:
    who = await api.guest()
    await api.post("/progress", NEW | {"wpm": 900, "text_preview": WORDS}, who)
    stored = await api.typed(who, WORDS)
    attempt = await api.ask(f"/attempts/{stored.row['id']}", who)
    assert attempt["personal_best"] == attempt["wpm"] < 900
    again = await api.post("/progress", NEW | {"wpm": 900, "text_preview": WORDS}, who)
    assert again.json()["personal_best"] == attempt["wpm"]


async def test_the_older_form_has_per_cent_and_seconds(api: Api) -> None:
    who = await api.guest()
    answer = await api.post("/progress", OLD, who)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["accuracy"], told["duration_ms"], told["wpm"]) == (0.925, 120_000, 45)
    assert (told["text_length"], told["text_preview"]) == (250, OLD["text_preview"])
    assert told["source"] == {"kind": "lesson", "lesson": "block_1_lesson_3"}
    one_per_cent = await api.post("/progress", OLD | {"accuracy": 1}, who)
    assert one_per_cent.json()["accuracy"] == 0.01
    all_right = await api.post("/progress", NEW | {"accuracy": 1}, who)
    assert all_right.json()["accuracy"] == 1


async def test_a_guest_may_begin_with_a_reported_result(api: Api) -> None:
    nobody_yet = person()
    assert (await api.post("/progress", NEW, nobody_yet)).status_code == 201
    assert (await api.ask("/users/me/progress", nobody_yet))["total"] == 1
    assert error_code(await api.post("/progress", NEW)) == (401, "unauthorized")


NONSENSE: list[dict[str, Any]] = [
    {"wpm": 0},
    {"wpm": -1},
    {"wpm": 1_001},
    {"wpm": "61"},
    {"wpm": None},
    {"accuracy": 1.01},  # per cent only together with seconds
    {"accuracy": -0.1},
    {"errors": -1},
    {"errors": 1.5},
    {"duration_ms": 0},
    {"duration_ms": 10**12},
    {"duration_seconds": 60},  # both
    {"lesson_id": "a b"},
    {"lesson_id": "\x00"},
    {"text_preview": "a\x00b"},
    {"verdict": "ranked"},
    {"personal_best": 900},
    {"user_id": NOBODY},
]


async def test_a_reported_result_that_makes_no_sense_is_refused(api: Api) -> None:
    who = person()
    for change in NONSENSE:
        answer = await api.post("/progress", NEW | change, who)
        assert error_code(answer) == (422, "invalid"), change
        assert answer.json()["error"]["fields"]
    assert (await api.ask("/users/me/progress", who))["total"] == 0
