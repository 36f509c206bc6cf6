"""Sentences of why, and of when, in either language."""

from dataclasses import replace

import pytest

from server.core.forecast import Forecast, Outlook, Side
from server.core.practice import Focus, Reason
from server.core.reasons import WORDINGS, outlook, why
from server.core.strength import Strength, Target
from tests.core.test_strength import known

TARGET = Target(60)
FOCUS = Focus("k", Reason.ERRORS, known(400, 40, 250), Strength(0.5, 0.3))
AHEAD = Forecast(Outlook.AHEAD, Side.SPEED, (1_200, 12_345, 41_000), (0.2, 2.4, 21.3))


@pytest.mark.parametrize("language", WORDINGS)
@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_a_sentence(language: str, reason: Reason) -> None:
    said = why(replace(FOCUS, reason=reason, other="l"), TARGET, language)
    assert said.startswith("K")
    assert said.endswith(".")
    assert not {"{", "}"} & set(said)


@pytest.mark.parametrize("language", WORDINGS)
@pytest.mark.parametrize("found", Outlook)
def test_every_outlook_is_a_sentence(language: str, found: Outlook) -> None:
    said = outlook(replace(AHEAD, outlook=found), TARGET, language)
    assert said.endswith(".")
    assert not {"{", "}"} & set(said)


def test_numbers_speak_for_it() -> None:
    errors = why(FOCUS, TARGET, "en")
    assert errors == ("K goes wrong 10% of the time, surely more than 8.1%; the target allows 4%.")
    few = replace(FOCUS, known=known(20, 2, 250))
    assert why(few, TARGET, "en") == (
        "K seems to go wrong 8.8% of the time, which is not sure yet; the target allows 4%."
    )
    mixed = why(replace(FOCUS, reason=Reason.MIXED_UP, other=" "), TARGET, "ru")
    assert mixed == "K: ошибочны 10\u00a0% нажатий, чаще всего нажата не та: Пробел."
    slow = why(replace(FOCUS, part="кл", reason=Reason.SLOW), TARGET, "ru")
    assert slow.startswith("кл: от клавиши к клавише проходит 25")


def test_days_are_told_with_their_bounds() -> None:
    assert outlook(AHEAD, TARGET, "en") == (
        "Speed: about 12,000 more key presses to the target, that is 2 days at your pace"
        " (between 1 and 21 days)."
    )
    assert outlook(AHEAD, TARGET, "ru") == (
        "Скорость: до цели осталось нажатий: примерно 12\u202f000, в вашем темпе это 2 дня"
        " (от 1 до 21 дня)."
    )
    open_end = replace(AHEAD, presses=(1_200, 12_345, None), days=(5.0, 11.0, None))
    assert outlook(open_end, TARGET, "en").endswith("11 days at your pace (at least 5 days).")
    assert outlook(open_end, TARGET, "ru").endswith("это 11 дней (не меньше 5 дней).")
