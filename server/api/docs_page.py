"""The contract, to be read by programs and by people: two documents and a page that shows them."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from server.api.asyncapi import asyncapi
from server.api.endpoint import Endpoint
from server.api.openapi import openapi


def documents(endpoints: Sequence[Endpoint], prefix: str, page: Path) -> list[Route]:
    """The routes: /openapi.json, /asyncapi.json, and /docs, which is the file `page`."""

    async def docs(_request: Request) -> Response:
        return FileResponse(page, headers={"Cache-Control": "no-cache"})

    return [
        _document("/openapi.json", openapi(endpoints, prefix)),
        _document("/asyncapi.json", asyncapi()),
        Route("/docs", docs),
    ]


def _document(path: str, document: dict[str, Any]) -> Route:
    content = json.dumps(document, ensure_ascii=False).encode()
    headers = {
        "Cache-Control": "no-cache",
        "ETag": f'"{hashlib.sha256(content).hexdigest()[:32]}"',
    }

    async def answer(request: Request) -> Response:
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type="application/json")

    return Route(path, answer)
