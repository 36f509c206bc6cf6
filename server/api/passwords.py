"""Changing a password, resetting one that was forgotten, and confirming an address."""

from pydantic import BaseModel

from server.api.accounts import (
    TAG,
    Access,
    Email,
    Language,
    NewPassword,
    Opaque,
    Said,
    TriedPassword,
    new_mail,
    refuse_weak,
)
from server.api.endpoint import Answer, ApiError, Call, Endpoint, Model, Parts, Who
from server.api.routes import address, spend
from server.auth import stored_form
from server.db.accounts import find_by_email
from server.db.logins import change_password, mail_link, reset_password, verify_email
from server.db.queries import find_user

RESET_MS = 30 * 60_000


class PasswordChange(Model):
    current_password: TriedPassword
    new_password: NewPassword


class MailedToken(Model):
    token: Opaque


class ForgottenPassword(Model):
    email: Email
    language: Language | None = None


class PasswordReset(Model):
    token: Opaque
    new_password: NewPassword


async def handle_change_password(parts: Parts, call: Call) -> BaseModel | Answer:
    body: PasswordChange = call.body
    refuse_weak(parts, "new_password", body.new_password)
    me = call.me
    known = await proven_password(parts, call, body.current_password)
    newer_hash = await parts.passwords.hash(body.new_password)
    now_ms = parts.clock.now_ms()
    login_id = me.login_id or ""
    version = await change_password(parts.database, me.user_id, known, newer_hash, login_id, now_ms)
    if version is None:
        raise wrong_password()
    return Access(access_token=parts.tokens.access(me.user_id, version, login_id, now_ms))


async def proven_password(parts: Parts, call: Call, password: str) -> str:
    """The stored hash of the caller's password, which they have just shown to know."""
    subject = f"proof {call.me.user_id}"
    await spend(parts, "login", subject)
    row = await find_user(parts.database, call.me.user_id)
    known = row["password_hash"] if row else None
    right, _ = await parts.passwords.check(password, known)
    if known is None or not right:
        await parts.budgets.failed("login", subject)
        raise wrong_password()
    await parts.budgets.forgive("login", subject)
    return str(known)


def wrong_password() -> ApiError:
    return ApiError(403, "wrong_password", "The password is wrong.")


async def handle_verify_email(parts: Parts, call: Call) -> BaseModel | Answer:
    token_hash = stored_form(call.body.token)
    if not await verify_email(parts.database, token_hash, parts.clock.now_ms()):
        raise _bad_link()
    return Said(message="The address is confirmed.")


async def handle_forgot_password(parts: Parts, call: Call) -> BaseModel | Answer:
    body: ForgottenPassword = call.body
    for subject in (address(call.request), f"account {body.email}"):
        await spend(parts, "mail", subject)
    row = await find_by_email(parts.database, body.email)
    if row is not None and row["disabled_at_ms"] is None:
        language = body.language or (row["settings"] or {}).get("language", "en")
        now_ms = parts.clock.now_ms()
        mail = new_mail(parts, "reset", row["email"], language, now_ms + RESET_MS)
        await mail_link(parts.database, row["id"], mail, now_ms)
        parts.post.wake()
    return Said(message="If there is such an account, a mail is on its way.")


async def handle_reset_password(parts: Parts, call: Call) -> BaseModel | Answer:
    body: PasswordReset = call.body
    refuse_weak(parts, "new_password", body.new_password)
    newer_hash = await parts.passwords.hash(body.new_password)
    now_ms = parts.clock.now_ms()
    if not await reset_password(parts.database, stored_form(body.token), newer_hash, now_ms):
        raise _bad_link()
    return Said(message="The password is changed. Log in with it.")


def _bad_link() -> ApiError:
    return ApiError(400, "bad_link", "The link is not valid any more; ask for another.")


ENDPOINTS = [
    Endpoint(
        "POST",
        "/auth/change-password",
        handle_change_password,
        "Change the password; all other logins end",
        TAG,
        Who.MEMBER,
        body=PasswordChange,
        answer=Access,
        errors={403: ["wrong_password"], 422: ["weak_password"], 503: ["busy"]},
    ),
    Endpoint(
        "POST",
        "/auth/verify-email",
        handle_verify_email,
        "Confirm an address with the token that was mailed to it",
        TAG,
        body=MailedToken,
        answer=Said,
        errors={400: ["bad_link"]},
    ),
    Endpoint(
        "POST",
        "/auth/forgot-password",
        handle_forgot_password,
        "Have a link mailed to choose a new password; the answer is always the same",
        TAG,
        body=ForgottenPassword,
        answer=Said,
    ),
    Endpoint(
        "POST",
        "/auth/reset-password",
        handle_reset_password,
        "Choose a new password with a mailed token; all logins end",
        TAG,
        body=PasswordReset,
        answer=Said,
        errors={400: ["bad_link"], 422: ["weak_password"], 503: ["busy"]},
    ),
]
