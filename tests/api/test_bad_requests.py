"""The catalogue of bad requests over HTTP: what no endpoint has a say in."""

import pytest

from tests.api.people import Site, bearer, code
from tests.live.raw_socket import raw_socket

JSON = "application/json"


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        ({"Content-Type": f"{JSON}; charset=utf-16"}, '{"email":"a"}'.encode("utf-16"), 415),
        ({"Content-Type": JSON, "Content-Encoding": "gzip"}, b"\x1f\x8b\x08\0" + b"\0" * 99, 415),
        ({"Content-Type": "multipart/form-data; boundary=x"}, b"--x--", 415),
        ({}, b"{}", 415),
        ({"Content-Type": JSON}, b'\xef\xbb\xbf{"email":"a"}', 400),
        ({"Content-Type": JSON}, b'{"email":"\xff"}', 400),
        ({"Content-Type": JSON}, b"[" * 100_000, 400),
        ({"Content-Type": JSON}, b'{"email":NaN}', 422),
        ({"Content-Type": JSON}, b'{"email":' + b"9" * 5_000 + b"}", 400),
        ({"Content-Type": JSON}, b'{"email":1e999,"password":-0}', 422),
        ({"Content-Type": JSON}, b'{"email":"a","__proto__":{},"constructor":1}', 422),
    ],
)
async def test_a_body_that_is_no_json_is_refused(
    sqlite_site: Site, headers: dict[str, str], content: bytes, status: int
) -> None:
    answer = await sqlite_site.ask("POST", "/auth/login", headers=headers, content=content)
    assert answer.status_code == status, answer.text
    code(answer)


async def test_a_body_without_end_is_cut_at_the_limit(sqlite_site: Site) -> None:
    async with raw_socket(sqlite_site.process.ws_url) as client:
        await client.send(
            b"POST /api/v1/auth/login HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        for _ in range(17):
            await client.send(b"10000\r\n" + b" " * 65_536 + b"\r\n")
        assert await client.status() == 413


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/users/me", {"Range": "bytes=0-1"}, 200),
        ("/users/me", {"Accept": "image/png"}, 200),
        ("/users/me/progress", {"If-None-Match": 'W/"*", ,,"x'}, 200),
        ("/users/me", {"Host": "evil.example"}, 200),
        ("/users/me", {"X-Forwarded-For": "' OR 1=1", "X-Forwarded-Proto": "gopher"}, 200),
        ("/users/me", {"Content-Length": "5"}, 200),
        ("/users/" + "x" * 10_000, {}, 404),
        ("/users/me%00", {}, 404),
        ("/users/../../../etc/passwd", {}, 404),
        ("/users/me?%00=%ff&a=1&a=2", {}, 422),
    ],
)
async def test_what_else_a_request_may_carry_changes_nothing(
    sqlite_site: Site, path: str, headers: dict[str, str], status: int
) -> None:
    member = await sqlite_site.register()
    sent = bearer(member.access) | headers
    content = b"12345" if "Content-Length" in headers else None
    answer = await sqlite_site.ask("GET", path, headers=sent, content=content)
    assert answer.status_code == status, answer.text
    assert "evil.example" not in answer.text
