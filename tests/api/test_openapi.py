"""The OpenAPI document says what the routes do, because both come from one list."""

import re
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal

import httpx
import jsonschema_rs
import pytest
from pydantic import BaseModel, Field
from starlette.applications import Starlette

from server.api.docs_page import documents
from server.api.endpoint import Call, Endpoint, Model, Parts, Query, Who
from server.api.openapi import openapi
from server.app import ENDPOINTS as ALL

ROOT = Path(__file__).parents[2]
UUID = r"[0-9a-f-]{36}"


class Colour(Model):
    name: str = Field(min_length=1, max_length=20, description="What it is called.")


class Thing(Model):
    id: str
    colours: list[Colour]
    made_at: int | None = None


class Wanted(Query):
    limit: int = Field(default=20, ge=1, le=100, description="How many.")
    kind: Literal["a", "b"] | None = None
    name: str


async def list_things(_parts: Parts, _call: Call) -> BaseModel:
    """Newest first."""
    return Thing(id="", colours=[])


async def replace_thing(_parts: Parts, _call: Call) -> BaseModel:
    return Thing(id="", colours=[])


ENDPOINTS = [
    Endpoint("GET", "/things", list_things, "List things", "things", query=Wanted, answer=Thing),
    Endpoint(
        "PUT",
        "/things/{id}",
        replace_thing,
        "Replace a thing",
        "things",
        who=Who.MEMBER,
        body=Thing,
        answer=Thing,
        status=201,
        errors={409: ["taken"], 403: ["sealed"]},
        path_patterns={"id": UUID},
    ),
    Endpoint(
        "DELETE", "/things/{id}", replace_thing, "Drop it", "things", who=Who.PERSON, status=204
    ),
]


@pytest.fixture
def document() -> dict[str, Any]:
    return openapi(ENDPOINTS, "/api/v1")


def test_every_endpoint_is_there_once(document: dict[str, Any]) -> None:
    found = [(method, path) for path, item in document["paths"].items() for method in item]
    assert sorted(found) == [
        ("delete", "/api/v1/things/{id}"),
        ("get", "/api/v1/things"),
        ("put", "/api/v1/things/{id}"),
    ]
    ids = [item[method]["operationId"] for item in document["paths"].values() for method in item]
    assert ids[0] == "test_openapi_list_things"


def test_same_list_gives_same_document(document: dict[str, Any]) -> None:
    assert openapi(list(reversed(ENDPOINTS)), "/api/v1") == document


def test_query_is_described(document: dict[str, Any]) -> None:
    operation = document["paths"]["/api/v1/things"]["get"]
    assert operation["description"] == "Newest first.\n\nFor anyone."
    limit, kind, name = operation["parameters"]
    assert limit == {
        "name": "limit",
        "in": "query",
        "required": False,
        "description": "How many.",
        "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
    }
    assert kind["schema"] == {"enum": ["a", "b"], "type": "string"}
    assert name["required"] is True


def test_path_and_body_and_answer_are_described(document: dict[str, Any]) -> None:
    operation = document["paths"]["/api/v1/things/{id}"]["put"]
    assert operation["parameters"] == [
        {
            "name": "id",
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": f"^(?:{UUID})$"},
        }
    ]
    body = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    answer = operation["responses"]["201"]["content"]["application/json"]["schema"]["$ref"]
    for reference in (body, answer):
        assert reference.rpartition("/")[2] in document["components"]["schemas"]
    assert "content" not in document["paths"]["/api/v1/things/{id}"]["delete"]["responses"]["204"]


def codes(document: dict[str, Any], method: str, path: str) -> dict[str, list[str]]:
    responses = document["paths"][path][method]["responses"]
    return {
        status: response["content"]["application/json"]["schema"]["allOf"][1]["properties"][
            "error"
        ]["properties"]["code"]["enum"]
        for status, response in responses.items()
        if int(status) >= HTTPStatus.BAD_REQUEST
    }


def test_errors_are_those_of_the_endpoint_and_those_of_its_kind(document: dict[str, Any]) -> None:
    always = {
        "401": ["unauthorized"],
        "403": ["disabled"],
        "422": ["invalid"],
        "429": ["rate"],
        "500": ["internal"],
        "503": ["store"],
    }
    assert codes(document, "get", "/api/v1/things") == always
    assert codes(document, "put", "/api/v1/things/{id}") == always | {
        "400": ["bad_json"],
        "403": ["account_required", "cross_site", "disabled", "sealed"],
        "404": ["not_found"],
        "409": ["taken"],
        "413": ["too_large"],
        "415": ["unsupported_media_type"],
    }


def test_who_may_call_is_said(document: dict[str, Any]) -> None:
    paths = document["paths"]
    assert paths["/api/v1/things"]["get"]["security"] == [{}, {"bearer": []}]
    assert paths["/api/v1/things/{id}"]["delete"]["security"] == [{"bearer": []}]


def references(part: Any) -> set[str]:
    if isinstance(part, dict):
        own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
        return own.union(*map(references, part.values()))
    return set().union(*map(references, part)) if isinstance(part, list) else set()


def test_schemas_are_schemas_and_nothing_refers_to_nothing(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for schema in schemas.values():
        jsonschema_rs.meta.validate(schema)
    assert references(document) <= {f"#/components/schemas/{name}" for name in schemas}


# Refusals that no page of ours shows by their code: pages do not meet the first ones, of the others
# they say more than a code does.
UNSAID = {
    *("bad_json", "bad_signature", "cross_site", "unsupported_media_type"),
    *("invalid_refresh_token", "refresh_reused"),
    *("invalid", "no_plans", "plan_required", "rate", "too_many_rows", "unknown_format"),
    "weak_password",
}


@pytest.mark.parametrize("language", ["en", "ru"])
def test_pages_have_words_of_their_own_for_every_refusal(language: str) -> None:
    refusals = [
        answer["content"]["application/json"]["schema"]["allOf"][1]
        for operations in openapi(ALL, "")["paths"].values()
        for operation in operations.values()
        for status, answer in operation["responses"].items()
        if int(status) >= HTTPStatus.BAD_REQUEST
    ]
    codes = {
        code
        for one in refusals
        for code in one["properties"]["error"]["properties"]["code"]["enum"]
    }
    messages = (ROOT / "static" / "messages" / f"{language}.js").read_text(encoding="utf-8")
    assert set(re.findall(r"^  denied_(\w+):", messages, re.MULTILINE)) == codes - UNSAID


async def test_documents_are_answered_304_when_they_are_known() -> None:
    app = Starlette(routes=documents(ENDPOINTS, "/api/v1", ROOT / "static/docs/index.html"))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        for path in ("/openapi.json", "/asyncapi.json"):
            first = await client.get(path)
            assert first.status_code == HTTPStatus.OK
            etag = {"If-None-Match": first.headers["etag"]}
            again = await client.get(path, headers=etag)
            assert (again.status_code, again.content) == (HTTPStatus.NOT_MODIFIED, b"")
        page = await client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")


def test_page_takes_nothing_from_elsewhere() -> None:
    """It works offline and under the same Content-Security-Policy as everything else."""
    for path in (ROOT / "static" / "docs").iterdir():
        source = path.read_text(encoding="utf-8")
        assert "//" not in source.replace("://", "//", 0) or path.suffix == ".js", path
        assert "http:" not in source, path
        assert "https:" not in source, path
        assert "innerHTML" not in source, path
        assert "style=" not in source, path
