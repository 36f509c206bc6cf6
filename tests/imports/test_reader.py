"""Files of every trainer, whole and broken: what is read of them, row by row."""

import json
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.imports import reader
from server.imports.reader import BadRow, FileRefused, Reader
from server.imports.report import Report
from server.imports.results import REFUSALS, Fingerprints, Imported, Trainer
from tests.imports.exports import (
    AT_MS,
    MONKEYTYPE_HEADER,
    NOW_MS,
    browser,
    browser_entry,
    keybr,
    keybr_entry,
    monkeytype,
    monkeytype_row,
    typeracer,
)

RACE = "1,71.5,0.97,2,5,3550137,2023-11-14 22:13:20"


def read(file: bytes, piece: int = 1_000) -> tuple[Trainer | None, list[Imported | BadRow]]:
    """What a file says when it comes in pieces of that size."""
    found = Reader(NOW_MS)
    rows = [row for at in range(0, len(file), piece) for row in found.feed(file[at : at + piece])]
    return found.trainer or None, [*rows, *found.finish()]


def good(file: bytes) -> list[Imported]:
    return [row for row in read(file)[1] if isinstance(row, Imported)]


def bad(file: bytes) -> list[tuple[int, str, str | None]]:
    return [(row.row, row.code, row.field) for row in read(file)[1] if isinstance(row, BadRow)]


# What each format says


def test_a_monkeytype_result() -> None:
    [row] = good(monkeytype(monkeytype_row()))
    assert (row.finished_at_ms, row.duration_ms) == (AT_MS, 60_020)
    assert (row.wpm, row.raw_wpm, row.accuracy, row.consistency) == (71.25, 74.4, 0.9643, 0.812)
    assert (row.errors, row.uncorrected, row.chars) == (7, 7, 361)
    assert (row.source.mode, row.language, row.layout) == ("time:60", "en", "")


@pytest.mark.parametrize(
    ("mode", "mode2", "language", "stands"),
    [
        ("words", "25", "russian_10k", ("words:25", "ru")),
        ("time", "0", "german", ("custom", "de")),  # without an end
        ("quote", "1234", "french", ("custom", "fr")),
        ("custom", "custom", "code_python", ("custom", None)),
        ("zen", "zen", "klingon", ("custom", None)),
        ("time", "9999999", "english", ("custom", "en")),
    ],
)
def test_the_modes_of_monkeytype(
    mode: str, mode2: str, language: str, stands: tuple[str, str | None]
) -> None:
    [row] = good(monkeytype(monkeytype_row(mode=mode, mode2=mode2, language=language)))
    assert (row.source.mode, row.language) == stands


def test_the_older_monkeytype_with_bars() -> None:
    old = monkeytype(monkeytype_row(tags="a;b")).replace(b",", b"|").replace(b";", b",")
    assert good(old) == good(monkeytype(monkeytype_row()))


def test_several_funboxes_are_not_quoted() -> None:
    [row] = good(monkeytype(monkeytype_row(funbox="mirror,nausea,58008")))
    assert row.finished_at_ms == AT_MS


@pytest.mark.parametrize("generation", [1, 2, 3])
def test_a_keybr_lesson_of_each_generation(generation: int) -> None:
    [row] = good(keybr(keybr_entry(generation)))
    # Its time is that of the beginning.
    assert (row.finished_at_ms, row.duration_ms) == (AT_MS + 10_000, 10_000)
    assert (row.wpm, row.accuracy, row.errors, row.chars) == (30.0, 0.92, 2, 25)
    assert (row.source.mode, row.language, row.layout) == ("practice", "en", "qwerty")
    stats = {
        key: (one.presses, one.errors, one.latency_sum_ms, one.latency_count)
        for key, one in row.keys.items()
    }
    # What took over five seconds was a pause.
    assert stats == {" ": (5, 0, 1_050, 5), "e": (12, 2, 3_000, 10), "n": (8, 0, 0, 0)}


@pytest.mark.parametrize(
    ("layout", "known"),
    [("ru-ru", ("ru", "jcuken")), ("us-dvorak", ("en", "dvorak")), ("he-il", (None, ""))],
)
def test_the_layouts_of_keybr(layout: str, known: tuple[str | None, str]) -> None:
    [row] = good(keybr(keybr_entry(layout=layout)))
    assert (row.language, row.layout) == known


def test_capitals_are_counted_with_their_small_letters() -> None:
    one = {"hitCount": 3, "missCount": 1, "timeToType": 100}
    [row] = good(keybr(keybr_entry(histogram=[one | {"codePoint": ord(key)} for key in "Ёё"])))
    assert {key: (one.presses, one.errors) for key, one in row.keys.items()} == {"ё": (6, 2)}


def test_a_race_of_typeracer() -> None:
    [row] = good(typeracer(RACE))
    assert (row.finished_at_ms, row.wpm, row.accuracy) == (AT_MS, 71.5, 0.97)
    assert (row.duration_ms, row.chars) == (0, 0)


@pytest.mark.parametrize("prefix", ["typing_trainer_", ""])
def test_both_shapes_of_the_old_storage(prefix: str) -> None:
    [row] = good(json.dumps(browser(browser_entry(), prefix=prefix)).encode())
    assert (row.finished_at_ms, row.duration_ms) == (AT_MS, 60_000)
    assert (row.wpm, row.accuracy, row.errors, row.chars) == (45, 0.92, 5, 150)
    assert row.source.mode == "lesson:migrated_lesson_medium"
    assert row.text == "быстрая коричневая лиса"


# How files are written

CSV = monkeytype(monkeytype_row(), monkeytype_row(wpm="80.5"))


@pytest.mark.parametrize(
    "file",
    [
        CSV + b"\n",
        CSV.replace(b"\n", b"\r\n"),
        CSV.replace(b"\n", b"\r"),
        b"\xef\xbb\xbf" + CSV,
        CSV.decode().encode("utf-16"),
        CSV.decode().replace(",", "\t").encode("utf-16"),
        b"sep=,\n" + CSV,
        b"\n\n" + CSV.replace(b"\n", b"\n\n"),
        "\n".join(
            ";".join(f'"{value}"' for value in line.split(",")) for line in CSV.decode().split("\n")
        ).encode(),
        CSV.replace(b",", b"\t").replace(b"71.25", b"71,25"),  # a decimal comma
        CSV + b"\n" + MONKEYTYPE_HEADER.encode(),  # two files joined
    ],
)
def test_line_ends_marks_quotes_and_separators(file: bytes) -> None:
    assert good(file) == good(CSV)
    assert bad(file) == []


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 64, 10_000])
def test_pieces_of_any_size_say_the_same(piece: int) -> None:
    for file in (
        CSV.replace(b"\n", b"\r\n"),
        keybr(keybr_entry(), 5, keybr_entry(2)),
        json.dumps(browser(browser_entry(), browser_entry(wpm=0)), ensure_ascii=False).encode(),
    ):
        assert read(file, piece) == read(file)


# What is broken


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"wpm": ""}, "missing", "wpm"),
        ({"wpm": "fast"}, "number", "wpm"),
        ({"wpm": "NaN"}, "number", "wpm"),
        ({"wpm": "-5"}, "range", "wpm"),
        ({"wpm": "0"}, "range", "wpm"),
        ({"wpm": "1000.1"}, "range", "wpm"),
        ({"wpm": "9" * 400}, "number", "wpm"),
        ({"acc": "100.5"}, "range", "acc"),
        ({"testDuration": "0"}, "range", "testduration"),
        ({"testDuration": "86401"}, "range", "testduration"),
        ({"charStats": "1;2;3"}, "number", "charstats"),
        ({"charStats": "1;2;3;-4"}, "number", "charstats"),
        ({"timestamp": "1.7E+12"}, "date", "timestamp"),
        ({"timestamp": "170000000000"}, "date", "timestamp"),  # cut by a digit
        ({"timestamp": "2023-13-41"}, "date", "timestamp"),
        ({"timestamp": "14.11.2023"}, "date", "timestamp"),
        ({"timestamp": str(NOW_MS + 90_000_000)}, "future", "timestamp"),
        ({"timestamp": "9" * 30}, "future", "timestamp"),
        ({"wpm": "71,25"}, "columns", None),
        ({"tags": '"'}, "syntax", None),
        ({"tags": "x" * 20_000}, "too_long", None),
    ],
)
def test_a_bad_row_in_the_middle_spoils_no_other(
    fields: dict[str, str], code: str, field: str | None
) -> None:
    rows = [monkeytype_row(), monkeytype_row(**fields), monkeytype_row(wpm="80.5")]
    file = monkeytype(*rows)
    assert bad(file) == [(3, code, field)]
    assert good(file) == good(CSV)


@pytest.mark.parametrize(
    ("entry", "code", "field"),
    [
        (5, "syntax", None),
        ({}, "missing", "time"),
        (keybr_entry(time=0), "range", "time"),
        (keybr_entry(time=1), "range", "time"),  # a speed nobody has
        (keybr_entry(time=10**400), "range", "time"),
        (keybr_entry(time=float("nan")), "number", "time"),
        (keybr_entry(time=True), "number", "time"),
        (keybr_entry(length=2.5), "number", "length"),
        (keybr_entry(errors=26), "range", "errors"),
        (keybr_entry(timeStamp="yesterday"), "date", "timeStamp"),
        (keybr_entry(timeStamp=-5), "date", "timeStamp"),
        (keybr_entry(timeStamp="2099-01-01T00:00:00Z"), "future", "timeStamp"),
        (keybr_entry(histogram=7), "range", "histogram"),
        (keybr_entry(histogram=[7]), "syntax", "histogram"),
        (keybr_entry(histogram=[{"codePoint": 0xD800, "hitCount": 1, "missCount": 0}]), "range",
         "codePoint"),
        (keybr_entry(histogram=[{"codePoint": 97, "hitCount": 26, "missCount": 0}]), "range",
         "hitCount"),
        (keybr_entry(histogram=[{"codePoint": 97, "hitCount": 2, "missCount": 3}]), "range",
         "missCount"),
    ],
)  # fmt: skip
def test_a_bad_entry_in_the_middle_spoils_no_other(
    entry: Any, code: str, field: str | None
) -> None:
    file = keybr(keybr_entry(), entry, keybr_entry(time=20_000))
    assert bad(file) == [(2, code, field)]
    assert [row.duration_ms for row in good(file)] == [10_000, 20_000]


@pytest.mark.parametrize(
    "broken",
    [
        '{"layout":"en-us","time":}',
        '{"layout":"en-us","time":10000',  # nothing closes it
        '{"layout":"en-us","text',
        '{"layout":"en-us"]}',
        "abc",
        '{"layout":[[[[[[}',
        "9" * 5_000,
    ],
)
def test_what_is_no_json_is_one_bad_entry(broken: str) -> None:
    first, last = (json.dumps(keybr_entry(time=time)) for time in (10_000, 20_000))
    file = f"[{first},{broken},{last}]".encode()
    assert [row.duration_ms for row in good(file)] == [10_000, 20_000]
    assert [(row, code) for row, code, _ in bad(file)] == [(2, "syntax")]


def test_a_cut_file_gives_all_its_whole_rows() -> None:
    file = keybr(keybr_entry(), keybr_entry(time=20_000))
    for end in range(len(keybr(keybr_entry())), len(file) - 1):
        assert good(file[:end])[:1] == good(keybr(keybr_entry()))
        assert {code for _, code, _ in bad(file[:end])} <= {"cut_off"}
    table = monkeytype(monkeytype_row(), monkeytype_row(wpm="80.5"))
    for end in range(len(monkeytype(monkeytype_row())), len(table) - 1):
        # A number that was cut is another number: its row must not pass for whole.
        assert good(table[:end]) == good(monkeytype(monkeytype_row()))


def test_an_entry_without_an_end_does_not_fill_the_memory() -> None:
    found = Reader(NOW_MS)
    found.feed(keybr(keybr_entry())[:-1] + b',{"layout":"')
    rows = [row for _ in range(40) for row in found.feed(b"x" * 10_000)]
    assert [tuple(row) for row in rows] == [(2, "too_long", None)]
    assert found.finish() == []


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"  \n",
        b"wpm,accuracy\n50,90\n",
        b"<html></html>",
        b"\x89PNG\r\n\x1a\n\0\0\0",
        b"[]",
        b"[1, 2, 3]",
        b'[{"name":"somebody"}]',
        b"{}",
        b'{"test_histories":[]}',
        b'{"a":',
    ],
)
def test_what_nobody_exports_is_refused_whole(file: bytes) -> None:
    with pytest.raises(FileRefused) as refused:
        read(file)
    assert refused.value.code == "unknown_format"


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "ROWS_MAX", 3)
    read(monkeytype(*[monkeytype_row()] * 3))
    with pytest.raises(FileRefused) as refused:
        read(monkeytype(*[monkeytype_row()] * 4))
    assert refused.value.code == "too_many_rows"


# By what a result is known again


def names(rows: Sequence[Imported]) -> list[str]:
    fingerprints = Fingerprints()
    return [fingerprints.of(Trainer.MONKEYTYPE, row) for row in rows]


def test_a_result_has_the_same_name_in_every_export() -> None:
    whole = good(monkeytype(*(monkeytype_row(wpm=wpm) for wpm in (60, 70, 80, 90))))
    assert names(whole[2:]) == names(whole)[2:]
    other = good(monkeytype(monkeytype_row(wpm=60, isPb="true", tags="new", _id="")))
    assert names(other) == names(whole)[:1]


def test_results_alike_in_one_file_are_counted_through() -> None:
    twice = names(good(monkeytype(monkeytype_row(), monkeytype_row(), monkeytype_row(wpm=60))))
    assert len(set(twice)) == 3
    assert names(good(monkeytype(monkeytype_row()))) == twice[:1]


# What a file amounts to


def test_the_sums_of_a_report_are_those_of_an_independent_count() -> None:
    rng = Random(5)
    entries = [
        keybr_entry(time=rng.randrange(5_000, 60_000), timeStamp=AT_MS + 40_000_000 * place)
        for place in range(200)
    ]
    entries[50]["length"] = "many"
    report = Report()
    report.add(read(keybr(*entries))[1])
    kept = [entry for place, entry in enumerate(entries) if place != 50]
    assert (report.good, report.bad) == (199, 1)
    assert report.duration_ms == sum(entry["time"] for entry in kept)
    assert (report.chars, report.errors, report.key_presses) == (199 * 25, 199 * 2, 199 * 25)
    assert report.first_at_ms == AT_MS + entries[0]["time"]
    assert report.last_at_ms == AT_MS + 40_000_000 * 199 + entries[199]["time"]
    speeds = [300_000 / entry["time"] for entry in kept]
    assert report.wpm_sum == pytest.approx(sum(speeds), abs=0.01 * 199)
    assert sum(day.attempts for day in report.days.values()) == 199


# What stands beside the results


@pytest.mark.parametrize("piece", [1, 7, 1_000])
@pytest.mark.parametrize("settings_first", [True, False])
def test_settings_are_read_wherever_they_stand(piece: int, settings_first: bool) -> None:
    storage = browser(browser_entry()) | {"typing_trainer_current_level": 1234, "total": 5}
    if settings_first:
        storage = dict(reversed(storage.items()))
    found, file = Reader(NOW_MS), json.dumps(storage).encode()
    rows = [row for at in range(0, len(file), piece) for row in found.feed(file[at : at + piece])]
    assert len(rows + found.finish()) == 1
    assert found.settings == {"theme": "dark", "soundEnabled": False}


@pytest.mark.parametrize(
    "rest", ["", "}", ',"user_settings":{"theme', ',"user_settings":[]}', "]x"]
)
def test_what_is_broken_behind_the_results_spoils_none(rest: str) -> None:
    file = json.dumps({"test_history": [browser_entry()]})[:-1] + rest
    assert (len(good(file.encode())), bad(file.encode())) == (1, [])


# Anything at all

PARTS = st.sampled_from(
    [
        b"[", b"]", b"{", b"}", b",", b'"', b"\\", b"\n", b"\r", b"\0", b"\xff", b";", b"|",
        b'{"test_history":[', keybr(keybr_entry())[1:-1], keybr(keybr_entry(1))[1:60],
        json.dumps(browser_entry()).encode(), MONKEYTYPE_HEADER.encode() + b"\n",
        monkeytype_row().encode() + b"\n", monkeytype_row(wpm="x").encode()[:80], b"NaN", b"1e999",
    ]
)  # fmt: skip


@settings(max_examples=300, derandomize=True, deadline=None)
@given(
    file=st.lists(st.one_of(PARTS, st.binary(max_size=8)), max_size=40).map(b"".join),
    piece=st.integers(1, 400),
)
def test_whatever_comes_is_read_or_refused_and_in_pieces_no_other(file: bytes, piece: int) -> None:
    def said(piece: int) -> Any:
        try:
            return read(file, piece)
        except FileRefused as refused:
            return refused.code

    once = said(len(file) or 1)
    if isinstance(once, tuple):
        for row in once[1]:
            if isinstance(row, BadRow):
                assert row.code in REFUSALS
            else:
                assert 0 < row.wpm <= 1_000
                assert 0 <= row.accuracy <= 1
                assert row.finished_at_ms <= NOW_MS + 86_400_000 + row.duration_ms
    assert said(piece) == once
