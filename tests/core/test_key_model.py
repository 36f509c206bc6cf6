"""What is known of a key: errors, latency, how surely, and how it fades."""

from math import exp, log
from random import Random

import pytest

from server.core.bigrams import Counts, Packed
from server.core.key_model import (
    BEFORE_PRESSES_MAX,
    DAY_MS,
    DAYS_HALF_LIFE,
    KEY_PRIOR_ERRORS,
    PERSON_PRIOR_PRESSES,
    POPULATION_ERROR_RATE,
    PRESSES_HALF_LIFE,
    WITHIN_KEY,
    Evidence,
    KeyModel,
    read_evidence,
)
from server.core.key_stats import KeyStats

NOW_MS = 1_000 * DAY_MS


def evidence(
    keys: dict[str, Packed] | None = None,
    bigrams: dict[str, Packed] | None = None,
    days_ago: float = 0,
) -> Evidence:
    return Evidence(round(NOW_MS - days_ago * DAY_MS), Counts(keys or {}, bigrams or {}))


def read(*newest_first: Evidence, totals: dict[str, KeyStats] | None = None) -> KeyModel:
    return read_evidence(newest_first, totals or {}, NOW_MS)


def test_a_key_that_was_never_pressed_is_thought_to_be_like_the_others() -> None:
    nothing = read().key("q")
    assert nothing.error_rate == pytest.approx(POPULATION_ERROR_RATE)
    assert nothing.latency_ms == pytest.approx(169 * exp(WITHIN_KEY**2 / 2))
    assert (nothing.ever, nothing.last_at_ms) == (0, None)
    counts = [1_000, 200, 100_000, 800]
    model = read(evidence({"a": counts}, {"ba": counts}))
    assert model.key("q").error_rate == pytest.approx(model.error_rate)
    assert model.error_rate > 0.15
    assert model.key("q").latency_ms < nothing.latency_ms


def test_errors_are_a_beta_posterior_under_the_persons_rate() -> None:
    model = read(evidence({"a": [100, 4, 0, 0], "b": [100, 16, 0, 0]}))
    rate = (PERSON_PRIOR_PRESSES * POPULATION_ERROR_RATE + 20) / (PERSON_PRIOR_PRESSES + 200)
    assert model.error_rate == pytest.approx(rate)
    found = model.keys["b"]
    expected = (KEY_PRIOR_ERRORS + 16) / (KEY_PRIOR_ERRORS / rate + 100)
    assert found.error_rate == pytest.approx(expected)
    assert found.error_low < found.error_rate < found.error_high
    assert model.keys["a"].error_high < found.error_rate


def test_bounds_close_in_with_more_presses() -> None:
    def width(presses: int) -> tuple[float, float]:
        counts = [presses, presses // 20, 150 * presses, presses]
        known = read(evidence({"a": counts}, {"ba": counts})).keys["a"]
        return (
            known.error_high - known.error_low,
            known.latency_high_ms / known.latency_low_ms,
        )

    assert width(20) > width(80) > width(320)


@pytest.mark.parametrize(("days", "left"), [(0, 1.0), (DAYS_HALF_LIFE, 0.5), (90, 0.125)])
def test_evidence_fades_with_the_days(days: float, left: float) -> None:
    found = read(evidence({"a": [80, 8, 0, 0]}, days_ago=days)).keys["a"]
    assert found.presses == pytest.approx(80 * left)
    assert found.ever == 80


def test_evidence_fades_with_further_presses_of_the_same_key() -> None:
    newest = evidence({"a": [PRESSES_HALF_LIFE, 0, 0, 0]})
    oldest = evidence({"a": [100, 50, 0, 0], "b": [100, 50, 0, 0]})
    found = read(newest, oldest)
    assert found.keys["a"].presses == pytest.approx(PRESSES_HALF_LIFE + 50)
    assert found.keys["b"].presses == pytest.approx(100)
    assert found.keys["a"].error_rate < found.keys["b"].error_rate / 3


def test_a_key_met_after_few_others_is_less_surely_known() -> None:
    """What one bigram takes says little of the key after others."""
    counts: Packed = [120, 2, 118 * 150, 118]
    after_one = read(evidence({"e": counts}, {"he": counts})).keys["e"]
    share: Packed = [20, 0, 20 * 150, 20]
    after_six = read(evidence({"e": counts}, {f"{one}e": share for one in "bdhlmr"})).keys["e"]
    assert after_six.latency_ms == pytest.approx(after_one.latency_ms, rel=0.02)
    assert after_six.latency_sd < 0.6 * after_one.latency_sd
    pair = read(evidence({"e": counts}, {"he": counts})).bigrams["he"]
    assert pair.latency_sd < 0.6 * after_one.latency_sd


def test_a_pause_does_not_move_the_latency_far() -> None:
    steady = [evidence({"a": [1, 0, 150, 1]}, {"ba": [1, 0, 150, 1]}) for _ in range(30)]
    pause = evidence({"a": [1, 0, 5_000, 1]}, {"ba": [1, 0, 5_000, 1]})
    calm = read(*steady).keys["a"].latency_ms
    # The mean of all these is more than twice as long with it.
    assert read(pause, *steady).keys["a"].latency_ms < 1.06 * calm


def test_skewed_latencies_are_found_at_their_mean() -> None:
    rng = Random(5)
    mean_ms = 180.0
    attempts = []
    for _ in range(25):
        bigrams = {}
        ms = count = 0
        for before in "bcdefg":
            drawn = [
                round(exp(rng.gauss(log(mean_ms) - WITHIN_KEY**2 / 2, WITHIN_KEY)))
                for _ in range(rng.randint(1, 3))
            ]
            bigrams[before + "a"] = [len(drawn), 0, sum(drawn), len(drawn)]
            ms, count = ms + sum(drawn), count + len(drawn)
        attempts.append(evidence({"a": [count, 0, ms, count]}, bigrams))
    found = read(*attempts).keys["a"]
    assert found.latency_low_ms < mean_ms < found.latency_high_ms
    assert found.latency_ms == pytest.approx(mean_ms, rel=0.06)


def test_a_bigram_is_at_first_expected_to_go_as_its_second_key() -> None:
    keys: dict[str, Packed] = {"a": [200, 4, 60_000, 200], "b": [200, 4, 24_000, 200]}
    pairs: dict[str, Packed] = {"ba": [195, 0, 58_500, 195], "ab": [200, 0, 24_000, 200]}
    seldom: dict[str, Packed] = {"ca": [5, 0, 1_500, 5], "cb": [4, 0, 480, 4]}
    model = read(evidence(keys, pairs | seldom))
    assert model.bigrams["ca"].latency_ms == pytest.approx(model.keys["a"].latency_ms, rel=0.15)
    assert "cb" not in model.bigrams  # says nothing yet


def test_what_was_hit_counts_against_what_was_meant_by_its_key() -> None:
    model = read(evidence({"a": [10, 3, 0, 0, {"s": 1, "S": 1, "q": 1}], "s": [10, 0, 0, 0]}))
    assert model.keys["a"].instead == {"s": 2, "q": 1}
    assert model.keys["s"].error_rate < model.keys["a"].error_rate


def test_what_lies_before_the_attempts_counts_a_little() -> None:
    totals = {"a": KeyStats(1_020, 108, 150_000, 1_000), "z": KeyStats(5, 5, 0, 0)}
    found = read(evidence({"a": [20, 8, 0, 0]}), totals=totals).keys
    assert found["a"].ever == 1_020
    kept = 0.5 ** (20 / PRESSES_HALF_LIFE) * BEFORE_PRESSES_MAX
    assert found["a"].presses == pytest.approx(20 + kept)
    assert found["z"].last_at_ms is None
    assert found["z"].error_rate > found["a"].error_rate


def test_without_the_newest_attempt_it_is_as_it_was_before() -> None:
    older = evidence({"a": [50, 5, 0, 0]}, days_ago=1)
    newer = evidence({"a": [50, 0, 0, 0], "b": [10, 0, 0, 0]})
    then, now = read(older), read(newer, older, totals={"a": KeyStats(100, 5)})
    assert now.before["a"].error_rate == pytest.approx(then.keys["a"].error_rate)
    assert now.before.keys() == {"a"}
    assert now.keys["a"].error_rate < now.before["a"].error_rate


def test_key_names_of_several_code_points_have_their_bigrams() -> None:
    counts: Packed = [30, 0, 6_000, 30]
    found = read(evidence({"a": counts, "e\u0302\u0301": counts}, {"ae\u0302\u0301": counts}))
    assert found.keys["e\u0302\u0301"].latency_sd < found.keys["a"].latency_sd
