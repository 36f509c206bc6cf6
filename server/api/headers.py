"""What every answer says to browsers: what a page may do, and which other pages may read it."""

from collections.abc import Collection

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECURITY = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        "connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
HTTPS_ONLY = {"Strict-Transport-Security": "max-age=63072000; includeSubDomains"}
# Asked for anew each time and answered 304: a page never mixes modules of two versions.
STATIC_CACHE = (b"cache-control", b"no-cache")
STARTS = ("http.response.start", "websocket.http.response.start")  # also a refused websocket


def with_headers(app: ASGIApp, https_only: bool) -> ASGIApp:
    """The same security headers on every answer, errors too."""
    headers = SECURITY | (HTTPS_ONLY if https_only else {})
    extra = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] in STARTS:
                message["headers"] = [*message.get("headers", ()), *extra]
                if scope["path"].startswith("/static"):
                    message["headers"].append(STATIC_CACHE)
            await send(message)

        await app(scope, receive, send if scope["type"] == "lifespan" else send_with_headers)

    return answered


def with_cors(app: ASGIApp, origins: Collection[str]) -> ASGIApp:
    """Pages of these origins, to the letter, may call and read; others hear nothing of it."""
    allowed = {origin.encode() for origin in origins}
    cors = CORSMiddleware(
        app,
        allow_origins=sorted(origins),
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["authorization", "content-type"],
        expose_headers=["x-request-id", "retry-after", "etag"],
        allow_credentials=True,
        max_age=600,
    )

    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        given = [value for name, value in scope.get("headers", ()) if name == b"origin"]
        trusted = scope["type"] == "http" and len(given) == 1 and given[0] in allowed
        await (cors if trusted else app)(scope, receive, send)

    return answered
