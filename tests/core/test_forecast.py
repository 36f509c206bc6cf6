"""When the target will be reached: the power law of practice, looked ahead."""

from math import exp, log
from random import Random

import pytest

from server.core.bigrams import Counts
from server.core.forecast import Forecast, Outlook, Side, forecast
from server.core.key_model import DAY_MS, Evidence
from server.core.strength import Target

PRESSES = 200
ATTEMPTS = 30
TARGET = Target(60)  # 200 ms, 4 % errors


def history(
    latency_power: float, error_power: float, noise: float, attempts: int = ATTEMPTS
) -> tuple[list[Evidence], int]:
    """Attempts, three a day, along two power laws that end at 250 ms and 3 % errors."""
    rng = Random(4)
    ever = PRESSES * attempts
    made = []
    for number in range(attempts):
        x = log(PRESSES * (number + 0.5) / ever)
        latency = exp(log(250) - latency_power * x + rng.gauss(0, noise))
        errors = round(PRESSES * exp(log(0.03) - error_power * x + rng.gauss(0, noise)))
        counts = Counts({"a": [PRESSES, errors, round(150 * latency), 150]})
        made.append(Evidence(number * DAY_MS // 3, counts))
    return made[::-1], ever


def test_it_is_said_by_when_with_bounds() -> None:
    found = forecast(*history(0.3, 0.1, 0.02), TARGET)
    assert (found.outlook, found.side) == (Outlook.AHEAD, Side.SPEED)
    # 250 ms fall to 200 along presses^-0.3 when presses have grown by this.
    expected = PRESSES * ATTEMPTS * ((250 / 200) ** (1 / 0.3) - 1)
    assert found.presses is not None
    soonest, likely, latest = found.presses
    assert latest is not None
    assert soonest < likely < latest
    assert soonest * 0.9 < expected < latest * 1.1
    assert found.days is not None
    assert found.days[1] == pytest.approx(likely / (PRESSES * 3), rel=0.05)


def test_what_takes_longer_is_told() -> None:
    found = forecast(*history(0.3, 0.4, 0.02), Target(200 * 60 / 250, accuracy=0.99))
    assert (found.outlook, found.side) == (Outlook.AHEAD, Side.ACCURACY)


def test_more_noise_says_less() -> None:
    calm, noisy = (forecast(*history(0.3, 0.1, noise), TARGET) for noise in (0.01, 0.05))
    assert calm.presses is not None
    assert noisy.presses is not None
    assert calm.presses[0] > noisy.presses[0]


def test_no_progress_is_no_day() -> None:
    found = forecast(*history(0.0, 0.0, 0.05), TARGET)
    assert found == Forecast(Outlook.STANDSTILL, Side.SPEED)
    worse = forecast(*history(-0.2, 0.0, 0.01), TARGET)
    assert worse.outlook is Outlook.STANDSTILL


def test_a_target_beyond_sight_is_no_day_either() -> None:
    assert forecast(*history(0.1, 0.1, 0.01), Target(300)).outlook is Outlook.STANDSTILL


def test_what_is_there_is_said_to_be() -> None:
    assert forecast(*history(0.3, 0.1, 0.02), Target(40)).outlook is Outlook.REACHED


@pytest.mark.parametrize("attempts", [0, 1, 7])
def test_of_little_nothing_is_said(attempts: int) -> None:
    newest_first, ever = history(0.3, 0.1, 0.02, attempts)
    assert forecast(newest_first, max(1, ever), TARGET).outlook is Outlook.TOO_LITTLE
