"""In which order letters are learnt, and which of them somebody has open."""

from collections.abc import Mapping, Sequence

from server.core.layout import Finger, KeyPlace, KeyRow
from server.core.strength import READY

FIRST = 6  # open from the beginning
MET = 12  # presses after which a letter stays open, whatever becomes of it
ALL_BUT = 0.05  # who has met all letters but the rarest, together met so seldom, has all open

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
    strengths: Mapping[str, int],
) -> list[str]:
    """The letters somebody may be given, in that order.

    `ever` counts presses, `strengths` holds 0..100 for each letter that was ever pressed. The next
    letter opens when speed and accuracy of all that are open are there, that is: READY.
    """
    met = {letter for letter in order if ever.get(letter, 0) >= MET}
    if sum(shares[letter] for letter in order if letter not in met) <= ALL_BUT:
        return list(order)
    opened = [letter for place, letter in enumerate(order) if place < FIRST or letter in met]
    if all(strengths.get(letter, 0) >= READY for letter in opened):
        following = next((letter for letter in order if letter not in opened), None)
        opened += [] if following is None else [following]
    return opened
