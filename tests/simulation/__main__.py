"""Simulated races by hand.

python -m tests.simulation SEED          one seed, with a log of all that happens
python -m tests.simulation FIRST LAST    all these, which tells the seeds that fail
"""

import sys

from tests.simulation.simulation import simulate


def replay(seed: int) -> None:
    seen = simulate(seed, verbose=True)
    print(", ".join(f"{what}: {times}" for what, times in sorted(seen.items())))


def hunt(first: int, last: int) -> int:
    """The number of seeds that fail."""
    failed = 0
    for seed in range(first, last + 1):
        try:
            simulate(seed)
        except Exception as failure:
            failed += 1
            print(f"{seed}: {failure!r}")
    return failed


if __name__ == "__main__":
    match [int(argument) for argument in sys.argv[1:]]:
        case [seed]:
            replay(seed)
        case [first, last]:
            sys.exit(1 if hunt(first, last) else 0)
        case _:
            sys.exit(__doc__)
