"""A thousand seeded races, and all that must come about in them (tests/simulation/promises.py)."""

from collections import Counter

import pytest

from tests.simulation.simulation import simulate

SEEDS_PER_BLOCK = 200
BLOCKS = 5
# What each block must have been through; else its silence says little.
ADVENTURES = {
    "takeover",
    "fenced",
    "a better result came too late",
    "dnf left",
    "dnf quit",
    "dnf time",
    "dnf void",
    "cancelled",
    "again",
    "over",
}


@pytest.mark.parametrize("block", range(BLOCKS))
def test_every_seeded_race_keeps_its_promises(block: int) -> None:
    seen: Counter[str] = Counter()
    for seed in range(block * SEEDS_PER_BLOCK, (block + 1) * SEEDS_PER_BLOCK):
        try:
            seen += simulate(seed)
        except Exception as failure:
            failure.add_note(f"make simulate SEED={seed}")
            raise
    assert ADVENTURES - seen.keys() == set()


def test_a_seed_is_the_same_race_each_time(capsys: pytest.CaptureFixture[str]) -> None:
    logs = []
    for _ in range(2):
        simulate(3, verbose=True)
        logs.append(capsys.readouterr().out)
    assert logs[0] == logs[1]
    assert "countdown" in logs[0]
