"""The documents name everything that an operator may set and a client may meet."""

import ast
import re
from dataclasses import fields
from pathlib import Path

import pytest

from server import protocol
from server.core.attempt import AttemptState
from server.core.source import SourceKind
from server.core.typed_text import ErrorRule
from server.core.verdict import Verdict
from server.protocol import CloseCode, ErrorCode
from server.settings import Settings

ROOT = Path(__file__).parents[1]
SERVER = sorted((ROOT / "server").rglob("*.py"))


def document(name: str) -> str:
    """The text of a document; nothing if there is none, so that all it lacks is named."""
    path = ROOT / "docs" / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


def unnamed(names: set[str], text: str) -> list[str]:
    """The names that do not stand in the text as code (numbers: anywhere)."""
    code = " ".join(re.findall(r"`([^`]+)`", text.replace("```", "`")))
    return sorted(
        name
        for name in names
        if not re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text if name.isdecimal() else code)
    )


def first_arguments(function: str) -> set[str]:
    """The strings that some function of the server is called with first."""
    calls = [
        node
        for path in SERVER
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    ]
    return {
        call.args[0].value
        for call in calls
        if call.args
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
        and (
            (isinstance(call.func, ast.Name) and call.func.id == function)
            or (isinstance(call.func, ast.Attribute) and call.func.attr == function)
        )
    }


def variables() -> set[str]:
    """Every variable of the environment that the settings read."""
    source = (ROOT / "server" / "settings.py").read_text(encoding="utf-8")
    return set(re.findall(r'environ(?:\.get\(|,\s*)"([A-Z_]+)"', source))


def test_every_setting_is_documented() -> None:
    assert variables() == {field.name.upper() for field in fields(Settings)}
    assert unnamed(variables(), document("settings.md")) == []


def test_default_of_every_number_is_documented() -> None:
    text = re.sub(r"(?<=\d)[,_ \u00a0\u202f](?=\d{3})", "", document("settings.md"))
    defaults = {field.name: str(field.default) for field in fields(Settings) if field.type is int}
    assert len(defaults) >= 5
    assert {name: value for name, value in defaults.items() if unnamed({value}, text)} == {}


CLIENT_TYPES = set(protocol._READERS)
SERVER_TYPES = first_arguments("encode") | {"ack"}  # which `encode_ack` makes
REJECT_CODES = first_arguments("_reject")


def test_names_below_are_really_found_in_the_code() -> None:
    assert {"hello", "open", "keys", "finish", "got", "ping"} <= CLIENT_TYPES
    assert {"welcome", "opened", "ack", "reject", "done", "stall", "pong", "drain"} <= SERVER_TYPES
    assert {"gap", "finished", "bad_event"} <= REJECT_CODES
    assert {"late_ms", "incomplete", "rhythm_variation"} <= first_arguments("Reason")


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(CLIENT_TYPES, id="messages from a client"),
        pytest.param(SERVER_TYPES, id="messages from the server"),
        pytest.param(REJECT_CODES, id="reject codes"),
        pytest.param({code.value for code in ErrorCode}, id="error codes"),
        pytest.param({str(int(code)) for code in CloseCode}, id="close codes"),
        pytest.param({state.value for state in AttemptState}, id="states"),
        pytest.param({kind.value for kind in SourceKind}, id="kinds of source"),
        pytest.param({rule.value for rule in ErrorRule}, id="rules"),
        pytest.param({verdict.value for verdict in Verdict}, id="verdicts"),
        pytest.param(first_arguments("Reason"), id="rules of the verdict"),
    ],
)
def test_protocol_names_every(names: set[str]) -> None:
    assert unnamed(names, document("protocol.md")) == []


ROWS = {
    "reliability.md": [f"R{number}" for number in range(1, 31)],
    "bad-input.md": [str(number) for number in range(1, 109)],
}


@pytest.mark.parametrize("name", ROWS)
def test_no_row_is_left_out_and_each_is_shown_by_something(name: str) -> None:
    cells = [line.split("|")[1:-1] for line in document(name).splitlines() if line[:2] == "| "]
    rows = {row[0].strip(): row[-1].strip() for row in cells}
    assert [row for row in ROWS[name] if not rows.get(row)] == []
    assert [row for row in ROWS[name] if "`" not in rows[row] and "." not in rows[row]] == []


@pytest.mark.parametrize("name", ROWS)
def test_what_is_promised_names_tests_that_there_are(name: str) -> None:
    promised = document(name)
    tests = {
        node.name
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    pages = "\n".join(path.read_text() for path in (ROOT / "tests/static").glob("*.test.js"))
    named = set(re.findall(r"`(test_\w+)`", promised))
    assert named
    assert named - tests == set()
    assert [told for told in re.findall(r"“([^”]+)”", promised) if told not in pages] == []
