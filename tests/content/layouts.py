"""`python -m tests.content.layouts [FOLDER]` makes the data of the layouts from xkb-data.

It writes the same data twice: server/core/layout_data.py for the server, static/layout_data.js for
the pages. FOLDER holds the symbols files; it is /usr/share/X11/xkb/symbols if it is not given.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.content.xkb import DEAD, Symbols, XkbUnknown, character

ROOT = Path(__file__).parents[2]
FOLDER = Path("/usr/share/X11/xkb/symbols")
PYTHON = ROOT / "server" / "core" / "layout_data.py"
JAVASCRIPT = ROOT / "static" / "layout_data.js"

# The keys of an ISO keyboard that carry characters, row by row.
ROWS = [
    "Backquote Digit1 Digit2 Digit3 Digit4 Digit5 Digit6 Digit7 Digit8 Digit9 Digit0 Minus Equal",
    "KeyQ KeyW KeyE KeyR KeyT KeyY KeyU KeyI KeyO KeyP BracketLeft BracketRight",
    "KeyA KeyS KeyD KeyF KeyG KeyH KeyJ KeyK KeyL Semicolon Quote Backslash",
    "IntlBackslash KeyZ KeyX KeyC KeyV KeyB KeyN KeyM Comma Period Slash",
]
EMPTY = "◌"


@dataclass(frozen=True, slots=True)
class Made:
    """A layout as it is written down: a row is its keys, a key the characters of its levels."""

    title: str
    shape: str
    rows: Sequence[str]


# The sections whose keys are what is printed on the keyboards that people buy; and their shape.
SECTIONS = {
    "qwerty": ("QWERTY", "ansi", "us(basic)"),
    "dvorak": ("Dvorak", "ansi", "us(dvorak)"),
    "colemak": ("Colemak", "ansi", "us(colemak)"),
    "colemak_dh": ("Colemak-DH", "ansi", "us(colemak_dh)"),
    "workman": ("Workman", "ansi", "us(workman)"),
    "uk": ("UK QWERTY", "iso", "gb(basic)"),
    "azerty": ("AZERTY", "iso", "fr(azerty)"),
    "qwertz": ("QWERTZ", "iso", "de(basic)"),
    "spanish": ("Español", "iso", "es(basic)"),
    "polish": ("Polski", "ansi", "pl(basic)"),
    "jcuken": ("ЙЦУКЕН", "ansi", "ru(winkeys)"),
}
# AltGr that is xkb's alone, and would be taken for the easier place of what is printed elsewhere.
NOT_PRINTED = {"spanish": ["KeyQ"]}  # @ is on 2


def make(symbols: Symbols) -> dict[str, Made]:
    """Every layout. Raises XkbUnknown."""
    made = {}
    for name, (title, shape, spec) in SECTIONS.items():
        keys = symbols.keys("pc(pc105)") | symbols.keys(spec)
        if shape == "ansi":
            keys.pop("IntlBackslash", None)  # there is no such key
        for code in NOT_PRINTED.get(name, ()):
            keys[code] = keys[code][:2]
        rows = [" ".join(token(keys.get(code, ())) for code in row.split()) for row in ROWS]
        made[name] = Made(title, shape, rows)
    return made


def token(keysyms: Sequence[str]) -> str:
    """A key as it is written down: ◌ where a level has nothing, ◌ with its mark for a dead key."""
    levels = [_level(keysym) for keysym in keysyms]
    while levels and levels[-1] == EMPTY:
        levels.pop()
    return "".join(levels) or EMPTY


def _level(keysym: str) -> str:
    if keysym in DEAD:
        return EMPTY + DEAD[keysym]
    found = character(keysym)
    # Spaces part the keys; and a key of which a space is wanted is the space bar.
    return EMPTY if found is None or found.isspace() else found


PYTHON_HEAD = '''\
"""What is on the keys of each layout. Made by `make layouts` from xkb-data: do not edit.

A row is its keys from the left, parted by spaces, as on an ISO keyboard: the number row begins with
Backquote, the top row with KeyQ, the home row with KeyA and ends with Backslash, the bottom row
begins with IntlBackslash. A key is its characters: plain, with Shift, with AltGr, with both. ◌ is
nothing, and with a mark the dead key of that mark. Licence: layout_data.LICENSE.md.
"""

# name -> title, shape, rows
KEYBOARDS: dict[str, tuple[str, str, tuple[str, str, str, str]]] = {
'''
JAVASCRIPT_HEAD = """\
/** server/core/layout_data.py for the pages. Made by `make layouts`: do not edit. */

/**
 * @typedef {object} Keyboard
 * @property {string} title
 * @property {'ansi'|'iso'} shape
 * @property {string[]} languages that it types
 * @property {string[]} rows the characters of each key: plain, with Shift, with AltGr, with both
 */

export const KEYBOARDS = {
"""


def python_module(layouts: Mapping[str, Made]) -> str:
    """The module of the server, formatted as ruff would."""
    lines = [PYTHON_HEAD]
    for name, made in layouts.items():
        lines.append(
            f'    "{name}": (\n        "{made.title}",\n        "{made.shape}",\n        (\n'
        )
        lines += [f"            {quoted(row, prefer=chr(34))},\n" for row in made.rows]
        lines.append("        ),\n    ),\n")
    return "".join([*lines, "}\n"])


def javascript_module(layouts: Mapping[str, Made], languages: Mapping[str, Sequence[str]]) -> str:
    """The module of the pages, formatted as biome would."""
    lines = [JAVASCRIPT_HEAD]
    for name, made in layouts.items():
        typed = ", ".join(f"'{language}'" for language in languages[name])
        lines.append(f"  {name}: {{\n    title: '{made.title}',\n    shape: '{made.shape}',\n")
        lines.append(f"    languages: [{typed}],\n    rows: [\n")
        lines += [f"      {quoted(row, prefer=chr(39))},\n" for row in made.rows]
        lines.append("    ],\n  },\n")
    return "".join([*lines, "};\n"])


def quoted(text: str, prefer: str) -> str:
    """A literal of both languages, in the quotes that need fewer escapes."""
    other = {"'": '"', '"': "'"}[prefer]
    quote = other if text.count(prefer) > text.count(other) else prefer
    escaped = text.replace("\\", "\\\\").replace(quote, f"\\{quote}")
    return f"{quote}{escaped}{quote}"


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    if not folder.is_dir():
        sys.exit(
            f"There are no symbols files in {folder}: apt-get install xkb-data, or name a folder."
        )
    try:
        layouts = make(Symbols(folder))
    except XkbUnknown as unknown:
        sys.exit(str(unknown))
    PYTHON.write_text(python_module(layouts), encoding="utf-8")
    # Not before: it reads what has just been written.
    from server.core.layout import LAYOUTS

    languages = {name: layout.languages for name, layout in LAYOUTS.items()}
    JAVASCRIPT.write_text(javascript_module(layouts, languages), encoding="utf-8")


if __name__ == "__main__":
    main()
