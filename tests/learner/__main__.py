"""Compare the policies and write the table into docs/practice.md: python -m tests.learner.

With a number, other learners than those of the table are drawn, and the table is only printed.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from statistics import mean, median
from time import gmtime, monotonic, strftime

from tests.learner.person import KINDS, Kind
from tests.learner.policies import POLICIES, Policy
from tests.learner.trial import HALFWAY, LOOKS, PRESSES_MAX, Outcome, run

SEEDS = 8  # learners of each kind
DOCUMENT = Path(__file__).parents[2] / "docs" / "practice.md"
BEGIN, END = "<!-- learners -->\n", "<!-- end of learners -->\n"


def _run(trial: tuple[Kind, type[Policy], int]) -> Outcome:
    return run(*trial)


def table(outcomes: Mapping[tuple[str, str], Sequence[Outcome]]) -> str:
    """Markdown: a row for each learner and policy, means over the seeds; of the keystrokes all."""
    looks = " | ".join(f"found at {look:,}" for look in LOOKS)
    lines = [
        f"| learner | policy | {looks} | there at {HALFWAY:,} | keystrokes to the target"
        " | quickest to slowest |",
        "|---|---|" + "---:|" * (len(LOOKS) + 3),
    ]
    for (kind, policy), found in outcomes.items():
        shares = [f"{mean(one.found[at] for one in found):.0%}" for at in range(len(LOOKS))]
        there = f"{mean(one.there for one in found):.0%}"
        presses = sorted(one.presses for one in found)
        spread = " to ".join(dict.fromkeys([_said(presses[0]), _said(presses[-1])]))
        cells = [kind, policy, *shares, there, _said(median(presses)), spread]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _said(presses: float) -> str:
    return f"{presses:,.0f}" if presses < PRESSES_MAX else f"over {PRESSES_MAX:,}"


def outcomes_of(seeds: Sequence[int]) -> dict[tuple[str, str], list[Outcome]]:
    """Each kind of learner under each policy, on all processors; says how far it is."""
    trials = [(kind, policy, seed) for kind in KINDS for policy in POLICIES for seed in seeds]
    began = monotonic()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        running = [pool.submit(_run, trial) for trial in trials]
        for done, _ in enumerate(as_completed(running), 1):
            print(f"\r{done}/{len(trials)}, {monotonic() - began:.0f} s", end="", file=sys.stderr)
    print(file=sys.stderr)
    outcomes: dict[tuple[str, str], list[Outcome]] = {}
    for (kind, policy, _), one in zip(trials, running, strict=True):
        outcomes.setdefault((kind.name, policy.name), []).append(one.result())
    return outcomes


def main() -> None:
    first = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    written = table(outcomes_of(range(first, first + SEEDS)))
    print(written)
    if first:
        return
    today = strftime("%Y-%m-%d", gmtime())
    said = f"{SEEDS} learners of each kind, {today}:\n\n{written}"
    document = DOCUMENT.read_text(encoding="utf-8")
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    DOCUMENT.write_text(before + BEGIN + "\n" + said + "\n" + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
