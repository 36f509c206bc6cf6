"""`make content`: the words that lessons are made of, and the lessons of the default layouts."""

import json
import sys

from server.core.course import LESSONS
from server.core.lesson import lesson_text
from server.core.lesson_words import Material
from server.core.source import DEFAULT_LAYOUTS
from server.lessons import CONTENT, read_material, read_words


def write_words(language: str) -> None:
    """The list of words anew; needs the packages of the group `content`."""
    from tests.content.words import lesson_words

    unwanted = Material((), (), read_words(language, "unwanted"))
    words = lesson_words(language, read_words(language, "words"), unwanted)
    path = CONTENT / language / "lesson_words.txt"
    path.write_text("".join(f"{word}\n" for word in words), encoding="utf-8")


def lessons_file(language: str, layout: str) -> str:
    """What the file of a language's lessons must hold."""
    material = read_material(language)
    lines = []
    for lesson in LESSONS:
        made = lesson_text(lesson, language, layout, material)
        row = {"lesson": lesson.id, "target_keys": made.target_keys, "text": made.text}
        lines.append(json.dumps(row, ensure_ascii=False) + "\n")
    return "".join(lines)


if __name__ == "__main__":
    for language, layout in DEFAULT_LAYOUTS.items():
        if "words" in sys.argv:
            write_words(language)
        path = CONTENT / language / "lessons.jsonl"
        path.write_text(lessons_file(language, layout), encoding="utf-8")
