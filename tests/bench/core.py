"""What a keystroke costs in the core alone."""

import time

from server.core.text import Text
from server.core.typed_text import ErrorRule, Keystroke, TypedText

WORDS = "the quick brown fox jumps over the lazy dog "
CORE_KEYSTROKES = 50_000


def text_of(graphemes: int) -> str:
    """A text of that length."""
    return (WORDS * (graphemes // len(WORDS) + 1))[:graphemes]


def core_ns(graphemes: int) -> float:
    """ns of CPU to score one keystroke of a text of that length, one in 20 wrong."""
    string = text_of(graphemes)
    text = Text.of(string)
    keystrokes = [Keystroke(150, "z" if i % 20 == 0 else key) for i, key in enumerate(string)]
    rounds = CORE_KEYSTROKES // graphemes
    began_ns = time.process_time_ns()
    for _ in range(rounds):
        typed_text = TypedText(text, ErrorRule.FREE)
        for keystroke in keystrokes:
            typed_text.apply(keystroke)
    return (time.process_time_ns() - began_ns) / (rounds * graphemes)
