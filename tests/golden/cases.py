"""The cases. What is expected of them stands in the JSON files beside this one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

Event = tuple[int, str]
FOX = "the quick fox"
FAMILY = "👨‍👩‍👧‍👦"
WORD = "\u0017"


@dataclass(frozen=True)
class ScoreCase:
    """A text, what was typed, and the circumstances."""

    name: str
    text: str
    events: Sequence[Event]
    rule: str = "free"
    limit_ms: int | None = None
    race: bool = False
    late_ms: int = 0


def at(dt_ms: int, keys: Sequence[str]) -> list[Event]:
    """Keys typed `dt_ms` apart, the first at 0. `⌫` is a delete, `⌦` deletes a word."""
    names = {"⌫": "\b", "⌦": WORD}
    return [(dt_ms if i else 0, names.get(key, key)) for i, key in enumerate(keys)]


def by_rule(case: ScoreCase) -> list[ScoreCase]:
    """The same keystrokes under each rule."""
    return [
        replace(case, name=f"{case.name}, {rule}", rule=rule)
        for rule in ("free", "stop", "correct")
    ]


TYPED_FOX = {
    "without a slip": "the quick fox",
    "a slip mended at once": "thx⌫e quick fox",
    "a slip left standing": "thx quick fox",
    "a letter left out": "th quick fox",
    "a letter too many": "thee quick fox",
    "two slips mended": "thxx⌫⌫e quick fox",
    "a slip on the first key": "x⌫the quick fox",
    "the last word wrong": "the quick fxx",
    "a wrong key again and again": "thxxxe quick fox",
    "a word deleted and typed again": "the qiuck⌦quick fox",
    "deleting past the start": "t⌫⌫⌫the quick fox",
    "a right press after a delete": "the⌫e quick fox",
}

SCORES: list[ScoreCase] = [
    *(
        case
        for name, typed in TYPED_FOX.items()
        for case in by_rule(ScoreCase(name, FOX, at(200, typed)))
    ),
    ScoreCase("nothing typed", FOX, []),
    ScoreCase("one press has no duration", "a", [(0, "a")]),
    ScoreCase("half of it", FOX, at(150, "the qu")),
    ScoreCase("keys after the end do not count", "ab", at(100, "abcd")),
    ScoreCase("a delete after the end does not count", "ab", at(100, "ab⌫")),
    ScoreCase("late time is added to the duration", FOX, at(200, FOX), late_ms=1_234),
    ScoreCase(
        "uneven seconds", FOX, [(0, "t"), (40, "h"), (2_210, "e"), *at(310, " quick fox")[1:]]
    ),
    ScoreCase(
        "a last part of half a second", "abcd", [(0, "a"), (500, "b"), (500, "c"), (500, "d")]
    ),
    ScoreCase("a last part just too short", "abcd", [(0, "a"), (500, "b"), (500, "c"), (499, "d")]),
    ScoreCase(
        "a pause of 5 s has a latency", "ab c", [(0, "a"), (5_000, "b"), (5_001, " "), (90, "c")]
    ),
    ScoreCase("a last press on the whole second", "abc", [(0, "a"), (400, "b"), (600, "c")]),
    ScoreCase(
        "a tie is rounded to even: 65.625 is 65.62",
        "a" * 35,
        [(0, "a"), *[(200, "a")] * 32, (0, "a"), (0, "a")],
    ),
    *by_rule(ScoreCase("more than twenty past the end", "ab", at(60, "ax" + "y" * 25 + "⌦ab"))),
    ScoreCase("complete by a delete", "ab", at(90, "abz⌫"), rule="correct"),
    ScoreCase("extra characters deleted", "ab c", at(90, "ab dxx⌦c"), rule="correct"),
    ScoreCase("word deletes over spaces", "one two", at(80, "one  ⌦⌦one two"), rule="correct"),
    ScoreCase("word delete stops at a line end", "ab\ncd", [*at(80, "ab\ncx⌦cd")]),
    ScoreCase("a tab and a line end", "a\tb\nc", at(120, "a\tb\nc")),
    ScoreCase("quotes and dashes are equal", '"a" - it\'s', at(110, "“a» — it’s")),
    ScoreCase("the text has the fancy ones", "«a» — it’s‑so", at(110, '"a" - it\'s–so')),
    ScoreCase("any space is a space", "a b c", at(100, ["a", "\u00a0", "b", "\u2009", "c"])),
    ScoreCase("a confusion of a quote is kept as typed", "a'b", at(100, "a;b")),
    ScoreCase("case counts", "Aa", at(100, "aA")),
    ScoreCase("upper and lower case are one key", "AaBb", at(100, "AaBb")),
    ScoreCase("an emoji family is one press", f"a{FAMILY}b", at(140, ["a", FAMILY, "b"])),
    ScoreCase("a flag and a wrong flag", "🇷🇺🇫🇷", at(140, ["🇷🇺", "🇩🇪"])),
    ScoreCase("Hangul", "한글", at(210, ["한", "글"])),
    ScoreCase("accents", "café señor", at(130, "café senor")),
    ScoreCase("a format character is typed and wrong", "ab", at(100, ["a", "\u200d"])),
    ScoreCase("Russian", "Съешь ещё", at(170, "Съешь еще")),
    ScoreCase("Russian, mended", "Съешь ещё", at(170, "Съешь еще⌫⌫щё"), rule="correct"),
    ScoreCase("sharp s", "straße", at(120, "strasße")),
    ScoreCase("an ellipsis is three dots", "so...", at(100, ["s", "o", "…"])),
    ScoreCase("an ellipsis in the middle", "a... b", at(100, ["a", "…", " ", "b"])),
    ScoreCase("an ellipsis with room for one", "a.", at(100, ["a", "…"])),
    *by_rule(ScoreCase("an ellipsis out of place", "a.bcd", at(100, ["a", "…", "\b", "\b", "b"]))),
    ScoreCase("time runs out", FOX, at(500, "the quick fox"), limit_ms=3_000),
    ScoreCase("time, exactly on the limit", "abcdef", at(1_000, "abcdef"), limit_ms=4_000),
    ScoreCase("time, the text was shorter", "abc", at(400, "abc"), limit_ms=15_000),
    ScoreCase("time, an idle end", "abcdef", at(250, "abc"), limit_ms=15_000),
    ScoreCase("time, late", "abcdef", at(250, "abc"), limit_ms=15_000, late_ms=700),
    ScoreCase(
        "time, nothing counts after the limit",
        "abcdef",
        [(0, "a"), (9_000, "b"), (0, "c")],
        limit_ms=8_000,
    ),
    ScoreCase(
        "a race counts from the start", "abc", [(850, "a"), (200, "b"), (200, "c")], race=True
    ),
    ScoreCase(
        "a race, mended",
        "abc",
        [(850, "a"), (200, "x"), (90, "\b"), (200, "b"), (200, "c")],
        "correct",
        race=True,
    ),
    ScoreCase("all at once", "abc", at(0, "abc")),
    *by_rule(ScoreCase("time, with slips", "abcdef", at(400, "abx⌫cxx"), limit_ms=2_500)),
    ScoreCase(
        "a race given up half way", "abcdef", [(640, "a"), (300, "b"), (90, "\b")], race=True
    ),
    ScoreCase("a race that begins with a delete", "ab", [(50, "\b"), *at(90, "ab")], race=True),
    *by_rule(
        ScoreCase("word delete over any blank", "a b", at(70, ["a", "\u00a0", "\t", WORD, "a"]))
    ),
    ScoreCase("a wrong key of two code points", "ab", at(100, ["a", "\u1eb9\u0301"])),
    ScoreCase("a minute and a half", "ab " * 150, at(200, "ab " * 150)),
]

GRAPHEMES = [
    "",
    "the quick",
    "a\tb\nc",
    "café",
    "Съешь ещё",
    f"a{FAMILY}b",
    "🇷🇺🇫🇷",
    "한글",
    "👍🏽👍",
    "นี้",
    "\u1eb9\u0301x",
    "a\u200db",
    "1️⃣2",
]

SAME = [
    ("'", "’"),
    ("‘", "’"),
    ('"', "„"),
    ("«", "»"),
    ("-", "—"),
    ("–", "‑"),
    (" ", "\u00a0"),
    ("\u2003", "\u3000"),
    ("\n", " "),
    ("\t", " "),
    ("'", '"'),
    ("a", "A"),
    ("е", "ё"),
    ("a", "а"),
    (".", "…"),
    ("é", "e"),
    ("-", "−"),
    ("\u200b", " "),
]

KEY_NAMES = [
    "a",
    "A",
    "Ё",
    "’",
    "»",
    "—",
    "\u00a0",
    "\n",
    "\t",
    "ß",
    "Σ",
    "ς",
    "É",
    "İ",
    "ı",
    FAMILY,
    "№",
    "ŉ",
]
