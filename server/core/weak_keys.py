"""Which keys go wrong, which finger it is, and what to practise: as data, and in words."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from server.core.key_stats import KeyStats
from server.core.layout import Finger, Hand, KeyPlace, KeyRow, find_place
from server.core.text import key_name

WEAK_KEYS_MAX = 10
INSTEAD_MAX = 3


class Slip(StrEnum):
    """How the key that was hit lies to the one that was meant."""

    SHIFT = "shift"  # the same key, with Shift or without
    SAME_FINGER = "same_finger"
    NEIGHBOUR = "neighbour"
    OTHER_HAND = "other_hand"  # the same finger of the other hand
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class WeakKey:
    """A key with many errors. `instead` counts the keys that were hit for it, most first."""

    key: str
    layout: str
    stats: KeyStats
    place: KeyPlace | None
    instead: Sequence[tuple[str, int]]

    @property
    def slip(self) -> Slip | None:
        """How its commonest wrong key lies to it; None when no place is known."""
        if not self.instead or self.place is None:
            return None
        other = find_place(self.instead[0][0], self.layout)
        return None if other is None else _slip(self.place, other)


def find_weak_keys(
    layouts: Mapping[str, Mapping[str, KeyStats]], errors: int, error_rate: float
) -> list[WeakKey]:
    """The keys with more errors than `errors` and a higher rate than `error_rate`, worst first.

    `layouts` holds the counters of each layout by key.
    """
    weak = [
        WeakKey(key, layout, stats, find_place(key, layout), _instead(stats))
        for layout, keys in layouts.items()
        for key, stats in keys.items()
        if stats.errors > errors and stats.errors > error_rate * stats.presses
    ]
    weak.sort(key=lambda found: (-found.stats.error_rate, -found.stats.errors, found.key))
    return weak[:WEAK_KEYS_MAX]


def _instead(stats: KeyStats) -> list[tuple[str, int]]:
    hit: Counter[str] = Counter()
    for typed, count in stats.confusions.items():
        hit[key_name(typed)] += count
    return sorted(hit.items(), key=lambda pair: (-pair[1], pair[0]))[:INSTEAD_MAX]


def _slip(meant: KeyPlace, hit: KeyPlace) -> Slip:
    if meant.row is hit.row and meant.column == hit.column:
        return Slip.SHIFT
    if meant.hand is hit.hand and meant.finger is hit.finger:
        return Slip.SAME_FINGER
    if meant.row is hit.row and abs(meant.column - hit.column) == 1:
        return Slip.NEIGHBOUR
    if meant.finger is hit.finger:
        return Slip.OTHER_HAND
    return Slip.ELSEWHERE


# Words


@dataclass(frozen=True, slots=True)
class Phrases:
    """How one language says it. Keys stand in them as {key} and {other}, a lesson as {title}."""

    named: Mapping[str, str]
    fingers: Mapping[tuple[Hand | None, Finger], str]
    hands: Mapping[Hand, str]
    rows: Mapping[KeyRow, str]
    shift: str
    wrong: str
    instead: str
    slips: Mapping[Slip, str]
    practise: Mapping[Slip | None, str]
    lesson: str
    focus: str
    focus_finger: str
    nothing_weak: str
    nothing_typed: str


ENGLISH = Phrases(
    named={" ": "Space", "\n": "Enter", "\t": "Tab"},
    fingers={
        (Hand.LEFT, Finger.PINKY): "left little finger",
        (Hand.LEFT, Finger.RING): "left ring finger",
        (Hand.LEFT, Finger.MIDDLE): "left middle finger",
        (Hand.LEFT, Finger.INDEX): "left index finger",
        (Hand.RIGHT, Finger.PINKY): "right little finger",
        (Hand.RIGHT, Finger.RING): "right ring finger",
        (Hand.RIGHT, Finger.MIDDLE): "right middle finger",
        (Hand.RIGHT, Finger.INDEX): "right index finger",
        (None, Finger.THUMB): "either thumb",
    },
    hands={Hand.LEFT: "left", Hand.RIGHT: "right"},
    rows={
        KeyRow.NUMBER: "number row",
        KeyRow.TOP: "top row",
        KeyRow.HOME: "home row",
        KeyRow.BOTTOM: "bottom row",
        KeyRow.SPACE: "space bar",
    },
    shift="with Shift",
    wrong="{errors} of {presses} presses were wrong ({percent}%).",
    instead="Most often {other} was hit instead{slip}.",
    slips={
        Slip.SHIFT: ": the same key, with Shift held or not",
        Slip.SAME_FINGER: ", which the same finger reaches for",
        Slip.NEIGHBOUR: ", the key beside it",
        Slip.OTHER_HAND: ", under the same finger of the other hand",
        Slip.ELSEWHERE: "",
    },
    practise={
        Slip.SHIFT: "Practise it with Shift and without, Shift under the other hand.",
        Slip.SAME_FINGER: "Practise {key} and {other} in turn, and go home after each.",
        Slip.NEIGHBOUR: "Practise words with {key}, slowly enough that {other} never slips in.",
        Slip.OTHER_HAND: "Practise {key} and {other} in turn until the hands stop swapping.",
        Slip.ELSEWHERE: "Practise words with both {key} and {other}, slowly at first.",
        None: "Practise words with {key}, slowly at first.",
    },
    lesson="The lesson for it: {title}.",
    focus="Look to your {hand} hand first: {percent}% of the errors on your weak keys are its.",
    focus_finger="Most of them fall to the {finger}.",
    nothing_weak="No key stands out: none is above both limits.",
    nothing_typed="There is nothing to look at yet: type a few texts first.",
)
RUSSIAN = Phrases(
    named={" ": "Пробел", "\n": "Enter", "\t": "Tab"},
    fingers={
        (Hand.LEFT, Finger.PINKY): "левый мизинец",
        (Hand.LEFT, Finger.RING): "левый безымянный палец",
        (Hand.LEFT, Finger.MIDDLE): "левый средний палец",
        (Hand.LEFT, Finger.INDEX): "левый указательный палец",
        (Hand.RIGHT, Finger.PINKY): "правый мизинец",
        (Hand.RIGHT, Finger.RING): "правый безымянный палец",
        (Hand.RIGHT, Finger.MIDDLE): "правый средний палец",
        (Hand.RIGHT, Finger.INDEX): "правый указательный палец",
        (None, Finger.THUMB): "любой большой палец",
    },
    hands={Hand.LEFT: "левую", Hand.RIGHT: "правую"},
    rows={
        KeyRow.NUMBER: "цифровой ряд",
        KeyRow.TOP: "верхний ряд",
        KeyRow.HOME: "домашний ряд",
        KeyRow.BOTTOM: "нижний ряд",
        KeyRow.SPACE: "клавиша пробела",
    },
    shift="с Shift",
    wrong="Ошибок {errors}, нажатий {presses} ({percent}%).",
    instead="Чаще всего вместо неё нажата {other}{slip}.",
    slips={
        Slip.SHIFT: ": это та же клавиша, но с Shift или без него",
        Slip.SAME_FINGER: ": её нажимает тот же палец",
        Slip.NEIGHBOUR: ": это соседняя клавиша",
        Slip.OTHER_HAND: ": она под тем же пальцем другой руки",
        Slip.ELSEWHERE: "",
    },
    practise={
        Slip.SHIFT: "Нажимайте её с Shift и без него, держа Shift другой рукой.",
        Slip.SAME_FINGER: "Нажимайте {key} и {other} по очереди, каждый раз возвращая палец домой.",
        Slip.NEIGHBOUR: "Печатайте слова с {key} так медленно, чтобы {other} не попадалась.",
        Slip.OTHER_HAND: "Нажимайте {key} и {other} по очереди, пока руки не перестанут путаться.",
        Slip.ELSEWHERE: "Печатайте слова, где есть и {key}, и {other}, сначала медленно.",
        None: "Печатайте слова с {key}, сначала медленно.",
    },
    lesson="Урок для неё: {title}.",
    focus="Начните с внимания на {hand} руку: на неё приходится {percent}% ошибок слабых клавиш.",
    focus_finger="Больше всего ошибается {finger}.",
    nothing_weak="Слабых клавиш нет: ни одна не выше обоих порогов.",
    nothing_typed="Пока смотреть не на что: сначала напечатайте несколько текстов.",
)
PHRASES = {"en": ENGLISH, "ru": RUSSIAN}


def recommendation(weak: WeakKey, phrases: Phrases) -> str:
    """Where the key lies, how it goes, what was hit instead, and what to practise."""
    key = _named(weak.key, phrases)
    sentences = [f"{key}: {_where(weak.place, phrases)}." if weak.place else f"{key}."]
    counts = {"errors": weak.stats.errors, "presses": weak.stats.presses}
    sentences.append(
        phrases.wrong.format(**counts, percent=_percent(weak.stats.errors, weak.stats.presses))
    )
    other = ""
    if weak.instead:
        other = _named(weak.instead[0][0], phrases)
        slip = "" if weak.slip is None else phrases.slips[weak.slip]
        sentences.append(phrases.instead.format(other=other, slip=slip))
    sentences.append(phrases.practise[weak.slip].format(key=key, other=other))
    return " ".join(sentences)


def insights(weak_keys: Sequence[WeakKey], typed: bool, phrases: Phrases) -> str:
    """What the weak keys have in common; `typed` says whether there was anything to look at."""
    if not weak_keys:
        return phrases.nothing_weak if typed else phrases.nothing_typed
    hands: Counter[Hand] = Counter()
    fingers: Counter[tuple[Hand, Finger]] = Counter()
    for weak in weak_keys:
        if weak.place is not None and weak.place.hand is not None:
            hands[weak.place.hand] += weak.stats.errors
            fingers[weak.place.hand, weak.place.finger] += weak.stats.errors
    if not hands:
        return recommendation(weak_keys[0], phrases)
    hand, errors = hands.most_common(1)[0]
    all_errors = sum(weak.stats.errors for weak in weak_keys)
    finger = max((pair for pair in fingers if pair[0] is hand), key=lambda pair: fingers[pair])
    focus = phrases.focus.format(hand=phrases.hands[hand], percent=_percent(errors, all_errors))
    return f"{focus} {phrases.focus_finger.format(finger=phrases.fingers[finger])}"


def _where(place: KeyPlace, phrases: Phrases) -> str:
    parts = [phrases.fingers[place.hand, place.finger], phrases.rows[place.row]]
    if place.shift:
        parts.append(phrases.shift)
    return ", ".join(parts)


def _named(key: str, phrases: Phrases) -> str:
    upper = key.upper()
    return phrases.named.get(key) or (upper if len(upper) == len(key) else key)


def _percent(part: int, whole: int) -> int:
    return round(100 * part / whole)
