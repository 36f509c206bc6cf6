"""The course: 99 lessons in six blocks, finger by finger, and what each of them practises.

A lesson names fingers and rows, no letters: which keys those are is said by the layout
(`core.lesson`), so that one course serves all layouts and languages.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from server.core.layout import Finger, Hand
from server.core.source import Source, SourceKind

FREE_LESSONS = 15
FIRST_TARGET_WPM = 15
LAST_TARGET_WPM = 60
FIRST_CHARS = 110
LAST_CHARS = 340
# Speed comes slowly at first: the curve of targets is bent towards the end.
BEND = 1.3


class Block(StrEnum):
    """A block of lessons, by what it is about: what the API calls a difficulty level."""

    PINKY = "pinky"
    RING = "ring"
    MIDDLE = "middle"
    INDEX_LEFT = "index_left"
    INDEX_RIGHT = "index_right"
    ADVANCED = "advanced"


class Part(StrEnum):
    """Some keys of a finger: above, on and below its home, or where it reaches to the side."""

    HOME = "home"
    TOP = "top"
    BOTTOM = "bottom"
    HOME_SIDE = "home_side"
    TOP_SIDE = "top_side"
    BOTTOM_SIDE = "bottom_side"


class Form(StrEnum):
    """How a lesson's text is made."""

    DRILL = "drill"
    WORDS = "words"
    JUMPS = "jumps"
    COMMON = "common"
    DOUBLES = "doubles"
    SAME_FINGER = "same_finger"
    ALTERNATE = "alternate"
    ONE_HAND = "one_hand"
    LONG = "long"
    RARE = "rare"
    CAPITALS = "capitals"
    COMMAS = "commas"
    MARKS = "marks"
    QUOTES = "quotes"
    DIGITS = "digits"
    NUMBERS = "numbers"
    SYMBOLS = "symbols"
    SENTENCES = "sentences"
    PASSAGE = "passage"


# New keys and keys far from home are slower than words: less is asked there.
EASE = {
    Form.DRILL: 0.85,
    Form.JUMPS: 0.85,
    Form.COMMAS: 0.9,
    Form.MARKS: 0.85,
    Form.QUOTES: 0.85,
    Form.DIGITS: 0.65,
    Form.NUMBERS: 0.75,
    Form.SYMBOLS: 0.6,
}
FINGERS = {
    Block.PINKY: (Finger.PINKY, None),
    Block.RING: (Finger.RING, None),
    Block.MIDDLE: (Finger.MIDDLE, None),
    Block.INDEX_LEFT: (Finger.INDEX, Hand.LEFT),
    Block.INDEX_RIGHT: (Finger.INDEX, Hand.RIGHT),
}
MAIN = (Part.HOME, Part.TOP, Part.BOTTOM)
SIDE = (Part.HOME_SIDE, Part.TOP_SIDE, Part.BOTTOM_SIDE)
EVERY = (*MAIN, *SIDE)


@dataclass(frozen=True, slots=True)
class Step:
    """One lesson of a block: which keys and how. Its words stand in `content` under its name."""

    name: str
    form: Form
    parts: Sequence[Part] = ()
    hand: Hand | None = None  # None: the block's own, or both


@dataclass(frozen=True)
class Lesson:
    """`number` counts within the block from 1, `place` in the whole course from 0."""

    block: Block
    number: int
    place: int
    step: Step

    @cached_property
    def id(self) -> str:
        return f"block_{self.block_id}_lesson_{self.number}"

    @cached_property
    def mode(self) -> str:
        """How attempts at it are named, in whatever language."""
        return Source(SourceKind.LESSON, lesson=self.id).mode

    @property
    def block_id(self) -> int:
        return list(Block).index(self.block) + 1

    @property
    def is_premium(self) -> bool:
        return self.place >= FREE_LESSONS

    @property
    def target_wpm(self) -> int:
        """From 15 to 60, a little less where keys are new or far from home."""
        wpm: float = FIRST_TARGET_WPM + (LAST_TARGET_WPM - FIRST_TARGET_WPM) * self._way**BEND
        return max(FIRST_TARGET_WPM, round(wpm * EASE.get(self.step.form, 1.0)))

    @property
    def chars(self) -> int:
        """About how long its text is."""
        return round(FIRST_CHARS + (LAST_CHARS - FIRST_CHARS) * self._way)

    @property
    def max_errors(self) -> int:
        """About one in 22 keys at the beginning, one in 42 at the end."""
        return round(self.chars / (22 + 20 * self._way))

    @property
    def _way(self) -> float:
        return self.place / (LESSON_COUNT - 1)

    def passed(self, wpm: float, errors: int) -> bool:
        """Whether an attempt was good enough."""
        return wpm >= self.target_wpm and errors <= self.max_errors


_PINKY = (
    Step("home", Form.DRILL, (Part.HOME,)),
    Step("among", Form.DRILL, (Part.HOME,)),
    Step("home_words", Form.WORDS, (Part.HOME,)),
    Step("top", Form.DRILL, (Part.TOP,)),
    Step("top_words", Form.WORDS, (Part.TOP,)),
    Step("bottom", Form.DRILL, (Part.BOTTOM,)),
    Step("bottom_words", Form.WORDS, (Part.BOTTOM,)),
    Step("edge", Form.DRILL, SIDE),
    Step("edge_words", Form.WORDS, SIDE),
    Step("left", Form.WORDS, MAIN, Hand.LEFT),
    Step("right", Form.WORDS, MAIN, Hand.RIGHT),
    Step("jumps", Form.JUMPS, MAIN),
    Step("all", Form.WORDS, MAIN),
    Step("longer", Form.WORDS, EVERY),
    Step("review", Form.WORDS, EVERY),
)
_BOTH_HANDS = (
    Step("home", Form.DRILL, (Part.HOME,)),
    Step("among", Form.DRILL, (Part.HOME,)),
    Step("home_words", Form.WORDS, (Part.HOME,)),
    Step("top", Form.DRILL, (Part.TOP,)),
    Step("top_words", Form.WORDS, (Part.TOP,)),
    Step("home_and_top", Form.WORDS, (Part.HOME, Part.TOP)),
    Step("bottom", Form.DRILL, (Part.BOTTOM,)),
    Step("bottom_words", Form.WORDS, (Part.BOTTOM,)),
    Step("home_and_bottom", Form.WORDS, (Part.HOME, Part.BOTTOM)),
    Step("left", Form.WORDS, MAIN, Hand.LEFT),
    Step("right", Form.WORDS, MAIN, Hand.RIGHT),
    Step("jumps", Form.JUMPS, MAIN),
    Step("all", Form.WORDS, MAIN),
    Step("longer", Form.WORDS, EVERY),
    Step("review", Form.WORDS, EVERY),
)
_INDEX = (
    Step("home", Form.DRILL, (Part.HOME,)),
    Step("home_words", Form.WORDS, (Part.HOME,)),
    Step("side", Form.DRILL, (Part.HOME_SIDE,)),
    Step("side_words", Form.WORDS, (Part.HOME, Part.HOME_SIDE)),
    Step("top", Form.DRILL, (Part.TOP,)),
    Step("top_words", Form.WORDS, (Part.TOP,)),
    Step("top_side", Form.DRILL, (Part.TOP_SIDE,)),
    Step("top_both", Form.WORDS, (Part.TOP, Part.TOP_SIDE)),
    Step("bottom", Form.DRILL, (Part.BOTTOM,)),
    Step("bottom_words", Form.WORDS, (Part.BOTTOM,)),
    Step("bottom_side", Form.DRILL, (Part.BOTTOM_SIDE,)),
    Step("bottom_both", Form.WORDS, (Part.BOTTOM, Part.BOTTOM_SIDE)),
    Step("jumps", Form.JUMPS, MAIN),
    Step("straight", Form.WORDS, MAIN),
    Step("all_sides", Form.WORDS, SIDE),
    Step("longer", Form.WORDS, EVERY),
    Step("review", Form.WORDS, EVERY),
)
_ADVANCED = (
    Step("common", Form.COMMON),
    Step("doubles", Form.DOUBLES),
    Step("alternate", Form.ALTERNATE),
    Step("left_alone", Form.ONE_HAND, (), Hand.LEFT),
    Step("right_alone", Form.ONE_HAND, (), Hand.RIGHT),
    Step("capitals", Form.CAPITALS),
    Step("commas", Form.COMMAS),
    Step("same_finger", Form.SAME_FINGER),
    Step("marks", Form.MARKS),
    Step("quotes", Form.QUOTES),
    Step("left_digits", Form.DIGITS, (), Hand.LEFT),
    Step("right_digits", Form.DIGITS, (), Hand.RIGHT),
    Step("numbers", Form.NUMBERS),
    Step("symbols", Form.SYMBOLS),
    Step("rare", Form.RARE),
    Step("long", Form.LONG),
    Step("sentences", Form.SENTENCES),
    Step("more_sentences", Form.SENTENCES),
    Step("passage", Form.PASSAGE),
    Step("last_passage", Form.PASSAGE),
)
STEPS: dict[Block, Sequence[Step]] = {
    Block.PINKY: _PINKY,
    Block.RING: _BOTH_HANDS,
    Block.MIDDLE: _BOTH_HANDS,
    Block.INDEX_LEFT: _INDEX,
    Block.INDEX_RIGHT: _INDEX,
    Block.ADVANCED: _ADVANCED,
}
BLOCK_SIZES = {block: len(steps) for block, steps in STEPS.items()}
LESSON_COUNT = sum(BLOCK_SIZES.values())
_STEPS_IN_ORDER = [
    (block, number, step) for block, steps in STEPS.items() for number, step in enumerate(steps, 1)
]
LESSONS = tuple(
    Lesson(block, number, place, step)
    for place, (block, number, step) in enumerate(_STEPS_IN_ORDER)
)
_BY_ID = {lesson.id: lesson for lesson in LESSONS}


def find_lesson(lesson_id: str) -> Lesson | None:
    """The lesson of that id, if there is one."""
    return _BY_ID.get(lesson_id)
