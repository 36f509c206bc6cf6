"""What is to be typed, cut and compared as people see it: NFC grapheme clusters."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import regex

GRAPHEMES_MAX = 10_000
BYTES_MAX = 60_000
CODE_POINTS_PER_GRAPHEME_MAX = 8

# Each group is one key to a typist; the first of a group names it.
EQUALS = ("'’‘", '"“”«»„', "-–—‑")
CANONICAL = {char: group[0] for group in EQUALS for char in group}
BREAKS = "\n\t"

_cluster = regex.compile(r"\X")
_line_end = regex.compile("\r\n|[\r\u2028\u2029]")
_control = regex.compile(r"(?V1)[\p{Cc}\p{Cs}--\n\t]")


class TextRefused(ValueError):
    """The text cannot be typed; the message says why and repeats none of it."""


def graphemes(text: str) -> list[str]:
    """The grapheme clusters of an NFC text, in order."""
    if text.isascii():  # "\r\n", the one ASCII cluster of two, is "\n" by now
        return list(text)
    return list(_cluster.findall(text))


@lru_cache(maxsize=65_536)
def canonical(grapheme: str) -> str:
    """The grapheme that stands for all its equals: ' for ’, - for —, a space for any Zs."""
    if len(grapheme) == 1 and unicodedata.category(grapheme) == "Zs":
        return " "
    return CANONICAL.get(grapheme, grapheme)


@lru_cache(maxsize=65_536)
def key_name(grapheme: str) -> str:
    """The name under which presses for this grapheme are counted: canonical and case-folded."""
    return canonical(grapheme).casefold()


def is_space(grapheme: str) -> bool:
    """Whether a word ends here: any Zs, a line end or a tab."""
    return grapheme in BREAKS or canonical(grapheme) == " "


def normal_text(raw: str) -> str:
    """Bring a person's text into the one form that is stored, sent and compared.

    Raises TextRefused if it is empty, too long, or holds what no keyboard types.
    """
    text = _line_end.sub("\n", raw).replace("…", "...")
    text = unicodedata.normalize("NFC", text)
    if _control.search(text):
        raise TextRefused("The text holds control characters that cannot be typed.")
    if len(text.encode()) > BYTES_MAX:
        raise TextRefused(f"The text is longer than {BYTES_MAX} bytes.")
    clusters = graphemes(text)
    if not 1 <= len(clusters) <= GRAPHEMES_MAX:
        raise TextRefused(f"The text must have 1 to {GRAPHEMES_MAX} characters.")
    if max(map(len, clusters)) > CODE_POINTS_PER_GRAPHEME_MAX:
        raise TextRefused(
            f"The text holds a character of more than {CODE_POINTS_PER_GRAPHEME_MAX} code points."
        )
    return text


class KeyRefused(ValueError):
    """The key is no press; `lawful_shape` if only the cutting into clusters is in doubt."""

    def __init__(self, message: str, lawful_shape: bool = False) -> None:
        super().__init__(message)
        self.lawful_shape = lawful_shape


def normal_key(key: str) -> str:
    """One pressed grapheme in NFC. Raises KeyRefused for anything else, the deletes too."""
    if len(key) == 1 and key.isascii() and key.isprintable():
        return key
    return _normal_key(key)


@lru_cache(maxsize=4_096)
def _normal_key(key: str) -> str:
    if not 1 <= len(key) <= CODE_POINTS_PER_GRAPHEME_MAX:
        raise KeyRefused(f"A key has 1 to {CODE_POINTS_PER_GRAPHEME_MAX} code points.")
    if _control.search(key):
        raise KeyRefused("A key is no control character.")
    normal = unicodedata.normalize("NFC", key)
    if len(_cluster.findall(normal)) != 1:
        raise KeyRefused("A key is one character; send several as several events.", True)
    return normal


@dataclass(frozen=True, slots=True)
class Text:
    """A text ready to be typed. Make it with Text.of, from what normal_text returned.

    Its graphemes are the string itself where each is one code point, as in most languages.
    """

    string: str
    graphemes: Sequence[str]

    @classmethod
    def of(cls, string: str) -> "Text":
        clusters = graphemes(string)
        return cls(string, string if len(clusters) == len(string) else tuple(clusters))

    def __len__(self) -> int:
        return len(self.graphemes)
