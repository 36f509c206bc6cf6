"""Registering, logging in, going on and logging out."""

import unicodedata
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal
from uuid import uuid4

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BaseModel, Field
from starlette.requests import Request

from server.api.endpoint import Answer, ApiError, Call, Endpoint, Model, Parts, Who
from server.api.routes import (
    PREFIX,
    address,
    cross_site,
    disabled,
    same_site,
    spend,
    unauthorized,
)
from server.auth import ACCESS_TOKEN_S, PASSWORD_MAX, PASSWORD_MIN, new_opaque, stored_form
from server.core.plan import plan_at
from server.db.accounts import (
    AlreadyMember,
    EmailTaken,
    NewAccount,
    find_by_email,
    log_in,
    register,
    rehash,
)
from server.db.logins import LOGIN_MS, NewLogin, Rotation, log_out, log_out_everywhere, rotate
from server.db.mails import NewMail

TAG = "auth"
COOKIE = "refresh_token"
COOKIE_PATH = f"{PREFIX}/auth"
VERIFY_MS = 2 * 24 * 3_600_000
OPAQUE_MAX = 128
BEARER: Final = "bearer"
UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


# Values


def normal_email(email: str) -> str:
    """The form in which addresses are compared. Raises ValueError, repeating nothing."""
    folded = unicodedata.normalize("NFKC", email).lower()
    try:
        return validate_email(folded, check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        raise ValueError("This is no e-mail address.") from None


def normal_name(name: str) -> str:
    """A name as it is shown. Raises ValueError for one that hides something."""
    name = unicodedata.normalize("NFC", name).strip()
    if not name or any(unicodedata.category(character) in UNSEEN for character in name):
        raise ValueError("A name is made of visible characters.")
    return name


Email = Annotated[
    str, Field(max_length=254, json_schema_extra={"format": "email"}), AfterValidator(normal_email)
]
# What is put into its normal form may be longer in it.
Name = Annotated[
    str, Field(min_length=1, max_length=32), AfterValidator(normal_name), Field(max_length=32)
]
FullName = Annotated[
    str, Field(min_length=1, max_length=255), AfterValidator(normal_name), Field(max_length=255)
]
NewPassword = Annotated[str, Field(min_length=PASSWORD_MIN, max_length=PASSWORD_MAX)]
# At login any string may be tried; a longer one is nobody's password.
TriedPassword = Annotated[str, Field(max_length=1_024)]
Opaque = Annotated[str, Field(min_length=1, max_length=OPAQUE_MAX)]
Language = Literal["en", "ru"]
Delivery = Literal["cookie", "body"]


# Bodies and answers


class Registration(Model):
    """`refresh`: where the refresh token goes, a cookie for browsers or the body."""

    email: Email
    password: NewPassword
    full_name: FullName | None = None
    name: Name | None = None
    language: Language | None = None
    refresh: Delivery = "cookie"


class LoginBody(Model):
    email: Annotated[str, Field(max_length=320)]
    password: TriedPassword
    refresh: Delivery = "cookie"


class RefreshBody(Model):
    """With no `refresh_token` the cookie's is used, and the next one is a cookie too."""

    refresh_token: Opaque | None = None
    refresh: Delivery | None = None


class LogoutBody(Model):
    refresh_token: Opaque | None = None


class Access(Model):
    """`refresh_token` is null when it went into the cookie, or was not changed."""

    access_token: str
    token_type: Literal["bearer"] = BEARER
    expires_in: int = ACCESS_TOKEN_S
    refresh_token: str | None = None


class SignedIn(Access):
    user_id: str
    email: str
    subscription_tier: str


class Said(Model):
    message: str


# Registering and logging in


async def handle_register(parts: Parts, call: Call) -> BaseModel | Answer:
    body: Registration = call.body
    refuse_weak(parts, "password", body.password)
    await spend(parts, "register", address(call.request))
    guest_id = _guest_id(call)
    user_id = guest_id or str(uuid4())
    language = body.language or _spoken(call.request)
    account = NewAccount(
        id=user_id,
        email=body.email,
        password_hash=await parts.passwords.hash(body.password),
        name=body.name or f"Typist {user_id[:4].upper()}",
        full_name=body.full_name,
        settings={"language": language},
    )
    now_ms = parts.clock.now_ms()
    mail = new_mail(parts, "verify", body.email, language, now_ms + VERIFY_MS)
    token = new_opaque()
    login = NewLogin(str(uuid4()), stored_form(token))
    try:
        await register(parts.database, account, login, mail, now_ms)
    except EmailTaken:
        raise email_taken() from None
    except AlreadyMember:
        raise ApiError(409, "already_registered", "The guest has an account by now.") from None
    parts.post.wake()
    access = parts.tokens.access(user_id, 1, login.id, now_ms)
    signed_in = SignedIn(
        user_id=user_id, email=body.email, subscription_tier="free", access_token=access
    )
    return _deliver(parts, signed_in, token, body.refresh, 201)


async def handle_login(parts: Parts, call: Call) -> BaseModel | Answer:
    body: LoginBody = call.body
    try:
        email = normal_email(body.email)
    except ValueError:
        email = ""
    here, *everywhere = login_subjects(call, email)
    await spend(parts, "login", here)
    for subject in everywhere:
        await spend(parts, "login_all", subject)
    row = await find_by_email(parts.database, email) if email else None
    known = row["password_hash"] if row else None
    right, newer_hash = await parts.passwords.check(body.password, known)
    if row is None or not right:
        await parts.budgets.failed("login", here)
        raise bad_credentials()
    if row["disabled_at_ms"] is not None:
        raise disabled()
    await parts.budgets.succeeded("login", here)
    if newer_hash is not None:
        await rehash(parts.database, row["id"], str(known), newer_hash)
    return await _log_in(parts, call, dict(row), newer_hash or str(known))


def login_subjects(call: Call, email: str) -> tuple[str, str, str]:
    """Whose tries to log in are counted: this address at this account, the address, the account.

    The first may fail seldom. Guesses made elsewhere do not count against it, so one who does not
    know the password keeps nobody out of an account; only many addresses together use up the last.
    """
    here, account = address(call.request), f"account {email}"
    return f"{here} {account}", here, account


async def _log_in(parts: Parts, call: Call, row: Mapping[str, Any], password_hash: str) -> Answer:
    now_ms = parts.clock.now_ms()
    token = new_opaque()
    login = NewLogin(str(uuid4()), stored_form(token))
    version = await log_in(parts.database, row["id"], password_hash, login, _guest_id(call), now_ms)
    if version is None:
        raise bad_credentials()
    signed_in = SignedIn(
        user_id=row["id"],
        email=row["email"],
        subscription_tier=plan_at(row["tier"], row["tier_until_ms"], now_ms),
        access_token=parts.tokens.access(row["id"], version, login.id, now_ms),
    )
    return _deliver(parts, signed_in, token, call.body.refresh, 200)


def bad_credentials() -> ApiError:
    return ApiError(401, "bad_credentials", "The e-mail or the password is wrong.")


def _guest_id(call: Call) -> str | None:
    return call.caller.user_id if call.caller is not None and call.caller.guest else None


def _deliver(parts: Parts, access: Access, token: str, refresh: Delivery, status: int) -> Answer:
    if refresh == "body":
        return Answer(access.model_copy(update={"refresh_token": token}), status)
    return Answer(access, status, _set_cookie(parts, token, LOGIN_MS // 1_000))


def _set_cookie(parts: Parts, token: str, life_s: int) -> dict[str, str]:
    secure = "; Secure" if parts.secure_cookies else ""
    return {
        "Set-Cookie": f"{COOKIE}={token}; Max-Age={life_s}; Path={COOKIE_PATH}; "
        f"HttpOnly; SameSite=Strict{secure}"
    }


# Going on, and leaving


async def handle_refresh(parts: Parts, call: Call) -> BaseModel | Answer:
    body: RefreshBody = call.body
    token = body.refresh_token or _cookie(parts, call.request)
    if body.refresh_token is None and body.refresh == "body":
        # What scripts cannot read in the cookie they must not be given in a body.
        raise ApiError(422, "invalid", "A cookie's token stays in the cookie.")
    if token is None:
        raise _refresh_refused(parts, "invalid_refresh_token")
    successor = parts.tokens.successor(token)
    now_ms = parts.clock.now_ms()
    outcome, row = await rotate(parts.database, stored_form(token), stored_form(successor), now_ms)
    if outcome is Rotation.DISABLED:
        raise disabled()
    if row is None:
        reused = outcome is Rotation.REUSED
        raise _refresh_refused(parts, "refresh_reused" if reused else "invalid_refresh_token")
    access = Access(
        access_token=parts.tokens.access(row["id"], row["token_version"], row["login_id"], now_ms)
    )
    return _deliver(parts, access, successor, "body" if body.refresh_token else "cookie", 200)


def _refresh_refused(parts: Parts, code: str) -> ApiError:
    headers = {**_set_cookie(parts, "", 0), "WWW-Authenticate": "Bearer"}
    return ApiError(401, code, "Log in again.", headers=headers)


def _cookie(parts: Parts, request: Request) -> str | None:
    token = request.cookies.get(COOKIE)
    if not token or len(token) > OPAQUE_MAX:
        return None
    if not same_site(request, parts.origins, proven=True):
        raise cross_site()
    return token


async def handle_logout(parts: Parts, call: Call) -> BaseModel | Answer:
    token = call.body.refresh_token or _cookie(parts, call.request)
    login_id = call.caller.login_id if call.caller else None
    if token is None and login_id is None:
        raise unauthorized()
    token_hash = stored_form(token) if token is not None else None
    await log_out(parts.database, login_id, token_hash, parts.clock.now_ms())
    return Answer(Said(message="Logged out."), 200, _set_cookie(parts, "", 0))


async def handle_logout_all(parts: Parts, call: Call) -> BaseModel | Answer:
    await log_out_everywhere(parts.database, call.me.user_id, parts.clock.now_ms())
    return Answer(Said(message="Logged out everywhere."), 200, _set_cookie(parts, "", 0))


# What passwords and profiles share


def email_taken() -> ApiError:
    return ApiError(409, "email_taken", "There is an account with this e-mail.")


async def spend_mail(parts: Parts, call: Call, *emails: str) -> None:
    """Count a mail to these addresses. Raises ApiError 429."""
    for subject in (address(call.request), *(f"account {email}" for email in emails)):
        await spend(parts, "mail", subject)


def new_mail(parts: Parts, purpose: str, to: str, language: str, expires_at_ms: int) -> NewMail:
    """A mail with a link of its own."""
    seed = new_opaque()
    token_hash = stored_form(parts.tokens.mailed(seed))
    return NewMail(purpose, to, language, seed, token_hash, expires_at_ms)


def spoken_by(row: Mapping[str, Any]) -> str:
    """The language in which a person is written to."""
    return str((row["settings"] or {}).get("language", "en"))


def refuse_weak(parts: Parts, field: str, password: str) -> None:
    """Raises ApiError 422 for a password that will not do."""
    problem = parts.passwords.problem(password)
    if problem is not None:
        fields = [{"field": field, "message": problem}]
        raise ApiError(422, "weak_password", problem, fields)


def _spoken(request: Request) -> Language:
    first = request.headers.get("accept-language", "").strip().lower()
    return "ru" if first.startswith("ru") else "en"


ENDPOINTS = [
    Endpoint(
        "POST",
        "/auth/register",
        handle_register,
        "Make an account; a guest's access token makes it the guest's own",
        TAG,
        body=Registration,
        status=201,
        answer=SignedIn,
        errors={
            401: ["unauthorized"],
            409: ["email_taken", "already_registered"],
            422: ["weak_password"],
            503: ["busy"],
        },
    ),
    Endpoint(
        "POST",
        "/auth/login",
        handle_login,
        "Log in; with a guest's access token all that the guest has moves to the account",
        TAG,
        body=LoginBody,
        answer=SignedIn,
        errors={401: ["bad_credentials", "unauthorized"], 403: ["disabled"], 503: ["busy"]},
    ),
    Endpoint(
        "POST",
        "/auth/refresh",
        handle_refresh,
        "Use up a refresh token, from the cookie or the body, for new tokens",
        TAG,
        body=RefreshBody,
        answer=Access,
        errors={
            401: ["invalid_refresh_token", "refresh_reused", "unauthorized"],
            403: ["disabled", "cross_site"],
        },
    ),
    Endpoint(
        "POST",
        "/auth/logout",
        handle_logout,
        "End the login of the refresh token, and of the access token",
        TAG,
        body=LogoutBody,
        answer=Said,
        errors={401: ["unauthorized"], 403: ["cross_site"]},
    ),
    Endpoint(
        "POST",
        "/auth/logout-all",
        handle_logout_all,
        "End all one's logins, this one too",
        TAG,
        Who.MEMBER,
        answer=Said,
    ),
]
