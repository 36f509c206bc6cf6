"""The words that lessons are made of, out of wordfreq and what dictionaries say of each word.

Needs the packages of the group `content`.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pymorphy3
import spylls
from spylls.hunspell import Dictionary
from wordfreq import top_n_list

from server.core.lesson_words import Material

RANKS = 40_000
# What opencorpora says of words that are names, short forms, slang or mistakes.
RUSSIAN_JUNK = {
    "Name", "Surn", "Patr", "Geox", "Abbr", "Init", "Orgn", "Trad", "Erro", "Dist", "Infr", "Slng",
    "Arch",
}  # fmt: skip
WANTED = {"en": 3_500, "ru": 4_500}
SHAPE = {"en": re.compile("[a-z]{3,13}"), "ru": re.compile("[а-яё]{3,13}")}


def lesson_words(language: str, reviewed: list[str], material: Material) -> list[str]:
    """The reviewed words, then less common ones that a dictionary knows and nobody minds.

    What is more common than the last of the reviewed has been looked at, and was left out.
    """
    ranked = top_n_list(language, RANKS, wordlist="large")
    commoner = set(reviewed)
    last = max(rank for rank, word in enumerate(ranked) if word in commoner)
    spelled = {"en": _english, "ru": _russian}[language]()
    words = dict.fromkeys(filter(material.is_wanted, reviewed))
    for word in ranked[last + 1 :]:
        known = spelled(word) if SHAPE[language].fullmatch(word) else None
        if known and material.is_wanted(known):
            words.setdefault(known)
        if len(words) >= len(reviewed) + WANTED[language]:
            break
    return list(words)


def _english() -> Callable[[str], str | None]:
    folder = Path(spylls.__file__).parent / "hunspell" / "data" / "en"
    dictionary = Dictionary.from_files(str(folder / "en_US"))
    return lambda word: word if dictionary.lookup(word) else None


def _russian() -> Callable[[str], str | None]:
    morphology = pymorphy3.MorphAnalyzer()

    def spelled(word: str) -> str | None:
        """With its ё; None for a word that may have one or not."""
        if not morphology.word_is_known(word):
            return None
        readings = morphology.parse(word)
        forms = {reading.word for reading in readings}
        junk = any(RUSSIAN_JUNK & set(reading.tag.grammemes) for reading in readings)
        return None if junk or len(forms) > 1 else str(forms.pop())

    return spelled
