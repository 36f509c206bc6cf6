"""In which order letters are learnt, and which of them somebody has open."""

from collections.abc import Mapping, Sequence

from server.core.layout import Finger, KeyPlace, KeyRow
from server.core.strength import Strength

FIRST = 6  # open from the beginning
MET = 12  # presses after which a letter stays open, whatever becomes of it
# What is asked of the letters that were opened last, and of those before them. These were ready
# once, and by chance alone one of a dozen would always seem not to be.
READY = Strength(speed=0.8, accuracy=0.6)
HELD = Strength(speed=0.6, accuracy=0.4)
ALL_BUT = 0.05  # who has met all letters but the rarest, together met so seldom, has all open
# So fast in the first presses ever seen, or over so many letters, is nobody who begins: all letters
# are open then, too.
FLUENT_WPM = 30
AT_FIRST = 600
FLUENT_LETTERS = 12

# How easily a key is reached, the easiest 1: home row first, strong fingers first.
_ROWS = {KeyRow.HOME: 1.0, KeyRow.TOP: 0.7, KeyRow.BOTTOM: 0.5}
_FINGERS = {Finger.INDEX: 1.0, Finger.MIDDLE: 1.0, Finger.RING: 0.8, Finger.PINKY: 0.65}
_ELSEWHERE = 0.3


def letter_order(shares: Mapping[str, float], places: Mapping[str, KeyPlace]) -> list[str]:
    """The letters that the layout has, the one to learn first first.

    By how often it is met in the language, times how easily it is reached.
    """
    here = {
        letter: share * _ease(places[letter])
        for letter, share in shares.items()
        if letter in places
    }
    return sorted(here, key=lambda letter: (-here[letter], letter))


def _ease(place: KeyPlace) -> float:
    return _ROWS.get(place.row, _ELSEWHERE) * _FINGERS.get(place.finger, _ELSEWHERE)


def open_letters(
    order: Sequence[str],
    shares: Mapping[str, float],
    ever: Mapping[str, int],
    strengths: Mapping[str, Strength],
    wpm: float,
) -> list[str]:
    """The letters somebody may be given, in that order.

    `ever` counts presses, `strengths` holds each letter that was ever pressed, `wpm` is how fast
    they go. The next letter opens when speed and accuracy of all that are open are there.
    """
    met = {letter for letter in order if ever.get(letter, 0) >= MET}
    at_first = 0 < sum(ever.values()) <= AT_FIRST
    if wpm >= FLUENT_WPM and (at_first or len(met) >= FLUENT_LETTERS):
        return list(order)
    if sum(shares[letter] for letter in order if letter not in met) <= ALL_BUT:
        return list(order)
    opened = [letter for place, letter in enumerate(order) if place < FIRST or letter in met]
    newest = opened[-1:] if len(opened) > FIRST else opened
    asked = {letter: READY if letter in newest else HELD for letter in opened}
    if all(_reaches(strengths.get(letter), least) for letter, least in asked.items()):
        following = next((letter for letter in order if letter not in opened), None)
        opened += [] if following is None else [following]
    return opened


def _reaches(found: Strength | None, least: Strength) -> bool:
    return found is not None and found.speed >= least.speed and found.accuracy >= least.accuracy
