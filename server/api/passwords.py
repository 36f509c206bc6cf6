"""Changing a password, resetting one that was forgotten, and confirming an address."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from server.api.accounts import (
    TAG,
    VERIFY_MS,
    Access,
    Email,
    Language,
    NewPassword,
    Opaque,
    Said,
    TriedPassword,
    email_taken,
    login_subjects,
    new_mail,
    refuse_weak,
    spend_mail,
    spoken_by,
)
from server.api.endpoint import Answer, ApiError, Call, Endpoint, Model, Parts, Who
from server.api.routes import spend, unauthorized
from server.auth import stored_form
from server.db.accounts import EmailTaken, confirm_email
from server.db.logins import change_password, reset_password
from server.db.mails import ask_link, mail_link
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
    known = (await proven_account(parts, call, body.current_password))["password_hash"]
    newer_hash = await parts.passwords.hash(body.new_password)
    now_ms = parts.clock.now_ms()
    login_id = me.login_id or ""
    version = await change_password(parts.database, me.user_id, known, newer_hash, login_id, now_ms)
    if version is None:
        raise wrong_password()
    return Access(access_token=parts.tokens.access(me.user_id, version, login_id, now_ms))


async def proven_account(parts: Parts, call: Call, password: str) -> Mapping[str, Any]:
    """The row of the caller, who has just shown to know the password."""
    subject = f"proof {call.me.user_id}"
    await spend(parts, "login", subject)
    row = await find_user(parts.database, call.me.user_id)
    known = row["password_hash"] if row else None
    right, _ = await parts.passwords.check(password, known)
    if row is None or not right:
        await parts.budgets.failed("login", subject)
        raise wrong_password()
    await parts.budgets.forgive("login", subject)
    return dict(row)


def wrong_password() -> ApiError:
    return ApiError(403, "wrong_password", "The password is wrong.")


async def handle_verify_email(parts: Parts, call: Call) -> BaseModel | Answer:
    """A new address becomes the account's by this; its logins stay."""
    token_hash = stored_form(call.body.token)
    try:
        good = await confirm_email(parts.database, token_hash, parts.clock.now_ms())
    except EmailTaken:
        raise email_taken() from None
    if not good:
        raise _bad_link()
    return Said(message="The address is confirmed.")


async def handle_send_verification(parts: Parts, call: Call) -> BaseModel | Answer:
    """Links that were mailed before work no more."""
    row = await find_user(parts.database, call.me.user_id)
    if row is None:
        raise unauthorized()  # deleted a moment ago
    if row["verified_at_ms"] is not None:
        raise ApiError(409, "already_verified", "The address is confirmed already.")
    await spend_mail(parts, call, row["email"])
    now_ms = parts.clock.now_ms()
    mail = new_mail(parts, "verify", row["email"], spoken_by(dict(row)), now_ms + VERIFY_MS)
    await mail_link(parts.database, row["id"], mail, now_ms)
    parts.post.wake()
    return Said(message="The mail is on its way.")


async def handle_forgot_password(parts: Parts, call: Call) -> BaseModel | Answer:
    body: ForgottenPassword = call.body
    await spend_mail(parts, call, body.email)
    now_ms = parts.clock.now_ms()
    mail = new_mail(parts, "reset", body.email, body.language or "", now_ms + RESET_MS)
    await ask_link(parts.database, mail, now_ms)
    parts.post.wake()
    return Said(message="If there is such an account, a mail is on its way.")


async def handle_reset_password(parts: Parts, call: Call) -> BaseModel | Answer:
    body: PasswordReset = call.body
    refuse_weak(parts, "new_password", body.new_password)
    newer_hash = await parts.passwords.hash(body.new_password)
    now_ms = parts.clock.now_ms()
    email = await reset_password(parts.database, stored_form(body.token), newer_hash, now_ms)
    if email is None:
        raise _bad_link()
    # Whoever reads the mail of the account is no guesser, however many guesses there were.
    here, _, account = login_subjects(call, email)
    await parts.budgets.forgive("login", here)
    await parts.budgets.forgive("login_all", account)
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
        errors={400: ["bad_link"], 409: ["email_taken"]},
    ),
    Endpoint(
        "POST",
        "/auth/verify-email/send",
        handle_send_verification,
        "Have the mail that confirms one's address sent again",
        TAG,
        Who.MEMBER,
        answer=Said,
        errors={409: ["already_verified"]},
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
