"""Habits of this repository that fail the build, not the reviewer."""

import ast
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
LINES_MAX = 450
DRAWERS = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "service", "shared"}
SOURCE_ENDS = {".py", ".js", ".css", ".html", ".md", ".toml", ".yml", ".ini", ".json", ".jsonl"}
SELF = Path(__file__)
# Put together here, so that this file does not hold what it looks for.
UNFINISHED = re.compile("|".join(["TO" + "DO", "FIX" + "ME", "X" * 3 + r"\b", "HA" + "CK"]))
FOLDERS = "|".join(["wo" + "rk", "ro" + "ot", "ho" + "me", "tm" + "p"])
MACHINE_PATHS = re.compile(rf"(?<![\w.])/({FOLDERS})\b(?!-)")
SKIPPED = re.compile(r"pytest\.(mark\.)?(skip|xfail)|\b(test|it|describe)\.(skip|todo|only)\b")


def files(*folders: str) -> list[Path]:
    """The project's own text files in these folders, caches apart."""
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*"))]
    found += [path for path in sorted(ROOT.iterdir()) if not folders]
    return [
        path
        for path in found
        if path.is_file()
        and "__pycache__" not in path.parts
        and (path.suffix in SOURCE_ENDS or path.name in ("Makefile", "Dockerfile", "Procfile"))
    ]


CODE = files("server", "static", "migrations", "tools")
TESTS = files("tests")
EVERYTHING = [*CODE, *TESTS, *files("docs", ".ci"), *files()]
PYTHON = [path for path in [*CODE, *TESTS] if path.suffix == ".py"]


def found(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    """Where a pattern stands, as path:line."""
    return [
        f"{path.relative_to(ROOT)}:{number}"
        for path in paths
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]


def test_there_is_something_to_look_at() -> None:
    assert len(CODE) > 40
    assert ROOT / "server" / "core" / "text.py" in PYTHON
    assert ROOT / "pyproject.toml" in EVERYTHING


def test_no_file_or_folder_is_a_drawer_for_anything() -> None:
    names = {part for path in [*CODE, *TESTS] for part in (path.stem, path.parent.name)}
    assert {name for name in names if set(re.split(r"[_\-.]", name.lower())) & DRAWERS} == set()


def test_code_files_are_short_enough_to_read() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in CODE
        if path.suffix in (".py", ".js", ".css")
        # A language is one list of words, looked up and never read through.
        and path.parent.name != "messages"
        and (lines := len(path.read_text(encoding="utf-8").splitlines())) > LINES_MAX
    }
    assert long == {}


def test_nothing_is_left_to_be_done_later() -> None:
    assert found(UNFINISHED, EVERYTHING) == []


def test_no_test_is_skipped() -> None:
    assert found(SKIPPED, [path for path in TESTS if path != SELF]) == []


def test_no_path_of_somebodys_machine_is_written_down() -> None:
    assert found(MACHINE_PATHS, EVERYTHING) == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in files("server")
        if path.suffix == ".py" and not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert silent == []


def handlers(path: Path) -> Iterator[ast.ExceptHandler]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return (node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler))


def test_no_exception_is_caught_without_a_name() -> None:
    bare = [
        f"{path.relative_to(ROOT)}:{handler.lineno}"
        for path in PYTHON
        for handler in handlers(path)
        if handler.type is None
        or (isinstance(handler.type, ast.Name) and handler.type.id == "BaseException")
    ]
    assert bare == []


SUPPRESSION = re.compile(r"#\s*(type:\s*ignore|noqa)")
EXPLAINED = re.compile(r"#\s*(type:\s*ignore\[[\w\-, ]+\]|noqa:\s*[A-Z]+\d+(, ?[A-Z]+\d+)*)")


def comments(path: Path) -> Iterator[tokenize.TokenInfo]:
    with path.open("rb") as file:
        tokens = list(tokenize.tokenize(file.readline))
    return (token for token in tokens if token.type == tokenize.COMMENT)


def test_no_check_is_silenced_as_a_whole() -> None:
    """A silenced check names its rule: `type: ignore[code]`, `noqa: CODE`."""
    silenced = [
        f"{path.relative_to(ROOT)}:{comment.start[0]}"
        for path in PYTHON
        for comment in comments(path)
        if SUPPRESSION.search(comment.string) and not EXPLAINED.search(comment.string)
    ]
    assert silenced == []
