"""`python -m tests.golden` writes the golden files anew. A diff there is a change of the rules."""

import json
from pathlib import Path
from typing import Any

from server.core.replay import retype
from server.core.text import Text, canonical, graphemes, key_name
from server.core.typed_text import ErrorRule, Keystroke
from tests.golden.cases import GRAPHEMES, KEY_NAMES, SAME, SCORES, ScoreCase

HERE = Path(__file__).parent


def expected(case: ScoreCase) -> dict[str, Any]:
    """What the Python core makes of a case."""
    events = [Keystroke(*event) for event in case.events]
    text = Text.of(case.text)
    typed_text = retype(text, ErrorRule(case.rule), case.limit_ms, events, case.race)
    return {
        "counted": typed_text.keystrokes,
        "complete": typed_text.complete,
        "typed": "".join(typed_text.typed),
        "result": typed_text.score(case.late_ms).columns(),
    }


def as_json(case: ScoreCase) -> dict[str, Any]:
    return {
        "name": case.name,
        "text": case.text,
        "rules": {"errors": case.rule},
        "limit_ms": case.limit_ms,
        "race": case.race,
        "events": [list(event) for event in case.events],
        "late_ms": case.late_ms,
        "expect": expected(case),
    }


def write(name: str, content: Any) -> None:
    text = json.dumps(content, ensure_ascii=False, indent=1)
    (HERE / name).write_text(text + "\n", encoding="utf-8")


def main() -> None:
    write("scores.json", [as_json(case) for case in SCORES])
    write(
        "text.json",
        {
            "graphemes": [{"text": text, "graphemes": graphemes(text)} for text in GRAPHEMES],
            "same": [{"a": a, "b": b, "same": canonical(a) == canonical(b)} for a, b in SAME],
            "key_names": [{"grapheme": key, "name": key_name(key)} for key in KEY_NAMES],
        },
    )


if __name__ == "__main__":
    main()
