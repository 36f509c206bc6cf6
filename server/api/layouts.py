"""The layouts, key by key; and what a person may choose and change of them."""

import unicodedata
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from server.api.endpoint import Answer, Call, Endpoint, Model, Parts
from server.api.routes import not_found
from server.core.layout import (
    ALPHABETS,
    CODES,
    FINGER_NAMES,
    LAYOUTS,
    Finger,
    Hand,
    KeyPlace,
    KeyRow,
    Layout,
    Level,
    Shape,
    character_places,
    key_of,
    types,
)
from server.core.text import KeyRefused, normal_key

TAG = "layouts"
REMAPS_MAX = 64
# Layouts change with releases of the program, not while it runs.
CACHED = {"Cache-Control": "public, max-age=3600"}


def _one_of(names: Iterable[str]) -> Callable[[str], str]:
    known = frozenset(names)

    def check(value: str) -> str:
        if value not in known:
            raise ValueError(f"must be one of: {', '.join(sorted(known))}")
        return value

    return check


def _listed(names: Iterable[str]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": list(names)})


KnownLayout = Annotated[str, AfterValidator(_one_of(LAYOUTS)), _listed(LAYOUTS)]
KnownLanguage = Annotated[str, AfterValidator(_one_of(ALPHABETS)), _listed(ALPHABETS)]
KeyCode = Annotated[str, AfterValidator(_one_of(CODES)), _listed(CODES)]
FingerName = Annotated[str, AfterValidator(_one_of(FINGER_NAMES)), _listed(FINGER_NAMES)]
LevelName = Literal["plain", "shift", "altgr", "shift_altgr"]


def _a_character(value: str) -> str:
    try:
        normal = normal_key(value)
    except KeyRefused as refused:
        raise ValueError(str(refused)) from None
    if normal.isspace() or unicodedata.category(normal[0]).startswith(("M", "C")):
        raise ValueError("must be one character that is seen")
    return normal


# Chosen and changed


class KeyRemap(Model):
    """A character of one's own on a key of a layout."""

    layout: KnownLayout
    code: KeyCode
    level: LevelName
    character: Annotated[str, Field(min_length=1, max_length=8), AfterValidator(_a_character)]


class OwnRemaps(Model):
    """At most 64 changes in all. A letter without Shift takes its capital along.

    `fingers` says by the key's code which finger presses it, on every layout.
    """

    keys: list[KeyRemap] = Field(default_factory=list)
    fingers: dict[KeyCode, FingerName] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _few_and_no_key_twice(self) -> "OwnRemaps":
        if len(self.keys) + len(self.fingers) > REMAPS_MAX:
            raise ValueError(f"at most {REMAPS_MAX} keys and fingers can be changed")
        if len({(one.layout, one.code, one.level) for one in self.keys}) < len(self.keys):
            raise ValueError("a key is given twice")
        return self


def layouts_by_language(chosen: dict[str, str]) -> dict[str, str]:
    """Refuses a layout that does not type its language."""
    if not all(types(layout, language) for language, layout in chosen.items()):
        raise ValueError("a layout does not type its language")
    return chosen


ChosenLayouts = Annotated[dict[KnownLanguage, KnownLayout], AfterValidator(layouts_by_language)]


# Shown


class LayoutEntry(Model):
    """`languages` are those of which every letter is on the layout."""

    name: str
    title: str
    shape: Shape
    languages: list[str]


class LayoutsAnswer(Model):
    layouts: list[LayoutEntry]


class Key(Model):
    """A key: `code` is KeyboardEvent.code, `column` counts from the left; no `hand` for thumbs.

    `characters` has what it gives by level; a dead key gives its combining mark.
    """

    code: str
    row: KeyRow
    column: int
    hand: Hand | None
    finger: Finger
    characters: dict[Level, str]


class Press(Model):
    """A key, and what is held meanwhile."""

    code: str
    level: Level


class Character(Model):
    """Where a character is typed: at its easiest place. `dead` is pressed before."""

    character: str
    code: str
    level: Level
    dead: Press | None


class LayoutAnswer(LayoutEntry):
    keys: list[Key]
    characters: list[Character]


async def list_layouts(_parts: Parts, _call: Call) -> Answer:
    entries = [LayoutEntry(**_entry(layout)) for layout in LAYOUTS.values()]
    return Answer(LayoutsAnswer(layouts=entries), headers=CACHED)


async def show_layout(_parts: Parts, call: Call) -> Answer:
    layout = LAYOUTS.get(call.request.path_params["name"])
    if layout is None:
        raise not_found()
    shown = LayoutAnswer(
        **_entry(layout),
        keys=[_key(layout, code) for code in CODES if code in layout.keys],
        characters=[
            _character(character, place)
            for character, place in sorted(character_places(layout.name).items())
        ],
    )
    return Answer(shown, headers=CACHED)


def _entry(layout: Layout) -> dict[str, Any]:
    languages = list(layout.languages)
    return {
        "name": layout.name,
        "title": layout.title,
        "shape": layout.shape,
        "languages": languages,
    }


def _key(layout: Layout, code: str) -> Key:
    place = key_of(code, layout.shape)
    if place is None:
        raise LookupError(f"{code} is no key")
    levels = zip(Level, layout.keys[code], strict=False)
    return Key(
        code=code,
        row=place.row,
        column=place.column,
        hand=place.hand,
        finger=place.finger,
        characters={level: character for level, character in levels if character},
    )


def _character(character: str, place: KeyPlace) -> Character:
    dead = None
    if place.dead is not None:
        dead = Press(code=place.dead.code, level=place.dead.level)
    return Character(character=character, code=place.code, level=place.level, dead=dead)


ENDPOINTS: list[Endpoint] = [
    Endpoint(
        "GET",
        "/layouts",
        list_layouts,
        "The keyboard layouts, and which languages each types",
        TAG,
        answer=LayoutsAnswer,
    ),
    Endpoint(
        "GET",
        "/layouts/{name}",
        show_layout,
        "A layout: each of its keys, and where each character is",
        TAG,
        answer=LayoutAnswer,
        errors={404: ("not_found",)},
        path_patterns={"name": r"[a-z0-9_]{1,32}"},
    ),
]
