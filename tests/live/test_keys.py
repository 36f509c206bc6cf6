"""What one key may be, and what it does to the text under each rule."""

from typing import Any

import pytest

from tests.live.guest import TEXT, Guest, guest
from tests.raw_client import Message

NBSP = "\u00a0"
FAMILY = "👩‍👩‍👧‍👦"
WORD = "\u0017"
ACCENTED = "x" + "\u0323\u0301" * 3 + "\u0323"


async def after(person: Guest, words: str, keys: list[str], **fields: Any) -> Message:
    """Where a new attempt at `words` stands after `keys`."""
    await person.begin(words, **fields)
    await person.typed(keys)
    return await person.standing()


RIGHT: dict[str, tuple[str, list[str]]] = {
    "plain": ("ab", ["a"]),
    "curly for straight apostrophe": ("it's me", ["i", "t", "’"]),
    "straight for curly apostrophe": ("it’s me", ["i", "t", "'"]),
    "left for right quote": ("‘a’", ["’"]),
    "straight for German quote": ("„a“", ['"']),
    "guillemet for curly quote": ("“a”", ["«"]),
    "hyphen for em dash": ("a—b", ["a", "-"]),
    "en dash for hyphen": ("a-b", ["a", "–"]),
    "non-breaking hyphen for em dash": ("a—b", ["a", "‑"]),
    "space for no-break space": (f"a{NBSP}b", ["a", " "]),
    "thin space for space": ("a b", ["a", "\u2009"]),
    "ideographic space for space": ("a b", ["a", "\u3000"]),
    "NFD for NFC": ("été", ["e\u0301", "t"]),
    "a family": (f"{FAMILY}ab", [FAMILY, "a"]),
    "a flag": ("🇫🇮ab", ["🇫🇮"]),
    "Hangul in parts": ("한a", ["\u1112\u1161\u11ab"]),
    "a line end and a tab": ("a\n\tb", ["a", "\n", "\t"]),
    "eight code points": (f"{ACCENTED}a", [ACCENTED]),
    "an IME's word at once": ("日本語a", ["日", "本", "語"]),
}


@pytest.mark.parametrize(("words", "keys"), RIGHT.values(), ids=RIGHT.keys())
async def test_a_key_equal_to_the_texts_is_right(url: str, words: str, keys: list[str]) -> None:
    async with guest(url) as person:
        standing = await after(person, words, keys)
        assert standing["score"]["position"] == len(keys)
        assert standing["score"]["errors"] == 0


WRONG: dict[str, str] = {
    "another case": "T",
    "a zero-width joiner": "\u200d",
    "a right-to-left override": "\u202e",
    "a byte order mark": "\ufeff",
    "an unassigned character": "\U000e0fff",
    "a private one": "\ue000",
    "a replacement character": "\ufffd",
    "a noncharacter": "\uffff",
    "a combining mark alone": "\u0301",
    "a line separator": "\u2028",
    "a look-alike": "т",
}


@pytest.mark.parametrize("key", WRONG.values(), ids=WRONG.keys())
async def test_any_other_grapheme_is_typed_and_wrong(url: str, key: str) -> None:
    async with guest(url) as person:
        standing = await after(person, TEXT, [key])
        assert (standing["typed"], standing["seq"]) == (key, 1)
        assert standing["score"] | {"position": 1, "errors": 1} == standing["score"]


@pytest.mark.parametrize(
    "keys", [["e", "\u0301"], ["🇫", "🇮"], ["\u1112", "\u1161"], ["a", "\u200d", "b"]], ids=ascii
)
async def test_each_event_is_a_character_of_its_own_and_never_merges(
    url: str, keys: list[str]
) -> None:
    async with guest(url) as person:
        standing = await after(person, TEXT, keys)
        assert standing["score"]["position"] == len(keys)
        assert standing["typed"] == "".join(keys)
        # Rebuilt from the store it is the same.
        async with guest(url, person.token) as again:
            assert (await again.resume(person.attempt))["score"] == standing["score"]
            await again.typed("\b")
            assert (await again.standing())["typed"] == "".join(keys[:-1])


DELETED: dict[str, tuple[list[str], str]] = {
    "one": (["a", "b", "\b"], "a"),
    "nothing": (["\b", "\b", WORD], ""),
    "one grapheme": (["a", FAMILY, "\b"], "a"),
    "a word": ([*"ab cd", WORD], "ab "),
    "a word and the spaces behind it": ([*"ab cd  ", WORD], "ab "),
    "up to a line end": ([*"ab\ncd", WORD], "ab\n"),
    "up to a tab": ([*"ab\tcd", WORD], "ab\t"),
    "up to a no-break space": ([*f"ab{NBSP}cd", WORD], f"ab{NBSP}"),
    "every kind of space behind it": ([*f"ab \n\t{NBSP}", WORD], ""),
    "not only up to a dash": ([*"ab a-d", WORD], "ab "),
    "all": ([*"ab", WORD], ""),
    "twice": ([*"ab cd ef", WORD, WORD], "ab "),
}


@pytest.mark.parametrize(("keys", "typed"), DELETED.values(), ids=DELETED.keys())
async def test_deletes(url: str, keys: list[str], typed: str) -> None:
    async with guest(url) as person:
        standing = await after(person, TEXT, keys)
        assert (standing["typed"], standing["seq"]) == (typed, len(keys))


async def test_deletes_of_nothing_are_counted_and_change_nothing(url: str) -> None:
    async with guest(url) as person:
        await person.begin("abc")
        for _ in range(40):
            await person.press("\b" * 64)
        ack = await person.acked(40 * 64)
        assert (ack["position"], ack["errors"], ack["accuracy"]) == (0, 0, 1)
        await person.press("abc")
        assert (await person.done())["result"]["accuracy"] == 1


async def test_an_ellipsis_is_three_dots_at_once_and_one_event(url: str) -> None:
    async with guest(url) as person:
        await person.begin("a...b")
        await person.press("a…b")
        done = await person.done(seq=3)
        result = done["result"]
        assert (result["position"], result["events"], result["errors"]) == (5, 3, 0)
        assert (result["keys"]["."]["presses"], result["keys"]["."]["latency_ms"]) == (3, 0.0)


async def test_an_ellipsis_counts_each_dot_by_itself(url: str) -> None:
    async with guest(url) as person:
        standing = await after(person, "a.bcdefg", ["a", "…"])
        assert (standing["typed"], standing["score"]["errors"]) == ("a...", 2)
        await person.typed("\b")
        assert (await person.standing())["typed"] == "a.."


# Rules


async def test_free_keeps_a_wrong_key_and_is_complete_at_the_texts_length(url: str) -> None:
    async with guest(url) as person:
        await person.begin("abc")
        await person.typed("ax")
        await person.press("c")
        done = await person.done(seq=3)
        assert (done["result"]["errors"], done["result"]["uncorrected"]) == (1, 1)
        assert done["result"]["keys"]["b"]["confusions"] == {"x": 1}


async def test_stop_counts_a_wrong_key_and_does_not_type_it(url: str) -> None:
    async with guest(url) as person:
        await person.begin("abc", rules={"errors": "stop"})
        ack = await person.typed("axyb")
        assert (ack["position"], ack["errors"]) == (2, 2)
        assert ack["keys"] == {"a": [1, 0], "b": [3, 2]}
        assert (await person.standing())["typed"] == "ab"
        await person.press("c")
        result = (await person.done(seq=5))["result"]
        assert (result["errors"], result["uncorrected"], result["position"]) == (2, 0, 3)
        assert result["accuracy"] == 0.6


async def test_correct_is_complete_only_when_everything_is_right(url: str) -> None:
    async with guest(url) as person:
        await person.begin("abc", rules={"errors": "correct"})
        assert (await person.typed("axc"))["position"] == 3
        assert (await person.standing())["state"] == "running"
        ack = await person.typed("d" * 25)
        assert (ack["position"], ack["errors"]) == (23, 26)
        standing = await person.standing()
        assert standing["typed"] == "axc" + "d" * 20
        await person.typed("\b" * 22)
        await person.press("bc")
        done = await person.done(seq=3 + 25 + 22 + 2)
        assert (done["result"]["uncorrected"], done["result"]["errors"]) == (0, 26)
        assert set(done["result"]["keys"]) == {"a", "b", "c"}


async def test_a_key_name_is_the_first_of_its_equals_and_has_no_case(url: str) -> None:
    async with guest(url) as person:
        await person.begin("’—“\u00a0ÉÀ!")
        ack = await person.typed("'-\" éà")
        assert set(ack["keys"]) == {"'", "-", '"', " ", "é", "à"}
        assert (ack["keys"]["é"], ack["keys"]["à"]) == ([1, 1], [1, 1])


# Refused keys

NO_KEYS: dict[str, list[Any]] = {
    "nothing": [0, ""],
    "nine code points": [0, "a" + "\u0301" * 8],
    "a whole text": [0, "x" * 10_000],
    "NUL": [0, "\0"],
    "ESC": [0, "\x1b"],
    "DEL": [0, "\x7f"],
    "CR": [0, "\r"],
    "CR LF": [0, "\r\n"],
    "NEL": [0, "\x85"],
    "a delete and more": [0, "\ba"],
    "a negative dt": [-1, "a"],
    "a dt over ten minutes": [600_001, "a"],
    "a dt of 2^53": [2**53, "a"],
    "a dt of 2^63": [2**63 - 1, "a"],
}


@pytest.mark.parametrize("event", NO_KEYS.values(), ids=NO_KEYS.keys())
async def test_an_event_out_of_range_is_refused_and_a_strike(url: str, event: list[Any]) -> None:
    async with guest(url) as person:
        await person.begin()
        for _ in range(4):
            await person.keys(1, [event])
            await person.expect("reject", code="bad_event", seq=1)
        await person.has_nothing_more()
        await person.keys(1, [event])
        await person.expect("reject", code="bad_event", seq=1)
        assert await person.closed() == 4500


@pytest.mark.parametrize("key", ["ab", "日本", "a\u200b", "🇫🇮🇸🇪", "eé", "......"])
async def test_several_graphemes_in_one_key_are_refused_and_no_strike(url: str, key: str) -> None:
    async with guest(url) as person:
        await person.begin()
        for _ in range(7):
            await person.keys(1, [[0, key]])
            await person.expect("reject", code="bad_event", seq=1)
        await person.typed("the")
