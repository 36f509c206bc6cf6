"""The OpenAPI 3.1 document, made from the same endpoints as the routes."""

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from server.api.endpoint import Endpoint, ErrorAnswer, Who

Json = dict[str, Any]
Key = tuple[type[BaseModel], JsonSchemaMode]

Schemas = Mapping[Any, Json]  # by model and mode

VERSION = "1"
REF = "#/components/schemas/{model}"
ANYTIME: Mapping[int, tuple[str, ...]] = {
    401: ("unauthorized",),
    403: ("disabled",),
    422: ("invalid",),
    429: ("rate",),
    500: ("internal",),
    503: ("store",),
}
OF_BODIES: Mapping[int, tuple[str, ...]] = {
    400: ("bad_json",),
    413: ("too_large",),
    415: ("unsupported_media_type",),
}
OF_CHANGES: Mapping[int, tuple[str, ...]] = {403: ("cross_site",)}
OF_MEMBERS: Mapping[int, tuple[str, ...]] = {403: ("account_required",)}
OF_PATHS: Mapping[int, tuple[str, ...]] = {404: ("not_found",)}
WHO = {
    Who.ANYONE: "For anyone.",
    Who.PERSON: "For guests and members: needs an access token.",
    Who.MEMBER: "For members: needs the access token of an account.",
}
ABOUT = """Everything besides typing itself, which goes over the websocket at `/ws`.

Ids are UUID strings, integers are written without a point (`1.0` is none), fractions go from 0 to \
1, times are milliseconds and instants Unix milliseconds. Fields that are not listed are refused. \
Every answer that is no success has the shape of `ErrorAnswer`; `X-Request-ID` names each \
request. Too many requests are answered 429 with `Retry-After`."""


def openapi(endpoints: Iterable[Endpoint], prefix: str) -> Json:
    """The document; the same endpoints give the same one."""
    listed = sorted(endpoints, key=lambda endpoint: (endpoint.tag, endpoint.path, endpoint.method))
    keys = dict.fromkeys(key for endpoint in listed for key in _models(endpoint))
    keys[ErrorAnswer, "serialization"] = None
    schemas, definitions = models_json_schema(list(keys), ref_template=REF)
    paths: dict[str, Json] = {}
    for endpoint in listed:
        operation = _operation(endpoint, schemas)
        paths.setdefault(prefix + endpoint.path, {})[endpoint.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "Typing Trainer", "version": VERSION, "description": ABOUT},
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in sorted({endpoint.tag for endpoint in listed})],
        "paths": paths,
        "components": {
            "schemas": definitions.get("$defs", {}),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            },
        },
    }


def _models(endpoint: Endpoint) -> Iterable[Key]:
    if endpoint.body is not None:
        yield endpoint.body, "validation"
    if endpoint.query is not None:
        yield endpoint.query, "validation"
    if endpoint.answer is not None:
        yield endpoint.answer, "serialization"


def _operation(endpoint: Endpoint, schemas: Schemas) -> Json:
    handler = (endpoint.handle.__doc__ or "").strip()
    operation: Json = {
        "operationId": _operation_id(endpoint),
        "tags": [endpoint.tag],
        "summary": endpoint.summary,
        "description": "\n\n".join(filter(None, [" ".join(handler.split()), WHO[endpoint.who]])),
        "security": _security(endpoint.who),
        "parameters": _parameters(endpoint),
        "responses": {
            str(endpoint.status): _success(endpoint, schemas),
            **{str(status): _refusal(status, codes) for status, codes in _errors(endpoint).items()},
        },
    }
    if endpoint.body is not None:
        schema = schemas[endpoint.body, "validation"]
        operation["requestBody"] = {"required": True, "content": _json(schema)}
    elif endpoint.takes:
        content: Json = {media: {"schema": {}} for media in endpoint.takes}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _operation_id(endpoint: Endpoint) -> str:
    name = getattr(endpoint.handle, "__name__", endpoint.summary)
    module = endpoint.handle.__module__.rpartition(".")[2]
    return f"{module}_{name.removeprefix('handle_')}"


def _security(who: Who) -> list[Json]:
    bearer: Json = {"bearer": []}
    return [{}, bearer] if who is Who.ANYONE else [bearer]


# Parameters


def _parameters(endpoint: Endpoint) -> list[Json]:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": _segment(endpoint, name)}
        for name in re.findall(r"\{(\w+)", endpoint.path)
    ]
    if endpoint.query is not None:
        parameters += _query_parameters(endpoint.query)
    return parameters


def _segment(endpoint: Endpoint, name: str) -> Json:
    pattern = endpoint.path_patterns.get(name)
    return {"type": "string", "pattern": f"^(?:{pattern or '[^/]+'})$"}


def _query_parameters(query: type[BaseModel]) -> Iterable[Json]:
    schema = query.model_json_schema(ref_template=REF)
    required = schema.get("required", [])
    for name, property_schema in schema.get("properties", {}).items():
        described = _without_null(property_schema)
        parameter: Json = {
            "name": name,
            "in": "query",
            "required": name in required,
            "schema": described,
        }
        if "description" in described:
            parameter["description"] = described.pop("description")
        yield parameter


def _without_null(schema: Json) -> Json:
    """In a URL there is no null: a parameter that may be None is one that may be left out."""
    kept = {name: value for name, value in schema.items() if name not in ("default", "title")}
    if schema.get("default") is not None:
        kept["default"] = schema["default"]
    choices = [one for one in kept.pop("anyOf", []) if one != {"type": "null"}]
    if len(choices) == 1:
        return {**choices[0], **kept}
    return {**kept, "anyOf": choices} if choices else kept


# Answers


def _success(endpoint: Endpoint, schemas: Schemas) -> Json:
    answer: Json = {"description": HTTPStatus(endpoint.status).phrase, "headers": _headers(200)}
    if endpoint.answer is not None:
        schema = schemas[endpoint.answer, "serialization"]
        answer["content"] = {endpoint.media: {"schema": schema}}
    elif endpoint.status != HTTPStatus.NO_CONTENT:
        answer["content"] = {endpoint.media: {}}
    return answer


def _errors(endpoint: Endpoint) -> dict[int, list[str]]:
    """Every status that is no success, with the codes it may carry."""
    apply = [endpoint.errors, ANYTIME]
    if endpoint.body is not None or endpoint.takes:
        apply.append(OF_BODIES)
    if endpoint.method not in ("GET", "HEAD"):
        apply.append(OF_CHANGES)
    if endpoint.who is Who.MEMBER:
        apply.append(OF_MEMBERS)
    if endpoint.path_patterns:
        apply.append(OF_PATHS)
    errors: dict[int, list[str]] = {}
    for by_status in apply:
        for status, codes in by_status.items():
            errors.setdefault(status, []).extend(codes)
    return {status: sorted(set(codes)) for status, codes in sorted(errors.items())}


def _refusal(status: int, codes: list[str]) -> Json:
    code = {"properties": {"error": {"properties": {"code": {"enum": codes}}}}}
    return {
        "description": ", ".join(f"`{code}`" for code in codes),
        "headers": _headers(status),
        "content": _json({"allOf": [{"$ref": REF.format(model=ErrorAnswer.__name__)}, code]}),
    }


def _headers(status: int) -> Json:
    headers: Json = {"X-Request-ID": _header("string", "Names this request; it is in our log too.")}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = _header("string", "How to come with a token.", False)
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        headers["Retry-After"] = _header("integer", "Seconds to wait.")
    return headers


def _header(kind: Literal["string", "integer"], description: str, required: bool = True) -> Json:
    return {"description": description, "required": required, "schema": {"type": kind}}


def _json(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}
