"""What each trainer's rows say, as results of ours. Each function raises RowRefused.

What is kept of each format, and what is not, is told in docs/import.md.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from server.core.key_stats import LATENCY_MS_MAX, KeyStats
from server.core.score import words_per_minute
from server.core.source import Source, SourceKind
from server.core.text import key_name
from server.imports.results import (
    COUNT_MAX,
    DURATION_MS_MAX,
    TEXT_CHARS_MAX,
    WPM_MAX,
    WPM_MIN,
    Imported,
    RowRefused,
    Trainer,
    instant_ms,
    number,
    perhaps,
    whole,
)

MS_PER_S = 1_000
KEYS_MAX = 500
LEVEL_CHARS_MAX = 40

Fields = Mapping[str, Any]

# Monkeytype

_LANGUAGES = {
    "english": "en",
    "russian": "ru",
    "german": "de",
    "french": "fr",
    "spanish": "es",
    "polish": "pl",
    "ukrainian": "uk",
    "italian": "it",
    "portuguese": "pt",
}
_four_counts = re.compile(r"(\d{1,5})[;,](\d{1,5})[;,](\d{1,5})[;,](\d{1,5})", re.ASCII)


def monkeytype(fields: Fields, now_ms: int) -> Imported:
    """A line of its CSV: per cent, seconds, and the four counts of characters in one column."""
    language = _LANGUAGES.get(str(fields.get("language") or "").partition("_")[0])
    correct, wrong, extra, missed = _char_stats(str(fields.get("charstats") or ""))
    raw_wpm = perhaps(fields, "rawwpm", 0, WPM_MAX)
    consistency = perhaps(fields, "consistency", 0, 100)
    seconds = number(fields, "testduration", 1 / MS_PER_S, DURATION_MS_MAX / MS_PER_S)
    return Imported(
        finished_at_ms=instant_ms(fields, "timestamp", now_ms),
        duration_ms=round(seconds * MS_PER_S),
        wpm=round(number(fields, "wpm", WPM_MIN, WPM_MAX), 2),
        accuracy=round(number(fields, "acc", 0, 100) / 100, 4),
        errors=wrong + extra + missed,
        chars=correct + wrong + extra,
        source=_monkeytype_source(fields, language),
        raw_wpm=None if raw_wpm is None else round(raw_wpm, 2),
        consistency=None if consistency is None else round(consistency / 100, 4),
        uncorrected=wrong + extra + missed,
        language=language,
    )


def _char_stats(written: str) -> list[int]:
    """Right, wrong, extra and missed characters; older exports part them by commas."""
    if not written:
        return [0, 0, 0, 0]
    counts = _four_counts.fullmatch(written)
    if counts is None:
        raise RowRefused("number", "charstats")
    return [int(count) for count in counts.groups()]


def _monkeytype_source(fields: Fields, language: str | None) -> Source:
    size = str(fields.get("mode2") or "")
    if re.fullmatch("[1-9][0-9]{0,5}", size):
        if fields.get("mode") == "time":
            return Source(SourceKind.TIME, language=language, seconds=int(size))
        if fields.get("mode") == "words":
            return Source(SourceKind.WORDS, language=language, count=int(size))
    return Source(SourceKind.CUSTOM, text="")


# keybr

# Its layouts of all generations: the language they are for, and our name for them.
_KEYBR_LAYOUTS = {
    "us": ("en", "qwerty"),
    "en-us": ("en", "qwerty"),
    "us-dvorak": ("en", "dvorak"),
    "en-dvorak": ("en", "dvorak"),
    "us-colemak": ("en", "colemak"),
    "en-colemak": ("en", "colemak"),
    "us-colemak-dh": ("en", "colemak_dh"),
    "en-colemak-dh": ("en", "colemak_dh"),
    "en-colemak-dh-iso": ("en", "colemak_dh"),
    "us-workman": ("en", "workman"),
    "en-workman": ("en", "workman"),
    "uk": ("en", "uk"),
    "en-uk": ("en", "uk"),
    "de": ("de", "qwertz"),
    "de-de": ("de", "qwertz"),
    "fr": ("fr", "azerty"),
    "fr-fr": ("fr", "azerty"),
    "es": ("es", "spanish"),
    "es-es": ("es", "spanish"),
    "pl": ("pl", "polish"),
    "pl-pl": ("pl", "polish"),
    "ru": ("ru", "jcuken"),
    "ru-ru": ("ru", "jcuken"),
}


def keybr(fields: Fields, now_ms: int) -> Imported:
    """An entry of its JSON: when the lesson began, how long it took, and how each key went.

    Its speed is rounded in the oldest generation, so it is counted anew: all characters over the
    time. An error is a character with any wrong press.
    """
    layout_id = fields.get("layout")
    language, layout = _KEYBR_LAYOUTS.get(
        layout_id if isinstance(layout_id, str) else "", (None, "")
    )
    duration_ms = whole(fields, "time", 1, DURATION_MS_MAX)
    chars = whole(fields, "length", 1, COUNT_MAX)
    errors = whole(fields, "errors", 0, chars)
    wpm = words_per_minute(chars, duration_ms)
    if not WPM_MIN <= wpm <= WPM_MAX:
        raise RowRefused("range", "time")
    return Imported(
        finished_at_ms=instant_ms(fields, "timeStamp", now_ms) + duration_ms,
        duration_ms=duration_ms,
        wpm=wpm,
        accuracy=round((chars - errors) / chars, 4),
        errors=errors,
        chars=chars,
        source=Source(SourceKind.PRACTICE, language=language, layout=layout or None),
        language=language,
        layout=layout,
        keys=_histogram(fields.get("histogram") or [], chars),
    )


def _histogram(entries: object, chars: int) -> dict[str, KeyStats]:
    if not isinstance(entries, list) or len(entries) > KEYS_MAX:
        raise RowRefused("range", "histogram")
    keys: dict[str, KeyStats] = {}
    for entry in entries:
        if not isinstance(entry, dict):
            raise RowRefused("syntax", "histogram")
        keys.setdefault(_key(entry), KeyStats()).add(_key_stats(entry, chars))
    return keys


def _key(entry: Fields) -> str:
    name = "charCode" if "charCode" in entry else "codePoint"
    character = chr(whole(entry, name, 32, 0x10FFFF))
    if not character.isprintable():  # nor is a half of a surrogate pair
        raise RowRefused("range", name)
    return key_name(character)


def _key_stats(entry: Fields, chars: int) -> KeyStats:
    """`timeToType` is the mean over the presses without a slip, which alone say how fast it is."""
    presses = whole(entry, "hitCount", 0, chars)
    errors = whole(entry, "missCount", 0, presses)
    mean_ms = number(entry, "timeToType", 0, DURATION_MS_MAX, 0)
    timed = presses - errors if 0 < mean_ms <= LATENCY_MS_MAX else 0
    return KeyStats(presses, errors, round(mean_ms * timed), timed)


# TypeRacer


def typeracer(fields: Fields, now_ms: int) -> Imported:
    """A line of its CSV. It tells neither how long the text was nor how long it took."""
    accuracy = number(fields, "accuracy", 0, 100)
    return Imported(
        finished_at_ms=instant_ms(fields, "date/time (utc)", now_ms),
        duration_ms=0,
        wpm=round(number(fields, "wpm", WPM_MIN, WPM_MAX), 2),
        accuracy=round(accuracy if accuracy <= 1 else accuracy / 100, 4),
        errors=0,
        chars=0,
        source=Source(SourceKind.CUSTOM, text=""),
    )


# The first version of this trainer


def browser(fields: Fields, now_ms: int) -> Imported:
    """An entry of `test_history`: per cent, ms, and a level in place of a lesson."""
    text = fields.get("text") or ""
    if not isinstance(text, str):
        raise RowRefused("syntax", "text")
    level = fields.get("level")
    named = (
        re.sub("[^A-Za-z0-9_.-]", "_", level)[:LEVEL_CHARS_MAX] if isinstance(level, str) else ""
    )
    return Imported(
        finished_at_ms=instant_ms(fields, "timestamp", now_ms),
        duration_ms=round(number(fields, "duration", 0, DURATION_MS_MAX, 0)),
        wpm=round(number(fields, "wpm", WPM_MIN, WPM_MAX), 2),
        accuracy=round(number(fields, "accuracy", 0, 100) / 100, 4),
        errors=whole(fields, "errors", 0, COUNT_MAX, 0),
        chars=whole(fields, "totalChars", 0, COUNT_MAX, 0),
        source=Source(SourceKind.LESSON, lesson=f"migrated_lesson_{named or 'unknown'}"),
        text=_storable(text)[:TEXT_CHARS_MAX],
    )


def _storable(text: str) -> str:
    """Without what no store takes: zeros, and halves of surrogate pairs."""
    return text.replace("\0", "").encode(errors="ignore").decode()


READ: Mapping[Trainer, Callable[[Fields, int], Imported]] = {
    Trainer.MONKEYTYPE: monkeytype,
    Trainer.KEYBR: keybr,
    Trainer.TYPERACER: typeracer,
    Trainer.BROWSER: browser,
}
