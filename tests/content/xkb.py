"""The symbols files of xkb: which characters are on which key.

Of the language (https://xkbcommon.org/doc/current/keymap-text-format-v1.html) this reads what
keyboard layouts are written in: sections, includes, and the list of keysyms of each key.
"""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

# Positions of xkb, by the names that browsers give the same keys (KeyboardEvent.code).
CODES = {
    "TLDE": "Backquote",
    **{f"AE{n:02}": f"Digit{n % 10}" for n in range(1, 11)},
    "AE11": "Minus",
    "AE12": "Equal",
    **{f"AD{n:02}": f"Key{letter}" for n, letter in enumerate("QWERTYUIOP", 1)},
    "AD11": "BracketLeft",
    "AD12": "BracketRight",
    **{f"AC{n:02}": f"Key{letter}" for n, letter in enumerate("ASDFGHJKL", 1)},
    "AC10": "Semicolon",
    "AC11": "Quote",
    "BKSL": "Backslash",
    "LSGT": "IntlBackslash",
    **{f"AB{n:02}": f"Key{letter}" for n, letter in enumerate("ZXCVBNM", 1)},
    "AB08": "Comma",
    "AB09": "Period",
    "AB10": "Slash",
}
LEVELS_MAX = 4  # plain, Shift, AltGr, Shift + AltGr

_comment = re.compile(r"//[^\n]*")
_section = re.compile(r'((?:\w+\s+)*)xkb_symbols\s+"([^"]+)"\s*\{')
_statement = re.compile(r'include\s+"([^"]+)"|key\s+<(\w+)>\s*\{([^}]*)\}')
_symbols = re.compile(r"(?:symbols\[Group1\]\s*=\s*|^\s*)\[([^\]]*)\]")


class XkbUnknown(Exception):
    """A file, section or keysym that is not known here; the message names it."""


class Symbols:
    """The symbols files of one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keys(self, spec: str) -> dict[str, tuple[str, ...]]:
        """The keys of "fr" or "fr(azerty)" by their code, each with the keysyms of its levels.

        NoSymbol leaves what an include has put there, as in xkb. Raises XkbUnknown.
        """
        keys: dict[str, tuple[str, ...]] = {}
        for included, code, names in self._statements(spec):
            if included:
                for key, below in self.keys(included).items():
                    keys[key] = _over(below, keys.get(key, ()))
            elif code in CODES and (listed := _symbols.search(names)):
                levels = tuple(listed[1].replace(",", " ").split())[:LEVELS_MAX]
                keys[CODES[code]] = _over(levels, keys.get(CODES[code], ()))
        return keys

    def _statements(self, spec: str) -> Iterator[tuple[str, str, str]]:
        name, _, section = spec.rstrip(")").partition("(")
        try:
            text = (self._folder / name).read_text(encoding="utf-8", errors="replace")
        except OSError:
            raise XkbUnknown(f"There is no file {name} in {self._folder}.") from None
        text = _comment.sub("", text)
        for found in _section.finditer(text):
            wanted = found[2] == section if section else "default" in found[1].split()
            if wanted:
                body = text[found.end() : _end_of_block(text, found.end())]
                return (one.groups("") for one in _statement.finditer(body))  # type: ignore[misc]
        raise XkbUnknown(f"The file {name} has no section {section or 'marked default'}.")


def _end_of_block(text: str, start: int) -> int:
    depth = 1
    for at in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return at
    raise XkbUnknown("A section does not end.")


def _over(upper: tuple[str, ...], lower: tuple[str, ...]) -> tuple[str, ...]:
    """The keysyms of a key that is defined again: a NoSymbol shows what was there before."""
    filled = upper + ("NoSymbol",) * (len(lower) - len(upper))
    if "NoSymbol" not in upper:
        return upper
    return tuple(
        lower[level] if name == "NoSymbol" and level < len(lower) else name
        for level, name in enumerate(filled)
    )


# Keysyms

DEAD = {
    "dead_grave": "\u0300",
    "dead_acute": "\u0301",
    "dead_circumflex": "\u0302",
    "dead_tilde": "\u0303",
    "dead_macron": "\u0304",
    "dead_breve": "\u0306",
    "dead_abovedot": "\u0307",
    "dead_diaeresis": "\u0308",
    "dead_hook": "\u0309",
    "dead_abovering": "\u030a",
    "dead_doubleacute": "\u030b",
    "dead_caron": "\u030c",
    "dead_horn": "\u031b",
    "dead_belowdot": "\u0323",
    "dead_cedilla": "\u0327",
    "dead_ogonek": "\u0328",
    "dead_belowmacron": "\u0331",
}
# What makes no character that anybody is asked to type here.
NOTHING = {"NoSymbol", "VoidSymbol", "dead_stroke"}

_marked = re.compile(
    "([A-Za-z])(acute|grave|circumflex|tilde|diaeresis|cedilla|ogonek|caron|abovedot|ring|stroke)"
)
_NAMED_MARKS = {"abovedot": "dot above", "ring": "ring above"}
_CYRILLIC_NAMES = """
    a be ve ghe de ie zhe ze i shorti ka el em en o pe er es te u ef ha tse che sha shcha hardsign
    yeru softsign e yu ya io
"""
_CYRILLIC = dict(zip(_CYRILLIC_NAMES.split(), "абвгдежзийклмнопрстуфхцчшщъыьэюяё", strict=True))
_BY_UNICODE_NAME = {
    "exclam": "exclamation mark",
    "quotedbl": "quotation mark",
    "numbersign": "number sign",
    "dollar": "dollar sign",
    "percent": "percent sign",
    "parenleft": "left parenthesis",
    "parenright": "right parenthesis",
    "plus": "plus sign",
    "minus": "hyphen-minus",
    "period": "full stop",
    "slash": "solidus",
    "less": "less-than sign",
    "equal": "equals sign",
    "greater": "greater-than sign",
    "question": "question mark",
    "at": "commercial at",
    "bracketleft": "left square bracket",
    "bracketright": "right square bracket",
    "backslash": "reverse solidus",
    "asciicircum": "circumflex accent",
    "underscore": "low line",
    "grave": "grave accent",
    "braceleft": "left curly bracket",
    "braceright": "right curly bracket",
    "bar": "vertical line",
    "asciitilde": "tilde",
    "nobreakspace": "no-break space",
    "exclamdown": "inverted exclamation mark",
    "questiondown": "inverted question mark",
    "cent": "cent sign",
    "sterling": "pound sign",
    "currency": "currency sign",
    "yen": "yen sign",
    "brokenbar": "broken bar",
    "section": "section sign",
    "copyright": "copyright sign",
    "ordfeminine": "feminine ordinal indicator",
    "masculine": "masculine ordinal indicator",
    "guillemotleft": "left-pointing double angle quotation mark",
    "guillemotright": "right-pointing double angle quotation mark",
    "notsign": "not sign",
    "registered": "registered sign",
    "degree": "degree sign",
    "plusminus": "plus-minus sign",
    "onesuperior": "superscript one",
    "twosuperior": "superscript two",
    "threesuperior": "superscript three",
    "mu": "micro sign",
    "paragraph": "pilcrow sign",
    "periodcentered": "middle dot",
    "onequarter": "vulgar fraction one quarter",
    "onehalf": "vulgar fraction one half",
    "threequarters": "vulgar fraction three quarters",
    "oneeighth": "vulgar fraction one eighth",
    "threeeighths": "vulgar fraction three eighths",
    "fiveeighths": "vulgar fraction five eighths",
    "seveneighths": "vulgar fraction seven eighths",
    "multiply": "multiplication sign",
    "division": "division sign",
    "oe": "latin small ligature oe",
    "OE": "latin capital ligature oe",
    "ssharp": "latin small letter sharp s",
    "idotless": "latin small letter dotless i",
    "kra": "latin small letter kra",
    "Ooblique": "latin capital letter o with stroke",
    "oslash": "latin small letter o with stroke",
    "Greek_OMEGA": "greek capital letter omega",
    "Greek_pi": "greek small letter pi",
    "EuroSign": "euro sign",
    "numerosign": "numero sign",
    "trademark": "trade mark sign",
    "leftarrow": "leftwards arrow",
    "uparrow": "upwards arrow",
    "rightarrow": "rightwards arrow",
    "downarrow": "downwards arrow",
    "notequal": "not equal to",
    "lessthanequal": "less-than or equal to",
    "greaterthanequal": "greater-than or equal to",
    "infinity": "infinity",
    "logicaland": "logical and",
    "logicalor": "logical or",
    "ellipsis": "horizontal ellipsis",
    "endash": "en dash",
    "emdash": "em dash",
    "leftsinglequotemark": "left single quotation mark",
    "rightsinglequotemark": "right single quotation mark",
    "leftdoublequotemark": "left double quotation mark",
    "rightdoublequotemark": "right double quotation mark",
    "singlelowquotemark": "single low-9 quotation mark",
    "doublelowquotemark": "double low-9 quotation mark",
}
_LETTERS = ("ae", "eth", "thorn", "eng", "schwa")


def character(keysym: str) -> str | None:
    """The character of a keysym; None for one that makes none. Raises XkbUnknown."""
    if keysym in NOTHING:
        return None
    if len(keysym) == 1 and keysym.isascii():
        return keysym
    if coded := re.fullmatch(r"U([0-9A-Fa-f]{4,6})|0x100([0-9A-Fa-f]{4,6})", keysym):
        return chr(int(coded[1] or coded[2], 16))
    if keysym.startswith("Cyrillic_"):
        return _cased(keysym.removeprefix("Cyrillic_"), _CYRILLIC)
    try:
        return unicodedata.lookup(_unicode_name(keysym))
    except KeyError:
        raise XkbUnknown(f"The keysym {keysym} is not known here.") from None


def _cased(name: str, letters: dict[str, str]) -> str:
    letter = letters.get(name.lower())
    if letter is None:
        raise XkbUnknown(f"The Cyrillic letter {name} is not known here.")
    return letter.upper() if name[0].isupper() else letter


def _unicode_name(keysym: str) -> str:
    case = "capital" if keysym[:1].isupper() else "small"
    if keysym.lower() in _LETTERS:
        return f"latin {case} letter {keysym}"
    # slash and stroke are one thing: tslash is t with stroke.
    if found := _marked.fullmatch(re.sub(r"^(\w)slash$", r"\1stroke", keysym)):
        mark = _NAMED_MARKS.get(found[2], found[2])
        return f"latin {case} letter {found[1]} with {mark}"
    return _BY_UNICODE_NAME.get(keysym, keysym)
