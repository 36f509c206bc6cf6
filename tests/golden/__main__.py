"""`python -m tests.golden` writes the golden files anew. A diff there is a change of the rules."""

import json
from pathlib import Path
from typing import Any

from server.core.layout import (
    LAYOUTS,
    UNCHANGED,
    Finger,
    Hand,
    KeyPlace,
    Layout,
    Level,
    Remaps,
    character_places,
)
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


SWAPPED = Remaps(
    characters=(
        ("KeyQ", Level.PLAIN, "w"),
        ("KeyW", Level.PLAIN, "q"),
        ("Digit0", Level.ALTGR, "é"),
        ("KeyM", Level.SHIFT, "µ"),
    ),
    fingers=(("KeyC", Hand.LEFT, Finger.INDEX), ("KeyY", Hand.LEFT, Finger.INDEX)),
)


def pressed(place: KeyPlace) -> str:
    """A place in the words of the pages: key, level, finger; before it the dead key's."""
    hand = "right" if place.hand is None else place.hand.value
    own = f"{place.code} {place.level} {hand}{place.finger.capitalize()}"
    return own if place.dead is None else f"{pressed(place.dead)}, {own}"


def layout_json(layout: Layout, remaps: Remaps = UNCHANGED) -> dict[str, Any]:
    places = character_places(layout.name, remaps)
    return {
        "name": layout.name,
        "languages": list(layout.languages),
        "remaps": {
            "keys": [
                {"layout": layout.name, "code": code, "level": level.value, "character": character}
                for code, level, character in remaps.characters
            ],
            "fingers": {code: f"{hand}_{finger}" for code, hand, finger in remaps.fingers},
        },
        "places": {character: pressed(places[character]) for character in sorted(places)},
    }


def layouts() -> list[dict[str, Any]]:
    """Every layout, and two with keys and fingers changed."""
    plain = [layout_json(layout) for layout in LAYOUTS.values()]
    return plain + [layout_json(LAYOUTS[name], SWAPPED) for name in ("qwerty", "qwertz")]


def write(name: str, content: Any) -> None:
    text = json.dumps(content, ensure_ascii=False, indent=1)
    (HERE / name).write_text(text + "\n", encoding="utf-8")


def main() -> None:
    write("layouts.json", layouts())
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
