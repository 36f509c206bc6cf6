"""What Schemathesis is told about this API.

Everybody who calls has an account of their own: else the first `logout-all` or
`DELETE /users/me` would leave nothing but 401 to be seen. Whoever asks for an attempt, a collection
or a text has one.
"""

import os
import re
from itertools import count
from typing import Any

import httpx
import schemathesis

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
RESULT = {"wpm": 60, "accuracy": 0.97, "errors": 3, "duration_ms": 30_000, "language": "en"}

Case = schemathesis.Case[Any]
_numbers = count()
_client = httpx.Client(base_url=f"{os.environ['API_URL']}/api/v1", trust_env=False)


@schemathesis.auth(refresh_interval=None)
class FreshAccount:
    """Registers somebody new for each request that comes with a token."""

    def get(self, _case: Case, _context: schemathesis.AuthContext) -> str:
        account = {
            "email": f"person-{os.getpid()}-{next(_numbers)}@example.org",
            "password": "Wombat-Lattice-77",
            "refresh": "body",
        }
        token: str = _post("/auth/register", account)["access_token"]
        return token

    def set(self, case: Case, data: str, _context: schemathesis.AuthContext) -> None:
        case.headers["Authorization"] = f"Bearer {data}"
        wanted = str((case.path_parameters or {}).get("id", ""))
        if UUID.fullmatch(wanted):
            case.path_parameters["id"] = _own(case.path, data) or wanted


def _own(path: str, token: str) -> str | None:
    """The id of something of the caller's that the path may name."""
    if "/attempts/{id}" in path:
        return str(_post("/progress", RESULT, token)["id"])
    if "/collections/{id}" not in path and "/texts/{id}" not in path:
        return None
    collection = str(_post("/collections", {"name": "Mine"}, token)["id"])
    if "/collections/{id}" in path:
        return collection
    return str(_post(f"/collections/{collection}/texts", {"text": "ab"}, token)["id"])


def _post(path: str, body: dict[str, Any], token: str | None = None) -> Any:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return _client.post(path, json=body, headers=headers).raise_for_status().json()


@schemathesis.hook
def map_body(_context: schemathesis.HookContext, body: Any) -> Any:
    """To JSON Schema 1.0 is an integer; to this API, as its description says, it is none."""
    if isinstance(body, dict):
        return {name: map_body(_context, value) for name, value in body.items()}
    if isinstance(body, list):
        return [map_body(_context, value) for value in body]
    return int(body) if isinstance(body, float) and body.is_integer() else body
