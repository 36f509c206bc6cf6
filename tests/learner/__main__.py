"""Compare the policies and write the table into docs/practice.md: python -m tests.learner."""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import mean, median

from tests.learner.person import KINDS, Kind
from tests.learner.policies import POLICIES, Policy
from tests.learner.trial import HALFWAY, LOOKS, PRESSES_MAX, Outcome, run

SEEDS = range(3)
DOCUMENT = Path(__file__).parents[2] / "docs" / "practice.md"
BEGIN, END = "<!-- learners -->\n", "<!-- end of learners -->\n"


def _run(trial: tuple[Kind, type[Policy], int]) -> Outcome:
    return run(*trial)


def table(outcomes: Mapping[tuple[str, str], Sequence[Outcome]]) -> str:
    """Markdown: a row for each learner and policy, means and medians over the seeds."""
    looks = " | ".join(f"found at {look:,}" for look in LOOKS)
    lines = [
        f"| learner | policy | {looks} | there at {HALFWAY:,} | keystrokes to the target |",
        "|---|---|" + "---:|" * (len(LOOKS) + 2),
    ]
    for (kind, policy), found in outcomes.items():
        shares = [f"{mean(one.found[at] for one in found):.0%}" for at in range(len(LOOKS))]
        there = f"{mean(one.there for one in found):.0%}"
        middle = median(one.presses for one in found)
        presses = f"{middle:,.0f}" if middle < PRESSES_MAX else f"over {PRESSES_MAX:,}"
        lines.append(f"| {kind} | {policy} | {' | '.join(shares)} | {there} | {presses} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    trials = [(kind, policy, seed) for kind in KINDS for policy in POLICIES for seed in SEEDS]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(_run, trials))
    outcomes: dict[tuple[str, str], list[Outcome]] = {}
    for (kind, policy, _), outcome in zip(trials, found, strict=True):
        outcomes.setdefault((kind.name, policy.name), []).append(outcome)
    written = table(outcomes)
    print(written)
    document = DOCUMENT.read_text(encoding="utf-8")
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    DOCUMENT.write_text(before + BEGIN + "\n" + written + "\n" + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
